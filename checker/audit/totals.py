"""The totals of a run or an institution: findings, lines, persons and yuan, told apart by verdict, and which of them few persons forbid to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.audit.groups import VIOLATION

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Counted:
    """Of some findings: how many they are, their lines and persons, and the lines' money, once each: what they came to (net), and what is at stake."""

    findings: int
    lines: int
    persons: int
    amount: object
    stake: object

    def is_told(self, least: int) -> bool:
        """Whether there are none, or of persons enough."""
        return not least or self.lines == 0 or self.persons >= least


@dataclass(frozen=True, slots=True)
class Totals:
    """Violations, of these what has another cause (`explained`) and what is `left`, and what is undetermined or exempt; by verdict and class what
    bears a class."""

    violations: Counted
    explained: Counted
    left: Counted
    undetermined: Counted
    exempt: Counted
    classes: dict[tuple[str, str], Counted]


def totals(connection: duckdb.DuckDBPyConnection, where: str = "TRUE") -> Totals:
    """Count the findings that a condition (SQL) holds of. A line that only some of its violations explain is left."""
    counted = "sum(findings), count(*), count(DISTINCT person_hash), coalesce(sum(amount), 0), coalesce(sum(stake), 0)"
    of_line = """count(*) AS findings, any_value(person_hash) AS person_hash, max(amount) AS amount, max(amount_at_stake) AS stake"""
    line = "source_file, source_record"

    def count(condition: str, having: str = "TRUE") -> Counted:
        row = connection.execute(
            f"""SELECT {counted} FROM (SELECT {of_line} FROM findings WHERE {condition} AND {where} GROUP BY {line} HAVING {having})"""
        ).fetchone()
        assert row is not None
        return Counted(int(row[0] or 0), *row[1:])

    classes = connection.execute(
        f"""SELECT verdict, class, {counted} FROM (
          SELECT verdict, class, {of_line} FROM findings WHERE class IS NOT NULL AND verdict <> 'exempt' AND {where} GROUP BY verdict, class, {line})
        GROUP BY verdict, class ORDER BY verdict DESC, class"""
    ).fetchall()
    left = "bool_or(class IS NULL)"
    open_stake = connection.execute(
        f"""SELECT coalesce(sum(stake), 0) FROM (
          SELECT max(amount_at_stake) AS stake FROM findings WHERE {VIOLATION} AND class IS NULL AND {where} GROUP BY {line})"""
    ).fetchone()
    assert open_stake is not None
    of_left = count(VIOLATION, left)
    return Totals(
        count(VIOLATION),
        count(VIOLATION, f"NOT {left}"),
        Counted(of_left.findings, of_left.lines, of_left.persons, of_left.amount, open_stake[0]),
        count("verdict = 'undetermined'"),
        count("verdict = 'exempt'"),
        {(verdict, class_): Counted(int(row[0]), *row[1:]) for verdict, class_, *row in classes},
    )
