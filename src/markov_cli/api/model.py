"""The Python API: `train` and `Model`. The command line is written on top of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelFileError, NeedsCounts
from ..generation.batches import check_count, check_lengths, draw, new_seed, texts_with
from ..generation.prompt import find_prompt
from ..inspecting.followers import likely_followers, seen_followers
from ..model import model_file
from ..model.count_column import DAMAGED
from ..model.fingerprints import RATE, Guard
from ..model.model_file import Header
from ..model.table import Table
from ..sampling.shape import Shape
from ..text.encoder import TextOptions
from ..text.reading import Repairs, Source, check_encoding, find_sources
from ..text.sources import EXPANSION
from ..text.vocabulary import Vocabulary
from .results import Follower, Followers, PromptMatch, Text

if TYPE_CHECKING:
    from ..formats.ngram_listing import Notes
    from ..generation.constraints import Constraints
    from ..generation.novelty import Novelty
    from ..model.distribution import Distribution
    from ..scoring.predictor import Predictor
    from ..scoring.totals import Totals
    from ..training.in_memory import Trained


class Model:
    """A table with its vocabulary.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["You must be the change you wish to see in the world"], lowercase=True)
    >>> [(f.token, f.probability) for f in model.followers("you").followers]
    [('must', 0.5), ('wish', 0.5)]
    """

    def __init__(self, header: Header, vocabulary: Vocabulary, table: Table, file: model_file.ModelFile | None = None):
        self.header, self.vocabulary, self.table = header, vocabulary, table
        self.file = file
        self._distributions: dict[str, Distribution] = {}
        self.repairs = Repairs()
        self.notes: Notes | None = None  # what was read otherwise than an ARPA file has it

    # ------------------------------------------------------------ files

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Open a model file; ModelFileError where it is none.

        The file is mapped: nothing is read before it is used. `close` lets it go.
        """
        return cls.around(model_file.load(path))

    @classmethod
    def around(cls, file: model_file.ModelFile) -> Model:
        """A model of a file that is open."""
        types = file.types
        vocabulary = Vocabulary(types.blob, types.start, types.flags, file.header.options.tokenizer)
        return cls(file.header, vocabulary, file.table, file)

    def save(self, path: str | os.PathLike[str] | IO[bytes]) -> int:
        """Write the model as `.npz`; returns its bytes. A file in its place is replaced whole."""
        return model_file.save(path, self.header, self.vocabulary.types(), self.table)

    def close(self) -> None:
        """Let go of the file, so that it can be replaced where open files cannot."""
        if self.file is not None:
            none = np.empty(0, np.uint8)
            self.vocabulary = Vocabulary(none, np.zeros(1, np.int64), none, self.vocabulary.tokenizer)
            self.table = Table([])
            self._distributions.clear()
            self.file = None

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def order(self) -> int:
        """Length of the longest n-gram."""
        return self.header.order

    # ------------------------------------------------------------ distributions

    def distribution(self, smoothing: str | None = None, default: str = "none") -> Distribution:
        """The probabilities of this model under a smoothing, `kn` or `lidstone:0.1` for example.

        None means `default`, or the model's own probabilities where it holds no counts; NeedsCounts
        where it holds none and a smoothing is named.
        """
        name = smoothing or ("own" if self.header.holds == "probabilities" else default)
        if name not in self._distributions:
            self._distributions[name] = self.checked(self._distribution, name)
        return self._distributions[name]

    def _distribution(self, name: str) -> Distribution:
        from ..model.discounts import SmoothingMethod
        from ..model.listed import Listed
        from ..model.smoothing import Smoothed

        if self.header.holds == "probabilities":
            if name != "own":
                raise NeedsCounts(
                    f"--smoothing {name}: the model holds probabilities only, smoothed already",
                    "leave --smoothing out, or train a model from text",
                )
            return Listed(self.table)
        return Smoothed(self.table, SmoothingMethod.parse(name))

    # ------------------------------------------------------------ scoring

    def judge(self, smoothing: str | None = "kn", name: str = "the model") -> Predictor:
        """What scores text with this model; a model that holds probabilities has only its own."""
        from ..scoring.predictor import Predictor
        from ..scoring.scorer import Scorer

        chosen = None if self.header.holds == "probabilities" else smoothing
        scorer = Scorer(self.distribution(chosen))
        return Predictor(name, self.header.options, [self.vocabulary], [scorer], guard=self.checked)

    def score(
        self,
        paths: Sequence[str | os.PathLike[str]] = (),
        *,
        texts: Iterable[str] = (),
        smoothing: str | None = "kn",
        encoding: str = "utf-8",
        jobs: int = 1,
    ) -> Totals:
        """What text costs this model: tokens, OOV, bits, perplexity; TextError where it has no token.

        paths  files, folders, `-`
        texts  texts themselves, each as if it were a file

        >>> import markov_cli
        >>> model = markov_cli.train(texts=["a b. a c."])
        >>> found = model.score(texts=["a b."], smoothing="none")
        >>> found.tokens, found.perplexity  # a, b, . and </s>; b and c are equally likely
        (4, 1.189207115002721)
        """
        from ..scoring.text_totals import Reading, total

        reading = Reading(self.judge(smoothing), sources_of(paths, texts), check_encoding(encoding), jobs)
        return total(reading)

    # ------------------------------------------------------------ histories

    def known(self, text: str, at_start: bool = False, ignore_case: bool = False) -> PromptMatch:
        """`text` as ids, and the longest history that its end makes.

        at_start     it opens a sequence, so its history begins with BOS
        ignore_case  `You` finds `you`, whichever is the best known history

        HistoryError where the model knows not one of its tokens.
        """
        return self.checked(find_prompt, self.header.options, self.vocabulary, self.table, text, at_start, ignore_case)

    def checked(self, call: Any, *args: Any) -> Any:
        """Run something on the table; an index outside it, or a sum that cannot be, means a damaged file."""
        try:
            with np.errstate(divide="raise", invalid="raise", over="raise"):
                return call(*args)
        except (IndexError, ValueError, ArithmeticError, MemoryError) as error:
            raise ModelFileError(f"the table is not whole: {error}", DAMAGED) from None

    def follow(self, level: int, row: int, top: int | None = None, smoothing: str | None = None) -> Followers:
        """The followers of one known history, the commonest first; the likeliest under another smoothing."""
        if self.uses_raw_counts(smoothing):
            return self.checked(seen_followers, self.table, self.vocabulary, level, row, top)
        counted = self.header.holds != "probabilities"
        return self.checked(likely_followers, self.distribution(smoothing), self.vocabulary, level, row, top, counted)

    def backoff(self, known: PromptMatch, top: int | None = None, smoothing: str | None = None) -> list[Followers]:
        """The followers of a known history and of each shorter one, down to no history."""
        out = []
        level, row = known.level, known.row
        while True:
            out.append(self.follow(level, row, top, smoothing))
            if level == 0:
                return out
            row = int(self.checked(self.table.shorter, level, np.array([row]))[0])
            level -= 1

    def name_of(self, i: int) -> str:
        """A type's text, or a marker's name, for showing."""
        return self.vocabulary.name_of(i)

    def followers(
        self,
        history: str = "",
        *,
        at_start: bool = False,
        ignore_case: bool = False,
        top: int | None = None,
        smoothing: str | None = None,
    ) -> Followers:
        """What follows the longest known end of `history`, the commonest first.

        >>> import markov_cli
        >>> model = markov_cli.train(texts=["a b a c a b"])
        >>> [(f.token, f.count) for f in model.followers("a").followers]
        [('b', 2), ('c', 1)]
        """
        known = self.known(history, at_start, ignore_case)
        return self.follow(known.level, known.row, top, smoothing)

    # ------------------------------------------------------------ texts

    def generate(
        self,
        count: int = 1,
        seed: int | None = None,
        *,
        prompt: str = "",
        within: bool = False,
        ignore_case: bool = False,
        min_tokens: int = 1,
        max_tokens: int = 1000,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        smoothing: str | None = None,
        constraints: Constraints | None = None,
        novel: int | None = None,
        corpus: Sequence[str | os.PathLike[str]] = (),
        unique: bool = False,
    ) -> Iterator[Text]:
        """Draw texts; text i of a seed is the same whatever `count`.

        smoothing   what is drawn from; see `distribution`
        prompt      how each text begins; with `within` it stands mid-sequence
        min_tokens  texts that end before are drawn anew; fewer texts than `count` may come
        max_tokens  texts are cut there, the prompt's tokens counted
        constraints what each text must be like; none is cut then. AnswerIsNo where the model has no such text
        novel       no run of so many tokens or more of any text stands in the training text, which is that of `corpus`,
                    or that of the model's guard; fewer texts than `count` may come
        corpus      files; the longest run that each text shares with them is told, in `Text.overlap`
        unique      of equal texts the first is kept, and others are drawn; fewer than `count` may come

        >>> import markov_cli
        >>> model = markov_cli.train(texts=["a b. a c. d b. d c."])
        >>> asked = markov_cli.Constraints(contains=["c"], starts_with="d")
        >>> [text.text for text in model.generate(2, 1, constraints=asked)]
        ['d c.', 'd c.']
        """
        seed = new_seed() if seed is None else seed
        known = self.known(prompt, at_start=not within, ignore_case=ignore_case)
        shape = Shape(temperature, top_k, top_p)
        conditioned = None
        novelty: Novelty | None = None
        if novel is not None or corpus:
            from ..generation.novelty import Novelty

            novelty = Novelty(self, known, prompt, novel, find_sources([os.fspath(p) for p in corpus]))
        if constraints:
            from ..generation.constraints import Constrained

            check_count(count, seed)
            check_lengths(min_tokens, max_tokens)
            some = Constrained(
                self, constraints, known, prompt, min_tokens, max_tokens, shape, smoothing, ignore_case, novelty
            )
            conditioned = some.conditioned

        def texts(first: int, n: int) -> Iterator[Any]:
            if constraints:
                return some.draw(n, seed, first=first)
            lengths = min_tokens, max_tokens
            return draw(
                self, n, seed, known, prompt, *lengths, shape, smoothing=smoothing, novelty=novelty, first=first
            )

        batches = texts(0, count)
        if unique:
            from ..generation.unique import UniqueTexts

            batches = UniqueTexts(texts).texts(count)
        yield from texts_with(batches, seed, known.tokens, conditioned, novelty)

    def uses_raw_counts(self, smoothing: str | None) -> bool:
        """Whether it is raw counts that are drawn from."""
        return smoothing in (None, "none") and self.header.holds != "probabilities"


