"""Mutated files of other programs, for the readers of `import`; `fuzz_imports.py` runs them.

A kind is a module with `case(rng)`, which gives a Case. Another kind of input sits beside these: add it to KINDS.
"""

from . import arpa, books, counts, markovify

KINDS = {"arpa": arpa, "counts": counts, "books": books, "markovify": markovify}
