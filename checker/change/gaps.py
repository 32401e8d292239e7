"""Codes in given data that no point of a rule covers although they stand near restricted ones of it: new packs appear between two lists."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from checker.change.crosswalk_proposals import Proposal, propose
from checker.engines.duckdb import connect_locked, one_number
from checker.ingest import line_sql, relations
from checker.ingest.gather import Gathered, Input, gather, paths_of
from checker.ingest.line_kind import named_lines
from checker.ingest.settlement_flags import RefundSettlements
from checker.ingest.sources import Source
from checker.ingest.value_sql import clean_text
from checker.judge.points import hash_of, version_of
from checker.knowledge.codes import FAMILY_LENGTH
from checker.knowledge.edition import Edition, load_into
from checker.knowledge.merge.families import exact_among_families
from checker.knowledge.names import item_key
from checker.knowledge.resolve import knowledge_files, open_editions, read_crosswalks
from checker.model import sqltext
from checker.model.id_number import one_person
from checker.scan.engine_fault import explain
from checker.scan.summary import yuan

if TYPE_CHECKING:
    import duckdb

GENERIC_LENGTH = {"X": 10, "Z": 11}
"""How many characters of a drug code name its active substance; of a Chinese patent medicine it is the whole family."""

NEAR = ("family", "name", "generic")
"""How a code can be near a point, nearest first."""

NAMES_SHOWN = 5
"""How many names of a code are told, those of most lines first."""


@dataclass(frozen=True, slots=True)
class GapsRequest:
    """Which lines are looked at, and with which knowledge; paths as given by the caller. `sort` is yuan or lines."""

    claims: Sequence[Input]
    maps: Sequence[str] = ()
    kb: Sequence[Path] = ()
    min_lines: int = 1
    sort: str = "yuan"
    crosswalk: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class NearPoint:
    """A restricted point that a code is near, and how: some of NEAR, in that order."""

    point_id: str
    rule_id: str
    item_name: str
    near: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A code near points of rules that do not cover it; a candidate to review, not a fault.

    `several_items`: its family is known to hold several items, so that it may well be another one. Lines are judged ones, repeated
    uploads included; yuan are gross, refunds not taken off.
    """

    code: str
    names: tuple[str, ...]
    near: tuple[str, ...]
    several_items: bool
    points: tuple[NearPoint, ...]
    lines: int
    patients: int
    institutions: int
    amount: Decimal
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Gaps:
    """All gaps of a look at some lines; lines read = judged + skipped + rejected, of which the judged ones were looked at."""

    read: int
    judged: int
    skipped: int
    rejected: int
    codes: int
    knowledge_version: str
    knowledge_hash: str
    gaps: tuple[Gap, ...]
    proposals: tuple[Proposal, ...] = ()
    """Rows that a crosswalk may lack."""
    incomplete: tuple[str, ...] = ()
    """What of the claims was not read though it may be data, said in both languages."""

    def to_dict(self, limit: int | None = None) -> dict[str, Any]:
        """As `--json` writes it: yuan as numbers with two decimals, days as YYYY-MM-DD; the first `limit` gaps, and how many there are."""
        document = asdict(self)
        for gap in document["gaps"]:
            gap |= {
                "amount": float(gap["amount"]),
                "first_day": str(gap["first_day"]),
                "last_day": str(gap["last_day"]),
            }
        for proposal in document["proposals"]:
            proposal["amount"] = float(proposal["amount"])
        return document | {"found": len(self.gaps), "gaps": list(document["gaps"][:limit])}


def find_gaps(request: GapsRequest) -> Gaps:
    """Look for codes of the claims that share a family, the substance or the name with a point then in force of a rule that does not cover them.

    Raises InputError for inputs that a scan refuses (a person is not needed), InternalError where the engine fails.
    """
    import duckdb

    editions = open_editions(request.kb, read_crosswalks(request.crosswalk))
    with tempfile.TemporaryDirectory(prefix="liangku-gaps-") as folder:
        work = Path(folder)
        (work / "spill").mkdir()
        files = _with_local_codes(gather({"lines": request.claims}, request.maps, work, need_person=False))
        readable = [*files.readable, *knowledge_files(editions)]
        connection = connect_locked(readable=readable, folders=[work], spill=work / "spill")
        with contextlib.closing(connection):
            try:
                return _Look(connection, files, editions, request).go()
            except duckdb.Error as error:
                raise explain(error, files, paths_of(request.claims), [work]) from error


