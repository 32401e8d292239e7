"""`liangku rules diff` names every part that differs between two folders of rules, and says whether findings can change."""

from __future__ import annotations

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from checker.cli.main import run
from checker.report.rules_diff import markdown
from checker.rulebook.diff import diff_rules
from checker.rulebook.load import load_rules

RULES = Path(__file__).resolve().parents[1] / "rules"
RULE = "drug-child-only"
PARAM = '[params.floor]\nvalue = 2\ntype = "int"\nunit = "岁"\nmeaning_zh = "值"\nmeaning_en = "value"\nallowed = [1, 3]\n\n'
CHANGES: dict[str, tuple[str, str, list[tuple[str, str | None, str | None, bool]]]] = {
    "version": ("version = 3", "version = 4", [("version", "3", "4", False)]),
    "status": ('status = "stable"', 'status = "deprecated"', [("status", "stable", "deprecated", False)]),
    "shadow": ('status = "stable"', 'status = "shadow"', [("status", "stable", "shadow", True)]),
    "since": ("since = 2025-05-23", "since = 2025-05-24", [("since", "2025-05-23", "2025-05-24", False)]),
    "code": ('rule_code = "GZ10000301002000"\n', "", [("rule_code", "GZ10000301002000", None, False)]),
    "tier": ('tier = "合理使用"', 'tier = "政策限定"', [("tier", "合理使用", "政策限定", False)]),
    "level": ('level = "suspect"', 'level = "notice"', [("level", "suspect", "notice", True)]),
    "stages": ('"before", "during", "after"]', '"before", "after"]', [("stages", "before, during, after", "before, after", True)]),
    "name": ('zh = "药品儿童专用"', 'zh = "儿童药"', [("name.zh", "药品儿童专用", "儿童药", False)]),
    "value": ("value = 14", "value = 15", [("params.child_age.value", "14", "15", True)]),
    "allowed": ("allowed = [27, 31]", "allowed = [28, 31]", [("params.newborn_days.allowed", "27, 31", "28, 31", False)]),
    "unit": ('value = 1\ntype = "int"\nunit = "岁"', 'value = 1\ntype = "int"\nunit = "年"', [("params.infant_years.unit", "岁", "年", False)]),
}  # fmt: skip
"""What is written, what becomes of it, and the parts that then differ: key path, old, new, whether findings can change."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the rules that come with the program."""
    shutil.copytree(RULES, tmp_path / "rules")
    return tmp_path / "rules"


