"""Stacks of residual layers that learn handwritten digits, or to remember, by exact and by iterated gradients."""
