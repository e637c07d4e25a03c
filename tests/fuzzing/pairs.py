"""Two lies in one file, of any two kinds."""

from . import contents, flips, meanings, npy_lies, zip_lies
from .archives import archive, entries_of
from .bases import Base, written


def mutate(base, rng, bases):
    """(what was done, the bytes): first what the file says, then often how it is put together."""
    arrays, head = dict(base.arrays), dict(base.head)
    done = [_said(arrays, head, base, rng, bases)]
    if rng.random() < 0.6:
        done.append(_said(arrays, head, base, rng, bases))
        return "+".join(done), written(head, arrays)
    lying = Base(base.name, b"", arrays, head)
    entries = entries_of(lying)
    way = rng.randrange(3)
    if way == 0:
        done.append(npy_lies.spoil(entries, rng, lying))
        return "+".join(done), archive(entries)
    if way == 1:
        name, data = zip_lies.lie(entries, rng, lying)
    else:
        name, data = flips.mutate(Base(base.name, written(head, arrays), arrays, head), rng, bases)
    return "+".join((*done, name)), data


def _said(arrays, head, base, rng, bases):
    way = rng.choice(contents.WAYS)
    try:
        if rng.random() < 0.6:
            return meanings.change(arrays, head, rng, bases)
        way(arrays, base, rng, bases)
    except (KeyError, IndexError, ValueError):  # it needs what the first lie took away
        return "nothing"
    return way.__name__
