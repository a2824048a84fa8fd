"""The search for requests that reach every line of a handler."""
