"""`rules/lock.json`: a rule whose content changed needs a new version, a retired id stays retired, and the file tells all its faults."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from checker.cli.main import run
from checker.rulebook.load import hash_rules

RULES = Path(__file__).resolve().parents[1] / "rules"
RULE = "drug-child-only"
CONTENT = {
    "code": ('rule_code = "GZ10000301002000"', 'rule_code = "GZ10000301002001"'),
    "no code": ('rule_code = "GZ10000301002000"\n', ""),
    "status": ('status = "stable"', 'status = "deprecated"'),
    "since": ("since = 2025-05-23", "since = 2025-05-24"),
    "tier": ('tier_group = "医疗类"', 'tier_group = "管理类"'),
    "level": ('level = "suspect"', 'level = "notice"'),
    "stages": ('stages = ["before", "during", "after"]', 'stages = ["before", "after"]'),
    "name": ('zh = "药品儿童专用"', 'zh = "药品儿童用"'),
    "clause": ("age_years >= 1 or case", "age_years > 1 or case"),
    "lower": ("and age_years < :child_age_lenient", "and age_years <= :child_age_lenient"),
    "evidence": ("then '?'", "then 'text:不详'"),
    "parameter": ("value = 14", "value = 15"),
    "allowed": ("allowed = [12, 18]", "allowed = [13, 18]"),
    "message": ('advice = "', 'advice = "请'),
}
"""What can change a finding or its words: the text of the rule file, and what becomes of it."""
FREE = {
    "docs": ("## 说明\n", "## 说明\n\n改写。\n"),
    "case": ('remarks = [] }', 'remarks = ["duplicate"] }'),
    "comment": ("[clause]", "# a comment\n[clause]"),
    "order": ('tier = "合理使用"\ntier_group = "医疗类"', 'tier_group = "医疗类"\ntier   =   "合理使用"'),
}  # fmt: skip
"""What cannot."""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rule that tests change and another, locked."""
    target = tmp_path_factory.mktemp("locked") / "rules"
    target.mkdir()
    for name in (f"{RULE}.toml", "drug-sex.toml", "framework.csv"):
        shutil.copy(RULES / name, target)
    assert run(["rules", "lock", "--rules", str(target)]) == 0
    return target


