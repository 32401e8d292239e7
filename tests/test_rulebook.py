"""Rule files load whole and correct, or every fault in them is told with its file and key."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from checker.model.errors import ExitCode, InputError, RuleError
from checker.rulebook.clause import Clause, check_types
from checker.rulebook.load import hash_rules, load_rules
from checker.rulebook.rule import Case, Expect, Rule, Rulebook
from checker.shapes import BY_ID
from checker.shapes.item import ITEM

RULES = Path(__file__).parent.parent / "rules"
AGE_RULES = ("drug-child-limited", "drug-child-only", "service-child-only")
SEX_RULES = ("drug-sex", "service-sex")
FIRST_BATCH = (*AGE_RULES, *SEX_RULES)

SOUND = """\
id = "old-men"
rule_code = "GZ1"
version = 2
status = "preview"
since = 2026-02-03
tier = "合理使用"
tier_group = "医疗类"
shape = "item"
level = "suspect"
stages = ["before", "after"]

[name]
zh = "名"
en = "Name"

[clause]
violated = "age_years > :oldest"
lower = "age_years < 70"

[evidence]
expected = "cast(:oldest as varchar)"
actual = "person_sex"

[params.oldest]
value = 60
type = "int"
unit = "岁"
meaning_zh = "最大"
meaning_en = "oldest"
allowed = [50, 80]

[message.zh]
violation = "{item_name} {{x}}"
undetermined = "{reason}"
advice = "a"

[message.en]
violation = "{expected} {actual}"
undetermined = "{reason}"
advice = "a"

[docs]
zh = '''
## 说明
a
## 判定
a
## 何时不判、何时可能误判
a
## 如何处理
a
## 依据
a
'''
en = '''
## What
a
## How it is judged
a
## When it is silent or wrong
a
## What to do
a
## Basis
a
'''

[[case]]
name = "old"
line = { item_code = "X", patient_age = "65" }
point = { sex = "male", age_min = 3 }
exemption = { exemption_id = "E1", diagnoses = ["Q56"] }
diagnoses = ["N40"]
expect = { verdict = "violation", level = "notice", remarks = ["exemption_possible"] }

[[case]]
name = "young"
line = { patient_age = "50" }
expect = "clean"

