"""A generated text, and how it is written as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Text:
    """One generated text.

    text      joined tokens, with the prompt
    tokens    number of tokens, with the prompt's
    bits      -log2 of the probability of the drawn tokens and of the end
    complete  it ended by itself; False where it was cut at max_tokens
    raw       bytes of the text, which need not be valid UTF-8
    conditioned_bits  bits given that the constraints are met, where they are drawn exactly; else None
    overlap   tokens of the longest run shared with the corpus, or an upper bound from the model's guard; None
              without either
    overlap_is  `exact`, or `bound`: not more than this many tokens

    >>> import markov_cli
    >>> [one] = markov_cli.train(texts=["a b."]).generate(seed=1)
    >>> one.text, one.tokens, one.bits, one.complete
    ('a b.', 3, 0.0, True)
    """

    text: str
    tokens: int
    bits: float
    complete: bool
    seed: int
    index: int
    raw: bytes = b""
    conditioned_bits: float | None = None
    overlap: int | None = None
    overlap_is: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The text as JSON has it; the last three keys only where they are known."""
        out: dict[str, Any] = {
            "text": self.text,
            "tokens": self.tokens,
            "bits": round(self.bits, 6) + 0.0,
            "complete": self.complete,
            "seed": self.seed,
            "index": self.index,
        }
        if self.conditioned_bits is not None:
            out["conditioned_bits"] = round(self.conditioned_bits, 6) + 0.0
        if self.overlap is not None:
            out |= {"overlap": self.overlap, "overlap_is": self.overlap_is}
        return out
