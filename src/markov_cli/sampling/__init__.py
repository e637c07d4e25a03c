"""Table and seed to ids."""
