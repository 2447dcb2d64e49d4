"""Online algorithms: networks that learn ski rental and paging, against the optima that are known by theorem."""

NOTEBOOK = "07_online_algorithms.ipynb"
