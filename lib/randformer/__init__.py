"""Learning Randomized Algorithms with Transformers (ICLR 2025), replicated."""
