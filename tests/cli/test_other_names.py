"""Options and commands that other programs name differently: the error says the name that they have here."""

import re

import click
import pytest

from helpers import run_in_process, two_lines
from markov_cli.cli.main import main
from markov_cli.cli.other_names import COMMANDS, OPTIONS

OURS = {opt for command in main.commands.values() for param in command.params for opt in param.opts}
GROUPS = [c for c in main.commands.values() if isinstance(c, click.Group)]
OURS |= {opt for group in GROUPS for one in group.commands.values() for param in one.params for opt in param.opts}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_advice_names_options_that_exist(name):
    named = re.findall(r"--[a-z][a-z-]+", OPTIONS[name])
    assert named and {*named} <= OURS
    assert f"--{name}" not in OURS or name in ("num",), "the option exists: it needs no advice"


def test_the_commands_exist():
    assert {*COMMANDS.values()} <= {*main.commands}
    assert not {*COMMANDS} & {*main.commands}


@pytest.mark.parametrize(
    ("args", "name", "hint"),
    [
        (
            ["generate", "m.npz", "--length", "9"],
            "--length",
            "use --tokens N for exactly N tokens, or ",
        ),
        (["generate", "m.npz", "--top_k=5"], "--top_k", "use --top-k; see: markov generate --help"),
        (["train", "book.txt", "--state-size", "2"], "--state-size", "use --order N, which is the state size and 1"),
        (["generate", "m.npz", "--state-size", "2"], "--state-size", "markov train has --order N, which is the state"),
        (["train", "book.txt", "--start", "a"], "--start", "markov generate has --prompt TEXT"),
        (["perplexity", "m.npz"], "'perplexity'", "use markov score; see: markov --help"),
        (["canary", "perplexity"], "'perplexity'", "see: markov canary --help"),
        (["generate", "m.npz", "--zebra"], "--zebra", "see: markov generate --help"),
    ],
)
def test_an_unknown_name_is_an_error_with_our_name(args, name, hint):
    ran = run_in_process(*args)
    two_lines(ran, 2, "no such", name)
    assert ran.stderr.splitlines()[1].startswith(f"  {hint}")
    assert ("Did you mean" in ran.stderr) <= (name == "--zebra")
