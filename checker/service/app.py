"""The application: routes, pages, what happens at start and stop, and how errors are told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from checker.model.china_time import china_today
from checker.model.errors import InputError, InternalError, LiangkuError
from checker.model.version import __version__
from checker.model.words import catalogue
from checker.service import cds_hooks, checks, health, link_api, national_api, native
from checker.service.books import NotKept
from checker.service.guard import Guard, RefusalLog, page_headers, who_asks
from checker.service.http_json import Refusal, json_response, refused
from checker.service.item_links import ItemLinks
from checker.service.national.profile import Profile
from checker.service.openapi import openapi
from checker.service.review import Desk
from checker.service.settings import Settings
from checker.service.staff import Staff

_LOG = logging.getLogger("liangku.serve")
_PAGE = Path(__file__).with_name("page")
_RESPONSE = "liangku.response"
_END = "</script>"
_CATALOGUE = f'<script type="application/json" id="catalogue">{_END}'
_OF_GUARD = (401, 403, 429, 503)
_CODES = {404: "not_found", 405: "method_not_allowed"}
_TOLD = {404: "没有这个地址（no such address）", 405: "这个地址不接受这种方法（method not allowed）"}


Handler = Callable[[Request], Awaitable[Response]]


class Service:
    """The ASGI application around an open desk. What handlers return is sent here, what they raise is told here."""

    def __init__(self, desk: Desk, profile: Profile, settings: Settings) -> None:
        self.desk, self.profile = desk, profile
        self.links, self.staff = ItemLinks(settings.data), Staff(settings.data)
        self.pages = {name: _page(name) for name in ("index", "ledger")}
        self.files = {path.name: path for path in _PAGE.iterdir() if path.suffix in (".js", ".css", ".svg")}
        self._guard, self._refusals = Guard(settings), RefusalLog()
        self._running, self._most = 0, settings.limits.connections
        desk.metrics.checks = lambda: health.checks(desk)
        handlers: list[tuple[str, str, Handler]] = [
            ("POST", "/v1/check", checks.check),
            *(("POST", path, national_api.answer) for path in national_api.ADDRESSES),
            ("POST", "/v1/check/batch", checks.check_batch),
            ("GET", "/cds-services", cds_hooks.discovery),
            ("POST", "/cds-services/{id}", cds_hooks.service),
            ("POST", "/cds-services/{id}/feedback", cds_hooks.feedback),
            ("GET", "/v1/points", native.points),
            ("GET", "/v1/ledger", native.ledger),
            ("GET", "/v1/rules", native.rules),
            ("GET", "/v1/rules/{id}", native.rule),
            ("GET", "/v1/knowledge", native.knowledge),
            ("GET", "/v1/words", native.words),
            ("POST", "/v1/feedback", native.feedback),
            ("GET", "/v1/links", link_api.find),
            ("POST", "/v1/links", link_api.keep),
            ("GET", "/v1/links/history", link_api.history),
            ("POST", "/v1/links/undo", link_api.undo),
            ("POST", "/v1/trace", link_api.link_trace),
            ("GET", "/v1/trace/{code}", link_api.trace),
            ("GET", "/v1/tickets/{id}", native.ticket),
            ("POST", "/admin/reload", _reload),
            ("GET", "/health", _health),
            ("GET", "/metrics", _metrics),
            ("GET", "/openapi.json", _openapi),
            ("GET", "/", _counter),
            ("GET", "/ledger", _ledger),
            ("GET", "/static/{name}", _static),
        ]
        # Most requests are for an address as it stands here: they need no search, nor what Starlette puts around each handler.
        self._exact = {(method, path): handle for method, path, handle in handlers}
        routes = [Route(path, _Endpoint(handle), methods=[method]) for method, path, handle in handlers]
        # An address with a slash too many is no address: a redirect would name the host that the client named.
        self.router = Router(routes, redirect_slashes=False, lifespan=_lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through the server's life."""
        scope["app"] = self
        if scope["type"] != "http":
            await self.router(scope, receive, send)
            return
        self._running += 1
        try:
            await self._answer(scope, receive, send)
        finally:
            self._running -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._running > self._most and scope["path"] != "/health":
                raise Refusal(
                    503,
                    "busy",
                    "同时的请求太多，本次没有审核，请稍后再试（too many requests at once, nothing was reviewed）",
                )
            self._guard.check(scope)
            handle = self._exact.get((scope["method"], scope["path"]))
            if handle is not None:
                response = await handle(Request(scope, receive))
            elif national_api.is_national(scope["path"]):
                response = await national_api.answer(Request(scope, receive))
            else:
                await self.router(scope, receive, send)
                response = scope[_RESPONSE]
        except Exception as error:
            response = self._told(error, scope)
        await response(scope, receive, send)

    def _told(self, error: Exception, scope: Scope) -> Response:
        match error:
            case Refusal():
                refusal = error
            case InputError():
                refusal = Refusal(400, "bad_input", str(error))
            case NotKept() | sqlite3.Error() | OSError():
                _LOG.error("something could not be kept: %s", type(error).__name__, exc_info=error)
                refusal = Refusal(
                    503,
                    "not_kept",
                    "没有保存，请稍后重发；服务状态见 /health（it was not kept: send it again, and see /health）",
                )
            case HTTPException():
                status = error.status_code
                response = refused(Refusal(status, _CODES.get(status, "http"), _TOLD.get(status, error.detail)))
                response.headers.update(error.headers or {})
                return response
            case _:
                _LOG.error("failure inside: %s", type(error).__name__, exc_info=error)
                refusal = Refusal(
                    500, "internal", "程序故障，详见服务日志（internal failure, see the log of the service）"
                )
        self.desk.metrics.refused(refusal.code)
        self.note(refusal, scope)
        if national_api.is_national(scope["path"]):
            return national_api.refused_in_envelope(self.desk, self.profile, scope, refusal.message)
        return refused(refusal)

    def note(self, refusal: Refusal, scope: Scope) -> None:
        """Write down who was not let in, or not listened to."""
        if refusal.status in _OF_GUARD:
            self._refusals.take(refusal, scope)


