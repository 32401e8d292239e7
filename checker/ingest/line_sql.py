"""Lines, headers and diagnoses as relations: one census of all lines, then the lines of restricted items with their persons."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from checker.engines.lines import HERE, LineEngine, Question
from checker.ingest import usual
from checker.ingest.columns import (
    FLOATS,
    Header,
    HeaderMap,
    first_text,
    is_given,
    raw_text,
    read_column,
    read_headers,
)
from checker.ingest.line_kind import FLAGS, REJECTED, Lines, named_lines
from checker.ingest.lost_codes import REPAIRED, code_map_sql
from checker.ingest.lost_keys import KEYS, apart, is_lost
from checker.ingest.named import free_name, name_once
from checker.ingest.parts import Parts
from checker.ingest.prescription_key import is_guessed, prescription_key
from checker.ingest.settlement_flags import RefundSettlements
from checker.ingest.sources import Source
from checker.ingest.value_sql import clean_text, not_given, read_text
from checker.model import sqltext
from checker.model.schema import DIAGNOSIS_SEPARATORS, DOCUMENT_HEADER, NATIONAL_CODE, Kind

if TYPE_CHECKING:
    import duckdb

LOCAL = "chr(31)"
"""SQL of what begins a raw code that is a local one in place of an empty item code: it counts only where the crosswalk has it."""
LINE_NO_SHIFT = 1 << 40
"""line_no = file number × 2^40 + record: one number names a line of a run, in the order of files and records."""

PERSON_FIELDS = (
    "patient_sex", "patient_birth_date", "patient_age", "newborn_flag", "insured_sex", "insured_birth_date",
    "insured_age",
)  # fmt: skip
HEADER_ONLY_WHERE_LINE_HAS_NONE = (
    "patient_id", "institution_id", "care_type", "insured_region", "region", "visit_start", "original_settlement_id",
    "mutual_aid_amount", "insurance_type", "institution_level", "institution_name", "pay_location", "visit_end",
)  # fmt: skip


LOCAL_COLUMNS = ("local_item_code", "local_item_name")
"""What the institution itself calls the item of a line."""
CASE_LINE = (
    "institution_name", "department", "prescriber", "spec", "unit_price", "care_type", "insurance_type", "diagnosis_name",
    "settlement_amount", "settlement_fund_paid", "fund_paid",
)  # fmt: skip
"""What findings tell of a case besides, where the line says it."""
BY_WHOM = ("institution_name", "department", "prescriber", *LOCAL_COLUMNS)
"""By what lines of restricted items are counted besides; their staged columns, called `by_…`, hold what is written, uncleaned."""
PRESCRIPTION = ("prescription_id", "visit_id", "settlement_id", "institution_id", "prescriber")
"""What tells which prescription a line belongs to."""
CAREFUL = frozenset({"prescription_id", "lost_line_id"})
"""The columns of staged lines where some have no id, or a key that cannot be read: such lines are told apart with more care."""


def used_fallback(mapping: HeaderMap) -> str:
    """SQL boolean: the service time came from a fallback header."""
    headers, fallback = mapping.found["service_time"], mapping.fallback.get("service_time", ())
    if not fallback:
        return "FALSE"
    return f"(NOT {is_given(headers, Kind.TIME)})" if headers else "TRUE"


def take_census(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    *,
    refund_settlements: RefundSettlements,
    engine: LineEngine = HERE,
    parts: Parts | None = None,
) -> dict[int, bool]:
    """Count all lines by raw item code into the table `code_census`, and by file and kind into `kind_census`, but for sources that `parts` has.

    Returns, by index of the source, whether its first code header has empty values that a second one may fill.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE code_census (source INTEGER, raw VARCHAR, n BIGINT)")
    connection.execute("CREATE OR REPLACE TEMP TABLE kind_census (file_no BIGINT, kind UTINYINT, n BIGINT)")
    needs_second: dict[int, bool] = {}
    for number, source in enumerate(sources):
        if parts and (kept := parts.kept("census", source)):
            needs_second[number] = bool(kept[1]["second"])
            counted = sqltext.parquet(kept[0])
            connection.execute(f"INSERT INTO code_census SELECT {number}, raw, n FROM {counted} WHERE file_no IS NULL")
            connection.execute(
                f"INSERT INTO kind_census SELECT file_no, kind, n FROM {counted} WHERE file_no IS NOT NULL"
            )
    wanted = {number: source for number, source in enumerate(sources) if number not in needs_second}
    kinds = [_kinds(source, refund_settlements) for source in wanted.values()]
    counted_kinds = ask(engine, connection, wanted.values(), [query for query, _ in kinds])
    counted_codes = ask(
        engine, connection, wanted.values(), [_codes(source, second=False) for source in wanted.values()]
    )
    for (number, source), (_, told_by), of_kinds, of_codes in zip(
        wanted.items(), kinds, counted_kinds, counted_codes, strict=True
    ):
        connection.execute(f"INSERT INTO kind_census SELECT file_no, kind, n FROM {of_kinds}")
        if told_by:
            # Of nearly all lines no flag is read: they are what is left of the number that the file itself tells.
            connection.execute(
                f"""INSERT INTO kind_census SELECT file_no, 0, n - coalesce(odd, 0)
                FROM (SELECT {source.table.file_number} AS file_no, count(*) AS n FROM {source.table.scan()} GROUP BY ALL)
                LEFT JOIN (SELECT file_no, sum(n) AS odd FROM kind_census GROUP BY ALL) USING (file_no)"""
            )
        connection.execute(f"INSERT INTO code_census SELECT {number}, raw, n FROM {of_codes}")
        more = len(source.map.found["item_code"]) > 1 or bool(source.stand_in)
        needs_second[number] = more and _has_empty_codes(connection, number)
        if needs_second[number]:
            connection.execute("DELETE FROM code_census WHERE source = ?", [number])
            (again,) = ask(engine, connection, [source], [_codes(source, second=True)])
            connection.execute(f"INSERT INTO code_census SELECT {number}, raw, n FROM {again}")
        if parts and parts.long:
            parts.keep(connection, "census", source, _counted(number, source), second=needs_second[number])
    return needs_second


