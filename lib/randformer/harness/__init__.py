"""Any seeded computation: runs to records, in many processes or on a cluster. Knows no network."""
