"""An acknowledgement holds for one person, in one visit, on one day, for one item, rule and point, up to one amount; and for nothing else."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from tests.service import messages
from tests.service.calls import BEFORE, FEEDBACK, call, found, woman
from tests.service.serving import Server, lean, serving

CONTINUED = {"decision": "continue", "reason_code": "verified_person", "operator": "D1", "second_operator": "D2"}
CHILD_LIMITED = "XC02KXB144A006010103973"
_numbers = itertools.count(1)


def line(amount: float | None = 35.5, **changes: Any) -> dict[str, Any]:
    return woman(**changes)["lines"][0] | {"amount": amount, "line_id": str(next(_numbers))}


def left_out(server: Server, document: object) -> list[int]:
    """How many findings are shown and how many are not, as they were acknowledged."""
    answer = call(server.url, "/v1/check", document).document
    return [len(answer["findings"]), len(answer["acknowledged"])]


def continued(server: Server, document: object, **changes: Any) -> list[str]:
    """Go on in spite of all findings of a prescription."""
    ids = [each["finding_id"] for each in call(server.url, "/v1/check", document).document["findings"]]
    given = [CONTINUED | {"finding_id": each} | changes for each in ids]
    assert call(server.url, "/v1/feedback", {"feedback": given}).document["unknown"] == []
    return ids


@pytest.fixture
def visit(request: pytest.FixtureRequest) -> dict[str, str]:
    return {"visit_id": f"ack-{next(_numbers)}-{request.node.name[-20:]}", "institution_id": "H37081100001"}


PERSON = {"id": "P1", "sex": "F", "birth_date": "1990-05-01"}


@pytest.mark.parametrize(
    "other",
    [
        {"patient": PERSON | {"id": "P2"}},
        {"patient": {"sex": "F", "birth_date": "1990-05-02"}},
        {"patient": PERSON | {"id_number": "110101199005010047"}},
        {"service_time": "2027-09-01T10:00:00"},
        {"service_time": "2026-03-02T00:00:00"},
        {"institution_id": "H37081100002"},
        {"visit_id": "another"},
    ],
    ids=["patient", "birth", "id-number", "18-months", "next-day", "institution", "visit"],
)
def test_it_holds_for_nobody_else_nowhere_else_and_on_no_other_day(server: Server, visit: Any, other: Any) -> None:
    document = woman(patient=PERSON, **visit)
    continued(server, document)
    assert left_out(server, document) == [0, 1]
    assert left_out(server, document | other) == [1, 0]
    assert left_out(server, document | {"service_time": "2026-03-01T18:00:00"}) == [0, 1]


def test_a_finding_on_terms_is_acknowledged_and_told_anew_where_it_gets_graver(server: Server, visit: Any) -> None:
    """Of a pharmacy whose prescriber is not known somebody went on; that it was a clinic is another finding."""
    named = {"item_name": "参附注射液", "by_name": True, "line_id": "1", "amount": 35.5}
    document = woman(patient=PERSON, lines=[named], care_type="41", **visit) | {"service_time": "2026-06-01T10:00:00"}
    continued(server, document)
    assert left_out(server, document) == [0, 1]
    of_a_clinic = document | {"prescriber_institution_level": "一级"}
    assert left_out(server, of_a_clinic) == [1, 0]
    continued(server, of_a_clinic)
    assert left_out(server, of_a_clinic) == [0, 1]


def test_the_age_of_the_insured_tells_persons_apart(server: Server, visit: Any) -> None:
    document = woman(
        patient=None,
        insured={"sex": "F", "age": 40},
        lines=[line(item_code=None) | {"item_code": CHILD_LIMITED}],
        **visit,
    )
    continued(server, document)
    assert left_out(server, document) == [0, 1]
    assert left_out(server, document | {"insured": {"sex": "F", "age": 20}}) == [1, 0]


def test_a_till_that_names_nobody_is_never_cleared(server: Server, visit: Any) -> None:
    document = woman(patient={}, **visit)
    continued(server, document)
    assert left_out(server, document) == [1, 0]


def test_it_holds_up_to_the_amount_acknowledged(server: Server, visit: Any) -> None:
    one = woman(patient=PERSON, lines=[line(35.5)], **visit)
    continued(server, one)
    for amount, expected in ((35.5, [0, 1]), (20, [0, 1]), (35.51, [1, 0]), (100, [1, 0]), (None, [1, 0])):
        assert left_out(server, one | {"lines": [line(amount)]}) == expected, amount
    # Two lines are together more than what was acknowledged.
    assert left_out(server, one | {"lines": [line(35.5), line(35.5)]}) == [1, 1]
    assert left_out(server, one | {"lines": [line(15), line(15)]}) == [0, 2]


def test_two_lines_that_were_acknowledged_are_both_left_out(server: Server, visit: Any) -> None:
    two = woman(patient=PERSON, lines=[line(35.5), line(20)], **visit)
    assert len(continued(server, two)) == 2
    assert left_out(server, two) == [0, 2]


def test_prescriptions_of_a_batch_are_told_apart(server: Server, visit: Any) -> None:
    first = woman(patient=PERSON, **visit)
    second = first | {"visit_id": visit["visit_id"] + "-2", "patient": PERSON | {"id": "P2"}}
    answers = call(server.url, "/v1/check/batch", [first, second]).document["answers"]
    ids = [found(answer)["finding_id"] for answer in answers]
    call(server.url, "/v1/feedback", CONTINUED | {"finding_id": ids[1]})
    assert (left_out(server, first), left_out(server, second)) == ([1, 0], [0, 1])


def test_a_change_takes_it_back(server: Server, visit: Any) -> None:
    document = woman(patient=PERSON, **visit)
    (finding_id,) = continued(server, document)
    call(server.url, "/v1/feedback", {"finding_id": finding_id, "decision": "change"})
    assert left_out(server, document) == [1, 0]


def test_it_is_the_same_after_a_restart(tmp_path: Path, visit: Any) -> None:
    document = woman(patient=PERSON | {"id_number": "110101199005010047"}, **visit)
    changed = document | {"visit_id": visit["visit_id"] + "-2"}
    with lean(tmp_path) as server:
        kept = continued(server, document)
        (finding_id,) = continued(server, changed)
        call(server.url, "/v1/feedback", {"finding_id": finding_id, "decision": "change"})
        before = [left_out(server, each) for each in (document, changed, document | {"lines": [line(99)]})]
    with lean(tmp_path) as server:
        after = [left_out(server, each) for each in (document, changed, document | {"lines": [line(99)]})]
        assert call(server.url, "/v1/check", document).document["acknowledged"] == kept
    assert before == after == [[0, 1], [1, 0], [1, 0]]


@pytest.mark.parametrize("path", ["/v1/feedback", FEEDBACK])
def test_feedback_on_what_was_never_shown_is_refused_and_not_kept(server: Server, path: str) -> None:
    if path == FEEDBACK:
        answer = call(
            server.url, path, messages.feedback({"warn_rslt_id": "f" * 32, "dspo_way": "1", "dspo_way_rea": "好"})
        )
        assert (answer.document["infcode"], "warn_rslt_id" in answer.document["err_msg"]) == (-1, True)
    else:
        answer = call(server.url, path, CONTINUED | {"finding_id": "f" * 32})
        assert answer.refusal == (404, "not_shown")
    assert "f" * 32 not in (server.data / "audit.jsonl").read_text("utf-8")


@pytest.mark.parametrize("second", [None, "", "D1", " d1 ", "Ｄ１"])
def test_a_second_person_is_another_however_the_name_is_typed(server: Server, visit: Any, second: str | None) -> None:
    document = woman(
        patient=PERSON, lines=[line() | {"by_name": True, "item_name": "波生坦分散片", "item_code": None}], **visit
    )
    given = CONTINUED | {"finding_id": found(call(server.url, "/v1/check", document).document)["finding_id"]}
    assert call(server.url, "/v1/feedback", given | {"second_operator": second}).refusal == (400, "bad_input")
    assert left_out(server, document) == [1, 0]
    assert call(server.url, "/v1/feedback", given).document["accepted"] == 1
    assert left_out(server, document) == [0, 1]


@pytest.mark.parametrize("two_person", [True, False])
def test_3103_alone_clears_no_definite_finding_where_two_persons_are_asked(tmp_path: Path, two_person: bool) -> None:
    adult = messages.message(
        messages.patient(messages.encounter(messages.order(hilist_code=CHILD_LIMITED, hilist_name="波生坦分散片")))
    )
    with serving(tmp_path, f"two_person = {str(two_person).lower()}\n") as server:
        for _ in range(2):
            results = call(server.url, BEFORE, adult).document["output"]["result"]
            definite = [each for each in results if each["sev_deg"] == "1"]
            assert len(definite) == 1
            given = {"warn_rslt_id": definite[0]["jr_id"], "dspo_way": "1", "dspo_way_rea": "已核对"}
            assert call(server.url, FEEDBACK, messages.feedback(given)).document["output"]["accepted"] == 1
            if not two_person:
                break
        assert len(call(server.url, BEFORE, adult).document["output"]["result"]) == int(two_person)
    with serving(tmp_path, f"two_person = {str(two_person).lower()}\n") as server:
        assert len(call(server.url, BEFORE, adult).document["output"]["result"]) == int(two_person)