def ask(
    engine: LineEngine, connection: duckdb.DuckDBPyConnection, sources: Iterable[Source], queries: Sequence[str]
) -> list[str]:
    """SQL to select from of what each source answers to its query. Tables in memory are at hand only here."""
    asked = list(zip(sources, queries, strict=True))
    elsewhere = [Question(query, source.table.files) for source, query in asked if not source.table.registered]
    answers = iter(engine.ask(connection, elsewhere))
    return [f"({query})" if source.table.registered else next(answers) for source, query in asked]


def all_of(
    engine: LineEngine, connection: duckdb.DuckDBPyConnection, sources: Iterable[Source], queries: Sequence[str]
) -> str:
    """SQL of what all sources answer to their queries, columns by name."""
    return " UNION ALL BY NAME ".join(f"SELECT * FROM {rows}" for rows in ask(engine, connection, sources, queries))


def _kinds(source: Source, refund_settlements: RefundSettlements) -> tuple[str, bool]:
    """SQL of how many lines of a source are of which kind (file_no, kind, n), and whether those that are judged at a glance are left out."""
    lines = named_lines(source, refund_settlements=refund_settlements)
    odd = f"WHERE {lines.plain} IS NOT TRUE" if lines.plain else ""
    of_file = source.table.file_number
    return (
        f"SELECT {of_file} AS file_no, {lines.kind} AS kind, count(*) AS n FROM ({lines.sql}) {odd} GROUP BY ALL",
        bool(odd),
    )


def _counted(number: int, source: Source) -> str:
    """SQL of what has been counted of one source: of each code, and of each kind of a file."""
    first, count = source.table.first_file, len(source.table.files)
    return f"""SELECT raw, NULL::BIGINT AS file_no, NULL::UTINYINT AS kind, n FROM code_census WHERE source = {number}
        UNION ALL SELECT NULL, file_no, kind, n FROM kind_census WHERE file_no BETWEEN {first} AND {first + count - 1}"""


def _codes(source: Source, *, second: bool) -> str:
    """SQL of how many lines of a source bear which raw code (raw, n)."""
    return f"SELECT {raw_code(source, second=second)} AS raw, count(*) AS n FROM {source.table.scan()} GROUP BY ALL"


