"""`liangku rules` lists, shows, tests and checks rules, and ends with the exit code that the contract names."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from checker.rulebook.load import load_rules
from tests.commands import Done, liangku, liangku_process

RULES = Path(__file__).parent.parent / "rules"
RULE_IDS = sorted(path.stem for path in RULES.glob("*.toml"))
SOUND = (RULES / "drug-sex.toml").read_text(encoding="utf-8")
HEAD = SOUND[: SOUND.index("[[case]]")]
NEEDED_CASES = """
[[case]]
name = "clean"
line = { service_time = "2026-03-01", patient_sex = "男" }
point = { sex = "male" }
expect = "clean"

[[case]]
name = "undetermined"
line = { service_time = "2026-03-01" }
point = { sex = "male" }
expect = { verdict = "undetermined", reason_code = "sex_missing" }
"""
MAN = 'line = { service_time = "2026-03-01", patient_sex = "男" }'
WOMAN = 'line = { service_time = "2026-03-01", patient_sex = "女" }\npoint = { sex = "male" }'
LOWERED = f'{WOMAN}\nexemption = {{ exemption_id = "E1", effect = "lower" }}'
VIOLATION = 'verdict = "violation", level = "suspect"'


def rules(*arguments: str) -> Done:
    """Run `liangku rules …` as a user would."""
    return liangku("rules", *arguments, env={**os.environ, "LC_ALL": "zh_CN.UTF-8"})


def folder_of(tmp_path: Path, text: str, name: str = "drug-sex.toml") -> str:
    """A rules folder with one file."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path)


def case(name: str, facts: str, expect: str) -> str:
    """The TOML of one case."""
    return f'\n[[case]]\nname = "{name}"\n{facts}\nexpect = {expect}\n'


# ------------------------------------------------------------------------------------------------ list and show


def test_list_names_every_rule_in_chinese_by_default() -> None:
    done = rules("list")
    assert done.returncode == 0, done.stderr
    assert all(rule_id in done.stdout for rule_id in RULE_IDS)
    assert "药品区分性别使用" in done.stdout
    assert "GZ10000301004000" in done.stdout
    assert "编号" in done.stdout


def test_list_speaks_english() -> None:
    done = rules("list", "--lang", "en")
    assert "Drug used by the other sex" in done.stdout
    assert "药" not in done.stdout


def test_the_locale_chooses_the_language() -> None:
    assert "National code" in liangku_process("rules", "list", env={**os.environ, "LC_ALL": "en_US.UTF-8"}).stdout


def test_list_as_json_is_one_document() -> None:
    listed = json.loads(rules("list", "--json").stdout)
    assert [rule["rule_id"] for rule in listed["rules"]] == RULE_IDS
    sex = next(rule for rule in listed["rules"] if rule["rule_id"] == "drug-sex")
    assert (sex["rule_code"], sex["level"], sex["status"], sex["version"]) == (
        "GZ10000301004000",
        "suspect",
        "stable",
        2,
    )


def test_list_reads_another_folder(tmp_path: Path) -> None:
    listed = json.loads(rules("list", "--rules", folder_of(tmp_path, SOUND), "--json").stdout)
    assert [rule["rule_id"] for rule in listed["rules"]] == ["drug-sex"]


def test_show_tells_everything_of_a_rule() -> None:
    done = rules("show", "drug-child-only")
    assert done.returncode == 0, done.stderr
    for part in (
        "drug-child-only", "药品儿童专用", "GZ10000301002000", "合理使用", "clause.violated", "age_years >= :child_age",
        "evidence.expected", ":child_age", "14 岁", "12–18", "儿童、小儿：不满多少周岁（严格界限）",
        "{item_name}是儿童专用药", "何时不判、何时可能误判",
        "the 14th birthday is past the strict bound only → violation notice",
    ):  # fmt: skip
        assert part in done.stdout, part
    assert "##" not in done.stdout


def test_show_speaks_english() -> None:
    done = rules("show", "drug-child-only", "--lang", "en")
    for part in ("Drug for children only", "rational use", "the strict bound", "When it is silent or wrong"):
        assert part in done.stdout, part
    assert "何时不判" not in done.stdout


