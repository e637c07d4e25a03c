"""Results to plain text, tables, progress, JSON and HTML; the only room that uses rich.

Text of a corpus never passes through rich's markup.
May import: text, scoring, evidence, inspecting, formats, generation, api.
"""
