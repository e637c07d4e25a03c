"""Scoring texts: totals equal the oracle's and KenLM's `query`, in blocks, rows and documents of any size."""

import math
import shutil
import subprocess
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
import oracle_smoothing as oracle
import strategies
from conftest import PEERS, TIMEOUT_S, examples
from markov_cli.api.convert import export_arpa
from markov_cli.api.importing import import_arpa
from markov_cli.api.model import Model
from markov_cli.api.train import model_of, train
from markov_cli.arrays.threads import ordered_map
from markov_cli.errors import MarkovError, NeedsCounts, TextError
from markov_cli.scoring.documents import Documents
from markov_cli.scoring.text_totals import Reading, Units, total
from markov_cli.text import documents, json_lines, reading
from markov_cli.text import lines as text_lines
from markov_cli.text.record_format import record_format
from scoring_helpers import BOS, EOS, UNK, model, read, source


def same(a, b):
    """Compare totals; sums of bits only to 12 digits, for their order may differ."""
    for name in a.__dataclass_fields__:
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-12), name


def joined(units):
    """Several `Units` as one."""
    columns = [np.concatenate([getattr(u, f) for u in units]) for f in ("tokens", "oov", "bits", "zero", "longest")]
    return Units(*columns, [t for u in units for t in u.texts])


# ------------------------------------------------------------ the oracle


def ids_of(trained, text, **options):
    """A text as sequences of the model's ids."""
    types = engine.types_of(trained)
    number = {t: i + 3 for i, t in enumerate(types)}
    return [[number.get(t, UNK) for t in s] for s in engine.sequences(text, **options)]


SMOOTHING = {"kn": "kn", "wb": "wb", "abs:0.75": "abs", "lidstone:0.5": "lidstone", "none": "none", "stupid": "stupid"}


@pytest.mark.parametrize("smoothing", SMOOTHING)
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_totals_equal_the_oracle(smoothing, order, messages):
    """Also the probability and the longest n-gram of every token."""
    training, held_out = messages[:1500], messages[1500:2500]
    options = {"tokenizer": "words", "unit": "line"}
    trained = engine.model_of(training, order=order, **options)
    known = ids_of(trained, training, **options)
    wanted = ids_of(trained, held_out, **options)
    more = {"abs:0.75": {"discounts": 0.75}, "lidstone:0.5": {"amount": 0.5}}.get(smoothing, {})
    plain = oracle.Smoothed(known, order, len(trained.types) + 3, SMOOTHING[smoothing], number=float, **more)
    ngrams = {
        g[i:j] for s in known for g in [(BOS, *s, EOS)] for i in range(len(g)) for j in range(i + 1, i + order + 1)
    }
    p, oov, longest = [], [], []
    for s in wanted:
        padded = (BOS, *s, EOS)
        for i in range(1, len(padded)):
            p.append(plain.p(padded[:i], padded[i]))
            oov.append(padded[i] == UNK)
            found = [k for k in range(1, min(i + 1, order) + 1) if padded[i + 1 - k : i + 1] in ngrams]
            longest.append(max(found, default=1))
    totals, _, tokens = read(model_of(trained).predictor(smoothing), held_out)
    assert np.concatenate([t.p for t in tokens]) == pytest.approx(p, rel=1e-9)
    assert np.concatenate([t.longest for t in tokens]).tolist() == longest
    zero = [x == 0 for x in p]
    assert (totals.tokens, totals.oov, totals.sequences) == (len(p), sum(oov), len(wanted))
    assert (totals.zero, totals.oov_zero) == (sum(zero), sum(z and o for z, o in zip(zero, oov, strict=True)))
    bits = sum(-math.log2(x) for x in p if x)
    assert totals.bits == pytest.approx(bits, rel=1e-9)
    assert totals.perplexity == (math.inf if any(zero) else pytest.approx(2 ** (bits / len(p)), rel=1e-9))
    if not totals.zero:
        known_bits = sum(-math.log2(x) for x, o in zip(p, oov, strict=True) if not o)
        assert totals.perplexity_without_oov == pytest.approx(2 ** (known_bits / (len(p) - sum(oov))), rel=1e-9)
        assert totals.bits_per_byte == pytest.approx(bits / len(held_out.encode()), rel=1e-9)
        assert totals.log10_probability == pytest.approx(sum(math.log10(x) for x in p), rel=1e-9)


