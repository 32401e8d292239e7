"""Lines whose items have points that no rule judged in a scan: told, so that a scan without findings is not taken for a clean one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.engines.duckdb import one_number
from checker.ingest.line_sql import lines_of_codes
from checker.ingest.settlement_flags import RefundSettlements
from checker.ingest.sources import Source
from checker.judge.candidates import matches_sql
from checker.model import sqltext
from checker.model.words import NOT_JUDGED
from checker.rulebook.plan import Plan

if TYPE_CHECKING:
    import duckdb

_JUDGED = 0
"""The number of judged lines among checker.ingest.line_kind.KINDS."""


@dataclass(frozen=True, slots=True)
class NotJudged:
    """How many of the judged lines are of items with points of a rule that did not judge them, and why: a key of NOT_JUDGED.

    Days and places of the points are not weighed: what counts is that nobody looked.
    """

    rule_id: str
    missing: str
    lines: int

    def how(self, language: str) -> str:
        """What to do about it."""
        return NOT_JUDGED[self.missing][language == "en"].format(rule=self.rule_id)

    def to_plain(self, language: str) -> dict[str, Any]:
        """As run.json holds it."""
        return {"rule": self.rule_id, "missing": self.missing, "lines": self.lines, "how": self.how(language)}


Untold = Mapping[str, Mapping[str, str]]
"""What no input has, by shape and by the reason of the lines that lack it: a key of NOT_JUDGED."""


def untold_sql(plan: Plan, untold: Untold) -> str:
    """SQL of whether a fired line lacks what no input has."""
    lacking = (
        f"rule_no IN ({', '.join(map(str, plan.numbers_of(shape)))}) AND coalesce(reason_code IN ({sqltext.texts(reasons)}), FALSE)"
        for shape, reasons in untold.items()
    )
    return " OR ".join(lacking) or "FALSE"


def count_untold(
    connection: duckdb.DuckDBPyConnection, plan: Plan, fired: Path, untold: Untold
) -> tuple[NotJudged, ...]:
    """Count the lines that lack what no input has, by rule. Reads the file of fired lines."""
    if not untold:
        return ()
    rows = connection.execute(
        f"""SELECT rule_no, reason_code, count(DISTINCT line_no) FROM {sqltext.parquet(fired)}
        WHERE {untold_sql(plan, untold)} GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    lacking = ((plan.rules[number], reason, int(count)) for number, reason, count in rows)
    found = ((rule, untold[rule.shape][reason], count) for rule, reason, count in lacking)
    return tuple(NotJudged(rule.id, missing, count) for rule, missing, count in found if not rule.shadow)


def count_not_judged(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    second: Mapping[int, bool],
    absent: Mapping[str, str],
    *,
    refund_settlements: RefundSettlements,
) -> tuple[NotJudged, ...]:
    """Count the lines of each absent rule (by id, with the reason); after the census, whose tables it reads. Reads no line where there is none."""
    if not absent:
        return ()
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE absent_pattern AS SELECT rule_id, match, code FROM kb_pattern
        JOIN kb_point USING (point_id) WHERE role = 'item' AND status <> 'shadow' AND rule_id IN ({sqltext.texts(absent)})"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE absent_code AS SELECT DISTINCT raw, rule_id AS code
        FROM code_map JOIN ({matches_sql(connection, "absent_pattern", "rule_id")}) USING (code)"""
    )
    lines = dict.fromkeys(absent, 0)
    if one_number(connection, "SELECT count(*) FROM absent_code"):
        found = (
            lines_of_codes(source, "absent_code", (), second=second[number], refund_settlements=refund_settlements)
            for number, source in enumerate(sources)
        )
        counts = " UNION ALL ".join(
            f"SELECT {rule} AS rule_id, count(*) AS n FROM {lines.of_kinds(_JUDGED)} GROUP BY ALL"
            for lines, rule in found
        )
        rows = connection.execute(f"SELECT rule_id, sum(n)::BIGINT FROM ({counts}) GROUP BY rule_id").fetchall()
        lines |= {str(rule_id): int(count) for rule_id, count in rows}
    return tuple(NotJudged(rule_id, absent[rule_id], count) for rule_id, count in lines.items())
