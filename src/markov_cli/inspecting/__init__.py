"""What a table holds, in figures, and whether its file is whole."""
