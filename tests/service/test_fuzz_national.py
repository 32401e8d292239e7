"""Damaged national messages in all that they may come in, one after another against the real server; LIANGKU_FUZZ says how many."""

from __future__ import annotations

import http.client
import json
import os
import random
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from tests.service.messages import encounter, feedback, message, order, patient
from tests.service.mutations import damaged, damaged_bytes, wrapped, written
from tests.service.serving import Server, serving

_REQUESTS = int(os.environ.get("LIANGKU_FUZZ", "1500"))
_WARM_UP = 500
_SECONDS = 20
_GROWTH_MOST = 40 * 1024
_BROKEN = 0
"""Counted in place of a status where the connection broke or nothing came in time."""
_STATUS = Path("/proc/self/status")
_PLACES = {
    "3101": "/fsi/api/riskConService/beforeAnalyze",
    "3102": "/fsi/api/riskConService/courseAnalyze",
    "3103": "/fsi/api/riskConService/feedback",
}
_ANY_PLACE = "/fsi/api"
_KINDS = (
    "application/json", "application/json; charset=utf-8", "application/json;charset=GBK", "text/plain", "", "application/json; charset=",
)  # fmt: skip
_MESSAGES = (
    message(),
    message(infno="3102"),
    message(patient(encounter(order(), order(rx_id="R2", curr_drord_flag="0"))), patient(patn_id="P2", gend="1")),
    feedback(),
    feedback({"warn_rslt_id": "a1", "dspo_way": "1", "dspo_way_rea": "急诊"}, {"warn_rslt_id": "a2", "dspo_way": "2"}),
)


@dataclass(slots=True)
class Outcome:
    """What came of all requests. Memory is in kB: once warm, and in the end; None where the system does not tell."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    infcodes: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0
    memory: list[int] = field(default_factory=list)
    metrics: str = ""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """All requests on one connection that is kept alive, to a server that nobody else uses."""
    with serving(tmp_path_factory.mktemp("fuzz")) as running:
        found = _fuzz(running)
        print(f"\n{found.requests} requests, {dict(found.statuses)}, infcode {dict(found.infcodes)},"
              f" slowest {found.slowest:.3f} s, memory {found.memory} kB")  # fmt: skip
        yield found


def test_no_message_fails_inside(outcome: Outcome) -> None:
    assert outcome.requests == _REQUESTS
    assert set(outcome.statuses) == {200}, outcome.faults[:3]


def test_every_answer_is_an_envelope_that_says_what_was_wrong(outcome: Outcome) -> None:
    assert not outcome.faults, "\n".join(outcome.faults[:5])


def test_some_damaged_messages_are_judged_and_some_are_refused(outcome: Outcome) -> None:
    assert min(outcome.infcodes[0], outcome.infcodes[-1]) > _REQUESTS // 20


def test_no_message_makes_the_judging_itself_fail(outcome: Outcome) -> None:
    failed = [line for line in outcome.metrics.splitlines() if 'reason="failure"' in line and not line.endswith(" 0.0")]
    assert not failed


@pytest.mark.skipif(not _STATUS.exists(), reason="only Linux tells the memory of a process in /proc")
def test_the_memory_of_the_server_does_not_grow(outcome: Outcome) -> None:
    warm, end = outcome.memory
    assert end - warm < _GROWTH_MOST


def _fuzz(server: Server) -> Outcome:
    chance, found = random.Random(20260302), Outcome()
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=_SECONDS)
    for number in range(_REQUESTS):
        if number == min(_WARM_UP, _REQUESTS // 2):
            found.memory.append(_resident(server))
        sent = chance.choice(_MESSAGES)
        body = written(sent if chance.random() < 0.02 else damaged(sent, chance), chance)
        if chance.random() < 0.15:
            body = damaged_bytes(body, chance)
        # Most to the place that is theirs, so that many get as far as a judgment.
        path = _PLACES[sent["infno"]] if chance.random() < 0.7 else chance.choice((_ANY_PLACE, *_PLACES.values()))
        kind = _KINDS[0] if chance.random() < 0.7 else chance.choice(_KINDS)
        body, headers = wrapped(body, kind, chance)
        start = time.perf_counter()
        try:
            connection.request("POST", path, body, {key: value.encode("latin-1") for key, value in headers.items()})
            response = connection.getresponse()
            status, answer, told = response.status, response.read(), response.headers["content-type"]
        except (OSError, http.client.HTTPException) as error:
            # The next request opens the connection again.
            connection.close()
            status, answer, told = _BROKEN, repr(error).encode(), ""
        found.slowest = max(found.slowest, time.perf_counter() - start)
        found.requests += 1
        found.statuses[status] += 1
        fault = _fault(answer, told, found)
        if fault:
            found.faults.append(f"{number} {path} {headers}: {fault}: {body[:600]!r} -> {status} {answer[:300]!r}")
    connection.close()
    found.memory.append(_resident(server))
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=_SECONDS) as told:
        found.metrics = told.read().decode()
    return found


def _fault(answer: bytes, kind: str, found: Outcome) -> str | None:
    try:
        text = answer.decode("gbk" if "GBK" in kind else "utf-8")
        if "xml" in kind:
            data = ElementTree.fromstring(text.split("?>", 1)[1]).find(".//{*}Body//{*}data")
            text = (data.text if data is not None else None) or ""
        envelope = json.loads(text)
    except (ValueError, IndexError, ElementTree.ParseError):
        return "no JSON"
    if not isinstance(envelope, dict) or envelope.get("infcode") not in (0, -1):
        return "no infcode"
    found.infcodes[envelope["infcode"]] += 1
    if len(envelope["inf_refmsgid"]) != 30:
        return "inf_refmsgid is not 30 characters long"
    if envelope["infcode"] == -1:
        return None if envelope["err_msg"] and envelope["output"] is None else "an error that is not told"
    return None if isinstance(envelope["output"], dict) else "no output"


def _resident(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        return 0
    return int(next(line for line in status.read_text().splitlines() if line.startswith("VmRSS")).split()[1])
