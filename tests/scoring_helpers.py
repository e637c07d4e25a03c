"""Score small texts in blocks and batches of any size, for the tests of scoring."""

from unittest import mock

import engine
from markov_cli.api.train import model_of
from markov_cli.scoring.text_totals import Reading, units_of
from markov_cli.scoring.totals import Totals
from markov_cli.text import encoding_threads
from markov_cli.text.reading import Source

UNK, BOS, EOS = 0, 1, 2


def source(text):
    return Source("text", data=text.encode() if isinstance(text, str) else text)


def model(text, **options):
    return model_of(engine.model_of(text, **options))


def read(judge, text, jobs=1, stream_codes=None, block_bytes=1 << 20, keep_text=False):
    """Score one text; returns totals, units and tokens."""
    with mock.patch.object(encoding_threads, "block_bytes_for", lambda encoders: block_bytes):
        one = Reading(judge, [source(text)], jobs=jobs, stream_codes=stream_codes, keep_text=keep_text)
        scored = list(one.scored())
    out = Totals()
    for s in scored:
        out.add(s.totals())
    out.text_bytes, out.empty_sequences = one.text_bytes, one.empty_sequences
    return out, list(units_of(scored)), [s.tokens() for s in scored]
