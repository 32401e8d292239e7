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
    for name in (
        "row",
        "c",
        "v",
        "is",
        "f",
        "mergeCell",
        "sheet",
        "si",
        "fonts",
        "font",
        "strike",
        "cellXfs",
        "xf",
        "r",
        "t",
    )
}
"""The elements that are looked at, by the name that the parser gives them."""


class StruckRuns:
    """Follows the runs of one text of several fonts: how many of them hold text, and how many of these are struck through."""

    def __init__(self) -> None:
        self.plain = self.struck = 0
        self._is_struck = self._within = self._told = False

    def start(self, kind: str | None, attributes: dict[str, str]) -> None:
        """An element of the text begins."""
        if kind == "r":
            self._is_struck = False
        elif kind == "strike":
            self._is_struck = is_struck(attributes)
        self._within, self._told = kind == "t", False

    def text(self, text: str) -> None:
        """Some text of it."""
        if self._within and not self._told and text.strip():
            self._told = True
            if self._is_struck:
                self.struck += 1
            else:
                self.plain += 1


def is_struck(attributes: dict[str, str]) -> bool:
    """Whether an element `strike` with these attributes strikes through."""
    return attributes.get("val", "1") not in ("0", "false")


class SharedTexts:
    """The lengths of the texts that cells share, in their order; `struck` are the numbers of those struck through in part (False) or whole (True)."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.struck: dict[str, bool] = {}
        self._runs = StruckRuns()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        kind = KINDS.get(name)
        if kind == "si":
            self.settle()
            self.lengths.append(0)
            self._runs = StruckRuns()
        else:
            self._runs.start(kind, attributes)

    def settle(self) -> None:
        """Note what became of the last text."""
        if self._runs.struck:
            self.struck[str(len(self.lengths) - 1)] = not self._runs.plain

    def text(self, text: str) -> None:
        """Some text of it. Raises KnowledgeError for one that no cell can hold."""
        self._runs.text(text)
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
