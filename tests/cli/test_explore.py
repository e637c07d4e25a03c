"""`markov explore`: its probabilities are those of sampling, its commands work, it ends cleanly."""

import json
import math
import re
import signal
import subprocess
from collections import Counter

import numpy as np
import pytest

from conftest import TIMEOUT_S
from engine import model_of
from helpers import MARKOV, chi_squared, in_terminal, posix
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import HistoryError, OptionError
from markov_cli.generation.session import Session
from markov_cli.sampling.next_tokens import next_token_distribution
from markov_cli.sampling.random_stream import RandomStream
from markov_cli.sampling.sampler import Sampler
from markov_cli.sampling.shape import Shape
from markov_cli.text.types import BOS, EOS, UNK
from terminal import Terminal

LINES = """the cat sat
the cat ate the fish
the dog ate
a dog sat on the cat
a cat, a dog"""
N = 2_000


@pytest.fixture(scope="module")
def model():
    return as_model(model_of(LINES, 3, unit="line"))


@pytest.fixture(scope="module")
def path(tmp_path_factory, model):
    path = tmp_path_factory.mktemp("explore") / "cats.npz"
    model.save(path)
    return path


# ------------------------------------------------------------ probabilities


@pytest.mark.parametrize("shape", [{}, {"temperature": 0.5}, {"top_k": 3}, {"temperature": 2.0, "top_p": 0.8}], ids=str)
@pytest.mark.parametrize("smoothing", ["none", "kn", "wb", "abs", "abs:1", "laplace", "lidstone:0.05"])
def test_shown_probabilities_are_those_of_sampling(smoothing, shape):
    """For every smoothing and shape, after histories of every length."""
    rare = as_model(model_of(LINES, 3, unit="line", min_type_count=2))
    table = rare.table
    smoothed = None if smoothing == "none" else rare.distribution(smoothing)
    sampler = Sampler(table, Shape(**shape), True, smoothed)
    # no history; the start; `cat`; `the cat`; a rare word; `the` and a rare word, followed only by rare words
    for history in ([], [BOS], [4], [3, 4], [UNK], [3, UNK]):
        level, row = table.find(history)
        ids, p = next_token_distribution(sampler, level, row, smoothed)
        assert p.sum() == pytest.approx(1) and (np.diff(p) <= 0).all() and UNK not in ids
        raw = RandomStream(5).raw(0, 0, N)
        token, bits, *_ = sampler._step(np.full(N, level), np.full(N, row), raw)
        told = dict(zip(ids.tolist(), p.tolist(), strict=True))
        assert set(token.tolist()) <= set(told)
        assert abs(chi_squared(Counter(token.tolist()), told, N)) < 4
        np.testing.assert_allclose(2.0**-bits, [told[i] for i in token.tolist()], rtol=1e-9)


def test_bits_of_a_session_by_hand(model):
    """3 of 5 lines open with `the`; `<s> the` is followed by cat twice, dog once; `the cat` by sat, ate, the end."""
    session = Session(model.language_model, 1)
    assert [(f.token, f.count, f.probability) for f in session.followers(9)] == [("the", 3, 0.6), ("a", 2, 0.4)]
    session.write("the cat")
    assert session.bits == pytest.approx(-math.log2(3 / 5 * 2 / 3))
    assert {f.token: f.count for f in session.followers(9)} == {"sat": 1, "ate": 1, None: 1}
    session.pick(EOS)
    assert session.complete and session.text == "the cat" and session.tokens == 2
    assert session.bits == pytest.approx(-math.log2(3 / 5 * 2 / 3 / 3))
    assert session.followers(9) == []
    with pytest.raises(OptionError, match="ended"):
        session.write("sat")
    session.back(2)
    assert session.text == "the" and session.bits == pytest.approx(-math.log2(3 / 5))


