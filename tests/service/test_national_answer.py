"""What the counter finds, as results of 3101 and 3102: the real counter judges, the answer tells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from checker.precheck.counter import Precheck
from checker.service.national.answer import write_answer, write_not_reviewed
from checker.service.national.envelope import write_error
from checker.service.national.message import Asked, read_message
from checker.service.national.notes import of_answers
from checker.service.national.profile import Profile, read_profile
from checker.service.national.results import Result, results_of
from tests.service.messages import MALE_ONLY, NOW, ORDINARY, encounter, message, order, patient

NATIONAL, HAINAN = read_profile(), read_profile(Path("hainan"))
AT: dict[str, Any] = {"received": datetime(2026, 3, 2, 9, 30, 15, 1000), "now": NOW, "serial": 42}


@pytest.fixture(scope="module")
def counter() -> Precheck:
    return Precheck.open()


def judged(counter: Precheck, document: object, now: datetime = NOW) -> tuple[Asked, list[dict[str, Any]]]:
    asked = read_message(document, NATIONAL, now=now)
    return asked, [counter.answer(counter.named(each)) for each in asked.prescriptions]


def results(counter: Precheck, document: object, *, profile: Profile = NATIONAL, now: datetime = NOW) -> list[Result]:
    return results_of(*judged(counter, document, now), profile)


def output(counter: Precheck, document: object, profile: Profile = NATIONAL) -> Any:
    return write_answer(*judged(counter, document), profile, **AT)["output"]


def ids(found: Sequence[Result]) -> list[str]:
    return [each.jr_id for each in found]


def test_the_amount_is_what_refunds_leave(counter: Precheck) -> None:
    """An order given back in part; in full there is no result."""
    part = order(rx_id="R2", cnt="-1", sumamt="-35.50")
    [result] = output(counter, message(patient(encounter(order(), part))))["result"]
    assert (result["vola_amt"], result["judge_result_detail_dtos"][0]["vola_amt"]) == (35.5, 35.5)
    full = order(rx_id="R2", cnt="-2", sumamt="-71.00")
    assert output(counter, message(patient(encounter(order(), full))))["result"] == []


@pytest.mark.parametrize(("in_scope", "is_judged"), [("0", False), ("0.01", True), (None, True)])
def test_what_the_fund_does_not_pay_is_noted(counter: Precheck, in_scope: str | None, is_judged: bool) -> None:
    """As a scan counts it and /v1/check names it: no result, and the interface has no place to say why."""
    limited = order(hilist_code="XN05CDM084X001010102000", inscp_scp_amt=in_scope, sumamt="35.50")
    asked, answers = judged(counter, message(patient(encounter(limited))))
    assert bool(results_of(asked, answers, NATIONAL)) == is_judged
    assert ["drug-child-limited" in note for note in of_answers(answers)] == ([] if is_judged else [True])


def test_a_violation_becomes_a_result(counter: Precheck) -> None:
    [result] = output(counter, message())["result"]
    [detail] = result.pop("judge_result_detail_dtos")
    assert result.pop("jr_id") != detail.pop("jrd_id")
    assert "爱普列特片" in result.pop("vola_cont")
    evidence = result.pop("vola_evid")
    assert evidence.startswith("规则 GZ10000301004000；知识点 ")
    assert result == {
        "rule_id": "GZ10000301004000", "rule_name": "药品区分性别使用", "patn_id": "P1", "mdtrt_id": "V1", "vola_amt": 71.0,
        "vola_amt_stas": "1", "sev_deg": "2", "vola_bhvr_type": "", "task_id": "T1",
    }  # fmt: skip
    assert detail == {"patn_id": "P1", "mdtrt_id": "V1", "rx_id": "R1", "vola_item_type": "1", "vola_amt": 71.0}


def test_the_envelope_names_place_time_and_serial(counter: Precheck) -> None:
    answer = write_answer(*judged(counter, message()), NATIONAL, **AT)
    del answer["output"]
    assert answer == {
        "infcode": 0, "inf_refmsgid": "370800202603020930150000000042", "refmsg_time": "20260302093015001",
        "respond_time": "20260302093015678", "err_msg": None,
    }  # fmt: skip


def test_an_answer_is_json(counter: Precheck) -> None:
    answer = write_answer(*judged(counter, message()), NATIONAL, **AT)
    assert json.loads(json.dumps(answer)) == answer


def test_nothing_found_is_an_empty_list(counter: Precheck) -> None:
    assert output(counter, message(patient(gend="1"))) == {"result": [], "task_id": "T1"}


def test_what_cannot_be_judged_is_told_at_the_lowest_degree_without_amount(counter: Precheck) -> None:
    [result] = output(counter, message(patient(gend="0")))["result"]
    assert (result["sev_deg"], result["vola_amt"], result["vola_amt_stas"]) == ("3", 0, "0")
    assert "无法判断" in result["vola_cont"]
    assert "性别" in result["vola_cont"]


def test_what_cannot_be_judged_is_left_out_where_the_province_says_so(counter: Precheck) -> None:
    assert results(counter, message(patient(gend="0")), profile=replace(NATIONAL, undetermined="omit")) == []


def test_what_a_message_does_not_tell_is_no_empty_answer(counter: Precheck) -> None:
    """One result an encounter says what is missing and of which items; where it is told there is none."""
    family = "ZA04BAQ0397"
    orders = [order(rx_id=f"R{n}", hilist_code=f"{family}01010000{n}", hilist_name=f"药{n}") for n in range(2)]
    asked = message(patient(encounter(*orders, med_type="21")))
    [result] = results(counter, asked)
    assert (
        result.content == "报文没有告知医疗机构等级，2 个项目的有关规则没有判断：药0、药1。不等于没有问题，请人工核对。"
    )
    assert (result.severity, result.amount, [rx for _, rx in result.details]) == ("3", None, ["R0", "R1"])
    assert ids(results(counter, asked)) == [result.jr_id]
    assert results(counter, asked, profile=replace(NATIONAL, not_judged="omit")) == []
    assert results(counter, message(patient(encounter(*orders, hosp_lv="三甲", med_type="21")))) == []


def test_an_unknown_code_is_told_under_our_own_rule(counter: Precheck) -> None:
    [result] = results(counter, message(patient(encounter(order(hilist_code="YP001")))))
    assert (result.rule_id, result.severity, result.amount) == ("unknown_code", "3", None)
    assert result.rule_name


LOCAL = [order(rx_id=f"R{number}", hilist_code=f"YP{number}", hilist_name=f"药{number}") for number in range(9)]


def test_local_codes_are_one_result_of_each_encounter(counter: Precheck) -> None:
    document = message(
        patient(encounter(*LOCAL)),
        patient(encounter(*LOCAL[:2]), patn_id="P2"),
        patient(encounter(LOCAL[0]), patn_id="P3"),
    )
    found = results(counter, document)
    assert [(each.patient_id, len(each.details), each.severity) for each in found] == [
        ("P1", 9, "3"),
        ("P2", 2, "3"),
        ("P3", 1, "3"),
    ]
    assert found[0].content == "9 条医嘱的编码不是国家医保编码，无法判断：药0、药1、药2、药3、药4 等。"
    assert [each.jr_id for each in results(counter, document)] == ids(found)


def test_local_codes_have_a_switch_of_their_own(counter: Precheck) -> None:
    document = message(patient(encounter(order(rx_id="V"), *LOCAL)))
    for undetermined in ("answer", "omit"):
        profile = replace(NATIONAL, undetermined=undetermined)
        numbers = [
            len(results(counter, document, profile=replace(profile, local_codes=each)))
            for each in ("each", "summary", "omit")
        ]
        assert numbers == [10, 2, 1]


def test_orders_without_a_code_are_none_of_local_codes(counter: Precheck) -> None:
    without = [order(rx_id=f"N{number}", hilist_code="") for number in range(3)]
    for omit, orders, expected in (
        (False, [*LOCAL, without[0]], [9, 1]), (False, [*LOCAL, *without], [9, 3]), (True, [*LOCAL, *without], [3]),
    ):  # fmt: skip
        profile = replace(NATIONAL, local_codes="omit") if omit else NATIONAL
        found = results(counter, message(patient(encounter(*orders))), profile=profile)
        assert [len(each.details) for each in found] == expected
        assert "hilist_code 为空" in found[-1].content


def test_local_codes_alone_that_are_left_out_are_no_review(counter: Precheck) -> None:
    [result] = results(counter, message(patient(encounter(*LOCAL))), profile=replace(NATIONAL, local_codes="omit"))
    assert result.content == "本次没有可审核的项目（非国家医保编码 9 条），未作审核。"


def test_nothing_to_review_is_an_error_where_the_province_says_so(counter: Precheck) -> None:
    profile = replace(NATIONAL, not_reviewed="error")
    answer = write_answer(*judged(counter, message(patient(encounter(fsi_order_dtos=[])))), profile, **AT)
    assert (answer["infcode"], answer["output"]) == (-1, None)
    assert answer["err_msg"] == "本次没有可审核的项目（没有医嘱），未作审核。"
    # One order that cannot be read is no reason to lose the others.
    mixed = message(patient(encounter(order(), order(rx_id="R9", cnt="x"))))
    assert write_answer(*judged(counter, mixed), profile, **AT)["infcode"] == 0


def test_an_order_that_cannot_be_read_has_a_result_of_its_own(counter: Precheck) -> None:
    [good, bad] = output(counter, message(patient(encounter(order(), order(rx_id="R9", cnt="两盒")))))["result"]
    [detail] = bad["judge_result_detail_dtos"]
    assert (good["sev_deg"], bad["sev_deg"], bad["rule_id"], detail["rx_id"]) == ("2", "3", "not_reviewed", "R9")
    assert bad["vola_cont"].startswith("这条医嘱无法读取，没有审核，请人工核对：input.data.patient_dtos[0]")


def test_an_order_without_amount_has_the_amount_nought_and_says_so(counter: Precheck) -> None:
    [result] = output(counter, message(patient(encounter(order(sumamt="")))))["result"]
    assert (result["vola_amt"], result["vola_amt_stas"]) == (0, "0")


def test_amounts_have_two_decimals(counter: Precheck) -> None:
    [result] = results(counter, message(patient(encounter(order(sumamt="71.005")))))
    assert result.amount == 71.01


def test_exempt_findings_are_no_results(counter: Precheck) -> None:
    asked, [answer] = judged(counter, message())
    exempt = answer | {"findings": [finding | {"verdict": "exempt"} for finding in answer["findings"]]}
    assert results_of(asked, [exempt], NATIONAL) == []


def test_the_gravest_result_comes_first(counter: Precheck) -> None:
    orders = (order(hilist_code="YP001", rx_id="R0"), order(rx_id="R1"))
    assert [each.rx_id for each in results(counter, message(patient(encounter(*orders))))] == ["R1", "R0"]


def test_each_result_knows_its_finding(counter: Precheck) -> None:
    asked, answers = judged(counter, message())
    [result] = results_of(asked, answers, NATIONAL)
    assert result.finding is answers[0]["findings"][0]


def test_texts_are_cut_to_the_lengths_of_the_interface(counter: Precheck) -> None:
    [result] = output(counter, message(patient(encounter(order(hilist_name="长" * 900)))))["result"]
    assert len(result["vola_cont"]) == 500


# ------------------------------------------------------------------------------------------------ jr_id


def test_a_request_sent_again_gives_the_same_ids(counter: Precheck) -> None:
    first = results(counter, message())
    again = results(counter, message(inf_time="2026-03-02 11:00:00", msgid="other"), now=datetime(2026, 3, 3))
    assert ids(first) == ids(again)


@pytest.mark.parametrize("inf_time", ["2026-03-02 09:30:00", ""])
def test_ids_do_not_depend_on_the_time_of_the_message(counter: Precheck, inf_time: str) -> None:
    visit = encounter(order(drord_begn_date=""), adm_date="")
    first = results(counter, message(patient(visit), inf_time=inf_time))
    again = results(counter, message(patient(visit), inf_time=""), now=datetime(2026, 3, 3))
    assert len(first) == 1
    assert ids(first) == ids(again)


@pytest.mark.parametrize(
    "change", [{"cnt": "3"}, {"sumamt": "72"}, {"rx_id": "R7"}, {"drord_begn_date": "2026-03-01 11:00:00"}]
)
def test_another_order_has_another_id(counter: Precheck, change: dict[str, str]) -> None:
    other = results(counter, message(patient(encounter(order(**change)))))
    assert ids(results(counter, message())) != ids(other)


def test_lines_alike_in_one_prescription_have_ids_of_their_own(counter: Precheck) -> None:
    found = results(counter, message(patient(encounter(order(), order(rxno="CF2")))))
    assert len(found) == len(set(ids(found))) == 2


# ------------------------------------------------------------------------------------------------ forms of provinces


def test_one_result_as_object(counter: Precheck) -> None:
    found = output(counter, message(), HAINAN)
    assert found["result"]["rule_id"] == "GZ10000301004000"
    assert "results" not in found


def test_nothing_found_as_object_is_null(counter: Precheck) -> None:
    assert output(counter, message(patient(gend="1")), HAINAN)["result"] is None


def test_of_several_results_the_object_is_the_gravest_and_tells_of_the_others(counter: Precheck) -> None:
    orders = (order(hilist_code="YP001", rx_id="R0"), order(rx_id="R1"), order(hilist_code=ORDINARY, rx_id="R2"))
    found = output(counter, message(patient(encounter(*orders))), HAINAN)
    assert found["result"]["judge_result_detail_dtos"][0]["rx_id"] == "R1"
    assert "另有 1 项：" in found["result"]["vola_cont"]
    assert [each["sev_deg"] for each in found["results"]] == ["2", "3"]


def test_infcode_and_err_msg_take_the_form_of_the_province(counter: Precheck) -> None:
    profile = replace(NATIONAL, infcode_as_text=True, err_msg_when_ok="", vola_bhvr_type="02")
    answer = write_answer(*judged(counter, message()), profile, **AT)
    assert (answer["infcode"], answer["err_msg"]) == ("0", "")
    assert answer["output"]["result"][0]["vola_bhvr_type"] == "02"


# ------------------------------------------------------------------------------------------------ errors


def test_an_error_says_what_was_wrong() -> None:
    answer = write_error(message(), "input.data 应为 JSON 对象", NATIONAL, **AT)
    assert (answer["infcode"], answer["err_msg"], answer["output"]) == (-1, "input.data 应为 JSON 对象", None)
    assert answer["inf_refmsgid"] == "370800202603020930150000000042"


@pytest.mark.parametrize("document", [None, [], "x", {}, {"mdtrtarea_admvs": []}, {"mdtrtarea_admvs": "３７０８００"}])
def test_an_error_about_any_document_has_an_id(document: object) -> None:
    answer = write_error(document, "长" * 300, NATIONAL, **AT)
    assert answer["inf_refmsgid"] == "000000202603020930150000000042"
    assert len(answer["err_msg"]) == 200


def test_no_review_is_a_result_that_says_so() -> None:
    asked = read_message(message(), NATIONAL, now=NOW)
    answer = write_not_reviewed(asked, "T20260302-1", "超过时限", NATIONAL, **AT)
    [result] = answer["output"]["result"]
    assert (answer["infcode"], result["sev_deg"], result["patn_id"], result["mdtrt_id"]) == (0, "3", "P1", "V1")
    assert result["vola_cont"] == "本次未完成医保规则审核（超过时限），请人工核对；单号 T20260302-1，系统会补审。"


def test_no_review_is_an_error_where_the_province_says_so() -> None:
    asked = read_message(message(), NATIONAL, now=NOW)
    answer = write_not_reviewed(asked, "T1", "超过时限", replace(NATIONAL, not_reviewed="error"), **AT)
    assert (answer["infcode"], answer["output"]) == (-1, None)
    assert "单号 T1" in answer["err_msg"]


def test_no_review_of_a_message_that_was_not_read_is_still_answered() -> None:
    [result] = write_not_reviewed(None, "T1", "服务繁忙", NATIONAL, **AT)["output"]["result"]
    assert (result["patn_id"], result["judge_result_detail_dtos"]) == ("", [])


def test_a_drug_for_men_given_to_a_man_and_a_woman_is_told_of_her_alone(counter: Precheck) -> None:
    document = message(patient(gend="1"), patient(patn_id="P2", gend="2"))
    [result] = results(counter, document)
    assert (result.patient_id, result.finding["item_code"]) == ("P2", MALE_ONLY)
