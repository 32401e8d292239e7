"""What was found, as the results of 3101 and 3102; each result is known again by its jr_id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from checker.ingest.prescription import Item, Prescription
from checker.model.words import MISSING
from checker.service.national.envelope import cut
from checker.service.national.message import Asked
from checker.service.national.profile import Profile

TEXT_MOST, ID_MOST = 500, 50
_NAME_MOST = 200
_SEVERITIES = {"definite": "1", "suspect": "2", "notice": "3"}
LOWEST = "3"
_CENT = Decimal("0.01")
_NOT_REVIEWED, _NOT_REVIEWED_NAME = "not_reviewed", "未完成审核"
_UNREAD_MOST = 20
"""So many orders that could not be read have a result of their own; the further ones share one."""
_NAMED_MOST = 5


@dataclass(frozen=True, slots=True)
class Result:
    """One result and the finding that it tells, empty where no review took place. `amount` is None where none is known to violate, `details`
    are the orders that it speaks of, each with the id of that."""

    jr_id: str
    rule_id: str
    rule_name: str
    content: str
    evidence: str
    severity: str
    amount: float | None
    patient_id: str
    visit_id: str
    details: tuple[tuple[str, str], ...]
    finding: Mapping[str, Any]

    @property
    def rx_id(self) -> str:
        """The order that it speaks of, the first of several; empty where there is none."""
        return self.details[0][1] if self.details else ""


def results_of(asked: Asked, answers: Sequence[Mapping[str, Any]], profile: Profile) -> list[Result]:
    """The results, gravest first, and what could not be read. `answers` are those of the counter, one for each prescription in turn.

    Where nothing at all was reviewed, a result says that.
    """
    results: list[Result] = []
    met: dict[tuple[str, ...], int] = {}
    alike: dict[tuple[str, str, bool], list[Result]] = {}
    for prescription, is_kept, answer in zip(asked.prescriptions, asked.times_kept, answers, strict=True):
        for finding in answer["findings"]:
            is_local = finding["reason_code"] == "unknown_code"
            if finding["verdict"] == "exempt" or (
                finding["verdict"] == "undetermined" and profile.undetermined == "omit" and not is_local
            ):
                continue
            parts = _identity(prescription, finding, is_kept=is_kept)
            # One rx_id may stand on several lines that are alike in all that identifies them.
            met[parts] = met.get(parts, 0) + 1
            result = _result(finding, (*parts, str(met[parts])) if met[parts] > 1 else parts)
            if is_local and profile.local_codes != "each":
                alike.setdefault((result.patient_id, result.visit_id, not finding["item_code"]), []).append(result)
            else:
                results.append(result)
    omitted = 0
    for (_, _, is_without), same in alike.items():
        # An order without any code is none of local code.
        if profile.local_codes == "omit" and not is_without:
            omitted += len(same)
        else:
            results.append(_without_code(same, is_without=is_without) if len(same) > 1 else same[0])
    if profile.not_judged != "omit":
        results += _not_judged(zip(asked.prescriptions, answers, strict=True))
    results += _unread(asked)
    if not results and asked.judged_lines == omitted:
        return [_nothing(asked, omitted)]
    return sorted(results, key=lambda result: result.severity)


def says_nothing_was_reviewed(results: Sequence[Result]) -> bool:
    """Whether these are the results of a request in which there was nothing to review."""
    return len(results) == 1 and results[0].finding.get("reason") == _NOTHING


def not_reviewed(asked: Asked | None, ticket: str, content: str) -> Result:
    """The result that stands for a review that did not take place."""
    about = ((asked.patient_id or ""), (asked.visit_id or "")) if asked else ("", "")
    return _plain(cut(ticket, ID_MOST), content, *about, details=(), finding={})


_NOTHING = "没有可审核的项目"


def _nothing(asked: Asked, local: int) -> Result:
    """A request without anything to review: an empty answer would read as a review that found nothing."""
    counted = (
        (asked.context_lines, "历史医嘱"), (asked.refund_lines, "退费"), (asked.self_paid_lines, "全自费"), (local, "非国家医保编码"),
    )  # fmt: skip
    why = "、".join(f"{name} {number} 条" for number, name in counted if number) or "没有医嘱"
    about = asked.patient_id or "", asked.visit_id or ""
    key = _hash((asked.institution_id or "", *about, asked.task_id or ""), "nothing")
    finding = _pseudo(_NOTHING)
    return _plain(key, f"本次{_NOTHING}（{why}），未作审核。", *about, details=(), finding=finding)


def _unread(asked: Asked) -> list[Result]:
    """What could not be read: orders one by one as long as they are few, patients and encounters one by one."""
    results = []
    for number, each in enumerate(asked.unread):
        about = each.patient_id or "", each.visit_id or ""
        key = (asked.institution_id or "", *about, each.rx_id or "", each.message, str(number))
        if number >= _UNREAD_MOST:
            rest = asked.unread[number:]
            details = tuple(
                (_hash((*key, str(place)), "detail"), other.rx_id) for place, other in enumerate(rest) if other.rx_id
            )
            content = f"另有 {len(rest)} 处无法读取，没有审核，例如：{each.message}"
            results.append(_plain(_hash(key, "unread"), content, *about, details, _pseudo("无法读取")))
            break
        what = "这条医嘱" if each.is_order else "这次就诊" if each.visit_id else "这位参保人"
        details = ((_hash(key, "detail"), each.rx_id),) if each.rx_id else ()
        content = f"{what}无法读取，没有审核，请人工核对：{each.message}"
        results.append(_plain(_hash(key, "unread"), content, *about, details, _pseudo("无法读取")))
    return results


def _not_judged(answered: Iterable[tuple[Prescription, Mapping[str, Any]]]) -> list[Result]:
    """What the message did not tell, one result an encounter: without it an empty answer would read as a review that found nothing."""
    open_: dict[tuple[str, ...], list[tuple[str, str, Item]]] = {}
    for prescription, answer in answered:
        facts = prescription.facts
        about = tuple(str(facts.get(name) or "") for name in ("institution_id", "patient_id", "visit_id"))
        for entry in answer["not_judged"]:
            if entry["missing"] in MISSING:
                named = "line" not in entry
                items = (each for each in prescription.items if each.judged and each.line_id == entry["line_id"])
                item = next(items) if named else prescription.items[entry["line"] - 1]
                open_.setdefault(about, []).append((entry["missing"], entry["rule_id"], item))
    return [_untold(about, entries) for about, entries in open_.items()]


def _untold(about: tuple[str, ...], entries: Sequence[tuple[str, str, Item]]) -> Result:
    missing = "、".join(dict.fromkeys(MISSING[each][0] for each, _, _ in entries))
    named = list(dict.fromkeys(str(item.item_name or item.item_code or item.line_id or "") for *_, item in entries))
    more = " 等" if len(named) > _NAMED_MOST else ""
    said = f"报文没有告知{missing}，{len(named)} 个项目的有关规则没有判断：{'、'.join(named[:_NAMED_MOST])}{more}。不等于没有问题，请人工核对。"
    key = (*about, *sorted({f"{each}/{rule}/{item.item_code}" for each, rule, item in entries}))
    orders = dict.fromkeys(item.line_id for *_, item in entries if item.line_id)
    details = tuple((_hash((*key, order), "detail"), order) for order in orders)
    return _plain(_hash(key, "not_judged"), said, about[1], about[2], details, _pseudo("没有判断"))


def _without_code(results: Sequence[Result], *, is_without: bool) -> Result:
    """One result in place of many that say the same of codes that are no national ones, or of orders without any."""
    first = results[0]
    named = "、".join(
        dict.fromkeys(str(each.finding["item_name"] or each.finding["item_code"] or each.rx_id) for each in results[:_NAMED_MOST])
    )  # fmt: skip
    more = " 等" if len(results) > _NAMED_MOST else ""
    why = "没有国家医保编码（hilist_code 为空），没有审核" if is_without else "的编码不是国家医保编码，无法判断"
    said = f"{len(results)} 条医嘱{why}：{named}{more}。"
    key = _hash([each.jr_id for each in results], "local")
    details = tuple(detail for each in results for detail in each.details)
    finding = _pseudo("不是国家医保编码") | {"rule_id": None, "reason_code": "unknown_code"}
    return Result(
        key, first.rule_id, first.rule_name, cut(said, TEXT_MOST), "", LOWEST, None, first.patient_id, first.visit_id, details, finding
    )  # fmt: skip


def _plain(
    jr_id: str,
    content: str,
    patient_id: str,
    visit_id: str,
    details: tuple[tuple[str, str], ...],
    finding: Mapping[str, Any],
) -> Result:
    return Result(
        jr_id, _NOT_REVIEWED, _NOT_REVIEWED_NAME, cut(content, TEXT_MOST), "", LOWEST, None, patient_id, visit_id, details, finding
    )  # fmt: skip


def _pseudo(reason: str) -> dict[str, Any]:
    """What is recorded of a result that tells of no single item: feedback about it is kept, and clears nothing."""
    return {
        "item_code": None, "item_name": None, "rule_id": _NOT_REVIEWED, "point_id": None, "verdict": "undetermined", "level": None,
        "reason_code": "other", "reason": reason, "amount": None, "kb_version": None,
    }  # fmt: skip


def _result(finding: Mapping[str, Any], parts: Iterable[str]) -> Result:
    is_violation = finding["verdict"] == "violation"
    rule_id = str(finding["rule_code"] or _own_rule(finding))
    return Result(
        jr_id=_hash(parts, "result"),
        rule_id=cut(rule_id, ID_MOST),
        rule_name=cut(str(finding["rule_name"] or finding["reason"] or rule_id), _NAME_MOST),
        content=cut(_content(finding), TEXT_MOST),
        evidence=cut(_evidence(finding), TEXT_MOST),
        severity=_SEVERITIES[finding["level"]] if is_violation else LOWEST,
        # What cannot be judged has no amount that violates.
        amount=_cents(finding["amount"]) if is_violation else None,
        patient_id=str(finding["patient_id"] or ""),
        visit_id=str(finding["visit_id"] or ""),
        details=((_hash(parts, "detail"), str(finding["line_id"])),) if finding["line_id"] else (),
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
    if finding["reason_code"] == "unknown_code" and not finding["item_code"]:
        return f"{finding['item_name'] or finding['line_id'] or '这条医嘱'}没有国家医保编码（hilist_code 为空），没有审核。"
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
