"""`checker.open_counter` and `checker.check` answer what `liangku check --json` prints."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

import checker
from tests.commands import ROOT, liangku

SAMPLES = sorted((ROOT / "data/samples/prescriptions").glob("*.json"))
BROKEN = {"lines": [{"item_code": "X", "quantity": "many"}]}


def test_a_counter_answers_as_the_command_does(tmp_path: Path) -> None:
    asked = [json.loads(path.read_text(encoding="utf-8")) for path in SAMPLES]
    several = tmp_path / "several.json"
    several.write_text(json.dumps([*asked, BROKEN]), encoding="utf-8")
    done = liangku("check", several, "--json", "--lang", "en", "--stage", "settle")
    printed = json.loads(done.stdout)
    assert {each.get("verdict") for each in printed} == {"clear", "violation", "undetermined", None}
    with checker.open_counter(language="en") as counter:
        answers = counter.check([*asked, BROKEN], stage="settle")
        alone = [counter.check(each, stage="settle") for each in asked]
        with pytest.raises(checker.InputError, match=r"处方：lines\[0\]\.quantity"):
            counter.check(BROKEN)
        with pytest.raises(checker.InputError, match="列表是空的"):
            counter.check([])
        with pytest.raises(checker.InputError, match="处方"):
            counter.check("处方.json")  # type: ignore[call-overload]
        with pytest.raises(checker.InputError, match="stage='before'"):
            counter.check(asked[0], stage="before")  # type: ignore[call-overload]
    assert answers[-1]["error"]["message"] == printed[-1]["error"]["message"].replace(str(several), "处方")
    assert alone == answers[:-1] == printed[:-1]


def test_a_check_alone_takes_the_options_of_the_command(tmp_path: Path) -> None:
    asked = json.loads(SAMPLES[0].read_text(encoding="utf-8"))
    answer = checker.check(asked, as_of=datetime.datetime(2026, 6, 30, 12), region="330100", kb=[], rules=())
    done = liangku("check", SAMPLES[0], "--json", "--as-of", "2026-06-30", "--region", "330100", "--lang", "zh")
    assert answer == json.loads(done.stdout)
    with pytest.raises(checker.KnowledgeError):
        checker.check(asked, kb=tmp_path)
    with pytest.raises(checker.InputError, match="language='fr'"):
        checker.check(asked, language="fr")  # type: ignore[call-overload]
