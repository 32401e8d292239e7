"""The relations of a scan on one connection: census of all lines, lines of restricted items, their headers and diagnoses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checker import sqltext
from checker.compile import LINE_COLUMNS, PRECEDENCE, in_force_sql
from checker.engines.duckdb import SCRATCH, one_number
from checker.errors import InputError
from checker.ingest import facts
from checker.ingest.columns import clean_text
from checker.ingest.facts import HEADER_ONLY_WHERE_LINE_HAS_NONE, KINDS, Source
from checker.ingest.gather import Gathered
from checker.schema import NATIONAL_CODE

if TYPE_CHECKING:
    import duckdb

NATIONAL_SHAPE = f"regexp_full_match(code, '{NATIONAL_CODE}')"
COVERED_SERVICES = "00%"
"""Service codes of the system that the published knowledge speaks of; others (01…, 33…) are counted as not covered."""

PASSED_TEXTS = ("line_id", "settlement_id", "visit_id", "patient_id", "institution_id", "item_name")
DIAGNOSIS_SEPARATORS = "[,，;；|、\\s]+"


@dataclass(frozen=True, slots=True)
class Census:
    """What became of all lines: read = judged + skipped + rejected."""

    read: int
    judged: int
    skipped: dict[str, int]
    rejected: dict[str, int]
    codes: dict[str, int]


def take_census(connection: duckdb.DuckDBPyConnection, files: Gathered) -> tuple[Census, dict[int, bool], bool]:
    """Count all lines by code and kind; return the counts, which sources need their second code header, and whether any
    settlement is a refund.

    Raises InputError where lines were read but none can be judged.
    """
    refunds = _refund_settlements(connection, files.settlements)
    second = facts.take_census(connection, files.lines, refund_settlements=refunds)
    facts.normalise_codes(connection)
    reader = one_number(
        connection, f"SELECT count(*) FROM {sqltext.parquet(files.reader_rejects)} WHERE role = 'lines'"
    )
    by_kind = {
        KINDS[kind]: count
        for kind, count in connection.execute("SELECT kind, sum(n)::BIGINT FROM kind_census GROUP BY kind").fetchall()
    }
    rejected = {
        "record": reader,
        "service_time": by_kind.get("rejected_time", 0),
        "quantity": by_kind.get("rejected_quantity", 0),
    }
    codes = dict(
        connection.execute(
            f"""SELECT CASE WHEN code IS NULL THEN 'no_code' WHEN NOT {NATIONAL_SHAPE} THEN 'no_national_shape'
              WHEN regexp_full_match(code, '[0-9]{{15}}') AND code NOT LIKE '{COVERED_SERVICES}' THEN 'service_system_not_covered'
              ELSE 'national' END AS class, sum(n)::BIGINT
            FROM code_census c LEFT JOIN code_map m ON m.raw IS NOT DISTINCT FROM c.raw GROUP BY class"""
        ).fetchall()
    )
    census = Census(
        read=sum(by_kind.values()) + reader,
        judged=by_kind.get("judged", 0),
        skipped={kind: by_kind.get(kind, 0) for kind in ("invalid", "context", "refund", "self_paid")},
        rejected=rejected,
        codes={
            key: codes.get(key, 0) for key in ("national", "service_system_not_covered", "no_national_shape", "no_code")
        },
    )
    _need_judged(connection, census, files)
    return census, second, refunds


def _need_judged(connection: duckdb.DuckDBPyConnection, census: Census, files: Gathered) -> None:
    name = files.lines[0].table.origin[0]
    if census.read == 0:
        raise InputError(
            f"{name}：只有表头，没有明细行，请检查导出条件后重新导出（no lines in the input: export it again）"
        )
    if census.judged == 0:
        raise InputError(
            f"{name}：读入 {census.read} 行，没有一行可以判断（跳过 {sum(census.skipped.values())} 行，"
            f"无法读取 {sum(census.rejected.values())} 行{_first_reject(connection, files)}）；"
            "请检查时间、数量列和有效标志（lines read, none could be judged）"
        )
    if census.codes["national"] == 0 and census.codes["service_system_not_covered"] == 0:
        example = connection.execute(
            "SELECT raw FROM code_census WHERE raw IS NOT NULL ORDER BY raw LIMIT 1"
        ).fetchone()
        shown = f"，例如“{example[0]}”" if example else ""
        raise InputError(
            f"{name}：没有一行的项目编码是国家医保编码{shown}；请检查编码列，或用 --map item_code=表头 指定"
            "（no line has a national item code: none could be judged）"
        )


def _first_reject(connection: duckdb.DuckDBPyConnection, files: Gathered) -> str:
    for source in files.lines:
        row = connection.execute(
            f"SELECT record, column_name, value, why FROM ({facts.reject_query(source)}) LIMIT 1"
        ).fetchone()
        if row:
            return f"，例如第 {row[0]} 行“{row[1]}”列“{row[2] or ''}”{row[3]}"
    return ""


def _refund_settlements(connection: duckdb.DuckDBPyConnection, settlements: Sequence[Source]) -> bool:
    """Make the table `refund_settlement` of settlements whose valid headers all say refund; True where there is one."""
    connection.execute("CREATE OR REPLACE TEMP TABLE refund_settlement (settlement_id VARCHAR)")
    flagged = [facts.refund_settlement_query(source) for source in settlements if source.map.has("refund_flag")]
    if not flagged:
        return False
    rows = " UNION ALL ".join(flagged)
    connection.execute(
        f"""INSERT INTO refund_settlement SELECT settlement_id FROM ({rows})
        WHERE settlement_id IN (SELECT settlement_id FROM ({rows}) WHERE refund) AND refund IS NOT NULL
        GROUP BY settlement_id HAVING bool_and(refund)"""
    )
    return one_number(connection, "SELECT count(*) FROM refund_settlement") > 0


def find_points(connection: duckdb.DuckDBPyConnection) -> bool:
    """Make `hot` (code, point_no, matched_by, match_length, valid_from, valid_to) and `hot_raw` (raw, code) of the codes that
    some pattern covers.

    Where several points of one rule share a code and a time, that time is divided among them here, once a code; only regional points
    must be weighed line by line. Returns whether there are any such.
    """
    lengths = connection.execute("SELECT DISTINCT length(code) FROM pattern WHERE match = 'family'").fetchall()
    families = "".join(
        f""" UNION ALL SELECT c.code, point_no, 'family', {int(length)} FROM codes c
        JOIN pattern p ON p.match = 'family' AND length(p.code) = {int(length)} AND left(c.code, {int(length)}) = p.code"""
        for (length,) in lengths
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE covered AS
        WITH codes AS (SELECT DISTINCT code FROM code_map WHERE code IS NOT NULL),
        found AS (
          SELECT c.code, point_no, 'code' AS matched_by, length(c.code) AS match_length FROM codes c
          JOIN pattern p ON p.match = 'code' AND p.code = c.code{families})
        SELECT code, point_no, matched_by, match_length, rule_no, point_id, valid_from AS point_valid_from, valid_from,
          coalesce(valid_to, DATE 'infinity') AS valid_to, point_region IS NOT NULL AS regional
        FROM found JOIN point USING (point_no)
        QUALIFY row_number() OVER (PARTITION BY code, point_no ORDER BY matched_by, match_length DESC) = 1"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE hot AS
        WITH meeting AS (
          SELECT code, rule_no, regional, valid_from < max(valid_to) OVER (
            PARTITION BY code, rule_no ORDER BY valid_from, valid_to ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS meets
          FROM covered
        ),
        shared AS (SELECT code, rule_no FROM meeting GROUP BY code, rule_no HAVING bool_or(meets) AND NOT bool_or(regional)),
        edge AS (SELECT DISTINCT code, rule_no, unnest([valid_from, valid_to]) AS since FROM covered SEMI JOIN shared USING (code, rule_no)),
        spell AS (SELECT code, rule_no, since, lead(since) OVER (PARTITION BY code, rule_no ORDER BY since) AS until FROM edge),
        divided AS (
          SELECT c.code, point_no, matched_by, match_length, since, until FROM spell s
          JOIN covered c ON c.code = s.code AND c.rule_no = s.rule_no AND c.valid_from <= s.since AND c.valid_to >= s.until
          QUALIFY row_number() OVER (PARTITION BY c.code, c.rule_no, since ORDER BY {PRECEDENCE}) = 1
        )
        SELECT code, point_no, matched_by, match_length, valid_from, valid_to FROM covered ANTI JOIN shared USING (code, rule_no)
        UNION ALL SELECT code, point_no, matched_by, match_length, since, until FROM divided"""
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE hot_raw AS SELECT raw, code FROM code_map WHERE code IN (SELECT code FROM covered)"
    )
    return one_number(connection, "SELECT count(*) FROM covered WHERE regional") > 0


