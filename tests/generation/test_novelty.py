"""--novel: no text shares a run with the training text, and the distribution is the documented one."""

import functools
import itertools
import json
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import markov_cli
from conftest import rarely
from engine import sequences
from helpers import run_of
from markov_cli import Constraints
from markov_cli.errors import AnswerIsNo, OptionError, TextError
from markov_cli.evidence.copying.shared_runs import Shared
from markov_cli.generation.novelty import Novelty
from markov_cli.text.reading import find_sources
from markov_cli.text.run_hashes import hash_tokens
from markov_cli.text.sources import sources_of


def stream(text, **how):
    """The tokens of all sequences of a text, as bytes."""
    return [token for one in sequences(text, **how) for token, _ in one]


def runs(tokens, k):
    return {tuple(tokens[i : i + k]) for i in range(len(tokens) - k + 1)}


def overlap(tokens, corpus):
    """The length of the longest shared run, in plain Python."""
    corpus = tuple(corpus)
    best = 0
    while best < len(tokens) and runs(tokens, best + 1) & corpus_runs(corpus, best + 1):
        best += 1
    return best


corpus_runs = functools.cache(runs)


def words_of(n, types, seed, end=5):
    """A random text of a few types in short lines, each ended by a full stop."""
    r = random.Random(seed)
    sentences = (" ".join(r.choices(types, k=r.randint(2, 2 * end))) for _ in range(n))
    return " .\n".join(sentences) + " ."


