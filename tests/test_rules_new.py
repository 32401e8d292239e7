"""`liangku rules new` begins a rule that loads, fails until it is filled in, and takes no id that another rule has or had."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from checker.cli.main import run
from checker.rulebook.fill import FILL
from checker.rulebook.load import load_rules
from checker.shapes import BY_ID
from tests.commands import Done, liangku

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "rules"
RULE_IDS = sorted(path.stem for path in RULES.glob("*.toml"))


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    code = run(["rules", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def filled(text: str) -> str:
    """A scaffold made like drug-sex, written to the end: the marks go, the facts of each case come."""
    text = text.replace(f"{FILL}应为", "男").replace(f"{FILL}实为", "女").replace(FILL, "")
    head, *cases = text.split("[[case]]")
    facts = ("女", "男", "9", "女", "女")
    times = ("2026-03-01", "2026-03-01", "2026-03-01", "2026-03-01", "2025-05-22")
    written = [
        case.replace('patient_sex = ""', f'patient_sex = "{sex}"').replace("2026-03-01", time).replace(' sex = ""', ' sex = "male"')
        for case, sex, time in zip(cases, facts, times, strict=True)
    ]  # fmt: skip
    return "[[case]]".join([head, *written])


def test_every_case_of_a_new_rule_fails_and_tells_what_to_fill_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(capsys, "new", "drug-new", "--rules", str(tmp_path), "--lang", "zh")
    assert code == 0
    assert str(tmp_path / "drug-new.toml") in out
    assert f"liangku rules test drug-new --rules {tmp_path}" in out
    code, out, _ = told(capsys, "test", "drug-new", "--rules", str(tmp_path), "--lang", "zh")
    assert code == 1
    assert "drug-new: 0/5" in out
    for kind in ("违规：", "合规：", "无法判断：", "豁免：", "未生效："):
        assert f"drug-new::{FILL}{kind}" in out
    assert out.count("line.service_time：还没有写好") == 5
    assert "exemption.diagnoses：还没有写好：【待填 fill in】Q56\n" in out
    assert "用例要求" not in out


@pytest.mark.parametrize("shape", BY_ID)
def test_a_rule_of_any_shape_begins_with_a_file_that_loads_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shape: str
) -> None:
    assert told(capsys, "new", "one-new", "--shape", shape, "--rules", str(tmp_path))[0] == 0
    (rule,) = load_rules(tmp_path).rules
    assert rule.shape == shape
    code, out, _ = told(capsys, "test", "one-new", "--rules", str(tmp_path), "--lang", "zh")
    assert (code, "one-new: 0/5" in out) == (1, True)


def test_a_shape_that_the_rule_to_start_from_has_not_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("new", "one-new", "--like", "drug-sex", "--shape", "pair", "--rules", str(tmp_path))
    code, _, err = told(capsys, *asked)
    assert (code, "drug-sex 的形态是 item" in err) == (2, True)


@pytest.mark.parametrize("like", [None, *RULE_IDS])
def test_a_new_rule_does_not_pass_check(tmp_path: Path, capsys: pytest.CaptureFixture[str], like: str | None) -> None:
    assert told(capsys, "new", "one-new", "--rules", str(tmp_path), *(["--like", like] if like else []))[0] == 0
    code, out, _ = told(capsys, "check", "--rules", str(tmp_path), "--json")
    assert code == 1
    stages = {stage["name"]: stage for stage in json.loads(out)["stages"]}
    assert all(stages[name]["passed"] == stages[name]["total"] for name in ("parse", "compile", "explain"))
    assert (stages["cases"]["passed"], stages["cases"]["total"]) == (0, 5)
    assert (stages["complete"]["passed"], stages["complete"]["total"]) == (0, 1)
    places = {fault.split(": ")[1] for fault in stages["complete"]["faults"]}
    assert {"name.zh", "name.en", "message.zh.advice", "docs.zh", "docs.en", "case[1].name"} <= places
    assert ("clause.violated" in places) is (like is None)


def test_a_rule_that_is_filled_in_passes_and_one_mark_left_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = ["--rules", str(tmp_path)]
    assert told(capsys, "new", "drug-new", "--like", "drug-sex", "--name-zh", "药", "--name-en", "Drug", *rules)[0] == 0
    file = tmp_path / "drug-new.toml"
    text = filled(file.read_text(encoding="utf-8"))
    file.write_text(text, encoding="utf-8")
    code, out, _ = told(capsys, "check", *rules, "--lang", "en")
    assert (code, "cases: 5/5" in out, "complete: 1/1" in out) == (0, True, True), out

    file.write_text(text.replace("## 依据\n\n", f"## 依据\n\n{FILL}"), encoding="utf-8")
    code, out, _ = told(capsys, "check", *rules, "--lang", "en")
    assert code == 1
    assert "✓ cases: 5/5" in out
    assert (
        "✗ complete: 0/1\n    drug-new.toml: docs.zh: 还没有写好，请写好并删去标记：【待填 fill in】出自哪份公开文件（write it and remove the mark）\n"
        in out
    )


@pytest.mark.parametrize("like", RULE_IDS)
def test_like_starts_from_the_other_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str], like: str) -> None:
    assert told(capsys, "new", "one-new", "--like", like, "--code", "GZ1", "--rules", str(tmp_path))[0] == 0
    (new,), (old,) = load_rules(tmp_path).rules, load_rules(RULES, only=[like]).rules
    assert [(key, clause.sql) for key, clause in new.clauses] == [(key, clause.sql) for key, clause in old.clauses]
    assert (new.params, new.level, new.tier, new.stages) == (old.params, old.level, old.tier, old.stages)
    assert new.messages.en.advice == FILL + old.messages.en.advice
    assert (new.id, new.code, new.version, new.status) == ("one-new", "GZ1", 1, "preview")


def test_names_stand_as_they_were_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zh, en = "药“限”\\ \"用\" ''' # 七", "Drug\t= [x]\nnext \x7f"
    assert told(capsys, "new", "a", "--name-zh", zh, "--name-en", en, "--rules", str(tmp_path))[0] == 0
    (rule,) = load_rules(tmp_path).rules
    assert (rule.name_zh, rule.name_en) == (zh, en)


@pytest.mark.parametrize("rule_id", ["Drug-new", "drug_new", "drug--new", "../drug", "", "药", "a\nb"])
def test_an_id_of_another_grammar_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], rule_id: str) -> None:
    code, _, err = told(capsys, "new", "--rules", str(tmp_path / "rules"), "--", rule_id)
    assert code == 2
    assert "id: " in err
    assert list(tmp_path.iterdir()) == []


def test_an_id_or_code_that_is_taken_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("drug-sex", "service-sex", "drug-child-only"):
        shutil.copy(RULES / f"{name}.toml", tmp_path)
    rules = ["--rules", str(tmp_path)]
    assert told(capsys, "lock", *rules)[0] == 0
    (tmp_path / "drug-child-only.toml").unlink()
    (tmp_path / "service-sex.toml").unlink()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    code, _, err = told(capsys, "new", "drug-sex", "--code", "GZ10000301004000", *rules)
    assert code == 2
    assert "drug-sex.toml: id: " in err
    assert "taken, never overwritten" in err
    assert "rule_code: GZ10000301004000 属于 drug-sex.toml" in err
    code, _, err = told(capsys, "new", "service-sex", *rules)
    assert (code, "restore its file" in err) == (2, True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before

    assert told(capsys, "lock", "--retire", "service-sex", "--reason", "并入 drug-sex", *rules)[0] == 2
    (tmp_path / "drug-child-only.toml").write_bytes((RULES / "drug-child-only.toml").read_bytes())
    assert told(capsys, "lock", "--retire", "service-sex", "--reason", "并入 drug-sex", *rules)[0] == 0
    code, _, err = told(capsys, "new", "service-sex", *rules)
    assert (code, "并入 drug-sex" in err, "never used again" in err) == (2, True, True)
    assert not (tmp_path / "service-sex.toml").exists()


def test_like_finds_a_rule_of_the_folder_before_the_embedded_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (RULES / "drug-sex.toml").read_text(encoding="utf-8")
    (tmp_path / "drug-sex.toml").write_text(text.replace('level = "suspect"', 'level = "notice"', 1), encoding="utf-8")
    for like in ("drug-sex", "service-sex"):
        assert told(capsys, "new", f"like-{like}", "--like", like, "--rules", str(tmp_path))[0] == 0
    levels = {rule.id: rule.level for rule in load_rules(tmp_path).rules}
    assert (levels["like-drug-sex"], levels["like-service-sex"]) == ("notice", "suspect")
    code, _, err = told(capsys, "new", "x", "--like", "drug-sexx", "--rules", str(tmp_path))
    assert (code, "did you mean `drug-sex`?" in err) == (2, True)


def test_an_installed_program_asks_for_a_folder(tmp_path: Path) -> None:
    """The package as a wheel lays it down: the rules lie within it, and nothing beside it may be written to."""
    embedded = tmp_path / "checker" / "_embedded" / "rules"
    embedded.mkdir(parents=True)
    shutil.copy(RULES / "drug-sex.toml", embedded)

    def installed(*arguments: str) -> Done:
        return liangku("rules", *arguments, cwd=tmp_path, home=tmp_path)

    for arguments, asked in ((["new", "a"], "--rules"), (["lock"], "--rules"), (["docs"], "--out")):
        done = installed(*arguments)
        assert (done.returncode, asked in done.stderr) == (2, True), done.stderr
    assert installed("new", "a", "--like", "drug-sex", "--rules", "mine").returncode == 0
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["a.toml"]
    assert [path.name for path in embedded.iterdir()] == ["drug-sex.toml"]
