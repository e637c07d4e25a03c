"""The modes of `markov score`: totals, units, tokens, JSON lines, several models, classification, weights."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import click
import numpy as np

from ..api.confusion import confused, confusion_table
from ..api.model import Model
from ..api.score_results import SCORE_KEYS, score_of, text_scores, totals_of, tuned, tuned_mixture
from ..arrays.threads import usable_cores
from ..errors import TextError
from ..model.distribution import distribution_notes, marker_notes
from ..render import score as show
from ..render.groups import show_confusion
from ..render.json_text import json_text
from ..render.safe_text import some
from ..render.train import repair_lines
from ..scoring.documents import Documents, batches_of, fewest_bits
from ..scoring.mixture_weights import Tuned
from ..scoring.predictor import Borders, Predictor, checked_weights, mixed, predictors_of
from ..scoring.selection import Records, Selection
from ..scoring.text_totals import Reading, no_token, numbered_units
from ..scoring.totals import Totals
from ..text.documents import Document, own_keys
from ..text.documents import Documents as DocumentReader
from ..text.lines import read_lines
from ..text.reading import Repairs, Source, check_encoding
from ..text.record_format import CSV
from ..text.types import UNK
from .options import note, records_of, say_fallback, sources_in
from .output import kept_sources


@dataclass
class _Run:
    """One call of the command."""

    names: list[str]
    predictors: list[Predictor]
    sources: list[Source]
    encoding: str
    jobs: int
    kw: dict[str, Any]

    @property
    def quiet(self) -> bool:
        return bool(self.kw["quiet"])

    @property
    def as_json(self) -> bool:
        return bool(self.kw["as_json"])

    def say_repairs(self, repairs: Repairs) -> None:
        for line in repair_lines(repairs):
            note(f"note: {line}", self.quiet)


def run(models: list[str], files: list[str], kw: dict[str, Any]) -> int:
    """Run `markov score` with options that fit together."""
    encoding, borders = check_encoding(kw["encoding"]), Borders(kw["within"], kw["open_end"])
    weights = _given_weights(kw, len(models))
    form = records_of(kw)
    sources = sources_in(files, kw, form)
    held_out = sources_in([kw["tune"]], kw, form) if kw["tune"] else []
    with ExitStack() as stack:
        loaded = [stack.enter_context(Model.load(path)) for path in models]
        predictors = predictors_of(
            [m.language_model for m in loaded], kw["smoothing"], models, kw["adapt"], borders, kw["spell"]
        )
        _say_fallbacks(predictors, kw["quiet"])
        job = _Run(models, predictors, sources, encoding, kw["jobs"] or usable_cores(), kw)
        if held_out:
            found = _tuned(job, held_out)
            if not sources:
                _print_tuned(job, found)
                return 0
            weights = found.weights
            note(f"weights {show.weights_text(weights)} after {some(found.rounds, 'round')}", job.quiet)
        if kw["html"] is not None:
            job.sources = kept_sources(sources, stack)
        if weights is not None:
            job.predictors = [mixed(predictors, weights)]
            return _one(job, weights)
        if kw["classify"]:
            return _classify(job)
        return _one(job) if len(predictors) == 1 else _compare(job, stack)


def _given_weights(kw: dict[str, Any], n_models: int) -> np.ndarray | None:
    if kw["mix"] is None:
        return None
    weights, whole = checked_weights(kw["mix"], n_models)
    if abs(whole - 1) > 1e-4:
        note(f"the weights sum to {whole:g}; used: {show.weights_text(weights)}", kw["quiet"])
    return weights


def _say_fallbacks(predictors: Sequence[Predictor], quiet: bool) -> None:
    """Notes on the first distribution that has some: Kneser-Ney fell back, ends have no probability, mere scores."""
    every = [predictor.scorers[0].distribution for predictor in predictors]
    worst = next((d for d in every if distribution_notes(d)), None)
    if worst is not None:
        say_fallback(worst, quiet)


# ------------------------------------------------------------ one model, or several as one


def _one(job: _Run, weights: np.ndarray | None = None) -> int:
    kw = job.kw
    found = None
    if kw["html"] is not None:
        found = _page(job, weights)
        if kw["html"] == "-":
            return 0
    if job.sources[0].records is not None:
        return _records(job)
    if kw["each"] == "token":
        return _tokens(job)
    if kw["each"] or any(kw[name] is not None for name in ("lowest", "highest", "buckets", "cut")):
        return _units(job)
    predictor = job.predictors[0]
    totals, repairs = found or totals_of(predictor, job.sources, job.encoding, job.jobs)
    if job.as_json:
        mixture = {} if weights is None else {"models": tuple(job.names), "weights": tuple(weights.tolist())}
        click.echo(json_text(score_of(totals, repairs, **mixture).to_dict()))
        return 0
    for line in show.totals_lines(totals, predictor.options.unit):
        click.echo(line)
    if totals.oov:
        for text in {t: 0 for s in predictor.scorers for t in marker_notes(s.table, UNK)}:
            note(text, job.quiet)
    job.say_repairs(repairs)
    return 0


def _page(job: _Run, weights: np.ndarray | None) -> tuple[Totals, Repairs]:
    """Write the page of --html; also the totals of the whole text."""
    from ..render.html.score import score_page, scored_how
    from ..scoring.explained import explained
    from .output import write_parts

    predictor, path = job.predictors[0], job.kw["html"]
    totals, repairs = totals_of(predictor, job.sources, job.encoding, job.jobs)
    found = explained(predictor, job.sources, job.encoding, job.jobs)
    how = scored_how(job.names, weights, predictor)
    write_parts(path, score_page(found, totals, [s.name for s in job.sources], how))
    if path == "-":
        job.say_repairs(repairs)
    else:
        note(f"wrote {path}", job.quiet)
    return totals, repairs


def _tokens(job: _Run) -> int:
    """A row for each token."""
    reading = Reading(job.predictors[0], job.sources, job.encoding, job.jobs, stream_codes=1 << 16)
    out = sys.stdout.buffer
    n = 0
    for scored in reading.scored():
        rows = show.token_rows(scored, reading.recoder.encoders[0], job.as_json)
        if rows and not n and not job.as_json:
            out.write(show.TOKEN_HEAD)
        out.write(rows)
        n += len(rows)
    return _ended(job, reading, n)


def _units(job: _Run) -> int:
    """Units with their scores, or the units that are kept, as they were read."""
    reading = Reading(job.predictors[0], job.sources, job.encoding, job.jobs, keep_text=True)
    rows = job.kw["each"] is not None
    unit = job.predictors[0].options.unit
    as_rows = rows or job.as_json
    filters = any(job.kw[name] is not None for name in ("lowest", "highest", "buckets", "cut"))
    blank = rows and not filters and not job.kw["skip_blank"]

    def records() -> Iterator[Records]:
        for units in numbered_units(reading, blank):
            found = show.unit_rows(units, job.as_json) if as_rows else show.plain_units(units.texts, unit)
            yield found, units.perplexity

    head = show.UNIT_HEAD if rows and not job.as_json else b""
    if head and (job.kw["buckets"] or job.kw["cut"]):
        head = b"bucket\t" + head
    return _ended(job, reading, _write(job, records(), job.as_json, unit, lambda: head))


def _ended(job: _Run, reading: Reading, n: int) -> int:
    if not n:
        raise no_token(reading)
    job.say_repairs(reading.repairs)
    return 0


def _records(job: _Run) -> int:
    """The records that are kept, each with its scores.

    Where a record cannot be read, those before it are written first; with --buckets nothing is, for the cuts are
    those of all records.
    """
    repairs = Repairs()
    scorer = Documents(job.predictors, job.jobs, markers=job.kw["markers"])
    replaced: Counter[str] = Counter()  # objects that had a key of ours
    source = DocumentReader(job.sources, job.encoding, repairs)
    drop = ("bucket",) if job.kw["buckets"] or job.kw["cut"] else ()
    failed: list[TextError] = []

    def documents() -> Iterator[tuple[bytes, Document]]:
        try:
            for document in source.read():
                yield document.text, document
        except TextError as error:
            if job.kw["buckets"]:
                raise
            failed.append(error)

    def records() -> Iterator[Records]:
        for own, (units,) in scorer.score(batches_of(documents())):
            keys = [one.to_dict() for one in text_scores(units)]
            for d, k in zip(own, keys, strict=True):
                replaced.update(own_keys(d, (*k, *drop)))
            yield [source.line(d, k, drop) for d, k in zip(own, keys, strict=True)], units.perplexity

    is_csv = source.format.kind == CSV
    label = source.labelled if is_csv else None
    n = _write(job, records(), True, "record", lambda: source.head([*SCORE_KEYS, *drop]), label)
    if failed:
        raise failed[0]
    if not n and not repairs.bad_records:
        raise TextError(f"{job.sources[0].name}: no record", "write one JSON object on each line, or rows of a table")
    scorer.add_repairs(repairs)
    job.say_repairs(repairs)
    for key, times in replaced.items():
        note(f"note: {some(times, 'object')} had the key {key!r} already; its value was replaced", job.quiet)
    return 0


def _write(
    job: _Run,
    found: Iterable[Records],
    as_json: bool,
    unit: str,
    head: Callable[[], bytes] = lambda: b"",
    label: Callable[[bytes, str], bytes] | None = None,
) -> int:
    """Write the records that are kept, with their buckets if asked for; returns the number of all records.

    head   the first line, asked for when the first records are there, so that it does not come before an error
    label  adds the name of a bucket to a record
    """
    kw, out = job.kw, sys.stdout.buffer
    label = label or (lambda record, name: show.labelled(record, name, as_json))
    chosen = Selection(kw["lowest"], kw["highest"], kw["buckets"], kw["cut"], label)
    begun = False
    for records in chosen.records(found):
        if chosen.n and not begun:
            out.write(head())
            begun = True
        out.writelines(records)
        out.flush()
    if chosen.n and chosen.bounded:
        note(f"kept {chosen.kept:,} of {some(chosen.n, unit)}", job.quiet)
    if chosen.n and chosen.cuts:
        each = ", ".join(f"{name} {count:,}" for name, count in chosen.counts.items())
        note(f"{each}: --cut {','.join(f'{c:.6g}' for c in chosen.cuts)}", job.quiet)
    return chosen.n


# ------------------------------------------------------------ several models


def _compare(job: _Run, stack: ExitStack) -> int:
    """A row for each model, which reads the text with its own tokenizer."""
    sources = kept_sources(job.sources, stack)
    found = [totals_of(predictor, sources, job.encoding, job.jobs, check=False) for predictor in job.predictors]
    if job.as_json:
        rows = [score_of(*one, model=name).to_dict() for name, one in zip(job.names, found, strict=True)]
        click.echo(json_text(rows))
        return 0
    show.show_models(show.short_names(job.names), [t for t, _ in found])
    job.say_repairs(found[0][1])
    return 0


def _classify(job: _Run) -> int:
    """A row for each line, or record: its model and the margin; the number of each model's goes to stderr.

    With --label, a table of true classes and models.
    """
    repairs = Repairs()
    records = job.sources[0].records
    if job.kw["label"] is not None:
        found = confusion_table(confused(job.predictors, job.names, job.sources, job.encoding, repairs, job.jobs))
        if job.as_json:
            click.echo(json_text(found.to_dict()))
        else:
            show_confusion(found)
        job.say_repairs(repairs)
        return 0
    scorer = Documents(job.predictors, job.jobs, records is None, job.kw["markers"])
    names = job.names if job.as_json else show.short_names(job.names)
    out = sys.stdout.buffer
    counts = np.zeros(len(names) + 1, np.int64)

    def texts() -> Iterator[tuple[bytes, None]]:
        if records is not None:
            for document in DocumentReader(job.sources, job.encoding, repairs).read():
                yield document.text, None
            return
        for part in read_lines(job.sources, job.encoding, repairs):
            for line in part.lines:
                yield line.removesuffix(b"\r"), None

    for _, units in scorer.score(batches_of(texts())):
        best, margin = fewest_bits(units)
        if not counts.any() and not job.as_json:
            out.write(show.CLASS_HEAD)
        out.writelines(show.class_rows(units[0].texts, best, margin, names, job.as_json))
        counts += np.bincount(np.where(best < 0, len(names), best), minlength=len(counts))
    thing = "line" if records is None else "record"
    if not counts.sum():
        raise TextError(f"{job.sources[0].name}: no {thing}", "name a file that has text")
    for name, n in sorted(zip([*names, "-"], counts.tolist(), strict=True), key=lambda row: -row[1]):
        if n:
            note(f"{name}\t{some(n, thing)}", job.quiet)
    scorer.add_repairs(repairs)
    job.say_repairs(repairs)
    return 0


# ------------------------------------------------------------ weights


def _tuned(job: _Run, held_out: list[Source]) -> Tuned:
    found = tuned(job.predictors, held_out, job.encoding, job.jobs)
    if found.skipped:
        note(f"{some(found.skipped, 'token')} of probability 0 in every model left out", job.quiet)
    return found


def _print_tuned(job: _Run, found: Tuned) -> None:
    if job.as_json:
        click.echo(json_text(tuned_mixture(job.names, found).to_dict()))
    else:
        show.show_tuned(show.short_names(job.names), found)
