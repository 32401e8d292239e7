"""What 3101 and 3102 tell of the terms on which orders are paid: care, insurance, level, place, flags, and what the patient had before."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from checker.ingest.prescription import Item
from checker.ingest.provincial import read_provincial
from checker.service.national.message import Asked, read_message
from checker.service.national.notes import of_answers
from checker.service.national.profile import read_profile
from checker.service.ticket_json import read_prescriptions, write_prescriptions
from tests.service.messages import MALE_ONLY, NOW, ORDINARY, encounter, message, order, patient

NATIONAL = read_profile()


def read(*encounters: Any, patient_says: dict[str, Any] | None = None, **envelope: Any) -> Asked:
    return read_message(message(patient(*encounters, **(patient_says or {})), **envelope), NATIONAL, now=NOW)


def facts(*encounters: Any, **options: Any) -> Any:
    return read(*encounters, **options).prescriptions[0].facts


def test_an_encounter_tells_its_terms() -> None:
    told = facts(
        encounter(
            order(), insutype="390", medins_lv="05", med_type="门诊两病", prescriber_institution_level="02", pay_loc=5
        )
    )
    assert told.items() >= {
        "insurance_type": "390", "institution_level": "05", "care_type": "门诊两病", "prescriber_institution_level": "02", "pay_location": "5",
        "institution_name": "某某医院",
    }.items()  # fmt: skip


def test_what_the_encounter_leaves_out_others_tell() -> None:
    said = encounter(order(), insutype="", medins_lv=..., hosp_lv="08", medins_name="-")
    told = facts(said, patient_says={"insutype": "310"}, fixmedins_name="云上互联网医院")
    assert (told["insurance_type"], told["institution_level"], told["institution_name"]) == (
        "310",
        "08",
        "云上互联网医院",
    )
    untold = facts(encounter(order(), insutype=..., medins_name=...), fixmedins_name=None)
    assert untold.keys() & {"insurance_type", "institution_level", "institution_name", "pay_location"} == set()


@pytest.mark.parametrize("value", [["310"], {"code": "310"}, "\ud800", "x" * 5_000])
def test_terms_that_are_no_single_value_are_noted_and_not_given(value: Any) -> None:
    asked = read(encounter(order(), insutype=value, medins_lv=value))
    assert len(asked.prescriptions) == 1
    assert asked.prescriptions[0].facts.keys() & {"insurance_type", "institution_level"} == set()
    assert sum("按未提供处理" in note for note in asked.notes) == 2


@pytest.mark.parametrize(
    ("med_type", "medins_type", "care", "noted"),
    [
        ("门诊两病", "1", "门诊两病", True), ("体检\x07", "1", "体检\x07", True), ("41.5", "1", "41.5", True), (999, "1", "999", True),
        ("14", "2", "14", False), ("4101", "2", "4101", False), ("", "2", "41", False), ("门诊两病", "2", "41", True), ("", "1", None, False),
    ],
)  # fmt: skip
def test_care_passes_as_it_stands_and_a_retail_pharmacy_sells(
    med_type: Any, medins_type: str, care: str | None, noted: bool
) -> None:
    asked = read(encounter(med_type=med_type, medins_type=medins_type))
    told = asked.prescriptions[0].facts
    assert (told.get("care_type"), any("[care_groups]" in note or "零售药店" in note for note in asked.notes)) == (
        care,
        noted,
    )
    # Only in a pharmacy the person of a message is who pays.
    assert ("settlement_sex" in told) is (care in ("41", "4101"))


def test_a_word_that_the_profile_knows_is_not_overruled(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[care_groups]\nchronic = ["门诊两病"]\n', encoding="utf-8")
    sent = message(patient(encounter(med_type="门诊两病", medins_type="2")))
    asked = read_message(sent, NATIONAL, read_provincial(tmp_path / "own.toml"), now=NOW)
    assert (asked.prescriptions[0].facts["care_type"], asked.notes) == ("门诊两病", ())


@pytest.mark.parametrize(
    ("says", "flag"),
    [
        ({"drord_bhvr": "1"}, True), ({"drord_bhvr": 0}, False), ({"drord_bhvr": "3"}, None), ({"drord_bhvr": "-"}, None), ({"drord_bhvr": ["1"]}, None),
        ({"drord_bhvr": "0", "dscg_tkdrug_flag": "1"}, True), ({"dscgTkdrugFlag": "否", "drord_bhvr": "1"}, False), ({"dscg_tkdrug_flag": "也许"}, False),
    ],
)  # fmt: skip
def test_a_drug_to_take_home_is_told_by_its_flag_or_what_the_order_is_for(
    says: dict[str, Any], flag: bool | None
) -> None:
    [item] = read(encounter(order(**says))).prescriptions[0].items
    assert (item.is_discharge_drug, item.is_maternity_fee) == (flag, None)


def test_a_maternity_fee_and_who_prescribed_are_told_by_the_order() -> None:
    [item] = read(encounter(order(matn_fee_flag=1, prescriber_institution_level="三级"))).prescriptions[0].items
    assert (item.is_maternity_fee, item.prescriber_institution_level) == (True, "三级")


# ------------------------------------------------------------------------------------------------ what was before


def before(asked: Asked, number: int = 0) -> list[tuple[str | None, datetime | None]] | None:
    history = asked.prescriptions[number].history
    return None if history is None else [(item.item_code, item.service_time) for item in history]


@pytest.mark.parametrize(
    ("own", "in_scope", "is_paid"),
    [
        ("71.00", ..., True),
        ("71.00", "0", True),
        ("71.004", "0.00", True),
        ("71.00", "71.00", False),
        ("70.99", ..., False),
    ],
)
def test_an_order_that_is_said_to_be_in_scope_is_not_taken_for_self_paid(
    own: str, in_scope: object, is_paid: bool
) -> None:
    asked = read(encounter(order(ownpay_amt=own, inscp_scp_amt=in_scope)))
    assert (asked.self_paid_lines, asked.judged_lines) == ((1, 0) if is_paid else (0, 1))


def test_days_and_prices_of_orders_are_kept_of_history_too() -> None:
    """What is no number is noted like any other, and not given."""
    past = order(rx_id="R0", curr_drord_flag="0", prd_days=14, pric="1.5")
    orders = [
        order(prd_days="7.00"),
        past,
        order(rx_id="R2", prd_days="一周", pric="面议"),
        order(rx_id="R3", pric=...),
    ]
    asked = read_message(message(patient(encounter(*orders))), read_profile(), now=NOW)
    [prescription] = asked.prescriptions
    items = {item.line_id: item for item in (*prescription.items, *(prescription.history or ()))}
    told = {name: (item.days_supply, item.unit_price) for name, item in items.items()}
    assert told == {
        "R1": (Decimal(7), Decimal("35.5")), "R0": (Decimal(14), Decimal("1.5")), "R2": (None, None), "R3": (None, None),
    }  # fmt: skip
    for name in ("prd_days", "pric"):
        assert any(f".{name} 不是数字，按未提供处理" in note for note in asked.notes), asked.notes
    assert read_prescriptions(write_prescriptions([prescription])) == [prescription]


def test_where_nothing_is_told_of_history_it_is_not_known() -> None:
    assert before(read(encounter(order()))) is None


def test_earlier_orders_and_encounters_are_history_with_their_own_time() -> None:
    past = encounter(
        order(drord_begn_date="2025-11-30 08:00:00", hilist_code=ORDINARY), order(drord_begn_date="", rx_id="R7"),
        mdtrt_id="V0", adm_date="2025-11-01 09:00:00",
    )  # fmt: skip
    now = encounter(order(), order(rx_id="R2", curr_drord_flag=0, drord_begn_date="2026-02-28 10:00:00"))
    asked = read(past, now)
    assert before(asked) == [
        (ORDINARY, datetime(2025, 11, 30, 8)), (MALE_ONLY, datetime(2025, 11, 1, 9)), (MALE_ONLY, datetime(2026, 2, 28, 10)),
    ]  # fmt: skip
    history = asked.prescriptions[0].history or ()
    assert not any(item.judged or item.prescription_id for item in history)
    assert (asked.context_lines, asked.judged_lines) == (3, 1)


def test_history_without_a_usable_time_or_that_cannot_be_read_is_noted_and_left_out() -> None:
    past = encounter(
        order(drord_begn_date="昨天"), order(hilist_code=["X"]), order(rx_id="R3", drord_begn_date="2025-12-01"), mdtrt_id="V0", adm_date=None,
    )  # fmt: skip
    asked = read(past, encounter())
    assert before(asked) == [(MALE_ONLY, datetime(2025, 12, 1))]
    assert sum("没有算作历史医嘱" in note for note in asked.notes) == 2
    assert asked.unread == ()


def test_an_encounter_of_the_past_without_orders_says_that_there_were_none() -> None:
    assert before(read(encounter(mdtrt_id="V0", fsi_order_dtos=[]), encounter())) == []


def test_history_of_the_same_prescription_stands_beside_as_before() -> None:
    asked = read(encounter(order(), order(rx_id="R2", curr_drord_flag="0", drord_begn_date="2026-02-01 00:00:00")))
    [beside] = asked.prescriptions[0].beside
    assert (beside.prescription_id, beside.service_time, beside.judged) == ("CF1", datetime(2026, 2, 1), False)


def test_orders_of_several_days_know_of_each_other() -> None:
    days = [order(rx_id=f"R{day}", drord_begn_date=f"2026-03-0{day} 10:00:00") for day in (1, 2)]
    asked = read(encounter(*days))
    of_visit = asked.prescriptions[0].of_visit
    assert [item.service_time for item in of_visit] == [datetime(2026, 3, 1, 10), datetime(2026, 3, 2, 10)]
    assert all(each.of_visit is of_visit and each.history is None for each in asked.prescriptions)
    assert read(encounter(days[0], days[0] | {"rx_id": "R9"})).prescriptions[0].of_visit == ()


def test_a_ticket_keeps_what_several_prescriptions_share_once() -> None:
    days = [order(rx_id=f"R{day}", drord_begn_date=f"2026-03-0{day} 10:00:00") for day in (1, 2, 3)]
    past = [order(rx_id=f"H{number}", drord_begn_date="2025-12-01") for number in range(50)]
    asked = read(encounter(*past, mdtrt_id="V0"), encounter(*days))
    kept = write_prescriptions(asked.prescriptions)
    assert kept.count("H49") == 1
    again = read_prescriptions(kept)

    def plain(items: tuple[Item, ...] | None) -> list[dict[str, Any]] | None:
        return None if items is None else [item._asdict() for item in items]

    for read_again, each in zip(again, asked.prescriptions, strict=True):
        assert (plain(read_again.history), plain(read_again.of_visit)) == (plain(each.history), plain(each.of_visit))
        assert read_again.facts == each.facts


def test_what_nobody_told_is_noted_beside_the_results() -> None:
    untold = [
        {"line_id": "R1", "rule_id": rule, "missing": what}
        for rule, what in (("drug-online", "online"), ("drug-online", "online"), ("own", "rule"))
    ]
    note, unknown = of_answers(
        [
            {"not_judged": untold[:1], "unknown_values": [{"how": "不认识"}]},
            {"not_judged": untold[1:], "unknown_values": [{"how": "不认识"}]},
        ]
    )
    assert unknown == "不认识"
    assert note.startswith("2 条医嘱没有按规则 drug-online 判断，不知道是否互联网诊疗")
