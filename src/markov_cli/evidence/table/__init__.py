"""Evidence from the table alone: the texts that can have it, and the strings that all of them contain."""
