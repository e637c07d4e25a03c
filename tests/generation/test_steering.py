"""Steering: mixtures against enumeration, words that are banned, quotes that close, texts that differ, streams."""

import json
import math
import re
import signal
import subprocess
from collections import Counter

import numpy as np
import pytest

from engine import model_of, rows_of
from helpers import MARKOV, chi_squared, posix, run_of
from markov_cli import Constraints
from markov_cli.api.mixed import Mixed
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import AnswerIsNo, OptionError
from markov_cli.generation.brackets import balanced
from markov_cli.generation.prompt import tokens_of, tokens_of_each
from markov_cli.generation.request import Request
from markov_cli.generation.run import Run
from markov_cli.model.distribution import full_distribution
from markov_cli.sampling import automata
from markov_cli.sampling.automata import ANY, DEAD
from markov_cli.sampling.random_stream import RandomStream
from markov_cli.sampling.shape import Shape, shaped_weights
from markov_cli.text.types import BOS, EOS, N_MARKERS, UNK

CATS = """the cat sat
the cat ate the fish
a cat sat on the mat, a cat"""
DOGS = """the dog sat
a dog ate the cat
the cat on a dog ran"""
W = (0.7, 0.3)


def train(text, order=3, **options):
    return as_model(model_of(text, order, unit="line", **options))


@pytest.fixture(scope="module")
def pair():
    """Two models: what one knows and the other does not is on both sides."""
    return [train(CATS), train(DOGS)]


# ------------------------------------------------------------ mixtures


class Oracle:
    """One model over (token, flags), from dictionaries of n-grams."""

    def __init__(self, model):
        self.model = model
        t = model.vocabulary.types()
        self.type_of = {i: t.bytes_of(i - N_MARKERS) for i in range(N_MARKERS, model.table.n_ids)}
        self.id_of = {one: i for i, one in self.type_of.items()}
        self.followers = {}
        for k, grams in enumerate(rows_of(model.table)):
            for gram, count in grams.items():
                if count and gram[-1] != UNK and (k or gram[-1] != BOS):
                    self.followers.setdefault(gram[:-1], {})[gram[-1]] = count

    def ids(self, text):
        return [BOS, *(self.id_of.get(token, UNK) for token in text)]

    def p(self, text, smoothing="none"):
        """{(token, flags), None for the end: probability} behind a text."""
        ids = self.ids(text)
        if smoothing == "none":
            before = tuple(ids[max(len(ids) - self.model.order + 1, 0) :])
            while before not in self.followers:
                before = before[1:]
            total = sum(self.followers[before].values())
            found = {i: c / total for i, c in self.followers[before].items()}
        else:
            p = full_distribution(self.model.distribution(smoothing), *self.model.table.find(ids))
            found = {i: x / (1 - p[UNK]) for i, x in enumerate(p.tolist()) if x and i != UNK}
        return {self.type_of.get(i): x for i, x in found.items()}


def mixture_of(oracles, mix, text, smoothing):
    out = Counter()
    for one, w in zip(oracles, mix, strict=True):
        for token, p in one.p(text, smoothing).items() if w else ():
            out[token] += w * p
    return out


def walker_of(models, mix=W, prompt="", smoothing="none", shape=None):
    mixed = Mixed(models, mix, ["a", "b"]).mixed_model
    known, each = mixed.known(prompt, at_start=True)
    return mixed, known, mixed.walker(each, smoothing, shape or Shape())


def drawn_texts(models, n, smoothing="none", shape=None, mix=W, prompt="", asked=None, most=30):
    mixed = Mixed(models, mix, ["a", "b"]).mixed_model
    request = Request(
        n, 5, prompt, max_tokens=most, shape=shape or Shape(), smoothing=smoothing, constraints=asked or Constraints()
    )
    out = []
    for batch in Run(mixed, request).batches():
        drawn = batch.samples
        ids = np.split(drawn.ids, np.cumsum(drawn.length)[:-1])
        texts = [text.decode() for text in batch.each()]
        out += list(zip(ids, drawn.bits.tolist(), drawn.complete.tolist(), texts, strict=True))
    return mixed, out


