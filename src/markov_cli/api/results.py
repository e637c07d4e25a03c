"""What the Python API gives back."""

from __future__ import annotations

from dataclasses import dataclass

from ..text.types import BOS


@dataclass(frozen=True)
class Text:
    """One generated text.

    text      as a person would have typed it, the prompt included
    tokens    how many it has, the prompt's included
    bits      -log2 of the probability of what was drawn, the end included
    complete  it ended by itself; False where it was cut at max_tokens
    conditioned_bits  the same among the texts that meet the constraints which are met by calculation; None
                      without constraints, or where they are met by trying
    overlap   tokens of the longest run shared with the corpus that was named; at most so much where the model's
              guard tells it; None without either
    """

    text: str
    tokens: int
    bits: float
    complete: bool
    seed: int
    index: int
    raw: bytes = b""  # the text's bytes, where it is not all UTF-8
    conditioned_bits: float | None = None
    overlap: int | None = None


@dataclass(frozen=True)
class Follower:
    """A type seen after a history; `token` is None for the marker named in `marker`.

    count    how often it was seen there, a whole number but in models of weighted counts; None where the
             model holds probabilities only
    touches  "left", "right" or "both": where this type stands without white space
    id       its number in the model
    """

    token: str | None
    count: float | None
    probability: float
    marker: str | None = None
    touches: str = ""
    id: int = -1


@dataclass(frozen=True)
class Followers:
    """What follows one history.

    history    its tokens, markers by name
    used       how many of the tokens asked for it holds
    total      how often it was followed by anything; None where the model holds probabilities only
    n_followers  distinct ones seen; `followers` are the commonest, or the likeliest under a smoothing
    """

    history: list[str]
    used: int
    total: float | None
    n_followers: int
    followers: list[Follower]


@dataclass(frozen=True)
class PromptMatch:
    """A prompt or history as the model knows it.

    ids    its tokens, UNK for what the model has not seen; BOS first where it opens a sequence
    level  how many of them, from the end, make the longest known history
    row    that history's row
    """

    ids: list[int]
    level: int
    row: int

    @property
    def tokens(self) -> int:
        """How many tokens were given."""
        return sum(i != BOS for i in self.ids)

    @property
    def shortened(self) -> bool:
        """Less of it is known than could have been used."""
        return self.level < len(self.ids)
