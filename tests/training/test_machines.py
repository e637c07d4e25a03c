"""Training on a Dask cluster gives the bytes of training in memory, even if a worker dies."""

import os
import signal
from itertools import pairwise

import pytest

import lone_cluster
import markov_cli
from conftest import CORPORA, rarely
from engine import saved
from markov_cli.errors import MarkovError, OptionError
from markov_cli.text.byte_ranges import PartOfFile, next_cut
from markov_cli.text.encoder import TextOptions
from markov_cli.text.reading import Source, find_sources
from markov_cli.text.word_list import WordList
from markov_cli.training import dask_client
from markov_cli.training.in_memory import train_sources
from markov_cli.training.options import TrainOptions
from markov_cli.training.plan import Resources, train_file

distributed = pytest.importorskip("distributed")

HARBOUR = CORPORA / "harbour.txt"


@pytest.fixture(scope="module")
def local_cluster():
    """Three worker processes, which stand for three machines."""
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as made:
        yield made


@pytest.fixture
def address(request, monkeypatch):
    """That of three workers; usually, which is much faster, of none: this process does their work."""
    return request.getfixturevalue("local_cluster").scheduler_address if rarely(1) else lone_cluster.use(monkeypatch)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(dask_client, "PART_BYTES", 5000)
    monkeypatch.setattr(dask_client, "RANGE_WINDOWS", 2000)
    monkeypatch.setattr(dask_client, "PARTS_OF_A_SHARD", 3)


def options(tokenizer="words", unit="sentence", **more):
    return TrainOptions(text=TextOptions.of(tokenizer, unit), **more)


def spread(paths, target, address, *, progress=lambda *a: None, **more):
    sources = find_sources([str(p) for p in paths])
    place = Resources(dask=address)
    train_file(sources, options(**more), str(target), place, progress)
    return target.read_bytes()


def in_memory(paths, **more):
    return saved(train_sources(find_sources([str(p) for p in paths]), options(**more)))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "more",
    [
        {"order": 5, "prune": (0, 0, 1)}, {"tokenizer": "spaces", "unit": "line"},
        {"unit": "file", "min_type_count": 2},
        *rarely({"order": 3}, {"order": 1}, {"tokenizer": "chars", "order": 6}, {"tokenizer": "regex"}),
    ],
    ids=str,
)  # fmt: skip
def test_a_cluster_gives_the_bytes_of_training_in_memory(tmp_path, address, small, more):
    paths = [HARBOUR, CORPORA / "messages.txt", CORPORA / "scripts"]
    assert spread(paths, tmp_path / "model.npz", address, **more) == in_memory(paths, **more)
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.filterwarnings("default")
def test_a_cluster_reads_with_a_word_list(tmp_path, address, small):
    more = {"vocab": WordList.of(["the", "a", "of", "and", ",", ".", "clock", "zebra"]), "max_types": 6}
    assert spread([HARBOUR], tmp_path / "model.npz", address, **more) == in_memory([HARBOUR], **more)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("phase", ["joining", *rarely("reading", "sorting", "merging", "writing rows")])
def test_training_survives_a_dead_worker(tmp_path, local_cluster, small, phase):
    killed = []

    def progress(now, done, total):
        if now == phase and done == 2 and not killed:
            worker = next(w for w in local_cluster.workers.values() if w.pid)
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    whole = in_memory([HARBOUR], order=5)
    assert (
        spread([HARBOUR], tmp_path / "model.npz", local_cluster.scheduler_address, progress=progress, order=5) == whole
    )
    assert killed


@pytest.mark.filterwarnings("default")
def test_addresses_are_read_through_fsspec(tmp_path, local_cluster, small):
    paths = [f"file://{HARBOUR}"]
    assert spread(paths, tmp_path / "model.npz", local_cluster.scheduler_address) == in_memory([HARBOUR])


def test_workers_of_this_machine_keep_the_memory_of_arrays():
    with dask_client.connected("local", 1 << 30, 1) as client:
        assert [*client.run(os.environ.get, "MALLOC_MMAP_THRESHOLD_").values()] == [str(1 << 25)]


def test_a_missing_scheduler_is_an_error_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_client, "_TIMEOUT_S", 1)
    with pytest.raises(MarkovError, match="--dask tcp"):
        train_file(find_sources([str(HARBOUR)]), options(), str(tmp_path / "m"), Resources(dask="tcp://127.0.0.1:1"))
    assert not [*tmp_path.iterdir()]