[[case]]
name = "unknown"
line = { patient_age = "" }
expect = { verdict = "undetermined", reason_code = "birth_missing" }
"""


IN_BOTH = re.compile(r"[^（）]*[\u4e00-\u9fff].*（[^\u4e00-\u9fff].*）", re.DOTALL)
"""A message in both languages: it begins in Chinese and ends with an English sentence in full-width parentheses."""


def loaded(folder: Path, text: str = SOUND, name: str = "old-men.toml") -> Rulebook:
    """Write one rule file and load the folder."""
    (folder / name).write_text(text, encoding="utf-8")
    return load_rules(folder)


def faults(folder: Path, text: str, name: str = "old-men.toml") -> str:
    """Write one rule file that has to be refused and return all its faults."""
    with pytest.raises(RuleError) as caught:
        loaded(folder, text, name)
    assert all(fault.file == name for fault in caught.value.faults)
    assert [fault.message for fault in caught.value.faults if not IN_BOTH.fullmatch(fault.message)] == []
    return str(caught.value)


def test_a_sound_rule_is_read_whole(tmp_path: Path) -> None:
    (rule,) = loaded(tmp_path).rules
    assert (rule.id, rule.code, rule.version, rule.status, rule.since) == (
        "old-men", "GZ1", 2, "preview", date(2026, 2, 3),
    )  # fmt: skip
    assert (rule.tier, rule.tier_group, rule.shape, rule.level) == ("合理使用", "医疗类", "item", "suspect")
    assert rule.stages == ("before", "after")
    assert rule.violated.sql == "age_years > 60"
    assert rule.lower is not None
    assert rule.notice is None
    assert [key for key, _ in rule.clauses] == [
        "clause.violated", "clause.lower", "evidence.expected", "evidence.actual",
    ]  # fmt: skip
    assert (rule.params[0].name, rule.params[0].value, rule.params[0].allowed) == ("oldest", 60, (50, 80))
    assert rule.messages.zh.violation == "{item_name} {{x}}"
    assert rule.messages.en.violation == "{expected} {actual}"
    assert "age" in rule.reads
    assert "sex" not in rule.reads
    assert rule.cases[0] == Case(
        name="old",
        line=(("item_code", "X"), ("patient_age", "65")),
        point=(("sex", "male"), ("age_min", 3)),
        exemption=(("exemption_id", "E1"), ("diagnoses", ("Q56",))),
        diagnoses=("N40",),
        expect=Expect("violation", level="notice", remarks=("exemption_possible",)),
    )
    assert rule.cases[1].expect == "clean"
    assert rule.cases[1].exemption is None


def test_the_code_is_optional(tmp_path: Path) -> None:
    assert loaded(tmp_path, SOUND.replace('rule_code = "GZ1"\n', "")).rules[0].code is None


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert loaded(tmp_path, "\ufeff" + SOUND).rules


REFUSED = [
    ('level = "suspect"', 'levle = "suspect"', "levle: unknown key; did you mean `level`?"),
    ('level = "suspect"\n', "", "level: missing"),
    ('level = "suspect"', 'level = "red"', "level: 'red' is none of definite, suspect, notice"),
    ('status = "preview"', 'status = "new"', "status: 'new' is none of preview"),
    ('shape = "item"', 'shape = "trio"', "shape: 'trio' is none of item"),
    ('tier = "合理使用"', 'tier = "其他"', "tier: '其他' is none of"),
    ('tier_group = "医疗类"', 'tier_group = "其他"', "tier_group: '其他' is none of"),
    ('stages = ["before", "after"]', 'stages = ["later"]', "stages: ['later'] is not a list of some of before"),
    ('stages = ["before", "after"]', "stages = []", "stages: [] is not a list"),
    ('stages = ["before", "after"]', 'stages = ["after", "after"]', "each at most once"),
    ('stages = ["before", "after"]', 'stages = "after"', "stages: 'after' is not a list"),
    ("version = 2", 'version = "2"', "version: '2' is not a whole number"),
    ("version = 2", "version = true", "version: True is not a whole number"),
    ("version = 2", "version = 0", "version: 0 is below 1"),
    ("since = 2026-02-03", 'since = "2026-02-03"', "since: '2026-02-03' is not a date"),
    ("since = 2026-02-03", "since = 2026-02-03T10:00:00", "is not a date"),
    ('zh = "名"', 'zh = " "', "name.zh: is empty"),
    ('zh = "名"', 'zh = "名"\nfr = "nom"', "name.fr: unknown key"),
    ('id = "old-men"', 'id = "young-men"', "id: 'young-men' is not the file's name; write 'old-men'"),
    (":oldest", ":eldest", "clause.violated: no parameter :eldest is declared under [params]; did you mean `oldest`?"),
    ("value = 60", "value = 90", "params.oldest.value: 90 is outside allowed [50, 80]"),
    ("allowed = [50, 80]", "allowed = [80, 50]", "params.oldest.allowed: [80, 50] is not [smallest, largest]"),
    ("allowed = [50, 80]", "allowed = [50]", "params.oldest.allowed: [50] is not [smallest, largest]"),
    ("allowed = [50, 80]", 'allowed = ["a"]', "params.oldest.allowed: ['a'] is not a list of whole numbers"),
    ("value = 60", "value = 60.5", "params.oldest.value: 60.5 is not a whole number"),
    ('type = "int"', 'type = "text"', "params.oldest.type: 'text' is none of int"),
    ('unit = "岁"\n', "", "params.oldest.unit: missing"),
    ("[params.oldest]", "[params.age_days]", "params.age_days: a parameter is named"),
    ("[message.zh]", "[params.idle]\nvalue=1\ntype='int'\nunit='a'\nmeaning_zh='a'\nmeaning_en='a'\nallowed=[1,1]\n"
     "[message.zh]", "params.idle: no clause uses it; write :idle into a clause or remove it"),
    ('"{item_name} {{x}}"', '"{item} x"', "message.zh.violation: nobody fills {item}; placeholders are item_name"),
    ('"{item_name} {{x}}"', '"{item_name"', "message.zh.violation: the braces { } do not pair"),
    ('"{item_name} {{x}}"', '"item_name}"', "message.zh.violation: the braces { } do not pair"),
    ('"{item_name} {{x}}"', '"{item_name.__class__}"', "nobody fills {item_name.__class__}"),
    ('"{item_name} {{x}}"', '"{item_name:>9}"', "{item_name} is written without ! and :"),
    ('"{item_name} {{x}}"', '"{}"', "nobody fills {}"),
    ("[message.en]", "[message.fr]", "message.en: missing"),
    ("[message.en]", "[message.fr]", "message.fr: unknown key"),
    ('actual = "person_sex"', """actual = "'sexx:' || person_sex\"""", "evidence.actual: no kind of value is called 'sexx'; did you mean `sex`"),
    ("## 依据\n", "", "docs.zh: the heading '## 依据' is missing"),
    ("## What to do\n", "## Todo\n", "docs.en: the heading '## What to do' is missing"),
    ("## Basis\n", "## Basis\nb\n## Basis\n", "docs.en: the heading '## Basis' is written twice"),
    ("## What to do\na\n## Basis\na\n", "## Basis\na\n## What to do\na\n", "docs.en: the headings stand in this order"),
    ("## What\na\n", "## What\n\n", "docs.en: nothing is written under '## What'"),
    ('expect = "clean"', 'expect = "not_in_force"', "case: no case expects 'clean'"),
    ('{ verdict = "undetermined", reason_code = "birth_missing" }', '"clean"', "no case expects 'undetermined'"),
    ('{ verdict = "violation", level = "notice", remarks = ["exemption_possible"] }', '"clean"',
     "no case expects 'violation'"),
    ('expect = "clean"', 'expect = "fine"', "case[2].expect: 'fine' is none of clean, not_in_force"),
    ('expect = "clean"\n', "", "case[2].expect: missing"),
    ('expect = "clean"', 'expect = { verdict = "clean" }', "case[2].expect.verdict: 'clean' is none of violation"),
    ('level = "notice", ', "", "case[1].expect.level: missing"),
    ('level = "notice", ', 'level = "notice", colour = "a", ', "case[1].expect.colour: unknown key"),
    ('"undetermined", ', '"undetermined", level = "notice", ', "case[3].expect.level: only a violation has a level"),
    ('reason_code = "birth_missing"', 'reason_code = "unborn"', "case[3].expect.reason_code: 'unborn' is none of"),
    ('patient_age = "50"', 'age = "50"', "case[2].line.age: no such column"),
    ('patient_age = "50"', "patient_age = 50", "case[2].line.patient_age: 50 is not a text"),
    ('sex = "male", ', 'gender = "male", ', "case[1].point.gender: no such column"),
    ("age_min = 3", "age_min = 3.5", "case[1].point.age_min: 3.5 is not a text"),
    ('exemption_id = "E1"', 'exemption = "E1"', "case[1].exemption.exemption: no such column"),
    ('diagnoses = ["N40"]', "diagnoses = [40]", "case[1].diagnoses: [40] is not a list of texts"),
    ('name = "young"', 'name = "old"', "case[2].name: 'old' names an earlier case too"),
    ('name = "young"\n', "", "case[2].name: missing"),
    ('"age_years > :oldest"', '"age_year > :oldest"', "clause.violated: no base column 'age_year'"),
    ('"age_years > :oldest"', '"cast(:oldest as varchar)"', "clause.violated: gives a text"),
    ('"age_years > :oldest"', '"(select true)"', "clause.violated: `(SELECT TRUE)` is not allowed"),
    ('lower = "age_years < 70"', 'lower = "age_years"', "clause.lower: gives a whole number"),
    ('actual = "person_sex"', 'actual = "age_years"', "evidence.actual: gives a whole number, but has to give a text"),
    ('actual = "person_sex"\n', "", "evidence.actual: missing"),
    ("[clause]", "[clauses]", "clause: missing"),
]  # fmt: skip


