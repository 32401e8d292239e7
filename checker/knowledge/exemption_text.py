"""The reviewed text of exemptions [豁免]: exemption.toml, read and checked against the points."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from checker.knowledge import words
from checker.knowledge.cell_reader import Cells, Faults, check_id, check_place_and_time
from checker.knowledge.codes import CODE_SHAPES, FAMILY_SHAPES, is_code, is_family
from checker.knowledge.match import meets
from checker.knowledge.names import item_key
from checker.knowledge.rows import ExemptionItemRow, ExemptionRow
from checker.knowledge.text_table import PLAIN_TEXT
from checker.knowledge.toml_text import TomlText, quoted, read_toml, record_cells
from checker.model.errors import both
from checker.model.shown import TAG, shown

EXEMPTION_FILE = "exemption.toml"

_DIAGNOSIS = re.compile(r"[A-Z][0-9]{2}(?:\.[0-9A-Zx]*)?")


@dataclass(frozen=True, slots=True)
class Exemption:
    """One exemption as written; `stands_by` means that no point needs it today."""

    cells: Cells
    row: ExemptionRow
    items: tuple[ExemptionItemRow, ...]
    stands_by: bool


_EXEMPTION_KEYS = (
    "id", "rule", "effect", "status", "reason", "reason_en", "evidence", "region", "region_of", "valid_from", "valid_to"
)  # fmt: skip


def read_exemptions(
    folder: Path, points: pl.DataFrame, patterns: pl.DataFrame, faults: Faults
) -> tuple[tuple[ExemptionRow, ...], tuple[ExemptionItemRow, ...]]:
    """Return the exemptions of the folder and their items, sorted; what is wrong is noted in `faults`.

    An item that no point of the rule covers is a fault, unless the exemption says `stands_by = true`, or the folder has no points: then those
    of the edition below are meant.
    Raises KnowledgeError for a file that cannot be read at all.
    """
    exemptions = list(_exemptions(read_toml(folder / EXEMPTION_FILE, ("exemption",), faults), faults))
    _check_exemptions(exemptions, points, patterns, faults)
    items = (item for exemption in exemptions for item in exemption.items)
    return (
        tuple(sorted((exemption.row for exemption in exemptions), key=lambda row: row.exemption_id)),
        tuple(sorted(items, key=lambda item: (item.exemption_id, item.match, item.value))),
    )


def _exemptions(source: TomlText, faults: Faults) -> Iterator[Exemption]:
    file, document = source.file, source.keys
    listed = document.get("exemption", [])
    if not isinstance(listed, list):
        told = both(f"写的是 {listed!r}，请写 [[exemption]] 表", f"found {listed!r}; write [[exemption]] tables")
        faults.add(file, "exemption", told)
        return
    for number, entry in enumerate(listed, 1):
        named = entry.get("id", number) if isinstance(entry, dict) else number
        place = f"exemption {named}"
        scalars = entry
        if isinstance(entry, dict):
            scalars = {key: entry[key] for key in entry if key not in ("diagnoses", "items", "stands_by")}
        cells = record_cells(file, place, scalars, _EXEMPTION_KEYS, faults)
        if cells is None:
            continue
        row = ExemptionRow(
            exemption_id=cells.text("id"),
            rule_id=cells.text("rule"),
            effect=cells.choice("effect", words.EFFECTS),
            reason=cells.text("reason"),
            reason_en=cells.text("reason_en"),
            evidence=cells.text("evidence"),
            status=cells.choice("status", words.STATUSES),
            diagnoses=_diagnoses(file, place, entry.get("diagnoses"), faults),
            region=cells.optional("region"),
            region_of=cells.optional_choice("region_of", words.REGION_KINDS),
            valid_from=cells.day("valid_from"),
            valid_to=cells.optional_day("valid_to"),
        )
        check_id(cells, "id", row.exemption_id)
        check_place_and_time(cells, row.region, row.region_of, row.valid_from, row.valid_to)
        for key in ("reason", "reason_en", "evidence"):
            if shown(cells.values[key], lines=True) != cells.values[key] or re.search(TAG, cells.values[key]):
                cells.fault(key, PLAIN_TEXT)
        stands_by = entry.get("stands_by", False)
        if not isinstance(stands_by, bool):
            told = both(f"写的是 {stands_by!r}，请写 true 或 false", f"found {stands_by!r}; write true or false")
            faults.add(file, f"{place}, key stands_by", told)
        items = tuple(_items(file, place, row.exemption_id, entry.get("items", []), faults))
        yield Exemption(cells, row, items, bool(stands_by))


def _diagnoses(file: str, place: str, listed: object, faults: Faults) -> tuple[str, ...] | None:
    if listed is None:
        return None
    if not isinstance(listed, list) or not listed:
        told = both(
            f"写的是 {listed!r}，请写 ICD-10 前缀的数组，或不写",
            f"found {listed!r}; write a list of ICD-10 prefixes, or leave it out",
        )
        faults.add(file, f"{place}, key diagnoses", told)
        return None
    for value in listed:
        if not isinstance(value, str) or not _DIAGNOSIS.fullmatch(value):
            told = both(
                f"写的是 {value!r}，请写 ICD-10 前缀，如 I27 或 I27.0",
                f"found {value!r}; write an ICD-10 prefix such as I27 or I27.0",
            )
            faults.add(file, f"{place}, key diagnoses", told)
    return tuple(sorted(str(value) for value in listed))


def _items(file: str, place: str, exemption_id: str, listed: object, faults: Faults) -> Iterator[ExemptionItemRow]:
    if not isinstance(listed, list):
        told = both(
            f"写的是 {listed!r}，请写 {{match, value}} 表的数组",
            f"found {listed!r}; write a list of {{match, value}} tables",
        )
        faults.add(file, f"{place}, key items", told)
        return
    seen: set[tuple[str, str]] = set()
    for number, entry in enumerate(listed, 1):
        cells = record_cells(file, f"{place}, item {number}", entry, ("match", "value", "note"), faults)
        if cells is None:
            continue
        match, value = cells.choice("match", words.ITEM_MATCHES), cells.text("value")
        if match == "code" and value and not is_code(value):
            cells.fault("value", CODE_SHAPES)
        if match == "family" and value and not is_family(value):
            cells.fault("value", FAMILY_SHAPES)
        if (match, value) in seen:
            cells.fault("value", both("这条豁免写了两次，请只写一次", "the exemption names it twice; write it once"))
        seen.add((match, value))
        yield ExemptionItemRow(exemption_id, match, value)


def _check_exemptions(
    exemptions: Iterable[Exemption], points: pl.DataFrame, patterns: pl.DataFrame, faults: Faults
) -> None:
    rules = set(points["rule_id"])
    covered = _Covered(points, patterns)
    seen: set[str] = set()
    for entry in exemptions:
        if entry.row.exemption_id in seen:
            entry.cells.fault(
                "id",
                both("前面的豁免已用这个编号，请用各自的编号", "an earlier exemption has this id; give each its own"),
            )
        seen.add(entry.row.exemption_id)
        if entry.stands_by or points.is_empty():
            continue
        if entry.row.rule_id and entry.row.rule_id not in rules:
            entry.cells.fault(
                "rule",
                both(
                    "没有知识点属于这个规则，请写有知识点的规则，或写 stands_by = true",
                    "no point has this rule; name one that has, or write stands_by = true",
                ),
            )
            continue
        for item in entry.items:
            if not covered.any_point(entry.row.rule_id, item):
                faults.add(
                    entry.cells.file,
                    f"{entry.cells.place}, key items",
                    both(
                        f"写的是“{item.value}”，{entry.row.rule_id} 没有知识点包含它，请写知识点的项目，或写 stands_by = true",
                        f"found {item.value!r}, which no point of {entry.row.rule_id} covers; "
                        "name an item of a point, or write stands_by = true",
                    ),
                )


class _Covered:
    """Which items the points of each rule cover, worked out for the rules that exemptions name."""

    def __init__(self, points: pl.DataFrame, patterns: pl.DataFrame) -> None:
        self._points, self._patterns = points, patterns
        self._keys: dict[str, set[str]] = {}
        self._codes: dict[str, pl.DataFrame] = {}

    def any_point(self, rule_id: str, item: ExemptionItemRow) -> bool:
        """Whether the item concerns a point of the rule."""
        if item.match == "name":
            return item_key(item.value) in self._names(rule_id)
        codes = self._patterns_of(rule_id)
        return bool(codes.select(meets(item.match, item.value).any()).item())

    def _names(self, rule_id: str) -> set[str]:
        if rule_id not in self._keys:
            names = self._points.filter(pl.col("rule_id") == rule_id)["item_name"].drop_nulls().unique()
            self._keys[rule_id] = {item_key(name) for name in names}
        return self._keys[rule_id]

    def _patterns_of(self, rule_id: str) -> pl.DataFrame:
        if rule_id not in self._codes:
            own = self._points.filter(pl.col("rule_id") == rule_id).select("point_id")
            limited = self._patterns.filter(pl.col("role") == "item")
            self._codes[rule_id] = limited.join(own, on="point_id", how="semi").select("match", "code")
        return self._codes[rule_id]


def exemption_text(exemptions: Sequence[ExemptionRow], items: Sequence[ExemptionItemRow]) -> str:
    """The text of exemption.toml that gives these rows.

    Each stands by, since an edition made by the program may have lost the points that its exemptions speak of.
    """
    lines: list[str] = []
    for row in exemptions:
        lines += [
            "[[exemption]]",
            f"id = {quoted(row.exemption_id)}",
            f"rule = {quoted(row.rule_id)}",
            "stands_by = true",
        ]
        for name in ("effect", "status", "reason", "reason_en", "evidence", "region", "region_of"):
            value = getattr(row, name)
            lines += [f"{name} = {quoted(value)}"] if value else []
        if row.diagnoses is not None:
            lines.append(f"diagnoses = [{', '.join(map(quoted, row.diagnoses))}]")
        own = [item for item in items if item.exemption_id == row.exemption_id]
        if own:
            listed = [f"  {{ match = {quoted(item.match)}, value = {quoted(item.value)} }}," for item in own]
            lines += ["items = [", *listed, "]"]
        lines.append(f"valid_from = {row.valid_from}")
        lines += [f"valid_to = {row.valid_to}"] if row.valid_to else []
        lines.append("")
    return "\n".join(lines)
