"""What run.json says of a scan: inputs, counts, versions and hashes, engine, time and memory."""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.ingest.gather import Gathered
from checker.judge.points import Loaded
from checker.model.version import __version__
from checker.scan.shadow import shadow_document
from checker.scan.summary import to_plain

if TYPE_CHECKING:
    from checker.scan.request import ScanRequest, ScanResult

HASHED_BYTES = 64 << 20
"""Inputs up to this size are named by sha256 in run.json, larger ones by size and time of change."""


def record(request: ScanRequest, files: Gathered, loaded: Loaded, result: ScanResult, seconds: float) -> dict[str, Any]:
    """The document of a scan that took so many seconds; yuan as numbers with two decimals."""
    import duckdb

    census, netted, plan = result.census, result.netted, loaded.plan
    return {
        "liangku": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": [
            {"role": role, **_describe(file.path)} | ({"csv": files.csv[role, file.path].to_plain()} if file.kind == "csv" else {})
            for role, file in files.files
        ],
        "options": {
            "as_of": request.as_of.isoformat() if request.as_of else None, "region": request.region, "stage": request.stage,
            "maps": list(request.maps), "language": request.language,
            "rules": [str(folder) for folder in request.rules], "only_rules": request.only_rules,
            "params": [str(setting) for setting in request.params],
        },
        "lines": {
            "read": census.read, "judged": census.judged,
            "skipped": {**census.skipped, "total": sum(census.skipped.values())},
            "rejected": {**census.rejected, "total": sum(census.rejected.values())},
        },
        "codes": census.codes,
        "not_in_force": {**result.not_in_force, "total": sum(result.not_in_force.values())},
        "duplicates": netted.duplicates,
        "fully_refunded": netted.fully_refunded,
        "refunds_without_original": netted.refunds_without_original,
        "not_judged": [each.to_plain(request.language) for each in result.not_judged],
        "unread": {"points": loaded.unread.points, "patterns": loaded.unread.patterns},
        "findings": to_plain(result.summary),
        "shadow": shadow_document(result.shadow),
        "knowledge": {"version": loaded.version, "hash": loaded.hash},
        "rules": {
            "hash": plan.hash,
            "versions": {rule.id: rule.version for rule in plan.rules},
            "names": {rule.id: {"zh": rule.name_zh, "en": rule.name_en} for rule in plan.rules},
        },
        "engine": {"name": "duckdb", "version": duckdb.__version__},
        "seconds": round(seconds, 3),
        "peak_memory_mb": peak_memory_mb(),
    }  # fmt: skip


def peak_memory_mb() -> int | None:
    """Peak resident memory of this process in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (1 << 20) if sys.platform == "darwin" else peak / 1024)


def _describe(path: Path) -> dict[str, Any]:
    status = path.stat()
    told: dict[str, Any] = {"path": str(path), "size": status.st_size}
    if status.st_size <= HASHED_BYTES:
        with path.open("rb") as stream:
            told["sha256"] = hashlib.file_digest(stream, "sha256").hexdigest()
    else:
        told["modified"] = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds")
    return told