def types_of(mixed, ids):
    t = mixed.vocabulary.types()
    return [t.bytes_of(int(i) - N_MARKERS) for i in ids]


@pytest.mark.parametrize("mix", [W, (0.0, 1.0), (0.5, 0.5)], ids=str)
@pytest.mark.parametrize("smoothing", ["none", "kn", "laplace"])
@pytest.mark.parametrize("more", [{}, {"min_type_count": 2}], ids=["whole", "rare types"])
def test_every_step_is_the_weighted_sum(smoothing, mix, more):
    """Behind many texts, tokens of the other model in them: frequencies and bits, by the formula."""
    models = [train(CATS, **more), train(DOGS, 2, **more)]
    oracles = [Oracle(m) for m in models]
    mixed, _, walker = walker_of(models, mix, smoothing=smoothing)
    union = {one: i for i, one in enumerate(types_of(mixed, range(N_MARKERS, len(mixed.vocabulary))), N_MARKERS)}
    n = 2_000
    texts = [[], ["the"], ["the", "cat"], ["a", "dog", "cat"], ["dog", "mat"], ["the", "cat", "sat", "on", "the"]]
    for text in texts:
        flagged = [(w.encode(), 0) for w in text]
        if any(t not in union for t in flagged):
            continue
        state = walker.begin(n)
        for token in flagged:
            ids = np.full(n, union[token])
            after = [o.after(state[2 * k], state[2 * k + 1], o.own[ids]) for k, o in enumerate(walker.components)]
            state = tuple(column for pair in after for column in pair)
        token, bits, *_ = walker.step(0, state, RandomStream(3).raw(0, 0, n))
        told = {union.get(t, EOS): p for t, p in mixture_of(oracles, mix, flagged, smoothing).items()}
        assert sum(told.values()) == pytest.approx(1)
        assert set(token.tolist()) <= set(told)
        assert abs(chi_squared(Counter(token.tolist()), told, n)) < 4
        np.testing.assert_allclose(2.0**-bits, [told[i] for i in token.tolist()], rtol=1e-9)


@pytest.mark.parametrize("smoothing", ["none", "wb"])
def test_whole_texts_have_the_bits_of_the_formula(pair, smoothing):
    oracles = [Oracle(m) for m in pair]
    mixed, texts = drawn_texts(pair, 200, smoothing, most=8)
    assert {complete for _, _, complete, _ in texts} == {True, False}
    for ids, bits, complete, _ in texts:
        tokens = types_of(mixed, ids)
        steps = [*range(len(tokens)), *([len(tokens)] if complete else [])]
        p = [mixture_of(oracles, W, tokens[:t], smoothing)[(*tokens, None)[t]] for t in steps]
        assert bits == pytest.approx(-sum(map(math.log2, p)), abs=1e-9)


def test_texts_are_distributed_as_enumerated(pair):
    oracles = [Oracle(m) for m in pair]
    told, todo = {}, [((), 1.0)]
    while todo:
        text, p = todo.pop()
        for token, q in mixture_of(oracles, W, text, "none").items():
            if token is None:
                told[text] = p * q
            elif p * q > 1e-6:
                todo.append(((*text, token), p * q))
    told[()] = 1 - sum(told.values())  # the very improbable ones together
    assert told[()] < 0.07
    mixed, texts = drawn_texts(pair, 5_000, most=200)
    seen = Counter(tuple(types_of(mixed, ids)) for ids, *_ in texts)
    seen[()] = sum(n for text, n in seen.items() if text not in told)
    assert abs(chi_squared(seen, told, 5_000)) < 4
    both = [t for _, _, _, t in texts if "dog" in t and "fish" in t]
    assert both  # neither text has both


