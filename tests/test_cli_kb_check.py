"""`liangku kb check`: its outputs for people and for programs, and its exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from checker.cli.main import run
from checker.knowledge.build import build
from tests.knowledge.small_kb import EXEMPTION, PATTERNS, POINTS, Kb, changed, family, more, point


@pytest.fixture
def check(capsys, monkeypatch):
    """Run the command; return its exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "116")

    def ask(*arguments: str | Path, lang: str = "zh") -> tuple[int, str, str]:
        code = run(["kb", "check", *map(str, arguments), "--lang", lang])
        told = capsys.readouterr()
        return code, told.out, told.err

    return ask


@pytest.fixture
def bad(tmp_path: Path, monkeypatch) -> Path:
    """An error, a warning and an info, in a folder below the working directory."""
    monkeypatch.chdir(tmp_path)
    points = [
        {**POINTS[0], "sex": "x"},
        {**POINTS[1], "item_name": "妇科,100%:片", "sex": "male"},
        *POINTS[2:],
        point("p6", "drug-sex", "妇科,100%:片（水丸）", sex="male"),
    ]
    return Kb(points, [*PATTERNS, family("p6", "ZD03AAF0161")], "").write(tmp_path / "知识 库")


def test_the_checkout_is_clean_enough_and_says_what_was_checked(check):
    code, out, err = check()
    assert (code, err) == (0, "")
    assert "knowledge_base/sources/point.csv:1556" in out
    assert re.search(r"4,014 个知识点、5,031 个编码、6 条豁免；35 项检查中 32 项没有问题；错误 0，警告 1，提示 56", out)
    assert check("--strict")[0] == 1
    code, out, _ = check(lang="en")
    assert "32 of 35 checks found nothing" in out
    assert "To mend: " in out


def test_issues_stand_below_their_check_worst_first(check, bad):
    code, out, err = check(bad)
    assert (code, err) == (1, "")
    lines = out.splitlines()
    heads = [line for line in lines if line[:1] in "✗!·" and line.strip()]
    assert [head.split()[1] for head in heads] == ["错误", "警告", "提示"]
    assert lines[1] == "  知识 库/item.csv:2  p1  sex=x"
    assert "写的是“x”" in lines[2]
    assert lines[3].startswith("  怎么改：")


def test_warnings_fail_only_when_strict_and_infos_never(check, tmp_path):
    folder = changed("p2", sex="male").write(tmp_path)
    assert check(folder)[0] == 0
    assert check(folder, "--strict")[0] == 1
    assert check(folder, "--strict", "--skip", "name-and-limit")[0] == 0
    info = Kb(
        [*POINTS, point("p6", "drug-sex", "爱普列特片（甲）", sex="male")], [*PATTERNS, family("p6", "XG04CBA088A001")]
    )
    code, out, _ = check(info.write(tmp_path / "info"), "--strict")
    assert code == 0
    assert "提示" in out


def test_long_lists_are_cut_unless_all_is_asked_for(check, tmp_path):
    points = [{**POINTS[0], "point_id": f"n{number:02}", "sex": "x"} for number in range(30)]
    folder = Kb(points, [family(row["point_id"], "XG04CBA088A001") for row in points], "").write(tmp_path)
    code, out, _ = check(folder)
    assert code == 1
    assert out.count("sex=x") == 20
    assert "另有 10 处，用 --all 全部列出" in out
    assert check(folder, "--all")[1].count("sex=x") == 30


def test_json(check, bad):
    code, out, err = check(bad, "--json")
    assert (code, err) == (1, "")
    document = json.loads(out)
    assert document["passed"] is False
    assert document["counts"] == {"error": 1, "warning": 2, "info": 1}
    first = document["issues"][0]
    assert {key: first[key] for key in ("check", "severity", "file", "row", "key", "column", "value")} == {
        "check": "value", "severity": "error", "file": "知识 库/item.csv", "row": 2, "key": "p1", "column": "sex", "value": "x",
    }  # fmt: skip
    assert first["message"]["en"].startswith("found 'x'; write one of male, female")
    counts = {entry["id"]: entry["issues"] for entry in document["checks"]}
    assert (counts["value"], counts["name-and-limit"], counts["both-sexes"]) == (1, 2, 0)
    assert check(bad, "--format", "json")[1] == out


def test_junit_has_a_case_for_every_check(check, bad):
    code, out, _ = check(bad, "--format", "junit")
    assert code == 1
    suite = ElementTree.fromstring(out)[0]
    cases = {case.get("name"): case for case in suite}
    assert len(cases) == 35 == int(suite.get("tests"))
    failure = cases["value"].find("failure")
    assert "知识 库/item.csv:2: p1: " in failure.text
    assert cases["name-and-limit"].find("failure") is None
    assert "妇科,100%:片" in cases["name-and-limit"].find("system-out").text
    assert suite.get("failures") == "1"
    strict = ElementTree.fromstring(check(bad, "--format", "junit", "--strict")[1])[0]
    assert strict.get("failures") == "2"


def test_characters_that_xml_cannot_hold_do_not_break_it(check, tmp_path):
    folder = changed("p2", item_name="妇\x07<&").write(tmp_path)
    cases = ElementTree.fromstring(check(folder, "--format", "junit")[1])[0]
    (told,) = [case.find("failure").text for case in cases if case.get("name") == "unsafe-text"]
    assert "妇\N{REPLACEMENT CHARACTER}<&" in told


def test_sarif_points_to_the_lines(check, bad):
    document = json.loads(check(bad, "--format", "sarif", lang="en")[1])
    assert document["version"] == "2.1.0"
    (sarif,) = document["runs"]
    rules = [rule["id"] for rule in sarif["tool"]["driver"]["rules"]]
    first = sarif["results"][0]
    assert (first["ruleId"], first["level"], rules[first["ruleIndex"]]) == ("value", "error", "value")
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "%E7%9F%A5%E8%AF%86%20%E5%BA%93/item.csv"
    assert place["region"] == {"startLine": 2}
    assert [result["level"] for result in sarif["results"]] == ["error", "note", "warning", "warning"]


