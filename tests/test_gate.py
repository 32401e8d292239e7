"""The gate that a change of knowledge goes through: what must be stopped is stopped where it stands, and sound changes pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.commands import liangku
from tests.knowledge.small_kb import EXEMPTION as EXEMPTION_TEXT
from tests.knowledge.small_kb import SERVICE, Kb, exemption

Change = Callable[[Path], object]
POINT, ITEM, PATTERN, EXEMPTION, EXAMPLE, EDITION = (
    "point.csv", "item.csv", "pattern.csv", "exemption.toml", "example.csv", "edition.toml",
)  # fmt: skip
OTHER = "XG04CBA088A001010101999"
NEW_NOTICE = """[[notice]]
batch = "02"
published = 2026-02-20
title = "第二批"
publisher = "国家医疗保障局"
"""
P2 = "p2,drug-sex,妇科千金片,,,,2025-05-23,"
P4 = "p4,drug-child-limited,玛巴洛沙韦干混悬剂,参保人,,,2025-05-23,"
P1 = "p1,drug-sex,爱普列特片,,,,2025-05-23,,,,公告,01,1,01/p1,,"


def edit(file: str, old: str, new: str) -> Change:
    """Write something else for what stands in a file, wherever it does."""

    def change(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new), encoding="utf-8")

    return change


def add(file: str, *rows: str) -> Change:
    """Write more rows at the end of a file."""

    def change(folder: Path) -> None:
        with (folder / file).open("a", encoding="utf-8") as stream:
            stream.write("".join(f"{row}\n" for row in rows))

    return change


def without(*starts: str) -> Change:
    """Take away the rows of all tables that begin so."""

    def change(folder: Path) -> None:
        for path in folder.glob("*.csv"):
            rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
            path.write_text("".join(row for row in rows if not row.startswith(starts)), encoding="utf-8")

    return change


def point(point_id: str, name: str = "新药片", rule: str = "drug-sex", start: str = "2026-04-01", limits: str = "male,,,,,,", code: str = OTHER,
          place: str = ",", more: str = ",,") -> list[Change]:  # fmt: skip
    """A whole new point: its row, its limits, its code."""
    match = "code" if len(code) > 14 else "family"
    return [
        add(POINT, f"{point_id},{rule},{name},,{place},{start},{more},公告,02,1,02/1,,"),
        add(ITEM, f"{point_id},{limits}"),
        add(PATTERN, f"{point_id},item,{match},{code},1"),
    ]


def gone(file: str) -> Change:
    return lambda folder: (folder / file).unlink()


def in_gbk(folder: Path) -> None:
    (folder / POINT).write_bytes((folder / POINT).read_text(encoding="utf-8").encode("gbk"))


def reordered(folder: Path) -> None:
    for path in folder.glob("*.csv"):
        header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join([header, *reversed(rows)]), encoding="utf-8")


def with_crlf(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


LOCAL = "37,insured"
BAD: dict[str, tuple[Sequence[Change], int, tuple[str, ...]]] = {
    "a point is deleted": ([without("p2,")], 1, ("--max-deleted-points：1，限度 0",)),
    "a rule loses all points": ([without("p1,", "p2,")], 1, ("exemption.toml:2", "没有知识点属于这个规则")),
    "all points of children go": ([without("p3,", "p4,")], 1, ("--max-deleted-points：2，限度 0", "--max-deleted-codes：2，限度 0")),
    "a code is exchanged": ([edit(PATTERN, "ZA01BAX0510010100001", "ZA01BAX0510010100002")], 1, ("--max-deleted-codes：1，限度 0",)),
    "a sex is turned round": ([edit(ITEM, "p1,male", "p1,female")], 1, ("point.csv:2 p1", "sex male → female")),
    "an age is changed": ([edit(ITEM, "3-12岁,3,year,13", "3-13岁,3,year,14")], 1, ("point.csv:5 p4", "age_max 13 → 14")),
    "a limit goes": ([edit(ITEM, "p4,,儿童,3-12岁,3,year,13,year", "p4,,儿童,,,,,")], 1, ("point.csv:5 p4",)),
    "a point goes to another rule": ([edit(POINT, "p3,drug-child-only", "p3,drug-child-limited")], 1, ("point.csv:4 p3", "rule_id")),
    "a beginning is put off": ([edit(POINT, P1, P1.replace("2025-05-23", "2026-05-23"))], 1, ("point.csv:2 p1", "valid_from")),
    "a level is capped": ([edit(POINT, P1, P1.replace("2025-05-23,,", "2025-05-23,,notice"))], 1, ("point.csv:2 p1", "level_cap")),
    "a national point becomes local": ([edit(POINT, P1, P1.replace("片,,,", f"片,,{LOCAL}"))], 1, ("point.csv:2 p1", "region")),
    "a point in force goes on trial": ([edit(POINT, P1, P1[:-1] + "shadow,")], 1, ("point.csv:2 p1", "status")),
    "a subject is exchanged": ([edit(POINT, "玛巴洛沙韦干混悬剂,参保人", "玛巴洛沙韦干混悬剂,就诊人")], 1, ("point.csv:5 p4", "subject")),
    "an id is given to another item": (
        [edit(POINT, "p3,drug-child-only,小儿清热颗粒", "p3,drug-child-only,别的颗粒"), edit(PATTERN, "ZA01BAX0510010100001", "ZB01BAX0510010100002")],
        1, ("--max-reused-ids：1，限度 0", "point.csv:4 p3")),
    "a day in 2062": (point("n1", start="2062-04-01"), 1, ("point.csv:7", "2062-04-01 离现在太远")),
    "a day in 2015": (point("n1", start="2015-04-01"), 1, ("point.csv:7", "2015-04-01 离现在太远")),
    "an end in 2099": (point("n1", more="2099-12-31,,"), 1, ("point.csv:7", "没有终止日期请留空")),
    "an end before the beginning": (point("n1", more="2026-03-01,,"), 1, ("point.csv:7", "valid_to")),
    "no day": (point("n1", start="2026-02-30"), 1, ("point.csv:7", "2026-02-30")),
    "a place that there is not": (point("n1", place="73,insured"), 1, ("point.csv:7", "没有以 73 开头的行政区划代码")),
    "a place of nobody": (point("n1", place="37,"), 1, ("point.csv:7", "region_of")),
    "a letter for a digit": (point("n1", code=OTHER.replace("04", "O4")), 1, ("pattern.csv:7", "XGO4CBA088A001010101999")),
    "a code that was cut": (point("n1", code=OTHER[:-1]), 1, ("pattern.csv:7", "请写完整的国家医保编码")),
    "a family that was cut": (point("n1", code="XG04CBA088A"), 1, ("pattern.csv:7", "请写药品码前段")),
    "a code twice": ([add(PATTERN, "p1,item,family,XG04CBA088A001,1")], 1, ("pattern.csv:7", "p1")),
    "a family that holds another item": (
        point("n1", "爱普列特胶囊", "drug-child-only", limits=",儿童,,,,,", code=OTHER), 1, ("point.csv:2", "其中还有“爱普列特胶囊”")),
    "men and women at once": (point("n1", "爱普列特片", limits="female,,,,,,", code=OTHER), 1, ("point.csv:2", "在这里限男性")),
    "an id twice": ([add(POINT, P1)], 1, ("point.csv:7", "第 2 行已有这个编号")),
    "an unknown rule": (point("n1", rule="drug-sexx"), 1, ("point.csv:7", "drug-sexx")),
    "a limit that the rule does not read": (point("n1", rule="drug-child-only"), 1, ("point.csv:7", "n1")),
    "no limit": (point("n1", limits=",,,,,,"), 1, ("item.csv:7", "n1")),
    "a point without codes": ([add(POINT, P1.replace("p1", "n1")), add(ITEM, "n1,male,,,,,,")], 1, ("point.csv:7", "没有它的编码")),
    "a code without point": ([add(PATTERN, f"n1,item,code,{OTHER},1")], 1, ("pattern.csv:7", "没有这个知识点")),
    "bounds that the text does not say": (point("n1", rule="drug-child-limited", limits=",,3-12岁,3,year,12,year"), 1, ("item.csv:7", "age_max 13")),
    "an unknown word": (point("n1", rule="drug-child-only", limits=",大人,,,,,"), 1, ("item.csv:7", "大人")),
    "no evidence": ([edit(POINT, "公告,01,1,01/p5", ",01,1,01/p5")], 1, ("point.csv:6", "document")),
    "a formula for a name": (point("n1", "=HYPERLINK(1)"), 1, ("point.csv:7", "会当成公式")),
    "a tag in a remark": (point("n1", more=",,<img src=x>"), 1, ("point.csv:7", "HTML 标记")),
    "a sign that turns the writing": (point("n1", "药\u202e片"), 1, ("point.csv:7", "改变书写方向")),
    "a number of codes that is none": ([edit(PATTERN, "ZD03AAF0161,1", "ZD03AAF0161,-1")], 1, ("pattern.csv:3", "-1")),
    "a history that leads nowhere": ([edit(POINT, P1, P1[:-1] + ",p9")], 1, ("point.csv:2", "p9")),
    "an exemption for everything": ([add(EXEMPTION, exemption("e2", "drug-sex"))], 1, ("exemption.toml:13", "全部知识点都不再有结果")),
    "an exemption of an unknown rule": ([add(EXEMPTION, exemption("e2", "drug-none", diagnoses='["J00"]'))], 1, ("exemption.toml:13", "drug-none")),
    "an exemption of what is not limited": (
        [add(EXEMPTION, exemption("e2", "drug-sex", items='[{match="name", value="板蓝根"}]'))], 1, ("exemption.toml:13", "板蓝根")),
    "a diagnosis that is none": ([edit(EXEMPTION, '["I27"]', '["27"]')], 1, ("exemption.toml:2", "I27 或 I27.0")),
    "what an example denies": ([add(EXAMPLE, "p1,no_match,XG04CBA088A001010101467")], 1, ("example.csv:3", "不应管到这个编码")),
    "a column too few": ([edit(PATTERN, ",published_codes", "")], 1, ("pattern.csv:1", "published_codes")),
    "a column too many": ([edit(POINT, "point_id,rule_id", "point_id,note,rule_id")], 1, ("point.csv:1", "note")),
    "an exchange of all limits": ([edit(ITEM, ",male", ",female")], 1, ("--max-edited-points：",)),
    "all points of a rule end": (
        [edit(POINT, "2025-05-23,,", "2025-05-23,2026-03-02,")], 1, ("--max-ended-share：100%，限度 50%", "point.csv:2 p1", "失去了一大半知识点")),
    "a point ends in the past": (
        [edit(POINT, P1, P1.replace("2025-05-23,,", "2025-05-23,2025-05-24,"))],
        1, ("--max-ended-points：1，限度 0", "point.csv:2 p1", "在过去的日子终止", "valid_to — → 2025-05-24")),
    "a point ends in the past, and is limited again months later": (
        [edit(POINT, P2, f"{P2}2025-06-01"), *point("n1", "妇科千金片", limits="female,,,,,,", code="ZD03AAF0161", start="2026-05-01")],
        1, ("--max-ended-points：1，限度 0", "point.csv:3 p2")),
    "an end is put back": (
        [edit(POINT, P2, f"{P2}2025-06-01")], 1, ("--max-ended-points：1，限度 0", "point.csv:3 p2", "2025-06-01")),
    "an exemption exempts instead of lowering": (
        [edit(EXEMPTION, 'effect = "lower"', 'effect = "exempt"')],
        1, ("--max-widened-exemptions：1，限度 0", "exemption.toml:2 e1", "effect lower → exempt")),
    "an exemption begins years earlier": (
        [edit(EXEMPTION, "valid_from = 2025-05-23", "valid_from = 2020-05-23")], 1, ("exemption.toml:2 e1", "valid_from 2025-05-23 → 2020-05-23")),
    "an exemption loses its items": (
        [edit(EXEMPTION, 'items = [{match="name", value="爱普列特片"}]\n', "")], 1, ("exemption.toml:2 e1", "items name 爱普列特片 → —")),
    "an exemption has one item more": (
        [edit(EXEMPTION, 'value="爱普列特片"}', 'value="爱普列特片"}, {match="name", value="妇科千金片"}')], 1, ("exemption.toml:2 e1", "items")),
    "an exemption has one diagnosis more": ([edit(EXEMPTION, '["I27"]', '["I27", "J00"]')], 1, ("exemption.toml:2 e1", "diagnoses I27 → I27; J00")),
    "an exemption loses its diagnoses": (
        [edit(EXEMPTION, "diagnoses", "#diagnoses")], 1, ("exemption.toml:2 e1", "diagnoses I27 → —")),
    "a service under a drug": ([add(PATTERN, f"p1,item,code,{SERVICE},1")], 1, ("pattern.csv:7", SERVICE, "服务项目或耗材的编码")),
    "a drug under a service": ([add(PATTERN, f"p5,item,code,{OTHER},1")], 1, ("pattern.csv:7", OTHER, "药品或耗材的编码")),
    "the other sex follows": (
        [edit(POINT, P2, f"{P2}2026-03-01"), *point("n1", "妇科千金片", code="ZD03AAF0161", start="2026-03-01")],
        1, ("--max-relaxed-points：1，限度 0", "point.csv:7 n1", "sex female → male")),
    "a wider age follows": (
        [edit(POINT, P4, f"{P4}2026-03-01"), *point("n1", "玛巴洛沙韦干混悬剂", "drug-child-limited", limits=",儿童,3-120岁,3,year,121,year",
                                                  code="XJ05AXM176X006010181735", start="2026-03-01")],
        1, ("--max-relaxed-points：1，限度 0", "point.csv:7 n1", "age 3-12岁 → 3-120岁")),
    "a notice at most follows": (
        [edit(POINT, P2, f"{P2}2026-03-01"), *point("n1", "妇科千金片", limits="female,,,,,,", code="ZD03AAF0161", start="2026-03-01", more=",notice,")],
        1, ("point.csv:7 n1", "level_cap — → notice")),
    "a number of published codes is written over": (
        [edit(PATTERN, "ZD03AAF0161,1", "ZD03AAF0161,900")], 1, ("--max-edited-points：1，限度 0", "point.csv:3 p2", "published_codes of ZD03AAF0161 1 → 900")),
    "an attachment for a document": ([edit(POINT, "公告", "见附件")], 1, ("point.csv:2", "见附件", "说不出是哪份文件")),
    "the same as above for the evidence of an exemption": ([edit(EXEMPTION, '"依据"', '"同上"')], 1, ("exemption.toml:2", "同上")),
    "an exemption is deleted": ([edit(EXEMPTION, EXEMPTION_TEXT, "")], 1, ("--max-deleted-exemptions：1，限度 0", "exemption.toml e1", "已生效的豁免被删除")),
    "a wider exemption is written for one that is deleted": (
        [edit(EXEMPTION, EXEMPTION_TEXT, exemption("e9", "drug-sex", diagnoses='["I27", "J00"]', items='[{match="name", value="爱普列特片"}]'))],
        1, ("--max-deleted-exemptions：1", "--max-widened-exemptions：1", "exemption.toml:2 e9", "effect lower → exempt", "diagnoses I27 → I27; J00")),
    "an exemption for most items": (
        [add(EXEMPTION, exemption("e2", "drug-sex", items='[{match="name", value="爱普列特片"}, {match="name", value="妇科千金片"}]'))],
        1, ("exemption.toml:13", "2 个知识点中 2 个不再有结果")),
    "an exemption of another rule": ([edit(EXEMPTION, 'rule = "drug-sex"', 'rule = "service-sex"')], 1, ("exemption.toml:2",)),
    "an exemption for the whole country": (
        [edit(EXEMPTION, "diagnoses", "region = \"37\"\nregion_of = \"insured\"\ndiagnoses"), edit(EXEMPTION, 'region = "37"', 'region = "73"')],
        1, ("exemption.toml:2", "没有以 73 开头的行政区划代码")),
    "a family of another drug": (point("n1", "新药片", code="XH01ACR108B001"), 1, ("point.csv:7", "公布的名称是", "人生长激素", "毫无关系")),
    "a family of another drug in another form": (point("n1", "新药片", code="XH01ACR108X999"), 1, ("point.csv:7", "XH01ACR108X999", "毫无关系")),
    "a family is widened by hand": ([edit(PATTERN, "p3,item,code,ZA01BAX0510010100001", "p3,item,family,ZA04BAD0137")], 1, ("--max-deleted-codes：1",)),
    "a material under a drug": ([add(PATTERN, "p1,item,code,C0101010010000100001,1")], 1, ("pattern.csv:7", "服务项目或耗材的编码")),
    "an id is renamed, and the limit with it": (
        [edit(POINT, "p2,drug", "n2,drug"), edit(ITEM, "p2,female", "n2,male"), edit(PATTERN, "p2,", "n2,")], 1, ("--max-deleted-points：1，限度 0",)),
    "a control character in a name": (point("n1", "新药\x07片"), 1, ("point.csv:7",)),
    "a blank without width in a name": (point("n1", "新药\u200b片"), 1, ("point.csv:7",)),
    "a formula behind a blank": (point("n1", " @SUM(A1)"), 1, ("point.csv:7",)),
    "two merges at once": ([edit(ITEM, "p1,male", "<<<<<<< HEAD\np1,male\n=======\np1,female\n>>>>>>> other\np1,male")], 2, ("item.csv: row 2", "合并冲突")),
    "a merge conflict among the exemptions": (
        [edit(EXEMPTION, 'effect = "lower"', '<<<<<<< HEAD\neffect = "lower"\n=======\n>>>>>>> b')], 2, ("exemption.toml", "合并冲突")),
    "a file is lost": ([gone(ITEM)], 2, ("item.csv", "请恢复")),
    "the exemptions are lost": ([gone(EXEMPTION)], 2, ("exemption.toml", "请恢复")),
    "a merge conflict": ([edit(POINT, P1, f"<<<<<<< HEAD\n{P1}\n=======\n>>>>>>> b")], 2, ("point.csv: row 2", "合并冲突")),
    "a quote too many": ([edit(POINT, "妇科千金片", '"妇科千金片')], 2, ("point.csv: row", "引号")),
    "another encoding": ([in_gbk], 2, ("point.csv", "不是 UTF-8")),
}  # fmt: skip
"""What changes, the exit code, and what the summary says of it."""

GOOD: dict[str, Sequence[Change]] = {
    "a new point": point("n1"),
    "a new family": point("n1", code="XB04CBA088A001"),
    "a point ends and another follows": [
        edit(POINT, "p3,drug-child-only,小儿清热颗粒,,,,2025-05-23,,", "p3,drug-child-only,小儿清热颗粒,,,,2025-05-23,2026-04-01,"),
        *point("n1", "小儿清热颗粒", "drug-child-only", limits=",儿童,,,,,", code="ZA01BAX0510010100001"),
    ],
    "a point has one code more": [add(PATTERN, "p3,item,code,ZA01BAX0510010100002,1")],
    "a notice is named otherwise": [edit(POINT, "公告", "关于公布知识点的公告")],
    "a remark": [edit(POINT, P1, P1.replace("2025-05-23,,,", "2025-05-23,,,已核对"))],
    "a name with its form": [edit(POINT, "小儿清热颗粒", "小儿清热颗粒（无糖）")],
    "an exemption by diagnosis": [add(EXEMPTION, exemption("e2", "drug-sex", diagnoses='["N40"]'))],
    "a point on trial": [add(POINT, P1.replace("p1", "n1")[:-1] + "shadow,"), add(ITEM, "n1,male,,,,,,"), add(PATTERN, "n1,item,code,ZG04CBA0880010101467,1")],
    "a place that limits otherwise": point("n1", "小儿清热颗粒", "drug-child-only", limits=",新生儿,,,,,", code="ZA01BAX0510010100001", place=LOCAL),
    "a point of next year": point("n1", start="2027-01-01"),
    "a list that is taken in late ends what it does not name": [
        add(EDITION, NEW_NOTICE), edit(POINT, P2, f"{P2}2026-02-20"), *point("n1", start="2026-02-20")],
    "a list ends a point in the past by naming nothing else": [add(EDITION, NEW_NOTICE), edit(POINT, P2, f"{P2}2026-02-20")],
    "a point ends tomorrow": [edit(POINT, P2, f"{P2}2026-03-02")],
    "a point ends in the past and another follows at once": [
        edit(POINT, P2, f"{P2}2026-01-01"), *point("n1", "妇科千金片", limits="female,,,,,,", code="ZD03AAF0161", start="2026-01-01")],
    "a narrower age follows": [
        edit(POINT, P4, f"{P4}2026-03-01"), *point("n1", "玛巴洛沙韦干混悬剂", "drug-child-limited", limits=",儿童,5-12岁,5,year,13,year",
                                                 code="XJ05AXM176X006010181735", start="2026-03-01")],
    "a new list gives a wider age": [
        add(EDITION, NEW_NOTICE), edit(POINT, P4, f"{P4}2026-02-20"),
        *point("n1", "玛巴洛沙韦干混悬剂", "drug-child-limited", limits=",儿童,2-12岁,2,year,13,year", code="XJ05AXM176X006010181735", start="2026-02-20")],
    "an exemption ends": [edit(EXEMPTION, "valid_from = 2025-05-23", "valid_from = 2025-05-23\nvalid_to = 2026-04-01")],
    "an exemption has a narrower diagnosis": [edit(EXEMPTION, '["I27"]', '["I27.0"]')],
    "an exemption has its evidence in full": [edit(EXEMPTION, '"依据"', '"药品说明书（2025）"')],
    "a list names codes of a family that is counted already": [
        add(EDITION, NEW_NOTICE), edit(PATTERN, "ZD03AAF0161,1", "ZD03AAF0161,2"), edit(POINT, "公告,01,1,01/p2", "公告；第二批,01,2,01/p2; 02/1")],
    "an exemption is named otherwise": [edit(EXEMPTION, '"e1"', '"e9"')],
    "rows in another order": [reordered],
    "line ends of Windows": [with_crlf],
    "blank lines at the end": [add(POINT, "", "")],
    "a point is named otherwise": [edit(POINT, "p3,drug", "n3,drug"), edit(ITEM, "p3,", "n3,"), edit(PATTERN, "p3,", "n3,")],
    "a family of the same drug in another form": point("n1", "注射用人生长激素", code="XH01ACR108B999"),
    "a family whose name was checked": point("n1", "新药片", code="XH01ACR108B001", more=",,前段已核对"),
    "a point in a narrower place beside": point("n1", "爱普列特片", limits="male,,,,,,", code="XG04CBA088A001", place=LOCAL),
    "an exemption in one place": [add(EXEMPTION, exemption("e2", "drug-sex", region='"3708"', region_of='"insured"', diagnoses='["N40"]'))],
    "an example": [add(EXAMPLE, "p2,no_match,ZD03AAF0160010100001")],
}  # fmt: skip


def gate(folder: Path, changes: Sequence[Change]) -> tuple[int, str]:
    """The exit code and all that is said of a change of the small knowledge base."""
    for side in ("base", "now"):
        Kb(examples="p1,match,XG04CBA088A001010101467").write(folder / side / "sources")
    for change in changes:
        change(folder / "now" / "sources")
    words = ("--base", folder / "base", "--sources", "sources", "--as-of", "2026-03-01")
    done = liangku("kb", "ci", *words, cwd=folder / "now")
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("what", BAD)
def test_a_bad_change_is_stopped_and_told_where_it_stands(tmp_path: Path, what: str) -> None:
    changes, exit_code, words = BAD[what]
    code, said = gate(tmp_path, changes)
    assert code == exit_code, said
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize("what", GOOD)
def test_a_sound_change_passes(tmp_path: Path, what: str) -> None:
    code, said = gate(tmp_path, GOOD[what])
    assert (code, "✓ 可以合并" in said) == (0, True), said