@pytest.fixture(scope="module")
def book(tmp_path_factory, harbour):
    path = tmp_path_factory.mktemp("novel") / "book.txt"
    path.write_text(harbour, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model(book):
    return markov_cli.train([book], order=3, guard=5)


# ------------------------------------------------------------ the guarantee


@pytest.mark.parametrize("novel", [4, 5, 8])
@pytest.mark.parametrize("smoothing", [None, "kn"])
def test_no_text_shares_a_run_with_the_corpus(book, harbour, model, novel, smoothing):
    corpus = stream(harbour)
    there = runs(corpus, novel)
    texts = [*model.generate(60, 1, novel=novel, corpus=[book], smoothing=smoothing)]
    assert len(texts) == 60
    for text in texts:
        tokens = stream(text.text)
        assert not runs(tokens, novel) & there, text.text
        assert text.overlap == overlap(tokens, corpus)


@pytest.mark.parametrize("novel", [5, *rarely(6, 9)])
def test_no_text_shares_a_run_with_the_guarded_text(harbour, model, novel):
    """A run longer than the guard's is checked as several consecutive runs."""
    corpus = stream(harbour)
    there = runs(corpus, novel)
    texts = [*model.generate(150, 1, novel=novel)]
    for text in texts:
        tokens = stream(text.text)
        assert not runs(tokens, novel) & there, text.text
        assert overlap(tokens, corpus) <= text.overlap < novel
    assert any(overlap(stream(t.text), corpus) == novel - 1 for t in texts)  # shorter runs are allowed


HOW = {
    "chars": {"tokenizer": "chars", "unit": "line", "order": 4},
    "bytes": {"tokenizer": "bytes", "unit": "line", "order": 4},
    "spaces": {"tokenizer": "spaces", "unit": "line", "order": 2},
    "regex": {"tokenizer": "regex", "unit": "line", "order": 2, "pattern": r"\w+|\s|[^\w\s]"},
    "lower": {"lowercase": True, "order": 2},
    "rare": {"min_type_count": 2, "order": 2},
    "pruned": {"prune": (0, 0, 1), "order": 3},
}


@pytest.mark.parametrize("how", HOW, ids=str)
@pytest.mark.parametrize("guarded", [False, True])
def test_no_text_shares_a_run_under_any_tokenizer(book, harbour, how, guarded):
    options = HOW[how]
    novel = options["order"] + 2
    plain = {k: v for k, v in options.items() if k in ("tokenizer", "pattern", "unit", "lowercase")}
    made = markov_cli.train([book], **options, guard=novel if guarded else 0)
    there = runs(stream(harbour, **plain), novel)
    if how in ("chars", "bytes") and not guarded:  # the raw text, with its newlines
        there = runs([*(harbour if how == "chars" else harbour.encode())], novel)
    texts = [*made.generate(100, 3, novel=novel, corpus=() if guarded else [book], max_tokens=60)]
    assert texts
    for text in texts:
        tokens = stream(text.raw if how == "bytes" else text.text, **plain)
        if how in ("chars", "bytes") and not guarded:
            tokens = [*(text.text if how == "chars" else text.raw)]
        assert not runs(tokens, novel) & there, text.text


def test_newlines_of_the_corpus_count_in_a_character_model(tmp_path):
    """A run across two lines counts with its newline."""
    (tmp_path / "a.txt").write_text("abc\ndef\nab\ncd\n" * 3, encoding="utf-8")
    made = markov_cli.train([tmp_path / "a.txt"], tokenizer="chars", unit="file", order=2)
    text = (tmp_path / "a.txt").read_text(encoding="utf-8")
    for one in made.generate(50, 1, novel=4, corpus=[tmp_path / "a.txt"], max_tokens=30):
        assert not any(one.text[i : i + 4] in text for i in range(len(one.text) - 3))


def test_runs_cross_sequences_and_files(tmp_path):
    (tmp_path / "a.txt").write_text("one two.\nthree four.", encoding="utf-8")
    (tmp_path / "b.txt").write_text("five six.", encoding="utf-8")
    made = markov_cli.train(texts=["x y"], order=1)
    files = find_sources([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")])
    asked = Novelty(made.language_model, made.known(""), 2, files)
    for run in ([b".", b"three"], [b"two", b"."], [b".", b"five"]):
        assert asked._worst(hash_tokens(run), np.array([2])).tolist() == [1]
    assert asked._worst(hash_tokens([b"two", b"three"]), np.array([2])).tolist() == [0]


def test_tokens_that_join_are_read_again(tmp_path):
    """`3` `.` `5` is written `3.5`, which is one token; the written text counts."""
    corpus = "w 3.5 x y z"
    joined = markov_cli.train(texts=["w 3 b.5"], order=1, unit="file")
    path = tmp_path / "a.txt"
    path.write_text(corpus, encoding="utf-8")
    there = runs(stream(corpus), 2)
    texts = [t.text for t in joined.generate(150, 2, novel=2, corpus=[path], max_tokens=5, min_tokens=2)]
    assert not any(runs(stream(t), 2) & there for t in texts)
    plain = [t.text for t in joined.generate(150, 2, max_tokens=5, min_tokens=2)]
    assert any("w 3.5" in t for t in plain)  # the corpus never has the ids `w` `3` `.` `5`
    assert len(texts) == 150


# ------------------------------------------------------------ the distribution


def enumerate_texts(counts, corpus_runs, k, order, longest):
    """{text: probability} where each step draws among followers that make no copy and no dead end."""

    def followers(history):
        return counts[history[-(order - 1) :] if order > 1 else ()]

    def allowed(text, token):
        run = (*text, token)[-k:]
        return token == "</s>" or len(run) < k or run not in corpus_runs

    def alive(text):
        return len(text) == longest or any(
            t == "</s>" or alive((*text, t)) for t in followers(("<s>", *text)) if allowed(text, t)
        )

    out = Counter()

    def walk(text, p):
        if len(text) == longest:  # cut at the limit
            out[text] += p
            return
        free = {
            t: c
            for t, c in followers(("<s>", *text)).items()
            if allowed(text, t) and (t == "</s>" or alive((*text, t)))
        }
        for t, c in free.items():
            if t == "</s>":
                out[text] += p * c / sum(free.values())
            else:
                walk((*text, t), p * c / sum(free.values()))

    if alive(()):
        walk((), 1.0)
    return out


def bigrams(text):
    counts = {}
    for line in text.split("\n"):
        tokens = ["<s>", *line.split(), "</s>"]
        for a, b in itertools.pairwise(tokens):
            counts.setdefault((a,), Counter())[b] += 1
    return counts


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_step_draws_among_followers_without_copies_and_dead_ends(tmp_path, seed):
    text = words_of(12, "abcdefghijkl", seed, 2)
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    made = markov_cli.train([tmp_path / "a.txt"], order=2, tokenizer="spaces", unit="line")
    k, longest, n = 3, 7, 20_000
    expected = enumerate_texts(bigrams(text), runs(text.split(), k), k, 2, longest)
    assert sum(expected.values()) == pytest.approx(1)
    corpus = tuple(find_sources([str(tmp_path / "a.txt")]))
    run = run_of(made, count=n, seed=5, min_tokens=0, max_tokens=longest, novel=k, corpus=corpus)
    found = Counter(tuple(text.text.split()) for text in run.texts())
    assert run.novelty.tally.back > 100  # there were dead ends
    none = found.pop((), 0)  # an empty text is redrawn
    expected.pop((), None)
    assert not none
    total = sum(expected.values())
    assert set(found) <= set(expected)
    chi = sum((found[t] - n * p / total) ** 2 / (n * p / total) for t, p in expected.items() if n * p / total > 5)
    cells = sum(n * p / total > 5 for p in expected.values())
    assert chi < cells + 5 * (2 * cells) ** 0.5, (chi, cells)


@pytest.mark.parametrize("shape", [{"temperature": 0.7}, {"top_k": 3}, {"top_p": 0.9}])
@pytest.mark.parametrize("smoothing", [None, "kn", "laplace"])
def test_no_text_shares_a_run_under_any_shape_and_smoothing(book, harbour, model, shape, smoothing):
    there = runs(stream(harbour), 5)
    texts = [*model.generate(30, 2, novel=5, corpus=[book], smoothing=smoothing, max_tokens=40, **shape)]
    assert texts
    for text in texts:
        assert not runs(stream(text.text), 5) & there


def test_bits_are_those_of_the_unsteered_model(book, model):
    for text in model.generate(20, 4, novel=5, corpus=[book]):
        assert text.bits == pytest.approx(model.score(texts=[text.text], smoothing="none").bits, abs=1e-6)


# ------------------------------------------------------------ repeatable


def test_text_i_does_not_depend_on_the_count(book, model):
    many = [t.text for t in model.generate(200, 9, novel=5)]
    assert [t.text for t in model.generate(7, 9, novel=5)] == many[:7]


def test_jobs_and_batch_size_change_no_text(monkeypatch, model):
    def texts(jobs):
        run = run_of(model, count=500, seed=7, min_tokens=3, max_tokens=60, novel=5, jobs=jobs)
        return b"".join(batch.text for batch in run.batches(b"\n"))

    whole = texts(1)
    monkeypatch.setattr("markov_cli.generation.run._STEERED", 150)
    assert texts(1) == texts(3) == whole


# ------------------------------------------------------------ with other options


def test_prompts_and_constraints_hold(book, harbour, model):
    there = runs(stream(harbour), 5)
    for text in model.generate(50, 1, novel=5, prompt="the clock", within=True):
        assert text.text.startswith("the clock")
        assert not runs(stream(text.text), 5) & there
    asked = Constraints(tokens=(8, 12), contains=["the"])
    found = [*model.generate(40, 1, novel=5, corpus=[book], constraints=asked)]
    assert len(found) == 40
    for text in found:
        tokens = stream(text.text)
        assert 8 <= len(tokens) <= 12 and b"the" in tokens and not runs(tokens, 5) & there


def test_a_copied_prompt_is_refused(harbour, model):
    prompt = " ".join(harbour.split()[:6])
    with pytest.raises(AnswerIsNo, match="5 tokens of the prompt in a row"):
        next(iter(model.generate(1, 1, prompt=prompt, novel=5)))
    with pytest.raises(AnswerIsNo):
        next(iter(model.generate(1, 1, prompt=prompt, novel=6)))


def test_min_tokens_holds(model):
    assert all(t.tokens >= 12 for t in model.generate(50, 1, novel=5, min_tokens=12))


def test_a_text_caught_in_a_loop_is_redrawn(tmp_path):
    text = "go " + "ha ha ha ha ha ha stop\n" + "go on then you\nnow go on to ha\nyou then go home\n"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    made = markov_cli.train([tmp_path / "a.txt"], order=2, unit="line", tokenizer="spaces")
    corpus = tuple(find_sources([str(tmp_path / "a.txt")]))
    drawn = [batch.samples for batch in run_of(made, count=200, seed=1, novel=3, corpus=corpus).batches()]
    assert sum(len(d.index) for d in drawn) == 200
    assert max(int(d.length.max()) for d in drawn) < 100


# ------------------------------------------------------------ refused


def test_a_missing_or_unfit_guard_is_an_error(book, model):
    plain = markov_cli.train([book], order=3)
    for made, novel, corpus, said in [
        (plain, 6, (), "no guard, and there is no --corpus"),
        (plain, 3, [book], "has order 3"),
        (model, 4, (), "guard holds runs of 5 tokens"),
    ]:
        with pytest.raises(OptionError, match=said):
            next(iter(made.generate(1, 1, novel=novel, corpus=corpus)))


def test_a_model_without_any_new_text_gives_none(run, tmp_path):
    (tmp_path / "a.txt").write_text("one two three four five six seven eight nine ten\n", encoding="utf-8")
    run("train", tmp_path / "a.txt", "-o", tmp_path / "a.npz", "--guard", 4, "-q")
    ran = run("generate", tmp_path / "a.npz", "-c", 3, "-s", 1, "--novel", 4)
    assert (ran.code, ran.stdout) == (3, "")
    assert "0 of 3 texts: every other text that this model can write shares a run of 4 tokens with" in ran.stderr
    assert run("generate", tmp_path / "a.npz", "-c", 3, "-s", 1, "--novel", 11).code == 0


def test_the_commands_report_guard_and_overlap(run, tmp_path, corpora):
    book = corpora / "harbour.txt"
    model = tmp_path / "m.npz"
    ran = run("train", book, "-o", model, "--guard", "5:0.01", "--json")
    assert ran.code == 0 and "runs of 5 tokens" in ran.stderr
    said = json.loads(ran.stdout)["guard"]
    assert said["tokens"] == 5 and 0.001 < said["false_seen"] <= 0.01 and 8 < said["bits_per_run"] < 13
    assert json.loads(run("inspect", model, "--json").stdout)["guard"] == said
    audited = run("audit", model, "--json", "--order", 3)
    assert json.loads(audited.stdout)["guard"] == {**said, "is_table_for_guesses": True}
    ran = run("generate", model, "-c", 20, "-s", 1, "--novel", 5, "--json")
    assert ran.code == 0 and "avoided " in ran.stderr
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert all(row["overlap"] < 5 and row["overlap_is"] == "bound" for row in rows)
    ran = run("generate", model, "-c", 20, "-s", 1, "--corpus", book, "--json")
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert all(row["overlap_is"] == "exact" for row in rows) and max(row["overlap"] for row in rows) > 5
    plain = [row["text"] for row in rows]
    assert run("generate", model, "-c", 20, "-s", 1).stdout.splitlines() == plain
    assert run("generate", model, "--corpus", book).code == 2
    assert run("generate", model, "--novel", 5, "--corpus", tmp_path / "none.txt").code == 1
    ran = run("generate", model, "--novel", 3)
    assert ran.code == 2 and "has order 3" in ran.stderr
    assert run("train", book, "-o", tmp_path / "x.npz", "--guard", 3).code == 2
    assert run("train", book, "-o", tmp_path / "x.npz", "--guard", "6:2").code == 2


# ------------------------------------------------------------ overlap


@given(st.lists(st.lists(st.integers(0, 3), max_size=12), min_size=1, max_size=6), st.lists(st.integers(0, 3)))
def test_the_longest_shared_run_equals_a_plain_search(texts, corpus):
    hashes = np.random.default_rng(1).integers(0, 2**63, 4, dtype=np.uint64)
    cut = len(corpus) // 2
    shared = Shared([np.array(corpus[:cut], np.uint32), np.array(corpus[cut:], np.uint32)], hashes)
    flat = np.array([t for text in texts for t in text], np.int64)
    length = np.array([len(t) for t in texts], np.int64)
    expected = [overlap(text, corpus) for text in texts]
    assert shared.longest(hashes[flat], length).tolist() == expected
    most = max(expected) + 1
    assert shared.longest(hashes[flat], length, most).tolist() == expected


@pytest.mark.parametrize("text", ["", "   \n"])
def test_a_corpus_without_tokens_is_an_error(text, story):
    """A corpus that was not read must not pass for one that nothing was copied from."""
    model = markov_cli.train(texts=[story])
    corpus = sources_of((), [text])
    with pytest.raises(TextError, match="no token in the training text"):
        run_of(model, novel=6, corpus=tuple(corpus))


def test_what_is_left_out_of_the_corpus_is_noted(run, tmp_path, story):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(story, encoding="utf-8")
    (tmp_path / "texts" / "b.bin").write_bytes(bytes(range(256)) * 9)
    markov_cli.train(texts=[story]).save(tmp_path / "m.npz")
    ran = run("generate", "m.npz", "--novel", 6, "--corpus", "texts", "-s", 1, cwd=tmp_path)
    assert ran.code == 0 and "1 file left out" in ran.stderr and "b.bin" in ran.stderr
