"""Trained networks to play with: seeds to flip and drag, votes to draw, and an adversary to call."""

NOTEBOOK = "08_explore.ipynb"
