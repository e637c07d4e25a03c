"""Every file tells people to install what is there: this folder, or a package of another project that we use.

The name of our own distribution is not on PyPI yet, and names like it belong to other people.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
NAME = re.search(r'^name = "(.+)"$', PYPROJECT, re.M)[1]
EXTRAS = re.findall(r"^(\w+) = \[", PYPROJECT.split("[project.optional-dependencies]")[1].split("\n\n")[0], re.M)
PACKAGES = set(re.findall(r'"([\w.-]+)[>=]=', PYPROJECT))
OURS = {".", *(f".[{extra}]" for extra in EXTRAS)}
FILES = sorted(
    path
    for part in ("src", "docs", "tests", "benchmarks", "corpora", ".ci", "*.md", "*.toml", "*.txt", "Makefile")
    for top in ROOT.glob(part)
    for path in ([top] if top.is_file() else top.rglob("*"))
    if path.suffix in (".py", ".md", ".toml") or path.name == "Makefile" or path.parent in (ROOT, ROOT / ".ci")
    if path.is_file() and "runs" not in path.relative_to(ROOT).parts  # a measurement keeps the names of its day
)


def asked_for(text):
    """The names that a text tells `pip install` to install, to the end of the sentence, string or comment."""
    for line in re.findall(r"pip3? install ([^\n`\"#;,|)]*)", text):
        words = iter(line.replace("'", " ").split())
        for word in words:
            if word in ("-r", "-c", "--requirement", "--constraint", "--target", "--prefix"):
                next(words)
            elif not word.startswith(("-", "$", "/", "build/")) and word not in ("&&", "or:", "\\"):
                yield word


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pip install '.[zst]'  # that", [".[zst]"]),
        ('raise X("m", "pip install one two, or: not")', ["one", "two"]),
        ("-m pip install --quiet -r tools.txt --editable .", ["."]),
    ],
)
def test_what_is_asked_for(text, words):
    assert list(asked_for(text)) == words


def test_no_file_sends_people_to_a_name_that_is_not_ours():
    found = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in FILES if path != Path(__file__)}
    named = ("README.md", "Makefile", "docs/how-to/large-text.md", "src/markov_cli/text/reading.py")
    assert {Path(name) for name in named} <= set(found)
    assert not [path for path, text in found.items() if "markov-" + "cli" in text]
    assert not [
        (path, word)
        for path, text in found.items()
        for word in asked_for(text)
        if word not in OURS and re.split("[=<>]", word)[0] not in PACKAGES
    ]


def test_the_name():
    assert NAME == "markov-ngrams"
    assert set(EXTRAS) >= {"dask", "zst"}


def test_every_development_tool_is_pinned():
    """By `make renew-tools`; an exact version on every line, and no tool without one."""
    lines = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    pinned = [re.fullmatch(r"([\w.-]+)==[\w.]+( ; .+)?", line) for line in lines if not line.startswith("#")]
    assert all(pinned)
    group = PYPROJECT.split("[dependency-groups]")[1].split("\n\n")[0]
    assert len(wanted := set(re.findall(r'"([\w-]+)', group))) > 9
    assert wanted <= {one[1] for one in pinned}


def test_a_message_names_the_package_that_is_missing(monkeypatch):
    """The reader of addresses and the cluster say which package to install; both names are in pyproject.toml."""
    import sys

    from markov_cli.errors import OptionError, TextError
    from markov_cli.text.byte_ranges import open_url
    from markov_cli.training.cluster import cluster_steps

    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(TextError) as raised:
        open_url("memory://a")
    assert raised.value.hint == "pip install fsspec"
    with pytest.raises(OptionError) as raised:
        cluster_steps("local", 1 << 30)
    assert raised.value.hint == "pip install distributed"
