"""Sends the same requests to both sides, and compares what they give."""
