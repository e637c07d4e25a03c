"""The command sets NumPy's threads and, on AMD's Zen 4, its instructions; what is set or running stays as it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import environment
from markov_cli.arrays.processor import is_zen_4

VARIABLE = "NPY_DISABLE_CPU_FEATURES"
LINUX = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: {}\nflags\t\t: fpu sse2 avx2 {}\n"
AFTER = f"import os, numpy; print(os.environ.get({VARIABLE!r}), numpy.sort(numpy.array([3, 1, 2])).tolist())"


def shown(before, *options, **env):
    """The variable as a process sees it that acts as on Zen 4, and sorts three numbers."""
    script = (
        f"{before}\nfrom markov_cli.arrays import processor\nprocessor.is_zen_4 = lambda: True\n"
        f"processor.set_up_numpy()\n{AFTER}"
    )
    known = {k: v for k, v in environment(**env).items() if k != VARIABLE or k in env}
    done = subprocess.run(
        [sys.executable, *options, "-c", script], capture_output=True, text=True, env=known, check=True
    )
    assert done.stderr == ""  # a name that this NumPy does not know is no warning
    assert done.stdout.endswith(" [1, 2, 3]\n")
    return done.stdout.removesuffix(" [1, 2, 3]\n")


def test_it_is_set_before_numpy_is_imported():
    assert shown("").split()[:2] == ["X86_V4", "AVX512F"]


@pytest.mark.parametrize(
    ("before", "options", "env", "left"),
    [
        ("import numpy", [], {}, "None"),  # too late
        ("", [], {VARIABLE: "AVX512_SPR"}, "AVX512_SPR"),
        ("", ["-W", "error"], {}, "None"),  # the warning of an unknown name would end it
    ],
)
def test_it_is_left_alone(before, options, env, left):
    assert shown(before, *options, **env) == left


def threads(before="", **env):
    """The variables of threads in a process that did `before`, then set NumPy up and imported it."""
    script = (
        f"{before}\nfrom markov_cli.arrays.processor import set_up_numpy\nset_up_numpy()\nimport os, numpy\n"
        "print(os.environ.get('OPENBLAS_NUM_THREADS'), os.environ.get('OMP_NUM_THREADS'))"
    )
    known = {k: v for k, v in environment(**env).items() if not k.endswith("_NUM_THREADS") or k in env}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=known, check=True)
    return done.stdout.split()


def test_numpy_starts_without_threads():
    assert threads() == ["1", "None"]
    assert threads("import numpy") == ["None", "None"]
    assert threads(OPENBLAS_NUM_THREADS="3") == ["3", "None"]
    assert threads(OMP_NUM_THREADS="2") == ["None", "2"]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")
def test_the_command_has_one_thread():
    script = "import os, markov_cli.__main__, numpy; print(len(os.listdir('/proc/self/task')))"
    known = {k: v for k, v in environment().items() if not k.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=known, check=True)
    assert done.stdout == "1\n"


def test_other_processors():
    assert is_zen_4(LINUX.format(17, "avx512f avx512cd"))
    assert not is_zen_4(LINUX.format(33, "sha_ni"))  # Zen 3
    assert not is_zen_4(LINUX.format(17, "avx512f").replace("AuthenticAMD", "HygonGenuine"))
    assert not is_zen_4("vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nflags\t\t: avx2 avx512f\n")
    assert not is_zen_4("Features\t: fp asimd\nCPU implementer\t: 0x41\n")
    assert not is_zen_4("Intel64 Family 6 Model 140 Stepping 1, GenuineIntel")
    assert not is_zen_4("")


def test_the_command_asks_first():
    """The entry point is the first to import NumPy, if anything does."""
    script = "import sys, markov_cli.__main__; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
