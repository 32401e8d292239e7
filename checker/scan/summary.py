"""What a scan found, counted from its findings: each line's money once, even where two rules hit it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.personal import masked
from checker.model import sqltext

if TYPE_CHECKING:
    import duckdb

FLAGGED = ("violation", "undetermined")
"""The verdicts by which a line is flagged."""
FLAGGED_SQL = "verdict IN ('violation', 'undetermined')"
"""The same as a condition over findings."""

_MEASURES = """count(*) AS lines, count(DISTINCT patient_id), coalesce(sum(amount), 0), coalesce(sum(amount_in_scope), 0),
  count(*) - count(patient_id), count(*) - count(amount), count(*) - count(amount_in_scope)"""

HELD = 20_000
"""So many findings are held in memory while they are counted; more are read anew for each count."""
ROWS_SHOWN = 20
"""How many institutions and items a summary names, most lines first; run.json says how many there are."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Distinct lines and patients, and the net yuan of the lines: gross, and within the fund's scope.

    The last three are how many of the lines do not tell the patient, the amount, the amount in scope: what is not known is not nothing.
    """

    lines: int
    patients: int
    amount: Decimal
    amount_in_scope: Decimal
    no_patient: int
    no_amount: int
    no_amount_in_scope: int


@dataclass(frozen=True, slots=True)
class Group:
    """A measure of the findings that share a key (rule, verdict, level …); `key` holds its parts in order."""

    key: tuple[str | None, ...]
    measure: Measure


@dataclass(frozen=True, slots=True)
class Summary:
    """The findings of a run by what a manager asks for. Violations of points not in the 2026 list stand apart as well."""

    findings: int
    by_verdict: Mapping[str, int]
    violations: Measure
    undetermined: Measure
    exempt: Measure
    not_in_2026_list: Measure
    by_rule: tuple[Group, ...]
    by_level: tuple[Group, ...]
    by_remark: tuple[Group, ...]
    by_reason: tuple[Group, ...]
    by_institution: tuple[Group, ...]
    by_month: tuple[Group, ...]
    institutions: int

    @property
    def found(self) -> bool:
        """True where a violation or an undetermined line was found."""
        return self.violations.lines + self.undetermined.lines > 0


def summarise(connection: duckdb.DuckDBPyConnection, findings: Path) -> Summary:
    """Count the findings file."""
    counted = connection.execute(
        f"SELECT verdict, count(*) FROM {sqltext.parquet(findings)} GROUP BY verdict"
    ).fetchall()
    by_verdict = dict.fromkeys((*FLAGGED, "exempt"), 0) | {str(verdict): int(count) for verdict, count in counted}
    total = sum(by_verdict.values())
    connection.execute(
        f"""CREATE TEMP {"TABLE" if total <= HELD else "VIEW"} found AS
        SELECT rule_id, rule_name, verdict, level, reason_code, remarks, institution_id, strftime(service_time, '%Y-%m') AS month,
          patient_id, amount, amount_in_scope, hash(source_file, source_record) AS line
        FROM {sqltext.parquet(findings)}"""
    )
    suspect = "verdict = 'violation'"
    sums = _sums(
        connection,
        {
            "violations": suspect,
            "undetermined": "verdict = 'undetermined'",
            "exempt": "verdict = 'exempt'",
            "not_in_2026_list": f"{suspect} AND list_contains(remarks, 'not_in_2026_list')",
        },
    )
    institutions = connection.execute(
        f"SELECT count(DISTINCT institution_id) FROM found WHERE {FLAGGED_SQL}"
    ).fetchone()
    return Summary(
        findings=total,
        by_verdict=by_verdict,
        violations=sums["violations"],
        undetermined=sums["undetermined"],
        exempt=sums["exempt"],
        not_in_2026_list=sums["not_in_2026_list"],
        by_rule=_groups(connection, "rule_id, verdict", "TRUE", "rule_id, verdict"),
        by_level=_groups(
            connection, "level", suspect, "CASE level WHEN 'definite' THEN 1 WHEN 'suspect' THEN 2 ELSE 3 END"
        ),
        by_remark=_groups(
            connection, "remark", FLAGGED_SQL, "remark", source="(SELECT *, unnest(remarks) AS remark FROM found)"
        ),
        by_reason=_groups(connection, "rule_id, reason_code", "verdict = 'undetermined'", "rule_id, reason_code"),
        by_institution=_groups(
            connection, "institution_id", FLAGGED_SQL, "lines DESC, institution_id", limit=ROWS_SHOWN
        ),
        by_month=_groups(connection, "month, verdict", FLAGGED_SQL, "month, verdict"),
        institutions=int(institutions[0]) if institutions else 0,
    )


def _groups(
    connection: duckdb.DuckDBPyConnection,
    key: str,
    where: str,
    order: str,
    *,
    source: str = "found",
    limit: int | None = None,
) -> tuple[Group, ...]:
    parts = len(key.split(","))
    rows = connection.execute(
        f"""SELECT {key}, {_MEASURES}
        FROM (SELECT {key}, line, any_value(patient_id) AS patient_id, any_value(amount) AS amount, any_value(amount_in_scope) AS amount_in_scope
          FROM {source} WHERE {where} GROUP BY {key}, line)
        GROUP BY {key} ORDER BY {order} {f"LIMIT {limit}" if limit else ""}"""
    ).fetchall()
    return tuple(Group(tuple(map(_shown, row[:parts])), _measure(row[parts:])) for row in rows)


def _shown(part: str | None) -> str | None:
    """A part of a key; an ID number that stands among the institutions is shown as everywhere."""
    return None if part is None else masked(part)


def _sums(connection: duckdb.DuckDBPyConnection, wanted: Mapping[str, str]) -> dict[str, Measure]:
    """The lines of findings that meet a condition (SQL), of several by their names; each finding is read once."""
    names = ", ".join(f"CASE WHEN {condition} THEN '{name}' END" for name, condition in wanted.items())
    rows = connection.execute(
        f"""SELECT name, {_MEASURES}
        FROM (SELECT name, line, any_value(patient_id) AS patient_id, any_value(amount) AS amount, any_value(amount_in_scope) AS amount_in_scope
          FROM (SELECT *, unnest([{names}]) AS name FROM found) WHERE name IS NOT NULL GROUP BY name, line)
        GROUP BY name"""
    ).fetchall()
    nothing = _measure((0, 0, 0, 0, 0, 0, 0))
    return dict.fromkeys(wanted, nothing) | {name: _measure(row) for name, *row in rows}


def _measure(row: Sequence[object]) -> Measure:
    lines, patients, amount, scope, *unknown = row
    return Measure(
        int(str(lines)), int(str(patients)), yuan(amount), yuan(scope), *(int(str(each)) for each in unknown)
    )


def yuan(value: object) -> Decimal:
    """A sum of money as the engine gives it, in whole cents."""
    return Decimal(str(value)).quantize(Decimal("0.01"))


def to_plain(summary: Summary) -> dict[str, object]:
    """The summary as run.json holds it: yuan as numbers with two decimals."""
    return {
        "findings": summary.findings,
        "by_verdict": dict(summary.by_verdict),
        "violations": _plain(summary.violations),
        "undetermined": _plain(summary.undetermined),
        "exempt": _plain(summary.exempt),
        "not_in_2026_list": _plain(summary.not_in_2026_list),
        "by_rule": _plain_groups(summary.by_rule, ("rule_id", "verdict")),
        "by_level": _plain_groups(summary.by_level, ("level",)),
        "by_remark": _plain_groups(summary.by_remark, ("remark",)),
        "by_reason": _plain_groups(summary.by_reason, ("rule_id", "reason_code")),
        "by_institution": _plain_groups(summary.by_institution, ("institution_id",)),
        "by_month": _plain_groups(summary.by_month, ("month", "verdict")),
        "institutions": summary.institutions,
    }


def _plain(measure: Measure) -> Mapping[str, object]:
    """A measure as run.json holds it: what no line tells is null, for a zero would say that it is known."""

    def told(value: float, unknown: int) -> float | None:
        return None if measure.lines and unknown == measure.lines else value

    return {
        "lines": measure.lines,
        "patients": told(measure.patients, measure.no_patient),
        "amount": told(float(measure.amount), measure.no_amount),
        "amount_in_scope": told(float(measure.amount_in_scope), measure.no_amount_in_scope),
        "no_patient": measure.no_patient,
        "no_amount": measure.no_amount,
        "no_amount_in_scope": measure.no_amount_in_scope,
    }


def _plain_groups(groups: tuple[Group, ...], names: tuple[str, ...]) -> list[Mapping[str, object]]:
    return [{**dict(zip(names, group.key, strict=True)), **_plain(group.measure)} for group in groups]
