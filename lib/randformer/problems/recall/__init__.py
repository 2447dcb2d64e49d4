"""The problem recall."""
