"""Reads text line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..errors import NotText
from .json_lines import line_blocks
from .reading import Repairs, Source


class Lines(NamedTuple):
    """Some lines of one text, without their newlines; `first` is the number of the first, from 1."""

    source: Source
    first: int
    lines: list[bytes]


def read_lines(sources: Sequence[Source], encoding: str, repairs: Repairs) -> Iterator[Lines]:
    """All lines of all texts; a line behind the last newline counts if it is not empty."""
    for source in sources:
        try:
            for block in line_blocks(source, encoding, repairs):
                yield Lines(source, block.first, block.data.split(b"\n"))
        except NotText as error:  # it can only be told of the first bytes
            repairs.leave_out(source, error)
