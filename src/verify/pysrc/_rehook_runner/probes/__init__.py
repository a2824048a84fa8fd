"""Values that report what a plugin asks of them."""
