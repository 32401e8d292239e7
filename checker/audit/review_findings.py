"""The findings of a run that can be decided: its violations. Of what could not be judged nothing is claimed, and what is exempt is none."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from checker.audit.decisions import Decision
from checker.audit.run_folder import RunFolder

_NEEDED = (
    "finding_id", "line_id", "institution_id", "institution_name", "item_code", "item_name", "service_time", "rule_id", "rule_name",
    "point_id", "matched_by", "expected", "actual", "person_hash", "amount", "amount_at_stake", "class", "cluster_id", "source_file", "source_record",
)  # fmt: skip


def violations(run: RunFolder) -> pl.DataFrame:
    """The violations of a run, in the order of its file."""
    rows = pl.scan_parquet(run.file("findings"), glob=False).filter(pl.col("verdict") == "violation")
    return rows.select(*_NEEDED).collect()


def verdicts(run: RunFolder) -> dict[str, str]:
    """The verdict of each finding that is no violation."""
    rows = pl.scan_parquet(run.file("findings"), glob=False).filter(pl.col("verdict") != "violation")
    return dict(rows.select("finding_id", "verdict").collect().iter_rows())


def with_decisions(findings: pl.DataFrame, decisions: Mapping[str, Decision]) -> pl.DataFrame:
    """The findings with what was decided: `decision` and `refunded` yuan, NULL where nothing was."""
    rows = [(each.finding_id, each.decision, each.amount) for each in decisions.values()]
    schema: dict[str, type[pl.DataType] | pl.DataType] = {
        "finding_id": pl.String,
        "decision": pl.String,
        "refunded": pl.Decimal(18, 2),
    }
    return findings.join(pl.DataFrame(rows, schema=schema, orient="row"), on="finding_id", how="left")


def months(run: RunFolder) -> frozenset[str]:
    """The months of which lines were judged, with findings or without."""
    rows = pl.scan_parquet(run.file("denominators"), glob=False).filter(pl.col("by") == "month")
    return frozenset(rows.select(pl.col("month").drop_nulls()).collect()["month"])
