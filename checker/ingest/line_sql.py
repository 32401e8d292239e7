"""Lines, headers and diagnoses as relations: one census of all lines, then the lines of restricted items with their persons."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.ingest.columns import (
    HeaderMap,
    always_fits,
    clean_text,
    first_text,
    read_column,
    read_headers,
    read_text,
    unreadable,
)
from checker.ingest.prescription_key import is_guessed, prescription_key
from checker.ingest.sources import InputTable
from checker.model import sqltext
from checker.model.schema import NULL_WORDS, Kind

if TYPE_CHECKING:
    import duckdb

KINDS = ("judged", "rejected_time", "rejected_quantity", "invalid", "context", "refund", "self_paid")
"""What becomes of a line, by its number in the census."""

LINE_NO_SHIFT = 1 << 40
"""line_no = file number × 2^40 + record: one number names a line of a run, in the order of files and records."""

PERSON_FIELDS = (
    ("patient_sex", Kind.SEX),
    ("patient_birth_date", Kind.DATE),
    ("patient_age", Kind.AGE),
    ("newborn_flag", Kind.BOOL),
    ("insured_sex", Kind.SEX),
    ("insured_birth_date", Kind.DATE),
)
HEADER_ONLY_WHERE_LINE_HAS_NONE = (
    "patient_id", "institution_id", "care_type", "insured_region", "region", "visit_start", "original_settlement_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """A table and the headers that feed its canonical columns."""

    table: InputTable
    map: HeaderMap


def service_time(source: Source) -> str:
    """SQL of the service time: the fallback headers count only where the proper ones are empty."""
    headers, fallback = source.map.found["service_time"], source.map.fallback.get("service_time", ())
    if not fallback:
        return read_headers(headers, Kind.TIME)
    second = read_headers(fallback, Kind.TIME)
    if not headers:
        return second
    return f"CASE WHEN {first_text(headers)} IS NOT NULL THEN {read_headers(headers, Kind.TIME)} ELSE {second} END"


def used_fallback(source: Source) -> str:
    """SQL boolean: the service time came from a fallback header."""
    headers, fallback = source.map.found["service_time"], source.map.fallback.get("service_time", ())
    if not fallback:
        return "FALSE"
    return f"({first_text(headers)} IS NULL)" if headers else "TRUE"


def kind_number(source: Source, *, refund_settlements: bool) -> str:
    """SQL of what becomes of a line, as the index into KINDS.

    Nearly all lines are plainly judged; they are told by cheap comparisons, so that only the others pay for reading their flags.
    """
    column = source.map
    cases = [
        f"WHEN ({service_time(source)}) IS NULL THEN 1",
        f"WHEN {unreadable(column.found['quantity'], Kind.NUMBER)} THEN 2",
    ]
    plain = [f"({service_time(source)}) IS NOT NULL"]

    def flag(name: str, usual: str) -> list[str]:
        if not column.has(name):
            return []
        headers = column.found[name]
        raw = sqltext.name(headers[0].text)
        quick = len(headers) == 1 and headers[0].is_text
        plain.append(
            f"({raw} IS NULL OR {raw} = '{usual}')"
            if quick
            else f"({read_column(column, name)}) IS NOT DISTINCT FROM {usual == '1'}"
        )
        return [f"({read_column(column, name)})"]

    def opposite(name: str, usual: str) -> list[str]:
        return [f"(NOT {term})" for term in flag(name, usual)]

    for term in flag("valid_flag", "1"):
        cases.append(f"WHEN {term} IS FALSE THEN 3")
    context = flag("is_context", "0") + opposite("curr_drord_flag", "1")
    if context:
        cases.append(f"WHEN {_first(context)} THEN 4")
    refund = []
    for name in ("quantity", "amount"):
        if column.has(name):
            value = f"({read_column(column, name)})"
            refund.append(f"{value} < 0")
            header = column.found[name][0]
            if len(column.found[name]) == 1 and always_fits(header.type):
                plain.append(f"coalesce({sqltext.name(header.text)} >= 0, TRUE)")
            else:
                broken = unreadable(column.found[name], Kind.NUMBER) if name == "quantity" else "FALSE"
                plain.append(f"NOT coalesce({value} < 0, {broken})")
    flags = flag("refund_flag", "0")
    if refund_settlements and column.has("settlement_id"):
        reversed_ = f"({read_column(column, 'settlement_id')} IN (SELECT settlement_id FROM refund_settlement))"
        plain.append(f"NOT coalesce({reversed_}, FALSE)")
        flags.append(reversed_)
    if flags:
        refund.append(_first(flags))
    if refund:
        cases.append(f"WHEN {' OR '.join(refund)} THEN 5")
    paid = flag("paid_by_fund", "1") + opposite("self_paying_flag", "0")
    if paid:
        cases.append(f"WHEN ({_first(paid)}) IS FALSE THEN 6")
    return f"CAST(CASE WHEN {' AND '.join(plain)} THEN 0 {' '.join(cases)} ELSE 0 END AS UTINYINT)"


def _first(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"coalesce({', '.join(terms)})"


def take_census(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], *, refund_settlements: bool
) -> dict[int, bool]:
    """Count all lines by raw item code into the table `code_census`, and by kind into `kind_census`.

    Returns, by index of the source, whether its first code header has empty values that a second one may fill.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE code_census (source INTEGER, raw VARCHAR, n BIGINT)")
    connection.execute("CREATE OR REPLACE TEMP TABLE kind_census (kind UTINYINT, n BIGINT)")
    needs_second: dict[int, bool] = {}
    for number, source in enumerate(sources):
        kind = kind_number(source, refund_settlements=refund_settlements)
        connection.execute(
            f"INSERT INTO kind_census SELECT {kind} AS kind, count(*) FROM {source.table.scan()} GROUP BY kind"
        )
        _count_codes(connection, number, source, second=False)
        needs_second[number] = len(source.map.found["item_code"]) > 1 and _has_empty_codes(connection, number)
        if needs_second[number]:
            connection.execute("DELETE FROM code_census WHERE source = ?", [number])
            _count_codes(connection, number, source, second=True)
    return needs_second


