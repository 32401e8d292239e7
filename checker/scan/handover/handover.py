"""The steps by which a scan makes what it hands on besides findings, in their order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.ingest.gather import Gathered
from checker.ingest.provincial import Provincial
from checker.judge.candidates import Joined
from checker.model import sqltext
from checker.rulebook.plan import Plan
from checker.scan.handover.case_facts import gather_cases
from checker.scan.handover.cluster_rows import CLUSTER_ID, CLUSTERS_FILE, write_clusters
from checker.scan.handover.clusters import find_clusters
from checker.scan.handover.conflicts import Judged
from checker.scan.handover.counted import DENOMINATORS_FILE, count_lines, name_institutions, write_denominators
from checker.scan.handover.explained import OUTSIDE_STAYS, find_innocent, name_explained
from checker.scan.handover.likely_items import find_likely_items
from checker.scan.handover.quality import QUALITY_FILE, write_quality
from checker.scan.handover.suspects import SHAPES_OF_LIMITS, gather_suspects

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Found:
    """Whether there are clusters, and how many lines break limits of sex or age but name no person, so that no cluster can be made of them."""

    clusters: bool = False
    nameless: int = 0


@dataclass(frozen=True, slots=True)
class Handover:
    """What the steps need of a scan whose lines are judged: `fired_line`, and the relations that netting and headers left.

    `absent` are the columns of candidates that no source fills, `unneeded` those that staged lines lack; `key` is that of the hashes of persons.
    """

    connection: duckdb.DuckDBPyConnection
    files: Gathered
    second: dict[int, bool]
    beside: Joined
    plan: Plan
    provincial: Provincial
    absent: frozenset[str]
    unneeded: frozenset[str]
    key: bytes
    language: str
    work: Path

    def gather(self, judged: Judged) -> Found:
        """Make `case_fact`, `explained`, `cluster_line` and what the files are written from."""
        connection = self.connection
        count_lines(connection, self.beside, self.unneeded, self.work)
        gather_cases(connection, self.files, self.beside, self.absent, key=self.key, language=self.language)
        name_institutions(connection)
        on_trial = set(self.plan.shadow_numbers)
        limits = {
            number
            for number, rule in enumerate(self.plan.rules)
            if rule.shape in SHAPES_OF_LIMITS and number not in on_trial
        }
        self._name_outside()
        find_innocent(connection, self.files, self.beside, self.absent, judged)
        nameless = gather_suspects(connection, self.files, self.beside, limits, self.unneeded, self.work)
        found = find_clusters(connection)
        if found:
            find_likely_items(connection, self.files, self.second)
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE cluster_named AS SELECT cluster_no, kind, {CLUSTER_ID} AS cluster_id FROM cluster_group"
            )
        else:
            connection.execute(
                "CREATE OR REPLACE TEMP TABLE cluster_named (cluster_no BIGINT, kind VARCHAR, cluster_id VARCHAR)"
            )
        name_explained(connection)
        return Found(found, nameless)

    def write(self, folder: Path, findings: Path, *, clusters: bool) -> None:
        """Write clusters, quality and denominators beside the file of findings; after `gather`, and after `origin` names the files."""
        write_clusters(self.connection, folder / CLUSTERS_FILE, found=clusters)
        write_quality(self.connection, self.files, self.second, self.beside, findings, folder / QUALITY_FILE)
        write_denominators(self.connection, folder / DENOMINATORS_FILE)

    def document(self, findings: Path, found: Found) -> dict[str, Any]:
        """What run.json says of it: violations and undetermined findings by class, clusters by kind, and by which key persons are told, not the key."""
        classes = {
            verdict: self.connection.execute(
                f"""SELECT class, count(*) FROM {sqltext.parquet(findings)} WHERE class IS NOT NULL AND verdict = '{verdict}'
                GROUP BY class ORDER BY class"""
            ).fetchall()
            for verdict in ("violation", "undetermined")
        }
        kinds = self.connection.execute(
            f"SELECT kind, count(*) FROM {sqltext.parquet(findings.with_name(CLUSTERS_FILE))} GROUP BY kind ORDER BY kind"
        ).fetchall()
        return {
            "explained": dict(classes["violation"]),
            "explained_undetermined": dict(classes["undetermined"]),
            "clusters": dict(kinds),
            "not_clustered": found.nameless,
            "person_hash": {"key": hashlib.sha256(b"key" + self.key).hexdigest()[:8]},
        }

    def _name_outside(self) -> None:
        """Make `outside_stay` (care_type): the ways in which findings' lines say that somebody came and went."""
        written = self.connection.execute(
            "SELECT DISTINCT care_type FROM case_fact WHERE care_type IS NOT NULL"
        ).fetchall()
        known = [value for (value,) in written if self.provincial.meaning("care_type", value) in OUTSIDE_STAYS]
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE outside_stay AS SELECT unnest(CAST(? AS VARCHAR[])) AS care_type", [known]
        )
