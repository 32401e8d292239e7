"""Lines without an id, persons without an id, and what spreadsheets do to codes and keys: sheets of hospitals, in every form and order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import openpyxl
import polars as pl
import pytest

from checker.ingest.old_workbook import read_old
from checker.model.json_text import Inexact
from checker.service.http_json import parse
from checker.service.settings import Limits
from tests.commands import Done, liangku

DRUG, SERVICE = "XG04CBA088A001010101467", "002501040040000"
WEIGHTS, CHECKS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10X98765432"
Row = Mapping[str, str | None]


def id_number(number: int, *, born: str = "19900501", female: bool = True) -> str:
    """The right ID number of an invented person."""
    body = f"370102{born}{number:02}{'2' if female else '1'}"
    return body + CHECKS[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


def line(person: int = 1, **said: str | None) -> Row:
    """A line as hospitals write it: a woman and a drug for men."""
    sheet = {
        "机构编码": "H37010200001",
        "身份证号": id_number(person),
        "人员姓名": "某某",
        "门诊号": f"M{person}",
        "处方号": f"R{person}",
    }
    return (
        sheet
        | {"国标代码": DRUG, "国标名称": "爱普列特片", "数量": "1", "金额": "35.5", "费用发生日期": "2026-03-01"}
        | said
    )


def write(path: Path, rows: Sequence[Row]) -> Path:
    """Write a sheet, whose form the name tells."""
    frame = pl.DataFrame(list(rows), schema=dict.fromkeys(rows[0], pl.String), strict=False)
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    elif path.suffix == ".xlsx":
        workbook = openpyxl.Workbook()
        for cells in ([*rows[0]], *(list(row.values()) for row in rows)):
            workbook.active.append(cells)
        workbook.save(path)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(path)
    return path


def scan(tmp_path: Path, *inputs: str | Path, code: int = 1) -> tuple[pl.DataFrame, dict[str, object], Done]:
    """The findings, run.json and what was printed."""
    out = tmp_path / f"out-{len([*tmp_path.iterdir()])}"
    done = liangku("scan", *inputs, "--out", out, "--lang", "zh")
    assert done.returncode == code, done.stdout + done.stderr
    return pl.read_parquet(out / "findings.parquet"), json.loads((out / "run.json").read_text(encoding="utf-8")), done


def names(findings: pl.DataFrame) -> list[tuple[str, str | None]]:
    """What the findings and their persons are called."""
    return sorted(zip(findings["finding_id"], findings["patient_id"], strict=True))


def sheet(rng: Random) -> list[Row]:
    """Lines of which some are equal, some differ in one thing, and some are taken back."""
    rows = []
    for _ in range(60):
        person = rng.randrange(12)
        said = {"数量": rng.choice("12"), "处方号": rng.choice((f"R{person}", f"Q{person}", None))}
        rows.append(line(person, **said, 身份证号=id_number(person, female=person % 3 > 0)))
    rows += [row | {"数量": "-1", "金额": "-20"} for row in rng.sample(rows, 8)]
    return rows


def test_a_sheet_has_the_same_findings_in_every_form_and_order(tmp_path: Path) -> None:
    rng = Random(4)
    rows = sheet(rng)
    first, _, _ = scan(tmp_path, write(tmp_path / "a.csv", rows))
    assert first["line_id"].null_count() == len(first) > 20
    assert first["finding_id"].n_unique() == len(first)
    for name in ("b.csv", "b.parquet", "b.xlsx", "b.jsonl"):
        again, _, _ = scan(tmp_path, write(tmp_path / name, rng.sample(rows, len(rows))))
        assert names(again) == names(first), name
        assert sorted(again["amount"]) == sorted(first["amount"]), name
    twice, run, _ = scan(tmp_path, tmp_path / "a.csv", tmp_path / "b.parquet")
    assert names(twice) == names(first)
    assert sorted(twice["amount"]) == sorted(first["amount"])
    assert all("duplicate" in remarks for remarks in twice["remarks"])
    assert run["duplicates"] == len(rows)


def test_equal_lines_of_one_delivery_are_several_and_those_of_two_are_one(tmp_path: Path) -> None:
    spark = "11111111-2222-3333-4444-555555555555-c000.snappy.parquet"
    for part in (0, 1):
        write(tmp_path / f"spark/m=3/part-0000{part}-{spark}", [line(), line()])
    assert len(scan(tmp_path, tmp_path / "spark")[0]) == 4
    write(tmp_path / f"spark/m=3/part-00000-9{spark[1:]}", [line(), line()])
    findings, run, _ = scan(tmp_path, tmp_path / "spark")
    assert (len(findings), run["duplicates"]) == (4, 2)
    # Nobody knows whether a woman of a day and a place is the same woman.
    nobody = {"身份证号": None, "门诊号": None, "处方号": None, "性别": "女"}
    for name in ("a.csv", "b.csv"):
        write(tmp_path / name, [line(**nobody)])
    findings, run, _ = scan(tmp_path, tmp_path / "a.csv", tmp_path / "b.csv")
    assert (findings["finding_id"].n_unique(), run["duplicates"]) == (2, 0)
    for name in ("a.csv", "b.csv"):
        write(tmp_path / name, [line(**nobody, 费用发生日期="2026-03-01 10:05:07")])
    assert scan(tmp_path, tmp_path / "a.csv", tmp_path / "b.csv")[1]["duplicates"] == 1


def test_an_id_number_names_its_person_and_stands_nowhere(tmp_path: Path) -> None:
    old = id_number(2)
    wrong = id_number(3)[:17] + ("0" if id_number(3)[17] != "0" else "1")
    visit = {"门诊号": "M", "处方号": None, "性别": "女"}
    rows = [
        line(1, **visit),
        line(2, **visit),
        line(**visit, 身份证号=old[:6] + old[8:17], 数量="2"),
        line(**visit, 身份证号=wrong, 数量="5"),
        # Of the second of them, by the old number: her lines are gone, nobody else's.
        line(**visit, 身份证号=old[:6] + old[8:17], 数量="-3", 金额="-71"),
    ]
    findings, run, _ = scan(tmp_path, write(tmp_path / "a.csv", rows))
    assert sorted(findings["quantity"]) == [1, 5]
    assert run["fully_refunded"] == 2
    findings, run, _ = scan(tmp_path, write(tmp_path / "b.csv", rows[:4]))
    assert run["findings"]["violations"]["patients"] == findings["patient_id"].n_unique() == 3
    assert set(findings["patient_id"]) == {"#1", "#2", "#3"}
    assert not any(row["身份证号"][6:14] in str(findings.rows()) for row in rows)
    given = [line(1, 人员编号="#1"), line(2, 人员编号=None)]
    assert set(scan(tmp_path, write(tmp_path / "c.csv", given))[0]["patient_id"]) == {"#1", "##1"}


def test_codes_without_their_zeros_are_told_and_repaired(tmp_path: Path) -> None:
    rows = [line(n, 国标代码=code) for n, code in enumerate(
        (SERVICE[2:], SERVICE[2:], "1000000000000", "2.50104E+12", "123456789012", DRUG)
    )]  # fmt: skip
    source = write(tmp_path / "a.csv", rows)
    findings, run, done = scan(tmp_path, source)
    assert len(findings) == 1
    assert (run["codes"]["lost_zeros"], run["codes"]["lost_digits"], run["codes"]["no_national_shape"]) == (3, 1, 1)
    zeros = next(lost for lost in run["lost_codes"] if lost["fate"] == "zeros")
    assert zeros == {"fate": "zeros", "header": "国标代码", "lines": 3, "example": SERVICE[2:], "meant": SERVICE}
    assert "加上 --repair" in done.stdout
    assert "2.50104E+12" in done.stdout
    repaired, run, done = scan(tmp_path, source, "--repair")
    assert sorted(repaired["item_code"]) == sorted([SERVICE, SERVICE, DRUG])
    assert sum("code_repaired" in remarks for remarks in repaired["remarks"]) == 2
    assert {lost["fate"]: lost["lines"] for lost in run["lost_codes"]} == {"repaired": 2, "unlisted": 1, "digits": 1}
    right, _, _ = scan(tmp_path, write(tmp_path / "b.csv", [row | {"国标代码": SERVICE} for row in rows[:2]]))
    assert set(right["finding_id"]) < set(repaired["finding_id"])
    alone = write(tmp_path / "c.parquet", [row | {"国标代码": SERVICE[2:]} for row in rows[:2]])
    refused = liangku("scan", alone, "--out", tmp_path / "refused", "--lang", "zh")
    assert (refused.returncode, "--repair" in refused.stderr) == (2, True)
    assert len(scan(tmp_path, alone, "--repair")[0]) == 2


def test_an_id_number_cut_to_fifteen_digits_is_nobodys(tmp_path: Path) -> None:
    """Excel keeps fifteen digits: its zeros are nobody's, and the check character tells them from zeros that are."""
    cut = int(id_number(1)[:15] + "000")
    rows = [line(身份证号=cut, 门诊号=None, 处方号=f"R{n}") for n in range(2)]  # type: ignore[arg-type]
    for name in ("a.csv", "a.xlsx"):
        _, run, _ = scan(tmp_path, write(tmp_path / name, rows))
        assert [(lost["header"], lost["lines"]) for lost in run["lost_keys"]] == [("身份证号", 2)], name
        assert run["findings"]["undetermined"] == {
            "lines": 2, "patients": None, "amount": 71.0, "amount_in_scope": None, "no_patient": 2, "no_amount": 0, "no_amount_in_scope": 2,
        }  # fmt: skip


