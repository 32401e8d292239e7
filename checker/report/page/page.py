"""Writes the page of a run: one file, in which everything from outside is text, and which asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

from checker.audit.columns import COLUMNS, ReportColumn
from checker.audit.overview import Entry, method, overview
from checker.audit.run_folder import RunFolder
from checker.audit.tables import ReportTable, report_tables
from checker.model.errors import InputError, both
from checker.model.private_files import for_owner_alone
from checker.model.shown import shown
from checker.model.whole_file import write_whole
from checker.model.words import VERDICTS, Said
from checker.report.page.charts import charts
from checker.report.page.embedded import Embedded, embed_findings
from checker.report.page.what_if import WhatIf, what_if

NO_LIBRARY = both(
    "图表需要附加组件，请运行 pip install 'liangku[reports]'", "charts need an extra: install liangku[reports]"
)
SHOWN_ROWS = 30
"""Rows of a ranking that a page shows; the workbook has all."""
_RANKINGS = ("by_institution", "by_rule", "by_department", "by_prescriber", "by_item", "by_month")
_PAGE: dict[str, Said] = {
    "title": ("医保审核报告", "Audit report"),
    "first": ("先看", "What matters first"),
    "charts": ("图", "Charts"),
    "rankings": ("排名", "Rankings"),
    "clusters": ("聚集", "Clusters"),
    "quality": ("数据质量", "Data quality"),
    "findings": ("疑点", "Findings"),
    "what_if": ("如果儿童的年龄界限不同", "If the age of a child were another"),
    "method": ("方法", "Method"),
    "all": ("全部", "all"),
    "search": ("文字", "Text"),
    "visit": ("这次就诊", "The visit"),
    "close": ("关闭", "Close"),
    "more": ("再显示", "Show more"),
    "none": ("没有符合的疑点", "no finding fits"),
    "lines": ("个疑点", "findings"),
    "of_which": ("（违规 {violations} 个，无法判断 {undetermined} 个）", " ({violations} violations, {undetermined} undetermined)"),
    "stake": ("涉及金额（元）", "yuan at stake"),
    "stake_each": ("违规疑点涉及金额（元，逐个相加）", "yuan at stake of the violations, added finding by finding"),
    "withheld": (
        "人数少的分组不显示计数（--min-cell），页内因此也没有单个疑点；个案见不加此选项的工作簿",
        "Counts of few persons are not shown (--min-cell), so the page holds no single findings either: see a workbook made without it",
    ),
    "drill": ("列出疑点", "List"),
    "chosen": ("筛选", "Chosen"),
    "listed": ("列出 {shown} 个，共 {of} 个", "{shown} of {of} are listed"),
    "undo": ("取消排名筛选", "Drop the choice from the ranking"),
    "empty": ("（空）", "(none)"),
    "visit_cut": (
        "页内不是全部疑点，这次就诊可能还有其他疑点，见 findings.parquet",
        "The page does not hold all findings; this visit may have others: see findings.parquet",
    ),
    "visit_is": ("列出违规和无法判断的疑点；豁免的见工作簿", "Violations and undetermined findings; exempt ones are in the workbook"),
    "limits": (
        "只计以 14、16、18 岁为界的疑点；低于本次所用界限的，扫描没有留下，无从得知。知识点自己写明这些年龄的，与“儿童”一词分不开，也计在内",
        "Of limits of 14, 16 and 18 only; what a lower limit than the one in use would find is not in the run. Points "
        "that name such an age themselves cannot be told from the word 儿童, and are counted",
    ),
    "open": ("查看", "Open"),
    "unread": ("此浏览器太旧，读不出页内的疑点", "This browser is too old to read the findings in the page"),
    "first_rows": ("只列前 {rows} 行，全部见工作簿", "the first {rows} rows; the workbook has all"),
    "whole": ("图和排名是整次扫描的，不随筛选变化", "Charts and rankings are of the whole run and do not follow the filters"),
    "limit": ("界限", "Limit"),
    "younger": ("不满 {age} 岁是儿童", "a child is younger than {age}"),
    "left_over": ("仍待核实（个疑点）", "left (findings)"),
    "unknown": ("年龄不详", "age unknown"),
    "no_children": ("没有按“儿童”一词限定的待核实疑点", "no findings are left of items limited by the word 儿童"),
    "cut": (
        "页内是金额最高的 {held:,} 个疑点，共 {of:,} 个；其余见 findings.parquet 和工作簿",
        "The page holds the {held:,} findings of most yuan, of {of:,}; the others are in findings.parquet and the workbook",
    ),
    "not_a_visit": ("没有就诊号和结算号", "neither visit nor settlement is told"),
}  # fmt: skip
_FILTERS = ("institution_name", "rule_name", "level", "verdict", "class", "month")
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
_LISTED = (
    "level",
    "class",
    "institution_name",
    "department",
    "service_time",
    "item_name",
    "person_sex",
    "person_age",
    "expected",
    "actual",
    "amount_at_stake",
)


def write_page(run: RunFolder, target: Path, *, language: str, identities: bool, least_cell: int) -> Embedded:
    """Write the page of a run; returns the findings that it holds. Raises InputError where it cannot be written, or nothing draws the charts."""
    english = language == "en"
    tables = report_tables(language=language, identities=identities, least_cell=least_cell)
    connection = run.connect()
    try:
        rows = {id_: connection.execute(tables[id_].query).fetchall() for id_ in (*_RANKINGS, "clusters", "quality")}
        # Where few persons are not counted, they are not told one by one either.
        findings = embed_findings(connection, language=language, identities=identities, none=least_cell > 0)
        body = [
            *_section(
                "first", _entries(overview(run, connection, english=english, least_cell=least_cell)), english=english
            ),
            *_section("charts", _charts(rows, english=english), english=english),
            *_section("clusters", _table(tables["clusters"], rows["clusters"], english=english), english=english),
            *_section("findings", _findings(findings, english=english, least_cell=least_cell), english=english),
            *_section("rankings", _rankings(tables, rows, english=english), english=english),
            *_section(
                "what_if", _what_if(what_if(connection), english=english, least_cell=least_cell), english=english
            ),
            *_section("quality", _table(tables["quality"], rows["quality"], english=english), english=english),
            *_section(
                "method",
                _entries(method(run, english=english, identities=identities, least_cell=least_cell)),
                english=english,
            ),
        ]
    finally:
        connection.close()
    with for_owner_alone():
        write_whole(target, _document(body, findings, english=english))
    return findings


def _document(body: Sequence[str], findings: Embedded, *, english: bool) -> str:
    style, script = (
        files("checker.report.page").joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js")
    )
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; script-src 'sha256-{allowed}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    words = {
        "text": {name: said[english] for name, said in _PAGE.items()},
        "columns": {name: COLUMNS[name].said[english] for name in findings.columns},
        "kinds": {name: COLUMNS[name].kind for name in findings.columns},
        "listed": _LISTED,
        "violation": VERDICTS["violation"][english],
        "cut": findings.held < findings.of,
        "said": {column.name: column.said[english] for column in COLUMNS.values()},
        "filters": [{"name": name, "said": COLUMNS[name].said[english]} for name in _FILTERS],
    }
    title = _PAGE["title"][english]
    navigation = "".join(
        f'<a href="#{id_}">{_PAGE[id_][english]}</a>'
        for id_ in ("first", "charts", "clusters", "findings", "rankings", "what_if", "quality", "method")
    )
    return "\n".join((
        f'<!doctype html><html lang="{"en" if english else "zh-CN"}"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta name="referrer" content="no-referrer"><title>{title}</title><style>{style}</style></head><body>',
        f"<header><h1>{title}</h1><nav>{navigation}</nav></header><main>", *body, "</main>",
        f'<dialog id="visit" aria-labelledby="visit-title"><form method="dialog"><button id="visit-close">{_PAGE["close"][english]}</button></form>'
        f'<h2 id="visit-title">{_PAGE["visit"][english]}</h2><div id="visit-body"></div></dialog>',
        f'<script type="application/json" id="words">{_json(words)}</script>',
        f'<script type="text/plain" id="data">{findings.text}</script>',
        f"<script>{script}</script></body></html>",
    ))  # fmt: skip


def _json(value: object) -> str:
    """JSON that ends no script element, whatever it holds."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _section(id_: str, content: Iterable[str], *, english: bool) -> Iterator[str]:
    yield f'<section id="{id_}"><h2>{_PAGE[id_][english]}</h2>'
    yield from content
    yield "</section>"


