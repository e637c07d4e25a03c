"""Likeliest tokens after many histories, and tokens with all that their probabilities come from.

The oracle works out the whole distribution of each place and sorts it.
"""

from itertools import islice

import numpy as np
import pytest

import markov_cli
from markov_cli.model.distribution import full_distribution
from markov_cli.scoring import explained as ex
from markov_cli.scoring.likeliest import known_places, likeliest
from markov_cli.scoring.predictor import Borders, mixed, predictor_of
from markov_cli.text.sources import sources_of

BOS = 1
OTHER = "The clock in the hall was silent. He said nothing, and looked at the zebra.\n\nShe was in the attic, he said."


@pytest.fixture(scope="module")
def model(story):
    return markov_cli.train(texts=[story[:2500]], order=4)


def explained(predictor, text=OTHER, **how):
    return ex.explained(predictor, sources_of((), [text]), "utf-8", **how)


def sorted_whole(p, k):
    order = np.lexsort((np.arange(len(p)), -p))[:k]
    return p[order][p[order] > 0]


def assert_alternatives(distribution, ids, within=False, k=5):
    at = known_places(distribution.table, ids, within)
    found, p = likeliest(distribution, at.level, at.row, k)
    for i in range(len(ids)):
        whole = full_distribution(distribution, int(at.level[i]), int(at.row[i]))
        wanted = sorted_whole(whole, k)
        assert p[i] == pytest.approx([*wanted, *[0] * (k - len(wanted))], rel=1e-9)
        mine = found[i][found[i] >= 0]
        assert whole[mine] == pytest.approx(wanted, rel=1e-9) and len(set(mine.tolist())) == len(wanted)


@pytest.fixture(scope="module")
def ids(model):
    """The ids of a text of known and unknown tokens."""
    score = ex.Recoder([model.vocabulary], model.header.options, 1, True)
    passages = ex.read_passages(sources_of((), [OTHER]), "utf-8", score.encoders, ex.Repairs())
    return score.ids(0, ex._stream(passages, len(passages))[0]).astype(np.int64)


@pytest.mark.parametrize("smoothing", ["none", "kn", "wb", "abs", "lidstone:0.1", "stupid"])
def test_the_likeliest_are_those_of_the_whole_distribution(model, ids, smoothing):
    assert_alternatives(model.distribution(smoothing), ids)
    assert_alternatives(model.distribution(smoothing), ids, within=True, k=3)


def test_of_a_pruned_model(model, ids):
    assert_alternatives(markov_cli.prune(model, [0, 1, 1]).distribution("kn"), ids)


def test_a_listed_probability_below_its_backoff_is_no_proof(tmp_path):
    """After `a`, b is listed with 0.01 and everything else keeps what it has alone: c comes first, not b.

    Without a history: b 0.4, c 0.3, </s> 0.2, a 0.1.
    """
    (tmp_path / "m.arpa").write_text(
        "\\data\\\nngram 1=6\nngram 2=1\n\n\\1-grams:\n-9\t<unk>\n-99\t<s>\t0\n-0.69897\t</s>\n-1\ta\t0\n"
        "-0.39794\tb\t0\n-0.522879\tc\t0\n\n\\2-grams:\n-2\ta b\n\n\\end\\\n"
    )
    model = markov_cli.import_arpa(tmp_path / "m.arpa")
    a = model.vocabulary.find(b"a")[0]
    for k in (1, 2):
        assert_alternatives(model.distribution(), np.array([BOS, a, a]), k=k)
    found, p = likeliest(model.distribution(), np.array([1]), np.array([a]), 1)
    assert model.vocabulary.name_of(int(found[0, 0])) == "c" and p[0, 0] == pytest.approx(0.3)


@pytest.mark.parametrize("smoothing", ["none", "kn", "lidstone:0.1", "stupid", "blend"])
@pytest.mark.parametrize("borders", [Borders(), Borders(True, True)])
def test_every_token_is_as_in_score_tokens(model, smoothing, borders):
    how = {"within": borders.within, "open_end": borders.open_end}
    wanted = list(markov_cli.score_tokens(model, texts=[OTHER], smoothing=smoothing, **how))
    found = explained(predictor_of(model.language_model, smoothing, borders=borders))
    assert found.bits == pytest.approx([one.bits for one in wanted], rel=1e-12)
    assert found.longest.tolist() == [one.longest for one in wanted]
    assert found.is_end.tolist() == [one.marker == "</s>" for one in wanted]
    assert found.oov.tolist() == [one.oov for one in wanted]
    words = [
        None if end else found.passages.bytes_of(i, 1).decode()
        for i, end in zip(found.token, found.is_end, strict=True)
    ]
    assert words == [one.token for one in wanted]
    # the token itself, where it is among the likeliest, has its own p; nothing is likelier than the first
    row = found.others.group
    mine = found.others.codes[row] == found.codes[:, None]
    listed = mine.any(axis=1)
    assert listed.any() and found.others.p[row][mine] == pytest.approx(found.p[listed], rel=1e-5)
    assert (found.others.p[row][:, 0] >= found.p * (1 - 1e-5)).all()


