"""Small corpora, and the real program."""

import atexit
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from fork_server import ForkServer
from markov_cli.arrays.processor import set_up_numpy

# What a person's shell, terminal or CI says to Python, Click and rich is no part of a test. It goes here, once, for the
# tests themselves and for every process that they start; a test that is about one of these sets it.
OF_THE_PERSON = ("PYTHON", "LC_", "LANG", "CLICOLOR", "COMP_", "_MARKOV", "MAKE", "DASK_")
OF_THE_TERMINAL = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "MANWIDTH", "MANPAGER", "PAGER", "CDPATH"}
KEPT = {"PYTHONPATH", "PYTHONHOME", "PYTHONHASHSEED"}
for name in [n for n in os.environ if (n.startswith(OF_THE_PERSON) or n in OF_THE_TERMINAL) and n not in KEPT]:
    del os.environ[name]
os.environ.update(LC_ALL="C.UTF-8", TERM="dumb")
set_up_numpy()  # as the command does
os.umask(0o022)

# the same examples in every run: a test that fails here fails everywhere; `make thorough` tries many more, and others
THOROUGH = os.environ.get("MARKOV_EXAMPLES") == "thorough"
settings.register_profile("fixed", derandomize=True, deadline=None, database=None, max_examples=25)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("thorough" if THOROUGH else "fixed")


def examples(n):
    """A test of its own weight: 40 is usual."""
    return settings(max_examples=n * 10 if THOROUGH else max(n // 4, 5))


def rarely(*cases):
    """Parameters that add little to those before them, or take long: for `make thorough` alone."""
    return cases if THOROUGH else ()


# answers of other programs (KenLM, NLTK, markovify) are compared by `make peers` alone: another version of theirs that
# lies about here must not fail our tests
PEERS = os.environ.get("MARKOV_PEERS") == "1"
TIMEOUT_S = 300  # of a run; far more than any needs, also where something else keeps the machine busy


def pytest_configure(config):
    """Let `make thorough` fail on a deprecated use of a package, which other runs only list."""
    if THOROUGH:
        for kind in ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"):
            config.addinivalue_line("filterwarnings", rf"error::{kind}:markov_cli(\..*)?$")


def pytest_collection_modifyitems(config, items):
    """Keep few cases of a product of parameters, with every value of each; `make thorough` runs the product.

    A list of parameters is kept whole: whoever wrote it chose its cases; so is a test marked every_combination. A test
    that is named alone is run.
    """
    if THOROUGH or any("::" in arg for arg in config.args):
        return
    tests = {}
    for item in items:
        if not item.get_closest_marker("every_combination"):
            tests.setdefault(item.nodeid.partition("[")[0], []).append((item, values_of(item)))
    left = {item for cases in tests.values() for item in left_out(cases)}
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = [item for item in items if item not in left]


def values_of(item):
    """Values of a case of a test: for each parametrize mark and each fixture, which one it has."""
    params = dict(item.callspec.params) if hasattr(item, "callspec") else {}
    values = set()
    for mark in item.iter_markers("parametrize"):
        names = mark.args[0].split(",") if isinstance(mark.args[0], str) else mark.args[0]
        values.add(tuple((name.strip(), id(params.pop(name.strip()))) for name in names))
    return values | {((name, id(value)),) for name, value in params.items()}


def left_out(cases):
    """The cases, each an object with its set of values, whose values the others have; the choice depends on them alone.

    >>> left_out([("a1", {"a", 1}), ("a2", {"a", 2}), ("b1", {"b", 1}), ("b2", {"b", 2})])
    ['a2', 'b1']
    """
    missing, left = set().union(*(values for _, values in cases)), list(cases)
    while missing:
        best = max(left, key=lambda case: len(case[1] & missing))
        missing -= best[1]
        left.remove(best)
    return [case for case, values in left if values]


CORPORA = Path(__file__).parent.parent / "corpora"
SCRIPTS = sorted((CORPORA / "scripts").glob("*.txt"))


class Ran:
    """The exit code and output of a run of the program."""

    def __init__(self, done):
        self.code = done.returncode
        self.stdout_bytes, self.stderr_bytes = done.stdout, done.stderr
        self.stderr = done.stderr.decode()

    @property
    def stdout(self):
        return self.stdout_bytes.decode()


FORKS = ForkServer() if sys.platform.startswith("linux") else None
if FORKS is not None:
    atexit.register(FORKS.close)


def environment(**more):
    """The environment of a run."""
    return {**os.environ, "PYTHONIOENCODING": "utf-8", **more}


def run_markov(*args, stdin=b"", env=None, cwd=None, fresh=False):
    """Run `markov` as a user would; stdin is str or bytes.

    It is a process of its own. On Linux it is forked from one that has imported the program, which takes a tenth of the
    time; fresh=True, or an environment that the interpreter itself reads, starts Python anew.
    """
    data = stdin.encode() if isinstance(stdin, str) else stdin
    words, env = [str(a) for a in args], environment(**(env or {}))
    if FORKS is not None and not fresh and FORKS.serves(env):
        return Ran(FORKS.run(words, stdin=data, env=env, cwd=cwd, timeout=TIMEOUT_S))
    done = subprocess.run(
        [sys.executable, "-m", "markov_cli", *words],
        input=data, capture_output=True, env=env, cwd=cwd, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    return Ran(done)


def start_markov(args, fds, env, cwd=None):
    """Start `markov` with these three standard streams, which are closed here; a function that waits for its exit code.

    One at a time: that function is called before the next start.
    """
    words = [str(a) for a in args]
    if FORKS is not None and FORKS.serves(env):
        FORKS.start(words, fds, env=env, cwd=cwd)
        return FORKS.ended
    command = [sys.executable, "-m", "markov_cli", *words]
    started = subprocess.Popen(command, stdin=fds[0], stdout=fds[1], stderr=fds[2], env=env, cwd=cwd)
    for fd in set(fds):
        os.close(fd)
    return started.wait


def run_in_terminal(*args, columns=80, **env):
    """Run `markov` with a terminal as its three standard streams: what it shows, and its exit code."""
    import pty  # there is none on Windows

    ours, theirs = pty.openpty()
    env = environment(COLUMNS=str(columns), LINES="40", **{"TERM": "xterm", **env})
    end = start_markov(args, [theirs] * 3, env)
    shown = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # on Linux, the end
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return shown, end()


def peer(name):
    """Another project's Python package; the test is skipped where it is not asked for, or not there."""
    if not PEERS:
        pytest.skip("make peers runs this")
    return pytest.importorskip(name)


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
