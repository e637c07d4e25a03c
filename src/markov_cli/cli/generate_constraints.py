"""The options of `generate` that say what texts must be like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from .completion_words import complete_prompt, complete_word

if TYPE_CHECKING:
    from ..generation.request import Constraints

NO_MOST = 1 << 40  # as in the engine, which is imported later


class RangeType(click.ParamType):
    """A number or two: `12`, `8..12`, `8..`."""

    name = "n..m"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """`8..12` to (8, 12)."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{1,9})|(\d{0,9})\.\.(\d{0,9})", str(value).strip())
        if found is None or str(value).strip() == "..":
            self.fail(f"{value!r}: a number or two, for example 12 or 8..12", param, ctx)
        if found[1]:
            return int(found[1]), int(found[1])
        low, high = int(found[2] or 0), int(found[3] or NO_MOST)
        if low > high:
            self.fail(f"{value!r}: the first number is the larger one", param, ctx)
        return low, high


_OPTIONS = [
    click.option(
        "--contains",
        multiple=True,
        metavar="WORD",
        shell_complete=complete_word,
        help="It stands in each text; may be repeated.",
    ),
    click.option("--in-order", is_flag=True, help="The words of --contains stand in the order given."),
    click.option(
        "--starts-with", default="", metavar="TEXT", shell_complete=complete_prompt, help="Each text's first tokens."
    ),
    click.option(
        "--ends-with", default="", metavar="TEXT", shell_complete=complete_prompt, help="Each text's last tokens."
    ),
    click.option(
        "--without",
        multiple=True,
        metavar="WORD",
        shell_complete=complete_word,
        help="It stands in no text; may be repeated.",
    ),
    click.option(
        "--ban",
        type=click.Path(),
        metavar="FILE",
        help="Words, or several in a row, one a line: they stand in no text.",
    ),
    click.option(
        "--pattern",
        default="",
        metavar="TEXT",
        shell_complete=complete_prompt,
        help="The whole text: words, _ for one token, * for any number.",
    ),
    click.option("--tokens", type=RangeType(), metavar="N|N..M", help="Exactly so many tokens, the prompt's counted."),
    click.option(
        "--characters", type=RangeType(), metavar="N|N..M", help="So many characters in the text; met by trying."
    ),
    click.option("--balanced", is_flag=True, help="Quotes and brackets close; met by trying."),
    click.option("--match", default="", metavar="REGEX", help="It is found in the text; met by trying."),
]


def constraint_options(f: Any) -> Any:
    """`--contains` and its like."""
    for option in reversed(_OPTIONS):
        f = option(f)
    return f


def constraints_of(kw: dict[str, Any]) -> Constraints:
    """The constraints that the options name."""
    names = ["contains", "in_order", "starts_with", "ends_with", "without", "pattern", "tokens", "characters", "match"]
    names.append("balanced")
    given = {name: kw[name] for name in names}
    if kw["ban"] is not None:
        from .generate_mixture import words_of

        given["ban"] = words_of(kw["ban"])
    from ..generation.request import Constraints

    return Constraints(**given)


def most_tokens(kw: dict[str, Any], set_by_user: bool) -> int:
    """--max-tokens, which --tokens raises where it was not given."""
    most = int(kw["max_tokens"])
    if kw["tokens"] is not None and not set_by_user and kw["tokens"][1] < NO_MOST:
        most = max(most, kw["tokens"][1])
    return most