@pytest.mark.parametrize("shape", [{"temperature": 0.5}, {"top_k": 2}, {"top_p": 0.7, "temperature": 2.0}], ids=str)
@pytest.mark.parametrize("smoothing", ["none", "kn"])
def test_it_is_the_sum_that_is_bent(pair, smoothing, shape):
    oracles = [Oracle(m) for m in pair]
    mixed, _, walker = walker_of(pair, smoothing=smoothing, shape=Shape(**shape))
    n = 2_000
    token, bits, *_ = walker.step(0, walker.begin(n), RandomStream(3).raw(0, 0, n))
    union = {one: i for i, one in enumerate(types_of(mixed, range(N_MARKERS, len(mixed.vocabulary))), N_MARKERS)}
    plain = sorted((union.get(t, EOS), p) for t, p in mixture_of(oracles, W, [], smoothing).items())
    w = shaped_weights(np.array([p for _, p in plain]), np.array([len(plain)]), Shape(**shape))
    told = {i: x / w.sum() for (i, _), x in zip(plain, w.tolist(), strict=True) if x}
    assert set(token.tolist()) <= set(told)
    assert abs(chi_squared(Counter(token.tolist()), told, n)) < 4
    np.testing.assert_allclose(2.0**-bits, [told[i] for i in token.tolist()], rtol=1e-6)


def test_a_prompt_that_one_model_knows(pair):
    _, texts = drawn_texts(pair, 50, prompt="a mat")
    assert all(t.startswith("a mat") for *_, t in texts)
    _, texts = drawn_texts(pair, 50, prompt="mat")
    assert len({t for *_, t in texts}) > 5


def test_constraints_on_a_mixture(pair):
    _, texts = drawn_texts(pair, 100, asked=Constraints(contains=["fish", "dog"]))
    assert len(texts) == 100 and all("fish" in t and "dog" in t for *_, t in texts)


def test_one_model_mixed_with_itself_is_itself(pair):
    a = pair[0]
    told = {t.text: 2.0**-t.bits for t in a.generate(2_000, 3)}
    _, texts = drawn_texts([a, a], 2_000, most=1000)
    for _, bits, _, text in texts:
        if text in told:
            assert bits == pytest.approx(-math.log2(told[text]))


def test_models_that_read_text_otherwise():
    with pytest.raises(OptionError, match="lowercase"):
        Mixed([train(CATS), train(CATS, lowercase=True)], W, ["a", "b"])


# ------------------------------------------------------------ banned words


def test_avoiding_many_phrases():
    rng = np.random.default_rng(1)
    phrases = [[frozenset({int(i)}) for i in rng.integers(3, 9, n)] for n in (1, 2, 2, 3, 3, 4)]
    one = automata.avoiding(phrases)
    other = automata.product([automata.complement(automata.pattern([ANY, *p, ANY])) for p in phrases])
    assert len(one) == len(other)
    for ids in rng.integers(3, 10, (500, 6)).tolist():
        assert (one.after(ids) == DEAD) == (other.after(ids) == DEAD)
        plain = any(
            all(ids[k + j] in p[j] for j in range(len(p))) for p in phrases for k in range(len(ids) - len(p) + 1)
        )
        assert (one.after(ids) == DEAD) == plain


@pytest.mark.parametrize("smoothing", [None, "kn"])
def test_banned_words_never_come(pair, smoothing):
    asked = Constraints(ban=["cat", "the dog", "horse"])
    texts = [t.text for t in train(CATS + "\n" + DOGS).generate(200, 1, constraints=asked, smoothing=smoothing)]
    assert len(texts) == 200
    assert not [t for t in texts if re.search(r"\bcat\b|\bthe dog\b", t)]
    assert any("dog" in t for t in texts)


def test_a_ban_is_exact():
    """Distributed as the texts of the model without the word are."""
    model = train(CATS)
    p = {t.text: 2.0**-t.bits for t in model.generate(5_000, 9) if "mat" not in t.text}
    texts = [t.text for t in model.generate(2_000, 1, constraints=Constraints(ban=["mat"]))]
    told = {text: q / sum(p.values()) for text, q in p.items()}
    assert abs(chi_squared(Counter(texts), told, 2_000)) < 4


