"""Requests 3101 and 3102 are read in every form seen in the wild; what cannot be read is named by its path."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.model.errors import InputError
from checker.service.national.message import Asked, read_message
from checker.service.national.orders import LINES_MAX
from checker.service.national.profile import read_profile
from checker.service.ticket_json import read_prescriptions, write_prescriptions
from tests.service.messages import MALE_ONLY, NOW, ORDINARY, encounter, message, order, patient

NATIONAL, HAINAN = read_profile(), read_profile(Path("hainan"))
REQUESTS = Path(os.environ.get("LIANGKU_NATIONAL_REQUESTS", "no requests"))
"""A folder of requests as public programs send them; they are not ours to give away."""


def read(document: object, **options: Any) -> Asked:
    return read_message(document, NATIONAL, now=NOW, **options)


def refusal(document: object) -> str:
    with pytest.raises(InputError) as caught:
        read(document)
    return str(caught.value)


def codes(asked: Asked) -> list[str | None]:
    return [item.item_code for prescription in asked.prescriptions for item in prescription.items if item.judged]


# ------------------------------------------------------------------------------------------------ what is read


def test_the_person_of_a_pharmacys_message_is_the_insured() -> None:
    asked = read(message(patient(encounter(med_type="", medins_type="2"), certno="11010519491231002X")))
    [prescription] = asked.prescriptions
    facts = prescription.facts
    assert facts.keys() & {"line_sex", "line_birth", "patient_age", "id_number"} == set()
    assert (facts["settlement_sex"], facts["settlement_birth"], facts["header_id_number"]) == (
        "female",
        date(1990, 5, 1),
        "11010519491231002X",
    )
    kept = write_prescriptions([prescription])
    assert "11010519491231002X" not in kept
    assert read_prescriptions(kept)[0].facts["settlement_birth"] == date(1990, 5, 1)


def test_a_message_becomes_one_prescription_with_its_facts() -> None:
    asked = read(message())
    [prescription] = asked.prescriptions
    assert prescription.service_time == datetime(2026, 3, 1, 10)
    assert prescription.stage == "prescribe"
    assert prescription.diagnoses == ("N40.X00", "I10.X00")
    assert prescription.facts == {
        "patient_id": "P1", "line_sex": "female", "line_birth": date(1990, 5, 1), "visit_id": "V1", "institution_id": "H37080000001",
        "care_type": "11", "insured_region": "370800", "region": "370800", "visit_start": datetime(2026, 3, 1, 9),
        "insurance_type": "310", "institution_name": "某某医院",
    }  # fmt: skip
    [item] = prescription.items
    assert (item.line_id, item.item_code, item.quantity, item.amount) == ("R1", MALE_ONLY, "2.0000", "71.0000")
    assert asked.notes == ()


def test_what_the_answer_repeats_is_kept() -> None:
    asked = read(message())
    assert (asked.infno, asked.task_id, asked.trig_scen, asked.mdtrtarea, asked.operator) == (
        "3101", "T1", "2", "370800", "0001",
    )  # fmt: skip


def test_a_request_during_treatment_is_of_the_stage_settle() -> None:
    assert read(message(infno="3102")).prescriptions[0].stage == "settle"


def test_the_transaction_that_was_called_counts_before_the_one_written() -> None:
    assert read(message(), infno="3102").infno == "3102"


def test_a_scene_that_does_not_fit_the_transaction_is_no_error() -> None:
    assert read(message(infno="3102", data={"trig_scen": "1"})).infno == "3102"


@pytest.mark.parametrize(
    ("scene", "infno"), [("5", "3101"), (8, "3102"), ("2,10", "3102"), ("23", "3101"), ("", "3101")]
)
def test_an_unknown_transaction_is_told_by_its_scene(scene: object, infno: str) -> None:
    asked = read(message(infno="3301", data={"trig_scen": scene}))
    assert asked.infno == infno
    assert "infno" in asked.notes[0]


def test_feedback_sent_as_a_request_is_refused() -> None:
    assert "3103" in refusal(message(infno="3103"))


# ------------------------------------------------------------------------------------------------ forms of nodes


def _camel() -> dict[str, Any]:
    document = message()
    data = document["input"]["data"]
    person = data.pop("patient_dtos")[0]
    visit = person.pop("fsi_encounter_dtos")[0]
    visit["orderDtos"], visit["diagnoseDtos"] = visit.pop("fsi_order_dtos"), visit.pop("fsi_diagnose_dtos")
    data["patientDtos"] = [person | {"encounterDtos": visit}]
    return document


def _short_names() -> dict[str, Any]:
    visit = encounter()
    visit["order_dtos"], visit["diagnose_dtos"] = visit.pop("fsi_order_dtos"), visit.pop("fsi_diagnose_dtos")
    return message(patient(fsi_encounter_dtos=..., encounter_dtos=visit))


def _all_beside_the_data() -> dict[str, Any]:
    visit = encounter()
    nodes = {name: visit.pop(name) for name in ("fsi_order_dtos", "fsi_diagnose_dtos")}
    document = message(data={"patient_dtos": ""})
    document["input"] |= {"patient_dtos": [patient(fsi_encounter_dtos="")], "fsi_encounter_dtos": [visit], **nodes}
    return document


FORMS: dict[str, Any] = {
    "lists": message(),
    "objects": message(data={"patient_dtos": patient(fsi_encounter_dtos=encounter(fsi_order_dtos=order()))}),
    "a list holding null": message(None, patient(None, encounter(None, order()))),
    "camelCase": _camel(),
    "names without fsi_": _short_names(),
    "nodes beside the data": _all_beside_the_data(),
    "input as JSON text": message(input=json.dumps(message()["input"])),
    "orders as JSON text": message(patient(encounter(fsi_order_dtos=json.dumps([order()])))),
    "both names, the first empty": message(patient(encounter(fsi_order_dtos=[], order_dtos=[order()]))),
    "unknown members": message(patient(encounter(order(TarItemID="9"), wardarea_name="-"), x={"y": []}), mode="1", serv_sign=None),
    "rule_ids as text": message(data={"rule_ids": ""}),
    "rule_ids as null": message(data={"rule_ids": None}),
    "rule_ids named": message(data={"rule_ids": ["3101"]}),
    "his data as object": message(patient(fsi_his_data_dto={"a": 1})),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_nodes_reads_alike(form: str) -> None:
    [prescription] = read(FORMS[form]).prescriptions
    [plain] = read(message()).prescriptions
    assert prescription == plain


@pytest.mark.parametrize("empty", ["", None, [], {}, "-", "null"])
def test_an_encounter_without_diagnoses_is_read(empty: object) -> None:
    visit = encounter(fsi_diagnose_dtos=empty, dscg_main_dise_codg="--")
    assert read(message(patient(visit))).prescriptions[0].diagnoses == ()


@pytest.mark.parametrize("empty", ["", None, [], {}])
def test_an_encounter_with_an_empty_node_of_orders_has_nothing_to_judge(empty: object) -> None:
    asked = read(message(patient(encounter(fsi_order_dtos=empty))))
    assert asked.prescriptions == ()
    assert "没有医嘱" in asked.notes[0]


@pytest.mark.parametrize("scene", ["1", 3])
def test_a_registration_needs_no_node_of_orders(scene: object) -> None:
    asked = read(message(patient(encounter(fsi_order_dtos=...)), data={"trig_scen": scene}))
    assert asked.prescriptions == ()


# ------------------------------------------------------------------------------------------------ forms of values


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("2.0000", "2.0000"), (2, "2.0000"), (2.5, "2.5000"), ("02", "2.0000"), (" 1,234.5 ", "1234.5000"), ("1e2", "100.0000"),
     (".5", "0.5000"), ("0.00005", "0.0001"), (0, "0.0000"), ("", None), ("-", None), ("--", None), (None, None), (..., None)],
)  # fmt: skip
def test_a_quantity_is_read_in_every_spelling(written: object, read_as: str | None) -> None:
    [prescription] = read(message(patient(encounter(order(cnt=written))))).prescriptions
    assert prescription.items[0].quantity == read_as


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026-02-03 04:05:06", datetime(2026, 2, 3, 4, 5, 6)),
        ("2026-02-03", datetime(2026, 2, 3)),
        ("2026-02-03T04:05:06", datetime(2026, 2, 3, 4, 5, 6)),
        ("2026-02-03T04:05:06.1234567+08:00", datetime(2026, 2, 3, 4, 5, 6, 123456)),
        ("2026/2/3 4:05:06", datetime(2026, 2, 3, 4, 5, 6)),
        ("2026/2/3 星期二 4:05:06", datetime(2026, 2, 3, 4, 5, 6)),
        ("2026/2/3 下午 4:05:06", datetime(2026, 2, 3, 16, 5, 6)),
        ("2/3/2026 12:05:06 AM", datetime(2026, 2, 3, 0, 5, 6)),
        ("02/03/2026 04:05:06", datetime(2026, 2, 3, 4, 5, 6)),
        ("20260203040506", datetime(2026, 2, 3, 4, 5, 6)),
        (20260203, datetime(2026, 2, 3)),
        ("/Date(1770062706000)/", datetime(2026, 2, 3, 4, 5, 6)),
        ("/Date(1770062706000+0800)/", datetime(2026, 2, 3, 4, 5, 6)),
        (1770062706000, datetime(2026, 2, 3, 4, 5, 6)),
        ("2026年2月3日", datetime(2026, 2, 3)),
    ],
)
def test_a_service_time_is_read_in_every_spelling(written: object, time: datetime) -> None:
    [prescription] = read(message(patient(encounter(order(drord_begn_date=written))))).prescriptions
    assert prescription.service_time == time
    assert "time_fallback" not in prescription.facts


@pytest.mark.parametrize(
    "unusable", ["2026-37-03 04:05:06", "9999-12-31 00:00:00", "1900-01-01", "0001-01-01T00:00:00", "1970-01-01", "昨天", "/Date(9999999999999)/"]
)  # fmt: skip
def test_an_unusable_service_time_gives_way_to_the_next_source(unusable: str) -> None:
    asked = read(message(patient(encounter(order(drord_begn_date=unusable)))))
    [prescription] = asked.prescriptions
    assert prescription.service_time == datetime(2026, 3, 1, 9)
    assert prescription.facts["time_fallback"] is True
    assert asked.times_kept == (True,)
    assert "fsi_order_dtos[0].drord_begn_date" in asked.notes[0]


@pytest.mark.parametrize("absent", ["", None, "-", ...])
def test_orders_without_time_take_that_of_the_visit_then_of_the_message_then_now(absent: object) -> None:
    def times(adm_date: object, inf_time: object) -> tuple[datetime, bool]:
        visit = encounter(order(drord_begn_date=absent), adm_date=adm_date)
        asked = read(message(patient(visit), inf_time=inf_time))
        return asked.prescriptions[0].service_time, asked.times_kept[0]

    assert times("2026-03-01 09:00:00", "2026-03-02 09:30:00") == (datetime(2026, 3, 1, 9), True)
    assert times(absent, "2026-03-02 09:30:00") == (datetime(2026, 3, 2, 9, 30), False)
    assert times(absent, "soon") == (NOW, False)


@pytest.mark.parametrize(
    ("written", "sex", "is_unreadable"),
    [("1", "male", False), (2, "female", False), ("女", "female", False), ("M", "male", False), ("01", "male", False), (1.0, "male", False),
     ("0", None, False), ("9", None, False), ("", None, False), (None, None, False), (..., None, False), ("X", None, True), ("3", None, True)],
)  # fmt: skip
def test_a_sex_is_read_in_every_spelling(written: object, sex: str | None, is_unreadable: bool) -> None:
    facts = read(message(patient(gend=written))).prescriptions[0].facts
    assert facts.get("line_sex") == sex
    assert facts.get("person_unreadable", False) is is_unreadable


@pytest.mark.parametrize(
    ("written", "birth", "is_unreadable"),
    [("1990-05-01", date(1990, 5, 1), False), ("1990-05-01T00:00:00", date(1990, 5, 1), False), ("19900501", date(1990, 5, 1), False),
     ("1990/5/1 0:00:00", date(1990, 5, 1), False), (641491200000, date(1990, 5, 1), False), ("1900-01-01", None, False),
     ("9999-12-31", None, False), ("0001-01-01T00:00:00", None, False), ("--", None, False), ("1990-37-01", None, True),
     ("1990-02-30", None, True), ("五月", None, True)],
)  # fmt: skip
def test_a_birth_date_is_read_in_every_spelling(written: object, birth: date | None, is_unreadable: bool) -> None:
    facts = read(message(patient(brdy=written))).prescriptions[0].facts
    assert facts.get("line_birth") == birth
    assert facts.get("person_unreadable", False) is is_unreadable


def test_a_newborn_flag_beyond_the_national_list_is_heard() -> None:
    facts = read(message(patient(nwb_flag="1"))).prescriptions[0].facts
    assert facts["newborn_flag"] is True


def test_the_kind_of_care_is_told_by_med_type_not_by_med_mdtrt_type() -> None:
    facts = read(message(patient(encounter(med_type="21", med_mdtrt_type="2")))).prescriptions[0].facts
    assert facts["care_type"] == "21"


def test_a_retail_pharmacy_without_med_type_sells() -> None:
    facts = read(message(patient(encounter(med_type="", medins_type="2", med_mdtrt_type="3")))).prescriptions[0].facts
    assert facts["care_type"] == "41"


def test_the_place_of_the_insured_is_the_pool_where_the_envelope_names_none() -> None:
    assert read(message(insuplc_admdvs="")).prescriptions[0].facts["insured_region"] == "370899"


def test_an_amount_that_is_no_number_is_left_out_and_noted() -> None:
    asked = read(message(patient(encounter(order(sumamt="免费")))))
    assert asked.prescriptions[0].items[0].amount is None
    assert "sumamt" in asked.notes[0]


def test_a_code_is_normalised() -> None:
    full_width = MALE_ONLY.lower().replace("x", "Ｘ")
    assert codes(read(message(patient(encounter(order(hilist_code=f" {full_width} ")))))) == [MALE_ONLY]


# ------------------------------------------------------------------------------------------------ what is judged


def test_history_is_counted_not_judged() -> None:
    past = encounter(order(rx_id="R0"), order(rx_id="R9"), mdtrt_id="V0")
    asked = read(message(patient(past, encounter(order(), order(rx_id="R2", curr_drord_flag=0)))))
    assert [item.line_id for item in asked.prescriptions[0].items] == ["R1"]
    assert asked.context_lines == 3


def test_a_message_of_history_alone_is_no_error() -> None:
    asked = read(message(patient(encounter(order(curr_drord_flag="0")))))
    assert (asked.prescriptions, asked.context_lines) == ((), 1)


@pytest.mark.parametrize("flag", ["1", "", None, ..., "9"])
def test_an_order_not_called_history_is_judged(flag: object) -> None:
    assert codes(read(message(patient(encounter(order(curr_drord_flag=flag)))))) == [MALE_ONLY]


def test_orders_of_different_times_are_prescriptions_of_their_own() -> None:
    times = ("2026-03-01 10:00:00", "2026-03-02 10:00:00", "2026-03-01 10:00:00", None)
    orders = [order(rx_id=f"R{number}", drord_begn_date=time) for number, time in enumerate(times)]
    asked = read(message(patient(encounter(*orders))))
    assert [[item.line_id for item in each.items] for each in asked.prescriptions] == [["R0", "R2"], ["R1"], ["R3"]]
    assert ["time_fallback" in each.facts for each in asked.prescriptions] == [False, False, True]


def test_several_patients_are_prescriptions_of_their_own() -> None:
    asked = read(message(patient(), patient(patn_id="P2", gend="1", poolarea="370100")))
    assert [each.facts["line_sex"] for each in asked.prescriptions] == ["female", "male"]
    assert [each.facts["insured_region"] for each in asked.prescriptions] == ["370899", "370100"]


@pytest.mark.parametrize("member", ["curr_drord_flag", "self_paying_flag"])
def test_a_flag_that_cannot_be_read_is_noted(member: str) -> None:
    asked = read(message(patient(encounter(order(**{member: "未知"})))))
    assert codes(asked) == [MALE_ONLY]
    assert asked.notes[0].endswith(
        f"fsi_order_dtos[0].{member} 无法识别，按未提供处理（cannot be read: taken as not given）"
    )


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (f"{MALE_ONLY};", MALE_ONLY), (f"{MALE_ONLY.lower()}-爱普列特片", MALE_ONLY), (f"{MALE_ONLY}/{ORDINARY}", f"?{MALE_ONLY}/{ORDINARY}"),
        ("无", None),
    ],
)  # fmt: skip
def test_a_code_is_read_as_in_files(written: str, code: str | None) -> None:
    assert codes(read(message(patient(encounter(order(hilist_code=written)))))) == [code]


def test_refunds_and_self_paid_orders_are_counted_not_judged() -> None:
    orders = (order(cnt="-1"), order(sumamt=-3), order(self_paying_flag=1), order(rx_id="R2"))
    asked = read(message(patient(encounter(*orders))))
    assert [item.judged for item in asked.prescriptions[0].items] == [False, False, False, True]
    assert (asked.refund_lines, asked.self_paid_lines) == (2, 1)


def test_identical_orders_are_judged_once() -> None:
    asked = read(message(patient(encounter(order(), order(), order(drugtracinfo=[1]), order(drugtracinfo=[1])))))
    assert len(asked.prescriptions[0].items) == 2
    assert asked.repeated_lines == 2


def test_orders_of_one_id_with_other_content_are_each_judged() -> None:
    orders = (order(), order(hilist_code=ORDINARY), order(rxno="CF2"))
    assert codes(read(message(patient(encounter(*orders))))) == [MALE_ONLY, ORDINARY, MALE_ONLY]


@pytest.mark.parametrize("visit", ["V1", ..., ""])
@pytest.mark.parametrize("current", ["", None, "-", ..., "ZY0001", 17])
def test_the_only_encounter_is_the_current_one_whichever_is_named(current: object, visit: object) -> None:
    asked = read(message(patient(encounter(mdtrt_id=visit), curr_mdtrt_id=current)))
    assert (codes(asked), asked.context_lines) == ([MALE_ONLY], 0)
    differs = visit == "V1" or current in ("ZY0001", 17)
    assert any("curr_mdtrt_id" in note for note in asked.notes) == differs


def test_an_order_without_id_is_given_none() -> None:
    """An invented one could be another order's, which would make the two one."""
    asked = read(message(patient(encounter(order(rx_id="2"), order(rx_id="")))))
    assert [item.line_id for item in asked.prescriptions[0].items] == ["2", None]


