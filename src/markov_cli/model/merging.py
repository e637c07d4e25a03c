"""Merges models, and prunes a model's types or n-grams.

Legend: a model here is its header, types and table; V is the number of its ids.

What is made is what training would have made: from texts cut at the end of a sequence, `merge` gives the
bytes of the model of the whole; `prune` gives those of `train --prune`. What would only be nearly so is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..arrays.numbers import whole
from ..errors import MarkovError, ModelFileError, NeedsCounts, OptionError
from ..text.interning import TypeInterner
from ..text.types import N_MARKERS, UNK, Types, order_of_types
from ..text.word_list import WordList
from .building import build_table, check_prune, levels_of, threshold
from .count_column import DAMAGED
from .disk_table import StreamedTable
from .fingerprints import union
from .model_file import Header
from .remap_ids import Part, relabelled
from .table import Table
from .thresholds import said_protection
from .weighted_counts import need_whole, rounded

_MOST = 1 << 62  # what a sum of counts must stay below
_MOST_REAL = 1 << 29  # and one of weighted counts, which have 24 binary digits behind the point
_ALIKE = ("tokenizer", "pattern", "unit", "lowercase", "keep_newlines")


class Stored(NamedTuple):
    """A model as it is stored, and the name that messages give it."""

    header: Header
    types: Types
    table: Table
    name: str = "the model"


def merge(models: Sequence[Stored], weights: Sequence[float] = (), jobs: int = 1) -> Stored:
    """One model from several: the counts of each n-gram are added.

    weights  one for each model, 1 where none are given: its counts are multiplied by it, 0 leaves it out

    MarkovError where the models do not fit each other, or the sum would not be that of the texts.
    """
    factors = check_weights(models, weights)
    check_alike(models)
    models = [m for m, w in zip(models, factors, strict=True) if w]
    factors = [w for w in factors if w]
    weighted = any(
        isinstance(w, float) or m.header.holds == "weighted counts" for m, w in zip(models, factors, strict=True)
    )
    types, new_ids = _unite(models, factors)
    parts = [Part(m.table, ids, w) for m, ids, w in zip(models, new_ids, factors, strict=True)]
    order = models[0].header.order
    guards = [m.table.guard for m in models]
    table = build_table(relabelled(parts, N_MARKERS + len(types), jobs), order, jobs=jobs)
    table.guard = union(guards)
    header = replace(
        models[0].header,
        types=len(types),
        blend=None,  # was found for other counts
        holds="weighted counts" if weighted else "counts",
        **{
            figure: sum(
                getattr(m.header, figure) * (1 if weighted else w) for m, w in zip(models, factors, strict=True)
            )
            for figure in ("tokens", "sequences", "corpus_bytes")
        },
    )
    return Stored(header, types, table)


def check_weights(models: Sequence[Stored], weights: Sequence[float]) -> list[float]:
    """A factor for each model; OptionError for what no factor can be."""
    if not models:
        raise OptionError("no model to merge", "markov merge A.npz B.npz -o C.npz")
    if weights and len(weights) != len(models):
        raise OptionError(
            f"{len(weights)} weights for {len(models)} models",
            "--weight once for each model, in their order, or not at all",
        )
    factors: list[float] = []
    for w in weights or [1] * len(models):
        if not 0 <= w < float("inf"):
            raise OptionError(f"--weight {w}: no weight", "0 or more; 1 leaves the counts as they are")
        factors.append(int(w) if w == int(w) else float(w))
    if not any(factors):
        raise OptionError("every --weight is 0: nothing is left", "give one model a weight above 0")
    totals = [m.table.orders[0].count.total for m in models]
    total = sum(t * w for t, w in zip(totals, factors, strict=True))
    made_before = [m.header.holds == "weighted counts" for m in models]
    if any(isinstance(w, float) for w in factors):
        if any(made_before):
            raise MarkovError(
                f"{models[made_before.index(True)].name}: weighted counts can be merged again with whole weights only",
                "merge the models that it was made of, all with their weights",
            )
        return rounded(factors, totals)
    if total >= (_MOST_REAL if any(made_before) else _MOST):
        raise OptionError(f"the weights make {total:.3g} tokens, more than can be counted", "smaller weights")
    return factors


def check_alike(models: Sequence[Stored]) -> None:
    """MarkovError where models cannot be added, naming what differs."""
    for m in models:
        check_whole(m, "merged")
    first = models[0]
    for m in models[1:]:
        if first.header.vocab_hash != m.header.vocab_hash:
            raise MarkovError(
                f"{m.name}: {_list(m.header)}, but {first.name}: {_list(first.header)}",
                "models are merged where their lists of words agree: train one again",
            )
        for what, a, b in differing(first.header, m.header):
            if what == "Unicode":
                raise MarkovError(
                    f"{m.name}: made with Unicode {b}, {first.name} with {a}: words may end elsewhere",
                    "train one of them again, with the Python of the other",
                )
            raise MarkovError(
                f"{m.name}: {what} {b}, but {first.name}: {what} {a}",
                "models are merged where tokenizer, pattern, unit, lower case and order agree: train one again",
            )


def _list(h: Header) -> str:
    return "no --vocab" if h.vocab_words is None else f"another --vocab, of {h.vocab_words:,} words"


def differing(a: Header, b: Header) -> list[tuple[str, object, object]]:
    """The settings of reading, the order and the Unicode version, where two models differ in them, and both values."""
    pairs = [(what, getattr(a.options, what), getattr(b.options, what)) for what in _ALIKE]
    pairs += [("order", a.order, b.order), ("Unicode", a.unicode, b.unicode)]
    return [p for p in pairs if p[1] != p[2]]


def check_whole(model: Stored, done: str) -> None:
    """MarkovError where the table lacks what its text had, so that it cannot be `done` exactly."""
    check_known(model, done)
    h = model.header
    if not h.borders:
        raise MarkovError(
            f"{model.name}: trained with --no-borders: texts without beginning and end cannot be {done}",
            "train one model from all of the text, with --no-borders: markov train TEXT... -o MODEL",
        )
    if h.min_type_count > 1 or h.max_types is not None:
        few = (
            f"types seen fewer than {h.min_type_count} times" if h.min_type_count > 1 else "types beyond the commonest"
        )
        raise MarkovError(
            f"{model.name}: {few} are <unk>: they cannot be {done}",
            "train it with all types; then thin out the result: markov prune MODEL -o MODEL --max-types N",
        )


def check_known(model: Stored, done: str) -> None:
    """`check_whole` of all but types that were rare, and borders."""
    h = model.header
    if h.holds == "probabilities":
        raise NeedsCounts(
            f"{model.name}: holds probabilities only, and only counts can be {done}",
            "train a model from text: markov train TEXT -o MODEL",
        )
    if h.cut_below:
        raise NeedsCounts(
            f"{model.name}: holds {h.said_holds()}: the counts it lacks cannot be {done}",
            "add the counts of the texts before they are cut, and import the sums",
        )
    if any(h.prune) or h.prune_vocab is not None:
        raise MarkovError(
            f"{model.name}: pruned ({said_pruning(h)}): the counts it lacks cannot be {done}",
            "train it without --prune; prune the result: markov prune MODEL -o MODEL",
        )
    if asked := h.protection():
        raise MarkovError(
            f"{model.name}: trained with {said_protection(asked)}: {_lost(h)}, which it lacks, cannot be {done}",
            "train one model from all the text, with the same protection: markov train TEXT... -o MODEL",
        )


def _lost(h: Header) -> str:
    return "n-grams that too few had" if h.pruned else "counts of all occurrences"


def _unite(models: Sequence[Stored], factors: Sequence[float]) -> tuple[Types, list[np.ndarray]]:
    """All types in the order of their ids, and for each model what its ids become: int64 (V,)."""
    interner = TypeInterner()
    numbers = []
    for m in models:
        t = m.types
        if len(t) and int(t.length.min()) < 1:
            raise ModelFileError(f"{m.name}: a type without bytes", DAMAGED)
        flags = t.flags if t.flags.any() else None
        numbers.append(interner.numbers(t.padded(), t.start, t.length, flags).astype(np.int64))
    counts = [m.table.orders[0].count.slice(N_MARKERS, m.table.n_ids) * w for m, w in zip(models, factors, strict=True)]
    total = np.zeros(len(interner), np.result_type(*counts))
    for number, count in zip(numbers, counts, strict=True):
        total[number] += count
    types = interner.types()
    order = order_of_types(types, total)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(N_MARKERS, N_MARKERS + len(order))
    markers = np.arange(N_MARKERS)
    return types.take(order), [np.concatenate((markers, rank[number])) for number in numbers]


def prune(
    model: Stored,
    thresholds: tuple[int, ...] = (),
    max_types: int | None = None,
    words: WordList | None = None,
    jobs: int = 1,
) -> Stored:
    """A model with fewer n-grams, or fewer types, or both: first the types, then the n-grams.

    thresholds  n-grams of order 1, 2, ... seen at most that often are dropped; the last goes on
    max_types   how many of the commonest types stay; the others become UNK, and what differed in
                nothing else becomes one n-gram
    words       n-grams with another type are dropped, those of order 1 too; markers stay
    """
    check_prune(thresholds)
    header, types, table, name = model
    guard = table.guard  # is of the text, and stays
    if header.holds == "probabilities":
        raise NeedsCounts(f"{name}: holds probabilities only; pruning goes by counts", "train a model from text")
    if max_types is not None and whole("--max-types", max(max_types, 0)) < len(types):
        if max_types < 1:
            raise OptionError(f"--max-types {max_types}: at least 1", "the number of the commonest types to keep")
        if asked := header.protection():
            raise MarkovError(
                f"{name}: trained with {said_protection(asked)}: --max-types adds up n-grams, and these cannot be",
                "train it with --min-type-count K in place of --max-types",
            )
        if not header.borders:
            raise MarkovError(
                f"{name}: trained with --no-borders: --max-types cannot add up its n-grams",
                "train it with --max-types: markov train TEXT --no-borders --max-types N -o MODEL",
            )
        if header.cut_below:
            raise NeedsCounts(
                f"{name}: holds {header.said_holds()}: --max-types adds up n-grams, and some are missing",
                "prune by counts or by --threshold",
            )
        if header.pruned:
            raise MarkovError(
                f"{name}: pruned ({said_pruning(header)}): --max-types adds up n-grams, and some are gone",
                "give --max-types to the model before it was pruned, alone or with --prune",
            )
        new_id = np.arange(table.n_ids)
        new_id[N_MARKERS + max_types :] = UNK
        levels, before = relabelled([Part(table, new_id)], N_MARKERS + max_types, jobs), None
        protected = None
        types = types.take(np.arange(max_types))
        header = replace(header, types=max_types, max_types=max_types)
    else:
        levels, before, protected = levels_of(table)
    if not any(thresholds):
        thresholds = header.prune
    _check_rising(header, thresholds, name)
    ids = None
    if words is not None:
        need_whole(table.orders[0].count, "--vocab")
        ids = np.append(np.ones(N_MARKERS, bool), words.number(types) >= 0)
        types = types.take(np.flatnonzero(ids[N_MARKERS:]))
        header = replace(header, types=len(types), prune_vocab=len(words))
    table = build_table(levels, header.order, thresholds, jobs, before, protected, ids)
    table.guard = guard.copy() if guard is not None else None
    table.borders = header.borders
    return Stored(pruned_header(header, thresholds, table), types, table)


def pruned_header(header: Header, thresholds: tuple[int, ...], table: Table | StreamedTable) -> Header:
    """The header of a pruned table, with what pruning left behind."""
    kept = thresholds if any(thresholds) else ()
    total, left = table.empty or (None, None)
    counts = table.counts_of_counts.tolist()
    return replace(header, blend=None, prune=kept, counts_of_counts=counts, total_0=total, left_total_0=left)


def said_pruning(h: Header) -> str:
    """The thresholds of a pruned model, and the list that its words are from."""
    said = [",".join(map(str, h.prune))] if any(h.prune) else []
    return "; ".join(said + ([f"to a list of {h.prune_vocab:,} words"] if h.prune_vocab is not None else []))


def _check_rising(header: Header, thresholds: tuple[int, ...], name: str) -> None:
    """MarkovError where n-grams are asked for that an earlier pruning dropped."""
    for k in range(2, 1 + max(len(header.prune), len(thresholds))):
        if threshold(thresholds, k) < threshold(header.prune, k):
            raise MarkovError(
                f"{name}: pruned ({','.join(map(str, header.prune))}); --prune {','.join(map(str, thresholds))}"
                f" would keep n-grams of order {k} that are gone",
                "prune further, with no threshold lower, or prune the model as it was trained",
            )
