"""`liangku profile values`: every value of given data with its rows and group, the unknown ones ready to be written into a profile."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from checker.ingest.provincial import read_provincial
from checker.scan.profile_values import MOST_VALUES
from tests.commands import liangku

DRUG = "XG04CBA088A001010101467"
HEADER = "流水号,结算ID,费用发生日期,国标代码,数量,金额,医疗类别,险种,机构等级,支付地点"


def lines(folder: Path, *rows: str) -> Path:
    path = folder / "in.csv"
    told = [f"{number},S1,2026-03-01,{DRUG},1,5,{row}" for number, row in enumerate(rows)]
    path.write_text("\n".join((HEADER, *told, "")), encoding="utf-8")
    return path


@pytest.fixture
def garbage(tmp_path: Path) -> Path:
    """Lines of which some values are known, some are not, and some are nothing that anybody could know."""
    return lines(
        tmp_path,
        "11,310,03,2",
        "１１,职工医保,2,5",
        "门诊(急诊),310,三级甲等,9",
        '99-其他,"a""b\\\t",[red]x,110101199005010048',
        f"99,王小明,\x1b[31m红,{'长' * 500}",
        ",null,,-",
    )


def looked(*arguments: str | Path, code: int) -> dict[str, dict[str, tuple[object, ...]]]:
    """The values of each kind: rows of lines and settlements, group, key."""
    done = liangku("profile", "values", *arguments, "--json")
    assert done.returncode == code, done.stderr
    return {
        each["kind"]: {
            one["value"]: (one.get("lines"), one.get("settlements"), one["group"], one["key"]) for one in each["values"]
        }
        for each in json.loads(done.stdout)["kinds"]
    }


def test_every_value_is_told_with_its_rows_and_group(garbage: Path, tmp_path: Path) -> None:
    pl.DataFrame({"setl_id": ["S1"] * 3, "gend": ["2"] * 3, "insutype": [310, 390, 777]}).write_parquet(
        tmp_path / "setl.parquet"
    )
    found = looked(garbage, "--settlements", tmp_path / "setl.parquet", code=1)
    assert found["care_type"] == {
        "99": (1, None, None, "99"), "99-其他": (1, None, None, "99"), "门诊(急诊)": (1, None, None, "门诊(急诊)"),
        "11": (1, None, "outpatient", "11"), "１１": (1, None, "outpatient", "11"),
    }  # fmt: skip
    assert found["insurance_type"] == {
        "777": (None, 1, None, "777"), 'a"b\\': (1, None, None, 'a"b\\'), "＊＊＊": (1, None, None, None),
        "310": (2, 1, "basic", "310"), "390": (None, 1, "basic", "390"), "职工医保": (1, None, "basic", "职工医保"),
    }  # fmt: skip
    assert found["institution_level"] == {
        "2": (1, None, None, "2"), "[red]x": (1, None, None, "[red]x"), "\x1b[31m红": (1, None, None, None),
        "03": (1, None, "3", "03"), "三级甲等": (1, None, "3", "三级甲等"),
    }  # fmt: skip
    assert found["pay_location"] == {
        "110101********0048": (1, None, None, None), "9": (1, None, None, "9"), "长" * 40: (1, None, None, None),
        "2": (1, None, "elsewhere", "2"), "5": (1, None, "online", "5"),
    }  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_terminal_shows_no_person_and_nothing_that_steers_it(garbage: Path, language: str) -> None:
    done = liangku("profile", "values", garbage, "--lang", language)
    assert done.returncode == 1
    for hidden in ("王小明", "110101199005010048", "\x1b", "长" * 41):
        assert hidden not in done.stdout
    assert "[red]x" in done.stdout
    assert '#   "99",  # 2' in done.stdout


def test_the_snippet_is_a_profile_and_sorted_it_makes_all_values_known(garbage: Path, tmp_path: Path) -> None:
    text = json.loads(liangku("profile", "values", garbage, "--json").stdout)["snippet"]
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    assert read_provincial(own).hash == read_provincial().hash
    # Each value goes into the first group of its table, as by hand.
    sorted_lines: list[str] = []
    waiting: list[str] = []
    for line in text.splitlines():
        if line.startswith('#   "'):
            waiting.append(line.removeprefix("#"))
            continue
        sorted_lines.append(line)
        if line.endswith("= ["):
            sorted_lines += waiting
            waiting = []
    own.write_text("\n".join(sorted_lines), encoding="utf-8")
    found = looked(garbage, "--profile", own, code=1)
    unknown = {value for values in found.values() for value, told in values.items() if told[2] is None}
    assert unknown == {"＊＊＊", "\x1b[31m红", "110101********0048", "长" * 40}


def test_nothing_unknown_is_told_as_such(tmp_path: Path) -> None:
    done = liangku("profile", "values", lines(tmp_path, "11,310,03,2"), "--lang", "zh")
    assert done.returncode == 0, done.stderr
    assert "所有取值都认得" in done.stdout
    assert "[care_groups]\n" not in done.stdout


def test_data_without_such_columns_is_not_all_known(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f"流水号,费用发生日期,国标代码,数量\n1,2026-03-01,{DRUG},1\n", encoding="utf-8")
    done = liangku("profile", "values", path, "--lang", "zh")
    assert done.returncode == 0, done.stderr
    assert "没有一列有取值" in done.stdout
    assert "所有取值都认得" not in done.stdout


def test_a_column_of_too_many_values_is_not_looked_at_to_its_end(tmp_path: Path) -> None:
    pl.DataFrame(
        {"med_list_codg": [DRUG] * (MOST_VALUES + 5), "fee_ocur_time": ["2026-03-01"] * (MOST_VALUES + 5), "cnt": [1] * (MOST_VALUES + 5),
         "insutype": [f"V{number}" for number in range(MOST_VALUES + 5)]}
    ).write_parquet(tmp_path / "in.parquet")  # fmt: skip
    done = liangku("profile", "values", tmp_path / "in.parquet", "--json")
    assert done.returncode == 1
    [kind] = [each for each in json.loads(done.stdout)["kinds"] if each["kind"] == "insurance_type"]
    assert (kind["unknown"], kind["not_looked_at"]) == (MOST_VALUES, 5)
    told = liangku("profile", "values", tmp_path / "in.parquet", "--lang", "zh").stdout
    assert "另有 5 个值没有查看" in told
    assert "只列出前 50 个" in told


def test_what_was_not_read_makes_the_answer_incomplete(tmp_path: Path) -> None:
    lines(tmp_path, "11,310,03,2")
    (tmp_path / "other.csv").write_text("甲,乙\n1,2\n", encoding="utf-8")
    done = liangku("profile", "values", tmp_path, "--json")
    assert done.returncode == 4, done.stderr
    assert "other.csv" in json.loads(done.stdout)["incomplete"][0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "in.csv", "--out", "out"),
        ("check", "--item", DRUG, "--sex", "女", "--birth", "1990-05-01"),
        ("profile", "values", "in.csv"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused_by_every_command(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    lines(tmp_path, "11,310,03,2")
    (tmp_path / "own.toml").write_text('[care_groups]\nx = ["1"]', encoding="utf-8")
    done = liangku(*arguments, "--profile", "own.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "own.toml: care_groups.x: 没有这个键" in done.stderr
    assert not (tmp_path / "out").exists()
    missing = liangku(*arguments, "--profile", "elsewhere", cwd=tmp_path)
    assert missing.returncode == 2
    assert "自带配置的名称：hainan、national" in missing.stderr
