"""Tables and lists of a page as HTML, in which everything from outside is text."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from checker.audit.columns import ReportColumn
from checker.audit.overview import Entry
from checker.audit.tables import ReportTable
from checker.model.shown import shown
from checker.report.page.words import PAGE

SHOWN_ROWS = 30
"""Rows of a ranking that a page shows; the workbook has all."""
_DRILLS = {
    "by_institution": ("institution_id",),
    "by_rule": ("rule_name",),
    "by_department": ("institution_id", "department"),
    "by_prescriber": ("institution_id", "department", "prescriber"),
    "by_item": ("item_code",),
    "by_month": ("month",),
    "clusters": ("cluster_id",),
}
"""By which columns the findings of a row of a table are found."""


def text(value: object) -> str:
    """A value as it may stand in HTML."""
    return html.escape(shown(str(value)))


def entries(told: Iterable[Entry]) -> Iterator[str]:
    """What is told, with its value; headings between."""
    opened = False
    for what, value in told:
        if value is None:
            yield ("</dl>" if opened else "") + f"<h3>{text(what.strip())}</h3><dl>"
            opened = True
            continue
        if not opened:
            yield "<dl>"
            opened = True
        depth = len(what) - len(what.lstrip("\u3000 "))
        cell = (
            f"{value:,.2f}"
            if isinstance(value, Decimal | float)
            else f"{value:,}"
            if isinstance(value, int)
            else str(value)
        )
        yield f'<div class="d{min(depth, 2)}"><dt>{text(what.strip())}</dt><dd>{text(cell)}</dd></div>'
    if opened:
        yield "</dl>"


def table_html(table: ReportTable, rows: list[tuple[Any, ...]], *, english: bool, with_findings: bool) -> Iterator[str]:
    """A table, its first rows; each lists its findings where the page has any (`with_findings`)."""
    yield f'<p class="note">{text(table.note[english])}</p>'
    if not rows:
        yield f"<p>{'none' if english else '没有'}</p>"
        return
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{text(table.said[english])}"><table><thead><tr>'
    yield "".join(f'<th scope="col"{_side(column)}>{text(column.said[english])}</th>' for column in table.columns)
    keys = _DRILLS.get(table.id, ()) if with_findings else ()
    if keys:
        yield f'<th scope="col">{PAGE["drill"][english]}</th>'
    yield "</tr></thead><tbody>"
    for row in rows[:SHOWN_ROWS]:
        cells = zip(row, table.columns, strict=True)
        yield f"<tr>{''.join(f'<td{_side(column)}>{_cell(value, column)}</td>' for value, column in cells)}{_drill(table, row, keys, english=english)}</tr>"
    yield "</tbody></table></div>"
    if len(rows) > SHOWN_ROWS:
        yield f'<p class="note">{PAGE["first_rows"][english].format(rows=SHOWN_ROWS)}</p>'


def _drill(table: ReportTable, row: tuple[Any, ...], keys: Sequence[str], *, english: bool) -> str:
    """A cell that lists the findings of a row."""
    if not keys:
        return ""
    values = {column.name: value for column, value in zip(table.columns, row, strict=True)}
    by = {key: None if values[key] is None else shown(str(values[key])) for key in keys}
    named = next((str(value) for value in (values.get("institution_name"), *by.values()) if value is not None), "")
    said = PAGE["drill"][english]
    label = text(f"{said} {named} {' '.join(value for value in by.values() if value is not None)}")
    by_text = html.escape(json.dumps(by, ensure_ascii=False))
    return f'<td><button type="button" data-drill="{by_text}" aria-label="{label}">{said}</button></td>'


def _side(column: ReportColumn) -> str:
    return "" if column.kind in ("text", "day", "time") else ' class="n"'


def _cell(value: object, column: ReportColumn) -> str:
    if value is None:
        return ""
    match column.kind:
        case "share":
            return f"{float(str(value)):.1%}"
        case "yuan":
            return f"{float(str(value)):,.2f}"
        case "rate":
            return f"{float(str(value)):,.1f}"
        case "count":
            return f"{int(str(value)):,}"
    return text(value)
