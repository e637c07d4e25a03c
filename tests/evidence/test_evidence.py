"""The audit of a table, compared with all texts that have the same table, on corpora small enough to list them."""

import json
import math
import random
from collections import Counter, defaultdict

import numpy as np
import pytest

import markov_cli
from conftest import THOROUGH
from markov_cli.errors import MarkovError, NeedsCounts, OptionError
from markov_cli.evidence.model_evidence import audit, member, rebuild
from markov_cli.evidence.table import (
    forced_strings as certain,
)
from markov_cli.evidence.table import (
    ngram_graph as graph,
)
from markov_cli.evidence.table import (
    spanning_trees as arborescences,
)
from markov_cli.evidence.table import (
    text_count as forgotten,
)
from markov_cli.evidence.table.forced_string_list import by_rule_one, swept
from markov_cli.evidence.table.membership import IN, OUT
from markov_cli.evidence.table.random_text import circuit, labels
from markov_cli.text.reading import Source

S, E = "<s>", "</s>"


MOST = 150  # tables with more texts than this are skipped


def tiny(seed):
    """A random text: 1 to 3 short sequences of letters."""
    r = random.Random(seed)
    letters = r.choice(["ab", "abc", "abcd", "abcdefg"])
    n = r.choice([1, 1, 2, 3])
    return ["".join(r.choice(letters) for _ in range(r.randint(1, 12 if n == 1 else 6))) for _ in range(n)]


def train(texts, order, **more):
    return markov_cli.train(texts=[" ".join(t) for t in texts], order=order, tokenizer="spaces", unit="file", **more)


def walk(text, k):
    """A sequence as edges: (the k tokens before, the token)."""
    x = [S] * k + list(text) + [E]
    return [(tuple(x[i - k : i]), x[i]) for i in range(k, len(x))]


def after(edge, k):
    return (S,) * k if edge[1] == E else (*edge[0], edge[1])[1:] if k else ()


def all_texts(texts, k):
    """Every list of sequences with the n-grams of `texts`; None if there are more than MOST."""
    left = Counter(e for t in texts for e in walk(t, k))
    follow = defaultdict(list)
    for history, token in left:
        follow[history].append(token)
    found, path = [], []

    def go(history, n):
        if len(found) > MOST:
            return
        if not n:
            if path[-1] == E:  # without history every order of the tokens is possible
                found.append(tuple("".join(path).replace(E, "|").split("|")[:-1]))
            return
        for token in follow[history]:
            if left[history, token]:
                left[history, token] -= 1
                path.append(token)
                go(after((history, token), k), n - 1)
                path.pop()
                left[history, token] += 1

    go((S,) * k, sum(left.values()))
    return None if len(found) > MOST else found


def marked(text):
    return (S, *text, E)


def times(pattern, texts):
    n = len(pattern)
    return sum(m[i : i + n] == pattern for t in texts for m in [marked(t)] for i in range(len(m) - n + 1))


def patterns(model, s):
    """Each string with its markers, its count and whether the count is exact."""
    begin = np.cumsum(s.size) - s.size
    for i in range(len(s)):
        ids = s.ids[begin[i] : begin[i] + s.size[i]].tolist()
        tokens = tuple(model.vocabulary.text_of(j) for j in ids)
        yield (S,) * int(s.opens[i]) + tokens + (E,) * int(s.closes[i]), int(s.count[i]), bool(s.exact[i])


def sure(edges, c, d):
    """Rule 2 (evidence/table/forced_strings.py), in plain Python."""
    return c[edges[0]] - sum(d[e[0]] - c[e] for e in edges[1:])


def forced_words(c, k):
    """Rule 1, in plain Python: tokens of each edge's forced string."""
    root, out, into = (S,) * k, defaultdict(list), defaultdict(list)
    for e in c:
        out[e[0]].append(e)
        into[after(e, k)].append(e)
    words = {}
    for e in c:
        w = [e]
        while after(w[-1], k) != root and len(out[after(w[-1], k)]) == 1:
            w.append(out[after(w[-1], k)][0])
        while w[0][0] != root and len(into[w[0][0]]) == 1:
            w.insert(0, into[w[0][0]][0])
        words[e] = sum(x != S for x in w[0][0]) + len(w) - (w[-1][1] == E)
    return words


