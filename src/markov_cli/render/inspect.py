"""Figures and followers of a model for people, as CSV and as a graph in DOT."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..inspecting import statistics
from ..text.types import EOS, MARKERS
from .bars import bar, curve
from .safe_text import counted, one_line, protection_words, shown, size, some
from .tables import Column, console, line, show
from .train import guard_lines

if TYPE_CHECKING:
    from ..api.inspect import HistoryFollowers, Inspection
    from ..api.model import Model
    from ..inspecting.followers import Follower, Followers

_BAR = 24


def order_text(order: int) -> str:
    """`order 3 (2 tokens of history)`."""
    n = order - 1
    return f"order {order} ({n} token{'' if n == 1 else 's'} of history)"


# ------------------------------------------------------------ a whole model


def model_csv(found: Inspection) -> str:
    """The figures of every order, a row each."""
    rows = [{name: value for name, value in f.to_dict().items() if name != "commonest"} for f in found.orders]
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def model_line(model: Model) -> list[str]:
    """The text options of a model, and what was left out of it."""
    h = model.header
    o = h.options
    extra = [f"pattern {o.pattern}"] if o.pattern else []
    extra += ["lower case"] if o.lowercase else []
    extra += ["line breaks are tokens"] if o.keep_newlines else []
    extra += [f"types seen {h.min_type_count} times or more"] if h.min_type_count > 1 else []
    extra += [f"the {h.max_types:,} commonest types"] if h.max_types else []
    extra += [f"types of a list of {some(h.vocab_words, 'word')}"] if h.vocab_words else []
    extra += [h.said_holds()] if h.holds == "weighted counts" or h.cut_below else []
    extra += [f"pruned {','.join(map(str, h.prune))}"] if h.prune else []
    extra += [f"pruned to a list of {some(h.prune_vocab, 'word')}"] if h.prune_vocab else []
    extra += protection_words(h.protection())
    unit = f"one sequence a {o.unit}" if h.borders else "each file without beginning and end"
    return [o.tokenizer, unit, *extra]


def show_model(model: Model, found: Inspection) -> None:
    """Everything about a model that fits a screen or two."""
    h = model.header
    line(f"{one_line(found.model or '-')}: {order_text(h.order)}", "bold")
    line(", ".join(map(one_line, model_line(model))))
    if found.marker_words:
        they = f"{', '.join(found.marker_words)}: words of its text, besides the markers of the same name"
        line(f"{they}; train --markers reads them as markers")
    if not statistics.counted(model.table):
        _show_without_counts(model, found)
        return
    mean, kind = h.tokens / max(h.sequences, 1), "sequence" if h.borders else "text"
    line(f"{h.tokens:,} tokens of {h.types:,} types in {some(h.sequences, kind)}, {mean:,.1f} tokens each")
    of_text = (
        ""
        if not h.corpus_bytes
        else f" for {size(h.corpus_bytes)} of text: {found.model_bytes / h.corpus_bytes:.2f} bytes per byte"
    )
    line(f"{size(found.model_bytes)} of model" + of_text)
    for text in guard_lines(model):
        line(text)
    line()
    _show_orders(found)
    line()
    _show_commonest(found)
    _show_lengths(model, found)
    _show_pictures(model, found)


def _show_without_counts(model: Model, found: Inspection) -> None:
    """The figures of a model that holds probabilities."""
    line(f"{found.types:,} types; probabilities only, already smoothed")
    for text in statistics.marker_notes(model.table):
        line(text)
    line(f"markers: {', '.join(MARKERS)}; in a text they are words, but with --markers")
    line(f"{size(found.model_bytes)} of model; it holds no counts")
    line()
    _show_orders(found)
    line()
    likeliest = found.orders[0].commonest
    if likeliest:
        rows = [[shown(one.names[0]), f"{one.probability:.6f}"] for one in likeliest]
        show([Column("type", flexible=True), Column("probability", True)], rows, "likeliest")
        line()
    _show_followers(found, min(console().width, 100))


def order_columns(found: Inspection) -> tuple[list[str], list[list[str]]]:
    """The figures of the orders as a table: names, and a row for each order."""
    once = "in one sequence" if found.cap_per_sequence else "seen once"
    names = [
        "order", "n-grams", once, "histories", "followers each", "with one follower", "bits per token"
    ]  # fmt: skip
    rows = []
    for f in found.orders:
        share = "" if f.singletons is None else f"{f.singletons / max(f.ngrams, 1):.1%}"
        bits = "" if f.entropy_bits is None else f"{f.entropy_bits:.3f}"
        each = [f"{f.histories:,}", f"{f.mean_followers:,.2f}", f"{f.single_follower:.1%}"]
        rows.append([str(f.order), f"{f.ngrams:,}", share, *each, bits])
    if found.holds == "probabilities":
        names, rows = names[:2] + names[3:-1], [r[:2] + r[3:-1] for r in rows]
    return names, rows


def _show_orders(found: Inspection) -> None:
    names, rows = order_columns(found)
    show([Column(name, True) for name in names], rows)


def _show_commonest(found: Inspection) -> None:
    orders = sorted({1, min(2, found.order), found.order})
    listed = {f.order: f.commonest for f in found.orders}
    columns: list[Column] = []
    for k in orders:
        columns += [Column("type" if k == 1 else f"{k}-gram", flexible=True), Column("count", True)]
    rows = []
    for i in range(max(map(len, listed.values()), default=0)):
        cells: list[str] = []
        for k in orders:
            one = listed.get(k, ())[i : i + 1]
            cells += [" ".join(map(shown, one[0].names)), counted(one[0].count or 0)] if one else ["", ""]
        rows.append(cells)
    if rows:
        show(columns, rows, "commonest")
        line()


def _show_lengths(model: Model, found: Inspection) -> None:
    known = found.lengths[:8]
    if not known:
        return
    parts = [f"{counted(one.sequences)} of {one.tokens}" for one in known]
    rest = statistics.ends(model.table) - sum(one.sequences for one in known)
    line(f"lengths of sequences in tokens, as far as the table tells: {', '.join(parts)}, {counted(rest)} longer")
    line()


def _show_pictures(model: Model, found: Inspection) -> None:
    width = min(console().width, 100)
    points = statistics.rank_frequency(model.table, 200)
    if points:
        top, last = 10 ** points[0][1], 10 ** points[-1][0]
        line("how often each type occurs, by its rank (both logarithmic)", "bold")
        drawn = curve(points, max(min(width - 14, 60), 10), 8)
        for i, row in enumerate(drawn):
            label = f"{top:,.0f}" if i == 0 else f"{10 ** points[-1][1]:,.0f}" if i == len(drawn) - 1 else ""
            line(f"{label:>11} {row}")
        line(f"{'':>11} rank 1{f'rank {last:,.0f}':>{max(len(drawn[0]) - 6, 1)}}")
        line()
    _show_followers(found, width)


def _show_followers(found: Inspection, width: int) -> None:
    bins = found.histogram_of_followers
    total = sum(one.histories for one in bins)
    if total:
        line(f"followers of the {total:,} histories of {found.order - 1} tokens", "bold")
        for one in bins:
            line(f"{one.followers:>15} {bar(one.histories / total, max(min(width - 36, 50), 8))} {one.histories:,}")


# ------------------------------------------------------------ a history


def history_csv(levels: Sequence[HistoryFollowers | Followers]) -> str:
    """One row a follower: history, token, marker, where it touches its neighbours, count, probability."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["history", "token", "marker", "touches", "count", "probability"])
    for f in levels:
        for one in f.followers:
            writer.writerow(
                [
                    " ".join(f.history),
                    one.token or "",
                    one.marker or "",
                    one.touches,
                    one.to_dict()["count"],
                    f"{one.probability:.9g}",
                ]
            )
    return out.getvalue()


