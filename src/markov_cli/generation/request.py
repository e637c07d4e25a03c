"""A request for texts: everything that a person can ask of them, as plain data.

Legend: K is the least length of a run of tokens that no text may copy.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import OptionError
from ..sampling.shape import PLAIN, Shape
from ..text.sources import Source

NO_MOST = 1 << 40  # no limit above
Range = tuple[int, int]


@dataclass(frozen=True)
class Constraints:
    """Properties that every text must have; every text then ends by itself, within the most tokens.

    contains     words, or several words in a row, each of which occurs
    in_order     they occur in the order given, and do not overlap
    starts_with  the first tokens
    ends_with    the last tokens
    without      words, or several in a row, none of which occurs
    pattern      the whole text: words, `_` for one token, `*` for any number
    tokens       least and most tokens, the prompt's counted
    characters   least and most characters of the finished text
    match        a regular expression of Python's `re`, found in the finished text
    ban          words, or several in a row, none of which occurs; there may be very many
    balanced     quotes and brackets close

    >>> import markov_cli
    >>> asked = markov_cli.Constraints(contains=["b"], tokens=(3, 3))
    >>> [text.text for text in markov_cli.train(texts=["a b c. a c b"]).generate(1, 1, constraints=asked)]
    ['a c b']
    """

    contains: Sequence[str] = ()
    in_order: bool = False
    starts_with: str = ""
    ends_with: str = ""
    without: Sequence[str] = ()
    pattern: str = ""
    tokens: Range | None = None
    characters: Range | None = None
    match: str = ""
    ban: Sequence[str] = ()
    balanced: bool = False

    def __bool__(self) -> bool:
        many = self.contains, self.starts_with, self.ends_with, self.without, self.pattern, self.match, self.ban
        return any(many) or self.balanced or self.tokens is not None or self.characters is not None


@dataclass(frozen=True)
class Request:
    """Texts that a person asks for.

    count        how many
    seed         number of the random stream; None for one that is chosen
    prompt       each text begins with it; with `within` it stands mid-sequence
    ignore_case  `You` finds `you`, in prompts and constraints
    min_tokens   texts that end before are drawn again; fewer texts than `count` may come
    max_tokens   texts are cut there, the prompt's tokens counted
    shape        temperature, top-k and top-p
    smoothing    name of the distribution; None for the model's default
    constraints  properties that each text must have
    novel        K: no run of K tokens or more occurs in the training text; None to allow all
    corpus       the training text, for `novel` and for the longest run that each text shares with it
    encoding     of the corpus
    overlaps     tell that longest run, for which the corpus stays in memory
    unique       repeated texts are dropped, and others drawn
    bits         compute -log2 of each text's probability
    jobs         threads that read and draw
    """

    count: int = 1
    seed: int | None = None
    prompt: str = ""
    within: bool = False
    ignore_case: bool = False
    min_tokens: int = 1
    max_tokens: int = 1000
    shape: Shape = PLAIN
    smoothing: str | None = None
    constraints: Constraints = Constraints()
    novel: int | None = None
    corpus: tuple[Source, ...] = ()
    encoding: str = "utf-8"
    overlaps: bool = True
    unique: bool = False
    bits: bool = True
    jobs: int = 2

    def check(self) -> None:
        """OptionError for a number that cannot be."""
        self.shape.check()
        check_count(self.count, self.seed or 0)
        if self.max_tokens < 1 or self.min_tokens < 0 or self.min_tokens > self.max_tokens:
            raise OptionError(
                f"--min-tokens {self.min_tokens}, --max-tokens {self.max_tokens}: no length is both",
                "0 <= min <= max, max at least 1",
            )

    def check_stream(self) -> None:
        """OptionError for what needs a finished text, where each token is written as it is drawn."""
        asked = {
            "--unique": self.unique,
            "--min-tokens": self.min_tokens > 1,
            "--novel": self.novel is not None,
            "--corpus": bool(self.corpus),
            "constraints": bool(self.constraints),
        }
        for name, given in asked.items():
            if given:
                raise OptionError(
                    f"--stream with {name}: what is written cannot be taken back", "use -c N in place of --stream"
                )


def check_count(count: int, seed: int) -> None:
    """OptionError for a number below 0."""
    if count < 0 or seed < 0:
        raise OptionError(f"--count {count}, --seed {seed}: 0 or more", "leave --seed out for a new one")


def new_seed() -> int:
    """A seed short enough to type."""
    return int.from_bytes(os.urandom(8), "little") % 10**6