@pytest.mark.parametrize("column", ["门诊号", "费用明细流水号"])
def test_a_key_that_lost_its_digits_is_nobody_elses(tmp_path: Path, column: str) -> None:
    lost = "1.23457E+17"
    rows = [
        line(n, **{"性别": "女", "身份证号": None, "处方号": None, "门诊号": f"M{n}", column: lost}) for n in range(3)
    ]
    rows.append(rows[0] | {"数量": "-1", "金额": "-35.5"})
    findings, run, done = scan(tmp_path, write(tmp_path / "a.csv", rows), write(tmp_path / "b.csv", rows))
    told = {"header": column, "lines": 8, "example": lost}
    assert told in run["lost_keys"]
    assert "行的编号丢了位数" in done.stdout.replace("\n", "")
    assert findings["finding_id"].n_unique() == len(findings)
    if column == "门诊号":
        # The refund finds no visit, and neither is the second file's line the first's.
        assert (len(findings), run["refunds_without_original"], run["duplicates"]) == (6, 2, 0)
        headers = write(tmp_path / "v.csv", [{"就诊ID": lost, "性别": "男"}])
        joined, run, _ = scan(tmp_path, tmp_path / "a.csv", "--visits", headers)
        assert {"header": "就诊ID", "lines": 1, "example": lost} in run["lost_keys"]
        assert set(joined["verdict"]) == {"violation"}


