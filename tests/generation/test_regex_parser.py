"""The parser of expressions reads what `re` reads: random expressions, tried on all short texts."""

import itertools
import random
import re
import warnings

import pytest

from markov_cli.generation.regex_automaton import searching
from markov_cli.generation.regex_parser import NotFinite, parsed

ALPHABET = "ab-\n"
ATOMS = [
    "a", "b", ".", "-", r"\w", r"\W", r"\s", r"\D", "[ab]", "[^a]", "[a-b-]", "[]a]", "[^]a]", r"[\w-]", r"[\x61]",
    r"[\142]",
    r"\x61", r"\u0062", r"\U00000061", r"\141", r"\n", r"\.", r"\-", r"\b", r"\B", "^", "$", r"\A", r"\Z", "(?#no)",
    r"\N{LATIN SMALL LETTER B}", "{", "{}", "a{", "a{1", "}", "]", r"[\b\n]", r"[\]b]", "[a.]", r"\012", r"\0",
]  # fmt: skip
REPEATS = ["", "", "", "", "*", "+", "?", "{2}", "{1,2}", "{,1}", "{1,}", "{,}", "*?", "+?", "??", "{0}", "(?#x)*"]


def expression(rng, depth=2):
    out = ""
    for _ in range(rng.randrange(1, 4)):
        kind = rng.random()
        if depth and kind < 0.3:
            opening = rng.choice(["(", "(?:", f"(?P<n{rng.randrange(10**6)}>"])
            inner = "|".join(expression(rng, depth - 1) for _ in range(rng.choice((1, 1, 2))))
            out += f"{opening}{inner}){rng.choice(REPEATS)}"
        else:
            out += rng.choice(ATOMS) + rng.choice(REPEATS)
    return out


def test_random_expressions_match_what_re_matches():
    texts = [t for n in range(5) for t in itertools.product(range(len(ALPHABET)), repeat=n)]
    rng, tried = random.Random(5), 0
    while tried < 200:
        one = expression(rng)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                that = re.compile(one)
        except re.error:
            continue
        try:
            automaton = searching(one, ALPHABET)
        except NotFinite as error:
            assert "$ before a line break" in str(error) or "more than" in str(error), one
            continue
        tried += 1
        delta, accept = automaton.delta.tolist(), automaton.accept.tolist()
        for text in texts:
            state = 0
            for c in text:
                state = delta[state][c]
            whole = "".join(ALPHABET[c] for c in text)
            assert accept[state] == (that.search(whole) is not None), (one, whole)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"(a)\1", r"back reference \1 at character 4"), ("ab(?=c)", "look-ahead at character 3"),
        ("(?!a)", "negative look-ahead at character 1"), ("(?<=a)b", "look-behind at character 1"),
        ("a(?<!a)", "negative look-behind at character 2"), ("(?P<n>a)(?P=n)", "back reference at character 9"),
        ("a(?>b)", "atomic group at character 2"), ("(a)(?(1)b|c)", "condition at character 4"),
        ("(?i)a", "flags at character 1"), ("a(?i:b)", "flags at character 2"), ("[a", "unfinished"),
        ("ab*+", "possessive repeat at character 3"),
        ("a{2}+", "possessive repeat at character 2"), ("a)", r"unbalanced \) at character 2"), ("(a", "unfinished"),
        ("a\\", "unfinished"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named_with_its_place(text, said):
    with pytest.raises(NotFinite, match=said.replace("\\1", "\\\\1")):
        parsed(text)
