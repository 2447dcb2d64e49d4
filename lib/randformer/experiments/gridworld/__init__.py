"""The experiment gridworld."""
