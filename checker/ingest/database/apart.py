"""Waiting for a server on a thread of its own, so that Ctrl-C and SIGTERM are heard meanwhile."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
_AHEAD = 2
"""So many items may wait to be taken."""
_LOOK = 0.1
_PATIENCE = 2.0
"""Seconds within which what is broken off should end."""


class BrokenError(Exception):
    """What was raised on the thread, as `cause`."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


class Apart(Generic[T]):
    """Use as a context manager: iterate over what `make` makes on another thread. Left before its end, `cancel` is called."""

    def __init__(self, make: Callable[[], Iterator[T]], cancel: Callable[[], None]) -> None:
        self._make, self._cancel = make, cancel
        self._items: queue.Queue[T | BrokenError | None] = queue.Queue(_AHEAD)
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Iterator[T]:
        self._thread.start()
        return self._taken()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        if self._thread.is_alive() and error is not None:
            self._cancel()
            self._thread.join(_PATIENCE)

    @property
    def is_over(self) -> bool:
        """Whether nothing works on the thread any more."""
        return not self._thread.is_alive()

    def _taken(self) -> Iterator[T]:
        while (item := self._items.get()) is not None:
            if isinstance(item, BrokenError):
                raise item
            yield item
        self._thread.join()

    def _work(self) -> None:
        try:
            for item in self._make():
                if not self._put(item):
                    return
            self._put(None)
        except Exception as error:
            self._put(BrokenError(error))

    def _put(self, item: T | BrokenError | None) -> bool:
        """Hand an item over; False where nobody takes it any more."""
        while not self._left.is_set():
            try:
                self._items.put(item, timeout=_LOOK)
                return True
            except queue.Full:
                continue
        return False