def test_counts_are_those_of_the_longest_ngram():
    """`the cat` is seen 2 times of the 3 that something follows `the`; `cat sat` 1 of 2; `saw` alone 1 of all 14."""
    model = markov_cli.train(texts=["the cat sat. the cat saw. the dog."], order=2)
    found = explained(predictor_of(model.language_model), "the cat sat saw")
    assert found.longest.tolist() == [2, 2, 2, 1, 1]
    assert list(zip(found.count, found.total, strict=True)) == [(3, 3), (2, 3), (1, 2), (1, 14), (3, 14)]


def test_a_mixture_has_the_likeliest_of_all(story):
    """Two models of other words: the oracle mixes whole distributions, word by word."""
    texts = ("the cat sat on the mat. the cat saw a dog.", "the dog sat in the sun. a dog ran home.")
    models = [markov_cli.train(texts=[text], order=2) for text in texts]
    weights = np.array([0.3, 0.7])
    found = explained(mixed([predictor_of(m.language_model) for m in models], weights), "the dog sat on a sun.")
    assert found.mixed and found.count is None
    names = sorted({m.vocabulary.name_of(i) for m in models for i in range(m.table.n_ids)} - {"<s>"})
    before = ["<s>", "the", "dog", "sat", "on", "a", "sun", "."]
    for i, word in enumerate(before):
        p = np.zeros(len(names))
        for weight, m in zip(weights, models, strict=True):
            id_of = {m.vocabulary.name_of(j): j for j in range(m.table.n_ids)}
            whole = full_distribution(m.distribution("kn"), *m.table.find([id_of.get(word, 0)]))
            p += weight * whole[[id_of.get(name, 0) for name in names]]
        wanted = sorted_whole(p, ex.ALTERNATIVES)
        assert found.others.p[found.others.group[i]] == pytest.approx(wanted, rel=1e-9)


def test_a_long_text_is_cut_at_the_end_of_a_sequence(model):
    one = "He said nothing. "
    found = explained(predictor_of(model.language_model), one * 50, most=30)
    assert not found.all and len(found.p) == 7 * 5 and found.is_end[-1]  # 7 sentences of 4 tokens and an end
    whole = explained(predictor_of(model.language_model), one * 50, most=200)
    assert whole.all and whole.p[:35].tolist() == found.p.tolist()


def test_a_text_of_one_sequence_is_cut_inside_it(story):
    model = markov_cli.train(texts=[story], order=3, unit="file")
    found = explained(predictor_of(model.language_model), story, most=25)
    assert not found.all and len(found.p) == 25 and not found.is_end.any()
    wanted = [t.bits for t in islice(markov_cli.score_tokens(model, texts=[story]), 25)]
    assert found.bits == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("log_linear", [False, True])
def test_a_model_that_adapts_has_adapted_alternatives(story, log_linear):
    """Two texts, each a document of its own; `zebra` is new to the model, and likelier where it was read before."""
    learned, heldout = markov_cli.train(texts=[story[:600]], order=2), [story[600:1000]]
    model = markov_cli.tune(learned, texts=heldout, adapt=True, log_linear=log_linear).model
    predictor = predictor_of(model.language_model, "blend", adapt=True)
    texts = [OTHER, "He said nothing. He said nothing. He said nothing."]
    found = ex.explained(predictor, sources_of((), texts), "utf-8")
    wanted = [t.bits for t in markov_cli.score_tokens(model, texts=texts, adapt=True)]
    assert found.bits == pytest.approx(wanted, rel=1e-9)
    mine = found.others.codes[found.others.group] == found.codes[:, None]
    listed = mine.any(axis=1)
    assert listed.sum() > 10 and found.others.p[mine] == pytest.approx(found.p[listed], rel=1e-5)
    assert (found.others.p[:, 0] >= found.p * (1 - 1e-5)).all()
