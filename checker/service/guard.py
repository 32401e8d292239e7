"""What stands before every request: who may ask, from which page, and how often."""

from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import urlsplit

from starlette.types import Scope

from checker.service.http_json import Refusal
from checker.service.keys import Key
from checker.service.settings import PROXY_HEADERS, Settings, digest

_LOG = logging.getLogger("liangku.serve")
_OPEN = ("/", "/ledger", "/health", "/openapi.json")
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_BUCKETS_KEPT = 10_000
_OF_PROXIES = frozenset(name.encode() for name in PROXY_HEADERS)
_KEY, _INSTITUTIONS = "liangku.key", "liangku.institutions"
NATIONAL = "/fsi/api"
"""Where the addresses of the national interface begin; a key may stand behind it."""
_TOLD_SECONDS, _TOLD_KEPT = 10.0, 1000


class Guard:
    """Pages and `/health` are open to whoever reaches the service; all else asks for a key where keys are set."""

    def __init__(self, settings: Settings) -> None:
        self._has_keys = bool(settings.keys)
        self._keys = {key.sha256: key for key in settings.keys if key.sha256 is not None}
        self._of_addresses = [key for key in settings.keys if key.sha256 is None]
        self._key_headers = frozenset({b"x-api-key", (settings.key_header or "x-api-key").lower().encode()})
        self._in_path = settings.key_in_path
        self._hosts = frozenset((*_LOCAL, *settings.hosts)) if settings.is_loopback else frozenset(settings.hosts)
        self._rate, self._burst = settings.limits.rate, settings.limits.burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def check(self, scope: Scope) -> None:
        """Let a request pass. Raises Refusal."""
        host = origin = authorization = given = b""
        is_handed_on = False
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"authorization":
                authorization = value
            elif name in self._key_headers:
                given = value
            elif name in _OF_PROXIES:
                is_handed_on = True
        if is_handed_on and not self._has_keys:
            raise Refusal(403, "forbidden", "经代理访问须设访问密钥 [[key]]（through a proxy access keys are needed）")
        path: str = scope["path"]
        if path != "/health":
            # Who balances the load asks by number, or in a way that names no host at all.
            self._check_host(host.decode("latin-1"))
        if origin and not _is_same(origin.decode("latin-1"), host.decode("latin-1")):
            raise Refusal(403, "forbidden", "不接受来自其他网页的请求（requests from other origins are refused）")
        is_open = path in _OPEN or path.startswith("/static/")
        if is_open:
            return
        key = None
        if self._has_keys:
            if self._in_path and path.startswith(f"{NATIONAL}/"):
                given = self._of_path(scope, path) or given
            key = self._key(authorization, given, _address(scope), is_handed_on=is_handed_on)
            scope[_KEY] = key.name
            if key.institutions:
                scope[_INSTITUTIONS] = key.institutions
            if path.startswith("/admin/") and "admin" not in key.roles:
                raise Refusal(403, "forbidden", "这个密钥没有管理权限（this key may not administer）")
        if self._rate:
            self._check_rate(key.name if key else _address(scope))

    def _check_host(self, host: str) -> None:
        # A page elsewhere that points its own name at this machine must not read what is here.
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if self._hosts and name.lower() not in self._hosts:
            raise Refusal(
                403, "forbidden", "不认识这个主机名；在配置的 hosts 中写明（unknown host name: list it in hosts）"
            )

    def _of_path(self, scope: Scope, path: str) -> bytes:
        """The key that stands in an address, which goes on without it; empty where there is none."""
        found, _, rest = path.removeprefix(f"{NATIONAL}/").partition("/")
        if digest(found) not in self._keys:
            return b""
        scope["path"] = f"{NATIONAL}/{rest}"
        return found.encode()

    def _key(self, authorization: bytes, given: bytes, address: str, *, is_handed_on: bool) -> Key:
        scheme, _, token = authorization.partition(b" ")
        sent = given or (token.strip() if scheme.lower() == b"bearer" else b"")
        if sent:
            key = self._keys.get(digest(sent.decode("latin-1")))
        else:
            key = next((key for key in self._of_addresses if key.may_come_from(address)), None)
            if key is not None and is_handed_on:
                raise Refusal(
                    401,
                    "unauthorized",
                    "经代理的请求不能只凭地址，需要访问密钥（through a proxy an address is not enough: a key is needed）",
                )
        if key is None:
            raise Refusal(401, "unauthorized", "需要有效的访问密钥（a valid access key is needed）")
        if not key.may_come_from(address):
            raise Refusal(403, "forbidden", "这个密钥不能从这个地址使用（this key may not be used from this address）")
        return key

    def _check_rate(self, who: str) -> None:
        """A bucket for each key that fills at the rate and holds the burst."""
        now = time.monotonic()
        left, since = self._buckets.get(who, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) * self._rate)
        if left < 1:
            raise Refusal(429, "rate_limited", "请求太频繁，请稍后再试（too many requests）")
        if len(self._buckets) >= _BUCKETS_KEPT:
            self._buckets.clear()
        self._buckets[who] = (left - 1, now)


def _address(scope: Scope) -> str:
    return str((scope.get("client") or ("",))[0])


def institutions_of(scope: Scope) -> frozenset[str]:
    """The institutions that who asks speaks for; empty where for all."""
    found: frozenset[str] = scope.get(_INSTITUTIONS) or frozenset()
    return found


def of_institutions(scope: Scope, *named: str | None) -> None:
    """Raise Refusal where who asks speaks for certain institutions, and a message is of another one, or of none."""
    allowed = scope.get(_INSTITUTIONS)
    if not allowed:
        return
    told = {name for name in named if name}
    if not told or not told <= allowed:
        why = "报文没有写明机构" if not told else "报文中的机构不在其中"
        raise Refusal(
            403,
            "forbidden",
            f"这个密钥只能用于指定的机构，{why}，请求没有处理（this key is for certain institutions, and the message is not of them）",
        )


def who_asks(scope: Scope) -> str:
    """The name of the key with which somebody asks, or that this machine does, and the address."""
    return f"{scope.get(_KEY) or 'no key'} at {(scope.get('client') or ('?',))[0]}"


class RefusalLog:
    """Says who was refused, and why; the same only now and then, so that nobody can fill the disk by being refused."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def take(self, refusal: Refusal, scope: Scope) -> None:
        """Tell of a refusal, with how many like it were not told of."""
        about = refusal.code, who_asks(scope)
        now = time.monotonic()
        before, untold = self._told.get(about, (-_TOLD_SECONDS, 0))
        if now - before < _TOLD_SECONDS:
            self._told[about] = (before, untold + 1)
            return
        if len(self._told) >= _TOLD_KEPT:
            self._told.clear()
        self._told[about] = (now, 0)
        _LOG.warning("refused (%s): %s; %d more since", refusal.code, about[1], untold)


def _is_same(origin: str, host: str) -> bool:
    """Whether a page of this origin came from here; `null`, which any page can make itself, did not."""
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def page_headers() -> dict[str, Any]:
    """The headers of pages: nothing from elsewhere, nothing inline, in no frame."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY", "Cache-Control": "no-cache", "Cross-Origin-Opener-Policy": "same-origin",
    }  # fmt: skip
