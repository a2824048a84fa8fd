"""Which changed lines have to run, and which did."""
