"""Numbers of a model file that lie: ids, orders, lengths and sums are checked where they are used."""

import functools
import io
import operator
import sys
import tracemalloc

import numpy as np
import pytest

import markov_cli
from engine import model_of, saved
from fuzzing import bases
from fuzzing.bases import written
from markov_cli.api.model import Model
from markov_cli.errors import MarkovError, ModelFileError
from markov_cli.inspecting.verify import damage
from markov_cli.model.fingerprints import Guard
from markov_cli.model.smoothing import _check_total
from markov_cli.model.weighted_counts import Reals
from markov_cli.text.joining import join_texts
from markov_cli.text.types import UNK
from markov_cli.text.vocabulary import Vocabulary

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bases are the fuzzer's")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return bases._base("words", saved(model_of(bases.TEXT)), tmp_path_factory.mktemp("base"))


@pytest.fixture
def opened(tmp_path):
    def open_bytes(data):
        (tmp_path / "m.npz").write_bytes(data)
        return Model.load(tmp_path / "m.npz")

    return open_bytes


def refused(ran):
    """Two lines on stderr and exit 1."""
    return ran.code == 1 and len(ran.stderr.splitlines()) == 2 and ran.stderr.startswith("markov: ")


# ------------------------------------------------------------ ids


@pytest.mark.parametrize("rest", [(), ("--json",), ("--order", "5", "--json")])
def test_rows_that_no_history_has(run, opened, tmp_path, rest):
    """Case 7897 of seed 4242: the last history was one too many, and its row taken for an id."""
    long = bases._base("long", saved(model_of(bases.TEXT, order=5, unit="line")), tmp_path)
    model = opened(written(long.head, {**long.arrays, "first_2": np.full_like(long.arrays["first_2"], 8)}))
    with pytest.raises(ModelFileError, match="no history has"):
        model.table.ngrams(3, np.arange(9))
    assert refused(run("audit", tmp_path / "m.npz", *rest))


def test_an_id_is_checked_where_its_text_is_looked_up(opened, base):
    vocabulary = opened(base.data).vocabulary
    n = len(vocabulary)
    for call in (vocabulary.spans, vocabulary.flags_of):
        for bad in (n, -1):
            with pytest.raises(ModelFileError, match="outside the vocabulary"):
                call(np.array([3, bad]))
    assert len(vocabulary.spans(np.array([n - 1]))[0]) == 1
    for bad in (n, UNK):
        with pytest.raises(ModelFileError, match="outside the vocabulary"):
            join_texts(vocabulary, np.array([n - 1, bad]), np.array([2]))


# ------------------------------------------------------------ orders


def test_probabilities_without_their_highest_order(run, opened, base, tmp_path):
    """Case 12543 of seed 4242: the order that is not there had no column of probabilities, not even an empty one."""
    (tmp_path / "words.arpa").write_bytes(b"")
    with open(tmp_path / "words.arpa", "wb") as f:
        markov_cli.export_arpa(opened(base.data), f, "kn")
    listed = bases._base("listed", saved_model(markov_cli.import_arpa(tmp_path / "words.arpa")), tmp_path)
    arrays = {n: a for n, a in listed.arrays.items() if not n.endswith("_3")}
    arrays["first_2"] = np.zeros(len(arrays["token_2"]) + 1, "u1")
    arrays["backoff_2"] = arrays.get("backoff_2", np.zeros(len(arrays["token_2"]), "<f4"))
    model = opened(written(listed.head, arrays))
    assert model.table.orders[2].log10 is not None
    assert np.isfinite(model.score(texts=["The cat sat on the mat."], smoothing=None).bits)
    (tmp_path / "t.txt").write_text("The cat sat on the mat.\n")
    for command in (("score", tmp_path / "m.npz", tmp_path / "t.txt", "--each", "token"), ("audit", tmp_path / "m.npz"),
                    ("generate", tmp_path / "m.npz", "-s", "1", "--top-k", "3")):  # fmt: skip
        assert run(*command).code == 0


def saved_model(model):
    out = io.BytesIO()
    model.save(out)
    return out.getvalue()


def test_an_order_that_the_file_does_not_fill_costs_nothing(opened, tmp_path):
    """An order of a million above a short text: time follows what is stored, and answers are those of a low order."""
    low = bases._base("low", saved(model_of(bases.TEXT, order=40, unit="line")), tmp_path)
    model, high = Model.load(tmp_path / "low.npz"), opened(written({**low.head, "order": 1 << 20}, low.arrays))
    assert high.order == 1 << 20 and high.table.order == model.table.order < 40
    assert damage(high.file) == []
    for smoothing in ("none", "kn", "laplace"):
        same = [[t.text for t in m.generate(5, 1, smoothing=smoothing, max_tokens=30)] for m in (model, high)]
        assert same[0] == same[1]
    from markov_cli.api.audit import audit

    assert [o.to_dict() for o in audit(high).orders] == [o.to_dict() for o in audit(model).orders]
    with pytest.raises(MarkovError, match="each state would have"), open(tmp_path / "x", "wb") as f:
        markov_cli.export_markovify(high, f)


