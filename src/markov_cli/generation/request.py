"""A request for texts, as plain data: all options of `generate`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ..arrays.numbers import whole
from ..errors import OptionError
from ..sampling.shape import PLAIN, Shape
from ..text.sources import Source

NO_MOST = 1 << 40  # stands for no upper limit
Range = tuple[int, int]


@dataclass(frozen=True)
class Constraints:
    """Properties that every text must have. Every text then ends by itself, within the limit of tokens.

    contains     words or phrases, all of which occur; one may stand for a list of one, here, in without and in ban
    in_order     they occur in the given order, without overlap
    starts_with  the first tokens
    ends_with    the last tokens
    without      words or phrases, none of which occurs
    pattern      the whole text: words, `_` for one token, `*` for any number
    tokens       least and most tokens, with the prompt
    characters   least and most characters of the finished text
    match        a regular expression of Python's `re` that matches somewhere in the finished text
    ban          words or phrases, none of which occurs; may be very many
    balanced     all quotes and brackets are closed

    >>> import markov_cli
    >>> asked = markov_cli.Constraints(contains=["b"], tokens=(3, 3))
    >>> [text.text for text in markov_cli.train(texts=["a b c. a c b"]).generate(1, 1, constraints=asked)]
    ['a c b']
    """

    contains: str | Sequence[str] = ()
    in_order: bool = False
    starts_with: str = ""
    ends_with: str = ""
    without: str | Sequence[str] = ()
    pattern: str = ""
    tokens: Range | None = None
    characters: Range | None = None
    match: str = ""
    ban: str | Sequence[str] = ()
    balanced: bool = False

    def __post_init__(self) -> None:
        for name in ("contains", "without", "ban"):
            if isinstance(given := getattr(self, name), str):  # one word, and not its letters
                object.__setattr__(self, name, (given,) if given else ())

    def __bool__(self) -> bool:
        many = self.contains, self.starts_with, self.ends_with, self.without, self.pattern, self.match, self.ban
        return any(many) or self.balanced or self.tokens is not None or self.characters is not None


@dataclass(frozen=True)
class Request:
    """Options of `generate`.

    count        number of texts
    seed         of the random numbers; None to choose one
    prompt       each text begins with it; it opens a sequence, or with `within` is mid-sequence
    ignore_case  `You` finds `you`, in prompts and constraints
    min_tokens   shorter texts are drawn again; there may be fewer texts than `count`
    max_tokens   longer texts are cut; counts the prompt
    shape        temperature, top-k and top-p
    smoothing    name of the distribution; None for the model's default
    adapt        the text so far changes the probabilities; of a blend that was tuned for it
    constraints  properties that each text must have
    novel        K: no K tokens of a text in a row are in the training text; None to allow copies
    corpus       the training text, for `novel` and `overlaps`
    encoding     of the corpus
    overlaps     report the longest run that each text shares with the corpus, which stays in memory
    unique       drop repeated texts and draw others
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
    adapt: bool = False

    def check(self) -> None:
        """Raise OptionError for an impossible number."""
        self.shape.check()
        check_count(self.count, self.seed or 0)
        whole("--min-tokens", self.min_tokens)
        whole("--max-tokens", self.max_tokens)
        if self.max_tokens < 1 or self.min_tokens < 0 or self.min_tokens > self.max_tokens:
            raise OptionError(
                f"--min-tokens {self.min_tokens}, --max-tokens {self.max_tokens}: no length fits both",
                "--min-tokens is from 0 to --max-tokens, which is 1 or more",
            )

    def check_stream(self) -> None:
        """Raise OptionError for options that need a finished text, which --stream does not have."""
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
                    f"--stream with {name}: a stream cannot take back text that it has written",
                    "use -c N instead of --stream",
                )


def check_count(count: int, seed: int) -> None:
    """Raise OptionError for a number below 0."""
    whole("--count", max(count, 0))
    whole("--seed", max(seed, 0))
    if count < 0 or seed < 0:
        raise OptionError(f"--count {count}, --seed {seed}: must be 0 or more", "without --seed a new one is chosen")


def new_seed() -> int:
    """Choose a seed that is short enough to type."""
    return int.from_bytes(os.urandom(8), "little") % 10**6