def test_show_does_not_read_markup_into_a_rule(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, SOUND.replace('zh = "药品区分性别使用"', 'zh = "[red]药[/blue]"'))
    assert "[red]药[/blue]" in rules("show", "drug-sex", "--rules", folder).stdout
    assert "[red]药[/blue]" in rules("list", "--rules", folder).stdout


def test_show_cuts_nothing_off_a_long_message(tmp_path: Path) -> None:
    advice = "核对" * 100 + "完"
    folder = folder_of(tmp_path, SOUND.replace('advice = "', f'advice = "{advice}', 1))
    shown = "".join(rules("show", "drug-sex", "--rules", folder).stdout.split())
    assert advice in shown


# ------------------------------------------------------------------------------------------------ test and check


@pytest.fixture
def two_rules(tmp_path: Path) -> str:
    """A folder with two of the rules: to prove all of them takes long, and is done once."""
    for name in TWO_RULES:
        shutil.copy(RULES / f"{name}.toml", tmp_path)
    return str(tmp_path)


TWO_RULES = ["drug-sex", "service-sex"]


def test_test_counts_the_cases_of_each_rule(two_rules: str) -> None:
    done = rules("test", "--rules", two_rules)
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [f"✓ {rule_id}" for rule_id in TWO_RULES]


def test_test_runs_only_the_rules_named() -> None:
    done = rules("test", "service-sex", "drug-sex", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert told["passed"] is True
    assert [(rule["rule_id"], rule["passed"] == rule["cases"] > 0) for rule in told["rules"]] == [
        ("drug-sex", True),
        ("service-sex", True),
    ]


def test_check_counts_every_stage(two_rules: str) -> None:
    done = rules("check", "--rules", two_rules)
    assert done.returncode == 0, done.stderr
    stages = [(line[0], line.rsplit(" ", 1)[1]) for line in done.stdout.splitlines()]
    assert [mark for mark, _ in stages] == ["✓"] * len(stages)
    assert stages[0] == ("✓", "2/2")


@pytest.mark.usefixtures("proofs")
def test_every_stage_of_every_rule_passes() -> None:
    told = json.loads(rules("check", "--json").stdout)
    assert told["passed"] is True
    names = [stage["name"] for stage in told["stages"]]
    assert names == ["parse", "compile", "explain", "cases", "complete", "lock", "docs"]
    assert all(stage["passed"] == stage["total"] > 0 and stage["faults"] == [] for stage in told["stages"])
    cases = sum(len(rule.cases) for rule in load_rules(RULES, embedded=True).rules)
    assert told["stages"][3]["total"] == cases


WRONG = {
    "level": (WOMAN, '{ verdict = "violation", level = "definite" }', ("level", "definite", "suspect")),
    "expected": (WOMAN, f'{{ {VIOLATION}, expected = "sex:female" }}', ("expected", "女", "男")),
    "actual": (WOMAN, f'{{ {VIOLATION}, actual = "男" }}', ("actual", "男", "女")),
    "no such remark": (WOMAN, f'{{ {VIOLATION}, remarks = ["duplicate"] }}', ("remarks", "duplicate", "none")),
    "an unexpected remark": (
        LOWERED,
        '{ verdict = "violation", level = "notice", remarks = [] }',
        ("remarks", "none", "lowered_exemption"),
    ),
    "another exemption": (
        LOWERED,
        '{ verdict = "violation", level = "notice", exemption_id = "E2" }',
        ("exemption_id", "E2", "E1"),
    ),
    "no exemption": (WOMAN, f'{{ {VIOLATION}, exemption_id = "E2" }}', ("exemption_id", "E2", "none")),
    "verdict": (WOMAN, '{ verdict = "exempt" }', ("verdict", "exempt", "violation")),
    "reason": (
        'line = { service_time = "2026-03-01" }\npoint = { sex = "male" }',
        '{ verdict = "undetermined", reason_code = "newborn" }',
        ("reason_code", "newborn", "sex_missing"),
    ),
    "not clean": (WOMAN, '"clean"', ("verdict", "clean", "violation")),
    "in force": (WOMAN, '"not_in_force"', ("verdict", "not_in_force", "violation")),
    "clean is not out of force": (
        f'{MAN}\npoint = {{ sex = "male" }}',
        '"not_in_force"',
        ("verdict", "not_in_force", "clean"),
    ),
    "out of force is not clean": (
        f'{MAN}\npoint = {{ sex = "male", valid_from = "2026-03-02" }}',
        '"clean"',
        ("verdict", "clean", "not_in_force"),
    ),
    "out of force is no violation": (
        'line = { service_time = "2026-03-01", patient_sex = "女" }\npoint = { sex = "male", valid_to = "2026-03-01" }',
        f"{{ {VIOLATION} }}",
        ("verdict", "violation", "not_in_force"),
    ),
    "clean is no violation": (
        f'{MAN}\npoint = {{ sex = "male" }}',
        f"{{ {VIOLATION} }}",
        ("verdict", "violation", "clean"),
    ),
}
"""Cases that expect what the engine does not give: facts, expectation, and the one difference to be told."""


def test_each_wrong_expectation_is_told_with_both_values(tmp_path: Path) -> None:
    cases = "".join(case(name, facts, expect) for name, (facts, expect, _) in WRONG.items())
    right = case("the violation", WOMAN, f"{{ {VIOLATION}, remarks = [] }}")
    done = rules("test", "--rules", folder_of(tmp_path, HEAD + NEEDED_CASES + cases + right), "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    (rule,) = told["rules"]
    assert (told["passed"], rule["cases"], rule["passed"]) == (False, len(WRONG) + 3, 3)
    found = {
        failed["name"]: [(each["field"], each["expected"], each["found"]) for each in failed["difference"]]
        for failed in rule["failed"]
    }
    assert found == {name: [difference] for name, (_, _, difference) in WRONG.items()}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{ service_time = "2026-03-01", patient_sex = "男", valid_flag = "0" }', "not_judged"),
        ('{ service_time = "2026-03-01", patient_sex = "男", quantity = "-1" }', "not_judged"),
        ('{ service_time = "2026-13-01", patient_sex = "男" }', "not_judged"),
        ('{ patient_sex = "男" }', "not_judged"),
    ],
    ids=["void", "refund", "unreadable time", "no time"],
)
def test_a_line_that_is_not_judged_is_not_clean(tmp_path: Path, line: str, why: str) -> None:
    cases = case("skipped", f'line = {line}\npoint = {{ sex = "male" }}', '"clean"')
    cases += case("the violation", WOMAN, f"{{ {VIOLATION} }}")
    done = rules("test", "--rules", folder_of(tmp_path, HEAD + NEEDED_CASES + cases), "--json")
    assert done.returncode == 1, done.stderr
    (failed,) = json.loads(done.stdout)["rules"][0]["failed"]
    assert failed["name"] == "skipped"
    assert failed["difference"][0]["found"].startswith(why)


