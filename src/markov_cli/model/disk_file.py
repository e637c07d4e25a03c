"""Writes a model whose table, and vocabulary, lie in columns on disk; the bytes are those of `model_file.write`."""

from __future__ import annotations

import json
import os
from typing import IO

import numpy as np

from ..arrays.disk_array import Column, Writer
from ..text.types import N_MARKERS, Types
from .count_column import smallest
from .disk_table import StreamedTable
from .header import Header
from .model_file import guard_figures, vocabulary_arrays
from .npz import ZipWriter, checksum


def write_streamed(
    f: IO[bytes], header: Header, types: Types | dict[str, tuple[Column, np.dtype]], table: StreamedTable
) -> int:
    """Write a model whose table lies in columns on disk to a file that seeks; returns its bytes.

    types  the vocabulary, or its members on disk, see `vocabulary_columns`
    """
    members: dict[str, np.ndarray | tuple[Column, np.dtype]] = {
        **(vocabulary_arrays(types) if isinstance(types, Types) else types)
    }
    for name, column in table.members().items():
        if name == "guard_low" and table.guard is not None:
            members["guard"] = guard_figures(table.guard)
        members[name] = column
    head = header.as_dict()
    head["arrays"] = {
        n: [a.dtype.str, list(a.shape)] if isinstance(a, np.ndarray) else [a[1].str, [len(a[0])]]
        for n, a in members.items()
    }
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    writer = ZipWriter(f)
    for name, member in {"header": np.frombuffer(text, np.uint8), **members}.items():
        if isinstance(member, np.ndarray):
            writer.add(name, member, checksum(member))
        else:
            writer.add_column(name, *member)
    return writer.close()


def vocabulary_columns(parts: list[Column], folder: str) -> dict[str, tuple[Column, np.dtype]]:
    """The members of types on disk, id N_MARKERS first: of their bytes, lengths and flags."""
    blob, length, flags = parts
    offsets = Writer(os.path.join(folder, "vocab_offsets"), np.int64)
    offsets.append(np.zeros(N_MARKERS + 1, np.int64))
    end = 0
    for block in length.blocks():
        running = end + np.cumsum(block)
        end = int(running[-1])
        offsets.append(running)
    out = {"vocab_bytes": (blob, np.dtype(np.uint8)), "vocab_offsets": (offsets.close(), smallest(end))}
    if any(block.any() for block in flags.blocks()):
        wide = Writer(os.path.join(folder, "vocab_all_flags"), np.uint8)
        wide.append(np.zeros(N_MARKERS, np.uint8))
        for block in flags.blocks():
            wide.append(block)
        out["vocab_flags"] = wide.close(), np.dtype(np.uint8)
    return out