def test_unseen_steps_are_written_and_counted(model):
    session = Session(model.language_model, 1)
    session.write("cat the")  # no line begins with cat or contains `cat the`
    assert session.impossible == 2 and session.bits == 0
    assert session.history == ["the"]
    with pytest.raises(HistoryError, match="'horse': not in the model"):
        session.write("dog horse")
    assert session.text == "cat the"  # a line is written as a whole or not at all


def test_a_typed_mark_takes_the_type_that_fits(model):
    session = Session(model.language_model, 1, "a cat")
    session.write(",")
    assert session.text == "a cat," and session.impossible == 0


def test_the_same_commands_give_the_same_text(model):
    def text(seed):
        session = Session(model.language_model, seed, smoothing="kn")
        session.go(2)
        session.back()
        session.go(50)
        return session.text, session.bits

    assert text(3) == text(3)
    assert len({text(seed) for seed in range(20)}) > 5


def test_end_continues_with_the_distribution_of_generate():

    model = as_model(model_of(LINES, 2, unit="line"))
    session, seen = Session(model.language_model, 11), Counter()
    for _ in range(500):
        session.begin("")
        session.go(1000)
        seen[session.text] += 1
    made = Counter(t.text for t in model.generate(20_000, 5))
    told = {text: n / 20_000 for text, n in made.items()}
    often = {text: p for text, p in told.items() if p * 500 > 20}
    for text, p in often.items():
        assert abs(seen[text] / 500 - p) < 5 * math.sqrt(p / 500)
    assert len(often) > 3


# ------------------------------------------------------------ the program


def talk(run, path, *lines, args=(), **more):
    return run("explore", path, "-s", "1", *args, stdin="".join(f"{line}\n" for line in lines), **more)


def states(run, path, *lines, args=()):
    return [json.loads(line) for line in talk(run, path, *lines, args=("--json", *args)).stdout.splitlines()]


def test_a_session_follows_its_commands(run, path):
    first, picked, written, back, ended = states(run, path, "1", "cat sat", ":back 2", ":end")
    assert first["text"] == "" and first["followers"][0] == {"token": "the", "count": 3, "probability": 0.6}
    assert picked["text"] == "the" and picked["history"] == ["<s>", "the"]
    assert written["text"] == "the cat sat"
    assert back["text"] == "the"
    assert ended["complete"] and ended["followers"] == [] and ended["text"].startswith("the ")
    assert ended["seed"] == 1


def test_an_error_does_not_end_the_session(run, path):
    asked = [
        (["9"], "9: no such follower, there are 2\n  `:: 9` writes the number itself"),
        (["horse"], "'horse': not in the model's 9 types"),
        ([":back"], "nothing to delete: only the prompt is left"),
        ([":t 1"], ":t: more than one command\n  which of :temperature, :top-k, :top-p?"),
        ([":jump"], ":jump: no such command"),
        ([":go x"], ":go x: a whole number, at least 1"),
        ([":go 99999999"], ":go 99999999: a whole number"),
        ([":temperature hot"], ":temperature hot: a number"),
        ([":temperature -1"], "--temperature -1.0: must be 0 or more"),
        ([":smoothing no"], "--smoothing 'no': no such method"),
        ([":smoothing stupid"], "stupid"),
        ([":end", ""], "the text has ended"),
        ([":: 3"], "'3': not in the model"),
        ([":help"], ":quit           end the program"),
    ]
    lines = [line for some, _ in asked for line in [*some, ":new the dog"]]
    ran = talk(run, path, *lines)
    assert ran.code == 0 and ran.stderr == ""
    parts = ran.stdout.split("> :new the dog\n")[1:]
    before = ran.stdout.split("> :new the dog\n")[:-1]
    for (_, said), part, after in zip(asked, before, parts, strict=True):
        assert said in part
        assert after.startswith("the dog\n2 tokens")


