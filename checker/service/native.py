"""The native API: checks, look-ups, feedback, tickets and trace codes, as JSON."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from checker.ingest.prescription import Prescription, read_prescription
from checker.model.china_time import china_now
from checker.model.errors import InputError
from checker.model.schema import NATIONAL_CODE
from checker.model.words import catalogue
from checker.service.cards import cards_of
from checker.service.http_json import CARDS, Refusal, header, json_response, json_type, parse, read_body, read_json
from checker.service.pseudonyms import without_numbers
from checker.service.reasons import REASONS
from checker.service.review import Desk, NotKept, NotReviewed, Reviewed
from checker.service.slices import FINDING_BYTES, TooMuch
from checker.service.store import Feedback, TraceLink, utc_now

_NOT_REVIEWED = {
    "timeout": ("本次没有在时限内审核，系统会补审", "Not reviewed within the time limit; it will be judged later"),
    "failure": ("审核程序出错，本次没有审核，系统会补审", "Not reviewed because of a failure; it will be judged later"),
}
_REASON_CODES = {reason.code for reason in REASONS}
_FEEDBACK_KEYS = ("finding_id", "decision", "reason_code", "reason", "operator", "second_operator")
_FEEDBACK_MOST, _TEXT_MOST, _QUERY_MOST, _LIMIT_MOST = 1000, 500, 100, 100
_TRACE = re.compile(r"[0-9]{20}", re.ASCII)


async def check(request: Request) -> Response:
    """`POST /v1/check`."""
    desk: Desk = request.app.desk
    language, kind = _language(request), json_type(request)
    as_cards = CARDS in header(request, b"accept")
    body = await read_body(request, desk.settings.limits)
    until = _until(desk)
    read = await _read(desk, body, until, _read_one, desk, body, kind)

    def write(answers: list[dict[str, Any]]) -> Response:
        if as_cards:
            return json_response(cards_of(answers[0], language), media_type=CARDS)
        return json_response(answers[0])

    return await _answered(desk, read, language, until, write)


async def check_batch(request: Request) -> Response:
    """`POST /v1/check/batch`."""
    desk: Desk = request.app.desk
    language, kind = _language(request), json_type(request)
    body = await read_body(request, desk.settings.limits)
    until = _until(desk)
    read = await _read(desk, body, until, _read_batch, desk, body, kind)
    return await _answered(desk, read, language, until, lambda answers: json_response({"answers": answers}))


async def points(request: Request) -> Response:
    """`GET /v1/points`."""
    desk: Desk = request.app.desk
    query = request.query_params.get("q", "").strip()
    if not query or len(query) > _QUERY_MOST:
        raise InputError(f"q 应为 1 到 {_QUERY_MOST} 个字符（q: 1 to {_QUERY_MOST} characters）")
    limit = _whole(request.query_params.get("limit", "20"), "limit", _LIMIT_MOST)
    found = await run_in_threadpool(desk.library.search, query, limit=limit, language=_language(request))
    return json_response(found)


async def ledger(request: Request) -> Response:
    """`GET /v1/ledger`."""
    desk: Desk = request.app.desk
    library = desk.library
    rows = await run_in_threadpool(library.ledger, _language(request))
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
    try:
        unknown = await desk.take_feedback(rows)
    except NotKept:
        raise Refusal(
            503, "not_kept", "反馈没有保存，请稍后重发；服务状态见 /health（the feedback was not kept: send it again）"
        ) from None
    if len(unknown) == len(rows):
        raise Refusal(
            404, "not_shown", "没有显示过这条疑点，反馈没有保存（no such finding was shown: nothing was kept）"
        )
    return json_response({"accepted": len(rows) - len(unknown), "unknown": unknown})


async def trace(request: Request) -> Response:
    """`GET /v1/trace/{code}`."""
    desk: Desk = request.app.desk
    prefix = _trace_prefix(request.path_params["code"])
    link = await desk.in_store(desk.store.trace, prefix)
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
    await desk.in_store(desk.store.link_trace, TraceLink(prefix, code, name))
    desk.write("trace", {"prefix": prefix, "item_code": code, "item_name": name})
    return json_response({"prefix": prefix, "item_code": code, "item_name": name})


async def ticket(request: Request) -> Response:
    """`GET /v1/tickets/{id}`."""
    desk: Desk = request.app.desk
    found = await desk.in_store(desk.store.ticket, request.path_params["id"])
    if found is None:
        raise Refusal(404, "not_found", "没有这个票号（no such ticket）")
    answer = json.loads(found.answer) if found.answer else None
    told = {"ticket": found.ticket, "status": found.status, "received": found.at, "reason": found.reason}
    return json_response(told | {"judged": found.judged_at, "answers": answer})


def _until(desk: Desk) -> float:
    """When a request that is whole now must be answered."""
    return time.perf_counter() + desk.settings.limits.time_ms / 1000


async def _read(
    desk: Desk, body: bytes, until: float, read: Callable[..., list[Prescription]], *values: Any
) -> list[Prescription]:
    try:
        return await desk.aside(len(body), read, *values, until=until)
    except TimeoutError:
        raise Refusal(
            503,
            "timeout",
            "请求没有在时限内读完，本次没有审核，请分次发送（not read in time, nothing was reviewed: send it in parts）",
        ) from None


def _read_one(desk: Desk, body: bytes, kind: str) -> list[Prescription]:
    return [_prescription(desk, parse(body, desk.settings.limits, kind), "处方")]


def _read_batch(desk: Desk, body: bytes, kind: str) -> list[Prescription]:
    limits = desk.settings.limits
    documents = parse(body, limits, kind)
    if not isinstance(documents, list) or not documents:
        raise InputError("应为至少一张处方的数组（an array of at least one prescription）")
    if len(documents) > limits.batch:
        raise InputError(
            f"有 {len(documents)} 张处方，最多 {limits.batch} 张，请分次发送（too many: send them in parts）"
        )
    read = [_prescription(desk, document, f"[{number}]") for number, document in enumerate(documents)]
    if (lines := sum(len(each.items) for each in read)) > limits.batch_lines:
        raise InputError(
            f"共 {lines} 行，最多 {limits.batch_lines} 行，请分次发送（too many lines: send them in parts）"
        )
    return read


def _prescription(desk: Desk, document: object, source: str) -> Prescription:
    read = read_prescription(document, source=source, now=china_now())
    if len(read.items) > desk.settings.limits.lines:
        raise InputError(
            f"{source}：lines 有 {len(read.items)} 行，最多 {desk.settings.limits.lines} 行，请分次发送（too many lines）"
        )
    return read


async def _answered(
    desk: Desk,
    read: list[Prescription],
    language: str,
    until: float,
    write: Callable[[list[dict[str, Any]]], Response],
) -> Response:
    """The answer as it goes out: judged, written and then recorded, or else not reviewed."""
    try:
        reviewed = await desk.review(read, channel="native", language=language, until=until)
        if isinstance(reviewed, Reviewed):
            shown = [(finding["finding_id"], finding) for answer in reviewed.answers for finding in answer["findings"]]
            rules_hash = {"hash": reviewed.library.precheck.plan.hash}
            for answer, acknowledged in zip(reviewed.answers, reviewed.acknowledged, strict=True):
                answer["rules"], answer["reviewed"], answer["acknowledged"] = rules_hash, True, acknowledged
            response = await desk.aside(FINDING_BYTES * len(shown), write, reviewed.answers, until=until)
            if len(response.body) > desk.settings.limits.answer_bytes:
                raise TooMuch
            desk.record(reviewed, read, shown, channel="native")
            return response
    except TooMuch:
        raise Refusal(
            413,
            "answer_too_large",
            "答复太大，本次没有审核，请分次发送（the answer is too large, nothing was reviewed: send it in parts）",
        ) from None
    except TimeoutError:
        reviewed = await desk.not_answered(read, channel="native", reason="timeout")
    except OSError:
        # What cannot be recorded must not count as reviewed.
        reviewed = await desk.not_answered(read, channel="native", reason="failure")
    return write([_not_reviewed(desk, reviewed, language) for _ in read])


def _not_reviewed(desk: Desk, told: NotReviewed, language: str) -> dict[str, Any]:
    precheck = desk.library.precheck
    return {
        "verdict": "undetermined", "findings": [], "knowledge": {"version": precheck.version, "hash": precheck.hash},
        "rules": {"hash": precheck.plan.hash}, "checked_lines": 0, "not_in_force": [], "not_judged": [], "reviewed": False,
        "ticket": told.ticket, "message": _NOT_REVIEWED[told.reason][language == "en"], "acknowledged": [],
    }  # fmt: skip


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


def _language(request: Request) -> str:
    language = request.query_params.get("lang", "zh") if request.scope["query_string"] else "zh"
    if language not in ("zh", "en"):
        raise InputError("lang 应为 zh 或 en（zh or en）")
    return language


def _whole(text: str, name: str, most: int) -> int:
    if not re.fullmatch("[0-9]{1,6}", text, re.ASCII) or not 1 <= int(text) <= most:
        raise InputError(f"{name} 应为 1 到 {most} 的整数（a whole number from 1 to {most}）")
    return int(text)


def _trace_prefix(code: str) -> str:
    if not _TRACE.fullmatch(code):
        raise InputError("追溯码应为 20 位数字（a trace code has 20 digits）")
    return code[:7]
