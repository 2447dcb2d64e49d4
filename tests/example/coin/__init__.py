"""A hidden coin is guessed: a fixed answer always loses on one side, a random one wins on both half the time; X1"""

NOTEBOOK = "coin.ipynb"
