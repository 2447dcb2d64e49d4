"""The network, its objective, the two ways to train it, and the adversary who judges it. Knows no task."""
