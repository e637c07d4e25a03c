"""Draws token ids from a distribution, a seed and an automaton.

Each draw is numbered by text, token and attempt, so text i does not depend on the number of texts.
May import: errors, arrays, text, model.
"""
