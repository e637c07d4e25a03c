"""`markov audit`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError
from ..render.json_text import json_text
from .option_groups import GroupedCommand, option_group
from .options import (
    encoding_option,
    json_option,
    model_argument,
    note,
    quiet_option,
    reading_options,
    record_options,
    records_of,
    seed_option,
    sources_in,
)
from .output import write_parts

if TYPE_CHECKING:
    from ..api.model import Model
    from ..evidence.table.audit import Audit


@click.command(cls=GroupedCommand, short_help="Measure how much of its training text a model keeps.")
@model_argument
@option_group(
    "What the text is",
    click.option(
        "--corpus",
        multiple=True,
        type=click.Path(),
        metavar="FILE",
        help="The training text, or a text to compare with it. Can be repeated.",
    ),
    click.option(
        "--heldout",
        multiple=True,
        type=click.Path(),
        metavar="FILE",
        help="Text that the model was not trained on; measures how well its sequences can be told from those of "
        "--corpus.",
    ),
    *record_options("Every file named here"),
    encoding_option("all texts named here"),
    *reading_options("them"),
)
@option_group(
    "What is measured",
    click.option("--order", type=int, metavar="N", help="Measure this order only.  [default: all stored orders]"),
    click.option(
        "--min-tokens",
        type=click.IntRange(1),
        default=10,
        show_default=True,
        metavar="N",
        help="The length of the shortest certain string that is listed.",
    ),
    click.option(
        "--member",
        type=click.Path(),
        metavar="FILE",
        help="Test whether each sequence of FILE was in the training text.",
    ),
    seed_option("For --rebuild: the same seed writes the same text."),
)
@option_group(
    "Output",
    click.option(
        "--show",
        type=click.IntRange(0),
        default=10,
        show_default=True,
        metavar="N",
        help="The number of certain strings to print.",
    ),
    click.option("--strings", type=click.Path(), metavar="FILE", help="Write all certain strings; `-` for stdout."),
    click.option(
        "--rebuild",
        type=click.Path(),
        metavar="FILE",
        help="Write a random text that has exactly this table; `-` for stdout.",
    ),
    click.option(
        "--html",
        type=click.Path(),
        metavar="FILE",
        help="Write a page with pictures, and with the text of --corpus shaded by certain strings; `-` for stdout.",
    ),
    json_option,
    quiet_option(),
)
def audit(model: str, as_json: bool, quiet: bool, **kw: Any) -> int:
    """Measure how much of its training text a model keeps, from the model alone or with the text.

    \b
    markov audit book.npz
    markov audit book.npz --order 3 --strings certain.tsv
    markov audit book.npz --rebuild again.txt --seed 1
    markov audit book.npz --member letters.txt
    markov audit book.npz --corpus book.txt --heldout letters.txt
    markov audit book.npz --html audit.html

    \b
    forgotten  log2 of the number of texts with exactly this table; 0: the table is the text
    retained   the part that the table keeps of the information in the order of the tokens
    certain    the share of tokens in strings that occur in every text with this table

    Every figure is exact, a bound, or an estimate with its error, and is marked so.
    docs/reference/options.md explains every option.

    Exit code 3: --corpus is not the training text, and the proof is printed.
    """
    from ..api.model import Model
    from ..evidence.model_evidence import check_order
    from ..generation.request import new_seed
    from .output import check_apart, check_target

    outputs = [o for o in (kw["strings"], kw["rebuild"], kw["html"]) if o is not None]
    if outputs.count("-") + as_json > 1 and "-" in outputs:
        raise OptionError("only one result can go to stdout", "name a file for the other")
    if kw["seed"] is not None and kw["rebuild"] is None:
        raise OptionError("--seed works only with --rebuild", "add --rebuild FILE, or leave it out")
    if [model, kw["member"], *kw["corpus"], *kw["heldout"]].count("-") > 1:
        raise OptionError("standard input can be read only once", "name a file for the other")
    if kw["heldout"] and not kw["corpus"]:
        raise OptionError("--heldout needs --corpus", "add --corpus FILE, the training text")
    if kw["member"] is not None and kw["corpus"]:
        raise OptionError("--member and --corpus exclude each other", "run the command twice")
    check_apart(outputs, [*filter(None, [kw["member"]]), *kw["corpus"], *kw["heldout"]])
    for target in outputs:
        if target != "-":
            check_target(target)
    loaded = Model.load(model)
    check_order(loaded.language_model, kw["order"])
    if kw["rebuild"] is not None:
        seed = kw["seed"]
        if seed is None:
            seed = new_seed()
            note(f"seed {seed}", quiet)
        _rebuild(loaded, kw["rebuild"], seed, kw["order"], quiet)
        if kw["rebuild"] == "-":
            return 0
    if kw["member"] is not None:
        return _member(loaded, kw, as_json)
    return _report(loaded, model, kw, as_json, quiet)


def _report(loaded: Model, path: str, kw: dict[str, Any], as_json: bool, quiet: bool) -> int:
    from ..api.audit import audit_report, proof
    from ..errors import AnswerIsNo
    from ..evidence.corpus.certain_text import certain_text
    from ..evidence.model_evidence import audit as run
    from ..render import audit as show
    from ..render.train import repair_lines
    from ..text.reading import check_encoding
    from .output import kept_sources

    records = records_of(kw, "corpus", "heldout")
    corpus, heldout = (sources_in(kw[name], kw, records) for name in ("corpus", "heldout"))
    encoding = check_encoding(kw["encoding"])
    with ExitStack() as stack:
        if kw["html"] is not None:
            corpus = kept_sources(corpus, stack)
        found = run(
            loaded.language_model, kw["order"], kw["min_tokens"], corpus, heldout, encoding, kw["html"] is not None
        )
        shaded = None
        if kw["html"] is not None and found.against is not None:
            shaded = certain_text(loaded.language_model, found.against, corpus, encoding)
    if found.against is not None:
        for read in (found.against.corpus, found.against.others):
            if read is not None:
                for text in repair_lines(read.repairs):
                    note(text, quiet)
    if kw["strings"] is not None:
        _strings(loaded, found, kw["strings"], quiet)
    if kw["html"] is not None:
        from ..render.html.audit import audit_page

        write_parts(kw["html"], audit_page(loaded, path, found, kw["show"], shaded))
        if kw["html"] != "-":
            note(f"wrote {kw['html']}", quiet)
    if "-" not in (kw["strings"], kw["html"]):
        if as_json:
            click.echo(json_text(audit_report(loaded, found, kw["show"]).to_dict()))
        else:
            show.show_audit(loaded, path, found, kw["show"], kw["min_tokens"])
    if found.against is not None and found.against.is_not:
        named = ", ".join(found.against.corpus.names[:3]) + (", ..." if len(found.against.corpus.names) > 3 else "")
        raise AnswerIsNo(
            f"{named}: not the training text of {path}: {proof(loaded, found.against)}",
            "name all of the training text, in the encoding it was read in, and nothing else",
        )
    return 0


def _rebuild(loaded: Model, path: str, seed: int, order: int | None, quiet: bool) -> None:
    from ..api.audit import rebuilt_parts

    parts, used = rebuilt_parts(loaded, seed, order)
    write_parts(path, parts)
    note(f"{path}: a random text that has exactly the table of order {used}", quiet)
    header = loaded.header
    if header.maps_types:
        note("tokens outside the vocabulary, which are <unk> in the model, are missing in it", quiet)
    if header.options.unit == "file" and header.sequences > 1:
        note(f"{header.sequences:,} files are in it, one after another", quiet)


def _strings(loaded: Model, found: Audit, path: str, quiet: bool) -> None:
    from ..render.audit import strings_tsv

    write_parts(path, strings_tsv(loaded, found))
    note(f"{path}: {len(found.strings or ()):,} certain strings", quiet)


_HOW = ("order", "encoding", "jsonl", "csv", "parquet", "skip_bad", "max_expansion", "markers", "strip")


def _member(loaded: Model, kw: dict[str, Any], as_json: bool) -> int:
    from ..api.audit import member
    from ..render.audit import member_lines

    how = {name: kw[name] for name in _HOW}
    found = member(loaded, kw["member"], **how)
    for out in [json_text(found.to_dict())] if as_json else member_lines(found):
        click.echo(out)
    return 0
