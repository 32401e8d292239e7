"""Clauses are refused unless every part is allowed, and what is allowed runs in DuckDB on any value."""

from __future__ import annotations

from functools import partial
from typing import Any

import duckdb
import pytest

from checker.model.errors import InternalError
from checker.rulebook.clause import FUNCTIONS, Clause, check_types, read_clause
from checker.shapes.item import ITEM

PARAMS = {"newborn_days": 28, "child_age": 14, "below": -3}
read = partial(read_clause, shape=ITEM)
TYPES = {bool: "BOOLEAN", int: "INTEGER", str: "VARCHAR"}
ORDINARY = {
    "person_sex": "female", "point_sex": "male", "age_years": 35, "age_months": 430, "age_days": 13000,
    "age_word": "儿童", "age_text": ">=3岁", "has_age_max": False, "under_age_min": False, "over_age_max": True,
    "age_days_at_visit_start": -4,
}  # fmt: skip


def accepted(text: str, kind: type = bool) -> Clause:
    """Read a clause that has to be accepted."""
    clause = read(text, kind, PARAMS)
    assert isinstance(clause, Clause), clause
    return clause


def refused(text: str, kind: type = bool) -> str:
    """Read a clause that has to be refused and return why."""
    faults = read(text, kind, PARAMS)
    assert not isinstance(faults, Clause), faults.sql
    return "\n".join(faults)


def answer(clause: Clause, **values: Any) -> Any:
    """Run a clause over one row in which all other columns are NULL."""
    row = ", ".join(f"CAST(${name} AS {TYPES[kind]}) AS {name}" for name, kind in ITEM.kinds.items())
    with duckdb.connect(":memory:", config={"enable_external_access": False}) as connection:
        given = {**dict.fromkeys(ITEM.kinds), **values}
        found = connection.execute(f"SELECT {clause.sql} FROM (SELECT {row})", given).fetchone()
    assert found is not None
    return found[0]


EACH_FUNCTION = {
    "coalesce": ("coalesce(age_years, age_months, 7)", int, 7, 35),
    "nullif": ("nullif(person_sex, 'female')", str, None, None),
    "least": ("least(age_years, :child_age)", int, 14, 14),
    "greatest": ("greatest(age_years, :child_age)", int, 14, 35),
    "abs": ("abs(age_days_at_visit_start)", int, None, 4),
    "length": ("length(age_text)", int, None, 4),
    "starts_with": ("starts_with(age_text, '>=')", bool, None, True),
    "replace": ("replace(age_text, '>=', '≥ ')", str, None, "≥ 3岁"),
}


@pytest.mark.parametrize("name", [function.name for function in FUNCTIONS])
def test_every_function_answers_on_null_and_on_ordinary_values(name: str) -> None:
    text, kind, on_null, ordinary = EACH_FUNCTION[name]
    clause = accepted(text, kind)
    check_types([clause], ITEM)
    assert answer(clause) == on_null
    assert answer(clause, **ORDINARY) == ordinary


@pytest.mark.parametrize(
    ("text", "kind", "on_null", "ordinary"),
    [
        ("person_sex <> point_sex", bool, None, True),
        ("person_sex == 'female' and not over_age_max", bool, None, False),
        ("age_years >= :child_age or under_age_min", bool, None, True),
        ("age_years between :below and 40", bool, None, True),
        ("age_word in ('儿童', '小儿')", bool, None, True),
        ("age_years not in (1, :child_age)", bool, None, True),
        ("age_text is not null", bool, False, True),
        ("over_age_max is not true", bool, True, False),
        ("has_age_max = over_age_max", bool, None, False),
        ("case when age_years < 18 then true when age_years >= 18 then false end", bool, None, False),
        ("case age_word when '儿童' then 1 else 2 end", int, 2, 1),
        ("case age_word when '儿童' then null else 'other' end", str, "other", None),
        ("age_years * 12 - age_months + 1", int, None, -9),
        ("- -age_years - :below", int, None, 38),
        ("cast(age_years as varchar) || ' 岁'", str, None, "35 岁"),
        ("under_age_min::text", str, None, "false"),
        ("\"age_years\" = 35", bool, None, True),
        ("'it''s ' || person_sex", str, None, "it's female"),
    ],
)  # fmt: skip
def test_allowed_clauses_run(text: str, kind: type, on_null: Any, ordinary: Any) -> None:
    clause = accepted(text, kind)
    check_types([clause], ITEM)
    assert answer(clause) == on_null
    assert answer(clause, **ORDINARY) == ordinary


def test_a_clause_knows_its_columns_and_parameters() -> None:
    clause = accepted("age_years >= :child_age or (not has_age_max and age_days > :newborn_days)")
    assert clause.columns == {"age_years", "has_age_max", "age_days"}
    assert clause.params == {"child_age", "newborn_days"}


@pytest.mark.parametrize("text", ["true or false and false", "(true or false) and false", "not false = true"])
def test_the_new_sql_binds_as_the_old(text: str) -> None:
    with duckdb.connect(":memory:") as connection:
        assert connection.execute(f"SELECT {text}").fetchone() == (answer(accepted(text)),)


