"""A supplement of one's own upon its base: checked, compared, judged and built together with what it is laid upon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checker.knowledge.edition import open_edition
from checker.knowledge.source import open_knowledge
from tests.commands import ROOT, liangku
from tests.knowledge.small_kb import EDITION, Kb, code, exemption, point

SALES = ROOT / "data" / "samples" / "pharmacy" / "sales.csv"
LATER = EDITION.replace('version = "1"', 'version = "local"').replace(
    "published = 2025-05-23", "published = 2026-11-01", 1
)
CODE = "XG04CBA088A001010101999"


def local(folder: Path, *points: dict[str, str], edition: str = LATER) -> Path:
    patterns = [code(each["point_id"], f"XN02BEX085N0010101002{number + 70}") for number, each in enumerate(points)]
    return Kb(points, patterns, "", edition).write(folder)


def document(*words: str | Path, exit_code: int = 0) -> dict[str, Any]:
    done = liangku("kb", *words, "--json")
    assert done.returncode == exit_code, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


@pytest.fixture
def supplement(tmp_path: Path) -> Path:
    return local(
        tmp_path / "local", point("local-1", "drug-sex", "本地药片", sex="male", region="3708", region_of="insured")
    )


def test_without_its_base_a_supplement_seems_to_lose_all_findings_and_with_it_none(supplement: Path) -> None:
    alone = document("impact", "embedded", supplement, "--claims", SALES)
    upon = document("impact", "embedded", supplement, "--onto", "embedded", "--claims", SALES)
    assert alone["gone"]["extent"]["lines"] > 0
    assert (upon["gone"]["extent"]["lines"], upon["changed"]["extent"]["lines"]) == (0, 0)


def test_what_a_supplement_changes_is_what_it_adds(supplement: Path) -> None:
    told = document("diff", "embedded", supplement, "--onto", "embedded")
    assert [(each["kind"], each["point_id"]) for each in told["points"]] == [("added", "local-1")]


def test_a_supplement_is_built_together_with_its_base(supplement: Path, tmp_path: Path) -> None:
    base = Kb().write(tmp_path / "base")
    document("build", "--sources", supplement, "--onto", base, "--out", tmp_path / "both")
    together = open_knowledge(tmp_path / "both")
    assert [each.point_id for each in together.points] == ["local-1", "p1", "p2", "p3", "p4", "p5"]
    assert together.edition.version == "1+local"
    assert [row.exemption_id for row in together.exemptions] == ["e1"]
    assert liangku("kb", "build", "--sources", supplement, "--onto", base).returncode == 2


def test_exemptions_alone_need_no_empty_files(tmp_path: Path) -> None:
    folder = tmp_path / "exemptions"
    folder.mkdir()
    (folder / "edition.toml").write_text(LATER, encoding="utf-8")
    items = f'[{{match="code", value="{CODE}"}}]'
    (folder / "exemption.toml").write_text(exemption("local-e", "drug-sex", items=items), encoding="utf-8")
    base = Kb().write(tmp_path / "base")
    assert liangku("kb", "check", folder, "--kb", base).returncode == 0
    document("build", "--sources", folder, "--onto", base, "--out", tmp_path / "both")
    assert [row.exemption_id for row in open_knowledge(tmp_path / "both").exemptions] == ["e1", "local-e"]
    document("build", "--sources", folder, "--out", tmp_path / "alone")
    assert open_edition(tmp_path / "alone").points == 0


def test_a_point_that_takes_the_place_of_one_below_is_told(tmp_path: Path) -> None:
    folder = local(tmp_path / "local", point("p1", "drug-sex", "爱普列特片", sex="male", level_cap="notice"))
    done = liangku("kb", "check", folder, "--kb", Kb().write(tmp_path / "base"), "--only", "override")
    assert done.returncode == 0
    assert "point.csv:2  p1" in done.stdout
    assert "替换" in done.stdout


def test_a_supplement_that_is_older_than_what_it_writes_over_is_refused(tmp_path: Path) -> None:
    older = EDITION.replace("published = 2025-05-23", "published = 2024-01-01", 1)
    folder = local(tmp_path / "local", point("p1", "drug-sex", "爱普列特片", sex="male"), edition=older)
    done = liangku(
        "kb", "build", "--sources", folder, "--onto", Kb().write(tmp_path / "base"), "--out", tmp_path / "both"
    )
    assert done.returncode == 2
    assert "却改写了其中的知识点：p1" in done.stderr
    assert not (tmp_path / "both").exists()


def test_a_change_of_a_supplement_is_judged_upon_its_base(tmp_path: Path) -> None:
    first = point("local-0", "drug-sex", "别的", sex="male")
    local(tmp_path / "base" / "local", first)
    local(
        tmp_path / "now" / "local",
        first,
        point("local-1", "drug-child-limited", "小儿氨酚黄那敏颗粒", age_word="新生儿"),
    )
    words = ("--base", tmp_path / "base", "--sources", "local", "--claims", SALES, "--onto", "embedded", "--json")
    done = liangku("kb", "ci", *words, cwd=tmp_path / "now")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["impact"]["gone"]["extent"]["lines"] == 0
    assert told["check"]["knowledge"]["points"] > 4000


def test_a_change_that_loses_a_file_of_text_is_refused(tmp_path: Path) -> None:
    Kb().write(tmp_path / "base" / "local")
    Kb().write(tmp_path / "now" / "local")
    (tmp_path / "now" / "local" / "exemption.toml").unlink()
    done = liangku("kb", "ci", "--base", tmp_path / "base", "--sources", "local", cwd=tmp_path / "now")
    assert done.returncode == 2
    assert f"local/exemption.toml：对照 {tmp_path / 'base'} 中有这个文件，现在没有" in done.stderr


def test_check_and_build_work_on_the_folder_in_which_they_stand(tmp_path: Path) -> None:
    Kb().write(tmp_path / "knowledge_base" / "sources")
    for place in (tmp_path, tmp_path / "knowledge_base" / "sources"):
        assert "5 个知识点" in liangku("kb", "check", cwd=place).stdout
        assert liangku("kb", "build", cwd=place).returncode == 2
        assert liangku("kb", "build", "--out", tmp_path / "built", cwd=place).returncode == 0
        assert open_edition(tmp_path / "built").points == 5


@pytest.mark.parametrize(
    "file", ["point.csv", "pattern.csv", "item.csv", "exemption.toml", "edition.toml", "example.csv"]
)
def test_a_merge_conflict_is_told_with_its_line(tmp_path: Path, file: str) -> None:
    folder = Kb(examples=f"p1,match,{CODE}").write(tmp_path / "kb")
    text = (folder / file).read_text(encoding="utf-8")
    first, rest = text.split("\n", 1)
    (folder / file).write_text(f"{first}\n<<<<<<< HEAD\n=======\n>>>>>>> branch\n{rest}", encoding="utf-8")
    done = liangku("kb", "check", folder)
    assert done.returncode == 2
    assert f"{file}: row 2: 合并冲突还没有解决" in done.stderr
