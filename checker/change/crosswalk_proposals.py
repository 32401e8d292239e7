"""Rows that a crosswalk [对照表] may lack: codes of the data that no knowledge knows, under the very name of a service with points."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from checker.ingest import line_sql
from checker.ingest.relations import COVERED_SERVICES
from checker.ingest.value_sql import clean_text, read_text
from checker.knowledge.crosswalk import is_local_code
from checker.knowledge.names import item_key
from checker.model.errors import InputError, why
from checker.model.schema import NATIONAL_CODE, Kind
from checker.model.shown import no_formula
from checker.scan.summary import yuan

if TYPE_CHECKING:
    import duckdb

HEADERS = ("地方编码", "地方名称", "国家编码", "国家名称", "开始日期", "结束日期", "依据", "行数", "金额（元）")
_BASIS = "名称相同（liangku kb gaps），待人工核对"
_SERVICE = "[0-9]{15}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A row to sign off: a code of the data and the name that most of its lines bear, a national code and the name of its point; lines, yuan gross."""

    local_code: str
    local_name: str
    national_code: str
    national_name: str
    lines: int
    amount: Decimal


def propose(connection: duckdb.DuckDBPyConnection, lines: Sequence[str]) -> tuple[Proposal, ...]:
    """Return the rows, those of most yuan first. `lines` are SQL of judged lines (raw, name, amount); the census was taken, the knowledge loaded.

    Looked at are codes that are no drug's and of no service system that the knowledge speaks of, and local codes of lines without any other,
    but those that a crosswalk in use has.
    """
    bare = f"SELECT raw, {read_text('cleaned', Kind.CODE)} AS code FROM (SELECT raw, {clean_text(f'ltrim(raw, {line_sql.LOCAL})')} AS cleaned FROM code_map)"
    strange = f"NOT regexp_full_match(code, '{NATIONAL_CODE}') OR (regexp_full_match(code, '{_SERVICE}') AND code NOT LIKE '{COVERED_SERVICES}')"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE strange_code AS SELECT raw, code FROM ({bare})
        WHERE code IS NOT NULL AND ({strange}) AND code NOT IN (SELECT local_code FROM kb_crosswalk)
          AND code NOT IN (SELECT code FROM kb_pattern WHERE match = 'code')"""
    )
    counted = " UNION ALL ".join(
        f"SELECT code, {clean_text('name')} AS name, amount FROM ({each}) JOIN strange_code USING (raw)"
        for each in lines
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE strange AS SELECT code, name, count(*) AS lines, coalesce(sum(amount), 0) AS amount
        FROM ({counted}) WHERE name IS NOT NULL GROUP BY code, name"""
    )
    services = f"""SELECT DISTINCT p.item_name, t.code FROM kb_point p JOIN kb_pattern t USING (point_id)
        WHERE role = 'item' AND match = 'code' AND regexp_full_match(code, '{_SERVICE}')"""
    names = connection.execute(f"SELECT name FROM strange UNION SELECT item_name FROM ({services})").fetchall()
    keyed = pl.DataFrame(
        {"name": [name for (name,) in names], "key": [item_key(name) for (name,) in names]}, schema=_KEYED
    )
    connection.register("strange_key", keyed)
    rows = connection.execute(
        f"""SELECT s.code, arg_max(s.name, s.lines), o.code, min(o.item_name), sum(s.lines)::BIGINT AS lines, sum(s.amount) AS amount
        FROM strange s JOIN strange_key k ON k.name = s.name
        JOIN strange_key other ON other.key = k.key JOIN ({services}) o ON o.item_name = other.name
        GROUP BY s.code, o.code ORDER BY amount DESC, lines DESC, s.code, o.code"""
    ).fetchall()
    return tuple(
        Proposal(local, name, national, item, int(count), yuan(amount))
        for local, name, national, item, count, amount in rows
        if is_local_code(local)
    )


_KEYED: Mapping[str, type[pl.DataType]] = {"name": pl.String, "key": pl.String}


def need_free(path: Path) -> None:
    """Raise InputError where a file stands already: what was signed off is not written over."""
    if path.exists():
        raise InputError(f"{path}：已有这个文件，不会覆盖，请换一个文件名（a file stands there: name another）")


def write_proposals(proposals: Sequence[Proposal], path: Path) -> None:
    """Write the rows as CSV for a spreadsheet, to be signed off and given to `liangku kb crosswalk`.

    Raises InputError where a file stands there already or none can be written.
    """
    need_free(path)
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADERS)
    for each in proposals:
        codes = (_as_text(each.local_code), _as_text(each.national_code))
        names = (no_formula(each.local_name), no_formula(each.national_name))
        writer.writerow((codes[0], names[0], codes[1], names[1], "", "", _BASIS, each.lines, each.amount))
    try:
        # A byte order mark, by which spreadsheets know the encoding.
        with path.open("x", encoding="utf-8-sig", newline="") as file:
            file.write(text.getvalue())
    except OSError as error:
        raise InputError(
            f"{path}：无法写入（{why(error)}），请换一个位置（cannot be written: name another place）"
        ) from error


def _as_text(code: str) -> str:
    """A code so that a spreadsheet keeps its zeros and digits; it is read without what is around it."""
    return f'="{code}"' if code.isdigit() else code
