"""The national feedback 3103: what was decided on each result, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from checker.model.errors import InputError
from checker.service.national import members
from checker.service.national.envelope import write_envelope
from checker.service.national.nodes import Holder, find_body, find_rows
from checker.service.national.profile import Profile

WARNS_MAX = 2_000
REASON_MOST = 500

_WARN_TYPES = ("1", "2")
_DECISIONS = {"1": "continue", "2": "change"}


@dataclass(frozen=True, slots=True)
class Warn:
    """What was decided on one result: to continue, with a reason, or to change the order."""

    jr_id: str
    decision: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class NationalFeedback:
    """One message of feedback. `warn_type` is 1 (before) or 2 (during), None where it was left out."""

    warn_type: str | None
    warns: tuple[Warn, ...]
    operator: str | None
    mdtrtarea: str | None
    institution_id: str | None


def read_feedback(document: object, profile: Profile) -> NationalFeedback:
    """Read a message of feedback.

    Raises InputError naming the path of what is missing or cannot be read; a reason itself is never shown.
    """
    body = find_body(document, profile)
    envelope, data = body.envelope, body.holders[0]
    misfits: list[InputError] = []
    warns, having = find_rows(body.holders, profile.fields["warns"], misfits)
    if misfits:
        raise misfits[0]
    if not warns:
        raise InputError(f"{(having or data).path}.warns 中没有反馈，应至少有一条（no feedback: write at least one）")
    if len(warns) > WARNS_MAX:
        raise InputError(
            f"{(having or data).path}.warns 有 {len(warns)} 条，最多 {WARNS_MAX} 条，请分次发送（too many: send them in parts）"
        )
    return NationalFeedback(
        warn_type=_warn_type(data, profile),
        warns=tuple(_warn(warn, profile) for warn in warns),
        operator=_text(envelope, "opter", profile),
        mdtrtarea=_text(envelope, "mdtrtarea_admvs", profile),
        institution_id=_text(envelope, "fixmedins_code", profile),
    )


def write_feedback_answer(
    feedback: NationalFeedback,
    profile: Profile,
    *,
    unknown: Sequence[str] = (),
    received: datetime,
    now: datetime,
    serial: int,
) -> dict[str, Any]:
    """The answer: how many were taken, and the ids of results that were never shown here."""
    output = {"accepted": len(feedback.warns) - len(unknown), "unknown": list(unknown)}
    return write_envelope(
        feedback.mdtrtarea, profile, output=output, error=None, received=received, now=now, serial=serial
    )


def _warn_type(data: Holder, profile: Profile) -> str | None:
    found = _text(data, "warn_type", profile)
    if found is None:
        return None
    number = found.lstrip("0")
    if number not in _WARN_TYPES:
        names = profile.fields["warn_type"]
        raise members.cannot_read(
            data.value, names, data.path, what="应为 1（事前）或 2（事中）", english="1 or 2 is expected"
        )
    return number


def _warn(warn: Holder, profile: Profile) -> Warn:
    jr_id = _text(warn, "warn_rslt_id", profile)
    if jr_id is None:
        raise InputError(f"{warn.path}.warn_rslt_id 为空，应为审核结果的 jr_id（empty: write the jr_id of the result）")
    way = _text(warn, "dspo_way", profile)
    decision = _DECISIONS.get((way or "").lstrip("0"))
    if decision is None:
        remedy = "应为 1（继续执行医嘱）或 2（返回修改医嘱）"
        if way is None:
            raise InputError(f"{warn.path}.dspo_way 为空，{remedy}（empty: write 1 or 2）")
        names = profile.fields["dspo_way"]
        raise members.cannot_read(warn.value, names, warn.path, what=remedy, english="1 or 2 is expected")
    reason = _text(warn, "dspo_way_rea", profile)
    if decision == "continue" and reason is None and profile.feedback_reason == "required":
        raise InputError(
            f"{warn.path}.dspo_way_rea 为空，继续执行医嘱（dspo_way 为 1）时必须填写处理原因（a reason is needed to continue）"
        )
    if reason is not None and len(reason) > REASON_MOST:
        raise InputError(
            f"{warn.path}.dspo_way_rea 有 {len(reason)} 字，处理原因最多 {REASON_MOST} 字（the reason is too long）"
        )
    return Warn(jr_id, decision, reason)


def _text(holder: Holder, field: str, profile: Profile) -> str | None:
    return members.read_text(holder.value, profile.fields[field], holder.path)
