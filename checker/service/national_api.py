"""The national interface over HTTP: 3101, 3102 and 3103, in the envelope that their senders expect."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from checker.model.china_time import china_now
from checker.model.errors import InputError
from checker.service.books import NotKept, Reviewed
from checker.service.cost import refuse_costly
from checker.service.http_json import Refusal, header, json_response, parse, read_body
from checker.service.national.answer import results_of, write_answer, write_not_reviewed
from checker.service.national.envelope import write_error
from checker.service.national.feedback import read_feedback, write_feedback_answer
from checker.service.national.message import Asked, read_message
from checker.service.national.notes import of_answers
from checker.service.national.profile import Profile
from checker.service.review import Desk
from checker.service.slices import FINDING_BYTES, TooMuch
from checker.service.store import Feedback, utc_now

_LOG = logging.getLogger("liangku.serve")
_FEEDBACK = "3103"


async def before(request: Request) -> Response:
    """3101 事前: `POST …/beforeAnalyze`."""
    return await _answered(request, "3101")


async def during(request: Request) -> Response:
    """3102 事中: `POST …/courseAnalyze`."""
    return await _answered(request, "3102")


async def feedback(request: Request) -> Response:
    """3103 反馈."""
    return await _answered(request, _FEEDBACK)


async def dispatch(request: Request) -> Response:
    """Any of them, by the `infno` of the message."""
    return await _answered(request, None)


async def _answered(request: Request, infno: str | None) -> Response:
    desk: Desk = request.app.desk
    profile: Profile = request.app.profile
    received = china_now()
    document: Any = None
    try:
        kind, body = header(request, b"content-type").lower(), await read_body(request, desk.settings.limits)
        until = time.perf_counter() + (profile.time_limit_ms or desk.settings.limits.time_ms) / 1000
        document = await desk.aside(len(body), parse, body, desk.settings.limits, kind, until=until)
        called = infno or _transaction(document, profile)
        if called == _FEEDBACK:
            return json_response(await _take_feedback(desk, profile, document, received))
        return await _review(desk, profile, document, called, received, size=len(body), until=until)
    except InputError as error:
        message = str(error)
    except NotKept:
        message = "反馈没有保存，请稍后重发（the feedback was not kept: send it again）"
    except TooMuch:
        message = (
            "答复太大，本次没有审核，请分次发送（the answer is too large, nothing was reviewed: send it in parts）"
        )
    except Refusal as refusal:
        if refusal.status == 408:
            raise
        message = refusal.message
    except Exception as error:
        # The sender goes on whatever happens here: then it must read that nothing was reviewed.
        _LOG.error("a national message failed: %s", type(error).__name__, exc_info=error)
        reason = "timeout" if isinstance(error, TimeoutError) else "failure"
        desk.metrics.ticket(reason)
        return json_response(
            write_not_reviewed(None, "", reason, profile, received=received, now=china_now(), serial=desk.next_serial())
        )
    desk.metrics.refused("national")
    return json_response(
        write_error(document, message, profile, received=received, now=china_now(), serial=desk.next_serial())
    )


async def _review(
    desk: Desk, profile: Profile, document: object, infno: str, received: datetime, *, size: int, until: float
) -> Response:
    def read() -> Asked:
        read = read_message(document, profile, now=received, infno=infno)
        refuse_costly(read.prescriptions, desk.settings.limits, size)
        return read

    asked = await desk.aside(size, read, until=until)
    serial = desk.next_serial()

    def write(answers: list[dict[str, Any]]) -> Response:
        return json_response(write_answer(asked, answers, profile, received=received, now=china_now(), serial=serial))

    if not asked.prescriptions:
        return write([])
    try:
        reviewed = await desk.review(asked.prescriptions, channel="national", until=until)
        if isinstance(reviewed, Reviewed):
            found = sum(len(answer["findings"]) for answer in reviewed.answers)
            response = await desk.aside(FINDING_BYTES * found, write, reviewed.answers, until=until)
            if len(response.body) > desk.settings.limits.answer_bytes:
                raise TooMuch
            _record(desk, profile, asked, reviewed)
            return response
    except TimeoutError:
        reviewed = await desk.not_answered(asked.prescriptions, channel="national", reason="timeout")
    except OSError:
        # What cannot be recorded must not count as reviewed.
        reviewed = await desk.not_answered(asked.prescriptions, channel="national", reason="failure")
    return json_response(
        write_not_reviewed(
            asked, reviewed.ticket or "", reviewed.reason, profile, received=received, now=china_now(), serial=serial
        )
    )


def _record(desk: Desk, profile: Profile, asked: Asked, reviewed: Reviewed) -> None:
    shown = [(result.jr_id, result.finding) for result in results_of(asked, reviewed.answers, profile)]
    told = {id(finding) for _, finding in shown}
    omitted = [
        finding["finding_id"]
        for answer in reviewed.answers
        for finding in answer["findings"]
        if id(finding) not in told
    ]
    more: dict[str, object] = {"infno": asked.infno, "context": asked.context_lines}
    if omitted:
        more["omitted"] = omitted
    if told_beside := (*asked.notes, *of_answers(reviewed.answers)):
        more["notes"] = told_beside
    desk.books.record(reviewed, asked.prescriptions, shown, channel="national", **more)


async def _take_feedback(desk: Desk, profile: Profile, document: object, received: datetime) -> dict[str, Any]:
    read = read_feedback(document, profile)
    at = utc_now()
    rows = [
        Feedback(warn.jr_id, at, warn.decision, None, warn.reason, read.operator, None, "national")
        for warn in read.warns
    ]
    unknown = await desk.books.take_feedback(rows)
    if len(unknown) == len(rows):
        raise InputError(
            "warn_rslt_id：没有返回过这样的审核结果，反馈没有保存（no such result was given: nothing was kept）"
        )
    return write_feedback_answer(
        read, profile, unknown=unknown, received=received, now=china_now(), serial=desk.next_serial()
    )


def _transaction(document: object, profile: Profile) -> str:
    """Which transaction a message names. Raises InputError where it is none of ours."""
    names = profile.fields["infno"]
    found = next((document[name] for name in names if document.get(name)), None) if isinstance(document, dict) else None
    number = profile.infno.get(str(found), str(found))
    if number not in ("3101", "3102", _FEEDBACK):
        shown = "" if found is None else f"“{str(found)[:20]}”"
        raise InputError(f"infno{shown} 应为 3101、3102 或 3103（infno must be one of these）")
    return number
