"""`liangku kb import`: what is read, how it meets an edition, what is refused, and that the result is an edition."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from checker.cli import main
from checker.knowledge.merge.merge_decisions import Mode
from checker.knowledge.source import open_knowledge

MAY, JANUARY = date(2025, 5, 23), date(2026, 1, 28)
A1, A2, B1, C1 = (
    "XG04CBA088A001010101467",
    "XG04CBA088A001010201467",
    "XG04CBB099A001010101467",
    "XG04CBC077A001010101467",
)
SEX = "序号,药品通用名,限定性别,检出逻辑,逻辑依据,药品代码"
CHILD = "序号,药品通用名,检出逻辑,逻辑依据,药品代码"


def sex_list(folder: Path, *rows: str, name: str = "药品区分性别使用.csv") -> Path:
    """A list of rows `name,sex,codes`."""
    folder.mkdir(exist_ok=True)
    lines = [SEX]
    for number, row in enumerate(rows, 1):
        item, sex, codes = row.split(",")
        lines.append(f"{number},{item},{sex},与限定性别不符,药品说明书适应症,{codes}")
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def child_list(folder: Path, *rows: str) -> Path:
    """A list of rows `name,window,codes`."""
    folder.mkdir(exist_ok=True)
    lines = [CHILD]
    for number, row in enumerate(rows, 1):
        item, window, codes = row.split(",")
        lines.append(f"{number},{item},参保人年龄超出儿童年龄限制,{window},{codes}")
    path = folder / "药品限儿童使用.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Told:
    """What a command ended with and said."""

    code: int
    out: str
    err: str


def liangku(*arguments: object) -> Told:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main.run([str(argument) for argument in arguments])
    return Told(code, out.getvalue(), err.getvalue())


def kb_import(out: Path, *arguments: object, batch: str = "01", published: date = MAY) -> dict[str, Any]:
    """Import and return the one JSON document that the command prints."""
    told = liangku("kb", "import", *arguments, "--batch", batch, "--published", published, "--out", out, "--json")
    assert (told.code, told.err) == (0, "")
    document: dict[str, Any] = json.loads(told.out)
    return document


def refused(out: Path, *arguments: object) -> str:
    """Import what must be refused with exit code 2 and nothing written; return the message."""
    told = liangku("kb", "import", *arguments, "--out", out)
    assert (told.code, told.out, out.exists()) == (2, "", False), told
    return told.err


OLD = ("--batch", "01", "--published", MAY)
NEW_LIST = ("--batch", "2026-01", "--published", JANUARY)


def points(kb: Path) -> dict[str, tuple[str, date | None, str | None]]:
    return {row.point_id: (row.item_name, row.valid_to, row.level_cap) for row in open_knowledge(kb).points}


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """An edition of two drugs for men, of the first batch."""
    out = tmp_path / "first"
    kb_import(out, sex_list(tmp_path / "01", f"甲片,男,{A1}", f"乙片,男,{B1}"))
    return out


def test_the_result_is_an_edition_that_answers_at_once(first: Path) -> None:
    answer = liangku("check", "--item", A1, "--sex", "女", "--age", "30", "--kb", first, "--json")
    assert answer.code == 1
    (finding,) = json.loads(answer.out)["findings"]
    assert (finding["point_id"], finding["level"], finding["matched_by"]) == ("drug-sex-01-0001", "suspect", "code")
    assert "药品区分性别使用.csv：" in finding["evidence"]
    assert sorted(path.name for path in (first / "sources").iterdir()) == [
        "edition.toml", "exemption.toml", "item.csv", "pattern.csv", "point.csv",
    ]  # fmt: skip


def test_the_document_says_what_was_read_and_changed(first: Path, tmp_path: Path) -> None:
    update = sex_list(tmp_path / "u", f"甲片,男,{A1} {A2}", f"丙片,女,{C1}")
    out = tmp_path / "out"
    told = kb_import(out, update, "--onto", first, "--mode", "demote", batch="2026-01", published=JANUARY)
    assert told["rules"]["drug-sex"] == {
        "items": 2, "codes": 3,
        "new": {"points": 2, "codes": 2}, "went_on": {"points": 1, "codes": 1}, "changed": {"points": 0, "codes": 0},
        "ended": {"points": 0, "codes": 0}, "demoted": {"points": 1, "codes": 1}, "kept": {"points": 0, "codes": 0},
        "kept_by_family": [],
    }  # fmt: skip
    (file,) = told["files"]
    assert (file["name"], file["rule_id"], file["items"], file["codes"], len(file["sha256"])) == (
        update.name, "drug-sex", 2, 3, 64,
    )  # fmt: skip
    assert (told["batch"], told["published"], told["mode"]) == ("2026-01", "2026-01-28", "demote")
    assert told["onto"]["version"] == "01"
    kept = json.loads((out / "import.json").read_text(encoding="utf-8"))
    assert {**told, "out": None, "knowledge": None} == {**kept, "out": None, "knowledge": None}


@pytest.mark.parametrize(
    ("mode", "unlisted"),
    [
        ("replace", {"drug-sex-01-0002": ("乙片", JANUARY, None)}),
        ("patch", {"drug-sex-01-0002": ("乙片", None, None)}),
        ("demote", {"drug-sex-01-0002": ("乙片", JANUARY, None), "drug-sex-01-0002b": ("乙片", None, "notice")}),
    ],
)
def test_each_mode(first: Path, tmp_path: Path, mode: str, unlisted: dict[str, Any]) -> None:
    update, out = sex_list(tmp_path / "u", f"甲片,男,{A1}"), tmp_path / "out"
    kb_import(out, update, "--onto", first, "--mode", mode, batch="2026-01", published=JANUARY)
    assert points(out) == {"drug-sex-01-0001": ("甲片", None, None), **unlisted}


def test_an_overlap_asks_for_a_mode_and_says_what_each_does(first: Path, tmp_path: Path) -> None:
    update = sex_list(tmp_path / "u", f"甲片,男,{A1}")
    told = refused(tmp_path / "out", update, "--onto", first, *NEW_LIST)
    assert "drug-sex：2 个知识点、2 个编码" in told
    for mode in Mode:
        assert mode.value in told
    assert "not_in_2026_list" in told


def test_lists_of_other_rules_or_places_need_no_mode(first: Path, tmp_path: Path) -> None:
    child, local = child_list(tmp_path / "u", f"丙片,限2-11岁,{C1}"), sex_list(tmp_path / "l", f"乙片,女,{B1}")
    kb_import(tmp_path / "a", child, "--onto", first, batch="2026-01", published=JANUARY)
    told = kb_import(
        tmp_path / "b", local, "--onto", tmp_path / "a", "--region", "3708", "--region-of", "insured", "--publisher",
        "某市医疗保障局", "--title", "本市补充清单", batch="jn-1", published=JANUARY,
    )  # fmt: skip
    assert told["knowledge"]["version"] == "01+2026-01+jn-1"
    local_point = next(row for row in open_knowledge(tmp_path / "b").points if row.region)
    assert local_point.point_id == "3708-drug-sex-jn-1-0001"
    assert (local_point.region, local_point.region_of) == ("3708", "insured")
    assert local_point.document == "某市医疗保障局公布的本市补充清单（2026-01-28）"
    notices = open_knowledge(tmp_path / "b").edition.notices
    assert [(notice.batch, notice.publisher) for notice in notices] == [
        ("01", "国家医疗保障局"), ("2026-01", "国家医疗保障局"), ("jn-1", "某市医疗保障局"),
    ]  # fmt: skip


def test_the_same_list_again_changes_nothing(first: Path, tmp_path: Path) -> None:
    told = kb_import(tmp_path / "out", tmp_path / "01" / "药品区分性别使用.csv", "--onto", first)
    assert told["already_in_the_edition"]
    for name in ("point.parquet", "pattern.parquet", "manifest.json", "sources/point.csv", "sources/edition.toml"):
        assert (tmp_path / "out" / name).read_bytes() == (first / name).read_bytes()


def test_a_folder_of_text_is_an_edition_to_start_from(first: Path, tmp_path: Path) -> None:
    update = sex_list(tmp_path / "u", f"甲片,男,{A1}")
    for name, base in (("text", first / "sources"), ("built", first)):
        kb_import(
            tmp_path / name, update, "--onto", base, "--mode", "replace", batch="2026-01", published=JANUARY
        )  # fmt: skip
    text, built = tmp_path / "text", tmp_path / "built"
    assert (text / "sources" / "point.csv").read_bytes() == (built / "sources" / "point.csv").read_bytes()


def test_the_embedded_edition_keeps_its_exemptions_and_other_rules(built: Path, tmp_path: Path) -> None:
    update, out = child_list(tmp_path / "u", "新药片,限2-11岁,XA01AAA001A001010101467"), tmp_path / "out"
    told = kb_import(
        out, update, "--onto", "embedded", "--mode", "replace", batch="2026-07", published=date(2026, 7, 1)
    )
    before, after = open_knowledge(built), open_knowledge(out)
    assert (after.exemptions, after.exemption_items) == (before.exemptions, before.exemption_items)
    others = [row for row in before.points if row.rule_id != "drug-child-limited"]
    assert [row for row in after.points if row.rule_id != "drug-child-limited"] == others
    assert told["rules"]["drug-child-limited"]["ended"]["points"] == 13
    assert told["knowledge"]["version"] == "2026.06+2026-07"


def test_families_are_covered_where_asked_for(tmp_path: Path) -> None:
    kb_import(tmp_path / "out", sex_list(tmp_path / "u", f"甲片,男,{A1} {A2}", f"乙片,男,{B1}"), "--cover", "family")
    patterns = [(row.match, row.code, row.published_codes) for row in open_knowledge(tmp_path / "out").patterns]
    assert patterns == [("family", A1[:14], 2), ("family", B1[:14], 1)]


CLONIDINE = "XN06BAK062A010010180923", "XN06BAK062A010010280923", "XN06BAK062A010010380923"
"""Clonidine for children, which the embedded edition covers by family: two published codes, and a pack that no list has."""
TABLETS, DISPERSIBLE = "XC02KXB144A001010100151", "XC02KXB144A001020178189"
"""Ordinary bosentan tablets, which no rule limits to children, and dispersible ones in the same family."""


def levels(kb: Path, age: int, *codes: str, day: str = "2026-03-02") -> list[str | None]:
    """How a boy or man of that age fares with each code."""
    found = []
    for code in codes:
        answer = liangku("check", "--item", code, "--sex", "男", "--age", age, "--on", day, "--kb", kb, "--json")
        findings = json.loads(answer.out)["findings"]
        found.append(findings[0]["level"] if findings else None)
    return found


def test_one_code_of_a_family_brings_its_limit_to_the_whole_family(built: Path, tmp_path: Path) -> None:
    """Patched with one of its two codes, the other and packs to come are judged on, by the new window."""
    update, out = child_list(tmp_path / "u", f"盐酸可乐定缓释片,限6-15岁,{CLONIDINE[0]}"), tmp_path / "out"
    told = kb_import(out, update, "--onto", "embedded", "--mode", "patch", batch="2026-03", published=date(2026, 3, 1))
    assert told["rules"]["drug-child-limited"]["changed"] == {"points": 1, "codes": 1}
    assert told["taken_families"] == [
        {
            "rule_id": "drug-child-limited", "family": "XN06BAK062A010", "item_name": "盐酸可乐定缓释片",
            "before": "drug-child-limited-01-0010", "point_id": "drug-child-limited-2026-03-0001", "listed": 1, "published": 2,
        }
    ]  # fmt: skip
    assert told["lost_coverage"] == []
    assert levels(built, 16, *CLONIDINE) == [None] * 3
    assert levels(out, 16, *CLONIDINE) == ["definite"] * 3
    assert levels(out, 15, *CLONIDINE) == [None] * 3
    assert levels(out, 40, *CLONIDINE, day="2026-02-28") == ["definite"] * 3


def test_one_code_of_a_family_with_equal_limits_adds_its_row_to_the_point(tmp_path: Path) -> None:
    update, out = child_list(tmp_path / "u", f"盐酸可乐定缓释片,限6-17岁,{CLONIDINE[0]}"), tmp_path / "out"
    kb_import(out, update, "--onto", "embedded", "--mode", "patch", batch="2026-03", published=date(2026, 3, 1))
    (point,) = (row for row in open_knowledge(out).points if row.item_name == "盐酸可乐定缓释片")
    assert (point.point_id, point.valid_to) == ("drug-child-limited-01-0010", None)
    assert point.source_rows.endswith("; 药品限儿童使用.csv：第 2 行")
    assert levels(out, 40, *CLONIDINE) == ["definite"] * 3


def family_base(folder: Path) -> Path:
    """An edition of one drug for men, covered by its family."""
    out = folder / "family"
    kb_import(out, sex_list(folder / "01", f"甲片,男,{A1}"), "--cover", "family")
    return out


def test_coverage_that_would_be_lost_is_asked_for(tmp_path: Path) -> None:
    """The capsule in its family is not limited alike, so that the tablet, limited anew, can keep no more than its listed code."""
    base, out = family_base(tmp_path), tmp_path / "out"
    update = sex_list(tmp_path / "u", f"甲片,女,{A2}", f"乙胶囊,男,{A1[:-1]}9")
    options = "--onto", base, "--mode", "patch"
    told = refused(out, update, *options, *NEW_LIST)
    assert "--allow-lost-coverage" in told
    assert "drug-sex：XG04CBA088A001* 甲片（drug-sex-01-0001，已公布 1 个编码）" in told
    document = kb_import(out, update, *options, "--allow-lost-coverage", batch="2026-01", published=JANUARY)
    assert document["lost_coverage"] == [
        {
            "rule_id": "drug-sex", "point_id": "drug-sex-01-0001", "item_name": "甲片", "match": "family",
            "code": "XG04CBA088A001", "published_codes": 1,
        }
    ]  # fmt: skip
    patterns = {(row.match, row.code) for row in open_knowledge(out).patterns if row.point_id != "drug-sex-01-0001"}
    assert patterns == {("code", A2), ("code", f"{A1[:-1]}9")}
    shown = liangku(
        "kb",
        "import",
        update,
        *options,
        *NEW_LIST,
        "--allow-lost-coverage",
        "--out",
        tmp_path / "again",
        "--lang",
        "zh",
    )
    assert (
        "不再整段覆盖的药品码前段（--allow-lost-coverage）（1）\n  XG04CBA088A001* 甲片（drug-sex-01-0001）"
        in shown.out
    )


def test_a_family_that_the_embedded_edition_knows_to_hold_another_item_is_given_by_exact_codes(tmp_path: Path) -> None:
    update, out = (
        child_list(tmp_path / "u", f"波生坦分散片,限3-12岁,{DISPERSIBLE}", f"丙片,限2-11岁,{C1}"),
        tmp_path / "out",
    )
    told = kb_import(out, update, "--cover", "family")
    assert told["exact_families"] == [
        {
            "rule_id": "drug-child-limited", "family": "XC02KXB144A001", "item_name": "波生坦分散片",
            "point_id": "drug-child-limited-01-0001", "others": [],
        }
    ]  # fmt: skip
    assert levels(out, 40, TABLETS, DISPERSIBLE, f"{C1[:-1]}9") == [None, "definite", "definite"]
    shown = liangku("kb", "import", update, *OLD, "--cover", "family", "--out", tmp_path / "again", "--lang", "en")
    assert "XC02KXB144A001* 波生坦分散片 (limited in several ways, or known to hold another item)" in shown.out


@pytest.mark.parametrize("known_from", ["base", "workbook"])
def test_a_family_in_which_another_rule_has_another_item_is_given_by_exact_codes(
    tmp_path: Path, known_from: str
) -> None:
    other, update = sex_list(tmp_path / "o", f"乙片,男,{A2}"), child_list(tmp_path / "u", f"甲片,限3-12岁,{A1}")
    if known_from == "base":
        kb_import(tmp_path / "base", other)
        given: tuple[object, ...] = (update, "--onto", tmp_path / "base")
    else:
        given = (update, other)
    told = kb_import(tmp_path / "out", *given, "--cover", "family")
    exact = [(each["rule_id"], each["item_name"], each["others"]) for each in told["exact_families"]]
    assert ("drug-child-limited", "甲片", ["乙片"]) in exact
    assert {row.code for row in open_knowledge(tmp_path / "out").patterns} == {A1, A2}


def test_another_number_of_codes_than_expected_names_what_each_file_has(tmp_path: Path) -> None:
    files = sex_list(tmp_path / "u", f"甲片,男,{A1} {A2}"), child_list(tmp_path / "u", f"丙片,限2-11岁,{C1}")
    assert len(kb_import(tmp_path / "right", *files, "--expect", 3)["files"]) == 2
    told = refused(tmp_path / "out", *files, "--expect", 4, *OLD)
    assert "--expect 4：读到 3 个编码，相差 -1" in told
    assert "药品区分性别使用.csv：药品区分性别使用，1 个项目，2 个编码" in told
    assert "药品限儿童使用.csv：药品限儿童使用，1 个项目，1 个编码" in told


def test_a_window_that_is_not_understood_is_never_guessed(tmp_path: Path) -> None:
    update = child_list(tmp_path / "u", f"甲片,限年龄较小者,{A1}", f"丙片,限2-11岁,{C1}")
    told = refused(tmp_path / "out", update, *OLD)
    assert "1 处年龄范围读不懂" in told
    assert "甲片：限年龄较小者" in told
    document = kb_import(tmp_path / "out", update, "--allow-unparsed")
    assert [left["item_name"] for left in document["left_out"]] == ["甲片"]
    assert {name for name, _, _ in points(tmp_path / "out").values()} == {"丙片"}


def test_what_a_left_out_item_names_is_not_ended(tmp_path: Path) -> None:
    kb_import(tmp_path / "first", child_list(tmp_path / "01", f"甲片,限2-11岁,{A1}", f"乙片,限2-11岁,{B1}"))
    update = child_list(tmp_path / "u", f"甲片,限年龄较小者,{A1}", f"丙片,限2-11岁,{C1}")
    kb_import(
        tmp_path / "out", update, "--onto", tmp_path / "first", "--mode", "replace", "--allow-unparsed",
        batch="2026-01", published=JANUARY,
    )  # fmt: skip
    ended = {name: valid_to for name, valid_to, _ in points(tmp_path / "out").values()}
    assert ended == {"甲片": None, "乙片": JANUARY, "丙片": None}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch", "第一批"], "批次只能用字母"),
        (["--region", "3708"], "--region 和 --region-of 应一起给出"),
        (["--region", "济宁", "--region-of", "insured"], "请写行政区划代码"),
        (["--onto", "nowhere"], "nowhere"),
    ],
)
def test_bad_options_are_refused(tmp_path: Path, arguments: list[str], message: str) -> None:
    path = sex_list(tmp_path / "u", f"甲片,男,{A1}")
    assert message in refused(tmp_path / "out", path, *OLD, *arguments)


def test_the_day_of_the_notice_is_asked_for(tmp_path: Path) -> None:
    assert "--published" in refused(tmp_path / "out", sex_list(tmp_path / "u", f"甲片,男,{A1}"))


def test_workbooks_of_two_batches_are_not_mixed(tmp_path: Path) -> None:
    one = sex_list(tmp_path / "u", f"甲片,男,{A1}", name="第一批-药品区分性别使用.csv")
    two = child_list(tmp_path / "u", f"丙片,限2-11岁,{C1}").rename(tmp_path / "u" / "2026年1月更新-药品限儿童使用.csv")
    assert "不同批次" in refused(tmp_path / "out", one, two, "--published", MAY)


def test_a_fault_in_one_file_keeps_all_from_being_imported(tmp_path: Path) -> None:
    good, bad = sex_list(tmp_path / "u", f"甲片,男,{A1}"), child_list(tmp_path / "u", "丙片,限2-11岁,X123")
    assert "X123" in refused(tmp_path / "out", good, bad, *OLD)


def test_equal_imports_give_equal_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1750000000")
    path = sex_list(tmp_path / "u", f"甲片,男,{A1}")
    for name in ("a", "b"):
        kb_import(tmp_path / name, path)
    files = sorted(file.relative_to(tmp_path / "a") for file in (tmp_path / "a").rglob("*") if file.is_file())
    assert {
        file for file in files if (tmp_path / "a" / file).read_bytes() != (tmp_path / "b" / file).read_bytes()
    } == set()
    assert open_knowledge(tmp_path / "a").edition.compiled == "2025-06-15"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_terminal_shows_what_to_sign_off_and_what_to_do_next(first: Path, tmp_path: Path, language: str) -> None:
    update = [
        sex_list(tmp_path / "u", f"甲片,男,{A1}"),
        child_list(tmp_path / "u", f"丙[复方]片,限2-11岁,{C1}"),
    ]
    told = liangku(
        "kb", "import", *update, *NEW_LIST, "--onto", first, "--mode", "replace", "--out", tmp_path / "out", "--lang", language
    )  # fmt: skip
    assert (told.code, told.err) == (0, "")
    assert "丙[复方]片" in told.out
    assert ("2 岁 ≤ 年龄 < 12 岁" if language == "zh" else "2 years ≤ age < 12 years") in told.out
    assert "1 / 1" in told.out
    assert f"liangku kb check --kb {tmp_path / 'out'}" in told.out
    assert f"liangku kb diff {first} {tmp_path / 'out'}" in told.out


# ------------------------------------------------------------------------- The published workbooks

FIRST = {
    "drug-sex": (481, 6472), "service-sex": (390, 390), "drug-child-only": (271, 4370), "drug-child-limited": (11, 28),
    "service-child-only": (30, 30),
}  # fmt: skip
UPDATE = {"drug-sex": (159, 2558), "drug-child-only": (95, 2057), "drug-child-limited": (13, 37)}
NEW = {"drug-sex": (42, 118), "drug-child-only": (27, 71), "drug-child-limited": (7, 17)}
WENT_ON = {"drug-sex": (156, 2440), "drug-child-only": (96, 1986), "drug-child-limited": (9, 20)}
UNLISTED = {"drug-sex": (326, 4018), "drug-child-only": (175, 2378), "drug-child-limited": (3, 8)}
BY_FAMILY = {"drug-sex": 14, "drug-child-only": 6, "drug-child-limited": 0}


@pytest.fixture(scope="module")
def sheets(published_folder: Path) -> Path:
    folder = published_folder / "sheets"
    if not any(folder.glob("第一批*.xlsx")):
        pytest.skip("the published workbooks do not lie in ../shared/nhsa/sheets beside this checkout")
    return folder


@pytest.fixture(scope="module")
def imported(sheets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("imported") / "first"
    kb_import(out, *sheets.glob("第一批*.xlsx"), "--expect", 11290)
    return out


def test_the_first_batch_has_its_published_counts_and_footnotes(imported: Path) -> None:
    told = json.loads((imported / "import.json").read_text(encoding="utf-8"))
    assert {file["rule_id"]: (file["items"], file["codes"]) for file in told["files"]} == FIRST
    assert {rule: (change["new"]["points"], change["new"]["codes"]) for rule, change in told["rules"].items()} == FIRST
    assert len(told["notes"]) == 4
    assert sum("不纳入此规则范畴" in note["text"] for note in told["notes"]) == 1
    assert open_knowledge(imported).exemptions == ()
    assert len(told["windows"]) == 6
    assert all(window["bounds"] for window in told["windows"])


def test_the_first_batch_by_family_covers_what_the_embedded_edition_covers(
    sheets: Path, built: Path, tmp_path: Path
) -> None:
    told = kb_import(tmp_path / "out", *sheets.glob("第一批*.xlsx"), "--cover", "family")
    assert [(each["family"], each["item_name"]) for each in told["exact_families"]] == [
        ("XC02KXB144A001", "波生坦分散片")
    ]

    def covered(kb: Path) -> set[tuple[str, str, str]]:
        knowledge = open_knowledge(kb)
        rules = {row.point_id: row.rule_id for row in knowledge.points if row.batch == "01"}
        return {(rules[row.point_id], row.match, row.code) for row in knowledge.patterns if row.point_id in rules}

    assert covered(tmp_path / "out") == covered(built)
    assert levels(tmp_path / "out", 40, TABLETS, DISPERSIBLE, day="2025-12-01") == [None, "definite"]


@pytest.mark.parametrize("mode", ["replace", "patch", "demote"])
def test_the_update_in_each_mode(imported: Path, sheets: Path, tmp_path: Path, mode: str) -> None:
    told = kb_import(
        tmp_path / "out", *sheets.glob("*更新*.xlsx"), "--onto", imported, "--mode", mode, "--expect", 4652,
        batch="2026-01", published=JANUARY,
    )  # fmt: skip

    def counts(kind: str) -> dict[str, tuple[int, int]]:
        return {rule: (change[kind]["points"], change[kind]["codes"]) for rule, change in told["rules"].items()}

    assert {rule: (change["items"], change["codes"]) for rule, change in told["rules"].items()} == UPDATE
    assert (counts("new"), counts("went_on")) == (NEW, WENT_ON)
    nothing = dict.fromkeys(UPDATE, (0, 0))
    fate = {"replace": "ended", "patch": "kept", "demote": "demoted"}[mode]
    assert {kind: counts(kind) for kind in ("ended", "kept", "demoted", "changed")} == {
        **dict.fromkeys(("ended", "kept", "demoted", "changed"), nothing), fate: UNLISTED
    }  # fmt: skip
    assert {rule: len(change["kept_by_family"]) for rule, change in told["rules"].items()} == BY_FAMILY
    for rule, (_, codes) in WENT_ON.items():
        assert FIRST[rule][1] == codes + UNLISTED[rule][1] + BY_FAMILY[rule]