# ------------------------------------------------------------------------------------------------ what is refused


REFUSED: dict[str, tuple[Any, str]] = {
    "no object": ([], "报文应为 JSON 对象"),
    "no input": (message(input=...), "input"),
    "input is a number": (message(input=3), "input 应为"),
    "input is no JSON": (message(input="{"), "input 是无法识别的文本"),
    "no patient": (message(data={"patient_dtos": []}), "input.data.patient_dtos"),
    "patient is a number": (message(7), "input.data.patient_dtos[0] 应为"),
    "no encounter": (message(patient(fsi_encounter_dtos="")), "input.data.patient_dtos[0].fsi_encounter_dtos"),
    "no orders node": (message(patient(encounter(fsi_order_dtos=...))), "fsi_encounter_dtos[0].fsi_order_dtos 缺失"),
    "the named encounter is not there": (message(patient(encounter(), encounter(mdtrt_id="V2"), curr_mdtrt_id="V7")), "“V7”不在"),
    "several encounters, none named": (message(patient(encounter(), encounter(mdtrt_id="V2"), curr_mdtrt_id="")), "2 条"),
}  # fmt: skip


@pytest.mark.parametrize("fault", REFUSED)
def test_a_fault_is_named_by_its_path(fault: str) -> None:
    document, expected = REFUSED[fault]
    assert expected in refusal(document)


