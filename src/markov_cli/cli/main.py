"""The `markov` command: its group of commands, and the exit code of each."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from keyword import iskeyword
from typing import Any, TextIO

import click

from .. import __version__
from ..errors import COULD_NOT, INTERRUPTED, OUR_BUG, AnswerIsNo, MarkovError
from ..render import messages
from ..render.safe_stream import guard
from ..render.safe_text import one_line, visible

_NAMES = (
    "train", "generate", "explore", "inspect", "score", "tune", "audit", "trace", "page", "canary", "merge", "forget",
    "prune", "export", "import", "completion", "man",
)  # fmt: skip


class _Commands(Mapping[str, click.Command]):
    """The commands by name, in the order in which they are used; the module of each is loaded when it is asked for."""

    def __getitem__(self, name: str) -> click.Command:
        if name not in _NAMES:
            raise KeyError(name)
        module = name + "_" * iskeyword(name)
        command: click.Command = getattr(import_module(f".{module}", __package__), module)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


class _Ending(click.Group):
    """A group that turns every result and error into its documented exit code."""

    commands: Mapping[str, click.Command]  # type: ignore[assignment] # Click writes to it for new commands only

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and any(re.match(r"-[A-Za-z][A-Za-z]", word) for word in rest):
            from .other_names import with_one_dash

            word = with_one_dash(rest, command)
            if word is not None:  # Click takes it for the first letter's option and a value
                raise click.NoSuchOption(word, ctx=click.Context(command, info_name=name, parent=ctx))
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            messages.flush_results()
        except BrokenPipeError:
            return 0  # the reader has what it wanted; Click would end with 1
        except AnswerIsNo:
            with suppress(BrokenPipeError):
                messages.flush_results()  # an answer that a full disk cut short is none
            raise
        return result

    def main(self, *args: Any, **kwargs: Any) -> Any:
        sys.stdout = guard(sys.stdout or _nowhere())
        if sys.stdin is None:  # closed by the caller: an empty one
            sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - for the whole run
        if "_MARKOV_COMPLETE" in os.environ:
            from .completion_scripts import enable

            enable()
        try:
            result = super().main(*args, **{**kwargs, "prog_name": "markov", "standalone_mode": False})
            code = result if isinstance(result, int) else 0
        except MarkovError as error:
            complain(error.message, error.hint)
            code = error.exit_code
        except click.exceptions.Exit as stop:
            code = stop.exit_code
        except click.ClickException as error:
            code = _usage(error)
        except (click.Abort, KeyboardInterrupt):
            complain("interrupted", "no half-written file is left")
            code = INTERRUPTED
        except BrokenPipeError:
            code = 0
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            complain(f"{where}{error.strerror or error}", _hint(error.errno))
            code = COULD_NOT
        except MemoryError:
            complain("not enough memory", "a lower --order, a higher --min-type-count, or less text")
            code = COULD_NOT
        except Exception:
            code = _our_bug()
        _hush()
        sys.exit(code)


def _nowhere() -> TextIO:
    """In place of a stdout that the caller closed, so that no file that is opened later becomes it."""
    return open(os.devnull, "w", encoding="utf-8")


def _hint(number: int | None) -> str:
    if number == errno.ENOSPC:
        return "free some space, or write elsewhere; an earlier file is unchanged"
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "choose a folder that you can write to"
    return "check the name and the disk"


def _usage(error: click.ClickException) -> int:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    where = f"{context.command_path} --help" if context is not None else "markov --help"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        messages.say(error.format_message())
        return error.exit_code
    hint = f"see: {where}"
    advice = _known_elsewhere(error)
    if advice is not None:
        if isinstance(error, click.NoSuchOption):
            message = f"no such option '{error.option_name}'"  # each version of Click has its own words
        message = re.sub(r"\. Did you mean .*", "", message)
        hint = f"{advice}; {hint}"
    complain(message[:1].lower() + message[1:], hint)
    return error.exit_code


def _known_elsewhere(error: click.ClickException) -> str | None:
    """Our name for an option or a command that other programs have; None for other errors and names."""
    from .other_names import command_here, option_here

    context = getattr(error, "ctx", None)
    if context is None:
        return None
    if isinstance(error, click.NoSuchOption):
        return option_here(error.option_name, context.command, main.commands)
    found = re.match(r"No such command '(.+?)'", error.format_message())
    command = command_here(found[1]) if found and context.parent is None else None
    return None if command is None else f"use markov {command}"


def _our_bug() -> int:
    import platform
    import traceback

    _tell(
        visible(traceback.format_exc())
        + f"markov {__version__}, Python {platform.python_version()}, {platform.system()}: this is our bug\n"
        "  please report it with the lines above and the command"
    )
    return OUR_BUG


def complain(message: str, hint: str = "") -> None:
    """Two lines on stderr: what is wrong, what to do."""
    _tell(f"markov: {one_line(message)}" + (f"\n  {one_line(hint)}" if hint else ""))


def _tell(text: str) -> None:
    """Write lines to stderr behind the results, though stdout or stderr may be what is broken."""
    with suppress(OSError, ValueError):
        messages.flush_results()
    with suppress(OSError):
        messages.write(text)


def _hush() -> None:
    """Keep the interpreter from a second error about a closed stdout at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=_Ending, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="markov")
def main() -> None:
    """Learn an n-gram model from text; generate, inspect, score and audit with it.

    \b
    markov train book.txt -o book.npz     count the n-grams of a text
    markov generate book.npz -c 5         write five texts
    markov inspect book.npz you           what follows "you", with counts
    markov score book.npz other.txt       the perplexity of another text

    Every command takes --help; every command takes --json.
    """


main.commands = _Commands()