def test_a_thousand_words_in_one_walk(harbour, pair):
    model = as_model(model_of(harbour, 3))
    words = [model.vocabulary.text_of(i) for i in range(60, 1_000)]
    texts = [t.text for t in model.generate(20, 1, constraints=Constraints(ban=words))]
    strange = set(words)
    assert len(texts) == 20
    assert not [w for t in texts for w in re.findall(r"\w+", t) if w in strange]


def test_nothing_is_left():
    with pytest.raises(AnswerIsNo, match=r"^--ban with 2 lines: no text of the model can meet it$"):
        list(train(CATS).generate(1, 1, constraints=Constraints(ban=["the", "a"])))


# ------------------------------------------------------------ quotes that close


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("", True), ("plain", True), ("(a [b] {c})", True), ("(a [b) c]", False), (")(", False),
        ("“Yes,” he said, “no.”", True), ("“Yes, he said.", False), ("Yes,” he said.", False),
        ("“He said ‘yes’ to it.”", True), ("“He said ‘yes” to it.’", False), ("don’t, the dogs’ own", True),
        ("‘don’t’", True), ("‘don’t", False), ("'tis the dogs'", True),
        ('He said "yes".', True), ('He said "yes.', False), ('yes" he said', False), ('("a") "b"', True),
        ('"a "b"', False), ("„Ja“, sagte er", True), ("„Ja”", True), ("»Ja«", True), ("«Oui»", True), ("«Oui", False),
        ("「は『い』」", True), ("「は", False),
    ],
)  # fmt: skip
def test_balance(text, closes):
    assert balanced(text) == closes


@pytest.mark.parametrize("smoothing", [None, "kn"])
def test_balanced_texts(harbour, smoothing):
    model = as_model(model_of(harbour, 3))
    free = [t.text for t in model.generate(100, 1, smoothing=smoothing)]
    texts = [t.text for t in model.generate(100, 1, constraints=Constraints(balanced=True), smoothing=smoothing)]
    assert not all(map(balanced, free))
    assert len(texts) == 100 and all(map(balanced, texts))
    assert any('"' in t for t in texts)


def test_which_of_what_is_tried_is_the_reason(harbour):
    model = as_model(model_of(harbour, 3))
    asked = Constraints(balanced=True, match="never so", tokens=(5, 5))
    run = run_of(model, seed=1, constraints=asked)
    assert list(run.texts()) == []
    assert re.fullmatch(
        r"the others did not come in 1,000 tries each; turned away were by --match 'never so' 1,000, by --balanced \d+",
        run.constrained.why_fewer,
    )


def test_balanced_beside_what_is_calculated(harbour):
    asked = Constraints(balanced=True, contains=["clock"], tokens=(10, 20))
    texts = list(as_model(model_of(harbour, 3)).generate(50, 1, constraints=asked))
    assert len(texts) == 50
    assert all("clock" in t.text and 10 <= t.tokens <= 20 and balanced(t.text) for t in texts)


# ------------------------------------------------------------ all constraints on smoothed models


@pytest.mark.parametrize("smoothing", ["kn", "wb", "abs", "laplace", "lidstone:0.1"])
def test_all_constraints_hold_on_smoothed_models(smoothing):
    model = train(CATS + "\n" + DOGS)
    asked = [
        (Constraints(contains=["cat", "dog"]), lambda t: "cat" in t and "dog" in t),
        (Constraints(contains=["cat", "dog"], in_order=True), lambda t: re.search(r"\bcat\b.*\bdog\b", t)),
        (Constraints(starts_with="the cat"), lambda t: t.startswith("the cat")),
        (Constraints(ends_with="dog"), lambda t: t.endswith("dog")),
        (Constraints(tokens=(4, 5)), lambda t: 4 <= len(re.findall(r"\w+|,", t)) <= 5),
        (Constraints(characters=(10, 20)), lambda t: 10 <= len(t) <= 20),
        (Constraints(without=["cat"]), lambda t: not re.search(r"\bcat\b", t)),
        (Constraints(match="o.*o"), lambda t: re.search("o.*o", t)),
        (Constraints(pattern="the _ sat *"), lambda t: re.match(r"the \w+ sat\b", t)),
    ]
    for constraints, holds in asked:
        texts = list(model.generate(5, 1, constraints=constraints, smoothing=smoothing))
        assert len(texts) == 5, constraints
        assert all(holds(t.text) and t.complete and t.conditioned_bits is None for t in texts), constraints


