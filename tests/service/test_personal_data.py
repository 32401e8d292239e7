"""What names a person is kept nowhere, or only as long as judging needs it; and whatever is kept only its owner may read."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checker.service.pseudonyms import Pseudonyms
from tests.commands import ROOT, liangku_process
from tests.service import messages
from tests.service.calls import BEFORE, FEEDBACK, call, found, woman
from tests.service.processes import unix_only
from tests.service.serving import Server, lean

ID_NUMBER, OLD_NUMBER, MOBILE, PATIENT = "110101199005010047", "110101900501004", "13800138000", "PATIENT-17"
NUMBERS = (ID_NUMBER, OLD_NUMBER, MOBILE, f"{ID_NUMBER}-1")
NO_TIME = "[limits]\ntime_ms = 0.001\n"


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def holds_none(folder: Path, *secrets: str) -> None:
    for name, content in held(folder).items():
        for secret in secrets:
            assert secret.encode() not in content, (name, secret)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that only these tests fill, in a folder of its own."""
    with lean(tmp_path_factory.mktemp("counter")) as running:
        yield running
    holds_none(running.data.parent, *NUMBERS)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_of_a_person_used_as_another_is_written_nowhere(counter: Server, number: str) -> None:
    document = woman(visit_id=number, settlement_id=number, institution_id=number, patient={"id": number, "sex": "F"})
    finding_id = found(call(counter.url, "/v1/check", document).document)["finding_id"]
    given = {"finding_id": finding_id, "decision": "continue", "reason_code": "other", "reason": f"本人 {number}"}
    asked = given | {"operator": number, "second_operator": f"{number[:-1]}9"}
    assert call(counter.url, "/v1/feedback", asked).document["accepted"] == 1
    # It is known again all the same.
    assert call(counter.url, "/v1/check", document).document["acknowledged"] == [finding_id]
    order = messages.order(rx_id=number, hilist_name=f"药 {number}")
    # Hospitals put one number into the visit and another into what names it: a note of the answer quotes that.
    for visit, named in ((number, number), ("V7", number)):
        encounter = messages.encounter(order, mdtrt_id=visit)
        sent = messages.message(messages.patient(encounter, patn_id=number, curr_mdtrt_id=named))
        (result,) = call(counter.url, BEFORE, sent).document["output"]["result"]
    back = {"warn_rslt_id": result["jr_id"], "dspo_way": "1", "dspo_way_rea": f"本人 {number}"}
    assert call(counter.url, FEEDBACK, messages.feedback(back, opter=number)).document["infcode"] == 0
    holds_none(counter.data.parent, number)


def test_a_ticket_that_was_judged_keeps_nobody(tmp_path: Path) -> None:
    document = woman(patient={"id": PATIENT, "sex": "F", "birth_date": "1990-05-01"}, visit_id=MOBILE)
    with lean(tmp_path, NO_TIME) as server:
        ticket = call(server.url, "/v1/check", document).document["ticket"]
    assert any(PATIENT.encode() in content for content in held(tmp_path / "data").values())
    with lean(tmp_path) as server:
        (answer,) = judged(server, ticket)["answers"]
        assert (answer["verdict"], found(answer)["patient_id"], found(answer)["line_id"]) == ("violation", None, "1")
    holds_none(tmp_path, PATIENT, MOBILE, "1990-05-01")


def test_a_ticket_is_deleted_when_it_was_kept_long_enough(tmp_path: Path) -> None:
    import sqlite3

    with lean(tmp_path, NO_TIME) as server:
        tickets = [call(server.url, "/v1/check", woman()).document["ticket"] for _ in range(2)]
    with sqlite3.connect(server.data / "feedback.sqlite") as database:
        database.execute("UPDATE ticket SET at = '2020-01-01T00:00:00Z' WHERE ticket = ?", (tickets[0],))
    with lean(tmp_path, NO_TIME + "[keep]\nticket_days = 30\n") as server:
        end = time.monotonic() + 20
        while call(server.url, f"/v1/tickets/{tickets[0]}").status != 404:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert call(server.url, f"/v1/tickets/{tickets[1]}").status == 200
    (told,) = [record for record in records(server) if record["kind"] == "expired_store"]
    assert (told["tickets"], told["unjudged"], told["shown"]) == (0, 1, 0)


def test_the_same_person_has_another_pseudonym_in_another_service(tmp_path: Path) -> None:
    one, other = (Pseudonyms.open(tmp_path / name / "person.key") for name in ("a", "b"))
    facts = {"patient_id": "P1", "line_sex": "female"}
    assert one.person(facts) == Pseudonyms.open(tmp_path / "a" / "person.key").person(facts)
    assert len({one.person(facts), other.person(facts), one.person(facts | {"patient_id": "P2"})}) == 3
    assert one.person({"institution_id": "H1"}) is None


@unix_only
@pytest.mark.parametrize("settings", ["", NO_TIME], ids=["judged", "tickets"])
def test_only_the_owner_may_read_what_the_service_keeps(tmp_path: Path, settings: str) -> None:
    before = os.umask(0o000)
    try:
        with lean(tmp_path, settings + "\n[keep]\naudit_file_bytes = 1000\n") as server:
            for number in range(5):
                call(server.url, "/v1/check", woman(visit_id=f"V{number}"))
            assert others_may(server.data) == []
        assert others_may(server.data) == []
    finally:
        os.umask(before)


@unix_only
def test_only_the_owner_may_read_what_a_scan_writes(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        told = liangku_process(
            "scan", ROOT / "data" / "samples" / "pharmacy", "--out", tmp_path / "deep" / "out", "--csv"
        )
        assert told.returncode in (0, 1, 4), told.stderr
        assert {"findings.parquet", "findings.csv", "rejects.parquet", "run.json"} <= set(held(tmp_path))
        assert others_may(tmp_path / "deep") == []
    finally:
        os.umask(before)


def others_may(folder: Path) -> list[str]:
    """What others may read in a folder, and the folder itself."""
    return [str(path) for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]


def records(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (server.data / "audit.jsonl").read_text("utf-8").splitlines()]


def judged(server: Server, ticket: str) -> dict[str, Any]:
    end = time.monotonic() + 20
    while (told := call(server.url, f"/v1/tickets/{ticket}").document)["status"] != "judged":
        assert time.monotonic() < end
        time.sleep(0.1)
    return dict(told)
