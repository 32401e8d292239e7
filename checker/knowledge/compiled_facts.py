"""Facts that the published tables do not hold, read from files: what a pair is made of, quantities and windows, and the diagnoses of indications."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from checker.knowledge.cell_reader import Cells, Faults, read_csv
from checker.model.errors import KnowledgeError, both
from checker.shapes.evidence.diagnoses import expanded
from checker.shapes.evidence.texts import CONDITIONS
from checker.shapes.pair.texts import read_interval

_PAIR_COLUMNS = ("seq", "a_code", "a_name", "b_code", "interval")
_QUANTITY_COLUMNS = ("rule", "seq", "code", "max_qty", "window_n", "window_unit")
_INDICATION_COLUMNS = (
    "batch", "seq", "item_name", "status", "icd_prefixes", "unobservable_conditions", "confidence",
)  # fmt: skip
_UNSURE = "C"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Pair:
    """One published pair: what is charged beside something that it is a part of, and within what."""

    container: str
    container_name: str
    item: str
    interval: str


@dataclass(frozen=True, slots=True)
class Window:
    """So many of a code within so many days."""

    code: str
    most: int
    days: int


@dataclass(frozen=True, slots=True)
class Indication:
    """The diagnoses of a published indication as beginnings of codes, what claims do not show of it, and whether it can be judged by them."""

    item_name: str
    prefixes: tuple[str, ...]
    conditions: tuple[str, ...]
    is_sure: bool


@dataclass(frozen=True, slots=True)
class CompiledFacts:
    """The facts of each kind by their published row; None: the file was not given."""

    pairs: Mapping[int, Pair] | None = None
    windows: Mapping[tuple[str, int], Window] | None = None
    indications: Mapping[tuple[str, int], Indication] | None = None


def read_facts(pairs: Path | None, windows: Path | None, indications: Path | None) -> CompiledFacts:
    """Return the facts of the files that are given.

    Raises KnowledgeError that carries every fault: cells that cannot be read, words that nobody knows, codes out of order.
    """
    faults = Faults()
    read = CompiledFacts(
        None if pairs is None else _by_row(pairs, _PAIR_COLUMNS, _pair, faults),
        None if windows is None else _by_row(windows, _QUANTITY_COLUMNS, _window, faults),
        None if indications is None else _by_row(indications, _INDICATION_COLUMNS, _indication, faults),
    )
    faults.stop()
    return read


_Key = TypeVar("_Key")


def _by_row(
    path: Path, columns: tuple[str, ...], read: Callable[[Cells], tuple[_Key, _T] | None], faults: Faults
) -> dict[_Key, _T]:
    found: dict[_Key, _T] = {}
    for cells in read_csv(path, columns, faults, others=True):
        one = read(cells)
        if one is None:
            continue
        if one[0] in found:
            cells.fault(
                "seq",
                both("前面一行已用这个序号，每行只编一个号", "an earlier row has this number; number each row once"),
            )
        found[one[0]] = one[1]
    return found


def _pair(cells: Cells) -> tuple[int, Pair]:
    interval = read_interval(cells.text("interval"))
    if interval is None:
        cells.fault(
            "interval", both("请写 单日、单次就诊、6小时 或 同一小时", "write 单日, 单次就诊, 6小时 or 同一小时")
        )
    return cells.whole("seq"), Pair(cells.text("a_code"), cells.text("a_name"), cells.text("b_code"), interval or "")


def _window(cells: Cells) -> tuple[tuple[str, int], Window] | None:
    if cells.optional("max_qty") is None:
        return None
    key = cells.text("rule"), cells.whole("seq")
    if cells.optional("window_n") is None:
        return None
    if cells.text("window_unit") != "day":
        cells.fault("window_unit", both("请写 day", "write day"))
    return key, Window(cells.text("code"), cells.whole("max_qty"), cells.whole("window_n"))


def _indication(cells: Cells) -> tuple[tuple[str, int], Indication]:
    conditions = tuple(each for each in (cells.optional("unobservable_conditions") or "").split("|") if each)
    if not set(conditions) <= set(CONDITIONS):
        listed = ", ".join(CONDITIONS)
        cells.fault(
            "unobservable_conditions", both(f"请写 {listed} 之中的，以 | 相连", f"write some of {listed}, joined by |")
        )
    prefixes: tuple[str, ...] = ()
    try:
        prefixes = expanded(cells.text("icd_prefixes"))
    except KnowledgeError as error:
        cells.fault("icd_prefixes", str(error))
    is_sure = cells.text("confidence") != _UNSURE and cells.text("status") == "specific"
    return (cells.text("batch"), cells.whole("seq")), Indication(cells.text("item_name"), prefixes, conditions, is_sure)
