"""Checks of the words that another program's file lists."""

from __future__ import annotations

import numpy as np

from ..errors import ModelFileError
from ..text.types import Types


def _is_utf8(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True


def check_lengths(types: Types, tokenizer: str, name: str) -> None:
    """ModelFileError where a model of characters or bytes would have a longer type."""
    if tokenizer not in ("chars", "bytes"):
        return
    for i in np.flatnonzero(types.length > 1).tolist():
        word = types.bytes_of(i)[0]
        text = word.decode("utf-8", "replace")
        if tokenizer == "bytes" or len(text) > 1 or not _is_utf8(word):
            kind = "character" if tokenizer == "chars" else "byte"
            raise ModelFileError(
                f"{name}: {text[:40]!r} is no {kind}, and --tokenizer {tokenizer} makes tokens of one",
                "if it stands for a space: --space-as WORD; else leave --tokenizer out"
                if tokenizer == "chars"
                else "leave --tokenizer out",
            )
