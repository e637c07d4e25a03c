"""Training on disk gives the bytes of training in memory, after kills, damage and full disks too."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import CORPORA, SCRIPTS, TIMEOUT_S, rarely
from engine import saved
from markov_cli.arrays import disk_array, run_folder
from markov_cli.errors import MarkovError
from markov_cli.model.model_file import load
from markov_cli.text.encoder import TextOptions
from markov_cli.text.reading import find_sources
from markov_cli.text.word_list import WordList
from markov_cli.training import on_disk
from markov_cli.training.in_memory import train_sources
from markov_cli.training.options import TrainOptions
from markov_cli.training.plan import Resources, train_file
from strategies import TOKENIZERS, UNITS

HARBOUR = CORPORA / "harbour.txt"
TINY = Path(__file__).parents[1] / "golden" / "tiny.npz"

# the program with limits so low that a small text does not fit in memory
SPILLED = """
import sys
from markov_cli.training import on_disk, options
options.TrainOptions.token_bytes = 10**9
on_disk._MIN_BLOCK = on_disk._MAX_BLOCK = 700
from markov_cli.cli.main import main
main(sys.argv[1:])
"""


@pytest.fixture
def low(monkeypatch):
    """Set the limits so low that nothing fits in memory."""
    monkeypatch.setattr(TrainOptions, "token_bytes", 10**9)
    monkeypatch.setattr(on_disk, "_MIN_BLOCK", 700)
    monkeypatch.setattr(on_disk, "_MAX_BLOCK", 700)


def options(tokenizer="words", unit="sentence", **more):
    return TrainOptions(text=TextOptions.of(tokenizer, unit), **more)


def train_on_disk(path, target, *, resume=False, said=None, **more):
    said = [] if said is None else said
    made = train_file(
        find_sources([str(path)]), options(**more), str(target), Resources(resume=resume), say=said.append
    )
    assert made.trained is None, "trained in memory, not on disk"
    return target.read_bytes()


def in_memory(path, **more):
    return saved(train_sources(find_sources([str(path)]), options(**more)))


def left_in(folder, *but):
    return [p.name for p in folder.iterdir() if p.name not in ("model.npz", *but)]


# ------------------------------------------------------------------ the same bytes


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_every_tokenizer_and_unit_gives_the_same_bytes(tmp_path, low, tokenizer, unit):
    path = SCRIPTS[0] if tokenizer in ("chars", "bytes") else HARBOUR
    target = tmp_path / "model.npz"
    assert train_on_disk(path, target, tokenizer=tokenizer, unit=unit) == in_memory(
        path, tokenizer=tokenizer, unit=unit
    )
    assert not left_in(tmp_path)


@pytest.mark.parametrize(
    "more",
    [
        {"order": 1}, {"order": 2}, {"order": 5}, {"order": 9}, {"jobs": 3},
        {"order": 4, "prune": (0, 1)}, {"order": 3, "prune": (0, 0, 1)}, {"order": 5, "prune": (0, 1, 1, 2, 3)},
        {"min_type_count": 3}, {"order": 4, "min_type_count": 2, "prune": (0, 1)},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("block", [40, 5000])
def test_every_order_pruning_and_block_size_gives_the_same_bytes(tmp_path, low, monkeypatch, more, block):
    monkeypatch.setattr(on_disk, "_MIN_BLOCK", block)
    monkeypatch.setattr(on_disk, "_MAX_BLOCK", block)
    path = tmp_path / "text.txt"
    path.write_text(HARBOUR.read_text(encoding="utf-8")[: 3000 if block == 40 else 20000], encoding="utf-8")
    assert train_on_disk(path, tmp_path / "model.npz", **more) == in_memory(path, **more)


@pytest.mark.parametrize("more", [{}, {"max_types": 40, "prune": (0, 1)}, {"min_type_count": 5}], ids=str)
def test_a_word_list_gives_the_same_bytes(tmp_path, low, more):
    path, words = HARBOUR, WordList.of([*["the", "a", "of", "and", ",", ".", "clock", "zebra"], *map(str, range(9))])
    assert train_on_disk(path, tmp_path / "model.npz", vocab=words, **more) == in_memory(path, vocab=words, **more)
    assert train_on_disk(path, tmp_path / "model.npz", max_types=50) == in_memory(path, max_types=50)


def test_sequences_shorter_than_the_order_give_the_same_bytes(tmp_path, low):
    path = tmp_path / "text.txt"
    path.write_text("a b\nb\na b\n" * 50, encoding="utf-8")
    for order in (4, 7):
        for prune in ((), (0, 1)):
            more = {"unit": "line", "order": order, "prune": prune}
            assert train_on_disk(path, tmp_path / "model.npz", **more) == in_memory(path, **more)


def test_one_ngram_may_fill_many_blocks(tmp_path, low):
    """More equal windows than a block or range holds, all with one history."""
    path = tmp_path / "text.txt"
    path.write_text("a " * 20000 + "\n" + "a b " * 5000, encoding="utf-8")
    assert train_on_disk(path, tmp_path / "model.npz", unit="line", order=4) == in_memory(path, unit="line", order=4)


def test_a_text_that_fits_is_trained_in_memory(tmp_path):
    made = train_file(find_sources([str(HARBOUR)]), options(), str(tmp_path / "model.npz"))
    assert made.trained is not None
    assert (tmp_path / "model.npz").read_bytes() == in_memory(HARBOUR)


# ------------------------------------------------------------------ resuming


class Killed(BaseException):
    """Stands for a killed process: a BaseException, so no handler catches it."""


@pytest.fixture
def killed_after(monkeypatch):
    """`killed_after(n)`: raise `Killed` once the journal has n steps."""

    def arm(n):
        done = run_folder.Workspace.done
        seen = []

        def once(self, step, *more):
            done(self, step, *more)
            seen.append(step)
            if len(seen) == n:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(run_folder.Workspace, "done", once)
            patch.setattr(run_folder.Workspace, "__exit__", lambda self, *_: self._lock and self._lock.close())
            yield seen

    return arm


MANY = {"order": 4, "prune": (0, 0, 1)}


def run_until(n, killed_after, target):
    """Kill a run after n steps; returns the steps in its journal."""
    for seen in killed_after(n):
        with pytest.raises(Killed):
            train_on_disk(HARBOUR, target, **MANY)
        return seen
    return None


@pytest.mark.parametrize("n", [1, 3, 5, "runs", "rows", "table", *rarely(2, 4, 9)])
def test_a_killed_run_resumes(tmp_path, low, killed_after, monkeypatch, n):
    target, whole = tmp_path / "model.npz", in_memory(HARBOUR, **MANY)
    steps = len(
        ["begin", "text", "stream", "block"] + [f"run_{i}" for i in range(spilling_runs())] + ["runs", "rows", "table"]
    )
    n = {"runs": steps - 2, "rows": steps - 1, "table": steps}.get(n, n)
    target.write_bytes(b"the model before")
    seen = run_until(n, killed_after, target)
    assert target.read_bytes() == b"the model before"
    read = []
    reading = on_disk.read_text
    monkeypatch.setattr(on_disk, "read_text", lambda *a: read.append(1) or reading(*a))
    said = []
    assert train_on_disk(HARBOUR, target, resume=True, said=said, **MANY) == whole
    assert bool(read) == (n < 3), "a text read to its end is not read again"
    assert ("starting from the beginning" in said[0]) == (n < 3)
    assert not left_in(tmp_path), seen


def spilling_runs():
    made = train_sources(find_sources([str(HARBOUR)]), options())
    return -(-(made.header.tokens + made.header.sequences) // 700)


def test_without_resume_a_run_starts_over_and_removes_old_files(tmp_path, low, killed_after):
    target = tmp_path / "model.npz"
    run_until(6, killed_after, target)
    assert len(left_in(tmp_path)) == 1
    said = []
    assert train_on_disk(HARBOUR, target, said=said, **MANY) == in_memory(HARBOUR, **MANY)
    assert not left_in(tmp_path) and not said


def test_a_run_with_other_options_is_not_resumed(tmp_path, low, killed_after):
    target = tmp_path / "model.npz"
    run_until(6, killed_after, target)
    said = []
    more = {"order": 3}
    assert train_on_disk(HARBOUR, target, resume=True, said=said, **more) == in_memory(HARBOUR, **more)
    assert "starting from the beginning" in said[0] and not left_in(tmp_path)


@pytest.mark.parametrize("harm", ["cut", "flip", "gone", "journal"])
def test_damaged_files_are_made_again(tmp_path, low, killed_after, harm):
    target = tmp_path / "model.npz"
    run_until(9, killed_after, target)
    (folder,) = tmp_path.glob(".model.npz.*")
    name = {"journal": "journal"}.get(harm, "run_1.0.windows")
    file = folder / name
    data = bytearray(file.read_bytes())
    if harm == "gone":
        file.unlink()
    elif harm == "flip":
        data[len(data) // 2] ^= 8
        file.write_bytes(data)
    else:
        file.write_bytes(data[: len(data) - 7])
    assert train_on_disk(HARBOUR, target, resume=True, **MANY) == in_memory(HARBOUR, **MANY)
    assert not left_in(tmp_path)


# ------------------------------------------------------------------ full disks, kills, two at a time


@pytest.mark.parametrize("after", [0, 3, 30, 90, 150])
def test_a_full_disk_leaves_the_old_model_and_no_files(tmp_path, low, monkeypatch, after):
    target = tmp_path / "model.npz"
    target.write_bytes(b"the model before")
    append, calls = disk_array.Writer.append, []

    def full(self, values):
        calls.append(1)
        if len(calls) > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(self, values)

    monkeypatch.setattr(disk_array.Writer, "append", full)
    with pytest.raises(MarkovError, match="no space left on the disk"):
        train_on_disk(HARBOUR, target, **MANY)
    assert target.read_bytes() == b"the model before" and not left_in(tmp_path)


def test_a_sigkill_leaves_a_whole_model(tmp_path):
    """The model is the old one or the new one, and the next run succeeds and cleans up."""
    target, before, whole = tmp_path / "model.npz", TINY.read_bytes(), in_memory(HARBOUR, order=4)
    rng = random.Random(5)
    command = [sys.executable, "-c", SPILLED, "train", str(HARBOUR), "-n", "4", "-o", str(target), "-q", "--jobs", "1"]
    for _ in range(2):
        target.write_bytes(before)
        with subprocess.Popen(command) as process:
            time.sleep(rng.uniform(0.25, 0.8))
            process.send_signal(signal.SIGKILL)
        assert target.read_bytes() in (before, whole)
    for more in (["--resume"], []):
        assert subprocess.run([*command, *more], check=False).returncode == 0
        assert target.read_bytes() == whole
        assert not left_in(tmp_path)


def test_two_runs_may_write_one_output(tmp_path):
    target, whole = tmp_path / "model.npz", in_memory(HARBOUR, order=4)
    command = [sys.executable, "-c", SPILLED, "train", str(HARBOUR), "-n", "4", "-o", str(target), "-q", "--jobs", "1"]
    running = [subprocess.Popen(command) for _ in range(2)]
    assert [p.wait(TIMEOUT_S) for p in running] == [0, 0]
    assert target.read_bytes() == whole and not left_in(tmp_path)


def test_files_of_a_running_run_are_left_alone(tmp_path, low):
    target = tmp_path / "model.npz"
    with run_folder.Workspace(str(target), None, {"another": 1}) as other:
        other.path("stream")
        train_on_disk(HARBOUR, target)
        assert Path(other.folder).is_dir()
    assert not left_in(tmp_path)


def test_training_on_disk_writes_to_standard_output(run, tmp_path):
    command = [sys.executable, "-c", SPILLED, "train", str(HARBOUR), "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
    assert done.stdout == in_memory(HARBOUR)
    assert b"wrote" in done.stderr and not left_in(tmp_path)


# ------------------------------------------------------------------ the command


def test_memory_options_are_checked(run, tmp_path):
    target = tmp_path / "model.npz"
    ran = run("train", HARBOUR, "-o", target, "--memory", "1M")
    assert ran.code == 2 and "--memory 1.0M: the program itself needs 128M" in ran.stderr
    ran = run("train", HARBOUR, "-o", target, "--memory", "much")
    assert ran.code == 2 and "bytes, for example" in ran.stderr
    ran = run("train", HARBOUR, "-o", target, "--memory", "200M", "--temp-dir", tmp_path, "--resume")
    assert ran.code == 0 and "--resume: no interrupted run of this text" in ran.stderr
    assert target.read_bytes() == in_memory(HARBOUR)


def test_temp_dir_holds_the_files(tmp_path, low, monkeypatch):
    (tmp_path / "spill").mkdir()
    made = []
    path = run_folder.Workspace.path
    monkeypatch.setattr(run_folder.Workspace, "path", lambda self, name: made.append(path(self, name)) or made[-1])
    train_file(
        find_sources([str(HARBOUR)]), options(), str(tmp_path / "m.npz"), Resources(temp_dir=str(tmp_path / "spill"))
    )
    assert made and all(str(tmp_path / "spill") in p for p in made)
    assert not [*(tmp_path / "spill").iterdir()]
    assert load(tmp_path / "m.npz").header.order == 3