def check(texts, model, order):
    """Check everything about one order of one corpus; False if it has too many texts."""
    k = order - 1
    every = all_texts(texts, k)
    if every is None:
        return False
    assert len(set(every)) == len(every) and tuple(texts) in every
    n_tokens = sum(map(len, texts))
    if order == 1:
        bits = forgotten.forgotten_without_history(model.table).bits
        assert bits == pytest.approx(math.log2(len(every)), abs=1e-9)
        return True
    c = Counter(e for t in texts for e in walk(t, k))
    d = Counter(e[0] for t in texts for e in walk(t, k))
    g = graph.graph_of(model.table, order)
    assert graph.balance(g).complete and g.n_edges == len(c)
    f = forgotten.forgotten(g)
    assert (
        f.how == "exact" and f.bits == pytest.approx(math.log2(len(every)), abs=1e-9) and f.bits <= f.bound_bits + 1e-9
    )

    rule_one = certain.forced(g)
    walked = circuit(g, 1)
    sweep = certain.sweep(g, walked)
    ids, size = labels(g, walked)
    parts = np.split(ids, np.cumsum(size)[:-1])
    assert tuple("".join(model.vocabulary.text_of(int(i)) for i in p) for p in parts) in every
    words = forced_words(c, k)
    for least, share in zip((2, 3, 5), certain.shares(g, rule_one, (2, 3, 5), n_tokens), strict=True):
        kept = sum(n for e, n in c.items() if words[e] >= least and e[1] != E)
        assert share == pytest.approx(kept / n_tokens)
    assert rule_one.words.max() == max(words.values())

    for pattern, count, exact in patterns(model, by_rule_one(model.table, g, rule_one, 1)):
        assert exact
        assert {times(pattern, t) for t in every} == {count}, (texts, order, pattern)
    listed = [*patterns(model, swept(g, rule_one, sweep, 1))]
    for pattern, count, exact in listed:
        found = {times(pattern, t) for t in every}
        assert min(found) >= count >= 1, (texts, order, pattern)
        assert not exact or found == {count}
    joined = ["\0".join(p) + "\0" for p, _, _ in listed]
    for t in texts:  # no string of rule 2 is missing
        edges = walk(t, k)
        for a in range(len(edges)):
            for b in range(a + 1, len(edges) + 1):
                if sure(edges[a:b], c, d) <= 0:
                    break
                real = [x for x in edges[a][0] if x != S] + [e[1] for e in edges[a:b]]
                if real != [E]:  # a history of S alone without followers is no string
                    assert any("\0".join(real) + "\0" in j for j in joined), (texts, order, real)
    check_bound(g, sweep, every, c, d, k, n_tokens)
    check_equal(sweep, every)
    return True


def check_bound(g, sweep, every, c, d, k, n_tokens):
    """Check that every text reaches the share that rule 2 promises."""
    lengths = (k + 2, k + 3)
    for least, share in zip(lengths, certain.least_shares(g, sweep, lengths, n_tokens), strict=True):
        for t in every:
            kept = 0
            for one in t:
                edges, inside = walk(one, k), set()
                for a in range(len(edges)):
                    for b in range(a + 1, len(edges) + 1):
                        if sure(edges[a:b], c, d) <= 0:
                            break
                        size = sum(x != S for x in edges[a][0]) + b - a - (edges[b - 1][1] == E)
                        if size >= least:
                            inside.update(range(a, b))
                kept += sum(edges[i][1] != E for i in inside)
            assert kept / n_tokens >= share - 1e-12


def check_equal(sweep, every):
    """Check that every text repeats as many sequences, as often, as the table proves."""
    found = sorted(certain.equal_sequences(sweep).tolist(), reverse=True)
    for t in every:
        have = sorted((n for n in Counter(t).values() if n > 1), reverse=True)
        assert len(have) >= len(found) and all(a >= b for a, b in zip(have, found, strict=False))


@pytest.mark.parametrize("part", range(8))
def test_claims_hold_in_every_text_with_the_same_table(part):
    checked, n = 0, 70 if THOROUGH else 14
    for seed in range(part * 70, part * 70 + n):
        texts = tiny(seed)
        model = train(texts, 4)
        checked += sum(check(texts, model, order) for order in (1, 2, 3, 4))
    assert checked > 2.5 * n  # of 4 n


