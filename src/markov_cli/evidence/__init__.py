"""Measures how much of a text a table, or another text, holds.

`copying/` finds runs of tokens that are copied; the rest is the audit of a table.
May import: errors, arrays, text, model, sampling, scoring.
"""
