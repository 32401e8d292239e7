"""The texts of an xlsx file: how long they are, and how much they are in all the cells that share them."""

from __future__ import annotations

from checker.model.errors import KnowledgeError

MAX_TEXT = 32_767
"""Signs of a cell: a spreadsheet takes no more."""
MAX_TEXTS = 256 * 1024 * 1024
"""Signs of all cells: a text that cells share is written once and read for each of them."""
_MAIN = ("http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main")
KINDS = {
    f"{space}}}{name}": name
    for space in _MAIN
    for name in ("row", "c", "v", "is", "f", "mergeCell", "sheet", "si", "fonts", "font", "strike", "cellXfs", "xf")
}
"""The elements that are looked at, by the name that the parser gives them."""


class SharedTexts:
    """The lengths of the texts that cells share, in their order."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def start(self, name: str, _: dict[str, str]) -> None:
        """An element begins."""
        if KINDS.get(name) == "si":
            self.lengths.append(0)

    def text(self, text: str) -> None:
        """Some text of it. Raises KnowledgeError for one that no cell can hold."""
        if self.lengths:
            self.lengths[-1] += len(text)
            if self.lengths[-1] > MAX_TEXT:
                raise KnowledgeError(
                    f"有一个单元格的文字超过 {MAX_TEXT:,} 个字符，不予读取；请删去 (a cell has more than {MAX_TEXT:,} signs: remove them)"
                )


class TextsInCells:
    """How many signs the cells of sheets have that share texts."""

    def __init__(self, lengths: list[int]) -> None:
        self._lengths = lengths
        self._number = ""
        self._shares = self._within = False
        self._signs = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        kind = KINDS.get(name)
        if kind == "c":
            self.settle()
            self._shares = attributes.get("t") == "s"
        self._within = kind == "v" and self._shares

    def text(self, text: str) -> None:
        """Some text of it."""
        if self._within:
            self._number += text

    def settle(self) -> None:
        """Count what the last cell has. Raises KnowledgeError where it is too much together."""
        number = self._number.strip()
        self._number = ""
        if number.isdigit() and int(number) < len(self._lengths):
            self._signs += self._lengths[int(number)]
        if self._signs > MAX_TEXTS:
            raise KnowledgeError(
                f"各单元格的文字合计超过 {MAX_TEXTS >> 20} MB，不予读取；请拆成几个工作簿 (its cells hold more than {MAX_TEXTS >> 20} MB of text: split it)"
            )
