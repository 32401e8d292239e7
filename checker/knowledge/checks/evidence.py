"""Evidence [依据] that is missing, or that names nothing which could be looked up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checker.knowledge.checks.check_input import CheckInput, place_of
from checker.knowledge.checks.issue import Found, Place, Said
from checker.knowledge.checks.reading import faults_of
from checker.knowledge.sheets.headers import plain

_NOTHING = re.compile(
    r"(?:详?见|参见|参照|同|如)?(?:附件|附表|上|前|前述|上述|原文|原表|原文件|文件|通知|下|备注|另)(?:[一二三四五六七八九十\d]+)?"
    r"|待(?:补|补充|定|查|核|核实|确认|写)|暂?无|没有|略|不详|未知|不明|空白?|测试|n/?a|none|null|nil|tbd|todo|test|x+|[-—–_/\\.。·*?]+",
    re.IGNORECASE,
)
"""What stands where a document should be named and names none: 见附件, 同上, 待补, /."""


def missing_evidence(checked: CheckInput) -> Iterator[Found]:
    """Rows without their evidence, and points and exemptions whose evidence names no document."""
    yield from faults_of("missing-evidence")(checked)
    read = {text: _names_nothing(text) for text in checked.point["document"].unique().drop_nulls()}
    for row in checked.point.iter_rows(named=True) if any(read.values()) else ():
        if row["document"] is not None and read[row["document"]]:
            yield _unnamed(place_of(row), "document", row["document"])
    for each in checked.layer.exemptions:
        if _names_nothing(each.evidence):
            yield _unnamed(checked.layer.exemption_places[each.exemption_id], "evidence", each.evidence)


def _names_nothing(text: str) -> bool:
    return _NOTHING.fullmatch(plain(text).strip("()（）。")) is not None


def _unnamed(place: Place, column: str, text: str) -> Found:
    said = Said(
        f"写的是“{text}”，说不出是哪份文件；请写文件的名称（文号）",
        f"{text!r} does not say which document: write its name",
    )
    return Found(place, said, column, text)
