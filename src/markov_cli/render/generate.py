"""Generated texts as bytes: plain, as JSON lines, or token by token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..generation.batches import Batch
from ..generation.run import Run
from ..text.joining import Joiner
from ..text.types import EOS
from .json_text import json_text

if TYPE_CHECKING:
    from ..evidence.copying.generated import TracedTexts


def json_line(value: Any) -> bytes:
    """One object on a line."""
    return json_text(value).encode() + b"\n"


def json_texts(run: Run, batch: Batch, written: int, traced: TracedTexts | None = None) -> Iterator[bytes]:
    """One object for each text.

    written  texts that were written before
    traced   all texts held against a corpus, whose keys are added
    """
    drawn, n_prompt = batch.samples, run.prompt.tokens
    shared = run.overlap(batch)
    columns = drawn.length.tolist(), drawn.bits.tolist(), drawn.complete.tolist(), drawn.index.tolist()
    for k, (text, n, bits, complete, index) in enumerate(zip(batch.each(), *columns, strict=True)):
        line: dict[str, Any] = {
            "text": text.decode("utf-8", "replace"),
            "tokens": n + n_prompt,
            "bits": round(bits, 6) + 0.0,
            "complete": complete,
            "seed": run.seed,
            "index": index,
        }
        if run.request.constraints:
            known = run.conditioned
            line["conditioned_bits"] = None if known is None else round(bits - known, 6) + 0.0
        if shared is not None:
            line |= {"overlap": int(shared[0][k]), "overlap_is": shared[1]}
        if traced is not None:
            from .traced_texts import text_json

            line |= text_json(traced, written + k, bits, n)
        yield json_line(line)


def streamed(run: Run, texts: int | None, tokens: int | None, end: bytes, as_json: bool) -> Iterator[bytes]:
    """Tokens one by one, until as many texts or tokens were written; None for no limit.

    end  stands behind each text
    """
    vocabulary = run.model.vocabulary
    joiner = Joiner(vocabulary, run.prompt.head, run.prompt.last)
    begun, written = False, 0
    source = run.tokens()
    while texts != 0 and (tokens is None or written < tokens):
        index, token, bits = next(source)
        if as_json:
            name = {"token": None, "marker": "</s>"} if token == EOS else {"token": vocabulary.text_of(token)}
            yield json_line({**name, "bits": round(bits, 6) + 0.0, "seed": run.seed, "index": index})
        else:
            yield (b"" if begun else joiner.begin()) + (end if token == EOS else joiner.piece(token))
        begun = token != EOS
        written += begun
        if token == EOS and texts is not None and index + 1 == texts:
            return
    if begun and not as_json:
        yield end