def test_a_failing_case_is_named_with_field_and_both_values(tmp_path: Path) -> None:
    text = SOUND.replace('level = "suspect", expected = "sex:male"', 'level = "notice", expected = "sex:male"', 1)
    folder = folder_of(tmp_path, text)
    done = rules("test", "--rules", folder)
    assert done.returncode == 1
    assert done.stdout.startswith("✗ drug-sex: ")
    assert "drug-sex::a woman gets a drug for men\n" in done.stdout
    assert "level：用例要求 notice，引擎给出 suspect" in done.stdout
    assert "level: expected notice, found suspect" in rules("test", "--rules", folder, "--lang", "en").stdout


def test_check_counts_a_failing_case(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, HEAD + NEEDED_CASES + case("wrong", WOMAN, '{ verdict = "violation", level = "notice" }')
    )
    done = rules("check", "--rules", folder, "--json")
    assert done.returncode == 1
    stages = {stage["name"]: stage for stage in json.loads(done.stdout)["stages"]}
    assert (stages["explain"]["passed"], stages["cases"]["passed"], stages["cases"]["total"]) == (1, 2, 3)
    assert stages["cases"]["faults"] == [
        "drug-sex::wrong: level：用例要求 notice，引擎给出 suspect（level: expected notice, found suspect）"
    ]


