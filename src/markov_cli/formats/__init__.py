"""Reads and writes the model files of other programs: ARPA, markovify, Google n-grams.

The commands `export` and `import` use them.
May import: errors, arrays, text, counting, model.
"""