def _has_empty_codes(connection: duckdb.DuckDBPyConnection, number: int) -> bool:
    row = connection.execute(
        f"SELECT count(*) FROM code_census WHERE source = ? AND {clean_text('raw')} IS NULL", [number]
    ).fetchone()
    return bool(row and row[0])


def raw_code(source: Source, *, second: bool) -> str:
    """SQL of the item code as it stands; with `second` the first non-empty of all code headers, and then of those that stand in."""
    headers = source.map.found["item_code"]
    if second:
        code = first_text(headers, Kind.CODE)
        return f"coalesce({code}, {LOCAL} || {first_text(source.stand_in, Kind.CODE)})" if source.stand_in else code
    value = sqltext.name(headers[0].text)
    if headers[0].type.upper() in FLOATS:
        return raw_text(headers[0], Kind.CODE)
    return value if headers[0].is_text else f"CAST({value} AS VARCHAR)"


def normalise_codes(connection: duckdb.DuckDBPyConnection, *, repair: bool) -> None:
    """Make the table `code_map` (raw, code, is_known, lost) of the distinct raw codes as they are read; NULL words to NULL.

    Known is a code of national shape, one that the knowledge names (kb_pattern): a cut code that still tells the item is judged, and
    not called unknown as well; and a local one that stands for a national one (kb_crosswalk).
    What became of a code that a spreadsheet took for a number is said in `lost` (checker.ingest.lost_codes).
    """
    families = "kb_pattern WHERE role = 'item' AND match = 'family'"
    lengths = [length for (length,) in connection.execute(f"SELECT DISTINCT length(code) FROM {families}").fetchall()]
    named = ["code IN (SELECT code FROM kb_pattern WHERE role = 'item' AND match = 'code')"]
    named += [f"left(code, {int(length)}) IN (SELECT code FROM {families})" for length in lengths]
    mapped = "SELECT local_code FROM kb_crosswalk"
    named.append(f"code IN ({mapped})")
    bare = f"SELECT DISTINCT raw, ltrim(raw, {LOCAL}) AS bare FROM code_census"
    header = usual.told_of_few(connection, Header("bare", "VARCHAR"), f"({bare})", Kind.CODE)
    cleaned = f"SELECT raw, {raw_text(header, Kind.CODE)} AS cleaned FROM ({bare})"
    code = read_headers((replace(header, text="cleaned", clean=True),), Kind.CODE)
    read = f"""SELECT raw, CASE WHEN NOT starts_with(raw, {LOCAL}) OR code IN ({mapped}) THEN code END AS code
        FROM (SELECT raw, {code} AS code FROM ({cleaned}))"""
    known = f"coalesce(regexp_full_match(code, '{NATIONAL_CODE}') OR {' OR '.join(named)}, FALSE)"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE code_map AS {code_map_sql(read, known, repair=repair)}")


SET_WHERE_SAID = ("is_discharge_drug", "is_maternity_fee")
"""Flags that nobody sets where there is nothing to tell: not given is not set, and only one that cannot be read is not known."""
USED = ("unit_price", "price_limit", "days_supply", "visit_end")
"""Columns that tell only how much of an item was used."""
STAGED = (
    "line_id", "original_line_id", "settlement_id", "original_settlement_id", "visit_id", "visit_start", "prescription_id",
    "patient_id", "patient_sex", "patient_birth_date", "patient_age", "patient_id_number", "newborn_flag",
    "insured_sex", "insured_birth_date", "insured_age", "quantity", "amount", "amount_in_scope", "care_type",
    "full_self_paid_amount", "mutual_aid_amount", "insured_region", "region", "institution_id", "diagnosis_code", "service_time",
    "insurance_type", "institution_level", "institution_name", "pay_location", "prescriber_institution_level", "is_online",
    "special_disease_code", *SET_WHERE_SAID, *USED,
)  # fmt: skip
"""The columns of staged lines that are read each by itself."""
BESIDE = (4, 6)
"""The kinds of lines that no finding is about, but which stand beside others: of the history, and self-paid."""


