"""Ids to sorted n-gram counts."""
