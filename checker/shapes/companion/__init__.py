"""The shape `companion`: a line, a point that covers it, and the other lines of its prescription, which the point's rule lists or does not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from checker.model.sql_builder import Steps, choose, holds, negated
from checker.shapes.base import Column, Fact, Limit, Shape, name_nobody

_MOST = 1_000_000
_NAMED = 200
"""So many related lines a finding names; a prescription that holds more is none."""


def _base(candidates: str, parts: Collection[str]) -> str:
    """Each candidate beside what is known of its prescription. Linear in the lines: a prescription is counted once, not once a line."""
    return f"""WITH subject AS MATERIALIZED ({candidates}),
      prescribed AS (
        SELECT f.prescription_key, r.rule_id, count(*) AS members,
          count(*) FILTER (is_known AND NOT list_contains(listed_by, r.rule_id)) AS outside, count(*) FILTER (NOT is_known) AS unknown,
          list_slice(list({{'line_no': line_no, 'line_id': line_id}} ORDER BY line_id, line_no) FILTER (line_id IS NOT NULL), 1, {_NAMED + 1}) AS named
        FROM fellow f, (SELECT DISTINCT rule_id FROM subject) r GROUP BY ALL)
      SELECT s.*, members, outside, unknown, named
      FROM subject s LEFT JOIN prescribed p ON p.prescription_key = s.prescription_key AND p.rule_id = s.rule_id"""


def _name(steps: Steps) -> None:
    steps.let("service_date", "CAST(service_time AS DATE)")
    name_nobody(steps)
    steps.let("others", "members - 1")
    steps.let("others_outside", choose(("outside > 0", "outside"), ("unknown = 0", "0"), otherwise="NULL"))
    steps.let("prescription_is_guessed", holds("prescription_guessed", steps["prescription_guessed"]))
    rest = "list_transform(list_filter(named, lambda m: m.line_no <> line_no), lambda m: m.line_id)"
    steps.let("related_lines", f"list_slice({rest}, 1, {_NAMED})")


def _why(steps: Steps, reads: Callable[[str], str]) -> str:
    return choose(
        (negated(steps.known("members")), "'prescription_unknown'"),
        ("unknown > 0", "'companion_unknown'"),
        otherwise="'other'",
    )


_SAID = {"herb_piece": ("同方须有名单外饮片", "only beside a piece outside the lists")}


def _say(limits: Mapping[str, Any], english: bool) -> Iterator[str]:
    if limits.get("companions") in _SAID:
        yield _SAID[limits["companions"]][english]


COMPANION = Shape(
    id="companion",
    zh="明细与同一处方的其他项目",
    en="a line among the others of its prescription",
    scope="prescription",
    judges="prescription",
    roles={
        "item": ("受限的项目", "the item that is limited"),
        "listed": ("名单内的项目，只用来看处方里有没有名单外的", "on the rule's lists: looked at only to tell what is on none of them"),
    },
    limits=(
        Limit(
            "companions", str, "同一处方里要看的其他项目：herb_piece 为中药饮片",
            "the other items of the prescription that count: herb_piece, decoction pieces", ("herb_piece",), fact="prescription",
        ),
    ),
    facts={
        "prescription": Fact(
            "同一处方的其他项目", "other items of the prescription", line="prescription_id", point="companions", missing="prescription_unknown"
        )
    },
    columns=(
        Column("others", int, "处方内其他项目的个数", "how many other items the prescription holds", "prescription", ("companions",), most=_MOST),
        Column(
            "others_outside", int, "其中不在规则名单内的个数；说不清时为空",
            "how many of them are on none of the rule's lists; NULL where that cannot be told", "prescription", ("companions",), most=_MOST,
        ),
        Column(
            "prescription_is_guessed", bool, "没有处方号，按同一就诊、时间和医生归为一张处方",
            "no number: taken for one prescription by visit, time and prescriber", "prescription",
        ),
    ),
    line_columns=("prescription_key", "prescription_guessed"),
    lowered="prescription_guessed",
    case_code="T{:09d}",
    reasons=("prescription_unknown", "companion_unknown", "other"),
    relations={
        "fellow": {
            "prescription_key": "VARCHAR", "line_no": "BIGINT", "line_id": "VARCHAR", "listed_by": "VARCHAR[]", "is_known": "BOOLEAN",
        },
    },
    base=_base,
    name=_name,
    why=_why,
    say=_say,
)  # fmt: skip
"""What a line may be paid for only beside something else in its prescription."""
