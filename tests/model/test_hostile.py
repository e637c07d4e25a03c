"""Hostile model files: one test for each lie found so far, and a short run of the fuzzer."""

import io
import itertools
import json
import random
import re
import signal
import sys
import time
import tracemalloc

import numpy as np
import pytest

import markov_cli
from engine import model_of, saved
from fuzzing import archives, bases, headers
from markov_cli.api.model import Model
from markov_cli.errors import MarkovError, ModelFileError
from markov_cli.inspecting.verify import damage
from markov_cli.text.vocabulary import Vocabulary

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and reads /proc")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    return bases._base("words", saved(model_of(bases.TEXT)), folder)


@pytest.fixture
def opened(tmp_path):
    def open_bytes(data):
        (tmp_path / "m.npz").write_bytes(data)
        return Model.load(tmp_path / "m.npz")

    return open_bytes


def test_a_short_run_of_the_fuzzer_has_no_findings(run, tmp_path):
    """`make fuzz` runs 20,000 cases. It forks, so it runs in a process without threads."""
    import subprocess
    from pathlib import Path

    fuzz = Path(__file__).parents[1] / "fuzz.py"
    command = [sys.executable, str(fuzz), "--cases", "40", "--seed", "7", "--commands", "2", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("40 files") and "0 findings" in done.stdout
    outcomes = dict(re.findall(r"(\d+) (refused|damage found)", done.stdout)[::-1])
    assert len(outcomes) == 2  # some files are refused and some open


def test_the_fuzzer_detects_a_crash_a_hang_and_a_lie(base, tmp_path):

    from fuzzing.running import SECONDS, Tally, _judge, _wrong

    assert "ValueError" in _wrong(70, b"", b"Traceback (most recent call last):\nValueError: x\n")
    assert "two lines" in _wrong(1, b"", b"markov: one line\n")
    assert "memory" in _wrong(1, b"", b"markov: the table is not whole: Unable to allocate 9 GB\n  hint\n")
    assert "control" in _wrong(0, b"", b"\x1b[31mred\n")
    assert not _wrong(1, b"", b"markov: m.npz: cut short\n  retrain it\n")
    tally = Tally()
    _judge(tally, (1, "words", "flips", "x"), [{"begin": "inspect M"}, {"unseen": True}], signal.SIGPROF)
    assert [f.what for f in tally.findings] == [
        "--verify says whole, and it is not the file that was written",
        f"{SECONDS:g} s of the processor",
    ]


# ------------------------------------------------------------ the archive


def test_the_directory_and_a_members_own_header_must_agree(opened, base):
    for field, value in (("name", b"header2.npy"), ("size", 7), ("crc", 1), ("method", 8), ("flags", 1)):
        entries = archives.entries_of(base)
        entries[2].local[field] = value
        with pytest.raises(ModelFileError):
            opened(archives.archive(entries))


@pytest.mark.parametrize("where", [b"", b"comment"])
def test_bytes_before_or_after_the_archive_are_refused(opened, base, where):
    whole = archives.archive(archives.entries_of(base))
    assert damage(opened(whole).file) == [f"byte {first_difference(whole, base.data)} of the file, between its arrays, "
                                          "is not what markov writes"]  # fmt: skip
    for bad in (b"#!" + whole, whole + b"\0", archives.archive(archives.entries_of(base), comment=where or b"x")):
        with pytest.raises(ModelFileError):
            opened(bad)


def first_difference(a, b):
    return f"{next(i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y):,}"


def test_a_directory_of_very_many_members_is_refused_unread(opened):
    """zipfile would make an object for each member: a gigabyte for a file of 100 MB."""
    many = [archives.Entry.of(f"m{i}.npy", b"") for i in range(70_000)]
    data = archives.archive(many, zip64_end={})
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match="70,000 members"):
            opened(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(data)  # `opened` itself holds some of it


def test_an_arrays_header_is_not_evaluated(opened, base):
    """NumPy's own reader evaluates it, and warns of Python 2 literals."""
    entries = archives.entries_of(base)
    for text in ("{'descr': '|u1', 'fortran_order': False, 'shape': (3L,), }", "(" * 9000, "{**{}}"):
        entries[1] = archives.Entry.of(entries[1].name.decode(), archives.npy(np.zeros(3, np.uint8), text))
        with pytest.raises(ModelFileError, match="not an array"):
            opened(archives.archive(entries))


# ------------------------------------------------------------ the header


@pytest.mark.parametrize(
    "old, new",
    [('"tokens": ', '"tokens": 1, "tokens": '),
     ('"order": 3', '"order": 3e0'),
     ('"corpus_bytes": ', '"corpus_bytes": NaN, "x": '),
     ('"version": 2', '"version": 2.0'), ('"prune": []', '"prune": [true]'), ('"prune": []', '"prune": {}'),
     ('"counts_of_counts": []', '"counts_of_counts": [["0", "1", "1", "1", "1"]]'),
     ('"counts_of_counts": []', f'"counts_of_counts": [[0, {2**64}, 0, 0, 0]]'),
     ('"tokens": ', '"tokens": ' + "9" * 5000)],
)  # fmt: skip
def test_ambiguous_json_headers_are_refused(opened, base, old, new):
    text = json.dumps({**base.head, "arrays": headers._told(base)})
    assert old in text
    with pytest.raises(ModelFileError):
        opened(headers.with_header(base, text.replace(old, new, 1).encode()))


def test_a_version_with_a_newline_is_shown_on_one_line(opened, base, run, tmp_path):
    with pytest.raises(ModelFileError) as error:
        opened(base.with_arrays(base.arrays, version="\x1b[31m\n"))
    assert "\n" not in error.value.message
    ran = run("inspect", tmp_path / "m.npz")
    assert len(ran.stderr.splitlines()) == 2 and "\x1b" not in ran.stderr


def test_a_model_with_an_endless_pattern_is_stopped(opened, base, tmp_path, monkeypatch):
    """The pattern comes with the model and runs on every scored text."""
    monkeypatch.setattr("markov_cli.text.pattern_tokens._SECONDS", 0.3)
    model = opened(base.with_arrays(base.arrays, tokenizer="regex", pattern=r"(\w+\s?)*!!"))
    begin = time.process_time()
    with pytest.raises(MarkovError, match="takes too long"):
        model.score(texts=["the cat sat on the mat and then the dog did so too"])
    assert time.process_time() - begin < 5
    with pytest.raises(ModelFileError):
        opened(base.with_arrays(base.arrays, tokenizer="regex", pattern="x" * 20_000))


# ------------------------------------------------------------ the arrays


def test_an_index_of_another_width_is_refused(opened, base):
    for name in ("token_2", "first_1", "vocab_offsets", "count_1_big_row"):
        with pytest.raises(ModelFileError, match=name):
            opened(base.with_arrays({**base.arrays, name: base.arrays[name].astype("<u8")}))


def test_counts_beyond_int64_are_refused(opened, base):
    sums = base.arrays["count_2_sums"].astype("<u8")
    sums[-1] = 2**63
    with pytest.raises(ModelFileError, match="count_2"):
        opened(base.with_arrays({**base.arrays, "count_2_sums": sums}))


def test_followers_that_overlap_take_no_more_memory_than_rows(opened, base):
    """If every other history has all rows as followers, listing them all needs the square of the rows."""
    first = base.arrays["first_2"].copy()
    first[::2], first[1::2] = 0, first[-1]
    first[-1] = base.arrays["first_2"][-1]
    model = opened(base.with_arrays({**base.arrays, "first_2": first}))
    with pytest.raises(ModelFileError):
        model.table.index(2)


def test_texts_of_very_many_bytes_are_not_joined(monkeypatch):
    """With lying offsets every type may be the whole blob, and a text of 1,000 tokens 1,000 times the file."""
    monkeypatch.setattr("markov_cli.text.vocabulary._MOST_BYTES", 1000)
    vocabulary = Vocabulary(np.full(600, 97, np.uint8), np.array([0, 0, 0, 0, 600]), np.empty(0, np.uint8), "words")
    with pytest.raises(MarkovError, match="1,200 bytes"):
        vocabulary.join(np.array([3, 3]), np.array([2]))


def test_nearest_types_are_sought_among_short_ones():
    vocabulary = Vocabulary(np.full(10**6 + 5, 97, np.uint8), np.array([0, 0, 0, 0, 10**6, 10**6 + 5]), np.empty(0, np.uint8), "words")  # fmt: skip # noqa: E501
    assert vocabulary.nearest("aaaa") == ["aaaaa"]


def test_a_model_whose_highest_order_is_empty_is_shown(run, tmp_path):
    """Every sequence is shorter than the order, so no history has a histogram."""
    markov_cli.train(texts=["a b", "a c"], order=9, unit="line").save(tmp_path / "m.npz")
    ran = run("inspect", tmp_path / "m.npz")
    assert ran.code == 0 and "order 9" in ran.stdout


# ------------------------------------------------------------ damage that --verify finds


def types_changed(base, i, new):
    arrays = dict(base.arrays)
    blob, at = arrays["vocab_bytes"].tobytes(), arrays["vocab_offsets"].tolist()
    types = [blob[a:b] for a, b in itertools.pairwise(at)]
    types[i] = types[new]
    arrays["vocab_bytes"] = np.frombuffer(b"".join(types), np.uint8)
    arrays["vocab_offsets"] = np.cumsum([0, *map(len, types)]).astype(base.arrays["vocab_offsets"].dtype)
    return arrays


def test_verify_finds_a_repeated_type(opened, base):
    flags = base.arrays["vocab_flags"]
    same = [i for i in range(3, len(flags)) if not flags[i]][-2:]
    found = damage(opened(base.with_arrays(types_changed(base, *same))).file)
    assert any("are the same" in line for line in found)


def test_verify_finds_types_that_are_no_characters(opened, tmp_path):
    chars = bases._base("chars", saved(model_of("abc abd", tokenizer="chars")), tmp_path)
    longer = np.append(chars.arrays["vocab_bytes"], np.uint8(120))
    offsets = chars.arrays["vocab_offsets"].copy()
    offsets[-1] += 1
    found = damage(opened(chars.with_arrays({**chars.arrays, "vocab_bytes": longer, "vocab_offsets": offsets})).file)
    assert found == ["vocab_offsets: a type of a model of chars that is not one"]


def test_verify_finds_lies_of_a_pruned_model(opened, tmp_path):
    pruned = bases._base("pruned", saved(model_of(bases.TEXT, order=4, prune=(0, 0, 1))), tmp_path)
    assert damage(opened(pruned.data).file) == []
    for name in ("left_2", "left_total_1", "count_3"):
        arrays = dict(pruned.arrays)
        values = arrays[name].copy()
        values[len(values) // 2 :] = 0 if name != "count_3" else 200
        arrays[name] = values
        counts = bases.model_file.Counts.pack(values.astype(np.int64))
        arrays[f"{name}_sums"] = counts.sums
        assert damage(opened(pruned.with_arrays(arrays)).file), name
    coc = [[0] * 5 for _ in pruned.head["counts_of_counts"]]
    assert damage(opened(pruned.with_arrays(pruned.arrays, counts_of_counts=coc)).file)


def test_verify_finds_a_hundred_flipped_bits(opened, base):
    rng = random.Random(1)
    for _ in range(100):
        bad = bytearray(base.data)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        try:
            model = opened(bytes(bad))
        except ModelFileError:
            continue
        assert damage(model.file)


def test_devices_and_endless_streams_are_refused(run):
    for ran in (run("inspect", "/dev/zero"), run("inspect", "-", stdin=b"y\n" * 10_000)):
        assert ran.code == 1 and len(ran.stderr.splitlines()) == 2


def test_a_model_that_could_not_be_opened_is_not_saved(tmp_path):
    """The header has a size limit."""
    model = markov_cli.train(texts=["a " * 20], order=3)
    model.header.order = 3
    model.header.options = type(model.header.options)("regex", "file", False, "x" * (1 << 20))
    with pytest.raises(MarkovError, match="too large for a file"):
        model.save(io.BytesIO())
