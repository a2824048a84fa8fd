"""A module beside the plugins that is none."""
