"""The options of `markov generate`, and the request, constraints and model that they name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from ..errors import MarkovError, OptionError
from .completion_words import complete_prompt, complete_word
from .option_groups import option_group
from .option_types import NumbersType
from .options import (
    adapt_option,
    encoding_option,
    ignore_case_option,
    json_option,
    quiet_option,
    reading_options,
    record_options,
    records_of,
    seed_option,
    shape_options,
    smoothing_option,
    sources_in,
)

if TYPE_CHECKING:
    from ..generation.mixture import MixedModel
    from ..generation.request import Constraints, Request
    from ..model.language_model import LanguageModel

NO_MOST = 1 << 40  # as in the engine, which is imported later


class RangeType(click.ParamType):
    """A number or a range: `12`, `8..12`, `8..`."""

    name = "n..m"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """`8..12` to (8, 12)."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{1,9})|(\d{0,9})\.\.(\d{0,9})", str(value).strip())
        if found is None or str(value).strip() == "..":
            self.fail(f"{value!r}: write a number or a range, for example 12 or 8..12", param, ctx)
        if found[1]:
            return int(found[1]), int(found[1])
        low, high = int(found[2] or 0), int(found[3] or NO_MOST)
        if low > high:
            self.fail(f"{value!r}: the first number is larger than the second", param, ctx)
        return low, high


_TEXT = option_group(
    "What a text must be like",
    click.option(
        "--prompt",
        default="",
        metavar="TEXT",
        shell_complete=complete_prompt,
        help="Every text goes on from TEXT, which need not occur in the training text.",
    ),
    click.option("--within", is_flag=True, help="--prompt is the middle of a sequence, not its beginning."),
    ignore_case_option,
    click.option(
        "--min-tokens",
        type=click.IntRange(0),
        default=1,
        show_default=True,
        help="Every text has at least N tokens; shorter ones are drawn again.",
        metavar="N",
    ),
    click.option(
        "--max-tokens",
        type=click.IntRange(1),
        default=1000,
        show_default=True,
        help="Cut a text after N tokens.",
        metavar="N",
    ),
    click.option(
        "--tokens",
        type=RangeType(),
        metavar="N|N..M",
        help="Every text has N tokens (or N to M), the prompt's included.",
    ),
    click.option(
        "--characters",
        type=RangeType(),
        metavar="N|N..M",
        help="Every text has N characters (or N to M). Other texts are drawn again.",
    ),
    click.option(
        "--contains",
        multiple=True,
        metavar="WORD",
        shell_complete=complete_word,
        help="Every text contains WORD. Can be repeated.",
    ),
    click.option("--in-order", is_flag=True, help="The words of --contains occur in the order given."),
    click.option(
        "--starts-with",
        default="",
        metavar="TEXT",
        shell_complete=complete_prompt,
        help="Every text starts with TEXT, as the model itself can write it.",
    ),
    click.option(
        "--ends-with", default="", metavar="TEXT", shell_complete=complete_prompt, help="Every text ends with TEXT."
    ),
    click.option(
        "--without",
        multiple=True,
        metavar="WORD",
        shell_complete=complete_word,
        help="No text contains WORD. Can be repeated.",
    ),
    click.option(
        "--ban",
        type=click.Path(),
        metavar="FILE",
        help="No text contains a line of FILE. A line is a word, or several words in a row.",
    ),
    click.option(
        "--pattern",
        default="",
        metavar="TEXT",
        shell_complete=complete_prompt,
        help="Every text is TEXT, in which _ is any one token and * any number of tokens.",
    ),
    click.option(
        "--balanced", is_flag=True, help="Quotes and brackets open and close in pairs. Other texts are drawn again."
    ),
    click.option(
        "--match", default="", metavar="REGEX", help="REGEX is found in every text. Other texts are drawn again."
    ),
    click.option("--unique", is_flag=True, help="No text is written twice."),
)

_NOVELTY = option_group(
    "Comparison with the training text",
    click.option(
        "--novel",
        type=click.IntRange(1),
        metavar="K",
        help="No text copies K tokens in a row from the training text. K is larger than the order.",
    ),
    click.option(
        "--corpus",
        type=click.Path(),
        multiple=True,
        metavar="FILE",
        help="The training text, for --novel, --trace and --json. Can be repeated.",
    ),
    *record_options("--corpus (and --baseline)"),
    encoding_option("--corpus"),
    *reading_options("--corpus"),
    click.option(
        "--trace",
        is_flag=True,
        help="Compare the texts with --corpus: report what is new and what is copied. Keeps all texts in memory.",
    ),
    click.option(
        "--baseline",
        multiple=True,
        type=click.Path(),
        metavar="FILE",
        help="For --trace: text of the same kind that is not in --corpus; its figures are shown, too.",
    ),
)

_DRAWING = option_group(
    "How it is drawn",
    seed_option("The same seed draws the same texts, whatever --count is.  [default: a new seed]"),
    smoothing_option("none", draws=True),
    adapt_option,
    *shape_options,
    click.option(
        "--model",
        "others",
        multiple=True,
        type=click.Path(),
        metavar="MODEL",
        help="Draw from a mixture of MODEL and this model. Can be repeated.",
    ),
    click.option(
        "--mix",
        type=NumbersType(),
        metavar="W,W",
        help="Weights of MODEL and of each --model, for example 0.7,0.3.  [default: equal weights]",
    ),
)

