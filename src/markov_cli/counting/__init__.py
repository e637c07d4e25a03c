"""Ids to sorted n-gram counts, and lookups in them.

Text that fits into memory is counted here in one step; larger text is counted block by block in `training/`.
May import: arrays, text.
"""