def test_empty_text_stands_for_null(tmp_path: Path) -> None:
    line = 'line = { service_time = "2026-03-01", patient_sex = "女", quantity = "", care_type = "" }'
    facts = (
        line
        + '\npoint = { sex = "male", subject = "", valid_to = "" }\nexemption = { effect = "lower", valid_to = "" }'
    )
    cases = case("lowered", facts, '{ verdict = "violation", level = "notice" }')
    done = rules("test", "--rules", folder_of(tmp_path, HEAD + NEEDED_CASES + cases))
    assert done.returncode == 0, done.stdout


def test_a_rule_that_runs_only_during_is_tested_at_that_stage(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, SOUND.replace('stages = ["before", "during", "after"]', 'stages = ["during"]'))
    done = rules("test", "--rules", folder)
    assert done.returncode == 0, done.stdout


# ------------------------------------------------------------------------------------------------ broken rule files


VIOLATED = 'violated = "person_sex <> point_sex"'
BROKEN = {
    "unknown key": (SOUND.replace("version = 2", "version = 2\ncolour = 3"), "drug-sex.toml: colour:"),
    "undeclared column": (
        SOUND.replace(VIOLATED, 'violated = "person_sex <> point_colour"'),
        "drug-sex.toml: clause.violated:",
    ),
    "subquery": (
        SOUND.replace(VIOLATED, 'violated = "person_sex in (select point_sex from point)"'),
        "drug-sex.toml: clause.violated:",
    ),
    "read_csv": (
        SOUND.replace(VIOLATED, "violated = \"exists (select * from read_csv('/etc/hostname'))\""),
        "drug-sex.toml: clause.violated:",
    ),
    "placeholder": (SOUND.replace("{item_name}限", "{colour}限", 1), "drug-sex.toml: message.zh.violation:"),
    "case cell": (
        SOUND.replace('point = { sex = "male" }', 'point = { sex = "man" }', 1),
        "drug-sex.toml: case[1].point, column sex:",
    ),
    "case date": (
        SOUND.replace('valid_from = "2025-05-23" }', 'valid_from = "2025-02-30" }', 1),
        ".point, column valid_from: 写的是“2025-02-30”，请写日期，如 2025-05-23（found '2025-02-30'; write a date",
    ),
}


@pytest.mark.parametrize("command", ["test", "check"])
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_rule_file_names_file_and_key(tmp_path: Path, fault: str, command: str) -> None:
    text, words = BROKEN[fault]
    assert text != SOUND
    done = rules(command, "--rules", folder_of(tmp_path, text), "--json")
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert words in json.loads(done.stdout)["error"]["message"]


def test_a_broken_rule_file_stops_list_and_show_too(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, BROKEN["read_csv"][0])
    for arguments in (["list"], ["show", "drug-sex"]):
        done = rules(*arguments, "--rules", folder)
        assert done.returncode == 2
        assert "drug-sex.toml: clause.violated:" in done.stderr


def test_a_folder_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    done = rules("check", "--rules", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "nowhere" in done.stderr


@pytest.mark.parametrize("command", ["show", "test"])
def test_an_unknown_rule_is_told_with_the_known_ones(command: str) -> None:
    done = rules(command, "drug-sexx")
    assert done.returncode == 2
    assert "drug-sexx" in done.stderr
    assert all(rule_id in done.stderr for rule_id in RULE_IDS)
    assert done.stdout == ""


def test_help_is_in_both_languages() -> None:
    for arguments in (["--help"], ["list", "-h"], ["show", "-h"], ["test", "-h"], ["check", "-h"]):
        done = rules(*arguments)
        assert done.returncode == 0
        assert "规则" in done.stdout
        assert "rule" in done.stdout.lower()
