"""Audit with --corpus: every figure equals plain Python, and models trained without one sequence."""

import json
import math
import random
from collections import Counter, defaultdict

import numpy as np
import pytest

import markov_cli
from conftest import THOROUGH
from markov_cli.errors import OptionError, TextError
from markov_cli.evidence.corpus.leave_one_out import LeaveOneOut, auc, number, true_positives
from markov_cli.evidence.model_evidence import audit
from markov_cli.evidence.table import euler_circuit, ngram_graph
from markov_cli.text.reading import Source

S, E = "<s>", "</s>"


def some_text(seed, most=14):
    """2 to 6 sequences of 1 to `most` letters; every letter occurs in two of them."""
    r = random.Random(seed)
    letters = r.choice(["ab", "abc", "abcde"])
    body = ["".join(r.choice(letters) for _ in range(r.randint(1, most))) for _ in range(r.randint(0, 4))]
    return [*body, letters, letters[::-1]]


def source(texts, name="text"):
    return Source(name, data="\n".join(" ".join(t) for t in texts).encode())


def train(texts, order, **more):
    data = "\n".join(" ".join(t) for t in texts)
    return markov_cli.train(texts=[data], order=order, tokenizer="spaces", unit="line", **more)


def held(texts, order, **more):
    return audit(train(texts, order, **more), corpus=[source(texts)])


# ------------------------------------------------------------ leaving one sequence out


@pytest.mark.parametrize("prune", [(), (0, 0, 1), (0, 1, 1, 2)])
def test_leaving_one_out_equals_training_without_it(prune):
    order = 4
    for seed in range(5 if THOROUGH else 3):
        texts = some_text(seed)
        if prune and not any(n > 2 for n in Counter(t[i : i + 2] for t in texts for i in range(len(t) - 1)).values()):
            continue
        found = held(texts, order, prune=prune)
        assert found.against is not None and not found.against.notes
        for k in range(1, order + 1):
            bits = 0.0
            for i, text in enumerate(texts):
                rest = texts[:i] + texts[i + 1 :]
                model = train(rest, k, prune=prune[:k])
                if set("".join(rest)) != set("".join(texts)):  # a change of V would change the smoothing
                    break
                bits += model.score(texts=[" ".join(text)], smoothing="wb").bits
            else:
                n = sum(map(len, texts)) + len(texts)
                one = found.against.orders[k]
                assert one.without == pytest.approx(2 ** (bits / n), rel=1e-9), (seed, k)
                whole = train(texts, k, prune=prune[:k])
                full = whole.score(texts=["\n".join(" ".join(t) for t in texts)], smoothing="wb").bits
                assert one.perplexity == pytest.approx(2 ** (full / n), rel=1e-9)
                assert one.memorised == pytest.approx((bits - full) / n, abs=1e-9)


def test_leaving_one_out_of_a_story_equals_training_without_it(story):
    lines = [line for line in story.splitlines() if line.strip()]
    model = markov_cli.train(texts=["\n".join(lines)], order=3, unit="line")
    corpus = audit(model, corpus=[Source("story", data="\n".join(lines).encode())]).against.corpus
    leaver, below = LeaveOneOut(corpus, len(model.vocabulary) - 1, [0, 0, 0]), None
    for k in (1, 2, 3):
        gram = number(corpus, k, below)
        left, below = leaver.order(k, gram), gram
    compared = 0
    for i in range(len(lines)):
        rest = markov_cli.train(texts=["\n".join(lines[:i] + lines[i + 1 :])], order=3, unit="line")
        if len(rest.vocabulary) == len(model.vocabulary):  # otherwise V differs
            bits = rest.score(texts=[lines[i]], smoothing="wb").bits
            assert left.bits_without[i] == pytest.approx(bits, rel=1e-9)
            compared += 1
        if compared == 3:
            return
    raise AssertionError("no line to compare")


# ------------------------------------------------------------ plain Python


def walk(text, k):
    x = [S] * k + list(text) + [E]
    return [(tuple(x[i - k : i]), x[i]) for i in range(k, len(x))]


def proven(edges, c, d):
    return c[edges[0]] - sum(d[e[0]] - c[e] for e in edges[1:])


