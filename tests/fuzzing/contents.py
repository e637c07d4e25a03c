"""Arrays that lie in files that are otherwise well made: every checksum and every name is right."""

import itertools

import numpy as np

from markov_cli.model.count_column import Counts

_TEXTS = (
    b"\x1b[31mred\x1b[0m",
    b"\x1b]0;title\x07",
    b"\xff\xfe",
    b"a\nb",
    b"\r\n",
    b"\0",
    b" ",
    "\u202eabc".encode(),
    b"\xed\xa0\x80",
    b"[/b]",
    b"x" * 3000,
    b"</s>",
    b"<s>",
    b"<unk>",
    b"\xf4\x90\x80\x80",
    b"\x9b31m",
)


def _limit(a):
    return int(np.iinfo(a.dtype).max)


def _number(a, rng, rows):
    """A number for an entry of an array; of all rows, or of most."""
    if a.dtype.kind == "f":
        return rng.choice((np.nan, np.inf, -np.inf, -1.0, 0.0, -0.0, 1.0, 0.3, 1e-300, -99.0, -1e30, 3e38, 1e308, 2.5))
    old = int(rng.choice(a.tolist())) if len(a) else 0
    some = (
        0,
        1,
        2,
        3,
        254,
        255,
        len(a),
        len(a) - 1,
        rows,
        rows + 1,
        rows - 1,
        old,
        old + 1,
        old - 1,
        _limit(a),
        _limit(a) - 1,
        _limit(a) >> 1,
        rng.randrange(256),
        2**31,
        2**32 - 1,
        2**62,
        2**63,
    )
    return min(max(rng.choice(some), 0), _limit(a))


def _pick(arrays, rng):
    names = [n for n, a in arrays.items() if len(a)]
    return rng.choice(names)


def entries(arrays, base, rng, bases):
    name = _pick(arrays, rng)
    a = arrays[name].copy()
    with np.errstate(over="ignore"):
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            a[rng.randrange(len(a))] = _number(a, rng, base.head["types"] + 3)
    arrays[name] = a


def whole_column(arrays, base, rng, bases):
    name = _pick(arrays, rng)
    a = arrays[name]
    with np.errstate(over="ignore"):
        arrays[name] = np.full(len(a), _number(a, rng, base.head["types"] + 3), a.dtype)


def shuffled(arrays, base, rng, bases):
    name = _pick(arrays, rng)
    a = arrays[name]
    order = np.array(rng.sample(range(len(a)), len(a)))
    arrays[name] = rng.choice((a[::-1], np.sort(a), a[order], np.roll(a, 1), np.roll(a, -1))).copy()


def anything(arrays, base, rng, bases):
    name = _pick(arrays, rng)
    a = arrays[name]
    if a.dtype.kind == "f":
        arrays[name] = np.frombuffer(rng.randbytes(a.nbytes), a.dtype)
    else:
        top = rng.choice((3, len(a), 255, _limit(a)))
        arrays[name] = np.array([rng.randrange(min(top, _limit(a)) + 1) for _ in range(len(a))], a.dtype)


def swapped(arrays, base, rng, bases):
    a, b = rng.choice([*arrays]), rng.choice([*arrays])
    arrays[a], arrays[b] = arrays[b], arrays[a]


def another_models(arrays, base, rng, bases):
    other = rng.choice(bases).arrays
    some = [n for n in arrays if n in other]
    for name in rng.sample(some, min(len(some), rng.choice((1, 1, 3)))):
        arrays[name] = other[name]


def wider(arrays, base, rng, bases):
    name = _pick(arrays, rng)
    a = arrays[name]
    if a.dtype.kind == "u":
        arrays[name] = a.astype(rng.choice(("<u2", "<u4", "<u8")))
        if rng.random() < 0.7:
            arrays[name][rng.randrange(len(a))] = min(
                rng.choice((2**63, 2**64 - 1, 2**32, 2**40, 2**62)), _limit(arrays[name])
            )
    else:
        arrays[name] = a.astype(rng.choice(("<f4", "<f8")))


