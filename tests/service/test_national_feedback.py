"""Feedback 3103 is read in its forms; a reason is required to continue, and is never shown."""

from __future__ import annotations

import copy
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.model.errors import InputError
from checker.service.national.feedback import NationalFeedback, Warn, read_feedback, write_feedback_answer
from checker.service.national.profile import read_profile
from tests.service.messages import NOW, feedback

NATIONAL = read_profile()
GO_ON = {"warn_rslt_id": "a1", "dspo_way": "1", "dspo_way_rea": "已核对用药人"}


def read(document: object) -> NationalFeedback:
    return read_feedback(document, NATIONAL)


def test_decisions_are_read() -> None:
    found = read(feedback(GO_ON, {"warn_rslt_id": "b2", "dspo_way": 2}))
    assert found == NationalFeedback(
        "1", (Warn("a1", "continue", "已核对用药人"), Warn("b2", "change", None)), "0001", "370800", None
    )


def test_a_province_may_ask_for_no_reason() -> None:
    sent = feedback(GO_ON | {"dspo_way_rea": ""})
    [warn] = read_feedback(sent, replace(NATIONAL, feedback_reason="optional")).warns
    assert warn == Warn("a1", "continue", None)


@pytest.mark.parametrize("way", ["1", 1, 1.0, "01", " 1 "])
def test_a_way_is_text_or_number(way: object) -> None:
    assert read(feedback(GO_ON | {"dspo_way": way})).warns[0].decision == "continue"


def test_warns_may_be_one_object() -> None:
    document = feedback()
    document["input"]["data"]["warns"] = GO_ON
    assert read(document).warns[0].jr_id == "a1"


def test_warns_may_stand_beside_the_data() -> None:
    document = feedback(input={"data": {"warn_type": 2}, "warns": [GO_ON]})
    assert (read(document).warn_type, read(document).warns[0].jr_id) == ("2", "a1")


@pytest.mark.parametrize(
    ("warn", "fault"),
    [
        (GO_ON | {"dspo_way_rea": ""}, "input.data.warns[0].dspo_way_rea 为空"),
        (GO_ON | {"dspo_way_rea": "--"}, "input.data.warns[0].dspo_way_rea 为空"),
        (GO_ON | {"dspo_way_rea": "长" * 501}, "input.data.warns[0].dspo_way_rea 有 501 字"),
        (GO_ON | {"dspo_way_rea": ["某"]}, "input.data.warns[0].dspo_way_rea 应为单个值"),
        (GO_ON | {"dspo_way": "3"}, "input.data.warns[0].dspo_way 的值“3”无法识别，应为 1"),
        (GO_ON | {"dspo_way": None}, "input.data.warns[0].dspo_way 为空"),
        (GO_ON | {"warn_rslt_id": ""}, "input.data.warns[0].warn_rslt_id 为空"),
        (5, "input.data.warns[0] 应为 JSON 对象"),
    ],
)
def test_a_fault_is_named_by_its_path(warn: Any, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        read(feedback(warn))
    assert fault in str(caught.value)


def test_feedback_on_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="至少有一条"):
        read(feedback(input={"data": {"warn_type": "1", "warns": []}}))


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(InputError, match="warn_type 的值“3”"):
        read(feedback(input={"data": {"warn_type": "3", "warns": [GO_ON]}}))


def test_a_reason_of_full_length_is_kept() -> None:
    assert read(feedback(GO_ON | {"dspo_way_rea": "长" * 500})).warns[0].reason == "长" * 500


def test_the_answer_says_what_was_never_shown_here() -> None:
    found = read(feedback(GO_ON, GO_ON | {"warn_rslt_id": "zz"}))
    received = datetime(2026, 3, 2, 9, 30, 15, 1000)
    assert write_feedback_answer(found, NATIONAL, unknown=["zz"], received=received, now=NOW, serial=7) == {
        "infcode": 0, "inf_refmsgid": "370800202603020930150000000007", "refmsg_time": "20260302093015001",
        "respond_time": "20260302093015678", "err_msg": None, "output": {"accepted": 1, "unknown": ["zz"]},
    }  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["input", "data", "warns", "warn", "warn_type", "warn_rslt_id", "dspo_way", "dspo_way_rea", "opter"]),
    st.sampled_from([..., None, "", "{", "[]", 1, 1.5, True, [], {}, [1], [[]], {"a": []}, "\ud800"]) | st.text(max_size=20),
)  # fmt: skip
def test_any_change_to_feedback_reads_or_is_refused(place: str, value: Any) -> None:
    document = feedback(copy.deepcopy(GO_ON))
    data = document["input"]["data"]
    holders: dict[str, tuple[Any, Any]] = {
        "input": (document, "input"), "data": (document["input"], "data"), "warns": (data, "warns"), "warn": (data["warns"], 0),
        "warn_type": (data, "warn_type"), "opter": (document, "opter"),
    }  # fmt: skip
    holder, key = holders.get(place, (data["warns"][0], place))
    if value is ...:
        del holder[key]
    else:
        holder[key] = value
    with suppress(InputError):
        assert read(document).warns
