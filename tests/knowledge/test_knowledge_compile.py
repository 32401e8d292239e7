"""How published facts become points and patterns, on facts small enough to be seen."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from checker.knowledge.compile_batch import compile_edition, main
from checker.knowledge.compiled_facts import CompiledFacts
from checker.knowledge.frames import csv_text, frame_of, point_tables
from checker.knowledge.published import Limits, PublishedItem, document_of, read_published
from checker.knowledge.rows import PatternRow, PointRow
from checker.model.errors import KnowledgeError

from .conftest import in_english

MAY, JANUARY = date(2025, 5, 23), date(2026, 1, 28)
RULE_CODES = {
    "药品区分性别使用": "GZ10000301004000",
    "药品儿童专用": "GZ10000301002000",
    "药品限儿童使用": "GZ10000101007000",
    "医疗服务项目区分性别使用": "GZ10000302004000",
}
A1, A2, B1 = "XG04CBA088A001010101467", "XG04CBA088A001010201467", "XG04CBB099A001010101467"
"""Two codes of one family, and one of another."""


def published(
    batch: str,
    rule: str,
    seq: int,
    name: str,
    *codes: str,
    sex: str | None = None,
    word: str | None = None,
    text: str | None = None,
    subject: str | None = None,
) -> PublishedItem:
    day = {"01": MAY, "2026-01": JANUARY}.get(batch, date(2026, 6, 1))
    limits, place = Limits(sex, word, text, subject), f"{batch}/{rule}/{seq}"
    document = document_of(batch, day)
    return PublishedItem(batch, day, rule, RULE_CODES.get(rule), seq, name, limits, codes, document, place)


def rows(*items: PublishedItem) -> list[tuple[str, date, date | None, str | None, list[str]]]:
    compiled = compile_edition(items)
    return [
        (
            point.point_id,
            point.valid_from,
            point.valid_to,
            point.level_cap,
            [pattern.code for pattern in compiled.patterns if pattern.point_id == point.point_id],
        )
        for point in compiled.points
    ]


def sex_drug(batch: str, seq: int, name: str, *codes: str, sex: str = "男") -> PublishedItem:
    return published(batch, "药品区分性别使用", seq, name, *codes, sex=sex)


def child_drug(batch: str, seq: int, name: str, *codes: str, subject: str = "参保人") -> PublishedItem:
    return published(batch, "药品儿童专用", seq, name, *codes, word="儿童", subject=subject)


def limited_drug(batch: str, seq: int, name: str, *codes: str, text: str | None = None) -> PublishedItem:
    return published(batch, "药品限儿童使用", seq, name, *codes, word="儿童", text=text, subject="参保人")


def test_a_relisted_family_with_equal_limits_is_one_continuous_point() -> None:
    compiled = compile_edition([sex_drug("01", 3, "甲片", A1), sex_drug("2026-01", 7, "甲片", A1, A2)])
    (point,), (pattern,) = compiled.points, compiled.patterns
    assert (point.point_id, point.valid_from, point.valid_to, point.level_cap) == ("drug-sex-01-0003", MAY, None, None)
    assert point.source_rows == "01/药品区分性别使用/3; 2026-01/药品区分性别使用/7"
    assert "2025-05-23" in point.document
    assert "2026-01-28" in point.document
    assert (point.published_codes, pattern) == (2, PatternRow("drug-sex-01-0003", "item", "family", A1[:14], 2))


def test_a_reasonable_use_family_that_is_not_relisted_goes_on_at_notice() -> None:
    compiled = compile_edition([sex_drug("01", 3, "甲片", A1), sex_drug("2026-01", 1, "乙片", B1)])
    full, capped = (point for point in compiled.points if point.item_name == "甲片")
    assert (full.point_id, full.valid_to, full.level_cap, full.remark) == ("drug-sex-01-0003", JANUARY, None, None)
    assert (capped.point_id, capped.valid_from, capped.valid_to) == ("drug-sex-01-0003b", JANUARY, None)
    assert (capped.level_cap, capped.remark) == ("notice", "not_in_2026_list")
    assert (full.superseded_by, capped.superseded_by) == (capped.point_id, None)


def test_a_policy_family_that_is_not_relisted_ends() -> None:
    assert rows(limited_drug("01", 1, "甲片", A1), limited_drug("2026-01", 1, "乙片", B1)) == [
        ("drug-child-limited-01-0001", MAY, JANUARY, None, [A1[:14]]),
        ("drug-child-limited-2026-01-0001", JANUARY, None, None, [B1[:14]]),
    ]


def test_a_service_that_no_update_concerns_stays() -> None:
    service = published("01", "医疗服务项目区分性别使用", 15, "精液常规检查", "002501040040000", sex="男")
    assert rows(service, sex_drug("2026-01", 1, "乙片", B1))[-1] == (
        "service-sex-01-0015", MAY, None, None, ["002501040040000"]
    )  # fmt: skip


def test_changed_limits_end_the_old_point_and_begin_a_new_one_the_same_day() -> None:
    old, new = child_drug("01", 5, "甲片", A1, subject="就诊人"), child_drug("2026-01", 4, "甲片", A1)
    assert rows(old, new) == [
        ("drug-child-only-01-0005", MAY, JANUARY, None, [A1[:14]]),
        ("drug-child-only-2026-01-0004", JANUARY, None, None, [A1[:14]]),
    ]


def test_a_family_that_holds_an_item_which_the_rule_does_not_limit_becomes_exact_codes_in_every_batch() -> None:
    other = published("17", "药品限适应症", 1, "乙分散片", A2)
    assert rows(sex_drug("01", 1, "甲片", A1), sex_drug("2026-01", 1, "甲片", A1, A1[:-1] + "9"), other) == [
        ("drug-sex-01-0001", MAY, None, None, [A1]),
        ("drug-sex-2026-01-0001", JANUARY, None, None, [A1[:-1] + "9"]),
    ]


def test_a_family_of_items_that_the_rule_limits_alike_stands_whatever_other_rules_say_of_them() -> None:
    fever = "ZA01BAX0512010100001", "ZA01BAX0512010100002"
    elsewhere = published("17", "药品限适应症", 1, "小儿退热口服液", fever[1])
    items = [child_drug("01", 69, "小儿退热合剂", fever[0]), child_drug("01", 70, "小儿退热口服液", fever[1])]
    assert rows(*items, elsewhere) == [
        ("drug-child-only-01-0069", MAY, None, None, ["ZA01BAX0512"]),
        ("drug-child-only-01-0070", MAY, None, None, ["ZA01BAX0512"]),
    ]
    assert rows(items[0], elsewhere) == [("drug-child-only-01-0069", MAY, None, None, [fever[0]])]


def test_a_family_of_items_that_the_rule_limits_otherwise_becomes_exact_codes() -> None:
    items = [child_drug("01", 1, "甲合剂", A1), child_drug("01", 2, "乙口服液", A2, subject="就诊人")]
    assert [row[4] for row in rows(*items)] == [[A1], [A2]]
    # Alike at first, and from the update on no longer: exact codes in both.
    items = [sex_drug("01", 1, "甲片", A1), sex_drug("01", 2, "乙片", A2), sex_drug("2026-01", 1, "甲片", A1, sex="女")]
    assert [row[4] for row in rows(*items)] == [[A1], [A2], [A2], [A1]]


def test_a_family_whose_items_change_together_stands() -> None:
    before = [sex_drug("01", 1, "甲片", A1), sex_drug("01", 2, "乙片", A2)]
    after = [sex_drug("2026-01", 1, "甲片", A1, sex="女"), sex_drug("2026-01", 2, "乙片", A2, sex="女")]
    assert {(row[1], row[2], *row[4]) for row in rows(*before, *after)} == {
        (MAY, JANUARY, A1[:14]),
        (JANUARY, None, A1[:14]),
    }


def test_parentheses_do_not_make_another_item() -> None:
    same = published("17", "药品限适应症", 1, "甲片（薄膜衣）", A2)
    assert rows(sex_drug("01", 1, "甲片", A1), sex_drug("2026-01", 1, "甲片(Ⅱ)", A1), same) == [
        ("drug-sex-01-0001", MAY, None, None, [A1[:14]])
    ]


def test_an_item_whose_families_fare_differently_becomes_several_rows() -> None:
    assert rows(sex_drug("01", 9, "甲片", A1, B1), sex_drug("2026-01", 1, "甲片", A1)) == [
        ("drug-sex-01-0009", MAY, None, None, [A1[:14]]),
        ("drug-sex-01-0009b", JANUARY, None, "notice", [B1[:14]]),
        ("drug-sex-01-0009c", MAY, JANUARY, None, [B1[:14]]),
    ]


def test_a_family_of_two_rows_of_one_item_is_listed_when_either_is() -> None:
    items = [sex_drug("01", 1, "甲丸", A1), sex_drug("01", 2, "甲丸(浓缩丸)", A2), sex_drug("2026-01", 1, "甲丸", A1)]
    assert [row[:4] for row in rows(*items)] == [
        ("drug-sex-01-0001", MAY, None, None),
        ("drug-sex-01-0002", MAY, None, None),
    ]


def test_a_code_that_moves_to_a_second_row_of_its_item_is_counted_once() -> None:
    items = [
        sex_drug("01", 1, "甲丸", A1),
        sex_drug("01", 2, "甲丸(浓缩丸)", A2),
        sex_drug("2026-01", 1, "甲丸", A1, A2),
    ]
    assert [point.published_codes for point in compile_edition(items).points] == [1, 1]


def test_an_exact_code_relisted_under_another_name_goes_on_under_its_first() -> None:
    items = [
        child_drug("01", 1, "甲合剂", A1),
        child_drug("01", 2, "乙口服液", A2),
        child_drug("2026-01", 1, "乙口服液", A1, A2),
        published("17", "药品限适应症", 1, "丙片", A1[:-1] + "9"),
    ]
    compiled = compile_edition(items)
    assert [(point.point_id, point.valid_to) for point in compiled.points] == [
        ("drug-child-only-01-0001", None),
        ("drug-child-only-01-0002", None),
    ]
    assert compiled.points[0].source_rows == "01/药品儿童专用/1; 2026-01/药品儿童专用/1"


def test_the_order_of_the_facts_does_not_matter() -> None:
    items = [
        sex_drug("01", 9, "甲片", A1, B1),
        sex_drug("2026-01", 1, "甲片", A1, A2),
        limited_drug("01", 1, "丙片", "XA06ADF336P001010100233", text="2-11岁"),
        limited_drug("2026-01", 1, "丁片", "XC02KXB144A006010103973", text=">=3岁"),
    ]
    assert compile_edition(items) == compile_edition(items[::-1])


def test_an_unknown_wording_of_an_age_window_is_named() -> None:
    with pytest.raises(KnowledgeError, match=r"01/药品限儿童使用/1: found limit_age_window '两岁'"):
        compile_edition([limited_drug("01", 1, "甲片", A1, text="两岁")])


def test_a_rule_code_that_is_not_the_rules_is_named() -> None:
    limits = Limits(None, "儿童", None, None)
    wrong = PublishedItem("01", MAY, "药品儿童专用", "GZ0", 1, "甲片", limits, (A1,), "公告", "01/药品儿童专用/1")
    with pytest.raises(KnowledgeError, match=r"01/药品儿童专用/1: found rule_code 'GZ0'; expected GZ10000301002000"):
        compile_edition([wrong])


POINTS = (
    "batch,published,rule_code,rule,seq,item_name,limit_sex,limit_age_word,limit_age_window,subject,detect_logic,"
    "limit_text,n_codes\n"
    "01,2025-05-23,GZ10000301004000,药品区分性别使用,3,甲片,男,,,,与限定性别不符,,1\n"
)
CODES = f"batch,rule,seq,code\n01,药品区分性别使用,3,{A1}\n"


@pytest.mark.parametrize(
    ("points", "codes", "message"),
    [
        (POINTS.replace(",1\n", ",2\n"), CODES, "points.csv: row 2, column n_codes: found '2'; codes.csv lists 1"),
        (POINTS.replace(",3,", ",三,"), CODES, "points.csv: row 2, column seq: found '三'; write a whole number"),
        (POINTS, CODES + "01,药品区分性别使用,4," + B1, "codes.csv: row 3, column seq: found '4'; points.csv has no"),
        (
            POINTS,
            CODES.replace(A1, A1[:-1]),
            f"codes.csv: row 2, column code: found '{A1[:-1]}'; write a full national code",
        ),
        (POINTS.replace("seq,", "no,"), CODES, "points.csv: row 1: the column seq is missing; add it"),
        (POINTS + POINTS.splitlines()[1], CODES, "points.csv: row 3, column seq: found '3'; an earlier row"),
    ],
)
def test_a_fault_in_the_published_facts_is_named(tmp_path: Path, points: str, codes: str, message: str) -> None:
    (tmp_path / "points.csv").write_text(points, encoding="utf-8")
    (tmp_path / "codes.csv").write_text(codes, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        read_published(tmp_path / "points.csv", tmp_path / "codes.csv")
    assert message in in_english(caught.value)


def test_the_command_writes_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "points.csv").write_text(POINTS, encoding="utf-8-sig")
    (tmp_path / "codes.csv").write_text(CODES, encoding="utf-8")
    arguments = ["--points", f"{tmp_path}/points.csv", "--codes", f"{tmp_path}/codes.csv", "--out", f"{tmp_path}/out"]
    assert main(arguments) == 0
    assert "1 points, 1 patterns" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["item.csv", "pattern.csv", "point.csv"]


def test_the_command_names_a_missing_file_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--points", f"{tmp_path}/no.csv", "--codes", f"{tmp_path}/no.csv", "--out", f"{tmp_path}/out"])
    assert caught.value.code == 2
    assert "no.csv: 缺少这个文件，请补上（the file is missing" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_committed_sources_are_what_the_published_facts_compile_to(
    published: list[PublishedItem], compiled_facts: CompiledFacts, source_folder: Path
) -> None:
    compiled = compile_edition(published, compiled_facts)
    assert compiled.left_out == ()
    tables = point_tables(frame_of(compiled.points, PointRow))
    assert list(tables) == ["point", "item", "companion", "terms", "quota", "pair", "evidence"]
    for name, table in tables.items():
        assert (source_folder / f"{name}.csv").read_text(encoding="utf-8") == csv_text(table)
    assert (source_folder / "pattern.csv").read_text(encoding="utf-8") == csv_text(
        frame_of(compiled.patterns, PatternRow)
    )
