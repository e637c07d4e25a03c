"""Sorted runs on disk, read range by range, and the sequences of a text whose tokens are on disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..arrays.disk_array import Column
from ..arrays.run_folder import Workspace
from ..arrays.sorting import distinct_values
from ..counting.external_sort import Packing, Run, spacing
from ..counting.measures import Sequences
from ..text.token_spool import END
from .options import TrainOptions
from .spilled_text import column


class RunFile:
    """A run on disk, read by ranges."""

    def __init__(
        self, packing: Packing, windows: Column, count: Column, sample: Column, columns: int, holder: list[int] | None
    ) -> None:
        self.packing, self.windows, self.count, self.sample = packing, windows, count, sample
        self.holder, self._columns = None if holder is None else (holder[0], holder[1]), columns
        self._width = 1 if packing.one_key else packing.order
        self.n = len(windows) // self._width
        self._at = [0, self.n]

    @classmethod
    def of(cls, packing: Packing, folder: str, described: list[Any]) -> RunFile:
        """A run that was written before."""
        windows, count, sample = (Column.of(folder, c) for c in described[:3])
        return cls(packing, windows, count, sample, described[3], described[4])

    def samples(self) -> np.ndarray:
        """The windows that `Run.sample` kept."""
        return self._shaped(self.sample.read())

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        return values if self.packing.one_key else values.reshape(-1, self._width)

    def _read(self, low: int, high: int) -> np.ndarray:
        return self._shaped(self.windows.read(low * self._width, high * self._width))

    def cut(self, cuts: list[np.ndarray]) -> None:
        """Find the place of each cut, by binary search between two samples."""
        step, n = spacing(self.n), self.n
        samples = self.samples()
        self._at = [0]
        for cut in cuts:
            i = self.packing.before(samples, cut)
            low, high = max(i - 1, 0) * step, min(i * step, n)
            while low < high:
                middle = (low + high) // 2
                if self.packing.before(self._read(middle, middle + 1), cut):
                    low = middle + 1
                else:
                    high = middle
            self._at.append(low)
        self._at.append(n)

    def part(self, i: int) -> Run:
        """The windows of range i."""
        low, high = self._at[i], self._at[i + 1]
        before = int(self.holder is not None and low > 0)
        count = self.count.read((low - before) * max(self._columns, 1), high * max(self._columns, 1))
        shaped = count.reshape(-1, self._columns) if self._columns else count
        return Run(self._read(low - before, high), shaped, self.holder, before)


def described_run(work: Workspace, name: str, run: Run) -> list[Any]:
    """Write a run to files of a name; the data that a journal keeps, and that `RunFile.of` makes the object from."""
    arrays = {"windows": run.windows, "count": run.count, "sample": np.ascontiguousarray(run.sample())}
    columns = [column(work, f"{name}.{part}", a.reshape(-1)).described() for part, a in arrays.items()]
    return [*columns, run.count.shape[1] if run.count.ndim > 1 else 0, run.holder]


class SequenceFacts:
    """Facts about the sequences of a text on disk."""

    def __init__(self, stream: Column, described: list[list[Any]], folder: str, options: TrainOptions) -> None:
        """Those of the step `text`: places in the stream with the number of END before each, text ends, and times."""
        places, self._text_ends, *times = (Column.of(folder, c).read() for c in described)
        self._stream, self._places, self._times = stream, places.reshape(-1, 2), times[0] if times else None
        self._measures = options.protection.measures

    def of_block(self, ids: np.ndarray, low: int, m: int) -> Sequences:
        """The sequences of the windows that begin at `low` and behind it."""
        at, closed = self._places[np.searchsorted(self._places[:, 0], low, "right") - 1].tolist()
        first = closed + int(np.count_nonzero(self._stream.read(at, low + 1) == END))
        return Sequences.of_block(ids, m, first, self._text_ends, self._times, self._measures)

    def token_blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The text in blocks: provisional numbers of tokens, and how many stand before each end of a text."""
        ends, closed = distinct_values(self._text_ends), -1
        for block in self._stream.blocks():
            end = np.flatnonzero(block == END)
            of_text = np.isin(closed + 1 + np.arange(len(end)), ends)
            closed += len(end)
            tokens = block[block != END] - np.uint32(1)
            yield tokens, (end - np.arange(len(end)))[of_text]
