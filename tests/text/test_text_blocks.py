"""Texts that are joined in blocks give what they give one by one."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import examples
from markov_cli.text.encoder import Encoder, TextOptions
from markov_cli.text.marker_stream import Streams
from markov_cli.text.segmentation import UNITS
from markov_cli.text.sequences import Collector, TypeChoice, finish
from markov_cli.text.text_blocks import Block, joined, joined_blocks, padded
from markov_cli.text.tokenizer import TOKENIZERS
from markov_cli.text.types import N_MARKERS

PARTS = [b"a", b"B", b"Mr", b"J", b".", b"!", b'"', b")", b"'", b",", b"1", b" ", b"\n", b"\n\n", b"\r", b"\t", b"\0",
         "é".encode(), "é".encode(), "\u0301".encode(), "ΑΣ".encode(), "İ".encode(), "。".encode(), "”".encode(),
         "日".encode(), "\u3000".encode(), "\u200d".encode(), "🇩".encode(), "👩".encode(), b"\xff", b"\xe4\xb8",
         b"\xf0\x9f"]  # fmt: skip
texts = st.lists(st.lists(st.sampled_from(PARTS), max_size=8).map(b"".join), min_size=1, max_size=6)


def alone(text, i):
    return Block(padded(text), len(text), True, True, 0, (i,))


def read(options, blocks):
    """All that a command can know of a text: sequences, their bytes, counts, repairs, files, places of tokens."""
    encoder = Encoder(options, keep_text=True)
    collector, streams = Collector(options.unit), Streams(2, options.unit)
    pieces = [encoder.encode(block) for block in blocks]
    found = [(s.codes.tolist(), s.texts) for s in streams.of(pieces)]
    codes = [_type(encoder, c) for some, _ in found for c in some]
    tokens = [
        (int(np.searchsorted(p.cut.seams, at, "right")) + p.which[0], p.cut.data[at : at + n])
        for p in pieces
        for at, n in zip(p.cut.start.tolist(), p.cut.length.tolist(), strict=True)
        if at >= 0
    ]
    for piece in pieces:
        collector.add(piece)
    ends = [
        e for p, n in zip(collector.pieces, _before(collector.pieces), strict=True) for e in (p.text_ends + n).tolist()
    ]
    corpus = finish(collector, encoder, TypeChoice(1), 2)
    return {
        "codes": codes,
        "texts": [t for _, some in found for t in some],
        "tokens": tokens,
        "ids": corpus.stream.tolist(),
        "types": [
            corpus.types.blob[s : s + n].tobytes() for s, n in zip(corpus.types.start, corpus.types.length, strict=True)
        ],
        "file_ends": collector.file_ends,
        "text_ends": sorted({*ends} - {0}),
        "longest": collector.longest,
        "empty": (collector.empty_sequences, streams.empty_sequences),
        "repairs": vars(encoder.repairs) | {"invalid_text": ""},  # a sample, of neighbours too
        "bytes": encoder.text_bytes,
    }


def _type(encoder, code):
    """A code without its provisional number, which depends on how a text is cut."""
    if code < N_MARKERS:
        return code
    return encoder.types(np.array([code - N_MARKERS])).bytes_of(0)


def _before(pieces):
    return np.cumsum([0, *(len(p.number) for p in pieces)])[:-1].tolist()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(given=texts, lowercase=st.booleans(), pattern=st.sampled_from([None, r"\w+|\s", "."]))
@example([b"", b"", b""], False, None)
@example([b"a\r", b"\nb", b"\n", b" "], False, "(?s).")
@example(["日。".encode(), b"b", "ΑΣ".encode(), b"a"], True, None)
@examples(60)
def test_joined_texts_give_what_they_give_one_by_one(tokenizer, unit, given, lowercase, pattern):
    options = TextOptions.of(tokenizer, unit, lowercase, pattern if tokenizer == "regex" else None)
    together = read(options, [joined(given, range(len(given)))])
    one_by_one = read(options, map(alone, given, range(len(given))))
    if lowercase and any("İ".encode() in text for text in given):  # lower case of another length: a whole block is
        del together["texts"], together["tokens"], one_by_one["texts"], one_by_one["tokens"]  # then shown lowered
    assert together == one_by_one


@given(texts, st.integers(1, 30))
def test_blocks_of_any_size_hold_all_texts_in_order(given, size):
    blocks = [*joined_blocks(((text, i, len(text)) for i, text in enumerate(given)), size)]
    assert [i for block in blocks for i in block.which] == [*range(len(given))]
    assert sum(block.progress_bytes for block in blocks) == sum(block.text_bytes for block in blocks)
    assert all(len(block.seams) == len(block.which) - 1 for block in blocks)
    for block in blocks:
        edges = [-1, *block.seams.tolist(), block.size]
        parts = [block.data[a + 1 : b].tobytes() for a, b in itertools.pairwise(edges)]
        assert parts == [given[i] for i in block.which]
