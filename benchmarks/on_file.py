"""What looks at other lines too, beside two queries by hand: `python -m benchmarks.on_file`.

`pairs` finds the lines of an item that an item of the same patient and institution contains, on its day, within its hours or in its visit;
`sums` finds the lines beyond what the fund pays of an item a day. Each knows its one rule and these files (typed columns, clean codes,
every person named), and leaves out what a product cannot leave out: refunds, duplicates, stays, levels, words. The scan judges all rules.
Both find what stands on the line alone, so that their lines are compared: what the scan has not of them was taken back, stands twice, or is of
a bed or an hour within a stay, whose days it counts together.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import duckdb

from benchmarks.measure import Command, alternate, run, warm_cache
from benchmarks.shared import KNOWLEDGE

_LINES = """
CREATE TABLE line AS SELECT bkkp_sn, psn_no, fixmedins_code, mdtrt_id, fee_ocur_time, cnt, med_list_codg
FROM read_parquet({files}) WHERE vali_flag = '1' AND cnt >= 0 AND det_item_fee_sumamt >= 0
  AND med_list_codg IN (SELECT code FROM '{kb}/pattern.parquet' JOIN '{kb}/point.parquet' USING (point_id) WHERE rule_id = '{rule}')"""

_PAIRS = """
COPY (
  SELECT DISTINCT a.bkkp_sn FROM '{kb}/pair.parquet' p JOIN '{kb}/point.parquet' d ON d.point_id = p.point_id AND d.rule_id = 'service-pair'
  JOIN '{kb}/pattern.parquet' item ON item.point_id = p.point_id AND item.role = 'item'
  JOIN '{kb}/pattern.parquet' within ON within.point_id = p.point_id AND within.role = 'container'
  JOIN line a ON a.med_list_codg = item.code JOIN line b
    ON b.med_list_codg = within.code AND b.psn_no = a.psn_no AND b.fixmedins_code = a.fixmedins_code AND b.bkkp_sn <> a.bkkp_sn
  WHERE a.fee_ocur_time >= d.valid_from AND a.fee_ocur_time < coalesce(d.valid_to, DATE '9999-12-31')
    AND CASE p.pair_interval WHEN 'day' THEN a.fee_ocur_time::DATE = b.fee_ocur_time::DATE WHEN 'visit' THEN a.mdtrt_id = b.mdtrt_id
      WHEN 'one_hour' THEN abs(epoch(a.fee_ocur_time - b.fee_ocur_time)) <= 3600 ELSE abs(epoch(a.fee_ocur_time - b.fee_ocur_time)) <= 21600 END
) TO '{out}' (FORMAT parquet)"""

_SUMS = """
COPY (
  SELECT bkkp_sn FROM (
    SELECT bkkp_sn, quota_most, sum(cnt) OVER (
      PARTITION BY psn_no, fixmedins_code, med_list_codg, fee_ocur_time::DATE ORDER BY fee_ocur_time, bkkp_sn) AS so_far
    FROM line JOIN '{kb}/pattern.parquet' ON code = med_list_codg JOIN '{kb}/quota.parquet' USING (point_id) JOIN '{kb}/point.parquet' d USING (point_id)
    WHERE quota = 'day' AND fee_ocur_time >= d.valid_from AND fee_ocur_time < coalesce(d.valid_to, DATE '9999-12-31'))
  WHERE so_far > quota_most
) TO '{out}' (FORMAT parquet)"""

QUERIES = {"pairs": (_PAIRS, "service-pair"), "sums": (_SUMS, "service-frequency")}


def by_hand(name: str, files: list[str], out: str, knowledge: Path) -> None:
    """Write the line ids that one of the queries finds."""
    query, rule = QUERIES[name]
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB", "preserve_insertion_order": False}) as connection:
        connection.execute(_LINES.format(files=files, kb=knowledge, rule=rule))
        connection.execute(query.format(kb=knowledge, out=out))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20_000_000)
    parser.add_argument("--counted", type=int, default=700)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("benchmarks/data"))
    parser.add_argument("--kb", type=Path, default=KNOWLEDGE)
    parser.add_argument("--query", choices=QUERIES, help="run this query by hand on FILES alone")
    parser.add_argument("--out", help="where the query writes")
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    if args.query:
        by_hand(args.query, args.files, args.out, args.kb)
        return
    module = [sys.executable, "-m"]
    given = ["--lines", str(args.lines), "--counted", str(args.counted), "--data", str(args.data)]
    files = json.loads(run(Command([*module, "benchmarks.generate", *given])).output)["line_files"]
    warm_cache(files)
    out = args.data / "on_file"
    out.mkdir(parents=True, exist_ok=True)
    found, scanned = {name: out / f"{name}.parquet" for name in QUERIES}, out / "liangku"
    commands = {
        name: Command(
            [*module, "benchmarks.on_file", *files, "--query", name, "--out", str(path)], output=path, result=path
        )
        for name, path in found.items()
    }
    scan = [*module, "checker.cli.main", "scan", *files, "--out", str(scanned), "--force"]
    commands["liangku"] = Command(scan, accepted=(0, 1), output=scanned, result=scanned / "run.json")
    for name, taken in alternate(commands, args.repeat).items():
        print(f"{name}: {taken.seconds:.2f} s, {taken.peak_mb:.0f} MB")
    for name, (_, rule) in QUERIES.items():
        both, by_query, by_scan = duckdb.execute(
            """SELECT count(*) FILTER (q.bkkp_sn IS NOT NULL AND s.line_id IS NOT NULL), count(q.bkkp_sn), count(s.line_id)
            FROM read_parquet($1) q FULL JOIN (SELECT DISTINCT line_id FROM read_parquet($2) WHERE rule_id = $3) s ON s.line_id = q.bkkp_sn""",
            [str(found[name]), str(scanned / "findings.parquet"), rule],
        ).fetchall()[0]
        print(f"{name}: {by_query:,} lines by hand, {by_scan:,} of {rule} in the scan, {both:,} in both")


if __name__ == "__main__":
    main()
