"""Traces generated texts against a corpus: their copied fragments, and their forced steps."""

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
    """Generated texts compared with a corpus.

    found   trace of all texts together; None if no text has a token
    bits    -log2 of the probability of all texts
    forced  int64 (m,), forced steps of each text; None for smoothed models, where no step is forced
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
    """Compare generated texts with a corpus, read with the model's text options.

    history  ids of the history before every text
    drawn    batches: samples, and the bytes of each text
    raw      the texts were drawn from raw counts
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