@pytest.mark.parametrize(
    ("texts", "order"), [(["abacad", "aab"], 2), (["abcab", "bcabc", "abc"], 3), (["aab"] * 2 + ["ab"], 2)]
)
def test_rebuilt_texts_are_equally_likely(texts, order):
    every = all_texts(texts, order - 1)
    assert every is not None
    model = train(texts, order)
    g = graph.graph_of(model.table, order)
    n = 40 * len(every)
    seen = Counter()
    for seed in range(n):
        ids, size = labels(g, circuit(g, seed))
        parts = np.split(ids, np.cumsum(size)[:-1])
        seen[tuple("".join(model.vocabulary.text_of(int(i)) for i in p) for p in parts)] += 1
    assert set(seen) <= set(every)
    squares = sum((seen[t] - 40) ** 2 / 40 for t in every)
    free = len(every) - 1
    assert squares < free + 4 * math.sqrt(2 * free) + 4  # about four standard deviations of chi-squared


def test_estimates_are_within_their_error(monkeypatch, harbour):
    model = markov_cli.train(texts=[harbour], order=3)
    for order in (2, 3):
        g = graph.graph_of(model.table, order)
        exact = forgotten.forgotten(g)
        monkeypatch.setattr(arborescences, "DENSE_NODES", 1)
        estimate = forgotten.forgotten(g)
        monkeypatch.undo()
        assert exact.how == "exact" and estimate.how == "estimate"
        assert abs(estimate.bits - exact.bits) < 4 * estimate.error_bits < 0.01 * exact.bits


def test_logarithms_of_large_factorials():
    n = np.array([0, 1, 65535, 65536, 10**6, 10**9])
    assert forgotten.ln_factorial(n) == pytest.approx([math.lgamma(x + 1) for x in n.tolist()], rel=1e-14)


def test_claims_of_pruned_orders_hold_in_a_text(harbour):
    whole = markov_cli.train(texts=[harbour], order=4)
    pruned = markov_cli.train(texts=[harbour], order=4, prune=(0, 0, 1))
    found = audit(pruned)
    assert [o.complete for o in found.orders] == [True, True, False, False]
    assert found.orders[1].bits == audit(whole, 2).orders[0].bits and found.orders[3].forgotten is None
    assert any("pruned" in note for note in found.notes)
    g = graph.graph_of(pruned.table, 4)
    true = graph.graph_of(whole.table, 4)
    text = whole.vocabulary.join(*labels(true, circuit(true, 0)), b"\n")[0].decode()
    claims = by_rule_one(pruned.table, g, certain.forced(g), 5)
    assert len(claims)
    begin = np.cumsum(claims.size) - claims.size
    for i in range(len(claims)):
        if not (claims.opens[i] or claims.closes[i]):
            string = whole.vocabulary.join_one(claims.ids[begin[i] : begin[i] + claims.size[i]].tolist())
            assert text.count(string) >= claims.count[i]
    with pytest.raises(MarkovError, match="order 4 is complete"):
        rebuild(pruned, 1, 4)
    assert rebuild(pruned, 1)[1] == 2


@pytest.mark.parametrize(
    "options",
    [
        {"tokenizer": "chars", "unit": "file", "order": 6},
        {"tokenizer": "bytes", "unit": "line", "order": 4},
        {"unit": "paragraph"},
        {"order": 60},  # longer than any sequence
    ],
)
def test_a_rebuilt_text_has_the_same_table(options, story):
    model = markov_cli.train(texts=[story], **options)
    again = markov_cli.train(texts=[b"".join(rebuild(model, 3)[0]).decode()], **options)
    for a, b in zip(model.table.orders, again.table.orders, strict=True):
        assert np.array_equal(a.count.small, b.count.small) and np.array_equal(a.token, b.token)


def test_members_are_proven_in_or_out_or_left_open():
    for seed in range(60):
        texts = tiny(seed)
        model = train(texts, 3)
        every = all_texts(texts, 2)
        if every is None:
            continue
        asked = sorted({s for t in every for s in t} | {"abab", "gg", "a"})
        m = member(model, [Source(str(i), data=" ".join(s).encode()) for i, s in enumerate(asked)])
        for s, verdict, least in zip(asked, m.verdict.tolist(), m.least.tolist(), strict=True):
            found = [t.count(s) for t in every]
            assert verdict != IN or min(found) >= least >= 1
            assert verdict != OUT or max(found) == 0
            assert max(found) or verdict != IN


