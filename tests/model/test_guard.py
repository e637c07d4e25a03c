"""Guards: every run of the text counts as seen, few new runs do; in files, merged, pruned, damaged."""

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import markov_cli
from engine import model_of, saved, sequences
from markov_cli.errors import ModelFileError, OptionError
from markov_cli.inspecting.verify import damage
from markov_cli.model.fingerprints import Guard, bits_for, union
from markov_cli.text.run_hashes import hash_tokens, mix, run_hashes, stream_runs
from markov_cli.text.tokenizer import TOKENIZERS

MASK = 2**64 - 1


def plain_mix(x):
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def plain_hash(tokens):
    """The hash of a run as text/run_hashes.py defines it, in plain Python."""
    total, power = 0, 1
    for token in tokens:
        x = len(token) * 0x9E3779B97F4A7C15 & MASK
        for i in range(0, len(token), 8):
            x = plain_mix(x ^ int.from_bytes(token[i : i + 8].ljust(8, b"\0"), "little"))
        total += x * power
        power = power * 0xD1342543DE82EF95 & MASK
    return plain_mix(total & MASK)


# ------------------------------------------------------------ hashes


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=12), st.integers(1, 5))
def test_hashes_equal_their_definition(tokens, k):
    found = run_hashes(hash_tokens(tokens), k)
    assert found.tolist() == [plain_hash(tokens[i : i + k]) for i in range(len(tokens) - k + 1)]


def test_a_huge_token_is_hashed_whole():
    a, b = b"x" * 5000, b"x" * 4999 + b"y"
    assert len({*hash_tokens([a, b, a, b"x" * 4096]).tolist()}) == 3


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 7), st.lists(st.integers(1, 20)))
def test_blocks_of_any_size_give_the_same_hashes(numbers, k, sizes):
    hash_of = mix(np.arange(10, dtype=np.uint64))
    at, blocks = 0, []
    for size in [*sizes, 1000]:
        blocks.append((np.array(numbers[at : at + size], np.uint32), ()))
        at += size
    found = [x for some in stream_runs(blocks, hash_of, k) for x in some.tolist()]
    assert found == run_hashes(hash_of[np.array(numbers, np.int64)], k).tolist()


@given(st.lists(st.lists(st.integers(0, 9), max_size=9), max_size=8), st.integers(1, 5), st.lists(st.integers(0, 12)))
def test_no_run_goes_from_one_text_into_the_next(texts, k, sizes):
    hash_of = mix(np.arange(10, dtype=np.uint64))
    numbers = np.array([x for text in texts for x in text], np.int64)
    ends = np.cumsum([len(text) for text in texts])
    at, blocks = 0, []
    for size in [*sizes, 1000]:
        here = ends[(ends > at) & (ends <= at + size)] - at
        blocks.append((numbers[at : at + size].astype(np.uint32), here))
        at += size
    found = [x for some in stream_runs(blocks, hash_of, k) for x in some.tolist()]
    assert found == [x for text in texts for x in run_hashes(hash_of[np.array(text, np.int64)], k).tolist()]


# ------------------------------------------------------------ the set


@given(st.sets(st.integers(0, MASK), max_size=400), st.sampled_from([0.5, 0.1, 1 / 256, 1e-5, 2.0**-32]), st.booleans())
def test_a_guard_holds_the_first_bits_of_its_hashes(keys, rate, indexed):
    bits = bits_for(len(keys), rate)
    values = sorted({key >> (64 - bits) for key in keys})
    guard = Guard.of(6, np.array(values, np.uint64), bits)
    if indexed:
        guard.index()
    assert guard.values().tolist() == values
    assert guard.rate <= rate
    asked = np.array([*keys, *(key ^ 1 << 63 for key in keys), *range(50), MASK], np.uint64)
    assert guard.seen(asked).tolist() == [int(key) >> (64 - bits) in values for key in asked]
    assert guard.seen(np.array([*keys], np.uint64)).all()  # no run of the text counts as new


@pytest.mark.parametrize("rate", [0.25, 0.05, 1 / 256, 1e-4])
def test_the_share_of_false_hits_is_the_stated_rate(rate):
    rng = np.random.default_rng(1)
    n = 30_000
    keys, new = (rng.integers(0, 2**63, size, dtype=np.uint64) * np.uint64(2) for size in (n, 400_000))
    bits = bits_for(n, rate)
    guard = Guard.of(6, np.unique(keys >> np.uint64(64 - bits)), bits)
    found = float(guard.seen(new).mean())
    assert guard.rate <= rate
    assert found == pytest.approx(guard.rate, abs=5 * (guard.rate / len(new)) ** 0.5)
    assert rate / 2.1 < guard.rate  # not much smaller than asked for, either
    assert guard.bits_each < np.log2(1 / rate) + 4.5