def test_the_counter_names_lines_by_what_they_say(tmp_path: Path) -> None:
    def asked(*lines: Mapping[str, object]) -> Done:
        file = tmp_path / "rx.json"
        document = {"service_time": "2026-03-01", "visit_id": "V1", "patient": {"sex": "女"}, "lines": lines}
        file.write_text(json.dumps(document), encoding="utf-8")
        return liangku("check", file, "--json", "--lang", "zh")

    one, two = ({"item_code": DRUG, "quantity": number} for number in (1, 2))
    ids = [
        [each["finding_id"] for each in json.loads(asked(*lines).stdout)["findings"]]
        for lines in ((one, two, one), (two, one, one))
    ]
    assert len(set(ids[0])) == 3
    assert sorted(ids[0]) == sorted(ids[1])
    given = json.loads(asked(one | {"line_id": "\x1eo\x1e1"}).stdout)["findings"][0]["finding_id"]
    assert given not in ids[0]
    refused = asked(one | {"line_id": 1.23e17})
    assert (refused.returncode, "lines[0].line_id" in refused.stderr) == (2, True)
    unknown = json.loads(asked({"item_code": SERVICE[2:]}).stdout)["findings"][0]
    assert (unknown["reason_code"], SERVICE in unknown["advice"]) == ("unknown_code", True)


def test_keys_that_a_workbook_holds_as_numbers_have_lost_their_digits(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["流水号", "门诊号", "性别", "出生日期", "费用发生时间", "国标代码", "数量", "金额"])
    for row in (("1", 123456789012345678, 1), ("2", 123456789012345679, -1)):
        book.active.append(
            [row[0], row[1], "2", "1990-01-01", "2026-03-01 10:00", "XG04CBA088A001010101467", row[2], row[2] * 10]
        )
    book.save(tmp_path / "in.xlsx")
    found, run, _ = scan(tmp_path, tmp_path / "in.xlsx")
    assert (found["verdict"].to_list(), run["refunds_without_original"]) == (["violation"], 1)
    assert run["lost_keys"] == [{"header": "门诊号", "lines": 2, "example": "1.23456789012346E+17"}]


LINE = {
    "流水号": "1",
    "性别": "2",
    "出生日期": "1990-01-01",
    "费用发生时间": "2026-03-01 10:00",
    "国标代码": DRUG,
    "数量": 1,
    "金额": 10,
}
BACK = LINE | {"流水号": "2", "数量": -1, "金额": -10}


JSON_KEYS = {
    "1.23e+17": True, "123e15": True, "1E12": True, "12345678901234567.0": True,
    "12345678901234567": False, "1234567890123456789012": False, "123456789012.0": False, '"1E12"': False,
}  # fmt: skip
"""Keys as JSON holds them, and whether digits of them may be lost."""


