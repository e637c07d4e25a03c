"""Parses constraints: words and patterns to automata over a model's token ids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import AnswerIsNo, OptionError
from ..sampling import automata
from ..sampling.automata import ANY, ONE, Automaton, Piece
from ..text.types import N_MARKERS
from .batches import TextModel
from .prompt import other_quotes, tokens_of, tokens_of_each
from .request import Constraints

_MANY = 50  # more words than this are looked up together


@dataclass
class NamedAutomaton:
    """An automaton with the option that it was made from, for messages."""

    name: str
    automaton: Automaton


class ConstraintParser:
    """Parser of constraints, with the tokenizer and vocabulary of one model.

    unknown  words of `ban` that the model does not know
    """

    def __init__(self, model: TextModel, ignore_case: bool) -> None:
        self.model, self.ignore_case = model, ignore_case
        self._sets: dict[bytes, frozenset[int]] = {}
        self.unknown = 0

    def read(self, c: Constraints) -> list[NamedAutomaton]:
        """Automata of all constraints but those on the finished text.

        OptionError for a constraint without a token; AnswerIsNo for a word that the model does not know.
        """
        out = []
        asked = [self.pieces("--contains", word) for word in c.contains]
        if c.in_order and len(asked) > 1:
            pieces = [piece for one in asked for piece in (ANY, *one)]
            name = "--contains " + " ".join(map(repr, c.contains)) + " --in-order"
            out.append(NamedAutomaton(name, automata.pattern([*pieces, ANY])))
        else:
            named = zip(c.contains, asked, strict=True)
            out += [NamedAutomaton(f"--contains {word!r}", automata.pattern([ANY, *one, ANY])) for word, one in named]
        if c.starts_with:
            pieces = self.pieces("--starts-with", c.starts_with)
            out.append(NamedAutomaton(f"--starts-with {c.starts_with!r}", automata.pattern([*pieces, ANY])))
        if c.ends_with:
            pieces = self.pieces("--ends-with", c.ends_with)
            out.append(NamedAutomaton(f"--ends-with {c.ends_with!r}", automata.pattern([ANY, *pieces])))
        for word in c.without:
            pieces = self.pieces("--without", word)
            if all(pieces):  # no text contains an unknown word
                out.append(
                    NamedAutomaton(f"--without {word!r}", automata.complement(automata.pattern([ANY, *pieces, ANY])))
                )
        if c.ban:
            out.append(NamedAutomaton(f"--ban with {_lines(len(c.ban))}", self.banned(c.ban)))
        if c.pattern:
            out.append(NamedAutomaton(f"--pattern {c.pattern!r}", automata.pattern(self.gaps(c.pattern))))
        return out

    def pieces(self, option: str, text: str) -> list[Piece]:
        """Sets of ids, one set for each token of a text."""
        tokens = [token for token, _ in tokens_of(text, self.model.header.options)]
        if not tokens:
            raise OptionError(f"{option} {text!r}: no token in it", "give a word")
        sets = [self._ids_of(token) for token in tokens]
        unknown = [token.decode("utf-8", "replace") for token, ids in zip(tokens, sets, strict=True) if not ids]
        if unknown and option != "--without":
            near = self.model.vocabulary.nearest(unknown[0])
            known = f"{self.model.header.types:,} types"
            given = f"{option} {text!r}" if [text] == unknown else f"{option} {text!r}: {unknown[0]!r}"
            raise AnswerIsNo(
                f"{given}: not in the model's {known}",
                f"nearest known: {', '.join(near)}" if near else "no similar word is known; see: inspect MODEL",
            )
        return list(sets)

    def banned(self, words: Sequence[str]) -> Automaton:
        """Automaton of the texts that contain none of these words; counts those that the model does not know."""
        tokens = tokens_of_each(words, self.model.header.options)
        if len(words) > _MANY and not self.ignore_case:
            self._sets.update(self.model.checked(self._all_of, {t for phrase in tokens for t in phrase}))
        phrases = [[self._ids_of(t) for t in phrase] for phrase in tokens]
        self.unknown = sum(not all(phrase) for phrase in phrases)
        return automata.avoiding([phrase for phrase in phrases if phrase and all(phrase)])

    def _all_of(self, wanted: set[bytes]) -> dict[bytes, frozenset[int]]:
        """Ids of many tokens, found in one pass over the vocabulary."""
        vocabulary = self.model.vocabulary
        start, length = vocabulary.spans(np.arange(N_MARKERS, len(vocabulary)))
        blob = vocabulary.blob.tobytes()
        found: dict[bytes, set[int]] = {token: set() for token in wanted}
        for i, (a, n) in enumerate(zip(start.tolist(), length.tolist(), strict=True), N_MARKERS):
            ids = found.get(blob[a : a + n])
            if ids is not None:
                ids.add(i)
        return {token: frozenset(ids) for token, ids in found.items()}

    def gaps(self, text: str) -> list[Piece]:
        """Words and gaps of a pattern; a gap may touch a mark, as in `the *, and _ .`"""
        parts = re.findall(r"[*_]|[^*_]+", text)
        if self.model.vocabulary.spaced:
            parts = re.findall(r"\n|\S+", text) if self.model.header.options.keep_newlines else text.split()
        out: list[Piece] = []
        for part in parts:
            tokens = (
                [part]
                if part in (ANY, ONE)
                else [t.decode("utf-8", "replace") for t, _ in tokens_of(part, self.model.header.options)]
            )
            if any(gap in tokens for gap in (ANY, ONE)):
                for one in tokens:
                    out += [one] if one in (ANY, ONE) else self.pieces("--pattern", one)
            else:
                out += self.pieces("--pattern", part)
        if not out:
            raise OptionError(f"--pattern {text!r}: empty", "for example --pattern 'the * of _ _'")
        return out

    def _ids_of(self, token: bytes) -> frozenset[int]:
        if token not in self._sets:
            find = self.model.vocabulary.find
            found = self.model.checked(find, token, None, self.ignore_case)
            if not found:
                for other in other_quotes(token):
                    found = [*found, *self.model.checked(find, other, None, self.ignore_case)]
            self._sets[token] = frozenset(i for i in found if i >= N_MARKERS)
        return self._sets[token]


def _lines(n: int) -> str:
    return "1 line" if n == 1 else f"{n:,} lines"
