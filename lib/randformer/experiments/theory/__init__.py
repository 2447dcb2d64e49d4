"""Games solved exactly: what the best fixed and the best randomized strategy can reach; section 2, appendices A
and E.
"""

NOTEBOOK = "01_when_randomness_helps.ipynb"