def train(
    paths: Sequence[str | os.PathLike[str]] = (),
    *,
    texts: Iterable[str] = (),
    order: int = 3,
    tokenizer: str = "words",
    unit: str = "sentence",
    lowercase: bool = False,
    pattern: str | None = None,
    encoding: str = "utf-8",
    min_type_count: int = 1,
    prune: Sequence[int] = (),
    min_sequences: int = 1,
    min_files: int = 1,
    cap_per_sequence: int = 0,
    guard: int = 0,
    guard_rate: float = RATE,
    guard_like: Guard | None = None,
    max_expansion: float = EXPANSION,
    jobs: int = 1,
    progress: Callable[[str, float, float], None] | None = None,
) -> Model:
    """Read text and build its model.

    paths  files, folders, `-`
    texts  texts themselves, each as if it were a file
    guard  keep hashes of all runs of so many tokens, for `generate(novel=...)`; no secret-keeper, see docs/evidence.md
    guard_rate  how many new runs it may take for seen ones
    guard_like  another guard, that this model's shall fit, in place of these two
    The rest is as `markov train --help` says.

    >>> import markov_cli
    >>> markov_cli.train(texts=["one two", "one three"], unit="file").header.sequences
    2
    """
    from ..model.thresholds import Protection
    from ..training.in_memory import train_sources
    from ..training.options import TrainOptions, no_progress

    sources = sources_of(paths, texts, max_expansion)
    options = TrainOptions(
        order=order,
        text=TextOptions.of(tokenizer, unit, lowercase, pattern),
        min_type_count=min_type_count,
        prune=tuple(prune),
        protection=Protection(min_sequences, min_files, cap_per_sequence),
        encoding=check_encoding(encoding),
        guard=guard if guard_like is None else guard_like.tokens,
        guard_rate=guard_rate,
        guard_bits=0 if guard_like is None else guard_like.bits,
        jobs=jobs,
    )
    return model_of(train_sources(sources, options, progress or no_progress))


def sources_of(
    paths: Sequence[str | os.PathLike[str]], texts: Iterable[str], expansion: float = EXPANSION
) -> list[Source]:
    """What is named, and then the texts themselves."""
    named = find_sources([os.fspath(p) for p in paths], expansion)
    return named + [Source(f"text {i}", data=t.encode("utf-8", "surrogatepass")) for i, t in enumerate(texts)]


def model_of(trained: Trained) -> Model:
    """A `Model` around what training gave."""
    vocabulary = Vocabulary.of(trained.types, trained.header.options.tokenizer)
    model = Model(trained.header, vocabulary, trained.table)
    model.repairs = trained.repairs
    return model


__all__ = ["Follower", "Followers", "Model", "Text", "train"]