UNREAD: dict[str, tuple[Any, str]] = {
    "a quantity in words": (order(rx_id="R9", cnt="两盒"), "input.data.patient_dtos[0].fsi_encounter_dtos[0].fsi_order_dtos[1].cnt 的值“两盒”"),
    "an amount in words and no quantity": (order(rx_id="R9", cnt="", sumamt="两元"), "fsi_order_dtos[1].sumamt 的值“两元”"),
    "a quantity that is an array": (order(rx_id="R9", cnt=[1]), "fsi_order_dtos[1].cnt 应为单个值"),
    "a quantity without end": (order(rx_id="R9", cnt=float("inf")), "fsi_order_dtos[1].cnt"),
    "half a character": (order(rx_id="R9", hilist_name="\ud800"), "fsi_order_dtos[1].hilist_name"),
    "a time that is an object": (order(rx_id="R9", drord_begn_date={"a": 1}), "fsi_order_dtos[1].drord_begn_date 应为单个值"),
}  # fmt: skip


@pytest.mark.parametrize("fault", UNREAD)
def test_an_order_that_cannot_be_read_does_not_lose_the_others(fault: str) -> None:
    bad, said = UNREAD[fault]
    asked = read(message(patient(encounter(order(), bad, order(rx_id="R3", hilist_code=ORDINARY)))))
    assert codes(asked) == [MALE_ONLY, ORDINARY]
    [unread] = asked.unread
    assert unread[:3] == ("P1", "V1", "R9")
    assert said in unread.message


