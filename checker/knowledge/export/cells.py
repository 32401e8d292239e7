"""A knowledge point as the cells of a row of its published list, by the names under which the importer reads them (checker.knowledge.sheets)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from checker.knowledge.rows import PointRow
from checker.knowledge.sheets.known_rules import KnownRule
from checker.knowledge.sheets.limits import age_word_of
from checker.rulebook.plan import RulePlan
from checker.shapes import BY_ID
from checker.shapes.item import ITEM
from checker.shapes.pair.texts import INTERVALS
from checker.shapes.quota.texts import read_quota

Cells = dict[str, str]
"""The filled cells of a row, by the importer's names of the columns."""

ON_TRIAL = "试行"
"""The remark of an item that is on trial: a condition, by which the importer keeps it there."""
ITEM_KIND, TERMS_KIND, PAIR_KIND = "item", "terms", "pair"
_SEXES = {"male": "男", "female": "女"}
_WORKING_AGE = "法定就业年龄"
_UNITS = {"day": "日", "hour": "小时", "time": "次"}
_SPANS = {"day": "天", "month": "个月"}


def kind_of(rule: RulePlan, known: KnownRule) -> str | None:
    """How lists of the rule are laid out, or None where none that is imported says all of its limits.

    An indication's diagnoses stand in a file of terms and not in the list; a rule that looks at the rest of a prescription has no list that is read.
    """
    if known.reads:
        return known.reads if known.reads in _WRITERS else None
    if known.terms:
        return TERMS_KIND
    return ITEM_KIND if BY_ID[rule.shape] is ITEM else None


def columns_of(kind: str, rule: str) -> tuple[str, ...]:
    """The columns between the name and the codes of a list of this kind, in the order in which they are published."""
    own = {
        ITEM_KIND: ("sex",) if "性别" in rule else (),
        "course": ("days",),
        "day": ("most", "unit"),
        "window": ("most", "window"),
        PAIR_KIND: ("interval",),
        "incision": ("group",),
    }
    return (*own.get(kind, ()), "logic", "basis")


def cells_of(point: PointRow, kind: str, rule: str) -> Cells:
    """The limits of a point as the cells of a row; whether they read as the same limits, only reading them tells."""
    cells = {"name": point.item_name, **_WRITERS[kind](point, rule)}
    if point.status == "shadow":
        cells["note"] = "；".join(filter(None, (cells.get("note"), ON_TRIAL)))
    return {name: text for name, text in cells.items() if text}


def _item(point: PointRow, rule: str) -> Cells:
    limits = point.limits
    word, text = str(limits.get("age_word") or ""), str(limits.get("age_text") or "")
    cells = {"sex": _SEXES.get(str(limits.get("sex")), "")}
    own_word = "" if word == (age_word_of(rule) or "") else word
    said = f"限{text}" if text else ""
    if own_word:
        cells["basis"] = f"限{word}段患者" if word == _WORKING_AGE else f"{word}专用项目"
        cells["note"] = said
    else:
        cells["basis"] = said
    subject = point.subject or ""
    if word or text:
        of_word = word if word.endswith("年龄") else f"{word}年龄"
        cells["logic"] = f"{subject}年龄超出{of_word}限制"
    else:
        cells["logic"] = f"{subject}与限定性别不符"
    return cells


def _terms(point: PointRow, rule: str) -> Cells:
    logic = f"{point.subject}不符合限定支付的条件" if point.subject else ""
    return {"logic": logic, "basis": _text(point, "terms_text")}


def _course(point: PointRow, rule: str) -> Cells:
    text = _text(point, "quota_text")
    if _says(point, "course", text):
        return {"basis": text}
    stay = point.limits.get("course_scope") == "stay"
    span = f"{point.limits.get('quota_most')}{_SPANS.get(str(point.limits.get('quota_unit')), '')}"
    return {"days": f"单次住院支付不超过{span}" if stay else span, "basis": text}


def _day(point: PointRow, rule: str) -> Cells:
    text = _text(point, "quota_text")
    if _says(point, "day", text):
        return {"unit": text}
    return {"most": _text(point, "quota_most"), "unit": _UNITS.get(str(point.limits.get("quota_unit")), "")}


def _window(point: PointRow, rule: str) -> Cells:
    days = f"{point.limits.get('window_days')}天"
    return {"most": _text(point, "quota_most"), "window": days, "basis": _text(point, "quota_text")}


def _pair(point: PointRow, rule: str) -> Cells:
    container = _text(point, "container_name")
    return {
        "container_name": container,
        "name": point.item_name.removeprefix(f"{container}×"),
        "interval": INTERVALS.get(str(point.limits.get("pair_interval")), ("",))[0],
        "basis": _text(point, "pair_text"),
    }


def _incision(point: PointRow, rule: str) -> Cells:
    return {"group": _text(point, "incision_group"), "logic": _text(point, "pair_text")}


def _second_line(point: PointRow, rule: str) -> Cells:
    return {"basis": _text(point, "evidence_text")}


def _text(point: PointRow, name: str) -> str:
    value = point.limits.get(name)
    return "" if value is None else str(value)


def _says(point: PointRow, kind: str, text: str) -> bool:
    """Whether the published text alone reads as the point's quota."""
    read = read_quota(kind, text) if text else None
    return read is not None and {**read, "quota_text": text} == dict(point.limits)


_WRITERS: Mapping[str, Callable[[PointRow, str], Cells]] = {
    ITEM_KIND: _item, TERMS_KIND: _terms, "course": _course, "day": _day, "window": _window, PAIR_KIND: _pair, "incision": _incision,
    "second_line": _second_line,
}  # fmt: skip
