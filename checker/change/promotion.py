"""The evidence for a point or rule on trial [影子]: what a scan's shadow says of it, and where its hits cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from checker.model.errors import InputError
from checker.model.out_folder import RUN_FILE
from checker.scan.shadow import SHADOW_FILE
from checker.scan.summary import FLAGGED

_COUNTS = ("judged", "hits", "violations", "undetermined", "patients", "institutions", "charged")
_REMEDY = "请给出 liangku scan --out 的文件夹（name the --out of a scan）"
CLUSTERS_SHOWN = 5
"""How many institutions and months are named, most hits first."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """An institution or month (YYYY-MM), its hits, and their part of all hits (0 to 1)."""

    key: str | None
    hits: int
    part: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a scan found of one point or rule on trial; counts as in `checker.scan.shadow.Trial`, `amount` is net yuan.

    `share_of_lines` is hits of judged lines, `share_of_institutions` institutions with hits of those that charged the codes (0 to 1).
    """

    id: str
    kind: str
    rule_id: str
    item_name: str | None
    judged: int
    hits: int
    violations: int
    undetermined: int
    patients: int
    institutions: int
    charged: int
    amount: float
    share_of_lines: float
    share_of_institutions: float
    top_institutions: tuple[Cluster, ...]
    top_months: tuple[Cluster, ...]

    def to_dict(self) -> dict[str, Any]:
        """As `--json` writes it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TrialRun:
    """The shadow of one scan, read back from its folder."""

    folder: Path
    finished: str
    knowledge_version: str
    points: Mapping[str, Mapping[str, Any]]
    rules: Mapping[str, Mapping[str, Any]]

    def evidence(self, ident: str) -> Evidence | None:
        """What the run says of a point, or a rule, of this id; None where it judged no line by it.

        Raises InputError where the findings on trial are not those that a scan wrote.
        """
        for kind, trials, column in (("point", self.points, "point_id"), ("rule", self.rules, "rule_id")):
            if ident in trials and trials[ident]["judged"]:
                try:
                    return self._evidence(ident, kind, trials[ident], column)
                except pl.exceptions.PolarsError as error:
                    place = self.folder / SHADOW_FILE
                    raise InputError(
                        f"{place}：已损坏或不是扫描写出的文件，{_REMEDY}（damaged or not of a scan）"
                    ) from error
        return None

    def _evidence(self, ident: str, kind: str, trial: Mapping[str, Any], column: str) -> Evidence:
        found = pl.scan_parquet(self.folder / SHADOW_FILE, glob=False).filter(
            pl.col(column) == ident, pl.col("verdict").is_in(FLAGGED)
        )
        hits, judged, charged = trial["hits"], trial["judged"], trial["charged"]
        return Evidence(
            id=ident,
            kind=kind,
            rule_id=trial["rule_id"],
            item_name=trial["item_name"],
            judged=judged,
            hits=hits,
            violations=trial["violations"],
            undetermined=trial["undetermined"],
            patients=trial["patients"],
            institutions=trial["institutions"],
            charged=charged,
            amount=trial["amount"],
            share_of_lines=_part(hits, judged),
            share_of_institutions=_part(trial["institutions"], charged),
            top_institutions=_clusters(found, pl.col("institution_id"), hits),
            top_months=_clusters(found, pl.col("service_time").dt.strftime("%Y-%m"), hits),
        )


def read_trial_run(folder: Path) -> TrialRun:
    """Read back what a scan found on trial.

    Raises InputError where the folder is no result of a scan, or of a scan with nothing on trial.
    """
    try:
        document = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        shadow = document["shadow"]
        run = TrialRun(
            folder,
            str(document["finished"]),
            str(document["knowledge"]["version"]),
            {trial["point_id"]: _as_written(trial) for trial in shadow["points"]},
            {trial["rule_id"]: _as_written(trial) for trial in shadow["rules"]},
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"--run {folder}：没有可用的 {RUN_FILE}，{_REMEDY}") from error
    if (run.points or run.rules) and not (folder / SHADOW_FILE).is_file():
        raise InputError(f"--run {folder}：缺少 {SHADOW_FILE}，{_REMEDY}")
    return run


def _as_written(trial: Mapping[str, Any]) -> Mapping[str, Any]:
    """The trial, which is as a scan writes it. Raises KeyError or TypeError where it is not."""
    counts = [trial[name] for name in _COUNTS]
    texts = [trial["rule_id"], trial["item_name"] or ""]
    if not all(type(count) is int and count >= 0 for count in counts) or not all(
        isinstance(text, str) for text in texts
    ):
        raise TypeError("not as a scan writes it")
    return {**trial, "amount": float(trial["amount"])}


def _clusters(found: pl.LazyFrame, key: pl.Expr, hits: int) -> tuple[Cluster, ...]:
    counted = (
        found.group_by(key.alias("key"))
        .agg(pl.len().alias("hits"))
        .sort(["hits", "key"], descending=[True, False], nulls_last=True)
        .head(CLUSTERS_SHOWN)
        .collect()
    )
    return tuple(Cluster(name, count, _part(count, hits)) for name, count in counted.iter_rows())


def _part(some: int, of: int) -> float:
    return round(some / of, 6) if of else 0.0
