"""The relations of a scan on one connection: census of all lines, lines of restricted items, their headers and diagnoses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import lay_aside, one_number
from checker.ingest import line_sql, lost_codes, lost_keys
from checker.ingest.headers import HEADER_PERSON
from checker.ingest.line_kind import KINDS, REJECTED
from checker.ingest.line_sql import HEADER_ONLY_WHERE_LINE_HAS_NONE
from checker.ingest.personal import example
from checker.ingest.settlement_flags import RefundSettlements, find_flagged_settlements
from checker.ingest.unreadable import Unreadable, count_unreadable
from checker.ingest.value_sql import SQL_TYPES
from checker.model import sqltext
from checker.model.errors import InputError
from checker.model.schema import LINE
from checker.model.words import lost_code_words

if TYPE_CHECKING:
    import duckdb

    from checker.ingest.columns import Header
    from checker.ingest.gather import Gathered
    from checker.ingest.lost_codes import LostCodes
    from checker.ingest.parts import Parts
    from checker.ingest.sources import Source

PIECE_NAMES = ("item_name", "local_item_name")
"""By which columns a decoction piece is told, the first that says it."""
COVERED_SERVICES = "00%"
"""Service codes of the system that the published knowledge speaks of; others (01…, 33…) are counted as not covered."""


@dataclass(frozen=True, slots=True)
class Census:
    """What became of all lines: read = judged + skipped + rejected."""

    read: int
    judged: int
    skipped: dict[str, int]
    rejected: dict[str, int]
    codes: dict[str, int]
    lost_codes: tuple[LostCodes, ...]
    unreadable: tuple[Unreadable, ...]


def with_stand_ins(connection: duckdb.DuckDBPyConnection, files: Gathered) -> Gathered:
    """The files, their lines with local codes to stand in for item codes where a crosswalk (kb_crosswalk) is in use, or the lines tell what is a
    decoction piece and how it is called.
    """
    crosswalk = one_number(connection, "SELECT count(*) FROM kb_crosswalk") > 0

    def stand_in(source: Source) -> tuple[Header, ...]:
        return source.map.found.get("local_item_code", ()) if crosswalk or tells_pieces(source) else ()

    return replace(files, lines=tuple(replace(source, stand_in=stand_in(source)) for source in files.lines))


def tells_pieces(source: Source) -> bool:
    """Whether lines say what is a decoction piece, and how it is called."""
    return source.map.has("charge_type") and any(map(source.map.has, PIECE_NAMES))


def gather_told(connection: duckdb.DuckDBPyConnection, files: Gathered, names: Sequence[str]) -> frozenset[str]:
    """Make `told_line` (line_no and the columns `names`) of the lines in `fired_line`; returns the columns that some input tells."""
    known = frozenset(name for name in names if any(source.map.has(name) for source in files.lines))
    telling = [source for source in files.lines if any(map(source.map.has, names))]
    connection.execute("CREATE OR REPLACE TEMP TABLE told_of AS SELECT DISTINCT line_no FROM fired_line")
    queries = [line_sql.told_query(source, "told_of", names) for source in telling]
    nothing = sqltext.nulls({name: SQL_TYPES[LINE[name].kind] for name in names})
    query = (
        line_sql.all_of(files.engine, connection, telling, queries)
        or f"SELECT 0::BIGINT AS line_no, {nothing} WHERE FALSE"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE told_line AS {query}")
    return known


def take_census(
    connection: duckdb.DuckDBPyConnection, files: Gathered, *, repair: bool = False, parts: Parts | None = None
) -> tuple[Census, dict[int, bool], RefundSettlements]:
    """Count all lines, as `count_lines` does.

    Raises InputError where lines were read but none can be judged.
    """
    counted = count_lines(connection, files, repair=repair, parts=parts)
    need_judged(connection, counted[0], files, counted[2])
    return counted


def count_lines(
    connection: duckdb.DuckDBPyConnection, files: Gathered, *, repair: bool = False, parts: Parts | None = None
) -> tuple[Census, dict[int, bool], RefundSettlements]:
    """Count all lines by code and kind; return the counts, which sources need their second code header, and what settlements
    say of their lines. With `repair` codes get back the leading zeros that they lost. What `parts` has is not counted again.
    """
    refunds = find_flagged_settlements(connection, files.settlements)
    second = line_sql.take_census(connection, files.lines, refund_settlements=refunds, engine=files.engine, parts=parts)
    line_sql.normalise_codes(connection, repair=repair)
    reader = one_number(
        connection, f"SELECT count(*) FROM {sqltext.parquet(*files.reader_rejects)} WHERE role = 'lines'"
    )
    by_kind = {
        KINDS[kind]: count
        for kind, count in connection.execute("SELECT kind, sum(n)::BIGINT FROM kind_census GROUP BY kind").fetchall()
    }
    rejected = {
        "record": reader,
        "service_time": by_kind.get("rejected_time", 0),
        "quantity": by_kind.get("rejected_quantity", 0),
        "valid_flag": by_kind.get("rejected_valid", 0) + by_kind.get("rejected_void_settlement", 0),
        "refund_flag": by_kind.get("rejected_refund", 0) + by_kind.get("rejected_settlement", 0),
        "amount": by_kind.get("rejected_amount", 0),
    }
    codes = dict(
        connection.execute(
            f"""SELECT CASE WHEN code IS NULL THEN 'no_code' WHEN code IN (SELECT local_code FROM kb_crosswalk) THEN 'crosswalk'
              WHEN lost IN ('{lost_codes.ZEROS}', '{lost_codes.UNLISTED}') THEN 'lost_zeros'
              WHEN lost = '{lost_codes.DIGITS}' THEN 'lost_digits' WHEN NOT is_known THEN 'no_national_shape'
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
            key: codes.get(key, 0)
            for key in (
                "national",
                "crosswalk",
                "service_system_not_covered",
                "no_national_shape",
                "lost_zeros",
                "lost_digits",
                "no_code",
            )
        },
        lost_codes=lost_codes.count_lost(connection, files.lines),
        unreadable=count_unreadable(connection, files.lines)
        + count_unreadable(connection, (*files.settlements, *files.visits, *files.diagnoses), ("valid_flag",)),
    )
    return census, second, refunds


