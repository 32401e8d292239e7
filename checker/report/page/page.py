"""Writes the page of a run: one file, in which everything from outside is text, and which asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from checker.audit.columns import COLUMNS
from checker.audit.overview import method, overview
from checker.audit.run_folder import RunFolder
from checker.audit.tables import ReportTable, report_tables
from checker.model.errors import InputError, both
from checker.model.private_files import for_owner_alone
from checker.model.whole_file import write_whole
from checker.model.words import VERDICTS
from checker.report.page.charts import charts
from checker.report.page.embedded import Embedded, embed_findings
from checker.report.page.table_html import entries, table_html, text
from checker.report.page.what_if import WhatIf, what_if
from checker.report.page.words import PAGE

NO_LIBRARY = both(
    "图表需要附加组件，请运行 pip install 'liangku[reports]'", "charts need an extra: install liangku[reports]"
)
_RANKINGS = ("by_institution", "by_rule", "by_department", "by_prescriber", "by_item", "by_month")
_FILTERS = ("institution_name", "rule_name", "level", "verdict", "class", "month")
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

        def table(id_: str) -> Iterator[str]:
            return table_html(tables[id_], rows[id_], english=english, with_findings=not least_cell)

        body = [
            *_section(
                "first", entries(overview(run, connection, english=english, least_cell=least_cell)), english=english
            ),
            *_section("charts", _charts(rows, english=english), english=english),
            *_section("clusters", table("clusters"), english=english),
            *_section("findings", _findings(findings, english=english, least_cell=least_cell), english=english),
            *_section("rankings", _rankings(tables, table, english=english), english=english),
            *_section(
                "what_if", _what_if(what_if(connection), english=english, least_cell=least_cell), english=english
            ),
            *_section("quality", table("quality"), english=english),
            *_section(
                "method",
                entries(method(run, english=english, identities=identities, least_cell=least_cell)),
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
        "text": {name: said[english] for name, said in PAGE.items()},
        "columns": {name: COLUMNS[name].said[english] for name in findings.columns},
        "kinds": {name: COLUMNS[name].kind for name in findings.columns},
        "listed": _LISTED,
        "violation": VERDICTS["violation"][english],
        "cut": findings.held < findings.of,
        "said": {column.name: column.said[english] for column in COLUMNS.values()},
        "filters": [{"name": name, "said": COLUMNS[name].said[english]} for name in _FILTERS],
    }
    title = PAGE["title"][english]
    navigation = "".join(
        f'<a href="#{id_}">{PAGE[id_][english]}</a>'
        for id_ in ("first", "charts", "clusters", "findings", "rankings", "what_if", "quality", "method")
    )
    return "\n".join((
        f'<!doctype html><html lang="{"en" if english else "zh-CN"}"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta name="referrer" content="no-referrer"><title>{title}</title><style>{style}</style></head><body>',
        f"<header><h1>{title}</h1><nav>{navigation}</nav></header><main>", *body, "</main>",
        f'<dialog id="visit" aria-labelledby="visit-title"><form method="dialog"><button id="visit-close">{PAGE["close"][english]}</button></form>'
        f'<h2 id="visit-title">{PAGE["visit"][english]}</h2><div id="visit-body"></div></dialog>',
        f'<script type="application/json" id="words">{_json(words)}</script>',
        f'<script type="text/plain" id="data">{findings.text}</script>',
        f"<script>{script}</script></body></html>",
    ))  # fmt: skip


def _json(value: object) -> str:
    """JSON that ends no script element, whatever it holds."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _section(id_: str, content: Iterable[str], *, english: bool) -> Iterator[str]:
    yield f'<section id="{id_}"><h2>{PAGE[id_][english]}</h2>'
    yield from content
    yield "</section>"


def _charts(rows: dict[str, list[tuple[Any, ...]]], *, english: bool) -> Iterator[str]:
    try:
        drawn = charts(rows, english=english)
    except ImportError as error:
        raise InputError(NO_LIBRARY) from error
    yield f'<p class="note">{PAGE["whole"][english]}</p><div class="charts">'
    yield from (f'<figure role="img" aria-label="{text(title[english])}">{svg}</figure>' for title, svg in drawn)
    yield "</div>"


def _rankings(
    tables: Mapping[str, ReportTable], table: Callable[[str], Iterator[str]], *, english: bool
) -> Iterator[str]:
    for id_ in _RANKINGS:
        yield f"<details{' open' if id_ == 'by_institution' else ''}><summary>{tables[id_].said[english]}</summary>"
        yield from table(id_)
        yield "</details>"


def _findings(findings: Embedded, *, english: bool, least_cell: int) -> Iterator[str]:
    if least_cell:
        yield f'<p class="note">{PAGE["withheld"][english]}</p>'
    elif findings.held < findings.of:
        yield f'<p class="note">{PAGE["cut"][english].format(held=findings.held, of=findings.of)}</p>'
    yield '<form id="filters" role="search"></form><p id="count" role="status" aria-live="polite"></p>'
    yield f'<p id="listed" class="note"></p><button type="button" id="undo" hidden>{PAGE["undo"][english]}</button>'
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{PAGE["findings"][english]}">'
    yield '<table id="list"><thead></thead><tbody></tbody></table></div>'
    yield f'<button type="button" id="more" hidden>{PAGE["more"][english]}</button>'


def _what_if(found: list[WhatIf], *, english: bool, least_cell: int) -> Iterator[str]:
    if not found:
        yield f"<p>{PAGE['no_children'][english]}</p>"
        return
    yield f'<p class="note">{PAGE["limits"][english]}</p>'
    heads = (COLUMNS["rule_name"].said, PAGE["limit"], PAGE["left_over"], PAGE["stake"], PAGE["unknown"])
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{PAGE["what_if"][english]}"><table><thead><tr>'
    yield from (f'<th scope="col">{said[english]}</th>' for said in heads)
    yield "</tr></thead><tbody>"
    for each in found:
        limit = PAGE["younger"][english].format(age=each.limit)
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
        yield f"<tr><td>{text(each.rule)}</td><td>{limit}</td>{numbers}</tr>"
    yield "</tbody></table></div>"
