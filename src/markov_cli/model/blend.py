"""A mixture of Kneser-Ney and class n-gram models, from one table of counts: `--smoothing blend`.

Legend: h is a history; K sets of classes.

    p(w | h) = w_0 p_KN(w | h) + sum over k of w_k p_k(w | h)     p_k as in class_model.py

Each part sums to 1 and the weights do, so p does. The weights are found on held-out text by `markov
tune`, or here, from the counts: every n-gram is predicted as if one occurrence of it were left out.
"""

from __future__ import annotations

import math

import numpy as np

from ..arrays.threads import ordered_map
from ..errors import MarkovError, ModelFileError
from ..text.types import N_MARKERS
from .blend_parameters import BlendParameters
from .class_model import ClassModel, are_classes
from .classes import classes_by_exchange
from .count_column import DAMAGED
from .discounts import SmoothingMethod
from .distribution import full_distribution
from .leave_one_out import left_out, predicted
from .mixture_weights import estimated_weights
from .smoothing import Smoothed
from .table import Table

MOST_UNTUNED = 200  # classes of a model that was not tuned; twice the square root of its types where that is less
SLOW_IDS = 50_000  # from so many on, a log-linear mixture says what it costs
_SAMPLE = 1 << 16  # n-grams of each length that weights are found from


class Blend:
    """The distributions of a table that are mixed, and their weights.

    words    Kneser-Ney
    classes  K class models
    weights  float64 (1 + K,), with sum 1
    parameters  what `markov tune` found; None if the weights are from the counts
    """

    sums_to_one = True
    method = "blend"
    minds_missing = False

    def __init__(
        self,
        table: Table,
        classes: list[ClassModel],
        weights: np.ndarray | None = None,
        parameters: BlendParameters | None = None,
    ) -> None:
        self.table, self.classes, self.parameters = table, classes, parameters
        self.words = Smoothed(table, SmoothingMethod("kn"))
        self.weights = self.weights_left_out() if weights is None else weights

    @property
    def fell_back(self) -> list[int]:
        """Orders whose Kneser-Ney discounts could not be estimated."""
        return self.words.fell_back

    @property
    def notes(self) -> list[str]:
        """Notes for the user: a model that was not tuned."""
        if self.parameters is not None:
            n = self.table.n_ids
            slow = self.parameters.mixture == "log-linear" and n >= SLOW_IDS
            return [f"blend: log-linear: each token takes a sum over {n:,} types; a linear one is faster"] * slow
        n = sum(len(one.total) - N_MARKERS for one in self.classes)
        said = f"{n} classes and their weights come" if n else "the weights come"
        return [f"blend: not tuned: {said} from the counts, by leaving one out; markov tune finds better ones"]

    @property
    def n_parts(self) -> int:
        """Number of distributions that are mixed."""
        return 1 + len(self.classes)

    def whole(self, ids: list[int]) -> np.ndarray:
        """p of every id after a text that ends in `ids`: float64 (V,); BOS, which is never predicted, has 0."""
        level, row = self.table.find(ids)
        p: np.ndarray = self.weights[0] * full_distribution(self.words, level, row)
        for weight, one in zip(self.weights[1:].tolist(), self.classes, strict=True):
            place = one.table.find(one.class_of[ids].tolist())
            p += weight * one.whole(full_distribution(one.distribution, *place))
        return p

    def weights_left_out(self) -> np.ndarray:
        """Weights from the counts alone, by leaving one out: float64 (1 + K,)."""
        p, count = [], []
        for ids, times in predicted(self.table, _SAMPLE):
            columns = [left_out(self.words, ids)]
            for one in self.classes:
                within = (one.count - 1) / np.maximum(one.total[one.class_of] - 1, 1)
                token = ids[:, -1]
                columns.append(left_out(one.distribution, one.class_of[ids]) * np.maximum(within, 0.0)[token])
            p.append(np.stack(columns, axis=1))
            count.append(times)
        if not p:
            return np.full(self.n_parts, 1.0 / self.n_parts)
        return estimated_weights(np.concatenate(p), np.concatenate(count))


def check_blendable(table: Table) -> None:
    """MarkovError for tables that a blend cannot be derived from."""
    if table.pruned or table.capped or not table.borders:
        capped = "a model of capped counts" if table.borders else "trained with --no-borders"
        what = "pruned" if table.pruned else capped
        raise MarkovError(
            f"--smoothing blend: the model is {what}, and class n-grams need every count",
            "use --smoothing kn, or train without --prune, --min-sequences, --min-files and --cap-per-sequence",
        )


def tuned_blend(table: Table, parameters: BlendParameters, jobs: int = 1) -> Blend:
    """The blend that `markov tune` found; ModelFileError for classes that are none."""
    check_blendable(table)
    if not all(are_classes(class_of) for class_of in table.classes):
        raise ModelFileError("classes that are not numbered as they must be", DAMAGED)
    classes = [*ordered_map(lambda class_of: ClassModel(table, class_of), table.classes, jobs)]
    return Blend(table, classes, np.array(parameters.weights), parameters)


def untuned_blend(table: Table) -> Blend:
    """The blend of a model without tuned parameters."""
    check_blendable(table)
    classes = []
    if table.order > 1:
        n = min(MOST_UNTUNED, 2 * math.isqrt(table.n_ids - N_MARKERS))
        classes = [ClassModel(table, classes_by_exchange(table, n))]
    return Blend(table, classes)
