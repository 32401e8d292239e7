"""Lines become sums: what was charged of each class, visit by visit, in one pass over all lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import SCRATCH
from checker.indicators.charge_class import class_sql
from checker.indicators.definitions import Definitions
from checker.indicators.plan import KEYS, Plan, bucket, visit_key
from checker.ingest.line_kind import named_lines
from checker.ingest.line_sql import LINE_NO_SHIFT, as_it_stands, raw_code
from checker.ingest.lost_keys import is_lost
from checker.ingest.named import free_name
from checker.ingest.settlement_flags import RefundSettlements
from checker.ingest.sources import Source
from checker.ingest.spellings import LONGEST_NULL_WORD
from checker.ingest.value_sql import clean_text, read_text
from checker.model import sqltext
from checker.model.schema import Kind

if TYPE_CHECKING:
    import duckdb

AT_ONCE = 4_000_000
"""So many lines are summed at once."""
WHO = ("institution_id", "patient_id", "patient_id_number", "insurance_type", "institution_level", "care_type")
"""What tells of a visit whose, where and how it was."""
STAY = ("visit_start", "visit_end")
USED = (0, 5, 6)
"""The kinds of lines that count (KINDS): charged, taken back, and paid by the patients themselves, which is cost as well."""
REFUND = 5


LAST = "class_other"
"""The class of which nothing is asked but what it comes to: it is what the others leave."""


def class_names(defined: Definitions) -> tuple[str, ...]:
    """The columns of the sums by class, in the order of their numbers; the first is of the lines of no class."""
    return ("class_none", *(f"class_{each.id}" for each in defined.classes))


def sum_lines(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    second: Mapping[int, bool],
    refunds: RefundSettlements,
    defined: Definitions,
    plan: Plan,
    work: Path,
    *,
    any_duplicate: bool,
) -> list[Path]:
    """Sum all lines that count by what they say of their visit, and return the files in which the sums lie.

    Lines of a visit mostly lie together: so many at a time are summed that their visits fit into memory, and each line is read once.
    """
    counted = dict(connection.execute("SELECT file_no, sum(n)::BIGINT FROM kind_census GROUP BY file_no").fetchall())
    written: list[Path] = []
    for number, source in enumerate(sources):
        for some in _slices(source, counted):
            written.append(work / f"charged_{len(written)}.parquet")
            sums = _sums(source, second[number], refunds, defined, some, key=plan.key, any_duplicate=any_duplicate)
            query = _keyed(source, sums, plan)
            connection.execute(f"COPY ({query}) TO {sqltext.text(str(written[-1]))} {SCRATCH}")
    return written


def _slices(source: Source, counted: Mapping[int, int]) -> Iterator[str]:
    """SQL conditions, each of so many lines of a source: several files, or a part of one."""
    first: int | None = None
    lines = 0
    for place in range(len(source.table.files)):
        here = counted.get(source.table.first_file + place, 0)
        if first is not None and lines + here > AT_ONCE:
            yield f"file_index BETWEEN {first} AND {place - 1}"
            first, lines = None, 0
        if here > AT_ONCE:
            for start in range(0, here, AT_ONCE):
                yield f"file_index = {place} AND file_row_number >= {start} AND file_row_number < {start + AT_ONCE}"
        else:
            first, lines = place if first is None else first, lines + here
    if first is not None:
        yield f"file_index BETWEEN {first} AND {len(source.table.files) - 1}"


def _is_none(lying: str, read: str) -> str:
    """SQL boolean: a key is none. Nearly all keys are plainly given: longer than any word for none, and of nothing but signs of ASCII."""
    return f"CASE WHEN strlen({lying}) > {LONGEST_NULL_WORD} AND strlen({lying}) = length({lying}) AND {lying} >= '0' THEN FALSE ELSE ({read}) IS NULL END"


def _keyed(source: Source, sums: str, plan: Plan) -> str:
    """SQL of sums with their texts read, the key of their visit and its bucket."""
    present = [name for name in (*KEYS, *WHO) if source.map.has(name)]
    read = ", ".join(
        f"{_read(source, name) if name in present else 'CAST(NULL AS VARCHAR)'} AS {name}" for name in (*KEYS, *WHO)
    )
    texts = (
        f"SELECT {read}, * EXCLUDE ({', '.join(present)}) FROM ({sums})"
        if present
        else f"SELECT {read}, * FROM ({sums})"
    )
    settlement, back = "l.settlement_id", ""
    if plan.key == "settlement_id":
        # What a reversing settlement takes back is of the one that it reverses.
        settlement = "coalesce(b.original, l.settlement_id)"
        back = "LEFT JOIN (SELECT settlement_id, min(original) AS original FROM header WHERE is_refund GROUP BY ALL) b ON b.settlement_id = l.settlement_id"
    keyed = f"""SELECT {visit_key(plan, "l.visit_id", settlement)} AS key, l.institution_id AS institution, l.* EXCLUDE ({", ".join((*KEYS, "institution_id"))})
        FROM ({texts}) l {back}"""
    return f"SELECT *, {bucket('key')} AS bucket FROM ({keyed})"


def _read(source: Source, name: str) -> str:
    """SQL that reads what `_sums` has grouped as it lies."""
    if as_it_stands(source.map, name) is None:
        value = name
    else:
        cleaned = clean_text(name)
        value = (
            read_text(cleaned, source.map.columns[name].kind)
            if source.map.columns[name].kind is not Kind.TEXT
            else cleaned
        )
    return (
        f"CASE WHEN NOT coalesce({is_lost(value, name)}, FALSE) THEN {value} END"
        if name in (*KEYS, "patient_id")
        else value
    )


def _sums(
    source: Source,
    second: bool,
    refunds: RefundSettlements,
    defined: Definitions,
    some: str,
    *,
    key: str | None,
    any_duplicate: bool,
) -> str:
    """SQL of the sums of some lines, by what they say of their visit as it lies."""
    taken = list(source.table.headers)
    own = {name: sqltext.name(free_name(name, taken)) for name in ("code raw", "code class", "type said", "type class")}
    joined = (
        f"LEFT JOIN (SELECT raw AS {own['code raw']}, class AS {own['code class']} FROM class_of_code) "
        f"ON {raw_code(source, second=second)} = {own['code raw']} WHERE {some}"
    )
    lines = named_lines(
        source, ("amount_in_scope", *(name for name in STAY if source.map.has(name))), refund_settlements=refunds, relation=source.table.relation(joined)
    )  # fmt: skip
    rows = f"(SELECT * FROM {lines.of_kinds(*USED)})"
    of_type = "NULL"
    if source.map.has("charge_type"):
        of_type = own["type class"]
        rows += (
            f" LEFT JOIN (SELECT said AS {own['type said']}, class AS {of_type} FROM class_of_type) "
            f"ON {lines.read('charge_type')} = {own['type said']}"
        )
    is_refund = f"{lines.kind} = {REFUND}"
    line_no = f"{source.table.file_number} * {LINE_NO_SHIFT} + {source.table.record}"

    def signed(name: str) -> str:
        value = f"({lines.read(name)})"
        return f"CASE WHEN {is_refund} THEN -abs({value}) ELSE {value} END"

    lying = {name: as_it_stands(source.map, name) or lines.read(name) for name in KEYS if source.map.has(name)}
    keyed = " AND ".join(_is_none(value, lines.read(name)) for name, value in lying.items()) or "TRUE"
    time = lines.read("service_time")
    present = [name for name in (*KEYS, *WHO) if source.map.has(name)]
    fields = {
        **{name: as_it_stands(source.map, name) or lines.read(name) for name in present},
        # Lines of no visit count in the month of their own day.
        "own_month": f"CASE WHEN {keyed} THEN date_trunc('month', {time}) END",
        "class": class_sql(of_type, own["code class"], defined.classes),
        "amount": f"CAST({signed('amount')} AS DECIMAL(18, 4))",
        "in_scope": f"CAST({signed('amount_in_scope')} AS DECIMAL(18, 4))",
        "is_refund": is_refund,
        "day": time,
        **{name: lines.read(name) for name in STAY if source.map.has(name)},
    }
    other = next((name for name in KEYS if name != key), "")
    if key and all(map(source.map.has, KEYS)):
        fields[other] = f"CASE WHEN {_is_none(fields[key], lines.read(key))} THEN {fields[other]} END"
    told = ", ".join(f"{value} AS {name}" for name, value in fields.items())
    dropped = f" WHERE ({line_no}) NOT IN (SELECT line_no FROM duplicate)" if any_duplicate else ""
    numbers = {name: n for n, name in enumerate(class_names(defined)) if name != LAST}
    sums = [f"sum(CASE WHEN class = {n} THEN amount END) AS {name}" for name, n in numbers.items()]
    if source.map.has("amount_in_scope"):
        sums += ["sum(in_scope) AS line_in_scope", "sum(amount) FILTER (in_scope IS NOT NULL) AS line_of_scope"]
    stays = {"visit_start": "min(visit_start) AS first_day", "visit_end": "max(visit_end) AS end_day"}
    sums += [stays[name] for name in STAY if source.map.has(name)]
    keys = ", ".join((*present, "own_month"))
    return f"""SELECT {keys}, {", ".join(sums)}, sum(amount) AS charged, count(*) AS line_count, count(*) FILTER (class = 0) AS without_class,
          count(*) FILTER (is_refund) AS refunds, max(day) FILTER (NOT is_refund) AS last_day, max(day) AS last_refund
        FROM (SELECT {told} FROM {rows}{dropped}) GROUP BY ALL"""