def edit(folder: Path, old: str, new: str, rule: str = RULE) -> None:
    """Replace the first such text of a rule file."""
    file = folder / f"{rule}.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def compared(capsys: pytest.CaptureFixture[str], a: Path | str, b: Path | str) -> dict[str, Any]:
    """The JSON that the command prints."""
    assert run(["rules", "diff", str(a), str(b), "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def parts(told: dict[str, Any]) -> list[tuple[str, str | None, str | None, bool]]:
    """The changes of the only rule that changed."""
    (rule,) = told["changed"]
    assert rule["judgment_changed"] is any(change["judgment"] for change in rule["changes"])
    return [(change["part"], change["old"], change["new"], change["judgment"]) for change in rule["changes"]]


def test_equal_folders_do_not_differ(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(folder, "[clause]", "# a comment\n[clause]")
    edit(folder, 'tier = "合理使用"\ntier_group = "医疗类"', 'tier_group = "医疗类"\ntier = "合理使用"')
    told = compared(capsys, "embedded", folder)
    assert (told["empty"], told["judgment_changed"]) == (True, False)
    assert (told["added"], told["removed"], told["changed"]) == ([], [], [])
    assert told["old_hash"] != told["new_hash"]
    assert run(["rules", "diff", "embedded", str(folder), "--exit-code", "--lang", "en"]) == 0
    assert capsys.readouterr().out == "No rule differs.\n"


@pytest.mark.parametrize("part", CHANGES)
def test_each_part_that_differs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str) -> None:
    before, folder = tmp_path / "before", tmp_path / "after"
    for each in (before, folder):
        each.mkdir()
        for name in (f"{RULE}.toml", "drug-sex.toml", "framework.csv"):
            shutil.copy(RULES / name, each)
    old, new, expected = CHANGES[part]
    edit(folder, old, new)
    told = compared(capsys, before, folder)
    assert parts(told) == expected
    assert told["judgment_changed"] is expected[0][3]
    back = [(key, after, before, judgment) for key, before, after, judgment in expected]
    assert parts(compared(capsys, folder, before)) == back


def test_a_clause_is_told_with_both_texts_and_its_layout_is_only_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(folder, "person_sex <> point_sex", "(person_sex   != point_sex)", "service-sex")
    edit(folder, "person_sex <> point_sex", "person_sex = point_sex", "drug-sex")
    edit(folder, "coalesce('sex:' || point_sex, '?')", "coalesce('text:' || point_sex, '?')", "drug-sex")
    first, second = compared(capsys, "embedded", folder)["changed"]
    assert (first["rule_id"], first["judgment_changed"]) == ("drug-sex", True)
    assert [(change["part"], change["judgment"]) for change in first["changes"]] == [
        ("clause.violated", True), ("evidence.expected", False),
    ]  # fmt: skip
    assert (first["changes"][0]["old"], first["changes"][0]["new"]) == (
        "person_sex <> point_sex", "person_sex = point_sex",
    )  # fmt: skip
    assert [(change["part"], change["judgment"]) for change in second["changes"]] == [("clause.violated", False)]
    assert (second["rule_id"], second["judgment_changed"]) == ("service-sex", False)


def test_a_clause_that_comes_or_goes_changes_the_judgment(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(
        folder,
        'violated = "person_sex <> point_sex"',
        'violated = "person_sex <> point_sex"\nlower = "age_years < 3"',
        "drug-sex",
    )
    assert parts(compared(capsys, "embedded", folder)) == [("clause.lower", None, "age_years < 3", True)]
    assert parts(compared(capsys, folder, "embedded")) == [("clause.lower", "age_years < 3", None, True)]


def test_a_number_that_only_the_evidence_uses_is_only_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(folder, "point_sex, '?')", "point_sex, cast(:floor as varchar))", "drug-sex")
    edit(folder, "[message.zh]", f"{PARAM}[message.zh]", "drug-sex")
    told = compared(capsys, "embedded", folder)
    assert [change[0] for change in parts(told)] == ["evidence.expected", "params.floor"]
    assert parts(told)[1][1:] == (None, "2 岁 [1, 3]", False)
    shutil.copytree(folder, folder.parent / "before")
    edit(folder, "value = 2", "value = 3", "drug-sex")
    told = compared(capsys, folder.parent / "before", folder)
    assert parts(told) == [("params.floor.value", "2", "3", False)]
    assert told["judgment_changed"] is False


def test_messages_docs_and_cases_are_only_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(folder, 'advice = "', 'advice = "请')
    edit(folder, "## What\n", "## What\n\nMore.\n")
    edit(folder, 'name = "a child of six"', 'name = "a child of 6"')
    edit(folder, "remarks = [] }", 'remarks = ["duplicate"] }')
    told = compared(capsys, "embedded", folder)
    (rule,) = told["changed"]
    assert [change[0] for change in parts(told)] == ["message.zh.advice"]
    assert rule["docs"] == ["en"]
    assert (rule["cases"]["added"], rule["cases"]["removed"]) == (["a child of 6"], ["a child of six"])
    assert rule["cases"]["changed"] == ["an adult gets a drug for children"]
    assert (rule["judgment_changed"], told["judgment_changed"]) == (False, False)
    assert run(["rules", "diff", "embedded", str(folder), "--lang", "zh", "--exit-code"]) == 1
    printed = capsys.readouterr().out
    assert "判断不变，疑点不会增减。" in printed
    assert "中文消息：建议 (message.zh.advice)" in printed
    assert "用例：新增 1 (a child of 6)；删除 1 (a child of six)；修改 1 (an adult gets a drug for children)" in printed
    assert "说明改了：en" in printed


def test_rules_that_come_and_go_change_the_judgment(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "drug-sex.toml").unlink()
    told = compared(capsys, "embedded", folder)
    assert [rule["rule_id"] for rule in told["removed"]] == ["drug-sex"]
    assert (told["added"], told["changed"], told["empty"], told["judgment_changed"]) == ([], [], False, True)
    told = compared(capsys, folder, "embedded")
    assert [(rule["rule_id"], rule["level"], rule["version"]) for rule in told["added"]] == [("drug-sex", "suspect", 2)]
    assert run(["rules", "diff", str(folder), "embedded", "--lang", "en"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("1 rules added, 0 removed, 0 changed. Judgment changed: findings may differ.\n")
    assert "+ drug-sex Drug used by the other sex (version 2, suspect, stable)\n" in printed


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_markdown_holds_every_part_and_stays_markdown(folder: Path, language: str) -> None:
    edit(folder, 'level = "suspect"', 'level = "notice"')
    edit(folder, 'name = "a child of six"', 'name = "a | ```b``` <i>"')
    edit(folder, 'zh = "药品儿童专用"', 'zh = "药|<b>"')
    edit(folder, 'advice = "', 'advice = "```\\n# not a heading\\n')
    edit(folder, "or over_age_max\n", "")
    (folder / "service-sex.toml").unlink()
    text = markdown(diff_rules(load_rules(RULES), load_rules(folder)), language)
    assert text.endswith("\n")
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    assert not [child for child in inline if child.type == "html_inline"]
    headings = [after.content for before, after in pairwise(tokens) if before.type == "heading_open"]
    name = "药\\|&lt;b&gt;" if language == "zh" else "Drug for children only, used by somebody older"
    assert headings[2:] == [f"`{RULE}` {name}"]
    fences = [token.content for token in tokens if token.type == "fence"]
    assert len(fences) == 2
    assert "- or over_age_max\n" in fences[0]
    assert "+ # not a heading\n" in fences[1]
    table = [after.content for before, after in pairwise(tokens) if before.type == "td_open"]
    assert [row for row in ("suspect", "notice") if row in table] == ["suspect", "notice"]
    assert ("judgment changed" if language == "en" else "判断有变") in table


def test_the_command_prints_that_markdown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(folder, 'level = "suspect"', 'level = "notice"')
    assert run(["rules", "diff", "embedded", str(folder), "--format", "markdown", "--lang", "zh"]) == 0
    assert capsys.readouterr().out == markdown(diff_rules(load_rules(RULES), load_rules(folder)), "zh")
    assert run(["rules", "diff", "embedded", str(folder), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["b"] == str(folder)


def test_the_table_shows_clauses_line_by_line_and_reads_no_markup(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(folder, "or over_age_max\n", "or over_age_max or age_word = '[red]'\n")
    edit(folder, 'zh = "药品儿童专用"', 'zh = "[bold]药[/red]"')
    assert run(["rules", "diff", "embedded", str(folder), "--lang", "zh"]) == 0
    printed = capsys.readouterr().out
    assert f"~ {RULE}  [bold]药[/red]  判断有变\n" in printed
    assert "    - or over_age_max\n    + or over_age_max or age_word = '[red]'\n" in printed
    assert re.search(r"中文名 +药品儿童专用 +\[bold\]药\[/red\] +只改文字", printed)


def test_faults_of_both_sides_are_told_with_their_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = folder.parent / "other"
    shutil.copytree(folder, other)
    edit(folder, "version = 3", "version = 0")
    edit(other, 'level = "suspect"', 'level = "grave"')
    assert run(["rules", "diff", str(folder), str(other)]) == 2
    err = capsys.readouterr().err
    assert f"{folder}/{RULE}.toml: version: " in err
    assert f"{other}/{RULE}.toml: level: " in err
    assert run(["rules", "diff", "embedded", str(folder / "nowhere")]) == 2
    assert f"{folder / 'nowhere'}: 没有这个文件夹" in capsys.readouterr().err
