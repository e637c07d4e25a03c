"""Reports models of groups, and their use as a classifier, as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .safe_text import one_line, size, some
from .train import repair_lines

if TYPE_CHECKING:
    from ..api.confusion import ConfusionTable
    from ..api.groups import TrainedGroups
    from ..text.reading import Repairs

_NAMED = 3
_COLUMNS = 12  # of a table that is printed whole
_MISTAKES = 20


def group_lines(found: TrainedGroups, repairs: Repairs, output: str, min_group: int, seconds: float) -> list[str]:
    """The summary of `train --group-by`."""
    groups = found.groups
    tokens, records = (sum(getattr(one, name) for one in groups) for name in ("tokens", "records"))
    largest = sorted(groups, key=lambda one: (-one.records, one.group))[:_NAMED]
    named = ", ".join(f"{one_line(one.group) or '(empty)'} {one.records:,}" for one in largest)
    out = [
        f"read     {tokens:,} tokens in {some(records, 'record')} of {some(len(groups), 'group')}; largest: {named}",
        f"wrote    {some(len(groups), 'model')}, {one_line(output)}: {size(sum(one.model_bytes for one in groups))};"
        f" {seconds:.1f} s",
    ]
    if found.small_groups:
        left = some(found.small_records, "record")
        out.append(f"note     {some(found.small_groups, 'group')} of fewer than {min_group:,} records left out: {left}")
    if found.empty_groups:
        out.append(f"note     {some(found.empty_groups, 'group')} without a token left out")
    return out + [f"note     {line}" for line in repair_lines(repairs)]


def show_confusion(found: ConfusionTable) -> None:
    """The accuracy, and the table: a row for each true class, a column for each model.

    With many classes, the commonest mistakes instead.
    """
    from .tables import Column, line, show

    line(
        f"{found.right:,} of {some(found.records, 'record')} right: {found.accuracy:.1%}; "
        f"{found.largest_class:.1%} with the most frequent class for all"
    )
    line()
    tied = any("-" in row for row in found.table.values())
    names = [*found.models, *(["-"] if tied else [])]
    if len(names) <= _COLUMNS and len(found.table) <= 2 * _COLUMNS:
        columns = [Column("class", flexible=True), *(Column(one_line(name), True) for name in names)]
        show(columns, [[label, *(f"{row.get(n, 0):,}" for n in names)] for label, row in found.table.items()])
        return
    mistakes = [(n, label, name) for label, row in found.table.items() for name, n in row.items() if name != label]
    rows = [[label, name, f"{n:,}"] for n, label, name in sorted(mistakes, key=lambda m: (-m[0], m[1:]))[:_MISTAKES]]
    show([Column("class", flexible=True), Column("given to", flexible=True), Column("records", True)], rows)
