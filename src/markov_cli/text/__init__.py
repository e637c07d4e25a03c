"""Bytes to ids, and ids to text."""
