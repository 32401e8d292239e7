"""Decoction pieces with local codes, told by their names: which national codes of pieces that are never paid for local ones stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checker.ingest import line_sql, relations
from checker.ingest.relations import PIECE_NAMES
from checker.ingest.value_sql import clean_text, read_text
from checker.knowledge.names import item_key
from checker.model import sqltext
from checker.model.schema import NATIONAL_CODE, PIECE_CHARGE, Kind

if TYPE_CHECKING:
    import duckdb

    from checker.ingest.gather import Gathered
    from checker.ingest.settlement_flags import RefundSettlements
    from checker.ingest.sources import Source

PIECES = """SELECT DISTINCT p.point_name, t.code FROM pattern t JOIN point p USING (point_no)
WHERE p.never_paid IS NOT NULL AND t.role = 'item' AND t.match = 'code'"""
"""SQL of the names and national codes of the pieces that are never paid for."""


def find_named_pieces(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    second: dict[int, bool],
    *,
    refund_settlements: RefundSettlements,
) -> bool:
    """Make `named_code` (code, national_code): local codes whose lines are all pieces of one of these names; after the census. Returns whether there
    are any. In `code_map` codes of the local column that stand in for none get theirs.

    A code whose lines bear other names as well tells nothing. Lines are read where there are local codes and a column says what is a piece.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE named_code (code VARCHAR, national_code VARCHAR)")
    sources = [(number, source) for number, source in enumerate(files.lines) if relations.tells_pieces(source)]
    national = sources and {item_key(name): code for name, code in connection.execute(PIECES).fetchall()}
    if not national:
        return False
    local = read_text(clean_text(f"ltrim(raw, {line_sql.LOCAL})"), Kind.CODE)
    stood_in = f"CASE WHEN starts_with(raw, {line_sql.LOCAL}) THEN {local} END"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE local_raw AS SELECT raw, code FROM (SELECT raw, coalesce(code, {stood_in}) AS code FROM code_map)
        WHERE code IS NOT NULL AND NOT regexp_full_match(code, '{NATIONAL_CODE}') AND code NOT IN (SELECT local_code FROM kb_crosswalk)"""
    )
    row = connection.execute("SELECT count(*) FROM local_raw").fetchone()
    if not (row and row[0]):
        return False
    queries = [
        _query(source, second=second[number], refund_settlements=refund_settlements) for number, source in sources
    ]
    rows = line_sql.all_of(files.engine, connection, (source for _, source in sources), queries)
    names: dict[str, set[str | None]] = {}
    for code, name in connection.execute(f"SELECT DISTINCT code, name FROM ({rows})").fetchall():
        names.setdefault(code, set()).add(None if name is None else national.get(item_key(name)))
    found = [(code, *meant) for code, meant in names.items() if len(meant) == 1 and None not in meant]
    if found:
        connection.executemany("INSERT INTO named_code VALUES (?, ?)", found)
        connection.execute(
            """UPDATE code_map SET code = l.code FROM local_raw l
            WHERE l.raw = code_map.raw AND code_map.code IS NULL AND l.code IN (SELECT code FROM named_code)"""
        )
    return bool(found)


def _query(source: Source, *, second: bool, refund_settlements: RefundSettlements) -> str:
    """SQL of the local codes of a source and the names of their lines; NULL for those that are no pieces."""
    lines, code = line_sql.lines_of_codes(source, "local_raw", (), second=second, refund_settlements=refund_settlements)
    names = ", ".join(lines.read(name) for name in PIECE_NAMES if source.map.has(name))
    is_piece = f"regexp_matches({lines.read('charge_type')}, {sqltext.text(PIECE_CHARGE)})"
    return f"SELECT DISTINCT {code} AS code, CASE WHEN {is_piece} THEN coalesce({names}) END AS name FROM {lines.of_kinds(0)}"
