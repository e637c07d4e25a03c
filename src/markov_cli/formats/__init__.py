"""Reads and writes the model files of other programs: ARPA, markovify, Google n-grams.

Each format is a module; `export` and `import` of the command line find them here.
May import: errors, arrays, text, counting, model.
"""
