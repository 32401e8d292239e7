"""Without a service time "now" is China's, whatever the zone of the machine: at the counter, in the service and in national messages."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from checker.model.china_time import CHINA, china_now, china_today
from tests.commands import liangku_process
from tests.service import messages
from tests.service.calls import BEFORE, MALE_ONLY, call, found, woman
from tests.service.processes import unix_only
from tests.service.serving import lean


def is_now(moment: datetime) -> bool:
    return abs(datetime.now(CHINA).replace(tzinfo=None) - moment) < timedelta(minutes=2)


def test_now_and_today_are_those_of_china() -> None:
    assert is_now(china_now())
    assert china_today() == datetime.now(CHINA).date()


@unix_only
@pytest.mark.parametrize("zone", ["UTC12", "UTC", "UTC-14"])
def test_the_zone_of_the_machine_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    told = liangku_process("check", "--item", MALE_ONLY, "--sex", "F", "--age", "30", "--json", env=os.environ)
    assert is_now(datetime.fromisoformat(json.loads(told.stdout)["findings"][0]["service_time"]))
    asked = woman()
    del asked["service_time"]
    undated = messages.message(
        messages.patient(messages.encounter(messages.order(drord_begn_date=...), adm_date=...)), inf_time=...
    )
    with lean(tmp_path) as server:
        assert is_now(datetime.fromisoformat(found(call(server.url, "/v1/check", asked).document)["service_time"]))
        answer = call(server.url, BEFORE, undated).document
        shown = [json.loads(line) for line in (server.data / "audit.jsonl").read_text("utf-8").splitlines()][-1][
            "shown"
        ]
    assert len(answer["output"]["result"]) == 1
    assert is_now(datetime.strptime(answer["refmsg_time"][:14], "%Y%m%d%H%M%S"))
    assert shown[0]["day"] in {str(china_today()), str(china_today() - timedelta(days=1))}
