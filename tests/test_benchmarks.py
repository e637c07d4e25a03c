"""The benchmarks run: each has its help, and their checks of answers pass on a small text."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
PROGRAMS = sorted(p.stem for p in BENCHMARKS.glob("*.py") if "ArgumentParser" in p.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def as_script(monkeypatch):
    """Let the benchmarks import each other, as when they run as programs."""
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_has_help(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--help"])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(name).main()
    assert ended.value.code == 0
    assert "usage: " in capsys.readouterr().out


def test_answers_agree_with_plain_python(corpora):
    bench = SimpleNamespace(text=corpora / "harbour.txt", markovify=False)
    checks = importlib.import_module("core_rows").sample_checks(bench)
    assert [str(c) for row in checks.values() for c in row if not c.agrees] == []
    assert sum(map(len, checks.values())) == 6


def test_a_wrong_answer_is_found(corpora):
    answers = importlib.import_module("answers")
    chain = answers.chain_of(["a b c", "a b d"])
    assert answers.walks(["a b c"], chain) and not answers.walks(["a b a"], chain)
    assert not answers.Check("tokens", 1, 2, "plain Python").agrees


def test_the_marked_pages_have_no_more_errors_than_the_documents_say():
    sentences = importlib.import_module("sentences")
    pages = [page.read_text(encoding="utf-8").splitlines() for page in sorted(sentences.PAGES.glob("*.txt"))]
    found = [sentences.errors(lines, sentences.ours) for lines in pages]
    assert sum(map(len, pages)) == 174
    assert [sum(column) for column in zip(*found, strict=True)] == [2, 4]
