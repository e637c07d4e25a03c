"""Takes the text out of subtitles (`--strip srt`): SubRip (.srt) and WebVTT (.vtt) without numbers, times and tags.

Legend: a cue is a time line with the lines of text below it, up to a blank line.

Each cue becomes one line, so a sentence may run on from one cue into the next. Tags are `<...>` and `{\\an8}`; a number
or an identifier stands on the line before a time line. Of a WebVTT file, its header and the blocks NOTE, STYLE and
REGION are left out. Lines that belong to no cue are kept: a text that is no subtitle file stays as it is.

Sources: the SubRip format as its program writes it; W3C, WebVTT, section 4.
"""

from __future__ import annotations

import re
from html import unescape

_TIME = re.compile(r"\s*(?:\d+:)?\d{1,2}:\d\d[.,]\d{1,3}[ \t]*-->[ \t]*(?:\d+:)?\d{1,2}:\d\d[.,]\d{1,3}")
_TAG = re.compile(r"</?[a-zA-Z0-9][^<>\n]*>|\{\\[^{}\n]*\}|</>")
_BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_NO_TEXT = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t\n]|$)")
_LONGEST = 1 << 24  # characters without a blank line; then a line ends there


def subtitle_text(text: str) -> str:
    """The text of subtitles, a cue a line.

    >>> subtitle_text("1\\n00:00:01,000 --> 00:00:02,500\\n<i>We are</i>\\nlate.\\n")
    'We are late.\\n'
    """
    return SubtitleText().feed(text, True)


class SubtitleText:
    """Takes the text out of subtitles that are read piece by piece; the pieces do not matter to the text."""

    def __init__(self) -> None:
        self._rest = ""
        self._begun = self._is_vtt = False

    def feed(self, piece: str, last: bool) -> str:
        """The text up to this piece, so far as it was not yet given; all of it with the last one."""
        text = (self._rest + piece).replace("\r\n", "\n")
        if not self._begun and (text or last):
            if not last and len(text) < 8:
                self._rest = text
                return ""
            text = text.removeprefix("\ufeff")
            self._begun, self._is_vtt = True, text.startswith("WEBVTT")
            if self._is_vtt:
                text = "NOTE " + text  # its header is a block like a note
        end = len(text)
        if not last:
            blank = text.rfind("\n\n")
            end = blank + 1 if blank >= 0 else (text.rfind("\n") + 1 if len(text) > _LONGEST else 0)
        self._rest = text[end:]
        return "".join(map(self._block, _BLANK.split(text[:end].strip("\n")))) if end else ""

    def _block(self, block: str) -> str:
        """The lines of text of what stands between two blank lines, each cue as one."""
        if self._is_vtt and _NO_TEXT.match(block):
            return ""
        head, _, body = block.partition("\n")
        times = block.count("-->")
        if times == 1 and _TIME.match(body):
            body = body.partition("\n")[2]
        elif times == 1 and _TIME.match(head):
            pass
        elif times:
            return self._several(block.split("\n"))
        else:
            return _plain(block) + "\n" if block else ""
        text = " ".join(_plain(body).split())
        return text + "\n" if text else ""

    def _several(self, lines: list[str]) -> str:
        """Cues without blank lines between them."""
        out: list[str] = []
        cue: list[str] | None = None
        for i, line in enumerate(lines):
            if _TIME.match(line):
                if i and cue and cue[-1].strip().isdigit():
                    cue.pop()
                if cue:
                    out.append(" ".join(_plain(" ".join(cue)).split()))
                cue = []
            elif cue is None:
                if not (i + 1 < len(lines) and _TIME.match(lines[i + 1])):
                    out.append(_plain(line))
            else:
                cue.append(line)
        if cue:
            out.append(" ".join(_plain(" ".join(cue)).split()))
        return "".join(line + "\n" for line in out if line)


def _plain(text: str) -> str:
    """Text without tags."""
    if "<" in text or "{" in text:
        text = _TAG.sub("", text)
    return unescape(text) if "&" in text else text
