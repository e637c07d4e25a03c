"""Reports models of groups, and their use as a classifier, as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .safe_text import one_line, size, some
from .train import repair_lines

if TYPE_CHECKING:
    from ..api.groups import TrainedGroups
    from ..text.reading import Repairs

_NAMED = 3


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
