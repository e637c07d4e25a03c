"""Traces a text against a corpus: `trace`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ..evidence.copying.fragments import Trace
from ..evidence.copying.trace import trace_sources
from ..text.encoder import TextOptions
from ..text.reading import check_encoding
from ..text.sources import sources_of


def trace(
    paths: Sequence[str | os.PathLike[str]] = (),
    *,
    texts: Iterable[str] = (),
    corpus: Sequence[str | os.PathLike[str]] = (),
    corpus_texts: Iterable[str] = (),
    baseline: Sequence[str | os.PathLike[str]] = (),
    tokenizer: str = "words",
    unit: str = "file",
    text_unit: str | None = None,
    lowercase: bool = False,
    pattern: str | None = None,
    encoding: str = "utf-8",
    jobs: int = 1,
) -> Trace:
    """Hold a text against a corpus; TextError where either has no token.

    paths, texts          files, folders, `-`; and texts themselves: what is traced
    corpus, corpus_texts  the same, of the corpus
    baseline              files of another text, whose figures are told beside those of the first
    The rest is as `markov trace --help` says.

    >>> import markov_cli
    >>> found = markov_cli.trace(texts=["to be or not to see"], corpus_texts=["to be or not to be", "we see"])
    >>> found.figures.longest_fragment, found.figures.novel[2]
    (5, 0.2)
    """
    options = TextOptions.of(tokenizer, unit, lowercase, pattern)
    return trace_sources(
        sources_of(paths, texts),
        sources_of(corpus, corpus_texts),
        sources_of(baseline, ()),
        options,
        text_unit=text_unit,
        encoding=check_encoding(encoding),
        jobs=jobs,
    )
