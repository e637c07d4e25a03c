"""Figures of a table, the followers of a history, and verification of a model file.

Nothing here changes a model.
May import: errors, arrays, text, model, scoring.
"""
