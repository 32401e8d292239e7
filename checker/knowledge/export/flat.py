"""Points as one flat table for another system: one row a code, with the limit in words and in columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from checker.knowledge.merge.rows import CONTAINER
from checker.knowledge.point_words import PointWords
from checker.knowledge.rows import PatternRow, PointRow
from checker.model.shown import no_formula
from checker.rulebook.plan import LEVEL_RANK, RulePlan
from checker.shapes import LIMIT_NAMES, ROLES

HEADERS = (
    "规则编号", "规则国家编码", "规则名称", "知识点编号", "项目名称", "编码", "匹配方式", "编码的角色", "包含它的项目编码", "限定", "判断谁", "等级",
    "状态", "有效期起", "有效期止", "地区", "地区指", "批次", "依据", "出处", "备注", *LIMIT_NAMES,
)  # fmt: skip
"""The columns; the limits come last, under the names that the tables of a knowledge base give them."""
CHANGE = "变更类型"
"""The first column of a difference."""
_MATCHES = {"code": "全码", "family": "前段"}
_STATUSES = {"active": "正式", "shadow": "影子"}
_PLACES = {"insured": "参保地", "institution": "就医地", None: ""}


@dataclass(frozen=True, slots=True)
class FlatRow:
    """One code of a point, and what became of it, empty where all of an edition is told."""

    point: PointRow
    pattern: PatternRow
    containers: tuple[str, ...]
    change: str = ""


def flat_rows(point: PointRow, own: Iterable[PatternRow], codes: Mapping[PatternRow, str] | None) -> list[FlatRow]:
    """The rows of a point: of all its codes, or of `codes`, each with its kind of change. What contains an item stands beside it."""
    patterns = list(own)
    within = tuple(sorted(pattern.code for pattern in patterns if pattern.role == CONTAINER))
    told = [pattern for pattern in patterns if pattern.role != CONTAINER] if codes is None else list(codes)
    return [FlatRow(point, pattern, within, (codes or {}).get(pattern, "")) for pattern in told]


def flat_text(rows: Iterable[FlatRow], rules: Mapping[str, RulePlan], *, changes: bool) -> str:
    """The table as CSV with a byte order mark, by which spreadsheets know the encoding; text that they would run is made plain."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((CHANGE, *HEADERS) if changes else HEADERS)
    words = PointWords("zh")
    for row in rows:
        cells = _cells(row, rules.get(row.point.rule_id), words)
        told = (row.change, *cells) if changes else cells
        writer.writerow(["" if cell is None else no_formula(str(cell)) for cell in told])
    return f"\ufeff{text.getvalue()}"


def _cells(row: FlatRow, rule: RulePlan | None, words: PointWords) -> tuple[object, ...]:
    point, pattern = row.point, row.pattern
    level = None if rule is None else rule.level
    if level is not None and point.level_cap is not None:
        level = min(level, point.level_cap, key=LEVEL_RANK.__getitem__)
    return (
        point.rule_id, rule and rule.code, rule and rule.name_zh, point.point_id, point.item_name, pattern.code, _MATCHES[pattern.match],
        ROLES[pattern.role][0], "|".join(row.containers), words.limit(point), words.subject(point), level and words.level(level),
        _STATUSES[point.status], point.valid_from, point.valid_to, point.region, _PLACES[point.region_of], point.batch, point.document,
        point.source_rows, point.remark and words.remark(point.remark), *(point.limits.get(name) for name in LIMIT_NAMES),
    )  # fmt: skip
