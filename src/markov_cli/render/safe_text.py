"""Text from outside, made safe for a terminal."""

from __future__ import annotations

import re

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    """`text` with control characters and direction marks written out, newline and tab kept.

    Those above 0x7f are written as JSON has them, so that JSON stays JSON.
    """
    return _CONTROL.sub(
        lambda m: f"\\x{ord(m.group()):02x}" if ord(m.group()) < 128 else f"\\u{ord(m.group()):04x}", text
    )


def one_line(text: str) -> str:
    """`visible` text in one line: newlines and tabs are written out too."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def shown(token: str) -> str:
    """A token for a table cell; white space alone is made visible."""
    return token.replace(" ", "␣") if token.isspace() else token


def cut(text: str, most: int = 200) -> str:
    """The beginning of a text that is longer than most."""
    return text if len(text) <= most else f"{text[:most]}…"


def some(n: int, thing: str) -> str:
    """`1 line`, `2,000 lines`."""
    return f"{n:,} {thing}" + ("" if n == 1 else "s")


def counted(n: float) -> str:
    """A count: 1,234; one that is not whole to three places."""
    return f"{n:,}" if isinstance(n, int) else f"{n:,.3f}".rstrip("0").rstrip(".")


def share(part: float) -> str:
    """A part of 1 in percent; what is above 0 is never shown as 0: 12.5%, < 0.1%."""
    return "< 0.1%" if 0 < part < 0.0005 else f"{part:.1%}"


def size(n: float) -> str:
    """Bytes for people: 69.6 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000 or unit == "GB":
            return f"{n:,.0f} {unit}" if unit == "B" else f"{n:,.1f} {unit}"
        n /= 1000
    raise AssertionError


def protection_words(fields: dict[str, int]) -> list[str]:
    """The protection of a model in words, for example its --min-sequences."""
    said = {
        "min_sequences": "n-grams of {} sequences or more",
        "min_files": "n-grams of {} files or more",
        "cap_per_sequence": "counts of sequences",
    }
    return [said[name].format(f"{value:,}") for name, value in fields.items()]
