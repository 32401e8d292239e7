"""The knowledge bases that are checked: text or built, one or several on top of each other, with the place of every row."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from checker.knowledge.cell_reader import Faults, read_text
from checker.knowledge.checks.issue import Place
from checker.knowledge.crosswalk import CROSSWALK_FILE, empty_crosswalk
from checker.knowledge.crosswalk_text import check_crosswalk
from checker.knowledge.edition import Edition, open_edition
from checker.knowledge.example_text import EXAMPLE_FILE, empty_examples
from checker.knowledge.exemption_text import EXEMPTION_FILE
from checker.knowledge.point_text import PATTERN_FILE, POINT_FILE, check_frames
from checker.knowledge.rows import ExemptionItemRow, ExemptionRow
from checker.knowledge.source import TEXT_FILES, Reading, holds_text, read_text_folder, sources_of
from checker.knowledge.tables import CROSSWALK, EXEMPTION, PATTERN, POINT
from checker.model.embedded import EMBEDDED, embedded_edition_folder
from checker.model.errors import Fault

_EXEMPTION_ID = re.compile(r"""^\s*id\s*=\s*["']([^"']+)["']""")
_ROW_AT = re.compile(r"row (\d+)")
_HARMLESS = "missing-evidence"
_EXEMPTION_AT = re.compile(r"exemption ([^,]+)")


@dataclass(frozen=True, slots=True)
class Layer:
    """Rows with their places (columns `file`, `row`), and the faults of reading them.

    A row with a fault is not among the rows, since it could be misunderstood; one that lacks only its evidence is.

    `overridden` are the points that take the place of one below: where they stand, the name of that one's item, and its layer.
    `faulty` gives the point id of a row with a fault by file and line, where it has one.
    """

    name: str
    point: pl.DataFrame
    pattern: pl.DataFrame
    exemptions: tuple[ExemptionRow, ...]
    exemption_items: tuple[ExemptionItemRow, ...]
    exemption_places: Mapping[str, Place]
    faults: tuple[Fault, ...]
    faulty: Mapping[tuple[str, int], str] = field(default_factory=dict)
    crosswalk: pl.DataFrame = field(default_factory=lambda: placed(empty_crosswalk(), ""))
    examples: pl.DataFrame = field(default_factory=lambda: empty_examples().with_columns(file=pl.lit("")))
    overridden: tuple[tuple[Place, str, str], ...] = ()


def placed(rows: pl.DataFrame, file: str) -> pl.DataFrame:
    """Rows of a file that has no lines, with their place."""
    return rows.with_columns(pl.lit(None, dtype=pl.Int32).alias("row"), file=pl.lit(file))


def read_layer(folder: Path) -> Layer:
    """Read a folder of text, or a built knowledge base. Raises KnowledgeError for a folder that is neither."""
    if not holds_text(folder):
        return built_layer(open_edition(folder))
    return text_layer(folder, read_text_folder(folder))


def given_layer(given: Path) -> Layer:
    """The layer of a folder, or of the embedded edition where its word stands in the place of one."""
    if given == Path(EMBEDDED):
        return built_layer(open_edition(embedded_edition_folder(), embedded=True))
    return read_layer(given)


def text_layer(folder: Path, read: Reading) -> Layer:
    """The rows of a folder of text that was read."""
    shown = shown_path(folder)
    faults = read.faults.found
    headers = [fault for fault in faults if fault.check == "columns" and fault.key == "row 1"]
    exemptions, items = _sound_exemptions(read.exemptions, read.exemption_items, faults)
    if headers:
        # Without a column no row of the file could be read, and whatever speaks of its rows would seem at fault as well.
        faults, exemptions, items = headers, (), ()
    file_of = {name: f"{shown}/{name}" for name in TEXT_FILES}
    faulty: dict[tuple[str, int], str] = {}
    rows: dict[str, pl.DataFrame] = {}
    unlimited = _limit_faults(read, faults, file_of, faulty)
    for frame, name in ((read.point, POINT_FILE), (read.pattern, PATTERN_FILE)):
        at = [(fault, found[1]) for fault in faults if fault.file == name and (found := _ROW_AT.match(fault.key))]
        named = frame.filter(pl.col("row").is_in(_rows(row for _, row in at)) & pl.col("point_id").is_not_null())
        faulty.update({(file_of[name], row): point for row, point in named.select("row", "point_id").iter_rows()})
        bad = _rows(row for fault, row in at if fault.check != _HARMLESS)
        kept = frame.clear() if headers else frame.filter(~pl.col("row").is_in(bad))
        rows[name] = kept.with_columns(file=pl.lit(file_of[name]))
    rows[POINT_FILE] = rows[POINT_FILE].filter(~pl.col("point_id").is_in(unlimited))
    lines = _exemption_lines(folder / EXEMPTION_FILE)
    mistold = _rows(
        found[1] for fault in faults if fault.file == CROSSWALK_FILE and (found := _ROW_AT.match(fault.key))
    )
    crosswalk = read.crosswalk.clear() if headers else read.crosswalk.filter(~pl.col("row").is_in(mistold))
    return Layer(
        shown,
        rows[POINT_FILE],
        rows[PATTERN_FILE],
        exemptions,
        items,
        {
            row.exemption_id: Place(file_of[EXEMPTION_FILE], lines.get(row.exemption_id), row.exemption_id)
            for row in read.exemptions
        },
        tuple(replace(fault, file=file_of.get(fault.file, fault.file)) for fault in faults),
        faulty,
        crosswalk.with_columns(file=pl.lit(file_of[CROSSWALK_FILE])),
        (read.examples.clear() if headers else read.examples).with_columns(file=pl.lit(file_of[EXAMPLE_FILE])),
    )


def built_layer(edition: Edition) -> Layer:
    """The rows of a built knowledge base, held to the grammar of the text once more; they have no line."""
    shown = shown_path(edition.folder)
    sources = sources_of([edition])
    faults = Faults()
    check_frames(sources.point, sources.pattern, (POINT.file, PATTERN.file), faults)
    check_crosswalk(sources.crosswalk, CROSSWALK.file, faults)
    exemption_file = f"{shown}/{EXEMPTION.file}"
    return Layer(
        shown,
        placed(_without(sources.point, POINT.file, faults.found), f"{shown}/{POINT.file}"),
        placed(_without(sources.pattern, PATTERN.file, faults.found), f"{shown}/{PATTERN.file}"),
        sources.exemptions,
        sources.exemption_items,
        {row.exemption_id: Place(exemption_file, None, row.exemption_id) for row in sources.exemptions},
        tuple(replace(fault, file=f"{shown}/{fault.file}") for fault in faults.found),
        crosswalk=placed(sources.crosswalk, f"{shown}/{CROSSWALK.file}"),
    )


def stacked(layers: Sequence[Layer]) -> Layer:
    """The layers as one: a later one's point (exemption) takes the place of the earlier one of its id, with all its patterns (items),
    and what it says of a local code that of all earlier ones.
    """
    below = layers[0]
    for layer in layers[1:]:
        replaced = {row.exemption_id for row in layer.exemptions}
        below = Layer(
            layer.name,
            _on_top(below.point, layer.point, layer.point),
            _on_top(below.pattern, layer.pattern, layer.point),
            tuple(row for row in below.exemptions if row.exemption_id not in replaced) + layer.exemptions,
            tuple(item for item in below.exemption_items if item.exemption_id not in replaced) + layer.exemption_items,
            {**below.exemption_places, **layer.exemption_places},
            below.faults + layer.faults,
            {**below.faulty, **layer.faulty},
            _on_top(below.crosswalk, layer.crosswalk, layer.crosswalk, "local_code"),
            # What is said of a point or exemption goes with it.
            pl.concat(
                [
                    below.examples.filter(~pl.col("id").is_in([*layer.point["point_id"], *replaced])),
                    layer.examples,
                ]
            ),
            (*below.overridden, *_overridden(below, layer)),
        )
    return below


def _overridden(below: Layer, above: Layer) -> Iterator[tuple[Place, str, str]]:
    both = above.point.join(below.point.select("point_id", under="item_name"), on="point_id", maintain_order="left")
    for row in both.select("file", "row", "point_id", "under").iter_rows(named=True):
        yield Place(row["file"], row["row"], row["point_id"]), row["under"], below.name


def shown_path(path: Path) -> str:
    """The path as issues name it: from here where it lies within, with forward slashes."""
    relative = os.path.relpath(path)
    return (str(path) if relative.startswith("..") else relative).replace(os.sep, "/")


def _limit_faults(
    read: Reading, faults: Sequence[Fault], file_of: Mapping[str, str], faulty: dict[tuple[str, int], str]
) -> list[str]:
    """The points whose limits have a fault; `faulty` learns which point each such row is of."""
    points = {(file, row): point for file, row, point in read.limit_places.iter_rows() if point}
    told = [(fault, int(found[1])) for fault in faults if (found := _ROW_AT.match(fault.key))]
    own = [(fault, row, points[fault.file, row]) for fault, row in told if (fault.file, row) in points]
    faulty.update({(file_of[fault.file], row): point for fault, row, point in own})
    return sorted({point for _, _, point in own})


def _on_top(below: pl.DataFrame, above: pl.DataFrame, owners: pl.DataFrame, key: str = "point_id") -> pl.DataFrame:
    kept = below.join(owners.select(key), on=key, how="anti", maintain_order="left")
    return pl.concat([kept, above.select(below.columns)])


def _rows(numbers: Iterable[str]) -> list[int]:
    return sorted({int(number) for number in numbers})


def _sound_exemptions(
    exemptions: Sequence[ExemptionRow], items: Sequence[ExemptionItemRow], faults: Sequence[Fault]
) -> tuple[tuple[ExemptionRow, ...], tuple[ExemptionItemRow, ...]]:
    bad = {found[1] for fault in faults if fault.file == EXEMPTION_FILE and (found := _EXEMPTION_AT.match(fault.key))}
    return (
        tuple(row for row in exemptions if row.exemption_id not in bad),
        tuple(item for item in items if item.exemption_id not in bad),
    )


def _without(rows: pl.DataFrame, file: str, faults: Sequence[Fault]) -> pl.DataFrame:
    """The rows of a built table without those of points that have a fault."""
    told = [fault for fault in faults if fault.file == file and fault.check != _HARMLESS]
    bad = {fault.key.split(",")[0].removeprefix("point ") for fault in told}
    return rows.filter(~pl.col("point_id").is_in(sorted(bad))) if bad else rows


def _exemption_lines(path: Path) -> dict[str, int]:
    """The line on which each exemption says its id."""
    lines = read_text(path).split("\n")
    found = ((number, _EXEMPTION_ID.match(line)) for number, line in enumerate(lines, 1))
    return {match[1]: number for number, match in found if match}