def test_settings_change_the_followers(run, path):
    sets = states(run, path, ":temperature 0.5", ":top-k 1", ":top-k 0", ":smoothing kn", ":show 1", ":temp 0", ":go 2")
    assert sets[1]["followers"][0]["probability"] == pytest.approx(9 / 13)  # 3 ** 2 of 3 ** 2 + 2 ** 2
    assert sets[2]["n_followers"] == 1
    assert sets[4]["n_followers"] > 2
    assert len(sets[5]["followers"]) == 1
    assert sets[7]["tokens"] == 2 and sets[7]["bits"] == 0  # temperature 0 leaves no choice


def test_once_prints_one_state(run, path):
    ran = run("explore", path, "--once", "--prompt", "the cat", "--json")
    told = json.loads(ran.stdout)
    assert ran.code == 0 and ran.stderr == "" and told["seed"] is None
    assert {f.get("marker", f["token"]) for f in told["followers"]} == {"sat", "ate", "</s>"}
    shown = run("explore", path, "--once", "--prompt", "the cat").stdout
    assert shown.splitlines()[:2] == ["the cat", "2 tokens, 0.0 bits, after the cat"]


def test_a_chosen_seed_is_reported(run, path):
    assert re.fullmatch(r"seed \d+\n", run("explore", path, stdin="").stderr)


def test_a_model_of_characters_is_explored(run, tmp_path):
    model = as_model(model_of("ab ba\nab 3b\n", 3, tokenizer="chars", unit="line"))
    model.save(tmp_path / "m.npz")
    assert [s["text"] for s in states(run, tmp_path / "m.npz", "ab", " ", ":: 3")] == ["", "ab", "ab ", "ab 3"]


def test_control_characters_are_escaped(run, tmp_path):
    model = as_model(model_of("a \x1b[31mred [bold]b[/bold] :smile:\n", 2, tokenizer="spaces", unit="line"))
    model.save(tmp_path / "m.npz")
    ran = talk(run, tmp_path / "m.npz", "1", "1", "1", "1", "a\x1b[2J")
    assert ran.code == 0
    assert b"\x1b" not in ran.stdout_bytes + ran.stderr_bytes
    assert "a \\x1b[31mred [bold]b[/bold] :smile:" in ran.stdout


# ------------------------------------------------------------ terminals


@posix
def test_a_session_works_in_a_terminal(path):
    t = Terminal(*MARKOV, "explore", path, "-s", "1", columns=40, NO_COLOR="1")
    t.until("\n> ")
    t.type("1\r")
    t.until("1 token")
    t.until("> ")
    t.type("ca\t\r")  # Tab completes the word
    t.until("the cat")
    t.until("> ")
    t.type(":q\r")
    assert t.close() == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", t.seen)
    assert "\x1b[3" not in t.seen  # no colour
    rows = [line for line in plain.splitlines() if "█" in line or "─" in line]
    assert rows and max(map(len, rows)) <= 40


@posix
@pytest.mark.parametrize(("keys", "code"), [("\x04", 0), ("\x03", 130), ("the\x03", 130)])
def test_end_of_input_and_ctrl_c_leave_cleanly(path, keys, code):
    t = Terminal(*MARKOV, "explore", path, "-s", "1")
    t.until("\n> ")
    t.type(keys)
    assert t.close(interrupt="\x03" in keys) == code
    assert "Traceback" not in t.seen and "markov:" not in t.seen


@posix
def test_once_fits_a_small_window(path):
    shown, code = in_terminal("explore", path, "--once", "--smoothing", "kn", columns=40)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert code == 0
    assert max(map(len, [line for line in plain.splitlines() if "█" in line or "─" in line])) <= 40


@posix
def test_an_interrupt_without_a_terminal_exits_130(path):
    one = subprocess.Popen([*MARKOV, "explore", path, "-s", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    while not one.stdout.readline().startswith(b"2 "):
        pass
    one.send_signal(signal.SIGINT)
    assert one.wait(TIMEOUT_S) == 130
    one.stdin.close()
    one.stdout.close()
