"""A module whose `plugin` is something else: passed over."""

plugin = object()