def _text(value: object) -> str:
    return html.escape(shown(str(value)))


def _entries(entries: Iterable[Entry]) -> Iterator[str]:
    """What is told, with its value; headings between."""
    opened = False
    for what, value in entries:
        if value is None:
            yield ("</dl>" if opened else "") + f"<h3>{_text(what.strip())}</h3><dl>"
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
        yield f'<div class="d{min(depth, 2)}"><dt>{_text(what.strip())}</dt><dd>{_text(cell)}</dd></div>'
    if opened:
        yield "</dl>"


def _charts(rows: dict[str, list[tuple[Any, ...]]], *, english: bool) -> Iterator[str]:
    try:
        drawn = charts(rows, english=english)
    except ImportError as error:
        raise InputError(NO_LIBRARY) from error
    yield f'<p class="note">{_PAGE["whole"][english]}</p><div class="charts">'
    yield from (f'<figure role="img" aria-label="{_text(title[english])}">{svg}</figure>' for title, svg in drawn)
    yield "</div>"


def _rankings(
    tables: dict[str, ReportTable], rows: dict[str, list[tuple[Any, ...]]], *, english: bool
) -> Iterator[str]:
    for id_ in _RANKINGS:
        yield f"<details{' open' if id_ == 'by_institution' else ''}><summary>{tables[id_].said[english]}</summary>"
        yield from _table(tables[id_], rows[id_], english=english)
        yield "</details>"


