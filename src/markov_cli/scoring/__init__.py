"""Table and ids to bits."""
