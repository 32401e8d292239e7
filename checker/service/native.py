"""The native API: checks, look-ups, feedback and tickets, as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from checker.ingest.prescription import Prescription, read_prescription
from checker.model.errors import InputError
from checker.model.words import catalogue
from checker.service.cards import cards_of
from checker.service.http_json import (
    CARDS,
    Refusal,
    header,
    json_response,
    json_type,
    parse,
    read_body,
    read_json,
    text_of,
)
from checker.service.reasons import REASONS
from checker.service.review import Desk, Reviewed
from checker.service.staff import Staff, WrongPin
from checker.service.store import Feedback, utc_now

_NOT_REVIEWED = {
    "timeout": ("本次没有在时限内审核，系统会补审", "Not reviewed within the time limit; it will be judged later"),
    "failure": ("审核程序出错，本次没有审核，系统会补审", "Not reviewed because of a failure; it will be judged later"),
}
_REASON_CODES = {reason.code for reason in REASONS}
_FEEDBACK_KEYS = ("finding_id", "decision", "reason_code", "reason", "operator", "second_operator", "second_pin")
_QUESTION = re.compile("[A-Za-z0-9-]{1,64}", re.ASCII)
_FEEDBACK_MOST, _TEXT_MOST, _QUERY_MOST, _LIMIT_MOST = 1000, 500, 100, 100


async def check(request: Request) -> Response:
    """`POST /v1/check`."""
    desk: Desk = request.app.desk
    language = _language(request)
    limits = desk.settings.limits
    kind = json_type(request)
    document = parse(await read_body(request, limits), limits, kind)
    (answer,) = await _answers(desk, [_prescription(desk, document, "处方")], language)
    if CARDS in header(request, b"accept"):
        return json_response(cards_of(answer, language), media_type=CARDS)
    response = json_response(answer)
    # Whoever asks several things at once, or through something that keeps answers, sees that this is the answer to that question.
    if _QUESTION.fullmatch(question := header(request, b"x-liangku-question")):
        response.raw_headers.append((b"x-liangku-question", question.encode()))
    return response


async def check_batch(request: Request) -> Response:
    """`POST /v1/check/batch`."""
    desk: Desk = request.app.desk
    documents = await read_json(request, desk.settings.limits)
    most = desk.settings.limits.batch
    if not isinstance(documents, list) or not documents:
        raise InputError("应为至少一张处方的数组（an array of at least one prescription）")
    if len(documents) > most:
        raise InputError(f"有 {len(documents)} 张处方，最多 {most} 张，请分次发送（too many: send them in parts）")
    read = [_prescription(desk, document, f"[{number}]") for number, document in enumerate(documents)]
    return json_response({"answers": await _answers(desk, read, _language(request))})


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
        "staff": bool(request.app.staff.members),
        "shop": desk.settings.shop,
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
    await run_in_threadpool(_check_seconds, request.app.staff, rows, [entry.get("second_pin") for entry in listed])
    unknown = await desk.take_feedback(rows)
    return json_response({"accepted": len(rows), "unknown": unknown})


async def ticket(request: Request) -> Response:
    """`GET /v1/tickets/{id}`."""
    desk: Desk = request.app.desk
    found = await desk.in_store(desk.store.ticket, request.path_params["id"])
    if found is None:
        raise Refusal(404, "not_found", "没有这个票号（no such ticket）")
    answer = json.loads(found.answer) if found.answer else None
    told = {"ticket": found.ticket, "status": found.status, "received": found.at, "reason": found.reason}
    return json_response(told | {"judged": found.judged_at, "answers": answer})


def _prescription(desk: Desk, document: object, source: str) -> Prescription:
    read = read_prescription(document, source=source, now=datetime.now())
    if len(read.items) > desk.settings.limits.lines:
        raise InputError(
            f"{source}：lines 有 {len(read.items)} 行，最多 {desk.settings.limits.lines} 行，请分次发送（too many lines）"
        )
    return read


async def _answers(desk: Desk, read: list[Prescription], language: str) -> list[dict[str, Any]]:
    reviewed = await desk.review(read, channel="native", language=language)
    if not isinstance(reviewed, Reviewed):
        message = _NOT_REVIEWED[reviewed.reason][language == "en"]
        precheck = desk.library.precheck
        return [
            {
                "verdict": "undetermined", "level": None, "action": "note", "findings": [],
                "knowledge": precheck.knowledge(each.service_time.date()), "rules": {"hash": precheck.plan.hash}, "checked_lines": 0,
                "not_in_force": [], "not_judged": [], "not_restricted": [], "reviewed": False,
                "ticket": reviewed.ticket, "message": message, "acknowledged": [],
            }
            for each in read
        ]  # fmt: skip
    return _shown(desk, reviewed, read)


def _shown(desk: Desk, reviewed: Reviewed, read: list[Prescription]) -> list[dict[str, Any]]:
    """The answers as they go out, recorded."""
    shown = [(finding["finding_id"], finding) for answer in reviewed.answers for finding in answer["findings"]]
    desk.record(reviewed, read, shown, channel="native")
    rules_hash = {"hash": reviewed.library.precheck.plan.hash}
    for answer, acknowledged in zip(reviewed.answers, reviewed.acknowledged, strict=True):
        answer["rules"], answer["reviewed"], answer["acknowledged"] = rules_hash, True, acknowledged
    return reviewed.answers


def _feedback(entry: object, path: str, at: str) -> Feedback:
    if not isinstance(entry, dict):
        raise InputError(f"{path} 应为 JSON 对象（an object）")
    if unknown := [str(key) for key in entry if key not in _FEEDBACK_KEYS]:
        raise InputError(f"{path} 有不认识的字段 {'、'.join(unknown)[:100]}（unknown keys）")
    held = {key: text_of(entry, key, _TEXT_MOST if key == "reason" else 64, path) for key in _FEEDBACK_KEYS}
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


def _check_seconds(staff: Staff, rows: Sequence[Feedback], pins: Sequence[str | None]) -> None:
    """Where staff are set up, who confirms as a second person is one of them and knows the PIN, and who goes on is one of them too."""
    if not staff.members:
        return
    for row, pin in zip(rows, pins, strict=True):
        if row.second_operator is None:
            continue
        if not staff.knows(row.operator):
            raise Refusal(403, "unknown_operator", "operator：不在人员名单里（not one of the staff）")
        try:
            staff.check(row.second_operator, pin)
        except WrongPin as wrong:
            if wrong.is_locked:
                raise Refusal(
                    429, "pin_locked", "PIN 错了太多次，15 分钟后再试（too many wrong PINs: wait 15 minutes）"
                ) from None
            raise Refusal(403, "wrong_pin", "复核员或 PIN 不对（the second person or the PIN is not right）") from None


def _language(request: Request) -> str:
    language = request.query_params.get("lang", "zh") if request.scope["query_string"] else "zh"
    if language not in ("zh", "en"):
        raise InputError("lang 应为 zh 或 en（zh or en）")
    return language


def _whole(text: str, name: str, most: int) -> int:
    if not re.fullmatch("[0-9]{1,6}", text, re.ASCII) or not 1 <= int(text) <= most:
        raise InputError(f"{name} 应为 1 到 {most} 的整数（a whole number from 1 to {most}）")
    return int(text)
