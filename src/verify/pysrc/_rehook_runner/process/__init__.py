"""Processes that plugins run in: how they begin and end, and what the system keeps them from."""
