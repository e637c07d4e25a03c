"""Evidence from a table and its training text: comparison, extraction, memorisation, canaries."""