def _count(one: Follower) -> str:
    return "" if one.count is None else counted(one.count)


def _name(f: HistoryFollowers | Followers, one: Follower) -> str:
    """A follower in a table; where two types look alike, what tells them apart is added."""
    if one.token is None:
        return str(one.marker)
    alike = sum(other.token == one.token for other in f.followers) > 1
    beside = {"left": "to its left", "right": "to its right", "both": "to both sides"}.get(one.touches)
    return shown(one.token) + (f"  (touches {beside})" if alike and beside else "")


def show_history(levels: Sequence[HistoryFollowers | Followers]) -> None:
    """Followers with count, probability and a bar, for each history."""
    for i, f in enumerate(levels):
        if i:
            line()
        name = " ".join(map(shown, f.history)) if f.history else "(no history)"
        kinds = some(f.n_followers, "follower" if f.total is not None else "listed follower")
        seen = "" if f.total is None else f"seen {counted(f.total)} time{'' if f.total == 1 else 's'}, "
        line(f"{one_line(name)}  {seen}{kinds}", "bold")
        most = max((one.probability for one in f.followers), default=1.0) or 1.0  # 0 in a damaged file
        rows = [
            [_name(f, one), _count(one), f"{one.probability:.4f}",
             bar(one.probability / most, _BAR)]
            for one in f.followers
        ]  # fmt: skip
        columns = [Column("follower", flexible=True), Column("count", True), Column("probability", True), Column("")]
        if f.total is None:  # no counts are known
            columns, rows = columns[:1] + columns[2:], [r[:1] + r[2:] for r in rows]
        show(columns, rows)
        left = f.n_followers - len(f.followers)
        if left > 0:
            line(f"and {left:,} more")


# ------------------------------------------------------------ a graph


def history_dot(model: Model, known: Any, top: int, smoothing: str | None = None) -> str:
    """The neighbourhood of a history as a Graphviz graph: its followers, and what follows those.

    A node is a history of the model's length or the token that leads to it; an edge carries
    the probability and the count.
    """
    table = model.table
    nodes: dict[tuple[int, int], str] = {}
    edges: list[str] = []

    def node(level: int, row: int) -> str:
        key = (level, row)
        if key not in nodes:
            nodes[key] = f"n{len(nodes)}"
        return nodes[key]

    def expand(level: int, row: int) -> list[tuple[int, int]]:
        below = model.follow(level, row, top, smoothing)
        reached = []
        for one in below.followers:
            if one.id == EOS:
                at, where = 0, -1
            else:
                at, where = table.find([*table.ngram(level, row), one.id])
            said = f"{_count(one)} ({one.probability:.2g})".strip()
            edges.append(
                f'  {node(level, row)} -> {node(at, where)} [label="{said}" penwidth={0.5 + 3 * one.probability:.2f}];'
            )
            reached.append((at, where))
        return reached

    seen = {(known.level, known.row)}
    for key in expand(known.level, known.row):
        if key[1] >= 0 and key not in seen:
            seen.add(key)
            expand(*key)
    names = []
    for (level, row), name in nodes.items():
        label = (
            "</s>"
            if row < 0
            else " ".join(model.vocabulary.name_of(i) for i in table.ngram(level, row)) or "(no history)"
        )
        shape = ", shape=box, style=bold" if (level, row) == (known.level, known.row) else ""
        names.append(f'  {name} [label="{_dot(label)}"{shape}];')
    return "\n".join(["digraph markov {", "  rankdir=LR;", *names, *edges, "}"]) + "\n"


def _dot(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace('"', '\\"')