@pytest.mark.parametrize(("sound", "broken", "words"), REFUSED, ids=[words for _, _, words in REFUSED])
def test_a_broken_rule_is_refused_with_its_key(tmp_path: Path, sound: str, broken: str, words: str) -> None:
    assert sound in SOUND
    key, _, english = words.rpartition(": ")
    told = faults(tmp_path, SOUND.replace(sound, broken, 1)).splitlines()
    assert [line for line in told if key in line.partition("（")[0] and english in line.partition("（")[2]], told


def test_an_id_is_lower_case_words(tmp_path: Path) -> None:
    assert "lower-case words" in faults(tmp_path, SOUND.replace('"old-men"', '"Old_men"'), "Old_men.toml")


def test_broken_toml_names_its_line(tmp_path: Path) -> None:
    assert "at line 2" in faults(tmp_path, 'id = "old-men"\nversion = = 1\n')


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "old-men.toml").write_bytes(SOUND.encode("gb18030"))
    with pytest.raises(RuleError, match="is not UTF-8; save the file as UTF-8"):
        load_rules(tmp_path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "is empty" in faults(tmp_path, "")


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old-men.toml").mkdir()
    with pytest.raises(RuleError, match=r"old-men\.toml: 无法读取.*（cannot be read"):
        load_rules(tmp_path)


def test_a_case_table_that_is_no_table_is_refused(tmp_path: Path) -> None:
    text = 'case = ["x"]\n' + SOUND.split("[[case]]")[0]
    assert "case[1]: “x”不是表，请写成 [[case]]（'x' is not a table; write [[case]]）" in faults(tmp_path, text)


def test_ids_and_codes_belong_to_one_file(tmp_path: Path) -> None:
    (tmp_path / "old-men.toml").write_text(SOUND, encoding="utf-8")
    why = ""
    with pytest.raises(RuleError) as caught:
        loaded(tmp_path, SOUND, "old-women.toml")
    why = str(caught.value)
    assert (
        "old-women.toml: id: “old-men”已属于 old-men.toml，每条规则请用各自的（'old-men' already belongs to old-men.toml"
        in why
    )
    assert (
        "old-women.toml: rule_code: “GZ1”已属于 old-men.toml，每条规则请用各自的（'GZ1' already belongs to old-men.toml"
        in why
    )


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("x = = 1", encoding="utf-8")
    (tmp_path / "b.toml").write_text(SOUND.replace("suspect", "red").replace("preview", "new"), encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        load_rules(tmp_path)
    keys = [(fault.file, fault.key) for fault in caught.value.faults]
    assert ("a.toml", "") in keys
    assert {("b.toml", "id"), ("b.toml", "level"), ("b.toml", "status")} <= set(keys)


def test_a_missing_or_empty_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        load_rules(tmp_path / "none")
    with pytest.raises(InputError, match="holds no") as caught:
        load_rules(tmp_path)
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def test_embedded_rules_that_do_not_load_are_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RuleError) as caught:
        load_rules(tmp_path, embedded=True)
    assert caught.value.exit_code is ExitCode.FAILURE


def test_only_some_rules_can_be_loaded() -> None:
    assert [rule.id for rule in load_rules(RULES, only=["service-sex", "drug-sex"]).rules] == [
        "drug-sex",
        "service-sex",
    ]
    with pytest.raises(RuleError, match="no rule 'drug-sexx'; did you mean `drug-sex`"):
        load_rules(RULES, only=["drug-sexx"])


def test_the_hash_is_known_without_parsing_and_changes_with_a_byte(tmp_path: Path) -> None:
    first = loaded(tmp_path)
    assert hash_rules(tmp_path) == first.hash
    second = loaded(tmp_path, SOUND + "\n")
    assert second.hash != first.hash
    assert second.rules[0].hash != first.rules[0].hash


def test_the_counter_path_needs_no_sqlglot() -> None:
    program = "import sys; from checker.rulebook.load import hash_rules; sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=RULES.parent, check=False).returncode == 0


@pytest.fixture(scope="module")
def book() -> dict[str, Rule]:
    return {rule.id: rule for rule in load_rules(RULES).rules}


def test_the_five_rules_of_the_first_batch(book: dict[str, Rule]) -> None:
    assert {rule.id: (rule.code, rule.level, rule.tier_group) for rule in book.values() if rule.id in FIRST_BATCH} == {
        "drug-sex": ("GZ10000301004000", "suspect", "医疗类"),
        "service-sex": ("GZ10000302004000", "suspect", "医疗类"),
        "drug-child-only": ("GZ10000301002000", "suspect", "医疗类"),
        "drug-child-limited": ("GZ10000101007000", "definite", "政策类"),
        "service-child-only": ("GZ10000302003000", "suspect", "医疗类"),
    }
    assert {rule.id for rule in book.values() if "sex" in rule.reads} == {*SEX_RULES, "service-age"}
    assert {rule.id for rule in book.values() if "age" in rule.reads} == {*AGE_RULES, "service-age"}


def test_the_clauses_run_in_duckdb(book: dict[str, Rule]) -> None:
    for rule in book.values():
        check_types([clause for _, clause in rule.clauses], BY_ID[rule.shape])


def ask(clause: Clause | None, **values: Any) -> Any:
    """Run a clause over one row: a word point without text bounds, a person of whom nothing is known."""
    assert clause is not None
    types = {bool: "BOOLEAN", int: "INTEGER", str: "VARCHAR"}
    given = {
        **dict.fromkeys(ITEM.kinds),
        "has_age_max": False,
        "under_age_min": False,
        "over_age_max": False,
        **values,
    }
    row = ", ".join(f"CAST(${name} AS {types[kind]}) AS {name}" for name, kind in ITEM.kinds.items())
    with duckdb.connect(":memory:") as connection:
        found = connection.execute(f"SELECT {clause.sql} FROM (SELECT {row})", given).fetchone()
    assert found is not None
    return found[0]


@pytest.mark.parametrize("rule_id", SEX_RULES)
@pytest.mark.parametrize(
    ("person", "point", "violated"),
    [("male", "female", True), ("male", "male", False), (None, "male", None), ("male", None, None), (None, None, None)],
)
def test_sex(book: dict[str, Rule], rule_id: str, person: str | None, point: str | None, violated: bool | None) -> None:
    assert ask(book[rule_id].violated, person_sex=person, point_sex=point) is violated


@pytest.mark.parametrize("rule_id", AGE_RULES)
@pytest.mark.parametrize("word", ["新生儿", "婴儿", "婴幼儿", "儿童", "小儿"])
def test_an_unknown_age_is_null_for_every_word(book: dict[str, Rule], rule_id: str, word: str) -> None:
    assert ask(book[rule_id].violated, age_word=word) is None


@pytest.mark.parametrize("rule_id", AGE_RULES)
@pytest.mark.parametrize(
    ("known", "violated"),
    [
        ({"age_word": "新生儿", "age_years": 0, "age_days": 28}, False),
        ({"age_word": "新生儿", "age_years": 0, "age_days": 29}, True),
        ({"age_word": "新生儿", "age_years": 0}, None),
        ({"age_word": "新生儿", "age_years": 1}, True),
        ({"age_word": "新生儿", "age_years": 0, "age_months": 1}, None),
        ({"age_word": "新生儿", "age_years": 0, "age_months": 2}, True),
        ({"age_word": "婴儿", "age_years": 0}, False),
        ({"age_word": "婴儿", "age_years": 1}, True),
        ({"age_word": "婴幼儿", "age_years": 2}, False),
        ({"age_word": "婴幼儿", "age_years": 3}, True),
        ({"age_word": "儿童", "age_years": 13}, False),
        ({"age_word": "小儿", "age_years": 14}, True),
        ({"age_word": "老人", "age_years": 14}, None),
        ({"age_years": 14}, False),
        ({"age_years": 14, "under_age_min": True}, True),
        ({"under_age_min": None}, None),
        ({"age_word": "儿童", "age_years": 14, "under_age_min": None}, True),
        ({"age_word": "儿童", "age_years": 2, "under_age_min": None}, None),
        ({"age_word": "儿童", "age_years": 2, "under_age_min": True}, True),
        ({"age_word": "儿童", "age_years": 17, "has_age_max": True}, False),
        ({"age_word": "儿童", "age_years": 18, "has_age_max": True, "over_age_max": True}, True),
        ({"age_word": "儿童", "age_years": 1, "has_age_max": True, "over_age_max": None}, None),
        ({"age_word": "儿童", "has_age_max": True, "under_age_min": None, "over_age_max": None}, None),
    ],
)
def test_windows(book: dict[str, Rule], rule_id: str, known: dict[str, Any], violated: bool | None) -> None:
    assert ask(book[rule_id].violated, **known) is violated


@pytest.mark.parametrize("rule_id", AGE_RULES)
@pytest.mark.parametrize(
    ("known", "lower"),
    [
        ({"age_word": "儿童", "age_years": 13}, False),
        ({"age_word": "儿童", "age_years": 14}, True),
        ({"age_word": "小儿", "age_years": 17}, True),
        ({"age_word": "儿童", "age_years": 18}, False),
        ({"age_word": "婴幼儿", "age_years": 14}, False),
        ({"age_word": "儿童", "age_years": 14, "has_age_max": True, "over_age_max": True}, False),
        ({"age_word": "儿童", "age_years": 14, "under_age_min": True}, False),
        ({"age_word": "儿童"}, None),
    ],
)
def test_the_level_is_lower_between_the_bounds(
    book: dict[str, Rule], rule_id: str, known: dict[str, Any], lower: bool | None
) -> None:
    assert ask(book[rule_id].lower, **known) is lower


@pytest.mark.parametrize("rule_id", AGE_RULES)
@pytest.mark.parametrize(
    ("known", "notice"),
    [
        ({"age_word": "新生儿", "age_days_at_visit_start": 0}, True),
        ({"age_word": "新生儿", "age_days_at_visit_start": 28}, True),
        ({"age_word": "新生儿", "age_days_at_visit_start": 29}, False),
        ({"age_word": "新生儿", "age_days_at_visit_start": -1}, False),
        ({"age_word": "新生儿"}, None),
        ({"age_word": "婴儿", "age_days_at_visit_start": 3}, False),
        ({"age_word": "新生儿", "age_days_at_visit_start": 3, "has_age_max": True}, False),
        ({"age_word": "新生儿", "age_days_at_visit_start": 3, "under_age_min": True}, False),
    ],
)
def test_a_stay_that_began_as_newborn_is_a_notice(
    book: dict[str, Rule], rule_id: str, known: dict[str, Any], notice: bool | None
) -> None:
    assert ask(book[rule_id].notice, **known) is notice


FROM_3 = {"age_text": ">=3岁", "age_min": 3, "age_min_unit": "year"}
FROM_2_TO_11 = {
    "age_text": "2-11岁", "has_age_max": True, "age_min": 2, "age_min_unit": "year", "age_max": 12, "age_max_unit": "year",
}  # fmt: skip


@pytest.mark.parametrize("rule_id", AGE_RULES)
@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"age_word": "新生儿"}, "age_in:..29 day"),
        ({"age_word": "婴儿"}, "age_in:..1 year"),
        ({"age_word": "婴幼儿"}, "age_in:..3 year"),
        ({"age_word": "儿童"}, "age_in:..14 year"),
        ({"age_word": "小儿"}, "age_in:..14 year"),
        ({"age_word": "老人"}, "text:老人"),
        ({"age_word": "儿童", **FROM_3}, "age_in:3 year..14 year"),
        (FROM_3, "age_in:3 year.."),
        ({"age_word": "儿童", **FROM_2_TO_11}, "age_in:2 year..12 year"),
        ({"age_word": "老人", **FROM_2_TO_11}, "age_in:2 year..12 year"),
        (FROM_2_TO_11, "age_in:2 year..12 year"),
        ({}, "age_in:.."),
    ],
)
def test_the_expected_age_as_a_typed_value(
    book: dict[str, Rule], rule_id: str, known: dict[str, Any], expected: str
) -> None:
    assert ask(book[rule_id].expected, **known) == expected


