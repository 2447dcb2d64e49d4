"""The problem coloring."""
