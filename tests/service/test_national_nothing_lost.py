"""However a message is put together, an order against a rule raises its alarm or is told as not reviewed: it never vanishes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from checker.model.errors import InputError
from checker.precheck.counter import Precheck
from checker.service.national.message import read_message
from checker.service.national.profile import read_profile
from checker.service.national.results import Result, results_of
from checker.service.national.wrappers import unwrapped
from tests.service.messages import NOW, ORDINARY, encounter, message, order, patient

NATIONAL = read_profile()
Build = Callable[[], dict[str, Any]]


@pytest.fixture(scope="module")
def counter() -> Precheck:
    return Precheck.open()


def results(counter: Precheck, document: object) -> list[Result]:
    asked = read_message(document, NATIONAL, now=NOW)
    return results_of(asked, [counter.answer(counter.named(each)) for each in asked.prescriptions], NATIONAL)


def alarms(found: list[Result]) -> list[tuple[str, float | None]]:
    return [(each.rule_id, each.amount) for each in found]


def _harmless() -> dict[str, Any]:
    return order(rx_id="R2", hilist_code=ORDINARY, hilist_name="维生素C注射液")


def _in_second_spelling() -> dict[str, Any]:
    return message(patient(encounter(_harmless(), fsiOrderDtos=[order()])))


def _beside_the_encounter() -> dict[str, Any]:
    return message(patient(encounter(_harmless()), fsi_order_dtos=[order()]))


def _beside_the_patients() -> dict[str, Any]:
    return message(patient(encounter(_harmless())), data={"fsi_order_dtos": [order()]})


def _patients_beside_the_data() -> dict[str, Any]:
    document = message(patient(encounter(_harmless())))
    document["input"]["patient_dtos"] = [patient(patn_id="P2")]
    return document


def _beside_what_is_no_order() -> dict[str, Any]:
    return message(patient(encounter(order(), "x", [], 7)))


def _beside_what_is_no_diagnosis() -> dict[str, Any]:
    return message(patient(encounter(fsi_diagnose_dtos=["R33", {"dise_codg": ["N40"]}])))


def _with_a_list_for_a_date() -> dict[str, Any]:
    return message(patient(encounter(adm_date=[1])))


@pytest.mark.parametrize(
    "build",
    [
        _in_second_spelling, _beside_the_encounter, _beside_the_patients, _patients_beside_the_data, _beside_what_is_no_order,
        _beside_what_is_no_diagnosis, _with_a_list_for_a_date,
    ],
)  # fmt: skip
def test_an_order_is_judged_wherever_it_stands(counter: Precheck, build: Build) -> None:
    assert ("GZ10000301004000", 71.0) in alarms(results(counter, build()))


@pytest.mark.parametrize(
    ("build", "unread"),
    [
        (lambda: message(patient(encounter(_harmless() | {"hilistCode": order()["hilist_code"]}))), 1),
        (lambda: message(patient(patientDtos=1, genD="1")), 1),
        (lambda: message(patient(encounter("x", order(), None))), 1),
        (lambda: message(patient(), "x"), 1),
        (lambda: message(patient(brdy=[1], gend=["1"])), 0),
    ],
    ids=["two codes", "two sexes", "no order", "no patient", "a list for a sex"],
)
def test_what_contradicts_itself_or_is_nothing_is_told(counter: Precheck, build: Build, unread: int) -> None:
    try:
        asked = read_message(build(), NATIONAL, now=NOW)
    except InputError:
        return
    assert len(asked.unread) == unread
    assert results(counter, build())


def test_a_node_as_text_is_read_as_strictly_as_the_message() -> None:
    """A key that stands twice in it says two things."""
    twice = json.dumps([patient()]).replace('"gend": "2"', '"gend": "2", "gend": "1"')
    with pytest.raises(InputError, match="两次"):
        read_message(message(data={"patient_dtos": twice}), NATIONAL, now=NOW)


@pytest.mark.parametrize("body", [b"data=%7B%7D&data=%7B%7D", b"json=%7B%7D&data=%7B%7D", b"a=%7B%7D&b=%7B%7D"])
def test_a_form_with_two_messages_is_refused(body: bytes) -> None:
    with pytest.raises(InputError, match="data"):
        unwrapped(body, "application/x-www-form-urlencoded")


def test_what_is_declared_as_gbk_and_is_not_is_read() -> None:
    text, form = unwrapped("{}爱".encode(), "application/json; charset=gbk")
    assert (text.decode(), form.is_gbk) == ("{}爱", True)


@pytest.mark.parametrize(
    "changes",
    [{"cnt": 2, "sumamt": 71, "pric": 35.5}, {"hilist_name": "爱普列特片 "}, {"extra": None}, {"spec": " 5mg*10片"}],
)
def test_a_copy_written_otherwise_counts_once(counter: Precheck, changes: dict[str, Any]) -> None:
    document = message(patient(encounter(order(), order(**changes))))
    assert alarms(results(counter, document)) == [("GZ10000301004000", 71.0)]


def test_a_patient_sent_twice_counts_once(counter: Precheck) -> None:
    again = copy.deepcopy(patient(patn_name="褚某"))
    assert alarms(results(counter, message(patient(), again))) == [("GZ10000301004000", 71.0)]