# ------------------------------------------------------------ no two alike


def test_the_first_of_equal_texts_are_kept(monkeypatch):
    model = train(CATS)
    first = []
    for t in model.generate(3_000, 4):
        if t.text not in [x.text for x in first]:
            first.append(t)
    for count in (3, 7, 8):
        for round_size in (1 << 16, 5):
            monkeypatch.setattr("markov_cli.generation.unique._ROUND", round_size)
            some = list(model.generate(count, 4, unique=True))
            assert [(t.text, t.index, t.bits) for t in some] == [(t.text, t.index, t.bits) for t in first[:count]]


def test_when_there_are_no_more():
    model = train("a b\na c")
    run = run_of(model, count=5, seed=1, max_tokens=9, unique=True)
    assert sorted(text.text for text in run.texts()) == ["a b", "a c"]
    assert run.closing_notes() == ["2 of 5 texts: 10,500 draws gave no more that differ"]


def test_unique_beside_constraints():
    some = list(train(CATS).generate(5, 1, unique=True, constraints=Constraints(contains=["cat"])))
    assert len({t.text for t in some}) == 5 and all("cat" in t.text for t in some)


# ------------------------------------------------------------ the program


@pytest.fixture(scope="module")
def folder(tmp_path_factory, corpora):
    here = tmp_path_factory.mktemp("steering")
    train(CATS).save(here / "cats.npz")
    train(DOGS).save(here / "dogs.npz")
    as_model(model_of((corpora / "harbour.txt").read_text(), 3)).save(here / "harbour.npz")
    train(CATS, tokenizer="chars").save(here / "chars.npz")
    return here


def test_mix(run, folder):
    args = ["generate", folder / "cats.npz", "--model", folder / "dogs.npz", "--mix", "0.7,0.3", "-s", "1"]
    assert args[4] == "--mix"
    ran = run(*args, "-c", "40", "--json")
    assert ran.code == 0 and ran.stderr == ""
    texts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert set(texts[0]) == {"text", "tokens", "bits", "complete", "seed", "index"}
    assert [t["index"] for t in texts] == list(range(40))
    assert run(*args, "-c", "7").stdout.splitlines() == [t["text"] for t in texts[:7]]  # whatever the count
    even = run("generate", folder / "cats.npz", "--model", folder / "dogs.npz", "-c", "9", "-s", "1").stdout
    assert even == run(*args[:5], "2,2", "-c", "9", "-s", "1").stdout
    cut = run(*args, "-c", "9", "--max-tokens", "2", "--json")
    assert all(json.loads(line)["tokens"] <= 2 for line in cut.stdout.splitlines())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--mix", "0.5,0.5"], "--mix: one model is no mixture"),
        (["--model", "dogs.npz", "--mix", "1"], "1 weights for 2 models"),
        (["--model", "dogs.npz", "--mix", "-1,2"], "no weight below 0"),
        (["--model", "chars.npz"], "cats.npz has tokenizer words, chars.npz chars"),
        (["--stream", "--contains", "cat"], "--stream with constraints"),
        (["--stream", "--unique"], "--stream with --unique"),
        (["--stream", "--min-tokens", "3"], "--stream with --min-tokens"),
        (["--ban", "/dev/null"], "no word in it"),
    ],
)
def test_wrong_usage(run, folder, more, said):
    ran = run("generate", "cats.npz", *more, cwd=folder)
    assert ran.code == 2 and ran.stdout == "" and len(ran.stderr.splitlines()) == 2
    assert said in ran.stderr


