"""Batches of texts: threads draw samples of ids and join them to bytes, several batches ahead."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..arrays.sorting import in_parts
from ..arrays.threads import ordered_map
from ..model.header import Header
from ..sampling.sampler import Samples, select
from ..text.joining import join_texts
from ..text.vocabulary import Vocabulary
from .prompt import PromptMatch

_TEXT_BYTES = 1 << 23  # of texts that are joined at one time
GUESS = 30  # tokens of a text, where the header has no number of sequences


class TextModel(Protocol):
    """The part of a model, or of a mixture, that turns ids into text."""

    header: Header
    vocabulary: Vocabulary

    def checked(self, call: Any, *args: Any) -> Any:
        """Call a function on the table; a damaged file raises ModelFileError."""
        ...


class Batch(NamedTuple):
    """Texts, sorted by their numbers.

    samples  ids of the texts
    text     bytes of the texts, joined; each begins with the prompt
    edge     int64 (m + 1,), where each text begins in `text`
    """

    samples: Samples
    text: bytes
    edge: np.ndarray

    def each(self) -> list[bytes]:
        """Bytes of each text."""
        edges = self.edge.tolist()
        return [self.text[a:b] for a, b in itertools.pairwise(edges)]


def mean_tokens(header: Header, longest: int) -> float:
    """Expected tokens of a text: the training text's mean, at most `longest`."""
    return min(longest, header.tokens / header.sequences if header.sequences else GUESS)


def joined(vocabulary: Vocabulary, samples: Samples, prompt: PromptMatch, end: bytes = b"") -> Batch:
    """Samples as texts: each begins with the prompt and is followed by `end`."""
    text, edge = join_texts(vocabulary, samples.ids, samples.length, prompt.head, prompt.last, end)
    return Batch(samples, text, edge)


def batches(
    draw: Callable[[int, int], Samples],
    model: TextModel,
    prompt: PromptMatch,
    first: int,
    count: int,
    size: int,
    end: bytes = b"",
    jobs: int = 1,
) -> Iterator[Batch]:
    """Texts first..first+count-1 in batches of `size`; some may be missing.

    draw  draw(begin, n) returns the samples of texts begin..begin+n-1
    jobs  threads that draw batches ahead
    """

    def batch(begin: int) -> tuple[Samples, list[slice], Batch | None]:
        samples = draw(begin, min(size, first + count - begin))
        parts = _parts(model.vocabulary, samples)
        return samples, parts, joined(model.vocabulary, samples, prompt, end) if len(parts) < 2 else None

    begins = range(first, first + count, size)
    found = ordered_map(lambda begin: model.checked(batch, begin), begins, jobs if count > size else 1)
    for samples, parts, whole in found:
        if whole is not None:
            yield whole
            continue
        every = np.arange(len(samples.length))
        for part in parts:
            some = select(samples, (every >= part.start) & (every < part.stop))
            yield model.checked(joined, model.vocabulary, some, prompt, end)


def _parts(vocabulary: Vocabulary, samples: Samples) -> list[slice]:
    """Ranges of texts of about `_TEXT_BYTES` together: tokens can be very long."""
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(vocabulary.spans(samples.ids)[1])))
    ends = np.cumsum(samples.length)
    size = running[ends] - running[ends - samples.length]
    return in_parts(size, max(len(size), 1), _TEXT_BYTES)