def test_a_pruned_model_of_a_high_order_is_told_in_a_line(run, opened, tmp_path):
    """Case 70 of seed 626262: the figures of a million orders were put together, and then not shown."""
    low = bases._base("low", saved(model_of(bases.TEXT, order=40, unit="line")), tmp_path)
    opened(written({**low.head, "order": 1 << 20}, low.arrays))
    tracemalloc.start()
    ran = run("prune", tmp_path / "m.npz", "-o", tmp_path / "out.npz", "--prune", "0,1")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ran.code == 0 and "of orders 1 to 1048576" in ran.stderr
    assert peak < 60_000_000


def test_models_of_one_order_and_other_lengths_merge(tmp_path):
    """One order without rows stands for all above it, so the tables of an order may differ in height."""
    texts = ["a b\nc d", "a b c d e f g\nb c d"]
    parts = []
    for i, text in enumerate(texts):
        markov_cli.train(texts=[text], order=30, unit="line").save(tmp_path / f"{i}.npz")
        parts.append(Model.load(tmp_path / f"{i}.npz"))
    assert parts[0].table.order < parts[1].table.order < 30
    whole = markov_cli.train(texts=texts, order=30, unit="line")
    for some in (parts, parts[::-1]):
        merged = markov_cli.merge(some)
        assert saved_model(merged) == saved_model(whole)


# ------------------------------------------------------------ lengths


