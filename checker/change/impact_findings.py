"""The findings of two scans of the same data, joined line by line and rule by rule: what is new, gone, changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.engines.duckdb import connect_locked
from checker.ingest.sources import first_line
from checker.model import sqltext
from checker.model.errors import InternalError
from checker.scan.summary import FLAGGED_SQL, yuan

if TYPE_CHECKING:
    import duckdb

ITEMS_SHOWN = 20
"""How many items a change names, most lines first."""

SAMPLE = 20
"""How many lines of each change are shown, unless asked otherwise."""

_LINE = "source_file, source_record"


@dataclass(frozen=True, slots=True)
class Extent:
    """Distinct lines, patients and institutions, and the net yuan of the lines: gross, and within the fund's scope."""

    lines: int
    patients: int
    institutions: int
    amount: Decimal
    amount_in_scope: Decimal


@dataclass(frozen=True, slots=True)
class State:
    """What a scan says of a line and a rule: a verdict and, of a violation, the level; both None where it says nothing."""

    verdict: str | None
    level: str | None


@dataclass(frozen=True, slots=True)
class Move:
    """The lines that went from one state to another."""

    before: State
    after: State
    extent: Extent


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a change that falls on one rule (key: rule_id) or one item (key: its name)."""

    key: str
    name: str
    extent: Extent


@dataclass(frozen=True, slots=True)
class Example:
    """One line of a change: where it is, what was judged, by which point on either side, and what is said of it.

    Nothing here names a person. `message` is that of the later side, of the earlier one where the finding is gone.
    """

    line_id: str | None
    settlement_id: str | None
    source_file: str
    source_record: int
    item_code: str
    item_name: str
    rule_id: str
    point_before: str | None
    point_after: str | None
    before: State
    after: State
    amount: Decimal | None
    message: str


@dataclass(frozen=True, slots=True)
class FindingChange:
    """One kind of change, counted by lines and rules; a line counts once in `extent`, its money too.

    `violations` and `undetermined` part it by what the later side says (by what the earlier one said where the finding is gone).
    `items` is the number of items, of which `by_item` names the first.
    """

    extent: Extent
    violations: Extent
    undetermined: Extent
    moves: tuple[Move, ...]
    by_rule: tuple[Share, ...]
    by_item: tuple[Share, ...]
    items: int
    sample: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class CalledLines:
    """How many flagged lines of a name a point covers by a family."""

    point_id: str
    item_name: str
    lines: int


@dataclass(frozen=True, slots=True)
class Compared:
    """What changes between two scans, what either flags in all, and how the lines are called that the later one flags by a family."""

    flagged_before: Extent
    flagged_after: Extent
    new: FindingChange
    gone: FindingChange
    changed: FindingChange
    called: tuple[CalledLines, ...] = ()


def compare(before: Path, after: Path, work: Path, *, sample: int) -> Compared:
    """Join the findings of two scans, given by their result folders; scratch files go into `work`.

    Raises InternalError where the engine fails.
    """
    import duckdb

    files = [(folder / "findings.parquet").absolute() for folder in (before, after)]
    spill = work.absolute() / "spill"
    spill.mkdir(exist_ok=True)
    with connect_locked(readable=files, spill=spill) as connection:
        try:
            return _Join(connection, files[0], files[1], sample).go()
        except duckdb.Error as error:
            raise InternalError(f"引擎失败（the engine failed）：{first_line(error)}") from error


@dataclass(frozen=True, slots=True)
class _Join:
    connection: duckdb.DuckDBPyConnection
    before: Path
    after: Path
    sample: int

    def go(self) -> Compared:
        self.connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE change AS
            SELECT CASE WHEN NOT {_flagged("a.")} THEN 'new' WHEN NOT {_flagged("b.")} THEN 'gone'
                ELSE 'changed' END AS kind,
              {_LINE}, rule_id, coalesce(b.rule_name, a.rule_name) AS rule_name, coalesce(b.finding_id, a.finding_id) AS finding_id,
              coalesce(b.item_name, a.item_name) AS item_name, coalesce(b.patient_id, a.patient_id) AS patient_id,
              coalesce(b.institution_id, a.institution_id) AS institution_id,
              CASE WHEN {_flagged("b.")} THEN b.amount ELSE a.amount END AS amount,
              CASE WHEN {_flagged("b.")} THEN b.amount_in_scope ELSE a.amount_in_scope END AS amount_in_scope,
              a.verdict AS was, a.level AS was_level, b.verdict AS is_now, b.level AS is_level,
              CASE WHEN {_flagged("b.")} THEN b.verdict ELSE a.verdict END AS verdict
            FROM {sqltext.parquet(self.before)} a FULL JOIN {sqltext.parquet(self.after)} b USING ({_LINE}, rule_id)
            WHERE ({_flagged("a.")} OR {_flagged("b.")})
              AND (a.verdict IS DISTINCT FROM b.verdict OR a.level IS DISTINCT FROM b.level)"""
        )
        return Compared(
            flagged_before=self._flagged(self.before),
            flagged_after=self._flagged(self.after),
            new=self._change("new"),
            gone=self._change("gone"),
            changed=self._change("changed"),
            called=self._called(),
        )

    def _called(self) -> tuple[CalledLines, ...]:
        rows = self.connection.execute(
            f"""SELECT point_id, item_name, count(*) FROM {sqltext.parquet(self.after)}
            WHERE {_flagged()} AND matched_by = 'family' AND item_name IS NOT NULL GROUP BY ALL ORDER BY ALL"""
        ).fetchall()
        return tuple(CalledLines(*row) for row in rows)

    def _flagged(self, findings: Path) -> Extent:
        return self._extent(_flagged(), sqltext.parquet(findings))

    def _change(self, kind: str) -> FindingChange:
        of_kind = f"kind = '{kind}'"
        moves = self._extents("was, was_level, is_now, is_level", of_kind, "was, was_level, is_now, is_level")
        rules = self._extents("rule_id, rule_name", of_kind, "rule_id")
        items = self._extents("item_name", of_kind, "lines DESC, item_name")
        return FindingChange(
            extent=self._extent(of_kind),
            violations=self._extent(f"{of_kind} AND verdict = 'violation'"),
            undetermined=self._extent(f"{of_kind} AND verdict = 'undetermined'"),
            moves=tuple(Move(State(*key[:2]), State(*key[2:]), extent) for key, extent in moves),
            by_rule=tuple(Share(str(rule), str(name), extent) for (rule, name), extent in rules),
            by_item=tuple(Share(str(name), str(name), extent) for (name,), extent in items[:ITEMS_SHOWN]),
            items=len(items),
            sample=self._sample(of_kind),
        )

    def _extent(self, where: str, source: str = "change") -> Extent:
        ((_, extent),) = self._extents("", where, "lines", source) or [
            ((), Extent(0, 0, 0, Decimal("0.00"), Decimal("0.00")))
        ]
        return extent

    def _extents(
        self, key: str, where: str, order: str, source: str = "change"
    ) -> list[tuple[tuple[str | None, ...], Extent]]:
        """The extents of the findings that share a key, whose parts come before them; each line's money once within a key."""
        parts = len(key.split(",")) if key else 0
        by, keys = (f"{key}, " if key else "", f"GROUP BY {key}" if key else "HAVING count(*) > 0")
        rows = self.connection.execute(
            f"""SELECT {by} count(*) AS lines, count(DISTINCT patient_id), count(DISTINCT institution_id),
              coalesce(sum(amount), 0), coalesce(sum(amount_in_scope), 0)
            FROM (SELECT {by} any_value(patient_id) AS patient_id, any_value(institution_id) AS institution_id,
                any_value(amount) AS amount, any_value(amount_in_scope) AS amount_in_scope
              FROM {source} WHERE {where} GROUP BY {by} {_LINE})
            {keys} ORDER BY {order}"""
        ).fetchall()
        return [(tuple(row[:parts]), _extent(row[parts:])) for row in rows]

    def _sample(self, of_kind: str) -> tuple[Example, ...]:
        """Some lines of a change: first one of each rule and item, then a second, chosen by their stable ids."""
        rows = self.connection.execute(
            f"""WITH chosen AS (
              SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY rule_id, item_name ORDER BY finding_id, {_LINE}) AS turn
                FROM change WHERE {of_kind})
              ORDER BY turn, finding_id, {_LINE}, rule_id LIMIT {int(self.sample)}
            )
            SELECT coalesce(b.line_id, a.line_id), coalesce(b.settlement_id, a.settlement_id), {_LINE},
              coalesce(b.item_code, a.item_code), c.item_name, rule_id, a.point_id, b.point_id, was, was_level, is_now, is_level, c.amount,
              CASE WHEN c.kind = 'gone' THEN a.message ELSE b.message END
            FROM chosen c LEFT JOIN {sqltext.parquet(self.before)} a USING ({_LINE}, rule_id)
              LEFT JOIN {sqltext.parquet(self.after)} b USING ({_LINE}, rule_id)
            ORDER BY rule_id, c.item_name, c.turn"""
        ).fetchall()
        return tuple(_example(row) for row in rows)


def _flagged(side: str = "") -> str:
    """SQL of whether the finding of a side is there and flags its line."""
    return f"coalesce({side}{FLAGGED_SQL}, FALSE)"


def _example(row: Sequence[Any]) -> Example:
    line_id, settlement_id, file, record, code, name, rule, point_before, point_after, *told = row
    was, was_level, is_now, is_level, amount, message = told
    before, after = State(was, was_level), State(is_now, is_level)
    return Example(
        line_id, settlement_id, file, record, code, name, rule, point_before, point_after, before, after,
        None if amount is None else yuan(amount), message,
    )  # fmt: skip


def _extent(row: Sequence[object]) -> Extent:
    lines, patients, institutions, amount, scope = row
    return Extent(int(str(lines)), int(str(patients)), int(str(institutions)), yuan(amount), yuan(scope))
