"""Measures how much of a text is kept in a table, or copied in another text.

`table/` reads a table alone, `corpus/` compares a table with its text, `copying/` finds copied runs of tokens.
May import: errors, arrays, text, model, sampling, scoring.
"""
