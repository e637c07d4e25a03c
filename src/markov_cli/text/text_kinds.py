"""Tells what a text looks like besides prose: subtitles, HTML, JSON, CSV, mail, logs, wrapped lines.

Only the first bytes of the first files are looked at, and nothing is changed: each kind gives one line that names what
was seen, and the option or the filter that helps.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence

_FEWEST = 4  # lines of a text of which anything is said
_TIMES = re.compile(r"\s*(\d+:)?\d\d:\d\d[,.]\d{3} +--> ")
_TAG = re.compile(r"</?(?!s>|unk>)[a-zA-Z][\w-]*(\s[^<>]*)?/?>")
_MAIL = re.compile(r"^(Received|Message-ID|Subject|Date|To): ", re.IGNORECASE | re.MULTILINE)
_STAMP = re.compile(
    r"[\[(<\"]?(\d{4}[-/.]\d\d[-/.]\d\d[T ,]+\d\d:\d\d|\w{3} +\d+ \d\d:\d\d:\d\d"
    r"|\d\d?[-/.]\d\d?[-/.]\d{2,4},? \d\d?:\d\d|(\d+\.){3}\d+ \S+ \S+ \[)"
)
_MOST = 0.5


def text_notes(heads: Sequence[str]) -> list[str]:
    """Lines about the first bytes of some texts, each byte as a character; none for prose.

    >>> text_notes(["One line.\\nAnd another one.\\n" * 9])
    []
    >>> text_notes(["1\\n00:00:01,000 --> 00:00:02,000\\nYes.\\n\\n" * 9])[0].partition(":")[0]
    'most of it looks like subtitles (9 of 27 lines are times)'
    """
    return _commonest(heads, _kind)


def marker_notes(heads: Sequence[str]) -> list[str]:
    """A line where most texts hold `<s>`, `</s>` or `<unk>` as words of their own.

    >>> marker_notes(["<s> so be it </s>\\n" * 9])[0].partition(",")[0]
    '9 of 9 lines begin with <s> or end with </s>'
    """
    return _commonest(heads, _wrapped)


def _commonest(heads: Sequence[str], look: Callable[[bytes], str | None]) -> list[str]:
    """The commonest note, if most of the texts have one."""
    found = Counter(note for head in heads if (note := look(head.encode("latin-1"))) is not None)
    return [found.most_common(1)[0][0]] if found and sum(found.values()) > _MOST * len(heads) else []


def _lines(head: bytes) -> list[str]:
    """The lines of it that are not blank, without the last, which may be cut."""
    text = head.decode("utf-8", "replace")
    whole = text if text.endswith("\n") else text[: text.rfind("\n") + 1] or text
    return [line.strip() for line in whole.splitlines() if line.strip()]


def _kind(head: bytes) -> str | None:
    lines = _lines(head)
    if not lines or (len(lines) < _FEWEST and lines[0][0] not in "{[<"):
        return None
    return next((note for look in _LOOKS if (note := look(lines)) is not None), None)


def _share(lines: list[str], test: Callable[[str], object]) -> int:
    return sum(bool(test(line)) for line in lines)


def _subtitles(lines: list[str]) -> str | None:
    n = _share(lines, _TIMES.match)
    if n < 3 or n < 0.15 * len(lines):
        return None
    seen = f"most of it looks like subtitles ({n:,} of {len(lines):,} lines are times)"
    return f"{seen}: --strip srt leaves out numbers, times and tags"


def _mail(lines: list[str]) -> str | None:
    if not lines[0].startswith("From ") or len(_MAIL.findall("\n".join(lines[:60]))) < 2:
        return None
    code = "import mailbox, sys; [print(m.get_payload()) for m in mailbox.mbox(sys.argv[1]) if not m.is_multipart()]"
    return f"it looks like a mailbox: python3 -c '{code}' FILE | markov train - leaves out the headers"


def _html(lines: list[str]) -> str | None:
    opens = re.match(r"<(!doctype html|html)\b", lines[0], re.IGNORECASE)
    n = _share(lines, _TAG.search)
    if not opens and n <= _MOST * len(lines):
        return None
    seen = f"most of it looks like HTML or XML ({n:,} of {len(lines):,} lines have tags)"
    return f"{seen}: --strip html leaves out the tags"


def _json(lines: list[str]) -> str | None:
    n = _share(lines, lambda line: line[0] == "{" and line[-1] == "}")
    if n > 0.8 * len(lines):
        try:
            first = json.loads(lines[0])
        except ValueError:
            return None
        texts = sorted((k for k, v in first.items() if isinstance(v, str)), key=lambda k: -len(first[k]))
        fields = f", with the text in one of {', '.join(map(repr, texts[:4]))}" if texts else ""
        return f"most lines look like JSON ({n:,} of {len(lines):,}): --jsonl FIELD reads a field of each{fields}"
    n = _share(lines, re.compile(r'[\[\]{}],?$|"[^"]*"\s*:').match)
    if lines[0][0] in "[{" and n > _MOST * len(lines):
        return "it looks like JSON: jq -c '.[]' FILE > LINES makes lines of a list, and --jsonl FIELD reads them"
    return None


def _logs(lines: list[str]) -> str | None:
    n = _share(lines, _STAMP.match)
    if n < 0.7 * len(lines):
        return None
    seen = f"most lines look like a log ({n:,} of {len(lines):,} begin with a time)"
    return f"{seen}: cut -c 21- FILE | markov train - --unit line leaves out 20 characters of each"


def _table(lines: list[str]) -> str | None:
    tabs = Counter(line.count("\t") for line in lines)
    n_tabs, often = tabs.most_common(1)[0]
    if n_tabs and often >= 0.9 * len(lines):
        if n_tabs == 1 and _share(lines, lambda line: line.rpartition("\t")[2].isdigit()) >= 0.9 * len(lines):
            return "most lines look like text<TAB>count: --weights counts each text so often"
        return f"most lines look like columns with tabs ({n_tabs + 1} each): --csv COLUMN reads one, as *.tsv"
    for mark in ",;":
        fields = Counter(map(len, csv.reader(lines, delimiter=mark)))
        n, often = fields.most_common(1)[0]
        spaced = sum(line.count(mark + " ") for line in lines) > 0.5 * sum(line.count(mark) for line in lines)
        if n > 2 and often >= 0.9 * len(lines) and not spaced:
            named = ", ".join(map(repr, next(csv.reader(lines, delimiter=mark))[:5]))
            return f"most lines look like CSV ({n} columns): --csv COLUMN reads one of {named}"
    return None


_LOOKS = (_subtitles, _mail, _html, _json, _logs, _table)


def _wrapped(head: bytes) -> str | None:
    """A note where most lines begin with `<s>` or end with `</s>`, or many words are `<unk>`."""
    lines = _lines(head)
    n = _share(lines, lambda line: line.split()[0] == "<s>" or line.split()[-1] == "</s>")
    if len(lines) >= _FEWEST and n > _MOST * len(lines):
        seen = f"{n:,} of {len(lines):,} lines begin with <s> or end with </s>, which are words here like any other"
        return f"{seen}: --markers borders makes them the ends of sequences, --markers space white space"
    unknown = sum(line.split().count("<unk>") for line in lines)
    if unknown >= 3 and unknown >= 0.005 * sum(len(line.split()) for line in lines):
        seen = f"<unk> occurs {unknown:,} times as a word, and is a word here like any other"
        return f"{seen}: --markers borders makes it the unknown token, --markers space leaves it out"
    return None
