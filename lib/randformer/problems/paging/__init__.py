"""The problem paging."""
