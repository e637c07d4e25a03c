"""Sends pieces from many tasks of a Dask cluster to many others.

A piece is a task of its own, which a scheduler has to place: some thousand a second. So from s sources to t targets
there are s t of them, or about s sqrt(t) + t sqrt(s) in two steps: each source sends a group of targets all
their pieces at one time; a batch of sources is put together by target; each target takes what each batch has for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import isqrt
from typing import Any

Submit = Callable[..., Any]

DIRECT = 1000  # pieces that are sent one by one


def exchanged(submit: Submit, sources: list[Any], n: int) -> list[list[Any]]:
    """For each of n targets, futures of lists: one after the other they hold what each source has for it.

    submit   gives the future of a call
    sources  futures of a list with a piece for each target
    """
    if len(sources) * n <= DIRECT:
        return [[submit(pieces, source, i, i + 1) for source in sources] for i in range(n)]
    out: list[list[Any]] = []
    for low, high in _steps(n):
        batches = [
            submit(by_target, [submit(pieces, source, low, high) for source in sources[first:last]])
            for first, last in _steps(len(sources))
        ]
        out += [[submit(of_target, batch, i) for batch in batches] for i in range(high - low)]
    return out


def _steps(n: int) -> Iterator[tuple[int, int]]:
    """About sqrt(n) even steps from 0 to n."""
    m = max(isqrt(n), 1)
    return pairwise(i * n // m for i in range(m + 1))


def pieces(source: list[Any], low: int, high: int) -> list[Any]:
    """The pieces for targets low..high-1."""
    return source[low:high]


def by_target(sources: list[list[Any]]) -> list[list[Any]]:
    """For each target of a group, what each source of a batch has for it."""
    return [list(some) for some in zip(*sources, strict=True)]


def of_target(batch: list[list[Any]], i: int) -> list[Any]:
    """The pieces of a batch for target i of the group."""
    return batch[i]


def every(lists: list[list[Any]]) -> list[Any]:
    """The pieces that a target got, in the order of their sources."""
    return [piece for some in lists for piece in some]