def test_words_of_very_many_bytes_take_what_their_text_takes(monkeypatch):
    """Cases 13999 and 15270 of seed 4242: an index of 8 bytes stood for each byte of each word."""
    size = np.array([0, 0, 0, 0, 40_000, 40_003])
    vocabulary = Vocabulary(np.full(40_003, 97, np.uint8), size, np.empty(0, np.uint8), "words")
    ids = np.tile([3, 4], 100)
    tracemalloc.start()
    text = vocabulary.join(ids, np.array([len(ids)]))[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert text == b" ".join([b"a" * 40_000, b"aaa"] * 100)
    assert peak < 3 * len(text)


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_texts_are_the_same_in_parts(monkeypatch, opened, base, limit):
    model = opened(base.data)
    asked = markov_cli.Constraints(match="a")

    def everything():
        out = io.BytesIO()
        markov_cli.export_counts(model, out)
        markov_cli.export_markovify(model, out)
        texts = [t.text for t in model.generate(20, 1, max_tokens=20)]
        return out.getvalue(), texts, [t.text for t in model.generate(5, 2, constraints=asked, max_tokens=20)]

    expected = everything()
    monkeypatch.setattr("markov_cli.text.vocabulary._COPY_BYTES", limit)
    monkeypatch.setattr("markov_cli.text.vocabulary._LONG", limit // 2)
    monkeypatch.setattr("markov_cli.formats.ngram_counts._BYTES", limit)
    monkeypatch.setattr("markov_cli.formats.markovify._STATES", limit)
    monkeypatch.setattr("markov_cli.generation.constraints._CHECKED_BYTES", limit)
    assert everything() == expected


def test_a_batch_of_texts_is_as_large_as_its_texts_allow(monkeypatch, opened, base):
    """The header says how long texts are, and so how many are drawn side by side: memory must not follow it."""
    model = opened(written({**base.head, "tokens": 1, "sequences": 10**6}, base.arrays))
    expected = [t.text for t in model.generate(60, 1)]
    monkeypatch.setattr("markov_cli.sampling.sampler._MOST_TOKENS", 90)
    widths, run = [], type(model_sampler(model))._run

    def counted(self, numbers, attempt, begin, which, *rest):
        widths.append(len(which))
        return run(self, numbers, attempt, begin, which, *rest)

    monkeypatch.setattr("markov_cli.sampling.sampler.Sampler._run", counted)
    assert [t.text for t in model.generate(60, 1)] == expected
    assert widths[0] == 60 and 1 < min(widths) < 10


def model_sampler(model):
    from markov_cli.generation.samplers import sampler_of
    from markov_cli.sampling.shape import Shape

    return sampler_of(model.language_model, Shape(), None)


def test_types_that_share_their_bytes(opened, base):
    """Each type the whole vocabulary: names and hashes of all types would take the square of the file."""
    n = len(base.arrays["vocab_bytes"])
    offsets = base.arrays["vocab_offsets"].copy()
    offsets[3::2], offsets[4::2] = 0, n
    offsets[-1] = n
    model = opened(written(base.head, {**base.arrays, "vocab_offsets": offsets}))
    for call in (model.vocabulary.types, lambda: model.vocabulary.find("é".encode(), ignore_case=True),
                 lambda: markov_cli.export_counts(model, io.BytesIO())):  # fmt: skip
        with pytest.raises(ModelFileError, match="outside itself"):
            call()


# ------------------------------------------------------------ rows and sums


def test_followers_of_many_histories_are_at_most_all_rows(opened, base):
    """Every other history has all rows as its followers; what puts them side by side says so."""
    first = base.arrays["first_2"].copy()
    first[::2], first[1::2] = 0, first[-1]
    first[-1] = base.arrays["first_2"][-1]
    model = opened(written(base.head, {**base.arrays, "first_2": first}))
    rows = np.flatnonzero(first[1:] >= first[:-1])
    with pytest.raises(ModelFileError, match="share followers"):
        model.table.followers_of_each(2, rows)
    low, high = model.table.followers(2, np.repeat(rows[:1], 9))  # one history asked for often is no lie
    assert len(low) == 9 and (high >= low).all()


@pytest.mark.parametrize("method", ["laplace", "kn", "lidstone:0.1", "abs", "wb"])
def test_a_sum_that_the_types_do_not_reach(opened, base, method):
    """Case 4533 of seed 2: draws that went beyond the last type were made again a hundred times for each token."""
    name = "left_1" if method == "kn" else "count_1"
    sums = base.arrays[f"{name}_sums"].astype("<u8")
    sums[-1] = 2**61
    model = opened(written(base.head, {**base.arrays, f"{name}_sums": sums}))
    with pytest.raises(ModelFileError, match="do not add up"):
        [*model.generate(1, 1, smoothing=method)]


def test_rows_that_open_a_sequence_outside_the_table(opened, base):
    first = base.arrays["first_1"].copy()
    first[1] = first[-1]
    first[2] = 0
    model = opened(written(base.head, {**base.arrays, "first_1": first}))
    with pytest.raises(ModelFileError, match="followers outside the table"):
        model.table.opened_by_bos()


def test_a_guard_whose_buckets_never_end(monkeypatch):
    monkeypatch.setattr("markov_cli.model.fingerprints._MOST_ROUNDS", 3)
    full = Guard(4, 8, 200, np.zeros(25, "<u8"), np.full(8, 2**64 - 1, "<u8"), np.zeros(2, "<u8"))
    with pytest.raises(ModelFileError, match="not evenly spread"):
        full.seen(np.arange(1, 50, dtype=np.uint64) << np.uint64(56))


def test_verify_sees_characters_that_are_no_utf8(opened, tmp_path):
    """A case of seed 9001: two bytes that begin a character and do not end it have the right length each."""
    chars = bases._base("chars", saved(model_of("abc abd é", tokenizer="chars")), tmp_path)
    blob = chars.arrays["vocab_bytes"].copy()
    blob[np.flatnonzero(blob == 0xC3) + 1] = 0x41
    assert damage(opened(written(chars.head, {**chars.arrays, "vocab_bytes": blob})).file) == [
        "vocab_offsets: a type of a model of chars that is not one"
    ]


def test_followers_whose_probability_is_0_are_shown(capsys):
    """Case 3472 of seed 515151: weighted counts so small that every probability of a history was rounded to 0."""
    from markov_cli.inspecting.followers import Follower, Followers
    from markov_cli.render.inspect import show_history

    show_history([Followers(["a"], 1, 1e308, 1, [Follower("b", 1e-300, 0.0)])])
    assert "0.0000" in capsys.readouterr().out


def test_real_counts_may_add_up_to_a_sum_that_differs_in_its_last_digits():
    """Case 306 of seed 777002: `--verify` finds no damage, so smoothing must not."""
    values = np.random.default_rng(1).random(1000)
    counts = Reals.pack(values)
    one_by_one = functools.reduce(operator.add, values.tolist())  # `sum` is exact from Python 3.12 on
    assert one_by_one != counts.total == pytest.approx(values.sum(), rel=1e-12)
    _check_total(counts)
    with pytest.raises(ModelFileError, match="do not add up"):
        _check_total(Reals(values + 1e-3, counts.sums))


def test_real_counts_without_a_finite_sum_are_damage():
    with pytest.raises(ModelFileError, match="the sum of the counts is too large for a number"):
        Reals.pack(np.full(3, 1e308))
