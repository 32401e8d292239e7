"""What `kb check` found, for programs: JSON, JUnit XML, SARIF 2.1.0, and what GitHub and GitLab show beside the lines of a change."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from checker.knowledge.checks.issue import SEVERITIES, Issue
from checker.knowledge.checks.run import Checked, fails
from checker.model.errors import LiangkuError
from checker.model.shown import shown
from checker.model.version import __version__
from checker.report.json_lists import json_pieces, value_blocks

_SARIF_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_GITHUB_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}
_GITLAB_LEVELS = {"error": "critical", "warning": "minor", "info": "info"}
_AT_FILE = re.compile(r"(\S[^\n:：]*?\.(?:csv|toml))[:：] ?(?:row (\d+))?")
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def issues_json(checked: Checked, *, strict: bool) -> Iterator[str]:
    """Yield the pieces of one JSON document: what was checked, counts, the checks, and every issue with its texts in both languages."""
    per_check = _count_by_check(checked)
    document = {
        "passed": not checked.fails(strict=strict),
        "knowledge": {
            "folders": checked.names,
            "points": checked.points,
            "patterns": checked.patterns,
            "exemptions": checked.exemptions,
        },
        "as_of": checked.day.isoformat(),
        "counts": {severity: checked.count(severity) for severity in SEVERITIES},
        "standing": checked.standing,
        "checks": [
            {
                "id": each.id,
                "severity": each.severity,
                "title": _both(each.title.zh, each.title.en),
                "hint": _both(each.hint.zh, each.hint.en),
                "issues": per_check.get(each.id, 0),
            }
            for each in checked.validators
        ],
    }
    yield from json_pieces(document, {"issues": value_blocks(_plain(issue) for issue in checked.issues)})


def issues_junit(checked: Checked, language: str, *, strict: bool) -> str:
    """JUnit XML, one test case a check: it fails where the command would, other issues are its output."""
    of_check: dict[str, list[Issue]] = {each.id: [] for each in checked.validators}
    for issue in checked.issues:
        of_check[issue.validator].append(issue)
    failed = sum(any(fails(issue, strict=strict) for issue in issues) for issues in of_check.values())
    counts = {"tests": str(len(of_check)), "failures": str(failed), "errors": "0", "skipped": "0"}
    root = ElementTree.Element("testsuites", {"name": "liangku kb check", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _xml("、".join(checked.names)), **counts})
    for validator in checked.validators:
        case = ElementTree.SubElement(suite, "testcase", {"classname": "liangku.kb.check", "name": validator.id})
        failing = [issue for issue in of_check[validator.id] if fails(issue, strict=strict)]
        others = [issue for issue in of_check[validator.id] if not fails(issue, strict=strict)]
        if failing:
            message = f"{validator.title.text(language)} ({len(failing)})"
            told = {"message": _xml(message), "type": failing[0].severity}
            ElementTree.SubElement(case, "failure", told).text = _lines(failing, language)
        if others:
            ElementTree.SubElement(case, "system-out").text = _lines(others, language)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)


def issues_sarif(checked: Checked, language: str) -> Iterator[str]:
    """Yield the pieces of SARIF 2.1.0 with file and line of the text; what stands in a built file points to the file alone."""
    index = {each.id: number for number, each in enumerate(checked.validators)}
    rules = [
        {
            "id": each.id,
            "shortDescription": {"text": each.title.text(language)},
            "help": {"text": each.hint.text(language)},
            "defaultConfiguration": {"level": _SARIF_LEVELS[each.severity]},
        }
        for each in checked.validators
    ]
    driver = {"name": "liangku", "version": __version__, "rules": rules}
    results = (
        {
            "ruleId": issue.validator,
            "ruleIndex": index[issue.validator],
            "level": _SARIF_LEVELS[issue.severity],
            "message": {"text": _message(issue, language)},
            "locations": [{"physicalLocation": _location(issue)}],
        }
        for issue in checked.issues
    )
    head = json.dumps({"$schema": _SCHEMA, "version": "2.1.0"}, indent=2).removesuffix("\n}")
    yield f'{head},\n  "runs": [\n'
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints"}
    yield from json_pieces(run, {"results": value_blocks(results)})
    yield "  ]\n}\n"


def issues_github(checked: Checked, language: str) -> str:
    """Workflow commands that GitHub shows beside the lines of the text."""
    titles = {each.id: each.title.text(language) for each in checked.validators}
    lines = []
    for issue in checked.issues:
        line = f",line={issue.place.row}" if issue.place.row else ""
        title = _property(f"{issue.validator} {titles[issue.validator]}")
        where = f"file={_property(issue.place.file)}{line},title={title}"
        lines.append(f"::{_GITHUB_LEVELS[issue.severity]} {where}::{_data(_message(issue, language))}")
    return "\n".join(lines)


def issues_gitlab(checked: Checked, language: str) -> Iterator[str]:
    """Yield the pieces of a code-quality report of GitLab, which shows them beside the lines of a merge request."""
    entries = (
        _gitlab(
            issue.validator,
            _GITLAB_LEVELS[issue.severity],
            _message(issue, language),
            issue.place.file,
            issue.place.row,
        )
        for issue in checked.issues
    )
    yield json.dumps(list(entries), ensure_ascii=False, indent=2) + "\n"


def fault_github(error: LiangkuError) -> str:
    """A fault that ended the check, as a workflow command beside the file that could not be read."""
    file, row, told = _faulty(error)
    where = f" file={_property(file)}{f',line={row}' if row else ''}" if file else ""
    return f"::error{where}::{_data(told)}"


def fault_gitlab(error: LiangkuError) -> str:
    """The same as a code-quality report."""
    file, row, told = _faulty(error)
    return json.dumps([_gitlab("unreadable", "blocker", told, file or ".", row)], ensure_ascii=False, indent=2)


def _faulty(error: LiangkuError) -> tuple[str, int | None, str]:
    """The file and the row with which the sentence of a fault begins, the file as seen from here, and the sentence."""
    told = shown(str(error), lines=True)
    found = _AT_FILE.match(told)
    if found is None:
        return "", None, told
    relative = os.path.relpath(found[1])
    place = found[1] if relative.startswith("..") else relative
    return place.replace(os.sep, "/"), int(found[2]) if found[2] else None, told


def _gitlab(check: str, severity: str, message: str, file: str, row: int | None) -> dict[str, Any]:
    fingerprint = hashlib.sha256("\0".join((check, file, message)).encode()).hexdigest()[:32]
    return {
        "description": message, "check_name": check, "fingerprint": fingerprint, "severity": severity,
        "location": {"path": file, "lines": {"begin": row or 1}},
    }  # fmt: skip


def _plain(issue: Issue) -> dict[str, Any]:
    return {
        "check": issue.validator,
        "severity": issue.severity,
        "file": issue.place.file,
        "row": issue.place.row,
        "key": issue.place.key,
        "column": issue.column,
        "value": issue.value,
        "message": _both(issue.message.zh, issue.message.en),
    }


def _both(chinese: str, english: str) -> dict[str, str]:
    return {"zh": chinese, "en": english}


def _count_by_check(checked: Checked) -> dict[str, int]:
    counts: dict[str, int] = {}
    for issue in checked.issues:
        counts[issue.validator] = counts.get(issue.validator, 0) + 1
    return counts


def _message(issue: Issue, language: str) -> str:
    told = issue.message.text(language)
    return shown(f"{issue.place.key}: {told}" if issue.place.key else told)


def _lines(issues: list[Issue], language: str) -> str:
    return _xml("\n".join(f"{_where(issue)}: {_message(issue, language)}" for issue in issues))


def _where(issue: Issue) -> str:
    return f"{issue.place.file}:{issue.place.row}" if issue.place.row else issue.place.file


def _xml(text: str) -> str:
    """The text without the characters that XML cannot hold, or that deceive who reads it."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", shown(text, lines=True))


def _location(issue: Issue) -> dict[str, Any]:
    path = Path(issue.place.file)
    uri = path.as_uri() if path.is_absolute() else quote(issue.place.file)
    location: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if issue.place.row:
        location["region"] = {"startLine": issue.place.row}
    return location


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
