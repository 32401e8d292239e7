"""Bytes to JSON documents and back: limits of size, depth and time, encodings, and refusals in one form."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from checker.model.errors import InputError
from checker.model.json_text import read_float, refuse_doubled
from checker.precheck.documents import error_document
from checker.service.settings import Limits

JSON = "application/json; charset=utf-8"
CARDS = "application/vnd.cds-hooks+json"
_HEADERS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
CHINESE = ("gbk", "gb2312", "gb18030")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([a-z0-9_.-]{1,40})""")
_decode = msgspec.json.Decoder(float_hook=read_float).decode
_encode = msgspec.json.Encoder().encode


class Refusal(Exception):
    """A request that is not answered: HTTP status, code and one sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def json_response(content: object, *, status: int = 200, media_type: str = JSON) -> Response:
    """A document as a response."""
    return _Json(content, status, media_type)


def raw_response(body: bytes, media_type: str) -> Response:
    """Bytes as a response, with the headers of a document."""
    return Response(body, headers={name.decode(): value.decode() for name, value in _HEADERS}, media_type=media_type)


class _Json(Response):
    """Its headers are the same but for the length: they are not put together anew each time."""

    def __init__(self, content: object, status: int, media_type: str) -> None:
        self.status_code = status
        self.background = None
        self.body = body = _encode(content)
        length = (b"content-length", b"%d" % len(body))
        self.raw_headers = [*_HEADERS, length, (b"content-type", media_type.encode())]


def header(request: Request, name: bytes) -> str:
    """The value of a header, the first of several; empty where there is none."""
    for key, value in request.scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return ""


def refused(refusal: Refusal) -> Response:
    """A refusal as a response."""
    response = json_response(error_document(refusal.code, refusal.message), status=refusal.status)
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if refusal.status == 429:
        response.headers["Retry-After"] = "1"
    return response


async def read_body(request: Request, limits: Limits) -> bytes:
    """The bytes of a request. Raises Refusal where they are too many or come too slowly."""
    if int(header(request, b"content-length") or 0) > limits.body_bytes:
        raise too_large(limits)
    parts, size, more = [], 0, True
    try:
        async with asyncio.timeout(limits.body_seconds):
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                part = message.get("body", b"")
                size += len(part)
                if size > limits.body_bytes:
                    raise too_large(limits)
                parts.append(part)
                more = message.get("more_body", False)
    except TimeoutError:
        raise Refusal(408, "timeout", "请求内容迟迟没有收完，请重发（the body came too slowly）") from None
    return b"".join(parts)


async def read_json(request: Request, limits: Limits, *, strict: bool = True) -> Any:
    """The document of a request. `strict`: its type must be said to be JSON. Raises Refusal or InputError."""
    kind = json_type(request) if strict else header(request, b"content-type").lower()
    return parse(await read_body(request, limits), limits, kind)


def json_type(request: Request) -> str:
    """The content type of a request, lower-cased. Raises Refusal where it is not said to be JSON."""
    kind = header(request, b"content-type").lower()
    if "json" not in kind:
        raise Refusal(415, "unsupported_media_type", "Content-Type 应为 application/json（send JSON）")
    return kind


def is_chinese(kind: str) -> bool:
    """Whether a content type, lower-cased, says that the text is in GBK or one of its kin."""
    found = _CHARSET.search(kind)
    return found is not None and found[1] in CHINESE


def parse(body: bytes, limits: Limits, kind: str = "") -> Any:
    """The document in these bytes; `kind` is the content type, lower-cased. Raises InputError."""
    if not body.strip():
        raise InputError("请求内容是空的，请发送 JSON（the body is empty: send JSON）")
    if is_chinese(kind):
        try:
            body = body.decode("gb18030").encode()
        except UnicodeDecodeError:
            raise InputError("请求内容不是所声明的 GB18030 编码，请改正（not GB18030 as declared）") from None
    try:
        document = _decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"请求内容不是有效的 UTF-8 JSON：{error}，请改正（not valid JSON in UTF-8）") from None
    except RecursionError:
        raise InputError(_too_deep(limits)) from None
    if body.count(b"{") + body.count(b"[") > limits.depth and _is_deeper(document, limits.depth):
        raise InputError(_too_deep(limits))
    refuse_doubled(body, document)
    return document


def text_of(holder: Mapping[str, Any], key: str, most: int, path: str = "") -> str | None:
    """The text of a member, trimmed; None where there is none or it is empty. Raises InputError naming it by its path."""
    value = holder.get(key)
    if value is None:
        return None
    place = f"{path}.{key}" if path else key
    if not isinstance(value, str):
        raise InputError(f"{place} 应为文字（text）")
    if len(value) > most:
        raise InputError(f"{place} 最多 {most} 个字符（at most {most} characters）")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise InputError(f"{place} 含有不完整的字符（half a character）")
    return value.strip() or None


def _is_deeper(document: object, depth: int) -> bool:
    level = [document]
    for _ in range(depth + 1):
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _too_deep(limits: Limits) -> str:
    return f"JSON 嵌套太深，最多 {limits.depth} 层，请改正（nested too deeply）"


def too_large(limits: Limits) -> Refusal:
    """The refusal of a body that is too large."""
    return Refusal(
        413, "too_large", f"请求内容太大，最多 {limits.body_bytes:,} 字节，请分次发送（too large: send it in parts）"
    )
