"""One side of a comparison: the agent with a plugin, and a record of what that does."""
