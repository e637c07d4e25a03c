"""Text from outside as text of a page: the one place where it is escaped.

Control characters and direction marks are written out, as on a terminal, so they cannot hide or turn what stands beside
them.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from ..safe_text import one_line, visible

# what could end a script element, and characters that cannot be seen; json has escaped those below 0x20
_IN_SCRIPT = re.compile("[<>&\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def text(s: str) -> str:
    """Text from outside with markup escaped; newlines and tabs are kept."""
    return escape(visible(s))


def inline(s: str) -> str:
    """`text` in one line; also fit for the value of an attribute in quotes."""
    return escape(one_line(s))


def data_block(name: str, value: Any) -> str:
    """Data for a script as JSON: `JSON.parse(document.getElementById(name).textContent)`.

    No text in it can end the element; a browser never runs it.

    >>> data_block("words", ["</script>"])
    '<script type="application/json" id="words">["\\\\u003c/script\\\\u003e"]</script>\\n'
    """
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    said = _IN_SCRIPT.sub(lambda m: f"\\u{ord(m.group()):04x}", said)
    return f'<script type="application/json" id="{inline(name)}">{said}</script>\n'
