"""Models imported from ARPA: round trips, files, damage, and refusals of everything that needs counts."""

import io
import json
import random
import warnings

import numpy as np
import pytest

import engine
import markov_cli
from arpa_files import SMALL
from engine import model_of
from helpers import ODD, arrays_of, bytes_of_arrays, header_of, loaded, packed
from lmplz import check as check_lmplz
from lmplz import compare, corpus_of, lmplz, needs_lmplz, read_arpa
from markov_cli.api.convert import export_arpa
from markov_cli.api.importing import import_arpa
from markov_cli.api.model import Model
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import MarkovError, ModelFileError, NeedsCounts, OptionError
from markov_cli.inspecting.verify import damage
from markov_cli.model.distribution import full_distribution
from markov_cli.render import inspect
from markov_cli.scoring.scorer import Scorer
from oracle_smoothing import BOS, EOS, UNK, Smoothed

CHAINED = ["kn", "wb", "abs", "abs:0.5"]


def counted(lines, order, **options):
    return as_model(model_of("\n".join(map(" ".join, lines)), order, "spaces", "line", **options))


def arpa_of(model, smoothing=None):
    out = io.BytesIO()
    export_arpa(model, out, smoothing)
    return out.getvalue()


@pytest.fixture
def read(tmp_path):
    def from_bytes(data, **options):
        (tmp_path / "x.arpa").write_bytes(data if isinstance(data, bytes) else data.encode())
        return import_arpa(tmp_path / "x.arpa", **options)

    return from_bytes


def random_stream(model, seed, n=30):
    r = random.Random(seed)
    lines = [r.choices([UNK, *range(3, len(model.vocabulary))], k=r.randint(1, 8)) for _ in range(n)]
    return [[BOS, *line, EOS] for line in lines]


def words(model, ids):
    return [model.vocabulary.name_of(i) for i in ids]


# ------------------------------------------------------------------ round trips


@pytest.mark.parametrize(
    ("smoothing", "seed"), [(s, i) for s in CHAINED for i in range(5)] + [("stupid", i) for i in range(2)]
)
def test_an_exported_model_scores_the_same(read, smoothing, seed):
    """To the precision of float32 logarithms.

    Stupid backoff only at orders 1 and 2: ARPA has no weight for an unlisted history.
    """
    options = [{}, {"prune": (0, 1)}, {"min_type_count": 2}, {"prune": (0, 0, 1)}, {}][seed]
    made = counted(corpus_of(seed), 1 + seed, **options)
    back = read(arpa_of(made, smoothing))
    assert back.order <= made.order and back.notes.blanks == back.notes.missing_backoffs == 0
    own, other = made.distribution(smoothing), back.distribution()
    ids_of = {name: i for i, name in enumerate(words(back, range(len(back.vocabulary))))}
    stream = [i for line in random_stream(made, seed) for i in line]
    moved = [ids_of[w] for w in words(made, stream)]
    p, n = Scorer(own).score(np.array(stream, np.uint32))
    q, m = Scorer(other).score(np.array(moved, np.uint32))
    # log10 p has 24 bits and is below 100: error 100 * 2^-24 * ln 10 at most; a probability of 0 is 1e-99
    assert q == pytest.approx(p, rel=2e-5, abs=1e-90)
    assert (n == m).all()


