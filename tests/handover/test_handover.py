"""What a scan hands on besides findings: planted mapping errors, cards, newborns and wrong records are told as what they are."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.commands import liangku
from tests.handover.sheets import WOMEN, WOMEN_NAME, Run, Sheet, codes, elsewhere


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One hospital has mapped its urine sediment to a women's item; elsewhere that item is charged to women, but for three."""
    sheet = Sheet()
    elsewhere(sheet)
    for number in range(40):
        sheet.add(
            国标代码=WOMEN,
            国标名称=WOMEN_NAME,
            项目代码="NC01",
            医院项目名称="尿沉渣镜检（院内）",
            性别="男" if number % 2 else "女",
        )
    for _ in range(30):
        sheet.add(国标代码="331201000350000", 国标名称="尿沉渣镜检", 医院项目名称="尿沉渣镜检", 机构编码="H39010101001")
        sheet.add(
            国标代码="332502039010000", 国标名称="凝血功能常规检查", 医院项目名称="凝血常规", 机构编码="H39010101001"
        )
    for _ in range(3):
        sheet.add(国标代码=WOMEN, 国标名称=WOMEN_NAME, 医院项目名称=WOMEN_NAME, 性别="男", 机构编码="H39010101001")
    return sheet.scan(tmp_path_factory.mktemp("mapped"))


def test_a_wrong_mapping_is_one_row_with_the_item_that_was_meant(mapped: Run) -> None:
    (cluster,) = mapped.clusters.rows(named=True)
    assert cluster["kind"] == "mapping"
    assert (cluster["institution_id"], cluster["institution_name"]) == ("H39010100001", "甲医院")
    assert (cluster["local_item_code"], cluster["local_item_name"], cluster["item_code"]) == (
        "NC01",
        "尿沉渣镜检（院内）",
        WOMEN,
    )
    assert (cluster["lines"], cluster["breaking"], cluster["persons"], cluster["rule_ids"]) == (
        40,
        20,
        20,
        ["service-sex"],
    )
    assert (cluster["elsewhere_lines"], cluster["elsewhere_breaking"]) == (63, 3)
    assert cluster["share_low"] < cluster["share"] == 0.5 < cluster["share_high"]
    assert cluster["likely_items"][0] == {"code": "331201000350000", "name": "尿沉渣镜检", "why": "name"}


def test_the_findings_of_a_cluster_stay_and_are_marked(mapped: Run) -> None:
    (cluster,) = mapped.clusters.rows(named=True)
    marked = mapped.findings.filter(pl.col("class") == "cluster")
    assert marked.height == 20
    assert set(marked["cluster_id"]) == {cluster["cluster_id"]}
    assert set(marked["verdict"]) == {"violation"}
    left = mapped.findings.filter(pl.col("class").is_null())
    assert left.height == 3
    assert set(left["institution_id"]) == {"H39010101001"}
    assert mapped.document["explained"] == {"cluster": 20}
    assert mapped.document["clusters"] == {"mapping": 1}
    assert "聚集 1 组（很可能对码有误 1）" in mapped.said


def test_the_advice_is_an_auditors_unless_the_bill_is_still_open(mapped: Run, tmp_path: Path) -> None:
    advice = dict(mapped.findings.select("class", "advice").unique().iter_rows())
    assert "先不要逐条核查" in advice["cluster"]
    assert "先听取机构说明" in advice[None]
    sheet = Sheet()
    sheet.add(国标代码=WOMEN, 国标名称=WOMEN_NAME, 性别="男")
    (finding,) = sheet.scan(tmp_path, "--stage", "settle").findings.rows(named=True)
    assert "重新记账" in finding["advice"]


def test_what_findings_are_counted_against_is_written(mapped: Run) -> None:
    of = mapped.denominators.filter(pl.col("by") == "institution").select("institution_id", "lines").rows()
    assert dict(of)["H39010100001"] == 40
    months = mapped.denominators.filter(pl.col("by") == "month")
    assert months["lines"].sum() == 103
    doctors = mapped.denominators.filter((pl.col("by") == "prescriber") & (pl.col("institution_id") == "H39010100001"))
    assert set(doctors["prescriber"]) == {f"医生{n}" for n in range(5)}
    assert doctors["lines"].sum() == 40


