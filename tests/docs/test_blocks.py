"""The documentation is true: its commands are run and its outputs compared.

Where this fails after a change of outputs: `make docs`, then read the difference.
"""

import os
import re

import click
import pytest
from documents import COMMANDS, DOCS, FENCE, GENERATED, ROOT, page_text, steps, walk
from shell import Shell, parse, parts_for_sh

from markov_cli import errors
from markov_cli.cli.main import main

posix = pytest.mark.skipif(os.name == "nt", reason="the blocks are for a Unix shell")
PAGES = {str(p.relative_to(ROOT)): p for p in DOCS}


@posix
@pytest.mark.parametrize("page", PAGES)
def test_blocks_run_and_write_what_is_printed(page, tmp_path):
    wrong = [one for block in walk(page_text(PAGES[page]), tmp_path) for one in block.wrong]
    assert not wrong, "\n\n".join(wrong)


@posix
@pytest.mark.parametrize("page", GENERATED, ids=lambda p: p.name)
def test_generated_pages_are_up_to_date(page):
    """Where this fails: `make docs`."""
    assert page_text(page).split() == GENERATED[page]().split()


@posix
@pytest.mark.parametrize(
    "line",
    [
        'markov generate none.npz; echo "exit code $?"',
        "cat t.txt | markov train - --tokenizer regex --pattern 'a|b' -o r.npz -q && markov inspect r.npz a | sed 1d",
        "markov generate m.npz -s 1 -c 2 > t.txt && markov generate m.npz -s 2 >> t.txt; cat t.txt; wc -l < t.txt",
        "markov generate m.npz 2>&1 > /dev/null | wc -l; markov generate none.npz 2> /dev/null || echo failed",
    ],
)
def test_the_shell_of_this_process_is_like_sh(line, tmp_path):
    shell = Shell(tmp_path)
    told = []
    for run in shell.run, lambda one: shell.run(f"true () {{ :; }}; {one}"):  # brackets: for `sh` as a whole
        shell.run("echo 'a b. a c.' | markov train - -o m.npz -q; echo a > t.txt; rm -f r.npz")
        told.append(run(line))
    assert parse(line) is not None and told[0] == told[1] != ""


@posix
def test_few_processes_are_started():
    """One for each line, or part of a line, that `sh` runs."""
    blocks = [b[2] for p in DOCS for b in FENCE.finditer(page_text(p)) if b[1] == "console"]
    assert sum(parts_for_sh(s.command) for b in blocks for s in steps(b)) <= 165


# ---------------------------------------------------------------- what must be documented


def _options():
    commands = [main]
    for c in main.commands.values():
        commands += [c, *(c.commands.values() if isinstance(c, click.Group) else ())]
    found = [(c.name or "", o) for c in commands for p in c.params if isinstance(p, click.Option) for o in p.opts]
    return [(c, o) for c, o in found if o.startswith("--")]


def _mentions(text, option):
    return re.search(rf"{re.escape(option)}(?![\w-])", text) is not None


@pytest.mark.parametrize(("command", "option"), _options())
def test_every_option_is_documented(command, option):
    shown = "".join(page_text(path) for path in DOCS if path != COMMANDS)
    assert _mentions(page_text(COMMANDS), option)
    assert _mentions(shown, option), f"{command} {option} is on no page but reference/commands.md"


def test_every_exit_code_is_documented():
    page = page_text(ROOT / "docs/reference/exit-codes.md")
    codes = {v for k, v in vars(errors).items() if k.isupper() and isinstance(v, int)} | {0}
    assert {int(c) for c in re.findall(r"^\| (\d+) \| \S", page, re.MULTILINE)} == codes


def _anchors(path):
    heads = re.findall(r"^#+ (.*)$", FENCE.sub("", page_text(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in heads}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    path = PAGES[page]
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)", FENCE.sub("", page_text(path))):
        there = (path.parent / target).resolve() if target else path
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in _anchors(there), f"{target}#{anchor}"


def test_the_index_names_every_page():
    index = page_text(ROOT / "docs/README.md")
    for path in DOCS[1:]:
        name = str(path.relative_to(ROOT / "docs"))
        assert name == "README.md" or f"]({name})" in index, name


def test_the_readme_is_short():
    assert len(page_text(ROOT / "README.md").splitlines()) <= 200