def test_a_second_export_equals_the_first(read, story):
    """To float32, for the first has more digits; a third export equals the second byte for byte."""
    lines = [line.split() for line in story.split("\n") if line.strip()]
    for smoothing in ("kn", "wb"):
        first = arpa_of(counted(lines, 3, prune=(0, 0, 1)), smoothing)
        second = arpa_of(read(first))
        assert arpa_of(read(second)) == second
        one, two = read_arpa(first.decode()), read_arpa(second.decode())
        assert one.keys() == two.keys()
        for row, values in one.items():
            assert two[row][0] == pytest.approx(values[0], rel=1e-7, abs=1e-7)
            assert (two[row][1] or 0) == pytest.approx(values[1] or 0, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("smoothing", ["none", "laplace", "lidstone:0.1", "stupid"])
def test_smoothing_without_the_form_of_arpa_is_refused(smoothing):
    with pytest.raises(OptionError, match="back off to shorter") as error:
        arpa_of(counted(corpus_of(0), 3), smoothing)
    assert error.value.hint == "use kn, wb or abs"


@pytest.mark.parametrize("text", [SMALL, ODD], ids=["small", "odd"])
def test_a_saved_model_is_unchanged(read, tmp_path, text):
    model = read(text, tokenizer="words", unit="sentence", lowercase=True)
    model.save(tmp_path / "m.npz")
    loaded = Model.load(tmp_path / "m.npz")
    assert loaded.header == model.header and loaded.header.holds == "probabilities"
    assert loaded.header.options.lowercase and loaded.header.options.unit == "sentence"
    again = io.BytesIO()
    loaded.save(again)
    assert again.getvalue() == (tmp_path / "m.npz").read_bytes()
    for shape in ({}, {"temperature": 0.7, "top_k": 2, "top_p": 0.9}):
        assert [*loaded.generate(20, 3, max_tokens=9, **shape)] == [*model.generate(20, 3, max_tokens=9, **shape)]
    for level in range(loaded.order):
        for row in range(len(loaded.table.orders[level - 1]) if level else 1):
            assert (
                full_distribution(loaded.distribution(), level, row)
                == full_distribution(model.distribution(), level, row)
            ).all()
    assert damage(loaded.file) == []


def test_empty_orders_are_left_out(read):
    """Also: an ARPA of order 1 is read."""
    one = read("\\data\\\nngram 1=3\n\n\\1-grams:\n-0.5\t<unk>\n-0.3\ta\n-0.4\t</s>\n\n\\end\\\n")
    assert (one.order, one.notes.added_markers) == (1, 1)  # <s>
    assert {t.text for t in one.generate(50, 1, max_tokens=3)} >= {"a", "a a"}
    back = read(arpa_of(counted([["a", "b"]], 9), "kn"))
    assert back.order == 4  # <s> a b </s>
    assert [len(o) for o in back.table.orders] == [5, 3, 2, 1]


def test_ngrams_with_markers_inside_never_write_a_marker(read):
    """Some programs list `</s> <s>`."""
    text = SMALL.replace("ngram 2=4", "ngram 2=6").replace(
        "-0.8\tb a\t0\n", "-0.8\tb a\t0\n-.1\tb <s>\n-.1\t</s> <s>\n"
    )
    model = read(text)
    assert model.table.orders[1].token.tolist().count(BOS) == 2
    for shape in ({}, {"temperature": 0.5}, {"top_k": 3}):
        texts = [t.text for t in model.generate(300, 1, max_tokens=5, **shape)]
        assert {w for t in texts for w in t.split()} == {"a", "b"}


# ------------------------------------------------------------------ refused without counts


@pytest.mark.parametrize("smoothing", ["none", "kn", "wb", "abs", "laplace", "stupid"])
def test_smoothing_needs_counts(read, smoothing):
    model = read(SMALL)
    calls = [
        lambda: model.distribution(smoothing), lambda: model.followers("a", smoothing=smoothing),
        lambda: [*model.generate(1, 1, smoothing=smoothing)],
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(NeedsCounts, match="probabilities only") as error:
            call()
        assert f"--smoothing {smoothing}" in error.value.message and error.value.hint


def test_missing_count_columns_raise_an_error(read):
    count = read(SMALL).table.orders[1].count
    assert len(count) == 4
    for use in ("at", "slice", "total", "small", "sum_before"):
        with pytest.raises(NeedsCounts, match="needs counts"):
            getattr(count, use)


def test_followers_of_a_history_by_hand(read):
    model = read(SMALL)
    then = model.followers("a")
    # `a b` is listed with -0.3; a backs off: -0.3 - 0.5
    assert (then.total, then.n_followers) == (None, 1)
    assert [(f.token or f.marker, f.count) for f in then.followers] == [
        ("b", None), ("a", None), ("</s>", None), ("<unk>", None),
    ]  # fmt: skip
    assert [f.probability for f in then.followers] == pytest.approx([10**-0.3, 10**-0.8, 10**-1.0, 10**-1.8])
    assert model.followers().n_followers == 4  # <s> follows nothing


def test_figures_without_counts_are_left_empty(read, capsys):
    model = read(SMALL)
    found = markov_cli.inspect(model)
    told = json.loads(json.dumps(found.to_dict()))
    assert (told["holds"], told["types"], told["order"], told["lengths"]) == ("probabilities", 2, 3, [])
    orders = told["orders"]
    assert [(o["ngrams"], o["histories"], o["singletons"], o["entropy_bits"]) for o in orders] == [
        (5, 1, None, None), (4, 3, None, None), (2, 2, None, None),
    ]  # fmt: skip
    assert orders[0]["commonest"] == [
        {"tokens": ["a"], "count": None, "probability": pytest.approx(10**-0.5)},
        {"tokens": ["b"], "count": None, "probability": pytest.approx(10**-0.6)},
    ]
    assert told["histogram_of_followers"] == [{"followers": "1", "histories": 2}]
    assert inspect.model_csv(found).splitlines()[:3] == [
        "order,ngrams,singletons,histories,mean_followers,single_follower,entropy_bits", "1,5,,1,4.0,0.0,",
        "2,4,,3,1.333333,0.666667,",
    ]  # fmt: skip
    inspect.show_model(model, found)
    shown = capsys.readouterr().out
    assert "probabilities only" in shown and "no counts" in shown and "likeliest" in shown


# ------------------------------------------------------------------ damage


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The bytes of a model of probabilities of order 4, which has every kind of array."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "x.arpa").write_bytes(arpa_of(counted([[*"abac"], [*"abab"], [*"b"]], 4), "kn"))
    out = io.BytesIO()
    import_arpa(folder / "x.arpa").save(out)
    return out.getvalue()


def use(model):
    """Call everything that reads such a table; only our own errors may be raised."""
    stream = np.array([BOS, 3, 4, 5, 3, EOS], np.uint32)
    calls = [
        lambda: [*model.generate(10, 1, max_tokens=20)],
        lambda: [*model.generate(10, 1, max_tokens=20, temperature=0.5)],
        lambda: [*model.generate(10, 1, max_tokens=20, top_k=3, top_p=0.8)],
        lambda: model.followers("a b"),
        lambda: model.checked(Scorer(model.distribution()).score, stream),
        lambda: markov_cli.inspect(model, top=3),
        lambda: arpa_of(model),
    ]
    for call in calls:
        try:
            call()
        except MarkovError as error:
            assert error.message


def test_a_file_has_these_arrays(tiny):
    names = [n for n in arrays_of(tiny) if n != "header"]
    assert names == [
        "vocab_bytes", "vocab_offsets", "first_1", "log10_1", "backoff_1", "token_2", "first_2", "log10_2",
        "backoff_2", "token_3", "first_3", "link_3", "log10_3", "backoff_3", "token_4", "log10_4",
    ]  # fmt: skip
    assert {arrays_of(tiny)[n].dtype.str for n in names if n[:3] in ("log", "bac")} == {"<f4"}
    head = header_of(tiny)
    assert (head["holds"], head["tokens"], head["sequences"], head["corpus_bytes"]) == ("probabilities", 0, 0, 0)


@pytest.mark.parametrize("name", ["log10_1", "backoff_2", "log10_4", "first_1", "token_2", "link_3", "vocab_bytes"])
@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "<u4", "|u1", "<i4"])
def test_a_wrong_dtype_is_refused(tiny, name, dtype):
    arrays = arrays_of(tiny)
    if arrays[name].dtype == np.dtype(dtype):
        return
    data = packed({**arrays, name: np.nan_to_num(arrays[name]).astype(dtype)})
    with pytest.raises(ModelFileError) as error:
        loaded(data)
    assert name in error.value.message or "vocabulary" in error.value.message