def test_ban_file(run, folder):
    (folder / "ban.txt").write_text("\ufeffmat\r\n\n  the fish \nhorse\n", encoding="utf-8")
    ran = run("generate", folder / "cats.npz", "--ban", folder / "ban.txt", "-c", "50", "-s", "1")
    assert ran.code == 0
    assert ran.stderr == "--ban: 1 of the words stand in no text anyway: the model does not know them\n"
    assert not [t for t in ran.stdout.splitlines() if re.search(r"\bmat\b|the fish", t)]
    assert run("generate", folder / "cats.npz", "--ban", "-", "-s", "1", stdin="the\na\n").code == 3
    (folder / "bad.txt").write_bytes(b"cat\n\xff\n")
    ran = run("generate", folder / "cats.npz", "--ban", folder / "bad.txt")
    assert ran.code == 1 and "byte 4 is no UTF-8" in ran.stderr
    assert run("generate", folder / "cats.npz", "--ban", folder / "none.txt").code == 1


def test_unique_says_when_there_are_fewer(run, folder):
    ran = run("generate", folder / "cats.npz", "--unique", "--tokens", "3", "-c", "200", "-s", "1")
    texts = ran.stdout.splitlines()
    assert ran.code == 3
    assert len(texts) == len(set(texts)) < 200
    assert ran.stderr == f"{len(texts)} of 200 texts: 30,000 draws gave no more that differ\n"


def test_the_rate_of_balanced_texts_is_told(run, folder):
    ran = run("generate", folder / "harbour.npz", "--balanced", "-c", "20", "-s", "1")
    assert ran.code == 0 and len(ran.stdout.splitlines()) == 20
    assert re.fullmatch(r"20 of \d+ tries kept \(\d+\.\d\d%\)\n", ran.stderr)


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("chars.npz", []),
        ("harbour.npz", ["--smoothing", "kn", "--temperature", "0.7"]),
        ("harbour.npz", ["--prompt", "the"]),
    ],
)
def test_a_stream_is_the_texts_of_the_seed(run, folder, model, more):
    args = ["generate", folder / model, "-c", "5", "-s", "2", *more]
    assert run(*args, "--stream").stdout == run(*args).stdout


def test_a_stream_of_tokens(run, folder):
    args = ["generate", folder / "cats.npz", "--model", folder / "dogs.npz", "-s", "2", "--stream"]
    ran = run(*args, "--json", "--max-tokens", "40")
    tokens = [json.loads(line) for line in ran.stdout.splitlines()]
    assert sum("marker" not in t for t in tokens) == 40
    texts = [json.loads(t) for t in run(*args[:-1], "-c", "3", "--json").stdout.splitlines()]
    for i, text in enumerate(texts):
        assert sum(t["bits"] for t in tokens if t["index"] == i) == pytest.approx(text["bits"], abs=1e-4)


@posix
@pytest.mark.parametrize("how", ["interrupt", "close"])
def test_a_stream_ends_when_it_is_stopped(folder, how):
    one = subprocess.Popen(
        [*MARKOV, "generate", folder / "cats.npz", "-s", "1", "--stream"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    for _ in range(100):  # written as they are drawn, and without end
        assert one.stdout.readline().strip()
    if how == "interrupt":
        one.send_signal(signal.SIGINT)
    one.stdout.close() if how == "close" else one.stdout.read()
    assert one.wait(20) == (130 if how == "interrupt" else 0)
    said = one.stderr.read()
    assert b"Traceback" not in said and (said == b"") == (how == "close")
    one.stderr.close()
    one.stdout.close()


@pytest.mark.parametrize("options", [{}, {"tokenizer": "spaces"}, {"lowercase": True}, {"tokenizer": "chars"}], ids=str)
def test_many_texts_are_tokenized_as_each_alone(options, harbour):
    texts = [line for line in harbour.splitlines() if line] + [
        "don't",
        "a, b",
        "3.5",
        "Möwe",
        "…",
        "\ufeff",
        "a\udc80b",
    ]
    text_options = train(CATS, **options).header.options
    alone = [[token for token, _ in tokens_of(text, text_options)] for text in texts]
    assert tokens_of_each(texts, text_options) == [one for one in alone if one]
