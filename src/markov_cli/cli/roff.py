"""Manual pages from the help: the roff of man(7), written from Click's own tree of commands.

No date stands in them: the same program gives the same pages.
"""

from __future__ import annotations

import re

import click

from .option_groups import options_by_heading

_EXIT = (
    ("0", "done; also where the reader of a pipe left early"),
    ("1", "could not: bad text, bad model, full disk"),
    ("2", "wrong usage"),
    ("3", "ran, and the answer is no: fewer texts than asked for, damage found"),
    ("70", "a bug of markov"),
    ("130", "Ctrl-C; nothing is left half-written"),
)


def escaped(text: str) -> str:
    r"""Text as roff shows it unchanged.

    >>> print(escaped(r".TH a-b \d 'x'"))
    \&.TH a\-b \ed \(aqx\(aq
    >>> escaped("'tis") == r"\(aqtis"
    True
    """
    # the backslash first; - ' ` ^ ~ would become typographic marks, which cannot be pasted into a shell
    for plain, code in (("\\", r"\e"), ("-", r"\-"), ("'", r"\(aq"), ("`", r"\(ga"), ("^", r"\(ha"), ("~", r"\(ti")):
        text = text.replace(plain, code)
    return re.sub(r"^\.", r"\\&.", text, flags=re.MULTILINE)


def pages(main: click.Group, version: str) -> dict[str, str]:
    """{file name: roff} of a group and each of its commands."""
    top = click.Context(main, info_name="markov", **main.context_settings)
    names = main.list_commands(top)
    out = {"markov.1": _page(main, top, "markov", names, names, version)}
    for name in names:
        command = main.get_command(top, name)
        assert command is not None
        ctx = click.Context(command, info_name=name, parent=top, **command.context_settings)
        out[f"markov-{name}.1"] = _page(command, ctx, f"markov-{name}", [], names, version)
    return out


def _page(
    command: click.Command, ctx: click.Context, name: str, below: list[str], every: list[str], version: str
) -> str:
    said = command.get_short_help_str(200).rstrip(".") if name != "markov" else "text to n-gram table to text"
    lines = [
        f'.TH {name.upper().replace("-", chr(92) + "-")} 1 "" "markov {escaped(version)}" "User Commands"',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(said[:1].lower() + said[1:])}",
        ".SH SYNOPSIS",
        f"\\fB{escaped(ctx.command_path)}\\fR {escaped(' '.join(command.collect_usage_pieces(ctx)))}",
        ".SH DESCRIPTION",
        *_prose(command.help or ""),
    ]
    groups = options_by_heading(command, ctx)
    if groups:
        lines.append(".SH OPTIONS")
    for heading, records in groups.items():
        if len(groups) > 1:
            lines.append(f".SS {escaped(heading)}")
        for flags, told in records:
            lines += [".TP", f"\\fB{escaped(flags)}\\fR", escaped(" ".join(told.split()))]
    if below:
        lines.append(".SH COMMANDS")
        for one in below:
            sub = command.get_command(ctx, one) if isinstance(command, click.Group) else None
            assert sub is not None
            lines += [".TP", f"\\fBmarkov\\-{escaped(one)}\\fR(1)", escaped(sub.get_short_help_str(200))]
    lines.append(".SH EXIT STATUS")
    for code, told in _EXIT:
        lines += [".TP", f"\\fB{code}\\fR", escaped(told)]
    others = [n for n in ("markov", *(f"markov-{n}" for n in every)) if n != name]
    lines += [".SH SEE ALSO", ",\n".join(f"\\fB{escaped(n)}\\fR(1)" for n in others)]
    return "\n".join(lines) + "\n"


def _prose(text: str) -> list[str]:
    """Paragraphs of help as roff; those marked with \\b keep their lines."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", _cleaned(text)):
        if lines:
            lines.append(".PP")
        if paragraph.startswith("\b\n"):
            lines += [".nf", ".ft CW", escaped(paragraph[2:]), ".ft", ".fi"]
        else:
            lines.append(escaped("\n".join(line.strip() for line in paragraph.splitlines())))
    return lines


def _cleaned(text: str) -> str:
    import inspect

    return inspect.cleandoc(text).strip()