@pytest.mark.parametrize("name", ["log10_1", "log10_3", "backoff_1", "backoff_3", "token_3", "first_2", "link_3"])
def test_a_missing_array_and_a_wrong_length_are_refused(tiny, name):
    arrays = arrays_of(tiny)
    for change in (arrays[name][:-1], np.append(arrays[name], arrays[name][-1:])):
        with pytest.raises(ModelFileError):
            loaded(packed({**arrays, name: change}))
    del arrays[name]
    with pytest.raises(ModelFileError):
        loaded(packed(arrays))


def test_a_header_unlike_the_arrays_is_refused(tiny):
    with pytest.raises(ModelFileError, match="count_1"):
        loaded(packed(arrays_of(tiny), holds="counts"))
    of_counts = arrays_of(engine.saved(model_of("a b a")))
    with pytest.raises(ModelFileError, match="log10_1"):
        loaded(packed(of_counts, holds="probabilities"))
    with pytest.raises(ModelFileError, match="backoff_4"):
        loaded(packed({**arrays_of(tiny), "backoff_4": arrays_of(tiny)["log10_4"]}))
    with pytest.raises(ModelFileError, match="holds"):
        loaded(packed(arrays_of(tiny), holds="something"))


CHANGES = [lambda b: b ^ 0xFF, lambda b: b ^ 1, lambda b: 0, lambda b: 0xFF, lambda b: b ^ 0x80, lambda b: 0x7F]


