"""A request to texts: prompt, constraints, novelty, mixture, unique texts.

A `Request` is checked once and handed to a `Run`, which draws the texts and joins their tokens.
May import: errors, arrays, text, model, sampling, scoring, evidence, inspecting.
"""
