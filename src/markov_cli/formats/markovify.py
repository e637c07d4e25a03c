"""Reads and writes the JSON models of markovify (checked with version 0.9.4).

Legend: s is markovify's state size, one less than the order n; a state is the s words before the next.

The file is `{"state_size": s, "chain": C, "parsed_sentences": ...}`, or C alone; C is a list of
`[[w1, ..., ws], {word: count, ...}]`, or a string with its JSON. A sentence begins in the state of s times BEGIN and
ends with END. So a state with j > 0 times BEGIN is a history of BOS and s - j words that opens a sequence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from ..errors import MarkovError
from ..model.building import build_table
from ..model.remap_ids import Part, relabelled
from ..model.table import Table
from ..text.interning import TypeInterner
from ..text.types import BOS, EOS, MARKERS, N_MARKERS, UNK, Types
from ..text.vocabulary import Vocabulary
from .lower_orders import Rows

BEGIN, END = "___BEGIN__", "___END__"
_STATES = 1 << 20  # characters written at one time, at most
_MOST_ORDER = 1000
_FORM = 'markovify writes: {"state_size": 2, "chain": "[[[\\"a\\", \\"b\\"], {\\"c\\": 1}], ...]"}'


# ---------------------------------------------------------------- writing


def write_markovify(out: IO[bytes], table: Table, vocabulary: Vocabulary, order: int) -> int:
    """Write a model for `markovify.NewlineText.from_json`; returns the number of types that were merged.

    order  the order of the model, which can be larger than that of its longest n-grams

    Words are the text of types, so types that differ only in how they touch a neighbour become one.
    MarkovError for order 1, for a very high order, and for a type that markovify reserves.
    """
    if order < 2:
        raise MarkovError("order 1: markovify needs a state", "train with --order 2, which is its state size 1")
    if order > _MOST_ORDER:
        raise MarkovError(
            f"order {order:,}: each state would have {order - 1:,} words",
            f"train with --order {_MOST_ORDER} or less: markov train TEXT -o MODEL",
        )
    words = [MARKERS[UNK], "", END, *(_text(vocabulary.bytes_of(i)) for i in range(N_MARKERS, len(vocabulary)))]
    reserved = {BEGIN, END}.intersection(words[N_MARKERS:])
    if reserved:
        raise MarkovError(
            f"the type {reserved.pop()!r}: markovify uses it for the ends of sentences", "remove it from the text"
        )
    new_id = _alike(words, vocabulary)
    given_up = len(new_id) - int(new_id.max()) - 1
    if given_up:
        kept = np.unique(new_id, return_index=True)[1]
        words = [words[i] for i in kept.tolist()]
        table = build_table(relabelled([Part(table, new_id)], len(words)), order)
    # JSON inside a JSON string: quoted twice
    quoted = [json.dumps(json.dumps(w))[1:-1] for w in words]
    begin = json.dumps(json.dumps(BEGIN))[1:-1]
    out.write(b'{"state_size": %d, "chain": "[' % (order - 1))
    first = True
    for text in _states(table, quoted, begin, order):
        out.write(text.encode() if first else b", " + text.encode())
        first = False
    out.write(b']", "parsed_sentences": null}\n')
    return given_up


def _text(token: bytes) -> str:
    return token.decode("utf-8", "surrogateescape")


def _alike(words: list[str], vocabulary: Vocabulary) -> np.ndarray:
    """New id of each id, equal for equal words: int64 (V,)."""
    of_word = {words[UNK]: UNK}
    out = [UNK, BOS, EOS]
    for word in words[N_MARKERS:]:
        out.append(of_word.setdefault(word, len(of_word) + N_MARKERS - 1))
    return np.array(out, np.int64)


def _states(table: Table, quoted: list[str], begin: str, order: int) -> Iterator[str]:
    """JSON of states with their followers, about a megabyte at a time."""
    most = max(_STATES // max(map(len, quoted)) // order, 1)
    low, high = BOS, BOS + 1
    for k in range(1, table.order):
        first = table.orders[k - 1].first
        assert first is not None
        rows = np.arange(low, high) if k < order - 1 else np.arange(len(first) - 1)
        for i in range(0, len(rows), most):
            history = rows[i : i + most]
            history = history[first[history + 1] > first[history]]
            if len(history):
                yield ", ".join(_some(table, k, history, quoted, [begin] * (order - k), begin))
        low, high = int(first[low]), int(first[high])


def _some(table: Table, k: int, history: np.ndarray, quoted: list[str], before: list[str], begin: str) -> Iterator[str]:
    low, high = table.followers(k, history)
    # the histories are neighbours, so their followers are
    token = table.tokens(k + 1, np.arange(int(low[0]), int(high[-1]))).tolist()
    count = table.orders[k].count.slice(int(low[0]), int(high[-1])).tolist()
    at = 0
    for ids, n in zip(table.ngrams(k, history).tolist(), (high - low).tolist(), strict=True):
        opens = ids[0] == BOS
        state = [begin if i == BOS else quoted[i] for i in ids]
        if opens:
            state = before[1:] + state
        pairs = zip(token[at : at + n], count[at : at + n], strict=True)
        at += n
        yield f"[[{', '.join(state)}], {{{', '.join(f'{quoted[t]}: {c}' for t, c in pairs)}}}]"


# ---------------------------------------------------------------- reading


def read_markovify(data: bytes, name: str) -> tuple[dict[int, Rows], Types, int]:
    """Read a model: its n-grams by order, the types of the ids from N_MARKERS on, and its order.

    MarkovError for a file that is not a model of markovify.
    """
    chain = _chain(data, name)
    size = len(chain[0][0]) if isinstance(chain[0][0], list) else 0
    if not size:
        raise _bad(name, "its first state has no words")
    number = {BEGIN: BOS, END: EOS}
    histories: list[int] = []
    follows: list[int] = []
    counts: list[float] = []
    n_follows: list[int] = []
    for state, after in chain:
        if not isinstance(state, list) or len(state) != size:
            raise _bad(name, f"a state without {size} words: {json.dumps(state)[:60]}")
        pairs = _pairs(after, state, name)
        n_follows.append(len(pairs))
        try:
            histories += [number.setdefault(w, len(number) + 1) for w in state]
            follows += [number.setdefault(w, len(number) + 1) for w in pairs]
        except TypeError:
            raise _bad(name, f"a word that is not text, in {json.dumps(state)[:60]}") from None
        counts += pairs.values()
    types = _types([w for w in number if w not in (BEGIN, END)], name)
    state_ids = np.array(histories, np.uint32).reshape(-1, size)
    n_begin = (state_ids == BOS).sum(axis=1)
    wrong = np.argmin(np.column_stack((state_ids == BOS, np.zeros(len(chain), bool))), axis=1) != n_begin
    wrong |= (state_ids == EOS).any(axis=1)
    if wrong.any():
        raise _bad(name, f"{BEGIN} or {END} in a wrong place: {json.dumps(chain[int(np.argmax(wrong))][0])[:60]}")
    return (
        _rows(state_ids, n_begin, np.array(n_follows), np.array(follows, np.uint32), _whole(counts, name)),
        types,
        size + 1,
    )


def _bad(name: str, what: str) -> MarkovError:
    return MarkovError(f"{name}: {what}", _FORM)


def _chain(data: bytes, name: str) -> list[Any]:
    try:
        found = json.loads(data)
        if isinstance(found, dict):
            if "chain" not in found:
                raise _bad(name, "JSON without a 'chain'")
            found = found["chain"]
        if isinstance(found, str):
            found = json.loads(found)
    except (ValueError, RecursionError) as error:
        raise _bad(name, f"not JSON: {str(error)[:80]}") from None
    if not isinstance(found, list) or not found:
        raise _bad(name, "a chain without states")
    if not all(isinstance(item, list) and len(item) == 2 for item in found):
        raise _bad(name, "a state without followers")
    return found


def _pairs(after: Any, state: list[Any], name: str) -> dict[str, float]:
    """Followers and their counts; a compiled model has running sums of the counts."""
    if isinstance(after, dict):
        return after
    ok = isinstance(after, list) and len(after) == 2 and all(isinstance(a, list) for a in after)
    if not ok or len(after[0]) != len(after[1]) or not all(isinstance(w, str) for w in after[0]):
        raise _bad(name, f"no counts after {json.dumps(state)[:60]}")
    try:
        return {w: b - a for w, a, b in zip(after[0], [0, *after[1]], after[1], strict=False)}
    except TypeError:
        raise _bad(name, f"no counts after {json.dumps(state)[:60]}") from None


def _whole(counts: list[Any], name: str) -> np.ndarray:
    """Counts as int64, MarkovError unless whole; markovify's `combine` turns whole counts into floats too."""
    bad = [c for c in counts if isinstance(c, bool) or not isinstance(c, (int, float))]
    if not bad:
        bad = [c for c in counts if not 0 < c < 1 << 62 or c != int(c)]
    if bad:
        raise MarkovError(f"{name}: {str(bad[0])[:30]} is not a whole count", "combine models with whole weights")
    return np.array([int(c) for c in counts], np.int64)


