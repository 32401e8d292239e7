"""`kb import` of lists that say on what terms an item is paid: what is read of each text, shown for sign-off, refused, and found again."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from checker.knowledge.rows import PointRow
from checker.knowledge.source import open_knowledge

from .test_import import A1, A2, B1, C1, Told, kb_import, liangku, refused

AUGUST, JANUARY = date(2025, 8, 8), date(2026, 1, 28)
HEADER = "序号,药品通用名,检出逻辑,逻辑依据,药品代码,备注"
STAY = "需经营养风险筛查，明确具有营养风险的住院患者方予支付。"


def a_list(folder: Path, *rows: str, rule: str = "药品限就医方式", logic: str = "不符合限定就医方式") -> Path:
    """A list of rows `name|text|codes`."""
    folder.mkdir(exist_ok=True)
    lines = [HEADER]
    for number, row in enumerate(rows, 1):
        item, text, codes = row.split("|")
        lines.append(f"{number},{item},{logic},{text},{codes},")
    path = folder / f"{rule}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """Three drugs: two for inpatients, one also for the emergency."""
    out = tmp_path / "first"
    rows = f"甲注射液|{STAY}|{A1}", f"乙注射液|{STAY}|{B1}", f"丙丸|限急诊或住院患者。|{C1}"
    kb_import(out, a_list(tmp_path / "04", *rows), "--cover", "family", batch="04", published=AUGUST)
    return out


def by_id(kb: Path) -> dict[str, PointRow]:
    return {point.point_id: point for point in open_knowledge(kb).points}


def test_a_point_holds_what_was_read_and_the_text_that_it_was_read_from(first: Path) -> None:
    points = by_id(first)
    assert points["drug-visit-mode-04-0001"].limits == {"care_groups": "inpatient", "terms_text": STAY}
    assert points["drug-visit-mode-04-0003"].limits["care_groups"] == "emergency|inpatient"
    told = json.loads((first / "import.json").read_text(encoding="utf-8"))["texts"]
    assert [(text["items"], text["terms"], text["text"]) for text in told] == [
        (2, {"care_groups": "inpatient"}, STAY),
        (1, {"care_groups": "emergency|inpatient"}, "限急诊或住院患者。"),
    ]
    assert told[0]["place"] == "药品限就医方式.csv：第 2 行“逻辑依据”(D2)"
    assert sorted(path.name for path in (first / "sources").iterdir()) == [
        "edition.toml", "exemption.toml", "pattern.csv", "point.csv", "terms.csv",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", ("限制条件，请核对（2 种原文）", "限急诊或住院", "限住院", STAY[:12], "第 2 行“逻辑依据”(D2)")),
        ("en", ("please sign off (2 texts)", "paid in this care", "In its words")),
    ],
)
def test_every_text_is_shown_with_what_it_was_read_as(tmp_path: Path, language: str, said: tuple[str, ...]) -> None:
    given = a_list(tmp_path / "u", f"甲注射液|{STAY}|{A1} {A2}", f"丙丸|限急诊或住院患者。|{C1}")
    told = liangku(
        "kb", "import", given, "--batch", "04", "--published", AUGUST, "--out", tmp_path / "kb", "--lang", language
    )
    assert told.code == 0, told.err
    assert [part for part in said if part not in told.out] == []


@pytest.mark.parametrize(
    ("rule", "text", "said"),
    [
        ("药品限就医方式", "限门诊使用", "第 3 行“逻辑依据”(D3): 读到 '限门诊使用'；读不出就医方式"),
        ("药品限就医方式", "", "第 3 行“逻辑依据”(D3): 读到空白；读不出就医方式"),
        ("药品限就医方式", "限二级及以上医疗机构", "no care is understood"),
        ("药品限医疗机构级别", "限二级医院", "第 3 行“逻辑依据”(D3): 读到 '限二级医院'；读不出机构级别"),
        ("药品限工伤保险", "限离休人员", "读不出险种；请写 限工伤保险 或 限生育保险"),
        ("超互联网医院药品支付范围", "支持互联网诊疗", "读不出渠道"),
        ("中药饮片单复方均不予支付", "单方使用时不予支付", "读不出不予支付"),
    ],
)
def test_a_text_that_is_not_understood_is_refused_with_its_row_and_cell(
    tmp_path: Path, rule: str, text: str, said: str
) -> None:
    good = {
        "药品限就医方式": STAY,
        "药品限医疗机构级别": "限二级及以上医疗机构",
        "药品限工伤保险": "限工伤保险",
        "超互联网医院药品支付范围": "互联网诊疗不予支付",
        "中药饮片单复方均不予支付": "不得纳入基金支付范围的中药饮片",
    }[rule]
    given = a_list(tmp_path / "u", f"甲|{good}|{A1}", f"乙|{text}|{B1}", rule=rule)
    told = refused(tmp_path / "out", given, "--batch", "t", "--published", AUGUST, "--allow-unparsed")
    assert said in told
    assert "第 2 行" not in told


def test_a_sex_beside_the_terms_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "药品限就医方式.csv"
    path.write_text(f"序号,药品通用名,限定性别,逻辑依据,药品代码\n1,甲,男,{STAY},{A1}\n", encoding="utf-8")
    told = refused(tmp_path / "out", path, "--batch", "04", "--published", AUGUST)
    assert "“限定性别”(C2): 读到 '男'；这条规则不看性别" in told


@pytest.mark.parametrize(
    ("mode", "unlisted"),
    [
        ("replace", {"0002": (JANUARY, None)}),
        ("patch", {"0002": (None, None)}),
        ("demote", {"0002": (JANUARY, None), "0002b": (None, "notice")}),
    ],
)
def test_a_later_list_goes_on_changes_and_ends_as_others_do(
    first: Path, tmp_path: Path, mode: str, unlisted: dict[str, Any]
) -> None:
    """Reworded it goes on, with other care the old point ends and a new one begins."""
    later = a_list(tmp_path / "u", f"丙丸|限住院患者|{C1}", f"甲注射液|住院方可支付|{A1} {A2}")
    out = tmp_path / "out"
    options = "--onto", first, "--mode", mode, "--cover", "family"
    told = kb_import(out, later, *options, batch="2026-01", published=JANUARY)
    found = {key.removeprefix("drug-visit-mode-"): point for key, point in by_id(out).items()}
    assert {key: (point.valid_to, point.level_cap) for key, point in found.items()} == {
        "04-0001": (None, None), "04-0003": (JANUARY, None), "2026-01-0001": (None, None),
        **{f"04-{key}": value for key, value in unlisted.items()},
    }  # fmt: skip
    assert found["04-0001"].limits == {"care_groups": "inpatient", "terms_text": STAY}
    assert found["04-0001"].source_rows == "药品限就医方式.csv：第 2 行; 药品限就医方式.csv：第 3 行"
    assert told["rules"]["drug-visit-mode"]["changed"] == {"points": 1, "codes": 1}


def told_of(*arguments: object) -> Told:
    told = liangku(*arguments)
    assert told.code == 0, told.err
    return told


def test_diff_show_and_search_tell_of_the_terms(first: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    later = a_list(tmp_path / "u", f"丙丸|限住院患者|{C1}")
    options = "--onto", first, "--mode", "replace", "--cover", "family"
    kb_import(out, later, *options, batch="2026-01", published=JANUARY)
    diff = liangku("kb", "diff", first, out, "--lang", "zh")
    assert diff.code in (0, 1), diff.err
    assert "限急诊或住院" in diff.out
    assert "限住院" in diff.out
    shown = told_of("kb", "show", "甲注射液", "--kb", first, "--lang", "zh").out
    assert f"原文      {STAY}" in shown
    assert "判断对象" not in shown
    assert "限急诊或住院" in told_of("kb", "search", "bw", "--kb", first, "--lang", "zh").out


def test_an_age_of_work_is_read_from_its_words(tmp_path: Path) -> None:
    path = tmp_path / "医疗服务项目限年龄.csv"
    path.write_text(
        "序号,项目名称,检出逻辑,逻辑依据,项目代码\n"
        "1,职业功能训练,参保人年龄超出法定就业年龄限制,限法定就业年龄段患者,003402000320000\n",
        encoding="utf-8",
    )
    kb_import(tmp_path / "kb", path, batch="08", published=date(2026, 1, 6))
    (point,) = open_knowledge(tmp_path / "kb").points
    assert (point.rule_id, point.subject, point.limits) == ("service-age", "参保人", {"age_word": "法定就业年龄"})