def held_query(source: Source, *, second: bool, unneeded: frozenset[str]) -> str:
    """SQL of the lines of one source whose codes are in `staged_raw`, as they lie, with what `stage_query` reads of them.

    Few of the lines that a file yields at a time are restricted: what is said of these is worked out faster once they stand together.
    """
    joined, *listed = _listed(source, "staged_raw", second=second)
    names = [name for name in STAGED if name not in unneeded]
    names += ["item_code", "item_name", "local_item_name", *FLAGS, *_prescription_names(unneeded)]
    names += [name for name in BY_WHOM if f"by_{name}" not in unneeded]
    found, fallback = source.map.found, source.map.fallback
    headers = [header.text for name in names for header in (*found.get(name, ()), *fallback.get(name, ()))]
    headers += [header.text for header in source.stand_in]
    headers += [DOCUMENT_HEADER] if _is_of_documents(source) else []
    own = ["file_index", "file_row_number", *(["__record"] if source.table.converted else [])]
    chosen = ", ".join((*listed, *dict.fromkeys(map(sqltext.name, (*own, *headers)))))
    return f"SELECT {chosen} FROM ({source.table.relation(joined)})"


def stage_query(
    source: Source,
    *,
    second: bool,
    refund_settlements: RefundSettlements,
    unneeded: frozenset[str],
    codes: str = "staged_raw",
    held: str = "",
    with_beside: bool = False,
    condition: str = "",
) -> str:
    """SQL of the canonical lines of one source (judged lines and refunds, and `with_beside` those of the kinds BESIDE) whose codes are in the
    table `codes` (raw, code); `held` is a table that has them already, made by `held_query`. A `condition` is one on the columns as they lie.
    """
    prescription = _prescription_names(unneeded)
    named = (
        "visit_start",
        "amount_in_scope",
        "full_self_paid_amount",
        *(name for name in ("care_type", "mutual_aid_amount", *SET_WHERE_SAID) if name not in unneeded),
        *PERSON_FIELDS,
        *prescription,
        # Each key that may be lost is asked for four times.
        *(name for name in KEYS if name not in unneeded and name not in prescription),
    )
    lines, code = lines_of_codes(
        source, codes, named, second=second, refund_settlements=refund_settlements, held=held, condition=condition
    )

    careful, line_no = not unneeded >= CAREFUL, _line_no(source)
    name = "item_name" if source.map.has("item_name") else "local_item_name"

    def read(name: str) -> str:
        if careful and name in KEYS:
            return apart(lines.read(name), name, line_no)
        if name in SET_WHERE_SAID:
            return f"CASE WHEN {lines.unreadable(name)} THEN NULL ELSE coalesce({lines.read(name)}, FALSE) END"
        return lines.read(name)

    beside = f"{lines.kind} IN {BESIDE}" if with_beside else "FALSE"
    takes_back = [f"coalesce({lines.read(name)} < 0, FALSE)" for name in ("quantity", "amount") if source.map.has(name)]
    is_refund = f"{lines.kind} = 5"
    if with_beside and takes_back:
        is_refund = f"({is_refund} OR ({beside} AND ({' OR '.join(takes_back)})))"
    bad_person = [lines.unreadable(name) for name in PERSON_FIELDS if source.map.has(name)]
    fields = {
        "line_no": line_no,
        "is_refund": is_refund,
        "beside": beside,
        "self_paid": _is_self_paid(lines, source) if with_beside else "FALSE",
        "person_unreadable": " OR ".join(bad_person) or "FALSE",
        "item_code": code,
        "online_unreadable": lines.unreadable("is_online"),
        "code_repaired": f"{raw_code(source, second=second)} IN (SELECT raw FROM code_map WHERE lost = '{REPAIRED}')",
        **{name: read(name) for name in STAGED},
        "item_name": (not careful and as_it_stands(source.map, name)) or lines.read(name),
        "duplicate_key": f"hash({is_refund}, {lines.read('line_id')}, {code}, {lines.read('service_time')}, "
                         f"{lines.read('quantity')}, {lines.read('amount')})",
        "document": sqltext.name(DOCUMENT_HEADER) if _is_of_documents(source) else "CAST(NULL AS VARCHAR)",
        "time_fallback": used_fallback(lines.map),
        "lost_line_id": f"CASE WHEN {is_lost(lines.read('line_id'), 'line_id')} THEN {lines.read('line_id')} END",
        **_prescription(lines, line_no if careful else None),
        **{f"by_{name}": as_it_stands(source.map, name) or lines.read(name) for name in BY_WHOM if f"by_{name}" not in unneeded},
    }  # fmt: skip
    chosen = ", ".join(f"{value} AS {sqltext.name(name)}" for name, value in fields.items() if name not in unneeded)
    return f"SELECT {chosen} FROM {lines.of_kinds(0, 5, *(BESIDE if with_beside else ()))}"


