"""The website, built from what is stored: notebooks with their outputs, figures, claims, and the explorer page."""
