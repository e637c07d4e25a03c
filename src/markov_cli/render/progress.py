"""A progress bar on stderr, where stderr is a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from . import messages


class TrainProgress:
    """A bar with the phase, its share, rate and time left; hidden if stderr is no terminal."""

    def __init__(self, quiet: bool) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._phase = ""
        self._quiet = quiet or not messages.on_terminal()

    def __enter__(self) -> TrainProgress:
        if not self._quiet:
            from rich.progress import (
                BarColumn,
                DownloadColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
                TransferSpeedColumn,
            )

            class Share(TextColumn):
                """Bytes and rate while reading, a percentage afterwards."""

                def render(self, task: Any) -> Any:
                    if not task.fields.get("in_bytes"):
                        return super().render(task)
                    speed = TransferSpeedColumn().render(task)
                    return DownloadColumn().render(task) + " " + speed

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                Share("{task.percentage:3.0f} %"),
                TimeRemainingColumn(),
                console=messages.console(),
                transient=True,
                redirect_stdout=False,
            )
            self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)

    def update(self, phase: str, done: float, total: float) -> None:
        """Show a new state; training calls it often."""
        if self._bar is None:
            return
        if phase != self._phase:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(phase, total=total or None, in_bytes=phase == "reading")
            self._phase = phase
        self._bar.update(self._task, completed=done)