def test_totals_of_a_text_by_hand():
    # a b. a c.: after a, b and c have 1/2 each; all else is certain: 1 bit for 4 tokens
    found = train(texts=["a b. a c."]).score(texts=["a b."], smoothing="none")
    assert (found.tokens, found.oov, found.sequences, found.bits, found.text_bytes) == (4, 0, 1, 1.0, 4)
    assert found.perplexity == 2**0.25
    assert found.bits_per_byte == 0.25
    # d is no type and has probability 0: only figures without OOV are finite
    found = train(texts=["a b. a c."]).score(texts=["a d."], smoothing="none")
    assert (found.tokens, found.oov, found.zero_probability) == (4, 1, 1)
    assert found.perplexity == math.inf and math.isfinite(found.perplexity_without_oov)
    assert (found.perplexity, found.bits_per_token, found.log10_probability) == (math.inf, math.inf, -math.inf)
    assert found.perplexity_without_oov > 0


QUERY = shutil.which("query") if PEERS else None
LMPLZ = shutil.which("lmplz") if PEERS else None


@pytest.mark.skipif(QUERY is None or LMPLZ is None, reason="make peers runs this, where lmplz and query are on PATH")
@pytest.mark.parametrize("order", [2, 3, 5])
def test_perplexity_equals_query(order, harbour, tmp_path):
    """Trained on two lines of three; every third is held out."""
    lines = [line for line in harbour.split("\n") if line.strip()]
    learned = "".join(line + "\n" for i, line in enumerate(lines) if i % 3 != 2)
    held_out = "".join(line + "\n" for i, line in enumerate(lines) if i % 3 == 2)
    command = [LMPLZ, "-o", str(order), "--discount_fallback", "-S", "200M", "--vocab_estimate", "10000"]
    arpa = subprocess.run(command, input=learned.encode(), capture_output=True, check=True, timeout=TIMEOUT_S).stdout
    (tmp_path / "k.arpa").write_bytes(arpa)
    done = subprocess.run(
        [QUERY, "-v", "summary", tmp_path / "k.arpa"],
        input=held_out.encode(),
        capture_output=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    said = dict(line.split(":\t") for line in done.stdout.decode().splitlines() if ":\t" in line)
    found = train(texts=[learned], order=order, tokenizer="spaces", unit="line").score(texts=[held_out])
    assert (found.oov, found.tokens) == (int(said["OOVs"]), int(said["Tokens"]))
    assert found.perplexity == pytest.approx(float(said["Perplexity including OOVs"]), rel=1e-6)
    assert found.perplexity_without_oov == pytest.approx(float(said["Perplexity excluding OOVs"]), rel=1e-6)


# ------------------------------------------------------------ blocks, threads, documents


@examples(60)
@given(
    strategies.prose, strategies.texts, st.sampled_from(strategies.TOKENIZERS), st.sampled_from(strategies.UNITS),
    st.sampled_from(["kn", "lidstone", "stupid"]), st.integers(1, 4), st.integers(1, 20), st.integers(1, 30),
)  # fmt: skip
def test_blocks_and_threads_change_no_score(
    learned, text, tokenizer, unit, smoothing, order, stream_codes, block_bytes
):
    judge = model(learned + " a", order=order, tokenizer=tokenizer, unit=unit).predictor(smoothing)
    whole, units, tokens = read(judge, text, keep_text=True)
    parts, units_2, tokens_2 = read(judge, text, 1, stream_codes, block_bytes, keep_text=True)
    same(whole, parts)
    threads, _, _ = read(judge, text, 3, stream_codes, block_bytes)
    same(whole, threads)
    if not whole.tokens:
        return
    for name in ("ids", "longest"):
        a, b = (np.concatenate([getattr(t, name) for t in ts]) for ts in (tokens, tokens_2))
        assert a.tolist() == b.tolist()
    a, b = joined(units), joined(units_2)
    assert a.texts == b.texts
    for name in ("tokens", "oov", "zero", "longest"):
        assert getattr(a, name).tolist() == getattr(b, name).tolist()
    assert a.bits == pytest.approx(b.bits, rel=1e-12)
    # rows sum to the whole
    assert len(a) == len(a.texts) == whole.sequences
    assert (a.tokens.sum(), a.oov.sum(), a.zero.sum()) == (whole.tokens, whole.oov, whole.zero)
    assert a.bits.sum() == pytest.approx(whole.bits, rel=1e-12)
    assert a.longest.max() == max(int(t.longest.max()) for t in tokens if len(t.ids))


def test_preparing_changes_no_score(harbour, messages):
    judge = model(harbour, order=4).predictor("kn")
    before, _, _ = read(judge, messages, stream_codes=50)
    assert not judge._ready
    assert judge.due(1e9) and not judge.due(10)
    judge.prepare()
    assert not judge.due(1e9)
    after, _, _ = read(judge, messages, stream_codes=50)
    same(before, after)


@examples(60)
@given(
    strategies.prose, st.lists(strategies.texts, min_size=1, max_size=6), st.sampled_from(strategies.TOKENIZERS),
    st.sampled_from(strategies.UNITS), st.booleans(), st.booleans(),
)  # fmt: skip
def test_documents_are_scored_as_each_alone(learned, texts, tokenizer, unit, lowercase, are_lines):
    if are_lines:
        texts = [t.replace("\n", " ") for t in texts]
    texts = [t.replace("\r", " ") for t in texts]  # a CR before a newline would belong to the newline
    judge = model(learned + " a", tokenizer=tokenizer, unit=unit, lowercase=lowercase).predictor("kn")
    batch = [t.encode() for t in texts]
    ((own, (found,)),) = Documents([judge], jobs=1, are_lines=are_lines).score([(batch, "own")])
    assert own == "own" and found.texts == batch
    for i, text in enumerate(texts):
        alone, _, _ = read(judge, text)
        assert (found.tokens[i], found.oov[i], found.zero[i]) == (alone.tokens, alone.oov, alone.zero)
        assert found.bits[i] == pytest.approx(alone.bits, rel=1e-12)
        if alone.tokens:
            assert found.perplexity[i] == pytest.approx(alone.perplexity, rel=1e-12)
        else:
            assert np.isnan(found.perplexity[i])


def test_invalid_bytes_do_not_move_document_boundaries():
    judge = model("a b. c d.").predictor("kn")
    batch = [b"a \xff\xfe b.", b"c\xf0\x9f", b"", b"\xe2\x82 d.\n\nc"]
    ((_, (found,)),) = Documents([judge]).score([(batch, None)])
    # a U+FFFD b . </s>; c U+FFFD </s>; nothing; U+FFFD d . </s> c </s>
    assert found.tokens.tolist() == [read(judge, t)[0].tokens for t in batch]
    assert found.tokens[2] == 0


def test_batches_by_threads_come_in_order(harbour):
    def judges():  # new ones each time, so that both are prepared at the same batch
        return [model(harbour[:5000]).predictor("wb"), model(harbour[5000:9000], tokenizer="regex").predictor("kn")]

    texts = [line.encode() for line in harbour.split("\n")]
    batches = [(texts[i : i + 9], i) for i in range(0, len(texts), 9)]
    scorers = [Documents(judges(), jobs) for jobs in (1, 3)]
    one, many = (list(s.score(batches)) for s in scorers)
    assert all(predictor._ready for s in scorers for predictor in s.predictors)
    assert [i for i, _ in many] == [i for _, i in batches]
    for (_, a), (_, b) in zip(one, many, strict=True):
        assert [u.bits.tolist() for u in a] == [u.bits.tolist() for u in b]


@given(st.integers(1, 4), st.lists(st.integers(), max_size=30))
def test_ordered_map_keeps_the_order(jobs, items):
    assert list(ordered_map(lambda x: -x, items, jobs)) == [-x for x in items]


def test_ordered_map_raises_the_error_of_a_thread():
    def fail(x):
        raise TextError(f"{x}")

    with pytest.raises(TextError, match="7"):
        list(ordered_map(fail, [7, 8, 9], 3))


# ------------------------------------------------------------ refused


def test_texts_without_known_tokens_are_refused():
    one = train(texts=["a b."])
    with pytest.raises(TextError, match="no token in 3 bytes"):
        one.score(texts=[" \n\n"])
    with pytest.raises(TextError, match="no token"):
        total(Reading(one.predictor(), []))
    with pytest.raises(TextError, match="knows none of the 3 tokens"):
        one.score(texts=["x y z"])


def test_an_imported_model_has_no_other_smoothing(tmp_path):
    import io

    out = io.BytesIO()
    one = train(texts=["a b a c a b"], tokenizer="spaces", unit="line")
    export_arpa(one, out)
    (tmp_path / "m.arpa").write_bytes(out.getvalue())
    listed = import_arpa(tmp_path / "m.arpa")
    assert listed.score(texts=["a b d"]).bits == pytest.approx(one.score(texts=["a b d"]).bits, rel=1e-6)
    with pytest.raises(NeedsCounts):
        listed.distribution("kn")


# ------------------------------------------------------------ lines, JSON lines, damaged models


@given(st.lists(st.text("ab \r\té", max_size=9), max_size=12), st.booleans(), st.integers(1, 7))
def test_lines_are_those_of_the_text(wanted, newline, size):
    text = "\n".join(wanted) + "\n" * newline
    with mock.patch.object(json_lines, "_READ_BYTES", size):
        found = list(text_lines.read_lines([source(text)], "utf-8", reading.Repairs()))
    expected = text.split("\n")
    if not expected[-1]:
        expected.pop()  # nothing after the last newline is no line
    assert [line.decode() for part in found for line in part.lines] == expected
    firsts = np.cumsum([1] + [len(part.lines) for part in found])[:-1]
    assert [part.first for part in found] == firsts.tolist()


def test_json_lines_are_written_back_unchanged():
    def back(line, **keys):
        one = replace(source(""), data=line, records=record_format(jsonl="t"))
        (document,) = documents.Documents([one], "utf-8", reading.Repairs()).read()
        return documents.with_keys(document, keys, ("old",))

    # unchanged: order, spaces, numbers, an invalid byte
    assert back(b' {"t":"a" , "n":1.50,"n":1e400, "x":"\xff"} \r', p=1) == (
        b'{"t":"a" , "n":1.50,"n":1e400, "x":"\xff", "p": 1}'
    )
    assert back(b'{"t": "a", "p": 7}', p=1) == b'{"t": "a", "p": 1}'
    assert back(b'{"old": 2, "t": "a"}', p=1) == b'{"t": "a", "p": 1}'


@pytest.mark.parametrize("options", [{}, {"tokenizer": "chars", "unit": "line"}, {"prune": (0, 0, 1)}])
def test_a_damaged_model_gives_scores_or_an_error(options, harbour, tmp_path):
    import random

    path, draw = tmp_path / "m.npz", random.Random(7)
    train(texts=[harbour[:3000]], **options).save(path)
    whole = path.read_bytes()
    said = 0
    for _ in range(60):
        data = bytearray(whole)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data)
        try:
            with Model.load(path) as damaged:
                damaged.score(texts=[harbour[:300]], smoothing=draw.choice(["kn", "wb", "none", "stupid", "lidstone"]))
        except MarkovError as error:
            said += 1
            assert error.message and error.hint
    assert 0 < said < 60
