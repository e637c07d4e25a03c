"""Text to a model file: in memory, on disk, or on a Dask cluster.

`plan` chooses among them; all give the same bytes.
May import: errors, arrays, text, counting, model.
"""
