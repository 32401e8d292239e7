"""The facts of the shape `terms` arrive in a scan and in `check` alike: words of a province, what nobody knows, what came before."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.commands import Done, liangku
from tests.knowledge.terms_kb import CARE, FIRST, INJURY, LEVEL, MATERNITY, ONLINE, terms_kb

PROFILE = '[care_groups]\nchronic = ["门诊两病"]\ninpatient = ["特需住院"]\n[insurance_groups]\nbasic = ["特区医保"]\n'
LONG, STEERING = "门诊两病" * 2_500, "\x1b[31m门诊\x07"


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return terms_kb(tmp_path_factory.mktemp("terms"))


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "own.toml"
    path.write_text(PROFILE, encoding="utf-8")
    return path


def line(number: object, code: str, **cells: str) -> dict[str, str]:
    return {"流水号": str(number), "结算ID": f"S{number}", "人员编号": "P1", "性别": "女", "费用发生日期": "2026-03-01", "国标代码": code, "数量": "1",
            "金额": "10", **cells}  # fmt: skip


def scanned(
    folder: Path, kb: Path, rows: list[dict[str, str]], *options: object, headers: list[dict[str, str]] | None = None
) -> Done:
    def write(path: Path, table: list[dict[str, str]]) -> Path:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(dict.fromkeys(key for row in table for key in row)), restval="")
            writer.writeheader()
            writer.writerows(table)
        return path

    given = ["--settlements", write(folder / "setl.csv", headers)] if headers else []
    out = folder / "out"
    return liangku(
        "scan",
        write(folder / "in.csv", rows),
        *given,
        "--kb",
        kb,
        "--out",
        out,
        "--force",
        "--lang",
        "zh",
        *map(str, options),
    )


def found(folder: Path) -> dict[str, tuple[str, str | None]]:
    rows = pl.read_parquet(folder / "out" / "findings.parquet").select("line_id", "verdict", "reason_code").rows()
    return {name: (verdict, reason) for name, verdict, reason in rows}


def run(folder: Path) -> Any:
    return json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))


def asked(folder: Path, kb: Path, document: dict[str, Any], *options: object) -> dict[str, Any]:
    told = {
        "service_time": "2026-03-01",
        "patient": {"id": "P1", "sex": "女", "birth_date": "1980-01-01"},
        "diagnoses": [],
        **document,
    }
    (folder / "rx.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    done = liangku("check", folder / "rx.json", "--kb", kb, "--json", *map(str, options))
    assert done.returncode in (0, 1), done.stderr
    return dict(json.loads(done.stdout))


WORDS = {"门诊两病": ("violation", None), "特需住院": None, "体检": ("undetermined", "care_unknown"), "": ("undetermined", "care_missing"),
         "41.5": ("undetermined", "care_unknown"), LONG: ("undetermined", "care_unknown"), STEERING: ("undetermined", "care_unknown"),
         "11": ("violation", None), "普通住院": None, "4100000000001": ("undetermined", "care_unknown")}  # fmt: skip


def test_a_provinces_word_of_care_reaches_its_profile(tmp_path: Path, kb: Path, profile: Path) -> None:
    """In lines and in headers of settlements, in a scan and in check."""
    of_lines = [line(number, CARE, 医疗类别=word) for number, word in enumerate(WORDS)]
    of_headers = [line(f"H{number}", CARE) for number, _ in enumerate(WORDS)]
    headers = [{"结算ID": f"SH{number}", "医疗类别": word, "性别": "女"} for number, word in enumerate(WORDS)]
    headers += [{"结算ID": f"S{number}", "医疗类别": "", "性别": "女"} for number, _ in enumerate(WORDS)]
    done = scanned(tmp_path, kb, of_lines + of_headers, "--profile", profile, headers=headers)
    assert done.returncode == 1, done.stderr
    expected = {
        f"{where}{number}": meant for where in ("", "H") for number, meant in enumerate(WORDS.values()) if meant
    }
    assert found(tmp_path) == expected
    for word, meant in WORDS.items():
        [finding] = asked(tmp_path, kb, {"care_type": word, "lines": [{"item_code": CARE}]}, "--profile", profile)[
            "findings"
        ] or [None]
        if word:
            assert (finding and (finding["verdict"], finding["reason_code"])) == meant, word


def test_what_the_profile_does_not_know_is_told_once(tmp_path: Path, kb: Path, profile: Path) -> None:
    rows = [
        line(number, CARE, 医疗类别=word)
        for number, word in enumerate(("体检", "体检", "张伟", "门诊两病", LONG, STEERING, "11"))
    ]
    rows += [
        line("i", INJURY, 险种="特区医保"),
        line("l", LEVEL, 机构等级="乡镇级"),
        line("x", "XA11GAW043A001010201815", 险种="别的", 医疗类别="健康管理"),
        line("y", "XA11GAW043A001010201815", 医疗类别="体检"),
        line("o", ONLINE, pay_loc="网上"),
        line("n", ONLINE, pay_loc="2", is_online="?"),
        line("p", LEVEL, 医疗类别="41", prescriber_institution_level="乡镇级"),
        line("u", LEVEL, 医疗类别="41", prescriber_institution_level="未定级"),
    ]
    done = scanned(tmp_path, kb, rows)
    told = run(tmp_path)
    unknown = {
        (each["column"], each["value"]): (each["lines"], each["profile_key"], each["key"])
        for each in told["unknown_values"]
    }
    assert unknown == {
        ("care_type", "体检"): (2, "care_groups", "体检"), ("care_type", "门诊两病"): (1, "care_groups", "门诊两病"),
        ("care_type", "＊＊＊"): (1, "care_groups", None),
        ("care_type", LONG[:40]): (1, "care_groups", None), ("care_type", STEERING): (1, "care_groups", None),
        ("insurance_type", "特区医保"): (1, "insurance_groups", "特区医保"), ("institution_level", "乡镇级"): (2, "institution_ranks", "乡镇级"),
        ("pay_location", "网上"): (1, "online", "网上"),
    }  # fmt: skip
    assert told["profile"]["name"] == "国家接口规范"
    assert len(told["profile"]["hash"]) == 64
    # What is told as a value is not told again as unreadable; of the others nothing else speaks.
    assert told["unreadable"] == [{"header": "医疗类别", "lines": 1, "example": "健康管理"}]
    text = done.stdout.replace("\n", "")
    assert "2 行无法判断：不认识医疗类别“体检”，请写进省级配置 [care_groups] 中所属的组（--profile）" in text
    assert (
        "不认识支付地点“网上”，请写进省级配置 [online] 的 pay_locations（互联网医院）或 other_pay_locations（其他地点）（--profile）"
        in text
    )
    assert "“＊＊＊”不像医疗类别，请检查这一列" in text
    assert not {"张伟", "\x1b", LONG[:41]} & {part for part in ("张伟", "\x1b", LONG[:41]) if part in text}
    # With the profile that knows them they are none, and the run says which it was.
    scanned(tmp_path, kb, rows, "--profile", profile)
    again = run(tmp_path)
    assert [each["value"] for each in again["unknown_values"] if each["value"] in ("门诊两病", "特区医保")] == []
    assert again["unreadable"] == told["unreadable"]
    assert again["profile"]["hash"] != told["profile"]["hash"]
    assert again["options"]["profile"] == str(profile)


def test_the_counter_says_what_to_write_into_the_profile(tmp_path: Path, kb: Path) -> None:
    document = {"care_type": "门诊两病", "insurance_type": 999, "institution_level": "张伟",
                "lines": [{"item_code": code} for code in (CARE, INJURY, LEVEL)]}  # fmt: skip
    zh, en = (asked(tmp_path, kb, document, "--lang", lang) for lang in ("zh", "en"))
    assert [each["reason_code"] for each in zh["findings"]] == ["care_unknown", "insurance_unknown", "level_unknown"]
    told = {each["column"]: each for each in zh["unknown_values"]}
    assert told["care_type"]["how"] == "不认识医疗类别“门诊两病”，请写进省级配置 [care_groups] 中所属的组（--profile）"
    assert told["insurance_type"]["profile_key"] == "insurance_groups"
    assert "张伟" not in json.dumps(zh, ensure_ascii=False)
    document = {
        "care_type": "41", "pay_location": "网上", "prescriber_institution_level": "乡镇级", "institution_level": "县级",
        "lines": [{"item_code": LEVEL}, {"item_code": LEVEL, "care_type": "11"}, {"item_code": LEVEL, "care_type": "11", "institution_level": "乡镇级"},
                  {"item_code": LEVEL, "prescriber_institution_level": "未定级"}, {"item_code": ONLINE}, {"item_code": ONLINE}],
    }  # fmt: skip
    told = asked(tmp_path, kb, document)["unknown_values"]
    assert [(each["column"], each["value"], each["lines"], each["profile_key"]) for each in told] == [
        ("institution_level", "乡镇级", 2, "institution_ranks"), ("institution_level", "县级", 1, "institution_ranks"),
        ("pay_location", "网上", 2, "online"),
    ]  # fmt: skip
    assert en["unknown_values"][0]["how"] == (
        "the type of care 门诊两病 is not known: write it into its group in [care_groups] of the profile (--profile)"
    )


@pytest.mark.parametrize("told", ["医疗类别", "支付地点", ""])
def test_a_care_type_that_tells_internet_visits_is_told_where_it_is_a_column(
    told: str, tmp_path: Path, kb: Path
) -> None:
    """Where it is left empty nobody knows; only where no input has any column that tells it, it is not judged."""
    profile = tmp_path / "p.toml"
    profile.write_text('[online]\ncare_types = ["1102"]\n', encoding="utf-8")
    column = {"支付地点": "pay_loc"}.get(told, told)
    scanned(tmp_path, kb, [line("1", ONLINE, **({column: ""} if column else {}))], "--profile", profile)
    rows = pl.read_parquet(tmp_path / "out" / "findings.parquet")["reason_code"].to_list()
    assert (rows, [each["missing"] for each in run(tmp_path)["not_judged"]]) == (
        (["online_missing"], []) if told else ([], ["online"])
    )
    if told == "医疗类别":
        said = {"1102": ("violation", None), "11": None, "体检": ("undetermined", "care_unknown")}
        scanned(tmp_path, kb, [line(care, ONLINE, 医疗类别=care) for care in said], "--profile", profile)
        found = {row["line_id"]: (row["verdict"], row["reason_code"]) for row in rows_of(tmp_path)}
        assert found == {care: each for care, each in said.items() if each}
        assert [each["value"] for each in run(tmp_path)["unknown_values"]] == ["体检"]
        for care, each in said.items():
            answer = asked(tmp_path, kb, {"care_type": care, "lines": [{"item_code": ONLINE}]}, "--profile", profile)
            assert [(row["verdict"], row["reason_code"]) for row in answer["findings"]] == ([each] if each else []), (
                care
            )


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return pl.read_parquet(folder / "out" / "findings.parquet").to_dicts()


def test_what_no_input_tells_is_not_judged_and_said(tmp_path: Path, kb: Path) -> None:
    done = scanned(tmp_path, kb, [line(number, code) for number, code in enumerate((CARE, INJURY, ONLINE, LEVEL))])
    assert done.returncode == 0, done.stderr
    assert {(each["rule"], each["missing"], each["lines"]) for each in run(tmp_path)["not_judged"]} == {
        ("drug-visit-mode", "care_type", 1), ("drug-injury-insurance", "insurance_type", 1), ("drug-online", "online", 1),
        ("drug-institution-level", "institution_level", 1),
    }  # fmt: skip
    text = done.stdout.replace("\n", "")
    assert (
        "没有判断：1 行的项目有“药品限工伤保险”的知识点，但没有险种：明细或结算表要有险种列（insutype、险种类别）"
        in text
    )
    assert "没有发现疑点，但有的行没有判断" in text


@pytest.mark.parametrize(
    ("text", "violates"), [("I10,O80.900", False), ("I10 ；Z37", False), ("I10|Z38", False), ("I10、E11", True)]
)
def test_several_diagnoses_in_one_text_are_several(tmp_path: Path, kb: Path, text: str, violates: bool) -> None:
    """In lines, in a table of diagnoses, and in a prescription."""
    told = {"险种": "310", "医疗类别": "21"}
    table = tmp_path / "diag.csv"
    table.write_text(f"结算ID,诊断代码\nS2,{json.dumps(text, ensure_ascii=False)}\n", encoding="utf-8")
    rows = [line(1, MATERNITY, 诊断编码=text, **told), line(2, MATERNITY, **told)]
    done = scanned(tmp_path, kb, rows, "--diagnoses", table)
    assert done.returncode == int(violates), done.stderr
    assert found(tmp_path) == (dict.fromkeys("12", ("violation", None)) if violates else {})
    document = {"care_type": "21", "insurance_type": "310", "diagnoses": [text], "lines": [{"item_code": MATERNITY}]}
    assert [each["verdict"] for each in asked(tmp_path, kb, document)["findings"]] == ["violation"] * violates


HISTORIES: dict[str, tuple[Any, bool]] = {
    "earlier": ([{"item_code": FIRST, "service_time": "2025-12-01"}], False),
    "too long ago": ([{"item_code": FIRST, "service_time": "2024-12-01"}], True),
    "taken back": ([{"item_code": FIRST, "service_time": "2025-12-01", "quantity": -1}], True),
    "void": ([{"item_code": FIRST, "service_time": "2025-12-01", "valid_flag": "0"}], True),
    "the same day": ([{"item_code": FIRST, "service_time": "2026-03-01"}], True),
    "another item": ([{"item_code": LEVEL, "service_time": "2025-12-01"}], True),
    "none": ([], True),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_the_history_of_a_prescription_counts_in_scan_and_check(tmp_path: Path, kb: Path, name: str) -> None:
    history, violates = HISTORIES[name]
    document = {
        "institution_level": "一级",
        "lines": [{"line_id": "1", "item_code": FIRST, "quantity": 1}],
        "history": history,
    }
    assert [each["verdict"] for each in asked(tmp_path, kb, document)["findings"]] == ["violation"] * violates
    liangku("scan", tmp_path / "rx.json", "--kb", kb, "--out", tmp_path / "out")
    assert found(tmp_path) == ({"1": ("violation", None)} if violates else {})
    lines = run(tmp_path)["lines"]
    assert lines["read"] == 1 + len(history) == lines["judged"] + lines["skipped"]["total"] + lines["rejected"]["total"]
    assert lines["skipped"]["context"] == len(history) - (name == "void")
