"""Agents that look for a treasure and go back to it, trained by evolution; figures 6C, 7, 10."""

NOTEBOOK = "04_grid_world.ipynb"
