"""The functions and classes that Python users import from `markov_cli`.

They check arguments and call the rooms below; they compute nothing themselves.
May import: errors, arrays, text, model, training, sampling, scoring, evidence, inspecting, formats, generation.
"""
