"""Checks of benchmark answers: tokens, types and n-grams counted without the program.

Tokens are counted by `wc`, types by a set, n-grams by a Counter, by markovify and by KenLM.

Legend: V is the number of types; a chain is a dict from two tokens of history to a Counter of
their followers, with BEGIN and END for the ends of a line.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 24
SEPARATORS = b" \t\r\n\0"
_TO_SPACE = bytes(32 if i in SEPARATORS else i for i in range(256))
_TO_X = bytes(32 if i in SEPARATORS else ord("x") for i in range(256))
MARKERS = ("<unk>", "<s>", "</s>")
BEGIN, END = "___BEGIN__", "___END__"  # markovify's names
Chain = dict[tuple[str, str], Counter[str]]


@dataclass(frozen=True)
class Check:
    """One answer counted in two ways."""

    what: str
    ours: object
    theirs: object
    judge: str

    @property
    def agrees(self) -> bool:
        """True if both counts are equal."""
        return self.ours == self.theirs

    def __str__(self) -> str:
        if self.agrees:
            shown = "" if self.ours is True else f": {_shown(self.ours)}"
            return f"{self.what}: agrees with {self.judge}{shown}"
        return f"{self.what}: WRONG: {_shown(self.ours)}; {self.judge}: {_shown(self.theirs)}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


# ---------------------------------------------------------------- the whole text


@dataclass(frozen=True)
class TextFacts:
    """Counts of a text by plain Python and wc."""

    bytes: int
    tokens: int
    tokens_judge: str
    types: int
    blank_lines: int
    markers: int  # types that are KenLM's markers
    ended: bool  # the last line has its newline

    @property
    def unlike_kenlm(self) -> str:
        """The reason why lmplz counts other n-grams in this text, if there is one."""
        reasons = (
            ("blank lines, which lmplz takes for sentences", self.blank_lines),
            ("words that are markers, which lmplz leaves out", self.markers),
            ("a last line without a newline, whose end lmplz does not count", not self.ended),
        )
        return "; ".join(reason for reason, holds in reasons if holds)


def chunks(path: Path) -> Iterator[bytes]:
    """The file in pieces of whole lines."""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece + file.readline()


def text_facts(path: Path) -> TextFacts:
    """Count in plain Python.

    In `wc -w`, separators and unprintable bytes depend on the program and the locale. So it gets the
    text with each separator as a space and any other byte as an x, which every wc counts alike.
    """
    types: set[bytes] = set()
    blank = tokens = 0
    last = b""
    wc = shutil.which("wc")
    counter = subprocess.Popen([wc, "-w"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) if wc else None
    for piece in chunks(path):
        words = piece.translate(_TO_SPACE).split(b" ")
        tokens += len(words) - words.count(b"")
        types.update(words)
        blank += sum(not line.translate(None, SEPARATORS) for line in piece.split(b"\n")[:-1])
        last = piece[-1:]
        if counter and counter.stdin:
            counter.stdin.write(piece.translate(_TO_X))
    types.discard(b"")
    if counter:
        tokens = int(counter.communicate()[0])
    markers = sum(m.encode() in types for m in MARKERS)
    judge = "wc -w" if wc else "plain Python"
    return TextFacts(path.stat().st_size, tokens, judge, len(types), blank, markers, last == b"\n")


def arpa_header(path: Path) -> list[int]:
    """N-grams per order by the header of an ARPA file."""
    found = []
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b"ngram "):
                found.append(int(line.split(b"=")[1]))
            elif line.startswith(b"\\1-grams"):
                return found
    return found


# ---------------------------------------------------------------- a sample


def sample_of(path: Path, size: int = 1_000_000) -> list[str]:
    """Lines from the middle of a text, changed so that all programs see the same words.

    Other white space becomes a space, since markovify splits at all Unicode white space; the
    names of markers are replaced; blank lines are left out.
    """
    total = path.stat().st_size
    with path.open("rb") as file:
        if total > 2 * size:
            file.seek(total // 2)
            file.readline()
        text = file.read(size).decode("utf-8", "replace")
    for name in (*MARKERS, BEGIN, END):
        text = text.replace(name, "marker")
    lines = (" ".join(line.replace("\0", " ").split()) for line in text.split("\n"))
    return [line for line in lines if line]


def chain_of(lines: list[str]) -> Chain:
    """The chain of some lines, counted in plain Python."""
    chain: Chain = {}
    for line in lines:
        tokens = [BEGIN, BEGIN, *line.split(" "), END]
        for a, b, c in zip(tokens, tokens[1:], tokens[2:], strict=False):
            chain.setdefault((a, b), Counter())[c] += 1
    return chain


def rows_of(lines: list[str], order: int) -> list[int]:
    """The number of n-grams of each order, with one marker at each end of a line."""
    rows = []
    for k in range(1, order + 1):
        seen = set()
        for line in lines:
            ids = [MARKERS[1], *line.split(" "), MARKERS[2]]
            seen.update(zip(*(ids[i:] for i in range(k)), strict=False))
        rows.append(len(seen) + (k == 1))  # <unk> is a type
    return rows


def our_chain(model) -> Chain:
    """The chain of a model of order 3: its trigrams, and its bigrams after BEGIN."""
    import numpy as np

    name = [model.vocabulary.name_of(i) for i in range(model.table.n_ids)]
    name[1], name[2] = BEGIN, END
    chain: Chain = {}
    for k in (2, 3):
        rows = np.arange(len(model.table.orders[k - 1]))
        count = model.table.orders[k - 1].count.at(rows).tolist()
        for ids, c in zip(model.table.ngrams(k, rows).tolist(), count, strict=True):
            tokens = [name[i] for i in ids]
            if k == 2 and tokens[0] != BEGIN:
                continue
            a, b, last = [BEGIN, *tokens][-3:]
            chain.setdefault((a, b), Counter())[last] = c
    return chain


def followers_agree(model, chain: Chain, n: int = 200) -> bool:
    """True if `Model.followers` agrees for some histories spread over the chain."""
    inside = [h for h in chain if BEGIN not in h]
    for a, b in inside[:: max(len(inside) // n, 1)]:
        found = model.followers(f"{a} {b}")
        if {END if f.token is None else f.token: f.count for f in found.followers} != chain[a, b] or found.used != 2:
            return False
    return True


def walks(texts: list[str], chain: Chain) -> bool:
    """True if every text is a path of the chain from BEGIN to END."""
    for text in texts:
        tokens = [BEGIN, BEGIN, *text.split(" "), END]
        if any(c not in chain.get((a, b), ()) for a, b, c in zip(tokens, tokens[1:], tokens[2:], strict=False)):
            return False
    return True


_ASCII_TOKEN = re.compile(r"(?:[A-Za-z0-9]|(?<=[A-Za-z])'(?=[A-Za-z])|(?<=[0-9])[.,](?=[0-9]))+|([^\sA-Za-z0-9])\1*")


def plain_ascii(text: str) -> str:
    """The text with `?` in place of what is not ASCII, and of the signs of what `words` keeps whole (links, @names)."""
    text = text.encode("ascii", "replace").decode().replace("\x7f", "?")
    return re.sub(r"[:@#]|(?<=www)\.", "?", text)


def ascii_words(text: str) -> tuple[int, int]:
    """Tokens and types of the tokenizer `words` in ASCII text, by a regular expression.

    A type is a token's letters and the sides on which it touches its neighbours. Of two touching
    tokens the second carries the flag, or the first if only the first is a mark.
    """
    found = [(m.group(), m.start(), m.end(), m.group(1) is not None) for m in _ASCII_TOKEN.finditer(text)]
    types = set()
    for i, (token, start, end, mark) in enumerate(found):
        before = found[i - 1] if i and found[i - 1][2] == start else None
        after = found[i + 1] if i + 1 < len(found) and found[i + 1][1] == end else None
        left = before is not None and (mark or not before[3])
        right = after is not None and mark and not after[3]
        types.add((token, left, right))
    return len(found), len(types)
