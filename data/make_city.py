"""Make a city whose truth is known: `python data/make_city.py FOLDER [--lines N] [--institutions N]`.

A year of settlements in the national layout with planted violations, wrong mappings, parents' cards, unflagged newborns, refunds, uploads that came twice, and
persons registered wrongly. `truth.parquet` says of each planted line what it is, `mapping_errors.csv` which item was meant. Every value comes from a hash of
a number and a salt, so that the same arguments give the same rows.
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Sequence
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
KNOWLEDGE = ROOT / "knowledge_base" / "built"
ITEMS = ROOT / "data" / "samples" / "plan" / "items.csv"
ADULTS, PER_INSTITUTION = 400, 4
"""Visits have two to eight lines; of each institution four doctors in each of six departments."""

VIOLATION, PARENTS, NEWBORN, WRONG_PERSON, TWICE, REFUNDED = 40, 60, 30, 20, 60, 200
"""Of 10,000 visits: with a planted violation, by a parent's card, of a birth; persons registered wrongly; uploaded twice; given back."""

TABLES = ("fee_list_d", "setl_d", "setl_list_diag_d")

MEANT = (
    "布洛芬缓释胶囊", "盐酸氨溴索口服溶液", "蒙脱石散", "阿莫西林胶囊", "头孢克肟分散片", "奥美拉唑肠溶胶囊", "硝苯地平控释片", "二甲双胍缓释片",
    "阿托伐他汀钙片", "氯雷他定片", "孟鲁司特钠咀嚼片", "复方甘草片", "银黄颗粒", "板蓝根颗粒", "藿香正气口服液", "六味地黄丸", "双氯芬酸钠缓释片",
    "维生素C片", "多潘立酮片", "左氧氟沙星片", "尿沉渣镜检", "腹部彩超", "血常规检查", "心电图检查", "肝功能测定", "静脉输液", "肌肉注射", "雾化吸入治疗",
    "中频脉冲电治疗", "普通针刺", "糖化血红蛋白测定", "甲状腺功能三项", "凝血酶原时间测定", "胃镜检查", "肠镜检查", "眼底检查", "听力测定", "骨密度测定",
    "肺功能检查", "动态血压监测",
)  # fmt: skip
"""Items of no limit that institutions map wrongly, invented codes of national shape."""


def _pick(salt: str, number: str, of: str) -> str:
    """SQL of a number from 0 to `of` - 1, by chance of a salt and a number."""
    return f"(hash({number}, '{salt}') % ({of}))::BIGINT"


