"""Ctrl-C and SIGTERM end a long command at once, and it cleans up behind itself."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType

from checker.engines.duckdb import interrupt_all
from checker.model.errors import Terminated


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Within, SIGINT raises KeyboardInterrupt and SIGTERM Terminated, also while the engine works.

    The engine looks for signals only now and then, and makes an error of its own of them; so a thread that the signal wakes interrupts it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    watcher = threading.Thread(target=_watch, args=(reader,), daemon=True)
    watcher.start()

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(number)
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield
    except Exception as error:
        if received:
            raise (Terminated if received[0] == signal.SIGTERM else KeyboardInterrupt) from error
        raise
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        writer.close()
        watcher.join()
        reader.close()


def _watch(reader: socket.socket) -> None:
    while reader.recv(1):
        interrupt_all()
