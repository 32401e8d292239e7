"""Lines of restricted items × the points that cover them, as the clauses take them: which codes are covered, and what a line brings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.ingest import line_sql
from checker.ingest.gather import Gathered
from checker.ingest.headers import conflict_name
from checker.ingest.person_rows import PERSON_IDS, person_sql
from checker.ingest.scope import is_nothing_sql, not_in_scope_sql
from checker.judge.compile import PRECEDENCE, in_force_sql
from checker.judge.newborns import visit_key
from checker.judge.payment import CONFLICTS, Payment, columns_sql, joins_sql, meaning_sql
from checker.model import sqltext
from checker.shapes import SHAPES, asked_parts
from checker.shapes.base import LINE_COLUMNS, Shape

if TYPE_CHECKING:
    import duckdb


def find_points(connection: duckdb.DuckDBPyConnection, each_point: Collection[int] = ()) -> bool:
    """Make `hot` (code, point_no, matched_by, match_length, national, valid_from, valid_to) and `hot_raw` (raw, code) of the codes that
    some pattern covers, or covers the national code of (`national`) that a local one stands for.

    Where several points of one rule share a code and a time, that time is divided among them here, once a code; only regional points
    must be weighed line by line, and all points of the rules `each_point` (numbers) judge. Returns whether there are any regional ones. Of
    the national codes that a local one stands for each judges: of several points of one rule `one_finding` takes the gravest answer.
    """
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE covered AS
        SELECT code, point_no, matched_by, match_length, national, rule_no, point_id, p.valid_from AS point_valid_from,
          greatest(p.valid_from, coalesce(since, DATE '-infinity')) AS valid_from,
          least(coalesce(p.valid_to, DATE 'infinity'), coalesce(until, DATE 'infinity')) AS valid_to, point_region
        FROM ({matches_sql(connection, "(SELECT * FROM pattern WHERE role = 'item')", "point_no")}) JOIN point p USING (point_no)
        WHERE national IS NULL OR greatest(p.valid_from, since) < least(coalesce(p.valid_to, DATE 'infinity'), until)
        QUALIFY row_number() OVER (PARTITION BY code, point_no, national, since ORDER BY matched_by, match_length DESC) = 1"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE hot AS
        WITH meeting AS (
          SELECT code, rule_no, point_region IS NOT NULL AS regional, valid_from < max(valid_to) OVER (
            PARTITION BY code, rule_no ORDER BY valid_from, valid_to ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS meets
          FROM covered
        ),
        shared AS (SELECT code, rule_no FROM meeting WHERE {_not_among(each_point)} GROUP BY code, rule_no HAVING bool_or(meets) AND NOT bool_or(regional)),
        edge AS (SELECT DISTINCT code, rule_no, unnest([valid_from, valid_to]) AS since FROM covered SEMI JOIN shared USING (code, rule_no)),
        spell AS (SELECT code, rule_no, since, lead(since) OVER (PARTITION BY code, rule_no ORDER BY since) AS until FROM edge),
        divided AS (
          SELECT c.code, point_no, matched_by, match_length, national, since, until FROM spell s
          JOIN covered c ON c.code = s.code AND c.rule_no = s.rule_no AND c.valid_from <= s.since AND c.valid_to >= s.until
          QUALIFY row_number() OVER (PARTITION BY c.code, c.rule_no, since, national ORDER BY {PRECEDENCE}) = 1
            AND matched_by = first_value(matched_by) OVER (PARTITION BY c.code, c.rule_no, since ORDER BY {PRECEDENCE}, national)
        )
        SELECT code, point_no, matched_by, match_length, national, valid_from, valid_to FROM covered ANTI JOIN shared USING (code, rule_no)
        UNION ALL SELECT code, point_no, matched_by, match_length, national, since, until FROM divided"""
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE hot_raw AS SELECT raw, code FROM code_map WHERE code IN (SELECT code FROM covered)"
    )
    return one_number(connection, "SELECT count(*) FROM covered WHERE point_region IS NOT NULL") > 0


