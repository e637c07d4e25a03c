"""The work of `markov score`: reads, scores, prints."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import click
import numpy as np

from ..api.model import Model
from ..arrays.threads import usable_cores
from ..errors import NeedsCounts, TextError
from ..render import score as show
from ..render.safe_text import some
from ..render.train import repair_lines
from ..scoring import buckets
from ..scoring.documents import Documents, batches_of, fewest_bits
from ..scoring.mixture_weights import Tuned, probabilities, tune
from ..scoring.predictor import Predictor, check_alike, checked_weights, mixed
from ..scoring.text_totals import Reading, check_known, no_token, total, units_of
from ..scoring.totals import Totals
from ..text.lines import Document, read_documents, read_lines, with_keys
from ..text.reading import Repairs, Source, check_encoding, find_sources
from .options import note, say_fallback


@dataclass
class _Run:
    """One call of the command."""

    names: list[str]
    judges: list[Predictor]
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
    """What `markov score` does once its options make sense together."""
    encoding = check_encoding(kw["encoding"])
    weights = _given_weights(kw, len(models))
    sources = find_sources(files, kw["max_expansion"])
    held_out = find_sources([kw["tune"]], kw["max_expansion"]) if kw["tune"] else []
    with ExitStack() as stack:
        loaded = [stack.enter_context(Model.load(path)) for path in models]
        judges = _judges(loaded, models, kw)
        job = _Run(models, judges, sources, encoding, kw["jobs"] or usable_cores(), kw)
        if held_out:
            tuned = _tuned(job, held_out)
            if not sources:
                _print_tuned(job, tuned)
                return 0
            weights = tuned.weights
            shown = show.weights_text(weights)
            note(f"weights {shown} after {some(tuned.rounds, 'round')}", job.quiet)
        if weights is not None:
            job.judges = [mixed(judges, weights)]
            return _one(job, weights)
        if kw["classify"]:
            return _classify(job)
        return _one(job) if len(judges) == 1 else _compare(job, stack)


def _given_weights(kw: dict[str, Any], n_models: int) -> np.ndarray | None:
    if kw["mix"] is None:
        return None
    weights, whole = checked_weights(kw["mix"], n_models)
    if abs(whole - 1) > 1e-4:
        note(f"the weights sum to {whole:g}; used: {show.weights_text(weights)}", kw["quiet"])
    return weights


def _judges(loaded: Sequence[Model], paths: Sequence[str], kw: dict[str, Any]) -> list[Predictor]:
    """A judge for each model, and one note where Kneser-Ney fell back or these are no probabilities."""
    asked = kw["smoothing"]
    if asked and all(m.header.holds == "probabilities" for m in loaded):
        raise NeedsCounts(
            f"{paths[0]}: --smoothing {asked}: the model holds probabilities only, smoothed already",
            "leave --smoothing out",
        )
    judges = [m.predictor(asked or "kn", path) for m, path in zip(loaded, paths, strict=True)]
    every = [j.scorers[0].distribution for j in judges]
    worst = next((d for d in every if getattr(d, "fell_back", []) or not d.sums_to_one), None)
    if worst is not None:
        say_fallback(worst, kw["quiet"])
    return judges


# ------------------------------------------------------------ one model, or several as one


def _one(job: _Run, weights: np.ndarray | None = None) -> int:
    kw = job.kw
    if kw["jsonl"] is not None:
        return _json_lines(job)
    if kw["each"] == "token":
        return _tokens(job)
    if kw["each"] or any(kw[name] is not None for name in ("lowest", "highest", "buckets", "cut")):
        return _units(job)
    judge = job.judges[0]
    reading = Reading(judge, job.sources, job.encoding, job.jobs)
    totals = total(reading)
    check_known(totals, judge)
    repairs = reading.repairs
    if job.as_json:
        out = show.totals_json(totals, repairs)
        if weights is not None:
            out |= {"models": job.names, "weights": weights.tolist()}
        click.echo(json.dumps(out, ensure_ascii=False))
        return 0
    for line in show.totals_lines(totals, judge.options.unit):
        click.echo(line)
    job.say_repairs(repairs)
    return 0


def _tokens(job: _Run) -> int:
    reading = Reading(job.judges[0], job.sources, job.encoding, job.jobs, stream_codes=1 << 16)
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
    """Units with what they cost, or those that are kept, as they came."""
    reading = Reading(job.judges[0], job.sources, job.encoding, job.jobs, keep_text=True)
    rows = job.kw["each"] is not None
    unit = job.judges[0].options.unit
    as_rows = rows or job.as_json

    def records() -> Iterator[tuple[list[bytes], np.ndarray]]:
        for units in units_of(reading.scored()):
            found = show.unit_rows(units, job.as_json) if as_rows else show.plain_units(units.texts, unit)
            yield found, units.perplexity

    head = show.UNIT_HEAD if rows and not job.as_json else b""
    return _ended(job, reading, _write(job, records(), job.as_json, unit, head))


def _ended(job: _Run, reading: Reading, n: int) -> int:
    if not n:
        raise no_token(reading)
    job.say_repairs(reading.repairs)
    return 0


def _json_lines(job: _Run) -> int:
    repairs = Repairs()
    scorer = Documents(job.judges, job.jobs)
    drop = ("bucket",) if job.kw["buckets"] or job.kw["cut"] else ()

    def documents() -> Iterator[tuple[bytes, Document]]:
        for lines in read_lines(job.sources, job.encoding, repairs):
            for document in read_documents(lines, job.kw["jsonl"], repairs):
                yield document.text, document

    def records() -> Iterator[tuple[list[bytes], np.ndarray]]:
        for own, (units,) in scorer.score(batches_of(documents())):
            keys = show.document_keys(units)
            yield [with_keys(d, k, drop) + b"\n" for d, k in zip(own, keys, strict=True)], units.perplexity

    n = _write(job, records(), True, "document", b"")
    if not n:
        raise TextError(f"{job.sources[0].name}: no JSON line", "one JSON object on each line")
    scorer.add_repairs(repairs)
    job.say_repairs(repairs)
    return 0


def _write(job: _Run, found: Iterable[tuple[list[bytes], np.ndarray]], as_json: bool, unit: str, head: bytes) -> int:
    """Write the records that are kept, with their buckets where those are wanted; how many there were."""
    kw, out = job.kw, sys.stdout.buffer
    lowest, highest, percentiles, cuts = kw["lowest"], kw["highest"], kw["buckets"], kw["cut"]
    n = kept = 0
    counts = dict.fromkeys(buckets.LABELS, 0)

    def chosen() -> Iterator[tuple[list[bytes], np.ndarray]]:
        nonlocal n, kept
        for records, perplexity in found:
            if records and not n:  # not before there is something to say
                out.write(head)
            n += len(records)
            if lowest is not None or highest is not None:
                keep = np.flatnonzero(buckets.within(perplexity, lowest, highest)).tolist()
                records, perplexity = [records[i] for i in keep], perplexity[keep]
            kept += len(records)
            yield records, perplexity

    def label(records: list[bytes], perplexity: np.ndarray, cuts: Sequence[float]) -> Iterator[bytes]:
        for record, name in zip(records, buckets.labels(perplexity, cuts), strict=True):
            counts[name] += 1
            yield show.labelled(record, name, as_json)

    if head and (percentiles or cuts):
        head = b"bucket\t" + head
    if percentiles:
        with buckets.Spool() as spool:
            for records, perplexity in chosen():
                spool.add(records, perplexity)
            cuts = spool.cuts(percentiles) or [float("inf")] * 2
            for records, perplexity in spool.records():
                out.writelines(label(records, perplexity, cuts))
    else:
        for records, perplexity in chosen():
            out.writelines(label(records, perplexity, cuts) if cuts else records)
            out.flush()
    if n and (lowest is not None or highest is not None):
        note(f"kept {kept:,} of {some(n, unit)}", job.quiet)
    if n and cuts:
        each = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        note(f"{each}: --cut {','.join(f'{c:.6g}' for c in cuts)}", job.quiet)
    return n


# ------------------------------------------------------------ several models


def _compare(job: _Run, stack: ExitStack) -> int:
    """Each model reads the text with its own tokenizer."""
    sources = _kept(job.sources, stack)
    found: list[tuple[Totals, Repairs]] = []
    for judge in job.judges:
        reading = Reading(judge, sources, job.encoding, job.jobs)
        found.append((total(reading), reading.repairs))
    if job.as_json:
        rows = [{"model": name, **show.totals_json(t, r)} for name, (t, r) in zip(job.names, found, strict=True)]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return 0
    show.show_models(show.short_names(job.names), [t for t, _ in found])
    job.say_repairs(found[0][1])
    return 0


def _kept(sources: list[Source], stack: ExitStack) -> list[Source]:
    """The same, standard input in a file that can be read again."""
    if not any(s.is_stdin for s in sources):
        return sources
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="markov-"))
    path = f"{folder}/stdin"
    with open(path, "wb") as out:
        shutil.copyfileobj(sys.stdin.buffer, out)
    return [replace(s, kept=path) if s.is_stdin else s for s in sources]


def _classify(job: _Run) -> int:
    repairs = Repairs()
    scorer = Documents(job.judges, job.jobs, are_lines=True)
    names = job.names if job.as_json else show.short_names(job.names)
    out = sys.stdout.buffer
    counts = np.zeros(len(names) + 1, np.int64)

    def lines() -> Iterator[tuple[bytes, None]]:
        for part in read_lines(job.sources, job.encoding, repairs):
            for line in part.lines:
                yield line.removesuffix(b"\r"), None

    for _, units in scorer.score(batches_of(lines())):
        best, margin = fewest_bits(units)
        if not counts.any() and not job.as_json:
            out.write(show.CLASS_HEAD)
        out.writelines(show.class_rows(units[0].texts, best, margin, names, job.as_json))
        counts += np.bincount(np.where(best < 0, len(names), best), minlength=len(counts))
    if not counts.sum():
        raise TextError(f"{job.sources[0].name}: no line", "name a text")
    for name, n in sorted(zip([*names, "-"], counts.tolist(), strict=True), key=lambda row: -row[1]):
        if n:
            note(f"{name}\t{some(n, 'line')}", job.quiet)
    scorer.add_repairs(repairs)
    job.say_repairs(repairs)
    return 0


# ------------------------------------------------------------ weights


def _tuned(job: _Run, held_out: list[Source]) -> Tuned:
    """Find the weights on held-out text."""
    check_alike(job.judges)
    judge = mixed(job.judges, np.full(len(job.judges), 1 / len(job.judges)))
    parts, totals = probabilities(Reading(judge, held_out, job.encoding, job.jobs))
    check_known(totals, judge)
    tuned = tune(parts)
    if tuned.skipped == totals.tokens:
        raise TextError(f"{held_out[0].name}: no model gives any of its tokens a probability", "--smoothing kn")
    if tuned.skipped:
        note(f"{some(tuned.skipped, 'token')} of probability 0 in every model left out", job.quiet)
    return tuned


def _print_tuned(job: _Run, tuned: Tuned) -> None:
    if job.as_json:
        click.echo(json.dumps(show.tuned_json(job.names, tuned), ensure_ascii=False))
    else:
        show.show_tuned(show.short_names(job.names), tuned)
