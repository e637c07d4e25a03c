"""Results as JSON that every parser takes: valid UTF-8 without numbers that JSON has not."""

from __future__ import annotations

import json
import re
from typing import Any

_HALF = re.compile("[\ud800-\udfff]")


def json_text(value: Any, **how: Any) -> str:
    r"""A value as JSON; half of a surrogate pair, as Python reads a byte that is no UTF-8 in a file name, is escaped.

    >>> json_text({"a": "caf\udce9"})
    '{"a": "caf\\udce9"}'
    """
    text = json.dumps(value, ensure_ascii=False, **how)
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
