"""The program's own tokens, tables and files as plain Python values, to compare with the oracle."""

import io
from collections import Counter
from itertools import chain

import numpy as np

from markov_cli.text.encoder import Encoder, TextOptions
from markov_cli.text.reading import Repairs, Source, blocks
from markov_cli.text.types import BOS, UNKNOWN, UNKNOWN_CHAR
from markov_cli.training.in_memory import train_sources
from markov_cli.training.options import TrainOptions

PATTERN = r"\w+|[^\w\s]"


def sequences(text, tokenizer="words", unit="sentence", block_bytes=1 << 20, **more):
    """[[(token, flags)]] of a text (str or bytes, or sources), read in blocks, without empty sequences."""
    data = text.encode() if isinstance(text, str) else text
    sources = data if isinstance(data, list) else [Source("text", data=data)]
    if tokenizer == "regex":
        more.setdefault("pattern", PATTERN)
    encoder, out = Encoder(TextOptions(tokenizer, unit, **more)), [[]]
    keep = tokenizer == "bytes"
    for block in chain.from_iterable(
        blocks(s, keep_bytes=keep, block_bytes=block_bytes, repairs=Repairs()) for s in sources
    ):
        block.markers = sources[0].markers
        piece = encoder.encode(block)
        numbers, begin = piece.number.tolist(), 0
        for end in piece.end.tolist():
            out[-1] += numbers[begin:end]
            out.append([])
            begin = end
        out[-1] += numbers[begin:]
    if tokenizer == "chars":  # a number is a code point here, so no list of a million types is needed
        name = {n: (b"", UNKNOWN) if n == UNKNOWN_CHAR else (chr(n).encode(), 0) for s in out for n in s}
    else:
        t = encoder.types(np.arange(encoder.n_numbers()))
        name = {
            n: (t.blob[s : s + size].tobytes(), int(f))
            for n, (s, size, f) in enumerate(zip(t.start, t.length, t.flags, strict=True))
        }
    return [[name[n] for n in s] for s in out if s]


def model_of(text, order=3, tokenizer="words", unit="sentence", lowercase=False, pattern=None, **more):
    """Train on one text or a list of texts, given as str or bytes."""
    texts = [text] if isinstance(text, (str, bytes)) else text
    sources = [Source(f"text {i}", data=t.encode() if isinstance(t, str) else t) for i, t in enumerate(texts)]
    if tokenizer == "regex":
        pattern = pattern or PATTERN
    options = TrainOptions(order=order, text=TextOptions(tokenizer, unit, lowercase, pattern), **more)
    return train_sources(sources, options)


def types_of(trained):
    """[(token, flags)] in the order of the ids."""
    t = trained.types
    return [(t.blob[s : s + n].tobytes(), int(f)) for s, n, f in zip(t.start, t.length, t.flags, strict=True)]


def rows_of(table):
    """[k - 1]: {k-gram: count}, read from the arrays of a table."""
    out = []
    grams = [(i,) for i in range(table.n_ids)]
    for k, order in enumerate(table.orders, 1):
        if k > 1:
            first = table.orders[k - 2].first.tolist()
            token = order.token.tolist()
            grams = [(*g, t) for g, a, b in zip(grams, first, first[1:], strict=False) for t in token[a:b]]
        out.append(dict(zip(grams, order.count.slice(0, len(order)).tolist(), strict=True)))
    return out


def saved(trained):
    """The bytes of the model's file."""
    from markov_cli.model import model_file

    data = io.BytesIO()
    model_file.save(data, trained.header, trained.types, trained.table)
    return data.getvalue()


def id_counts(streams, n_ids):
    seen = Counter(i for s in streams for i in s)
    return np.array([seen[i] for i in range(n_ids)], np.int64)


def stream_of(streams, pad):
    """Sequences of ids, each [BOS, ..., EOS], as the stream that counting reads: EOS first, no BOS, padded."""
    flat = [2]
    for s in streams:
        assert s[0] == BOS
        flat += s[1:]
    return np.array(flat + [0] * pad, np.uint32), len(flat)


__all__ = ["id_counts", "model_of", "rows_of", "saved", "sequences", "stream_of", "types_of"]
