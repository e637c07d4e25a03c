"""An n-gram table, its `.npz` file, and the probabilities that a smoothing derives from its counts.

`LanguageModel` holds all of them; every room above takes one and none changes it.
May import: errors, arrays, text, counting.
"""
