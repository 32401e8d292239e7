"""The answer to 3101 and 3102 around its results, in the form of the profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from checker.service.national.envelope import cut, write_envelope
from checker.service.national.message import Asked
from checker.service.national.profile import Profile
from checker.service.national.results import TEXT_MOST, Result, not_reviewed, results_of, says_nothing_was_reviewed

_AMOUNT_KNOWN, _AMOUNT_UNKNOWN = "1", "0"
_VIOLATING_ITEM = "1"
_WHY = {"timeout": "超过时限", "failure": "审核程序出错"}


def write_answer(
    asked: Asked,
    answers: Sequence[Mapping[str, Any]],
    profile: Profile,
    *,
    received: datetime,
    now: datetime,
    serial: int,
) -> dict[str, Any]:
    """The answer to a request: its results, in the form of the profile; where there was nothing to review, that."""
    results = results_of(asked, answers, profile)
    if profile.not_reviewed == "error" and says_nothing_was_reviewed(results):
        said = results[0].content
        return write_envelope(
            asked.mdtrtarea, profile, output=None, error=said, received=received, now=now, serial=serial
        )
    return _answer(asked, results, profile, received=received, now=now, serial=serial)


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
    return _answer(asked, [not_reviewed(asked, ticket, said)], profile, received=received, now=now, serial=serial)


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
        "vola_cont": cut(f"{str(first['vola_cont']).rstrip('。')}。另有 {len(others)} 项：{more}。", TEXT_MOST)
    }


def _written(result: Result, task_id: str, profile: Profile) -> dict[str, Any]:
    amount = result.amount or 0
    details = [
        {
            "jrd_id": jrd_id, "patn_id": result.patient_id, "mdtrt_id": result.visit_id, "rx_id": rx_id,
            "vola_item_type": _VIOLATING_ITEM, "vola_amt": amount,
        }
        for jrd_id, rx_id in result.details
    ]  # fmt: skip
    return {
        "jr_id": result.jr_id, "rule_id": result.rule_id, "rule_name": result.rule_name, "vola_cont": result.content,
        "patn_id": result.patient_id, "mdtrt_id": result.visit_id, "judge_result_detail_dtos": details,
        "vola_amt": amount, "vola_amt_stas": _AMOUNT_UNKNOWN if result.amount is None else _AMOUNT_KNOWN,
        "sev_deg": result.severity, "vola_evid": result.evidence, "vola_bhvr_type": profile.vola_bhvr_type, "task_id": task_id,
    }  # fmt: skip
