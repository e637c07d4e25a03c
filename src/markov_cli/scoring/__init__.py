"""Scores ids under a distribution: bits, perplexities, mixtures.

Scores equal KenLM's to float32.
May import: errors, arrays, text, counting, model.
"""