def test_a_cluster_cannot_read_standard_input(tmp_path, address):
    with pytest.raises(OptionError, match="cannot read standard input"):
        train_file([Source("-")], options(), str(tmp_path / "m"), Resources(dask=address))


def test_byte_ranges_cover_the_file_and_start_at_words(tmp_path):
    path = tmp_path / "text"
    for step, times in ((1, 10), (7, 10), (64, 40), (500, 40)):
        data = "word  other\n\n é ü the\tend 漢字 of it ".encode() * times
        path.write_bytes(data)
        edges = [*range(0, len(data), step), len(data)]
        parts = []
        for a, b in pairwise(edges):
            with path.open("rb") as f:
                parts.append(PartOfFile(f, a, b).readall())
        assert b"".join(parts) == data
        starts = [p for p in parts if p][1:]
        assert all(chr(p[0]).isascii() and not chr(p[0]).isspace() for p in starts)
    with path.open("rb") as f:
        assert next_cut(f, 0) == 0 and next_cut(f, len(data)) == len(data)


WEIGHTED = "\n".join(f"line {i % 7} of {i}. More of it\t{(1, 0, 3, 1 << 34)[i % 4]}" for i in range(900))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "more",
    [
        {"borders": False, "prune_vocab": ["the", "a", ","]}, {"weights": True, "unit": "line"},
        {"min_sequences": 2, "cap_per_sequence": 1, "unit": "file", "order": 2, "guard": 9},
        *rarely(
            {"min_sequences": 2, "min_files": 2, "cap_per_sequence": 1, "min_type_count": 2},
            {"guard": 1600, "guard_rate": 0.1},
        ),
    ],
    ids=str,
)  # fmt: skip
def test_every_option_gives_the_bytes_of_training_in_memory(tmp_path, address, small, more):
    paths = [HARBOUR, CORPORA / "messages.txt", HARBOUR]
    if "weights" in more:
        (tmp_path / "text.txt").write_text(WEIGHTED)
        paths = [tmp_path / "text.txt", tmp_path / "text.txt"]
    made = markov_cli.train_file(paths, tmp_path / "model.npz", dask=address, **more)
    markov_cli.train(paths, **more).save(tmp_path / "memory.npz")
    assert (tmp_path / "model.npz").read_bytes() == (tmp_path / "memory.npz").read_bytes()
    assert made.model.repairs.invalid == 0


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("more", [{"guard": 7}, *rarely({"order": 1})], ids=str)
def test_text_is_added_to_a_model(tmp_path, address, small, more):
    old = markov_cli.train([CORPORA / "messages.txt"], **more)
    place = {"dask": address}
    markov_cli.update_file(old, [HARBOUR, CORPORA / "scripts"], tmp_path / "model.npz", **place)
    markov_cli.update(old, [HARBOUR, CORPORA / "scripts"]).save(tmp_path / "memory.npz")
    assert (tmp_path / "model.npz").read_bytes() == (tmp_path / "memory.npz").read_bytes()


@pytest.mark.filterwarnings("default")
def test_groups_of_records(tmp_path, local_cluster, small):
    """Texts of one group are in several files; one group is too small."""
    for i in range(4):
        rows = [f"{'ann' if j % 3 else 'bob'},text {i * j % 7} of it. More {j},{j % 4}" for j in range(200)]
        more = ["cid,once,1"] if i == 2 else []
        (tmp_path / f"{i}.csv").write_text("\n".join(["who,text,n", *rows, *more]))
    paths = [tmp_path / f"{i}.csv" for i in range(4)]
    for name, how in (("a", {"weights_field": "n", "guard": 5}), ("b", {"min_sequences": 3, "prune_vocab": ["of"]})):
        how |= {"csv": "text", "group_by": "who", "min_group": 2}
        made = markov_cli.train_groups(paths, tmp_path / name / "{}.npz", dask=local_cluster.scheduler_address, **how)
        known = markov_cli.train_groups(paths, tmp_path / name / "memory-{}.npz", **how)
        assert made.small_groups == known.small_groups == 1 and made.repairs == known.repairs
        for ours, theirs in zip(made.groups, known.groups, strict=True):
            assert (tmp_path / ours.model).read_bytes() == (tmp_path / theirs.model).read_bytes()
            assert (ours.group, ours.records) == (theirs.group, theirs.records)