def _is_self_paid(lines: Lines, source: Source) -> str:
    """SQL of whether a line is self-paid, one of the history too."""
    told = [f"({lines.read('paid_by_fund')})"] if source.map.has("paid_by_fund") else []
    told += [f"(NOT ({lines.read('self_paying_flag')}))"] if source.map.has("self_paying_flag") else []
    return f"({lines.kind} IN {BESIDE} AND coalesce({', '.join(told)}) IS FALSE)" if told else "FALSE"


def _prescription_names(unneeded: frozenset[str]) -> tuple[str, ...]:
    return () if "prescription_key" in unneeded and "prescription_id" in unneeded else PRESCRIPTION


def lines_of_codes(
    source: Source,
    codes: str,
    named: Collection[str],
    *,
    second: bool,
    refund_settlements: RefundSettlements,
    held: str = "",
    condition: str = "",
) -> tuple[Lines, str]:
    """The lines of one source whose codes are in the table `codes` (raw, code), and the name of their code; `held` is a table that has them. A
    `condition` is one on the columns as they lie.
    """
    joined, _, code = _listed(source, codes, second=second)
    relation = f"SELECT * FROM {held}" if held else source.table.relation(joined)
    if condition:
        relation = f"SELECT * FROM ({relation}) WHERE {condition}"
    return named_lines(source, named, refund_settlements=refund_settlements, relation=relation), code


def _listed(source: Source, codes: str, *, second: bool) -> tuple[str, str, str]:
    """SQL that joins the lines of a source to `codes`, and the names that raw and code then have."""
    raw, code = (sqltext.name(free_name(wanted, source.table.headers)) for wanted in ("listed raw", "listed code"))
    # Restricted codes are never NULL; among possible companions there are lines without any code.
    meets = "IS NOT DISTINCT FROM" if codes == "cold_fellow" else "="
    joined = (
        f"JOIN (SELECT raw AS {raw}, code AS {code} FROM {codes}) ON {raw_code(source, second=second)} {meets} {raw}"
    )
    return joined, raw, code


def _is_of_documents(source: Source) -> bool:
    """Whether lines came as JSON prescriptions, which tells what belongs to one of them."""
    return any(header.text == DOCUMENT_HEADER for header in source.table.headers)


def are_documents(sources: Sequence[Source]) -> bool:
    """Whether some lines came as JSON prescriptions: each is of one patient, and its own lines of one visit."""
    return any(map(_is_of_documents, sources))


def _line_no(source: Source) -> str:
    return f"{source.table.file_number} * {LINE_NO_SHIFT} + {source.table.record}"


def _prescription(lines: Lines, line_no: str | None) -> dict[str, str]:
    """SQL of which prescription a line belongs to; with `line_no` keys that cannot be read are nobody else's."""

    def read(name: str) -> str:
        return apart(lines.read(name), name, line_no) if line_no and name in KEYS else lines.read(name)

    prescription, visit, settlement, institution, prescriber = map(read, PRESCRIPTION)
    time = lines.read("service_time")
    return {
        "prescription_key": prescription_key(prescription, visit, settlement, institution, time, prescriber),
        "prescription_guessed": is_guessed(prescription, visit, settlement, prescriber),
    }


def as_it_stands(mapping: HeaderMap, name: str) -> str | None:
    """SQL of a text, uncleaned: cleaning names, which are no ASCII, is long, and few lines become findings."""
    headers = mapping.found.get(name, ())
    return sqltext.name(headers[0].text) if len(headers) == 1 and headers[0].is_text else None


def told_query(source: Source, lines: str, names: Sequence[str]) -> str:
    """SQL of the columns `names` of some lines of one source, the lines being those of a table (line_no)."""
    told = ", ".join(f"{read_column(source.map, name)} AS {name}" for name in names)
    here = f"{_line_no(source)} IN (SELECT line_no FROM {lines})"
    if len(source.table.files) == 1:
        # A column as it lies is met far more quickly.
        place, before = ("__record", 0) if source.table.converted else ("file_row_number", 1)
        own = f"line_no // {LINE_NO_SHIFT} = {source.table.first_file}"
        here = f"{place} IN (SELECT line_no % {LINE_NO_SHIFT} - {before} FROM {lines} WHERE {own})"
    return f"SELECT {_line_no(source)} AS line_no, {told} FROM {source.table.scan()} WHERE {here}"


