"""Constants."""

AUTHOR = "author"
