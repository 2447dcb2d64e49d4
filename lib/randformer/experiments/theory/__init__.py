"""The experiment theory."""