def longer(arrays, base, rng, bases):
    """An array, or all of an order, cut or made longer."""
    name = _pick(arrays, rng)
    same = len(arrays[name])
    n = rng.choice((0, 1, same - 1, same + 1, same * 2, same + 16))
    for each in [n_ for n_, a in arrays.items() if len(a) == same] if rng.random() < 0.5 else [name]:
        arrays[each] = np.resize(arrays[each], n)


def counts_that_fit(arrays, base, rng, bases):
    """Other counts, with sums that are right for them."""
    names = [n for n in arrays if f"{n}_big_row" in arrays and f"{n}_big" in arrays]
    names = [n for n in names if len(arrays[f"{n}_big_row"]) == len(arrays[f"{n}_big"])]
    if not names:
        return entries(arrays, base, rng, bases)
    name = rng.choice(names)
    values = arrays[name].astype(np.int64)
    inside = arrays[f"{name}_big_row"] < len(values)
    values[arrays[f"{name}_big_row"][inside].astype(np.int64)] = arrays[f"{name}_big"][inside]
    for _ in range(rng.choice((1, 2, len(values)))):
        if len(values):
            values[rng.randrange(len(values))] = rng.choice(
                (0, 1, 2, 5, 254, 255, 256, 10**6, 2**31, 2**40, 2**55, 2**61)
            )
    packed = Counts.pack(values)
    arrays[name], arrays[f"{name}_big_row"], arrays[f"{name}_big"] = packed.small, packed.big_row, packed.big
    arrays[f"{name}_sums"] = packed.sums


def overflowing(arrays, base, rng, bases):
    """Counts and sums that pass 2**63 or 2**64 together."""
    for name in [n for n in arrays if n.endswith(("_sums", "_big"))]:
        a = arrays[name]
        if len(a) and a.dtype.kind == "u" and rng.random() < 0.5:
            wide = a.astype("<u8")
            wide[rng.randrange(len(a)) :] = rng.choice((2**63 - 1, 2**63, 2**64 - 1, 2**62))
            arrays[name] = wide


def words(arrays, base, rng, bases):
    """Types that are no words: escapes, no UTF-8, markers' names, twice the same."""
    types = _types(arrays)
    for _ in range(rng.choice((1, 1, 3))):
        i = rng.randrange(3, len(types)) if len(types) > 3 else 0
        types[i] = rng.choice((*_TEXTS, types[rng.randrange(len(types))], b""))
    _put_types(arrays, types)


def _types(arrays):
    blob, at = arrays["vocab_bytes"].tobytes(), arrays["vocab_offsets"].tolist()
    return [blob[int(i) : int(j)] for i, j in itertools.pairwise(at)]


def _put_types(arrays, types):
    arrays["vocab_bytes"] = np.frombuffer(b"".join(types), np.uint8)
    offsets = np.cumsum([0, *map(len, types)])
    top = int(offsets[-1])
    arrays["vocab_offsets"] = offsets.astype("u1" if top < 256 else "<u2" if top < 65536 else "<u4")


def vanishing_order(arrays, base, rng, bases):
    """An order without rows where the others have some."""
    k = rng.randrange(1, base.head["order"] + 1)
    for name in [n for n in arrays if n.endswith(f"_{k}") or f"_{k}_" in n]:
        if rng.random() < 0.5:
            arrays[name] = arrays[name][: rng.choice((0, 1))]
        elif rng.random() < 0.2:
            del arrays[name]


WAYS = (
    entries,
    whole_column,
    shuffled,
    anything,
    swapped,
    another_models,
    wider,
    longer,
    counts_that_fit,
    overflowing,
    words,
    vanishing_order,
)


def mutate(base, rng, bases):
    """(what was done, the bytes)."""
    arrays = dict(base.arrays)
    way = rng.choice((*WAYS, entries, entries, whole_column))
    way(arrays, base, rng, bases)
    if rng.random() < 0.2:
        rng.choice((entries, counts_that_fit))(arrays, base, rng, bases)
    return way.__name__, base.with_arrays(arrays)
