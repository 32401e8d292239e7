"""CDS Hooks 2.0 (cds-hooks.org): draft orders of a hospital system in, cards out, and what was decided about them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from checker.ingest.prescription import Prescription
from checker.model.errors import InputError
from checker.service.books import Reviewed
from checker.service.cards import cards_of, plain_card
from checker.service.checks import answered, language_of, read_aside, read_one, when_due
from checker.service.fhir import Question, identifiers, read_question
from checker.service.fhir_terms import terms_of
from checker.service.guard import institutions_of, of_institutions
from checker.service.http_json import Refusal, json_response, json_type, parse, read_body, read_json
from checker.service.native import REASON_CODES
from checker.service.review import Desk
from checker.service.store import Feedback, utc_now

_CHANNEL = "cds_hooks"
_FEEDBACK_MOST, _COMMENT_MOST = 1000, 500
_PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}&category=encounter-diagnosis",
    "encounter": "Encounter/{{context.encounterId}}",
    "coverage": "Coverage?patient={{context.patientId}}&status=active",
}
_SERVICES = {
    "liangku-order-select": ("order-select", "选择医嘱时审核（when orders are selected）"),
    "liangku-order-sign": ("order-sign", "签署医嘱前审核（before orders are signed）"),
}
_TITLE = "医保“两库”规则审核（checks by the rules of China's medical insurance）"


async def discovery(_: Request) -> Response:
    """`GET /cds-services`."""
    services = [
        {"id": name, "hook": hook, "title": _TITLE, "description": said, "prefetch": _PREFETCH}
        for name, (hook, said) in _SERVICES.items()
    ]
    return json_response({"services": services})


async def service(request: Request) -> Response:
    """`POST /cds-services/{id}`."""
    desk: Desk = request.app.desk
    hook = _service(request)
    language, kind = language_of(request), json_type(request)
    body = await read_body(request, desk.settings.limits)
    until = when_due(desk)
    asked: _Asked = await read_aside(desk, body, until, _read, desk, body, kind, hook, institutions_of(request.scope))
    told = [plain_card(uuid4().hex, said[language == "en"], "warning") for said in asked.question.untold]
    if asked.prescription is None:
        of_institutions(request.scope, asked.institution_id)
        if not told:
            nothing = ("本次没有可审核的医嘱，未作审核", "There was no order to review: nothing was reviewed")
            told = [plain_card(uuid4().hex, nothing[language == "en"], "info")]
        empty = Reviewed([], (), desk.library)
        desk.books.record(empty, [], [], channel=_CHANNEL, institution_id=asked.institution_id)
        return json_response({"cards": told})
    of_institutions(request.scope, asked.prescription.facts.get("institution_id"))

    def write(answers: list[dict[str, Any]]) -> Response:
        cards = cards_of(answers[0], language, desk.library.judges, asked.question.orders)["cards"]
        return json_response({"cards": [*cards, *told]})

    return await answered(desk, [asked.prescription], language, until, write, channel=_CHANNEL)


async def feedback(request: Request) -> Response:
    """`POST /cds-services/{id}/feedback`."""
    desk: Desk = request.app.desk
    _service(request)
    document = await read_json(request, desk.settings.limits)
    listed = document.get("feedback") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= _FEEDBACK_MOST:
        raise InputError(f"feedback 应为 1 到 {_FEEDBACK_MOST} 条的数组（an array of 1 to {_FEEDBACK_MOST} entries）")
    at = utc_now()
    rows = [_decision(entry, f"feedback[{number}]", at) for number, entry in enumerate(listed)]
    unknown = await desk.books.take_feedback(rows, institutions_of(request.scope))
    if len(unknown) == len(rows):
        raise Refusal(404, "not_shown", "没有显示过这张卡片，反馈没有保存（no such card was shown: nothing was kept）")
    return json_response({"accepted": len(rows) - len(unknown), "unknown": unknown})


class _Asked(NamedTuple):
    """What a request asks: a prescription, None where no order could be mapped, and what could not be."""

    prescription: Prescription | None
    institution_id: str | None
    question: Question


def _read(desk: Desk, body: bytes, kind: str, hook: str, institutions: frozenset[str]) -> _Asked:
    document = parse(body, desk.settings.limits, kind)
    if not isinstance(document, dict) or document.get("hook") != hook:
        raise InputError(f"hook 应为 {hook}（this service is for the hook {hook}）")
    context, prefetch = document.get("context"), document.get("prefetch")
    if not isinstance(context, dict):
        raise InputError("context 应为 JSON 对象（context is an object）")
    held: Mapping[str, Any] = prefetch if isinstance(prefetch, dict) else {}
    asked = read_question(context, held, selects=hook == "order-select")
    institution_id = _institution(identifiers(held.get("organization")), institutions)
    if not asked.document["lines"]:
        return _Asked(None, institution_id, asked)
    of_visit = asked.document | terms_of(context, held) | {"institution_id": institution_id}
    (prescription,) = read_one(desk, of_visit, len(body))
    return _Asked(prescription, institution_id, asked)


def _institution(named: list[str], institutions: frozenset[str]) -> str | None:
    """Whose question it is: what the Organization of the prefetch says, else the only institution of the key."""
    if named:
        return next((number for number in named if number in institutions), named[0])
    return next(iter(institutions)) if len(institutions) == 1 else None


def _service(request: Request) -> str:
    """The hook of the service that is called. Raises Refusal where there is none."""
    found = _SERVICES.get(request.path_params["id"])
    if found is None:
        raise Refusal(404, "not_found", f"没有这项服务，现有 {'、'.join(_SERVICES)}（no such service）")
    return found[0]


def _decision(entry: object, path: str, at: str) -> Feedback:
    """What was decided about a card: accepted is a change of the order, overridden is to go on, which takes a reason."""
    held: Mapping[str, Any] = entry if isinstance(entry, dict) else {}
    card, outcome = held.get("card"), held.get("outcome")
    if not isinstance(card, str) or not 0 < len(card) <= 64:
        raise InputError(f"{path}.card 应为卡片的 uuid（the uuid of the card）")
    if outcome == "accepted":
        return Feedback(card, at, "change", None, None, None, None, _CHANNEL)
    if outcome != "overridden":
        raise InputError(f"{path}.outcome 应为 accepted 或 overridden（accepted or overridden）")
    given = held.get("overrideReason")
    given = given if isinstance(given, dict) else {}
    reason = given.get("reason")
    coding: Mapping[str, Any] = reason if isinstance(reason, dict) else {}
    code = coding.get("code")
    words = [
        text for text in (given.get("userComment"), coding.get("display")) if isinstance(text, str) and text.strip()
    ]
    comment = words[0].strip()[:_COMMENT_MOST] if words else None
    if not isinstance(code, str) or code not in REASON_CODES:
        code = "other"
    if code == "other" and comment is None:
        raise InputError(
            f"{path}.overrideReason 应写明继续的原因：卡片所列的代码，或 userComment（a reason is compulsory to continue: a code of the card, or words）"
        )
    return Feedback(card, at, "continue", code, comment, None, None, _CHANNEL)
