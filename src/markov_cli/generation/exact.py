"""Exact conditioning: chooses the calculation that makes texts meet constraints, if one of affordable size exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..model.discounts import BLEND
from ..model.distribution import Distribution
from ..model.language_model import LanguageModel
from ..model.listed import Listed
from ..model.smoothing import Smoothed
from ..model.table import Table
from ..sampling import backoff_graph, backoff_weights, state_graph, success_weights
from ..sampling.alias_tables import backs_off
from ..sampling.automata import DEAD, Automaton
from ..sampling.backoff_graph import BackoffGraph
from ..sampling.backoff_mixture import raw_graph, union_graphs, without_runs
from ..sampling.backoff_walker import ExactBackoff
from ..sampling.shape import Shape
from ..sampling.shaped_graph import TooLarge, shaped_histories
from ..sampling.walkers import Exact
from ..text.types import BOS, UNK
from .batches import TextModel
from .mixture import MixedModel

MEMORY = 1 << 31  # bytes that the calculation may take
WORK = 300_000_000  # state transitions times tokens for a limited length: a few seconds

# feasible(automaton, with_lengths): some text of the model meets it; None where that is not known
Feasible = Callable[[Automaton, bool], bool]


class TooMuch(Exception):
    """The calculation is not possible; the message is the reason."""


class NoText(Exception):
    """No text of the model meets the constraints; `feasible` tells which of them can be met."""

    def __init__(self, feasible: Feasible) -> None:
        super().__init__()
        self.feasible = feasible


@dataclass(frozen=True)
class Task:
    """The texts to draw.

    history   level and row before the first token
    automaton, ids  accepts the texts; it has read the prompt, `ids`
    at_start  the text opens a sequence
    shortest, longest  number of tokens to draw
    """

    shape: Shape
    history: tuple[int, int]
    automaton: Automaton
    ids: list[int]
    at_start: bool
    shortest: int
    longest: int

    @property
    def state(self) -> int:
        """State of the automaton after the prompt."""
        return self.automaton.after(self.ids)

    def layers(self, states: int, steps: int, bytes_each: int = 8) -> int | None:
        """Number of tokens to calculate weights for, one by one; None where they must be solved for all lengths.

        TooMuch where even the least length is too much.
        """

        def affordable(layers: int) -> bool:
            return layers * states * bytes_each <= MEMORY // 2 and layers * steps <= WORK

        if affordable(self.longest + 1):
            return self.longest + 1
        if not affordable(self.shortest + 1):
            raise TooMuch(f"{self.shortest:,} tokens are too many for an exact calculation")
        return None


def n_rows(model: TextModel) -> int:
    """Number of rows of a model's table, or of a mixture's."""
    if isinstance(model, MixedModel):
        return sum(map(n_rows, model.models))
    assert isinstance(model, LanguageModel)
    return backoff_graph.estimate(model.table)


def exact_walker(model: LanguageModel | MixedModel, smoothing: str | None, task: Task) -> Exact | ExactBackoff:
    """Walker that draws exactly; TooMuch where it cannot be calculated, NoText where no text is possible."""
    shape = task.shape
    if isinstance(model, MixedModel):
        if not shape.plain:
            raise TooMuch("--temperature, --top-k and --top-p of mixed models allow no exact calculation")
        tables = [one.table for one in model.models]
        _check_size(sum(map(backoff_graph.estimate, tables)), sum(map(_nodes, tables)) * len(tables), task)
        return _of_backoff(_mixed(model, smoothing), model.weights.tolist(), task)
    if model.uses_raw_counts(smoothing):
        return _of_counts(model.table, task)
    if smoothing == BLEND:
        raise TooMuch("--smoothing blend allows no exact calculation")
    distribution = model.distribution(smoothing)
    if not isinstance(distribution, Smoothed | Listed):
        raise TooMuch("--smoothing blend allows no exact calculation")
    if shape.top_k or shape.top_p < 1 or not shape.temperature or not backs_off(distribution):
        return _of_shaped(distribution, task)
    _check_size(backoff_graph.estimate(model.table), _nodes(model.table), task)
    return _of_backoff([backoff_graph.backoff_graph(distribution, shape.temperature)], [1.0], task)


def novel_walker(
    model: LanguageModel, smoothing: str | None, task: Task, stream: np.ndarray, novel: int
) -> ExactBackoff:
    """Walker of the texts that copy no run of `novel` tokens of a corpus; raises as `exact_walker`.

    stream  int64 (N,), the corpus as ids, UNK for tokens that the model does not know
    """
    shape, raw = task.shape, model.uses_raw_counts(smoothing)
    if shape.top_k or shape.top_p < 1 or not shape.temperature or (raw and not shape.plain):
        raise TooMuch("--temperature, --top-k and --top-p of this model allow no exact calculation")
    distribution = None if raw else model.distribution(smoothing)
    if distribution is not None and not backs_off(distribution):
        raise TooMuch(f"--smoothing {smoothing} allows no exact calculation")
    rows = backoff_graph.estimate(model.table) + len(stream) * (novel - 1)
    _check_size(rows, rows, task)
    if distribution is None:
        graph = raw_graph(model.table)
    else:
        graph = backoff_graph.backoff_graph(distribution, shape.temperature, apart=True)
    try:
        return _of_backoff([without_runs(graph, stream, novel)], [1.0], task)
    except IndexError:
        raise TooMuch("a model without all ends of its n-grams allows no exact calculation") from None


def _mixed(model: MixedModel, smoothing: str | None) -> list[BackoffGraph]:
    graphs = []
    for one in model.models:
        if one.table.order > 1 and one.table.row_of([UNK]) >= 0:
            low, high = one.table.followers(1, np.array([UNK]))
            if low[0] < high[0]:
                raise TooMuch("mixed models that count rare words as <unk> allow no exact calculation")
        if one.uses_raw_counts(smoothing):
            graphs.append(raw_graph(one.table))
        elif backs_off(one.distribution(smoothing)):
            graphs.append(backoff_graph.backoff_graph(one.distribution(smoothing), apart=True))
        else:
            raise TooMuch(f"--smoothing {smoothing} of mixed models allows no exact calculation")
    try:
        return union_graphs(graphs, model.union, len(model.vocabulary))
    except IndexError:
        raise TooMuch("a model without all ends of its n-grams allows no exact calculation") from None


def _need(size: int) -> None:
    if size > MEMORY:
        raise TooMuch(f"an exact calculation needs {size / 1e9:.1f} GB of memory, more than {MEMORY / 1e9:.1f} GB")


# ------------------------------------------------------------ raw counts


def _of_counts(table: Table, task: Task) -> Exact:
    _need(state_graph.estimate(table) * _bytes_each(task.automaton))
    return _of_graph(state_graph.histories(table, task.shape, task.history), table, task)


def _of_shaped(distribution: Distribution, task: Task) -> Exact:
    try:
        graph = shaped_histories(distribution, task.shape, task.history, MEMORY // _bytes_each(task.automaton))
    except TooLarge as error:
        raise TooMuch(f"an exact calculation needs {error}") from None
    return _of_graph(graph, distribution.table, task)


def _bytes_each(automaton: Automaton) -> int:
    """Bytes of memory for each follower of each history."""
    copies = len({int(q) for q in automaton.delta[:, 0] if q != DEAD}) + 1  # states paired with any one history
    return state_graph.BYTES_EACH + copies * success_weights.BYTES_EACH


def _of_graph(graph: state_graph.Histories, table: Table, task: Task) -> Exact:
    at = success_weights.product_graph(graph, task.automaton, task.state, table.n_ids)
    if task.layers(len(at), len(at.token)):
        w = success_weights.limited(at, task.shortest, task.longest)
    else:
        tail = success_weights.unlimited(at)
        if tail is None:
            raise TooMuch("the exact calculation does not converge")
        w = success_weights.limited(at, task.shortest, task.shortest, tail) if task.shortest else tail
    if not w.by_tokens[0][at.start]:
        if not success_weights.reachable(at, task.shortest, task.longest):

            def feasible(automaton: Automaton, lengths: bool) -> bool:
                its = success_weights.product_graph(graph, automaton, automaton.after(task.ids), table.n_ids)
                limits = (task.shortest, task.longest) if lengths else (0 if task.ids else 1, 1 << 30)
                return success_weights.reachable(its, *limits)

            raise NoText(feasible)
        if not w.endless:
            w = success_weights.limited(at, task.shortest, task.longest, narrow=True)
        if not w.by_tokens[0][at.start]:
            raise TooMuch("their probability is too small to calculate")
    return Exact(at, w, task.shortest)


# ------------------------------------------------------------ backoff distributions


def _nodes(table: Table) -> int:
    return sum(map(len, table.orders[:-1])) + 1


def _check_size(rows: int, nodes: int, task: Task) -> None:
    q = len(task.automaton)
    _need(rows * (backoff_graph.BYTES_EACH + 8 * q) + nodes * backoff_weights.bytes_each(task.automaton))
    task.layers(nodes * q, rows * q)


def _of_backoff(graphs: list[BackoffGraph], shares: list[float], task: Task) -> ExactBackoff:
    """Walker of a distribution, or of a mixture."""
    system = backoff_weights.BackoffSystem(graphs, task.automaton, shares)
    n = len(task.automaton)
    layers = task.layers(len(system) * n, sum(len(level.p) for graph in graphs for level in graph.levels) * n)
    if layers:
        w = backoff_weights.limited(system, task.shortest, task.longest)
    else:
        tail = backoff_weights.unlimited(system)
        if tail is None:
            raise TooMuch("the exact calculation does not converge")
        w = backoff_weights.limited(system, task.shortest, task.shortest, tail) if task.shortest else tail
    level, row = graphs[0].table.find([BOS] * task.at_start + task.ids)
    start = int(graphs[0].base[level]) + row, task.state
    if not w.by_tokens[0][start[1], start[0]]:

        def feasible(automaton: Automaton, lengths: bool) -> bool:
            limits = (task.shortest, task.longest) if lengths else (0 if task.ids else 1, 1 << 30)
            its = backoff_weights.BackoffSystem(graphs, automaton, shares)
            return backoff_weights.reachable(its, (start[0], automaton.after(task.ids)), *limits)

        if feasible(task.automaton, True):
            raise TooMuch("their probability is too small to calculate")
        raise NoText(feasible)
    return ExactBackoff(system, w, start, task.shortest)
