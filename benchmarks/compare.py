"""Do two contestants find the same? `python -m benchmarks.compare REFERENCE OTHER --lines FILES...`, JSON on stdout.

Findings are compared by line id, rule, verdict and level. What only a product does is taken out of the comparison and
counted: a line that stands in the file twice is one line, and lines of an item that is given back within the same visit
are left out (`--netting`), because the product takes the refund off them and the hand-written query does not; so are the
few lines of women in whose visit something else speaks of a birth: the product doubts whose they are.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.shared import RULES


def findings(path: Path) -> str:
    """Return the Parquet pattern of a contestant's findings: its file, or what is in the product's folder."""
    if path.is_file():
        return str(path)
    return str(path / "findings.parquet" if (path / "findings.parquet").exists() else path / "findings" / "*.parquet")


def compare(
    reference: Path, other: Path, lines: list[str], netting: bool = False, first: int | None = None
) -> dict[str, Any]:
    """Return how many findings are compared, how many only one side has, and how many are left out for refunds."""
    con = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
    key = "line_id, rule_id, verdict, coalesce(level, '') AS level"
    # The other contestants know the rules on sex and age; what the others find has nobody to compare it with.
    within = f"WHERE rule_id IN ({', '.join(repr(rule) for rule, *_ in RULES)})"
    if first is not None:
        within += f" AND line_id IN (SELECT bkkp_sn FROM read_parquet('{lines[0]}') LIMIT {first})"
    for name, path in (("ours", reference), ("theirs", other)):
        con.execute(
            f"CREATE TABLE {name} AS SELECT DISTINCT {key}, visit_id, item_code FROM '{findings(path)}' {within}"
        )
    left_out = 0
    if netting:
        con.execute(f"""
            CREATE TABLE refunded AS
            SELECT DISTINCT mdtrt_id AS visit_id, med_list_codg AS item_code FROM read_parquet({lines})
            WHERE (cnt < 0 OR det_item_fee_sumamt < 0)
              AND med_list_codg IN (SELECT item_code FROM ours UNION SELECT item_code FROM theirs)
        """)
        before = con.execute("SELECT count(*) FROM ours").fetchall()[0][0]
        for name in ("ours", "theirs"):
            con.execute(
                f"DELETE FROM {name} WHERE (visit_id, item_code) IN (SELECT (visit_id, item_code) FROM refunded)"
            )
        con.execute(f"""
            CREATE TABLE beside_birth AS SELECT line_id, rule_id FROM '{findings(other)}' WHERE reason_code = 'newborn'
              AND (line_id, rule_id) IN (SELECT (line_id, rule_id) FROM ours WHERE verdict = 'violation')
        """)
        for name in ("ours", "theirs"):
            con.execute(f"DELETE FROM {name} WHERE (line_id, rule_id) IN (SELECT (line_id, rule_id) FROM beside_birth)")
        left_out = before - con.execute("SELECT count(*) FROM ours").fetchall()[0][0]
    compared = con.execute("SELECT count(*) FROM ours").fetchall()[0][0]
    missing = con.execute("SELECT count(*) FROM (FROM ours EXCEPT FROM theirs)").fetchall()[0][0]
    extra = con.execute("SELECT count(*) FROM (FROM theirs EXCEPT FROM ours)").fetchall()[0][0]
    return {
        "compared": compared,
        "missing": missing,
        "extra": extra,
        "left_out": left_out,
        "equal": missing == extra == 0,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--lines", nargs="+", required=True)
    parser.add_argument("--netting", action="store_true", help="leave out what the product nets against refunds")
    parser.add_argument("--first", type=int, help="compare the first lines of the first file only")
    args = parser.parse_args()
    print(json.dumps(compare(args.reference, args.other, args.lines, args.netting, args.first)))


if __name__ == "__main__":
    main()
