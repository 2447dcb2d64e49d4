"""The problem gridworld."""
