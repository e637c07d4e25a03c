"""`generate --trace`: what was generated, held against a corpus."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .options import note

if TYPE_CHECKING:
    from ..api.model import Model
    from ..api.results import PromptMatch
    from ..evidence.copying.fragments import Trace
    from ..sampling.sampler import Samples

Batch = tuple["Samples", bytes, np.ndarray]


@dataclass
class Traced:
    """Texts held against a corpus.

    found   all of them together; None where there is no text with a token
    bits    of all of them
    forced, steps  of each text; forced is None for smoothed models, where every token may come
    """

    found: Trace | None
    bits: float
    forced: np.ndarray | None
    steps: np.ndarray

    def of_text(self, i: int, bits: float, tokens: int) -> dict[str, Any]:
        """The keys that one text's JSON gets; i counts the texts that were written."""
        from ..evidence.copying.fragments import figures
        from ..render.trace import fragments_json

        out: dict[str, Any] = {
            "choice_bits_per_token": round(bits / tokens, 6) if tokens else None,
            "forced_steps": None if self.forced is None else int(self.forced[i]),
            "steps": int(self.steps[i]),
        }
        if self.found is None:
            return out
        file = self.found.text.file
        a, b = (int(x) for x in np.searchsorted(file, [i, i + 1]))
        some = figures(self.found.text.rest[a:b], self.found.length[a:b], self.found.run[a:b]).as_dict()
        f = self.found.fragments
        c, d = np.searchsorted(f.begin, [a, b])
        some["fragments"] = [
            {k: v for k, v in one.items() if k not in ("text_file", "text_line")} | {"token": one["token"] - a}
            for one in fragments_json(self.found, f.take(np.arange(c, d)))
        ]
        del some["tokens"], some["sequences"]
        return out | some

    def totals(self, order: int) -> dict[str, Any]:
        """Of all texts."""
        steps = int(self.steps.sum())
        out: dict[str, Any] = {
            "order": order,
            "steps": steps,
            "forced_share": None if self.forced is None or not steps else round(int(self.forced.sum()) / steps, 6),
        }
        if self.found is not None:
            f = self.found
            out |= f.figures.as_dict()
            out["choice_bits_per_token"] = round(self.bits / f.figures.tokens, 6)
            out["corpus"], out["corpus_tokens"] = f.sources, f.corpus_tokens
            out["baseline"] = None if f.baseline is None else f.baseline.as_dict()
        return {"trace": out}

    def say(self, order: int, quiet: bool) -> None:
        """The totals in a few lines on stderr."""
        from ..render.trace import generated_lines

        if self.found is not None:
            totals = self.totals(order)["trace"]
            for said in generated_lines(self.found, totals, self.forced is not None):
                note(said, quiet)

    def json_line(self, order: int) -> bytes:
        """The last line of --json."""
        return json.dumps(self.totals(order), ensure_ascii=False).encode() + b"\n"


def traced(model: Model, known: PromptMatch, batches: list[Batch], kw: dict[str, Any]) -> Traced:
    """Hold what was drawn against --corpus, read as the model's own text was."""
    from ..api.trace import sources_of, trace_sources
    from ..arrays.threads import usable_cores
    from ..evidence.copying.forced_steps import forced_steps
    from ..text.reading import Source

    sources = []
    forced: list[np.ndarray] = []
    steps = [np.empty(0, np.int64)]
    raw = model.uses_raw_counts(kw["smoothing"])
    history = known.ids[len(known.ids) - known.level :]
    for drawn, whole, edge in batches:
        edges = edge.tolist()
        sources += [
            Source(f"text {i}", data=whole[a:b])
            for i, a, b in zip(drawn.index.tolist(), edges, edges[1:], strict=False)
        ]
        some, n = model.checked(forced_steps, model.table, history, drawn)
        forced.append(some)
        steps.append(n)
    found = None
    if any(s.data and s.data.strip() for s in sources):
        found = trace_sources(
            sources,
            sources_of(kw["corpus"], ()),
            sources_of(kw["baseline"], ()),
            model.header.options,
            jobs=usable_cores(),
        )
    bits = float(sum(drawn.bits.sum() for drawn, _, _ in batches))
    return Traced(found, bits, np.concatenate(forced) if raw and forced else None, np.concatenate(steps))
