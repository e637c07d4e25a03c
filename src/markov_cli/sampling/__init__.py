"""A distribution, a seed and an automaton to ids.

Draws are numbered by text, token and attempt, so text i is the same for any number of texts.
May import: errors, arrays, text, model.
"""
