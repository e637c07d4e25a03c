"""Prompts: typed text as ids, and the longest known history at its end."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import HistoryError
from ..model.language_model import LanguageModel
from ..text.encoder import Encoder, TextOptions
from ..text.text_blocks import Block
from ..text.types import BOS, N_MARKERS, UNK
from ..text.vocabulary import Vocabulary

_MAX_CASES = 256  # spellings of a history that --ignore-case tries


@dataclass(frozen=True)
class PromptMatch:
    """A prompt or history in a model's ids.

    ids        its tokens, UNK for unknown ones; BOS first where it opens a sequence
    level      number of tokens of the longest known history at its end
    row        row of that history
    text       as it was typed
    strange    its unknown tokens, each once
    respelled  tokens that are known with other quotes or apostrophes, each with its known spelling

    >>> import markov_cli
    >>> match = markov_cli.train(texts=["a b a c"]).known("x a")
    >>> match.strange, match.level, match.tokens
    (('x',), 1, 2)
    """

    ids: list[int]
    level: int
    row: int
    text: str = ""
    strange: tuple[str, ...] = ()
    respelled: tuple[tuple[str, str], ...] = ()

    @property
    def tokens(self) -> int:
        """The number of tokens given."""
        return sum(i != BOS for i in self.ids)

    @property
    def shortened(self) -> bool:
        """The longest known history is shorter than the prompt."""
        return self.level < len(self.ids)

    @property
    def history(self) -> tuple[int, int]:
        """Level and row of the history that drawing begins with."""
        return self.level, self.row

    @property
    def head(self) -> bytes:
        """Bytes that each text begins with; empty if they have no token."""
        return self.text.encode("utf-8", "surrogateescape") if self.tokens else b""

    @property
    def last(self) -> int:
        """Id of the last token; BOS if there is none."""
        return self.ids[-1] if self.tokens else BOS


def find_prompt(model: LanguageModel, text: str, at_start: bool = False, ignore_case: bool = False) -> PromptMatch:
    """Ids of a text, and the longest known history at its end.

    at_start     the text opens a sequence, so its history begins with BOS
    ignore_case  `You` finds `you`; of all spellings, the one with the longest known history

    HistoryError if the model knows none of its tokens.
    """
    return model.checked(_find_prompt, model, text, at_start, ignore_case)


def _find_prompt(model: LanguageModel, text: str, at_start: bool, ignore_case: bool) -> PromptMatch:
    vocabulary, table = model.vocabulary, model.table
    tokens = tokens_of(text, model.header.options)
    choices = [ids_of(vocabulary, t, f, ignore_case, k == len(tokens) - 1) for k, (t, f) in enumerate(tokens)]
    strange = [t for (t, _), c in zip(tokens, choices, strict=True) if not c]
    if tokens and len(strange) == len(tokens):
        raise unknown(vocabulary, strange, ignore_case)
    about = tuple(_texts(strange)), _respelled(vocabulary, tokens, choices)
    before = [BOS] if at_start and model.header.borders else []
    fixed = [c[0] if c else UNK for c in choices]
    keep = max(len(fixed) - (table.order - 1), 0) if table.order > 1 else len(fixed)
    best: PromptMatch | None = None
    tail = [c if c else [UNK] for c in choices[keep:]]
    for ids in itertools.islice(itertools.product(*tail), _MAX_CASES if ignore_case else 1):
        whole = [*before, *fixed[:keep], *ids]
        level, row = table.find(whole)
        if best is None or level > best.level:
            best = PromptMatch(whole, level, row, text, *about)
    assert best is not None
    return best


def tokens_of(text: str, options: TextOptions) -> list[tuple[bytes, int]]:
    """Tokenize one text with a model's options: bytes and flags of each token."""
    encoder = Encoder(replace(options, unit="file"), open_ends=True)
    plain = text.encode("utf-8", "surrogateescape")
    if options.tokenizer != "bytes":
        plain = plain.decode("utf-8", "replace").encode()
    data = np.frombuffer(plain + bytes(8), np.uint8)
    piece = encoder.encode(Block(data, len(plain), last=True, first=True, progress_bytes=0))
    seen, which = np.unique(piece.number.astype(np.int64), return_inverse=True)
    types = encoder.types(seen)
    start, length = types.start, types.length
    return [(types.blob[start[i] : start[i] + length[i]].tobytes(), int(types.flags[i])) for i in which.tolist()]


