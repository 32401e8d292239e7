"""The measure of all things: one DuckDB query by hand, for these five rules and these files only.

It joins lines to patterns and points, judges by CASE, and writes the same finding columns as the product except the
evidence in words. It knows what its author knows about the files (typed columns, clean codes, one person column a
fact), and leaves out what a product cannot leave out: rejects, duplicates, refunds, conflicts, exemptions bound to a
diagnosis, counts. `python -m benchmarks.bare FILES... --out FILE`.

The join goes by a prefix key and starts_with. The other shape, resolving the distinct codes into a table first and
joining by equality, was tried on 20 million lines: about 5 % slower, flat and national, for reading the codes twice.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from benchmarks.shared import KNOWLEDGE, RULES

if TYPE_CHECKING:
    import pyarrow as pa

PREFIX = 11
"""All families are at least this long: this many characters are the key of the join, starts_with does the rest."""

# The points with their bounds in the unit in which they are counted; `word_*` is the bound that 儿童 and the like set.
POINTS = """
CREATE TABLE pt AS
SELECT DISTINCT ON (p.rule_id, q.code, p.valid_from, p.valid_to)
       left(q.code, {prefix}) AS k, q.code AS pat, q.match AS matched_by,
       p.point_id, r.rule_id, r.rule_code, r.level AS rule_level, p.sex AS point_sex, p.subject,
       p.valid_from, coalesce(p.valid_to, DATE '9999-12-31') AS valid_to, coalesce(p.level_cap, 'definite') AS cap,
       p.age_word IS NOT NULL OR p.age_min IS NOT NULL OR p.age_max IS NOT NULL AS has_age,
       coalesce(CASE p.age_min_unit WHEN 'year' THEN p.age_min * 12 WHEN 'month' THEN p.age_min END, 0) AS min_months,
       coalesce(CASE p.age_min_unit WHEN 'day' THEN p.age_min END, 0) AS min_days,
       CASE WHEN p.age_max IS NOT NULL
            THEN CASE p.age_max_unit WHEN 'year' THEN p.age_max * 12 WHEN 'month' THEN p.age_max ELSE 9999 END
            ELSE CASE p.age_word WHEN '婴儿' THEN 12 WHEN '婴幼儿' THEN 36 WHEN '儿童' THEN 168 WHEN '小儿' THEN 168
                 ELSE 9999 END
       END AS max_months,
       CASE WHEN p.age_max IS NOT NULL THEN CASE p.age_max_unit WHEN 'day' THEN p.age_max ELSE 99999 END
            WHEN p.age_word = '新生儿' THEN 29 ELSE 99999 END AS max_days,
       p.age_max IS NULL AND p.age_word IN ('儿童', '小儿') AS lenient,
       p.item_name IN (
           SELECT i.value FROM '{kb}/exemption.parquet' e JOIN '{kb}/exemption_item.parquet' i USING (exemption_id)
           WHERE e.rule_id = p.rule_id AND e.effect = 'exempt' AND e.diagnoses IS NULL AND i.match = 'name') AS exempt
FROM (FROM '{kb}/point.parquet' JOIN '{kb}/item.parquet' USING (point_id)) p JOIN '{kb}/pattern.parquet' q USING (point_id)
JOIN (VALUES {rules}) r(rule_id, rule_code, level) USING (rule_id)
ORDER BY p.point_id
"""

# Points of one rule that apply to one code on one day although their patterns differ: only then one must be chosen
# line by line.
_OVERLAPS = """
SELECT count(*) FROM pt a JOIN pt b
    ON a.k = b.k AND a.rule_id = b.rule_id AND (a.point_id, a.pat) <> (b.point_id, b.pat)
    AND starts_with(b.pat, a.pat) AND a.valid_from < b.valid_to AND b.valid_from < a.valid_to
"""
_FIRST_POINT = """
QUALIFY row_number() OVER (
    PARTITION BY l.filename, l.file_row_number, rule_id
    ORDER BY matched_by, len(pat) DESC, valid_from DESC, point_id) = 1
"""

_LINE = (
    "bkkp_sn, setl_id, mdtrt_id, psn_no, fixmedins_code, fee_ocur_time, med_list_codg, hilist_name, "
    "cnt, det_item_fee_sumamt, inscp_amt"
)

_MATCHED = """
SELECT {columns}, fee_ocur_time::DATE AS day, pt.* EXCLUDE (k)
FROM {lines} l
JOIN pt ON left(l.med_list_codg, {prefix}) = pt.k AND starts_with(l.med_list_codg, pt.pat)
WHERE l.vali_flag = '1' AND l.cnt >= 0 AND l.det_item_fee_sumamt >= 0 {not_refunded}
  AND l.fee_ocur_time >= pt.valid_from AND l.fee_ocur_time < pt.valid_to
{first_point}
"""

_FLAT = "SELECT *, false AS no_header, false AS nobody FROM matched"
_NATIONAL = """
SELECT m.*, gend, brdy, nwb_flag, h.setl_id IS NULL AS no_header,
       coalesce(med_type LIKE '41%' AND subject = '就诊人', false) AS nobody
