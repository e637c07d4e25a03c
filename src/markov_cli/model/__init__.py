"""The table, and how it is stored."""
