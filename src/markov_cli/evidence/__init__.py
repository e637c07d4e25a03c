"""What a table, or any text, holds of the text that a table was made of."""
