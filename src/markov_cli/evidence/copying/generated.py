"""Generated texts traced against a corpus: the share of each that stands there, and of steps without a choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...model.language_model import LanguageModel
from ...sampling.sampler import Samples
from ...text.reading import Source
from .forced_steps import forced_steps
from .fragments import Trace
from .trace import trace_sources


@dataclass
class TracedTexts:
    """Texts held against a corpus.

    found   all of them together; None if there is no text with a token
    bits    -log2 of the probability of all of them
    forced  int64 (m,), steps of each text that had one token to choose from; None for smoothed models, where
            every token may come
    steps   int64 (m,), steps of each text
    """

    found: Trace | None
    bits: float
    forced: np.ndarray | None
    steps: np.ndarray


def trace_generated(
    model: LanguageModel,
    history: list[int],
    drawn: Sequence[tuple[Samples, list[bytes]]],
    raw: bool,
    corpus: Sequence[Source],
    baseline: Sequence[Source],
    jobs: int = 1,
) -> TracedTexts:
    """Hold what was drawn against a corpus, read as the model's own text was.

    history  ids that every text was drawn behind
    drawn    batches: ids, and the bytes of each text
    raw      drawn from raw counts
    """
    sources = []
    forced = [np.empty(0, np.int64)]
    steps = [np.empty(0, np.int64)]
    for samples, texts in drawn:
        named = zip(samples.index.tolist(), texts, strict=True)
        sources += [Source(f"text {i}", data=text) for i, text in named]
        some, n = model.checked(forced_steps, model.table, history, samples)
        forced.append(some)
        steps.append(n)
    found = None
    if any(s.data and s.data.strip() for s in sources):
        found = trace_sources(sources, corpus, baseline, model.header.options, jobs=jobs)
    bits = float(sum(samples.bits.sum() for samples, _ in drawn))
    return TracedTexts(found, bits, np.concatenate(forced) if raw else None, np.concatenate(steps))
