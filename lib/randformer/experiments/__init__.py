"""A folder per notebook: what runs, what is drawn, what is claimed; registry.py finds them."""