@pytest.mark.parametrize("form", ["a.jsonl", "a.json", "rx.json"])
def test_keys_that_json_gives_as_numbers_with_an_exponent_have_lost_their_digits(tmp_path, form):
    rows = []
    for number, key in enumerate(JSON_KEYS):
        one, back = (
            json.dumps(each | {"流水号": f"{number}{each['流水号']}"}, ensure_ascii=False)[1:] for each in (LINE, BACK)
        )
        head = f'{{"门诊号": {key}'
        rows += (
            [f'{head}, "lines": [{{{one}, {{{back}]}}'] if form == "rx.json" else [f"{head}, {one}", f"{head}, {back}"]
        )
    (tmp_path / form).write_text(f"[{', '.join(rows)}]" if form == "a.json" else "\n".join(rows), encoding="utf-8")
    found, run, _ = scan(tmp_path, tmp_path / form)
    lost = [f"{number}1" for number, is_lost in enumerate(JSON_KEYS.values()) if is_lost]
    assert sorted(found["line_id"]) == lost
    assert run["lost_keys"] == [{"header": "门诊号", "lines": 8, "example": "1.234567890123457e+16"}]


@pytest.mark.parametrize("key", ["123e1", "9007199254740994.0", "9007199254740994", '"1E12"'])
def test_the_counter_refuses_the_same_keys(tmp_path, key):
    text = f'{{"visit_id": {key}, "service_time": "2026-03-01", "patient": {{"sex": "女"}}, "lines": [{{"item_code": "{DRUG}"}}]}}'
    (tmp_path / "rx.json").write_text(text, encoding="utf-8")
    done = liangku("check", tmp_path / "rx.json", "--lang", "zh")
    assert (done.returncode, "visit_id" in done.stderr) == ((2, True) if key[-1] in "10" else (1, False)), done.stderr
    visit = parse(text.encode(), Limits())["visit_id"]
    assert isinstance(visit, Inexact) == (done.returncode == 2)


@pytest.mark.parametrize(("type_", "key"), [(pl.Float64, 2.0**53), (pl.Float32, 2.0**24)])
def test_keys_that_are_floats_have_lost_their_digits(tmp_path, type_, key):
    frame = pl.DataFrame([LINE, BACK]).with_columns(pl.Series("就诊ID", [key] * 2, type_))
    frame.write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"就诊ID": [key], "性别": ["1"]}, schema_overrides={"就诊ID": type_}).write_parquet(
        tmp_path / "v.parquet"
    )
    found, run, _ = scan(tmp_path, tmp_path / "a.parquet", "--visits", tmp_path / "v.parquet")
    assert (found["verdict"].to_list(), [lost["lines"] for lost in run["lost_keys"]]) == (["violation"], [2, 1])
    frame.with_columns(pl.col("就诊ID") - key / 2).write_parquet(tmp_path / "a.parquet")
    assert liangku("scan", tmp_path / "a.parquet", "--out", tmp_path / "exact").returncode == 0


def test_numbers_of_an_old_workbook_that_are_too_large_have_lost_their_digits(tmp_path):
    book = openpyxl.Workbook()
    cells = (2**53 + 2, str(2**53 + 2), 1.23e17, 2**53 - 2, "号")
    for cell in cells:
        book.active.append(["a", cell])
    book.save(tmp_path / "a.xlsx")
    # The process reads every format: what is handed over are its texts.
    ((_, _, frame),) = read_old(tmp_path / "a.xlsx", tmp_path / "scratch")
    exact = ["9.00719925474099E+15", cells[1], "1.23000000000000E+17", str(cells[3]), "号"]
    assert frame.to_series(1).to_list() == exact


def test_what_no_line_tells_is_not_counted_as_nothing(tmp_path: Path) -> None:
    """Neither a person nor an amount: unknown, not 0; where some lines tell them, at least so much."""
    nobody = line(身份证号=None, 门诊号=None, 性别="女", 金额=None)
    _, run, done = scan(tmp_path, write(tmp_path / "a.csv", [nobody]))
    unknown = {"patients": None, "amount": None, "amount_in_scope": None}
    for group in (run["findings"]["violations"], *run["findings"]["by_rule"]):
        assert group.items() >= {**unknown, "no_patient": 1, "no_amount": 1, "no_amount_in_scope": 1}.items()
    assert (run["findings"]["exempt"]["lines"], run["findings"]["exempt"]["amount"]) == (0, 0.0)
    assert "1 行、人数不详、金额不详" in done.stdout
    _, _, done = scan(tmp_path, write(tmp_path / "b.csv", [nobody, line(性别="女")]))
    assert "2 行、≥ 1 人、≥ ¥35.50" in done.stdout
