"""`liangku kb diff` and `liangku kb search` as they are called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checker.cli.main import run
from tests.knowledge.small_kb import Kb, changed

SOURCES = Path(__file__).parents[1] / "knowledge_base" / "sources"


@pytest.fixture
def kb(capsys, monkeypatch):
    """Run the command; return its exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "116")

    def ask(*arguments: str | Path, lang: str = "zh") -> tuple[int, str, str]:
        code = run(["kb", *map(str, arguments), "--lang", lang])
        told = capsys.readouterr()
        return code, told.out, told.err

    return ask


# ---- diff ----


def test_diff_tells_what_changed(kb, tmp_path):
    before, after = Kb().write(tmp_path / "a"), changed("p1", sex="female").write(tmp_path / "b")
    code, out, err = kb("diff", before, after)
    assert (code, err) == (0, "")
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[0].startswith(f"之前：{before} (small 1; 5 个知识点、5 个编码、1 条豁免)")
    assert [" drug-sex", "2", "2", "–", "–", "1", "–"] in [
        [" drug-sex", *line.split()[1:]] for line in lines if "drug-sex " in line
    ]
    at = lines.index("知识点：改动 1")
    assert lines[at + 1 : at + 3] == ["  p1  爱普列特片", "      sex: male → female"]
    at = lines.index("编码：限制不同 1")
    assert lines[at + 1] == "  XG04CBA088A001*  爱普列特片  (drug-sex)"
    assert lines[at + 2 : at + 4] == [
        "      之前：限男性，2025-05-23 起（p1）",
        "      之后：限女性，2025-05-23 起（p1）",
    ]
    assert "Codes: limits 1" in kb("diff", before, after, lang="en")[1]


def test_diff_ends_with_1_only_when_asked(kb, tmp_path):
    before, after = Kb().write(tmp_path / "a"), changed("p1", sex="female").write(tmp_path / "b")
    assert kb("diff", before, after, "--exit-code")[0] == 1
    assert kb("diff", before, before, "--exit-code")[0] == 0
    assert kb("diff", before, after, "--exit-code", "--rule", "service-sex")[0] == 0
    assert kb("diff", before, after, "--rule", "no-rule")[0] == 2
    assert kb("diff", before, tmp_path / "nowhere")[0] == 2


def test_diff_formats(kb, tmp_path):
    before, after = Kb().write(tmp_path / "a"), changed("p1", sex="female").write(tmp_path / "b")
    code, out, err = kb("diff", before, after, "--json")
    assert (code, err, json.loads(out)["points"][0]["kind"]) == (0, "", "changed")
    assert kb("diff", before, after, "--format", "markdown")[1].startswith("### 知识库比较\n")
    assert kb("diff", before, after, "--format", "markdown", "--json")[0] == 2
    assert "另有 1 个" in kb("diff", before, after, "--limit", "0")[1]


def test_the_embedded_edition_is_that_of_the_sources(kb):
    code, out, _ = kb("diff", "embedded", SOURCES, "--exit-code")
    assert code == 0
    assert "没有任何不同" in out


# ---- search ----


def test_search_prints_a_row_an_item(kb):
    code, out, err = kb("search", "apltp")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines() if line.strip()]
    assert rows[0] == ["项目", "规则", "限制", "有效期", "知识点", "编码"]
    assert rows[2] == ["爱普列特片", "药品区分性别使用", "限男性", "2025-05-23", "起", "drug-sex-01-0003", "4"]
    assert rows[3] == ["共", "1", "项"]
    assert "male only" in kb("search", "apltp", lang="en")[1]


def test_search_tells_of_a_level_cap_and_of_what_it_left_out(kb):
    assert "最高提示" in kb("search", "枸橼酸西地那非片")[1]
    assert "列出前 2 项（--limit）" in kb("search", "小儿", "--limit", "2")[1]


def test_search_that_finds_nothing_says_so(kb):
    assert kb("search", "爱普列特胶囊") == (0, "“爱普列特胶囊”：没有找到；相近的有：爱普列特片\n", "")
    assert kb("search", "qqqq", lang="en") == (0, "“qqqq”: nothing found\n", "")


def test_a_number_beyond_all_bounds_is_refused(kb):
    code, out, err = kb("search", "apltp", "--limit", "9" * 30)
    assert (code, out) == (2, "")
    assert "1<=x<=1000000" in err


def test_search_as_json(kb):
    code, out, _ = kb("search", "XG04CBA088", "--json")
    document = json.loads(out)
    assert (code, document["items"], document["hits"][0]["point_id"]) == (0, 1, "drug-sex-01-0003")
    assert document["hits"][0]["valid_from"] == "2025-05-23"
    assert document["knowledge"]["version"]


def test_show_leads_to_the_search(kb):
    code, _, err = kb("show", "普列特")
    assert code == 2
    assert "liangku kb search 普列特" in err
