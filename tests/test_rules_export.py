"""`liangku rules export`: the embedded rule files as they are, and nothing written over without being asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checker.cli.main import run
from checker.model.embedded import embedded_rules_folder

RULES = embedded_rules_folder()


def exported(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code and all that is printed."""
    code = run(["rules", "export", *map(str, arguments)])
    told = capsys.readouterr()
    return code, told.out + told.err


def test_all_rules_are_written_as_they_came_and_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = exported(capsys, "--out", tmp_path / "own", "--json")
    names = sorted(path.name for path in RULES.glob("*.toml"))
    assert (code, sorted(json.loads(told)["files"])) == (0, names)
    assert sorted(path.name for path in (tmp_path / "own").iterdir()) == names
    assert all((tmp_path / "own" / name).read_bytes() == (RULES / name).read_bytes() for name in names)
    assert run(["rules", "list", "--rules", str(tmp_path / "own")]) == 0


def test_named_rules_alone_are_written_and_pass_their_cases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    code, told = exported(capsys, "drug-sex", "service-sex", "--out", tmp_path)
    assert (code, f"liangku rules test --rules {tmp_path}" in told) == (0, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drug-sex.toml", "mine.txt", "service-sex.toml"]
    assert run(["rules", "test", "--rules", str(tmp_path)]) == 0


def test_a_file_that_stands_there_is_written_over_only_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "drug-sex.toml"
    mine.write_text("mine", encoding="utf-8")
    code, told = exported(capsys, "--out", tmp_path)
    assert (code, "已有 drug-sex.toml，不会覆盖，没有写任何文件" in told) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["drug-sex.toml"]
    assert mine.read_text(encoding="utf-8") == "mine"
    assert exported(capsys, "drug-sex", "--out", tmp_path, "--force")[0] == 0
    assert mine.read_bytes() == (RULES / "drug-sex.toml").read_bytes()


@pytest.mark.parametrize(
    ("rule", "said"), [("drug-sx", "是不是 drug-sex？"), ("../drug-sex", "没有内置规则“../drug-sex”")]
)
def test_an_unknown_rule_is_told_with_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: str, said: str
) -> None:
    code, told = exported(capsys, rule, "--out", tmp_path / "own")
    assert (code, said in told, (tmp_path / "own").exists()) == (2, True, False)


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own").write_text("mine", encoding="utf-8")
    code, told = exported(capsys, "--out", tmp_path / "own")
    assert (code, "这是一个文件，请给出文件夹" in told) == (2, True)
