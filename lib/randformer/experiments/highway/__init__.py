"""The gradient of a stack of residual layers, iterated along the residual path instead of propagated layer by layer;
a function for one's own stack. Fagnou et al., Highway backpropagation.
"""

NOTEBOOK = "13_highway_backpropagation.ipynb"
