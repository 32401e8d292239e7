"""`POST /v1/check` and `/v1/check/batch`: read, judged, written and recorded within one time limit, or told not to be reviewed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from checker.ingest.prescription import Prescription, read_prescription
from checker.model.china_time import china_now
from checker.model.errors import InputError
from checker.precheck.documents import in_places, read_each
from checker.service.books import Reviewed
from checker.service.cards import cards_of
from checker.service.cost import refuse_costly, refuse_costly_one, refuse_many_lines
from checker.service.guard import of_institutions
from checker.service.http_json import CARDS, Refusal, header, json_response, json_type, parse, read_body
from checker.service.review import Desk, NotReviewed
from checker.service.slices import FINDING_BYTES, TooMuch

_Read = TypeVar("_Read")
_QUESTION = re.compile("[A-Za-z0-9-]{1,64}", re.ASCII)
_NOT_REVIEWED = {
    "timeout": ("本次没有在时限内审核，系统会补审", "Not reviewed within the time limit; it will be judged later"),
    "failure": ("审核程序出错，本次没有审核，系统会补审", "Not reviewed because of a failure; it will be judged later"),
}


async def check(request: Request) -> Response:
    """`POST /v1/check`."""
    desk: Desk = request.app.desk
    language, kind = language_of(request), json_type(request)
    as_cards = CARDS in header(request, b"accept")
    body = await read_body(request, desk.settings.limits)
    until = when_due(desk)
    read = await read_aside(desk, body, until, _read_one, desk, body, kind)
    of_institutions(request.scope, read[0].facts.get("institution_id"))

    def write(answers: list[dict[str, Any]]) -> Response:
        if as_cards:
            return json_response(cards_of(answers[0], language, desk.library.judges), media_type=CARDS)
        response = json_response(answers[0])
        # Whoever asks several things at once, or through something that keeps answers, sees that this is the answer to that question.
        if _QUESTION.fullmatch(question := header(request, b"x-liangku-question")):
            response.raw_headers.append((b"x-liangku-question", question.encode()))
        return response

    return await answered(desk, read, language, until, write)


async def check_batch(request: Request) -> Response:
    """`POST /v1/check/batch`. A prescription that cannot be read is an error in its place, and the others are judged."""
    desk: Desk = request.app.desk
    language, kind = language_of(request), json_type(request)
    body = await read_body(request, desk.settings.limits)
    until = when_due(desk)
    entries = await read_aside(desk, body, until, _read_batch, desk, body, kind)
    read = [each for each in entries if isinstance(each, Prescription)]
    for each in read:
        of_institutions(request.scope, each.facts.get("institution_id"))
    for _ in range(len(entries) - len(read)):
        desk.metrics.refused("bad_input")

    def write(answers: list[dict[str, Any]]) -> Response:
        return json_response({"answers": in_places(entries, answers)})

    return await answered(desk, read, language, until, write) if read else write([])


def language_of(request: Request) -> str:
    """The language that a request asks for. Raises InputError."""
    language = request.query_params.get("lang", "zh") if request.scope["query_string"] else "zh"
    if language not in ("zh", "en"):
        raise InputError("lang 应为 zh 或 en（zh or en）")
    return language


def when_due(desk: Desk) -> float:
    """When a request that is whole now must be answered."""
    return time.perf_counter() + desk.settings.limits.time_ms / 1000


async def read_aside(desk: Desk, body: bytes, until: float, read: Callable[..., _Read], *values: Any) -> _Read:
    """What a body of this length reads as, within the time limit. Raises Refusal past it."""
    try:
        return await desk.aside(len(body), read, *values, until=until)
    except TimeoutError:
        raise Refusal(
            503,
            "timeout",
            "请求没有在时限内读完，本次没有审核，请分次发送（not read in time, nothing was reviewed: send it in parts）",
        ) from None


def _read_one(desk: Desk, body: bytes, kind: str) -> list[Prescription]:
    return read_one(desk, parse(body, desk.settings.limits, kind), len(body))


def read_one(desk: Desk, document: object, size: int) -> list[Prescription]:
    """One prescription, from its document, as a list of one. Raises InputError."""
    read = [_prescription(desk, document, "处方")]
    refuse_costly(read, desk.settings.limits, size)
    return read


def _read_batch(desk: Desk, body: bytes, kind: str) -> list[Prescription | InputError]:
    """The prescriptions, and in the place of each that cannot be read the error. Raises InputError where the batch itself is not right."""
    limits, precheck = desk.settings.limits, desk.library.precheck
    documents = parse(body, limits, kind)
    if not isinstance(documents, list) or not documents:
        raise InputError("应为至少一张处方的数组（an array of at least one prescription）")
    if len(documents) > limits.batch:
        raise InputError(
            f"有 {len(documents)} 张处方，最多 {limits.batch} 张，请分次发送（too many: send them in parts）"
        )

    def read(document: object, number: int) -> Prescription:
        one = _prescription(desk, document, f"[{number}]")
        refuse_costly_one(one, len(body))
        precheck.named(one)
        return one

    entries = read_each(documents, read)
    refuse_many_lines([each for each in entries if isinstance(each, Prescription)], limits, len(body))
    return entries


def _prescription(desk: Desk, document: object, source: str) -> Prescription:
    read = read_prescription(document, source=source, now=china_now())
    if len(read.items) > desk.settings.limits.lines:
        raise InputError(
            f"{source}：lines 有 {len(read.items)} 行，最多 {desk.settings.limits.lines} 行，请分次发送（too many lines）"
        )
    return read


async def answered(
    desk: Desk,
    read: list[Prescription],
    language: str,
    until: float,
    write: Callable[[list[dict[str, Any]]], Response],
    *,
    channel: str = "native",
) -> Response:
    """The answer as it goes out: judged, written and then recorded, or else not reviewed."""
    try:
        reviewed = await desk.review(read, channel=channel, language=language, until=until)
        if isinstance(reviewed, Reviewed):
            shown = [(finding["finding_id"], finding) for answer in reviewed.answers for finding in answer["findings"]]
            rules_hash = {"hash": reviewed.library.precheck.plan.hash}
            for answer, acknowledged in zip(reviewed.answers, reviewed.acknowledged, strict=True):
                answer["rules"], answer["reviewed"], answer["acknowledged"] = rules_hash, True, acknowledged
            response = await desk.aside(FINDING_BYTES * len(shown), write, reviewed.answers, until=until)
            if len(response.body) > desk.settings.limits.answer_bytes:
                raise TooMuch
            desk.books.record(reviewed, read, shown, channel=channel)
            return response
    except TooMuch:
        raise Refusal(
            413,
            "answer_too_large",
            "答复太大，本次没有审核，请分次发送（the answer is too large, nothing was reviewed: send it in parts）",
        ) from None
    except TimeoutError:
        reviewed = await desk.not_answered(read, channel=channel, reason="timeout")
    except OSError:
        # What cannot be recorded must not count as reviewed.
        reviewed = await desk.not_answered(read, channel=channel, reason="failure")
    return write([_not_reviewed(desk, reviewed, each.service_time.date(), language) for each in read])


def _not_reviewed(desk: Desk, told: NotReviewed, day: date, language: str) -> dict[str, Any]:
    precheck = desk.library.precheck
    return {
        "verdict": "undetermined", "level": None, "action": "note", "findings": [], "knowledge": precheck.knowledge(day),
        "rules": {"hash": precheck.plan.hash}, "checked_lines": 0, "not_in_force": [], "not_judged": [], "not_restricted": [],
        "reviewed": False, "ticket": told.ticket, "message": _NOT_REVIEWED[told.reason][language == "en"], "acknowledged": [],
    }  # fmt: skip
