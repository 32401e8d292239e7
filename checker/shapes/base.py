"""What a shape [形态] is: whom it is about, what its points limit, what clauses may read, and why it may not be able to tell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from checker.model.sql_builder import FALSE, NULL, Steps, choose, holds, some

if TYPE_CHECKING:
    import polars as pl

SQL_TYPES: Mapping[type, str] = {bool: "BOOLEAN", int: "BIGINT", str: "VARCHAR"}
LINE_COLUMNS = {
    "line_no": "BIGINT", "line_id": "VARCHAR", "settlement_id": "VARCHAR", "visit_id": "VARCHAR", "visit_start": "TIMESTAMP",
    "patient_id": "VARCHAR", "institution_id": "VARCHAR", "service_time": "TIMESTAMP", "on_date": "DATE",
    "item_code": "VARCHAR", "item_name": "VARCHAR", "care_type": "VARCHAR", "insured_region": "VARCHAR", "region": "VARCHAR",
    "gross_quantity": "DECIMAL(18, 4)", "gross_amount": "DECIMAL(18, 4)", "gross_in_scope": "DECIMAL(18, 4)",
    "time_fallback": "BOOLEAN", "person_unreadable": "BOOLEAN", "header_missing": "BOOLEAN", "newborn_flag": "BOOLEAN",
    "line_sex": "VARCHAR", "settlement_sex": "VARCHAR", "visit_sex": "VARCHAR", "header_sex_conflict": "BOOLEAN",
    "line_birth": "DATE", "settlement_birth": "DATE", "visit_birth": "DATE", "header_birth_conflict": "BOOLEAN",
    "patient_age": "VARCHAR", "header_age": "VARCHAR", "id_number": "VARCHAR", "header_id_number": "VARCHAR", "family_paid": "BOOLEAN",
    "insured_sex": "VARCHAR", "insured_birth_date": "DATE", "insured_age": "VARCHAR",
    "diagnosis_code": "VARCHAR", "prescription_key": "VARCHAR", "prescription_guessed": "BOOLEAN", "not_in_scope": "BOOLEAN", "source_file": "VARCHAR",
    "source_record": "BIGINT",
    "insurance_type": "VARCHAR", "insurance_group": "VARCHAR", "care_group": "VARCHAR", "is_discharge_drug": "BOOLEAN",
    "institution_level": "VARCHAR", "own_rank": "BIGINT", "is_unrated": "BOOLEAN", "prescriber_rank": "BIGINT", "has_earlier": "BOOLEAN",
    "prescriber_institution_level": "VARCHAR", "pay_location": "VARCHAR",
    "insurance_conflict": "BOOLEAN", "care_conflict": "BOOLEAN", "level_conflict": "BOOLEAN", "online_doubt": "VARCHAR",
    "is_online": "BOOLEAN", "is_maternity_fee": "BOOLEAN", "has_maternity_diagnosis": "BOOLEAN", "in_scope": "BOOLEAN",
    "patient_key": "VARCHAR", "visit_key": "VARCHAR", "settlement_key": "VARCHAR", "history_told": "BOOLEAN", "data_since": "DATE",
}  # fmt: skip
"""What a line brings to the judgment, settled by ingest: name and SQL type."""

PLACE_COLUMNS = {
    "point_no": "INTEGER", "together": "VARCHAR", "generics": "VARCHAR", "rule_no": "INTEGER", "rule_id": "VARCHAR",
    "point_id": "VARCHAR", "point_name": "VARCHAR", "subject": "VARCHAR", "point_region": "VARCHAR",
    "point_region_of": "VARCHAR", "valid_from": "DATE", "valid_to": "DATE", "point_valid_from": "DATE", "level_cap": "VARCHAR",
    "point_remark": "VARCHAR", "document": "VARCHAR", "batch": "VARCHAR", "source_rows": "VARCHAR", "matched_by": "VARCHAR",
    "match_length": "INTEGER",
}  # fmt: skip
"""What every point brings beside its limits; valid_from and valid_to may be a part of its own time, where another takes the rest."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One column of a shape's limit table: its cells hold a text (one of `choices`, where there are any) or a whole number.

    `column` is its name among the columns of a candidate, `fact` what it is held against. `unit_of` names the limit whose unit it is: both are
    filled or neither. `above` names one that it must exceed where their units are equal. `part_of` names the wording that the number is read
    from: either is there only with the other. A `wording` does not make two limits different; one of no fact limits nothing itself. Points of one
    code that differ in what holds them `apart` stand beside each other, none in the place of another. One that `steers` says how the others are
    counted: the shape reads it, whatever the clauses of a rule read.
    """

    name: str
    kind: type
    zh: str
    en: str
    choices: tuple[str, ...] = ()
    column: str = ""
    fact: str = ""
    unit_of: str = ""
    above: str = ""
    part_of: str = ""
    wording: bool = False
    apart: bool = False
    steers: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "column", self.column or self.name)

    @property
    def stands_alone(self) -> bool:
        """Whether it limits something without any other cell."""
        return not (self.unit_of or self.part_of or (self.wording and not self.fact))


@dataclass(frozen=True, slots=True)
class Fact:
    """What a clause needs to know beside the limits of a point, in words and how it is meant; the cells of a line and a point by which a case
    tells it, and the reason code where it is not known.

    `told_by` are the columns of the input of which one must be there, or a rule that needs the fact does not judge; where there are none, what
    is not known stays undetermined. `key` is what such an answer says is missing.
    """

    zh: str
    en: str
    meant_zh: str = ""
    meant_en: str = ""
    line: str = ""
    point: str = ""
    missing: str = "other"
    told_by: tuple[str, ...] = ()
    key: str = ""

    def told(self, english: bool) -> str:
        """The fact with how it is meant."""
        name, meant = (self.en, self.meant_en) if english else (self.zh, self.meant_zh)
        return name if not meant else f"{name} ({meant})" if english else f"{name}（{meant}）"


def name_nobody(steps: Steps) -> None:
    """What is judged is no person: neither the insured nor a mother, and no account of a family."""
    for name in ("is_insured", "family_account", "may_be_mother"):
        steps.let(name, FALSE)


def in_pharmacy(steps: Steps) -> str:
    """SQL of whether a line was sold in a pharmacy: its care says so, or the number of its institution."""
    return some(
        holds("care_group = 'pharmacy'", steps["care_group"]),
        holds("regexp_matches(institution_id, '^[Pp][0-9]')", steps["institution_id"]),
    )


def missing_sql(steps: Steps, fact: str, code: str) -> str:
    """SQL of the reason that a fact ('' for none that some input tells) is not known. Where no input tells of it at all, that counts, be there a
    header or not.
    """
    if fact and steps[told_name(fact)] == NULL:
        return f"'{code}'"
    return choose((steps["header_missing"], "'header_missing'"), otherwise=f"'{code}'")


def told_name(fact: str) -> str:
    """Whether any input tells of a fact: among the columns that are absent (checker.judge.compile) where none does."""
    return f"told_{fact}"


@dataclass(frozen=True, slots=True)
class Column:
    """One base column that clauses may read: what it holds, the fact or the limits that it carries.

    `least` and `most` bound a number; they stay 0 for others.
    """

    name: str
    kind: type
    zh: str
    en: str
    fact: str = ""
    limits: tuple[str, ...] = ()
    least: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One way in which facts and points meet. All that knows a shape by name is its folder and the tuple SHAPES.

    `scope` is what a finding speaks of (line, prescription, …), `judges` a key of SCOPES where what it judges is no person.
    `roles` are what the codes of a point may stand for; those of `item` are
    found on the lines that findings are about. `facts` are what clauses need to know beside the point's limits.
    `line_columns` are those of LINE_COLUMNS that not all shapes read. `together` is SQL, over a row of kb_point, of what the uses of a point are counted
    together with (checker.shapes.uses), NULL for points of other shapes; a shape that looks at none has none. With `each_point` several
    points of one rule judge a line, and the gravest answer counts; else the first of them judges. `name` may name `finding_scope`, `at_stake` (yuan),
    `own_remarks` and `related_lines` of a finding; where it does not, they are `scope`, the line's net amount, none and none.
    `not_judged` are reasons for which a line is not judged, whatever other lines tell, each with what is missing (of checker.model.words.NOT_JUDGED).
    `params` are parameters of its rules that `base` reads, as columns of the candidates; NULL where a rule does not declare them.
    `lowered` is the remark of a violation whose `lower` clause holds, `noticed` of one whose `notice` clause does. `case_code` makes the item
    code of a case from its number.
    `relations` are what it needs beside the candidates (line × point): names, columns and types; scan and counter both bring them.
    `base` gives SQL of the candidates with what comes from these relations, as far as they ask for it: it has `parts`, of which a point with some limits
    `asks` for few. `name` names the base columns over it. `doubt` is the name of a
    condition in which nothing is held against anybody. `why` gives SQL of the reason code where a clause is NULL, the first of `reasons` that
    holds; it is given what tells whether the row's rule reads a fact. `say` puts the limits of a point into words, in Chinese or in English
    (true). `faults` of the cells of its limit table, as text, gives what no field of its limits says: the check, the column, where the cell is bad
    and what to write instead.
    """

    id: str
    zh: str
    en: str
    scope: str
    roles: Mapping[str, tuple[str, str]]
    limits: tuple[Limit, ...]
    facts: Mapping[str, Fact]
    columns: tuple[Column, ...]
    reasons: tuple[str, ...]
    name: Callable[[Steps], None]
    why: Callable[[Steps, Callable[[str], str]], str]
    doubt: str = ""
    each_point: bool = False
    params: tuple[str, ...] = ()
    together: str = ""
    not_judged: Mapping[str, str] = field(default_factory=dict)
    judges: str = ""
    line_columns: tuple[str, ...] = ()
    lowered: str = "lowered_lenient"
    noticed: str = "stay_began_in_window"
    case_code: str = "XCASE{:018d}"
    relations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    base: Callable[[str, Collection[str]], str] = lambda candidates, parts: candidates
    parts: tuple[str, ...] = ()
    asks: Callable[[Mapping[str, Any]], frozenset[str]] = lambda limits: frozenset()
    say: Callable[[Mapping[str, Any], bool], Iterable[str]] = lambda limits, english: ()
    faults: Callable[[pl.DataFrame], Iterable[tuple[str, str, pl.Expr, str]]] = lambda cells: ()

    @property
    def limit_file(self) -> str:
        """The name of its limit table as text."""
        return f"{self.id}.csv"

    @property
    def kinds(self) -> dict[str, type]:
        """What each base column holds."""
        return {column.name: column.kind for column in self.columns}

    @property
    def column_types(self) -> dict[str, str]:
        """The SQL types of the base columns."""
        return {column.name: SQL_TYPES[column.kind] for column in self.columns}

    def facts_in(self, columns: frozenset[str]) -> tuple[str, ...]:
        """The facts that these base columns carry, in the shape's order."""
        carried = {column.fact for column in self.columns if column.name in columns}
        return tuple(fact for fact in self.facts if fact in carried)