@given(st.sets(st.integers(0, MASK), max_size=200), st.sets(st.integers(0, MASK), max_size=200))
def test_a_union_holds_the_runs_of_both(a, b):
    bits = bits_for(max(len(a), len(b), 30), 1 / 256)
    guards = [Guard.of(4, np.unique(np.array([*s], np.uint64) >> np.uint64(64 - bits)), bits) for s in (a, b)]
    both = union(guards)
    assert both.values().tolist() == sorted({key >> (64 - bits) for key in a | b})
    assert union([guards[0], None]) is None
    assert union([guards[0], Guard.of(5, guards[1].values(), bits)]) is None


# ------------------------------------------------------------ training


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_every_run_of_the_text_counts_as_seen(story, tokenizer):
    text = story.encode() if tokenizer == "bytes" else story
    tokens = [token for one in sequences(text, tokenizer) for token, _ in one]
    guard = model_of(text, 2, tokenizer, guard=4, guard_rate=1e-6).table.guard
    assert guard.seen(run_hashes(hash_tokens(tokens), 4)).all()
    assert guard.n == len({tuple(tokens[i : i + 4]) for i in range(len(tokens) - 3)})


def test_runs_with_rare_types_count_as_seen(story):
    tokens = [token for one in sequences(story) for token, _ in one]
    guard = model_of(story, 2, guard=4, min_type_count=3).table.guard
    assert guard.seen(run_hashes(hash_tokens(tokens), 4)).all()


def test_blocks_jobs_and_the_order_of_files_change_no_byte(story):
    parts = [story[:2000], "   \n\n", story[2000:2500] + "\n" * 40, story[2500:]]
    whole = saved(model_of(parts, guard=5))
    assert saved(model_of(parts[::-1], guard=5)) == whole
    for block in (16, 100, 1000):
        for jobs in (1, 3):
            assert saved(model_of(parts, guard=5, block_bytes=block, jobs=jobs)) == whole


def test_runs_end_with_their_text():
    """Also when a text's last block holds no token."""
    trained = model_of(["a b c. ", "d e f."], 1, guard=4)
    runs = [[b"b", b"c", b".", b"d"], [b"a", b"b", b"c", b"."]]
    keys = np.concatenate([run_hashes(hash_tokens(r), 4) for r in runs])
    assert trained.table.guard.seen(keys).tolist() == [False, True]


def test_a_guard_only_adds_arrays_to_the_file(story):
    with zipfile.ZipFile(io.BytesIO(saved(model_of(story)))) as plain:
        names = plain.namelist()
    assert not any("guard" in name for name in names)
    with zipfile.ZipFile(io.BytesIO(saved(model_of(story, guard=5)))) as checked:
        assert checked.namelist() == [*names, "guard.npy", "guard_low.npy", "guard_high.npy", "guard_first.npy"]


def test_impossible_guards_are_refused(story):
    for k, rate in [(3, 0.01), (2, 0.01), (6, 0.9), (6, 0.0)]:
        with pytest.raises(OptionError, match=f"--guard {k}"):
            model_of(story, 3, guard=k, guard_rate=rate)


# ------------------------------------------------------------ models of models


def test_updating_and_merging_give_the_union(story):
    a, b = (markov_cli.train(texts=[t], guard=5) for t in (story[:3000], story[3000:]))
    both = markov_cli.merge([a, b]).table.guard
    bits = min(a.table.guard.bits, b.table.guard.bits)
    cut = [g.values() >> np.uint64(g.bits - bits) for g in (a.table.guard, b.table.guard)]
    assert both.values().tolist() == np.unique(np.concatenate(cut)).tolist()
    more = markov_cli.update(a, texts=["a little more text, but not much."])
    assert more.table.guard.bits == a.table.guard.bits  # not the bits that so small a text would need
    tokens = [t for one in sequences("a little more text, but not much.") for t, _ in one]
    assert more.table.guard.seen(run_hashes(hash_tokens(tokens), 5)).all()
    assert more.table.guard.n >= a.table.guard.n
    assert markov_cli.merge([a, markov_cli.train(texts=["x y"])]).table.guard is None
    tiny = markov_cli.train(texts=["one two three four five six seven eight"], guard=5)
    assert markov_cli.merge([a, tiny]).table.guard is None  # its hashes are too short for so many runs


