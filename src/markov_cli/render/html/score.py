"""`score` as a page: the text with every token shaded by its bits, and all that its probability comes from.

tokens.js shows the details of the token that is pointed at, tapped or focused; its data is the block `scored`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...scoring.alternatives import OF_EACH
from ...scoring.token_names import names_of_codes
from ...text.types import MARKERS, N_MARKERS
from ..inspect import order_text
from ..safe_text import cut, one_line, share, shown, some
from ..score import bits_text, perplexity_text, weights_text
from .blocks import cards, header, heading, legend, meanings, paragraph, table_of_markup
from .markup import data_block, inline, text
from .page import page

if TYPE_CHECKING:
    from ...scoring.explained import Explained
    from ...scoring.predictor import Predictor
    from ...scoring.totals import Totals

BITS = (2, 5, 8, 12)  # where the shades begin
_HARDEST = 30  # tokens that are listed
_BEFORE = 4  # tokens that are shown before each of them
_LONG = 400  # bytes of a token, or of what stands between two, that are shown whole
_END = "¶"

MEANINGS = (
    (
        "bits",
        "-log2 of the probability of a token after the tokens before it. 1 bit: as a coin; 10 bits: one of a thousand. "
        "Few bits: the model expected it.",
    ),
    ("perplexity", "2 to the power of the bits per token: the model is as unsure as among so many equal choices."),
    (
        "n-gram",
        "The longest string of tokens in the model's table that ends in the token. The probability comes from its "
        "count, and, where the smoothing says so, from those of shorter ones.",
    ),
    ("OOV", "A token outside the vocabulary; it is scored as <unk>."),
    (_END, "The end of a sequence, which the model predicts as it does a token: </s>."),
)


def scored_how(names: Sequence[str], weights: np.ndarray | None, predictor: Predictor) -> str:
    """The models that a text is scored with, in a line."""
    methods = {_method(scorer.distribution) for scorer in predictor.scorers}
    models = ", ".join(names)
    if weights is not None:
        models += f" mixed by {weights_text(weights)}"
    said = [f"scored with {models}", order_text(predictor.order), ", ".join(sorted(methods))]
    said += ["--adapt"] * predictor.adapts + ["--within"] * predictor.borders.within
    return "; ".join([*said, *(["--open-end"] * predictor.borders.open_end)])


def _method(distribution: object) -> str:
    smoothing = getattr(distribution, "smoothing", None) or getattr(distribution, "method", None)
    return f"smoothing {smoothing}" if smoothing else "its own probabilities"


def score_page(found: Explained, totals: Totals, names: Sequence[str], how: str) -> Iterator[bytes]:
    """The page, part by part.

    totals  of the whole text
    names   of the texts
    how     the model, and how the text is scored
    """
    title = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return page(f"{title}: scored", _body(found, totals, title, how), ["tokens.js"])


def _body(e: Explained, t: Totals, title: str, how: str) -> Iterator[str]:
    yield header(title, how)
    yield cards(
        [
            ("perplexity", perplexity_text(t.perplexity), f"{perplexity_text(t.perplexity_without_oov)} without OOV"),
            ("bits per token", bits_text(t.bits_per_token), f"{bits_text(t.bits_per_byte)} per byte"),
            ("tokens", f"{t.tokens:,}", f"in {some(t.sequences, 'sequence')}, ends included" if t.ends else ""),
            ("OOV", f"{t.oov:,}", f"{share(t.oov / max(t.tokens - t.ends, 1))} of the text"),
            *([("probability 0", f"{t.zero:,}", "tokens")] if t.zero else []),
        ]
    )
    shade = np.searchsorted(BITS, e.bits, "right")
    yield heading("The text") + _legend(e, shade)
    yield from (paragraph(said, "note") for said in _notes(e, t))
    yield (
        '<p class="soft scripted" hidden>Point at a token or tap it to see where its probability comes from. With the '
        "keyboard: Tab, then the arrow keys; up and down go to the next token of the two darkest shades.</p>\n"
        '<noscript><p class="note">Details of each token need scripts, which are off.</p></noscript>\n'
    )
    yield '<div class="read">\n<div class="tokens heat">\n'
    yield from _text(e, shade)
    yield '</div>\n<aside id="detail" hidden aria-label="The token"></aside>\n</div>\n'
    words = _Words(e)
    yield _hardest(e, words)
    yield heading("What the figures mean") + meanings(MEANINGS)
    yield data_block("scored", _data(e, words))


def _legend(e: Explained, shade: np.ndarray) -> str:
    names = [f"fewer than {BITS[0]} bits", *(f"{a} to {b}" for a, b in pairwise(BITS))]
    names.append(f"{BITS[-1]} or more")
    parts = np.bincount(shade, minlength=len(BITS) + 1) / max(len(shade), 1)
    said = "Each token is shaded and underlined by its bits: what the model did not expect stands out."
    rows = list(zip(names, (share(x) for x in parts.tolist()), strict=True))
    return paragraph(said) + legend(rows, "heat", [("oov", "OOV", share(float(e.oov.mean())))] if e.oov.any() else [])


def _notes(e: Explained, t: Totals) -> Iterator[str]:
    if not e.all:
        yield (
            f"Shown are the first {len(e.p):,} of {t.tokens:,} tokens; the figures above are of the whole text. To see "
            "another part, score it alone."
        )
    have = e.others.group >= 0
    if not have.all():
        if not have.any():
            yield "With --adapt and --within the page gives no alternatives."
        else:
            yield (
                f"Alternatives are given for the first {some(int(have.sum()), 'token')}: under a blend each costs a "
                "sum over all types."
            )
    if e.mixed:
        yield f"Alternatives in a mixture are the best among the {OF_EACH} likeliest of each model."


# ------------------------------------------------------------ the text


def _text(e: Explained, shade: np.ndarray) -> Iterator[str]:
    """Each text in an element of its own, each token in a `span`; what stands between tokens is plain."""
    passages = e.passages
    text_of = np.searchsorted(passages.texts, e.token, "right")
    file = passages.file[e.token]
    start, end = passages.start[e.token], passages.start[e.token] + passages.length[e.token]
    raw = e.encoder.options.tokenizer == "bytes"
    columns = zip(
        shade.tolist(), e.is_end.tolist(), e.oov.tolist(), text_of.tolist(), file.tolist(), start.tolist(),
        end.tolist(), strict=True,
    )  # fmt: skip
    before, at = -1, 0
    files, marked = int(file[-1]) > 0 if len(file) else False, set(_places_of_hardest(e))
    for i, (level, is_end, oov, text_no, file_no, a, b) in enumerate(columns):
        if text_no != before:
            if before >= 0:
                yield "</div>\n"
            if files and (before < 0 or file_no != int(file[i - 1])):
                yield heading(passages.names[file_no], 3)
            before, at = text_no, a
            yield '<div class="text" dir="auto">'
        classes = [f"s{level}"] * (level > 0) + ["oov"] * oov + ["end"] * is_end
        kind = f' class="{" ".join(classes)}"' if classes else ""
        name = f' id="t{i}"' if i in marked else ""
        if is_end:
            yield f"<span{name}{kind}>{_END}</span>"
            continue
        said = text(_decoded(passages.data[a:b], raw))
        yield f"{text(_decoded(passages.data[at:a], raw))}<span{name}{kind}>{said}</span>"
        at = b
    if before >= 0:
        yield "</div>\n"


def _decoded(data: bytes, raw: bool) -> str:
    """Bytes as text; of very long ones the beginning."""
    more = f"… ({len(data):,} bytes) " if len(data) > _LONG else ""
    return (data if not more else data[: _LONG // 2]).decode("utf-8", "backslashreplace" if raw else "replace") + more


# ------------------------------------------------------------ the tokens


class _Words:
    """The names of all codes of the page, each once.

    names  safe to show
    of     index of each token's name, int64 (t,)
    others of each alternative's name, int64 (g, k), -1 where there is none
    """

    def __init__(self, e: Explained) -> None:
        every = np.concatenate((e.codes, e.others.codes.ravel()))
        codes, first = np.unique(np.maximum(every, 0), return_index=True)
        # by where each comes first: the codes of unknown types depend on which thread met them first
        order = np.argsort(first, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        found, which = names_of_codes(codes, e.encoder)
        names = [marker or cut(one_line(shown(token or ""))) for token, marker in found]
        if e.encoder.options.tokenizer == "bytes":
            names = [f"\\x{c:02x}" if c >= 0x80 else names[i] for i, c in enumerate((codes - N_MARKERS).tolist())]
        self.names = [names[i] for i in which[order].tolist()]
        index = place[np.searchsorted(codes, np.maximum(every, 0))]
        self.of = index[: len(e.codes)]
        self.others = np.where(e.others.codes < 0, -1, index[len(e.codes) :].reshape(e.others.codes.shape))


def _places_of_hardest(e: Explained) -> list[int]:
    """Indices of the tokens with the most bits, each type at its first such place."""
    order = np.argsort(-e.bits, kind="stable")
    first = np.unique(e.codes[order], return_index=True)[1]
    return order[np.sort(first)[:_HARDEST]].tolist()


def _hardest(e: Explained, words: _Words) -> str:
    """A table of the types that the model expected least."""
    first = np.maximum.accumulate(np.where(e.opens, np.arange(len(e.p)), 0))
    rows = []
    for i in _places_of_hardest(e):
        low = max(i - _BEFORE, int(first[i]))
        before = " ".join(words.names[j] for j in words.of[low:i].tolist())
        before = f"{'… ' if low > first[i] else '<s> ' if e.borders else ''}{before}".rstrip()
        bits = float(e.bits[i])
        best = ""
        if e.others.group[i] >= 0 and (j := int(words.others[e.others.group[i], 0])) >= 0:
            best = f"{words.names[j]} ({share(float(e.others.p[e.others.group[i], 0]))})"
        token = f'<a href="#t{i}">{inline(words.names[words.of[i]])}</a>'
        rows.append([inline(before), token, "infinite" if math.isinf(bits) else f"{bits:.2f}", inline(best)])
    head = ["after", "token", "bits", "likeliest there"]
    return heading("The tokens that the model expected least") + table_of_markup(head, rows, left=(1, 3))


def _data(e: Explained, words: _Words) -> dict[str, Any]:
    """Columns for tokens.js, whose first lines say what they hold."""
    keep = sorted({int(g) for g in e.others.group.tolist() if g >= 0})
    rows = [
        [x for w, p in zip(words.others[g].tolist(), e.others.p[g].tolist(), strict=True) if w >= 0
         for x in (w, float(f"{p:.6g}"))]
        for g in keep
    ]  # fmt: skip
    return {
        "words": words.names,
        "unknown": MARKERS[0],
        "borders": e.borders,
        "order": e.order,
        "word": words.of.tolist(),
        "bits": [None if math.isinf(b) else round(b, 4) for b in e.bits.tolist()],
        "longest": e.longest.tolist(),
        "opens": np.flatnonzero(e.opens).tolist(),
        "oov": np.flatnonzero(e.oov).tolist(),
        "count": None if e.count is None else _short(e.count),
        "total": None if e.total is None else _short(e.total),
        "group": e.others.group.tolist(),
        "others": rows,
    }


def _short(values: np.ndarray) -> list[float]:
    return [int(v) if v == int(v) else round(v, 3) for v in values.tolist()]