def test_weighted_models_refuse_what_needs_whole_counts(tmp_path, harbour):
    a, b = (markov_cli.train(texts=[t], order=3) for t in (harbour[:9000], harbour[9000:18000]))
    weighted = markov_cli.merge([a, b], weights=[0.5, 2.0])
    found = audit(weighted)
    assert found.orders[2].forgotten is None and found.orders[2].certain is not None
    assert any("weighted" in n for n in found.notes)
    with pytest.raises(NeedsCounts, match="weighted"):
        rebuild(weighted, 1)
    with pytest.raises(OptionError, match="orders 1 to 3"):
        audit(weighted, 7)


def test_the_command_shows_rebuilds_and_lists(tmp_path, run, corpora):
    model, text = tmp_path / "m.npz", tmp_path / "again.txt"
    assert run("train", corpora / "harbour.txt", "-n", 4, "-o", model, "-q").code == 0
    shown = run("audit", model, "--show", 3)
    assert shown.code == 0 and not shown.stderr
    for word in (
        "exact",
        "bound",
        "at most",
        "estimate",
        "evidence that nothing is missing, not proof",
        "certain strings",
    ):
        assert word in shown.stdout
    found = json.loads(run("audit", model, "--json", "--show", 2, "--strings", tmp_path / "s.tsv", "-q").stdout)
    assert [o["order"] for o in found["orders"]] == [1, 2, 3, 4] and len(found["strings"]) == 2
    lines = (tmp_path / "s.tsv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + found["strings_found"]
    done = run("audit", model, "--rebuild", text, "--seed", 5, "--order", 4, "--show", 0)
    assert done.code == 0 and "order 4" in done.stderr
    assert run("train", text, "-n", 4, "-o", tmp_path / "n.npz", "-q").code == 0
    again = markov_cli.Model.load(tmp_path / "n.npz").table.orders[3].count
    with markov_cli.Model.load(model) as first:
        assert np.array_equal(first.table.orders[3].count.small, again.small)
    asked = run("audit", model, "--member", "-", "--json", stdin="Nothing of this kind stood there.")
    assert json.loads(asked.stdout)["proven_out"] == 1


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--order", 9], 2, "orders 1 to 2"),
        (["--seed", 1], 2, "--seed works only with --rebuild"),
        (["--rebuild", "-", "--json"], 2, "only one result can go to stdout"),
        (["--member", "-"], 1, "no token"),
        (["--member", "missing.txt"], 1, "missing.txt"),
        (["--strings", "no/such/folder.tsv"], 1, "no folder"),
    ],
)
def test_wrong_calls_are_errors(tmp_path, run, args, code, says):
    model = tmp_path / "m.npz"
    markov_cli.train(texts=["a b. b a."], order=2).save(model)
    done = run("audit", model, *args)
    assert done.code == code and says in done.stderr and "Traceback" not in done.stderr


def test_a_model_of_probabilities_gives_certain_strings_only(tmp_path, run, harbour):
    model = tmp_path / "m.npz"
    markov_cli.train(texts=[harbour], order=3).save(model)
    assert run("export", model, "-o", tmp_path / "m.arpa", "-q").code == 0
    assert run("import", tmp_path / "m.arpa", "-o", tmp_path / "p.npz", "-q").code == 0
    found = json.loads(run("audit", tmp_path / "p.npz", "--json").stdout)
    assert found["orders"][2]["forgotten_bits"] is None and found["orders"][2]["longest"] > 10
    assert "probabilities" in found["notes"][0] and found["strings"][0]["occurrences_is"] == "bound"
    shown = run("audit", tmp_path / "p.npz")
    assert shown.code == 0 and "probabilities only" in shown.stdout
    for option in ("--rebuild", "--member"):
        done = run("audit", tmp_path / "p.npz", option, tmp_path / "m.arpa")
        assert done.code == 1 and "needs whole counts" in done.stderr


def test_a_string_that_is_too_large_is_refused_and_a_text_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr("markov_cli.api.audit.SHOWN_BYTES", 300)
    word = "a" * 300
    markov_cli.train(texts=[" ".join(f"{word} {c}" for c in "bcdefghijk")], tokenizer="spaces").save(tmp_path / "m.npz")
    with pytest.raises(markov_cli.MarkovError, match=r"a string of [\d,]+ bytes, where 300 can be shown"):
        markov_cli.audit(tmp_path / "m.npz", min_tokens=5)
    assert len(markov_cli.rebuild(tmp_path / "m.npz", 1).text) > 3000
