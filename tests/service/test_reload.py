"""The edition is replaced while the service answers: every answer is of one edition, and none fails."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checker.knowledge.build import build
from tests.one_rule import one_rule_rules, one_rule_text
from tests.service.calls import MALE_ONLY, call, woman
from tests.service.processes import unix_only
from tests.service.serving import Server, serving

SECONDS = float(os.environ.get("LIANGKU_RELOAD_SECONDS", "2.5"))
RELOADS = max(4, round(SECONDS / 2))
POINT = "drug-sex-01-0003"
ENDED = "2026-02-01"
_PERSONS = 6

pytestmark = unix_only


@pytest.fixture(scope="module")
def editions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two editions by version: in the second, which has a point more before all others, 爱普列特片 is limited no longer."""
    folder = tmp_path_factory.mktemp("editions")
    text = one_rule_text(folder / "text")
    build(text, folder / "first")
    file = text / "edition.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    version = next(line for line in lines if line.startswith("version"))
    file.write_text("\n".join(lines).replace(version, 'version = "2026.02"') + "\n", encoding="utf-8")
    with (text / "point.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    own = next(row for row in rows if row["point_id"] == POINT)
    # One row more in front gives all points other numbers.
    rows.insert(0, own | {"point_id": "drug-sex-00-0001", "item_name": "甲药片"})
    own["valid_to"] = ENDED
    with (text / "point.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with (text / "item.csv").open("a", encoding="utf-8") as stream:
        stream.write("drug-sex-00-0001,male,,,,,,\n")
    with (text / "pattern.csv").open("a", encoding="utf-8") as stream:
        stream.write("drug-sex-00-0001,item,code,XA01AAA001A001010101467,1\n")
    build(text, folder / "second")
    return {"first": folder / "first", "second": folder / "second"}


def put(link: Path, target: Path) -> None:
    """Let a link lead elsewhere, at one stroke."""
    new = link.with_name("new")
    new.symlink_to(target)
    new.replace(link)


@pytest.fixture
def swapped(tmp_path: Path, editions: dict[str, Path]) -> Iterator[tuple[Server, Callable[[str], None]]]:
    """A server on the first edition, and what puts another in its place (without telling the server)."""
    link = tmp_path / "kb"
    put(link, editions["first"])
    with serving(tmp_path, f'kb = "kb"\nrules = "{one_rule_rules()}"\nonly_rules = true\n') as server:
        yield server, lambda name: put(link, editions[name])


def hash_in_use(server: Server) -> str:
    """The hash of the knowledge in use."""
    return str(call(server.url, "/health").document["knowledge"]["hash"])


def verdict(server: Server) -> str:
    """What is said of the item that only the first edition limits."""
    return str(call(server.url, "/v1/check", woman()).document["verdict"])


def test_a_reload_asked_for_by_address_brings_the_edition_that_lies_there(swapped: Any) -> None:
    server, put_there = swapped
    before = hash_in_use(server)
    put_there("second")
    assert (verdict(server), hash_in_use(server)) == ("violation", before)
    told = call(server.url, "/admin/reload", method="POST")
    assert (told.status, told.document["version"]) == (200, "2026.02")
    assert (verdict(server), hash_in_use(server)) == ("clear", told.document["hash"])


def test_a_hangup_brings_the_edition_that_lies_there(swapped: Any) -> None:
    server, put_there = swapped
    before = hash_in_use(server)
    put_there("second")
    server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while hash_in_use(server) == before and time.monotonic() < end:
        time.sleep(0.05)
    assert verdict(server) == "clear"


def test_a_broken_edition_changes_nothing_and_is_told(swapped: Any, editions: dict[str, Path], tmp_path: Path) -> None:
    server, _ = swapped
    before = hash_in_use(server)
    shutil.copytree(editions["second"], tmp_path / "broken")
    (tmp_path / "broken" / "point.parquet").write_bytes(b"PAR1")
    put(tmp_path / "kb", tmp_path / "broken")
    told = call(server.url, "/admin/reload", method="POST")
    assert (told.refusal, "point.parquet" in told.document["error"]["message"]) == ((409, "not_loaded"), True)
    server.process.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert (verdict(server), hash_in_use(server)) == ("violation", before)
    outcomes = [json.loads(line) for line in (server.data / "audit.jsonl").read_text("utf-8").splitlines()]
    assert [record["outcome"] for record in outcomes if record["kind"] == "reload"] == ["failed", "failed"]


def test_under_load_every_answer_is_of_one_edition_and_none_fails(swapped: Any, editions: dict[str, Path]) -> None:
    server, put_there = swapped
    hashes = {hash_in_use(server): "first"}
    seen: Counter[tuple[str, str]] = Counter()
    wrong: list[Any] = []
    stop = threading.Event()
    named = woman(lines=[{"line_id": "1", "by_name": True, "item_name": "爱普列特片"}])
    batch = [woman(), named, woman()]

    def ask(number: int) -> None:
        while not stop.is_set():
            try:
                _ask(number)
            except Exception as error:
                wrong.append(repr(error))

    def _ask(number: int) -> None:
        if number == 0:
            for path in ("/v1/ledger", "/v1/knowledge", f"/v1/points?q={MALE_ONLY}", "/v1/rules"):
                answer = call(server.url, path)
                seen[path.partition("?")[0], "look-up"] += 1
                if answer.status != 200:
                    wrong.append((path, answer.status, answer.document))
            return
        path, document = (("/v1/check", woman()), ("/v1/check", named), ("/v1/check/batch", batch))[number % 3]
        answer = call(server.url, path, document)
        if answer.status != 200:
            wrong.append((path, answer.status, answer.document))
            return
        answers = answer.document["answers"] if path.endswith("batch") else [answer.document]
        editions_told = {each["knowledge"]["hash"] for each in answers}
        versions = {f["kb_version"] for each in answers for f in each["findings"]}
        for each in answers:
            finds = [finding["point_id"] for finding in each["findings"]]
            seen[each["knowledge"]["hash"], each["verdict"]] += 1
            if not each["reviewed"] or finds not in ([], [POINT]) or len(editions_told) > 1 or len(versions) > 1:
                wrong.append(answer.document)

    persons = [threading.Thread(target=ask, args=(number,)) for number in range(_PERSONS)]
    for each in persons:
        each.start()
    try:
        for number in range(RELOADS):
            time.sleep(SECONDS / (RELOADS + 1))
            name = ("second", "first")[number % 2]
            put_there(name)
            told = call(server.url, "/admin/reload", method="POST")
            assert told.status == 200, told.document
            hashes[told.document["hash"]] = name
    finally:
        time.sleep(SECONDS / (RELOADS + 1))
        stop.set()
        for each in persons:
            each.join()
    print(f"{RELOADS} reloads in {SECONDS:.0f} s, {sum(seen.values()):,} answers: {dict(seen)}")
    assert wrong == []
    said = {(hashes[key], what) for key, what in seen if key in hashes}
    assert said == {("first", "violation"), ("second", "clear")}
    assert {key for key, what in seen if what != "look-up"} == set(hashes)
