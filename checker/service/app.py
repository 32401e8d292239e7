"""The application: routes, pages, what happens at start and stop, and how errors are told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from checker import __version__
from checker.errors import InputError, LiangkuError
from checker.service import national_api, native
from checker.service.desk import Desk
from checker.service.guard import Guard, page_headers
from checker.service.national.profile import Profile
from checker.service.openapi import openapi
from checker.service.settings import Settings
from checker.service.wire import Refusal, json_response, refused

_LOG = logging.getLogger("liangku.serve")
_PAGE = Path(__file__).with_name("page")
_NATIONAL = "/fsi/api/riskConService"
_CODES = {404: "not_found", 405: "method_not_allowed"}
_TOLD = {404: "没有这个地址（no such address）", 405: "这个地址不接受这种方法（method not allowed）"}


def build_app(desk: Desk, profile: Profile, settings: Settings) -> Starlette:
    """The ASGI application around an open desk."""
    routes = [
        Route("/v1/check", native.check, methods=["POST"]),
        Route(f"{_NATIONAL}/beforeAnalyze", national_api.before, methods=["POST"]),
        Route(f"{_NATIONAL}/courseAnalyze", national_api.during, methods=["POST"]),
        Route(f"{_NATIONAL}/feedback", national_api.feedback, methods=["POST"]),
        Route("/fsi/api", national_api.dispatch, methods=["POST"]),
        Route("/v1/check/batch", native.check_batch, methods=["POST"]),
        Route("/v1/points", native.points, methods=["GET"]),
        Route("/v1/ledger", native.ledger, methods=["GET"]),
        Route("/v1/rules", native.rules, methods=["GET"]),
        Route("/v1/rules/{id}", native.rule, methods=["GET"]),
        Route("/v1/knowledge", native.knowledge, methods=["GET"]),
        Route("/v1/feedback", native.feedback, methods=["POST"]),
        Route("/v1/trace", native.link_trace, methods=["POST"]),
        Route("/v1/trace/{code}", native.trace, methods=["GET"]),
        Route("/v1/tickets/{id}", native.ticket, methods=["GET"]),
        Route("/admin/reload", _reload, methods=["POST"]),
        Route("/health", _health, methods=["GET"]),
        Route("/metrics", _metrics, methods=["GET"]),
        Route("/openapi.json", _openapi, methods=["GET"]),
        Route("/", _counter, methods=["GET"]),
        Route("/ledger", _ledger, methods=["GET"]),
        Route("/static/{name}", _static, methods=["GET"]),
    ]
    app = Starlette(
        routes=routes,
        lifespan=_lifespan,
        middleware=[Middleware(Guard, settings=settings, metrics=desk.metrics)],
        exception_handlers={InputError: _bad_input, Refusal: _refusal, HTTPException: _http_error, Exception: _failure},
    )
    # An address with a slash too many is no address: a redirect would name the host that the client named.
    app.router.redirect_slashes = False
    app.state.desk, app.state.profile = desk, profile
    app.state.files = {path.name: path for path in _PAGE.iterdir() if path.suffix in (".js", ".css", ".svg")}
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    desk: Desk = app.state.desk
    desk.audit.append("start", {"program": __version__, "kb": desk.library.precheck.version})
    loop = asyncio.get_running_loop()
    kept = asyncio.create_task(desk.keep_judging_tickets())
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
        kept.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await kept
        await asyncio.gather(*reloads)
        await desk.close()


async def _reload_quietly(desk: Desk) -> object:
    """A reload that a signal asked for; what fails is in the log, and the edition in use stays."""
    try:
        return await desk.reload()
    except LiangkuError:
        return None


async def _reload(request: Request) -> Response:
    try:
        return json_response(await request.app.state.desk.reload())
    except LiangkuError as error:
        raise Refusal(
            409, "not_loaded", f"没有更换，仍用原来的规则和知识（nothing was replaced）：{error}"[:2000]
        ) from error


async def _health(request: Request) -> Response:
    precheck = request.app.state.desk.library.precheck
    return json_response(
        {"status": "ok", "version": __version__, "knowledge": {"version": precheck.version, "hash": precheck.hash}}
    )


async def _metrics(request: Request) -> Response:
    return Response(generate_latest(request.app.state.desk.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _openapi(request: Request) -> Response:
    return json_response(openapi())


async def _counter(request: Request) -> Response:
    return FileResponse(_PAGE / "index.html", headers=page_headers())


async def _ledger(request: Request) -> Response:
    return FileResponse(_PAGE / "ledger.html", headers=page_headers())


async def _static(request: Request) -> Response:
    file = request.app.state.files.get(request.path_params["name"])
    if file is None:
        raise Refusal(404, "not_found", _TOLD[404])
    return FileResponse(file, headers=page_headers())


async def _bad_input(request: Request, error: Exception) -> Response:
    request.app.state.desk.metrics.refused("bad_input")
    return refused(Refusal(400, "bad_input", str(error)))


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    request.app.state.desk.metrics.refused(error.code)
    return refused(error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = refused(
        Refusal(error.status_code, _CODES.get(error.status_code, "http"), _TOLD.get(error.status_code, error.detail))
    )
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


async def _failure(request: Request, error: Exception) -> Response:
    _LOG.error("failure inside: %s", type(error).__name__, exc_info=error)
    return refused(Refusal(500, "internal", "程序故障，详见服务日志（internal failure, see the log of the service）"))
