"""The experiment coloring."""
