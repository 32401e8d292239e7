"""The native API beside the checks: look-ups, feedback, tickets and trace codes, as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from checker.model.errors import InputError
from checker.model.schema import NATIONAL_CODE
from checker.model.words import catalogue
from checker.service.checks import language_of
from checker.service.http_json import Refusal, json_response, read_json
from checker.service.pseudonyms import without_numbers
from checker.service.reasons import REASONS
from checker.service.review import Desk
from checker.service.store import Feedback, TraceLink, utc_now

_REASON_CODES = {reason.code for reason in REASONS}
_FEEDBACK_KEYS = ("finding_id", "decision", "reason_code", "reason", "operator", "second_operator")
_FEEDBACK_MOST, _TEXT_MOST, _QUERY_MOST, _LIMIT_MOST = 1000, 500, 100, 100
_TRACE = re.compile(r"[0-9]{20}", re.ASCII)


async def points(request: Request) -> Response:
    """`GET /v1/points`."""
    desk: Desk = request.app.desk
    query = request.query_params.get("q", "").strip()
    if not query or len(query) > _QUERY_MOST:
        raise InputError(f"q 应为 1 到 {_QUERY_MOST} 个字符（q: 1 to {_QUERY_MOST} characters）")
    limit = _whole(request.query_params.get("limit", "20"), "limit", _LIMIT_MOST)
    found = await run_in_threadpool(desk.library.search, query, limit=limit, language=language_of(request))
    return json_response(found)


async def ledger(request: Request) -> Response:
    """`GET /v1/ledger`."""
    desk: Desk = request.app.desk
    library = desk.library
    rows = await run_in_threadpool(library.ledger, language_of(request))
    return json_response(
        {"knowledge": {"version": library.precheck.version, "hash": library.precheck.hash}, "points": rows}
    )


async def rules(request: Request) -> Response:
    """`GET /v1/rules`."""
    library = request.app.desk.library
    return json_response({"rules": [library.rule(rule) for rule in library.rules.values()]})


async def rule(request: Request) -> Response:
    """`GET /v1/rules/{id}`."""
    library = request.app.desk.library
    found = library.rules.get(request.path_params["id"])
    if found is None:
        raise Refusal(404, "not_found", f"没有这条规则，现有 {'、'.join(library.rules)}（no such rule）")
    return json_response(library.rule(found))


async def knowledge(request: Request) -> Response:
    """`GET /v1/knowledge`."""
    desk: Desk = request.app.desk
    options = {
        "two_person": desk.settings.two_person,
        "reasons": [{"code": reason.code, "zh": reason.zh, "en": reason.en} for reason in REASONS],
    }
    return json_response(await run_in_threadpool(desk.library.knowledge) | {"options": options})


async def words(_: Request) -> Response:
    """`GET /v1/words`."""
    return json_response(catalogue())


async def feedback(request: Request) -> Response:
    """`POST /v1/feedback`."""
    desk: Desk = request.app.desk
    document = await read_json(request, desk.settings.limits)
    if not isinstance(document, dict):
        raise InputError("反馈应为 JSON 对象（feedback is an object）")
    listed = document.get("feedback", [document])
    if not isinstance(listed, list) or not 0 < len(listed) <= _FEEDBACK_MOST:
        raise InputError(f"feedback 应为 1 到 {_FEEDBACK_MOST} 条的数组（an array of 1 to {_FEEDBACK_MOST} entries）")
    at = utc_now()
    rows = [
        _feedback(entry, "feedback" if len(listed) == 1 else f"feedback[{number}]", at)
        for number, entry in enumerate(listed)
    ]
    unknown = await desk.books.take_feedback(rows)
    if len(unknown) == len(rows):
        raise Refusal(
            404, "not_shown", "没有显示过这条疑点，反馈没有保存（no such finding was shown: nothing was kept）"
        )
    return json_response({"accepted": len(rows) - len(unknown), "unknown": unknown})


async def trace(request: Request) -> Response:
    """`GET /v1/trace/{code}`."""
    desk: Desk = request.app.desk
    prefix = _trace_prefix(request.path_params["code"])
    link = await desk.books.in_store(desk.books.store.trace, prefix)
    if link is None:
        raise Refusal(
            404,
            "not_found",
            f"还不知道追溯码 {prefix}… 是什么药，请选一次药品，以后自动识别（unknown trace code: link it once）",
        )
    return json_response({"prefix": link.prefix, "item_code": link.item_code, "item_name": link.item_name})


async def link_trace(request: Request) -> Response:
    """`POST /v1/trace`."""
    desk: Desk = request.app.desk
    document = await read_json(request, desk.settings.limits)
    if not isinstance(document, dict):
        raise InputError("应为 JSON 对象（an object）")
    prefix = _trace_prefix(_text(document, "trace_code", 20) or "")
    code, name = _text(document, "item_code", 40), without_numbers(_text(document, "item_name", 200))
    code = code.upper() if code else None
    if code is not None and not re.fullmatch(NATIONAL_CODE, code):
        raise InputError("item_code 应为国家医保编码（a national item code）")
    if code is None and name is None:
        raise InputError("请给出 item_code 或 item_name（give the code or the name of the item）")
    if code is None and name is not None:
        name = desk.library.precheck.find_item(name)[0]
    await desk.books.in_store(desk.books.store.link_trace, TraceLink(prefix, code, name))
    desk.books.write("trace", {"prefix": prefix, "item_code": code, "item_name": name})
    return json_response({"prefix": prefix, "item_code": code, "item_name": name})


async def ticket(request: Request) -> Response:
    """`GET /v1/tickets/{id}`."""
    desk: Desk = request.app.desk
    found = await desk.books.in_store(desk.books.store.ticket, request.path_params["id"])
    if found is None:
        raise Refusal(404, "not_found", "没有这个票号（no such ticket）")
    answer = json.loads(found.answer) if found.answer else None
    told = {"ticket": found.ticket, "status": found.status, "received": found.at, "reason": found.reason}
    return json_response(told | {"judged": found.judged_at, "answers": answer})


def _feedback(entry: object, path: str, at: str) -> Feedback:
    if not isinstance(entry, dict):
        raise InputError(f"{path} 应为 JSON 对象（an object）")
    if unknown := [str(key) for key in entry if key not in _FEEDBACK_KEYS]:
        raise InputError(f"{path} 有不认识的字段 {'、'.join(unknown)[:100]}（unknown keys）")
    held = {key: _text(entry, key, _TEXT_MOST if key == "reason" else 64, path) for key in _FEEDBACK_KEYS}
    finding_id, decision = held["finding_id"], held["decision"]
    if finding_id is None:
        raise InputError(f"{path}.finding_id 应写明是哪条疑点（which finding）")
    if decision not in ("continue", "change"):
        raise InputError(f"{path}.decision 应为 continue（继续）或 change（修改）（continue or change）")
    if held["reason_code"] is not None and held["reason_code"] not in _REASON_CODES:
        raise InputError(f"{path}.reason_code 应为 {'、'.join(sorted(_REASON_CODES))} 之一（one of these）")
    if decision == "continue" and held["reason_code"] is None:
        raise InputError(f"{path}.reason_code：继续时必须选择原因（a coded reason is compulsory to continue）")
    if held["reason_code"] == "other" and decision == "continue" and held["reason"] is None:
        raise InputError(f"{path}.reason：选择“其他”时请写明原因（write the reason）")
    return Feedback(
        finding_id,
        at,
        decision,
        held["reason_code"],
        held["reason"],
        held["operator"],
        held["second_operator"],
        "native",
    )


def _text(holder: Mapping[str, Any], key: str, most: int, path: str = "") -> str | None:
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


def _whole(text: str, name: str, most: int) -> int:
    if not re.fullmatch("[0-9]{1,6}", text, re.ASCII) or not 1 <= int(text) <= most:
        raise InputError(f"{name} 应为 1 到 {most} 的整数（a whole number from 1 to {most}）")
    return int(text)


def _trace_prefix(code: str) -> str:
    if not _TRACE.fullmatch(code):
        raise InputError("追溯码应为 20 位数字（a trace code has 20 digits）")
    return code[:7]
