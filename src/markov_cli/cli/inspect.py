"""`markov inspect`."""
from __future__ import annotations
import click
from .options import model_argument
@click.command()
@model_argument
def inspect(model: str) -> int:
    """Show."""
    return 0
