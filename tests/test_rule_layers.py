"""Folders of rules upon the embedded ones, what is told where a rule is not there, and at which stages a rule works."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from checker.change.impact import ImpactRequest, impact
from checker.cli.main import run
from checker.knowledge.resolve import open_plan
from checker.model.embedded import EMBEDDED, embedded_rules_folder
from checker.model.errors import ExitCode, InputError, RuleError
from checker.precheck.counter import Precheck
from checker.rulebook.load import Layer
from checker.rulebook.plan import load_plan, write_embedded_plan
from checker.scan.request import ScanRequest
from checker.scan.scan import scan

RULES = embedded_rules_folder()
EMBEDDED_IDS = sorted(path.stem for path in RULES.glob("*.toml"))
MALE_ONLY = "XG04CBA088A001010101467"
WOMAN = {
    "service_time": "2026-03-01T10:00:00",
    "patient": {"sex": "F", "birth_date": "1956-03-01"},
    "lines": [{"line_id": "1", "item_code": MALE_ONLY}],
}
ASKED = ("check", "--item", MALE_ONLY, "--sex", "F", "--age", "70")


def rule_file(folder: Path, source: str, name: str | None = None, **keys: str) -> Path:
    """One of the embedded rules in a folder, under another name and with other values of its first keys."""
    text = (RULES / f"{source}.toml").read_text(encoding="utf-8")
    for key, value in ({"id": f'"{name or source}"'} | keys).items():
        text, changed = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text, count=1)
        assert changed == 1
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name or source}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def liangku(capsys: pytest.CaptureFixture[str], *arguments: str | Path, lang: str = "zh") -> tuple[int, str, str]:
    code = run([*map(str, arguments), "--lang", lang])
    told = capsys.readouterr()
    return code, told.out, told.err


# ---- layers ----


def test_a_folder_of_rules_adds_to_the_embedded_ones(capsys, tmp_path: Path) -> None:
    assert liangku(capsys, "rules", "new", "my-rule", "--rules", tmp_path, "--like", "drug-child-only")[0] == 0
    assert [rule.id for rule in open_plan([tmp_path]).rules] == sorted([*EMBEDDED_IDS, "my-rule"])
    code, out, _ = liangku(capsys, *ASKED, "--rules", tmp_path)
    assert code == 1
    assert "▲ 可疑 · 需说明理由" in out
    assert "可以使用" not in out


def test_a_rule_of_the_same_id_takes_the_earlier_ones_place(tmp_path: Path) -> None:
    rule_file(tmp_path / "one", "drug-sex", level='"notice"')
    rule_file(tmp_path / "two", "drug-sex", level='"definite"')
    levels = []
    for folders in ([], ["one"], ["one", "two"], ["two", "one"]):
        (finding,) = Precheck.open(rules=[tmp_path / name for name in folders]).check(WOMAN)["findings"]
        levels.append(finding["level"])
    assert levels == ["suspect", "notice", "definite", "notice"]


def test_a_national_code_belongs_to_one_rule_of_all_layers(capsys, tmp_path: Path) -> None:
    clash = rule_file(tmp_path / "rules", "drug-sex", "local-sex")
    code, out, err = liangku(capsys, *ASKED, "--rules", clash.parent)
    assert (code, out) == (2, "")
    assert f"{clash}: rule_code: “GZ10000301004000”已属于 {RULES / 'drug-sex.toml'}" in err
    assert "already belongs to" in err
    assert open_plan([clash.parent], only_rules=True).rules[0].id == "local-sex"
    other = rule_file(tmp_path / "other", "drug-sex", "other-sex")
    with pytest.raises(RuleError, match="already belongs to") as caught:
        open_plan([clash.parent, other.parent], only_rules=True)
    assert all(str(path) in str(caught.value) for path in (clash, other))
    assert "--only-rules" not in str(caught.value)


def test_only_the_rules_given_need_some(capsys) -> None:
    code, out, err = liangku(capsys, *ASKED, "--only-rules")
    assert (code, out) == (2, "")
    assert "--rules" in err


def test_faults_name_the_folder_and_whose_rules_they_are(tmp_path: Path) -> None:
    broken = rule_file(tmp_path / "mine", "drug-sex", level='"red"')
    with pytest.raises(RuleError) as caught:
        open_plan([broken.parent])
    assert (caught.value.faults[0].file, caught.value.exit_code) == (str(broken), ExitCode.BAD_INPUT)
    with pytest.raises(RuleError) as caught:
        load_plan([Layer(broken.parent, embedded=True), Layer(RULES / "nowhere")])
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    with pytest.raises(RuleError) as caught:
        load_plan([Layer(broken.parent, embedded=True)])
    assert caught.value.exit_code is ExitCode.FAILURE


def test_the_hash_is_of_the_rules_that_judge(tmp_path: Path) -> None:
    embedded = open_plan().hash
    shutil.copytree(RULES, tmp_path / "copy")
    assert open_plan([tmp_path / "copy"]).hash == open_plan([tmp_path / "copy"], only_rules=True).hash == embedded
    rule_file(tmp_path / "mine", "drug-sex", level='"notice"')
    layered = open_plan([tmp_path / "mine"]).hash
    assert len({embedded, layered, open_plan([tmp_path / "mine"], only_rules=True).hash}) == 3
    # A rule that another takes the place of is not read.
    assert open_plan([tmp_path / "copy", tmp_path / "mine"]).hash == layered


def test_rules_compiled_earlier_serve_while_their_files_are_the_same(tmp_path: Path) -> None:
    rules, cache = tmp_path / "rules", tmp_path / "rules.plan.json"
    shutil.copytree(RULES, rules)
    write_embedded_plan(rules, cache)
    document = json.loads(cache.read_text(encoding="utf-8"))
    for fields in document["rules"].values():
        fields["name_zh"] = f"编译：{fields['name_zh']}"
    cache.write_text(json.dumps(document), encoding="utf-8")
    rule_file(tmp_path / "mine", "service-sex", level='"notice"')
    plan = load_plan([Layer(rules, embedded=True), Layer(tmp_path / "mine")], cache=cache)
    assert [rule.id for rule in plan.rules if not rule.name_zh.startswith("编译")] == ["service-sex"]
    with (rules / "drug-sex.toml").open("a", encoding="utf-8") as stream:
        stream.write("\n")
    plan = load_plan([Layer(rules, embedded=True)], cache=cache)
    assert [rule.id for rule in plan.rules if not rule.name_zh.startswith("编译")] == ["drug-sex"]


# ---- rules that are not there ----


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """A folder with one rule, which says nothing of sexes."""
    return rule_file(tmp_path / "partial", "drug-child-only").parent


def test_the_counter_never_passes_an_item_whose_rule_is_not_loaded(capsys, partial: Path) -> None:
    code, out, _ = liangku(capsys, *ASKED, "--rules", partial, "--only-rules")
    assert code == 1
    assert "? 结论  没有判断：缺少规则，不能当作没有问题。" in out
    assert "知识库中有规则 drug-sex 的知识点，但没有载入这条规则，没有判断。" in out
    assert "可以使用" not in out
    english = liangku(capsys, *ASKED, "--rules", partial, "--only-rules", lang="en")[1]
    assert "? Conclusion  Not judged. Rules are missing, which is no pass." in english
    assert "may be used" not in english.lower()
    code, out, _ = liangku(capsys, *ASKED, "--rules", partial, "--only-rules", "--json")
    answer = json.loads(out)
    assert (code, answer["verdict"]) == (1, "undetermined")
    [open_] = answer["not_judged"]
    assert (open_["line_id"], open_["rule_id"], open_["missing"]) == ("1", "drug-sex", "rule")
    assert open_["how"].startswith("没有载入规则 drug-sex")
    (finding,) = answer["findings"]
    assert {key: finding[key] for key in ("verdict", "level", "action", "reason_code", "rule_id", "point_id")} == {
        "verdict": "undetermined", "level": None, "action": "note", "reason_code": "rule_missing", "rule_id": "drug-sex",
        "point_id": "drug-sex-01-0003",
    }  # fmt: skip


def test_an_item_is_known_by_its_name_though_its_rule_is_not_loaded(capsys, partial: Path) -> None:
    asked = ("check", "--item", "爱普列特片", "--sex", "F", "--rules", partial, "--only-rules", "--json")
    code, out, _ = liangku(capsys, *asked)
    assert (code, json.loads(out)["not_judged"][0]["rule_id"]) == (1, "drug-sex")


def test_what_is_not_judged_has_to_be_in_force(partial: Path) -> None:
    """On 2025-05-01 no point of the item holds: that is what is told, whether its rule is loaded or not."""
    early = WOMAN | {"service_time": "2025-05-01"}
    counter = Precheck.open(rules=[partial], only_rules=True)
    answer = counter.check(early)
    assert (answer["verdict"], answer["findings"], answer["not_judged"]) == ("clear", [], [])
    assert answer["not_in_force"] == [{"line_id": "1", "rule_id": "drug-sex"}]


def test_an_item_of_rules_that_are_loaded_is_answered_as_ever(partial: Path) -> None:
    counter = Precheck.open(rules=[partial], only_rules=True)
    unlimited = WOMAN | {"lines": [{"line_id": "1", "item_code": "XJ01CAA040E001010199999"}]}
    answer = counter.check(unlimited)
    assert (answer["verdict"], answer["not_judged"]) == ("clear", [])
    assert Precheck.open().check(WOMAN)["not_judged"] == []


CLAIMS = f"""line_id,visit_id,patient_id,service_time,item_code,patient_sex,patient_birth_date,quantity,amount,vali_flag
1,V1,P1,2026-03-01,{MALE_ONLY},女,1990-01-01,1,10.00,1
2,V2,P2,2026-03-01,{MALE_ONLY.lower()} ,男,1990-01-01,1,20.00,1
3,V3,P3,2026-03-01,{MALE_ONLY},女,1990-01-01,1,30.00,0
4,V4,P4,2026-03-01,{MALE_ONLY[:-3]}999,女,1990-01-01,1,40.00,1
5,V5,P5,2026-03-01,XN05CDM084X001010102000,女,1990-01-01,1,50.00,1
6,V6,P6,2026-03-01,XJ01CAA040E001010199999,女,1990-01-01,1,60.00,1
"""
"""Three judged lines of a drug for men (the fourth by its family), one of a drug for children, one without limits, one void."""


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    path = tmp_path / "claims.csv"
    path.write_text(CLAIMS, encoding="utf-8")
    return path


def not_judged(run: Any) -> dict[str, tuple[str, int]]:
    return {each["rule"]: (each["missing"], each["lines"]) for each in run["not_judged"]}


def test_a_scan_counts_the_lines_that_no_rule_looked_at(capsys, tmp_path: Path, claims: Path, partial: Path) -> None:
    code, out, _ = liangku(
        capsys, "scan", claims, "--out", tmp_path / "out", "--rules", partial, "--only-rules", "--force"
    )
    assert code == 0
    assert "没有发现疑点。" not in out.replace("载入的规则没有发现疑点，但有的行没有判断", "")
    assert "载入的规则没有发现疑点，但有的行没有判断（见下）" in out
    assert "没有判断：3 行的项目有“drug-sex”的知识点，但没有载入规则 drug-sex" in out.replace("\n", "")
    told = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    counted = not_judged(told)
    assert sorted([*counted, "drug-child-only"]) == EMBEDDED_IDS
    assert {rule: count for rule, count in counted.items() if count[1]} == {
        "drug-child-limited": ("rule", 1), "drug-sex": ("rule", 3),
    }  # fmt: skip
    (how,) = (each["how"] for each in told["not_judged"] if each["rule"] == "drug-sex")
    assert how.startswith("没有载入规则 drug-sex：请用 --rules")
    assert told["unread"]["points"] > 0


def test_a_scan_by_all_rules_has_nothing_that_is_not_judged(tmp_path: Path, claims: Path, partial: Path) -> None:
    result = scan(ScanRequest([claims], tmp_path / "out", rules=[partial]))
    assert (result.run["not_judged"], result.run["unread"]) == ([], {"points": 0, "patterns": 0})
    assert result.summary.violations.lines == 3


# ---- status and stages ----


def test_a_deprecated_rule_runs_nowhere_and_is_told(capsys, tmp_path: Path, claims: Path) -> None:
    rules = rule_file(tmp_path / "rules", "drug-sex", status='"deprecated"').parent
    code, out, _ = liangku(capsys, *ASKED, "--rules", rules)
    assert code == 0
    assert "可以使用" not in out
    assert "○ 结论  有项目没有判断：判断过的没有发现问题，没有判断的见下。" in out
    assert "  None：" not in out
    assert "○ 没有判断：" in out
    assert "规则 drug-sex 已停用（deprecated）" in out
    answer = Precheck.open(rules=[rules]).check(WOMAN)
    assert (answer["verdict"], answer["findings"]) == ("clear", [])
    [open_] = answer["not_judged"]
    assert (open_["line_id"], open_["rule_id"], open_["missing"]) == ("1", "drug-sex", "deprecated")
    for stage in ("audit", "settle"):
        result = scan(ScanRequest([claims], tmp_path / stage, rules=[rules], stage=stage))
        assert not_judged(result.run) == {"drug-sex": ("deprecated", 3)}
        assert [group.key for group in result.summary.by_rule] == [("drug-child-limited", "violation")]


@pytest.mark.parametrize(
    ("stages", "judged"),
    [
        (["before"], ["prescribe", "dispense"]),
        (["during"], ["settle"]),
        (["after"], []),
        (["before", "after"], ["prescribe", "dispense"]),
    ],
)
def test_a_rule_works_at_the_counter_at_the_stages_it_names(
    stages: Sequence[str], judged: Sequence[str], tmp_path: Path
) -> None:
    counter = Precheck.open(rules=[rule_file(tmp_path, "drug-sex", stages=json.dumps(stages)).parent])
    answers = {stage: counter.check(WOMAN | {"stage": stage}) for stage in ("prescribe", "dispense", "settle")}
    assert [stage for stage, answer in answers.items() if answer["verdict"] == "violation"] == judged
    assert all(
        (answer["not_judged"], answer["not_in_force"], answer["checked_lines"]) == ([], [], 1)
        for answer in answers.values()
    )
    # An item of a rule that is silent here is known by its name all the same.
    assert counter.find_item("爱普列特片")[0] == "爱普列特片"


def test_prescriptions_of_several_stages_are_answered_together(tmp_path: Path) -> None:
    from checker.ingest.prescription import read_prescription

    counter = Precheck.open(rules=[rule_file(tmp_path, "drug-sex", stages='["during"]').parent])
    read = [
        read_prescription(WOMAN | {"stage": stage}, source="", now=None)  # type: ignore[arg-type]
        for stage in ("dispense", "settle", "dispense")
    ]
    answers = counter.answer_together(read, languages=["zh"] * 3)
    assert [answer["verdict"] for answer in answers] == ["clear", "violation", "clear"]


def test_points_of_a_rule_of_another_stage_are_not_unread(tmp_path: Path, claims: Path) -> None:
    rules = rule_file(tmp_path / "rules", "drug-sex", stages='["before"]').parent
    result = scan(ScanRequest([claims], tmp_path / "out", rules=[rules]))
    assert (result.run["unread"], result.run["not_judged"]) == ({"points": 0, "patterns": 0}, [])


@pytest.mark.parametrize("keys", [{"stages": '["before"]'}, {"status": '"deprecated"'}])
def test_cases_are_run_whatever_the_status_and_the_stages(capsys, tmp_path: Path, keys: dict[str, str]) -> None:
    rules = rule_file(tmp_path, "drug-sex", **keys).parent
    code, out, _ = liangku(capsys, "rules", "test", "--rules", rules)
    assert code == 0, out


# ---- comparisons ----


def test_impact_lays_a_folder_of_rules_upon_the_embedded_ones(tmp_path: Path, claims: Path) -> None:
    rules = rule_file(tmp_path / "rules", "drug-child-limited", level='"suspect"').parent
    layered = impact(ImpactRequest(EMBEDDED, [claims], after=str(rules)))
    assert (layered.gone.extent.lines, layered.changed.extent.lines) == (0, 1)
    assert layered.after.not_judged == ()
    alone = impact(ImpactRequest(EMBEDDED, [claims], after=str(rules), only_rules=True))
    assert (alone.gone.extent.lines, alone.changed.extent.lines) == (2, 1)
    assert {each["rule"]: each["lines"] for each in alone.after.not_judged}["drug-sex"] == 3


def test_impact_of_knowledge_is_judged_by_the_rules_given(capsys, tmp_path: Path, claims: Path) -> None:
    rules = rule_file(tmp_path / "rules", "drug-child-limited").parent
    arguments = ("kb", "impact", EMBEDDED, EMBEDDED, "--claims", claims, "--rules", rules, "--only-rules")
    code, out, _ = liangku(capsys, *arguments)
    assert code == 0
    assert "3 行没有判断：没有载入规则 drug-sex" in out
    assert "没有判断" not in liangku(capsys, *arguments[:-1])[1]


def test_settings_of_the_service_name_folders_of_rules(tmp_path: Path) -> None:
    from checker.service.library import Library
    from checker.service.settings import read_settings

    rule_file(tmp_path / "one", "drug-sex", level='"notice"')
    file = tmp_path / "serve.toml"
    file.write_text('rules = ["one"]\nonly_rules = true\n', encoding="utf-8")
    settings = read_settings(file, {"rules": (), "only_rules": None})
    assert (settings.rules, settings.only_rules) == ((tmp_path / "one",), True)
    library = Library.open(settings)
    assert list(library.rules) == ["drug-sex"]
    assert library.knowledge()["rules"]["count"] == 1
    file.write_text('rules = "one"\n', encoding="utf-8")
    assert list(Library.open(read_settings(file, {})).rules) == EMBEDDED_IDS
    file.write_text("only_rules = true\n", encoding="utf-8")
    with pytest.raises(InputError, match="--only-rules"):
        Library.open(read_settings(file, {}))


def test_a_rule_may_say_the_same_of_what_was_expected_and_found(tmp_path: Path, claims: Path) -> None:
    path = rule_file(tmp_path / "rules", "drug-sex")
    text = path.read_text(encoding="utf-8")
    start, end = text.index("[evidence]"), text.index("[", text.index("[evidence]") + 1)
    path.write_text(f"{text[:start]}[evidence]\nexpected = \"'x'\"\nactual = \"'x'\"\n\n{text[end:]}", encoding="utf-8")
    (finding,) = Precheck.open(rules=[path.parent], only_rules=True).check(WOMAN)["findings"]
    assert (finding["expected"], finding["actual"]) == ("x", "x")
    assert scan(ScanRequest([claims], tmp_path / "out", rules=[path.parent])).summary.violations.lines == 3
