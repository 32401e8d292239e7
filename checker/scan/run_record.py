"""What run.json says of a scan: inputs, counts, versions and hashes, engine, time and memory."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.ingest.completeness import FileCount
from checker.ingest.gather import Gathered
from checker.ingest.opening import FileRead
from checker.ingest.passed import PassedOver
from checker.ingest.provincial import Provincial
from checker.judge.points import Loaded, hash_of
from checker.model.out_folder import files_below
from checker.model.version import __version__
from checker.scan.shadow import shadow_document
from checker.scan.summary import to_plain

if TYPE_CHECKING:
    from checker.knowledge.crosswalk_use import CrosswalkUse
    from checker.knowledge.edition import Edition
    from checker.knowledge.sheets.crosswalk import Crosswalk
    from checker.rulebook.plan import Plan
    from checker.scan.request import ScanRequest, ScanResult


def record(
    request: ScanRequest,
    files: Gathered,
    counts: Sequence[FileCount],
    loaded: Loaded,
    provincial: Provincial,
    result: ScanResult,
    seconds: float,
) -> dict[str, Any]:
    """The document of a scan that took so many seconds; yuan as numbers with two decimals."""
    census, netted, plan = result.census, result.netted, loaded.plan
    return {
        "liangku": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": _inputs(files, counts),
        "passed_over": [_passed(role, each) for role, each in files.passed],
        "incomplete": [gap.to_plain() for gap in result.gaps],
        "options": options_document(request),
        "lines": {
            "read": census.read, "judged": census.judged,
            "skipped": {**census.skipped, "total": sum(census.skipped.values())},
            "rejected": {**census.rejected, "total": sum(census.rejected.values())},
        },
        "codes": census.codes,
        "lost_codes": [each._asdict() for each in census.lost_codes],
        "lost_keys": [each._asdict() for each in result.lost_keys],
        "unreadable": [each._asdict() for each in census.unreadable],
        "not_in_force": {**result.not_in_force, "total": sum(result.not_in_force.values())},
        "not_in_scope": {**result.not_in_scope, "total": sum(result.not_in_scope.values())},
        "duplicates": netted.duplicates,
        "reuploaded": netted.reuploaded,
        "fully_refunded": netted.fully_refunded,
        "refunds_without_original": netted.refunds_without_original,
        "not_judged": [each.to_plain(request.language) for each in result.not_judged],
        "unknown_values": [each.to_plain(request.language) for each in result.unknown_values],
        "unread": {"points": loaded.unread.points, "patterns": loaded.unread.patterns},
        "findings": to_plain(result.summary),
        "shadow": shadow_document(result.shadow),
        "knowledge": {"version": loaded.version, "hash": loaded.hash},
        "profile": {"name": provincial.name, "hash": provincial.hash},
        "rules": {
            "hash": plan.hash,
            "versions": {rule.id: rule.version for rule in plan.rules},
            "names": {rule.id: {"zh": rule.name_zh, "en": rule.name_en} for rule in plan.rules},
        },
        "engine": files.engine.told(),
        "seconds": round(seconds, 3),
        "peak_memory_mb": peak_memory_mb(),
    }  # fmt: skip


def options_document(request: ScanRequest) -> dict[str, Any]:
    """What was asked of a scan, but for inputs and place."""
    return {
        "as_of": request.as_of.isoformat() if request.as_of else None, "region": request.region, "stage": request.stage,
        "maps": list(request.maps), "layout": str(request.layout) if request.layout else None, "language": request.language,
        "rules": [str(folder) for folder in request.rules], "only_rules": request.only_rules,
        "profile": str(request.profile) if request.profile else None,
        "params": [str(setting) for setting in request.params], "max_rejects": request.max_rejects, "repair": request.repair,
    }  # fmt: skip


def journal_document(
    request: ScanRequest, editions: Sequence[Edition], rules: Plan, provincial: Provincial, crosswalk: Crosswalk | None
) -> dict[str, str]:
    """What the parts of a scan depend on besides its inputs, each by the words in which a change of it is told."""
    layout = (
        hashlib.sha256(request.layout.read_bytes()).hexdigest() if request.layout and request.layout.is_file() else ""
    )
    asked = [options_document(request), request.part_lines, request.hash_key is not None, layout, request.csv]
    files = [each.sha256 for each in crosswalk.files] if crosswalk else []
    return {
        "程序版本（version）": __version__,
        "选项（options）": json.dumps(asked, ensure_ascii=False, default=str),
        "知识库（knowledge）": "+".join((hash_of(editions), *files)),
        "规则（rules）": rules.hash,
        "省级配置（profile）": f"{provincial.name} {provincial.hash}",
    }


def name_results(folder: Path) -> dict[str, dict[str, Any]]:
    """The files of results as they were written, by name: size and sha256, so that one that is altered later is known."""
    named: dict[str, dict[str, Any]] = {}
    for name in files_below(folder):
        file = folder / name
        with file.open("rb") as stream:
            named[name] = {
                "bytes": file.stat().st_size,
                "sha256": hashlib.file_digest(stream, "sha256").hexdigest(),
            }
    return named


def crosswalk_document(crosswalk: Crosswalk | None, use: CrosswalkUse | None) -> dict[str, Any]:
    """What run.json says of the crosswalks in use: the files given, and what those of the knowledge hold with them; nothing without any."""
    if use is None:
        return {}
    files = crosswalk.files if crosswalk else ()
    return {
        "crosswalk": {
            "files": [{"path": each.path, "sha256": each.sha256, "rows": each.rows} for each in files],
            "warnings": [*(crosswalk.notes if crosswalk else ()), *use.warnings()],
            **use.to_plain(),
        }
    }


def peak_memory_mb() -> int | None:
    """Peak resident memory of this process in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (1 << 20) if sys.platform == "darwin" else peak / 1024)


def _inputs(files: Gathered, counts: Sequence[FileCount]) -> list[dict[str, Any]]:
    """The files read, in order: which they are, what was read of them, and which header feeds which column."""
    rejected = {count.path: count.rejected for count in counts}
    return [
        {
            "role": each.role,
            "path": str(each.file.path),
            **({"archive": str(each.file.archive)} if each.file.archive else {}),
            **_stamped(each, files),
            "kind": each.file.kind,
            "lines": each.rows + each.rejected,
            "rejects": rejected[each.file.path] if each.role == "lines" else each.rejected,
            **({"header_row": each.header_row} if each.file.kind == "xlsx" else {}),
            "columns": {column: list(headers) for column, headers in each.columns.items()},
            **({"csv": each.csv.to_plain()} if each.csv else {}),
        }
        for each in files.files
    ]


def _stamped(each: FileRead, files: Gathered) -> Mapping[str, object]:
    """What tells which input it was: the query, the type of a table in memory, or size and hash of a file."""
    if each.database:
        return {"database": each.database.to_plain()}
    if each.in_memory:
        return {"in_memory": each.in_memory.to_plain()}
    return files.stamps[each.file.on_disk].to_plain()


def _passed(role: str, each: PassedOver) -> dict[str, Any]:
    told = {"role": role, "path": str(each.path), "reason": each.reason, "may_be_data": each.may_be_data}
    return told | ({"detail": each.detail} if each.detail else {})
