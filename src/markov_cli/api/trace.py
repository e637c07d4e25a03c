"""Traces a text against a corpus: `trace`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..arrays.numbers import whole
from ..evidence.copying.fragments import Figures, Fragments, Trace
from ..evidence.copying.trace import trace_sources
from ..text.encoder import TextOptions
from ..text.reading import Repairs, check_encoding
from ..text.record_format import record_format
from ..text.sources import EXPANSION, Paths, Texts, sources_of
from .results import INLINE, RepairCounts, Result, rounded


@dataclass(frozen=True, kw_only=True)
class TraceFigures(Result):
    """The share of a text that is new to a corpus; None where the text has no such n-gram.

    novel              share of the n-grams that the corpus does not have, by n
    pieces             longest fragments from left to right, and single tokens that are new
    fragments_per_100  pieces for 100 tokens; mean_fragment tokens each; longest_fragment in tokens
    verbatim_10        share of the tokens in fragments of 10 or more
    in_runs            share of the tokens in any run of n or more that the corpus has, by n
    """

    tokens: int
    sequences: int
    new_tokens: int
    novel: Mapping[int, float | None] = rounded(6)
    pieces: int
    fragments_per_100: float | None = rounded(6)
    mean_fragment: float | None = rounded(6)
    longest_fragment: int
    verbatim_10: float | None = rounded(6)
    in_runs: Mapping[int, float | None] = rounded(6)


@dataclass(frozen=True, kw_only=True)
class TracedFragment(Result):
    """A fragment of the text that the corpus has, and where.

    occurrences, files  how often the corpus has it, and in how many files
    file, line          the first place in the corpus
    rarity_bits         -log2 of the probability of its tokens, each by itself
    token               its first token in the text, from 0; text_file and text_line say where this is
    """

    tokens: int
    text: str
    occurrences: int
    file: str
    line: int
    files: int
    rarity_bits: float = rounded(3)
    token: int
    text_file: str
    text_line: int


@dataclass(frozen=True, kw_only=True)
class TraceSource(Result):
    """One file of the corpus, and the fragments of the text that it has first.

    share             of the text's tokens
    tokens_only_here  tokens of fragments that no other file has
    """

    file: str
    fragments: int
    tokens: int
    share: float = rounded(6)
    tokens_only_here: int


@dataclass(frozen=True, kw_only=True)
class TraceReport(Result):
    """A text compared with a corpus.

    text, corpus   their files
    tokenizer, unit, text_unit, lowercase  how both were read
    figures        of the text; in JSON they are beside the other fields
    min_tokens     tokens of the shortest fragment listed
    fragments      in the order of the text
    sources        files of the corpus, those with most tokens first
    baseline       figures of the baseline; None without one
    """

    text: tuple[str, ...]
    corpus: tuple[str, ...]
    corpus_tokens: int
    tokenizer: str
    unit: str
    text_unit: str
    lowercase: bool
    figures: TraceFigures = field(metadata=INLINE)
    min_tokens: int
    fragments: tuple[TracedFragment, ...]
    sources: tuple[TraceSource, ...]
    baseline: TraceFigures | None
    repairs: RepairCounts


def trace(
    paths: Paths = (),
    *,
    texts: Texts = (),
    corpus: Paths = (),
    corpus_texts: Texts = (),
    baseline: Paths = (),
    baseline_texts: Texts = (),
    tokenizer: str = "words",
    unit: str = "file",
    text_unit: str | None = None,
    lowercase: bool = False,
    pattern: str | None = None,
    keep_newlines: bool = False,
    min_tokens: int = 6,
    top: int | None = None,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
    jobs: int = 1,
) -> TraceReport:
    """Find the fragments of a text that a corpus has word for word.

    paths, texts              the text
    corpus, corpus_texts      what it is compared with
    baseline, baseline_texts  text of the same kind that is not in the corpus: its figures, to compare with
    tokenizer, pattern, lowercase, keep_newlines  how both are divided into tokens
    unit, text_unit           what one sequence is, of the corpus and of the text; no fragment crosses its end
    min_tokens                tokens of the shortest fragment listed
    top                       only the rarest fragments; None for all
    jsonl, csv, parquet, skip_bad  the texts of corpus and baseline are in a field of records, as in `train`
    max_expansion, markers, strip  how all files are read, as in `train`

    TextError if text, corpus or baseline has no token.

    >>> import markov_cli
    >>> found = markov_cli.trace(texts="to be or not to see", corpus_texts=["to be or not to be", "we see"])
    >>> found.figures.longest_fragment, found.figures.novel[2]
    (5, 0.2)
    """
    options = TextOptions.of(tokenizer, unit, lowercase, pattern, keep_newlines)
    repairs, records = Repairs(), record_format(jsonl, csv, parquet, skip_bad=skip_bad)
    found = trace_sources(
        sources_of(paths, texts, max_expansion, None, markers, strip),
        sources_of(corpus, corpus_texts, max_expansion, records, markers, strip),
        sources_of(baseline, baseline_texts, max_expansion, records, markers, strip),
        options,
        text_unit=text_unit,
        encoding=check_encoding(encoding),
        jobs=jobs,
        repairs=repairs,
    )
    return trace_report(found, min_tokens, top, repairs)


def trace_report(t: Trace, min_tokens: int, top: int | None, repairs: Repairs) -> TraceReport:
    """The figures of a trace, and its fragments: all, or the rarest."""
    if top is not None:
        whole("top", top)
    listed = t.fragments.take(np.flatnonzero(t.fragments.found.length >= min_tokens))
    if top is not None:
        rarest = t.fragments.by_rarity(min_tokens)
        listed = rarest.take((rarest.begin[:top]).argsort())
    return TraceReport(
        text=tuple(t.text.names),
        corpus=tuple(t.sources),
        corpus_tokens=t.corpus_tokens,
        tokenizer=t.options.tokenizer,
        unit=t.options.unit,
        text_unit=t.text_unit,
        lowercase=t.options.lowercase,
        figures=trace_figures(t.figures),
        min_tokens=min_tokens,
        fragments=traced_fragments(t, listed),
        sources=tuple(
            TraceSource(
                file=s.name,
                fragments=s.fragments,
                tokens=s.tokens,
                share=s.tokens / t.figures.tokens,
                tokens_only_here=s.tokens_only_here,
            )
            for s in t.totals(min_tokens)
        ),
        baseline=None if t.baseline is None else trace_figures(t.baseline),
        repairs=RepairCounts.of(repairs),
    )


def trace_figures(f: Figures) -> TraceFigures:
    """The figures of one text."""
    return TraceFigures(**vars(f), fragments_per_100=f.fragments_per_100, mean_fragment=f.mean_fragment)


def traced_fragments(t: Trace, listed: Fragments) -> tuple[TracedFragment, ...]:
    """Some fragments, with their text and places."""
    lines = t.text.lines(listed.begin).tolist()
    files = t.text.file[listed.begin].tolist()
    found = listed.found
    columns = (listed.begin, found.length, found.count, found.files, found.file, found.line)
    return tuple(
        TracedFragment(
            tokens=n,
            text=t.text.bytes_of(begin, n).decode("utf-8", "replace"),
            occurrences=count,
            file=t.sources[file],
            line=at,
            files=in_files,
            rarity_bits=rarity,
            token=begin,
            text_file=t.text.names[files[k]],
            text_line=lines[k],
        )
        for k, (begin, n, count, in_files, file, at, rarity) in enumerate(
            zip(*(c.tolist() for c in columns), listed.rarity.tolist(), strict=True)
        )
    )
