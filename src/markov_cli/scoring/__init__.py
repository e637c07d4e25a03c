"""A distribution and ids to bits: log-probabilities, perplexities, mixtures.

Scores equal KenLM's to float32.
May import: errors, arrays, text, model.
"""
