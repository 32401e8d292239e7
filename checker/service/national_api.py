"""The national interface over HTTP: 3101, 3102 and 3103, in the envelope that their senders expect."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from checker.model.china_time import china_now
from checker.model.errors import InputError
from checker.service.books import NotKept, Reviewed
from checker.service.cost import refuse_costly
from checker.service.guard import NATIONAL, institutions_of, of_institutions
from checker.service.http_json import Refusal, header, json_response, parse, raw_response, read_body, too_large
from checker.service.national.answer import write_answer, write_not_reviewed
from checker.service.national.envelope import write_error
from checker.service.national.feedback import read_feedback, write_feedback_answer
from checker.service.national.message import Asked, read_message
from checker.service.national.notes import of_answers
from checker.service.national.profile import INFNOS, Profile
from checker.service.national.results import results_of
from checker.service.national.wrappers import Form, SoapError, unpacked, unwrapped
from checker.service.review import Desk, NotReviewed
from checker.service.settings import Limits
from checker.service.slices import FINDING_BYTES, TooMuch
from checker.service.store import Feedback, utc_now

_LOG = logging.getLogger("liangku.serve")
_FEEDBACK = "3103"
_CALLED = {
    f"{NATIONAL}/riskConService/beforeAnalyze": "3101",
    f"{NATIONAL}/riskConService/courseAnalyze": "3102",
    f"{NATIONAL}/riskConService/feedback": _FEEDBACK,
}
ADDRESSES = (*_CALLED, NATIONAL)
"""Those that are told; all others below are answered, too."""
_UNREAD_NOTED = 30


def is_national(path: str) -> bool:
    """Whether an address is one of the national interface, whose senders understand nothing but its envelope."""
    return path.startswith(NATIONAL) and path[len(NATIONAL) : len(NATIONAL) + 1] in ("", "/")


def refused_in_envelope(desk: Desk, profile: Profile, scope: Scope, message: str) -> Response:
    """A refusal that came before the message was read."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"").decode("latin-1").lower()
    now = china_now()
    return _sent(Form.of(kind), write_error(None, message, profile, received=now, now=now, serial=desk.next_serial()))


async def answer(request: Request) -> Response:
    """3101 事前, 3102 事中 and 3103 反馈: at an address of its own, or at any other below `NATIONAL` by the `infno` of the message."""
    if request.scope["method"] != "POST":
        raise Refusal(405, "method_not_allowed", "国家接口只接受 POST（the national interface takes POST only）")
    called = _CALLED.get(request.scope["path"].rstrip("/"))
    desk: Desk = request.app.desk
    profile: Profile = request.app.profile
    limits = desk.settings.limits
    received = china_now()
    document: Any = None
    kind = header(request, b"content-type").lower()
    form = Form.of(kind)
    try:
        body = await read_body(request, limits)
        form = Form.of(kind, body)
        until = time.perf_counter() + (profile.time_limit_ms or limits.time_ms) / 1000
        if encoding := header(request, b"content-encoding"):
            body = await desk.aside(limits.body_bytes, _unpacked, body, encoding, limits, until=until)
            form = Form.of(kind, body)
        text, form = await desk.aside(len(body), unwrapped, body, kind, until=until)
        document = await desk.aside(len(text), parse, text, limits, until=until)
        number = _transaction(document, profile, called)
        if number == _FEEDBACK:
            return _sent(form, await _take_feedback(request, document, received))
        return await _review(request, form, document, number, received, size=len(text), until=until)
    except SoapError as error:
        form, message = error.form, str(error)
    except InputError as error:
        message = str(error)
    except NotKept:
        message = "反馈没有保存，请稍后重发（the feedback was not kept: send it again）"
    except TooMuch:
        message = (
            "答复太大，本次没有审核，请分次发送（the answer is too large, nothing was reviewed: send it in parts）"
        )
    except Refusal as refusal:
        request.app.note(refusal, request.scope)
        message = refusal.message
    except Exception as error:
        # The sender goes on whatever happens here: then it must read that nothing was reviewed.
        _LOG.error("a national message failed: %s", type(error).__name__, exc_info=error)
        reason = "timeout" if isinstance(error, TimeoutError) else "failure"
        desk.metrics.ticket(reason)
        told = write_not_reviewed(
            None, "", reason, profile, received=received, now=china_now(), serial=desk.next_serial()
        )
        return _sent(form, told)
    desk.metrics.refused("national")
    told = write_error(document, message, profile, received=received, now=china_now(), serial=desk.next_serial())
    return _sent(form, told)


