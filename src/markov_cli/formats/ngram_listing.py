"""Sorts listed n-grams with probabilities into the rows of a trie, and adds missing suffixes.

Legend: k is an order 1..n; m rows; h is the history, an n-gram without its last word;
a suffix is an n-gram without its first word; a blank is a suffix that is not listed; log10 p and
log10 backoff are float32.

Rows of a trie are in the order of model/table.py. Every row's history must be listed. Its suffix need not be:
files of pruned models leave some out, and the missing row is added, as KenLM does, with
p(w | h) = backoff(h) p(w | h without its first word) and backoff 1, which changes no probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple

import numpy as np

from ..arrays.sorting import sort_keys, starts_new
from ..arrays.threads import thread_pool
from ..errors import ModelFileError
from ..text.interning import TypeInterner
from ..text.types import MARKERS, N_MARKERS, UNK, Types, order_of_types
from ..text.word_escapes import name_of, parse_names

NO_UNK = -100.0  # log10 p of `<unk>` where a file has none, as in KenLM
NO_MARKER = -99.0
_U = np.uint64
_SHOWN = 120
_SORTED = 1 << 17  # rows sorted at one time
_SAMPLE = 1 << 12  # rows from which equal shares of the rows are estimated
_AGAIN = "the file is damaged; export it again"


@dataclass
class Notes:
    """Changes made, and files left out, while reading; each is reported."""

    junk_lines: int = 0  # before \\data\\
    clamped: int = 0  # probabilities above 1 by rounding, read as 1
    missing_backoffs: int = 0  # below the top order, read as 0
    top_backoffs: int = 0  # other than 0 at the top order, ignored
    blanks: int = 0  # rows added
    added_markers: int = 0  # markers without a unigram
    unk_in_capitals: int = 0  # <UNK> read as <unk>
    invalid_words: int = 0  # words that are not UTF-8, kept as they are
    invalid_text: str = ""  # some of them
    put_in: int = 0  # n-grams that cut counts lack, with the least count that they can have
    raised: int = 0  # counts below those of what extends the n-gram
    capital_markers: int = 0  # <S> and </S> read as <s> and </s>
    tagged: int = 0  # n-grams with tags of parts of speech, left out
    said: list[str] = field(default_factory=list)  # whole notes
    markers: list[str] = field(default_factory=list)  # the file's own, as it writes them
    left_out: list[str] = field(default_factory=list)  # files of a folder that hold something else

    def add(self, other: Notes) -> None:
        """Add the numbers of another block."""
        for f in fields(self):
            setattr(self, f.name, getattr(self, f.name) + getattr(other, f.name))


class ListedOrder(NamedTuple):
    """Rows of one order, in the order of the file.

    ids      k columns, uint32 (m,): indices in the list of words
    log10    float32 (m,)
    backoff  float32 (m,), 0 where the file has none; None at the top order
    """

    ids: list[np.ndarray]
    log10: np.ndarray
    backoff: np.ndarray | None


class Listing(NamedTuple):
    """N-grams listed in a file.

    name     of the file, for messages
    blob     uint8, words joined, in the order of the unigrams
    offsets  int64 (words + 1,)
    orders   order 1 first; its rows are the words
    """

    name: str
    blob: np.ndarray
    offsets: np.ndarray
    orders: list[ListedOrder]
    notes: Notes


@dataclass
class TrieOrder:
    """Rows of one order, in trie order.

    token    uint32 (r,)      last id; None for order 1, whose rows are the ids
    first    int64 (r + 1,)   first follower of each row in the next order; None at the top
    link     integer (r,)     row, one order below, of the suffix; None for order 1 and the top
    log10    float32 (r,)
    backoff  float32 (r,)     None at the top
    """

    log10: np.ndarray
    backoff: np.ndarray | None = None
    token: np.ndarray | None = None
    first: np.ndarray | None = None
    link: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.log10)


class Trie(NamedTuple):
    """Trie of n-grams. Ids are 0 `<unk>`, 1 `<s>`, 2 `</s>`, then types by falling probability, ties by bytes, flags.

    types   of ids from N_MARKERS on
    orders  order 1 first
    """

    types: Types
    orders: list[TrieOrder]


@dataclass
class _Level:
    """N-grams of one order: in the order of the file, or distinct and in trie order once sorted.

    ids      k columns, uint32 (r,)
    log10    float32 (r,)
    backoff  float32 (r,), None at the top order
    listed   bool (r,), False for added rows, whose log10 is computed last
    """

    ids: list[np.ndarray]
    log10: np.ndarray
    backoff: np.ndarray | None
    listed: np.ndarray


def trie_of(listing: Listing, space_as: str | None = None, jobs: int = 1) -> Trie:
    """Sort a listing into a trie; empties `listing.orders`.

    space_as  the name that stands for one space
    jobs      threads that sort

    Names become types as in text/word_escapes.py. ModelFileError for a repeated n-gram or type, or a history that is
    not listed.
    """
    types, id_of, level = _unigrams(listing, space_as)
    n, bits = len(listing.orders), max(len(level.log10) - 1, 1).bit_length()
    levels, links, firsts = [level], [np.empty(0, np.int64)] * n, [np.empty(0, np.int64)] * n
    if n > 1:
        top = _listed(listing, id_of)
        order, new, ids = _sorted(top.ids, bits, jobs)
        _refuse_double(order[~new], top.ids, listing.name, types)
        levels.append(_Level(ids, top.log10[order], None, top.listed))
        del top, order, new
    for k in range(n, 2, -1):  # the longest first, as each order adds missing suffixes to the one below
        below, firsts[k - 2], links[k - 1] = _below(_listed(listing, id_of), levels[1], bits, listing, types, jobs)
        levels.insert(1, below)
    if n > 1:
        links[1] = levels[1].ids[1].astype(np.int64)
        firsts[0] = _running(np.bincount(levels[1].ids[0], minlength=len(level.log10)))
    trie = []
    for k, level in enumerate(levels, 1):
        put_in = np.flatnonzero(~level.listed) if k > 1 else np.empty(0, np.int64)
        if len(put_in):
            parent = np.searchsorted(firsts[k - 2], put_in, "right") - 1
            shorter = levels[k - 2]
            assert shorter.backoff is not None
            level.log10[put_in] = shorter.backoff[parent] + shorter.log10[links[k - 1][put_in]]
        token = level.ids[-1] if k > 1 else None
        first, link = (firsts[k - 1] if k < n else None), (links[k - 1] if 1 < k < n else None)
        trie.append(TrieOrder(level.log10, level.backoff, token, first, link))
    return Trie(types, trie)


def _unigrams(listing: Listing, space_as: str | None) -> tuple[Types, np.ndarray, _Level]:
    """Types by id, id of each word (uint32), and order 1 sorted by ids."""
    log10, backoff = listing.orders[0].log10, listing.orders[0].backoff
    if backoff is None:
        backoff = np.zeros_like(log10)
    places = [_place_of(marker, listing) for marker in MARKERS]
    if places[UNK] is None:
        places[UNK] = _place_of("<UNK>", listing)
        listing.notes.unk_in_capitals = int(places[UNK] is not None)
    named_so = [m.upper() if i == UNK and listing.notes.unk_in_capitals else m for i, m in enumerate(MARKERS)]
    listing.notes.markers = [m for m, place in zip(named_so, places, strict=True) if place is not None]
    plain = np.ones(len(log10), bool)
    plain[[p for p in places if p is not None]] = False
    which = np.flatnonzero(plain)
    named = parse_names(listing.blob, listing.offsets, space_as)
    types = named.take(which)
    if len(named.blob) > len(listing.blob):  # with escaped names, two names can be one type
        _refuse_double_types(types, listing.name)
    order = order_of_types(types, log10[which].astype(np.float64))
    which = which[order]
    n_ids = N_MARKERS + len(which)
    id_of = np.empty(len(log10), np.uint32)
    id_of[which] = np.arange(N_MARKERS, n_ids, dtype=np.uint32)
    level = _Level(
        [np.arange(n_ids, dtype=np.uint32)],
        np.concatenate((np.zeros(N_MARKERS, np.float32), log10[which])),
        np.concatenate((np.zeros(N_MARKERS, np.float32), backoff[which])),
        np.ones(n_ids, bool),
    )
    assert level.backoff is not None
    for i, place in enumerate(places):
        if place is None:
            listing.notes.added_markers += 1
            level.log10[i] = NO_UNK if i == UNK else NO_MARKER
        else:
            id_of[place], level.log10[i], level.backoff[i] = i, log10[place], backoff[place]
    if len(listing.orders) == 1:
        level.backoff = None
    return types.take(order), id_of, level


def _place_of(word: str, listing: Listing) -> int | None:
    wanted = word.encode()
    start = listing.offsets[:-1]
    found = np.flatnonzero(np.diff(listing.offsets) == len(wanted))
    for i, byte in enumerate(wanted):
        found = found[listing.blob[start[found] + i] == byte]
    return int(found[0]) if len(found) else None


def _listed(listing: Listing, id_of: np.ndarray) -> _Level:
    """Remove the longest remaining order from the listing; returns it with ids."""
    ids, log10, backoff = listing.orders.pop()
    return _Level([id_of.take(c) for c in ids], log10, backoff, np.ones(len(log10), bool))


def _sorted(columns: Sequence[np.ndarray], bits: int, jobs: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Sort rows by their columns, the first column first.

    columns  uint32 (m,) each, values below 2**bits
    returns  sorting permutation int64 (m,); True where a distinct row begins, bool (m,); columns of the distinct
             rows, uint32

    Each thread sorts the rows of one range of values of the first column.
    """
    m = len(columns[0])
    if jobs == 1 or m < _SORTED:
        return _sorted_range(columns, bits)
    sample = np.sort(columns[0][:: max(m // _SAMPLE, 1)])
    cuts = [0, *sample[np.arange(1, jobs) * len(sample) // jobs].tolist(), 1 << 32]

    def one(i: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        which = np.flatnonzero((columns[0] >= cuts[i]) & (columns[0] < cuts[i + 1]))
        order, new, ids = _sorted_range([c.take(which) for c in columns], bits)
        return which.take(order), new, ids

    with thread_pool(jobs) as pool:
        orders, news, each = zip(*pool.map(one, [i for i in range(jobs) if cuts[i] < cuts[i + 1]]), strict=True)
    return np.concatenate(orders), np.concatenate(news), [np.concatenate(c) for c in zip(*each, strict=True)]


def _sorted_range(columns: Sequence[np.ndarray], bits: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """`_sorted` by one thread; there may be no row.

    The first columns that fit one uint64 with the row's index are sorted as one key; each further column is sorted
    within the groups of equal rows so far.
    """
    m = len(columns[0])
    own_bits = max(m - 1, 1).bit_length()
    fit = max((64 - own_bits) // bits, 1)
    key = columns[0].astype(_U)
    for column in columns[1:fit]:
        key <<= _U(bits)
        key |= column
    key, order = sort_keys(key, bits * len(columns[:fit]))
    new = starts_new(key)
    distinct = key[new]
    low = _U((1 << bits) - 1)
    ids = [(distinct >> _U(bits * i) & low).astype(np.uint32) for i in reversed(range(len(columns[:fit])))]
    for column in columns[fit:]:
        key = np.cumsum(new, dtype=_U)
        key -= _U(1)
        key <<= _U(bits)
        key |= column.take(order)
        _sort_groups(key, order, np.flatnonzero(new), bits)
        new = starts_new(key)
        distinct = key[new]
        group = (distinct >> _U(bits)).view(np.int64)
        ids = [*(c.take(group) for c in ids), (distinct & low).astype(np.uint32)]
    return order, new, ids


def _sort_groups(key: np.ndarray, order: np.ndarray, start: np.ndarray, bits: int) -> None:
    """Sort within groups of rows, in place, some groups at a time, to stay in the cache.

    key    uint64 (m,), number of the group, rising, above `bits` bits
    order  int64 (m,), permuted like the keys
    start  int64, first row of each group
    """
    low = 0
    while low < len(key):
        at = int(np.searchsorted(start, low + _SORTED))
        high = int(start[at]) if at < len(start) else len(key)
        part, moved = key[low:high], order[low:high]
        base = part[0] >> _U(bits) << _U(bits)
        local, again = sort_keys(part - base, int((part[-1] - base) >> _U(bits)).bit_length() + bits)
        np.add(local, base, out=part)
        moved[:] = moved[again]
        low = high


def _running(count: np.ndarray) -> np.ndarray:
    out = np.zeros(len(count) + 1, np.int64)
    np.cumsum(count, out=out[1:])
    return out


def _below(
    own: _Level, above: _Level, bits: int, listing: Listing, types: Types, jobs: int
) -> tuple[_Level, np.ndarray, np.ndarray]:
    """Complete an order: its listed rows, and the suffixes of the order above.

    own      listed rows of order k, unsorted
    above    order k + 1, sorted and complete
    returns  order k, sorted; its `first`; and the `link` of the order above

    Sorts listed k-grams, suffixes and histories together. ModelFileError for a repeated n-gram, and for a listed
    n-gram whose history is not listed.
    """
    k = len(own.ids)
    n_own, n_above = len(own.log10), len(above.log10)
    heads = np.flatnonzero(starts_new(*above.ids[:-1]))
    columns = [np.concatenate((own.ids[j], above.ids[j + 1], above.ids[j][heads])) for j in range(k)]
    order, new, ids = _sorted(columns, bits, jobs)
    n_rows = len(ids[0])
    row = np.empty(len(order), np.uint32 if len(order) < 1 << 32 else np.uint64)
    row[order] = np.cumsum(new, dtype=row.dtype) - 1
    of_own, link, of_head = row[:n_own], row[n_own : n_own + n_above].copy(), row[n_own + n_above :]
    listed = np.zeros(n_rows, bool)
    listed[of_own] = True
    if np.count_nonzero(listed) < n_own:
        by = np.argsort(of_own, kind="stable")
        _refuse_double(by[1:][~starts_new(of_own[by])[1:]], own.ids, listing.name, types)
    if len(heads):
        missing = np.flatnonzero(np.logical_or.reduceat(above.listed, heads) & ~listed[of_head])
        if len(missing):
            first = heads[missing[0]] + int(np.argmax(above.listed[heads[missing[0]] :]))
            ngram = [int(c[first]) for c in above.ids]
            raise ModelFileError(
                f"{listing.name}, section \\{k + 1}-grams: the history {_show(types, ngram[:-1])} of "
                f"{_show(types, ngram)} is not in \\{k}-grams:",
                "the history of every n-gram must be listed; export the file again",
            )
    log10, backoff = np.zeros(n_rows, np.float32), np.zeros(n_rows, np.float32)
    log10[of_own] = own.log10
    if own.backoff is not None:
        backoff[of_own] = own.backoff
    listing.notes.blanks += n_rows - n_own
    n_followers = np.zeros(n_rows, np.int64)
    n_followers[of_head] = np.diff(heads, append=n_above)
    return _Level(ids, log10, backoff, listed), _running(n_followers), link


def _refuse_double(rows: np.ndarray, ids: list[np.ndarray], name: str, types: Types) -> None:
    """Raise ModelFileError if there are repeated rows; `rows` are these, in the order of n-grams."""
    if len(rows):
        ngram = [int(c[rows[0]]) for c in ids]
        raise ModelFileError(
            f"{name}, section \\{len(ids)}-grams: {_show(types, ngram)} is listed twice ({len(rows):,} such n-grams)",
            _AGAIN,
        )


def _refuse_double_types(types: Types, name: str) -> None:
    """Raise ModelFileError where two names are one type, such as \"￭a\" and another escape of it."""
    known = TypeInterner()
    number = known.numbers(types.padded(), types.start, types.length, types.flags)
    if len(known) < len(types):
        double = int(np.argmax(np.bincount(number) > 1))
        which = np.flatnonzero(number == double)
        raise ModelFileError(
            f"{name}, section \\1-grams: two words are one type, {_show(types, [N_MARKERS + int(which[0])])}", _AGAIN
        )


def _show(types: Types, ids: list[int]) -> str:
    names = (MARKERS[i].encode() if i < N_MARKERS else name_of(*types.bytes_of(i - N_MARKERS)) for i in ids)
    text = b" ".join(names).decode("utf-8", "replace")
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
