"""Texts, followers and interactive writing under a blend: each token has the probability that `score` gives it."""

from collections import Counter

import numpy as np
import pytest

import markov_cli as m
from conftest import THOROUGH, rarely
from markov_cli.errors import OptionError
from markov_cli.scoring.next_of_blend import NextOfBlend
from markov_cli.text.types import BOS, EOS, N_MARKERS, UNK

LINES = ["the cat ran", "the dog ran", "a cat sat", "a dog sat", "the cat sat on the mat", "a dog ran"]
HELD = ["the dog sat\nmat on dog\nmat on dog\nmat on dog on a mat\na cat ran on the mat"]
DOG = {"constraints": m.Constraints(contains=("dog",))}
KINDS = {"linear": (False, False), "linear adapt": (False, True), "log-linear": (True, False), "both": (True, True)}


@pytest.fixture(scope="module", params=[one for one in KINDS if one != "both" or THOROUGH])  # both is slow
def kind(request):
    log_linear, adapt = KINDS[request.param]
    model = m.train(texts=LINES * 3, order=4, unit="line")
    return m.tune(model, texts=HELD, classes=[2, 3], adapt=True, log_linear=log_linear).model, adapt


def ids_of(model, text):
    return [model.vocabulary.find(w.encode())[0] for w in text.split()]


def known(p):
    """Without <unk>, which is drawn again."""
    p = p.copy()
    p[UNK] = 0
    return p / p.sum()


def test_the_next_distribution_is_that_of_score(kind):
    model, adapt = kind
    after = NextOfBlend(model.language_model.blend(), adapt)
    for text in LINES:
        ids = ids_of(model, text)
        found = [one.bits for one in m.score_tokens(model, texts=[text], smoothing="blend", adapt=adapt)]
        texts = [np.array([BOS, *ids[:k]]) for k in range(len(ids) + 1)]
        p = after.after(texts)
        assert p.sum(axis=1) == pytest.approx(np.ones(len(p)), abs=1e-6)
        assert (p[:, BOS] == 0).all()
        assert -np.log2(p[np.arange(len(p)), [*ids, EOS]]) == pytest.approx(found, abs=1e-4)


def test_texts_have_the_bits_of_their_tokens(kind):
    model, adapt = kind
    after = NextOfBlend(model.language_model.blend(), adapt)
    for text in model.generate(20, 3, smoothing="blend", adapt=adapt, max_tokens=8):
        ids = [*ids_of(model, text.text), *[EOS] * text.complete]
        p = after.after([np.array([BOS, *ids[:k]]) for k in range(len(ids))])
        assert text.bits == pytest.approx(-sum(np.log2(known(q)[i]) for q, i in zip(p, ids, strict=True)), abs=1e-3)


def test_first_tokens_are_as_frequent_as_they_are_probable(kind):
    model, adapt = kind
    n = 600
    drawn = Counter(t.text for t in model.generate(n, 5, smoothing="blend", adapt=adapt, max_tokens=1, min_tokens=0))
    p = known(NextOfBlend(model.language_model.blend(), adapt).after([np.array([BOS])])[0])
    for i in range(N_MARKERS, model.table.n_ids):
        assert abs(drawn[model.vocabulary.text_of(i)] - n * p[i]) < 4.5 * np.sqrt(n * p[i] * (1 - p[i])) + 1


def test_part_by_part_and_whole_distributions_agree():
    """Frequencies of whole texts, drawn part by part, against their probabilities."""
    model = m.train(texts=LINES * 3, order=3, unit="line")
    blend = model.language_model.blend()
    n = 8000
    drawn = Counter(t.text for t in model.generate(n, 1, smoothing="blend"))
    for text in LINES:
        ids, p = [BOS], 1.0
        for i in [*ids_of(model, text), EOS]:
            p *= known(blend.whole(ids))[i]
            ids.append(i)
        assert abs(drawn[text] - n * p) < 5 * np.sqrt(n * p)


def test_a_text_depends_on_its_number_only(kind):
    model, adapt = kind
    few = [t.text for t in model.generate(3, 7, smoothing="blend", adapt=adapt, max_tokens=8)]
    assert [t.text for t in model.generate(12, 7, smoothing="blend", adapt=adapt, max_tokens=8)][:3] == few


