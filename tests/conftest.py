"""Small corpora, and the real program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# the same examples in every run: a test that fails here fails everywhere; `make thorough` tries many more, and others
THOROUGH = os.environ.get("MARKOV_EXAMPLES") == "thorough"
settings.register_profile("fixed", derandomize=True, deadline=None, database=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("thorough" if THOROUGH else "fixed")


def examples(n):
    """A test of its own weight: 40 is usual."""
    return settings(max_examples=n * 10 if THOROUGH else max(n * 2 // 5, 5))


CORPORA = Path(__file__).parent.parent / "corpora"
SCRIPTS = sorted((CORPORA / "scripts").glob("*.txt"))


class Ran:
    """How a run of the program ended."""

    def __init__(self, done):
        self.code = done.returncode
        self.stdout_bytes, self.stderr_bytes = done.stdout, done.stderr
        self.stderr = done.stderr.decode()

    @property
    def stdout(self):
        return self.stdout_bytes.decode()


def run_markov(*args, stdin=b"", env=None, cwd=None):
    """Run `markov` as a user would; stdin is str or bytes."""
    done = subprocess.run(
        [sys.executable, "-m", "markov_cli", *map(str, args)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **(env or {})},
        timeout=60,
        check=False,
        cwd=cwd,
    )
    return Ran(done)


@pytest.fixture
def run():
    return run_markov


@pytest.fixture(scope="session")
def corpora():
    return CORPORA


@pytest.fixture(scope="session")
def harbour():
    """A story of some 7,000 words."""
    return (CORPORA / "harbour.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def story(harbour):
    """The story's beginning: enough for repetition, little enough to count by hand."""
    return harbour[:6000]


@pytest.fixture(scope="session")
def names():
    return (CORPORA / "names.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def messages():
    """Short messages, one a line, with emoji."""
    return (CORPORA / "messages.txt").read_text(encoding="utf-8")