def need_judged(
    connection: duckdb.DuckDBPyConnection,
    census: Census,
    files: Gathered,
    refunds: RefundSettlements,
) -> None:
    """Raise InputError where lines were read but none can be judged."""
    name = files.lines[0].table.origin[0]
    if census.read == 0:
        raise InputError(
            f"{name}：只有表头，没有明细行，请检查导出条件后重新导出（no lines in the input: export it again）"
        )
    if census.judged == 0:
        raise InputError(
            f"{name}：读入 {census.read} 行，没有一行可以判断（跳过 {sum(census.skipped.values())} 行，"
            f"无法读取 {sum(census.rejected.values())} 行{_first_reject(connection, files, refunds)}）；"
            "请检查时间、数量列和有效标志（lines read, none could be judged）"
        )


def need_codes(
    connection: duckdb.DuckDBPyConnection, census: Census, files: Gathered, *, by_name: bool, repair: bool = False
) -> None:
    """Raise InputError where no line has a national code, nor a local one that stands for such a code. `by_name`: some pieces are told by their names."""
    name = files.lines[0].table.origin[0]
    codes = census.codes
    if (
        codes["national"]
        + codes["crosswalk"]
        + codes["service_system_not_covered"]
        + (codes["lost_zeros"] if repair else 0)
        == 0
        and not by_name
    ):
        for lost in census.lost_codes:
            raise InputError(
                f"{name}：没有一行的项目编码是国家医保编码：{lost_code_words(*lost)[0]}（{lost_code_words(*lost)[1]}）"
            )
        code = connection.execute(
            f"SELECT ltrim(raw, {line_sql.LOCAL}) FROM code_census WHERE raw IS NOT NULL ORDER BY raw LIMIT 1"
        ).fetchone()
        shown = f"，例如“{example(code[0])}”" if code else ""
        raise InputError(
            f"{name}：没有一行的项目编码是国家医保编码{shown}；请检查编码列，或用 --map item_code=表头 指定"
            "（no line has a national item code: none could be judged）"
        )


