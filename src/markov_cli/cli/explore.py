"""`markov explore`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ..errors import INTERRUPTED, MarkovError, OptionError
from ..render.json_text import json_text
from .completion_words import complete_prompt
from .option_groups import GroupedCommand, option_group
from .options import (
    adapt_option,
    ignore_case_option,
    json_option,
    model_argument,
    note,
    quiet_option,
    say_history,
    say_smoothing,
    seed_option,
    shape_options,
    smoothing_option,
)

if TYPE_CHECKING:
    from ..generation.session import Session

_HELP = """\
N               write follower N of the table
word word ...   write these
(nothing)       let the model write one token
:go N           let the model write N tokens
:end            let the model write to the end of the text
:back N         delete N tokens
:new TEXT       begin another text
:temperature T  above 1 flattens the probabilities, below 1 sharpens them
:top-k K        draw only from the K likeliest; 0 for all
:top-p P        draw only from the likeliest that together reach P
:smoothing M    none, kn, wb, ...
:show N         show N rows of the table
:: TEXT         write TEXT, also if it is a number or begins with a colon: `:: 3`
:help           this list
:quit           end the program, as end of input does
A command can be shortened: `:b 2` is `:back 2`"""


@click.command(cls=GroupedCommand, short_help="Write a text together with a model, token by token.")
@model_argument
@option_group(
    "The text",
    click.option(
        "--prompt", default="", metavar="TEXT", shell_complete=complete_prompt, help="The text begins with TEXT."
    ),
    click.option("--within", is_flag=True, help="--prompt is the middle of a sequence, not its beginning."),
    ignore_case_option,
)
@option_group(
    "How it is drawn",
    seed_option("The same seed and the same commands give the same text."),
    smoothing_option("none", draws=True),
    adapt_option,
    *shape_options,
)
@option_group(
    "Output",
    click.option(
        "--top",
        type=click.IntRange(1, 10_000),
        default=10,
        show_default=True,
        metavar="N",
        help="The number of rows in the table.",
    ),
    click.option(
        "--max-tokens",
        type=click.IntRange(1),
        default=1000,
        show_default=True,
        metavar="N",
        help="The most tokens that one :end adds.",
    ),
    click.option("--once", is_flag=True, help="Show what can follow the prompt, and end."),
    json_option,
    quiet_option(),
)
def explore(model: str, as_json: bool, quiet: bool, **kw: Any) -> int:
    """Write a text together with a model: it shows what can come next, and you choose.

    \b
    markov explore book.npz
    markov explore book.npz --prompt "It was" --smoothing kn
    markov explore book.npz --once --prompt "the old" --top 5

    Type the number of a follower, words of your own, or nothing to let the model write one token. :go 5 lets
    it write five tokens, :end the rest, :back deletes one, :temperature 0.7 and the like change how it draws,
    :help lists all commands. The table shows the probabilities of the next draw.

    With --json each state is one object on a line. Commands can come from a file or a pipe. End of input
    ends the program with exit code 0, Ctrl-C with 130.
    """
    from ..api.explore import explore as begin
    from ..api.model import Model
    from ..sampling.shape import Shape

    Shape(kw["temperature"], kw["top_k"], kw["top_p"]).check()  # before the model is opened
    loaded = Model.load(model)
    unseeded = kw["seed"] is None
    session = begin(
        loaded, kw["prompt"], seed=kw["seed"], within=kw["within"], ignore_case=kw["ignore_case"],
        smoothing=kw["smoothing"], temperature=kw["temperature"], top_k=kw["top_k"], top_p=kw["top_p"],
        adapt=kw["adapt"],
    )  # fmt: skip
    say_history(loaded, session.known, kw["ignore_case"], quiet)
    say_smoothing(loaded, session.smoothing, quiet)
    talk = _Talk(session, kw["top"], kw["max_tokens"], as_json, not (unseeded and kw["once"]))
    if kw["once"]:
        talk.show()
        return 0
    if unseeded:
        note(f"seed {session.seed}", quiet)
    try:
        return talk.run(quiet)
    except KeyboardInterrupt:
        click.echo()
        return INTERRUPTED


class _Talk:
    """Reads commands line by line, obeys them and shows the new state."""

    def __init__(self, session: Session, top: int, longest: int, as_json: bool, seeded: bool) -> None:
        self.session, self.top, self.longest, self.as_json = session, top, longest, as_json
        self.seeded = seeded
        self.over = False
        self.commands: dict[str, Callable[[str], bool | None]] = {
            "back": lambda given: self._back(_number(given, "back")),
            "end": lambda given: self._end(),
            "go": lambda given: self._go(_number(given, "go")),
            "help": lambda given: self._help(),
            "new": lambda given: self.session.begin(given),
            "quit": lambda given: self._quit(),
            "show": lambda given: self._show(_number(given, "show")),
            "smoothing": lambda given: self._smoothing(given),
            "temperature": lambda given: self._shape(temperature=_real(given, "temperature")),
            "top-k": lambda given: self._shape(top_k=_number(given, "top-k", least=0)),
            "top-p": lambda given: self._shape(top_p=_real(given, "top-p")),
        }

    def run(self, quiet: bool) -> int:
        """Read and obey lines until the input ends; returns the exit code."""
        terminal = sys.stdin is not None and sys.stdin.isatty()
        if terminal and sys.stdout.isatty():
            from .line_input import edit_lines

            edit_lines(self.session, list(self.commands))
        if not self.as_json and not quiet:
            click.echo("a number, a word, or nothing for the model's choice; :help shows more")
        self.show()
        while not self.over:
            try:
                typed = self._read(terminal)
            except EOFError:
                if terminal:
                    click.echo()
                break
            try:
                if self.obey(typed):
                    self.show()
            except MarkovError as error:
                self._say(error.message, error.hint)
        return 0

    def _read(self, terminal: bool) -> str:
        if terminal:
            return input("> ")
        typed = sys.stdin.readline() if sys.stdin is not None else ""
        if not typed:
            raise EOFError
        typed = typed.rstrip("\r\n")
        if not self.as_json:
            from ..render.safe_text import one_line

            click.echo(f"> {one_line(typed)}".rstrip())
        return typed

    def show(self) -> None:
        """Print the state of the session."""
        from ..render.explore import show_state

        if self.as_json:
            state = self.session.state(self.top)
            if not self.seeded:
                state = replace(state, seed=None)
            click.echo(json_text(state.to_dict()))
        else:
            show_state(self.session, self.top)
        sys.stdout.flush()

    def obey(self, typed: str) -> bool:
        """Obey one line; True if there is a new state to show."""
        spaced = self.session.model.vocabulary.spaced
        plain = typed.strip()
        if plain.startswith("::"):
            self.session.write(typed.split("::", 1)[1].removeprefix(" "))
        elif plain.startswith(":") and len(plain) > 1:
            name, _, given = plain[1:].partition(" ")
            return self._command(name)(given.strip()) is not False
        elif plain.isdecimal() and plain.isascii():
            self._pick(int(plain))
        elif plain or (typed and not spaced):
            self.session.write(plain if spaced else typed)
        elif self.session.complete:
            raise OptionError("the text has ended", ":back deletes the end, :new begins another text")
        else:
            self.session.go(1)
        return True

    def _command(self, name: str) -> Callable[[str], bool | None]:
        fitting = [c for c in self.commands if c.startswith(name)]
        if name in self.commands:
            fitting = [name]
        if len(fitting) != 1:
            which = f"which of :{', :'.join(fitting)}?" if fitting else ":help lists the commands; `:: :x` writes it"
            raise OptionError(f":{name}: {'more than one command' if fitting else 'no such command'}", which)
        return self.commands[fitting[0]]

    def _pick(self, n: int) -> None:
        ids, _ = self.session.offers()
        if not 1 <= n <= len(ids):
            raise OptionError(f"{n}: no such follower, there are {len(ids):,}", f"`:: {n}` writes the number itself")
        self.session.pick(int(ids[n - 1]))

    def _go(self, n: int) -> None:
        if self.session.complete:
            raise OptionError("the text has ended", ":back deletes the end, :new begins another text")
        self.session.go(n)

    def _end(self) -> None:
        self._go(self.longest)
        if not self.session.complete:
            self._say(f"not at its end after {self.longest:,} more tokens", ":end goes on")

    def _back(self, n: int) -> None:
        if not self.session.back(n):
            raise OptionError("nothing to delete: only the prompt is left", ":new TEXT begins another text")

    def _shape(self, **new: Any) -> None:
        shape = replace(self.session.shape, **new)
        shape.check()
        self.session.draw_from(self.session.smoothing, shape)

    def _smoothing(self, given: str) -> None:
        from ..model.discounts import BLEND, SmoothingMethod
        from ..model.distribution import distribution_notes

        if given:
            SmoothingMethod.parse(given)
        self.session.draw_from(given or None, self.session.shape)
        model = self.session.model
        if not model.uses_raw_counts(given or None):
            found = model.blend() if given == BLEND else model.distribution(given or None)
            for text in distribution_notes(found):
                self._say(text, "")

    def _show(self, n: int) -> None:
        self.top = min(n, 10_000)

    def _help(self) -> bool:
        self._tell(_HELP)
        return False

    def _quit(self) -> bool:
        self.over = True
        return False

    def _say(self, message: str, hint: str) -> None:
        self._tell(f"{message}\n  {hint}" if hint else message)

    def _tell(self, text: str) -> None:
        """Lines that are no state: on stderr where stdout holds objects."""
        from ..render.messages import say
        from ..render.safe_text import visible

        if self.as_json:
            say(text)
        else:
            click.echo(visible(text))


def _number(given: str, name: str, least: int = 1) -> int:
    if not given and least:
        return 1
    if not (given.isdecimal() and given.isascii() and least <= int(given[:10]) <= 10**6):
        raise OptionError(f":{name} {given}: a whole number, at least {least}", f"for example :{name} 5")
    return int(given)


def _real(given: str, name: str) -> float:
    try:
        return float(given)
    except ValueError:
        raise OptionError(f":{name} {given}: a number", f"for example :{name} 0.7") from None
