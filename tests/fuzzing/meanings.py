"""Files whose header and arrays agree with each other, and lie together: orders, rows, lengths, totals, dtypes."""

import numpy as np

from markov_cli.model.count_column import Counts, smallest
from markov_cli.model.weighted_counts import Reals

from .bases import written

_NUMBERS = (0, 1, 2, 3, 255, 256, 1000, 2**16, 2**20, 2**31, 2**32, 2**53, 2**61, 2**62 - 1)
_ORDERS = (1, 2, 3, 4, 6, 12, 60, 300, 5000, 2**16, 2**20 - 1, 2**20)


def _names(arrays, k):
    """The arrays of one order."""
    return [n for n in arrays if n.endswith(f"_{k}") or f"_{k}_" in n]


def _columns(arrays):
    """The columns of counts: names without what belongs to them."""
    return [n.removesuffix("_sums") for n in arrays if n.endswith("_sums")]


def _values(arrays, name):
    """A column of counts as numbers, whatever it holds."""
    small = arrays[name]
    if small.dtype.kind == "f":
        return small.copy()
    values, at = small.astype(np.int64), arrays.get(f"{name}_big_row", np.empty(0, "u1")).astype(np.int64)
    big = arrays.get(f"{name}_big", np.empty(0, "u1"))[: len(at)]
    inside = (at[: len(big)] >= 0) & (at[: len(big)] < len(values))
    values[at[: len(big)][inside]] = big[inside].astype(np.int64)
    return values


