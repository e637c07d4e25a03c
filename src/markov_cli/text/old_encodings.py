"""Tells where bytes that are no UTF-8 make sense as Windows-1252, the old encoding of Western Europe."""

from __future__ import annotations

import re

_PUNCTUATION = "‚„…‘’“”•–—™€£§©«®°»¡¿·\xa0"


def cp1252_note(head: bytes) -> str | None:
    """A line that suggests `--encoding cp1252` where bytes that are no UTF-8 make sense as such; None where not.

    Each must be a letter beside a letter, or a word, or a quote, dash or sign that is not between two letters; an
    apostrophe and a dash may be.

    >>> cp1252_note("Das Café öffnet, sagt Zoë.".encode("cp1252")) is not None, cp1252_note("привет".encode("cp1251"))
    (True, None)
    """
    text = head.decode("utf-8", "surrogateescape")
    odd = re.findall("[\udc80-\udcff]+", text)
    if not odd or sum(map(len, odd)) > 1.3 * len(odd):
        return None
    try:
        read = text.encode("utf-8", "surrogateescape").decode("cp1252") if not _has_utf8(text) else _mixed(text)
    except UnicodeDecodeError:
        return None
    good, example = 0, ""
    places = [i for i, c in enumerate(text) if "\udc80" <= c <= "\udcff"]
    for i in places:
        before, c, after = read[i - 1 : i], read[i], read[i + 1 : i + 2]
        inside = before.isalpha() and after.isalpha()
        alone = (before or " ").isspace() and (after or " ").isspace()  # a word of one letter
        if c.isalpha() and (before.isalpha() or after.isalpha() or alone):
            good += 1
            start, end = read.rfind(" ", 0, i) + 1, read.find(" ", i)
            example = example or " ".join(read[start : end if end > 0 else len(read)].split()[:1])[:30]
        elif c in _PUNCTUATION and (not inside or c in "’—–"):
            good += 1
    if good < 0.9 * len(places):
        return None
    shown = f", as in {example!r}" if example else ""
    return f"--encoding cp1252 may be right: {good:,} of {len(places):,} bytes that are no UTF-8 make sense so{shown}"


def _has_utf8(text: str) -> bool:
    return any("\x7f" < c < "\udc80" or c > "\udcff" for c in text)


def _mixed(text: str) -> str:
    """The text with only those bytes read as cp1252 that are no UTF-8."""
    return "".join(bytes([ord(c) - 0xDC00]).decode("cp1252") if "\udc80" <= c <= "\udcff" else c for c in text)
