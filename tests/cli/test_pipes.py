"""Real processes: closed pipes, full disks, interrupts, terminals."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import TIMEOUT_S
from helpers import MARKOV, full, in_terminal, posix

TINY = Path(__file__).parents[1] / "golden" / "tiny.npz"
STORY = Path(__file__).parents[2] / "corpora" / "harbour.txt"


@pytest.fixture(scope="module")
def model(tmp_path_factory, corpora):
    path = tmp_path_factory.mktemp("pipes") / "harbour.npz"
    subprocess.run([*MARKOV, "train", corpora / "harbour.txt", "-q", "-o", path], check=True)
    return path


@posix
def test_a_closed_pipe_is_no_error(model):
    many = subprocess.Popen(
        [*MARKOV, "generate", model, "-c", "200000", "-s", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert many.stdout.readline().strip()
    many.stdout.close()
    assert many.stderr.read() == b""
    many.stderr.close()
    assert many.wait(TIMEOUT_S) == 0


@posix
@pytest.mark.parametrize("more", [["--each", "token"], ["--buckets", "30,60"], ["--model", "MODEL", "--classify"]])
def test_a_closed_pipe_is_no_error_for_score(model, more):
    more = [model if x == "MODEL" else x for x in more]
    many = subprocess.Popen(
        [*MARKOV, "score", model, *[STORY] * 20, *more, "-q"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert many.stdout.readline().strip()
    many.stdout.close()
    assert many.stderr.read() == b""
    many.stderr.close()
    assert many.wait(TIMEOUT_S) == 0


@full
@pytest.mark.parametrize(
    "args",
    [["generate", "-c", "9", "-s", "1"], ["inspect"], ["inspect", "--json"], ["score", STORY, "--each", "token"]],
)
def test_a_full_disk_is_an_error_of_two_lines(model, args):
    with open("/dev/full", "wb") as out:
        done = subprocess.run([*MARKOV, args[0], model, *args[1:]], stdout=out, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "markov: No space left on device",
        "  free some space, or write elsewhere; an earlier file is unchanged",
    ]


@full
def test_a_device_is_written_to_but_not_replaced(corpora):
    done = subprocess.run(
        [*MARKOV, "train", corpora / "change.txt", "-o", "/dev/full"], stderr=subprocess.PIPE, check=False
    )
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert Path("/dev/full").is_char_device()


@posix
def test_a_model_goes_through_a_named_pipe(tmp_path, corpora):
    os.mkfifo(tmp_path / "pipe")
    train = subprocess.Popen([*MARKOV, "train", corpora / "change.txt", "-q", "-o", tmp_path / "pipe"])
    done = subprocess.run([*MARKOV, "generate", tmp_path / "pipe", "-s", "1"], stdout=subprocess.PIPE, check=True)
    assert train.wait(30) == 0
    assert done.stdout == b"You must be the change you wish to see in the world\n"


def test_a_model_goes_through_standard_output_and_input(corpora):
    made = subprocess.run(
        [*MARKOV, "train", corpora / "change.txt", "-q", "-o", "-"], stdout=subprocess.PIPE, check=True
    )
    done = subprocess.run([*MARKOV, "generate", "-", "-s", "1"], input=made.stdout, stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"You must be the change you wish to see in the world\n"


@posix
def test_an_interrupt_exits_130_and_leaves_the_old_model(tmp_path):
    (tmp_path / "m.npz").write_bytes(TINY.read_bytes())
    train = subprocess.Popen(
        [*MARKOV, "train", "-", "-o", tmp_path / "m.npz"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    train.stdin.write(b"some words of a text. " * 50_000)  # more than a pipe holds, so it has read most of it
    train.stdin.flush()
    train.send_signal(signal.SIGINT)
    _, said = train.communicate(timeout=TIMEOUT_S)
    assert train.returncode == 130
    assert said.decode().split("\n")[1] == "markov: interrupted"  # on a line of its own after the terminal's ^C
    assert [p.name for p in tmp_path.iterdir()] == ["m.npz"]
    assert (tmp_path / "m.npz").read_bytes() == TINY.read_bytes()


@posix
def test_a_read_only_folder_is_an_error(tmp_path, corpora):
    if os.getuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    done = subprocess.run(
        [*MARKOV, "train", corpora / "change.txt", "-o", tmp_path / "m.npz"], stderr=subprocess.PIPE, check=False
    )
    tmp_path.chmod(0o700)
    assert done.returncode == 1
    assert b"cannot be written to" in done.stderr


@posix
def test_train_does_not_wait_for_a_terminal():
    shown, code = in_terminal("train", "-o", "m.npz")
    assert code == 2
    assert "Usage: markov train" in shown


@posix
@pytest.mark.parametrize("columns", [40, 80])
def test_tables_fit_the_window(model, columns):
    import re

    shown, code = in_terminal("inspect", model, "the", columns=columns)
    assert code == 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    table = [line for line in plain.splitlines() if "█" in line or "─" in line]
    assert table
    assert max(map(len, table)) <= columns


@posix
def test_no_color_turns_colour_off(model):
    shown, _ = in_terminal("inspect", model, "the", NO_COLOR="1")
    assert "\x1b[3" not in shown


def test_progress_is_not_written_to_a_file(tmp_path, corpora):
    done = subprocess.run(
        [*MARKOV, "train", corpora / "harbour.txt", "-o", tmp_path / "m.npz"], stderr=subprocess.PIPE, check=True
    )
    assert b"\r" not in done.stderr
    assert b"\x1b" not in done.stderr


def test_help_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "markov_cli", "--help"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    for heavy in (b"numpy", b"rich"):
        assert heavy not in done.stderr


@posix
@pytest.mark.parametrize(
    "args", [["train", "-", "-o", "m.npz"], ["generate", "-"], ["import", "-", "--format", "arpa", "-o", "m.npz"]]
)
def test_a_closed_stdin_is_an_empty_one(tmp_path, args):
    done = subprocess.run(
        ["sh", "-c", f"{shlex.join([*MARKOV, *args])} <&-"], cwd=tmp_path, stderr=subprocess.PIPE, check=False
    )
    assert done.returncode == 1 and len(done.stderr.decode().splitlines()) == 2, done.stderr


def test_a_broken_link_in_a_folder_is_left_out(run, tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("The cat sat.")
    (tmp_path / "texts" / "gone").symlink_to("nowhere")
    ran = run("train", "texts", "-o", "m.npz", cwd=tmp_path)
    assert ran.code == 0 and "gone" in ran.stderr
