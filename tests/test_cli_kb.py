"""`liangku kb`: building a knowledge base and showing what it says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from checker.cli.main import run
from checker.knowledge.edition import open_edition
from tests.commands import liangku

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "knowledge_base" / "sources"


@pytest.fixture
def kb(capsys, monkeypatch):
    """Run the command; return stdout, and see that it succeeded and stderr is empty."""
    monkeypatch.setenv("COLUMNS", "120")

    def ask(*arguments: str | Path, lang: str = "zh") -> str:
        code = run(["kb", *map(str, arguments), "--lang", lang])
        told = capsys.readouterr()
        assert (code, told.err) == (0, "")
        return str(told.out)

    return ask


# ---- build ----


def test_build_writes_a_knowledge_base_and_tells_its_counts(kb, tmp_path):
    out = kb("build", "--sources", SOURCES, "--out", tmp_path / "built")
    edition = open_edition(tmp_path / "built")
    for rule in edition.manifest.rules:
        (row,) = (line for line in out.splitlines() if line.split()[:1] == [rule.rule_id])
        counts = (rule.points, rule.families, rule.codes, rule.published_codes)
        assert row.split()[1:] == [f"{count:,}" for count in counts]
    assert f"point.parquet {edition.manifest.rows('point'):,}" in out
    assert edition.content_hash in out
    assert str(tmp_path / "built") in out
    assert not (tmp_path / "built" / "rules.plan.json").exists()


def test_build_as_json(kb, tmp_path):
    document = json.loads(kb("build", "--sources", SOURCES, "--out", tmp_path / "built", "--json"))
    assert document["out"] == str(tmp_path / "built")
    assert document["content_hash"] == open_edition(tmp_path / "built").content_hash
    assert document["rules"]["drug-sex"]["points"] > 0


def test_build_in_english(kb, tmp_path):
    out = kb("build", "--sources", SOURCES, "--out", tmp_path / "built", lang="en")
    assert "Published codes" in out
    assert "Written to" in out


def test_build_of_the_checkout_also_compiles_its_rules(tmp_path):
    for part in ("rules", "knowledge_base/sources"):
        shutil.copytree(ROOT / part, tmp_path / part)
    folder = tmp_path
    built = liangku("kb", "build", cwd=folder, home=folder)
    assert built.returncode == 0, built.stderr
    names = sorted(path.name for path in (folder / "knowledge_base" / "built").iterdir())
    tables = [
        "companion.parquet",
        "evidence.parquet",
        "exemption.parquet",
        "exemption_item.parquet",
        "item.parquet",
        "name.parquet",
        "pair.parquet",
        "pattern.parquet",
        "point.parquet",
        "quota.parquet",
        "terms.parquet",
    ]
    assert names == sorted([*tables, "manifest.json", "rules.plan.json"])
    again = liangku("kb", "build", "--json", cwd=folder, home=folder)
    assert again.returncode == 0, again.stderr
    assert sorted(path.name for path in (folder / "knowledge_base" / "built").iterdir()) == names
    asked = liangku("check", "--item", "爱普列特片", "--sex", "女", "--json", cwd=folder, home=folder)
    assert asked.returncode == 1, asked.stderr


def test_build_without_a_checkout_asks_for_sources(tmp_path):
    refused = liangku("kb", "build", cwd=tmp_path, home=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.strip().splitlines()[0].startswith("错误（error）：--sources")
    assert not (tmp_path / "knowledge_base").exists()


# ---- show ----


def test_show_a_point_by_the_name_of_its_item(kb):
    out = kb("show", "爱普列特片")
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[0] == "爱普列特片  drug-sex-01-0003"
    for line in (
        "规则      药品区分性别使用（drug-sex）",
        "限制      限男性",
        "判断对象  患者",
        "有效期    2025-05-23 起",
        "原表      批次 01；01/药品区分性别使用/3; 2026-01/药品区分性别使用/3",
        "公布编码  4 个",
        "适用编码  XG04CBA088A001  以此开头（公布编码 4 个）",
    ):
        assert line in lines
    assert "沿革" not in out
    assert lines[-1] == "共 1 个知识点，知识库 2026.06"


def test_show_the_history_of_a_point_once(kb):
    out = kb("show", "小儿百寿丸")
    assert out.count("沿革") == 1
    assert "2025-05-23 起，2026-01-28 之前" in out
    assert "级别上限  提示" in out
    assert "2026 年的清单没有再列出" in out


def test_show_an_age_limit_with_its_own_words(kb):
    assert "儿童，原文“3-12岁”，3 岁 ≤ 年龄 < 13 岁" in kb("show", "drug-child-limited-01-0007")
    assert "儿童, in its words “3-12岁”, 3 years ≤ age < 13 years" in kb(
        "show", "drug-child-limited-01-0007", lang="en"
    )


def test_show_exemptions_with_status_and_diagnoses(kb):
    out = kb("show", "XG04BEX006A001010100111")
    assert "drug-sex-pulmonary-hypertension：降一级（本项目建议）" in out
    assert "I27.0、I27.2、P29.3" in out
    assert "service-sex-indeterminate：不计违规（官方）" in kb("show", "003112010040000")
    assert "one level lower (proposed by this project)" in kb("show", "XG04BEX006A001010100111", lang="en")


def test_show_as_json(kb):
    document = json.loads(kb("show", "XG04CBA088A001010101467", "--json"))
    (card,) = document["points"]
    assert card["point"]["point_id"] == "drug-sex-01-0003"
    assert card["patterns"][0]["code"] == "XG04CBA088A001"
    assert document["knowledge"]["version"] == "2026.06"


def test_show_layers_knowledge_bases(kb, tmp_path):
    built = tmp_path / "kb"
    kb("build", "--sources", SOURCES, "--out", built)
    document = json.loads(kb("show", "爱普列特片", "--kb", built, "--kb", built, "--json"))
    assert (document["knowledge"]["version"], len(document["points"])) == ("2026.06+2026.06", 1)