def test_verify_finds_any_damaged_byte_of_an_array(tiny):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n, i in enumerate(bytes_of_arrays(tiny)):
            bad = bytearray(tiny)
            bad[i] = CHANGES[n % len(CHANGES)](bad[i])
            if bad == tiny:
                continue
            try:
                model = loaded(bytes(bad))
            except ModelFileError:
                continue
            if n % 7 == 0:
                use(model)
            assert damage(model.file), i


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("log10_1", {3: np.nan}, "log10_1: not a number"),
        ("log10_3", {0: -np.inf}, "log10_3: not a number"),
        ("log10_2", {1: 0.5}, "log10_2: a probability above 1"),
        ("log10_1", {2: 0.01}, "log10_1: a probability above 1"),
        ("backoff_2", {0: np.inf}, "backoff_2: not a number"),
        ("log10_1", {-1: 0.0}, "log10_1: types not by falling probability"),
        ("token_2", {0: 4, 1: 3}, "token_2: followers of a history not in order"),
        ("link_3", {0: 0, 1: 0}, "link_3: not the n-gram without its first token"),
        ("first_2", {1: 200}, "first_2: not rising"),
    ],
)
def test_verify_names_the_wrong_values(tiny, name, change, says):
    """With right checksums, so only the values are wrong."""
    arrays = arrays_of(tiny)
    arrays[name] = arrays[name].copy()
    for at, value in change.items():
        arrays[name][at] = value
    assert any(says in line for line in damage(loaded(packed(arrays)).file))


def test_verify_accepts_a_blank_above_1(read, tmp_path):
    """The blank `c b` of the odd file is b(c) p(b); with a backoff of 10 it is above 1, which is no damage."""
    model = read(ODD.replace("-0.5228787\tc\t-0.1", "-0.5228787\tc\t1.0"))
    assert model.table.orders[1].log10.max() > 0
    model.save(tmp_path / "m.npz")
    assert damage(Model.load(tmp_path / "m.npz").file) == []


def test_verify_finds_figures_of_a_text_in_an_imported_model(tiny):
    assert any("figures of a text" in line for line in damage(loaded(packed(arrays_of(tiny), tokens=5)).file))


# ------------------------------------------------------------------ lmplz


def oracle_rows(made, lines, order, prune):
    """Functions from words to probability and backoff, by the oracle without lmplz's quirk (tests/lmplz.py)."""
    ids = {name: i for i, name in enumerate(words(made, range(len(made.vocabulary))))}
    model = Smoothed([[ids[w] for w in line] for line in lines if line], order, len(ids), "kn", prune=prune)
    return (
        lambda w: model.p([ids[x] for x in w[:-1]], ids[w[-1]]),
        lambda w: model.backoff([ids[x] for x in w]),
    )


@pytest.mark.parametrize("seed", range(10))
def test_every_row_of_our_arpa_equals_the_oracle(seed):
    """tests/training/test_against_lmplz.py compares the oracle with lmplz."""
    order = 2 + seed % 4
    prune = [(), (0, 1), (0, 0, 1), (0, 1, 2), ()][seed % 5][:order]
    lines = [line for line in corpus_of(seed + 100) if line]
    made = counted(lines, order, prune=prune)
    compare(arpa_of(made, "kn").decode(), *oracle_rows(made, lines, order, prune))


@needs_lmplz
@pytest.mark.parametrize("seed", range(10))
def test_our_arpa_equals_lmplz(seed):
    """The last n-gram in suffix order has one left neighbour here, so lmplz's quirk changes nothing."""
    order = 2 + seed % 4
    prune = [(), (0, 1), (0, 0, 1), (), (0, 1, 2)][seed % 5][:order]
    lines = [line for line in corpus_of(seed + 40) if line] + [["once"]]
    text, _ = lmplz(lines, order, prune)
    own = read_arpa(arpa_of(counted(lines, order, prune=prune), "kn").decode())
    same(read_arpa(text), own)
    check_lmplz(lines, order, prune, emulate=False)


@needs_lmplz
@pytest.mark.parametrize("prune", [(), (0, 1), (0, 0, 1)])
@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_our_arpa_of_a_story_equals_lmplz(harbour, order, prune):
    lines = [line.split() for line in harbour.split("\n") if line.strip()]
    text, _ = lmplz(lines, order, prune[:order])
    same(read_arpa(text), read_arpa(arpa_of(counted(lines, order, prune=prune[:order]), "kn").decode()))


def same(theirs, ours):
    assert theirs.keys() == ours.keys()
    for row, (p, backoff) in theirs.items():
        assert ours[row][0] == pytest.approx(p, abs=2e-6), row
        # we write no empty orders, so lmplz's last but one may be our last
        own = ours[row][1] or 0.0
        assert max(own, -99) == pytest.approx(max(backoff or 0.0, -99), abs=2e-6), row
