"""The JSON header of a model file: its fields, and the check of their types and ranges."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from ..text.char_classes import UNICODE_VERSION
from ..text.encoder import TextOptions
from ..text.file_kinds import MODEL_FORMAT
from ..text.segmentation import UNITS
from ..text.tokenizer import TOKENIZERS, compile_pattern
from .blend_parameters import BlendParameters
from .table import MAX_ORDER

FORMAT = MODEL_FORMAT
VERSION = 2
HOLDS = (
    "counts",
    "weighted counts",
    "probabilities",
)  # what a table holds; merging with weights, and ARPA, give the others

_PROTECTION = ("min_sequences", "min_files", "cap_per_sequence")
_NUMBERS = ("max_types", "vocab_words", "prune_vocab", "total_0", "left_total_0", *_PROTECTION)
_WHERE_SET = (*_NUMBERS, "vocab_hash")  # keys that are there only then


_SWITCHES = ("keep_newlines",)  # text options that are there only where they are set


@dataclass
class Header:
    """Everything about a model but its arrays; kept in the file as JSON."""

    order: int
    options: TextOptions
    tokens: int
    types: int
    sequences: int
    corpus_bytes: int
    min_type_count: int = 1
    prune: tuple[int, ...] = ()
    unicode: str = UNICODE_VERSION
    counts_of_counts: list[list[int]] = field(default_factory=list)  # of pruned models
    holds: str = "counts"  # one of HOLDS
    max_types: int | None = None  # types beyond the commonest are UNK; None where all were kept
    min_sequences: int | None = None  # n-grams in fewer sequences were dropped; None where none were
    min_files: int | None = None  # and those in fewer files
    cap_per_sequence: int | None = None  # 1: counts are numbers of sequences
    blend: BlendParameters | None = None  # what `markov tune` found; the table has the classes then
    vocab_words: int | None = None  # words of the list of types that are not UNK; None where there was none
    prune_vocab: int | None = None  # words of the list outside which n-grams were dropped; None where none were
    total_0: int | None = None  # of such models, `Table.empty`
    left_total_0: int | None = None
    borders: bool = True  # False: <s> and </s> were not counted; the key is there only then
    vocab_hash: str | None = None  # of vocab_words, its fingerprint, see text/word_list.py
    cut_below: tuple[int, ...] = ()  # of imported counts that lack rare n-grams: the least count of each order

    @property
    def pruned(self) -> bool:
        """N-grams were dropped, by whatever measure."""
        least = self.min_sequences is not None or self.min_files is not None
        return any(self.prune) or least or self.prune_vocab is not None or bool(self.cut_below)

    @property
    def empty(self) -> tuple[int, int] | None:
        """Sums over all types before some were dropped; see `Table.empty`."""
        return None if self.total_0 is None else (self.total_0, self.left_total_0 or 0)

    def said_holds(self) -> str:
        """The content of the table in words, for example `counts, cut below 40`."""
        if not self.cut_below:
            return self.holds
        least = min(self.cut_below[1:] or self.cut_below)
        cut = f"cut below {least:,}" if least > 1 else "incomplete"
        words = f" (words below {self.cut_below[0]:,})" if self.cut_below[0] > least else ""
        return f"{self.holds}, {cut}{words}"

    @property
    def n_class_sets(self) -> int:
        """Number of sets of classes that a tuned model holds."""
        return 0 if self.blend is None else len(self.blend.weights) - 1

    @property
    def maps_types(self) -> bool:
        """Types of the text may have become UNK."""
        return self.min_type_count > 1 or self.max_types is not None or self.vocab_words is not None

    def protection(self) -> dict[str, int]:
        """The settings that protect the text's sequences, by the header's names; {} if there are none."""
        return {name: value for name in _PROTECTION if (value := getattr(self, name)) is not None}

    def as_dict(self) -> dict[str, Any]:
        """The header's fields, flat, as `inspect --json` prints them."""
        plain = asdict(self)
        options = {name: value for name, value in plain.pop("options").items() if name not in _SWITCHES or value}
        del plain["blend"]
        if self.blend is not None:
            plain["blend"] = self.blend.as_dict()
        plain["prune"] = list(self.prune)
        plain["cut_below"] = list(self.cut_below) or None
        for name in (*_WHERE_SET, "cut_below"):
            if plain[name] is None:
                del plain[name]
        if self.borders:
            del plain["borders"]
        return {"format": FORMAT, "version": VERSION, "order": plain.pop("order"), **options, **plain}


