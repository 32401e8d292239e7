"""The indicators beside one query by hand: `python -m benchmarks.indicators`.

The query groups the same: lines to visits, visits to the sixteen sets of cells (all, level, insurance, institution; each month and all; each care and
all), with what was charged by class, visits, and distinct persons. It knows its files (typed columns, clean codes, no duplicates looked for, refunds as
they lie), and reads no other value. What differs is that the indicators find duplicates, class items by name and write all indicators.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import duckdb

from benchmarks.measure import Command, alternate, run, warm_cache

_CLASS = """CASE WHEN med_list_codg >= 'X' OR starts_with(med_list_codg, 'T') THEN 'drug' WHEN starts_with(med_list_codg, 'C') THEN 'consumable'
  WHEN starts_with(med_list_codg, '002103') THEN 'ct' WHEN starts_with(med_list_codg, '002102') THEN 'mri'
  WHEN left(med_list_codg, 4) IN ('0021', '0022', '0023', '0025', '0027') THEN 'examination' WHEN left(med_list_codg, 4) IN ('0024', '0031', '0032', '0034')
  THEN 'treatment' END"""
_CLASSES = ("drug", "consumable", "ct", "mri", "examination", "treatment")
_WHO = "insutype, hosp_lv, med_type"
_SETS = [
    f"({', '.join(key for key in (grain, month, care) if key)})"
    for grain in ("", "hosp_lv", "insutype", "fixmedins_code")
    for month in ("month", "")
    for care in ("care", "")
]
_QUERY = """COPY (
  WITH line AS (SELECT *, {classed} AS class FROM read_parquet({files}) WHERE vali_flag = '1'),
  charged AS (
    SELECT mdtrt_id, fixmedins_code, psn_no, {key}, max(fee_ocur_time) AS last_day, sum(det_item_fee_sumamt) AS amount, {sums} FROM line GROUP BY ALL),
  visit AS (SELECT *, date_trunc('month', {time}) AS month,
      CASE WHEN med_type LIKE '2%' THEN 'inpatient' WHEN med_type = '41' THEN 'pharmacy' ELSE 'outpatient' END AS care
    FROM charged {joined})
  SELECT hosp_lv, insutype, fixmedins_code, month, care, count(*) FILTER (amount > 0) AS visits, count(DISTINCT psn_no) AS persons, sum(amount) AS cost,
    {totals} FROM visit GROUP BY GROUPING SETS ({sets})
) TO '{out}' (FORMAT parquet)"""


def by_hand(files: list[str], settlements: str | None, out: str) -> None:
    """Write the cells that the query groups."""
    joined = f"JOIN (SELECT setl_id, setl_time, {_WHO} FROM '{settlements}' WHERE vali_flag = '1') USING (setl_id)"
    query = _QUERY.format(
        classed=_CLASS, files=files, out=out, sets=", ".join(_SETS), key="setl_id" if settlements else _WHO,
        time="setl_time" if settlements else "last_day", joined=joined if settlements else "",
        sums=", ".join(f"sum(CASE WHEN class = '{each}' THEN det_item_fee_sumamt END) AS {each}" for each in _CLASSES),
        totals=", ".join(f"sum({each}) AS {each}" for each in _CLASSES),
    )  # fmt: skip
    config = {"threads": 2, "memory_limit": "6GB", "temp_directory": f"{out}.tmp", "preserve_insertion_order": False}
    with duckdb.connect(config=config) as connection:
        connection.execute(query)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("benchmarks/data"))
    parser.add_argument("--hand", help="run the query by hand on FILES alone and write here")
    parser.add_argument("--settlements")
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    if args.hand:
        by_hand(args.files, args.settlements, args.hand)
        return
    module = [sys.executable, "-m"]
    for shape in ("flat", "national"):
        given = ["--lines", str(args.lines), "--shape", shape, "--data", str(args.data)]
        data = json.loads(run(Command([*module, "benchmarks.generate", *given])).output)
        files = data["line_files"]
        held = [*files, *(["--settlements", data["settlements"]] if data["settlements"] else [])]
        warm_cache(files)
        out = args.data / "indicators"
        out.mkdir(parents=True, exist_ok=True)
        hand, ours = out / "hand.parquet", out / "liangku"
        commands = {
            "by hand": Command([*module, "benchmarks.indicators", *held, "--hand", str(hand)], output=hand, result=hand),
            "liangku": Command(
                [*module, "checker.cli.main", "indicators", *held, "--out", str(ours), "--force"], accepted=(0,), output=ours, result=ours / "run.json"
            ),
        }  # fmt: skip
        for name, taken in alternate(commands, args.repeat).items():
            print(f"{shape}, {name}: {taken.seconds:.2f} s, {taken.peak_mb:.0f} MB")
        visits, persons, cost = duckdb.execute(
            f"SELECT visits, persons, cost FROM '{hand}' WHERE coalesce(hosp_lv, insutype, fixmedins_code, care) IS NULL AND month IS NULL"
        ).fetchall()[0]
        told = dict(
            duckdb.execute(
                f"SELECT indicator, numerator FROM '{ours / 'indicators.parquet'}' WHERE \"grain\" = 'all' AND care = 'all' AND month IS NULL"
            ).fetchall()
        )
        print(
            f"{shape}: by hand {visits:,} visits, {persons:,} persons, {cost:,.2f} yuan; "
            f"ours {told['visits']:,.0f}, {told['persons']:,.0f}, {told['total_cost']:,.2f}"
        )


if __name__ == "__main__":
    main()
