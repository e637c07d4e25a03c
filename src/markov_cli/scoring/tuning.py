"""Finds the parameters of a blend on held-out text: classes, weights, half-life.

Legend: N tokens of held-out text; K sets of classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..arrays.threads import ordered_map
from ..errors import MarkovError, OptionError
from ..model.blend import Blend, check_blendable
from ..model.blend_parameters import BlendParameters
from ..model.class_model import ClassModel
from ..model.classes import classes_by_exchange
from ..model.language_model import LanguageModel
from ..model.mixture_weights import estimated_weights, mean_bits, rounded, weights_by_hit
from ..text.marker_stream import Stream
from ..text.reading import Repairs, Source
from ..text.types import BOS, EOS, N_MARKERS, UNK
from .blended import BlendScorer
from .log_linear import LogLinear
from .log_linear_tuning import fit_log_linear
from .predictor import Predictor
from .recent_text import Window, estimated_discount, recent, windows
from .text_totals import Reading, check_known, no_token
from .totals import Totals

CLASSES = (100, 200, 400)
MOST_SETS = 64
HALF_LIVES = (25, 50, 100, 200, 400, 800, 1600)  # of recent words, of which the best is taken

Progress = Callable[[str, float, float], None]


@dataclass(frozen=True)
class Part:
    """One part of a blend.

    name     for people
    weight   mean weight in the mixture
    alone    perplexity of the held-out text with this part alone; NaN for a part that is no distribution by itself
    without  perplexity with all other parts, their weights found anew
    """

    name: str
    weight: float
    alone: float
    without: float


@dataclass(frozen=True)
class TunedBlend:
    """A model with the parameters of its blend, and figures of the held-out text.

    kn, static, tuned  perplexity, OOV included: under Kneser-Ney, the linear blend, and all of the blend
    sampled    tokens that `tuned` is estimated from; None if all
    """

    model: LanguageModel
    parts: tuple[Part, ...]
    totals: Totals
    repairs: Repairs
    kn: float
    static: float
    tuned: float
    sampled: int | None


class HeldOut:
    """Held-out text under each part of a blend.

    parts     float64 (N, 1 + K)
    windows   ids, documents, index of the first new one: together N + BOS new ones
    """

    def __init__(self, model: LanguageModel, blend: Blend, sources: Sequence[Source], encoding: str, jobs: int) -> None:
        self.scorer = BlendScorer(blend)
        predictor = Predictor("the model", model.header.options, [model.vocabulary], [self.scorer], guard=model.checked)
        reading = Reading(predictor, sources, encoding, jobs)
        recoder = reading.recoder

        def one(item: tuple[Stream, list[Window]]) -> tuple[np.ndarray, np.ndarray, list[Window]]:
            stream, found = item
            ids = recoder.ids(0, stream.codes)
            p, _ = model.checked(self.scorer.parts, ids)
            new = slice(stream.context, None)
            before = [replace(w, codes=recoder.ids(0, w.codes).astype(np.int64)) for w in found]
            return ids[new].astype(np.int64), p[new], before

        ids, parts, self.windows = [], [], []
        for some, p, before in ordered_map(one, windows(reading.streams()), jobs):
            ids.append(some)
            parts.append(p[some != BOS])
            self.windows += before
        every = np.concatenate(ids) if ids else np.empty(0, np.int64)
        if not len(every):
            raise no_token(reading)
        self.ids = every[every != BOS]
        self.parts = np.concatenate(parts)
        ends = int(np.count_nonzero(self.ids == EOS))
        self.totals = Totals(len(self.ids), int(np.count_nonzero(self.ids == UNK)), ends, ends)
        check_known(self.totals, predictor)
        self.repairs = reading.repairs

    def recent(self, half_life: int, discount: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Recent words and n-grams, float64 (N,) each, the first NaN where nothing was read; hits, int64 (N,)."""
        words, ngrams, hits = [], [], []
        for window in self.windows:
            found = recent(window.codes, window.document, half_life, discount, self.scorer.base(window.codes))
            said = np.flatnonzero(window.codes != BOS)
            said = said[said >= window.new]
            words.append(found.words[said])
            ngrams.append(found.ngrams[said])
            hits.append(found.hit[said])
        return np.concatenate(words), np.concatenate(ngrams), np.concatenate(hits)

    def discount(self) -> float:
        """Discount of recent n-grams."""
        codes = [w.codes[w.new :] for w in self.windows]
        documents = [w.document[w.new :] for w in self.windows]
        return estimated_discount(np.concatenate(codes), np.concatenate(documents))