def test_an_order_that_cannot_be_read_stands_beside_the_others() -> None:
    """What is counted of a prescription is not counted as if it were not there."""
    [prescription] = read(message(patient(encounter(order(), order(rx_id="R9", cnt="两盒"))))).prescriptions
    assert [(item.line_id, item.judged) for item in prescription.items] == [("R1", True), ("R9", False)]


def test_a_patient_or_encounter_that_cannot_be_read_does_not_lose_the_others() -> None:
    twice = patient(encounter(), encounter(mdtrt_id="V2"), patn_id="P2", curr_mdtrt_id="")
    asked = read(message(patient(), twice, patient(encounter(fsi_order_dtos=...), patn_id="P3")))
    assert codes(asked) == [MALE_ONLY]
    assert [each[:3] for each in asked.unread] == [("P2", None, None), ("P3", "V1", None)]
    assert "curr_mdtrt_id 为空而就诊信息有 2 条" in asked.unread[0].message


def test_a_path_has_no_index_where_the_node_is_an_object() -> None:
    document = message(data={"patient_dtos": patient(fsi_encounter_dtos=encounter(fsi_order_dtos=order(cnt="x")))})
    [unread] = read(document).unread
    assert unread.message.startswith("input.data.patient_dtos.fsi_encounter_dtos.fsi_order_dtos.cnt")