def select_lines(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    second: dict[int, bool],
    *,
    refund_settlements: bool,
    unneeded: frozenset[str],
    spilled: Path | None,
) -> None:
    """Make `staged_line`: the lines of restricted items (judged and refunds), canonical and typed, and `raw_line`, texts uncleaned.

    They are held by the engine, or in the Parquet file `spilled` where they are too many for its memory.
    """
    query = " UNION ALL BY NAME ".join(
        facts.stage_query(source, second=second[number], refund_settlements=refund_settlements, unneeded=unneeded)
        for number, source in enumerate(files.lines)
    )
    if spilled is None:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE raw_line AS {query}")
    else:
        connection.execute(f"COPY ({query}) TO {sqltext.text(str(spilled))} {SCRATCH}")
        connection.execute(f"CREATE OR REPLACE TEMP VIEW raw_line AS SELECT * FROM {sqltext.parquet(spilled)}")
    texts = [name for name in facts.STAGED_TEXTS if name not in unneeded]
    connection.execute(f"CREATE OR REPLACE TEMP VIEW staged_line AS {facts.cleaned('raw_line', texts)}")


def unneeded_columns(connection: duckdb.DuckDBPyConnection, files: Gathered) -> frozenset[str]:
    """The line columns that no judgment of this run can need: places without regional points, care type without an insured."""
    regional = one_number(
        connection,
        """SELECT count(*) FROM point
        WHERE point_region IS NOT NULL OR len(list_filter(exemptions, lambda e: e.region IS NOT NULL)) > 0""",
    )
    insured = any(source.map.has(name) for source in files.lines for name in ("insured_sex", "insured_birth_date"))
    return frozenset((*(() if regional else ("insured_region", "region")), *(() if insured else ("care_type",))))


