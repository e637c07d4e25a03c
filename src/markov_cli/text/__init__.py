"""Bytes to ids, and ids to text: sources, tokenizers, sequences, vocabularies, joining.

A type is its bytes and two flags for white space; a marker is an id and never a string.
May import: errors, arrays.
"""
