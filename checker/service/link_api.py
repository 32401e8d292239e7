"""Links of items over HTTP: what a trace code, barcode, approval number or trade name stands for, said, changed and taken back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from checker.model.errors import InputError
from checker.model.schema import NATIONAL_CODE
from checker.service.http_json import Refusal, json_response, read_json, text_of
from checker.service.item_keys import read_key
from checker.service.item_links import ItemLinks, Link, LinkTaken
from checker.service.pseudonyms import without_numbers
from checker.service.review import Desk

_TRACE = re.compile(r"[0-9]{20}", re.ASCII)
_TEXT_MOST = 100


async def find(request: Request) -> Response:
    """`GET /v1/links?text=…`."""
    kind, key = read_key(_asked(request))
    link = await run_in_threadpool(_links(request).find, kind, key)
    if link is None:
        raise Refusal(404, "not_found", "还不知道是什么，请选一次项目，以后自动识别（not known yet: link it once）")
    return json_response(_told(request, link))


async def history(request: Request) -> Response:
    """`GET /v1/links/history?text=…`."""
    found = await run_in_threadpool(_links(request).history, *read_key(_asked(request)))
    return json_response({"links": [_told(request, link) for link in found]})


async def keep(request: Request) -> Response:
    """`POST /v1/links`."""
    document = await _document(request)
    kind, key = read_key(text_of(document, "text", _TEXT_MOST) or "")
    operator = text_of(document, "operator", 64)
    if operator is None:
        raise InputError("operator：请写明是谁说的（say who says so）")
    return json_response(_told(request, await _keep(request, document, kind, key, operator)))


async def undo(request: Request) -> Response:
    """`POST /v1/links/undo`."""
    document = await _document(request)
    kind, key = read_key(text_of(document, "text", _TEXT_MOST) or "")
    operator, last = text_of(document, "operator", 64), document.get("id")
    if operator is None or type(last) is not int:
        raise InputError("operator 写明是谁，id 写明取消哪一次（operator: who; id: which one is taken back）")
    try:
        link = await run_in_threadpool(_links(request).undo, kind, key, operator, last=last)
    except LinkTaken:
        raise _changed_meanwhile() from None
    if link is None:
        raise Refusal(404, "not_found", "没有可以取消的关联（nothing to take back）")
    _note(request, link)
    return json_response(_told(request, link))


async def trace(request: Request) -> Response:
    """`GET /v1/trace/{code}`."""
    prefix = _trace_prefix(request.path_params["code"])
    link = await run_in_threadpool(_links(request).find, "trace", prefix)
    if link is None:
        raise Refusal(
            404,
            "not_found",
            f"还不知道追溯码 {prefix}… 是什么药，请选一次药品，以后自动识别（unknown trace code: link it once）",
        )
    return json_response(_trace_told(link))


async def link_trace(request: Request) -> Response:
    """`POST /v1/trace`."""
    document = await _document(request)
    prefix = _trace_prefix(text_of(document, "trace_code", 20) or "")
    link = await _keep(request, document, "trace", prefix, text_of(document, "operator", 64))
    return json_response(_trace_told(link))


async def _keep(request: Request, document: Mapping[str, Any], kind: str, key: str, operator: str | None) -> Link:
    code, name = text_of(document, "item_code", 40), without_numbers(text_of(document, "item_name", 200))
    code = code.upper() if code else None
    if code is not None and not re.fullmatch(NATIONAL_CODE, code):
        raise InputError("item_code 应为国家医保编码（a national item code）")
    if code is None and name is None:
        raise InputError("请给出 item_code 或 item_name（give the code or the name of the item）")
    replaces = document.get("replaces")
    if replaces is not None and type(replaces) is not int:
        raise InputError("replaces 应为现有关联的 id（the id of the link that is there）")
    if not isinstance(document.get("unrestricted"), bool | None):
        raise InputError("unrestricted 应为 true 或 false（true or false）")
    if code is None and name is not None and not document.get("unrestricted"):
        name = _desk(request).library.precheck.find_item(name)[0]
    try:
        link = await run_in_threadpool(_links(request).keep, kind, key, code, name, operator, replaces=replaces)
    except LinkTaken as taken:
        item = taken.link.item_name or taken.link.item_code
        raise Refusal(
            409, "link_taken", f"已经关联到“{item}”，确认后才能更改（it is linked to another item: confirm the change）"
        ) from None
    _note(request, link)
    return link


def _note(request: Request, link: Link) -> None:
    noted = {name: getattr(link, name) for name in ("id", "kind", "key", "item_code", "item_name", "operator", "how")}
    # `kind` is the audit log's own name.
    noted["of"] = noted.pop("kind")
    _desk(request).books.write("link", noted)


def _told(request: Request, link: Link) -> dict[str, Any]:
    """A link as JSON; `restricted_name` tells whether its name is that of a restricted item, by which it can be judged without a code."""
    names = _desk(request).library.precheck.index.read_names()
    return link._asdict() | {"restricted_name": link.item_name in names}


def _trace_told(link: Link) -> dict[str, Any]:
    return {"prefix": link.key, "item_code": link.item_code, "item_name": link.item_name}


def _changed_meanwhile() -> Refusal:
    return Refusal(409, "link_taken", "刚刚被别人改了，请重新查看（somebody changed it just now: look again）")


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.desk
    return desk


def _links(request: Request) -> ItemLinks:
    links: ItemLinks = request.app.links
    return links


def _asked(request: Request) -> str:
    text = request.query_params.get("text", "")
    if len(text) > _TEXT_MOST:
        raise InputError(f"text 最多 {_TEXT_MOST} 个字符（at most {_TEXT_MOST} characters）")
    return text


async def _document(request: Request) -> dict[str, Any]:
    document = await read_json(request, _desk(request).settings.limits)
    if not isinstance(document, dict):
        raise InputError("应为 JSON 对象（an object）")
    return document


def _trace_prefix(code: str) -> str:
    if not _TRACE.fullmatch(code):
        raise InputError("追溯码应为 20 位数字（a trace code has 20 digits）")
    return code[:7]
