"""What was found, as the results of 3101 and 3102; each result is known again by its jr_id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from checker.ingest.prescription import Prescription
from checker.service.national.envelope import cut, write_envelope
from checker.service.national.message import Asked
from checker.service.national.profile import Profile

_TEXT_MOST, _NAME_MOST, _ID_MOST = 500, 200, 50
_SEVERITIES = {"definite": "1", "suspect": "2", "notice": "3"}
_LOWEST = "3"
_AMOUNT_KNOWN, _AMOUNT_UNKNOWN = "1", "0"
_VIOLATING_ITEM = "1"
_CENT = Decimal("0.01")
_WHY = {"timeout": "超过时限", "failure": "审核程序出错"}


@dataclass(frozen=True, slots=True)
class Result:
    """One result and the finding that it tells. `amount` is None where none is known to violate."""

    jr_id: str
    jrd_id: str
    rule_id: str
    rule_name: str
    content: str
    evidence: str
    severity: str
    amount: float | None
    patient_id: str
    visit_id: str
    rx_id: str
    finding: Mapping[str, Any]


def results_of(asked: Asked, answers: Sequence[Mapping[str, Any]], profile: Profile) -> list[Result]:
    """The results, gravest first. `answers` are those of the counter, one for each prescription in turn."""
    results: list[Result] = []
    met: dict[tuple[str, ...], int] = {}
    for prescription, is_kept, answer in zip(asked.prescriptions, asked.times_kept, answers, strict=True):
        for finding in answer["findings"]:
            if finding["verdict"] == "exempt" or (
                finding["verdict"] == "undetermined" and profile.undetermined == "omit"
            ):
                continue
            parts = _identity(prescription, finding, is_kept=is_kept)
            # One rx_id may stand on several lines that are alike in all that identifies them.
            met[parts] = met.get(parts, 0) + 1
            results.append(_result(finding, (*parts, str(met[parts])) if met[parts] > 1 else parts))
    return sorted(results, key=lambda result: result.severity)


def write_answer(
    asked: Asked,
    answers: Sequence[Mapping[str, Any]],
    profile: Profile,
    *,
    received: datetime,
    now: datetime,
    serial: int,
) -> dict[str, Any]:
    """The answer to a request: its results, in the form of the profile."""
    return _answer(asked, results_of(asked, answers, profile), profile, received=received, now=now, serial=serial)


def write_not_reviewed(
    asked: Asked | None,
    ticket: str,
    reason: str,
    profile: Profile,
    *,
    received: datetime,
    now: datetime,
    serial: int,
) -> dict[str, Any]:
    """The answer where no review took place: a result at the lowest degree, or an error, as the profile says."""
    number = f"；单号 {ticket}，系统会补审" if ticket else ""
    said = f"本次未完成医保规则审核（{_WHY.get(reason, reason).rstrip('。')}），请人工核对{number}。"
    if profile.not_reviewed == "error":
        area = asked.mdtrtarea if asked else None
        return write_envelope(area, profile, output=None, error=said, received=received, now=now, serial=serial)
    facts = asked.prescriptions[0].facts if asked and asked.prescriptions else {}
    result = Result(
        jr_id=cut(ticket, _ID_MOST),
        jrd_id=cut(ticket, _ID_MOST),
        rule_id="not_reviewed",
        rule_name="未完成审核",
        content=cut(said, _TEXT_MOST),
        evidence="",
        severity=_LOWEST,
        amount=None,
        patient_id=str(facts.get("patient_id") or ""),
        visit_id=str(facts.get("visit_id") or ""),
        rx_id="",
        finding={},
    )
    return _answer(asked, [result], profile, received=received, now=now, serial=serial)


def _answer(
    asked: Asked | None, results: Sequence[Result], profile: Profile, *, received: datetime, now: datetime, serial: int
) -> dict[str, Any]:
    task_id = (asked.task_id if asked else None) or ""
    written = [_written(result, task_id, profile) for result in results]
    output: dict[str, Any] = {"result": written}
    if profile.result == "object":
        output = {"result": _as_one(written)}
        if len(written) > 1:
            output["results"] = written
    output["task_id"] = task_id
    area = asked.mdtrtarea if asked else None
    return write_envelope(area, profile, output=output, error=None, received=received, now=now, serial=serial)


def _as_one(written: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The gravest result, which tells of the others: a program that reads one object shows nothing else."""
    if not written:
        return None
    first, *others = written
    if not others:
        return first
    more = "；".join(str(other["vola_cont"]).rstrip("。") for other in others)
    return first | {
        "vola_cont": cut(f"{str(first['vola_cont']).rstrip('。')}。另有 {len(others)} 项：{more}。", _TEXT_MOST)
    }


