"""Commands and options: each command reads its options, calls `api` and hands the result to `render`.

The only room that uses Click or exits. Messages go to stderr through `render/messages`, and no other way.
May import: errors, arrays, text, model, sampling, scoring, evidence, formats, generation, api, render.
"""