def _first_reject(connection: duckdb.DuckDBPyConnection, files: Gathered, refunds: RefundSettlements) -> str:
    for source in files.lines:
        row = connection.execute(
            f"SELECT record, column_name, value, why FROM ({line_sql.reject_query(source, refund_settlements=refunds)}) LIMIT 1"
        ).fetchone()
        if row:
            return f"，例如第 {row[0]} 行“{row[1]}”列“{example(row[2] or '')}”{row[3]}"
    row = connection.execute(
        f"SELECT record, why FROM {sqltext.parquet(*files.reader_rejects)} WHERE role = 'lines' ORDER BY record LIMIT 1"
    ).fetchone()
    # Of the record itself nothing is shown: it may name a person.
    return f"，例如第 {row[0]} 条记录{row[1]}" if row else ""


def select_lines(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    second: dict[int, bool],
    *,
    refund_settlements: RefundSettlements,
    unneeded: frozenset[str],
    held: bool,
    in_memory: bool,
    parts: Parts,
    with_beside: bool,
) -> tuple[frozenset[str], tuple[Path, ...]]:
    """Make `staged_line`: the lines of the codes in `staged_raw` (judged and refunds, and `with_beside` what stands beside them), canonical and typed.

    They are `held` as they lie before anything is worked out of them, and `in_memory` afterwards, else in files of `parts`.
    Returns the columns that are left out, `unneeded` and those for careful reading where every line has an id and all keys can be read; and
    these files, if any.
    """
    for left_out in (unneeded | line_sql.CAREFUL, unneeded):
        careful = left_out == unneeded
        # Where there is no column of ids it is known beforehand.
        if careful or all(source.map.has("line_id") for source in files.lines):
            staged = _stage(
                connection, files, second, refund_settlements=refund_settlements, unneeded=left_out, held=held, in_memory=in_memory, parts=parts,
                name="stage" if careful else "plain stage", with_beside=with_beside,
            )  # fmt: skip
            if careful or not lost_keys.ask_for_care(connection, files.lines):
                return left_out, staged
    raise AssertionError("the careful reading is always the last")


def _stage(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    second: dict[int, bool],
    *,
    refund_settlements: RefundSettlements,
    unneeded: frozenset[str],
    held: bool,
    in_memory: bool,
    parts: Parts,
    name: str,
    with_beside: bool,
) -> tuple[Path, ...]:
    """Make `staged_line` in parts called by `name`; returns the files that hold it, if any."""

    def query(number: int, table: str = "") -> str:
        return line_sql.stage_query(
            files.lines[number], second=second[number], refund_settlements=refund_settlements, unneeded=unneeded, held=table,
            with_beside=with_beside,
        )  # fmt: skip

    here = not files.engine.part_lines
    if not in_memory or parts.long or not here:
        done = {number: kept[0] for number, source in enumerate(files.lines) if (kept := parts.kept(name, source))}
        wanted = {number: source for number, source in enumerate(files.lines) if number not in done}
        if held and here:
            for number, source in wanted.items():
                # In memory many would hardly find room, beside what reading takes.
                lying, file = f"held_line_{number}", parts.scratch("held")
                lay_aside(
                    connection, lying, line_sql.held_query(source, second=second[number], unneeded=unneeded), file
                )
                done[number] = parts.keep(connection, name, source, query(number, lying))
                connection.execute(f"DROP VIEW {lying}")
                file.unlink()
        else:
            answers = line_sql.ask(files.engine, connection, wanted.values(), [query(number) for number in wanted])
            for (number, source), rows in zip(wanted.items(), answers, strict=True):
                done[number] = parts.keep(connection, name, source, f"FROM {rows}")
        written = [done[number] for number in range(len(files.lines))]
        rows = f"SELECT * FROM read_parquet([{sqltext.paths(written)}], union_by_name = true)"
        connection.execute(f"CREATE OR REPLACE TEMP {'TABLE' if in_memory else 'VIEW'} staged_line AS {rows}")
        return () if in_memory else tuple(written)
    tables = [
        _lay_by(connection, number, source, second=second[number], unneeded=unneeded)
        for number, source in enumerate(files.lines)
    ]
    rows = " UNION ALL BY NAME ".join(query(number, table) for number, table in enumerate(tables))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE staged_line AS {rows}")
    for table in tables:
        connection.execute(f"DROP TABLE {table}")
    return ()