@pytest.mark.parametrize("seed", range(25))
def test_verified_greedy_and_single_sequence_shares_equal_plain_python(seed):
    texts = some_text(seed, 30)
    found = held(texts, 4)
    model = train(texts, 4)
    assert found.against is not None and not found.against.is_not
    for order in (2, 3, 4):
        k = order - 1
        c = Counter(e for t in texts for e in walk(t, k))
        d = Counter(e[0] for t in texts for e in walk(t, k))
        one = found.against.orders[order]
        for least in (10, 20, 50):
            kept = 0
            for t in texts:
                edges, inside = walk(t, k), set()
                for a in range(len(edges)):
                    for b in range(a, len(edges)):
                        if proven(edges[a : b + 1], c, d) <= 0:
                            break
                        low, high = max(a - k, 0), b + (edges[b][1] != E)
                        if high - low >= least:
                            inside.update(range(low, high))
                kept += len(inside)
            assert one.verified[least] == pytest.approx(kept / sum(map(len, texts)))
        best = defaultdict(list)
        for (history, token), n in c.items():
            best[history].append((n, token))
        asked = hit = 0
        for t in texts:
            for a in range(k, len(t) - 10 + 1):
                asked += 1
                hit += all(
                    sorted(best[tuple(t[i - k : i])])[-1][1] == t[i]
                    and [n for n, _ in sorted(best[tuple(t[i - k : i])])].count(c[tuple(t[i - k : i]), t[i]]) == 1
                    for i in range(a, a + 10)
                )
        assert one.greedy[10] == (pytest.approx(hit / asked) if asked else None)
        in_texts = Counter(e for t in texts for e in set(walk(t, k)))
        assert one.single_sequence == pytest.approx(sum(n == 1 for n in in_texts.values()) / len(c))
        assert len(c) == ngram_graph.graph_of(model.table, order).n_edges


def test_rows_of_a_single_file_are_counted():
    texts = [["abcab", "bca"], ["abc", "ddd"]]
    model = train(texts[0] + texts[1], 3)
    found = audit(model, corpus=[source(t, f"file {i}") for i, t in enumerate(texts)])
    for order in (2, 3):
        files = [{e for t in one for e in walk(t, order - 1)} for one in texts]
        one = found.against.orders[order]
        assert one.only == [len(files[0] - files[1]), len(files[1] - files[0])]
        assert one.single_file == pytest.approx(len(files[0] ^ files[1]) / len(files[0] | files[1]))


@pytest.mark.parametrize("seed", range(12))
def test_rebuilt_shares_equal_plain_python(seed):
    from markov_cli.evidence.corpus.extraction import rebuilt, reference
    from markov_cli.evidence.table.random_text import circuit, labels

    texts = some_text(seed, 40)
    model = train(texts, 3)
    found = held(texts, 3)
    ids, size = labels(g := ngram_graph.graph_of(model.table, 3), circuit(g, 0))
    parts = np.split(ids, np.cumsum(size)[:-1])
    again = ["".join(model.vocabulary.text_of(int(i)) for i in p) for p in parts]
    same = sum((Counter(again) & Counter(texts)).values()) / len(texts)
    grams = [t[i : i + 10] for t in again for i in range(len(t) - 9)]
    share = sum(any(x in t for t in texts) for x in grams) / len(grams) if grams else None
    assert rebuilt(reference(found.against.corpus), ids, size) == (same, share)
    assert found.against.orders[3].rebuilt_sequences == same


def test_membership_figures_equal_plain_python():
    r = random.Random(1)
    for _ in range(50):
        a = [r.choice([1.0, 2.0, 3.0, 4.0]) for _ in range(r.randint(1, 20))]
        b = [r.choice([2.0, 3.0, 4.0, 5.0]) for _ in range(r.randint(1, 20))]
        wins = sum((x < y) + 0.5 * (x == y) for x in a for y in b) / len(a) / len(b)
        assert auc(np.array(a), np.array(b)) == pytest.approx(wins)
        for rate in (0.01, 0.1, 0.5):
            best = max(
                sum(x < edge for x in a) / len(a) for edge in [*b, -1.0] if sum(y < edge for y in b) <= rate * len(b)
            )
            assert true_positives(np.array(a), np.array(b), rate) == pytest.approx(best)


# ------------------------------------------------------------ some text with this table


