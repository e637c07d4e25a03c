"""Commands and options: each command reads its options, calls `api` and hands the result to `render`.

The only room that uses Click, prints or exits.
May import: errors, arrays, text, model, sampling, scoring, evidence, formats, generation, api, render.
"""