FROM matched m LEFT JOIN (
    SELECT setl_id, gend, brdy, nwb_flag, refd_setl_flag FROM '{settlements}' WHERE vali_flag = '1'
) h USING (setl_id)
WHERE coalesce(h.refd_setl_flag, '0') <> '1'
"""

_JUDGE = """
COPY (
WITH matched AS ({matched}), person AS ({person}), aged AS (
    SELECT *, nwb_flag = '1' AND NOT coalesce(day - brdy BETWEEN 0 AND 28, false) AS mothers,
           CASE gend WHEN '1' THEN 'male' WHEN '2' THEN 'female' END AS sex,
           CASE WHEN brdy <= day AND date_sub('year', brdy, day) <= 130 THEN
                12 * (year(day) - year(brdy)) + month(day) - month(brdy) - (day(day) < day(brdy))::INT END AS months,
           CASE WHEN brdy <= day AND date_sub('year', brdy, day) <= 130 THEN day - brdy END AS days
    FROM person
), judged AS (
    SELECT *, CASE
        WHEN NOT has_age THEN CASE WHEN mothers OR nobody THEN NULL ELSE sex <> point_sex END
        WHEN mothers THEN CASE WHEN min_months > 0 OR min_days > 0 THEN NULL ELSE false END
        WHEN nobody THEN NULL
        ELSE months < min_months OR days < min_days OR months >= max_months OR days >= max_days END AS violated,
        CASE rule_level WHEN 'definite' THEN 3 ELSE 2 END
            - (has_age AND lenient AND months >= 168 AND months < 216)::INT AS weight
    FROM aged
), found AS (
    SELECT *, CASE WHEN exempt THEN 'exempt' WHEN violated THEN 'violation' ELSE 'undetermined' END AS verdict,
        CASE WHEN violated AND NOT exempt THEN ['notice', 'suspect', 'definite'][
            least(weight, CASE cap WHEN 'notice' THEN 1 WHEN 'suspect' THEN 2 ELSE 3 END)] END AS level
    FROM judged WHERE violated IS DISTINCT FROM false
)
SELECT md5(concat_ws(chr(31), fixmedins_code, mdtrt_id, bkkp_sn, med_list_codg, rule_id)) AS finding_id,
    bkkp_sn AS line_id, setl_id AS settlement_id, mdtrt_id AS visit_id, psn_no AS patient_id,
    fixmedins_code AS institution_id, fee_ocur_time AS service_time,
    med_list_codg AS item_code, hilist_name AS item_name,
    rule_id, rule_code, point_id, matched_by, verdict, level,
    CASE level WHEN 'definite' THEN 'recover' WHEN 'suspect' THEN 'review' ELSE 'note' END AS action,
    CASE WHEN violated THEN NULL WHEN no_header THEN 'header_missing' WHEN mothers THEN 'newborn' WHEN nobody THEN 'patient_unknown'
         WHEN NOT has_age THEN 'sex_missing' WHEN brdy IS NULL THEN 'birth_missing'
         ELSE 'birth_impossible' END AS reason_code,
    'line' AS scope, cnt AS quantity, det_item_fee_sumamt AS amount, inscp_amt AS amount_in_scope
FROM found
) TO '{out}' (FORMAT parquet)
"""


def run(
    files: list[str], out: str, settlements: str | None = None, knowledge: Path = KNOWLEDGE, memory: str = "1GB"
) -> int:
    """Judge the lines of `files` and write the findings; return how many there are."""
    return _judge(_connect(out, memory), f"read_parquet({[*files]}{{numbered}})", out, settlements, knowledge)


def run_table(table: pa.Table, out: str, knowledge: Path = KNOWLEDGE, memory: str = "1GB") -> int:
    """The same for lines in memory, which know their persons."""
    con = _connect(out, memory)
    con.register("lines_in_memory", table)
    numbered = "(SELECT *, '' AS filename, row_number() OVER () AS file_row_number FROM lines_in_memory)"
    return _judge(con, "lines_in_memory", out, None, knowledge, numbered)


def _connect(out: str, memory: str) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        config={
            "threads": 2,
            "memory_limit": memory,
            "temp_directory": f"{out}.tmp",
            "preserve_insertion_order": False,
        }
    )


def _judge(
    con: duckdb.DuckDBPyConnection, lines: str, out: str, settlements: str | None, knowledge: Path, numbered: str = ""
) -> int:
    """Judge the lines of a relation, or where one of several points must be chosen those of `numbered`."""
    con.execute(POINTS.format(kb=knowledge, prefix=PREFIX, rules=", ".join(map(str, RULES))))
    overlaps = con.execute(_OVERLAPS).fetchall()[0][0]
    columns = f"{_LINE}, med_type" if settlements else f"{_LINE}, gend, brdy, nwb_flag"
    if overlaps and numbered:
        lines = numbered
    matched = _MATCHED.format(
        columns=columns, prefix=PREFIX,
        lines=lines.format(numbered=", file_row_number=true, filename=true" if overlaps else ""),
        not_refunded="" if settlements else "AND l.refd_setl_flag <> '1'",
        first_point=_FIRST_POINT if overlaps else "",
    )  # fmt: skip
    person = _NATIONAL.format(settlements=settlements) if settlements else _FLAT
    con.execute(_JUDGE.format(matched=matched, person=person, out=out))
    return int(con.execute(f"SELECT count(*) FROM '{out}'").fetchall()[0][0])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--out", required=True)
    parser.add_argument("--settlements")
    parser.add_argument("--kb", type=Path, default=KNOWLEDGE)
    args = parser.parse_args()
    print(run(args.files, args.out, args.settlements, args.kb))


if __name__ == "__main__":
    main()
