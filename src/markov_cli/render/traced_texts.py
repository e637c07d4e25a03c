"""JSON and notes of generated texts that were traced against a corpus."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api.trace import trace_figures, traced_fragments
from ..evidence.copying.fragments import figures
from ..evidence.copying.generated import TracedTexts
from .trace import generated_lines


def text_json(traced: TracedTexts, i: int, bits: float, tokens: int) -> dict[str, Any]:
    """The keys that the JSON of text i, counted from 0, gets."""
    out: dict[str, Any] = {
        "choice_bits_per_token": round(bits / tokens, 6) if tokens else None,
        "forced_steps": None if traced.forced is None else int(traced.forced[i]),
        "steps": int(traced.steps[i]),
    }
    if traced.found is None:
        return out
    file = traced.found.text.file
    a, b = (int(x) for x in np.searchsorted(file, [i, i + 1]))
    part = figures(traced.found.text.rest[a:b], traced.found.length[a:b], traced.found.run[a:b])
    some = trace_figures(part).to_dict()
    f = traced.found.fragments
    c, d = np.searchsorted(f.begin, [a, b])
    some["fragments"] = [
        {k: v for k, v in one.to_dict().items() if k not in ("text_file", "text_line")} | {"token": one.token - a}
        for one in traced_fragments(traced.found, f.take(np.arange(c, d)))
    ]
    del some["tokens"], some["sequences"]
    return out | some


def totals_json(traced: TracedTexts, order: int) -> dict[str, Any]:
    """The figures of all texts together."""
    steps = int(traced.steps.sum())
    known = traced.forced is not None and steps
    out: dict[str, Any] = {
        "order": order,
        "steps": steps,
        "forced_share": round(int(traced.forced.sum()) / steps, 6) if known else None,  # type: ignore[union-attr]
    }
    if traced.found is not None:
        f = traced.found
        out |= trace_figures(f.figures).to_dict()
        out["choice_bits_per_token"] = round(traced.bits / f.figures.tokens, 6)
        out["corpus"], out["corpus_tokens"] = f.sources, f.corpus_tokens
        out["baseline"] = None if f.baseline is None else trace_figures(f.baseline).to_dict()
    return {"trace": out}


def notes(traced: TracedTexts, order: int) -> list[str]:
    """The figures of all texts in a few lines."""
    if traced.found is None:
        return []
    return [*generated_lines(traced.found, totals_json(traced, order)["trace"], traced.forced is not None)]
