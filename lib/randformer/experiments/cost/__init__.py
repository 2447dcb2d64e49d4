"""Time and memory against m, which m and q are worth it, votes against larger models, our steps against other ways
to write them.
"""

NOTEBOOK = "05_cost_of_randomness.ipynb"
