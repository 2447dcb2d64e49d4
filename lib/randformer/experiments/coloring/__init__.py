"""Every cycle on ten vertices coloured by a small network that hears two steps far; figures 4C, 5, 9."""

NOTEBOOK = "03_graph_coloring.ipynb"
