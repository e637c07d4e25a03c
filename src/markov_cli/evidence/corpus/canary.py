"""Canaries: random secrets inserted into a text, to measure if a model memorises them (Carlini et al. 2019).

Legend: a slot of the format is filled at random; R is the set of all fillings; the rank of a canary is its
rank among all fillings of its own line by bits, the fewest first, ties at their mean.

    exposure = log2 |R| - log2 rank

A filling that was never inserted has an exposure of x bits or more with probability 2**-x.

Source: Carlini et al., The Secret Sharer, 2019. They sample fillings and extrapolate the exposure; here up to a
million fillings are all scored (exposure.py), without extrapolation.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...arrays.numbers import whole
from ...errors import OptionError, TextError
from ...model.atomic_file import atomic_write
from ...text.sources import read_small

FORMAT, VERSION = "markov canaries", 1
_ALPHABETS = {"d": "0123456789", "l": "abcdefghijklmnopqrstuvwxyz"}
_HINT = "name the file that `markov canary make` wrote with --keys"
_SLOT = re.compile(r"\{([^{}]*)\}")
_ONSETS, _VOWELS = "bdfghklmnprstvz", "aeiou"


@dataclass(frozen=True)
class Canary:
    """One secret.

    name     replaces {name}; "" if the format has none
    filling  one character for each slot
    repeat   number of times its line is inserted; 0 for a control
    """

    name: str
    filling: str
    repeat: int


@dataclass
class Canaries:
    """A line with slots, and its canaries.

    format    the line: {d} is a digit, {l} a letter, {name} a made-up name
    seed      what the fillings were drawn with

    >>> import markov_cli
    >>> made = markov_cli.make_canaries("call {d}{d}", count=1, repeat=[1], controls=0, seed=3)
    >>> markov_cli.Canaries.of_dict(made.to_dict(), "a key file") == made
    True
    """

    format: str
    seed: int
    canaries: list[Canary] = field(default_factory=list)

    @property
    def alphabets(self) -> list[str]:
        """Characters for each slot."""
        return alphabets(self.format)

    @property
    def space(self) -> int:
        """|R|, the number of fillings."""
        return space(self.format)

    def text(self, canary: Canary) -> str:
        """Line of a canary."""
        return fill(self.format, canary.name, canary.filling)

    def lines(self) -> Iterator[str]:
        """Lines to insert: every canary `repeat` times, in a random order."""
        every = [self.text(c) for c in self.canaries for _ in range(c.repeat)]
        order = np.argsort(_raw(self.seed, 1).random_raw(len(every)), kind="stable")
        return (every[i] for i in order.tolist())

    def to_dict(self) -> dict[str, Any]:
        """The object of the key file."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "line": self.format,
            "fillings": self.space,
            "seed": self.seed,
            "canaries": [
                {"name": c.name, "filling": c.filling, "repeat": c.repeat, "text": self.text(c)} for c in self.canaries
            ],
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the key file, which `load` reads. It holds the secrets."""
        with atomic_write(path) as out:
            out.write(self.key_file())

    def key_file(self) -> bytes:
        """The key file's bytes."""
        return (json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n").encode()

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Canaries:
        """Read a key file, `-` for standard input; TextError where it is none."""
        name = os.fspath(path)
        try:
            found = json.loads(read_small(name))
        except (ValueError, RecursionError):
            raise TextError(f"{name}: not a key file of canaries", _HINT) from None
        return cls.of_dict(found, name)

    @classmethod
    def of_dict(cls, found: Any, name: str) -> Canaries:
        """Canaries from the object of a key file; TextError where it is invalid."""
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise TextError(f"{name}: not a key file of canaries", _HINT)
        if found.get("version") != VERSION:
            raise TextError(f"{name}: version {found.get('version')}; this markov reads {VERSION}", "upgrade markov")
        try:
            out = cls(str(found["line"]), int(found["seed"]))
            out.canaries = [Canary(str(c["name"]), str(c["filling"]), int(c["repeat"])) for c in found["canaries"]]
            slots = out.alphabets
            whole = bool(out.canaries) and all(
                len(c.filling) == len(slots) and all(x in a for x, a in zip(c.filling, slots, strict=True))
                for c in out.canaries
            )
        except (KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise TextError(f"{name}: its canaries do not fit its line", _HINT)
        return out


def alphabets(line: str) -> list[str]:
    """Characters for each slot of a format; OptionError for an unknown slot, no slot, or several lines."""
    found = _SLOT.findall(line)
    odd = [s for s in found if s != "name" and s not in _ALPHABETS]
    if odd or _SLOT.sub("", line).count("{") + _SLOT.sub("", line).count("}"):
        said = f"{{{odd[0]}}} is not a slot" if odd else "a brace that is not part of a slot"
        raise OptionError(f"--format {line!r}: {said}", "slots are {d}, a digit; {l}, a letter; {name}, a made-up name")
    slots = [_ALPHABETS[s] for s in found if s != "name"]
    if not slots:
        raise OptionError(
            f"--format {line!r}: no slot to fill", "write {d} for each digit: 'the code of {name} is {d} {d}'"
        )
    if "\n" in line or not line.strip():
        raise OptionError(f"--format {line!r}: not one line of text", "write it in one line")
    return slots


def space(line: str) -> int:
    """Number of fillings of a format."""
    n = 1
    for slot in alphabets(line):
        n *= len(slot)
    return n


def fill(line: str, name: str, filling: str) -> str:
    """Fill the slots of a format from left to right."""
    characters = iter(filling)
    return _SLOT.sub(lambda m: name if m[1] == "name" else next(characters), line)


def make(line: str, count: int, repeats: list[int], controls: int, seed: int) -> Canaries:
    """Make `count` canaries for each number of repetitions, and controls, all with distinct names.

    OptionError where the format has too few fillings.
    """
    slots = alphabets(line)
    n = count * len(repeats) + controls
    if space(line) < 2:
        raise OptionError(f"--format {line!r}: only one filling", "add slots")
    raw = _raw(seed, 0)
    if "{name}" not in line and n > space(line):
        raise OptionError(f"{n:,} canaries and controls, but {space(line):,} fillings", "add more slots, or {name}")
    names = _names(raw, n) if "{name}" in line else [""] * n
    out = Canaries(line, seed)
    seen: set[tuple[str, str]] = set()
    for i in range(n):
        repeat = repeats[i // count] if i < count * len(repeats) else 0
        while True:
            filling = "".join(a[int(raw.random_raw() >> 11) * len(a) >> 53] for a in slots)
            if (names[i], filling) not in seen:
                break
        seen.add((names[i], filling))
        out.canaries.append(Canary(names[i], filling, repeat))
    return out


def _raw(seed: int, part: int) -> np.random.PCG64:
    """Random numbers of a seed: part 0 for names and fillings, part 1 for the order of the lines."""
    return np.random.PCG64(whole("seed", seed)).advance(part << 64)


def _names(raw: Any, n: int) -> list[str]:
    """Distinct made-up names: consonant and vowel, three times."""
    found: dict[str, None] = {}
    while len(found) < n:
        number = int(raw.random_raw() >> 11)
        name = ""
        for _ in range(3):
            number, c = divmod(number, len(_ONSETS))
            number, v = divmod(number, len(_VOWELS))
            name += _ONSETS[c] + _VOWELS[v]
        found[name.capitalize()] = None
    return list(found)
