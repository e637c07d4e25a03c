"""Ids to sorted n-gram counts.

`ngrams` counts a text that fits into memory in one step; `external_sort` counts a larger one block by block.
May import: arrays, text.
"""
