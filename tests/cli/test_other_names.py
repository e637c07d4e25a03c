"""Options and commands that other programs name differently: the error says the name that they have here."""

import re

import click
import pytest

from helpers import run_in_process, two_lines
from markov_cli.cli.main import main
from markov_cli.cli.other_names import COMMANDS, LETTERS, OPTIONS, SENTENCES, with_one_dash

OURS = {opt for command in main.commands.values() for param in command.params for opt in param.opts}
GROUPS = [c for c in main.commands.values() if isinstance(c, click.Group)]
OURS |= {opt for group in GROUPS for one in group.commands.values() for param in one.params for opt in param.opts}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_advice_names_options_that_exist(name):
    named = re.findall(r"--[a-z][a-z-]+", OPTIONS[name])
    assert named and {*named} <= OURS
    assert f"--{name}" not in OURS or name in ("num",), "the option exists: it needs no advice"


@pytest.mark.parametrize("name", SENTENCES)
def test_sentences_name_commands_and_options_that_exist(name):
    for command, option in re.findall(r"markov ([a-z]+)|(--[a-z][a-z-]+)", SENTENCES[name]):
        assert command in main.commands if command else option in OURS
    assert f"--{name}" not in OURS and name not in OPTIONS


@pytest.mark.parametrize("name", LETTERS)
def test_letters_name_options_that_exist(name):
    assert {*re.findall(r"--[a-z][a-z-]+", LETTERS[name])} <= OURS
    assert name not in OURS


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
        (["train", "-order", "3", "book.txt"], "-order", "use --order; see"),
        (["train", "-text", "book.txt"], "-text", "name the text without an option: markov train TEXT"),
        (["train", "--text", "book.txt"], "--text", "name the text without an option"),
        (["score", "-lm", "m.arpa", "-ppl", "t"], "-lm", "name the model without an option"),
        (["score", "m.npz", "-ppl", "t"], "-ppl", "name the text without an option: markov score MODEL TEXT"),
        (["generate", "m.npz", "-gen", "9"], "-gen", "use --count N"),
        (["train", "t", "-S", "80%"], "-S", "use --memory SIZE"),
        (["train", "t", "--discount_fallback"], "--discount_fallback", "not needed"),
        (["train", "t", "-gt3min", "2"], "-gt3min", "use --prune A,B,C"),
        (["score", "m.npz", "-mix-lm", "n"], "-mix-lm", "use --model MODEL with --mix W,W"),
        (["generate", "m.npz", "--tries", "9"], "--tries", "not needed"),
        (["ngram-merge", "a", "b"], "'ngram-merge'", "use markov merge"),
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


def test_a_word_with_one_dash_may_be_a_value_or_two_letters(tmp_path):
    """`--prompt -order` is a prompt, `-o` may have its value behind it, and `--` ends the options."""
    command = main.commands["generate"]
    assert with_one_dash(["m.npz", "--prompt", "-order"], command) is None
    assert with_one_dash(["m.npz", "-c5", "-s1", "-obook.npz", "-q"], command) is None
    assert with_one_dash(["--", "-order"], command) is None
    assert with_one_dash(["m.npz", "--json", "-length=9"], command) == "-length"
    ran = run_in_process("train", "-", f"-o{tmp_path / 'm.npz'}", stdin="a b")
    assert ran.code == 0 and (tmp_path / "m.npz").exists()
