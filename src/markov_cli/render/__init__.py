"""Results to plain text, tables and JSON: the only room that knows rich."""
