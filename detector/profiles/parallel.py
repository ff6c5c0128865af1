"""Work on batches in threads and take the results in order."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

In = TypeVar("In")
Out = TypeVar("Out")

MOST_WORKERS = 4


def workers() -> int:
    """Return how many threads fold batches: the cores this process may use, at most 4."""
    return max(1, min(MOST_WORKERS, len(os.sched_getaffinity(0))))


def ordered_map(work: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
    """Yield `work(item)` in the order of the items, a few items ahead in threads.

    Memory stays bounded: at most one item per thread waits beside those in work. BLAS keeps
    to one thread meanwhile: its own threads would fight these for the same cores.
    """
    from threadpoolctl import threadpool_limits

    count = workers()
    waiting: deque[Future[Out]] = deque()
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(count) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