@pytest.fixture
def folder(locked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Two of the rules that come with the program, locked."""
    capsys.readouterr()
    return shutil.copytree(locked, tmp_path / "rules")


def edit(folder: Path, old: str, new: str, rule: str = RULE) -> None:
    """Replace the first such text of a rule file."""
    file = folder / f"{rule}.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The faults that `rules lock --check` tells, as file and key and message; its exit code fits them."""
    code = run(["rules", "lock", "--check", "--json", "--rules", str(folder)])
    told = json.loads(capsys.readouterr().out)
    assert told["passed"] is (code == 0) is (not told["faults"])
    return [f"{fault['file']}: {fault['key']}: {fault['message']}" for fault in told["faults"]]


def lock(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and all that `rules lock` prints."""
    code = run(["rules", "lock", "--rules", str(folder), *arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_the_lock_of_the_rules_fits(capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(RULES, capsys) == []


def test_the_lock_is_written_the_same_from_the_same_rules_and_is_no_rule(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    (folder / "lock.json").unlink()
    assert run(["rules", "lock", "--rules", str(folder)]) == 0
    text = (folder / "lock.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    assert text == (RULES / "lock.json").read_text(encoding="utf-8")
    assert sorted(json.loads(text)["rules"]) == sorted(path.stem for path in RULES.glob("*.toml"))
    (folder / "lock.json").unlink()
    assert hash_rules(folder) == hash_rules(RULES)


@pytest.mark.parametrize("part", CONTENT)
def test_changed_content_needs_a_new_version(folder: Path, capsys: pytest.CaptureFixture[str], part: str) -> None:
    before = (folder / "lock.json").read_bytes()
    edit(folder, *CONTENT[part])
    (fault,) = checked(folder, capsys)
    assert fault.startswith(f"{RULE}.toml: version: ")
    assert "version = 4" in fault
    assert "raise version to 4" in fault
    code, told = lock(folder, capsys)
    assert (code, "raise version to 4" in told) == (2, True)
    assert (folder / "lock.json").read_bytes() == before

    edit(folder, "version = 3", "version = 4")
    (fault,) = checked(folder, capsys)
    assert "run `liangku rules lock`" in fault
    code, told = lock(folder, capsys)
    assert (code, f"    {RULE} 4\n" in told) == (0, True)
    assert checked(folder, capsys) == []


@pytest.mark.parametrize("part", FREE)
def test_docs_cases_and_layout_may_change(folder: Path, capsys: pytest.CaptureFixture[str], part: str) -> None:
    before = (folder / "lock.json").read_bytes()
    edit(folder, *FREE[part])
    assert checked(folder, capsys) == []
    assert lock(folder, capsys)[0] == 0
    assert (folder / "lock.json").read_bytes() == before


def test_a_version_never_falls(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(folder, "version = 3", "version = 5")
    assert lock(folder, capsys)[0] == 0
    edit(folder, "version = 5", "version = 4")
    (fault,) = checked(folder, capsys)
    assert "raise version to 6" in fault
    assert lock(folder, capsys)[0] == 2


def test_a_new_rule_has_to_be_locked_and_a_scaffold_is_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (folder / "drug-sex.toml").read_text(encoding="utf-8").replace("GZ10000301004000", "GZ1")
    (folder / "drug-new.toml").write_text(text.replace('id = "drug-sex"', 'id = "drug-new"'), encoding="utf-8")
    (fault,) = checked(folder, capsys)
    assert fault.startswith("lock.json: rules.drug-new: ")
    assert lock(folder, capsys)[0] == 0
    assert checked(folder, capsys) == []
    assert run(["rules", "new", "drug-empty", "--rules", str(folder)]) == 0
    code, told = lock(folder, capsys)
    assert (code, "drug-empty.toml: docs.zh: " in told) == (2, True)
    assert "drug-empty" not in (folder / "lock.json").read_text(encoding="utf-8")


def test_a_rule_that_is_gone_is_restored_or_retired_for_good(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / f"{RULE}.toml"
    text = file.read_text(encoding="utf-8")
    file.unlink()
    (fault,) = checked(folder, capsys)
    assert fault.startswith(f"lock.json: rules.{RULE}: ")
    assert f"liangku rules lock --retire {RULE} --reason" in fault
    assert lock(folder, capsys)[0] == 2
    assert lock(folder, capsys, "--retire", RULE, "--reason", "并入 drug-child")[0] == 0
    document = json.loads((folder / "lock.json").read_text(encoding="utf-8"))
    assert document["retired"] == {RULE: {"reason": "并入 drug-child", "version": 3}}
    assert RULE not in document["rules"]
    assert checked(folder, capsys) == []

    file.write_text(text.replace("version = 3", "version = 4", 1), encoding="utf-8")
    (fault,) = checked(folder, capsys)
    assert fault.startswith(f"{RULE}.toml: id: ")
    assert "并入 drug-child" in fault
    assert lock(folder, capsys)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--retire", "drug-sexx", "--reason", "x"], "did you mean `drug-sex`?"),
        (["--retire", "drug-sex", "--reason", "x"], "remove the file first"),
        (["--retire", "drug-sex", "--reason", " "], "give the reason with --reason"),
        (["--retire", "drug-sex", "--reason", "x", "--check"], "--check"),
        (["--reason", "x"], "--retire"),
    ],
    ids=["unknown", "still there", "no reason", "with check", "reason alone"],
)
def test_what_cannot_be_retired_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    before = (folder / "lock.json").read_bytes()
    code, printed = lock(folder, capsys, *arguments)
    assert (code, told in printed) == (2, True), printed
    assert (folder / "lock.json").read_bytes() == before


def test_every_fault_of_a_broken_lock_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = {"version": 1, "sha256": "0" * 64}
    document = {
        "layout": 2,
        "rules": {"a": {**sound, "sha256": "x"}, "b": {**sound, "version": True}, "c": 3, "d": {**sound, "colour": 1}, "e": {"version": 1}},
        "retired": {"d": {"version": 1, "reason": ""}},
        "more": {},
    }  # fmt: skip
    (folder / "lock.json").write_text(json.dumps(document), encoding="utf-8")
    code, told = lock(folder, capsys)
    assert code == 2
    for place in (
        "layout", "rules.a.sha256", "rules.b.version", "rules.c", "rules.d.colour", "rules.e.sha256", "retired.d", "retired.d.reason", "more",
    ):  # fmt: skip
        assert f"lock.json: {place}: " in told, place


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "JSON"),
        ("<<<<<<< ours\n{}", "JSON"),
        ('{"layout": 1, "rules": {}, "retired": {}, "rules": {}}', "written twice: rules"),
        ("[" * 100_000, "JSON"),
        ("[]", "layout, retired, rules"),
        ('{"layout": 1, "rules": [], "retired": {}}', "lock.json: rules: "),
    ],
    ids=["empty", "conflict", "twice", "deep", "list", "no table"],
)
def test_a_lock_that_is_none_is_told(folder: Path, capsys: pytest.CaptureFixture[str], text: str, told: str) -> None:
    (folder / "lock.json").write_text(text, encoding="utf-8")
    for command in (["lock"], ["lock", "--check"], ["check"]):
        assert run(["rules", *command, "--rules", str(folder)]) == 2
        assert told in capsys.readouterr().err


def test_check_counts_the_lock_where_the_folder_has_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("drug-sex", "service-sex"):
        shutil.copy(RULES / f"{name}.toml", tmp_path)

    def stages() -> dict[str, dict[str, object]]:
        run(["rules", "check", "--rules", str(tmp_path), "--json"])
        return {stage["name"]: stage for stage in json.loads(capsys.readouterr().out)["stages"]}

    assert "lock" not in stages()
    assert [fault.split(": ")[0] for fault in checked(tmp_path, capsys)] == [str(tmp_path / "lock.json")]
    assert lock(tmp_path, capsys)[0] == 0
    (tmp_path / "service-sex.toml").unlink()
    edit(tmp_path, '限{expected}使用', '限{expected}用', "drug-sex")  # fmt: skip
    found = stages()["lock"]
    assert (found["passed"], found["total"], len(found["faults"])) == (0, 2, 2)  # type: ignore[arg-type]


UNREADABLE = {
    "no cases": ("[[case]]", None, "没有要求 violation 的用例，请至少写一个 [[case]]"),
    "cut off": ('expect = "clean"', 'expect = "cle', "不是有效的 TOML"),
    "a word of no verdict": ('verdict = "violation"', 'verdict = "violated"', "case[1].expect.verdict"),
    "a point that no knowledge holds": ('age_word = "儿童"', 'age_word = "孩子"', "case[1].point, column age_word: 写的是“孩子”"),
    "an exemption that no knowledge holds": ("[[case]]", '[[case]]\nexemption = { effect = "none" }', "case[1].exemption, column effect"),
}  # fmt: skip
"""What is wrong with the cases: the text from which nothing is left, or what takes its place; and what is said."""


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_rule_whose_cases_cannot_be_read_is_not_locked(
    folder: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    old, new, said = UNREADABLE[fault]
    file = folder / f"{RULE}.toml"
    before = (folder / "lock.json").read_bytes()
    if new is None:
        text = file.read_text(encoding="utf-8")
        file.write_text(text[: text.index(old)], encoding="utf-8")
    else:
        edit(folder, old, new)
    code, told = lock(folder, capsys)
    assert code == 2
    assert f"{RULE}.toml: " in told
    assert said in told
    assert (folder / "lock.json").read_bytes() == before