def count_restricted(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of lines, of any kind, whose code some pattern covers."""
    return one_number(connection, "SELECT sum(n) FROM code_census WHERE raw IN (SELECT raw FROM hot_raw)")


HEADER_PERSON = (
    "patient_sex",
    "patient_birth_date",
    "patient_age",
    "patient_id_number",
    "newborn_flag",
    "diagnosis_code",
)


def line_gaps(connection: duckdb.DuckDBPyConnection, files: Gathered, unneeded: frozenset[str]) -> frozenset[str]:
    """The columns that some restricted line leaves empty and some header fills."""
    filled = [
        name
        for name in HEADER_ONLY_WHERE_LINE_HAS_NONE
        if name not in unneeded and any(source.map.has(name) for source in (*files.settlements, *files.visits))
    ]
    if not filled:
        return frozenset()
    row = connection.execute(
        f"SELECT {', '.join(f'bool_or({name} IS NULL)' for name in filled)} FROM staged_line"
    ).fetchone()
    assert row is not None
    return frozenset(name for name, empty in zip(filled, row, strict=True) if empty)


def collapse_headers(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    key: str,
    name: str,
    gaps: frozenset[str],
    work: Path,
) -> frozenset[str]:
    """Make the view `name` of the headers of staged lines, one row a key, and return its columns beside `key`.

    It carries what the person and the `gaps` of the lines need of these sources, sex_conflict and birth_conflict.
    """
    if not sources:
        return frozenset()
    fields = tuple(
        field for field in (*HEADER_PERSON, *sorted(gaps)) if any(source.map.has(field) for source in sources)
    )
    rows_file, file = work / f"{name}_rows.parquet", work / f"{name}.parquet"
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW wanted AS SELECT {key} AS key FROM staged_line WHERE {key} IS NOT NULL"
    )
    rows = " UNION ALL BY NAME ".join(facts.header_query(source, key, fields) for source in sources)
    connection.execute(f"COPY ({rows}) TO {sqltext.text(str(rows_file))} {SCRATCH}")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE repeated AS SELECT key FROM {sqltext.parquet(rows_file)} GROUP BY key HAVING count(*) > 1"
    )
    if one_number(connection, "SELECT count(*) FROM repeated") == 0:
        single = f"SELECT *, FALSE AS sex_conflict, FALSE AS birth_conflict FROM {sqltext.parquet(rows_file)}"
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {single}")
        return frozenset((*fields, "person_unreadable", "sex_conflict", "birth_conflict"))
    agreed = "".join(f"CASE WHEN min({field}) = max({field}) THEN min({field}) END AS {field}, " for field in fields)

    def differs(field: str) -> str:
        return f"coalesce(min({field}) <> max({field}), FALSE)" if field in fields else "FALSE"

    connection.execute(
        f"""COPY (
        SELECT *, FALSE AS sex_conflict, FALSE AS birth_conflict FROM {sqltext.parquet(rows_file)} WHERE key NOT IN (SELECT key FROM repeated)
        UNION ALL BY NAME
        SELECT key, {agreed} bool_or(person_unreadable) AS person_unreadable, {differs("patient_sex")} AS sex_conflict,
          {differs("patient_birth_date")} AS birth_conflict
        FROM {sqltext.parquet(rows_file)} WHERE key IN (SELECT key FROM repeated) GROUP BY key
        ) TO {sqltext.text(str(file))} {SCRATCH}"""
    )
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {sqltext.parquet(file)}")
    return frozenset((*fields, "person_unreadable", "sex_conflict", "birth_conflict"))


@dataclass(frozen=True, slots=True)
class Headers:
    """The columns that the views settlement_header and visit_header carry; empty where there are no such headers."""

    settlement: frozenset[str]
    visit: frozenset[str]


def absent_columns(files: Gathered, headers: Headers, unneeded: frozenset[str], *, regional: bool) -> frozenset[str]:
    """The columns of the candidates that no source fills: what `fired_sql` need not look at."""

    def filled(name: str) -> bool:
        return (
            any(source.map.has(name) for source in files.lines) or name in headers.settlement or name in headers.visit
        )

    by_line = {
        "line_sex": "patient_sex", "line_birth": "patient_birth_date", "insured_sex": "insured_sex",
        "insured_birth_date": "insured_birth_date",
    }  # fmt: skip
    anywhere = {
        "patient_age": "patient_age", "id_number": "patient_id_number", "newborn_flag": "newborn_flag", "care_type": "care_type",
        "visit_start": "visit_start",
    }  # fmt: skip
    absent = {column for column, name in by_line.items() if not any(source.map.has(name) for source in files.lines)}
    absent |= {column for column, name in anywhere.items() if not filled(name)} | unneeded
    for kind, carried in (("settlement", headers.settlement), ("visit", headers.visit)):
        absent |= {
            f"{kind}_{field}"
            for field, name in (("sex", "patient_sex"), ("birth", "patient_birth_date"))
            if name not in carried
        }
    if not headers.settlement and not headers.visit:
        absent |= {"header_missing", "header_sex_conflict", "header_birth_conflict"}
    if not regional:
        absent |= {"point_region", "point_region_of"}
    return frozenset(absent)


def candidates_sql(headers: Headers, absent: frozenset[str], *, as_of: str | None, region: str | None) -> str:
    """SQL of staged lines × points with the columns of checker.compile but the absent ones, ready for `fired_sql`; duplicates left out.

    Texts that only findings name (PASSED_TEXTS) pass uncleaned where nothing else needs them: few lines become findings.
    """
    on_date = f"DATE {sqltext.text(as_of)}" if as_of else "CAST(s.service_time AS DATE)"
    own = {
        "line_no": "s.line_no", "line_id": "s.line_id", "settlement_id": "s.settlement_id", "visit_id": "s.visit_id",
        "service_time": "s.service_time", "on_date": on_date, "item_code": "s.item_code", "item_name": "s.item_name",
        "gross_quantity": "s.quantity", "gross_amount": "s.amount", "gross_in_scope": "s.amount_in_scope",
        "time_fallback": "s.time_fallback", "line_sex": "s.patient_sex", "line_birth": "s.patient_birth_date",
        "insured_sex": "s.insured_sex", "insured_birth_date": "s.insured_birth_date",
        "source_file": "CAST(NULL AS VARCHAR)", "source_record": f"s.line_no % {facts.LINE_NO_SHIFT}",
    }  # fmt: skip
    joins: list[str] = []
    known: dict[str, frozenset[str]] = {}

    def own_value(column: str) -> str:
        return clean_text(f"s.{column}") if column in facts.STAGED_TEXTS else f"s.{column}"

    for carried, alias, view, key in (
        (headers.settlement, "h", "settlement_header", "settlement_id"),
        (headers.visit, "v", "visit_header", "visit_id"),
    ):
        if carried:
            joins.append(f"LEFT JOIN {view} {alias} ON {alias}.key = {own_value(key)}")
            known[alias] = carried

    def places(column: str) -> list[str]:
        return [f"{alias}.{column}" for alias, carried in known.items() if column in carried]

    def first(column: str) -> str:
        if not places(column):
            return f"s.{column}" if column in PASSED_TEXTS else own_value(column)
        return f"coalesce({', '.join((own_value(column), *places(column)))})"

    def any_of(column: str) -> str:
        return " OR ".join(f"coalesce({place}, FALSE)" for place in places(column)) or "FALSE"

    def of(alias: str, column: str, type_: str) -> str:
        return f"{alias}.{column}" if column in known.get(alias, ()) else f"CAST(NULL AS {type_})"

    place_of = _institution_place(clean_text(first("institution_id")), first("region"))
    own |= {
        "visit_start": first("visit_start"), "patient_id": first("patient_id"), "institution_id": first("institution_id"),
        "care_type": first("care_type"), "newborn_flag": first("newborn_flag"), "patient_age": first("patient_age"),
        "id_number": f"upper({first('patient_id_number')})", "diagnosis_code": _joined(["s.diagnosis_code", *places("diagnosis_code")]),
        "insured_region": _region(first("insured_region"), region), "region": _region(place_of, region),
        "person_unreadable": f"s.person_unreadable OR {any_of('person_unreadable')}",
        "header_missing": " AND ".join(f"{alias}.key IS NULL" for alias in known) or "FALSE",
        "settlement_sex": of("h", "patient_sex", "VARCHAR"), "visit_sex": of("v", "patient_sex", "VARCHAR"),
        "settlement_birth": of("h", "patient_birth_date", "DATE"), "visit_birth": of("v", "patient_birth_date", "DATE"),
        "header_sex_conflict": any_of("sex_conflict"), "header_birth_conflict": any_of("birth_conflict"),
    }  # fmt: skip
    chosen = ", ".join(f"{own[name]} AS {name}" for name in LINE_COLUMNS if name not in absent)
    return f"""SELECT {chosen}, p.* EXCLUDE (exemptions, document, batch, source_rows, valid_from, valid_to),
      t.matched_by, t.match_length, t.valid_from, t.valid_to, p.valid_from AS point_valid_from
    FROM raw_line s {" ".join(joins)} JOIN hot t ON t.code = s.item_code JOIN point p ON p.point_no = t.point_no
    WHERE NOT s.is_refund AND s.line_no NOT IN (SELECT line_no FROM duplicate_line WHERE NOT is_first)"""


def _region(column: str, default: str | None) -> str:
    return f"coalesce({column}, {sqltext.text(default)})" if default else column


def _institution_place(institution: str, otherwise: str) -> str:
    """SQL of the institution's place: digits 2–7 of its number, else what the source says."""
    return f"CASE WHEN regexp_matches({institution}, '^[A-Za-z][0-9]{{6}}') THEN substr({institution}, 2, 6) ELSE {otherwise} END"


def _joined(columns: Sequence[str]) -> str:
    return columns[0] if len(columns) == 1 else f"concat_ws(',', {', '.join(columns)})"


def count_not_in_force(
    connection: duckdb.DuckDBPyConnection, *, as_of: str | None, regional: str | None
) -> dict[int, int]:
    """Count judged lines, by rule number, whose code has points of the rule, none of them in force on the date and in the region.

    Where there are regional points, `regional` is the SQL of the candidates, whose places the headers may have told.
    """
    if regional:
        query = f"""SELECT rule_no, count(*) FROM (
          SELECT line_no, rule_no, bool_or({in_force_sql()}) AS applies
          FROM ({regional}) GROUP BY line_no, rule_no) WHERE NOT applies GROUP BY rule_no"""
    else:
        on_date = f"DATE {sqltext.text(as_of)}" if as_of else "CAST(s.service_time AS DATE)"
        query = f"""WITH spell AS (
          SELECT code, rule_no, min(valid_from) AS first_day, max(valid_to) AS last_day, bool_or(behind_gap) AS broken,
            list({{'f': valid_from, 't': valid_to}}) AS parts
          FROM (SELECT *, coalesce(valid_from > max(valid_to) OVER (PARTITION BY code, rule_no ORDER BY valid_from
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), FALSE) AS behind_gap FROM covered)
          GROUP BY code, rule_no
        )
        SELECT rule_no, count(*) FROM staged_line s JOIN spell ON spell.code = s.item_code
        WHERE NOT is_refund AND s.line_no NOT IN (SELECT line_no FROM duplicate_line WHERE NOT is_first)
          AND CASE WHEN NOT broken THEN {on_date} < first_day OR {on_date} >= last_day
            ELSE len(list_filter(parts, lambda p: {on_date} >= p.f AND {on_date} < p.t)) = 0 END
        GROUP BY rule_no"""
    return {int(rule): int(count) for rule, count in connection.execute(query).fetchall()}


def gather_diagnoses(connection: duckdb.DuckDBPyConnection, files: Gathered) -> None:
    """Make `settlement_diagnoses` and `visit_diagnoses` (key, codes) of the lines in `fired_line`."""
    queries = [facts.diagnosis_query(source) for source in files.diagnoses]
    rows = " UNION ALL ".join(queries) or (
        "SELECT CAST(NULL AS VARCHAR) AS settlement_id, CAST(NULL AS VARCHAR) AS visit_id, CAST(NULL AS VARCHAR) AS code WHERE FALSE"
    )
    for key, table in (("settlement_id", "settlement_diagnoses"), ("visit_id", "visit_diagnoses")):
        connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE {table} AS
            SELECT {key} AS key, list(DISTINCT code) AS codes FROM ({rows})
            WHERE code IS NOT NULL AND {key} IN (SELECT {key} FROM fired_line) GROUP BY {key}"""
        )


def name_origins(connection: duckdb.DuckDBPyConnection, files: Gathered) -> None:
    """Make the table `origin` (file_no, file): the input files as given, by the number that line numbers carry."""
    connection.execute("CREATE OR REPLACE TEMP TABLE origin (file_no BIGINT, file VARCHAR)")
    connection.executemany("INSERT INTO origin VALUES (?, ?)", [(number, str(path)) for number, path in files.origins])


def write_rejects(connection: duckdb.DuckDBPyConnection, files: Gathered, target: Path) -> None:
    """Write rejects.parquet: file, record, column, value, why; the table `origin` names the files."""
    rejected = one_number(connection, "SELECT count(*) FROM kind_census WHERE kind IN (1, 2)") > 0
    judged = (
        " UNION ALL ".join(facts.reject_query(source) for source in files.lines)
        if rejected
        else "SELECT 0::BIGINT AS file_no, 0::BIGINT AS record, '' AS column_name, '' AS value, '' AS why WHERE FALSE"
    )
    connection.execute(
        f"""COPY (SELECT file, record, column_name AS "column", value, why FROM {sqltext.parquet(files.reader_rejects)}
        UNION ALL SELECT file, record, column_name, left(value, 200), why FROM ({judged}) JOIN origin USING (file_no)
        ORDER BY file, record) TO {sqltext.text(str(target))} (FORMAT parquet)"""
    )
