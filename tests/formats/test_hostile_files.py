"""A short run of the fuzzer of readers, and one test for what it found."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import TIMEOUT_S
from helpers import two_lines


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_short_run_of_the_fuzzer_has_no_findings():
    """`make fuzz` runs 20,000 cases. It forks, so it runs in a process without threads."""
    fuzz = Path(__file__).parents[1] / "fuzz_imports.py"
    command = [sys.executable, str(fuzz), "--cases", "48", "--seed", "11", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^0 findings$", done.stdout, re.MULTILINE)
    for kind in ("arpa", "counts", "books", "markovify"):
        assert re.search(rf"\d+ {kind} read", done.stdout) and re.search(rf"\d+ {kind} refused", done.stdout), (
            done.stdout
        )


def test_an_ngram_of_very_many_words_is_refused(run, tmp_path):
    """It would be sorted once for each of its words."""
    (tmp_path / "c").write_text(f"a b\t40\n{'a ' * 20_000}b\t40\n", encoding="utf-8")
    two_lines(run("import", tmp_path / "c", "-o", tmp_path / "m.npz"), 1, "line 2: an n-gram of 20,001 words", "check")


def test_longer_ngrams_may_be_too_few(run, tmp_path):
    (tmp_path / "c").write_text("<s> a\t2\nb c\t2\n", encoding="utf-8")
    ran = run("import", tmp_path / "c", "--order", "3", "-o", tmp_path / "m.npz")
    two_lines(ran, 1, "n-grams of order 2, not 3", "--order 2")


def test_a_word_whose_ngrams_are_all_left_out_is_no_type(run, tmp_path):
    (tmp_path / "c").write_text("a b\t40\nzebra b\t0\n", encoding="utf-8")
    (tmp_path / "b").write_text("a b\t1990\t40\t3\nzebra sat_VERB\t1990\t40\t3\n", encoding="utf-8")
    for name in ("c", "b"):
        ran = run("import", tmp_path / name, "-o", tmp_path / "m.npz")
        assert ran.code == 0 and " of 2 types in " in ran.stderr
        assert run("inspect", tmp_path / "m.npz", "--verify").code == 0
