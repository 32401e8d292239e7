"""What is written and cannot be read is told: the line is rejected, or its column is counted with an example."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from checker.ingest.personal import HIDDEN, example, masked, shown_headers
from tests.commands import liangku

HEADER = "费用明细流水号,费用发生日期,国标代码,数量,金额,性别,有效标志,退费标志,自费标志"
DRUG = "XG04CBA088A001010101467"


def scanned(tmp_path: Path, *rows: str) -> tuple[str, Path]:
    file, out = tmp_path / "in.csv", tmp_path / "out"
    file.write_text("\n".join((HEADER, *rows, "")), encoding="utf-8")
    done = liangku("scan", file, "--out", out, "--lang", "en", "--max-rejects", "100%")
    assert done.returncode == 1, done.stderr
    return done.stdout, out


@pytest.mark.parametrize(
    ("flags", "column", "why"),
    [("也许,0", "有效标志", "有效标志无法识别"), ("1,退?", "退费标志", "退费标志无法识别")],
)
def test_a_line_whose_void_or_refund_flag_cannot_be_read_accuses_nobody(tmp_path, flags, column, why):
    told, out = scanned(tmp_path, f"1,2026-03-01,{DRUG},1,5,女,{flags},0", f"2,2026-03-01,{DRUG},1,5,女,1,0,0")
    assert pl.read_parquet(out / "findings.parquet")["line_id"].to_list() == ["2"]
    rejects = pl.read_parquet(out / "rejects.parquet").select("record", "column", "value", "why").rows()
    assert rejects == [(1, column, flags.replace("1,", "").replace(",0", ""), why)]
    assert "2 lines read = 1 judged + 0 skipped + 1 rejected" in told


def test_a_line_whose_settlement_has_an_unreadable_refund_flag_accuses_nobody(tmp_path):
    rows = [
        f"{n},{setl},2026-03-01,{DRUG},1,5,女,{own}" for n, (setl, own) in enumerate((("A", ""), ("A", "0"), ("B", "")))
    ]
    (tmp_path / "in.csv").write_text(
        "\n".join(("费用明细流水号,结算ID,费用发生日期,国标代码,数量,金额,性别,退费标志", *rows, "")), "utf-8"
    )
    (tmp_path / "setl.csv").write_text("结算ID,退费标志\nA,退?\nB,0\nB,?\n", encoding="utf-8")
    out = tmp_path / "out"
    done = liangku(
        "scan", tmp_path / "in.csv", "--settlements", tmp_path / "setl.csv", "--out", out, "--max-rejects", "100%"
    )
    assert done.returncode == 1, done.stderr
    assert pl.read_parquet(out / "findings.parquet")["line_id"].to_list() == ["1", "2"]
    rejects = pl.read_parquet(out / "rejects.parquet").select("record", "column", "value", "why").rows()
    assert rejects == [(1, "结算ID", "A", "所属结算的退费标志无法识别")]
    assert json.loads((out / "run.json").read_text("utf-8"))["lines"]["rejected"]["refund_flag"] == 1


def test_a_line_whose_settlement_may_be_void_accuses_nobody(tmp_path):
    rows = [
        f"{n},{setl},2026-03-01,{DRUG},1,5,女,{own}"
        for n, (setl, own) in enumerate((("A", ""), ("A", "1"), ("B", ""), ("C", "")))
    ]
    (tmp_path / "in.csv").write_text(
        "\n".join(("费用明细流水号,结算ID,费用发生日期,国标代码,数量,金额,性别,有效标志", *rows, "")), "utf-8"
    )
    (tmp_path / "setl.csv").write_text("结算ID,有效标志\nA,作?\nA,0\nB,1\nB,作?\nC,\n", encoding="utf-8")
    (tmp_path / "visit.csv").write_text("就诊ID,有效标志\nV,作?\n", encoding="utf-8")
    out = tmp_path / "out"
    tables = ("--settlements", tmp_path / "setl.csv", "--visits", tmp_path / "visit.csv")
    done = liangku("scan", tmp_path / "in.csv", *tables, "--out", out, "--max-rejects", "100%")
    assert done.returncode == 1, done.stderr
    assert pl.read_parquet(out / "findings.parquet")["line_id"].to_list() == ["1", "2", "3"]
    rejects = pl.read_parquet(out / "rejects.parquet").select("record", "column", "value", "why").rows()
    assert rejects == [(1, "结算ID", "A", "所属结算的有效标志无法识别")]
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert (run["lines"]["rejected"]["valid_flag"], run["unreadable"]) == (
        1, [{"header": "有效标志", "lines": 3, "example": "作?"}],
    )  # fmt: skip


def test_what_may_be_a_refund_accuses_nobody(tmp_path):
    _, out = scanned(tmp_path, f"1,2026-03-01,{DRUG},,-5.x,女,1,0,0", f"2,2026-03-01,{DRUG},,5,女,1,0,0")
    assert pl.read_parquet(out / "findings.parquet")["line_id"].to_list() == ["2"]
    rejects = pl.read_parquet(out / "rejects.parquet").select("record", "column", "value", "why").rows()
    assert rejects == [(1, "金额", "-5.x", "金额无法识别，也没有数量，可能是退费")]


def test_amounts_and_flags_that_cannot_be_read_are_counted_with_an_example(tmp_path):
    told, out = scanned(
        tmp_path,
        f"1,2026-03-01,{DRUG},1,abc,女,1,0,0",
        f"2,2026-03-01,{DRUG},1,x-y,女,1,0,perhaps",
        f"3,2026-03-01,{DRUG},1,\\N,女,1,0,0",
    )
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["unreadable"] == [
        {"header": "金额", "lines": 2, "example": "abc"},
        {"header": "自费标志", "lines": 1, "example": "perhaps"},
    ]
    assert "2 values of the column 金额 cannot be read, such as abc" in told
    assert pl.read_parquet(out / "findings.parquet").height == 3


def test_a_care_type_may_be_a_word_and_an_unknown_one_is_told(tmp_path):
    rows = [f"{number},S{number},2026-03-01,{DRUG},1,5,{own}" for number, own in enumerate(("", "", "体检", "住院"))]
    (tmp_path / "in.csv").write_text(
        "\n".join(("流水号,结算ID,费用发生日期,国标代码,数量,金额,医疗类别", *rows, "")), "utf-8"
    )
    types = ("定点药店购药（个账）", "41-药店", "2101", "购药")
    headers = "".join(f"S{number},{kind},女\n" for number, kind in enumerate(types))
    (tmp_path / "setl.csv").write_text(f"结算ID,医疗类别,性别\n{headers}", encoding="utf-8")
    out = tmp_path / "out"
    assert liangku("scan", tmp_path / "in.csv", "--settlements", tmp_path / "setl.csv", "--out", out).returncode == 1
    found = pl.read_parquet(out / "findings.parquet").sort("line_id")["remarks"].to_list()
    # Only in a pharmacy the person of a settlement is who paid.
    assert found == [["family_account"], ["family_account"], [], []]
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["unreadable"] == [{"header": "医疗类别", "lines": 1, "example": "体检"}]


def test_a_table_of_numbers_has_nothing_that_cannot_be_read(tmp_path):
    out = tmp_path / "out"
    frame = {"line_id": [1.0, 2.0], "fee_ocur_time": ["2026-03-01"] * 2, "med_list_codg": [DRUG] * 2, "cnt": [1.0, float("nan")],
             "det_item_fee_sumamt": [5.0, None], "gend": [2.0, float("nan")], "vali_flag": [1.0, None]}  # fmt: skip
    pl.DataFrame(frame).write_parquet(tmp_path / "in.parquet")
    done = liangku("scan", tmp_path / "in.parquet", "--out", out)
    assert done.returncode == 1, done.stderr
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["unreadable"] == []
    found = pl.read_parquet(out / "findings.parquet").sort("line_id")
    assert found.select("line_id", "verdict").rows() == [("1", "violation"), ("2", "undetermined")]


def test_a_line_of_another_person_is_neither_a_duplicate_nor_a_refund(tmp_path):
    header = "line_id,mdtrt_id,fee_ocur_time,med_list_codg,cnt,det_item_fee_sumamt,psn_no,gend"
    rows = (
        f"1,V1,2026-03-01,{DRUG},1,5,PA,2",
        f"1,V1,2026-03-01,{DRUG},1,5,PB,2",
        f"1,V1,2026-03-01,{DRUG},1,5,PB,1",
        f"2,V1,2026-03-01,{DRUG},-1,-5,PB,2",
    )
    (tmp_path / "in.csv").write_text("\n".join((header, *rows, "")), encoding="utf-8")
    assert liangku("scan", tmp_path / "in.csv", "--out", tmp_path / "out").returncode == 1
    found = pl.read_parquet(tmp_path / "out" / "findings.parquet")
    assert found.select("patient_id", "quantity", "remarks").rows() == [("PA", 1.0, [])]


def test_lines_of_two_settlements_without_a_visit_are_two(tmp_path):
    rows = (f"{settlement},1,{DRUG},2026-03-01,1,35.5" for settlement in ("S1", "S2"))
    (tmp_path / "in.csv").write_text(
        "\n".join(("setl_id,feedetl_sn,med_list_codg,fee_ocur_time,cnt,sumamt", *rows, "")), encoding="utf-8"
    )
    (tmp_path / "setl.csv").write_text("setl_id,psn_no,gend\nS1,P1,1\nS2,P2,2\n", encoding="utf-8")
    done = liangku("scan", tmp_path / "in.csv", "--settlements", tmp_path / "setl.csv", "--out", tmp_path / "out")
    assert done.returncode == 1, done.stderr
    assert pl.read_parquet(tmp_path / "out" / "findings.parquet")["settlement_id"].to_list() == ["S2"]


REVERSALS = [
    (("1,-10,1",), None), (("1,-10,作废?",), []), (("1,-5元多,1",), ["partly_reversed"]),
    (("1,-9,1", "1,-10,1"), ["partly_reversed"]),
]  # fmt: skip
"""Flag, amount and validity of the settlements that reverse one, and what is remarked of its line where that is still found."""


@pytest.fixture(scope="module")
def remarked(tmp_path_factory):
    """The remarks on each line that is found, of each of these settlements one."""
    folder = tmp_path_factory.mktemp("reversals")
    lines = [f"S{place},{place},{DRUG},2026-03-01,1,10" for place in range(len(REVERSALS))]
    text = "\n".join(("setl_id,feedetl_sn,med_list_codg,fee_ocur_time,cnt,sumamt", *lines, ""))
    (folder / "in.csv").write_text(text, encoding="utf-8")
    rows = ["setl_id,gend,init_setl_id,refd_setl_flag,medfee_sumamt,vali_flag"]
    for place, (reversals, _) in enumerate(REVERSALS):
        rows += [f"S{place},2,,0,10,1", *(f"T{place},2,S{place},{reversal}" for reversal in reversals)]
    (folder / "setl.csv").write_text("\n".join((*rows, "")), encoding="utf-8")
    done = liangku("scan", folder / "in.csv", "--settlements", folder / "setl.csv", "--out", folder / "out")
    assert done.returncode == 1, done.stderr
    return dict(pl.read_parquet(folder / "out" / "findings.parquet").select("line_id", "remarks").iter_rows())


@pytest.mark.parametrize("place", range(len(REVERSALS)))
def test_a_reversal_that_cannot_be_read_makes_nothing_vanish(remarked, place):
    assert remarked.get(str(place)) == REVERSALS[place][1]


def test_lines_of_different_ages_are_not_one(tmp_path):
    rows = "".join(f"1,V1,{age},2026-03-01,XN05CDM084X001010102000,1,10\n" for age in (5, 40))
    (tmp_path / "in.csv").write_text(f"流水号,门诊号,年龄,费用发生日期,国标代码,数量,金额\n{rows}", encoding="utf-8")
    assert liangku("scan", tmp_path / "in.csv", "--out", tmp_path / "out").returncode == 1
    assert pl.read_parquet(tmp_path / "out" / "findings.parquet")["actual"].to_list() == ["40 岁"]


def test_words_and_times_that_stand_for_nothing_lend_nothing(tmp_path):
    births = [
        datetime(2015, 1, 1),
        datetime(1970, 1, 1, 8),
        datetime(2099, 12, 31),
        datetime(1753, 1, 1),
        datetime(1970, 1, 1),
    ]
    frame = {"line_id": [str(number) for number in range(5)], "mdtrt_id": ["无", "—", "空", "未知", "V1"], "brdy": births,
             "fee_ocur_time": ["2026-03-01"] * 5, "med_list_codg": ["XN05CDM084X001010102000"] * 5, "cnt": ["1盒"] * 5}  # fmt: skip
    pl.DataFrame(frame).write_parquet(tmp_path / "in.parquet")
    (tmp_path / "visits.csv").write_text("mdtrt_id,age\n无,40\n—,40\n空,40\n未知,40\nV1,\n", encoding="utf-8")
    out = tmp_path / "out"
    assert liangku("scan", tmp_path / "in.parquet", "--visits", tmp_path / "visits.csv", "--out", out).returncode == 1
    found = pl.read_parquet(out / "findings.parquet").sort("line_id")
    assert found.select("line_id", "reason_code", "actual").rows() == [
        ("1", "header_missing", "不明"), ("2", "header_missing", "不明"), ("3", "header_missing", "不明"), ("4", None, "56 岁"),
    ]  # fmt: skip


PRIVATE = (
    "110101199005010048", "11010119900501004X", "110101900501004", "110101-19900501-0048", "１１０１０１１９９００５０１００４８", "110101199005010000",
    "1.10101199005010E+17", "13800138000", "欧阳震华", "司马光",
)  # fmt: skip


def test_a_person_in_a_wrong_column_is_named_nowhere(tmp_path):
    columns = {
        "费用明细流水号": "", "费用发生日期": "2026-03-01", "国标代码": DRUG, "数量": "1", "金额": "5", "性别": "女", "年龄": "35", "出生日期": "1990-05-01",
        "新生儿标志": "0", "自费标志": "0", "医保范围金额": "5", "身份证号": "", "结算ID": "S", "备注": "x", "机构编码": "H",
    }  # fmt: skip
    file, out, told = tmp_path / "in.csv", tmp_path / "out", ""
    for shift in range(2):
        rows = [{**columns, "费用明细流水号": f"L{number}"} for number in range(100)]
        for number, column in enumerate([*columns][:-1]):
            rows[number][column] = PRIVATE[(number + 5 * shift) % len(PRIVATE)]
        rows[50]["机构编码"] = PRIVATE[shift]
        lines = [",".join(cells) for cells in (columns, *(row.values() for row in rows))]
        file.write_text("\n".join((*lines, "")), encoding="utf-8")
        done = liangku("scan", file, "--out", out, "--force", "--max-rejects", "100%")
        assert done.returncode == 1, done.stderr
        told += done.stdout + (out / "run.json").read_text(encoding="utf-8")
        told += liangku("inspect", file).stdout + liangku("inspect", file, "--json").stdout
    assert [value for value in PRIVATE if value in told] == []
    assert not re.search("19900501|１９９００５０１|900501004", told)
    assert "110101********0048" in told


def test_names_are_hidden_where_a_text_is_one_or_calls_one_so():
    for name in ("张伟", "张 伟", "张　小明", "张 小 明", "欧阳 修"):
        assert example(name) == HIDDEN, name
        assert example(f"姓名：{name}").endswith(f"：{HIDDEN}"), name
    for text in (
        "患者张伟，女",
        "病人：张伟，女",
        "患儿 张伟，女",
        "患者姓名：张 伟，女",
        "姓名:Zhang Wei，女",
        "姓名：阿依古丽，女",
    ):
        shown = example(text)
        assert (HIDDEN in shown, shown[-2:]) == (True, "，女"), text
        assert not set("张伟Z阿丽") & set(shown), text
    for plain in ("患者年龄", "患者高血压", "患者金额", "注射用人生长激素", "王 不留行", "姓名"):
        assert example(plain) == plain
    # Of headers none is a name, unless a line stands in their place.
    assert shown_headers(["患者常住地", "数量"]) == ("患者常住地", "数量")
    assert shown_headers(["患者张伟", "12.5"]) == (f"患者{HIDDEN}", "12.5")


def test_id_numbers_of_fifteen_digits_in_parts_are_masked():
    for part in ("/", ".", "-", "_", " ", "　", "／", " - "):
        for given in (
            f"110101{part}900501{part}004",
            f"110101{part}90{part}05{part}01{part}004",
            f"110101900501{part}004",
        ):
            assert masked(f"证件{given}。") in ("证件110101******004。", "证件110101*****1004。"), given
    for plain in (
        "330100/005000/000",
        "20260301_101530_123",
        "123456789012.345",
        "2026.03.01 10:00:00.123",
        "110101/901301/004",
    ):
        assert masked(plain) == plain


def test_id_numbers_in_parts_are_masked_and_days_are_not():
    for given in (
        "110101/19900501/0048",
        "110101.1990.05.01.0048",
        "110101  19900501  0048",
        "110101 / 19900501 / 0048",
        "110101，19900501，0048",
        "110101—19900501—0048",
        "110101年19900501号0048",
    ):
        assert masked(f"证件{given}。") == "证件110101********0048。"
    for plain in ("2026/03/01 10:00", "2026.03.01", "123456.78", "1234562026030110001234"):
        assert masked(plain) == plain


def test_mobile_numbers_in_parts_are_masked_and_amounts_and_days_are_not():
    for given in (
        "138/0013/8000", "138-0013-8000", "138 0013 8000", "138　0013　8000", "138.0013.8000", "138－0013－8000", "138-00138000", "138 001 38000",
        "1380-013-8000", "1380013-8000", "138_0013_8000", "138–0013–8000", "１３８-００１３-８０００",
    ):  # fmt: skip
        said = masked(f"电话{given}。")
        assert re.fullmatch(r"电话\d{3}\*{4}\d{4}。", said), (given, said)
    assert masked("+86 138-0013-8000") == "+86 138****8000"
    for plain in (
        "138.00138000",
        "158.00 1500.00 20.5",
        "2026-03-01 13:00:10",
        "1380013.8000",
        "153-12",
        "130,500,2000",
    ):
        assert masked(plain) == plain, plain


def test_a_file_without_a_header_shows_no_person_in_its_place(tmp_path):
    file = tmp_path / "in.csv"
    file.write_text(f"L1,欧阳震华,110101199005010048,{DRUG}\nL2,欧阳震华,110101199005010048,{DRUG}\n", encoding="utf-8")
    for command in (("scan", file, "--out", tmp_path / "out"), ("inspect", file), ("inspect", file, "--json")):
        done = liangku(*command)
        assert done.returncode == 2
        assert not re.search("欧阳震华|19900501", done.stdout + done.stderr)


def test_where_no_line_can_be_judged_no_person_is_shown(tmp_path):
    file = tmp_path / "in.csv"
    for line in (f"1,110101199005010048,{DRUG},女", "1,2026-03-01,110101199005010048,女"):
        file.write_text(f"费用明细流水号,费用发生日期,国标代码,性别\n{line}\n", encoding="utf-8")
        done = liangku("scan", file, "--out", tmp_path / "out")
        assert done.returncode == 2
        assert "110101********0048" in done.stderr
        assert "19900501" not in done.stderr


def test_an_account_that_helps_is_no_matter_where_nobody_can_be_the_insured(tmp_path):
    file = tmp_path / "in.csv"
    file.write_text(
        f"费用明细流水号,费用发生日期,国标代码,性别,账户共济支付金额,医疗类别\n1,2026-03-01,{DRUG},女,3.50,41A\n",
        encoding="utf-8",
    )
    done = liangku("scan", file, "--out", tmp_path / "out")
    assert done.returncode == 1, done.stderr
