"""What one request costs does not cost others their answer, and a ticket never waits for good because the judge was busy."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.service import messages
from tests.service.calls import BEFORE, call, woman
from tests.service.serving import Server, lean, serving

PERSONS = (
    {"sex": "F", "birth_date": "1990-01-01"}, {"sex": "F"}, {"birth_date": "1990-01-01"}, {"age": 30}, {"sex": "F", "age": 30},
    {"id_number": "110101199005010047"}, {"id": "x", "sex": "F"}, {"newborn": True, "sex": "F"},
)  # fmt: skip
PLACES = {
    "settlement_id": "S", "visit_id": "V", "institution_id": "H37081100001", "care_type": "11", "insured_region": "370800",
    "region": "370800", "visit_start": "2026-03-01",
}  # fmt: skip


def lines(number: int) -> list[dict[str, Any]]:
    return [woman()["lines"][0] | {"line_id": str(each)} for each in range(number)]


@contextmanager
def others(server: Server) -> Iterator[list[tuple[float, bool]]]:
    """Somebody else asks small questions all the while: how long each took, and whether it was reviewed."""
    told: list[tuple[float, bool]] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            begin = time.monotonic()
            answer = call(server.url, "/v1/check", woman(visit_id=f"{begin}")).document
            told.append((time.monotonic() - begin, answer["reviewed"]))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield told
    finally:
        stop.set()
        asking.join()


def test_a_thousand_shapes_of_prescriptions_leave_nobody_unreviewed(server: Server) -> None:
    held = itertools.chain.from_iterable(itertools.combinations(PLACES, number) for number in range(len(PLACES) + 1))
    documents = [
        woman(patient=person, **{name: PLACES[name] for name in names}) for names in held for person in PERSONS
    ]
    with others(server) as told:
        answers = call(server.url, "/v1/check/batch", documents[:1000]).document["answers"]
    assert (len(answers), {answer["reviewed"] for answer in answers}) == (1000, {True})
    assert all(reviewed for _, reviewed in told)
    assert max(seconds for seconds, _ in told) < 1.5


def test_the_answers_of_many_slices_are_those_of_each_alone(server: Server) -> None:
    documents = [woman(patient=person, lines=lines(number % 5 + 1)) for number, person in enumerate(PERSONS * 10)]
    answers = call(server.url, "/v1/check/batch", documents).document["answers"]
    for document, answer in list(zip(documents, answers, strict=True))[::9]:
        assert call(server.url, "/v1/check", document).document == answer


@pytest.mark.parametrize(
    ("path", "document", "told"),
    [
        ("/v1/check/batch", [woman(lines=lines(1300))] * 4, (400, "5200")),
        ("/v1/check", woman(lines=lines(1500), visit_id="v" * 300_000), (400, "1000")),
        ("/v1/check", woman(lines=lines(100), diagnoses=["J06.900"] * 40_000), (400, "40000")),
    ],
    ids=["lines", "text", "diagnoses"],
)
def test_what_would_cost_too_much_is_refused_at_once(server: Server, path: str, document: Any, told: Any) -> None:
    begin = time.monotonic()
    answer = call(server.url, path, document)
    assert (answer.status, told[1] in answer.document["error"]["message"]) == (told[0], True)
    assert time.monotonic() - begin < 1.5


def test_a_national_message_with_too_many_diagnoses_is_refused(server: Server) -> None:
    many = [{"dise_id": str(number), "maindise_flag": "0", "dise_codg": f"J{number:05d}"} for number in range(3000)]
    answer = call(server.url, BEFORE, messages.message(messages.patient(messages.encounter(fsi_diagnose_dtos=many))))
    assert (answer.document["infcode"], "诊断，最多 500" in answer.document["err_msg"]) == (-1, True)


def test_an_answer_that_is_too_large_is_refused_and_not_recorded_as_shown(tmp_path: Path) -> None:
    with lean(tmp_path, "[limits]\nanswer_bytes = 100000\n") as server:
        for path, document in (
            ("/v1/check", woman(lines=lines(200))),
            ("/v1/check/batch", [woman(lines=lines(5))] * 40),
        ):
            assert call(server.url, path, document).refusal == (413, "answer_too_large")
        assert call(server.url, "/v1/check", woman()).document["reviewed"] is True
        log = (server.data / "audit.jsonl").read_text("utf-8")
    assert log.count('"kind":"answer"') == 1


def test_a_ticket_is_judged_though_the_judge_had_no_time_for_it_at_first(tmp_path: Path) -> None:
    """The time limit holds for late judgments too: what did not fit into it is tried again, a part at a time."""
    with serving(tmp_path, "[limits]\ntime_ms = 1\n") as server:
        answers = call(server.url, "/v1/check/batch", [woman(lines=lines(4))] * 50).document["answers"]
        tickets = {answer["ticket"] for answer in answers}
        assert (len(tickets), {answer["reviewed"] for answer in answers}) == (1, {False})
    with serving(tmp_path, "[limits]\ntime_ms = 150\n") as server:
        (ticket,) = tickets
        end = time.monotonic() + 30
        while (told := call(server.url, f"/v1/tickets/{ticket}").document)["status"] != "judged":
            assert time.monotonic() < end
            time.sleep(0.1)
    assert len(told["answers"]) == 50
    assert all(answer["verdict"] == "violation" for answer in told["answers"])
