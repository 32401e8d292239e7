"""Workbooks whose cells share their texts, as Excel writes them; the library that the tests write with puts each text into its cell."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_CELL = re.compile(r'(<c r="[A-Z0-9]+"[^>]*?) t="inlineStr"[^>]*><is><t[^>]*>([^<]*)</t></is></c>')
_RELATION = (
    '<Relationship Id="texts" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" '
    'Target="sharedStrings.xml"/></Relationships>'
)


def share_texts(path: Path, instead: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write the workbook anew with its texts in one member, to which the cells refer; some texts stand `instead` of those that it has."""
    places: dict[str, int] = {}

    def shared(cell: re.Match[str]) -> str:
        return f'{cell[1]} t="s"><v>{places.setdefault(cell[2], len(places))}</v></c>'

    with zipfile.ZipFile(path) as book:
        members = {name: book.read(name).decode() for name in book.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in members.items():
            if name.startswith("xl/worksheets/"):
                text = _CELL.sub(shared, text)
            elif name == "xl/_rels/workbook.xml.rels":
                text = text.replace("</Relationships>", _RELATION)
            book.writestr(name, text)
        texts = "".join(f"<si><t>{instead.get(text, text)}</t></si>" for text in places)
        namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        book.writestr("xl/sharedStrings.xml", f'<sst xmlns="{namespace}">{texts}</sst>')
