"""The sockets on which the service listens, bound before anything else is done; what stands in the way is one sentence."""

from __future__ import annotations

import errno
import os
import socket

from checker.model.errors import InputError, why

_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_FIRST_FREE = 1024
"""Ports below need rights that no service should have."""


def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets bound to all addresses of a host. Raises InputError where the port or the address cannot be had."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise InputError(
            f"--host {host}：不认识这个地址，请写本机的地址，例如 127.0.0.1（no such address: give one of this machine）"
        ) from None
    sockets: list[socket.socket] = []
    absent: OSError | None = None
    for family, kind, protocol, _, address in found:
        try:
            sockets.append(_bound(family, kind, protocol, address))
        except OSError as error:
            if error.errno in _NOT_HERE:
                absent = error
                continue
            for each in sockets:
                each.close()
            raise _refusal(host, port, error) from None
        if port == 0:
            # Another address would get another port.
            break
    if not sockets:
        raise _refusal(host, port, absent or OSError(errno.EADDRNOTAVAIL, "")) from None
    return sockets


def _bound(family: int, kind: int, protocol: int, address: tuple[str | int | bytes, ...]) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # A service that starts again need not wait until the last connections of the one before are forgotten.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        # Two may be bound to one address; the second cannot listen.
        made.listen(socket.SOMAXCONN)
    except OSError:
        made.close()
        raise
    return made


def _refusal(host: str, port: int, error: OSError) -> InputError:
    if error.errno == errno.EADDRINUSE:
        return InputError(
            f"端口 {port} 已被占用，请用 --port 换一个，或先停掉占用它的程序（port {port} is in use: choose another with --port）"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        rights = "1024 以下的端口需要管理员权限，" if port < _FIRST_FREE else ""
        return InputError(
            f"没有权限使用端口 {port}：{rights}请用 --port 换一个，例如 8330"
            f"（no right to listen on port {port}: choose another with --port, such as 8330）"
        )
    if error.errno in _NOT_HERE:
        return InputError(
            f"--host {host}：不是本机的地址，请写本机的地址，例如 127.0.0.1（not an address of this machine）"
        )
    return InputError(
        f"{host}:{port}：无法监听（{why(error)}），请换一个地址或端口（cannot listen there: choose another address or port）"
    )