def test_pruning_keeps_the_guard_unless_told_not_to(run, tmp_path, story):
    (tmp_path / "a.txt").write_text(story, encoding="utf-8")
    model, out = tmp_path / "a.npz", tmp_path / "b.npz"
    run("train", tmp_path / "a.txt", "-o", model, "--guard", 5, "-q")
    run("train", tmp_path / "a.txt", "-o", tmp_path / "plain.npz", "-q")
    had = markov_cli.Model.load(model).table.guard.values().tolist()
    assert run("prune", model, "--prune", "0,0,1", "-o", out, "-q").code == 0
    assert markov_cli.Model.load(out).table.guard.values().tolist() == had
    assert run("prune", model, "--threshold", "1e-4", "-o", out, "-q").code == 0
    assert markov_cli.Model.load(out).table.guard.values().tolist() == had
    assert run("prune", model, "--no-guard", "-o", out, "-q").code == 0
    assert out.read_bytes() == (tmp_path / "plain.npz").read_bytes()
    ran = run("train", tmp_path / "a.txt", "--update", tmp_path / "plain.npz", "--guard", 5, "-o", out)
    assert ran.code == 2 and "has none" in ran.stderr
    ran = run("merge", model, tmp_path / "plain.npz", "-o", out)
    assert ran.code == 0 and "no guard: a model has none" in ran.stderr


# ------------------------------------------------------------ files


def test_a_loaded_guard_answers_the_same(tmp_path, story):
    model = markov_cli.train(texts=[story], guard=5)
    model.save(tmp_path / "m.npz")
    loaded = markov_cli.Model.load(tmp_path / "m.npz")
    assert loaded.table.guard.values().tolist() == model.table.guard.values().tolist()
    keys = np.random.default_rng(1).integers(0, 2**63, 5000, dtype=np.uint64) * np.uint64(2)
    assert (loaded.table.guard.seen(keys) == model.table.guard.seen(keys)).all()
    assert damage(loaded.file) == []
    texts = [[t.text for t in m.generate(20, 3, novel=5)] for m in (model, loaded)]
    assert texts[0] == texts[1]


def rewritten(path, name, change):
    """Change one array of a model file and make its checksum right."""
    from markov_cli.model import model_file

    file = model_file.load(path)
    arrays = {n: np.array(a) for n, a in file.arrays.items()}
    arrays[name] = change(arrays[name])
    out = io.BytesIO()
    model_file._write_arrays(out, file.header.as_dict(), arrays)
    path.write_bytes(out.getvalue())


CHANGES = {
    "guard_low": lambda a: a[::-1],  # hashes of a bucket out of order
    "guard_high": lambda a: np.append(a[:-1] ^ np.uint64(1), a[-1]),  # one bit more or fewer
    "guard_first": lambda a: a ^ a.dtype.type(5),
}


@pytest.mark.parametrize("name", CHANGES)
def test_verify_finds_damage_with_a_right_checksum(tmp_path, story, name):

    path = tmp_path / "m.npz"
    markov_cli.train(texts=[story], guard=5).save(path)
    rewritten(path, name, CHANGES[name])
    model = markov_cli.Model.load(path)
    assert any("guard" in line for line in damage(model.file))
    try:  # a wrong answer or an error is allowed, a crash is not
        for _ in model.generate(30, 1, novel=5):
            pass
    except ModelFileError:
        pass


@pytest.mark.parametrize("figures", [[5, 0, 3], [5, 63, 3], [1, 20, 3], [5, 20, 2**40], [5, 20, 3], [5, 2**63, 1]])
def test_impossible_figures_of_a_guard_are_refused(tmp_path, story, figures):
    path = tmp_path / "m.npz"
    markov_cli.train(texts=[story], guard=5).save(path)
    rewritten(path, "guard", lambda _: np.array(figures, np.uint64))
    with pytest.raises(ModelFileError, match="guard"):
        markov_cli.Model.load(path)


def test_a_guard_array_of_the_wrong_length_is_refused(tmp_path, story):
    path = tmp_path / "m.npz"
    markov_cli.train(texts=[story], guard=5).save(path)
    rewritten(path, "guard_first", lambda a: a[:-1])
    with pytest.raises(ModelFileError, match="guard_first has"):
        markov_cli.Model.load(path)


def test_audit_reports_a_guard_as_a_table_for_guesses(run, tmp_path, corpora):
    model = tmp_path / "m.npz"
    run("train", corpora / "change.txt", "-o", model, "--guard", 4, "-q")
    assert "a table of order 4, which no figure here counts" in run("audit", model).stdout
    plain = tmp_path / "p.npz"
    run("train", corpora / "change.txt", "-o", plain, "-q")
    assert json.loads(run("audit", plain, "--json").stdout)["guard"] is None
