"""The model inside a page: header, vocabulary and table as one block of bytes that its script reads.

Legend: k is an order; a row of order k is a distinct k-gram; h is a history.

The bytes are `zlib` of: the length of a JSON header (uint32, little-endian), the header, and the columns that it
lists, one behind another. A column is `varint` (whole numbers, 7 bits a byte, the lowest first; the high bit says
that more follow), `float32` (four planes: the lowest byte of every number, then the next) or `bytes`. Columns of
order k:

    token    last id of each row, the difference to the row before within one history; not at order 1
    size     number of followers of each row; not at the top
    count    raw count of each row; below the top less the sum over its followers, zigzag
    left     number of distinct left neighbours, where there is one
    total    how often each row was followed, before followers were dropped, less the sum over those that stay, zigzag.
             Only where it is not the count, or 0 for a row that ends in `</s>`; left_total the same for `left`
    log10, backoff   of models of probabilities: log10 p, and log10 of the backoff weight
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..model.count_column import Uncounted
from ..model.discounts import SmoothingMethod
from ..model.language_model import LanguageModel
from ..model.smoothing import Smoothed
from ..model.table import Table
from ..text.types import EOS, N_MARKERS

LEVEL = 6  # of zlib: 9 saves 1 to 2 % and takes four times as long (measured)
SMOOTHINGS = ("none", "kn", "wb", "abs")  # that the script can draw from
_F32 = 4


@dataclass
class _Columns:
    """Columns so far, and what the header says of each."""

    listed: list[dict[str, Any]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    def add(self, name: str, kind: str, n: int, data: bytes) -> None:
        self.listed.append({"name": name, "kind": kind, "n": n, "bytes": len(data)})
        self.parts.append(data)

    def varint(self, name: str, values: np.ndarray) -> None:
        self.add(name, "varint", len(values), varints(values))

    def float32(self, name: str, values: np.ndarray) -> None:
        planes = np.ascontiguousarray(values, "<f4").view(np.uint8).reshape(len(values), _F32).T
        self.add(name, "float32", len(values), planes.tobytes())


def varints(values: np.ndarray) -> bytes:
    """Whole numbers below 2**63 as LEB128.

    >>> varints(np.array([1, 127, 128, 300])).hex()
    '017f8001ac02'
    """
    v = values.astype(np.uint64)
    size = np.ones(len(v), np.int64)
    for bits in range(7, 63, 7):
        more = v >= np.uint64(1 << bits)
        if not more.any():
            break
        size += more
    end = np.cumsum(size)
    out = np.empty(int(end[-1]) if len(end) else 0, np.uint8)
    begin = end - size
    for i in range(int(size.max(initial=0))):
        here = np.flatnonzero(size > i)
        byte = (v[here] >> np.uint64(7 * i)).astype(np.uint8) & 0x7F
        out[begin[here] + i] = byte | ((size[here] > i + 1).astype(np.uint8) << 7)
    return out.tobytes()


def zigzag(values: np.ndarray) -> np.ndarray:
    """0, -1, 1, -2, ... as 0, 1, 2, 3, ...: int64 of the shape of `values`."""
    return np.where(values < 0, -2 * values - 1, 2 * values)


@dataclass(frozen=True)
class KnownCounts:
    """Raw counts that a model of probabilities was made from.

    count  of each order, int64 (r,)
    total  of each order but the top, int64 (r,): raw totals of its rows; empty: of the empty history
    """

    count: list[np.ndarray]
    total: list[np.ndarray]
    empty: int


def page_data(model: LanguageModel, known: KnownCounts | None = None, level: int = LEVEL) -> bytes:
    """A model of whole counts, or of probabilities, for the script of a page.

    known  of a model of probabilities: the counts it was made from
    """
    table, columns = model.table, _Columns()
    header = _header(model, known)
    types = model.vocabulary.types()
    types = types.take(np.arange(len(types)))
    columns.add("text", "bytes", len(types.blob), types.blob.tobytes())
    columns.varint("length", types.length)
    if types.flags.any():
        columns.add("flags", "bytes", len(types.flags), types.flags.tobytes())
    for k in range(1, table.order + 1):
        _add_order(columns, table, k, known)
    header["columns"] = columns.listed
    head = json.dumps(header, separators=(",", ":")).encode()
    return zlib.compress(b"".join((len(head).to_bytes(4, "little"), head, *columns.parts)), level)


def _header(model: LanguageModel, known: KnownCounts | None) -> dict[str, Any]:
    h, table = model.header, model.table
    options = h.options
    out: dict[str, Any] = {
        "holds": h.holds,
        "order": h.order,
        "rows": [len(order) for order in table.orders],
        "tokenizer": options.tokenizer,
        "unit": options.unit,
        "lowercase": options.lowercase,
        "pattern": options.pattern,
        "keep_newlines": options.keep_newlines,
        "spaced": model.vocabulary.spaced,
        "borders": h.borders,
        "pruned": table.pruned,
        "tokens": h.tokens,
        "types": h.types,
        "sequences": h.sequences,
        "markers": N_MARKERS,
        "counted": known is not None or model.holds_counts,
    }
    if not model.holds_counts:
        out["smoothings"] = {}
        out["total"] = None if known is None else known.empty
        return out
    out["smoothings"] = {name: _method(model, name) for name in SMOOTHINGS if _possible(model, name)}
    none = np.zeros(1, np.int64)
    out["total"] = int(table.total(0, none)[0])
    left = table.orders[0].left
    out["left_total"] = None if left is None else int(left.total if table.empty is None else table.empty[1])
    return out


def _possible(model: LanguageModel, name: str) -> bool:
    return name != "kn" or not model.header.cut_below


def _method(model: LanguageModel, name: str) -> dict[str, Any]:
    """Discounts by order, and the orders where Kneser-Ney falls back to fixed ones."""
    found = Smoothed(model.table, SmoothingMethod.parse(name))
    discount = [found.discount(k).tolist() for k in range(1, model.table.order + 1)]
    return {"discount": discount, "fell_back": found.fell_back}


def _add_order(columns: _Columns, table: Table, k: int, known: KnownCounts | None) -> None:
    order, top = table.orders[k - 1], k == table.order
    n = len(order)
    if k > 1:
        assert order.token is not None
        columns.varint(f"token{k}", _differences(table, k))
    first = order.first if order.first is not None else np.zeros(n + 1, np.int64)
    size = first[1:].astype(np.int64) - first[:-1].astype(np.int64)
    if not top:
        columns.varint(f"size{k}", size)
    if order.log10 is not None:
        columns.float32(f"log10_{k}", order.log10)
        if order.backoff is not None and not top:
            columns.float32(f"backoff{k}", order.backoff)
    if isinstance(order.count, Uncounted) and known is None:
        return
    count = order.count.slice(0, n) if known is None else known.count[k - 1]
    if top:
        columns.varint(f"count{k}", count)
    else:
        after = table.orders[k]
        followers = after.count.slice(0, len(after)) if known is None else known.count[k]
        below = _sums(followers, size)
        columns.varint(f"count{k}", zigzag(count - below))
        total = table.total(k, np.arange(n)) if known is None else known.total[k - 1]
        if (total != np.where(table.tokens(k, np.arange(n)) == EOS, 0, count)).any():
            columns.varint(f"total{k}", zigzag(total - below))
    if known is None and order.left is not None and not top:
        columns.varint(f"left{k}", order.left.slice(0, n))
        left = table.orders[k].left
        if order.left_total is not None and left is not None:
            more = order.left_total.slice(0, n) - _sums(left.slice(0, len(left)), size)
            columns.varint(f"left_total{k}", zigzag(more))


def _differences(table: Table, k: int) -> np.ndarray:
    """Last ids of order k, less the one before where both follow one history: int64 (r,)."""
    token = table.tokens(k, np.arange(len(table.orders[k - 1])))
    first = table.orders[k - 2].first
    assert first is not None
    out = token.copy()
    out[1:] -= token[:-1]
    begin = first[:-1].astype(np.int64)
    begin = begin[begin < len(token)]
    out[begin] = token[begin]
    return out


def _sums(values: np.ndarray, size: np.ndarray) -> np.ndarray:
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))
    end = np.cumsum(size)
    return running[end] - running[end - size]
