"""A small knowledge base of the shape `terms`: a point for each kind of fact that its rules look at."""

from __future__ import annotations

from pathlib import Path

from checker.knowledge.build import build
from tests.knowledge.small_kb import Kb, code, point

CARE, INJURY, FIRST, ONLINE, LEVEL, MATERNITY = (f"XA01AAA000A00101010000{number}" for number in range(1, 7))
_POINTS = (
    point("t1", "drug-visit-mode", "甲药", care_groups="emergency|inpatient"),
    point("t2", "drug-injury-insurance", "乙药", insurance="injury"),
    point("t3", "drug-institution-level", "丙药", min_rank="2", rank_case="first_prescription"),
    point("t4", "drug-online", "丁药", barred_channel="online"),
    point("t5", "drug-institution-level", "戊药", min_rank="2"),
    point("t6", "drug-maternity-insurance", "己药", insurance="maternity"),
)  # fmt: skip


def terms_kb(folder: Path) -> Path:
    """Build it in a folder, and return where."""
    codes = [
        code(row["point_id"], each)
        for row, each in zip(_POINTS, (CARE, INJURY, FIRST, ONLINE, LEVEL, MATERNITY), strict=True)
    ]
    build(Kb(points=_POINTS, patterns=codes, exemptions="").write(folder / "text"), folder / "kb")
    return folder / "kb"
