"""`markov page`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError
from ..render.json_text import json_text
from .option_groups import GroupedCommand, option_group
from .option_types import SizeType
from .options import (
    encoding_option,
    json_option,
    model_argument,
    note,
    quiet_option,
    reading_options,
    record_options,
    records_of,
    sources_in,
)
from .output import no_output, write_json, write_parts

if TYPE_CHECKING:
    from ..api.inspect import Inspection
    from ..api.model import Model
    from ..api.page import PageModel

_SLACK = 2_000  # bytes of what the page says of the model that it holds
_SHOWN = 20_000  # tokens of --corpus in the page


@click.command(cls=GroupedCommand, short_help="Write a page to explore a model and to write with it.")
@model_argument
@option_group(
    "The page",
    click.option("-o", "--output", type=click.Path(), help="The page to write; `-` for stdout."),
    click.option(
        "--max-size",
        type=SizeType(),
        default="8M",
        show_default=True,
        help="The largest size of the page. A model that does not fit is pruned by relative entropy, as markov prune "
        "--threshold does it, and the page says what was left out.",
    ),
)
@option_group(
    "The training text",
    click.option(
        "--corpus",
        multiple=True,
        type=click.Path(),
        metavar="FILE",
        help="The training text: the page shows it, shaded by what the model proves of it. Can be repeated.",
    ),
    click.option(
        "--no-audit",
        is_flag=True,
        help="Leave the question of the training text out of the page: its audit takes longer than all the rest.",
    ),
    *record_options("Every file of --corpus"),
    encoding_option("--corpus"),
    *reading_options("--corpus"),
)
@option_group("Messages", json_option, quiet_option())
def page(model: str, output: str | None, max_size: int, as_json: bool, quiet: bool, **kw: Any) -> int:
    """Write one HTML file to explore a model and to write with it, without a server or a network.

    \b
    markov page book.npz -o book.html
    markov page book.npz --corpus book.txt -o book.html
    markov page large.npz --max-size 20M -o large.html

    Write shows what can come next, and writes the texts that markov generate writes for the model in the page.
    Look has its figures, How it works each count behind a probability, and Is the text still in there? what an
    audit finds.

    Exit code 3: --corpus is not the training text, and the proof is printed; the page is written.
    """
    from ..api.model import Model
    from .output import check_apart, check_target

    if output is None:
        raise no_output("PAGE.html", f"markov page {model} -o page.html")
    if output == "-" and as_json:
        raise OptionError("only one result can go to stdout", "-o FILE")
    if kw["no_audit"] and kw["corpus"]:
        raise OptionError("--no-audit and --corpus exclude each other", "leave one of them out")
    check_apart([output], [model, *kw["corpus"]])
    if output != "-":
        check_target(output)
    loaded = Model.load(model)
    parts, held, proof = _parts(loaded, model, max_size, kw, quiet)
    write_parts(output, parts)
    size = sum(map(len, parts))
    _say(held, output, size, quiet)
    if as_json:
        write_json(json_text({**held.to_dict(), "page": output, "page_bytes": size}), output)
    return _proven(proof, kw["corpus"], model) if proof else 0


def _parts(
    loaded: Model, path: str, max_size: int, kw: dict[str, Any], quiet: bool
) -> tuple[list[bytes], PageModel, str | None]:
    """The page part by part, the model in it, and the proof that --corpus is another text."""
    from ..api.inspect import inspect
    from ..api.page import page as pack
    from ..api.train import train
    from ..render.html.model_page import EXAMPLE, LISTED, model_page

    example = pack(train(texts=[EXAMPLE], order=2, lowercase=True))
    found = inspect(loaded, top=LISTED)
    argument, proof = _argument(loaded, found, kw, quiet)

    def made(held: PageModel) -> list[bytes]:
        return loaded.checked(list, model_page(loaded, path, held, example, found, argument))

    around = sum(map(len, made(example))) + _SLACK
    if around >= max_size:
        raise OptionError(
            f"--max-size {max_size:,}: the page takes {around:,} bytes without the model", "give a larger --max-size"
        )
    held = pack(loaded, max_bytes=max_size - around)
    return made(held), held, proof


def _argument(loaded: Model, figures: Inspection, kw: dict[str, Any], quiet: bool) -> tuple[list[str], str | None]:
    """Markup of the section about the training text, and the proof that --corpus is another text."""
    from ..render.html.argument import argument, no_argument

    if kw["no_audit"]:
        return [no_argument("its audit was left out (--no-audit)")], None
    from ..api.audit import proof
    from ..errors import MarkovError, ModelFileError
    from ..evidence.corpus.certain_text import certain_text
    from ..evidence.model_evidence import audit
    from ..render.train import repair_lines
    from ..text.reading import check_encoding
    from .output import kept_sources

    sources, encoding = sources_in(kw["corpus"], kw, records_of(kw, "corpus")), check_encoding(kw["encoding"])
    text = None
    with ExitStack() as stack:
        sources = kept_sources(sources, stack)
        try:
            found = audit(loaded.language_model, corpus=sources, encoding=encoding, shaded=bool(sources))
        except MarkovError as error:  # a model of probabilities, or without borders
            if sources or isinstance(error, ModelFileError):
                raise
            return [no_argument(error.message)], None
        if found.against is not None:
            text = certain_text(loaded.language_model, found.against, sources, encoding, _SHOWN)
            for line in repair_lines(found.against.corpus.repairs):
                note(line, quiet)
    said = proof(loaded, found.against) if found.against is not None and found.against.is_not else None
    return [*argument(loaded, found, figures, said, text)], said


def _say(held: PageModel, output: str, size: int, quiet: bool) -> None:
    before, after = sum(held.ngrams_before), sum(held.ngrams_after)
    if not held.whole:
        note(f"holds    {after:,} of {before:,} n-grams (threshold {held.threshold:.3g})", quiet)
    note(f"wrote    {output}: {size / 1e6:.1f} MB", quiet)


def _proven(proof: str, corpus: tuple[str, ...], path: str) -> int:
    from ..errors import AnswerIsNo

    named = ", ".join(corpus[:3]) + (", ..." if len(corpus) > 3 else "")
    raise AnswerIsNo(
        f"{named}: not the training text of {path}: {proof}",
        "name all of the training text, in the encoding it was read in, and nothing else",
    )
