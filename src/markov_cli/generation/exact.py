"""Exact conditioning: chooses the calculation that makes texts meet constraints, if one of affordable size exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..model.distribution import Distribution
from ..model.language_model import LanguageModel
from ..model.table import Table
from ..sampling import backoff_graph, backoff_weights, state_graph, success_weights
from ..sampling.automata import DEAD, Automaton
from ..sampling.backoff_top_p import backs_off
from ..sampling.backoff_walker import ExactBackoff
from ..sampling.shape import Shape
from ..sampling.walkers import Exact

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
    shortest, longest  number of tokens to draw
    """

    shape: Shape
    history: tuple[int, int]
    automaton: Automaton
    ids: list[int]
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


def exact_walker(model: LanguageModel, smoothing: str | None, task: Task) -> Exact | ExactBackoff:
    """Walker that draws exactly; TooMuch where it cannot be calculated, NoText where no text is possible."""
    if model.uses_raw_counts(smoothing):
        return _of_counts(model.table, task)
    distribution = model.distribution(smoothing)
    if not backs_off(distribution):
        raise TooMuch(f"--smoothing {smoothing} allows no exact calculation")
    if task.shape.top_k or task.shape.top_p < 1 or not task.shape.temperature:
        raise TooMuch("--top-k and --top-p of a smoothed model allow no exact calculation")
    return _of_backoff(distribution, task)


def _need(size: int) -> None:
    if size > MEMORY:
        raise TooMuch(f"an exact calculation needs {size / 1e9:.1f} GB of memory, more than {MEMORY / 1e9:.1f} GB")


# ------------------------------------------------------------ raw counts


def _of_counts(table: Table, task: Task) -> Exact:
    copies = len({int(q) for q in task.automaton.delta[:, 0] if q != DEAD}) + 1  # states paired with any one history
    _need(state_graph.estimate(table) * (state_graph.BYTES_EACH + copies * success_weights.BYTES_EACH))
    graph = state_graph.histories(table, task.shape, task.history)
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


def _of_backoff(distribution: Distribution, task: Task) -> ExactBackoff:
    table, q = distribution.table, len(task.automaton)
    rows = backoff_graph.estimate(table)
    nodes = sum(map(len, table.orders[:-1])) + 1
    _need(rows * backoff_graph.BYTES_EACH + nodes * q * backoff_weights.STATE_BYTES)
    layers = task.layers(nodes * q, rows * q)
    graph = backoff_graph.backoff_graph(distribution, task.shape.temperature)
    system = backoff_weights.BackoffSystem(graph, task.automaton)
    if layers:
        w = backoff_weights.limited(system, task.shortest, task.longest)
    else:
        tail = backoff_weights.unlimited(system)
        if tail is None:
            raise TooMuch("the exact calculation does not converge")
        w = backoff_weights.limited(system, task.shortest, task.shortest, tail) if task.shortest else tail
    level, row = task.history
    start = int(graph.base[level]) + row, task.state
    if not w.by_tokens[0][start[1], start[0]]:

        def feasible(automaton: Automaton, lengths: bool) -> bool:
            limits = (task.shortest, task.longest) if lengths else (0 if task.ids else 1, 1 << 30)
            its = backoff_weights.BackoffSystem(graph, automaton)
            return backoff_weights.reachable(its, (start[0], automaton.after(task.ids)), *limits)

        if feasible(task.automaton, True):
            raise TooMuch("their probability is too small to calculate")
        raise NoText(feasible)
    return ExactBackoff(system, w, start, task.shortest)
