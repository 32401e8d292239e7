"""What a connection may cost before anybody knows who asks: bytes and lines of the head of a request, its address, and the time it takes.

The server of our choice (uvicorn on httptools) has no such limits of its own. A head is counted as it comes in, so that no more of it is
held than is allowed; a connection that has not sent a whole head may be closed to make room for one that does.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from checker.service.settings import Limits

_FILES_BESIDE = 200
"""Files that the service has open beside its connections."""


class LimitedProtocol(HttpToolsProtocol):
    """A connection under the limits of the settings, which `limited_protocol` puts in."""

    limits: Limits
    waiting: dict[LimitedProtocol, float]
    """Connections that owe a head, the one that does so longest first, each with when its time is over."""
    sweep: asyncio.TimerHandle | None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._left, self._messages = self.limits.head_bytes, 0
        super().connection_made(transport)
        self._owes_head()
        if len(self.connections) > 2 * self.limits.connections:
            # One that is only kept open in case it is needed again makes room first, then who owes a head longest.
            (self._idle() or next(iter(self.waiting))).drop()

    def connection_lost(self, exc: Exception | None) -> None:
        self.waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        while self in self.waiting and len(data) > self._left:
            # Of a head at most so much is given to the parser, which holds it until it is whole.
            messages, part, data = self._messages, data[: self._left], data[self._left :]
            super().data_received(part)
            if self.transport.is_closing():
                return
            if self in self.waiting and self._messages == messages:
                self.refuse(431)
                return
        if self in self.waiting:
            self._left -= len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self not in self.waiting:
            self._left = self.limits.head_bytes
            self._messages += 1
            self._owes_head()

    def on_headers_complete(self) -> None:
        self.waiting.pop(self, None)
        status = 0
        if len(self.url) > self.limits.url_bytes:
            status = 414
        elif len(self.headers) > self.limits.head_lines:
            status = 431
        if status:
            self.refuse(status)
            raise ValueError(status)  # the parser is to go no further
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def refuse(self, status: int) -> None:
        """Answer with a status and end the connection."""
        if not self.transport.is_closing():
            reason = {408: "Request Timeout", 414: "URI Too Long", 431: "Request Header Fields Too Large"}[status]
            self.transport.write(
                f"HTTP/1.1 {status} {reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode()
            )
        self.drop()

    def drop(self) -> None:
        """End the connection."""
        self.waiting.pop(self, None)
        self.transport.close()

    def _idle(self) -> LimitedProtocol | None:
        for each in self.connections:
            if isinstance(each, LimitedProtocol) and each.timeout_keep_alive_task is not None:
                return each
        return None

    def _owes_head(self) -> None:
        kind = type(self)
        self.waiting.setdefault(self, self.loop.time() + self.limits.head_seconds)
        if kind.sweep is None:
            kind.sweep = self.loop.call_later(self.limits.head_seconds, kind.end_late)

    @classmethod
    def end_late(cls) -> None:
        """End the connections whose time is over. One timer does for all: most heads come whole at once."""
        cls.sweep = None
        for each, until in list(cls.waiting.items()):
            if until > each.loop.time():
                cls.sweep = each.loop.call_at(until, cls.end_late)
                return
            each.refuse(408)


def limited_protocol(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol for one server with these limits."""
    held: dict[str, Any] = {"limits": limits, "waiting": {}, "sweep": None}
    return type("Connection", (LimitedProtocol,), held)


def allow_connections(number: int) -> None:
    """Raise the number of files that this process may open, so far as the system lets it, to twice as many connections."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2 * number + _FILES_BESIDE
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        if soft < wanted:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
