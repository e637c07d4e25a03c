"""Protected training: n-grams of too few sequences or files are left out, and the rest is a sound model."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import markov_cli
import oracle
import oracle_smoothing
from conftest import examples
from engine import model_of, rows_of, saved, types_of
from helpers import bytes_of
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import MarkovError, OptionError
from markov_cli.model.discounts import SmoothingMethod
from markov_cli.model.distribution import full_distribution
from markov_cli.model.smoothing import Smoothed
from markov_cli.model.thresholds import Protection

NAMES = ["none", "kn", "wb", "abs", "laplace", "lidstone:0.1"]

# few words in few lines of few files, so that n-grams repeat within a line and across lines
words = st.sampled_from("aaabbcd")
files_of_lines = st.lists(st.lists(st.lists(words, min_size=1, max_size=7), max_size=4), min_size=1, max_size=4).filter(
    any
)


class Told:
    """Oracle of some files of lines of words: ids, and the sequences and files that hold each n-gram."""

    def __init__(self, files, order, min_type_count=1, once=False):
        lines = [line for file in files for line in file]
        tokens = [[(w.encode(), 0) for w in line] for line in lines]
        judged = [sorted(set(s)) for s in tokens] if once else tokens
        self.types = oracle.types_of(judged, min_type_count)
        number = {t: 3 + i for i, t in enumerate(self.types)}
        self.streams = [[oracle.BOS, *(number.get(t, oracle.UNK) for t in s), oracle.EOS] for s in tokens]
        file_of = [n for n, file in enumerate(files) for _ in file]
        self.sequences, self.files = defaultdict(set), defaultdict(set)
        for n, s in enumerate(self.streams):
            for k in range(1, order + 1):
                for i in range(len(s) - k + 1):
                    self.sequences[tuple(s[i : i + k])].add(n)
                    self.files[tuple(s[i : i + k])].add(file_of[n])
        self.counts = oracle_smoothing.count(self.streams, order, once)

    def stays(self, g, min_sequences=1, min_files=1):
        return len(g) == 1 or (len(self.sequences[g]) >= min_sequences and len(self.files[g]) >= min_files)


def texts_of(files):
    return ["\n".join(map(" ".join, file)) for file in files]


def trained(files, order, protection=None, **more):
    return model_of(texts_of(files), order, "spaces", "line", protection=protection or Protection(), **more)


def rows_keys(table):
    return [[tuple(g) for g in table.ngrams(k, np.arange(len(o))).tolist()] for k, o in enumerate(table.orders, 1)]


# ------------------------------------------------------------------ kept rows


protections = st.builds(Protection, st.integers(1, 3), st.integers(1, 3), st.sampled_from([0, 1]))
prunes = st.sampled_from([(), (), (0, 1), (0, 0, 1), (0, 1, 2)])


@examples(150)
@given(files_of_lines, st.integers(1, 4), protections, prunes, st.integers(1, 3))
def test_the_protected_table_equals_the_oracle(files, order, p, prune, least):
    """Rows, counts, totals, left neighbours and counts of counts, also with --prune and --min-type-count."""
    assume(p.min_sequences <= sum(map(len, files)) and p.min_files <= sum(map(bool, files)))
    once = p.caps
    made = trained(files, order, p, prune=prune, min_type_count=least)
    told = Told(files, order, least, once)
    assert types_of(made) == told.types
    limits = [0, *prune[1:], *[prune[-1] if prune else 0] * order][:order]
    rows = rows_of(made.table)
    rows[0] = {g: c for g, c in rows[0].items() if c}
    for k, of_order in enumerate(told.counts, 1):
        expected = {
            g: c for g, c in of_order.items() if c > limits[k - 1] and told.stays(g, p.min_sequences, p.min_files)
        }
        assert rows[k - 1] == expected
        if k > 1:  # kept n-grams have their histories and suffixes
            assert {g[:-1] for g in expected} <= set(rows[k - 2])
            assert {g[1:] for g in expected} <= set(rows[k - 2])
    lefts, grams_below = oracle.lefts(told.streams, order), []
    drops = p.drops or any(prune)
    for k, level in enumerate(made.table.orders[:-1], 1):
        grams = [tuple(g) for g in made.table.ngrams(k, np.arange(len(level))).tolist()]
        sums, left_sums = Counter(), Counter()
        for g, c in told.counts[k].items():
            sums[g[:-1]] += c
            left_sums[g[:-1]] += len(lefts[k][g]) if k + 1 < order else 0
        assert level.left.slice(0, len(level)).tolist() == [len(lefts[k - 1][g]) for g in grams]
        assert made.table.total(k, np.arange(len(level))).tolist() == [sums[g] for g in grams]
        assert not len(level) or (level.total is not None) == once
        if drops and level.left_total is not None:
            assert level.left_total.slice(0, len(level)).tolist() == [left_sums[g] for g in grams]
        if k > 2:
            assert [grams_below[i] for i in level.link.tolist()] == [g[1:] for g in grams]
        grams_below = grams
    for k, n in enumerate(made.header.counts_of_counts, 1):
        adjusted = Counter()
        for g, c in told.counts[k - 1].items():
            if g != (oracle.BOS,):
                adjusted[c if k == order or g[0] == oracle.BOS else len(lefts[k - 1][g])] += 1
        assert n == [0, *(adjusted[j] for j in (1, 2, 3, 4))]
    assert bool(made.header.counts_of_counts) == (drops and made.header.pruned)


@examples(60)
@given(files_of_lines, st.integers(1, 4), protections, prunes, st.integers(1, 2), st.sampled_from(NAMES))
def test_every_smoothing_equals_the_oracle_and_sums_to_1(files, order, p, prune, least, name):
    """After every history of the table."""
    assume(p.min_sequences <= sum(map(len, files)) and p.min_files <= sum(map(bool, files)))
    made = trained(files, order, p, prune=prune, min_type_count=least)
    table, told = made.table, Told(files, order, least, p.caps)
    chosen = SmoothingMethod.parse(name)
    method = "lidstone" if chosen.method == "laplace" else chosen.method
    theirs = oracle_smoothing.Smoothed(
        [s[1:-1] for s in told.streams], order, table.n_ids, method, prune=prune if order > 1 else (),
        amount=chosen.amount or 1, number=float, once=p.caps,
        keep=lambda g: told.stays(g, p.min_sequences, p.min_files),
    )  # fmt: skip
    ours = Smoothed(table, chosen)
    for k in range(order):
        rows = rows_keys(table)[k - 1] if k else [()]
        for row, g in enumerate(rows):
            if g and g[-1] == oracle.EOS:
                continue
            p_here = full_distribution(ours, k, row)
            assert p_here.sum() == pytest.approx(1, abs=1e-12)
            expected = [theirs.p(g, w) if w != oracle.BOS else 0.0 for w in range(table.n_ids)]
            assert np.abs(p_here - expected).max() < 1e-12


@pytest.mark.parametrize("p", [Protection(2), Protection(1, 2), Protection(2, 2, 1), Protection(cap_per_sequence=1)])
def test_blocks_jobs_and_ranges_change_no_byte(p, story, messages):
    texts = [story[:3000], messages[:1500], story[2000:5000], "One text. More text."]
    once = saved(model_of(texts, 4, protection=p))
    for block_bytes, jobs, range_windows in ((64, 3, 20), (1000, 2, 1 << 20), (1 << 20, 1, 500)):
        more = {"block_bytes": block_bytes, "jobs": jobs, "range_windows": range_windows}
        assert saved(model_of(texts, 4, protection=p, **more)) == once
    assert saved(model_of(texts[::-1], 4, protection=p)) == once


@pytest.mark.parametrize("p", [Protection(), Protection(1, 1, 0)])
def test_without_protection_the_bytes_do_not_change(p, story):
    once = saved(model_of(story))
    assert saved(model_of(story, protection=p)) == once
    assert b"min_sequences" not in once and b"cap_per_sequence" not in once


def test_capping_changes_no_count_without_repetition_in_a_sequence():
    """Each count is a number of sequences already; only the redundant totals are added."""
    text = "a b c\na b d\nc d"
    capped, plain = (
        model_of(text, 3, "spaces", "line", protection=Protection(1, 1, 1)),
        model_of(text, 3, "spaces", "line"),
    )
    assert rows_of(capped.table) == rows_of(plain.table)
    for k in (1, 2):
        row = np.arange(len(plain.table.orders[k - 1]))
        assert capped.table.total(k, row).tolist() == plain.table.total(k, row).tolist()


def test_capped_counts_by_hand():
    """`ha` occurs 5 times in 2 lines; its followers are ha (1 line) and </s> (2 lines), so its total is 3, not 2."""
    model = markov_cli.train(texts=["ha ha ha ha\nha"], unit="line", order=2, cap_per_sequence=1)
    found = model.followers("ha")
    assert (found.total, [(f.token, f.marker, f.count) for f in found.followers]) == (
        3, [(None, "</s>", 2), ("ha", None, 1)],
    )  # fmt: skip
    assert model.table.orders[0].count.slice(0, 4).tolist() == [0, 2, 2, 2]


# ------------------------------------------------------------------ planted secrets

SECRET = "the code of the vault is nine four seven two"
OTHERS = "\n".join(f"{who} went to the {where} again" for who in ("she", "he", "it") for where in ("sea", "hill"))


def holds(model, text):
    """True if all trigrams of a text are in the table."""
    ids = model.known(text).ids
    return all(model.table.row_of(ids[i : i + 3]) >= 0 for i in range(len(ids) - 2))


def secret_in(texts, unit="line", **options):
    return holds(markov_cli.train(texts=texts, unit=unit, **options), SECRET)


def test_repetition_in_one_sequence_defeats_prune_but_not_min_sequences():
    texts = [OTHERS + "\n" + " ".join([SECRET] * 5)]
    assert secret_in(texts, prune=(0, 1)) and secret_in(texts, prune=(0, 4))
    assert not secret_in(texts, min_sequences=2)
    assert not secret_in(texts, cap_per_sequence=1, prune=(0, 1))
    assert secret_in(texts, cap_per_sequence=1)  # capping alone drops nothing


def test_repetition_in_many_sequences_defeats_min_sequences_but_not_min_files():
    texts = [OTHERS, OTHERS + "\n" + "\n".join([SECRET] * 5), OTHERS]
    assert secret_in(texts, min_sequences=2) and secret_in(texts, min_sequences=5)
    assert not secret_in(texts, min_sequences=6)
    assert not secret_in(texts, min_files=2)


def test_a_second_file_defeats_min_files():
    texts = [OTHERS + "\n" + SECRET, SECRET]
    assert secret_in(texts, min_files=2)
    assert not secret_in([*texts, OTHERS], min_files=3)


def test_dropped_ngrams_are_never_drawn():
    text = OTHERS + "\n" + " ".join([SECRET] * 5)
    model = markov_cli.train(texts=[text], unit="line", min_sequences=2)
    said = [t.text for t in model.generate(200, 1, prompt="the vault is", within=True, max_tokens=12)]
    assert not any("nine four" in s for s in said)
    plain = markov_cli.train(texts=[text], unit="line", prune=(0, 1))
    said = [t.text for t in plain.generate(200, 1, prompt="the vault is", within=True, max_tokens=12)]
    assert all("the vault is nine four seven two" in s for s in said)


def test_a_type_of_one_sequence_stays_unless_types_are_capped():
    text = OTHERS + "\nhunter2 hunter2 hunter2"

    def knows(**options):
        vocabulary = markov_cli.train(texts=[text], unit="line", **options).vocabulary
        return b"hunter2" in vocabulary.types().blob.tobytes()

    assert knows(min_sequences=2)
    assert knows(min_sequences=2, min_type_count=2)  # it occurs three times
    assert not knows(min_sequences=2, min_type_count=2, cap_per_sequence=1)


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    "options, says",
    [
        ({"min_sequences": 0}, "--min-sequences 0"),
        ({"min_files": -1}, "--min-files -1"),
        ({"cap_per_sequence": 2}, "--cap-per-sequence 2: the only cap is 1"),
        ({"cap_per_sequence": -1}, "--cap-per-sequence -1"),
        ({"min_sequences": 3}, "the text has 2 sequences: no n-gram would stay"),
        ({"min_files": 2}, "the text has 1 file: no n-gram would stay"),
    ],
)
def test_impossible_options_are_refused(options, says):
    with pytest.raises(OptionError, match=says):
        markov_cli.train(texts=["a b.\n\nc d."], **options)


@pytest.fixture(scope="module")
def two(story):
    """A model that drops n-grams, and a model that only caps counts."""
    return (
        markov_cli.train(texts=[story], min_sequences=2),
        markov_cli.train(texts=[story], cap_per_sequence=1),
    )


@pytest.mark.parametrize(
    "which, says", [(0, "--min-sequences 2: n-grams that too few had"), (1, "--cap-per-sequence 1")]
)
def test_inexact_merging_and_updating_is_refused(two, story, which, says):
    model = two[which]
    whole_model = markov_cli.train(texts=[story])
    for refused in (
        lambda: markov_cli.merge([whole_model, model]),
        lambda: markov_cli.merge([model, model], [0.5, 0.5]),
        lambda: markov_cli.update(model, texts=["More."]),
    ):
        with pytest.raises(MarkovError, match=says):
            refused()
    with pytest.raises(MarkovError, match="--max-types adds up n-grams"):
        markov_cli.prune(model, max_types=10)


def test_pruning_a_protected_model_is_training_with_the_thresholds(story):
    for p in (Protection(2), Protection(1, 1, 1), Protection(2, 1, 1)):
        further = markov_cli.prune(as_model(model_of(story, 4, protection=p)), (0, 1, 2))
        direct = as_model(model_of(story, 4, protection=p, prune=(0, 1, 2)))
        assert bytes_of(further) == bytes_of(direct)


def test_a_protected_model_pruned_by_entropy_holds_probabilities(two):
    for model in two:
        header = markov_cli.prune_by_entropy(model, threshold=1e-4).model.header
        assert header.holds == "probabilities" and not header.protection()
