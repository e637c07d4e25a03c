"""A person's request to texts: prompt, constraints, novelty, mixture, distinct texts.

A `Request` is checked once and handed to a `Run`, which draws and joins the texts.
May import: errors, arrays, text, model, sampling, scoring, evidence, inspecting.
"""
