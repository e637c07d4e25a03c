"""Parts of a tuned blend as lines of text."""

from __future__ import annotations

from ..api.tune import TunedModel


def show_parts(found: TunedModel) -> list[str]:
    """A line for each part, and the perplexity of all."""
    width = max(len(part.part) for part in found.parts)
    lines = [f"{'part':<{width}}  weight  perplexity alone  perplexity without it"]
    for part in found.parts:
        alone, without = _cell(part.perplexity_alone), _cell(part.perplexity_without)
        lines.append(f"{part.part:<{width}}  {part.weight:6.3f}  {alone:>16}  {without:>21}")
    change = found.perplexity / found.perplexity_kn - 1
    lines.append(
        f"held out {found.heldout_tokens:,} tokens: perplexity {found.perplexity_kn:.2f} with kn, "
        f"{found.perplexity:.2f} with blend ({change:+.1%})"
    )
    return lines


def _cell(perplexity: float | None) -> str:
    return "" if perplexity is None else f"{perplexity:.2f}"
