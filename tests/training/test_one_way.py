"""Every option gives the same bytes in memory, on disk and on a Dask cluster."""

import numpy as np
import pytest

import markov_cli
from conftest import CORPORA
from markov_cli.arrays import disk_array, memory
from markov_cli.arrays.threads import ordered_map
from markov_cli.model import disk_guard, disk_suffixes
from markov_cli.model.fingerprints import Guard, bits_for
from markov_cli.training import on_disk, plan, vocabulary_parts
from markov_cli.training.options import TrainOptions

HARBOUR = CORPORA / "harbour.txt"


@pytest.fixture
def texts(tmp_path):
    """Three files, an empty one among them, whose sequences are much longer and much shorter than a block."""
    lines = HARBOUR.read_text(encoding="utf-8")[:1500].splitlines()
    parts = {"a": lines[:14], "b": [], "c": [*lines[5:7], "the end", "the end", "", "x"], "d": lines[12:]}
    for name, some in parts.items():
        (tmp_path / f"{name}.txt").write_text("\n".join(some), encoding="utf-8")
    return [tmp_path / f"{name}.txt" for name in parts]


@pytest.fixture(params=[90])
def on_disk_bytes(request, tmp_path, monkeypatch):
    """`on_disk_bytes(paths, **options)`: the model of a run whose blocks and ranges hold a few windows."""

    def train(paths, **options):
        with monkeypatch.context() as patch:
            patch.setattr(TrainOptions, "token_bytes", 10**9)
            patch.setattr(on_disk, "_MIN_BLOCK", request.param)
            patch.setattr(on_disk, "_MAX_BLOCK", request.param)
            said = []
            patch.setattr(on_disk, "stitched", lambda found, call=on_disk.stitched: said.append(1) or call(found))
            markov_cli.train_file(paths, tmp_path / "disk.npz", memory=memory.LEAST, **options)
            assert said, "trained in memory, not on disk"
        return (tmp_path / "disk.npz").read_bytes()

    return train


def in_memory(paths, tmp_path, **options):
    markov_cli.train(paths, **options).save(tmp_path / "memory.npz")
    return (tmp_path / "memory.npz").read_bytes()


NO_BORDERS = [{}, {"order": 1}, {"order": 2}, {"order": 5, "prune": (0, 0, 1), "jobs": 2}, {"min_type_count": 3}]


@pytest.mark.parametrize("more", NO_BORDERS, ids=str)
def test_texts_without_borders(texts, tmp_path, on_disk_bytes, more):
    asked = {"borders": False, **more}
    assert on_disk_bytes(texts, **asked) == in_memory(texts, tmp_path, **asked)


def test_short_texts_without_borders(tmp_path, on_disk_bytes):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("a b\n\na")
    asked = {"borders": False, "order": 7}
    both = [tmp_path / "a.txt", tmp_path / "b.txt"]
    assert on_disk_bytes(both, **asked) == in_memory(both, tmp_path, **asked)


WORDS = ["the", "a", "of", ",", ".", "clock", "zebra"]


@pytest.mark.parametrize("more", [{}, {"order": 1}, {"order": 4, "prune": (0, 1)}, {"borders": False}], ids=str)
def test_a_list_of_words_to_prune_to(texts, tmp_path, on_disk_bytes, more):
    asked = {"prune_vocab": WORDS, **more}
    assert on_disk_bytes(texts, **asked) == in_memory(texts, tmp_path, **asked)
    assert on_disk_bytes(texts, prune_vocab=["zebra"]) == in_memory(texts, tmp_path, prune_vocab=["zebra"])