def _table(table: ReportTable, rows: list[tuple[Any, ...]], *, english: bool) -> Iterator[str]:
    yield f'<p class="note">{_text(table.note[english])}</p>'
    if not rows:
        yield f"<p>{'none' if english else '没有'}</p>"
        return
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{_text(table.said[english])}"><table><thead><tr>'
    yield "".join(f'<th scope="col"{_side(column)}>{_text(column.said[english])}</th>' for column in table.columns)
    keys = _DRILLS.get(table.id, ())
    if keys:
        yield f'<th scope="col">{_PAGE["drill"][english]}</th>'
    yield "</tr></thead><tbody>"
    for row in rows[:SHOWN_ROWS]:
        cells = zip(row, table.columns, strict=True)
        yield f"<tr>{''.join(f'<td{_side(column)}>{_cell(value, column)}</td>' for value, column in cells)}{_drill(table, row, keys, english=english)}</tr>"
    yield "</tbody></table></div>"
    if len(rows) > SHOWN_ROWS:
        yield f'<p class="note">{_PAGE["first_rows"][english].format(rows=SHOWN_ROWS)}</p>'


def _drill(table: ReportTable, row: tuple[Any, ...], keys: Sequence[str], *, english: bool) -> str:
    """A cell that lists the findings of a row."""
    if not keys:
        return ""
    values = {column.name: value for column, value in zip(table.columns, row, strict=True)}
    by = {key: None if values[key] is None else shown(str(values[key])) for key in keys}
    named = next((str(value) for value in (values.get("institution_name"), *by.values()) if value is not None), "")
    said = _PAGE["drill"][english]
    label = _text(f"{said} {named} {' '.join(value for value in by.values() if value is not None)}")
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
    return _text(value)


def _findings(findings: Embedded, *, english: bool, least_cell: int) -> Iterator[str]:
    if least_cell:
        yield f'<p class="note">{_PAGE["withheld"][english]}</p>'
    elif findings.held < findings.of:
        yield f'<p class="note">{_PAGE["cut"][english].format(held=findings.held, of=findings.of)}</p>'
    yield '<form id="filters" role="search"></form><p id="count" role="status" aria-live="polite"></p>'
    yield f'<p id="listed" class="note"></p><button type="button" id="undo" hidden>{_PAGE["undo"][english]}</button>'
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{_PAGE["findings"][english]}">'
    yield '<table id="list"><thead></thead><tbody></tbody></table></div>'
    yield f'<button type="button" id="more" hidden>{_PAGE["more"][english]}</button>'


def _what_if(found: list[WhatIf], *, english: bool, least_cell: int) -> Iterator[str]:
    if not found:
        yield f"<p>{_PAGE['no_children'][english]}</p>"
        return
    yield f'<p class="note">{_PAGE["limits"][english]}</p>'
    heads = (COLUMNS["rule_name"].said, _PAGE["limit"], _PAGE["left_over"], _PAGE["stake"], _PAGE["unknown"])
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{_PAGE["what_if"][english]}"><table><thead><tr>'
    yield from (f'<th scope="col">{said[english]}</th>' for said in heads)
    yield "</tr></thead><tbody>"
    for each in found:
        limit = _PAGE["younger"][english].format(age=each.limit)
        shown_left, shown_unknown = (
            count == 0 or persons >= least_cell
            for count, persons in ((each.lines, each.persons), (each.unknown, each.persons_unknown))
        )
        cells = (
            f"{each.lines:,}" if shown_left else "",
            f"{each.yuan:,.2f}" if shown_left else "",
            f"{each.unknown:,}" if shown_unknown else "",
        )
        numbers = "".join(f'<td class="n">{cell}</td>' for cell in cells)
        yield f"<tr><td>{_text(each.rule)}</td><td>{limit}</td>{numbers}</tr>"
    yield "</tbody></table></div>"
