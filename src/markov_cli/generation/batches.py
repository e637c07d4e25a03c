"""Texts of a model in batches: what `generate` and the command are made of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..api.results import PromptMatch, Text
from ..arrays.threads import ordered_map
from ..errors import OptionError
from ..model.table import INDEX_ROWS
from ..sampling.sampler import Sampler, Samples, batch_size
from ..sampling.shape import Shape
from ..text.types import N_MARKERS
from ..text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ..api.model import Model
    from .novelty import Novelty

_MANY = 2000  # texts from which an index of the table pays
_STEERED = 1 << 14  # texts steered side by side
_GUESS = 30  # tokens of a text, where the model does not say


def draw(
    model: Model,
    count: int,
    seed: int,
    known: PromptMatch,
    prompt: str,
    min_tokens: int,
    max_tokens: int,
    shape: Shape,
    end: bytes = b"",
    bits: bool = True,
    jobs: int = 2,
    smoothing: str | None = None,
    novelty: Novelty | None = None,
    first: int = 0,
) -> Iterator[tuple[Samples, bytes, np.ndarray]]:
    """Batches of texts first..first+count-1: as ids, as bytes with `end` behind each, and where each begins.

    Some batches are drawn ahead, by `jobs` threads. With `novelty` texts that cannot be are left out.
    """
    check_count(count, seed)
    check_lengths(min_tokens, max_tokens)
    n_prompt = known.tokens
    raw = model.uses_raw_counts(smoothing)
    if count >= _MANY:
        model.checked(_index, model, raw)
    sampler = model.checked(Sampler, model.table, shape, bits, None if raw else model.distribution(smoothing))
    drawer = sampler if novelty is None or novelty.novel is None else novelty.steered(sampler)
    shortest = max(min_tokens - n_prompt, 0 if n_prompt else 1)
    longest = max(max_tokens - n_prompt, 0)

    header = model.header
    mean = min(longest, header.tokens / header.sequences if header.sequences else _GUESS)
    size = batch_size(count, mean, jobs if count >= _MANY else 1)
    if drawer is not sampler:  # steering goes on for as many steps with few texts as with many
        size = min(batch_size(count, mean, 1), _STEERED)

    def batch(begin: int) -> tuple[Samples, bytes, np.ndarray]:
        n = min(size, first + count - begin)
        drawn = drawer.texts(seed, begin, n, (known.level, known.row), shortest, longest)
        return drawn, *texts_of(model.vocabulary, drawn, known, prompt, end)

    begins = range(first, first + count, size)
    yield from ordered_map(lambda begin: model.checked(batch, begin), begins, jobs if count > size else 1)


def texts_of(
    vocabulary: Vocabulary, drawn: Samples, known: PromptMatch, prompt: str, end: bytes = b""
) -> tuple[bytes, np.ndarray]:
    """Texts as bytes, the prompt before each and `end` behind it, and where each begins: int64 (m + 1,)."""
    ids = drawn.ids
    if len(ids) and (int(ids.min()) < N_MARKERS or int(ids.max()) >= len(vocabulary)):
        raise IndexError("an id outside the vocabulary")
    if not known.tokens:
        return vocabulary.join(ids, drawn.length, end)
    head = prompt.encode("utf-8", "surrogateescape")
    whole, edges = vocabulary.join(ids, drawn.length)
    spaced = np.zeros(len(drawn.length), bool)
    if vocabulary.spaced:
        head = head.rstrip()
        right = int(vocabulary.flags_of(np.array([known.ids[-1]]))[0]) >> 1 & 1
        filled = np.flatnonzero(drawn.length)
        first = ids[(np.cumsum(drawn.length) - drawn.length)[filled]]
        spaced[filled] = ((vocabulary.flags_of(first) & 1) | right) == 0
    texts = [
        head + b" " * s + whole[a:b] + end
        for s, a, b in zip(spaced.tolist(), edges.tolist(), edges[1:].tolist(), strict=False)
    ]
    return b"".join(texts), np.cumsum([0, *map(len, texts)])


def texts_with(
    batches: Iterator[tuple[Samples, bytes, np.ndarray]],
    seed: int,
    n_prompt: int,
    conditioned: float | None = None,
    novelty: Novelty | None = None,
) -> Iterator[Text]:
    """Texts one by one, from batches of them."""
    for drawn, whole, edge in batches:
        edges = edge.tolist()
        shared = novelty.overlap(drawn, whole, edge) if novelty is not None else None
        for k in range(len(drawn.index)):
            one = whole[edges[k] : edges[k + 1]]
            yield Text(
                one.decode("utf-8", "replace"),
                int(drawn.length[k]) + n_prompt,
                float(drawn.bits[k]),
                bool(drawn.complete[k]),
                seed,
                int(drawn.index[k]),
                one,
                None if conditioned is None else float(drawn.bits[k]) - conditioned,
                None if shared is None else int(shared[0][k]),
            )


def _index(model: Model, raw: bool) -> None:
    """Ready the places where nearly every draw looks: for raw counts the top order, and where it leads."""
    table = model.table
    for level in range(model.order - 2 if raw else 0, model.order - 1):
        table.index(level)
    for order in table.orders[-1:] if raw else table.orders:
        if model.header.holds != "probabilities" and len(order) <= INDEX_ROWS:
            order.count.index()
            if order.left is not None and not raw:
                order.left.index()


def check_count(count: int, seed: int) -> None:
    """OptionError for a number below 0."""
    if count < 0 or seed < 0:
        raise OptionError(f"--count {count}, --seed {seed}: 0 or more", "leave --seed out for a new one")


def check_lengths(min_tokens: int, max_tokens: int) -> None:
    """OptionError where no text can have such a length."""
    if max_tokens < 1 or min_tokens < 0 or min_tokens > max_tokens:
        raise OptionError(
            f"--min-tokens {min_tokens}, --max-tokens {max_tokens}: no length is both",
            "0 <= min <= max, max at least 1",
        )


def new_seed() -> int:
    """A seed short enough to type."""
    return int.from_bytes(os.urandom(8), "little") % 10**6
