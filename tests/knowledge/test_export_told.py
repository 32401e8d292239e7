"""`liangku kb export`: the flat table, the difference of two editions, what no workbook can say, and what is refused with nothing written."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from checker.knowledge.source import open_knowledge

from .small_kb import PATTERNS, Kb, code, more, point
from .test_export import exported, said
from .test_import import A1, A2, B1, C1, JANUARY, kb_import, liangku, sex_list

D1 = "XG04CBD055A001010101467"


def refused(*arguments: object) -> str:
    """What is said of an export that is refused with exit code 2."""
    told = liangku("kb", "export", *arguments)
    assert (told.code, told.out) == (2, ""), told
    return told.err


def table(file: Path) -> list[dict[str, str]]:
    """The rows of a flat table, which must begin with a byte order mark."""
    text = file.read_text(encoding="utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(text[1:].splitlines()))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return Kb().write(tmp_path / "small")


def test_the_flat_table_has_a_row_a_code_with_the_limit_in_words_and_in_columns(small: Path, tmp_path: Path) -> None:
    told = liangku("kb", "export", "--kb", small, "--flat", tmp_path / "flat.csv", "--json")
    assert (told.code, json.loads(told.out)["flat_rows"]) == (0, 5)
    rows = {row["知识点编号"]: row for row in table(tmp_path / "flat.csv")}
    of = {
        "规则编号": "drug-child-limited", "规则国家编码": "GZ10000101007000", "规则名称": "药品限儿童使用", "项目名称": "玛巴洛沙韦干混悬剂",
        "编码": "XJ05AXM176X006010181735", "匹配方式": "全码", "限定": "儿童，原文“3-12岁”，3 岁 ≤ 年龄 < 13 岁", "判断谁": "参保人", "等级": "明确违规",
        "状态": "正式", "有效期起": "2025-05-23", "有效期止": "", "地区": "", "依据": "公告", "age_min": "3", "age_max": "13",
    }  # fmt: skip
    assert {name: rows["p4"][name] for name in of} == of
    assert (rows["p1"]["编码"], rows["p1"]["匹配方式"]) == ("XG04CBA088A001", "前段")


def test_the_flat_table_tells_what_no_workbook_says(tmp_path: Path) -> None:
    local = point(
        "x",
        "drug-sex",
        "甲片",
        document="=cmd|' /C calc'!A0",
        sex="male",
        level_cap="notice",
        valid_to="2026-01-01",
        region="3708",
        region_of="insured",
        status="shadow",
    )
    kb = more([local], [code("x", A1)]).write(tmp_path / "kb")
    document = exported(tmp_path / "out", "--kb", kb, "--flat", tmp_path / "flat.csv")
    (row,) = [row for row in table(tmp_path / "flat.csv") if row["知识点编号"] == "x"]
    assert row["依据"] == "'=cmd|' /C calc'!A0"
    of = ("等级", "状态", "有效期止", "地区", "地区指")
    assert [row[name] for name in of] == ["提示", "影子", "2026-01-01", "3708", "参保地"]
    (named,) = document["not_written_as_workbooks"]
    assert (named["point_ids"], named["reason"]) == (["x"], "有终止日期，清单里写不出")


def test_pairs_stand_in_one_row(built: Path, tmp_path: Path) -> None:
    liangku("kb", "export", "--kb", built, "--rule", "service-pair", "--flat", tmp_path / "flat.csv")
    rows = table(tmp_path / "flat.csv")
    assert len(rows) == 900
    assert (rows[0]["编码"], rows[0]["包含它的项目编码"], rows[0]["pair_interval"]) == (
        "001102000030000",
        "001103000010000",
        "day",
    )


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (point("x", "drug-sex", "甲片", sex="male", remark="本院另有规定"), "写进清单再导入，限定或编码就不同了"),
        (point("x", "drug-sex", "甲片(停用)", sex="male"), "写进清单再导入，限定或编码就不同了"),
        (point("x", "drug-sex", "甲片", sex="male", level_cap="suspect"), "最高等级有限制，清单里写不出"),
        (point("x", "drug-sex", "甲片", sex="male", batch="../../第一批"), "批次的写法导入不了"),
        (point("x", "drug-none", "甲片", sex="male"), "规则库里没有这条规则，不知道它公布的名称"),
        (point("x", "drug-visit-mode", "甲片", care_groups="inpatient", terms_text="住院病人以外不付"), "导入不了：读不出就医方式"),
    ],
)  # fmt: skip
def test_what_would_read_otherwise_is_left_out_and_named(tmp_path: Path, odd: dict[str, str], reason: str) -> None:
    kb = more([odd], [code("x", A1)]).write(tmp_path / "kb")
    document = exported(tmp_path / "out", "--kb", kb)
    (named,) = document["not_written_as_workbooks"]
    assert (named["point_ids"], named["reason"][: len(reason)]) == (["x"], reason)
    assert sum(book["points"] for book in document["workbooks"]) == 5
    told = liangku("kb", "export", "--kb", kb, "--out", tmp_path / "out", "--force")
    assert f"没有写成工作簿：\n  {odd['rule_id']} " in told.out
    assert "用 --flat FILE 可以写出这些" in told.out


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """Four drugs of the first batch."""
    files = sex_list(tmp_path / "01", f"甲片,男,{A1}", f"乙片,男,{B1}", f"丙片,女,{C1}", f"丁片,女,{D1}")
    kb_import(tmp_path / "earlier", files)
    return tmp_path / "earlier"


def test_the_difference_imported_onto_the_earlier_edition_gives_the_later_one(earlier: Path, tmp_path: Path) -> None:
    update = sex_list(tmp_path / "u", f"甲片,男,{A1} {A2}", f"丙片,男,{C1}", f"戊片,女,{'XG04CBE044A001010101467'}")
    later = tmp_path / "later"
    kb_import(later, update, "--onto", earlier, "--mode", "patch", batch="2026-01", published=JANUARY)
    document = exported(tmp_path / "out", "--kb", later, "--since", earlier, "--flat", tmp_path / "flat.csv")
    (book,) = document["workbooks"]
    assert (document["points"], book["changes"]) == (3, {"新增": 2, "修改": 1})
    changes = {(row["项目名称"], row["编码"][:8]): row["变更类型"] for row in table(tmp_path / "flat.csv")}
    assert changes == {("甲片", A2[:8]): "新增", ("丙片", C1[:8]): "修改", ("戊片", "XG04CBE0"): "新增"}
    again = tmp_path / "again"
    kb_import(
        again, tmp_path / "out" / book["file"], "--onto", earlier, "--mode", "patch", batch="2026-01", published=JANUARY
    )
    assert said(open_knowledge(again)) == said(open_knowledge(later))


def test_what_ended_is_marked_as_removed_and_an_import_takes_it_for_that(earlier: Path, tmp_path: Path) -> None:
    later = tmp_path / "later"
    update = sex_list(tmp_path / "u", f"甲片,男,{A1}", f"丙片,男,{C1}")
    kb_import(later, update, "--onto", earlier, "--mode", "replace", batch="2026-01", published=JANUARY)
    document = exported(tmp_path / "out", "--kb", later, "--since", earlier, "--flat", tmp_path / "flat.csv")
    changes = [(row["变更类型"], row["项目名称"], row["有效期止"]) for row in table(tmp_path / "flat.csv")]
    assert changes == [("删除", "乙片", "2026-01-28"), ("删除", "丁片", "2026-01-28"), ("修改", "丙片", "")]
    assert {book["file"]: book["changes"] for book in document["workbooks"]} == {
        "第一批-药品区分性别使用.xlsx": {"删除": 2}, "2026年1月更新-药品区分性别使用.xlsx": {"修改": 1},
    }  # fmt: skip
    stopped = liangku(
        "kb", "import", *(tmp_path / "out").glob("*.xlsx"), "--batch", "2026-01", "--published", JANUARY, "--onto", earlier, "--mode", "patch",
        "--out", tmp_path / "x",
    )  # fmt: skip
    assert stopped.code == 2
    told = liangku("kb", "export", "--kb", later, "--since", earlier, "--out", tmp_path / "out", "--force")
    assert "请先给这些知识点写 valid_to" in told.out


def test_a_family_that_takes_the_place_of_its_codes_is_changed_and_no_list_takes_the_codes_back(
    small: Path, tmp_path: Path
) -> None:
    family, exact = "XG04CBA088A001", f"XG04CBA088A001{A1[14:]}"
    codes = [{**row, "match": "code", "code": exact} if row["code"] == family else row for row in PATTERNS]
    other = Kb(patterns=codes).write(tmp_path / "codes")
    for later, earlier, expected, listed in (
        (small, other, [("修改", family), ("删除", exact)], {"修改": 1}),
        (other, small, [("修改", exact), ("删除", family)], {"修改": 1, "删除": 1}),
    ):
        out, flat = tmp_path / f"out-{later.name}", tmp_path / f"{later.name}.csv"
        (book,) = exported(out, "--kb", later, "--since", earlier, "--flat", flat)["workbooks"]
        assert sorted((row["变更类型"], row["编码"]) for row in table(flat)) == sorted(expected)
        assert book["changes"] == listed


def test_of_two_points_of_one_code_the_one_that_ends_is_told(tmp_path: Path) -> None:
    twice = more(
        [point("x", "drug-sex", "甲片", sex="male"), point("y", "drug-sex", "乙片", sex="male")],
        [code("x", A1), code("y", A1)],
    )
    once = more([point("x", "drug-sex", "甲片", sex="male")], [code("x", A1)])
    liangku(
        "kb",
        "export",
        "--kb",
        once.write(tmp_path / "once"),
        "--since",
        twice.write(tmp_path / "twice"),
        "--flat",
        tmp_path / "flat.csv",
    )
    assert [(row["变更类型"], row["知识点编号"]) for row in table(tmp_path / "flat.csv")] == [("删除", "y")]


def test_without_a_difference_nothing_is_written(earlier: Path, tmp_path: Path) -> None:
    told = liangku(
        "kb", "export", "--kb", earlier, "--since", earlier, "--out", tmp_path / "out", "--flat", tmp_path / "flat.csv"
    )
    assert (told.code, told.out) == (0, "没有不同，没有写任何文件。\n")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "flat.csv").exists()


def test_what_is_not_there_or_may_not_be_written_over_is_refused(small: Path, tmp_path: Path) -> None:
    out, flat = tmp_path / "out", tmp_path / "flat.csv"
    assert "--rule drug-sx：知识库中没有，是不是 drug-sex？" in refused(
        "--kb", small, "--out", out, "--rule", "drug-sx"
    )
    assert "--batch 1：知识库中没有，是不是 01？" in refused("--kb", small, "--out", out, "--batch", "1")
    assert "请用 --out 写工作簿，或用 --flat 写 CSV" in refused("--kb", small)
    flat.write_text("mine", encoding="utf-8")
    assert f"--flat {flat}：已有这个文件" in refused("--kb", small, "--out", out, "--flat", flat)
    assert not out.exists()
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    assert f"--out {out}：文件夹不是空的" in refused("--kb", small, "--out", out)
    assert "不属于上一次结果的文件（mine.txt）" in refused(
        "--kb", small, "--out", out, "--force", "--flat", tmp_path / "other.csv"
    )
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    assert flat.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "other.csv").exists()


def test_where_no_point_can_stand_in_a_workbook_nothing_is_written(built: Path, tmp_path: Path) -> None:
    said_so = refused("--kb", built, "--out", tmp_path / "out", "--rule", "herb-single")
    assert "没有一个知识点能写成工作簿，没有写任何文件；可用 --flat 写成 CSV" in said_so
    assert "herb-single 11：导入不读这类规则的清单" in said_so
    assert not (tmp_path / "out").exists()
    assert "没有同时属于这些规则和批次的知识点" in refused(
        "--kb", built, "--out", tmp_path / "out", "--rule", "herb-single", "--batch", "01"
    )


def test_without_the_library_it_is_said_how_to_install_it_and_a_csv_is_written_all_the_same(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    assert "pip install 'liangku[sheets]'" in refused("--kb", small, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert liangku("kb", "export", "--kb", small, "--flat", tmp_path / "flat.csv").code == 0