_OUTPUT = option_group(
    "Output",
    click.option(
        "-c", "--count", type=click.IntRange(0), metavar="N", default=1, show_default=True, help="The number of texts."
    ),
    click.option(
        "--stream", is_flag=True, help="Write each token as soon as it is drawn, text after text, until you stop it."
    ),
    click.option("--null", is_flag=True, help="End each text with NUL instead of newline."),
    json_option,
    quiet_option(),
)


def generate_options(f: Any) -> Any:
    """All options of `generate`, under four headings."""
    for group in reversed((_TEXT, _NOVELTY, _DRAWING, _OUTPUT)):
        f = group(f)
    return f


def explicitly_given() -> set[str]:
    """The options that were typed, not left at their defaults."""
    context = click.get_current_context()
    default = click.core.ParameterSource.DEFAULT
    return {name for name in context.params if context.get_parameter_source(name) is not default}


def check_trace(kw: dict[str, Any]) -> None:
    """OptionError where one option of --trace needs another, or excludes it."""
    if kw["trace"] and not kw["corpus"]:
        raise OptionError("--trace needs the training text", "add --corpus FILE")
    if kw["baseline"] and not kw["trace"]:
        raise OptionError("--baseline works only with --trace", "add --trace, or leave --baseline out")
    for name, option in (("stream", "--stream"), ("others", "--model")):
        if kw["trace"] and kw[name]:
            raise OptionError(
                f"--trace does not work with {option}: it compares whole texts of one model", "leave one of them out"
            )
    if [*kw["corpus"], *kw["baseline"]].count("-") > 1:
        raise OptionError("standard input can be read only once", "name a file instead of one of the `-`")


def request_of(kw: dict[str, Any], given: set[str], as_json: bool) -> Request:
    """The options as one request."""
    from ..arrays.threads import usable_cores
    from ..generation.request import Request
    from ..sampling.shape import Shape
    from ..text.reading import check_encoding

    records = records_of(kw, "corpus")
    for_trace = kw["trace"] and kw["novel"] is None and not as_json  # the trace alone reads the corpus
    if kw["corpus"] and kw["novel"] is None and not (as_json or kw["trace"] or kw["stream"] or kw["others"]):
        raise OptionError(
            "--corpus works only with --novel, --trace or --json", "add one of them, or leave --corpus out"
        )
    return Request(
        count=kw["count"],
        seed=kw["seed"],
        prompt=kw["prompt"],
        within=kw["within"],
        ignore_case=kw["ignore_case"],
        min_tokens=kw["min_tokens"],
        max_tokens=most_tokens(kw, "max_tokens" in given),
        shape=Shape(kw["temperature"], kw["top_k"], kw["top_p"]),
        smoothing=kw["smoothing"],
        adapt=kw["adapt"],
        constraints=constraints_of(kw),
        novel=kw["novel"],
        corpus=() if for_trace else tuple(sources_in(kw["corpus"], kw, records)),
        encoding=check_encoding(kw["encoding"]),
        overlaps=as_json and not kw["stream"],
        unique=kw["unique"],
        bits=as_json or kw["trace"],
        jobs=usable_cores(),
    )


def constraints_of(kw: dict[str, Any]) -> Constraints:
    """The constraints that the options name."""
    from ..generation.request import Constraints

    names = ["contains", "in_order", "starts_with", "ends_with", "without", "pattern", "tokens", "characters", "match"]
    names.append("balanced")
    given = {name: kw[name] for name in names}
    if kw["ban"] is not None:
        given["ban"] = words_of(kw["ban"])
    return Constraints(**given)


def most_tokens(kw: dict[str, Any], set_by_user: bool) -> int:
    """--max-tokens, or the larger number of --tokens where --max-tokens was not typed."""
    most = int(kw["max_tokens"])
    if kw["tokens"] is not None and not set_by_user and kw["tokens"][1] < NO_MOST:
        most = max(most, kw["tokens"][1])
    return most


def words_of(path: str) -> list[str]:
    """The lines of a --ban file that are not blank, without the white space around them."""
    from ..text.sources import read_small

    data = read_small(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MarkovError(
            f"{path}: byte {error.start:,} is not UTF-8", "convert the file: iconv -f ... -t utf-8"
        ) from None
    words = list(dict.fromkeys(word for line in text.splitlines() if (word := line.strip())))
    if not words:
        raise OptionError(f"--ban {path}: the file has no words", "write a word, or several in a row, on each line")
    return words


def load_model(path: str, others: tuple[str, ...], weights: tuple[float, ...] | None) -> LanguageModel | MixedModel:
    """The model of one file, or the mixture of several."""
    from ..model.language_model import LanguageModel

    if not others:
        if weights is not None:
            raise OptionError("--mix needs several models", "name the others: --model MODEL")
        return LanguageModel.load(path)
    from ..generation.mixture import MixedModel

    names = [path, *others]
    return MixedModel([LanguageModel.load(name) for name in names], weights or (), names)
