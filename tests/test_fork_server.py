"""A forked run of the program is what a fresh start of Python would be."""

import os
import signal

import pytest

from conftest import FORKS, environment, run_markov

pytestmark = pytest.mark.skipif(FORKS is None, reason="runs are forked on Linux alone")


def told(ran):
    return ran.code, ran.stdout_bytes, ran.stderr_bytes


@pytest.mark.parametrize(
    ("args", "stdin", "code"),
    [
        (["--version"], b"", 0),
        (["train", "--help"], b"", 0),
        (["inspekt"], b"", 2),
        (["inspect", "missing.npz"], b"", 1),
        (["train", "-", "-o", "-", "-q"], "ein Bär, kein Bär.\n" * 5000, 0),
        (["train", "-", "-o", "-"], b"", 1),
    ],
)
def test_it_answers_as_a_fresh_start(tmp_path, args, stdin, code):
    forked, fresh = (run_markov(*args, stdin=stdin, cwd=tmp_path, fresh=f) for f in (False, True))
    assert told(forked) == told(fresh)
    assert forked.code == code


def test_a_run_has_its_own_environment_and_leaves_none(tmp_path):
    wide, narrow, again = (run_markov("--help", env=env).stdout for env in ({}, {"COLUMNS": "40"}, {}))
    assert wide == again != narrow


def test_a_run_that_is_killed():
    ours_in, to = os.pipe()
    pid = FORKS.start(
        ["train", "-", "-o", "-"], [ours_in, os.open(os.devnull, os.O_WRONLY), os.dup(2)], env=environment()
    )
    os.kill(pid, signal.SIGKILL)
    assert FORKS.ended() == -signal.SIGKILL
    os.close(to)
    assert run_markov("--version").code == 0  # the server goes on


def test_what_the_interpreter_reads_at_its_start_is_not_forked():
    assert run_markov("--version").code == 0  # the server runs
    assert FORKS.serves(environment(COLUMNS="40"))
    for name in ("PYTHONUTF8", "PYTHONWARNINGS", "LC_CTYPE", "LANG"):
        assert not FORKS.serves(environment(**{name: "1"}))