def tune_blend(
    model: LanguageModel,
    sources: Sequence[Source],
    n_classes: Sequence[int] = CLASSES,
    adapt: bool = False,
    log_linear: bool = False,
    encoding: str = "utf-8",
    jobs: int = 1,
    progress: Progress | None = None,
) -> TunedBlend:
    """The model with a tuned blend.

    n_classes  of each set of classes
    adapt      also find the parameters of what was read before
    log_linear  a log-linear mixture, which is better and slower

    OptionError for impossible numbers of classes; MarkovError for a model without all counts; TextError for a text
    without tokens.
    """
    check_classes(n_classes)
    table = model.table
    if not model.holds_counts or model.header.holds != "counts":
        raise MarkovError(
            f"tune: the model holds {model.header.holds}, and classes are found from whole counts",
            "train a model from text: markov train TEXT -o MODEL",
        )
    check_blendable(table)
    sets = []
    for k, n in enumerate(n_classes if table.order > 1 else ()):
        if progress is not None:
            progress("classes", k, len(n_classes))
        sets.append(model.checked(classes_by_exchange, table, min(n, max(table.n_ids - N_MARKERS, 1))))
    classes = [model.checked(ClassModel, table, one, jobs) for one in sets]
    blend = Blend(table, classes, np.full(1 + len(classes), 1.0 / (1 + len(classes))))
    if progress is not None:
        progress("held-out text", 0, 1)
    held_out = HeldOut(model, blend, sources, encoding, jobs)
    weights = rounded(estimated_weights(held_out.parts))
    parameters = BlendParameters("linear", weights)
    names = ["n-grams of words", *(f"n-grams of {n:,} classes" for n in n_classes[: len(classes)])]
    found = _static_parts(held_out.parts, np.array(weights), names)
    static = tuned = _perplexity(held_out.parts @ np.array(weights))
    if adapt:
        parameters, more, tuned = _adapted(held_out, parameters)
        found += [] if log_linear else more
    sampled = None
    if log_linear:
        blend.weights, blend.parameters = np.array(weights), parameters
        found_logs = fit_log_linear(LogLinear(blend), held_out.windows, parameters, static)
        parameters, sampled = found_logs.parameters, found_logs.sampled
        found += [Part(name, w, float("nan"), without) for name, w, without in found_logs.parts]
        tuned = found_logs.tuned
    header = replace(model.header, blend=parameters)
    out = LanguageModel(header, model.vocabulary, replace(table, classes=sets))
    kn = _perplexity(held_out.parts[:, 0])
    return TunedBlend(out, tuple(found), held_out.totals, held_out.repairs, kn, static, tuned, sampled)


def check_classes(n_classes: Sequence[int]) -> None:
    """OptionError for impossible numbers of classes."""
    shown = ",".join(map(str, n_classes))
    if not n_classes or len(n_classes) > MOST_SETS or any(not 1 <= n < (1 << 16) - N_MARKERS for n in n_classes):
        raise OptionError(
            f"--classes {shown}: 1 to {MOST_SETS} numbers from 1 to {(1 << 16) - N_MARKERS - 1:,}",
            "for example --classes 100,200,400",
        )


def _perplexity(p: np.ndarray) -> float:
    return float(2.0 ** mean_bits(p))


def _static_parts(p: np.ndarray, weights: np.ndarray, names: list[str]) -> list[Part]:
    out = []
    for k, name in enumerate(names):
        others = np.delete(p, k, axis=1)
        without = _perplexity(others @ estimated_weights(others)) if others.shape[1] else float("nan")
        out.append(Part(name, float(weights[k]), _perplexity(p[:, k]), without))
    return out


def _adapted(held_out: HeldOut, before: BlendParameters) -> tuple[BlendParameters, list[Part], float]:
    """Parameters of recent words and n-grams, the two parts, and the perplexity with both."""
    static = held_out.parts @ np.array(before.weights)
    discount = held_out.discount()
    best: tuple[float, int, np.ndarray, np.ndarray] | None = None
    for half_life in HALF_LIVES:
        words, ngrams, hit = held_out.recent(half_life, discount)
        p = np.stack((static, np.where(np.isnan(words), static, words), ngrams), axis=1)
        weights = weights_by_hit(p, hit)
        bits = mean_bits((weights[hit] * p).sum(1))
        if best is None or bits < best[0] - 1e-9:
            best = bits, half_life, weights, p
    assert best is not None
    bits, half_life, weights, p = best
    parts = []
    for k, name in ((1, "recent words"), (2, "recent n-grams")):
        others = np.delete(p, k, axis=1)
        without = (weights_by_hit(others, hit)[hit] * others).sum(1)
        parts.append(Part(name, float(weights[hit, k].mean()), float("nan"), _perplexity(without)))
    rows = tuple(rounded(row) for row in weights)
    after = replace(before, adapt=rows, half_life=half_life, discount=discount)
    return after, parts, _perplexity((np.array(rows)[hit] * p).sum(1))