HOSTILE = [
    "(select count(*) from read_csv('/etc/passwd')) > 0",
    "age_years in (select 1)",
    "exists (select 1)",
    "select true",
    "true union select true",
    "from read_csv('/etc/passwd')",
    "read_csv('/etc/passwd') is null",
    "read_text('/etc/passwd') = 'x'",
    "read_blob('x') is null",
    "glob('/*') is null",
    "getenv('HOME') = 'x'",
    "current_setting('home_directory') = 'x'",
    "query('select 1') is null",
    "pragma database_list",
    "attach 'other.db'",
    "copy point to '/tmp/x'",
    "install httpfs",
    "set threads = 1",
    "true; drop table point",
    "true;",
    "true -- and person_sex <> point_sex",
    "true /* or false */ and false",
    "/* a */ true",
    "true --",
    "count(*) > 1",
    "row_number() over () = 1",
    "sum(age_years) > 1",
    "list_filter([1], x -> x > 1) is null",
    "[age_years] is null",
    "{'a': age_years} is null",
    "age_text[1] = 'a'",
    "columns(*) is null",
    "* is null",
    "#1 is null",
    "? = 1",
    "$1 = 1",
    "(true, false)",
    "true, false",
    "true as other",
    "pivot point on rule_id",
    "interval 1 day is null",
    "date '2026-01-01' is null",
    "current_date is null",
    "random() > 0.5",
    "age_text like '%'",
    "age_text ~ 'a+'",
    "regexp_matches(age_text, 'a+')",
    "age_text collate nocase = 'a'",
    "age_text = e'\\x41'",
    "age_text = $$a$$",
    "age_text = 'a' 'b'",
    "age_text = 'a\\b'",
    "age_text = 'a\u202eb'",
    "age_text = 'a\x00b'",
    "\uff41ge_years = 1",
    "ag\u0435_years = 1",
    "age_years\u200b = 1",
    "AGE_YEARS = 1",
    "line.age_years = 1",
    "main.line.age_years = 1",
    "patient_sex = 'male'",
    "age_years / 2 = 1",
    "age_years // 2 = 1",
    "age_years % 2 = 1",
    "age_years ^ 2 = 1",
    "age_years & 1 = 1",
    "age_years = 1.5",
    "age_years = 1e3",
    "age_years = 99999999999",
    "age_text::int = 1",
    "try_cast(age_text as int) = 1",
    "cast(age_text as date) is null",
    "cast(age_years as varchar[]) is null",
    "age_years between symmetric 1 and 2",
    "age_years is distinct from 1",
    "lower(age_text) = 'a'",
    "concat(age_text, 'a') = 'a'",
    "if(has_age_max, true, false)",
    "repeat(age_text, 1000000000) = 'a'",
    "age_years = any([1])",
    "",
    "   ",
    "true or",
    "(true",
    "true)",
    "'open",
    "true true",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_is_not_on_the_list_is_refused(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("age_year = 1", "did you mean `age_years`"),
        ("age_years = :child_ag", "did you mean `child_age`"),
        ("line.age_years = 1", "without a table"),
        ("(select 1) = 1", "no other rows"),
        ("concat(age_text, 'a') = 'a'", "a || b"),
        ("lower(age_text) = 'a'", "functions are coalesce"),
        ("age_years = '1'", "kinds are mixed"),
        ("age_text > 3", "kinds are mixed"),
        ("case when true then 1 else 'a' end = 1", "kinds are mixed"),
        ("coalesce(age_years, age_text) = 1", "kinds are mixed"),
        ("age_years and true", "true or false is needed"),
        ("not age_text", "true or false is needed"),
        ("age_years", "gives a whole number, but has to give true or false"),
        ("null", "gives NULL"),
        ("age_years = null", "write `is null`"),
        ("age_years in (1, null)", "list of literals"),
        ("age_years is 3", "null, true or false"),
        ("has_age_max < over_age_max", "only = and <>"),
        ("has_age_max between false and true", "only = and <>"),
        ("age_days * 100000 > 1", "can leave the range"),
        ("abs(age_years - 2147483647) * 2 > 1", "can leave the range"),
        ("starts_with(age_years, 'a')", "a text is needed"),
        ("true -- x", "[docs]"),
        ("true; true", "semicolon"),
        ("true or or true", "line 1, column"),
        ("age_years / 0 = 1", "division"),
    ],
)
def test_a_refusal_says_what_to_write(text: str, words: str) -> None:
    assert words in refused(text)


def test_all_faults_of_a_clause_are_told() -> None:
    why = refused("age_year = 1 or sex = 'male' or random() > 1")
    assert "age_year'" in why
    assert "'sex'" in why
    assert "RANDOM" in why.upper()


@pytest.mark.parametrize("levels", [90, 300, 1500])
@pytest.mark.parametrize("form", ["({})", "not {}", "case when {} then true end", "coalesce({})", "{} or true"])
def test_deep_nesting_is_a_fault_and_no_crash(levels: int, form: str) -> None:
    text = "has_age_max"
    for _ in range(levels):
        text = form.replace("{}", text)
    assert form == "({})" or "nested too deeply" in refused(text) or "characters" in refused(text)
    read(text, bool, PARAMS)


def test_a_long_clause_is_a_fault() -> None:
    assert "characters" in refused("true" + " " * 5000)


def test_text_that_can_grow_without_end_is_a_fault() -> None:
    growing = "age_text"
    for _ in range(4):
        growing = f"replace({growing}, '岁', 'aaaaaaaaaaaaaaaaaaaaaaaa')"
    assert "can grow longer" in refused(f"{growing} = 'a'")


def test_a_clause_that_duckdb_types_otherwise_is_our_failure() -> None:
    with pytest.raises(InternalError, match="gives VARCHAR instead of BOOLEAN"):
        check_types([Clause("x", "age_text", bool, frozenset(), frozenset())], ITEM)


def test_a_clause_that_duckdb_cannot_run_is_our_failure() -> None:
    with pytest.raises(InternalError, match="does not run"):
        check_types([Clause("x", "(SELECT 1 FROM read_csv('/etc/passwd')) = 1", bool, frozenset(), frozenset())], ITEM)
