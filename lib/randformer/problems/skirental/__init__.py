"""The problem skirental."""
