"""Groups that are one though they are written in several ways, and institutions that share an error: many in one scan."""

from __future__ import annotations

import polars as pl
import pytest

from tests.handover.sheets import WOMEN, WOMEN_NAME, Run, Sheet, codes, elsewhere

SPELT, TWO_NAMES, NEIGHBOUR = "H39010100002", "H39010100003", "H39010100004"


def _charge(sheet: Sheet, code: str, lines: int, men: int, **cells: object) -> None:
    for number in range(lines):
        sheet.add(国标代码=code, 国标名称="", 性别="男" if number < men else "女", **cells)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Run:
    sheet = Sheet()
    elsewhere(sheet)
    shared, nobody = [code for code in codes("service-sex", "sex = 'female'", 40) if code[:7] != WOMEN[:7]][:2]
    for local in ("00123", "123", " 00123\u3000", "００１２３", "'00123", ""):
        _charge(sheet, WOMEN, 8, 4, 机构编码=SPELT, 项目代码=local, 医院项目名称="尿沉渣镜检")
    _charge(sheet, WOMEN, 40, 30, 机构编码=TWO_NAMES, 项目代码="N2", 医院项目名称="尿沉渣镜检")
    _charge(sheet, WOMEN, 41, 0, 机构编码=TWO_NAMES, 项目代码="N2", 医院项目名称=WOMEN_NAME)
    for place, men in (("H39010100005", 15), ("H39010100006", 15), ("H39010100007", 0)):
        _charge(sheet, shared, 30, men, 机构编码=place, 项目代码="N3", 医院项目名称="血常规" if men else "")
    _charge(sheet, nobody, 12, 12, 人员编号="", 医院项目名称="血常规")
    _charge(sheet, nobody, 60, 0, 机构编码="H39010100008")
    _charge(sheet, WOMEN, 40, 20, 机构编码=f" {NEIGHBOUR} ", 项目代码="N4")
    for code, places in (
        ("002501040149999", ("H39010101001",)),
        ("002501040148888", ("H39010101001", f" {NEIGHBOUR} ")),
    ):
        for place in places:
            for _ in range(5):
                sheet.add(国标代码=code, 国标名称=f"检查{code[-4:]}", 机构编码=place)
    return sheet.scan(tmp_path_factory.mktemp("clusters"))


def _of(run: Run, institution: str) -> list[dict[str, object]]:
    return run.clusters.filter(pl.col("institution_id") == institution).rows(named=True)


def test_a_local_code_is_one_however_it_is_written(found: Run) -> None:
    (cluster,) = _of(found, SPELT)
    assert (cluster["kind"], cluster["lines"], cluster["breaking"]) == ("mapping", 48, 24)


def test_a_code_of_two_names_is_judged_by_the_name_that_breaks_limits(found: Run) -> None:
    (cluster,) = _of(found, TWO_NAMES)
    assert (cluster["kind"], cluster["lines"], cluster["breaking"]) == ("mapping", 81, 30)


def test_two_of_three_institutions_of_one_error_do_not_hide_each_other(found: Run) -> None:
    for place in ("H39010100005", "H39010100006"):
        (cluster,) = _of(found, place)
        assert (cluster["breaking"], cluster["elsewhere_lines"], cluster["elsewhere_breaking"]) == (15, 30, 0)
    assert not _of(found, "H39010100007")


def test_what_names_no_person_is_counted_where_no_cluster_can_be_made_of_it(found: Run) -> None:
    assert not _of(found, "H39010100001")
    assert found.document["not_clustered"] == 12
    assert "12 行违规疑点没有人员编号" in found.said


def test_what_an_institution_charges_is_known_however_its_number_is_written(found: Run) -> None:
    (cluster,) = _of(found, NEIGHBOUR)
    told = {each["code"] for each in cluster["likely_items"]}  # type: ignore[attr-defined]
    assert "002501040149999" in told
    assert "002501040148888" not in told