def read_json(text: str) -> Any:
    """JSON with one meaning: no key twice, no number that is none or is too long."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(found)
        if len(out) != len(found):
            raise ValueError("a key is listed twice")
        return out

    def integer(digits: str) -> int:
        if len(digits) > 20:
            raise ValueError(f"a number of {len(digits):,} digits")
        return int(digits)

    def constant(name: str) -> Any:
        raise ValueError(name)

    return json.loads(text, object_pairs_hook=pairs, parse_int=integer, parse_constant=constant)


def _whole(value: Any, low: int = 0) -> bool:
    """A plain integer that fits where the engine puts it."""
    return type(value) is int and low <= value < 1 << 62


def header_of(head: dict[str, Any]) -> Header:
    """Check every field's type and range; ValueError names the first that is wrong."""

    def integer(key: str, low: int) -> int:
        value = head[key]
        if not _whole(value, low):
            raise ValueError(f"{key} {value!r}")
        return value

    def choice(key: str, of: tuple[str, ...]) -> str:
        if head[key] not in of:
            raise ValueError(f"{key} {head[key]!r}")
        return str(head[key])

    pattern = head["pattern"]
    if not isinstance(head["lowercase"], bool) or not (pattern is None or isinstance(pattern, str)):
        raise ValueError("lowercase or pattern")
    if (pattern is not None) != (head["tokenizer"] == "regex"):
        raise ValueError("a pattern belongs to the tokenizer regex")
    if pattern is not None:
        compile_pattern(pattern)
    text = choice("tokenizer", TOKENIZERS), choice("unit", UNITS), head["lowercase"], pattern
    options = TextOptions(*text, keep_newlines="keep_newlines" in head)
    for name in _SWITCHES:
        if head.get(name, True) is not True:
            raise ValueError(f"{name} {head[name]!r}")
    prune, coc = head["prune"], head["counts_of_counts"]
    if not isinstance(prune, list) or not all(_whole(p) for p in prune):
        raise ValueError(f"prune {prune!r}")
    order = integer("order", 1)
    if order > MAX_ORDER:
        raise ValueError(f"order {order}")
    if not isinstance(coc, list) or len(coc) > order:
        raise ValueError("counts_of_counts")
    if not all(isinstance(row, list) and len(row) == 5 and all(map(_whole, row)) for row in coc):
        raise ValueError("counts_of_counts")
    if head.get("holds", "counts") not in HOLDS:
        raise ValueError(f"holds {head['holds']!r}")
    cut = head.get("cut_below", [])
    if not isinstance(cut, list) or not all(_whole(c, 1) for c in cut) or len(cut) not in (0, order):
        raise ValueError(f"cut_below {cut!r}")
    if not isinstance(head["unicode"], str):
        raise ValueError(f"unicode {head['unicode']!r}")
    blend = None
    if "blend" in head:
        blend = BlendParameters.of_dict(head["blend"], order)
        if any(prune) or cut or set(_PROTECTION) & set(head) or head.get("holds", "counts") != "counts":
            raise ValueError("a blend of a table without all counts")
    vocab = head.get("vocab_hash")
    if ("vocab_words" in head) != ("vocab_hash" in head) or not (
        vocab is None or (isinstance(vocab, str) and re.fullmatch("[0-9a-f]{32}", vocab))
    ):
        raise ValueError(f"vocab_hash {vocab!r}")
    if len({name in head for name in ("prune_vocab", "total_0", "left_total_0")}) > 1:
        raise ValueError("prune_vocab without its sums")
    borders = head.get("borders", True)
    if not isinstance(borders, bool) or borders != ("borders" not in head):
        raise ValueError(f"borders {borders!r}")
    numbers = {name: integer(name, int(name != "left_total_0")) for name in _NUMBERS if name in head}
    return Header(
        order, options, integer("tokens", 0), integer("types", 0), integer("sequences", 0),
        integer("corpus_bytes", 0), integer("min_type_count", 1), tuple(prune), head["unicode"], coc,
        head.get("holds", "counts"), **numbers, vocab_hash=vocab, borders=borders, cut_below=tuple(cut),
        blend=blend,
    )  # fmt: skip
