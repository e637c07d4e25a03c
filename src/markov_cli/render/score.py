"""Scores as text, JSON, and rows of units or tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..scoring.token_names import token_names
from ..text.types import UNK
from .json_text import json_text
from .safe_text import one_line, shown, some

if TYPE_CHECKING:
    from ..scoring.mixture_weights import Tuned
    from ..scoring.text_totals import Units
    from ..scoring.totals import Scored, Totals
    from ..text.encoder import Encoder

UNIT_HEAD = b"text\ttokens\toov\tbits\tperplexity\tlongest\tline\n"
TOKEN_HEAD = b"token\toov\tbits\tlongest\n"
CLASS_HEAD = b"model\tmargin_bits\tline\n"


def number(x: float, digits: int | None = None) -> float | None:
    """A number for JSON; None for infinity and not-a-number."""
    if not math.isfinite(x):
        return None
    return x if digits is None else round(x, digits) + 0.0


def _line(thing: dict[str, Any]) -> bytes:
    return json_text(thing).encode() + b"\n"


# ------------------------------------------------------------ totals


def perplexity_text(x: float) -> str:
    """A perplexity for people."""
    return "-" if math.isnan(x) else "infinite" if math.isinf(x) else f"{x:,.6g}" if x >= 1e6 else f"{x:,.4f}"


def bits_text(x: float) -> str:
    """Bits for people."""
    return "infinite" if math.isinf(x) else f"{x:,.4f}"


def _log10(x: float) -> str:
    return "-infinite" if math.isinf(x) else f"{x:,.4f}"


def totals_lines(t: Totals, unit: str) -> list[str]:
    """Totals as lines for people."""
    text = t.tokens - t.ends
    ends = f"and the end of {some(t.sequences, unit)}" if t.ends else f"in {some(t.sequences, unit)}"
    rows = [
        ("tokens", f"{t.tokens:,}", f"{text:,} of the text, {ends}"),
        ("OOV", f"{t.oov:,}", f"{t.oov / max(text, 1):.2%} of the text's tokens are not in the vocabulary"),
        ("perplexity", perplexity_text(t.perplexity), "OOV included"),
        ("", perplexity_text(t.perplexity_without_oov), "OOV left out"),
        ("bits per token", bits_text(t.bits_per_token), ""),
        ("bits per byte", bits_text(t.bits_per_byte), f"of {t.text_bytes:,}; models of other tokens compare by this"),
        ("log10 probability", _log10(t.log10_probability), "of the whole text"),
    ]
    if t.spelled_bits:
        rows.insert(
            2, ("spelled", f"{t.spelled_bits:,.1f}", "bits for the bytes of OOV tokens; the figures below include them")
        )
    if t.zero:
        rows.append(("probability 0", f"{t.zero:,}", "tokens that the model considers impossible"))
    width = max(len(value) for _, value, _ in rows)
    return [f"{name:<17}  {value:>{width}}  {what}".rstrip() for name, value, what in rows]


def show_models(names: Sequence[str], totals: Sequence[Totals]) -> None:
    """Several models beside each other, a row each."""
    from .tables import Column, show

    columns = [Column("model", flexible=True)]
    columns += [
        Column(name, True)
        for name in ("tokens", "OOV", "perplexity", "without OOV", "bits/token", "bits/byte", "log10 probability")
    ]
    zero = any(t.zero for t in totals)
    if zero:
        columns.append(Column("probability 0", True))
    rows = []
    for name, t in zip(names, totals, strict=True):
        row = [
            name, f"{t.tokens:,}", f"{t.oov:,}", perplexity_text(t.perplexity),
            perplexity_text(t.perplexity_without_oov), bits_text(t.bits_per_token), bits_text(t.bits_per_byte),
            _log10(t.log10_probability),
        ]  # fmt: skip
        rows.append(row + [f"{t.zero:,}"] * zero)
    show(columns, rows)


# ------------------------------------------------------------ rows


def _float(x: float) -> str:
    return "" if math.isnan(x) else "inf" if math.isinf(x) else f"{x:.4f}"


def _cell(text: bytes) -> str:
    return one_line(text.decode("utf-8", "replace"))


def unit_rows(units: Units, as_json: bool) -> list[bytes]:
    """A row for each unit: a line each, or an object each."""
    columns = zip(
        units.texts,
        units.tokens.tolist(),
        units.oov.tolist(),
        units.all_bits.tolist(),
        units.perplexity.tolist(),
        units.longest.tolist(),
        units.lines.tolist(),
        strict=True,
    )
    if as_json:
        return [
            _line({"text": text.decode("utf-8", "replace"), "tokens": n, "oov": oov, "bits": number(bits, 6),
                   "perplexity": number(perplexity, 6), "longest": longest, "line": line})
            for text, n, oov, bits, perplexity, longest, line in columns
        ]  # fmt: skip
    return [
        f"{_cell(text)}\t{n}\t{oov}\t{_float(bits)}\t{_float(perplexity)}\t{longest}\t{line}\n".encode()
        for text, n, oov, bits, perplexity, longest, line in columns
    ]


def token_rows(scored: Scored, encoder: Encoder, as_json: bool) -> bytes:
    """A row for each token, `</s>` for the end of a unit."""
    rows = scored.tokens()
    bits = np.where(rows.p > 0, rows.bits()[0], np.inf).tolist()
    names, which = token_names(rows, encoder)
    columns = zip(which.tolist(), (rows.ids == UNK).tolist(), bits, rows.longest.tolist(), strict=True)
    if as_json:
        heads = [{"token": token} if marker is None else {"token": None, "marker": marker} for token, marker in names]
        return b"".join(
            _line({**heads[i], "oov": oov, "bits": number(b, 6), "longest": longest}) for i, oov, b, longest in columns
        )
    cells = [one_line(shown(token or marker or "")) for token, marker in names]
    return "".join([f"{cells[i]}\t{oov:d}\t{b:.4f}\t{longest}\n" for i, oov, b, longest in columns]).encode()


def plain_units(texts: Sequence[bytes], unit: str) -> list[bytes]:
    """Units as they came, so that reading them again gives the same units.

    A sentence's newlines, which are white space to it, become spaces; a blank line stands behind a paragraph.
    """
    if unit == "sentence":
        return [b" ".join(text.split(b"\n")) + b"\n" for text in texts]
    return [text + (b"\n\n" if unit == "paragraph" else b"\n") for text in texts]


def labelled(record: bytes, label: str, as_json: bool) -> bytes:
    """A record with its bucket: the last key of an object, the first column of a line."""
    if as_json:
        return record.rstrip()[:-1] + f', "bucket": "{label}"}}\n'.encode()
    return f"{label}\t".encode() + record


def class_rows(
    texts: Sequence[bytes], best: np.ndarray, margin: np.ndarray, names: Sequence[str], as_json: bool
) -> list[bytes]:
    """A row for each line: the model, the margin, the line; `-` where no model is ahead."""
    columns = zip(texts, best.tolist(), margin.tolist(), strict=True)
    if as_json:
        return [
            _line({"model": names[i] if i >= 0 else None, "margin_bits": number(bits, 6),
                   "text": text.decode("utf-8", "replace")})
            for text, i, bits in columns
        ]  # fmt: skip
    cells = [one_line(name) for name in names] + ["-"]
    return [f"{cells[i]}\t{_float(bits)}\t{_cell(text)}\n".encode() for text, i, bits in columns]


def short_names(paths: Sequence[str]) -> list[str]:
    """Model files without folder and ending, where that tells them apart."""
    from pathlib import PurePath

    short = [PurePath(p).stem if p.endswith(".npz") else PurePath(p).name for p in paths]
    return short if len(set(short)) == len(short) and all(short) else list(paths)


# ------------------------------------------------------------ weights


def weights_text(weights: np.ndarray) -> str:
    """As `--mix` takes them."""
    return ",".join(f"{w:.6f}".rstrip("0").rstrip(".") for w in weights.tolist())


def show_tuned(names: Sequence[str], tuned: Tuned) -> None:
    """A row for each model, and the mixture."""
    from .tables import Column, line, show

    rows = [
        [name, f"{w:.6f}", bits_text(b), perplexity_text(2.0**b)]
        for name, w, b in zip(names, tuned.weights.tolist(), tuned.alone.tolist(), strict=True)
    ]
    mean = tuned.bits[-1]
    rows.append(["mixed", "", bits_text(mean), perplexity_text(2.0 ** min(mean, 1023.0))])
    show([Column("model", flexible=True), *(Column(c, True) for c in ("weight", "bits/token", "perplexity"))], rows)
    line()
    line(f"--mix {weights_text(tuned.weights)}")
