"""Indicators of planted tables, counted by hand."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from checker.indicators.definitions import definitions
from checker.indicators.run import IndicatorsRequest, compute
from checker.indicators.told import CAVEATS, NEEDS
from checker.model.errors import InputError
from tests.indicators.tables import (
    BED,
    CARE,
    CONSUMABLE,
    CT,
    DRUG,
    LINE,
    MRI,
    TEST,
    cell,
    compute_tables,
    numbered,
    write,
)

ROOT = Path(__file__).resolve().parents[2]


def _value(row: dict[str, object]) -> object:
    return row.get("value")


def test_every_definition_speaks_of_what_there_is() -> None:
    from checker.indicators.cells import MEASURES

    known = {*MEASURES, "persons"}
    for each in definitions().indicators:
        assert {each.numerator, each.base, *([each.denominator] if each.denominator else [])} <= known, each.id
        assert set(each.needs) <= set(NEEDS)
        assert set(each.caveats) <= set(CAVEATS)
        assert each.unit == "count" or each.denominator or each.unit == "yuan"
    codes = [each.code for each in definitions().indicators if each.code]
    assert codes == [f"ZB1000020500{number}000" for number in range(1, 9)]


def test_shares_by_class(tmp_path: Path) -> None:
    of = {DRUG: "40", CONSUMABLE: "10", CT: "15", MRI: "5", TEST: "10", CARE: "12", BED: "8"}
    lines = [{"mdtrt_id": "M1", "med_list_codg": code, "det_item_fee_sumamt": amount} for code, amount in of.items()]
    lines.append({"mdtrt_id": "M1", "med_list_codg": "院内0001", "det_item_fee_sumamt": "100"})
    result = compute_tables(tmp_path, lines)
    told = {
        name: _value(cell(result, f"{name}_share"))
        for name in ("drug", "consumable", "examination", "ct", "mri", "treatment")
    }
    # Of no class is the last one; CT and MRI are examinations too.
    assert told == {"drug": 20.0, "consumable": 5.0, "examination": 15.0, "ct": 7.5, "mri": 2.5, "treatment": 6.0}
    assert result.run["classes"]["lines_of_no_class"] == 1
    assert result.run["classes"]["amounts"]["none"] == 100.0
    assert cell(result, "drug_share")["code"] == "ZB10000205001000"
    assert cell(result, "drug_share", "inpatient")["value"] == 20.0
    assert not cell(result, "drug_share", "outpatient")


CHARGED = [
    ("09", "院内1", "drug"), ("9", "院内1", "drug"), ("101", "院内1", "drug"), ("西药费", "院内1", "drug"), ("中草药", "院内1", "drug"),
    ("0801", "院内1", "consumable"), ("301", "院内1", "consumable"), ("卫生材料费", "院内1", "consumable"),
    ("04", "院内1", "examination"), ("化验费", "院内1", "examination"), ("CT费", "院内1", "ct"), ("03", CT, "ct"), ("检查费", MRI, "mri"),
    ("05", CT, "treatment"), ("201", CT, "ct"), (None, CT, "ct"), ("01", "院内1", "other"), ("手术费", "院内1", "other"),
    (None, "院内1", "none"), (None, "Z62569", "none"), (None, "T000700200", "drug"), (None, "C01", "none"), ("99", DRUG, "drug"),
]  # fmt: skip
NAMED = [
    ("颅脑CT平扫", "ct"), ("全身ECT显像", "examination"), ("头颅核磁共振", "mri"), ("MRI增强", "mri"), ("血常规检验", "examination"),
    ("肌肉注射", "treatment"), ("普通床位费", "other"), ("某药片", "none"),
]  # fmt: skip


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, set[str]]:
    """Of what classes each line is, first those of CHARGED, then those of NAMED, all in one table.

    A run tells the amount of each class: the first line costs 1 yuan, each further one twice as much, so that an amount is the sum of no other lines.
    """
    lines = [{"med_chrgitm_type": said, "med_list_codg": code} for said, code, _ in CHARGED]
    # What one local code is called says of what class all its lines are.
    lines += [{"hilist_name": name, "med_list_codg": f"院内{place}"} for place, (name, _) in enumerate(NAMED, 2)]
    rows = [{"mdtrt_id": "M1", "det_item_fee_sumamt": str(1 << place), **line} for place, line in enumerate(lines)]
    folder = tmp_path_factory.mktemp("classes")
    file = write(folder, "lines", {**LINE, "hilist_name": None}, numbered(rows))
    amounts = compute(IndicatorsRequest(inputs=[file], out=folder / "out")).run["classes"]["amounts"]
    return {
        place: {name for name, amount in amounts.items() if int(amount) >> place & 1} for place, _ in enumerate(lines)
    }


@pytest.mark.parametrize("place", range(len(CHARGED)), ids=["-".join(map(str, case)) for case in CHARGED])
def test_what_a_line_was_charged_for(classes: dict[int, set[str]], place: int) -> None:
    assert classes[place] == {CHARGED[place][2]}


@pytest.mark.parametrize("place", range(len(NAMED)), ids=[name for name, _ in NAMED])
def test_a_local_code_is_classed_by_its_name(classes: dict[int, set[str]], place: int) -> None:
    assert classes[len(CHARGED) + place] == {NAMED[place][1]}


def test_lines_are_used_skipped_or_rejected(tmp_path: Path) -> None:
    lines = [
        {"mdtrt_id": "M1", "bkkp_sn": "1"},
        {"mdtrt_id": "M1", "bkkp_sn": "1"},
        {"mdtrt_id": "M1", "bkkp_sn": "2", "vali_flag": "0"},
        {"mdtrt_id": "M1", "bkkp_sn": "3", "fee_ocur_time": "??"},
        {"mdtrt_id": "M1", "bkkp_sn": "4", "cnt": "-1", "det_item_fee_sumamt": "-30"},
    ]
    result = compute_tables(tmp_path, lines)
    told = result.run["lines"]
    assert (told["read"], told["used"], told["skipped"], told["rejected"]) == (
        5,
        2,
        {"invalid": 1, "context": 0, "duplicates": 1, "total": 2},
        1,
    )
    assert told["read"] == told["used"] + told["skipped"]["total"] + told["rejected"]
    assert cell(result, "total_cost")["value"] == 70.0
    assert pl.read_parquet(tmp_path / "out" / "rejects.parquet").height == 1


def test_refunds_take_off_and_visits_that_are_refunded_do_not_count(tmp_path: Path) -> None:
    lines = [
        {"mdtrt_id": "M1", "det_item_fee_sumamt": "100"},
        {"mdtrt_id": "M1", "cnt": "-1", "det_item_fee_sumamt": "-40"},
        {"mdtrt_id": "M2", "det_item_fee_sumamt": "70"},
        {"mdtrt_id": "M2", "cnt": "-1", "det_item_fee_sumamt": "70", "fee_ocur_time": "2026-02-03 08:00:00"},
    ]
    result = compute_tables(tmp_path, lines)
    assert (cell(result, "visits")["value"], cell(result, "total_cost")["value"]) == (1, 60.0)
    assert result.run["visits"]["wholly_refunded"] == 1
    # The refund counts in the month of its visit.
    assert not cell(result, "total_cost", month="2026-02")


def test_a_settlement_that_reverses_another_without_lines(tmp_path: Path) -> None:
    lines = [{"mdtrt_id": "M1", "setl_id": "S1"}, {"mdtrt_id": "M2", "setl_id": "S3"}]
    settlements = [
        {"setl_id": "S1", "mdtrt_id": "M1", "medfee_sumamt": "100", "fund_pay_sumamt": "70", "psn_pay": "30"},
        {
            "setl_id": "S2",
            "mdtrt_id": "M1",
            "medfee_sumamt": "-100",
            "fund_pay_sumamt": "-70",
            "psn_pay": "-30",
            "init_setl_id": "S1",
            "refd_setl_flag": "1",
        },
        {
            "setl_id": "S3",
            "mdtrt_id": "M2",
            "medfee_sumamt": "100",
            "fund_pay_sumamt": "60",
            "psn_pay": "40",
            "inscp_amt": "80",
        },
        {"setl_id": "S4", "mdtrt_id": "M2", "medfee_sumamt": "999", "vali_flag": "0"},
    ]
    for without in ((), ("mdtrt_id",)):
        result = compute_tables(tmp_path, lines, settlements, without=without)
        assert result.run["visits"]["costs_from"] == "settlements"
        told = {
            name: _value(cell(result, name))
            for name in ("visits", "total_cost", "fund_share", "own_share", "cost_per_visit")
        }
        assert told == {
            "visits": 1,
            "total_cost": 100.0,
            "fund_share": 60.0,
            "own_share": 40.0,
            "cost_per_visit": 100.0,
        }
        # The lines of the reversed settlement are no cost either.
        assert cell(result, "drug_share")["denominator"] == 100.0
        # Within scope is told of one settlement alone.
        assert cell(result, "in_scope_share")["value"] == 80.0


def test_a_stay_over_the_end_of_the_month_counts_once(tmp_path: Path) -> None:
    lines = [
        {"mdtrt_id": "M1", "fee_ocur_time": "2026-01-30 08:00:00", "det_item_fee_sumamt": "300"},
        {"mdtrt_id": "M1", "fee_ocur_time": "2026-02-02 08:00:00", "det_item_fee_sumamt": "100", "med_list_codg": CARE},
        {"mdtrt_id": "M2", "fee_ocur_time": "2026-01-05 08:00:00", "det_item_fee_sumamt": "50", "psn_no": "P2"},
    ]
    stays = [
        {"mdtrt_id": "M1", "begntime": "2026-01-30 07:00:00", "endtime": "2026-02-03 07:00:00"},
        {"mdtrt_id": "M2", "psn_no": "P2", "begntime": "2026-01-05 07:00:00", "endtime": "2026-01-05 17:00:00"},
    ]
    result = compute_tables(tmp_path, lines, stays=stays)
    assert (cell(result, "visits", month="2026-01")["value"], cell(result, "visits", month="2026-02")["value"]) == (
        1,
        1,
    )
    assert cell(result, "drug_share", month="2026-02")["value"] == 75.0
    assert (
        cell(result, "length_of_stay", "inpatient", "2026-01")["value"],
        cell(result, "length_of_stay", "inpatient", "2026-02")["value"],
    ) == (1, 4)
    assert cell(result, "cost_per_bed_day", "inpatient", "2026-02")["value"] == 100.0
    february = cell(result, "total_cost", month="2026-02")
    assert (february["previous"], february["change"]) == (50.0, 700.0)


def test_months_between_which_one_is_missing_are_not_compared(tmp_path: Path) -> None:
    lines = [{"mdtrt_id": f"M{month}", "fee_ocur_time": f"2026-0{month}-05 08:00:00"} for month in (1, 3)]
    assert cell(compute_tables(tmp_path, lines), "total_cost", month="2026-03")["previous"] is None


def test_readmissions(tmp_path: Path) -> None:
    days = {
        "A": [("01-01", "01-05"), ("02-05", "02-06")],  # 31 days: back
        "B": [("01-01", "01-05"), ("02-06", "02-07")],  # 32 days: not
        "C": [("01-01", "01-05"), ("01-05", "01-09")],  # the same day: one stay
        "D": [("01-01", "01-10"), ("01-03", "01-04"), ("01-12", "01-13")],  # overlapping: one stay, then back
    }
    stays = [
        {"mdtrt_id": f"{person}{number}", "psn_no": person, "begntime": f"2026-{start}", "endtime": f"2026-{end}"}
        for person, told in days.items()
        for number, (start, end) in enumerate(told)
    ]
    lines = [{"mdtrt_id": each["mdtrt_id"], "psn_no": each["psn_no"]} for each in stays]
    result = compute_tables(tmp_path, lines, stays=stays)
    row = cell(result, "readmission_rate", "inpatient")
    assert (row["numerator"], row["denominator"], row["note"]) == (2, 7, "follow_up")
    # The last admission is of 6 February: who left before 6 January is followed, the month of January is not.
    assert cell(result, "readmission_rate", "inpatient", "2026-01")["note"] == "follow_up"


def test_infections_that_are_coded(tmp_path: Path) -> None:
    stays = [
        {"mdtrt_id": f"M{n}", "psn_no": f"P{n}", "begntime": "2026-01-01", "endtime": "2026-01-05"} for n in range(5)
    ]
    lines = [{"mdtrt_id": each["mdtrt_id"], "psn_no": each["psn_no"]} for each in stays]
    diagnoses = [
        {"mdtrt_id": "M0", "diag_code": "Y95.x00"},
        {"mdtrt_id": "M1", "diag_code": "J15.900", "adm_cond_type": "4"},
        {"mdtrt_id": "M2", "diag_code": "J15.900", "adm_cond_type": "1"},
        {"mdtrt_id": "M3", "diag_code": "I10.x00", "adm_cond_type": "4"},
        {"mdtrt_id": "M3", "diag_code": "Y95.x00", "vali_flag": "0"},
    ]
    row = cell(
        compute_tables(tmp_path, lines, stays=stays, diagnoses=diagnoses), "hospital_infection_rate", "inpatient"
    )
    # M4 has no diagnosis, and is not in the denominator.
    assert (row["numerator"], row["denominator"], row["value"]) == (2, 4, 50.0)


def test_cells_by_level_insurance_and_institution(tmp_path: Path) -> None:
    lines = [
        {"mdtrt_id": "M1", "det_item_fee_sumamt": "100"},
        {
            "mdtrt_id": "M2",
            "psn_no": "P2",
            "fixmedins_code": "H2",
            "hosp_lv": "二级甲等",
            "insutype": "城乡居民",
            "det_item_fee_sumamt": "30",
        },
        {
            "mdtrt_id": "M3",
            "psn_no": "P2",
            "fixmedins_code": "H2",
            "hosp_lv": "二级甲等",
            "insutype": "390",
            "det_item_fee_sumamt": "50",
        },
        {
            "mdtrt_id": "M4",
            "psn_no": "P1",
            "fixmedins_code": "H2",
            "hosp_lv": "??",
            "insutype": None,
            "det_item_fee_sumamt": "20",
        },
    ]
    result = compute_tables(tmp_path, lines)
    costs = {
        place: cell(result, "total_cost", grain=grain, place=place)["value"]
        for grain, place in (
            ("level", "3"),
            ("level", "2"),
            ("level", "unknown"),
            ("insurance", "310"),
            ("insurance", "390"),
            ("institution", "H2"),
        )
    }
    assert costs == {"3": 100.0, "2": 80.0, "unknown": 20.0, "310": 100.0, "390": 80.0, "H2": 100.0}
    persons = {place: cell(result, "persons", grain="institution", place=place)["value"] for place in ("H1", "H2")}
    # P1 was in both: two in H2, one in H1, and two in all.
    assert (persons, cell(result, "persons")["value"]) == ({"H1": 1, "H2": 2}, 2)


@pytest.mark.parametrize(
    ("without", "lacking"),
    [
        (("mdtrt_id", "setl_id"), {"visits": "visit_id", "cost_per_visit": "visit_id"}),
        (("psn_no",), {"persons": "patient_id", "readmission_rate": "patient_id"}),
        (("det_item_fee_sumamt",), {"drug_share": "amount", "total_cost": "settlement_amount"}),
        (("med_type",), {"readmission_rate": "care_type", "length_of_stay": "care_type"}),
        (("endtime",), {"length_of_stay": "visit_end"}),
        (("adm_cond_type",), {"hospital_infection_rate": "on_admission"}),
        ((), {"fund_share": "settlement_fund_paid", "own_share": "own_amount"}),
    ],
)
def test_what_cannot_be_computed_says_so(tmp_path: Path, without: tuple[str, ...], lacking: dict[str, str]) -> None:
    stays = None if "mdtrt_id" in without else [{"mdtrt_id": "M1", "begntime": "2026-01-01", "endtime": "2026-01-05"}]
    diagnoses = None if "mdtrt_id" in without else [{"mdtrt_id": "M1", "diag_code": "I10.x00"}]
    result = compute_tables(tmp_path, [{"mdtrt_id": "M1"}], stays=stays, diagnoses=diagnoses, without=without)
    told = {each["id"]: each["column"] for each in result.run["not_computed"]}
    assert lacking.items() <= told.items()
    rows = pl.read_parquet(tmp_path / "out" / "indicators.parquet")
    for name, column in lacking.items():
        (row,) = rows.filter(pl.col("indicator") == name).iter_rows(named=True)
        assert (row["value"], row["note"]) == (None, f"missing:{column}")


def test_small_cells_are_not_shown(tmp_path: Path) -> None:
    lines = [{"mdtrt_id": f"M{n}", "psn_no": f"P{n}", "fixmedins_code": "H1" if n < 3 else "H2"} for n in range(4)]
    result = compute_tables(tmp_path, lines, min_cell=3)
    kept, hidden = (cell(result, "total_cost", grain="institution", place=place) for place in ("H1", "H2"))
    assert (kept["value"], hidden["value"], hidden["numerator"], hidden["note"]) == (300.0, None, None, "suppressed")
    assert result.run["suppressed"] > 0


def test_a_file_that_is_given_twice_counts_once(tmp_path: Path) -> None:
    lines = [{"mdtrt_id": "M1", "bkkp_sn": None}, {"mdtrt_id": "M1", "bkkp_sn": None}]
    files = [write(tmp_path, name, LINE, lines) for name in ("january", "again")]
    result = compute(IndicatorsRequest(inputs=files, out=tmp_path / "out"))
    # Equal lines of one file are two; the second file brings none.
    assert (
        result.run["lines"]["used"],
        result.run["lines"]["skipped"]["duplicates"],
        cell(result, "total_cost")["value"],
    ) == (2, 2, 200.0)


def test_lines_of_no_visit_count_in_their_own_month(tmp_path: Path) -> None:
    lines = [
        {"fee_ocur_time": "2026-01-05 08:00:00"},
        {"fee_ocur_time": "2026-02-05 08:00:00", "med_list_codg": CARE},
        {"mdtrt_id": "M1"},
    ]
    result = compute_tables(tmp_path, lines)
    assert cell(result, "drug_share", month="2026-02")["value"] == 0.0
    assert (cell(result, "visits")["value"], cell(result, "total_cost")["value"]) == (1, 100.0)
    assert result.run["visits"]["lines_without_visit"] == 2


def test_inputs_of_which_nothing_can_be_used(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="没有一行可以用于统计"):
        compute_tables(tmp_path, [{"mdtrt_id": "M1", "vali_flag": "0"}])
    assert not (tmp_path / "out").exists()