def _types(words: list[Any], name: str) -> Types:
    if not all(isinstance(w, str) and w for w in words):
        raise _bad(name, "a word that is empty or not text")
    try:
        spelt = [w.encode("utf-8", "surrogateescape") for w in words]
    except UnicodeEncodeError as error:
        raise _bad(name, f"a word with half a character: {error.object[:30]!r}") from None
    blob = np.frombuffer(b"".join(spelt), np.uint8)
    length = np.array([len(w) for w in spelt], np.int64)
    types = Types(blob, np.cumsum(length) - length, length, np.zeros(len(spelt), np.uint8))
    again = TypeInterner()
    again.numbers(types.padded(), types.start, types.length, None)
    if len(again) != len(types):
        raise _bad(name, "two words with the same bytes")
    return types


def _rows(
    state: np.ndarray, n_begin: np.ndarray, n_follows: np.ndarray, follow: np.ndarray, count: np.ndarray
) -> dict[int, Rows]:
    """N-grams by order; of several BEGINs of a state one is kept."""
    size = state.shape[1]
    of_state = np.repeat(np.arange(len(state)), n_follows)
    spare = np.maximum(n_begin - 1, 0)[of_state]
    rows = {}
    for drop in np.flatnonzero(np.bincount(spare)).tolist():
        some = np.flatnonzero(spare == drop)
        ids = np.concatenate((state[of_state[some], drop:], follow[some, None]), axis=1)
        rows[size + 1 - drop] = Rows(ids, count[some], np.zeros(len(some), np.int64))
    return rows