def test_what_is_sent_twice_counts_once() -> None:
    plain = read(message()).prescriptions
    assert read(message(patient(encounter(), encounter()))).prescriptions == plain
    assert read(message(patient(), patient())).prescriptions == plain
    # The same encounter again, with a further order: the order that stands in both is one.
    more = encounter(order(), order(rx_id="R2", hilist_code=ORDINARY), bedno="3")
    asked = read(message(patient(encounter(), more)))
    assert (codes(asked), asked.repeated_lines) == ([MALE_ONLY, ORDINARY], 1)


@pytest.mark.parametrize(
    ("changes", "is_judged"),
    [({"ownpay_amt": "71.00"}, False), ({"ownpay_amt": 71}, False), ({"ownpay_amt": "70.99"}, True), ({"ownpay_amt": "0"}, True),
     ({"ownpay_amt": "0", "sumamt": "0"}, True), ({"ownpay_amt": "全部"}, True), ({"ownpay_amt": "71", "self_paying_flag": "0"}, True),
     ({"ownpay_amt": "71", "self_paying_flag": "?"}, False), ({"self_paying_flag": "?"}, True), ({"self_paying_flag": "1"}, False)],
)  # fmt: skip
def test_an_order_is_self_paid_where_its_flag_or_its_amounts_say_so(changes: dict[str, Any], is_judged: bool) -> None:
    asked = read(message(patient(encounter(order(**changes)))))
    assert (codes(asked), asked.self_paid_lines) == (([MALE_ONLY], 0) if is_judged else ([], 1))