def _lay_by(
    connection: duckdb.DuckDBPyConnection, number: int, source: Source, *, second: bool, unneeded: frozenset[str]
) -> str:
    """Hold the lines of a source to be staged as they lie, which are few; returns the table."""
    lying = line_sql.held_query(source, second=second, unneeded=unneeded)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE held_line_{number} AS {lying}")
    return f"held_line_{number}"


def unneeded_columns(connection: duckdb.DuckDBPyConnection, files: Gathered, unasked: frozenset[str]) -> frozenset[str]:
    """The line columns that no judgment of this run can need: places without regional points, what a pharmacy tells where nobody can be
    the insured, that a code was repaired where none was, and those `unasked`, which no rule in use looks at; `care_type` tells of pharmacies too."""
    regional = one_number(
        connection,
        """SELECT count(*) FROM point
        WHERE point_region IS NOT NULL OR len(list_filter(exemptions, lambda e: e.region IS NOT NULL)) > 0""",
    )
    insured = any(
        source.map.has(name) for source in files.lines for name in ("insured_sex", "insured_birth_date", "insured_age")
    )
    insured |= any(source.map.has(name) for source in (*files.settlements, *files.visits) for name in HEADER_PERSON)
    repaired = one_number(connection, f"SELECT count(*) FROM code_map WHERE lost = '{lost_codes.REPAIRED}'") > 0
    return frozenset((
        *(() if repaired else ("code_repaired",)), *(() if regional else ("insured_region", "region")),
        *(() if line_sql.are_documents(files.lines) else ("document",)), *(() if insured else ("mutual_aid_amount",)),
        *(unasked - ({"care_type"} if insured else frozenset())),
    ))  # fmt: skip


def count_lines_of(connection: duckdb.DuckDBPyConnection, codes: str) -> int:
    """The number of lines, of any kind, of the codes in a table: `hot_raw`, the restricted ones, or `staged_raw`, all that are staged."""
    return one_number(connection, f"SELECT sum(n) FROM code_census WHERE raw IN (SELECT raw FROM {codes})")


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


def name_origins(connection: duckdb.DuckDBPyConnection, files: Gathered) -> None:
    """Make the table `origin` (file_no, file): the input files as given, by the number that line numbers carry."""
    connection.execute("CREATE OR REPLACE TEMP TABLE origin (file_no BIGINT, file VARCHAR)")
    numbers, names = [number for number, _ in files.origins], [str(path) for _, path in files.origins]
    # One statement: of thousands of files, one each takes seconds.
    connection.execute("INSERT INTO origin SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[])", [numbers, names])


def write_rejects(
    connection: duckdb.DuckDBPyConnection, files: Gathered, target: Path, *, refund_settlements: RefundSettlements
) -> None:
    """Write rejects.parquet: file, record, column, value, why; the table `origin` names the files."""
    rejected = (
        one_number(connection, f"SELECT count(*) FROM kind_census WHERE kind IN ({', '.join(map(str, REJECTED))})") > 0
    )
    judged = (
        line_sql.all_of(
            files.engine,
            connection,
            files.lines,
            [line_sql.reject_query(source, refund_settlements=refund_settlements) for source in files.lines],
        )
        if rejected
        else "SELECT 0::BIGINT AS file_no, 0::BIGINT AS record, '' AS column_name, '' AS value, '' AS why WHERE FALSE"
    )
    connection.execute(
        f"""COPY (SELECT file, record, column_name AS "column", value, why FROM {sqltext.parquet(*files.reader_rejects)}
        UNION ALL SELECT file, record, column_name, left(value, 200), why FROM ({judged}) JOIN origin USING (file_no)
        ORDER BY file, record) TO {sqltext.text(str(target))} (FORMAT parquet)"""
    )
