"""A hospital system understands one envelope: whatever is refused on the national addresses stands in it, with status 200."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from checker.service import native
from checker.service.settings import new_key
from checker.service.store import Ticket
from tests.service.calls import BEFORE, FEEDBACK, MALE_ONLY, Answer, call, woman
from tests.service.messages import encounter, feedback, message, order, patient
from tests.service.serving import Server, lean

DURING = BEFORE.replace("before", "course")
CODE = "H37080000001"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, str]]:
    """A server that takes little, slowly, and asks for a key; a key, and one for a single institution. Keys may stand in the address."""
    (key, lines), (bound, more) = new_key("all"), new_key("one")
    settings = f'key_in_path = true\nkey_header = "X-Token"\n{{limits}}\n{lines}\n{more}\ninstitutions = ["{CODE}"]\n'
    limits = "[limits]\nbody_bytes = 6000\nbody_seconds = 1\n"
    with lean(tmp_path_factory.mktemp("guarded"), settings.format(limits=limits)) as running:
        yield running, key, bound


def refusal(answer: Answer) -> str:
    """What the envelope of a refusal says."""
    told = answer.document
    assert (answer.status, told["infcode"], told["output"], len(told["inf_refmsgid"])) == (200, -1, None, 30)
    return str(told["err_msg"])


def recorded(server: Server) -> list[dict[str, Any]]:
    """The answers in the audit log."""
    told = [json.loads(line) for line in (server.data / "audit.jsonl").read_text("utf-8").splitlines()]
    return [each for each in told if each["kind"] == "answer"]


def test_who_has_no_key_or_a_wrong_one_reads_so(guarded: Any) -> None:
    server, key, _ = guarded
    for headers in ({}, {"X-API-Key": "wrong"}, {"X-Token": "wrong"}, {"Authorization": "Bearer wrong"}):
        for path in (BEFORE, "/fsi/api", "/fsi/api/wrong/riskConService/beforeAnalyze", "/fsi/api/x"):
            assert "密钥" in refusal(call(server.url, path, message(), headers=headers))
    for headers in ({"X-API-Key": key}, {"x-token": key}, {"Authorization": f"Bearer {key}"}):
        assert call(server.url, BEFORE, message(), headers=headers).document["infcode"] == 0


def test_a_key_may_stand_in_the_address(guarded: Any) -> None:
    server, key, _ = guarded
    for path in (f"/fsi/api/{key}/riskConService/beforeAnalyze", f"/fsi/api/{key}", f"/fsi/api/{key}/"):
        assert call(server.url, path, message()).document["infcode"] == 0
    assert call(server.url, f"/v1/check/{key}", woman()).status == 401
    held = b"".join(
        file.read_bytes() for file in server.data.parent.rglob("*") if file.is_file() and file.suffix != ".toml"
    )
    assert key.encode() not in held


def test_what_is_wrong_with_a_request_is_told_in_the_envelope(guarded: Any) -> None:
    server, key, _ = guarded
    headers = {"X-API-Key": key}
    assert "POST" in refusal(call(server.url, BEFORE, headers=headers))
    assert "POST" in refusal(call(server.url, "/fsi/api/none", method="DELETE", headers=headers))
    assert "infno" in refusal(call(server.url, "/fsi/api/none", {"infno": "1101"}, headers=headers))
    assert "太大" in refusal(call(server.url, BEFORE, body=b" " * 7000, headers=headers))
    assert "主机名" in refusal(call(server.url, BEFORE, message(), headers={"Host": "evil.example", **headers}))


def test_a_body_that_comes_too_slowly_is_told_in_the_envelope(guarded: Any) -> None:
    server, key, _ = guarded
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as wire:
        wire.sendall(
            f"POST {BEFORE} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Length: 9\r\n\r\n{{".encode()
        )
        told = ""
        while not told.endswith("}"):
            part = wire.recv(4096).decode()
            assert part, told
            told += part
    assert told.startswith("HTTP/1.1 200")
    assert '"infcode":-1' in told


def test_too_many_requests_are_told_in_the_envelope(tmp_path: Any) -> None:
    def said_once(words: str) -> bool:
        """Whether an answer says so, before long."""
        for _ in range(200):
            told = call(server.url, BEFORE, message())
            if told.document["infcode"] == -1 and words in refusal(told):
                return True
            time.sleep(0.05)
        return False

    with lean(tmp_path, "[limits]\nrate = 0.01\nburst = 4\nconnections = 1\n") as server:
        assert call(server.url, BEFORE, message()).document["infcode"] == 0
        place = urlsplit(server.url)
        with socket.create_connection((place.hostname, place.port), timeout=20) as wire:
            # One that is on its way is all that is taken at once.
            wire.sendall(f"POST {BEFORE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{{".encode())
            assert said_once("同时的请求太多")
        assert said_once("太频繁")


@pytest.mark.parametrize(
    ("path", "infno", "taken"),
    [
        (BEFORE, "3101", "3101"), (BEFORE, "3102", "3102"), (DURING, "3101", "3101"), (DURING, ..., "3102"), (DURING, "3301", "3102"),
        (f"{BEFORE}/", "3301", "3101"), (f"{DURING}/", "", "3102"), ("/fsi/api/", "3102", "3102"), ("/fsi/api/other/place", "3102", "3102"),
        (FEEDBACK, "3101", "3101"),
    ],
)  # fmt: skip
def test_a_message_is_what_it_says_and_else_what_was_called(server: Server, path: str, infno: Any, taken: str) -> None:
    assert call(server.url, path, message(infno=infno)).document["infcode"] == 0
    assert recorded(server)[-1]["infno"] == taken


def test_feedback_is_feedback_wherever_it_is_sent(server: Server) -> None:
    [result] = call(
        server.url, BEFORE, message(patient(encounter(mdtrt_id="V-here"), curr_mdtrt_id="V-here"))
    ).document["output"]["result"]
    warn = {"warn_rslt_id": result["jr_id"], "dspo_way": "2"}
    for path in (BEFORE, "/fsi/api", "/fsi/api/feedback", FEEDBACK):
        assert call(server.url, path, feedback(warn)).document["output"] == {"accepted": 1, "unknown": []}


# ---- institutions ----


def test_a_key_for_an_institution_sends_no_message_of_another(guarded: Any) -> None:
    server, key, bound = guarded
    headers, other = {"X-API-Key": bound}, {"X-API-Key": key}
    assert call(server.url, BEFORE, message(), headers=headers).document["infcode"] == 0
    elsewhere = message(patient(encounter(medins_id="H2")), fixmedins_code="H2")
    for document in (elsewhere, message(fixmedins_code="H2"), message(patient(encounter(medins_id="H2")))):
        assert "机构" in refusal(call(server.url, BEFORE, document, headers=headers))
    assert "refused (forbidden): one at 127.0.0.1" in (server.data.parent / "serve.log").read_text("utf-8")
    unnamed = message(patient(encounter(medins_id="")), fixmedins_code="")
    assert "没有写明机构" in refusal(call(server.url, BEFORE, unnamed, headers=headers))
    [result] = call(server.url, BEFORE, elsewhere, headers=other).document["output"]["result"]
    warn = {"warn_rslt_id": result["jr_id"], "dspo_way": "2"}
    assert "没有返回过" in refusal(call(server.url, FEEDBACK, feedback(warn, fixmedins_code=CODE), headers=headers))
    assert "没有写明机构" in refusal(call(server.url, FEEDBACK, feedback(warn), headers=headers))
    assert call(server.url, FEEDBACK, feedback(warn), headers=other).document["infcode"] == 0


def test_a_key_for_an_institution_asks_for_no_other_by_the_native_interface(guarded: Any) -> None:
    server, key, bound = guarded
    headers = {"X-API-Key": bound}
    assert call(server.url, "/v1/check", woman(), headers=headers).refusal == (403, "forbidden")
    assert call(server.url, "/v1/check", woman(institution_id="H2"), headers=headers).refusal == (403, "forbidden")
    answer = call(server.url, "/v1/check", woman(institution_id=CODE), headers=headers)
    assert answer.document["verdict"] == "violation"
    batch = [woman(institution_id=CODE), woman(institution_id="H2")]
    assert call(server.url, "/v1/check/batch", batch, headers=headers).refusal == (403, "forbidden")
    shown = call(server.url, "/v1/check", woman(institution_id="H2"), headers={"X-API-Key": key}).document["findings"][
        0
    ]
    decided = {"finding_id": shown["finding_id"], "decision": "change"}
    assert call(server.url, "/v1/feedback", decided, headers=headers).refusal == (404, "not_shown")


def test_a_ticket_is_told_to_its_own_institution_alone(tmp_path: Any) -> None:
    (one, first), (two, second) = new_key("one"), new_key("two")
    keys = f'{first}\ninstitutions = ["{CODE}"]\n{second}\ninstitutions = ["H2"]\n'
    clear = woman(institution_id=CODE, patient={"sex": "M", "birth_date": "1990-05-01"})
    with lean(tmp_path, f"{keys}[limits]\ntime_ms = 0.001\n") as server:
        answer = call(server.url, "/v1/check", clear, headers={"X-API-Key": one}).document
        path = f"/v1/tickets/{answer['ticket']}"
        assert call(server.url, path, headers={"X-API-Key": one}).document["status"] == "open"
        assert call(server.url, path, headers={"X-API-Key": two}).refusal == (404, "not_found")
    with lean(tmp_path, keys) as server:
        end = time.monotonic() + 20
        while (told := call(server.url, path, headers={"X-API-Key": one}).document)["status"] != "judged":
            assert time.monotonic() < end
            time.sleep(0.1)
        # Nothing was found, so that the answer itself names nobody.
        assert told["answers"][0]["findings"] == []
        assert call(server.url, path, headers={"X-API-Key": two}).refusal == (404, "not_found")


@pytest.mark.parametrize(
    ("named", "answer", "is_told"),
    [
        ('["H1"]', "[]", True), ('["H1", "H2"]', "[]", False), ('[""]', "[]", False), (None, '[{"findings": []}]', False),
        (None, '[{"findings": [{"institution_id": "H1"}]}]', True),
    ],
)  # fmt: skip
def test_a_judged_ticket_is_of_those_that_it_names(named: str | None, answer: str, is_told: bool) -> None:
    ticket = Ticket("T1", "", "timeout", "native", None, "judged", answer, "", named)
    assert native._is_of(ticket, frozenset({"H1"})) is is_told


# ---- what was not reviewed ----


def results(server: Server, *orders: Any, **changes: Any) -> list[dict[str, Any]]:
    found = call(server.url, BEFORE, message(patient(encounter(*orders, **changes)))).document
    assert found["infcode"] == 0
    return list(found["output"]["result"])


def test_one_bad_order_does_not_lose_the_others(server: Server) -> None:
    good, bad = results(server, order(), order(rx_id="R9", cnt="两盒"))
    assert (good["sev_deg"], good["judge_result_detail_dtos"][0]["rx_id"]) == ("2", "R1")
    assert (bad["rule_id"], bad["sev_deg"], bad["judge_result_detail_dtos"][0]["rx_id"]) == ("not_reviewed", "3", "R9")
    assert "没有审核" in bad["vola_cont"]
    # What it says can be answered like all else.
    warn = {"warn_rslt_id": bad["jr_id"], "dspo_way": "1", "dspo_way_rea": "已核对"}
    assert call(server.url, FEEDBACK, feedback(warn)).document["output"]["accepted"] == 1
    assert [each["jr_id"] for each in results(server, order(), order(rx_id="R9", cnt="两盒"))][-1] == bad["jr_id"]


def test_many_bad_orders_do_not_make_many_results(server: Server) -> None:
    found = results(server, *[order(rx_id=f"R{number}", cnt="x") for number in range(200)])
    assert len(found) == 21
    assert sum(len(each["judge_result_detail_dtos"]) for each in found) == 200


def test_an_order_without_a_code_has_a_result_of_its_own(server: Server) -> None:
    good, bad = results(server, order(), order(rx_id="R9", hilist_code=""))
    assert (good["sev_deg"], bad["sev_deg"], bad["judge_result_detail_dtos"][0]["rx_id"]) == ("2", "3", "R9")
    assert "没有审核" in bad["vola_cont"]


@pytest.mark.parametrize(
    ("orders", "why"),
    [
        ({"fsi_order_dtos": []}, "没有医嘱"), ([order(self_paying_flag="1"), order(rx_id="R2", ownpay_amt="71")], "全自费 2 条"),
        ([order(curr_drord_flag="0")], "历史医嘱 1 条"), ([order(cnt="-1")], "退费 1 条"),
    ],
)  # fmt: skip
def test_where_there_is_nothing_to_review_the_answer_says_so(server: Server, orders: Any, why: str) -> None:
    before = len(recorded(server))
    [result] = results(server, **orders) if isinstance(orders, dict) else results(server, *orders)
    assert result["vola_cont"] == f"本次没有可审核的项目（{why}），未作审核。"
    warn = {"warn_rslt_id": result["jr_id"], "dspo_way": "2"}
    assert (result["rule_id"], result["sev_deg"], result["patn_id"], result["mdtrt_id"]) == (
        "not_reviewed",
        "3",
        "P1",
        "V1",
    )
    assert [each["lines"] for each in recorded(server)[before:]] == [0]
    assert call(server.url, FEEDBACK, feedback(warn)).document["output"]["accepted"] == 1


def test_self_paid_orders_raise_no_alarm_beside_others(server: Server) -> None:
    paid = order(rx_id="R2", ownpay_amt="71.00")
    assert [each["judge_result_detail_dtos"][0]["rx_id"] for each in results(server, order(), paid)] == ["R1"]


def test_many_local_codes_are_one_result(server: Server) -> None:
    orders = [
        order(rx_id=f"R{number}", hilist_code=f"YP{number:04}", hilist_name=f"院内 {number}") for number in range(200)
    ]
    violation, summary = results(server, *orders, order(rx_id="V", hilist_code=MALE_ONLY))
    assert (violation["sev_deg"], summary["sev_deg"], summary["rule_id"]) == ("2", "3", "unknown_code")
    assert summary["vola_cont"].startswith("200 条医嘱的编码不是国家医保编码，无法判断：院内 0、")
    assert [each["rx_id"] for each in summary["judge_result_detail_dtos"]] == [f"R{number}" for number in range(200)]
    warn = {"warn_rslt_id": summary["jr_id"], "dspo_way": "1", "dspo_way_rea": "院内制剂"}
    assert call(server.url, FEEDBACK, feedback(warn)).document["output"]["accepted"] == 1
    # It clears nothing: the next answer says the same.
    assert results(server, *orders)[0]["vola_cont"].startswith("200 条")


def test_health_is_told_to_whoever_asks(guarded: Any) -> None:
    server, _, _ = guarded
    place = urlsplit(server.url)
    for head in (
        b"GET /health HTTP/1.0\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: 10.1.2.3\r\nConnection: close\r\n\r\n",
    ):
        with socket.create_connection((place.hostname, place.port), timeout=20) as wire:
            wire.sendall(head)
            assert re.match(rb"HTTP/1.[01] 200", wire.recv(200))
