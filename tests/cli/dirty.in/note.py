"""No webhook here."""
