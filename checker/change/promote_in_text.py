"""Ends a trial in the reviewed text: the status of some points or of a rule file is set, and no other byte changes."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path

from checker.knowledge.point_text import POINT_FILE
from checker.model.errors import InputError
from checker.model.files import KNOWLEDGE_TEXT, UnfitFileError, read_once
from checker.model.toml_document import parse_toml

_STATUS = re.compile(r"""^(status[ \t]*=[ \t]*)(["'])shadow\2""", re.MULTILINE)


def activated_points(sources: Path, ids: Collection[str]) -> str:
    """Return the text of `sources`/point.csv with the status of these points set to active.

    Raises InputError naming every point that is not there or not on trial, or for a file that cannot be read.
    """
    path = sources / POINT_FILE
    text = _read(path)
    missing = set(ids)
    faults, parts = [], []
    for record, raw in _records(text, path):
        if record.keys() >= {"point_id", "status"} and (ident := record["point_id"].strip()) in ids:
            missing.discard(ident)
            if record["status"].strip() == "shadow":
                place = list(record).index("status")
                start, end = _cell(raw, place)
                raw = raw[:start] + raw[start:end].replace("shadow", "active") + raw[end:]
            else:
                faults.append(
                    f"{path}：知识点 {ident} 的 status 是“{record['status']}”，不是 shadow，不必转正（it is not on trial）"
                )
        parts.append(raw)
    faults += [
        f"{path}：没有知识点 {ident}，或没有 status 列，请核对编号（no such point, or no status column）"
        for ident in sorted(missing)
    ]
    if faults:
        raise InputError("\n".join(faults))
    return "".join(parts)


def rule_ids(rules: Path) -> frozenset[str]:
    """Return the ids that have a file in the folder; a name with a path in it is none of them."""
    return frozenset(path.stem for path in rules.glob("*.toml"))


def settled_rule(rules: Path, ident: str) -> tuple[Path, str]:
    """Return the file of a rule and its text with the status set to stable.

    Raises InputError where the file cannot be read or the rule is not on trial.
    """
    path = rules / f"{ident}.toml"
    text = _read(path)
    try:
        status = parse_toml(text).get("status")
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}：不是合法的 TOML（{error}），请先改正（no valid TOML: mend it first）") from error
    if status != "shadow":
        raise InputError(
            f"{path}：规则的 status 是“{status}”，不是 shadow，不必转正；要转正它的影子知识点请写知识点编号"
            "（the rule is not on trial; name its points on trial）"
        )
    settled = _STATUS.sub(r"\1\2stable\2", text, count=1)
    if parse_toml(settled).get("status") != "stable":
        raise InputError(
            f'{path}：没有写成 status = "shadow" 的一行，请手工改为 stable（no line status = "shadow": change it by hand）'
        )
    return path, settled


def _read(path: Path) -> str:
    try:
        return read_once(path, KNOWLEDGE_TEXT).decode("utf-8")
    except UnfitFileError as error:
        raise InputError(f"{path}：{error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}：不是 UTF-8 编码，请另存为 UTF-8（not UTF-8: save it as UTF-8）") from error


def _records(text: str, path: Path) -> Iterator[tuple[dict[str, str], str]]:
    """The records of a CSV text by column, each with the very text that it stands in; the header's own dictionary is empty."""
    lines: list[str] = []

    def remembered() -> Iterator[str]:
        for line in io.StringIO(text.removeprefix("\ufeff"), newline=""):
            lines.append(line)
            yield line

    reader = csv.reader(remembered(), strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            raw = "".join(lines)
            lines.clear()
            if not header:
                header = [name.strip() for name in cells]
                yield {}, ("\ufeff" if text.startswith("\ufeff") else "") + raw
            else:
                yield dict(zip(header, cells, strict=False)), raw
    except csv.Error as error:
        raise InputError(
            f"{path}：第 {reader.line_num} 行不是合法的 CSV（{error}）（no CSV: mend its quotes）"
        ) from error


def _cell(raw: str, place: int) -> tuple[int, int]:
    """Where the cell at a place begins and ends in the text of its record, quotes included."""
    start, quoted = 0, False
    for index, sign in enumerate(raw):
        if sign == '"':
            quoted = not quoted
        elif not quoted and sign in ",\r\n":
            if place == 0:
                return start, index
            place, start = place - 1, index + 1
    return start, len(raw)