def make_city(folder: Path, lines: int, institutions: int, months: Sequence[str] = ()) -> None:
    """Write the files of the city into the folder; with `months` (2026-03) only the lines of these, a zipped CSV each, and their settlements."""
    folder.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute("SET memory_limit = '4GB'")
    con.execute("SET preserve_insertion_order = false")
    _make_items(con)
    _make_visits(con, lines // 5, institutions)
    _make_lines(con, institutions)
    _make_files(con)
    for month in months:
        _write_month(con, folder, month)
    if not months:
        _write(con, folder)


def _make_items(con: duckdb.DuckDBPyConnection) -> None:
    """`item` (n, code, name, fits, price): fits is male, female, child, or any."""
    kb = KNOWLEDGE.as_posix()
    con.execute(
        f"""CREATE TABLE listed AS
        SELECT p.rule_id, p.item_name, i.sex, i.age_word, i.age_min, i.age_max, x.code, x.match FROM '{kb}/point.parquet' p
        JOIN '{kb}/item.parquet' i USING (point_id) JOIN '{kb}/pattern.parquet' x USING (point_id)
        WHERE x.role = 'item' AND p.valid_to IS NULL AND p.valid_from <= DATE '2025-06-01' AND p.region IS NULL AND p.level_cap IS NULL"""
    )
    con.execute(
        f"""CREATE TABLE limited AS
        SELECT any_value(item_name) AS name, CASE WHEN match = 'family' THEN code || CASE WHEN code LIKE 'X%' THEN '010100101'
          ELSE '010101001' END ELSE code END AS code,
          CASE WHEN any_value(sex) = 'male' THEN 'male' WHEN any_value(sex) = 'female' THEN 'female' ELSE 'child' END AS fits
        FROM listed WHERE (sex IS NOT NULL AND rule_id IN ('drug-sex', 'service-sex') OR age_word = '儿童' AND age_min IS NULL AND age_max IS NULL
          AND rule_id IN ('drug-child-only', 'service-child-only'))
        GROUP BY code, match HAVING count(DISTINCT rule_id) = 1
          AND NOT bool_or(left(code, 14) IN (SELECT left(code, 14) FROM '{kb}/pattern.parquet' JOIN '{kb}/point.parquet' USING (point_id)
            WHERE rule_id NOT IN ('drug-sex', 'service-sex', 'drug-child-only', 'service-child-only')))"""
    )
    con.execute(
        f"""CREATE TABLE item AS
        WITH chosen AS (
          SELECT name, code, fits, row_number() OVER (PARTITION BY fits, left(code, 1) ORDER BY hash(code, 'item')) AS place
            FROM limited WHERE length(code) IN (15, 20, 23)),
        many AS (
          SELECT code, name, fits FROM chosen WHERE place <= 15
          UNION ALL SELECT code, name, 'any' FROM read_csv('{ITEMS.as_posix()}', all_varchar = true) WHERE used_as = 'ordinary' AND length(code) IN (15, 20, 23)
          UNION ALL SELECT CASE WHEN i < 20 THEN printf('XA99ZZA%03dA001010100%03d', i, i) ELSE printf('0099%011d', i) END, name, 'any'
            FROM (SELECT unnest({list(MEANT)!r}) AS name, unnest(range({len(MEANT)})) AS i))
        SELECT row_number() OVER (ORDER BY fits, code) - 1 AS n, code, name, fits, 5 + hash(code, 'price') % 200 AS price
        FROM (SELECT DISTINCT ON (name) * FROM many ORDER BY name, code)"""
    )
    for fits in ("male", "female", "child", "any"):
        con.execute(
            f"CREATE TABLE {fits}_item AS SELECT row_number() OVER (ORDER BY n) - 1 AS k, code, name, price FROM item WHERE fits = '{fits}'"
        )


def _make_visits(con: duckdb.DuckDBPyConnection, visits: int, institutions: int) -> None:
    """`person` and `visit`: who came when to which doctor, and what is planted in it."""
    persons = max(1000, visits // 6)
    con.execute(
        f"""CREATE TABLE person AS SELECT i AS person, CASE WHEN {_pick("sex", "i", "2")} = 0 THEN 'male' ELSE 'female' END AS sex,
          CASE WHEN {_pick("kind", "i", "5")} = 0 THEN DATE '2025-06-01' - INTERVAL (400 + {_pick("age", "i", "3800")}) DAY
            ELSE DATE '2025-06-01' - INTERVAL (8000 + {_pick("age", "i", "20000")}) DAY END::DATE AS birth FROM range({persons}) t(i)"""
    )
    con.execute(
        f"""CREATE TABLE visit AS
        SELECT v AS visit, {_pick("place", "v", str(institutions))} AS institution, {_pick("who", "v", str(persons))} AS person,
          {_pick("plant", "v", "10000")} AS plant, {_pick("dept", "v", "6")} AS department, {_pick("doctor", "v", "4")} AS doctor,
          TIMESTAMP '2025-06-01 08:00:00' + INTERVAL ({_pick("day", "v", "330")}) DAY + INTERVAL ({_pick("second", "v", "30000")}) SECOND AS moment,
          2 + {_pick("size", "v", "7")} AS size FROM range({visits}) t(v)"""
    )
    con.execute(
        f"""CREATE TABLE planned AS SELECT v.*, p.sex, p.birth, p.birth > DATE '2025-06-01' - INTERVAL 5000 DAY AS is_child,
          CASE WHEN plant < {VIOLATION} THEN 'violation'
            WHEN plant < {VIOLATION + PARENTS} AND date_diff('day', birth, moment) BETWEEN 8200 AND 18000 THEN 'parents_card'
            WHEN plant < {VIOLATION + PARENTS + NEWBORN} AND sex = 'female' AND date_diff('day', birth, moment) BETWEEN 8200 AND 15000 THEN 'newborn'
            WHEN plant BETWEEN 1000 AND {1000 + WRONG_PERSON - 1} THEN 'wrong_person'
            WHEN plant BETWEEN 2000 AND {2000 + TWICE - 1} THEN 'twice' WHEN plant BETWEEN 3000 AND {3000 + REFUNDED - 1} THEN 'refunded'
            ELSE '' END AS planted
        FROM visit v JOIN person p USING (person)"""
    )


def _make_lines(con: duckdb.DuckDBPyConnection, institutions: int) -> None:
    """`line` with what it truly is, and `mapping` of what is mapped wrongly: one item in every fifth institution, charged as often as others."""
    con.execute(
        f"""CREATE TABLE mapping AS
        SELECT i.institution, w.code AS item_code, w.name AS item_name, m.code AS meant_code, m.name AS meant_name,
          'L' || i.institution || '-' || m.code AS local_code FROM (
          SELECT t.i AS institution, t.i // 5 AS error FROM range({institutions}) t(i) WHERE t.i % 5 = 3) i
        JOIN (SELECT row_number() OVER (ORDER BY hash(code, 'wrong')) - 1 AS place, * FROM item WHERE fits <> 'any') w
          ON w.place = i.error % (SELECT count(*) FROM item WHERE fits <> 'any')
        JOIN (SELECT row_number() OVER (ORDER BY code) - 1 AS place, * FROM item WHERE name IN ({", ".join(repr(name) for name in MEANT)})) m
          ON m.place = i.error % {len(MEANT)}"""
    )
    count = {
        fits: con.execute(f"SELECT count(*) FROM {fits}_item").fetchone()[0]
        for fits in ("male", "female", "child", "any")
    }  # type: ignore[index]
    con.execute(
        f"""CREATE TABLE drawn AS
        SELECT *, visit * 16 + k AS line,
          CASE
            WHEN planted = 'violation' AND k = 0 THEN CASE WHEN is_child OR {_pick("which", "visit", "2")} = 0 THEN CASE sex WHEN 'male'
              THEN 'female' ELSE 'male' END ELSE 'child' END
            WHEN planted = 'parents_card' AND k < 2 THEN 'child' WHEN planted = 'newborn' AND k = 0 THEN 'child'
            WHEN {_pick("limited", "visit * 16 + k", "10")} < 3 OR (planted IN ('wrong_person', 'refunded') AND k = 0)
              THEN CASE WHEN is_child AND {_pick("young", "visit * 16 + k", "2")} = 0 THEN 'child' ELSE sex END
            ELSE 'any' END AS fits
        FROM (SELECT *, unnest(range(size)) AS k FROM planned)"""
    )
    chosen = " UNION ALL BY NAME ".join(
        f"""SELECT d.*, i.code AS right_code, i.name AS right_name, i.price FROM drawn d JOIN {fits}_item i
        ON i.k = (hash(d.visit, 'item', CASE WHEN planted = 'parents_card' THEN d.k ELSE d.k + 20 END) % {count[fits]})::BIGINT WHERE d.fits = '{fits}'"""
        for fits in count
    )
    # An institution charges the item that it maps wrongly on one line in sixty.
    con.execute(
        f"""CREATE TABLE line AS
        SELECT c.line, c.visit, c.institution, c.person, c.department, c.doctor, c.moment, c.sex, c.birth, c.is_child, c.planted, c.k, c.price,
          CASE WHEN wrong THEN m.item_code ELSE right_code END AS item_code, CASE WHEN wrong THEN m.item_name ELSE right_name END AS item_name,
          CASE WHEN wrong THEN m.local_code ELSE 'L' || c.institution || '-' || right_code END AS local_code,
          CASE WHEN wrong THEN m.meant_name ELSE right_name END || CASE c.institution % 4 WHEN 0 THEN '(规格' || (c.institution % 7) || ')' WHEN 1
            THEN '' WHEN 2 THEN '（院内）' ELSE '' END AS local_name,
          wrong,
          CASE WHEN wrong THEN 'mapping_error' WHEN planted = 'violation' AND k = 0 THEN 'violation' WHEN planted = 'parents_card' AND k < 2 THEN 'parents_card'
            WHEN planted = 'newborn' AND k = 0 THEN 'newborn' WHEN planted = 'wrong_person' AND k = 0 THEN 'wrong_person' ELSE 'clean' END AS truth
        FROM (SELECT c.*, m.item_code IS NOT NULL AND c.fits = 'any' AND {_pick("mapped", "c.line", "40")} = 0 AS wrong
          FROM ({chosen}) c LEFT JOIN mapping m USING (institution)) c LEFT JOIN mapping m USING (institution)"""
    )


def _make_files(con: duckdb.DuckDBPyConnection) -> None:
    """The tables of the national layout: `fee_list_d`, `setl_d` and `setl_list_diag_d`."""
    flipped = "CASE WHEN planted = 'wrong_person' THEN CASE sex WHEN 'male' THEN '2' ELSE '1' END ELSE CASE sex WHEN 'male' THEN '1' ELSE '2' END END"
    departments = "['内科', '外科', '儿科', '妇产科', '急诊科', '全科']"
    seen_in = """CASE WHEN planted = 'parents_card' THEN 3 WHEN planted = 'newborn' THEN 4 WHEN department = 2 AND NOT is_child THEN 1
        ELSE department + 1 END"""
    department = f"{departments}[{seen_in}]"
    common = f"""'B' || line AS bkkp_sn, 'M' || visit AS mdtrt_id, 'S' || visit AS setl_id, CAST(NULL AS VARCHAR) AS init_feedetl_sn,
        printf('H9901%07d', institution) AS fixmedins_code, '示例医院' || institution AS fixmedins_name, 'P' || person AS psn_no, item_code AS hilist_code,
        item_name AS hilist_name, local_code AS medins_list_codg, local_name AS medins_list_name, {department} AS bilg_dept_name,
        '医生' || institution || '-' || department || '-' || doctor AS bilg_dr_name, moment + INTERVAL (k) MINUTE AS fee_ocur_time, 1.0 AS cnt,
        price::DOUBLE AS pric, price::DOUBLE AS det_item_fee_sumamt, price::DOUBLE AS inscp_amt, '1' AS vali_flag,
        CASE WHEN planted = 'newborn' THEN '2101' ELSE '11' END AS med_type"""
    con.execute(
        f"""CREATE OR REPLACE TABLE fee_list_d AS
        SELECT {common} FROM line
        UNION ALL BY NAME SELECT {common} FROM line WHERE planted = 'twice'
        UNION ALL BY NAME SELECT * REPLACE ('R' || bkkp_sn AS bkkp_sn, bkkp_sn AS init_feedetl_sn, -cnt AS cnt, -det_item_fee_sumamt AS det_item_fee_sumamt,
          -inscp_amt AS inscp_amt) FROM (SELECT {common} FROM line WHERE planted = 'refunded' OR (truth = 'violation' AND {_pick("back", "line", "20")} = 0))"""
    )
    con.execute(
        f"""CREATE TABLE setl_d AS
        SELECT 'S' || visit AS setl_id, 'M' || visit AS mdtrt_id, 'P' || person AS psn_no, {flipped} AS gend, strftime(birth, '%Y-%m-%d') AS brdy,
          '310' AS insutype, CASE WHEN planted = 'newborn' THEN '2101'
            ELSE '11' END AS med_type, 100.0 AS medfee_sumamt, 70.0 AS fund_pay_sumamt, '0' AS refd_setl_flag, '1' AS vali_flag
        FROM planned"""
    )
    con.execute(
        """CREATE TABLE setl_list_diag_d AS
        SELECT 'S' || visit AS setl_id, 'M' || visit AS mdtrt_id, CASE WHEN planted = 'newborn' THEN 'Z37.000' ELSE 'J06.900' END AS diag_code,
          CASE WHEN planted = 'newborn' THEN '单一活产' ELSE '急性上呼吸道感染' END AS diag_name, '1' AS vali_flag
        FROM planned"""
    )


def _write(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write the city's files, and what is true of it."""
    for table in TABLES:
        con.execute(f"COPY {table} TO '{folder.as_posix()}/{table}.parquet' (FORMAT parquet)")
    con.execute(
        f"""COPY (SELECT 'B' || line AS line_id, truth, planted, (planted = 'refunded' OR (truth = 'violation'
          AND {_pick("back", "line", "20")} = 0)) AS refunded FROM line WHERE truth <> 'clean')
        TO '{folder.as_posix()}/truth.parquet' (FORMAT parquet)"""
    )
    con.execute(
        f"COPY (SELECT printf('H9901%07d', institution) AS institution_id, * EXCLUDE (institution) FROM mapping) TO '{folder.as_posix()}/mapping_errors.csv'"
    )


def _write_month(con: duckdb.DuckDBPyConnection, folder: Path, month: str) -> None:
    """Write the lines, settlements and diagnoses of a month as an institution sends them: a CSV of each, zipped, in one order."""
    con.execute("SET preserve_insertion_order = true")
    of_month = f"setl_id IN (SELECT setl_id FROM fee_list_d WHERE strftime(fee_ocur_time, '%Y-%m') = '{month}')"
    for table in TABLES:
        file = folder / f"{table}.csv"
        con.execute(
            f"COPY (SELECT * FROM {table} WHERE {of_month} ORDER BY ALL) TO '{file.as_posix()}' (FORMAT csv, HEADER)"
        )
        entry = zipfile.ZipInfo(f"{table}.csv", date_time=(2026, 5, 1, 0, 0, 0))
        with zipfile.ZipFile(folder / f"{table}-{month}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
        file.unlink()


def main() -> None:
    """Read the arguments and make the city."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--institutions", type=int, default=200)
    parser.add_argument("--months", nargs="*", default=[], metavar="YYYY-MM")
    given = parser.parse_args()
    make_city(given.folder, given.lines, given.institutions, given.months)


if __name__ == "__main__":
    main()