class _Endpoint:
    """Leaves what a handler returns to be sent by the service."""

    def __init__(self, handle: Handler) -> None:
        self._handle = handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[_RESPONSE] = await self._handle(Request(scope, receive))


@contextlib.asynccontextmanager
async def _lifespan(app: Service) -> AsyncIterator[None]:
    desk = app.desk
    desk.books.write("start", {"program": __version__, "kb": desk.library.precheck.version})
    loop = asyncio.get_running_loop()
    desk.keeper.start()
    reloads: set[asyncio.Task[object]] = set()

    def reload() -> None:
        task = loop.create_task(_reload_quietly(desk))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, reload)
    _LOG.info("ready: knowledge %s", desk.library.precheck.version)
    try:
        yield
    finally:
        await asyncio.gather(*reloads)
        await desk.close()
        app.links.close()


async def _reload_quietly(desk: Desk) -> object:
    """A reload that a signal asked for; what fails is in the log, and the edition in use stays."""
    try:
        return await desk.reload("signal")
    except LiangkuError:
        return None


async def _reload(request: Request) -> Response:
    try:
        return json_response(await request.app.desk.reload(who_asks(request.scope)))
    except LiangkuError as error:
        raise Refusal(
            409, "not_loaded", f"没有更换，仍用原来的规则和知识（nothing was replaced）：{error}"[:2000]
        ) from error


async def _health(request: Request) -> Response:
    precheck = request.app.desk.library.precheck
    looked_at = health.checks(request.app.desk)
    is_well = all(check["ok"] for check in looked_at.values())
    told = {"status": "ok" if is_well else "failing", "version": __version__, "checks": looked_at}
    return json_response(told | {"knowledge": precheck.knowledge(china_today())}, status=200 if is_well else 503)


async def _metrics(request: Request) -> Response:
    return Response(generate_latest(request.app.desk.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _openapi(request: Request) -> Response:
    return json_response(openapi())


async def _counter(request: Request) -> Response:
    return HTMLResponse(request.app.pages["index"], headers=page_headers())


async def _ledger(request: Request) -> Response:
    return HTMLResponse(request.app.pages["ledger"], headers=page_headers())


def _page(name: str) -> str:
    """A page with the words of findings in it, so that none of them waits for a further request."""
    before, mark, after = (_PAGE / f"{name}.html").read_text(encoding="utf-8").partition(_CATALOGUE)
    if not mark:
        raise InternalError(f"{name}.html：缺少 {_CATALOGUE}（the page has no place for the words）")
    # What ends a script in HTML must not stand in it.
    words = json.dumps(catalogue(), ensure_ascii=False).replace("<", "\\u003c")
    return f"{before}{mark.removesuffix(_END)}{words}{_END}{after}"


async def _static(request: Request) -> Response:
    file = request.app.files.get(request.path_params["name"])
    if file is None:
        raise Refusal(404, "not_found", _TOLD[404])
    return FileResponse(file, headers=page_headers())