@pytest.mark.parametrize("more", [{}, {"order": 1}, {"order": 5, "prune": (0, 1), "jobs": 2}], ids=str)
def test_weights(tmp_path, on_disk_bytes, more):
    lines = HARBOUR.read_text(encoding="utf-8").splitlines()[:40]
    weights = [0, 1, 300, 70_000, 1 << 33]
    lines = [f"{line} {line}. Then {i}\t{weights[i % 5]}" for i, line in enumerate(lines) if line]
    (tmp_path / "w.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "v.txt").write_text("a b\t2\n\t4\nb\t3\n", encoding="utf-8")
    asked = {"weights": True, **more}
    both = [tmp_path / "w.txt", tmp_path / "v.txt"]
    assert on_disk_bytes(both, **asked) == in_memory(both, tmp_path, **asked)


PROTECTED = [
    {"min_sequences": 2}, {"min_files": 2}, {"cap_per_sequence": 1},
    {"min_sequences": 3, "min_files": 2, "cap_per_sequence": 1, "order": 4, "prune": (0, 1), "jobs": 2},
    {"cap_per_sequence": 1, "order": 1, "min_type_count": 2}, {"min_files": 2, "order": 6},
    {"min_sequences": 2, "order": 1}, {"min_sequences": 2, "prune_vocab": WORDS},
]  # fmt: skip


@pytest.mark.parametrize("unit", ["line", "file"])
@pytest.mark.parametrize("more", PROTECTED, ids=str)
def test_least_sequences_files_and_caps(texts, tmp_path, on_disk_bytes, more, unit):
    """Also where one sequence fills many blocks, and ends with a file."""
    asked = {"unit": unit, **more}
    assert on_disk_bytes(texts, **asked) == in_memory(texts, tmp_path, **asked)


def test_the_text_must_have_the_sequences_that_are_asked_for(texts, on_disk_bytes):
    with pytest.raises(markov_cli.OptionError, match="the text has 3 files"):
        on_disk_bytes(texts, min_files=4)


@pytest.mark.parametrize(
    "more", [{"guard": 4}, {"guard": 9, "guard_rate": 0.3, "order": 2, "unit": "file"}, {"guard": 500}], ids=str
)
def test_a_guard(texts, tmp_path, on_disk_bytes, more):
    """A guard of many hashes, and of none; runs end with a text, not with a sequence."""
    assert on_disk_bytes(texts, **more) == in_memory(texts, tmp_path, **more)


@pytest.mark.parametrize("n", [0, 1, 64, 129, 300])
def test_the_arrays_of_a_guard_in_blocks(tmp_path, monkeypatch, n):
    """In blocks of any size, and for hashes that all stand at one end."""
    rng = np.random.default_rng(n)
    for keys in (rng.integers(0, 1 << 64, n, np.uint64), np.arange(n, dtype=np.uint64) << np.uint64(40)):
        keys.sort()
        for block in (1, 64, 100):
            monkeypatch.setattr(disk_array.Column.blocks, "__defaults__", (block,))
            monkeypatch.setattr(disk_guard, "BLOCK", block)
            column = disk_guard.distinct_keys([keys[::2], keys], 2 * n, str(tmp_path), 100)
            made = disk_guard.make_guard(column, 5, 1 / 256, str(tmp_path))
            bits = bits_for(n, 1 / 256)
            wanted = Guard.of(5, np.unique(keys >> np.uint64(64 - bits)), bits)
            assert (made.bits, made.n) == (wanted.bits, wanted.n)
            for ours, theirs in zip(made.columns(), (wanted.low, wanted.high, wanted.first), strict=True):
                assert ours.read().tolist() == theirs.tolist() and ours.dtype == theirs.dtype
            assert [v for some in wanted.blocks(3) for v in some] == wanted.values().tolist()


@pytest.fixture(params=[90])
def update_on_disk(request, tmp_path, monkeypatch):
    """`update_on_disk(model, paths, **options)`: as `on_disk_bytes`."""

    def update(model, paths, **options):
        with monkeypatch.context() as patch:
            patch.setattr(TrainOptions, "token_bytes", 10**9)
            patch.setattr(on_disk, "_MIN_BLOCK", request.param)
            patch.setattr(on_disk, "_MAX_BLOCK", request.param)
            patch.setattr(on_disk, "train_read", None)
            markov_cli.update_file(model, paths, tmp_path / "disk.npz", memory=memory.LEAST, **options)
        return (tmp_path / "disk.npz").read_bytes()

    return update


@pytest.mark.parametrize(
    "more",
    [
        {"order": 1}, {"order": 5, "unit": "line"}, {"tokenizer": "chars"}, {"vocab": WORDS, "guard": 6},
        {"guard": 5, "guard_rate": 0.4},
    ],
    ids=str,
)  # fmt: skip
def test_text_added_to_a_model(texts, tmp_path, update_on_disk, more):
    """Also where the model has longer sequences than the text, or shorter ones, and a guard that is then too full."""
    for old, new in ((texts[:1], texts[1:]), (texts[2:3], texts[:2]), (texts[:1], texts[2:3])):
        model = markov_cli.train(old, **more)
        words = {"vocab": WORDS} if "vocab" in more else {}
        markov_cli.update(model, new, **words).save(tmp_path / "memory.npz")
        assert update_on_disk(model, new, **words) == (tmp_path / "memory.npz").read_bytes()
        if "guard" not in more:
            assert in_memory([*old, *new], tmp_path, **more) == (tmp_path / "disk.npz").read_bytes()


def test_weighted_counts_are_updated_in_memory(texts, update_on_disk):
    half = markov_cli.merge([markov_cli.train(texts[0])] * 2, [0.5, 1])
    with pytest.raises(markov_cli.MarkovError, match="weighted counts, to which text is added in memory"):
        update_on_disk(half, texts[2])


MANY_TYPES = [
    {}, {"jobs": 3, "order": 2, "max_types": 50}, {"cap_per_sequence": 1, "unit": "file", "min_type_count": 2},
    {"cap_per_sequence": 1, "min_sequences": 2}, {"vocab": WORDS}, {"guard": 5}, {"order": 1}, {"borders": False},
    {"tokenizer": "regex", "pattern": r"\w+|\s"}, {"tokenizer": "spaces", "unit": "line", "prune_vocab": ["the"]},
]  # fmt: skip


@pytest.fixture
def few_types(monkeypatch):
    """Let few types fit into memory."""
    monkeypatch.setattr(on_disk.Training, "_free", lambda self: 16 << 20)
    monkeypatch.setattr(on_disk, "_TYPE_BYTES", 400_000)  # of 8 MB
    monkeypatch.setattr(on_disk, "_SORTED_TYPE_BYTES", 1_000_000)
    monkeypatch.setattr(vocabulary_parts, "_SAMPLE", 3)
    monkeypatch.setattr(vocabulary_parts, "_MANY", 6)
    monkeypatch.setattr(vocabulary_parts, "_TAKE", 70)
    monkeypatch.setattr(plan, "_LEAST_BLOCK", 200)
    monkeypatch.setattr(plan, "_BLOCKS", 10**6)


@pytest.mark.parametrize("more", MANY_TYPES, ids=str)
def test_a_vocabulary_larger_than_memory(texts, tmp_path, on_disk_bytes, few_types, monkeypatch, more):
    parts = []
    add = vocabulary_parts.VocabularyParts.add
    monkeypatch.setattr(vocabulary_parts.VocabularyParts, "add", lambda self, *a: parts.append(1) or add(self, *a))
    assert on_disk_bytes(texts, **more) == in_memory(texts, tmp_path, **more)
    assert len(parts) > 3


@pytest.mark.parametrize("more", [{"jobs": 2}, {"jobs": 3, "order": 5, "borders": False}], ids=str)
def test_threads_share_a_vocabulary_and_left_neighbours(texts, tmp_path, on_disk_bytes, few_types, monkeypatch, more):
    """As they do where there is memory for many types, and for many rows, at one time."""
    threads = []

    def noted(call, items, jobs, *rest):
        threads.append(jobs)
        return ordered_map(call, items, jobs, *rest)

    for module in (vocabulary_parts, disk_suffixes):
        monkeypatch.setattr(module, "BLOCK", 5)
        monkeypatch.setattr(module, "ordered_map", noted)
    assert on_disk_bytes(texts, **more) == in_memory(texts, tmp_path, **more)
    assert threads and set(threads) == {more["jobs"]}


def test_a_vocabulary_larger_than_memory_is_added_to_a_model(texts, tmp_path, update_on_disk, few_types):
    for more in ({"guard": 6}, {"vocab": WORDS}):
        model = markov_cli.train(texts[:1], **more)
        words = {"vocab": WORDS} if "vocab" in more else {}
        markov_cli.update(model, texts[1:], **words).save(tmp_path / "memory.npz")
        assert update_on_disk(model, texts[1:], **words) == (tmp_path / "memory.npz").read_bytes()