def test_lines_that_only_stand_for_what_was_used_before_are_counted_nowhere(tmp_path: Path) -> None:
    """A drug of the second line is judged; an earlier one of its class is only looked for."""
    sheet = Sheet()
    sheet.add(国标代码="XM01AXA267A001010101001", 国标名称="艾拉莫德片", 人员编号="P1")
    sheet.add(
        国标代码="XM01AEA999A001010101001", 国标名称="某药片", 人员编号="P1", 费用发生日期=datetime(2026, 1, 2, 9)
    )
    counted = sheet.scan(tmp_path).denominators
    assert counted.group_by("by").agg(pl.col("lines").sum())["lines"].unique().to_list() == [1]


def test_results_are_named_with_their_hashes(mapped: Run) -> None:
    results = mapped.document["results"]
    assert set(results) == {file.name for file in mapped.folder.iterdir()} - {"run.json"}
    for name, told in results.items():
        file = mapped.folder / name
        assert told == {"bytes": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def test_an_item_that_is_called_by_its_own_name_is_no_wrong_mapping(tmp_path: Path) -> None:
    sheet = Sheet()
    elsewhere(sheet)
    for number in range(40):
        sheet.add(国标代码=WOMEN, 国标名称=WOMEN_NAME, 医院项目名称=WOMEN_NAME, 性别="男" if number % 2 else "女")
    run = sheet.scan(tmp_path)
    assert run.clusters.is_empty()
    assert run.findings.height == 20
    assert set(run.classes().values()) == {None}


def test_an_item_under_another_name_of_which_a_quarter_breaks_the_limit_is_no_wrong_mapping(tmp_path: Path) -> None:
    sheet = Sheet()
    elsewhere(sheet)
    for number in range(200):
        sheet.add(
            国标代码=WOMEN,
            国标名称=WOMEN_NAME,
            项目代码="N1",
            医院项目名称="阴道分泌物常规",
            性别="女" if number % 4 else "男",
        )
    run = sheet.scan(tmp_path)
    assert run.clusters.is_empty()
    assert run.findings["class"].to_list() == [None] * 50


def test_where_nobody_else_charges_it_a_name_of_its_own_must_speak_for_a_wrong_mapping(tmp_path: Path) -> None:
    found = []
    for name in ("", "尿沉渣镜检"):
        sheet = Sheet()
        for number in range(30):
            sheet.add(
                国标代码=WOMEN, 国标名称=WOMEN_NAME, 项目代码="N1", 医院项目名称=name, 性别="男" if number % 2 else "女"
            )
        (tmp_path / f"with{name}").mkdir()
        found.append(sheet.scan(tmp_path / f"with{name}").clusters.height)
    assert found == [0, 1]


def test_one_patients_course_is_no_cluster(tmp_path: Path) -> None:
    sheet = Sheet()
    elsewhere(sheet)
    for _ in range(20):
        sheet.add(国标代码=WOMEN, 国标名称=WOMEN_NAME, 医院项目名称="尿沉渣镜检", 性别="男", 人员编号="P1")
    assert sheet.scan(tmp_path).clusters.is_empty()


def test_an_item_that_breaks_its_limit_everywhere_is_no_cluster(tmp_path: Path) -> None:
    sheet = Sheet()
    for number in range(200):
        sheet.add(
            国标代码=WOMEN,
            国标名称=WOMEN_NAME,
            医院项目名称=f"院内名{number % 5}",
            机构编码=f"H3901010{1000 + number % 5}",
            性别="男" if number % 2 else "女",
        )
    assert sheet.scan(tmp_path).clusters.is_empty()


def test_one_doctor_is_told_apart_from_the_mapping(tmp_path: Path) -> None:
    sheet = Sheet()
    elsewhere(sheet)
    for number in range(90):
        odd = number % 3 == 0
        sheet.add(
            国标代码=WOMEN,
            国标名称=WOMEN_NAME,
            医院项目名称=WOMEN_NAME,
            开单医生="丁医生" if odd else f"医生{number % 4}",
            性别="男" if odd else "女",
        )
    run = sheet.scan(tmp_path)
    assert run.clusters.select("kind", "prescriber", "breaking").rows() == [("prescriber", "丁医生", 30)]
    # That one doctor does it explains nothing.
    assert run.findings["class"].to_list() == [None] * 30
    assert set(run.findings["cluster_id"]) == set(run.clusters["cluster_id"])


@pytest.mark.parametrize(
    "name", [f"{WOMEN_NAME}0.2g*7片", f"某牌{WOMEN_NAME}", f"*{WOMEN_NAME}【集采】", f"{WOMEN_NAME}[门诊]"]
)
def test_a_name_with_a_spec_or_a_brand_is_the_items_own(tmp_path: Path, name: str) -> None:
    sheet = Sheet()
    elsewhere(sheet)
    for number in range(40):
        sheet.add(
            国标代码=WOMEN, 国标名称=WOMEN_NAME, 项目代码="N1", 医院项目名称=name, 性别="男" if number % 2 else "女"
        )
    assert sheet.scan(tmp_path).clusters.is_empty()


def test_a_day_on_which_all_items_break_limits_is_one_upload(tmp_path: Path) -> None:
    sheet = Sheet()
    women = codes("service-sex", "sex = 'female'", 4)
    for number in range(200):
        # The persons of one day were shifted against its lines.
        odd = number % 10 == 0
        sheet.add(
            国标代码=women[number // 10 % 4],
            国标名称="",
            性别="男" if odd else "女",
            费用发生日期=datetime(2026, 3, 5 if odd else 6 + number % 10, 9),
        )
    run = sheet.scan(tmp_path)
    assert run.clusters.select("kind", "day", "item_code", "breaking").rows() == [
        ("upload", date(2026, 3, 5), None, 20)
    ]
    assert set(run.classes().values()) == {"cluster"}


def test_without_local_names_the_neighbours_are_told_that_others_charge(tmp_path: Path) -> None:
    sheet = Sheet()
    elsewhere(sheet)
    for number in range(40):
        sheet.add(国标代码=WOMEN, 国标名称=WOMEN_NAME, 项目代码="N1", 性别="男" if number % 2 else "女")
    for _ in range(5):
        sheet.add(国标代码="002501040149999", 国标名称="尿液分析", 机构编码="H39010101001")
        sheet.add(国标代码="002501040148888", 国标名称="本院也收", 机构编码="H39010101001")
        sheet.add(国标代码="002501040148888", 国标名称="本院也收")
    (cluster,) = sheet.scan(tmp_path).clusters.rows(named=True)
    assert cluster["likely_items"] == [{"code": "002501040149999", "name": "尿液分析", "why": "neighbour"}]


def test_a_doctor_who_takes_the_neighbour_that_the_house_uses_is_told_so(tmp_path: Path) -> None:
    sheet = Sheet()
    elsewhere(sheet)
    for number in range(90):
        odd = number % 3 == 0
        sheet.add(
            国标代码=WOMEN,
            国标名称=WOMEN_NAME,
            医院项目名称="前列腺液检查" if odd else WOMEN_NAME,
            项目代码="N1",
            性别="男" if odd else "女",
            开单医生="丁医生" if odd else f"医生{number % 4}",
        )
    for _ in range(10):
        sheet.add(国标代码="002501040150000", 国标名称="前列腺液检查", 医院项目名称="前列腺液检查", 性别="男")
    (cluster,) = sheet.scan(tmp_path).clusters.rows(named=True)
    assert (cluster["kind"], cluster["prescriber"]) == ("neighbour", "丁医生")
    assert cluster["likely_items"][0]["name"] == "前列腺液检查"


def test_a_cluster_bears_the_same_number_in_the_next_run(tmp_path: Path) -> None:
    numbers = []
    for lines in (40, 44):
        sheet = Sheet()
        elsewhere(sheet)
        for number in range(lines):
            sheet.add(
                国标代码=WOMEN,
                国标名称=WOMEN_NAME,
                项目代码="N1",
                医院项目名称="尿沉渣镜检",
                性别="男" if number % 2 else "女",
            )
        (tmp_path / str(lines)).mkdir()
        numbers += sheet.scan(tmp_path / str(lines)).clusters["cluster_id"].to_list()
    assert len(numbers) == 2
    assert len(set(numbers)) == 1


def test_a_parents_card_is_told_by_the_department_or_by_several_items_for_children(tmp_path: Path) -> None:
    child, other = codes("service-child-only", "age_word = '儿童'", 2)
    sheet = Sheet()
    by_department = sheet.add(国标代码=child, 开单科室="儿科门诊")
    several = [sheet.add(国标代码=code, 住院号="V1", 人员编号="P1") for code in (child, other)]
    alone = sheet.add(国标代码=child, 开单科室="内儿科")
    stay = sheet.add(国标代码=child, 开单科室="儿科", 医疗类别="21")
    classes = sheet.scan(tmp_path).classes()
    assert {classes[each] for each in (by_department, *several)} == {"parents_card"}
    assert classes[alone] is None
    assert classes[stay] is None


def test_a_record_that_most_visits_of_the_person_contradict_is_told(tmp_path: Path) -> None:
    sheet = Sheet()
    wrong = sheet.add(国标代码=WOMEN, 性别="男", 人员编号="P1 ")
    for _ in range(2):
        sheet.add(性别="女", 人员编号="P1")
    true = sheet.add(国标代码=WOMEN, 性别="男", 人员编号="P2")
    for _ in range(3):
        sheet.add(性别="男", 人员编号="P2")
    sheet.add(性别="女", 人员编号="P2")
    run = sheet.scan(tmp_path)
    assert run.classes() == {wrong: "person_conflict", true: None}
    told = run.quality.filter(pl.col("issue") == "visits_conflict").select("lines", "of_lines", "persons").rows()
    assert told == [(1, 2, 1)]


def test_quality_counts_by_institution_against_what_was_looked_at(tmp_path: Path) -> None:
    sheet = Sheet()
    sheet.add(国标代码=WOMEN, 性别="")
    sheet.add(国标代码=WOMEN, 性别="")
    for _ in range(6):
        sheet.add(国标代码=WOMEN)
    first = sheet.add(国标代码=WOMEN)
    sheet.rows.append(dict(sheet.rows[-1]))
    sheet.add(国标代码=WOMEN, 数量=-1, 金额=-20, 原费用流水号="none", 人员编号="P9", 住院号="V9")
    sheet.add(国标代码="?7")
    sheet.add(国标代码="", 机构编码="H39010101001")
    run = sheet.scan(tmp_path)
    told = {(each["institution_id"], each["issue"]): each for each in run.quality.rows(named=True)}
    assert told["H39010100001", "sex_missing"]["lines"] == 2
    assert told["H39010100001", "sex_missing"]["of_lines"] == 10
    assert told["H39010100001", "duplicate"]["lines"] == 1
    assert told["H39010100001", "duplicate"]["example_record"] == 10
    assert (
        told["H39010100001", "refund_unmatched"]["lines"] == told["H39010100001", "refund_unmatched"]["of_lines"] == 1
    )
    assert (
        told["H39010100001", "code_without_shape"]["lines"],
        told["H39010100001", "code_without_shape"]["of_lines"],
    ) == (1, 12)
    assert told["H39010101001", "code_missing"]["lines"] == told["H39010101001", "code_missing"]["of_lines"] == 1
    assert first


def test_the_case_around_a_finding_is_told(tmp_path: Path) -> None:
    sheet = Sheet()
    sheet.add(国标代码=WOMEN, 性别="男", 医疗类别="11", 诊断编码="J06.900", 开单科室=" 内科 ")
    (finding,) = sheet.scan(tmp_path).findings.rows(named=True)
    assert finding["institution_name"] == "甲医院"
    assert (finding["department"], finding["prescriber"]) == ("内科", "医生0")
    assert (finding["care_type"], finding["diagnoses"]) == ("11", ["J06.900"])
    assert (finding["person_sex"], finding["person_age"]) == ("male", "40 岁")
    assert len(finding["person_hash"]) == 16


AGES = {"2026-01-20": "12 天", "2025-06-01": "8 个月", "2023-02-02": "35 个月", "2023-02-01": "3 岁", "": None}


@pytest.fixture(scope="module")
def ages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """What age is told of persons born on these days, of whom each has one line, all on one day."""
    sheet, day = Sheet(), datetime(2026, 2, 1, 9)
    lines = {birth: sheet.add(国标代码=WOMEN, 性别="男", 出生日期=birth, 费用发生日期=day) for birth in AGES}
    told = dict(sheet.scan(tmp_path_factory.mktemp("ages")).findings.select("line_id", "person_age").iter_rows())
    return {birth: told[line] for birth, line in lines.items()}


@pytest.mark.parametrize("birth", AGES)
def test_ages_are_told_in_the_unit_that_matters(ages: dict[str, str | None], birth: str) -> None:
    assert ages[birth] == AGES[birth]


def test_the_same_key_calls_a_person_the_same_in_the_next_run_and_another_key_does_not(tmp_path: Path) -> None:
    sheet = Sheet()
    sheet.add(国标代码=WOMEN, 性别="男", 人员编号="P7")
    first = sheet.scan(tmp_path)
    again = sheet.scan(tmp_path, "--force")
    assert first.findings["person_hash"].to_list() == again.findings["person_hash"].to_list()
    assert first.document["person_hash"] == again.document["person_hash"]
    (tmp_path / "person.key").unlink()
    other = sheet.scan(tmp_path, "--force")
    assert first.findings["person_hash"].to_list() != other.findings["person_hash"].to_list()
    assert first.document["person_hash"] != other.document["person_hash"]


def test_a_key_that_is_damaged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "person.key").write_bytes(b"short")
    (tmp_path / "a.csv").write_text("国标代码\n", encoding="utf-8")
    done = liangku("scan", tmp_path / "a.csv", "--out", tmp_path / "out", "--person-key", tmp_path / "person.key")
    assert done.returncode == 2
    assert "密钥文件应为 32 字节" in done.stderr


def test_the_planted_city_is_seen_through(tmp_path: Path) -> None:
    """A small city of the generator: each wrong mapping one cluster with the right item, and what is left are the planted violations."""
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "make_city", Path(__file__).resolve().parents[2] / "data" / "make_city.py"
    )
    assert spec
    assert spec.loader
    city = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(city)
    city.make_city(tmp_path / "city", 150_000, 20)
    done = liangku(
        "scan", tmp_path / "city" / "fee_list_d.parquet", "--settlements", tmp_path / "city" / "setl_d.parquet", "--diagnoses",
        tmp_path / "city" / "setl_list_diag_d.parquet", "--out", tmp_path / "out", "--person-key", tmp_path / "person.key",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    truth = pl.read_parquet(tmp_path / "city" / "truth.parquet")
    findings = pl.read_parquet(tmp_path / "out" / "findings.parquet")
    accused = set(findings.filter((pl.col("verdict") == "violation") & pl.col("class").is_null())["line_id"])
    planted = set(truth.filter((pl.col("truth") == "violation") & ~pl.col("refunded"))["line_id"])
    assert len(accused & planted) >= 0.99 * len(planted)
    assert len(accused & planted) >= 0.97 * len(accused)
    errors = pl.read_csv(tmp_path / "city" / "mapping_errors.csv", infer_schema=False)
    clusters = pl.read_parquet(tmp_path / "out" / "clusters.parquet")
    found = {
        (c["institution_id"], c["item_code"], c["local_item_code"]): [i["code"] for i in c["likely_items"]]
        for c in clusters.rows(named=True)
    }
    assert len(found) == clusters.height
    assert {(e["institution_id"], e["item_code"], e["local_code"]) for e in errors.rows(named=True)} == set(found)
    for error in errors.rows(named=True):
        assert error["meant_code"] in found[error["institution_id"], error["item_code"], error["local_code"]]
