"""What a look at inputs showed, as a layout: the headers of each column, what is left open for a person to fill in, and the sheets left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from checker.ingest.file_kinds import WORKBOOKS
from checker.ingest.layout import Section, layout_text
from checker.ingest.opening import ROLES
from checker.model.errors import InputError
from checker.model.whole_file import write_whole
from checker.scan.inspection import Inspection, TableLook


def save_layout(path: Path, found: Inspection) -> None:
    """Write the layout. Raises InputError where the file is there already, or cannot be written."""
    if path.exists():
        raise InputError(
            f"--save {path}：文件已经有了，可能有手工修改，没有覆盖；请换一个名字（is there already: choose another name）"
        )
    write_whole(path, layout_text([_section(role, found) for role in ROLES if _of(role, found)]))


def _of(role: str, found: Inspection) -> list[TableLook]:
    return [table for table in found.tables if table.role == role and not table.rather]


def _section(role: str, found: Inspection) -> Section:
    tables = [table for table in _of(role, found) if table.known]
    everywhere: dict[str, tuple[str, ...]] = {}
    somewhere: list[str] = []
    for name in ROLES[role][0]:
        headers = [
            [look.header for look in table.columns if look.column == name and not look.fallback] for table in tables
        ]
        told = tuple(dict.fromkeys(header for each in headers for header in each))
        if told and all(headers):
            everywhere[name] = told
        elif told:
            somewhere.append(f'{name} = "{told[0]}"  # 只有一部分文件有（in some files only）')
    notes = [*_notes(role, found)]
    return Section(
        role, tuple(notes), everywhere, (*somewhere, *_open(role, found, everywhere)), _left_out(role, found)
    )


def _notes(role: str, found: Inspection) -> Iterator[str]:
    for table in _of(role, found):
        more = f" 等 {len(table.paths)} 个文件" if len(table.paths) > 1 else ""
        yield f"{table.paths[0]}{more}"


def _open(role: str, found: Inspection, fed: Sequence[str] | dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Lines that a person may make use of: headers that may be meant for a column, columns that are needed, headers that are not used."""
    unused = [look for table in _of(role, found) for look in table.unused]
    near = {look.near.column: look.header for look in reversed(unused) if look.near and look.near.column not in fed}
    for name, header in near.items():
        yield f'{name} = "{header}"  # 像是这一列，是的话去掉行首的 #（if so, take the # away）'
    for group in ROLES[role][1]:
        if not any(name in fed or name in near for name in group):
            yield f'{group[0]} = "…"  # 必须有，请写上表头（needed: name its header）'
    if unused:
        yield f"没有用到的表头（not used）：{'、'.join(dict.fromkeys(look.header for look in unused))}"


def _left_out(role: str, found: Inspection) -> tuple[str, ...]:
    """The worksheets without a known header, of workbooks of which others are read."""
    read = {path.parent for table in _of(role, found) if table.known for path in table.paths}
    return tuple(
        dict.fromkeys(
            each.path.name
            for passed_role, each in found.passed
            if passed_role == role and each.reason == "no_known_header" and each.path.parent in read
            and each.path.parent.suffix.lower() in WORKBOOKS
        )
    )  # fmt: skip
