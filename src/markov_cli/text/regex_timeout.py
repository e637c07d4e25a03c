"""A limit on the time that a regular expression takes.

A pattern may come from a model file, and one of a few characters can be written to take years. Python's `re` looks
for signals as it works, so a timer can end it. The timer counts the processor's time, not the clock's.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def at_most(seconds: float, error: Exception) -> Iterator[None]:
    """Raise `error` where the body takes more of the processor.

    Only in the main thread, and where the system has such a timer; elsewhere there is no limit.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise error

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
