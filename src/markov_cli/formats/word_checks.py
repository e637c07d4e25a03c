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
    """ModelFileError where a model of characters or bytes would have a type that is none of them."""
    if tokenizer not in ("chars", "bytes"):
        return
    more = types.length > 1
    if tokenizer == "chars":
        more |= types.blob.take(types.start, mode="clip") >= 0x80  # alone, no character
    for i in np.flatnonzero(more).tolist():
        word = types.bytes_of(i)[0]
        text, whole = word.decode("utf-8", "replace"), _is_utf8(word)
        if tokenizer == "bytes" or len(text) > 1 or not whole:
            kind = "character" if tokenizer == "chars" else "byte"
            shown = repr(text[:40]) if whole else repr(word[:40])[1:]
            raise ModelFileError(
                f"{name}: {shown} is no {kind}, and --tokenizer {tokenizer} makes tokens of one",
                "if it stands for a space: --space-as WORD; else leave --tokenizer out"
                if tokenizer == "chars"
                else "leave --tokenizer out",
            )
