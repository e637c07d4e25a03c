"""What a model tells of its text by itself: `audit`, `rebuild`, `member`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import MarkovError, NeedsCounts, OptionError
from ..evidence.corpus.comparison import CorpusComparison
from ..evidence.corpus.corpus_rows import read_corpus
from ..evidence.table.audit import LENGTHS, XZ_BYTES, Audit, audit_table, text_of
from ..evidence.table.membership import Members, members, read_ids
from ..evidence.table.ngram_graph import Balance, Graph, balance, graph_of
from ..evidence.table.random_text import circuit

if TYPE_CHECKING:
    from ..text.reading import Source
    from .model import Model


def audit(
    model: Model,
    order: int | None = None,
    least: int = LENGTHS[0],
    corpus: Sequence[Source] = (),
    heldout: Sequence[Source] = (),
    encoding: str = "utf-8",
) -> Audit:
    """All figures of one order, or of every stored one; see evidence/audit.py for what each is.

    least    tokens of the shortest certain string listed
    corpus   the text that the model was made of, to hold against it
    heldout  another text, to tell members of the first from; needs `corpus`

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["a b c a d"], order=2)
    >>> found = audit(model)  # a b c a d alone has these bigrams: nothing is forgotten
    >>> [(o.order, o.complete, round(o.bits, 3)) for o in found.orders]
    [(1, True, 5.907), (2, True, 0.0)]
    """
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
        against = CorpusComparison(text, other)
    elif heldout:
        raise OptionError("--heldout is for --corpus", "add --corpus FILE, the training text")
    return model.checked(audit_table, model.header, model.vocabulary, model.table, size, orders, least, against)


def check_order(model: Model, order: int | None, lowest: int = 1) -> None:
    """OptionError where the model has no such order; above the first without n-grams there is nothing to tell."""
    highest = model.table.height
    if order is not None and not lowest <= order <= highest:
        has = f"{lowest} to {highest}" if highest > lowest else str(lowest)
        raise OptionError(f"--order {order}: the model has orders {has}", "leave --order out for all")


def rebuild(model: Model, seed: int, order: int | None = None) -> tuple[bytes, int]:
    """One text with exactly the model's table, all of them equally likely, and the order that was used.

    Without `order` it is the highest that is complete; MarkovError where none is.
    """
    check_order(model, order, 2)
    _need_counts(model, "--rebuild")
    tried = [order] if order is not None else [*range(model.table.height, 1, -1)]
    for n in tried:
        g, found = model.checked(_graph, model, n)
        if found.complete and g.whole and g.sequences:
            walked = model.checked(circuit, g, seed)
            return model.checked(text_of, model.vocabulary, g, walked, model.header.options.unit), n
    which = f"order {tried[0]} is" if len(tried) == 1 else "none of the model's orders above 1 is"
    raise MarkovError(
        f"{which} complete, with whole counts: no text has just this table", "a model trained without --prune"
    )


def member(model: Model, sources: Sequence[Source], order: int | None = None, encoding: str = "utf-8") -> Members:
    """Whether each sequence of a text stood in the training text, as far as one order proves it."""
    check_order(model, order, 2)
    _need_counts(model, "--member")
    if model.table.height < 2:
        raise MarkovError("--member: a model of order 1 keeps no order of tokens", "a model of order 2 or more")
    g, found = model.checked(_graph, model, order or model.table.height)
    ids = model.checked(read_ids, model.vocabulary, model.header.options, sources, encoding)
    return model.checked(members, model.table, g, found.complete, ids)


def _graph(model: Model, order: int) -> tuple[Graph, Balance]:
    g = graph_of(model.table, order)
    return g, balance(g)


def _need_counts(model: Model, what: str) -> None:
    if model.header.cap_per_sequence:
        raise NeedsCounts(
            f"{what} needs counts of all occurrences, and the model counts an n-gram once a sequence",
            "train it without --cap-per-sequence: markov train TEXT -o MODEL",
        )
    if model.header.holds == "counts":
        return
    raise NeedsCounts(
        f"{what} needs whole counts, and the model holds {model.header.holds}", "train one: markov train TEXT -o MODEL"
    )