def _unpacked(body: bytes, encoding: str, limits: Limits) -> bytes:
    found = unpacked(body, encoding, limits.body_bytes)
    if found is None:
        raise too_large(limits)
    return found


def _sent(form: Form, document: dict[str, Any]) -> Response:
    """An answer in what its question came in."""
    plain = json_response(document)
    if not (form.is_gbk or form.soap):
        return plain
    body, kind = form.written(bytes(plain.body))
    return raw_response(body, kind)


async def _review(
    request: Request, form: Form, document: object, infno: str, received: datetime, *, size: int, until: float
) -> Response:
    desk: Desk = request.app.desk
    profile: Profile = request.app.profile

    def read() -> Asked:
        read = read_message(document, profile, desk.library.precheck.provincial, now=received, infno=infno)
        refuse_costly(read.prescriptions, desk.settings.limits, size)
        return read

    asked = await desk.aside(size, read, until=until)
    of_institutions(
        request.scope, asked.institution_id, *(each.facts.get("institution_id") for each in asked.prescriptions)
    )
    serial = desk.next_serial()

    def write(answers: list[dict[str, Any]]) -> Response:
        told = write_answer(asked, answers, profile, received=received, now=china_now(), serial=serial)
        return _sent(form, told)

    try:
        # What holds nothing to judge is answered and recorded like all else.
        reviewed: Reviewed | NotReviewed = Reviewed([], (), desk.library)
        if asked.prescriptions:
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
        reviewed = NotReviewed(None, "failure")
        if asked.prescriptions:
            reviewed = await desk.not_answered(asked.prescriptions, channel="national", reason="failure")
    told = write_not_reviewed(
        asked, reviewed.ticket or "", reviewed.reason, profile, received=received, now=china_now(), serial=serial
    )
    return _sent(form, told)


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
    unread = (f"没有审核：{each.message}" for each in asked.unread[:_UNREAD_NOTED])
    if told_beside := (*asked.notes, *of_answers(reviewed.answers), *unread):
        more["notes"] = told_beside
    where = asked.institution_id
    desk.books.record(reviewed, asked.prescriptions, shown, channel="national", institution_id=where, **more)


async def _take_feedback(request: Request, document: object, received: datetime) -> dict[str, Any]:
    desk: Desk = request.app.desk
    profile: Profile = request.app.profile
    read = read_feedback(document, profile)
    of_institutions(request.scope, read.institution_id)
    at = utc_now()
    rows = [
        Feedback(warn.jr_id, at, warn.decision, None, warn.reason, read.operator, None, "national")
        for warn in read.warns
    ]
    unknown = await desk.books.take_feedback(rows, institutions_of(request.scope))
    if len(unknown) == len(rows):
        raise InputError(
            "warn_rslt_id：没有返回过这样的审核结果，反馈没有保存（no such result was given: nothing was kept）"
        )
    return write_feedback_answer(
        read, profile, unknown=unknown, received=received, now=china_now(), serial=desk.next_serial()
    )


def _transaction(document: object, profile: Profile, called: str | None) -> str:
    """Which transaction a message is: what it says itself in the national number, else what was called, else what its number means in the
    province: there are programs that send the number of 3101 for both. Raises InputError where nothing tells."""
    names = profile.fields["infno"]
    found = next((document[name] for name in names if document.get(name)), None) if isinstance(document, dict) else None
    written = str(found).strip()
    if written in INFNOS:
        return written
    number = called or profile.infno.get(written)
    if number is None:
        shown = "" if found is None else f"“{written[:20]}”"
        raise InputError(
            f"infno{shown} 应为 3101、3102 或 3103，或发往 {NATIONAL}/riskConService 下的地址（infno must be one of these, or the address one of ours）"
        )
    return number