def test_no_person_stands_in_an_error_or_a_note() -> None:
    person = patient(gend="褚某某", brdy="褚某某", age="褚某某", nwb_flag="褚某某", certno="褚某某")
    asked = read(message(person))
    assert len(asked.notes) == 4
    assert "褚" not in "".join(asked.notes)
    assert "褚" not in refusal(message(patient(patn_id=["褚某某"])))


def test_more_lines_than_allowed_are_refused_but_history_does_not_count() -> None:
    lines = [order(rx_id=f"R{number}") for number in range(LINES_MAX)]
    past = [order(rx_id=f"H{number}", curr_drord_flag="0") for number in range(LINES_MAX)]
    assert read(message(patient(encounter(*past, *lines)))).context_lines == LINES_MAX
    assert str(LINES_MAX) in refusal(message(patient(encounter(*lines, order(rx_id="R")))))


def test_notes_do_not_grow_without_end() -> None:
    lines = [order(rx_id=f"R{number}", drord_begn_date=f"第{number}天") for number in range(500)]
    assert len(read(message(patient(encounter(*lines)))).notes) < 50


# ------------------------------------------------------------------------------------------------ Hainan, samples, fuzz


def _hainan(**changes: Any) -> dict[str, Any]:
    visit = encounter()
    visit["orderDtos"], visit["diagnoseDtos"] = visit.pop("fsi_order_dtos"), visit.pop("fsi_diagnose_dtos")
    visit["medins_code"] = visit.pop("medins_id")
    person = {
        "psn_no": "P1",
        "psn_name": "褚某某",
        "gend": "2",
        "brdy": "1990-05-01",
        "insuplc_admdvs": "370899",
        "curr_mdtrt_id": "V1",
    }
    body = {"trigScen": "2,5", "patientDtos": [person | {"encounterDtos": visit, "cvlserv_flag": "0"}]}
    return message(infno="3660", input={"trigScen": body}) | changes


