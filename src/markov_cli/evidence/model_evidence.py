"""The evidence in one model: the audit of its table, a random text with that table, membership of sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import MarkovError, NeedsCounts, OptionError
from ..model.language_model import LanguageModel
from ..text.sources import Source
from .corpus.comparison import CorpusComparison
from .corpus.corpus_rows import read_corpus
from .table.audit import LENGTHS, XZ_BYTES, Audit, audit_table, text_of
from .table.membership import Members, members, read_ids
from .table.ngram_graph import Balance, Graph, balance, graph_of
from .table.random_text import circuit


def audit(
    model: LanguageModel,
    order: int | None = None,
    least: int = LENGTHS[0],
    corpus: Sequence[Source] = (),
    heldout: Sequence[Source] = (),
    encoding: str = "utf-8",
    shaded: bool = False,
) -> Audit:
    """Audit one order, or every stored one; `Audit` and `OrderAudit` explain the figures.

    least    tokens of the shortest certain string listed
    corpus   the training text, which the model is compared with
    heldout  text that the model was not trained on, for the membership test; needs `corpus`
    shaded   find for each token of the corpus the longest certain string around it
    """
    _need_borders(model)
    if model.header.cut_below:
        _need_counts(model, "audit")
    check_order(model, order)
    orders = [*range(1, model.table.height + 1)] if order is None else [order]
    size = model.file.size_bytes if model.file else 0
    against = None
    if corpus and model.header.cap_per_sequence:
        _need_counts(model, "--corpus")
    if corpus:
        text = model.checked(read_corpus, model.vocabulary, model.header.options, corpus, encoding, XZ_BYTES)
        other = (
            model.checked(read_corpus, model.vocabulary, model.header.options, heldout, encoding) if heldout else None
        )
        against = CorpusComparison(text, other, shaded=shaded)
    elif heldout:
        raise OptionError("--heldout needs --corpus", "add --corpus FILE, the training text")
    return model.checked(audit_table, model.header, model.vocabulary, model.table, size, orders, least, against)


def check_order(model: LanguageModel, order: int | None, lowest: int = 1) -> None:
    """OptionError if the table has no such order; orders above its longest n-grams are empty."""
    highest = model.table.height
    if order is not None and not lowest <= order <= highest:
        has = f"{lowest} to {highest}" if highest > lowest else str(lowest)
        raise OptionError(f"--order {order}: the model has orders {has}", "leave --order out for all")


def rebuild(model: LanguageModel, seed: int, order: int | None = None) -> tuple[Iterator[bytes], int]:
    """Draw one text uniformly from all that have exactly the model's table; its parts, and the order used.

    Without `order` the highest complete order is used; MarkovError if none is complete.
    """
    check_order(model, order, 2)
    _need_borders(model)
    _need_counts(model, "--rebuild")
    tried = [order] if order is not None else [*range(model.table.height, 1, -1)]
    for n in tried:
        g, found = model.checked(_graph, model, n)
        if found.complete and g.whole and g.sequences:
            walked = model.checked(circuit, g, seed)
            return _checked(model, text_of(model.vocabulary, g, walked, model.header.options.unit)), n
    which = f"order {tried[0]} is" if len(tried) == 1 else "none of the model's orders above 1 is"
    raise MarkovError(
        f"{which} complete, with whole counts: no text has just this table", "a model trained without --prune"
    )


def _checked(model: LanguageModel, parts: Iterator[bytes]) -> Iterator[bytes]:
    while (part := model.checked(next, parts, None)) is not None:
        yield part


def member(
    model: LanguageModel, sources: Sequence[Source], order: int | None = None, encoding: str = "utf-8"
) -> Members:
    """Judge for each sequence of a text if it stood in the training text, as far as one order proves it."""
    check_order(model, order, 2)
    _need_borders(model)
    _need_counts(model, "--member")
    if model.table.height < 2:
        raise MarkovError(
            "--member: a model of order 1 does not keep the order of tokens", "use a model of order 2 or more"
        )
    g, found = model.checked(_graph, model, order or model.table.height)
    ids = model.checked(read_ids, model.vocabulary, model.header.options, sources, encoding)
    return model.checked(members, model.table, g, found.complete, ids)


def _need_borders(model: LanguageModel) -> None:
    if not model.header.borders:
        raise MarkovError(
            "the model was trained with --no-borders: an audit counts walks from <s> to </s>",
            "audit a model of the same text with --unit file",
        )


def _graph(model: LanguageModel, order: int) -> tuple[Graph, Balance]:
    g = graph_of(model.table, order)
    return g, balance(g)


def _need_counts(model: LanguageModel, what: str) -> None:
    if model.header.cap_per_sequence:
        raise NeedsCounts(
            f"{what} needs counts of all occurrences, and the model counts an n-gram once a sequence",
            "train it without --cap-per-sequence: markov train TEXT -o MODEL",
        )
    if model.header.holds == "counts" and not model.header.cut_below:
        return
    raise NeedsCounts(
        f"{what} needs whole counts, and the model holds {model.header.said_holds()}",
        "train one: markov train TEXT -o MODEL",
    )
