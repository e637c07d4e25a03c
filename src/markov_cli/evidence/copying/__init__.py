"""copying."""
