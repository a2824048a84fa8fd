"""What all parts speak of: cases, routes, requests; and how values travel between processes."""