def test_sarif_names_a_built_file_without_a_line(check, tmp_path):
    build(changed("p2", sex="male").write(tmp_path / "text"), tmp_path / "built")
    document = json.loads(check(tmp_path / "built", "--format", "sarif")[1])
    place = document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": (tmp_path / "built" / "point.parquet").as_uri()}}


def test_github_annotations_are_escaped(check, bad):
    code, out, _ = check(bad, "--format", "github", lang="en")
    assert code == 1
    lines = out.splitlines()
    assert lines[0].startswith(
        "::error file=知识 库/item.csv,line=2,title=value a cell holds a value that it cannot::p1: found 'x'"
    )
    (warning, _) = (line for line in lines if "title=name-and-limit" in line)
    assert warning.endswith("::p2: the name says '妇科,100%25:片', the limit 'male only'")
    assert sum(line.startswith("::notice ") for line in lines) == 1
    assert check(Kb().write(bad.parent / "sound"), "--format", "github") == (0, "", "")


def test_a_comma_in_a_path_does_not_end_a_property(check, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = check(changed("p1", sex="x").write(tmp_path / "a,b:c"), "--format", "github")[1]
    assert out.startswith("::error file=a%2Cb%3Ac/item.csv,line=2,")


def test_markdown_counts_and_folds(check, bad):
    out = check(bad, "--format", "markdown")[1]
    assert "| `value` 单元格的值不合要求 | 错误 | 1 |" in out
    assert out.count("<details") == out.count("</details>") == 3
    assert "- `知识 库/point.csv:3` `p2` `sex=male`：名称是“妇科,100%:片”" in out


def test_no_value_ends_the_code_that_it_stands_in(check, tmp_path):
    points = [{**POINTS[0], "sex": "x`<img src=x>`"}, *POINTS[1:]]
    out = check(Kb(points, PATTERNS, "").write(tmp_path / "a`b"), "--format", "markdown")[1]
    assert "`` " in out
    bare = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", out.replace("\\`", ""))
    assert "<img" not in bare
    assert "`" not in bare


def test_layers_and_the_day(check, tmp_path):
    base = Kb(exemptions=EXEMPTION + "valid_to = 2026-01-28\n").write(tmp_path / "base")
    assert "expired-exemption" in check(base, "--as-of", "2026-01-28")[1]
    assert "expired-exemption" not in check(base, "--as-of", "2026-01-27")[1]
    local = more([point("p1", "drug-sex", "爱普列特片", sex="female")]).points[-1]
    folder = Kb([local], [family("p1", "XG04CBA088A017")], "").write(tmp_path / "local")
    out = check(folder, "--kb", base, "--json", "--as-of", "2026-01-01")[1]
    assert json.loads(out)["knowledge"]["points"] == len(POINTS)


def test_rules_of_ones_own(check, tmp_path):
    rules = Path(__file__).parents[1] / "rules"
    only = tmp_path / "rules"
    only.mkdir()
    (only / "drug-sex.toml").write_bytes((rules / "drug-sex.toml").read_bytes())
    kb = Kb().write(tmp_path / "kb")
    assert check(kb, "--rules", only, "--only", "unknown-rule")[0] == 0
    code, out, _ = check(kb, "--rules", only, "--only-rules", "--only", "unknown-rule")
    assert code == 1
    assert out.count("没有规则“") == 3


def test_points_of_a_deprecated_rule_are_a_warning_until_they_end(check, tmp_path):
    rules = tmp_path / "rules"
    rules.mkdir()
    text = (Path(__file__).parents[1] / "rules" / "drug-sex.toml").read_text(encoding="utf-8")
    (rules / "drug-sex.toml").write_text(text.replace('status = "stable"', 'status = "deprecated"'), encoding="utf-8")
    only = ("--rules", rules, "--only", "unknown-rule")
    code, out, _ = check(Kb().write(tmp_path / "kb"), *only)
    assert (code, out.count("规则“drug-sex”已停用（deprecated），2 个仍有效")) == (0, 1)
    assert check(Kb().write(tmp_path / "kb"), *only, "--strict")[0] == 1
    ended = changed("p1", valid_to="2025-06-01").write(tmp_path / "ended")
    assert "已停用（deprecated），1 个仍有效" in check(ended, *only)[1]


def test_a_fault_of_reading_is_told_in_the_language_asked_for(check, tmp_path):
    kb = changed("p1", sex="x").write(tmp_path)
    chinese, english = (check(kb, "--only", "value", lang=lang)[1] for lang in ("zh", "en"))
    assert "写的是“x”，请写其中之一：male, female，或留空\n" in chinese
    assert "found 'x'; write one of male, female, or leave it empty\n" in english


def test_what_cannot_be_read_is_bad_input(check, tmp_path):
    assert check(tmp_path / "nowhere")[0] == 2
    folder = Kb().write(tmp_path / "kb")
    (folder / "point.csv").write_bytes(b"\xff\xfe")
    code, out, err = check(folder)
    assert (code, out) == (2, "")
    assert "is not UTF-8" in err
    (folder / "point.csv").unlink()
    assert "point.csv: 缺少这个文件，请补上（the file is missing" in check(folder)[2]
    built = tmp_path / "built"
    build(Kb().write(tmp_path / "text"), built)
    (built / "point.parquet").write_bytes(b"x")
    assert check(built)[0] == 2
    assert check("--only", "no-such-check")[0] == 2
    assert check("--json", "--format", "sarif")[0] == 2
