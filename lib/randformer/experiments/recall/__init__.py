"""More pairs to remember than fit: a network that keeps other ones under every seed; figures 1, 2, 3, 8."""

NOTEBOOK = "02_associative_recall.ipynb"