def _put(arrays, name, values):
    """A column of counts with sums that are right for them."""
    if values.dtype.kind == "f":
        most = np.finfo(np.float64).max / 2 / max(len(values), 1)  # no column is packed without a finite sum
        packed = Reals.pack(np.clip(np.nan_to_num(values), -most, most))
        arrays[name], arrays[f"{name}_sums"] = packed.small, packed.sums
        return
    packed = Counts.pack(np.clip(values, 0, 2**62 // max(len(values), 1)))
    arrays[name], arrays[f"{name}_sums"] = packed.small, packed.sums
    arrays[f"{name}_big_row"], arrays[f"{name}_big"] = packed.big_row, packed.big


def order(arrays, head, rng, bases):
    """Another order, and the arrays that such a model has."""
    old = head["order"]
    new = rng.choice((*_ORDERS, old + 1, max(old - 1, 1)))
    head["order"] = new
    for k in range(new + 1, old + 1):
        for name in _names(arrays, k):
            arrays.pop(name, None)
    if new < old and rng.random() < 0.8:
        for name in [
            n for n in _names(arrays, new) if n.split("_")[0] in ("first", "left", "link", "backoff", "total")
        ]:
            del arrays[name]
    elif new > old and rng.random() < 0.8 and f"count_{old}" in arrays:
        n = len(arrays[f"count_{old}"])
        arrays[f"first_{old}"] = np.zeros(n + 1, "u1")
        _put(arrays, f"left_{old}", np.ones(n, np.int64))
        if old > 2:
            arrays[f"link_{old}"] = np.zeros(n, smallest(max(len(arrays[f"count_{old - 1}"]) - 1, 0)))
    head["counts_of_counts"] = head["counts_of_counts"][:new] if isinstance(head["counts_of_counts"], list) else []


def types(arrays, head, rng, bases):
    """Another number of types, and columns of order 1 that are so long."""
    old = head["types"]
    new = max(old + rng.choice((-old, -1, 1, 2, 100, old, 5000)), 0)
    head["types"] = new
    for name in [n for n in _names(arrays, 1) if n in _columns(arrays)]:
        _put(arrays, name, np.resize(_values(arrays, name), new + 3))
    for name in ("first_1", "vocab_offsets"):
        if name in arrays:
            a = arrays[name]
            arrays[name] = np.append(np.resize(a[:-1], new + 3), a[-1:]).astype(a.dtype)
    for name in ("vocab_flags", "log10_1", "backoff_1"):
        if name in arrays:
            arrays[name] = np.resize(arrays[name], new + 3)
    if "token_2" in arrays and rng.random() < 0.8:
        arrays["token_2"] = arrays["token_2"].astype(smallest(new + 2))


def rows(arrays, head, rng, bases):
    """Another number of rows of one order, and all its columns so long."""
    k = rng.randrange(1, head["order"] + 1) if head["order"] < 100 else 2
    if f"token_{k}" not in arrays:
        return entries_of_sums(arrays, head, rng, bases)
    n = len(arrays[f"token_{k}"])
    new = max(n + rng.choice((-n, -1, 1, 15, 16, 17, n)), 0)
    for name in [c for c in _columns(arrays) if c.endswith(f"_{k}")]:
        _put(arrays, name, np.resize(_values(arrays, name), new))
    for name in (f"token_{k}", f"link_{k}", f"log10_{k}", f"backoff_{k}"):
        if name in arrays:
            arrays[name] = np.resize(arrays[name], new)
    if f"first_{k}" in arrays:
        arrays[f"first_{k}"] = np.resize(arrays[f"first_{k}"], new + 1)
    if f"first_{k - 1}" in arrays:
        a = arrays[f"first_{k - 1}"].astype(smallest(new))
        a[-1:] = new
        arrays[f"first_{k - 1}"] = a
    if f"link_{k + 1}" in arrays:
        arrays[f"link_{k + 1}"] = arrays[f"link_{k + 1}"].astype(smallest(max(new - 1, 0)))


def entries_of_sums(arrays, head, rng, bases):
    """Running sums that are those of other counts."""
    names = [n for n in arrays if n.endswith("_sums") and len(arrays[n])]
    if not names:
        return
    name = rng.choice(names)
    a = arrays[name].astype("<f8" if arrays[name].dtype.kind == "f" else "<u8")
    number = rng.choice(_NUMBERS)
    way = rng.randrange(4)
    if way == 0:
        a[-1] = number
    elif way == 1:
        a[:-1] = number
    elif way == 2:
        a += np.asarray(number, a.dtype)
    else:
        a[rng.randrange(len(a)) :] = number
    arrays[name] = a


def followers(arrays, head, rng, bases):
    """Histories whose followers overlap, run backwards, or are all rows."""
    names = [n for n in arrays if n.startswith("first_") and len(arrays[n]) > 2]
    for name in rng.sample(names, min(len(names), rng.choice((1, 1, len(names) or 1)))):
        a = arrays[name].copy()
        last = a[-1]
        way = rng.randrange(5)
        if way == 0:
            a[::2], a[1::2] = 0, last
        elif way == 1:
            a[:] = np.sort(a)[::-1]
        elif way == 2:
            a[1:] = last
        elif way == 3:
            a[:-1] = 0
        else:
            i = rng.randrange(len(a))
            a[i : i + rng.choice((1, 2, 20))] = rng.choice((0, int(last)))
        if rng.random() < 0.7:
            a[0], a[-1] = 0, last
        arrays[name] = a


def holds(arrays, head, rng, bases):
    """Counts said to be weighted, or probabilities; probabilities said to be counts."""
    kind = rng.choice(("counts", "weighted counts", "probabilities"))
    head["holds"] = kind
    top = min(head["order"], 100)
    for k in range(1, top + 1):
        length = max((len(arrays[n]) for n in (f"count_{k}", f"log10_{k}") if n in arrays), default=0)
        if not length or rng.random() < 0.05:
            continue
        if kind == "probabilities":
            for name in [n for n in _names(arrays, k) if n.split("_")[0] in ("count", "left", "total")]:
                del arrays[name]
            number = rng.choice((0.0, -0.3, -99.0, 5.0, -1e30, 300.0))
            arrays[f"log10_{k}"] = np.full(length, number, "<f4")
            if k < top:
                arrays[f"backoff_{k}"] = np.full(length, rng.choice((0.0, -0.3, 3.0, 300.0, 3e38)), "<f4")
        else:
            for name in [n for n in _names(arrays, k) if n.split("_")[0] in ("log10", "backoff")]:
                del arrays[name]
            for name in ("count", "left") if k < top else ("count",):
                values = _values(arrays, f"{name}_{k}") if f"{name}_{k}" in arrays else np.ones(length, np.int64)
                if kind == "weighted counts" and name == "count":
                    for part in ("big", "big_row"):
                        arrays.pop(f"{name}_{k}_{part}", None)
                    with np.errstate(over="ignore"):
                        values = values * rng.choice((1.0, 0.5, 1e-300, 1e300, 2.0**53))
                else:
                    values = values.astype(np.int64)
                _put(arrays, f"{name}_{k}", values)


def totals(arrays, head, rng, bases):
    """Tokens, sequences and bytes of another text, with the types' counts for it or without."""
    for name in rng.sample(("tokens", "sequences", "corpus_bytes"), rng.choice((1, 2, 3))):
        head[name] = rng.choice(_NUMBERS)
    if "count_1" in arrays and rng.random() < 0.6:
        values = _values(arrays, "count_1")
        values[rng.randrange(min(len(values), 4) or 1) if len(values) else 0 :][:1] = rng.choice(_NUMBERS[:11])
        _put(arrays, "count_1", values)


def thresholds(arrays, head, rng, bases):
    """Thresholds and protections that the text never had, with the columns that they bring."""
    for name in rng.sample(("min_type_count", "max_types", "min_sequences", "min_files"), 2):
        head[name] = rng.choice(_NUMBERS[1:])
    if rng.random() < 0.5:
        head["prune"] = rng.choice(([0, 0, 1], [0, 2**61], [5], [1] * 5000, [0] * 5000 + [1], []))
        n = min(head["order"], 100)
        rows_ = rng.choice(([0, 9, 3, 2, 1], [0, 1, 1, 1, 1], [0] * 5, [0, 2**61, 2**61, 2**61, 2**61], [2**61] * 5))
        head["counts_of_counts"] = [list(rows_) for _ in range(rng.choice((0, 1, n, n)))]
    made = {"left_total": rng.random() < 0.5, "total": rng.random() < 0.3}
    if made["total"]:
        head["cap_per_sequence"] = rng.choice((1, 1, 2, 2**61))
    for kind, wanted in made.items():
        for k in range(1, min(head["order"], 100)):
            if wanted and f"count_{k}" in arrays and rng.random() < 0.9:
                values = np.full(len(arrays[f"count_{k}"]), rng.choice(_NUMBERS[:9]), np.int64)
                _put(arrays, f"{kind}_{k}", values)


def long_types(arrays, head, rng, bases):
    """Types of very many bytes; or all of them nearly the whole vocabulary.

    No more than a list of all n-grams can hold in some seconds: that is what `export` writes.
    """
    if "vocab_offsets" not in arrays or len(arrays["vocab_offsets"]) < 6:
        return
    listed = sum(k * len(arrays.get(f"token_{k}", ())) for k in range(2, 61)) + len(arrays["vocab_offsets"])
    blob, at = arrays["vocab_bytes"], arrays["vocab_offsets"].astype(np.int64)
    if rng.random() < 0.5:
        i, size = rng.randrange(3, len(at) - 1), min(rng.choice((300, 5000, 70_000, 300_000)), 3 * 10**8 // listed)
        place = min(max(int(at[i]), 0), len(blob))
        blob = np.insert(blob, place, np.full(size, rng.choice((97, 32, 0xC3, 0x80)), np.uint8))
        at[i + 1 :] += size
    else:
        size = min(rng.choice((0, 3000, 100_000)), 10**8 // listed)
        blob = np.append(blob, np.full(size, 97, np.uint8))
        at[3::2], at[4::2] = 0, len(blob)
        at[0], at[-1] = 0, len(blob)
    arrays["vocab_bytes"], arrays["vocab_offsets"] = blob, at.astype(smallest(len(blob)))


def guard(arrays, head, rng, bases):
    """A guard of other numbers, with columns of the lengths that these want."""
    tokens, bits = rng.choice((1, 2, 4, 5, 60, 2**20, 2**40)), rng.choice((0, 1, 5, 8, 12, 20, 48, 62, 63))
    n = rng.choice((0, 1, 5, 100, 3000, 1 << min(bits, 16), 2**40))
    arrays["guard"] = np.array([tokens, bits, n], "<u8")
    low = max(bits - n.bit_length(), 0)
    buckets = 1 << max(bits - low, 0)
    words = -(-n * low // 64), -(-(n + buckets) // 64), -(-buckets // 128)
    sizes = [min(w, 20_000) for w in words]
    fill = rng.choice((lambda m: bytes(8 * m), lambda m: b"\xff" * 8 * m, lambda m: rng.randbytes(8 * m)))
    arrays["guard_low"] = np.frombuffer(fill(sizes[0]), "<u8")
    arrays["guard_high"] = np.frombuffer(fill(sizes[1]), "<u8")
    arrays["guard_first"] = np.full(sizes[2], rng.choice((0, min(n, 255), 255)), "u1").astype(smallest(min(n, 2**40)))


def dtypes(arrays, head, rng, bases):
    """Every column as wide as can be, or as narrow, whatever it holds."""
    names = rng.sample([*arrays], rng.choice((1, 2, len(arrays))))
    dtype = rng.choice(("|u1", "<u2", "<u4", "<u8", "<f4", "<f8"))
    with np.errstate(all="ignore"):
        for name in names:
            arrays[name] = arrays[name].astype(dtype)


WAYS = (
    order, order, types, rows, entries_of_sums, followers, followers,
    holds, totals, thresholds, long_types, guard, dtypes,
)  # fmt: skip


def change(arrays, head, rng, bases):
    """Change arrays and header in one way; its name."""
    way = rng.choice(WAYS)
    way(arrays, head, rng, bases)
    return way.__name__


def mutate(base, rng, bases):
    """(what was done, the bytes)."""
    arrays, head = dict(base.arrays), dict(base.head)
    return change(arrays, head, rng, bases), written(head, arrays)