@pytest.mark.parametrize("few", [2, 9, 1 << 12])
def test_some_circuit_is_an_euler_circuit(monkeypatch, few):
    monkeypatch.setattr(euler_circuit, "_FEW", few)
    for seed in range(40):
        texts = some_text(seed, 60)
        model = train(texts, 4)
        for order in (2, 3, 4):
            g = ngram_graph.graph_of(model.table, order)
            w = euler_circuit.some_circuit(g)
            assert np.array_equal(np.bincount(w, minlength=g.n_edges), g.count)
            assert np.array_equal(g.target[w], g.source[np.roll(w, -1)]) and g.source[w[0]] == g.root


def test_cycles_of_a_permutation():
    r = np.random.default_rng(1)
    for size in (1, 2, 7, 5000, 20000):
        for after in (r.permutation(size), np.arange(size), np.roll(np.arange(size), 1), np.arange(size) ^ 1):
            if sorted(after.tolist()) != [*range(size)]:
                continue
            order, begin = euler_circuit.cycles(after)
            assert sorted(order.tolist()) == [*range(size)] and begin[0] == 0 and begin[-1] == size
            last = np.zeros(size, bool)
            last[begin[1:] - 1] = True
            following = np.append(order[1:], 0)
            following[begin[1:] - 1] = order[begin[:-1]]
            assert np.array_equal(after[order], following)


# ------------------------------------------------------------ another text


def test_another_text_is_recognized():
    for seed in range(20):
        texts = some_text(seed)
        model = train(texts, 3)
        r = random.Random(seed)
        other = [list(t) for t in texts]
        i = r.randrange(len(other))
        at = r.randrange(len(other[i]))
        other[i][at] = r.choice([c for c in "abcdex" if c != other[i][at]])
        found = audit(model, corpus=[source(["".join(t) for t in other])])
        assert found.against.is_not
        assert not audit(
            model, corpus=[source(r.sample(texts, len(texts)))]
        ).against.is_not  # reordered sequences prove nothing


def test_certain_strings_are_looked_up_in_the_text():
    texts = ["abcdefghijklm", "nopqrstuvwxyz", "abcdefghijklm"]
    found = audit(train(texts, 3), least=3, corpus=[source(texts)])
    assert found.against.looked_up == len(found.strings) == 2 == found.against.found
    other = audit(train(texts, 3), least=3, corpus=[source([*texts[:2], "abcdefghijkml"])])
    assert other.against.looked_up == 2 and other.against.found == 1
    ids, here, there = other.against.lost
    assert len(ids) == 13 and (here, there) == (1, 2)


def test_the_command_reports_what_the_text_shows(tmp_path, run, corpora):
    model, text = tmp_path / "m.npz", corpora / "harbour.txt"
    assert run("train", text, "-n", 4, "-o", model, "-q").code == 0
    more = ["--heldout", corpora / "messages.txt"]
    shown = run("audit", model, "--corpus", text, *more, "--show", 1)
    assert shown.code == 0 and not shown.stderr
    for said in (
        "all found",
        "has the count of the model",
        "greedy",
        "memorised",
        "one sample",
        "what xz makes of the text",
    ):
        assert said in shown.stdout
    found = json.loads(run("audit", model, "--corpus", text, *more, "--json").stdout)
    assert found["is_training_text"] is None and found["strings_not_found"] == 0 < found["strings_looked_up"]
    assert found["text_bytes_per_token_xz_is"] == "exact" and found["sources"][0]["tokens"] == found["tokens"]
    top = found["orders"][3]
    assert top["certain"]["10"] <= top["verified"]["10"] and 0.9 < top["membership_auc"] <= 1
    for key in ("greedy", "rebuilt_sequences", "rebuilt_10grams", "memorised_bits_per_token"):
        assert top[key] is not None
    assert "membership_tpr_at_1_percent" in top
    only = json.loads(run("audit", model, "--corpus", text, "--order", 3, "--json").stdout)
    assert [o["order"] for o in only["orders"]] == [3] and "membership_auc" not in only["orders"][0]
    assert only["orders"][0]["verified"] == found["orders"][2]["verified"]