def test_shapes_prompts_and_constraints(kind):
    model, adapt = kind
    one = {"smoothing": "blend", "adapt": adapt, "max_tokens": 20}
    assert len({t.text for t in model.generate(5, 1, temperature=0, **one)}) == 1
    assert all(t.text.startswith("the dog") for t in model.generate(5, 1, prompt="the dog", top_k=3, **one))
    if not adapt:  # many tries side by side, each with its own recent text, take long
        assert all("mat" in t.text for t in model.generate(2, 1, constraints=m.Constraints(contains=["mat"]), **one))
    assert all(t.text for t in model.generate(3, 1, prompt="on", within=True, **one))
    del one["max_tokens"]
    stream = model.stream(7, **one)
    words = [next(stream).token for _ in range(3)]
    assert next(model.generate(1, 7, max_tokens=3, **one)).text.split()[:1] == words[:1]


def test_a_written_word_gets_more_probable():
    model = m.train(texts=LINES * 3, order=2, unit="file")
    tuned = m.tune(model, texts=HELD, classes=[2], adapt=True).model
    p = []
    for more in ({"smoothing": "blend"}, {"adapt": True}):
        followers = m.explore(tuned, "mat mat the", seed=1, **more).state(20).followers
        assert sum(f.probability for f in followers) == pytest.approx(1, abs=1e-9)
        p.append({f.token: f.probability for f in followers}["mat"])
    assert p[1] > p[0]


def test_explore_writes_and_goes_back(kind):
    model, adapt = kind
    session = m.explore(model, "the", seed=4, smoothing="blend", adapt=adapt)
    before = session.state().followers
    session.write("cat")
    assert session.go(2) >= 1 and session.bits > 0
    session.back(3)
    assert session.state().followers == before


def test_inspect_shows_the_blend(kind):
    model, _ = kind
    found = m.inspect_history(model, "the", smoothing="blend", top=None)
    assert sum(f.probability for f in found.followers) == pytest.approx(1, abs=1e-6)
    p = NextOfBlend(model.language_model.blend()).after([np.array(ids_of(model, "the"))])[0]
    assert found.followers[0].probability == pytest.approx(p.max(), rel=1e-4)


def test_impossible_requests():
    model = m.train(texts=LINES, unit="line")
    with pytest.raises(OptionError, match="tuned for it"):
        next(model.generate(1, 1, adapt=True))
    with pytest.raises(OptionError, match="tuned for it"):
        m.explore(model, seed=1, adapt=True)
    tuned = m.tune(model, texts=HELD, classes=[2], adapt=True).model
    with pytest.raises(OptionError, match="not kn"):
        next(tuned.generate(1, 1, adapt=True, smoothing="kn"))


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("linear", {}),
        ("linear adapt", DOG),
        ("log-linear", {}),
        *rarely(*((name, {}) for name in KINDS), ("linear", DOG), ("log-linear", DOG)),
    ],
)
def test_texts_without_copies_are_those_that_copy_nothing(name, more):
    log_linear, adapt = KINDS[name]
    model = m.train(texts=LINES * 3, order=2, unit="line")
    tuned = m.tune(model, texts=HELD, classes=[2], adapt=True, log_linear=log_linear).model
    options = {"smoothing": "blend", "adapt": adapt, "max_tokens": 8, **more}  # long texts are slow
    n = 6 if log_linear and adapt else 40 - 20 * adapt  # the slowest
    first = {t.index: t.text for t in tuned.generate(n, 1, **options)}
    found = {t.index: t.text for t in tuned.generate(n, 1, novel=3, corpus_texts=LINES, **options)}

    def copies(text):
        words = text.split()  # a corpus is one stream
        return any(f" {' '.join(words[i : i + 3])} " in f" {' '.join(LINES)} " for i in range(len(words) - 2))

    assert len(found) > n * 5 // 6 and not any(map(copies, found.values()))
    assert any(map(copies, first.values()))
    for i, text in first.items():
        if not copies(text):
            assert found[i] == text  # others are drawn again


def test_notes_of_the_commands(run, tmp_path):
    model = m.train(texts=LINES, unit="line")
    model.save(tmp_path / "m.npz")
    m.tune(model, texts=HELD, classes=[2], adapt=True).model.save(tmp_path / "t.npz")
    for command in (("generate", "-s", "1"), ("explore", "--once"), ("inspect", "the")):
        said = run(command[0], "m.npz", *command[1:], "--smoothing", "blend", cwd=tmp_path)
        assert said.code == 0 and "blend: not tuned" in said.stderr
        assert "not tuned" not in run(command[0], "t.npz", *command[1:], "--smoothing", "blend", cwd=tmp_path).stderr
    assert run("generate", "t.npz", "-s", "1", "--adapt", cwd=tmp_path).code == 0
    mixed = run("generate", "t.npz", "--model", "m.npz", "--adapt", cwd=tmp_path)
    assert mixed.code == 2 and "--adapt" in mixed.stderr
