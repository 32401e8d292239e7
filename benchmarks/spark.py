"""The engine spark beside a Spark SQL join by hand, on one local cluster of two workers: `python -m benchmarks.spark`.

The join judges the five rules of `benchmarks.bare` on lines that tell the person: the points are broadcast, and the columns of findings written, but
for the evidence in words. It leaves out what the bare query leaves out; the scan judges all rules, nets refunds, and groups what it finds.
Both are whole processes, the start of Java and of the workers included.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import duckdb

from benchmarks.bare import POINTS, PREFIX
from benchmarks.measure import Command, alternate, run, warm_cache
from benchmarks.shared import KNOWLEDGE, RULES
from benchmarks.shared_files import in_files

MASTER = "local-cluster[2,1,1536]"

_QUERY = f"""
WITH matched AS (
  SELECT /*+ BROADCAST(pt) */ l.*, CAST(l.fee_ocur_time AS DATE) AS day, pt.*
  FROM lines l JOIN pt ON substring(l.med_list_codg, 1, {PREFIX}) = pt.k AND startswith(l.med_list_codg, pt.pat)
  WHERE l.vali_flag = '1' AND l.cnt >= 0 AND l.det_item_fee_sumamt >= 0 AND l.refd_setl_flag <> '1'
    AND l.fee_ocur_time >= pt.valid_from AND l.fee_ocur_time < pt.valid_to),
aged AS (
  SELECT *, nwb_flag = '1' AND NOT coalesce(datediff(day, brdy) BETWEEN 0 AND 28, false) AS mothers,
    CASE gend WHEN '1' THEN 'male' WHEN '2' THEN 'female' END AS sex,
    CASE WHEN brdy <= day AND floor(months_between(day, brdy) / 12) <= 130 THEN
      12 * (year(day) - year(brdy)) + month(day) - month(brdy) - CAST(day(day) < day(brdy) AS INT) END AS months,
    CASE WHEN brdy <= day AND floor(months_between(day, brdy) / 12) <= 130 THEN datediff(day, brdy) END AS days
  FROM matched),
judged AS (
  SELECT *, CASE WHEN NOT has_age THEN CASE WHEN mothers THEN NULL ELSE sex <> point_sex END
      WHEN mothers THEN CASE WHEN min_months > 0 OR min_days > 0 THEN NULL ELSE false END
      ELSE months < min_months OR days < min_days OR months >= max_months OR days >= max_days END AS violated,
    CASE rule_level WHEN 'definite' THEN 3 ELSE 2 END - CAST(has_age AND lenient AND months >= 168 AND months < 216 AS INT) AS weight
  FROM aged),
found AS (
  SELECT *, CASE WHEN exempt THEN 'exempt' WHEN violated THEN 'violation' ELSE 'undetermined' END AS verdict,
    CASE WHEN violated AND NOT exempt THEN
      element_at(array('notice', 'suspect', 'definite'), least(weight, CASE cap WHEN 'notice' THEN 1 WHEN 'suspect' THEN 2 ELSE 3 END)) END AS level
  FROM judged WHERE NOT (violated <=> false))
SELECT md5(concat_ws('\\u001f', fixmedins_code, mdtrt_id, bkkp_sn, med_list_codg, rule_id)) AS finding_id,
  bkkp_sn AS line_id, setl_id AS settlement_id, mdtrt_id AS visit_id, psn_no AS patient_id, fixmedins_code AS institution_id,
  fee_ocur_time AS service_time, med_list_codg AS item_code, hilist_name AS item_name, rule_id, rule_code, point_id, matched_by, verdict, level,
  CASE level WHEN 'definite' THEN 'recover' WHEN 'suspect' THEN 'review' ELSE 'note' END AS action,
  CASE WHEN violated THEN NULL WHEN mothers THEN 'newborn' WHEN NOT has_age THEN 'sex_missing' WHEN brdy IS NULL THEN 'birth_missing'
    ELSE 'birth_impossible' END AS reason_code,
  'line' AS scope, cnt AS quantity, det_item_fee_sumamt AS amount, inscp_amt AS amount_in_scope
FROM found
"""


def by_hand(files: list[str], out: Path, knowledge: Path) -> None:
    """Judge the lines of `files` by Spark SQL, and write the findings to the folder `out`."""
    from pyspark.sql import SparkSession

    points = out.with_suffix(".points.parquet")
    with duckdb.connect() as connection:
        connection.execute(POINTS.format(kb=knowledge, prefix=PREFIX, rules=", ".join(map(str, RULES))))
        connection.execute(f"COPY pt TO '{points}' (FORMAT parquet)")
    session = SparkSession.builder.master(MASTER).config("spark.ui.enabled", "false").getOrCreate()
    session.read.parquet(*files).createOrReplaceTempView("lines")
    session.read.parquet(str(points)).createOrReplaceTempView("pt")
    session.sql(_QUERY).write.mode("overwrite").parquet(str(out))
    session.stop()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20_000_000)
    parser.add_argument("--files", type=int, default=20, help="so many files, as Spark writes them")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("benchmarks/data"))
    parser.add_argument("--kb", type=Path, default=KNOWLEDGE)
    parser.add_argument("--by-hand", type=Path, help="run the query by hand alone, and write there")
    parser.add_argument("files_given", nargs="*")
    args = parser.parse_args()
    if args.by_hand:
        by_hand(args.files_given, args.by_hand, args.kb)
        return
    module = [sys.executable, "-m"]
    given = ["--lines", str(args.lines), "--data", str(args.data)]
    made = json.loads(run(Command([*module, "benchmarks.generate", *given])).output)["line_files"]
    files = in_files(made, args.data / f"files-{args.lines}-{args.files}", args.files)
    warm_cache(files)
    out = args.data / "spark"
    out.mkdir(parents=True, exist_ok=True)
    hand, product, here = out / "hand", out / "liangku", out / "here"
    scan = [*module, "checker.cli.main", "scan", *files, "--force", "--out"]
    commands = {
        "Spark SQL by hand": Command([*module, "benchmarks.spark", *files, "--by-hand", str(hand)], output=None, result=hand),
        "liangku, spark": Command(
            [*scan, str(product), "--engine", "spark", "--master", MASTER], accepted=(0, 1), output=None, result=product / "run.json"
        ),
        "liangku, duckdb": Command([*scan, str(here)], accepted=(0, 1), output=None, result=here / "run.json"),
    }  # fmt: skip
    runs = alternate(commands, args.repeat)
    least = runs["Spark SQL by hand"].seconds
    for name, taken in runs.items():
        print(f"{name}: {taken.failure or f'{taken.seconds:.2f} s, × {taken.seconds / least:.2f}'}")
    both = duckdb.execute(
        """SELECT count(*) FILTER (h.line_id IS NOT NULL AND s.line_id IS NOT NULL), count(h.line_id), count(s.line_id)
        FROM (SELECT DISTINCT line_id, rule_id FROM read_parquet($1)) h
        FULL JOIN (SELECT DISTINCT line_id, rule_id FROM read_parquet($2) WHERE rule_id IN (SELECT unnest($3))) s USING (line_id, rule_id)""",
        [f"{hand}/*.parquet", str(product / "findings.parquet"), [rule for rule, *_ in RULES]],
    ).fetchall()[0]
    print(f"lines and rules in both {both[0]:,}, by hand {both[1]:,}, in the scan {both[2]:,}")


if __name__ == "__main__":
    main()
