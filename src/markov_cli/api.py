"""The Python API: `train` and `Model`. The command line is written on top of it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from .asking import known
from .errors import ModelFileError, NeedsCounts, OptionError
from .inspecting.followers import likely_followers, seen_followers
from .model import modelfile
from .model.compact import DAMAGED
from .model.modelfile import Header
from .model.table import INDEX_ROWS, Table
from .results import Follower, Followers, Known, Text
from .sampling.sampler import Drawn, Sampler, batch_size
from .sampling.shaping import Shape
from .text.encoding import TextOptions
from .text.lexicon import Lexicon
from .text.reading import Repairs, Source, check_encoding, find_sources
from .text.tokenizing import DEFAULT_PATTERN
from .text.types import N_MARKERS

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .constraining import Constraints
    from .formats.listing import Notes
    from .model.distribution import Distribution
    from .scoring.judge import Judge
    from .scoring.totals import Totals
    from .training import Trained

_MANY = 2000  # texts from which an index of the table pays
_GUESS = 30  # tokens of a text, where the model does not say


class Model:
    """A table with its vocabulary.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["You must be the change you wish to see in the world"], lowercase=True)
    >>> [(f.token, f.probability) for f in model.followers("you").followers]
    [('must', 0.5), ('wish', 0.5)]
    """

    def __init__(self, header: Header, lexicon: Lexicon, table: Table, file: modelfile.ModelFile | None = None):
        self.header, self.lexicon, self.table = header, lexicon, table
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
        file = modelfile.load(path)
        types = file.types
        lexicon = Lexicon(types.blob, types.start, types.flags, file.header.options.tokenizer)
        return cls(file.header, lexicon, file.table, file)

    def save(self, path: str | os.PathLike[str] | IO[bytes]) -> int:
        """Write the model as `.npz`; returns its bytes. A file in its place is replaced whole."""
        return modelfile.save(path, self.header, self.lexicon.types(), self.table)

    def close(self) -> None:
        """Let go of the file, so that it can be replaced where open files cannot."""
        if self.file is not None:
            none = np.empty(0, np.uint8)
            self.lexicon = Lexicon(none, np.zeros(1, np.int64), none, self.lexicon.tokenizer)
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

    def distribution(self, smoothing: str | None = None) -> Distribution:
        """The probabilities of this model under a smoothing, `kn` or `lidstone:0.1` for example.

        None means raw counts (`none`), or the model's own probabilities where it holds no counts.
        """
        name = smoothing or ("own" if self.header.holds == "probabilities" else "none")
        if name not in self._distributions:
            self._distributions[name] = self._guarded(self._distribution, name)
        return self._distributions[name]

    def _distribution(self, name: str) -> Distribution:
        from .model.listed import Listed
        from .model.methods import Smoothing
        from .model.smoothing import Smoothed

        if self.header.holds == "probabilities":
            if name != "own":
                raise NeedsCounts(
                    f"--smoothing {name}: the model holds probabilities only, smoothed already",
                    "leave --smoothing out, or train a model from text",
                )
            return Listed(self.table)
        return Smoothed(self.table, Smoothing.parse(name))

    # ------------------------------------------------------------ scoring

    def judge(self, smoothing: str | None = "kn", name: str = "the model") -> Judge:
        """What scores text with this model; a model that holds probabilities has only its own."""
        from .scoring.judge import Judge
        from .scoring.scorer import Scorer

        chosen = None if self.header.holds == "probabilities" else smoothing
        scorer = Scorer(self.distribution(chosen))
        return Judge(name, self.header.options, [self.lexicon], [scorer], guard=self._guarded)

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
        from .scoring.texts import Reading, total

        reading = Reading(self.judge(smoothing), _sources(paths, texts), check_encoding(encoding), jobs)
        return total(reading)

    # ------------------------------------------------------------ histories

    def known(self, text: str, at_start: bool = False, ignore_case: bool = False) -> Known:
        """`text` as ids, and the longest history that its end makes.

        at_start     it opens a sequence, so its history begins with BOS
        ignore_case  `You` finds `you`, whichever is the best known history

        HistoryError where the model knows not one of its tokens.
        """
        return self._guarded(known, self.header.options, self.lexicon, self.table, text, at_start, ignore_case)

    def _guarded(self, call: Any, *args: Any) -> Any:
        """Run something on the table; an index outside it, or a sum that cannot be, means a damaged file."""
        try:
            with np.errstate(divide="raise", invalid="raise", over="raise"):
                return call(*args)
        except (IndexError, ValueError, ArithmeticError, MemoryError) as error:
            raise ModelFileError(f"the table is not whole: {error}", DAMAGED) from None

    def follow(self, level: int, row: int, top: int | None = None, smoothing: str | None = None) -> Followers:
        """The followers of one known history, the commonest first; the likeliest under another smoothing."""
        if self.draws_raw(smoothing):
            return self._guarded(seen_followers, self.table, self.lexicon, level, row, top)
        counted = self.header.holds != "probabilities"
        return self._guarded(likely_followers, self.distribution(smoothing), self.lexicon, level, row, top, counted)

    def backoff(self, known: Known, top: int | None = None, smoothing: str | None = None) -> list[Followers]:
        """The followers of a known history and of each shorter one, down to no history."""
        out = []
        level, row = known.level, known.row
        while True:
            out.append(self.follow(level, row, top, smoothing))
            if level == 0:
                return out
            row = int(self._guarded(self.table.shorter, level, np.array([row]))[0])
            level -= 1

    def name_of(self, i: int) -> str:
        """A type's text, or a marker's name, for showing."""
        return self.lexicon.name_of(i)

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
    ) -> Iterator[Text]:
        """Draw texts; text i of a seed is the same whatever `count`.

        smoothing   what is drawn from; see `distribution`
        prompt      how each text begins; with `within` it stands mid-sequence
        min_tokens  texts that end before are drawn anew; fewer texts than `count` may come
        max_tokens  texts are cut there, the prompt's tokens counted
        constraints what each text must be like; none is cut then. AnswerIsNo where the model has no such text

        >>> import markov_cli
        >>> model = markov_cli.train(texts=["a b. a c. d b. d c."])
        >>> asked = markov_cli.Constraints(contains=["c"], starts_with="d")
        >>> [text.text for text in model.generate(2, 1, constraints=asked)]
        ['d c.', 'd c.']
        """
        seed = new_seed() if seed is None else seed
        known = self.known(prompt, at_start=not within, ignore_case=ignore_case)
        shape = Shape(temperature, top_k, top_p)
        n_prompt = known.tokens
        conditioned = None
        if constraints:
            from .constraining import Constrained

            check_count(count, seed)
            check_lengths(min_tokens, max_tokens)
            some = Constrained(self, constraints, known, prompt, min_tokens, max_tokens, shape, smoothing, ignore_case)
            batches, conditioned = some.draw(count, seed), some.conditioned
        else:
            batches = self.draw(count, seed, known, prompt, min_tokens, max_tokens, shape, smoothing=smoothing)
        for drawn, whole, edge in batches:
            edges = edge.tolist()
            for k in range(len(drawn.index)):
                one = whole[edges[k] : edges[k + 1]]
                yield Text(
                    one.decode("utf-8", "replace"),
                    int(drawn.length[k]) + n_prompt,
                    float(drawn.bits[k]),
                    bool(drawn.complete[k]),
                    seed,
                    int(drawn.index[k]),
                    one,
                    None if conditioned is None else float(drawn.bits[k]) - conditioned,
                )

    def draw(
        self,
        count: int,
        seed: int,
        known: Known,
        prompt: str,
        min_tokens: int,
        max_tokens: int,
        shape: Shape,
        end: bytes = b"",
        bits: bool = True,
        jobs: int = 2,
        smoothing: str | None = None,
    ) -> Iterator[tuple[Drawn, bytes, np.ndarray]]:
        """Batches of texts: as ids, as bytes with `end` behind each, and where each begins.

        What `generate` and the command are made of. Some batches are drawn ahead, by `jobs` threads.
        """
        check_count(count, seed)
        check_lengths(min_tokens, max_tokens)
        n_prompt = known.tokens
        if count >= _MANY:
            self._guarded(self._index, self.draws_raw(smoothing))
        smoothed = None if self.draws_raw(smoothing) else self.distribution(smoothing)
        sampler = self._guarded(Sampler, self.table, shape, bits, smoothed)
        shortest = max(min_tokens - n_prompt, 0 if n_prompt else 1)
        longest = max(max_tokens - n_prompt, 0)

        mean = min(longest, self.header.tokens / self.header.sequences if self.header.sequences else _GUESS)
        size = batch_size(count, mean, jobs if count >= _MANY else 1)

        def one(begin: int) -> tuple[Drawn, bytes, np.ndarray]:
            n = min(size, count - begin)
            drawn = sampler.texts(seed, begin, n, (known.level, known.row), shortest, longest)
            return drawn, *self._texts(drawn, known, prompt, end)

        begins = range(0, count, size)
        if len(begins) == 1:
            yield self._guarded(one, 0)
            return
        from concurrent.futures import ThreadPoolExecutor

        waiting: deque[Future[tuple[Drawn, bytes, np.ndarray]]] = deque()
        with ThreadPoolExecutor(jobs) as pool:
            try:
                for begin in begins:
                    waiting.append(pool.submit(self._guarded, one, begin))
                    if len(waiting) > jobs:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def draws_raw(self, smoothing: str | None) -> bool:
        """Whether it is raw counts that are drawn from."""
        return smoothing in (None, "none") and self.header.holds != "probabilities"

    def _index(self, raw: bool) -> None:
        """Ready the places where nearly every draw looks: for raw counts the top order, and where it leads."""
        for level in range(self.order - 2 if raw else 0, self.order - 1):
            self.table.index(level)
        for order in self.table.orders[-1:] if raw else self.table.orders:
            if self.header.holds != "probabilities" and len(order) <= INDEX_ROWS:
                order.count.index()
                if order.left is not None and not raw:
                    order.left.index()

    def _texts(self, drawn: Drawn, known: Known, prompt: str, end: bytes) -> tuple[bytes, np.ndarray]:
        ids = drawn.ids
        if len(ids) and (int(ids.min()) < N_MARKERS or int(ids.max()) >= len(self.lexicon)):
            raise IndexError("an id outside the vocabulary")
        if not known.tokens:
            return self.lexicon.join(ids, drawn.length, end)
        head = prompt.encode("utf-8", "surrogateescape")
        whole, edges = self.lexicon.join(ids, drawn.length)
        spaced = np.zeros(len(drawn.length), bool)
        if self.lexicon.spaced:
            head = head.rstrip()
            right = int(self.lexicon.flags_of(np.array([known.ids[-1]]))[0]) >> 1 & 1
            filled = np.flatnonzero(drawn.length)
            first = ids[(np.cumsum(drawn.length) - drawn.length)[filled]]
            spaced[filled] = ((self.lexicon.flags_of(first) & 1) | right) == 0
        texts = [
            head + b" " * s + whole[a:b] + end
            for s, a, b in zip(spaced.tolist(), edges.tolist(), edges[1:].tolist(), strict=False)
        ]
        return b"".join(texts), np.cumsum([0, *map(len, texts)])


def check_count(count: int, seed: int) -> None:
    """OptionError for a number below 0."""
    if count < 0 or seed < 0:
        raise OptionError(f"--count {count}, --seed {seed}: 0 or more", "leave --seed out for a new one")


def check_lengths(min_tokens: int, max_tokens: int) -> None:
    """OptionError where no text can have such a length."""
    if max_tokens < 1 or min_tokens < 0 or min_tokens > max_tokens:
        raise OptionError(
            f"--min-tokens {min_tokens}, --max-tokens {max_tokens}: no length is both",
            "0 <= min <= max, max at least 1",
        )


def new_seed() -> int:
    """A seed short enough to type."""
    return int.from_bytes(os.urandom(8), "little") % 10**6


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
    jobs: int = 1,
    progress: Callable[[str, float, float], None] | None = None,
) -> Model:
    """Read text and build its model.

    paths  files, folders, `-`
    texts  texts themselves, each as if it were a file
    The rest is as `markov train --help` says.

    >>> import markov_cli
    >>> markov_cli.train(texts=["one two", "one three"], unit="file").header.sequences
    2
    """
    from .training import TrainOptions, no_progress, train_sources

    sources = _sources(paths, texts)
    if tokenizer == "regex" and pattern is None:
        pattern = DEFAULT_PATTERN
    options = TrainOptions(
        order=order,
        text=TextOptions(tokenizer, unit, lowercase, pattern),
        min_type_count=min_type_count,
        prune=tuple(prune),
        encoding=check_encoding(encoding),
        jobs=jobs,
    )
    return model_of(train_sources(sources, options, progress or no_progress))


def _sources(paths: Sequence[str | os.PathLike[str]], texts: Iterable[str]) -> list[Source]:
    named = find_sources([os.fspath(p) for p in paths])
    return named + [Source(f"text {i}", data=t.encode("utf-8", "surrogatepass")) for i, t in enumerate(texts)]


def model_of(trained: Trained) -> Model:
    """A `Model` around what training gave."""
    lexicon = Lexicon.of(trained.types, trained.header.options.tokenizer)
    model = Model(trained.header, lexicon, trained.table)
    model.repairs = trained.repairs
    return model


__all__ = ["Follower", "Followers", "Known", "Model", "Text", "new_seed", "train"]
