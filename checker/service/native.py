"""The native API beside the checks: look-ups, feedback and tickets, as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from checker.model.errors import InputError
from checker.model.words import catalogue
from checker.service.checks import language_of
from checker.service.guard import institutions_of
from checker.service.http_json import Refusal, json_response, read_json, text_of
from checker.service.reasons import REASONS
from checker.service.review import Desk
from checker.service.staff import Staff, WrongPin
from checker.service.store import Feedback, Ticket, utc_now
from checker.service.ticket_json import read_prescriptions

REASON_CODES = {reason.code for reason in REASONS}
_FEEDBACK_KEYS = ("finding_id", "decision", "reason_code", "reason", "operator", "second_operator", "second_pin")
_FEEDBACK_MOST, _TEXT_MOST, _QUERY_MOST, _LIMIT_MOST = 1000, 500, 100, 100


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
        "staff": bool(request.app.staff.members),
        "shop": desk.settings.shop,
        "reasons": [
            {"code": reason.code, "zh": reason.zh, "en": reason.en, "judges": reason.judges or None}
            for reason in REASONS
        ],
        "judges": desk.library.judges,
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
    unknown = await desk.books.take_feedback(rows, institutions_of(request.scope))
    if len(unknown) == len(rows):
        raise Refusal(
            404, "not_shown", "没有显示过这条疑点，反馈没有保存（no such finding was shown: nothing was kept）"
        )
    return json_response({"accepted": len(rows) - len(unknown), "unknown": unknown})


async def ticket(request: Request) -> Response:
    """`GET /v1/tickets/{id}`."""
    desk: Desk = request.app.desk
    found = await desk.books.in_store(desk.books.store.ticket, request.path_params["id"])
    if found is None or not await run_in_threadpool(_is_of, found, institutions_of(request.scope)):
        raise Refusal(404, "not_found", "没有这个票号（no such ticket）")
    answer = json.loads(found.answer) if found.answer else None
    told = {"ticket": found.ticket, "status": found.status, "received": found.at, "reason": found.reason}
    return json_response(told | {"judged": found.judged_at, "answers": answer})


def _is_of(ticket: Ticket, institutions: frozenset[str]) -> bool:
    """Whether a ticket is of these institutions alone. One that names none (judged without findings under an earlier layout) is of nobody."""
    if not institutions:
        return True
    if ticket.institutions is not None:
        told = set(json.loads(ticket.institutions))
    elif ticket.document is not None:
        told = {each.facts.get("institution_id") for each in read_prescriptions(ticket.document)}
    else:
        told = {each["institution_id"] for answer in json.loads(ticket.answer or "[]") for each in answer["findings"]}
    return bool(told) and told <= institutions


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
    if held["reason_code"] is not None and held["reason_code"] not in REASON_CODES:
        raise InputError(f"{path}.reason_code 应为 {'、'.join(sorted(REASON_CODES))} 之一（one of these）")
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


def _whole(text: str, name: str, most: int) -> int:
    if not re.fullmatch("[0-9]{1,6}", text, re.ASCII) or not 1 <= int(text) <= most:
        raise InputError(f"{name} 应为 1 到 {most} 的整数（a whole number from 1 to {most}）")
    return int(text)