def upload_query(source: Source, lines: str) -> str:
    """SQL of what tells the uploads of some lines of one source apart, the lines being those of a table (line_no)."""
    told = ", ".join(
        f"{read_column(source.map, name)} AS {name}" for name in ("prescriber", "prescription_id", "charge_batch")
    )
    return f"SELECT {_line_no(source)} AS line_no, {told} FROM {source.table.scan()} WHERE {_line_no(source)} IN (SELECT line_no FROM {lines})"


def reject_query(source: Source, *, refund_settlements: RefundSettlements) -> str:
    """SQL of the rejects of one source (file number, record, column, value, why): without a readable time, quantity, or flag.

    A flag is that of void or refund, the latter of the line or of its settlement.
    """
    lines = named_lines(source, refund_settlements=refund_settlements)
    # A time is long to read, and asked for three times.
    time, time_text = (
        first_text(_times(lines.map), Kind.TIME),
        sqltext.name(free_name("time text", source.table.headers)),
    )
    cases: dict[str, list[str]] = {"column_name": [], "value": [], "why": []}
    for number, (name, kind, why) in REJECTED.items():
        value = time_text if kind is Kind.TIME else first_text(lines.map.found[name], kind)
        told = sqltext.text(why)
        if kind is Kind.TIME:
            told = f"CASE WHEN {value} IS NULL OR {not_given(value, kind)} THEN '没有服务时间' ELSE {told} END"
        shown = _times(source.map) if kind is Kind.TIME else source.map.found[name]
        header = sqltext.text(next((each.text for each in shown), name))
        for column, answer in (("column_name", header), ("value", value), ("why", told)):
            cases[column].append(f"WHEN {number} THEN {answer}")
    chosen = ", ".join(f"CASE {lines.kind} {' '.join(arms)} END AS {column}" for column, arms in cases.items())
    return f"""SELECT {source.table.file_number} AS file_no, {source.table.record} AS record, {chosen}
        FROM (SELECT *, {time} AS {time_text} FROM {lines.of_kinds(*REJECTED)})"""


def _times(mapping: HeaderMap) -> tuple[Header, ...]:
    return (*mapping.found["service_time"], *mapping.fallback.get("service_time", ()))


def header_query(source: Source, key: str, names: Sequence[str]) -> str:
    """SQL of the columns `names` of the valid header rows of one source, restricted to keys in the table `wanted`."""
    key_value = read_column(source.map, key)
    valid = f"({read_column(source.map, 'valid_flag')}) IS NOT FALSE"
    wanted = f"SELECT * FROM {source.table.scan()} WHERE {valid} AND ({key_value}) IN (SELECT key FROM wanted)"
    rows = name_once(wanted, source.map, source.table.headers, names)
    person = [name for name in PERSON_FIELDS if name in source.map.columns and source.map.has(name)]
    fields = {
        "key": key_value,
        **{name: rows.read(name) for name in names},
        "person_unreadable": " OR ".join(map(rows.unreadable, person)) or "FALSE",
    }
    chosen = ", ".join(f"{value} AS {sqltext.name(name)}" for name, value in fields.items())
    return f"SELECT {chosen} FROM ({rows.sql})"


def diagnosis_query(source: Source, name: str = "code") -> str:
    """SQL of (settlement_id, visit_id, code) of the valid rows of one source, of diagnoses or of headers that tell one in their column `name`; several
    codes in one text are a row each.
    """
    column = source.map
    text = read_text(first_text(column.found[name], Kind.CAPITAL), Kind.CAPITAL)
    return (
        f"SELECT {read_column(column, 'settlement_id')} AS settlement_id, {read_column(column, 'visit_id')} AS visit_id, "
        f"unnest(regexp_split_to_array({text}, {sqltext.text(DIAGNOSIS_SEPARATORS)})) AS code FROM {source.table.scan()} "
        f"WHERE ({read_column(column, 'valid_flag')}) IS NOT FALSE"
    )
