"""The experiment recall."""