def tokens_of_each(texts: Sequence[str], options: TextOptions) -> list[list[bytes]]:
    """Tokenize many texts: bytes of each token.

    With `words` and `spaces` all texts are tokenized in one call, which is far faster; a text without a token is
    left out then.
    """
    if options.tokenizer not in ("words", "spaces") or any("\n" in text for text in texts):
        return [[token for token, _ in tokens_of(text, options)] for text in texts]
    encoder = Encoder(TextOptions(options.tokenizer, "line", options.lowercase, options.pattern))
    plain = "\n".join(texts).encode("utf-8", "surrogateescape").decode("utf-8", "replace").encode()
    data = np.frombuffer(plain + bytes(8), np.uint8)
    piece = encoder.encode(Block(data, len(plain), last=True, first=True, progress_bytes=0))
    seen, which = np.unique(piece.number.astype(np.int64), return_inverse=True)
    types = encoder.types(seen)
    start, length = types.start.tolist(), types.length.tolist()
    tokens = [types.blob[a : a + n].tobytes() for a, n in zip(start, length, strict=True)]
    ends = [0, *piece.end.tolist(), len(which)]
    return [[tokens[i] for i in which[a:b].tolist()] for a, b in itertools.pairwise(ends) if a < b]


def ids_of(vocabulary: Vocabulary, token: bytes, flags: int, ignore_case: bool, last: bool = False) -> list[int]:
    """Ids that match a token: an equal spelling first, then one with equal flags.

    A token that is unknown is looked up with curly quotes and apostrophes for straight ones, and the other way round.

    last  the token ends its text, so the flag of its right side is ignored
    """

    def unlike(i: int) -> tuple[bool, bool]:
        own = int(vocabulary.flags[i]) if len(vocabulary.flags) else 0
        # the last token may go on or touch the next one, so the flag of its right side is ignored
        return vocabulary.bytes_of(i) != token, (own ^ flags) & (1 if last else 3) != 0

    found = vocabulary.find(token, None, ignore_case)
    if not found:
        found = [i for other in other_quotes(token) for i in vocabulary.find(other, None, ignore_case)]
    return sorted(found, key=unlike)


_QUOTES = ("'\u2019\u2018", '"\u201c\u201d')  # straight and curly: apostrophes and single quotes, double quotes


def other_quotes(token: bytes) -> list[bytes]:
    """A token with other quotes and apostrophes; none where it has none.

    >>> [t.decode() for t in other_quotes(b"don't")], other_quotes(b"do")
    (['don’t', 'don‘t'], [])
    """
    text = token.decode("utf-8", "replace")
    found = [text]
    for alike in _QUOTES:
        if any(c in text for c in alike):
            found = [t.translate(dict.fromkeys(map(ord, alike), c)) for t in found for c in alike]
    return [t.encode() for t in dict.fromkeys(found) if t != text]


def _respelled(
    vocabulary: Vocabulary, tokens: list[tuple[bytes, int]], choices: list[list[int]]
) -> tuple[tuple[str, str], ...]:
    """Tokens that were found with other quotes, each with the spelling that was found."""
    found = {}
    for (token, _), ids in zip(tokens, choices, strict=True):
        if ids and vocabulary.bytes_of(ids[0]).lower() in other_quotes(token.lower()):
            found[token.decode("utf-8", "replace")] = vocabulary.text_of(ids[0])
    return tuple(found.items())


def _texts(tokens: list[bytes]) -> dict[str, None]:
    """Tokens as texts, each once, in order."""
    return dict.fromkeys(t.decode("utf-8", "replace") for t in tokens)


_NAMED = 5  # unknown tokens for which known ones are looked for


def prompt_notes(vocabulary: Vocabulary, known: PromptMatch, ignore_case: bool = False) -> list[str]:
    """Lines about tokens of a prompt that the model does not know, or knows with other quotes."""
    out = [f"{typed!r} read as {own!r}, as the model has it" for typed, own in known.respelled]
    for word in known.strange[:_NAMED]:
        near = vocabulary.nearest(word)
        other = _other_case(vocabulary, [word], ignore_case)
        said = (
            f"; nearest known: {', '.join(map(repr, near))}" if near else "" if other else "; no similar word is known"
        )
        out.append(f"{word!r} is not in the model{said}{other}")
    if more := known.strange[_NAMED:]:
        out.append(f"neither are {', '.join(map(repr, more))}")
    return out


def _other_case(vocabulary: Vocabulary, words: list[str], ignore_case: bool) -> str:
    """The option that finds one of some unknown words, to be added to a line."""
    if ignore_case:
        return ""
    found = [i for word in words for i in vocabulary.find(word.encode("utf-8", "surrogateescape"), None, True)[:1]]
    return f"; --ignore-case finds {', '.join(repr(vocabulary.text_of(i)) for i in found)}" if found else ""


def unknown(vocabulary: Vocabulary, tokens: list[bytes], ignore_case: bool = False) -> HistoryError:
    """Error for tokens that are not in the vocabulary; names the most similar types."""
    words = [*_texts(tokens)]
    near = [w for word in words[:3] for w in vocabulary.nearest(word)]
    shown = ", ".join(repr(w) for w in words[:3]) + (", ..." if len(words) > 3 else "")
    other = _other_case(vocabulary, words[:3], ignore_case)
    hint = f"nearest known: {', '.join(dict.fromkeys(near))}{other}" if near else other.removeprefix("; ")
    hint = hint or "no similar word is known; see: inspect MODEL"
    return HistoryError(f"{shown}: not in the model's {len(vocabulary) - N_MARKERS:,} types", hint)
