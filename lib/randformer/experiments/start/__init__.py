"""The claims, how the repository works, and a training that runs live."""

NOTEBOOK = "00_start_here.ipynb"