def test_another_text_gives_exit_code_3(tmp_path, run, corpora):
    model = tmp_path / "m.npz"
    assert run("train", corpora / "harbour.txt", "-n", 3, "-o", model, "-q").code == 0
    done = run("audit", model, "--corpus", corpora / "messages.txt", "--show", 0)
    assert done.code == 3 and "not the training text" in done.stderr and "NOT the training text" in done.stdout
    assert "verified" in done.stdout and len(done.stderr.splitlines()) == 2
    done = run("audit", model, "--corpus", corpora / "messages.txt", "--json")
    assert done.code == 3 and json.loads(done.stdout)["is_training_text"] is False


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--heldout", "x.txt"], 2, "--heldout needs --corpus"),
        (["--corpus", "missing.txt"], 1, "missing.txt"),
        (["--corpus", "-"], 1, "no token"),
        (["--corpus", "-", "--heldout", "-"], 2, "read only once"),
        (["--corpus", "-", "--member", "x.txt"], 2, "exclude each other"),
    ],
)
def test_wrong_calls_are_errors(tmp_path, run, args, code, says):
    model = tmp_path / "m.npz"
    markov_cli.train(texts=["a b. b a."], order=2).save(model)
    done = run("audit", model, *args)
    assert done.code == code and says in done.stderr and "Traceback" not in done.stderr


def test_unusual_models_are_audited(tmp_path, run, harbour):
    text = [Source("h", data=harbour.encode())]
    rare = markov_cli.train(texts=[harbour], order=3, min_type_count=2)
    found = audit(rare, corpus=text)
    assert not found.against.is_not and found.against.orders[3].memorised > 0 and "<unk>" in found.notes[0]
    pruned = markov_cli.train(texts=[harbour], order=3, prune=(0, 1, 1))
    found = audit(pruned, corpus=text)
    assert not found.against.is_not and found.against.orders[3].rebuilt_sequences is None
    assert found.against.orders[3].single_sequence < 0.2  # n-grams seen once are pruned
    whole = audit(markov_cli.train(texts=[harbour], order=3), corpus=text)
    assert found.against.orders[3].memorised < whole.against.orders[3].memorised / 2
    assert found.against.orders[3].verified[10] < whole.against.orders[3].verified[10]
    lower = markov_cli.train(texts=[harbour], order=3, lowercase=True)
    assert not audit(lower, corpus=text).against.is_not
    other = markov_cli.train(texts=[harbour], order=3, tokenizer="spaces", unit="line")
    assert not audit(other, corpus=text).against.is_not  # the text is read with the model's options
    by_entropy = markov_cli.prune_by_entropy(whole_model := markov_cli.train(texts=[harbour], order=3), threshold=1e-4)
    found = audit(by_entropy.model, corpus=text)
    assert not found.against.is_not and found.against.orders[3].memorised is None and found.against.notes
    weighted = markov_cli.merge([whole_model, whole_model], weights=[0.5, 2.0])
    found = audit(weighted, corpus=text)
    assert found.against.orders[3].verified is None and found.against.orders[3].memorised is None
    model = tmp_path / "m.npz"
    other.save(model)
    assert run("export", model, "-o", tmp_path / "m.arpa", "-q").code == 0
    assert run("import", tmp_path / "m.arpa", "-o", tmp_path / "p.npz", "-q").code == 0
    with markov_cli.Model.load(tmp_path / "p.npz") as listed:
        found = audit(listed, corpus=text)
        assert found.against.found == found.against.looked_up > 0 and not found.against.is_not
        assert audit(listed, corpus=[Source("x", data=harbour[:5000].encode())]).against.is_not
    with pytest.raises(OptionError, match="--corpus"):
        audit(whole_model, heldout=text)
    with pytest.raises(TextError, match="no token"):
        audit(whole_model, corpus=[Source("x", data=b" \n")])


def test_leave_one_out_perplexity_predicts_held_out_perplexity(harbour):
    cut = harbour.rindex("\n", 0, int(len(harbour) * 0.8))
    model = markov_cli.train(texts=[harbour[:cut]], order=3)
    found = audit(
        model, corpus=[Source("a", data=harbour[:cut].encode())], heldout=[Source("b", data=harbour[cut:].encode())]
    )
    one = found.against.orders[3]
    assert abs(math.log2(one.without / one.heldout)) < 1 and one.perplexity < one.without / 5
