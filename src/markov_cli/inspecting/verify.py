"""Verifies a model file: every checksum, and everything that a table promises.

Each check gives lines that say what is wrong and where; none of them means the
file is whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

import numpy as np

from ..arrays.sorting import starts_new
from ..errors import MarkovError
from ..model.class_model import are_classes
from ..model.count_column import SPAN, Counts, smallest
from ..model.distribution import STANDS_FOR_NONE
from ..model.fingerprints import Guard
from ..model.listed import LARGEST_BACKOFF
from ..model.model_file import ModelFile, framing_differs
from ..model.table import Table
from ..model.weighted_counts import DIGITS, ROOM, Reals
from ..text.types import BOS, EOS, N_MARKERS, UNK, Types, order_of_types
from ..text.vocabulary import UNSPACED

_SLICE = 1 << 22


def damage(file: ModelFile) -> list[str]:
    """Everything that is wrong with an opened model, the worst first."""
    found = _checksums(file)
    counted = file.header.holds != "probabilities"
    checks: list[tuple[str, Callable[[ModelFile], Iterator[str]]]] = [
        ("vocabulary", _vocabulary),
        *([("counts", _counts)] if counted else []),
        ("rows", _rows),
        *([("sums", _sums)] if counted else [("probabilities", _probabilities)]),
        ("links", _links),
        ("guard", _guard),
        ("classes", _classes),
        ("header", _header),
    ]
    for name, check in checks:
        try:
            with np.errstate(all="ignore"):
                found += check(file)
        except (MarkovError, IndexError, ValueError, AssertionError, OverflowError, MemoryError) as error:
            found.append(f"{name}: cannot be checked: {error}")
    if not found:
        at = framing_differs(file)
        if at is not None:
            found.append(f"byte {at:,} of the file, between its arrays, is not what markov writes")
    return found


def _checksums(file: ModelFile) -> list[str]:
    out = []
    for m in file.members.values():
        crc = 0
        for begin in range(m.begin, m.begin + m.size, _SLICE):
            crc = zlib.crc32(file.buffer[begin : min(begin + _SLICE, m.begin + m.size)], crc)
        if crc != m.crc:
            out.append(f"{m.name}: checksum {crc:08x}, the file says {m.crc:08x}")
    return out


def _slices(n: int) -> Iterator[tuple[int, int]]:
    for low in range(0, n, _SLICE):
        yield low, min(low + _SLICE, n)


def _vocabulary(file: ModelFile) -> Iterator[str]:
    offsets = file.types.start.astype(np.int64)
    if (np.diff(offsets) < 0).any():
        yield "vocab_offsets: not rising"
    elif int(offsets[N_MARKERS]) != 0:
        yield "vocab_offsets: a marker has bytes"
    elif (np.diff(offsets)[N_MARKERS:] == 0).any():
        yield "vocab_offsets: a type without bytes"
    else:
        yield from _types(file, offsets)
    if len(file.types.flags) and (file.types.flags > 3).any():
        yield "vocab_flags: a flag above 3"


def _types(file: ModelFile, offsets: np.ndarray) -> Iterator[str]:
    start, length = offsets[N_MARKERS:-1], np.diff(offsets)[N_MARKERS:]
    flags = file.types.flags[N_MARKERS:] if len(file.types.flags) else np.zeros(len(start), np.uint8)
    types = Types(file.types.blob, start, length, flags)
    order = order_of_types(types, np.zeros(len(types), np.int64))
    alike = starts_new(length[order], flags[order])
    for i in np.flatnonzero(~alike).tolist():
        if types.bytes_of(int(order[i])) == types.bytes_of(int(order[i - 1])):
            yield f"vocab_bytes: types {order[i - 1] + N_MARKERS:,} and {order[i] + N_MARKERS:,} are the same"
            return
    kind = file.header.options.tokenizer
    if kind in UNSPACED:
        lead = types.blob[start]
        one = np.ones(len(start), np.int64)
        if kind == "chars":
            one += (lead >= 0xC0).astype(np.int64) + (lead >= 0xE0) + (lead >= 0xF0)
        if (length != one).any() or (kind == "chars" and not _is_utf8(types.blob)):
            yield f"vocab_offsets: a type of a model of {kind} that is not one"
    table = file.table
    if file.header.holds == "probabilities":
        by = table.orders[0].log10
        assert by is not None
        value = by[N_MARKERS:]
    else:
        value = table.orders[0].count.slice(N_MARKERS, table.n_ids)
    if file.header.holds == "probabilities" and file.header.tokens:
        return  # pruned by entropy: in the order of the counts that are gone
    tied = np.flatnonzero(value[1:] == value[:-1])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    if (place[tied + 1] < place[tied]).any():
        yield "vocab_bytes: types of equal counts not by their bytes"


def _is_utf8(blob: np.ndarray) -> bool:
    try:
        blob.tobytes().decode()
    except UnicodeDecodeError:
        return False
    return True


def _named(table: Table) -> Iterator[tuple[str, Counts]]:
    for k, order in enumerate(table.orders, 1):
        yield f"count_{k}", order.count
        if order.left is not None:
            yield f"left_{k}", order.left
        if order.left_total is not None:
            yield f"left_total_{k}", order.left_total
        if order.total is not None:
            yield f"total_{k}", order.total


def _counts(file: ModelFile) -> Iterator[str]:
    for name, counts in _named(file.table):
        if not counts.whole:
            yield from _reals(name, counts)
            continue
        aside = np.flatnonzero(counts.small == 255)
        if len(aside) != len(counts.big_row) or (aside != counts.big_row).any():
            yield f"{name}_big_row: not the rows that are marked"
            continue
        if (counts.big < 255).any():
            yield f"{name}_big: a count below 255"
        for part, limit in ((counts.big, int(counts.big.max(initial=0))), (counts.sums, counts.total)):
            if part.dtype != smallest(limit):
                which = "big" if part is counts.big else "sums"
                yield f"{name}_{which}: of {part.dtype}, where {smallest(limit)} would do"
        running = 0
        for low, high in _slices(len(counts)):
            spans = np.add.reduceat(counts.slice(low, high), np.arange(0, high - low, SPAN))
            total = running + np.cumsum(spans)
            if (counts.sums[low // SPAN + 1 : low // SPAN + 1 + len(spans)] != total).any():
                yield f"{name}_sums: not the sums of the counts"
                break
            running = int(total[-1])
        if int(counts.sums[0]) != 0:
            yield f"{name}_sums: does not begin with 0"


def _reals(name: str, counts: Counts) -> Iterator[str]:
    values = counts.slice(0, len(counts))
    if not np.isfinite(values).all() or (values < 0).any():
        yield f"{name}: a count that is negative or no number"
    elif float(values.max(initial=0)) >= 2.0**ROOM or np.fmod(np.ldexp(values, DIGITS), 1).any():
        yield f"{name}: a count that is no multiple of 2**-{DIGITS} below 2**{ROOM}"
    elif (Reals.pack(values).sums != counts.sums).any():
        yield f"{name}_sums: not the sums of the counts"


def _rows(file: ModelFile) -> Iterator[str]:
    table, counted = file.table, file.header.holds != "probabilities"
    for k in range(2, table.order + 1):
        first, token = table.orders[k - 2].first, table.orders[k - 1].token
        assert first is not None and token is not None
        edge = first.astype(np.int64)
        if edge[0] != 0 or edge[-1] != len(token) or (np.diff(edge) < 0).any():
            yield f"first_{k - 1}: not rising from 0 to {len(token):,}"
            continue
        if len(token) and int(token.max()) >= table.n_ids:
            yield f"token_{k}: an id above {table.n_ids - 1:,}"
            continue
        if counted and (token == BOS).any():  # a file of probabilities may list anything
            yield f"token_{k}: <s> inside an n-gram"
        inside = np.ones(len(token), bool)
        inside[edge[:-1][edge[:-1] < len(token)]] = False
        if (token[1:][inside[1:]] <= token[:-1][inside[1:]]).any():
            yield f"token_{k}: followers of a history not in order"
        if not counted:
            continue
        ends = table.tokens(k - 1, np.arange(len(edge) - 1)) == EOS
        if np.diff(edge)[ends].any():
            yield f"first_{k - 1}: something follows </s>"
        if (table.orders[k - 1].count.small == 0).any():
            yield f"count_{k}: an n-gram that was never seen"


def _sums(file: ModelFile) -> Iterator[str]:
    table, header = file.table, file.header
    one = table.orders[0].count.slice(0, table.n_ids)
    if not table.orders[0].count.whole:
        if one[BOS] != one[EOS]:
            yield "count_1: more <s> than </s>, or fewer"
    elif not header.borders and (int(one[BOS]) or int(one[EOS])):
        yield "count_1: <s> or </s>, in a model without borders"
    elif header.borders and (int(one[BOS]) != header.sequences or int(one[EOS]) != header.sequences):
        yield f"count_1: not {header.sequences:,} sequences"
    elif header.cap_per_sequence:
        if int(one.max()) > header.sequences:
            yield f"count_1: a type in more than {header.sequences:,} sequences"
    elif table.empty is not None:
        yield from _empty(table, header.tokens + header.sequences * header.borders, int(one.sum()) - int(one[BOS]))
    elif int(one.sum()) - int(one[BOS]) - int(one[EOS]) != header.tokens:
        yield f"count_1: sums to {int(one.sum()) - int(one[BOS]) - int(one[EOS]):,}, not {header.tokens:,} tokens"
    if (one[N_MARKERS:] < (header.min_type_count if table.orders[0].count.whole else 0)).any() or (
        np.diff(one[N_MARKERS:]) > 0
    ).any():
        yield "count_1: types not by falling count"
    if not header.maps_types and int(one[UNK]):
        yield "count_1: <unk> was seen, and no type was left out"
    for k in range(1, table.order):
        first = table.orders[k - 1].first
        assert first is not None
        for low, high in _slices(len(first) - 1):
            edge = first[low : high + 1].astype(np.int64)
            total = np.diff(table.orders[k].count.sum_before(edge))
            whole = table.total(k, np.arange(low, high))
            if (total > whole if table.pruned else total != whole).any():
                yield f"count_{k + 1}: followers do not sum to their history's count"
                break
    if table.pruned:
        yield from _pruned(table)


def _empty(table: Table, tokens: int, kept: int) -> Iterator[str]:
    """Sums before types were dropped."""
    total, left = table.empty or (0, 0)
    if total != tokens or kept > total:
        yield f"header: total_0 is {total:,}, not {tokens:,}, or below the sum of count_1"
    below = table.orders[0].left
    if left < (0 if below is None else below.total):
        yield "header: left_total_0 is below the sum of left_1"


def _pruned(table: Table) -> Iterator[str]:
    """Sums of a pruned table: none exceeds its sum before pruning, and dropped n-grams were counted."""
    opened = table.opened_by_bos()
    for k, order in enumerate(table.orders, 1):
        adjusted = order.count.slice(0, len(order))
        if order.left is not None:
            left = order.left.slice(0, len(order))
            low, high = opened[k - 1]
            opens = (np.arange(len(order)) >= low) & (np.arange(len(order)) < high)
            weighted = not order.count.whole  # one seen twice may count for less
            if (
                (not weighted and not table.capped and (left > adjusted).any())
                or (left[opens] > 0).any()
                or (table.borders and (left[~opens & (adjusted > 0)] == 0).any())
            ):
                yield f"left_{k}: not a number of left neighbours"
            adjusted = np.where(opens, adjusted, left)
        if k == 1:
            adjusted[BOS] = 0
        if order.left_total is not None and k < len(table.orders):
            above, first = table.orders[k].left, order.first
            assert above is not None and first is not None
            kept = np.diff(above.sum_before(first.astype(np.int64)))
            if (order.left_total.slice(0, len(order)) < kept).any():
                yield f"left_total_{k}: below the sum of what was kept"
        if len(table.counts_of_counts) >= k and order.count.whole:
            n = np.bincount(np.minimum(adjusted, 5), minlength=6)[1:5]
            if (table.counts_of_counts[k - 1][1:] < n).any() or table.counts_of_counts[k - 1][0]:
                yield f"counts_of_counts: fewer n-grams of order {k} than there are"


def _probabilities(file: ModelFile) -> Iterator[str]:
    table = file.table
    for k, order in enumerate(table.orders, 1):
        if order.log10 is None:  # no n-gram is so long
            continue
        log10 = order.log10
        if not np.isfinite(log10).all():
            yield f"log10_{k}: not a number"
            continue
        above = np.flatnonzero(log10 > 0)
        above = above[_not_put_in(table, k, above)] if k > 1 else above[above != BOS]
        if len(above):
            yield f"log10_{k}: a probability above 1"
        if order.backoff is not None and not np.isfinite(order.backoff).all():
            yield f"backoff_{k}: not a number"
        elif order.backoff is not None and (order.backoff > LARGEST_BACKOFF).any():
            yield f"backoff_{k}: a backoff weight above 1e{LARGEST_BACKOFF}"
    types = table.orders[0].log10
    if types is not None and not (types[EOS:] > STANDS_FOR_NONE).any():
        yield "log10_1: no type has a probability"
    if types is not None and not file.header.tokens and (np.diff(types[N_MARKERS:]) > 0).any():
        yield "log10_1: types not by falling probability"


def _not_put_in(table: Table, k: int, row: np.ndarray) -> np.ndarray:
    """Rows of order k above backoff(h) p(w | h'), which no reader adds for a missing suffix: bool (m,)."""
    if not len(row):
        return np.zeros(0, bool)
    below = table.orders[k - 2]
    assert below.backoff is not None and below.log10 is not None
    history = table.history_of(k, row)
    token = table.tokens(k, row)
    suffix = token if k == 2 else table.child(k - 2, table.shorter(k - 1, history), token)
    column = table.orders[k - 1].log10
    assert column is not None
    return (suffix < 0) | (column[row] != below.backoff[history] + below.log10[suffix])


def _links(file: ModelFile) -> Iterator[str]:
    table = file.table
    for k in range(2, table.order + 1):
        below = table.orders[k - 2]
        assert below.first is not None
        n: np.ndarray = np.diff(below.first.astype(np.int64))
        suffix_of_parent = np.arange(0) if k == 2 else table.shorter(k - 1, np.arange(len(below)))
        token = table.tokens(k, np.arange(len(table.orders[k - 1])))
        suffix = token if k == 2 else table.child(k - 2, np.repeat(suffix_of_parent, n), token)
        # pruning by entropy leaves some of the longest n-grams without their ends, which nothing looks up
        if (suffix < 0).any() and (k < table.order or file.header.holds != "probabilities"):
            yield f"token_{k}: an n-gram whose end is not in the table"
            continue
        if 2 < k < table.order and (suffix != table.shorter(k, np.arange(len(suffix)))).any():
            yield f"link_{k}: not the n-gram without its first token"
        if below.left is not None and not table.pruned:
            left = np.bincount(suffix, minlength=len(below))
            if (left != below.left.slice(0, len(below))).any():
                yield f"left_{k - 1}: not the number of distinct left neighbours"


def _classes(file: ModelFile) -> Iterator[str]:
    for k, class_of in enumerate(file.table.classes, 1):
        if not are_classes(class_of):
            yield f"class_{k}: classes that are not numbered as they must be"


def _guard(file: ModelFile) -> Iterator[str]:
    guard = file.table.guard
    if guard is None:
        return
    if guard.tokens <= file.header.order:
        yield f"guard: of runs of {guard.tokens} tokens, in a model of order {file.header.order}"
    values = guard.values()  # says so where there are more hashes, or fewer
    if (values[1:] <= values[:-1]).any() or (len(values) and int(values[-1]) >> guard.bits):
        yield "guard_low: hashes not in order"
        return
    again = Guard.of(guard.tokens, values, guard.bits)
    for name in ("low", "high", "first"):
        if not np.array_equal(getattr(again, name), getattr(guard, name)):
            yield f"guard_{name}: not what its hashes give"


def _header(file: ModelFile) -> Iterator[str]:
    header = file.header
    if header.types + N_MARKERS != file.table.n_ids:
        yield "header: another number of types"
    if header.holds == "probabilities":
        of_text = bool(header.tokens), bool(header.sequences)
        if len(set(of_text)) > 1 or header.prune or header.counts_of_counts or header.cut_below:
            yield "header: figures of a text, in a model of probabilities"
        return
    if header.pruned != bool(header.counts_of_counts):
        yield "header: counts of counts belong to pruned models"
