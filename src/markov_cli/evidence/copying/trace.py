"""Traces a text against a corpus: reads both and finds the fragments that they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ...errors import OptionError, TextError
from ...text.encoder import TextOptions
from ...text.encoding_threads import new_encoders
from ...text.interning import TypeInterner
from ...text.passages import Passages, read_passages, with_marks
from ...text.reading import Repairs, Source
from ...text.segmentation import UNITS
from ...text.tokenizer import TOKENIZERS
from .fragments import Trace, figures, fragments, runs
from .located_text import CorpusReader
from .longest_matches import match


def check_options(options: TextOptions) -> None:
    """Raise OptionError for an unknown tokenizer or unit."""
    if options.tokenizer not in TOKENIZERS:
        raise OptionError(f"tokenizer {options.tokenizer!r}: unknown", f"use one of {', '.join(TOKENIZERS)}")
    if options.unit not in UNITS:
        raise OptionError(f"unit {options.unit!r}: unknown", f"use one of {', '.join(UNITS)}")


def trace_sources(
    sources: Sequence[Source],
    corpus: Sequence[Source],
    baseline: Sequence[Source],
    options: TextOptions,
    text_unit: str | None = None,
    encoding: str = "utf-8",
    jobs: int = 1,
    progress: Callable[[float, float], None] = lambda done, total: None,
    repairs: Repairs | None = None,
    batch_codes: int | None = None,
) -> Trace:
    """Compare sources with a corpus.

    text_unit  unit of the text; None for the unit of the corpus
    repairs    collects the changes made while reading

    OptionError for an unknown tokenizer or unit; TextError if a text has no token.
    """
    of_text = replace(options, unit=text_unit or options.unit)
    check_options(options)
    check_options(of_text)
    repairs = Repairs() if repairs is None else repairs
    interner = TypeInterner()
    every = read_passages([*sources, *baseline], encoding, new_encoders(of_text, jobs, interner, True), repairs)
    n = int(np.searchsorted(every.file, len(sources)))
    if not n:
        raise _no_token(sources, "name a text to trace")
    if baseline and n == len(every):
        raise _no_token(baseline, "name a text for --baseline")
    seen, which = np.unique(every.number, return_inverse=True)
    id_of = np.full(int(seen[-1]) + 2, len(seen), np.int64)
    id_of[seen] = np.arange(len(seen))
    total = float(sum(s.size_bytes for s in corpus))
    reader = CorpusReader(
        corpus,
        encoding,
        new_encoders(options, jobs, interner, True),
        lambda number: id_of[np.minimum(number, len(id_of) - 1)],
        len(seen),
        lambda done: progress(done, total),
    )
    split = n if baseline else None
    out = trace_ids(every, which.astype(np.int64), split, reader, options, of_text.unit, batch_codes, jobs)
    repairs.add(reader.repairs)
    return out


def trace_ids(
    text: Passages,
    ids: np.ndarray,
    split: int | None,
    reader: CorpusReader,
    options: TextOptions,
    text_unit: str,
    batch_codes: int | None = None,
    jobs: int = 1,
) -> Trace:
    """Compare a text whose ids are known with a corpus; TextError if the corpus has no token.

    ids    int64 (n,)
    split  token at which the baseline begins; None without one
    """
    codes, place = with_marks(ids, text.ends, reader.ids)
    every, occurring = match(codes, reader.ids, reader.parts(), batch_codes, jobs)
    found = every.take(place)
    if not reader.tokens:
        raise _no_token(reader.sources, "name a corpus")
    run = runs(found.length)
    whole = len(text)
    n = whole if split is None else split
    with np.errstate(divide="ignore"):
        bits = np.log2(reader.tokens) - np.log2(occurring[ids[:n]])
    return Trace(
        text.first(n),
        figures(text.rest[:n], found.length[:n], run[:n]),
        fragments(found.take(np.arange(n)), bits),
        found.length[:n],
        run[:n],
        [s.name for s in reader.sources],
        reader.tokens,
        options,
        text_unit,
        None if split is None else figures(text.rest[n:], found.length[n:], run[n:]),
    )


def _no_token(sources: Sequence[Source], hint: str) -> TextError:
    names = ", ".join(s.name for s in sources[:3]) + (", ..." if len(sources) > 3 else "")
    return TextError(f"{names}: no token in it", hint)
