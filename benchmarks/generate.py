"""Make settlement data for the benchmarks from the knowledge base's own codes: `python -m benchmarks.generate`.

Two shapes of the same lines: *flat* (the person's columns on every line) and *national* (fee_list_d without a person,
and setl_d with one row a settlement). Every value comes from a hash of the line's or settlement's number and a fixed
salt, so the same arguments give the same rows. DuckDB streams the rows to Parquet under a memory limit.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from benchmarks.shared import KNOWLEDGE

DATA = Path("benchmarks/data")

ROW_GROUP = 1_000_000
"""Lines in a row group: about what Spark and pyarrow write. With the small groups of DuckDB (122,880) 60,000 codes no longer fit a dictionary."""
LINES_PER_FILE = 20_000_000
LINES_PER_SETTLEMENT = 8
CODES = 60_000
INSTITUTIONS = 500
VERSION = 3
"""Part of the folder's name, beside the knowledge's hash; raised when the generated rows change."""

# Shares of the generated lines or settlements, in units of 1 / 10,000.
RESTRICTED = 300
UNFIT = 400
"""of the restricted lines: an item drawn from those that do not fit the person"""
TERMS_OF_RESTRICTED = 2000
"""of the restricted lines: an item that is paid only on some terms (insurance, care, level …), fitting or not as the others are"""
REFUND_OF_ODD = 200
"""of every second line, so about 1 % of all: the line gives back the line before it"""
DUPLICATE_OF_ODD = 20
INVALID = 40
SEX_MISSING = 50
BIRTH_MISSING = 50
HEADER_STALE = 10
"""settlements with a second header, valid_flag 0 and the other sex"""
HEADER_ABSENT = 5


@dataclass(frozen=True, slots=True)
class DataSet:
    """The files of one generated data set."""

    folder: str
    shape: str
    lines: int
    line_files: tuple[str, ...]
    settlements: str | None
    bytes: int


# (number, sex, youngest and oldest age in days at any service of the year): who buys a restricted item.
_PROFILES = [
    (2 * n + s, sex, low, high)
    for n, (low, high) in enumerate(((0, 27), (29, 900), (915, 5080), (6600, 33_200)))
    for s, sex in enumerate(("male", "female"))
]

_IN_STAYS, _ANYWHERE, _NOWHERE, _COUNTED = range(1 + 2 * len(_PROFILES), 5 + 2 * len(_PROFILES))
"""The lists of items paid on terms, and of those of which it counts what else is on file."""
_WORD_DAYS = "CASE age_word WHEN '新生儿' THEN 28 WHEN '婴儿' THEN 365 WHEN '婴幼儿' THEN 1095 ELSE 5113 END"


def _unit_days(column: str) -> str:
    return f"{column} * CASE {column}_unit WHEN 'year' THEN 365.25 WHEN 'month' THEN 30.4375 ELSE 1 END"


def _make_items(con: duckdb.DuckDBPyConnection, knowledge: Path) -> list[tuple[int, int]]:
    """Create the table `items` (slot, code, name, price) and return offset and size of each list in it.

    List 0 is ordinary; then come two lists a profile, the limited items that fit it and those that do not; at the end the items paid on terms that
    a stay meets, that any visit meets, and that hardly any does, and those of which it counts what else is on file.
    """
    con.execute(f"""
        CREATE TABLE limited AS
        WITH patterns AS (
            SELECT match, code, max(published_codes) AS n, min(point_id) AS point_id
            FROM '{knowledge / "pattern.parquet"}' SEMI JOIN '{knowledge / "item.parquet"}' USING (point_id) GROUP BY ALL
        ), limits AS (
            SELECT q.match, q.code,
                   max(p.sex) AS sex,
                   max(coalesce({_unit_days("age_min")}, 0)) AS low,
                   min(CASE WHEN age_word IS NULL AND age_max IS NULL THEN 99999
                            WHEN age_max IS NULL THEN {_WORD_DAYS}
                            ELSE {_unit_days("age_max")} END) AS high
            FROM '{knowledge / "pattern.parquet"}' q
            JOIN '{knowledge / "item.parquet"}' p USING (point_id) GROUP BY ALL
        ), spread AS (
            SELECT q.*, unnest(range(CASE match WHEN 'code' THEN 1 ELSE greatest(1, least(n, 60)) END)) AS k
            FROM patterns q
        )
        SELECT DISTINCT ON (full_code) full_code, p.item_name, l.sex, l.low, l.high
        FROM (SELECT s.*, CASE match WHEN 'code' THEN s.code
                    ELSE s.code || right(printf('%012d', (hash(s.code || k) % 1000000000)::BIGINT),
                                         CASE s.code[1] WHEN 'X' THEN 23 ELSE 20 END - len(s.code)) END AS full_code
              FROM spread s) s
        JOIN limits l USING (match, code) JOIN '{knowledge / "point.parquet"}' p USING (point_id)
        ORDER BY full_code, len(s.code) DESC
    """)
    con.execute(f"""
        CREATE TABLE termed AS
        SELECT DISTINCT ON (full_code) full_code, item_name,
               CASE WHEN care_groups IS NOT NULL THEN {_IN_STAYS} WHEN min_rank IS NOT NULL OR barred_channel IS NOT NULL THEN {_ANYWHERE}
                    ELSE {_NOWHERE} END AS list
        FROM (SELECT *, CASE WHEN q.match = 'code' THEN q.code
                ELSE q.code || right(printf('%012d', (hash(q.code) % 1000000000)::BIGINT), CASE q.code[1] WHEN 'X' THEN 23 ELSE 20 END - len(q.code))
              END AS full_code
              FROM '{knowledge / "pattern.parquet"}' q JOIN '{knowledge / "terms.parquet"}' USING (point_id)
              JOIN '{knowledge / "point.parquet"}' USING (point_id) WHERE q.role = 'item')
        ORDER BY full_code, list""")
    others = " UNION ALL ".join(
        f"SELECT point_id FROM '{knowledge / name}.parquet'" for name in ("quota", "pair", "evidence")
    )
    con.execute(f"""
        CREATE TABLE counted AS
        SELECT DISTINCT ON (full_code) full_code, item_name
        FROM (SELECT *, CASE WHEN match = 'code' THEN code
                ELSE code || right(printf('%012d', (hash(code || k) % 1000000000)::BIGINT), CASE code[1] WHEN 'X' THEN 23 ELSE 20 END - len(code))
              END AS full_code
              FROM (SELECT *, unnest(range(CASE match WHEN 'code' THEN 1 ELSE greatest(1, least(published_codes, 60)) END)) AS k
                    FROM '{knowledge / "pattern.parquet"}' SEMI JOIN ({others}) USING (point_id))
              JOIN '{knowledge / "point.parquet"}' USING (point_id))
        WHERE full_code NOT IN (SELECT full_code FROM limited) AND full_code NOT IN (SELECT full_code FROM termed)
        ORDER BY full_code""")
    restricted = int(
        con.execute(
            "SELECT (SELECT count(*) FROM limited) + (SELECT count(*) FROM termed) + (SELECT count(*) FROM counted)"
        ).fetchall()[0][0]
    )
    con.execute(f"""
        CREATE TABLE ordinary AS
        WITH made AS (
            SELECT i, CASE
                WHEN i % 100 < 45 THEN 'XA' || printf('%02d', i % 15)
                     || chr(65 + (i % 7)::INT) || chr(65 + (i % 5)::INT) || chr(65 + (i % 3)::INT)
                     || printf('%03d', i % 1000) || 'A' || printf('%03d', i % 19) || printf('%09d', i)
                WHEN i % 100 < 65 THEN 'ZA' || printf('%02d', i % 18) || 'AA' || chr(65 + (i % 6)::INT)
                     || printf('%04d', i % 9999) || printf('%09d', i)
                WHEN i % 100 < 75 THEN 'T' || printf('%09d', i)
                WHEN i % 100 < 94 THEN '0012' || printf('%011d', i)
                WHEN i % 100 < 99 THEN 'C' || printf('%019d', i)
                ELSE 'LOCAL' || i END AS code,
                '普通项目' || (i % 5000) AS name
            FROM range({2 * CODES}) t(i)
        )
        SELECT m.* FROM made m
        WHERE NOT EXISTS (
            FROM '{knowledge / "pattern.parquet"}' q WHERE m.code[:11] = q.code[:11] AND starts_with(m.code, q.code))
        ORDER BY i LIMIT {max(CODES - restricted, 1000)}
    """)
    con.execute("CREATE TABLE profile (g INT, sex VARCHAR, low INT, high INT)")
    con.executemany("INSERT INTO profile VALUES (?, ?, ?, ?)", _PROFILES)
    con.execute(f"""
        CREATE TABLE items AS
        WITH lists AS (
            SELECT 0 AS list, code, name FROM ordinary
            UNION ALL
            SELECT 1 + 2 * g + (NOT ((l.sex IS NULL OR l.sex = p.sex) AND p.low >= l.low AND p.high <= l.high))::INT,
                   full_code, item_name
            FROM limited l, profile p
            UNION ALL
            SELECT list, full_code, item_name FROM termed
            UNION ALL
            SELECT {_COUNTED}, full_code, item_name FROM counted
        )
        SELECT (row_number() OVER (ORDER BY list, hash(code)) - 1)::BIGINT AS slot, list, code, name,
               ((100 + hash(code || 'p') % 20000) / 100)::DECIMAL(16, 6) AS price
        FROM lists
    """)
    sizes = dict(con.execute("SELECT list, (min(slot), count(*)) FROM items GROUP BY 1").fetchall())
    return [sizes.get(n, (0, 0)) for n in range(1 + _COUNTED)]


def _settlement_sql(first: str, lines: int, carried: str = "") -> str:
    """What follows from a settlement's number `v` alone: person, place and time.

    `first` is a relation with v and the `carried` columns.
    """
    total = max(lines // LINES_PER_SETTLEMENT, 1)
    return f"""
    SELECT v, hv, {carried}
        CASE WHEN g < 4 THEN 'N' ELSE 'P' END || printf('%011d', CASE WHEN g < 4 THEN v ELSE person END) AS psn_no,
        CASE WHEN hash(v * 64 + 21) % 10000 < {SEX_MISSING} THEN CASE WHEN v % 2 = 0 THEN '0' END
             ELSE (1 + g % 2)::VARCHAR END AS gend,
        CASE WHEN hash(v * 64 + 22) % 10000 < {BIRTH_MISSING} THEN NULL
             WHEN g < 2 THEN day - (hash(v * 64 + 29) % 28)::INT
             WHEN g < 4 THEN day - 29 - (hash(v * 64 + 29) % 870)::INT
             WHEN g < 6 THEN DATE '2025-12-01' - 1100 - (hash(person * 64 + 23) % 3790)::INT
             ELSE DATE '2025-12-01' - 6800 - (hash(person * 64 + 23) % 26000)::INT END AS brdy,
        CASE WHEN g < 2 THEN (hash(v * 64 + 19) % 2)::VARCHAR
             WHEN g = 7 AND hash(v * 64 + 24) % 1000 < 3 THEN '1' ELSE '0' END AS nwb_flag,
        CASE WHEN person % 3 = 0 THEN '310' ELSE '390' END AS insutype,
        CASE hash(v * 64 + 18) % 5 WHEN 0 THEN '41' WHEN 1 THEN '21' ELSE '11' END AS med_type,
        CASE WHEN hv % 100 < 60 THEN '05' WHEN hv % 100 < 95 THEN '01' ELSE '08' END AS hosp_lv,
        'H3707' || printf('%07d', hv % {INSTITUTIONS}) AS fixmedins_code,
        '第' || hv % {INSTITUTIONS} || '定点医药机构' AS fixmedins_name,
        '3708' || printf('%02d', hv % 12) AS insu_admdvs, g, base
    FROM (
        SELECT *, base::DATE AS day,
            CASE WHEN hv % 100 = 0 THEN 0 WHEN hv % 100 < 4 THEN 2
                 WHEN hash(person * 64 + 25) % 96 < 14 THEN 4 ELSE 6 END + (hash(person * 64 + 26) % 2)::INT AS g
        FROM (
            SELECT v, {carried} hash(v * 64 + 20) AS hv,
                   (hash(v * 64 + 27) % {max(total // 3, 1000)})::BIGINT AS person,
                   TIMESTAMP '2025-06-01 08:00:00' + to_days((v * 365 // {total})::INT)
                       + to_seconds((hash(v * 64 + 28) % 36000)::INT) AS base
            FROM {first}))"""


def _lines_sql(start: int, stop: int, lines: int, lists: list[tuple[int, int]], columns: str, counted: int) -> str:
    offsets = "CASE list " + " ".join(f"WHEN {n} THEN {offset}" for n, (offset, _) in enumerate(lists)) + " END"
    sizes = "CASE list " + " ".join(f"WHEN {n} THEN {max(size, 1)}" for n, (_, size) in enumerate(lists)) + " END"
    return f"""
    WITH numbered AS (
        SELECT i, i // {LINES_PER_SETTLEMENT} AS v,
               CASE WHEN i % 2 = 0 THEN NULL
                    WHEN hash(i * 64 + 30) % 10000 < {REFUND_OF_ODD} THEN 'refund'
                    WHEN hash(i * 64 + 30) % 10000 < {REFUND_OF_ODD + DUPLICATE_OF_ODD} THEN 'duplicate' END AS kind
        FROM range({start}, {stop}) t(i)
    ), settled AS (
        SELECT *, hash(src * 64 + 31) AS h
        FROM ({_settlement_sql("(SELECT *, i - (kind IS NOT NULL)::INT AS src FROM numbered)", lines, "i, kind, src,")})
    ), listed AS (
        SELECT *, CASE WHEN h % 10000 >= {RESTRICTED + counted} THEN 0 WHEN h % 10000 >= {RESTRICTED} THEN {_COUNTED}
                       WHEN hash(src * 64 + 37) % 10000 < {TERMS_OF_RESTRICTED} THEN
                         CASE WHEN hash(src * 64 + 32) % 10000 < {UNFIT} THEN {_NOWHERE} WHEN med_type = '21' THEN {_IN_STAYS} ELSE {_ANYWHERE} END
                       ELSE 1 + 2 * g + (hash(src * 64 + 32) % 10000 < {UNFIT})::INT END AS list,
               pow((hash(src * 64 + 33) % 1000003) / 1000003.0, 2) AS u
        FROM settled
    ), slotted AS (
        SELECT *, {offsets} + floor(u * {sizes})::BIGINT AS slot,
               (1 + hash(src * 64 + 34) % 4)::INT AS bought, hash(src * 64 + 35) AS hd
        FROM listed
    ), counted AS (
        SELECT l.*, m.code, m.name, m.price,
               CASE WHEN kind IS DISTINCT FROM 'refund' THEN bought WHEN i % 4 = 1 THEN -1 ELSE -bought END AS n
        FROM slotted l JOIN items m USING (slot)
    )
    SELECT {columns} FROM counted"""


_BEFORE = """
    'F' || printf('%015d', CASE WHEN kind = 'duplicate' THEN src ELSE i END) AS bkkp_sn,
    'M' || printf('%014d', v) AS mdtrt_id,
    base + to_seconds((src % 8 * 60)::INT) AS fee_ocur_time,
    'S' || printf('%014d', v) AS setl_id,
    'R' || printf('%015d', src // 4) AS rx_drord_no,
    fixmedins_code, fixmedins_name, psn_no,"""
_PERSON = "gend, brdy, nwb_flag, insutype, hosp_lv,"
_AFTER = f"""
    insu_admdvs, med_type,
    n::DECIMAL(16, 4) AS cnt, price AS pric,
    (n * price)::DECIMAL(16, 2) AS det_item_fee_sumamt, (n * price)::DECIMAL(16, 2) AS inscp_amt,
    (1 + hd % 3)::VARCHAR AS chrgitm_lv, code AS med_list_codg, name AS hilist_name,
    'L' || code[-8:] AS medins_list_codg, name AS medins_list_name,
    '科室' || hv % 40 AS bilg_dept_name, '医生' || hv % 4000 AS bilg_dr_name,
    (1 + hd % 30)::DECIMAL(6, 0) AS prd_days,
    CASE WHEN hash(i * 64 + 36) % 10000 < {INVALID} THEN '0' ELSE '1' END AS vali_flag,
    base + INTERVAL 1 DAY AS updt_time,
    CASE WHEN kind = 'refund' AND i % 8 < 4 THEN 'F' || printf('%015d', src) END AS init_feedetl_sn"""
_FLAT_COLUMNS = f"{_BEFORE} {_PERSON} {_AFTER}, '0' AS refd_setl_flag"
_NATIONAL_COLUMNS = f"{_BEFORE} {_AFTER}"


def _headers_sql(lines: int) -> str:
    total = (lines + LINES_PER_SETTLEMENT - 1) // LINES_PER_SETTLEMENT
    return f"""
    SELECT 'S' || printf('%014d', v) AS setl_id, 'M' || printf('%014d', v) AS mdtrt_id, NULL::VARCHAR AS init_setl_id,
        psn_no,
        CASE WHEN stale THEN CASE gend WHEN '1' THEN '2' ELSE '1' END ELSE gend END AS gend, brdy,
        date_sub('year', brdy, base::DATE)::DECIMAL(4, 1) AS age, insutype, nwb_flag, insu_admdvs,
        fixmedins_code, fixmedins_name, hosp_lv,
        base::DATE AS begndate, base::DATE AS enddate, base + INTERVAL 1 HOUR AS setl_time, med_type,
        (hv % 100000 / 100)::DECIMAL(16, 2) AS medfee_sumamt, '0' AS refd_setl_flag,
        CASE WHEN stale THEN '0' ELSE '1' END AS vali_flag
    FROM (
        SELECT *, unnest(CASE WHEN hash(v * 64 + 40) % 10000 < {HEADER_ABSENT} THEN []
                              WHEN hash(v * 64 + 41) % 10000 < {HEADER_STALE} THEN [true, false]
                              ELSE [false] END) AS stale
        FROM ({_settlement_sql(f"range({total}) t(v)", lines)}))"""


def _copy(con: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    part = target.with_suffix(".part")
    con.execute(f"COPY ({query}) TO '{part}' (FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP})")
    part.rename(target)


def make(
    lines: int, shape: str, data: Path = DATA, knowledge: Path = KNOWLEDGE, memory: str = "2GB", counted: int = 0
) -> DataSet:
    """Return the data set of this size and shape, generating it where it is not there yet. Of so many lines of 10,000 (`counted`) it counts what
    else is on file: how often the item was used, beside what, for which diagnosis, after which drug.
    """
    content = json.loads((knowledge / "manifest.json").read_text()).get("content_hash", "none")
    folder = data / f"v{VERSION}-{content[:8]}-{shape}-{lines}{f'-{counted}' if counted else ''}"
    described = folder / "dataset.json"
    if described.exists():
        held = json.loads(described.read_text())
        return DataSet(**{**held, "line_files": tuple(held["line_files"])})
    folder.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(config={"memory_limit": memory, "threads": 2, "temp_directory": str(folder / "tmp")})
    lists = _make_items(con, knowledge)
    columns = _FLAT_COLUMNS if shape == "flat" else _NATIONAL_COLUMNS
    name = "fee_list_flat" if shape == "flat" else "fee_list_d"
    files = []
    for number, start in enumerate(range(0, lines, LINES_PER_FILE)):
        files.append(folder / f"{name}_{number:03d}.parquet")
        _copy(con, _lines_sql(start, min(start + LINES_PER_FILE, lines), lines, lists, columns, counted), files[-1])
    headers = None
    if shape == "national":
        headers = folder / "setl_d.parquet"
        _copy(con, _headers_sql(lines), headers)
    con.close()
    size = sum(f.stat().st_size for f in [*files, *([headers] if headers else [])])
    made = DataSet(str(folder), shape, lines, tuple(map(str, files)), str(headers) if headers else None, size)
    described.write_text(json.dumps(asdict(made), indent=1))
    return made


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20_000_000)
    parser.add_argument("--shape", choices=("flat", "national"), default="flat")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--kb", type=Path, default=KNOWLEDGE)
    parser.add_argument(
        "--counted", type=int, default=0, help="of 10,000 lines, those of which it counts what else is on file"
    )
    args = parser.parse_args()
    start = time.perf_counter()
    made = make(args.lines, args.shape, args.data, args.kb, counted=args.counted)
    print(json.dumps({**asdict(made), "seconds": round(time.perf_counter() - start, 1)}, ensure_ascii=False))


if __name__ == "__main__":
    main()
