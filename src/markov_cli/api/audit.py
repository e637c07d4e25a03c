"""Evidence of the training text in a model: `audit`, `rebuild`, `member`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..arrays.numbers import whole
from ..errors import MarkovError
from ..evidence import model_evidence
from ..evidence.corpus.comparison import CorpusComparison, OrderAgainst
from ..evidence.table.audit import LENGTHS, Audit, OrderAudit
from ..evidence.table.forced_string_list import Strings
from ..evidence.table.membership import IN, NAMES, OUT, Members
from ..evidence.table.text_count import Forgotten
from ..generation.request import new_seed
from ..text.reading import check_encoding
from ..text.record_format import record_format
from ..text.sources import EXPANSION, Paths, Texts, sources_of
from ..text.types import UNK
from .audit_results import (
    AuditedOrder,
    AuditReport,
    AuditSource,
    CertainString,
    CorpusFigures,
    HeldoutFigures,
    Membership,
    OrderInCorpus,
    RebuiltText,
    SequenceMembership,
)
from .model import Model, ModelLike, guard_figures, opened
from .results import ratio

SHOWN_BYTES = 1 << 27  # of the text of one string


def audit(
    model: ModelLike,
    *,
    order: int | None = None,
    corpus: Paths = (),
    corpus_texts: Texts = (),
    heldout: Paths = (),
    heldout_texts: Texts = (),
    min_tokens: int = LENGTHS[0],
    top: int | None = 10,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
) -> AuditReport:
    """Measure how much of its training text a model keeps, from the model alone or with the text.

    order                   only this one; None for all
    corpus, corpus_texts    the training text, which the model is compared with. If it is proven to be another
                            text, `corpus.is_training_text` of the result is False
    heldout, heldout_texts  text that the model was not trained on, for the membership test; needs the corpus
    min_tokens              tokens of the shortest certain string that is listed
    top                     certain strings listed; None for all
    jsonl, csv, parquet, skip_bad  the texts of the files are in a field of records, as in `train`
    max_expansion, markers, strip  how files are read, as in `train`

    OptionError for an order that the model does not have; NeedsCounts if the corpus is given and counts are capped.

    >>> import markov_cli
    >>> found = markov_cli.audit(markov_cli.train(texts=["a b c a d"], order=2))
    >>> [(o.order, o.complete, round(o.forgotten_bits, 3)) for o in found.orders]  # bigrams keep all of this text
    [(1, True, 5.907), (2, True, 0.0)]
    """
    one = opened(model)
    records = record_format(jsonl, csv, parquet, skip_bad=skip_bad)
    texts = sources_of(corpus, corpus_texts, max_expansion, records, markers, strip)
    others = sources_of(heldout, heldout_texts, max_expansion, records, markers, strip)
    found = model_evidence.audit(one.language_model, order, min_tokens, texts, others, check_encoding(encoding))
    return audit_report(one, found, top)


def rebuild(model: ModelLike, seed: int | None = None, *, order: int | None = None) -> RebuiltText:
    """Draw one text uniformly from all texts that have exactly the model's table.

    seed   None to choose one
    order  None for the highest complete order

    MarkovError if no order is complete; NeedsCounts if the model does not hold whole counts.

    >>> import markov_cli
    >>> markov_cli.rebuild(markov_cli.train(texts=["a b c a d"], order=2), seed=1).text.split()
    ['a', 'b', 'c', 'a', 'd']
    """
    seed = new_seed() if seed is None else seed
    parts, used = rebuilt_parts(model, seed, order)
    raw = b"".join(parts)
    return RebuiltText(raw.decode("utf-8", "replace"), used, seed, raw)


def rebuilt_parts(model: ModelLike, seed: int, order: int | None = None) -> tuple[Iterator[bytes], int]:
    """The text of `rebuild` part by part, and the order used: for one that is larger than memory."""
    return model_evidence.rebuild(opened(model).language_model, seed, order)


def member(
    model: ModelLike,
    paths: Paths = (),
    *,
    texts: Texts = (),
    order: int | None = None,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
) -> Membership:
    """Judge for each sequence of a text if it was in the training text, as far as the model proves it.

    order  None for the model's own
    jsonl, csv, parquet, skip_bad  the texts of the files are in a field of records, as in `train`
    max_expansion, markers, strip  how files are read, as in `train`

    NeedsCounts if the model does not hold whole counts; TextError if the text has no token.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["a b. c d. a b."], order=3)
    >>> [(m.text, m.verdict) for m in markov_cli.member(model, texts="a b. a d.").member]
    [('a b.', 'in'), ('a d.', 'out')]
    """
    one = opened(model)
    sources = sources_of(
        paths, texts, max_expansion, record_format(jsonl, csv, parquet, skip_bad=skip_bad), markers, strip
    )
    found = model_evidence.member(one.language_model, sources, order, check_encoding(encoding))
    return membership(one, found, order or one.order)


# ------------------------------------------------------------ results of what was found


def audit_report(model: Model, a: Audit, top: int | None) -> AuditReport:
    """The figures of an audit, and the first certain strings."""
    if top is not None:
        whole("top", top)
    h = model.header
    xz = a.xz_bytes_per_token
    return AuditReport(
        model=model.path,
        order=model.order,
        unit=h.options.unit,
        tokens=h.tokens,
        sequences=h.sequences,
        **h.protection(),
        orders=tuple(audited_order(o, a.against) for o in a.orders),
        model_bytes=a.model_bytes,
        model_bytes_per_token=ratio(a.model_bytes, a.tokens),
        model_bytes_per_text_byte=ratio(a.model_bytes, h.corpus_bytes),
        text_bytes_per_token_xz=xz,
        text_bytes_per_token_xz_is=None if xz is None else "exact" if xz_is_exact(a) else "estimate",
        text_bytes_xz_per_text_byte=None if xz is None else ratio(xz * a.tokens, h.corpus_bytes),
        strings_order=a.strings_order,
        strings_found=0 if a.strings is None else len(a.strings),
        strings=() if a.strings is None else tuple(certain_strings(model, a.strings, top)),
        guard=guard_figures(model, in_audit=True),
        notes=tuple(a.notes),
        corpus=None if a.against is None else corpus_figures(model, a.against),
    )


def xz_is_exact(a: Audit) -> bool:
    """True if xz compressed the whole text itself."""
    return a.against is not None and bool(a.against.corpus.head) and a.xz_share == 1.0


def audited_order(o: OrderAudit, against: CorpusComparison | None) -> AuditedOrder:
    """The figures of one order."""
    f = o.forgotten
    beside = None if against is None else against.orders.get(o.order)
    return AuditedOrder(
        order=o.order,
        rows=o.rows,
        complete=o.complete,
        histories=o.balance.histories,
        forgotten_bits=float(f.bits) if f else None,
        forgotten_is=f.how if f else None,
        forgotten_error_bits=float(f.error_bits) if f else None,
        forgotten_bound_bits=float(f.bound_bits) if f else None,
        order_bits=_real(o.order_bits),
        content_bits_per_token=_real(o.content_bits_per_token),
        content_is=o.content_is,
        retained=_real(o.retained),
        certain=_shares(o.certain),
        certain_bound=_shares(o.certain_bound),
        half=o.half,
        longest=o.longest,
        corpus=None if beside is None or against is None else _in_corpus(beside, f, against.others is not None),
    )


def _in_corpus(o: OrderAgainst, f: Forgotten | None, heldout: bool) -> OrderInCorpus:
    d = o.division
    return OrderInCorpus(
        verified=_shares(o.verified),
        greedy=_shares(o.greedy),
        rebuilt_sequences=_real(o.rebuilt_sequences),
        rebuilt_10grams=_real(o.rebuilt_10grams),
        memorised_bits_per_token=_real(o.memorised),
        perplexity=_real(o.perplexity),
        leave_one_out_perplexity=_real(o.without),
        rows_from_one_sequence=_real(o.single_sequence),
        rows_from_one_file=_real(o.single_file),
        ngrams_not_in_table=o.differences.missing,
        ngrams_of_other_count=o.differences.differing,
        corpus_order_bits=None if d is None else float(d.order_bits),
        corpus_content_bits_per_token=None if d is None else float(d.content_bits_per_token),
        corpus_content_is=None if d is None or f is None else f.how,
        corpus_retained=None if d is None else _real(d.retained),
        heldout=HeldoutFigures(_real(o.heldout), _real(o.auc), _real(o.true_positives)) if heldout else None,
    )


def _real(x: float | None) -> float | None:
    return None if x is None else float(x)


def _shares(found: dict[int, Any] | None) -> dict[int, Any] | None:
    return None if found is None else {n: _real(share) for n, share in found.items()}


def text_of(model: Model, ids: np.ndarray) -> str:
    """Ids as text; UNK is shown as a marker. MarkovError for one that is too large to show."""
    size = int(model.vocabulary.spans(ids)[1].sum())
    if size > SHOWN_BYTES:
        raise MarkovError(
            f"a string of {size:,} bytes, where {SHOWN_BYTES:,} can be shown",
            "leave --strings, --member and --json out; --rebuild writes a text of any size",
        )
    if not (ids == UNK).any():
        return model.vocabulary.join_one(ids.tolist())
    return model.vocabulary.show(ids.tolist())


def certain_strings(
    model: Model, s: Strings, top: int | None = None, most: int | None = None
) -> Iterator[CertainString]:
    """The first certain strings, or all of them; the text of each has at most `most` tokens."""
    begin = np.cumsum(s.size) - s.size
    for i in range(len(s) if top is None else min(top, len(s))):
        size = int(s.size[i]) if most is None else min(int(s.size[i]), most)
        yield CertainString(
            text=text_of(model, s.ids[int(begin[i]) : int(begin[i]) + size]),
            tokens=int(s.size[i]),
            occurrences=int(s.count[i]),
            occurrences_is="exact" if s.exact[i] else "bound",
            opens=bool(s.opens[i]),
            closes=bool(s.closes[i]),
        )


def corpus_figures(model: Model, a: CorpusComparison) -> CorpusFigures:
    """The comparison of a model with its training text."""
    return CorpusFigures(
        corpus_tokens=a.corpus.tokens,
        corpus_sequences=a.corpus.sequences,
        corpus_distinct_sequences=a.distinct_sequences,
        is_training_text=False if a.is_not else None,
        proof=proof(model, a),
        strings_looked_up=a.looked_up,
        strings_not_found=a.looked_up - a.found,
        sources=tuple(_sources(a, a.orders[max(a.orders)])) if a.orders else (),
        corpus_notes=tuple(a.notes),
    )


def _sources(a: CorpusComparison, longest: OrderAgainst) -> Iterator[AuditSource]:
    c = a.corpus
    size = c.size - 1
    for i, name in enumerate(c.names):
        low, high = int(c.first[i]), int(c.first[i + 1])
        yield AuditSource(
            file=name,
            tokens=int(size[low:high].sum()),
            sequences=high - low,
            rows_only_here=longest.only[i] if longest.only else None,
            memorised_bits_per_token=longest.by_file[i] if longest.by_file else None,
        )


def proof(model: Model, a: CorpusComparison) -> str | None:
    """Why the text cannot be the training text, in one sentence; None if nothing shows that."""
    wrong = [o.differences for _, o in sorted(a.orders.items()) if o.differences]
    if wrong:
        d = wrong[0]
        said = f"the text has {d.differing + d.missing:,} n-grams of order {d.order} more or less often than the model"
        if d.example is not None:
            ids, here, there = d.example
            said += f": {_shown(model, ids)!r} {_times(here)}, not {there:,}"
        return said
    if a.lost is not None:
        ids, here, there = a.lost
        return (
            f"the text lacks {a.looked_up - a.found:,} of {a.looked_up:,} strings that the model proves: "
            f"{_shown(model, ids)!r} occurs {_times(here)}, not {there:,}"
        )
    return None


def _times(n: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n:,} times")


def _shown(model: Model, ids: list[int]) -> str:
    text = model.vocabulary.show(ids)
    return text if len(text) <= 60 else text[:59] + "…"


def membership(model: Model, m: Members, order: int) -> Membership:
    """The verdicts with their texts."""
    rows = tuple(
        SequenceMembership(
            verdict=NAMES[int(m.verdict[i])],
            occurrences_at_least=int(m.least[i]),
            expected=None if np.isnan(m.expected[i]) else float(m.expected[i]),
            text=text_of(model, m.ids[int(m.begin[i]) : int(m.end[i])]),
        )
        for i in range(len(m))
    )
    n_in, n_out = int((m.verdict == IN).sum()), int((m.verdict == OUT).sum())
    return Membership(model.path, order, n_in, n_out, len(m) - n_in - n_out, rows)