@pytest.mark.parametrize("rule_id", AGE_RULES)
@pytest.mark.parametrize(
    ("known", "actual"),
    [
        ({}, "?"),
        ({"age_years": 0, "age_months": 0, "age_days": 0}, "age:0 day"),
        ({"age_years": 0, "age_months": 0, "age_days": 30}, "age:30 day"),
        ({"age_years": 0, "age_months": 1, "age_days": 31}, "age:1 month"),
        ({"age_years": 1, "age_months": 23, "age_days": 720}, "age:23 month"),
        ({"age_years": 2, "age_months": 24, "age_days": 731}, "age:2 year"),
        ({"age_years": 35}, "age:35 year"),
        ({"age_years": 0}, "age:0 year"),
    ],
)
def test_the_actual_age_as_a_typed_value(
    book: dict[str, Rule], rule_id: str, known: dict[str, Any], actual: str
) -> None:
    assert ask(book[rule_id].actual, **known) == actual


@pytest.mark.parametrize("rule_id", SEX_RULES)
def test_the_sex_as_a_typed_value(book: dict[str, Rule], rule_id: str) -> None:
    rule = book[rule_id]
    assert [ask(rule.expected, point_sex=sex) for sex in ("male", "female", None)] == ["sex:male", "sex:female", "?"]
    assert [ask(rule.actual, person_sex=sex) for sex in ("male", "female", None)] == ["sex:male", "sex:female", "?"]
