"""The public `Model`: one method for each thing that can be done with a trained model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from ..arrays.numbers import whole
from ..generation.prompt import PromptMatch, find_prompt
from ..generation.request import Constraints, Request
from ..generation.texts import Text
from ..inspecting.followers import Followers, backoff, followers_of
from ..model.language_model import LanguageModel
from ..sampling.shape import Shape
from ..text.reading import Repairs, check_encoding
from ..text.record_format import record_format
from ..text.sources import EXPANSION, Paths, Texts, sources_of
from .results import OPTIONAL, GuardFigures, ModelSummary, Result, rounded

if TYPE_CHECKING:
    from ..formats.ngram_listing import Notes
    from ..model.distribution import Distribution
    from ..model.header import Header
    from ..model.model_file import ModelFile
    from ..model.table import Table
    from ..scoring.predictor import Predictor
    from ..text.vocabulary import Vocabulary
    from .score_results import Score


@dataclass(frozen=True, kw_only=True)
class StreamedToken(Result):
    """One token of a stream; `token` is None for the marker `</s>`, which ends text number `index`.

    bits  -log2 of its probability
    """

    token: str | None
    marker: str | None = field(default=None, metadata=OPTIONAL)
    bits: float = rounded(6)
    seed: int
    index: int


class Model:
    """A trained model.

    language_model  header, vocabulary and table, which all commands work on
    path            the file that it was opened from; None for a model in memory
    repairs         what was changed when its text was read
    notes           differences from the ARPA file that it was imported from; else None

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["You must be the change you wish to see in the world"], lowercase=True)
    >>> [(f.token, f.probability) for f in model.followers("you").followers]
    [('must', 0.5), ('wish', 0.5)]
    """

    def __init__(self, language_model: LanguageModel) -> None:
        self.language_model = language_model
        self.path: str | None = None
        self.repairs = Repairs()
        self.notes: Notes | None = None

    # ------------------------------------------------------------ files

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Open a model file; ModelFileError if it is none.

        The file is mapped: nothing is read before it is used. `close` releases it.

        >>> import markov_cli, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = markov_cli.train(texts=["a b", "a c"]).save(f"{folder}/m.npz")
        ...     with markov_cli.Model.load(f"{folder}/m.npz") as model:
        ...         model.order, model.header.types
        (3, 3)
        """
        model = cls(LanguageModel.load(path))
        model.path = os.fspath(path)
        return model

    def save(self, path: str | os.PathLike[str] | IO[bytes]) -> int:
        """Write the model as `.npz`, to a path or an open file; returns its bytes.

        A file at that path is replaced as a whole.
        """
        return self.language_model.save(path)

    def summary(self) -> ModelSummary:
        """Size and origin of the model, as `markov train --json` reports them.

        >>> import markov_cli
        >>> found = markov_cli.train(texts=["a b", "a c"], order=2).summary()
        >>> found.tokens, found.types, found.ngrams
        (4, 3, (6, 5))
        """
        h = self.header
        return ModelSummary(
            model=self.path,
            order=h.order,
            tokenizer=h.options.tokenizer,
            unit=h.options.unit,
            tokens=h.tokens,
            types=h.types,
            sequences=h.sequences,
            ngrams=tuple(len(o) for o in self.table.orders),
            **h.protection(),
            corpus_bytes=h.corpus_bytes,
            guard=guard_figures(self),
            model_bytes=self.file.size_bytes if self.file else None,
        )

    def close(self) -> None:
        """Release the file, so that it can be replaced on systems that lock open files."""
        self.language_model.close()

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def header(self) -> Header:
        """The order, text options and totals; `inspect` gives them all."""
        return self.language_model.header

    @property
    def vocabulary(self) -> Vocabulary:
        """Its types and their ids."""
        return self.language_model.vocabulary

    @property
    def table(self) -> Table:
        """Its rows of every order."""
        return self.language_model.table

    @property
    def file(self) -> ModelFile | None:
        """The file that it is mapped from; None for a model in memory."""
        return self.language_model.file

    @property
    def order(self) -> int:
        """Length of the longest n-gram."""
        return self.language_model.order

    # ------------------------------------------------------------ probabilities

    def distribution(self, smoothing: str | None = None, default: str = "none") -> Distribution:
        """The model's probabilities under a smoothing, for example `kn` or `lidstone:0.1`.

        None means `default`, or the model's own probabilities if it holds no counts; NeedsCounts if it holds
        none and a smoothing is named.
        """
        return self.language_model.distribution(smoothing, default)

    def uses_raw_counts(self, smoothing: str | None) -> bool:
        """True if a smoothing of that name means raw counts in this model."""
        return self.language_model.uses_raw_counts(smoothing)

    def checked(self, call: Any, *args: Any) -> Any:
        """Run something on the table; an index out of bounds or an impossible sum means a damaged file."""
        return self.language_model.checked(call, *args)

    def predictor(self, smoothing: str | None = "kn", name: str = "the model") -> Predictor:
        """Scores token streams with this model; a model that holds probabilities has only its own smoothing."""
        from ..scoring.predictor import predictor_of

        return predictor_of(self.language_model, smoothing, name)

    def score(
        self,
        paths: Paths = (),
        *,
        texts: Texts = (),
        smoothing: str | None = None,
        within: bool = False,
        open_end: bool = False,
        adapt: bool = False,
        spell: bool = False,
        encoding: str = "utf-8",
        max_expansion: float = EXPANSION,
        jsonl: str | None = None,
        csv: str | int | None = None,
        parquet: str | None = None,
        skip_bad: bool = False,
        markers: str = "text",
        strip: str | None = None,
        jobs: int = 1,
    ) -> Score:
        """Score text: tokens, OOV, bits, perplexity; see `score`.

        >>> import markov_cli
        >>> model = markov_cli.train(texts=["a b. a c."])
        >>> found = model.score(texts=["a b."], smoothing="none")
        >>> found.tokens, found.perplexity  # a, b, . and </s>; b and c are equally likely
        (4, 1.189207115002721)
        """
        from ..scoring.predictor import Borders, predictors_of
        from .score_results import score_of, totals_of

        borders, names = Borders(within, open_end), [self.path or "the model"]
        (predictor,) = predictors_of([self.language_model], smoothing, names, adapt, borders, spell)
        sources = sources_of(
            paths, texts, max_expansion, record_format(jsonl, csv, parquet, skip_bad=skip_bad), markers, strip
        )
        return score_of(*totals_of(predictor, sources, check_encoding(encoding), jobs))

    # ------------------------------------------------------------ histories

    def known(self, text: str, at_start: bool = False, ignore_case: bool = False) -> PromptMatch:
        """Read a text as ids, and find the longest history that its end makes.

        >>> import markov_cli
        >>> match = markov_cli.train(texts=["a b a c a b"]).known("c a")
        >>> len(match.ids), match.level
        (2, 2)

        at_start     the text is the beginning of a sequence, so its history begins with `<s>`
        ignore_case  `You` also matches `you`, whichever is the best known history

        HistoryError if the model knows none of its tokens.
        """
        return find_prompt(self.language_model, text, at_start, ignore_case)

    def follow(self, level: int, row: int, top: int | None = None, smoothing: str | None = None) -> Followers:
        """The followers of the history in one row of the table, the most frequent first.

        level, row  of a `PromptMatch`: tokens of the history, and its row
        top         None for all
        smoothing   None for raw counts; the likeliest come first under another
        """
        if top is not None:
            whole("top", top)
        return followers_of(self.language_model, level, row, top, smoothing)

    def backoff(self, known: PromptMatch, top: int | None = None, smoothing: str | None = None) -> list[Followers]:
        """The followers of a history and of each shorter one, down to no history; see `known`."""
        if top is not None:
            whole("top", top)
        return backoff(self.language_model, known.level, known.row, top, smoothing)

    def followers(
        self,
        history: str = "",
        *,
        at_start: bool = False,
        ignore_case: bool = False,
        top: int | None = None,
        smoothing: str | None = None,
    ) -> Followers:
        """The followers of the longest known end of a history, the most frequent first.

        history      text
        at_start     the history is the beginning of a sequence; without a history, what sequences begin with
        ignore_case  `You` also matches `you`
        top          None for all
        smoothing    None for raw counts, or the probabilities that the model holds

        HistoryError if the model knows none of its tokens.

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
        adapt: bool = False,
        constraints: Constraints | None = None,
        novel: int | None = None,
        corpus: Paths = (),
        corpus_texts: Texts = (),
        max_expansion: float = EXPANSION,
        jsonl: str | None = None,
        csv: str | int | None = None,
        parquet: str | None = None,
        skip_bad: bool = False,
        markers: str = "text",
        strip: str | None = None,
        unique: bool = False,
    ) -> Iterator[Text]:
        """Draw texts; text i of a seed is the same for any `count`, and as in `markov generate`.

        count        number of texts
        seed         the same seed draws the same texts; None to choose one, which is in `Text.seed`
        prompt       each text begins with it; with `within` it is the middle of a sequence, not its beginning
        ignore_case  `You` also matches `you`, in the prompt and in constraints
        min_tokens   shorter texts are drawn again; there may be fewer texts than `count`
        max_tokens   longer texts are cut; the prompt's tokens count
        temperature  above 1 flattens the probabilities, below 1 sharpens them; 0 always takes the likeliest token
        top_k        only the K likeliest followers; 0 for all
        top_p        only the likeliest followers that together have probability P
        smoothing    the distribution to draw from; see `distribution`
        adapt        the text so far changes the probabilities; the model must be tuned for it, see `tune`
        constraints  properties that each text must have; texts are not cut then. AnswerIsNo if no text has them
        novel        no text has this many tokens in a row in common with the training text, which is `corpus` or
                     known from the model's guard; there may be fewer texts than `count`
        corpus, corpus_texts  files, and texts themselves; the longest run that each text shares with them is in
                     `Text.overlap`
        jsonl, csv, parquet, skip_bad  the texts of `corpus` are in a field of records, as in `train`
        max_expansion, markers, strip  how files are read, as in `train`
        unique       no text is given twice; there may be fewer texts than `count`

        >>> import markov_cli
        >>> model = markov_cli.train(texts=["a b. a c. d b. d c."])
        >>> asked = markov_cli.Constraints(contains=["c"], starts_with="d")
        >>> [text.text for text in model.generate(2, 1, constraints=asked)]
        ['d c.', 'd c.']
        """
        from ..generation.run import Run  # loads much that other commands do not need

        records = record_format(jsonl, csv, parquet, skip_bad=skip_bad)
        request = Request(
            count, seed, prompt, within, ignore_case, min_tokens, max_tokens, Shape(temperature, top_k, top_p),
            smoothing, constraints or Constraints(), novel,
            tuple(sources_of(corpus, corpus_texts, max_expansion, records, markers, strip)),
            unique=unique,
            adapt=adapt,
        )  # fmt: skip
        return Run(self.language_model, request).texts()

    def stream(
        self,
        seed: int | None = None,
        *,
        prompt: str = "",
        within: bool = False,
        ignore_case: bool = False,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        smoothing: str | None = None,
        adapt: bool = False,
    ) -> Iterator[StreamedToken]:
        """Draw the texts of a seed token by token, without end; the marker `</s>` ends each.

        The arguments are those of `generate`, and so are the texts.

        >>> import itertools, markov_cli
        >>> model = markov_cli.train(texts=["a b."])
        >>> [one.token for one in itertools.islice(model.stream(seed=1), 5)]
        ['a', 'b', '.', None, 'a']
        """
        from ..generation.run import Run

        request = Request(
            seed=seed, prompt=prompt, within=within, ignore_case=ignore_case,
            shape=Shape(temperature, top_k, top_p), smoothing=smoothing, adapt=adapt,
        )  # fmt: skip
        request.check_stream()
        run = Run(self.language_model, request)
        for index, i, bits in run.tokens():
            marker = self.vocabulary.marker(i)
            token = None if marker else self.vocabulary.text_of(i)
            yield StreamedToken(token=token, marker=marker, bits=bits, seed=run.seed, index=index)


ModelLike = Model | str | os.PathLike[str]


def opened(model: ModelLike) -> Model:
    """A model as it is given, or the one in a file."""
    return model if isinstance(model, Model) else Model.load(model)


def guard_figures(model: Model, in_audit: bool | None = None) -> GuardFigures | None:
    """Figures of the model's guard, if it has one."""
    g = model.table.guard
    return None if g is None else GuardFigures(g.tokens, g.n, 8 * g.n_bytes, g.bits_each, g.rate, in_audit)