def test_the_message_of_hainan_reads_like_the_national_one() -> None:
    asked = read_message(_hainan(), HAINAN, now=NOW)
    assert asked.prescriptions == read(message()).prescriptions
    assert (asked.infno, asked.trig_scen) == ("3101", "2,5")


def test_hainan_during_treatment_is_told_by_the_address_that_was_called() -> None:
    assert read_message(_hainan(), HAINAN, now=NOW, infno="3661").infno == "3102"


def test_a_province_still_reads_the_national_message() -> None:
    assert read_message(message(), HAINAN, now=NOW) == read(message())


@pytest.mark.skipif(not REQUESTS.is_dir(), reason="LIANGKU_NATIONAL_REQUESTS names no folder of collected requests")
@pytest.mark.parametrize(
    ("name", "lines"), [("outpatient_encounter_as_object", 2), ("outpatient_lists_numbers_as_strings", 1)]
)
def test_a_request_as_a_public_program_sends_it_is_read(name: str, lines: int) -> None:
    document = json.loads((REQUESTS / f"{name}.json").read_text(encoding="utf-8"))
    asked = read(document)
    assert sum(len(each.items) for each in asked.prescriptions) == lines
    assert asked.notes == ()


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of every object and array, as holder and key."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in entries:
        yield node, key
        yield from _places(value)


ODD = st.one_of(
    st.sampled_from(["", "-", "--", "null", None, True, 0, -1, 10**30, 1e308, float("nan"), [], {}, [[]], [None], [1], "[]", "{}", '{"a": 1}',
                     "9999-12-31", "0000-00-00", "2026-02-30 25:61:61", "/Date(-1)/", "\ud800", "\x00", "１２", "²", "1e999", "褚某某"]),
    st.text(max_size=24),
    st.text("0123456789-/: T.+年月日上下午APM()Date", max_size=24),
    st.integers(),
    st.floats(),
    st.recursive(st.none() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_change_to_a_message_reads_or_is_refused(data: st.DataObject) -> None:
    document = {"root": copy.deepcopy(data.draw(st.sampled_from([message(), _hainan()])))}
    for _ in range(data.draw(st.integers(1, 4))):
        places = list(_places(document))
        if not places:
            break
        holder, key = places[data.draw(st.integers(0, len(places) - 1))]
        change = data.draw(st.sampled_from(["put", "put", "take", "wrap"]))
        if change == "put":
            holder[key] = copy.deepcopy(data.draw(ODD))
        elif change == "wrap":
            holder[key] = [holder[key]]
        else:
            del holder[key]
    profile = data.draw(st.sampled_from([NATIONAL, HAINAN]))
    with suppress(InputError):
        asked = read_message(document.get("root"), profile, now=NOW)
        assert len(asked.prescriptions) == len(asked.times_kept)
