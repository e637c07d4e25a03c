"""Calls a function on many items in several threads, and gives the results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from .numbers import whole

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

S = TypeVar("S")
T = TypeVar("T")


def thread_pool(jobs: int) -> ThreadPoolExecutor:
    """A pool of so many threads; OptionError for a number below 1."""
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and one thread does without

    return ThreadPoolExecutor(whole("jobs", jobs, 1))


def ordered_map(
    call: Callable[[S], T],
    items: Iterable[S],
    jobs: int,
    due: Callable[[S], bool] | None = None,
    pause: Callable[[], None] | None = None,
) -> Iterator[T]:
    """`map` by several threads, a few items ahead of what is taken.

    due, pause  before an item that is due, `pause` is called while nothing else runs: so it takes
                effect at the same item however many threads there are
    """
    waiting: deque[Future[T]] = deque()

    def ready(item: S) -> S:
        if due is not None and pause is not None and due(item):
            for one in waiting:
                one.exception()  # waits
            pause()
        return item

    if jobs == 1:
        yield from (call(ready(item)) for item in items)
        return
    with thread_pool(jobs) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(copy_context().run, call, ready(item)))
                if len(waiting) > 2 * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def failing(waited_for: Future[Any]) -> Iterator[None]:
    """Hands an error on to those who wait for a result that now never comes."""
    try:
        yield
    except BaseException as error:
        if not waited_for.done():
            waited_for.set_exception(error)
        raise


@contextmanager
def one_behind(call: Callable[..., None], jobs: int) -> Iterator[Callable[..., None]]:
    """A function that calls another in a second thread, one call at a time, in order; directly where jobs is 1.

    Each call waits for the one before. The last has ended when the context ends; errors are raised there, or by
    the next call.
    """
    if jobs == 1:
        yield call
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        running: list[Future[None]] = []

        def next_(*args: object) -> None:
            while running:
                running.pop().result()
            running.append(pool.submit(copy_context().run, call, *args))

        yield next_
        while running:
            running.pop().result()


def usable_cores() -> int:
    """Processor cores this process may run on."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