def find_parts(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """What the points that some code of the input has ask of the bases of their shapes."""
    names = [limit.column for shape in SHAPES if shape.parts for limit in shape.limits if not limit.wording]
    rows = connection.execute(f"SELECT DISTINCT {', '.join(names)} FROM hot JOIN point USING (point_no)").fetchall()
    return frozenset[str]().union(*(asked_parts(dict(zip(names, row, strict=True))) for row in rows))


def _not_among(numbers: Collection[int]) -> str:
    return f"rule_no NOT IN ({', '.join(map(str, numbers))})" if numbers else "TRUE"


_GRAVEST = "violated IS NULL, coalesce(noticed, FALSE), coalesce(lowered, FALSE)"
"""The order of answers to one line by one rule, as in checker.precheck.counter."""


def are_mapped(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether some code of the input is judged by the national code that it stands for."""
    return one_number(connection, "SELECT count(*) FROM hot WHERE national IS NOT NULL") > 0


def one_finding(fired: str) -> str:
    """SQL of fired lines of which several national codes or points may have judged by one rule: the gravest answer of each line and rule."""
    return f"SELECT * FROM ({fired}) QUALIFY row_number() OVER (PARTITION BY line_no, rule_no ORDER BY {_GRAVEST}, {PRECEDENCE}, item_code) = 1"


def matches_sql(connection: duckdb.DuckDBPyConnection, patterns: str, key: str) -> str:
    """SQL of (code, key, matched_by, match_length, national, since, until) of the codes in `code_map` and the rows of a table of patterns that
    cover them, or cover on these days the national code that kb_crosswalk or the name (named_code) has for them (`national`; NULL: the code itself
    is covered).
    """
    lengths = connection.execute(f"SELECT DISTINCT length(code) FROM {patterns} WHERE match = 'family'").fetchall()
    families = "".join(
        f""" UNION ALL SELECT c.code, c.covered, {key}, 'family', {int(length)}, national, since, until, way FROM codes c
        JOIN {patterns} p ON p.match = 'family' AND length(p.code) = {int(length)} AND left(c.covered, {int(length)}) = p.code"""
        for (length,) in lengths
    )
    return f"""WITH own AS (SELECT DISTINCT code FROM code_map WHERE code IS NOT NULL),
        codes AS (
          SELECT code, code AS covered, CAST(NULL AS VARCHAR) AS national, CAST(NULL AS DATE) AS since, CAST(NULL AS DATE) AS until,
            CAST(NULL AS VARCHAR) AS way FROM own
          UNION ALL SELECT code, national_code, national_code, coalesce(valid_from, DATE '-infinity'), coalesce(valid_to, DATE 'infinity'), 'crosswalk'
          FROM own JOIN kb_crosswalk ON local_code = code
          UNION ALL SELECT code, national_code, national_code, DATE '-infinity', DATE 'infinity', 'name' FROM own JOIN named_code USING (code))
        SELECT * EXCLUDE (covered, way) REPLACE (coalesce(way, matched_by) AS matched_by) FROM (
          SELECT c.code, c.covered, {key}, 'code' AS matched_by, length(c.covered) AS match_length, national, since, until, way FROM codes c
          JOIN {patterns} p ON p.match = 'code' AND p.code = c.covered{families})"""


@dataclass(frozen=True, slots=True)
class Headers:
    """The columns that the views settlement_header and visit_header carry; empty where there are no such headers."""

    settlement: frozenset[str]
    visit: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """The columns that either carries."""
        return self.settlement | self.visit


def absent_columns(
    files: Gathered, headers: Headers, unneeded: frozenset[str], *, regional: bool, mapped: bool
) -> frozenset[str]:
    """The columns of the candidates that no source fills: what `fired_sql` need not look at."""

    def filled(name: str) -> bool:
        return (
            any(source.map.has(name) for source in files.lines) or name in headers.settlement or name in headers.visit
        )

    by_line = {
        "line_sex": "patient_sex", "line_birth": "patient_birth_date", "insured_sex": "insured_sex",
        "insured_birth_date": "insured_birth_date", "insured_age": "insured_age", "patient_age": "patient_age", "id_number": "patient_id_number",
    }  # fmt: skip
    by_header = {"header_age": "patient_age", "header_id_number": "patient_id_number"}
    anywhere = {
        "newborn_flag": "newborn_flag", "care_type": "care_type", "visit_start": "visit_start", "family_paid": "mutual_aid_amount",
        "person_number": "patient_id_number", "insurance_type": "insurance_type", "insurance_group": "insurance_type", "care_group": "care_type",
        "is_discharge_drug": "is_discharge_drug", "is_maternity_fee": "is_maternity_fee", "institution_level": "institution_level",
        "own_rank": "institution_level", "is_unrated": "institution_level", "prescriber_rank": "prescriber_institution_level",
        "in_scope": "amount_in_scope",
    }  # fmt: skip
    by_any = {
        "is_online": ("is_online", "pay_location", "institution_name", "care_type"), "has_earlier": ("patient_id", "patient_id_number"),
        "online_doubt": ("pay_location", "care_type"),
    }  # fmt: skip
    absent = {column for column, name in by_line.items() if not any(source.map.has(name) for source in files.lines)}
    absent |= {column for column, name in by_header.items() if name not in headers.all}
    absent |= {column for column, name in anywhere.items() if not filled(name)} | unneeded
    absent |= {column for column, names in by_any.items() if not any(map(filled, names))}
    absent |= {told for told, field in CONFLICTS.items() if conflict_name(field) not in headers.all}
    if "care_type" in unneeded:
        absent.add("care_group")
    if "pay_location" in unneeded:
        absent.add("online_doubt")
    if not filled("diagnosis_code") and not files.diagnoses:
        absent.add("has_maternity_diagnosis")
    for kind, carried in (("settlement", headers.settlement), ("visit", headers.visit)):
        absent |= {
            f"{kind}_{field}"
            for field, name in (("sex", "patient_sex"), ("birth", "patient_birth_date"))
            if name not in carried
        }
    if not headers.settlement and not headers.visit:
        absent |= {"header_missing", "header_sex_conflict", "header_birth_conflict"}
    if not regional:
        absent |= {"point_region", "point_region_of"}
    if not mapped:
        absent |= {"own_code"}
    return frozenset(absent)


NOT_IN_SCOPE = not_in_scope_sql("s.amount", "s.amount_in_scope", "s.full_self_paid_amount")
LEFT_NOT_IN_SCOPE = (
    f"NOT coalesce({is_nothing_sql('s.amount')}, FALSE) "
    f"AND s.line_no IN (SELECT line_no FROM netted_line WHERE {is_nothing_sql('amount_in_scope')})"
)


def not_paid_sql(connection: duckdb.DuckDBPyConnection) -> str:
    """SQL of whether a staged line `s`, after refunds, is not paid by the fund."""
    left = one_number(
        connection, f"SELECT count(*) FROM netted_line WHERE {is_nothing_sql('amount_in_scope')} AND NOT nothing_left"
    )
    return f"({NOT_IN_SCOPE} OR {LEFT_NOT_IN_SCOPE})" if left else f"({NOT_IN_SCOPE})"


def untold(files: Gathered, shape: Shape, *, care_tells_online: bool) -> tuple[str, ...]:
    """The facts of a shape of which no input tells, where that is not left undetermined. `care_tells_online`: the care type tells internet visits."""

    def told(name: str) -> bool:
        if name == "diagnosis_code" and files.diagnoses:
            return True
        if name == "is_online" and care_tells_online and told("care_type"):
            return True
        return any(source.map.has(name) for source in (*files.lines, *files.settlements, *files.visits))

    return tuple(name for name, fact in shape.facts.items() if fact.told_by and not any(map(told, fact.told_by)))


def only_for(shape: Shape | None, absent: frozenset[str]) -> frozenset[str]:
    """The absent columns with those that only other shapes read; without a shape those that any one alone reads."""
    own = shape.line_columns if shape else ()
    return absent | {name for other in SHAPES for name in other.line_columns if name not in own}


@dataclass(frozen=True, slots=True)
class Joined:
    """Headers beside staged lines `s`: the joins, and by its alias the columns that each carries."""

    joins: str
    carried: Mapping[str, frozenset[str]]

    def places(self, column: str) -> list[str]:
        """SQL of a column in each of the headers that carry it."""
        return [f"{alias}.{column}" for alias, carried in self.carried.items() if column in carried]

    def any_of(self, column: str) -> str:
        """SQL of whether a boolean column holds in any of the headers that carry it."""
        return " OR ".join(f"coalesce({place}, FALSE)" for place in self.places(column)) or "FALSE"

    def first(self, column: str) -> str:
        """SQL of a column of the line, or else of its headers; NULL where several of the first key that says it contradict each other."""
        places = self.places(column)
        if not any(conflict_name(column) in carried for carried in self.carried.values()):
            return f"coalesce({', '.join((f's.{column}', *places))})" if places else f"s.{column}"
        return self._case(column, lambda alias: f"{alias}.{column}", "NULL", places[-1])

    def conflict(self, column: str) -> str:
        """SQL of whether headers contradict each other in a column of terms that the line does not say."""
        return self._case(column, lambda alias: "FALSE", "TRUE", "FALSE")

    def _case(self, column: str, told: Callable[[str], str], contradicted: str, otherwise: str) -> str:
        """SQL of what the first of line and headers says that says anything, or contradicts itself."""
        arms = [f"WHEN s.{column} IS NOT NULL THEN {told('s')}"]
        for alias, carried in self.carried.items():
            if conflict_name(column) in carried:
                arms.append(f"WHEN {alias}.{conflict_name(column)} THEN {contradicted}")
            if column in carried:
                arms.append(f"WHEN {alias}.{column} IS NOT NULL THEN {told(alias)}")
        return f"CASE {' '.join(arms)} ELSE {otherwise} END"


def joined_headers(headers: Headers) -> Joined:
    """The headers of staged lines, as far as there are any."""
    views = (
        (headers.settlement, "h", "settlement_header", "settlement_id"),
        (headers.visit, "v", "visit_header", "visit_id"),
    )
    joins = (f"LEFT JOIN {view} {alias} ON {alias}.key = s.{key}" for carried, alias, view, key in views if carried)
    return Joined(" ".join(joins), {alias: carried for carried, alias, *_ in views if carried})


def patient_sql(first: Callable[[str], str], unneeded: Collection[str]) -> str:
    """SQL of whose line it is: by the id of the person, else by the ID number, else by the prescription in JSON that it is of. `unneeded` are the
    columns that staged lines lack."""
    person = person_sql(*map(first, PERSON_IDS))
    return person if "document" in unneeded else f"coalesce({person}, 'd' || {DOCUMENT})"


def key_columns(first: Callable[[str], str]) -> dict[str, str]:
    """SQL of the visit and of the settlement of a line, each in its institution and NULL where the line names none."""
    institution = first("institution_id")
    return {
        "visit_key": f"CASE WHEN s.visit_id IS NOT NULL THEN {visit_key('s.', institution)} END",
        "settlement_key": f"s.settlement_id || chr(31) || coalesce({institution}, '')",
    }


DOCUMENT = "split_part(s.document, chr(30), 2)"
"""SQL of the prescription in JSON of a line, of its history too."""


def visit_sql(first: Callable[[str], str], unneeded: Collection[str]) -> str:
    """SQL of the visit of a line in its institution, or else its settlement, or the prescription in JSON that it is of."""
    visit = visit_key("s.", first("institution_id"))
    return visit if "document" in unneeded else f"coalesce({visit}, 'd' || s.document)"


def person_columns(beside: Joined) -> dict[str, str]:
    """SQL, by the names of LINE_COLUMNS, of what a staged line `s` and its headers say of the person."""

    def of_headers(column: str) -> str:
        places = beside.places(column)
        return f"coalesce({', '.join(places)})" if places else "CAST(NULL AS VARCHAR)"

    def of(alias: str, column: str, type_: str) -> str:
        return f"{alias}.{column}" if column in beside.carried.get(alias, ()) else f"CAST(NULL AS {type_})"

    return {
        "line_sex": "s.patient_sex", "line_birth": "s.patient_birth_date",
        "insured_sex": "s.insured_sex", "insured_birth_date": "s.insured_birth_date", "insured_age": "s.insured_age",
        "newborn_flag": beside.first("newborn_flag"),
        "patient_age": "s.patient_age", "header_age": of_headers("patient_age"),
        "id_number": "s.patient_id_number", "header_id_number": of_headers("patient_id_number"),
        "settlement_sex": of("h", "patient_sex", "VARCHAR"), "visit_sex": of("v", "patient_sex", "VARCHAR"),
        "settlement_birth": of("h", "patient_birth_date", "DATE"), "visit_birth": of("v", "patient_birth_date", "DATE"),
        "header_sex_conflict": beside.any_of("sex_conflict"), "header_birth_conflict": beside.any_of("birth_conflict"),
    }  # fmt: skip


def candidates_sql(
    headers: Headers,
    absent: frozenset[str],
    *,
    as_of: str | None,
    region: str | None,
    not_paid: str,
    unneeded: Collection[str],
    care: Mapping[str, str | None],
    payment: Payment | None = None,
    since_known: bool = False,
    rules: Collection[int] | None = None,
    lines: str = "staged_line",
) -> str:
    """SQL of staged lines × points with the columns of checker.judge.compile but the absent ones, ready for `fired_sql`; lines netted before (`left_out`).

    `unneeded` are the columns that staged lines lack, `care` the groups of care types; `payment` tells of the terms of lines, which are absent
    without it. Since when there are data of a patient is known (`since_known`) where somebody looked (checker.judge.patients). `rules` are the
    numbers of those wanted, all without them. `lines` is SQL of the staged lines wanted.
    """
    on_date = f"DATE {sqltext.text(as_of)}" if as_of else "CAST(s.service_time AS DATE)"
    own = {
        "line_no": "s.line_no", "line_id": "s.line_id", "settlement_id": "s.settlement_id", "visit_id": "s.visit_id",
        "service_time": "s.service_time", "on_date": on_date, "item_code": "s.item_code", "item_name": "s.item_name",
        "gross_quantity": "s.quantity", "gross_amount": "s.amount", "gross_in_scope": "s.amount_in_scope",
        "time_fallback": "s.time_fallback",
        "prescription_key": "s.prescription_key", "prescription_guessed": "s.prescription_guessed",
        "history_told": "TRUE", "data_since": "CAST(NULL AS DATE)",
        "not_in_scope": not_paid, "source_file": "CAST(NULL AS VARCHAR)", "source_record": f"s.line_no % {line_sql.LINE_NO_SHIFT}",
    }  # fmt: skip
    beside = joined_headers(headers)
    first, places, known = beside.first, beside.places, beside.carried
    place_of = _institution_place(first("institution_id"), first("region"))
    own |= {
        "visit_start": first("visit_start"), "patient_id": first("patient_id"), "institution_id": first("institution_id"),
        "care_type": first("care_type"), "care_group": meaning_sql(first("care_type"), care, "VARCHAR"),
        "family_paid": f"{first('mutual_aid_amount')} > 0",
        **person_columns(beside),
        "diagnosis_code": _joined(["s.diagnosis_code", *places("diagnosis_code")]),
        "insured_region": _region(first("insured_region"), region), "region": _region(place_of, region),
        "person_unreadable": f"s.person_unreadable OR {beside.any_of('person_unreadable')}",
        "header_missing": " AND ".join(f"{alias}.key IS NULL" for alias in known) or "FALSE",
    }  # fmt: skip
    own |= key_columns(first) | {"patient_key": (patient := patient_sql(first, unneeded))}
    of_terms = ""
    if since_known:
        own["data_since"] = "ps.since"
        of_terms = f"LEFT JOIN patient_since ps ON ps.patient = {patient} "
    if payment is not None:
        own |= columns_sql(payment, first, beside.conflict, own["diagnosis_code"], patient, not_paid)
        of_terms += joins_sql(payment, patient)
    # By whom a line is counted that bears no id of its patient; no clause reads it.
    own["person_number"] = first("patient_id_number")
    if "own_code" not in absent:
        # What is judged is the national code that a local one stands for; the line goes on by its own.
        own |= {
            "item_code": "coalesce(t.national, s.item_code)",
            "own_code": "CASE WHEN t.national IS NOT NULL THEN s.item_code END",
        }
    further = ("person_number", "own_code")
    chosen = ", ".join(f"{own[name]} AS {name}" for name in (*LINE_COLUMNS, *further) if name not in absent)
    wanted = "" if rules is None else f" AND p.rule_no IN ({', '.join(map(str, rules))})"
    return f"""SELECT {chosen}, p.* EXCLUDE (exemptions, document, batch, source_rows, valid_from, valid_to),
      t.matched_by, t.match_length, t.valid_from, t.valid_to, p.valid_from AS point_valid_from
    FROM {lines} s {beside.joins} JOIN hot t ON t.code = s.item_code JOIN point p ON p.point_no = t.point_no{wanted} {of_terms}
    WHERE NOT s.is_refund AND NOT s.beside AND s.line_no NOT IN (SELECT line_no FROM left_out)"""


def _region(column: str, default: str | None) -> str:
    return f"coalesce({column}, {sqltext.text(default)})" if default else column


def _institution_place(institution: str, otherwise: str) -> str:
    """SQL of the institution's place: digits 2–7 of its number, else what the source says."""
    return f"CASE WHEN regexp_matches({institution}, '^[A-Za-z][0-9]{{6}}') THEN substr({institution}, 2, 6) ELSE {otherwise} END"


def _joined(columns: Sequence[str]) -> str:
    return columns[0] if len(columns) == 1 else f"concat_ws(',', {', '.join(columns)})"


def count_not_in_scope(
    connection: duckdb.DuckDBPyConnection,
    rules: Sequence[int],
    not_paid: str,
    *,
    as_of: str | None,
    regional: str | None,
) -> dict[int, int]:
    """Count judged lines, by number of the rules that concern only what the fund pays, with a point in force that the fund does not pay.

    Where there are regional points, `regional` is the SQL of the candidates, whose places the headers may have told.
    """
    if not rules:
        return {}
    chosen = f"rule_no IN ({', '.join(map(str, rules))})"
    on_date = f"DATE {sqltext.text(as_of)}" if as_of else "CAST(s.service_time AS DATE)"
    covered = f"""SELECT s.line_no, rule_no FROM staged_line s JOIN hot t ON t.code = s.item_code JOIN point p USING (point_no)
        WHERE NOT is_refund AND NOT beside AND s.line_no NOT IN (SELECT line_no FROM left_out) AND {not_paid} AND {chosen}
          AND {on_date} >= t.valid_from AND {on_date} < t.valid_to"""
    if regional:
        covered = f"SELECT line_no, rule_no FROM ({regional}) WHERE not_in_scope AND {in_force_sql()}"
    counted = f"SELECT rule_no, count(DISTINCT line_no) FROM ({covered}) WHERE {chosen} GROUP BY rule_no"
    return {int(rule): int(count) for rule, count in connection.execute(counted).fetchall()}


def count_not_in_force(
    connection: duckdb.DuckDBPyConnection, *, as_of: str | None, regional: str | None
) -> dict[int, int]:
    """Count judged lines, by rule number, whose code has points of the rule, none of them in force on the date and in the region.

    Where there are regional points, `regional` is the SQL of the candidates, whose places the headers may have told.
    """
    if regional:
        query = f"""SELECT rule_no, count(*) FROM (
          SELECT line_no, rule_no, bool_or({in_force_sql()}) AS applies
          FROM ({regional}) GROUP BY line_no, rule_no) WHERE NOT applies GROUP BY rule_no"""
    else:
        on_date = f"DATE {sqltext.text(as_of)}" if as_of else "CAST(s.service_time AS DATE)"
        query = f"""WITH spell AS (
          SELECT code, rule_no, min(valid_from) AS first_day, max(valid_to) AS last_day, bool_or(behind_gap) AS broken,
            list({{'f': valid_from, 't': valid_to}}) AS parts
          FROM (SELECT *, coalesce(valid_from > max(valid_to) OVER (PARTITION BY code, rule_no ORDER BY valid_from
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), FALSE) AS behind_gap FROM covered)
          GROUP BY code, rule_no
        )
        SELECT rule_no, count(*) FROM staged_line s JOIN spell ON spell.code = s.item_code
        WHERE NOT is_refund AND NOT beside AND s.line_no NOT IN (SELECT line_no FROM left_out)
          AND CASE WHEN NOT broken THEN {on_date} < first_day OR {on_date} >= last_day
            ELSE len(list_filter(parts, lambda p: {on_date} >= p.f AND {on_date} < p.t)) = 0 END
        GROUP BY rule_no"""
    return {int(rule): int(count) for rule, count in connection.execute(query).fetchall()}