def _count_codes(connection: duckdb.DuckDBPyConnection, number: int, source: Source, *, second: bool) -> None:
    connection.execute(
        f"INSERT INTO code_census SELECT {number}, {raw_code(source, second=second)} AS raw, count(*) FROM {source.table.scan()} GROUP BY raw"
    )


def _has_empty_codes(connection: duckdb.DuckDBPyConnection, number: int) -> bool:
    row = connection.execute(
        f"SELECT count(*) FROM code_census WHERE source = ? AND coalesce(lower(trim(raw)), '') IN ({sqltext.texts(NULL_WORDS)})",
        [number],
    ).fetchone()
    return bool(row and row[0])


def raw_code(source: Source, *, second: bool) -> str:
    """SQL of the item code as it stands; with `second` the first non-empty of all code headers."""
    headers = source.map.found["item_code"]
    if second:
        return first_text(headers)
    value = sqltext.name(headers[0].text)
    return value if headers[0].is_text else f"CAST({value} AS VARCHAR)"


def normalise_codes(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `code_map` (raw, code) of the distinct raw codes: trimmed, NFKC, upper-cased; NULL words to NULL."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE code_map AS
        SELECT raw, CASE WHEN lower(code) NOT IN ({sqltext.texts(NULL_WORDS)}) THEN upper(code) END AS code
        FROM (SELECT DISTINCT raw, trim(raw, ' ' || chr(9) || chr(10) || chr(13) || chr(12288) || chr(160)) AS code FROM code_census)"""
    )
    # DuckDB has no NFKC; the few distinct codes that are not plain ASCII are normalised here.
    odd = connection.execute(
        "SELECT raw FROM code_map WHERE raw <> strip_accents(raw) OR regexp_matches(raw, '[^ -~]')"
    ).fetchall()
    for (raw,) in odd:
        plain = unicodedata.normalize("NFKC", raw).strip()
        code = None if plain.lower() in NULL_WORDS else plain.upper()
        connection.execute("UPDATE code_map SET code = ? WHERE raw = ?", [code, raw])


def stage_query(
    source: Source, *, second: bool, refund_settlements: bool, unneeded: frozenset[str], codes: str = "hot_raw"
) -> str:
    """SQL of the canonical lines of one source (judged lines and refunds) whose codes are in the table `codes` (raw, code)."""
    column = source.map
    kind = kind_number(source, refund_settlements=refund_settlements)

    def read(name: str) -> str:
        return as_it_stands(column, name) or read_column(column, name)

    bad_person = [unreadable(column.found[name], kind_) for name, kind_ in PERSON_FIELDS if column.has(name)]
    fields = {
        "line_no": f"{source.table.file_number} * {LINE_NO_SHIFT} + {source.table.record}",
        "is_refund": f"({kind}) = 5",
        "person_unreadable": " OR ".join(bad_person) or "FALSE",
        "item_code": f"{codes}.code",
        **{name: read(name) for name in (
            "line_id", "original_line_id", "settlement_id", "original_settlement_id", "visit_id", "visit_start",
            "patient_id", "patient_sex", "patient_birth_date", "patient_age", "patient_id_number", "newborn_flag",
            "insured_sex", "insured_birth_date", "quantity", "amount", "amount_in_scope", "care_type",
            "insured_region", "region", "institution_id", "diagnosis_code",
        )},
        "item_name": read("item_name" if column.has("item_name") else "local_item_name"),
        "duplicate_key": f"hash(({kind}) = 5, {read_column(column, 'line_id')}, {codes}.code, {service_time(source)}, "
                         f"{read_column(column, 'quantity')}, {read_column(column, 'amount')})",
        "service_time": service_time(source),
        "time_fallback": used_fallback(source),
        **_prescription(source),
    }  # fmt: skip
    chosen = ", ".join(f"{value} AS {sqltext.name(name)}" for name, value in fields.items() if name not in unneeded)
    # Restricted codes are never NULL; among possible companions there are lines without any code.
    meets = "=" if codes == "hot_raw" else "IS NOT DISTINCT FROM"
    return (
        f"SELECT {chosen} FROM {source.table.scan()} JOIN {codes} ON {raw_code(source, second=second)} {meets} {codes}.raw "
        # The condition names the other side, so that it is asked of restricted lines only, not pushed down to all.
        f"WHERE CASE WHEN coalesce({codes}.raw, '') IS NOT NULL THEN ({kind}) END IN (0, 5)"
    )


def _prescription(source: Source) -> dict[str, str]:
    """SQL of which prescription a line belongs to."""
    names = ("prescription_id", "visit_id", "settlement_id", "institution_id", "prescriber")
    prescription, visit, settlement, institution, prescriber = (f"({read_column(source.map, name)})" for name in names)
    time = f"({service_time(source)})"
    return {
        "prescription_key": prescription_key(prescription, visit, settlement, institution, time, prescriber),
        "prescription_guessed": is_guessed(prescription, visit, settlement, prescriber),
    }


def beside_query(source: Source, *, second: bool, refund_settlements: bool) -> str:
    """SQL of the lines of one source that are not judged but stand beside others: of the history, or self-paid, nothing taken back.

    Their codes are in `fellow_raw`.
    """
    column = source.map
    kind = kind_number(source, refund_settlements=refund_settlements)
    taken_back = " OR ".join(
        f"({read_column(column, name)}) < 0" for name in ("quantity", "amount") if column.has(name)
    )
    return (
        f"SELECT {source.table.file_number} * {LINE_NO_SHIFT} + {source.table.record} AS line_no, {read_column(column, 'line_id')} AS line_id, "
        f"fellow_raw.code AS item_code, {service_time(source)} AS service_time, {_prescription(source)['prescription_key']} AS prescription_key "
        f"FROM {source.table.scan()} JOIN fellow_raw ON {raw_code(source, second=second)} IS NOT DISTINCT FROM fellow_raw.raw "
        f"WHERE CASE WHEN coalesce(fellow_raw.raw, '') IS NOT NULL THEN ({kind}) END IN (4, 6) AND ({taken_back or 'FALSE'}) IS NOT TRUE"
    )


def as_it_stands(mapping: HeaderMap, name: str) -> str | None:
    """SQL of a text column that needs only cleaning, uncleaned: most lines never come to be read, so `staged` cleans on reading."""
    headers = mapping.found.get(name, ())
    if mapping.columns[name].kind is Kind.TEXT and len(headers) == 1 and headers[0].is_text:
        return sqltext.name(headers[0].text)
    return None


STAGED_TEXTS = (
    "line_id", "original_line_id", "settlement_id", "original_settlement_id", "visit_id", "patient_id", "patient_id_number", "care_type",
    "insured_region", "region", "institution_id", "item_name",
)  # fmt: skip
"""The text columns of staged lines: cleaned when they are read."""


def cleaned(table: str, names: Collection[str]) -> str:
    """SQL of `table` with the text columns `names` cleaned; what a reader does not use costs nothing."""
    replaced = ", ".join(f"{clean_text(name)} AS {name}" for name in names)
    return f"SELECT * REPLACE ({replaced}) FROM {table}"


def reject_query(source: Source) -> str:
    """SQL of the rejects of one source (file number, record, column, value, why): no readable time, or no readable quantity."""
    times = (*source.map.found["service_time"], *source.map.fallback.get("service_time", ()))
    quantities = source.map.found["quantity"]
    time_name = times[0].text if times else "service_time"
    quantity_name = quantities[0].text if quantities else "quantity"
    return f"""SELECT {source.table.file_number} AS file_no, {source.table.record} AS record,
        CASE kind WHEN 1 THEN {sqltext.text(time_name)} ELSE {sqltext.text(quantity_name)} END AS column_name,
        CASE kind WHEN 1 THEN {first_text(times)} ELSE {first_text(quantities)} END AS value,
        CASE WHEN kind = 2 THEN '数量不是数字' WHEN {first_text(times)} IS NULL THEN '没有服务时间' ELSE '服务时间无法识别' END AS why
        FROM (SELECT *, file_index, file_row_number, {kind_number(source, refund_settlements=False)} AS kind FROM {source.table.scan()})
        WHERE kind IN (1, 2)"""


def header_query(source: Source, key: str, names: Sequence[str]) -> str:
    """SQL of the columns `names` of the valid header rows of one source, restricted to keys in the table `wanted`."""
    column = source.map
    fields = {
        "key": read_column(column, key),
        **{name: read_column(column, name) for name in names},
        "person_unreadable": " OR ".join(
            unreadable(column.found[name], kind) for name, kind in PERSON_FIELDS if name in column.columns and column.has(name)
        ) or "FALSE",
    }  # fmt: skip
    chosen = ", ".join(f"{value} AS {sqltext.name(name)}" for name, value in fields.items())
    valid = f"({read_column(column, 'valid_flag')}) IS NOT FALSE"
    return f"SELECT {chosen} FROM {source.table.scan()} WHERE {valid} AND ({fields['key']}) IN (SELECT key FROM wanted)"


def refund_settlement_query(source: Source) -> str:
    """SQL of (settlement_id, refund) of valid settlement headers of one source."""
    column = source.map
    return (
        f"SELECT {read_column(column, 'settlement_id')} AS settlement_id, {read_column(column, 'refund_flag')} AS refund "
        f"FROM {source.table.scan()} WHERE ({read_column(column, 'valid_flag')}) IS NOT FALSE"
    )


def diagnosis_query(source: Source) -> str:
    """SQL of (settlement_id, visit_id, code) of the valid diagnoses of one source."""
    column = source.map
    return (
        f"SELECT {read_column(column, 'settlement_id')} AS settlement_id, {read_column(column, 'visit_id')} AS visit_id, "
        f"{read_text(first_text(column.found['code']), Kind.CODE)} AS code FROM {source.table.scan()} "
        f"WHERE ({read_column(column, 'valid_flag')}) IS NOT FALSE"
    )
