"""Makes models from models: `merge`, `update`, `prune`, `prune_by_entropy`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from ..errors import MarkovError, OptionError
from ..formats.ngram_listing import Notes
from ..model import merging
from ..model.distribution import Distribution
from ..model.fingerprints import RATE
from ..model.header import Header
from ..model.language_model import LanguageModel
from ..model.merging import Stored
from ..model.thresholds import Protection
from ..scoring.predictor import checked_weights, predictors_of
from ..text.record_format import record_format
from ..text.sources import EXPANSION, Paths, Texts, listed, sources_of
from ..text.word_list import WordList, Words
from ..training.options import no_progress
from ..training.plan import Resources
from ..training.plan import train_file as plan_training
from .model import Model, ModelLike, opened
from .results import OPTIONAL, PYTHON_ONLY, Result
from .train import Progress, TrainedFile, options_of, train, trained_file, words_of

T = TypeVar("T")


def stored_of(model: Model, name: str) -> Stored:
    """The model as the engine adds and takes away counts."""
    return Stored(model.header, model.vocabulary.types(), model.table, name)


def _model(stored: Stored) -> Model:
    return Model(LanguageModel.of(stored.header, stored.types, stored.table))


def merge(models: Iterable[ModelLike], weights: Sequence[float] = (), *, jobs: int = 1) -> Model:
    """Merge models into one, as if it had been trained on all their texts.

    models   models, or their files
    weights  one for each model: its counts are multiplied by it

    MarkovError if they do not read text alike, or one lacks n-grams or types.

    >>> import markov_cli
    >>> a, b = (markov_cli.train(texts=[t]) for t in ("one two", "one three"))
    >>> [(f.token, f.count) for f in markov_cli.merge([a, b]).followers("one").followers]
    [('three', 1), ('two', 1)]
    """
    every = [opened(model) for model in models]
    stored = [stored_of(m, m.path or f"model {i}") for i, m in enumerate(every, 1)]
    return _model(model_guard(every, merging.merge, stored, weights, jobs))


def static_mixture(
    models: Iterable[ModelLike], weights: Sequence[float] = (), *, smoothing: str | None = None
) -> Model:
    """Make one model of probabilities from mixed ones: static interpolation, as SRILM's `-mix-lm -write-lm`.

    models     models, or their files, of any orders
    weights    one for each model; equal ones if none are given
    smoothing  of models that hold counts; None for `kn`

    An n-gram of any of the models gets the mixture's probability, sum of weight_k p_k; others back off, so that each
    distribution sums to 1. `Model.notes` tells of models whose own do not.

    OptionError for a smoothing that does not back off, or wrong weights; MarkovError if the models do not read text
    alike; NeedsCounts if a smoothing is named and every model holds probabilities.

    >>> import markov_cli
    >>> a, b = (markov_cli.train(texts=[t], order=2) for t in ("one two", "one three"))
    >>> mixed = markov_cli.static_mixture([a, b], [3, 1], smoothing="wb")
    >>> [(f.token, round(f.probability, 4)) for f in mixed.followers("one", top=2).followers]
    [('two', 0.4844), ('three', 0.1615)]
    """
    from ..model.static_mixture import Mixable
    from ..model.static_mixture import static_mixture as mix

    every = [opened(model) for model in models]
    if smoothing == "blend":
        for model in every:
            model.language_model.distribution(smoothing)  # refuses what does not back off
    names = [m.path or f"model {i}" for i, m in enumerate(every, 1)]
    shares, _ = checked_weights(weights or [1.0] * len(every), len(every), "--model-weights")
    parts = [
        Mixable(cast(Distribution, p.scorers[0].distribution), m.vocabulary.types(), m.header, p.name)
        for m, p in zip(every, predictors_of([m.language_model for m in every], smoothing, names), strict=True)
    ]
    found = model_guard(every, mix, parts, shares)
    model = Model(LanguageModel.of(found.header, found.types, found.table))
    model.notes = Notes(said=found.notes)
    return model


def update(
    model: ModelLike,
    paths: Paths = (),
    *,
    texts: Texts = (),
    vocab: Words | None = None,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
    weights: bool = False,
    weights_field: str | int | None = None,
    name: str | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Model:
    """Add text to a model; the result is the model of both texts. The text is read as the model's was.

    paths, texts   files, folders, `-`; and texts themselves
    vocab          the word list that the model was trained with, and only that
    encoding       of the files
    max_expansion  refuse a compressed file that expands to more than 1 GiB and this many times its size; 0 for no limit
    jsonl, csv, parquet, skip_bad, weights, weights_field  the text is in a field of records, as in `train`
    strip          html or srt, as in `train`
    markers        how `<s>`, `</s>` and `<unk>` in it are read, as in `train`
    name           what messages call the model; None for its file
    progress       called with a step's name, and how much of it is done and in all

    MarkovError if the model lacks n-grams or types; TextError if the text has no token.

    >>> import markov_cli
    >>> model = markov_cli.update(markov_cli.train(texts=["one two"]), texts=["one three"])
    >>> [(f.token, f.count) for f in model.followers("one").followers]
    [('three', 1), ('two', 1)]
    """
    stored, words = _updatable(model, name, vocab, encoding)
    o = stored.header.options
    more = train(
        paths, texts=texts, order=stored.header.order, tokenizer=o.tokenizer, unit=o.unit, lowercase=o.lowercase,
        pattern=o.pattern, keep_newlines=o.keep_newlines, vocab=words, encoding=encoding, max_expansion=max_expansion,
        jsonl=jsonl, csv=csv, parquet=parquet, skip_bad=skip_bad, markers=markers, strip=strip, weights=weights,
        weights_field=weights_field, jobs=jobs, progress=progress, guard_like=stored.table.guard,
    )  # fmt: skip
    if progress is not None:
        progress("merging", 0, 1)
    both = [stored, stored_of(more, "the new text")]
    out = _model(model_guard([opened(model)], merging.merge, both, (), jobs))
    out.repairs = more.repairs
    return out


def update_file(
    model: ModelLike,
    paths: Paths,
    output: str | os.PathLike[str],
    *,
    vocab: Words | None = None,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
    weights: bool = False,
    weights_field: str | int | None = None,
    name: str | None = None,
    jobs: int = 1,
    memory: int | None = None,
    temp_dir: str | os.PathLike[str] | None = None,
    dask: str | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> TrainedFile:
    """Add text of any size to a model and write the result to a file; the bytes are those that `update` gives.

    output  the file, which may be the model's own; it is replaced as a whole
    memory, temp_dir, dask, resume, say  as in `train_file`
    The others are those of `update`: vocab, encoding, max_expansion, jsonl, csv, parquet, skip_bad, markers, strip,
    weights, weights_field, name, jobs and progress.

    MarkovError if the model lacks n-grams or types, or if memory or disk do not suffice; TextError if the text has no
    token.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = pathlib.Path(folder, "a.txt")
    ...     _ = text.write_text("one three")
    ...     old = markov_cli.train(texts=["one two"])
    ...     model, n_bytes = markov_cli.update_file(old, text, text.with_suffix(".npz"))
    ...     [(f.token, f.count) for f in model.followers("one").followers]
    [('three', 1), ('two', 1)]
    """
    stored, words = _updatable(model, name, vocab, encoding)
    records = record_format(jsonl, csv, parquet, counted=weights, times=weights_field, skip_bad=skip_bad)
    header, guard = stored.header, stored.table.guard
    options = options_of(
        header.order, header.options, True, 1, None, words, (), None, Protection(), encoding,
        0 if guard is None else guard.tokens, RATE, jobs, records,
    )  # fmt: skip
    if guard is not None:
        options = replace(options, guard_bits=guard.bits)
    sources = sources_of(paths, (), max_expansion, records, markers, strip)
    resources = Resources(memory, None if temp_dir is None else os.fspath(temp_dir), resume, dask)
    plan = (sources, options, os.fspath(output), resources, progress or no_progress, say, stored)
    return trained_file(model_guard([opened(model)], plan_training, *plan), os.fspath(output))


def _updatable(
    model: ModelLike, name: str | None, vocab: Words | None, encoding: str
) -> tuple[Stored, WordList | None]:
    """A model that text can be added to, and the words to read it with."""
    old = opened(model)
    name = name or old.path or "the model"
    stored = stored_of(old, name)
    merging.check_whole(stored, "added to")
    words = words_of(vocab, encoding, old.header.options)
    check_words(old.header, words, name)
    return stored, words


def check_words(header: Header, words: WordList | None, name: str) -> None:
    """MarkovError where a text is not to be read with the words of the model."""
    own, n = header.vocab_hash, header.vocab_words
    if own is None and words is None:
        return
    if own is None:
        raise MarkovError(
            f"--vocab {words and words.name}, but {name} was trained without a word list",
            "leave --vocab out, or train both texts with it",
        )
    if words is None or words.fingerprint != own:
        given = "" if words is None else f", and {words.name} has {len(words):,} others"
        raise MarkovError(
            f"{name}: trained with a word list of {n:,} words{given}", "give the same list again: --vocab FILE"
        )


def prune(
    model: ModelLike,
    thresholds: Sequence[int] = (),
    *,
    max_types: int | None = None,
    vocab: Words | None = None,
    keep_guard: bool = True,
    jobs: int = 1,
) -> Model:
    """Drop rare n-grams, rare types, n-grams of other words, or the guard of a model.

    thresholds  n-grams of order 1, 2, 3... that occur at most this often are dropped; the first must be 0; the
                last also holds for higher orders
    max_types   keep this many types, the commonest; the others become `<unk>`. This is done first
    vocab       a file with a word on each line, or words: n-grams with other types are dropped, as by lmplz's
                `--limit_vocab_file`: discounts and totals stay those of all of the text
    keep_guard  False leaves out the guard

    OptionError if nothing is named; NeedsCounts if the model holds no counts.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["a b a b a c"], order=2)
    >>> [f.token for f in markov_cli.prune(model, (0, 1)).followers("a").followers]
    ['b']
    """
    one = opened(model)
    by_count = bool(thresholds) or max_types is not None or vocab is not None
    if not by_count and keep_guard:
        raise OptionError(
            "no way to prune is named", "thresholds such as (0, 0, 1), max_types, vocab, keep_guard=False"
        )
    if not keep_guard:
        one = without_guard(one)
    if not by_count:
        return one
    stored = stored_of(one, one.path or "the model")
    words = words_of(vocab, "utf-8", one.header.options)
    return _model(model_guard([one], merging.prune, stored, tuple(thresholds), max_types, words, jobs))


def without_guard(model: Model) -> Model:
    """The model without the guard of its text."""
    out = Model(LanguageModel(model.header, model.vocabulary, replace(model.table, guard=None)))
    out.path = model.path
    return out


@dataclass(frozen=True, kw_only=True)
class EntropyPruning(Result):
    """A model that was pruned by relative entropy, and what that costs. Its JSON begins with the model's summary.

    model                     holds probabilities
    ngrams_before, ngrams_after  by order
    threshold                 each n-gram that was dropped raises the perplexity by less, as a share, if it goes alone
    perplexity_rise_estimate  by how much the perplexity rises under the model itself, as a share
    perplexity_before, perplexity_after  of the held-out text; None without one
    """

    model: Model = field(metadata=PYTHON_ONLY, repr=False)
    ngrams_before: tuple[int, ...]
    ngrams_after: tuple[int, ...] = field(metadata=PYTHON_ONLY)
    threshold: float
    perplexity_rise_estimate: float
    perplexity_before: float | None = field(default=None, metadata=OPTIONAL)
    perplexity_after: float | None = field(default=None, metadata=OPTIONAL)

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it, after the summary of the model."""
        return {**self.model.summary().to_dict(), **self.figures()}

    def figures(self) -> dict[str, Any]:
        """The result without the summary of the model."""
        return super().to_dict()


