"""`kb import` of lists of courses, quantities, windows, pairs, groups of operations, second line and indications: what is read, and what is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from checker.knowledge.compile_rules import RULES, items_of
from checker.knowledge.compiled_facts import CompiledFacts
from checker.knowledge.import_request import ImportRequest
from checker.knowledge.importing import import_workbooks
from checker.knowledge.merge.covers import BY_FAMILY
from checker.knowledge.published import PublishedItem
from checker.knowledge.resolve import open_plan
from checker.knowledge.rows import PointRow
from checker.knowledge.source import open_knowledge

from .test_import import A1, B1, C1, kb_import, refused

DAY, LATER = date(2026, 3, 1), date(2026, 9, 1)
S1, S2, S3 = "001103000010000", "001102000030000", "001109000010000"
PAIR_HEADER = "序号,项目A名称,项目A代码,项目B名称,项目B代码,时间间隔,逻辑依据"
TERMS = "term,icd_prefixes,confidence\n2型糖尿病,E11,A\n肝癌,C22,A\n手术,Z48|Z98,C\n恶性肿瘤,C00-C97,A\n"


def sheet(folder: Path, rule: str, header: str, *rows: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{rule}.csv"
    numbered = [f"{number},{row}" for number, row in enumerate(rows, 1)]
    path.write_text("\n".join([header, *numbered]) + "\n", encoding="utf-8")
    return path


def points(kb: Path) -> list[PointRow]:
    return list(open_knowledge(kb).points)


@pytest.mark.parametrize(
    ("rule", "header", "row", "limits"),
    [
        ("药品限支付疗程", "序号,药品通用名,逻辑依据,药品代码", f"甲,单次住院支付不超过3天。,{A1}",
         {"quota": "course", "quota_most": 3, "quota_unit": "day", "course_scope": "stay"}),
        ("药品限支付疗程", "序号,药品通用名,限制天数,逻辑依据,药品代码", f"甲,14,单次住院使用,{A1}",
         {"quota": "course", "quota_most": 14, "quota_unit": "day", "course_scope": "stay"}),
        ("药品限支付疗程", "序号,药品通用名,逻辑依据,药品代码", f"甲,支付不超过12个月,{A1}",
         {"quota": "course", "quota_most": 12, "quota_unit": "month", "course_scope": "episode"}),
        ("医疗服务项目限定频次", "序号,项目名称,上限数量,单位,项目代码", f"甲,24,小时,{S1}",
         {"quota": "day", "quota_most": 24, "quota_unit": "hour"}),
        ("医疗服务项目限定频次", "序号,项目名称,限定频次,项目代码", f"甲,1/日,{S1}", {"quota": "day", "quota_most": 1, "quota_unit": "day"}),
        ("医疗服务项目限定频次", "序号,项目名称,逻辑依据,项目代码", f"甲,日,{S1}", {"quota": "day", "quota_most": 1, "quota_unit": "day"}),
        ("医疗服务项目周期超频次", "序号,项目名称,上限数量,周期,项目代码", f"甲,2,15天,{S1}",
         {"quota": "window", "quota_most": 2, "quota_unit": "time", "window_days": 15}),
        ("医疗服务项目周期超频次", "序号,项目名称,逻辑依据,项目代码", f"甲,每周最多支付一次。,{S1}",
         {"quota": "window", "quota_most": 1, "quota_unit": "time", "window_days": 7}),
        ("手术项目未按规定折价收费", "序号,手术项目名称,同一切口组,项目代码", f"甲,胃肠手术组,{S1}", {"incision_group": "胃肠手术组"}),
        ("药品限二线使用", "序号,药品通用名,逻辑依据,药品代码", f"甲,限二线用药。,{A1}", {"drug_class": A1[:4]}),
    ],
)  # fmt: skip
def test_a_row_becomes_a_point(tmp_path: Path, rule: str, header: str, row: str, limits: dict[str, object]) -> None:
    kb_import(tmp_path / "kb", sheet(tmp_path / "u", rule, header, row), batch="t", published=DAY)
    (point,) = points(tmp_path / "kb")
    assert {name: point.limits[name] for name in limits} == limits


@pytest.mark.parametrize(
    ("rule", "header", "row", "said"),
    [
        ("药品限支付疗程", "序号,药品通用名,逻辑依据,药品代码", f"甲,支付不超过0天,{A1}", "“逻辑依据”(C2): 读到 '支付不超过0天'；读不出天数"),
        ("药品限支付疗程", "序号,药品通用名,限制天数,药品代码", f"甲,-14,{A1}", "“限制天数”(C2): 读到 '-14'；读不出天数"),
        ("医疗服务项目限定频次", "序号,项目名称,上限数量,单位,项目代码", f"甲,0,日,{S1}", "“上限数量”(C2): 读到 '0'；请写大于 0 的整数"),
        ("医疗服务项目限定频次", "序号,项目名称,上限数量,单位,项目代码", f"甲,-1,日,{S1}", "“上限数量”(C2): 读到 '-1'；请写大于 0 的整数"),
        ("医疗服务项目限定频次", "序号,项目名称,上限数量,单位,项目代码", f"甲,1,疗程,{S1}", "“单位”(D2): 读到 '疗程'；请写 日、小时 或 次"),
        ("医疗服务项目周期超频次", "序号,项目名称,逻辑依据,项目代码", f"甲,诊疗规范,{S1}", "“逻辑依据”(C2): 读到 '诊疗规范'；读不出周期"),
        ("医疗服务项目重复收费", PAIR_HEADER, f"甲,{S1},乙,{S2},每季度,含乙", "“时间间隔”(F2): 读到 '每季度'；读不出间隔；请写 单日、单次就诊"),
        ("医疗服务项目重复收费", PAIR_HEADER, f"甲,{S1},甲,{S1},单日,含甲", "项目 A 和项目 B 是同一个编码"),
        ("医疗服务项目重复收费", "序号,项目名称,逻辑依据,项目代码", f"甲,含乙,{S1}", "看不出哪一项包含哪一项"),
        ("药品限适应症", "序号,药品通用名,逻辑依据,药品代码", f"甲,限罕见病。,{A1}", "请用 --terms FILE 给出用语和诊断编码的对照表"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_its_cell(
    tmp_path: Path, rule: str, header: str, row: str, said: str
) -> None:
    given = sheet(tmp_path / "u", rule, header, row)
    assert said in refused(tmp_path / "kb", given, "--batch", "t", "--published", DAY)


def test_a_pair_in_both_orders_and_one_that_stands_twice_name_the_other_row(tmp_path: Path) -> None:
    rows = f"甲,{S1},乙,{S2},单日,含乙", f"乙,{S2},甲,{S1},单日,含甲", f"甲,{S1},乙,{S2},单日,含乙"
    given = sheet(tmp_path / "u", "医疗服务项目重复收费", PAIR_HEADER, *rows)
    told = refused(tmp_path / "kb", given, "--batch", "t", "--published", DAY)
    assert "第 2 行是同样两个项目，A、B 正好相反" in told
    assert "第 2 行已有这一对，请删去一个" in told


def test_pairs_of_one_item_stand_beside_each_other_through_later_lists(tmp_path: Path) -> None:
    """Of two pairs of 乙, the one that the later list has with another interval changes; the other stays in a patch and ends where it is replaced."""
    first = sheet(
        tmp_path / "1", "医疗服务项目重复收费", PAIR_HEADER, f"甲,{S1},乙,{S2},单日,含乙", f"丙,{S3},乙,{S2},单日,含乙"
    )
    told = kb_import(tmp_path / "a", first, "--expect", 4, batch="07", published=DAY)
    assert told["files"][0]["codes"] == 4
    later = sheet(tmp_path / "2", "医疗服务项目重复收费", PAIR_HEADER, f"甲,{S1},乙,{S2},单次就诊,含乙")
    for mode, kept in (("patch", None), ("replace", LATER)):
        out = tmp_path / mode
        kb_import(out, later, "--onto", tmp_path / "a", "--mode", mode, batch="18", published=LATER)
        assert {point.point_id: (point.valid_to, point.limits["pair_interval"]) for point in points(out)} == {
            "service-pair-07-0001": (LATER, "day"),
            "service-pair-07-0002": (kept, "day"),
            "service-pair-18-0001": (None, "visit"),
        }
        ends = {(row.point_id, row.role, row.code) for row in open_knowledge(out).patterns}
        assert ("service-pair-18-0001", "container", S1) in ends
        assert ("service-pair-07-0002", "container", S3) in ends
    again = kb_import(
        tmp_path / "same", first, "--onto", tmp_path / "a", "--mode", "replace", batch="07", published=DAY
    )
    assert again["already_in_the_edition"]


def test_pairs_without_a_word_for_the_interval_are_of_one_day_and_say_so(tmp_path: Path) -> None:
    header = "序号,项目A名称,项目A代码,项目B名称,项目B代码,检出逻辑,逻辑依据"
    given = sheet(tmp_path / "u", "医疗服务项目重复收费", header, f"甲,{S1},乙,{S2},项目A和项目B同时收费,含乙")
    told = kb_import(tmp_path / "kb", given, batch="t", published=DAY)
    assert "各对按单日（同一天同时收取）导入，请核对原表" in told["notes"][0]["text"]
    (point,) = points(tmp_path / "kb")
    assert (point.item_name, point.limits["pair_interval"]) == ("甲×乙", "day")


def test_indications_are_read_by_a_file_of_terms(tmp_path: Path) -> None:
    terms = tmp_path / "terms.csv"
    terms.write_text(TERMS, encoding="utf-8")
    rows = (
        f"甲,限2型糖尿病患者。,{A1}",
        f"乙,限：1.肝癌手术后；2.某种没有列出的病。,{B1}",
        f"丙,限手术。,{C1}",
    )
    given = sheet(tmp_path / "u", "药品限适应症", "序号,药品通用名,逻辑依据,药品代码", *rows)
    told = kb_import(tmp_path / "kb", given, "--terms", terms, batch="t", published=DAY)
    assert [(point.status, point.limits["indications"], point.remark) for point in points(tmp_path / "kb")] == [
        ("active", "E11", "own_compilation"),
        ("shadow", "C22", "own_compilation"),
        ("shadow", "Z48|Z98", "own_compilation"),
    ]
    assert ["某种没有列出的病" in note["text"] for note in told["notes"]] == [True, False]
    # Read again, the same list changes nothing, points on trial included.
    again = kb_import(
        tmp_path / "2",
        given,
        "--terms",
        terms,
        "--onto",
        tmp_path / "kb",
        "--mode",
        "replace",
        batch="t",
        published=DAY,
    )
    assert again["already_in_the_edition"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("肿瘤,C97-C00,A", "其中范围 C97-C00 前后颠倒，请写成 C00-C97"),
        ("肿瘤,癌,A", "'癌' 不是 ICD-10 编码的前段"),
        ("2型糖尿病,E14,A", "前面一行已有这个用语"),
        ("肿瘤,C22,好", "请写 A、B 或 C"),
    ],
)
def test_a_faulty_file_of_terms_is_refused_with_its_row(tmp_path: Path, row: str, said: str) -> None:
    terms = tmp_path / "terms.csv"
    terms.write_text(f"{TERMS}{row}\n", encoding="utf-8")
    given = sheet(tmp_path / "u", "药品限适应症", "序号,药品通用名,逻辑依据,药品代码", f"甲,限2型糖尿病。,{A1}")
    told = refused(tmp_path / "kb", given, "--terms", terms, "--batch", "t", "--published", DAY)
    assert "terms.csv: row 6" in told
    assert said in told


@pytest.mark.parametrize(
    ("name", "rule_id", "batch"),
    [("11-batch06-药品限支付疗程.xlsx", "drug-course", "06"), ("11-batch07-pairs.xlsx", "service-pair", "07")],
)
def test_a_published_workbook_becomes_the_points_of_its_batch(
    published_folder: Path, published: list[PublishedItem], compiled_facts: CompiledFacts, tmp_path: Path,
    name: str, rule_id: str, batch: str,
) -> None:  # fmt: skip
    layouts = published_folder / "layouts"
    if not (layouts / name).is_file():
        pytest.skip(f"{name} does not lie in ../shared/nhsa/layouts beside this checkout")
    manifest = json.loads((layouts / "manifest.json").read_text(encoding="utf-8"))
    (told,) = (row for row in manifest if row["file"] == name)
    request = ImportRequest([layouts / name], tmp_path / "kb", batch, DAY, expect=told["expect_codes"], cover=BY_FAMILY)
    imported, _ = import_workbooks(request, open_plan())
    (workbook,) = imported.workbooks
    assert (len(workbook.items), workbook.codes) == (told["expect_items"], told["expect_codes"])
    (spec,) = (spec for spec in RULES if spec.rule_id == rule_id)
    ours = {item.seq: item for item in items_of(spec, batch, published, compiled_facts)}
    for item in workbook.items:
        own = ours[item.seq]
        assert (item.item_name, item.limits, item.codes, item.containers) == (
            own.item_name, own.limits, own.codes, own.containers,
        )  # fmt: skip
