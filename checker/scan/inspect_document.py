"""A look at inputs as one JSON document."""

from __future__ import annotations

from typing import Any

from checker.scan.inspection import Inspection, TableLook


def document(found: Inspection, language: str) -> dict[str, Any]:
    """What was found, for programs; yuan, names of persons and ID numbers are not among it."""
    english = int(language == "en")
    return {
        "would_run": not found.refusals,
        "refused": list(found.refusals),
        "doubts": list(found.doubts),
        "whole": found.is_whole,
        "files": [
            {
                "role": each.role, "path": str(each.file.path), "kind": each.file.kind,
                **({"database": each.database.to_plain()} if each.database else {"size": found.sizes[each.file.on_disk]}),
                "lines": each.rows + each.rejected, "rejects": each.rejected, "share": round(each.share, 6),
                **({"csv": each.csv.to_plain()} if each.csv else {}),
                **({"header_row": each.header_row} if each.header_row else {}),
                **({"writer": each.writer} if each.writer else {}),
            }
            for each in found.files
        ],
        "unopened": dict(found.unopened),
        "tables": [_table(table) for table in found.tables],
        "passed_over": [
            {
                "role": role, "path": str(each.path), "reason": each.reason, "may_be_data": each.may_be_data, "said": each.said(),
            }
            for role, each in found.passed
        ],
        "incomplete": [gap.to_plain() for gap in found.gaps],
        "lines": _lines(found),
        "missing": [
            {
                "name": each.name[english], "without": each.without[english], "rules": list(each.rules), "how": list(each.how),
            }
            for each in found.missing
        ],
        "estimate": {
            "lines": found.estimate.lines, "seconds_least": round(found.estimate.least, 1), "seconds_most": round(found.estimate.most, 1),
        },
    }  # fmt: skip


def _table(table: TableLook) -> dict[str, Any]:
    return {
        "role": table.role,
        "paths": list(map(str, table.paths)),
        "known": table.known,
        **({"rather": table.rather} if table.rather else {}),
        "columns": [
            {"column": each.column, "header": each.header, "why": each.why, "fallback": each.fallback, "values": list(each.values)}
            for each in table.columns
        ],
        "unused": [
            {"header": each.header, "values": list(each.values)}
            | ({"near": each.near.column, "near_wording": each.near.wording} if each.near else {})
            for each in table.unused
        ],
    }  # fmt: skip


def _lines(found: Inspection) -> dict[str, Any] | None:
    if found.counts is None:
        return None
    census = found.counts.census
    return {
        "read": census.read, "judged": census.judged, "skipped": dict(census.skipped), "rejected": dict(census.rejected),
        "codes": dict(census.codes), "restricted": found.counts.restricted,
        "persons": {
            role: {"rows": each.rows, "with_sex": each.with_sex, "with_birth": each.with_birth, "found": each.found}
            for role, each in found.counts.persons.items()
        },
    }  # fmt: skip