def prune_by_entropy(
    model: ModelLike,
    *,
    threshold: float | None = None,
    n_bytes: int | None = None,
    smoothing: str | None = None,
    heldout: Paths = (),
    heldout_texts: Texts = (),
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    markers: str = "text",
    strip: str | None = None,
    keep_guard: bool = True,
    jobs: int = 1,
) -> EntropyPruning:
    """Drop the n-grams whose loss changes the model's distribution least (Stolcke 1998).

    threshold  drop each n-gram whose loss alone raises the perplexity by less than this share; or
    n_bytes    drop n-grams until the model's file has at most this many bytes
    smoothing  of the distribution; None for kn, or the probabilities that the model holds
    heldout, heldout_texts  text that is scored before and after
    encoding, max_expansion, markers, strip  how it is read, as in `train`
    keep_guard  False leaves out the guard

    OptionError if the size cannot be reached (types are not pruned), or not one of threshold and n_bytes is given.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["a b a b a c", "a b b"], order=2)
    >>> found = markov_cli.prune_by_entropy(model, threshold=0.01, smoothing="wb")
    >>> found.ngrams_before, found.ngrams_after
    ((6, 7), (6, 6))
    """
    if (threshold is None) == (n_bytes is None):
        raise OptionError("threshold or n_bytes: one of them must be given", "for example threshold=1e-7")
    if threshold is not None and not threshold >= 0:
        raise OptionError(f"threshold {threshold}: must be 0 or more", "for example threshold=1e-7")
    from ..model.entropy_pruned_model import pruned_by_entropy

    one = opened(model)
    if not keep_guard:
        one = without_guard(one)
    distribution = one.distribution(smoothing, "kn")
    pruned = one.checked(pruned_by_entropy, one.language_model, distribution, threshold, n_bytes)
    found = EntropyPruning(
        model=Model(pruned.model),
        ngrams_before=pruned.before,
        ngrams_after=tuple(len(o) for o in pruned.model.table.orders),
        threshold=pruned.threshold,
        perplexity_rise_estimate=pruned.rise,
    )
    paths, texts = listed(heldout), listed(heldout_texts)
    if not paths and not texts:
        return found
    read: dict[str, Any] = {
        "encoding": encoding, "max_expansion": max_expansion, "markers": markers, "strip": strip, "jobs": jobs
    }  # fmt: skip
    before, after = (
        m.score(paths, texts=texts, smoothing=method, **read).perplexity
        for m, method in ((one, smoothing), (found.model, None))  # the second holds its probabilities already
    )
    return replace(found, perplexity_before=before, perplexity_after=after)


def model_guard(models: Sequence[Model], call: Callable[..., T], *args: object) -> T:
    """Damage that opening a file does not see is an error here, and no crash."""
    return models[0].checked(call, *args) if models else call(*args)