def _with_local_codes(files: Gathered) -> Gathered:
    """The files, their lines with local codes to stand in for codes that are not given: what a crosswalk might map."""
    lines = tuple(replace(source, stand_in=source.map.found.get("local_item_code", ())) for source in files.lines)
    return replace(files, lines=lines)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look on one connection."""

    connection: duckdb.DuckDBPyConnection
    files: Gathered
    editions: Sequence[Edition]
    request: GapsRequest

    def go(self) -> Gaps:
        load_into(self.connection, self.editions)
        census, second, _ = relations.take_census(self.connection, self.files)
        relations.need_codes(self.connection, census, self.files, by_name=False)
        self._find_covered()
        self._count_names(second)
        self._find_near()
        self._measure(second)
        return Gaps(
            read=census.read,
            judged=census.judged,
            skipped=sum(census.skipped.values()),
            rejected=sum(census.rejected.values()),
            codes=one_number(self.connection, "SELECT count(DISTINCT code) FROM code_map"),
            knowledge_version=version_of(self.editions),
            knowledge_hash=hash_of(self.editions),
            gaps=self._gaps(),
            proposals=propose(
                self.connection,
                [self._lines(source, second=second[number]) for number, source in enumerate(self.files.lines)],
            ),
            incomplete=tuple(each.said() for _, each in self.files.passed if each.may_be_data),
        )

    def _find_covered(self) -> None:
        """Make `open_code` (code), those of the data without a row of a crosswalk, and `covered` (code, rule_id): by which rules they
        are covered, whenever the point is in force. A code of one rule may well be missing in another."""
        self.connection.execute(
            """CREATE OR REPLACE TEMP TABLE open_code AS SELECT DISTINCT code FROM code_map
            WHERE code IS NOT NULL AND code NOT IN (SELECT local_code FROM kb_crosswalk)"""
        )
        lengths = self.connection.execute(
            "SELECT DISTINCT length(code) FROM kb_pattern WHERE role = 'item' AND match = 'family'"
        ).fetchall()
        beginnings = ["SELECT code, code AS pattern, 'code' AS match FROM open_code"]
        beginnings += [
            f"SELECT code, left(code, {int(length)}), 'family' FROM open_code WHERE length(code) >= {int(length)}"
            for (length,) in lengths
        ]
        self.connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE covered AS
            SELECT DISTINCT own.code, rule_id FROM ({" UNION ALL ".join(beginnings)}) own
            JOIN kb_pattern pattern ON pattern.role = 'item' AND pattern.match = own.match AND pattern.code = own.pattern
            JOIN kb_point USING (point_id)"""
        )

    def _lines(self, source: Source, *, second: bool) -> str:
        """SQL of the judged lines of one source: their code and name as they stand, and what gaps are measured by."""
        lines = named_lines(source, refund_settlements=RefundSettlements())
        name = "item_name" if source.map.has("item_name") else "local_item_name"
        columns = {
            "raw": line_sql.raw_code(source, second=second),
            "name": line_sql.as_it_stands(source.map, name) or lines.read(name),
            "patient_id": f"coalesce({lines.read('patient_id')}, {one_person(lines.read('patient_id_number'))})",
            **{column: lines.read(column) for column in ("institution_id", "amount")},
            "day": f"CAST({lines.read('service_time')} AS DATE)",
        }
        chosen = ", ".join(f"{value} AS {sqltext.name(column)}" for column, value in columns.items())
        return f"SELECT {chosen} FROM {lines.of_kinds(0)}"

    def _count_names(self, second: dict[int, bool]) -> None:
        """Make `named` (code, name, key, n): the names of all codes, as they are compared, and how many lines bear them."""
        rows = ["SELECT '' AS raw, '' AS name, 0 AS n WHERE FALSE"]
        for number, source in enumerate(self.files.lines):
            lines = self._lines(source, second=second[number])
            rows.append(f"SELECT raw, name, count(*) AS n FROM ({lines}) GROUP BY raw, name")
        self.connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE counted AS SELECT code, {clean_text("name")} AS name, sum(n)::BIGINT AS n
            FROM ({" UNION ALL ".join(rows)}) JOIN code_map USING (raw) GROUP BY ALL"""
        )
        distinct = "SELECT DISTINCT name FROM counted WHERE name IS NOT NULL UNION SELECT item_name FROM kb_point"
        names = [name for (name,) in self.connection.execute(distinct).fetchall()]
        self.connection.register("keyed", pl.DataFrame({"name": names, "key": list(map(item_key, names))}))
        self.connection.execute(
            """CREATE OR REPLACE TEMP TABLE item AS
            SELECT point_id, rule_id, item_name, valid_from, coalesce(valid_to, DATE 'infinity') AS valid_to, key
            FROM kb_point JOIN keyed ON name = item_name"""
        )
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE named AS SELECT code, name, key, n FROM counted JOIN keyed USING (name)"
        )

    def _find_near(self) -> None:
        """Make `near` (code, point_id, ways), the point of a rule that does not cover the code, and `several` (family), those of several items."""
        family, generic = _beginning("code", FAMILY_LENGTH), _beginning("code", GENERIC_LENGTH)
        point = self.connection.table("kb_point").pl()
        known = exact_among_families(point, self.connection.table("kb_pattern").pl())
        self.connection.register("known", known.to_frame())
        self.connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE several AS
            WITH within AS (
              SELECT {family} AS family, key FROM kb_pattern JOIN item USING (point_id) WHERE role = 'item'
              UNION SELECT {family}, key FROM named
            )
            SELECT family FROM within WHERE family IS NOT NULL GROUP BY family HAVING count(DISTINCT key) > 1
            UNION SELECT family FROM known"""
        )
        self.connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE near AS
            WITH begun AS (SELECT DISTINCT point_id, {family} AS family, {generic} AS generic FROM kb_pattern WHERE role = 'item'),
            own AS (SELECT code, {family} AS family, {generic} AS generic FROM open_code),
            way AS (
              SELECT code, point_id, 1 AS way FROM own JOIN begun USING (family)
              UNION SELECT code, point_id, 2 FROM open_code JOIN named USING (code) JOIN item USING (key)
              UNION SELECT code, point_id, 3 FROM own JOIN begun USING (generic) WHERE own.family IS DISTINCT FROM begun.family
            )
            SELECT code, point_id, list(way ORDER BY way) AS ways FROM way JOIN kb_point USING (point_id)
            WHERE (code, rule_id) NOT IN (SELECT (code, rule_id) FROM covered) GROUP BY code, point_id"""
        )

    def _measure(self, second: dict[int, bool]) -> None:
        """Make `gap` (code and its measures) of the codes that are near some point."""
        rows = [self._lines(source, second=second[number]) for number, source in enumerate(self.files.lines)]
        self.connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE gap AS
            SELECT code, count(*) AS lines, count(DISTINCT patient_id) AS patients, count(DISTINCT institution_id) AS institutions,
              coalesce(sum(amount), 0) AS amount, min(day) AS first_day, max(day) AS last_day
            FROM ({" UNION ALL ".join(rows)}) JOIN (SELECT raw, code FROM code_map WHERE code IN (SELECT code FROM near)) USING (raw)
            GROUP BY code"""
        )

    def _gaps(self) -> tuple[Gap, ...]:
        order = "amount DESC, lines DESC" if self.request.sort == "yuan" else "lines DESC, amount DESC"
        rows = self.connection.execute(
            f"""WITH point AS (
              SELECT code, list({{'point_id': point_id, 'rule_id': rule_id, 'item_name': item_name, 'ways': ways}}
                ORDER BY ways, rule_id, point_id) AS points
              FROM near JOIN item USING (point_id) JOIN gap USING (code)
              WHERE valid_from <= last_day AND valid_to > first_day GROUP BY code
            ),
            called AS (SELECT code, list(name ORDER BY n DESC, name) AS names FROM named GROUP BY code)
            SELECT code, names, points, {_beginning("code", FAMILY_LENGTH)} IN (SELECT family FROM several) AS several_items,
              lines, patients, institutions, amount, first_day, last_day
            FROM gap JOIN point USING (code) LEFT JOIN called USING (code)
            WHERE lines >= {int(self.request.min_lines)} ORDER BY {order}, code"""
        ).fetchall()
        return tuple(_gap(row) for row in rows)


def _beginning(code: str, lengths: dict[str, int]) -> str:
    """SQL of the first characters of a drug code or of a family; NULL for every other code."""
    arms = " ".join(
        f"WHEN starts_with({code}, '{kind}') AND length({code}) >= {length} THEN left({code}, {length})"
        for kind, length in lengths.items()
    )
    return f"CASE {arms} END"


def _gap(row: Sequence[Any]) -> Gap:
    code, names, points, several, lines, patients, institutions, amount, first, last = row
    near = tuple(
        NearPoint(
            point["point_id"], point["rule_id"], point["item_name"], tuple(NEAR[way - 1] for way in point["ways"])
        )
        for point in points
    )
    ways = tuple(way for way in NEAR if any(way in point.near for point in near))
    return Gap(
        code=code,
        names=tuple(names or ())[:NAMES_SHOWN],
        near=ways,
        several_items=bool(several) and "family" in ways,
        points=near,
        lines=int(lines),
        patients=int(patients),
        institutions=int(institutions),
        amount=yuan(amount),
        first_day=first,
        last_day=last,
    )