def _written(result: Result, task_id: str, profile: Profile) -> dict[str, Any]:
    amount = result.amount or 0
    detail = {
        "jrd_id": result.jrd_id, "patn_id": result.patient_id, "mdtrt_id": result.visit_id, "rx_id": result.rx_id,
        "vola_item_type": _VIOLATING_ITEM, "vola_amt": amount,
    }  # fmt: skip
    return {
        "jr_id": result.jr_id, "rule_id": result.rule_id, "rule_name": result.rule_name, "vola_cont": result.content,
        "patn_id": result.patient_id, "mdtrt_id": result.visit_id, "judge_result_detail_dtos": [detail] if result.rx_id else [],
        "vola_amt": amount, "vola_amt_stas": _AMOUNT_UNKNOWN if result.amount is None else _AMOUNT_KNOWN,
        "sev_deg": result.severity, "vola_evid": result.evidence, "vola_bhvr_type": profile.vola_bhvr_type, "task_id": task_id,
    }  # fmt: skip


def _result(finding: Mapping[str, Any], parts: Iterable[str]) -> Result:
    is_violation = finding["verdict"] == "violation"
    rule_id = str(finding["rule_code"] or _own_rule(finding))
    return Result(
        jr_id=_hash(parts, "result"),
        jrd_id=_hash(parts, "detail"),
        rule_id=cut(rule_id, _ID_MOST),
        rule_name=cut(str(finding["rule_name"] or finding["reason"] or rule_id), _NAME_MOST),
        content=cut(_content(finding), _TEXT_MOST),
        evidence=cut(_evidence(finding), _TEXT_MOST),
        severity=_SEVERITIES[finding["level"]] if is_violation else _LOWEST,
        # What cannot be judged has no amount that violates.
        amount=_cents(finding["amount"]) if is_violation else None,
        patient_id=str(finding["patient_id"] or ""),
        visit_id=str(finding["visit_id"] or ""),
        rx_id=str(finding["line_id"] or ""),
        finding=finding,
    )


def _own_rule(finding: Mapping[str, Any]) -> object:
    """Our id of the rule; what is found before any rule (a code of no national shape) has only its reason."""
    return finding["rule_id"] or finding["reason_code"]


def _content(finding: Mapping[str, Any]) -> str:
    """The message; what cannot be judged says so, and why."""
    message, reason = str(finding["message"] or ""), str(finding["reason"] or "")
    if finding["verdict"] != "undetermined":
        return message
    if "无法判断" not in message:
        message = f"无法判断：{message}"
    return message if reason in message else f"{message.rstrip('。')}（{reason}）。"


def _evidence(finding: Mapping[str, Any]) -> str:
    """The rule, the point, and the document, batch and rows that it was published in."""
    rule, point, source = finding["rule_code"], finding["point_id"], finding["evidence"]
    said = (f"规则 {rule}" if rule else "", f"知识点 {point}" if point else "", str(source or ""))
    return "；".join(part for part in said if part)


def _identity(prescription: Prescription, finding: Mapping[str, Any], *, is_kept: bool) -> tuple[str, ...]:
    """What makes a result the same when a request is sent again: the time only where it is the order's or the visit's own."""
    item = prescription.items[finding["source_record"] - 1]
    facts = prescription.facts
    time = prescription.service_time.isoformat() if is_kept else ""
    line = item.line_id or f"\x1e{finding['source_record']}"
    given = (
        facts.get("institution_id"), facts.get("visit_id"), facts.get("patient_id"), line, item.item_code, item.quantity,
        item.amount, time, _own_rule(finding),
    )  # fmt: skip
    return tuple(str(part or "") for part in given)


def _hash(parts: Iterable[str], kind: str) -> str:
    return hashlib.md5("\x1f".join((*parts, kind)).encode(), usedforsecurity=False).hexdigest()


def _cents(amount: object) -> float | None:
    return None if amount is None else float(Decimal(str(amount)).quantize(_CENT, ROUND_HALF_UP))
