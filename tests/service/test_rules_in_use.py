"""The service judges by the rules that its settings name, and says over every channel where a rule is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.calls import BEFORE, call, found, woman
from tests.service.messages import message
from tests.service.serving import ROOT, Server, serving


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one rule, which says nothing of sexes."""
    folder = tmp_path_factory.mktemp("partial")
    (folder / "rules").mkdir()
    rule = ROOT / "rules" / "drug-child-only.toml"
    (folder / "rules" / rule.name).write_bytes(rule.read_bytes())
    with serving(folder, 'rules = ["rules"]\nonly_rules = true\n') as running:
        yield running


def test_every_answer_says_what_no_rule_looked_at(partial: Server) -> None:
    named = woman(lines=[{"line_id": "1", "item_name": "爱普列特片", "by_name": True}])
    answers = [call(partial.url, "/v1/check", document).document for document in (woman(), woman(), named)]
    answers += call(partial.url, "/v1/check/batch", [woman(), named]).document["answers"]
    for answer in answers:
        assert answer["verdict"] == "undetermined"
        [open_] = answer["not_judged"]
        assert (open_["line_id"], open_["rule_id"], open_["missing"]) == ("1", "drug-sex", "rule")
        assert (found(answer)["reason_code"], found(answer)["rule_id"]) == ("rule_missing", "drug-sex")
    english = call(partial.url, "/v1/check?lang=en", woman()).document
    assert "which is not loaded: not judged" in found(english)["message"]


def test_cards_and_the_national_interface_say_it_too(partial: Server) -> None:
    card = call(partial.url, "/v1/check", woman(), headers={"Accept": "application/vnd.cds-hooks+json"}).document
    told = call(partial.url, BEFORE, message()).document["output"]["result"]
    said = [
        card["cards"][0]["summary"],
        *(result["vola_cont"] for result in (told if isinstance(told, list) else [told])),
    ]
    assert len(said) == 2
    assert all("没有载入这条规则，没有判断" in text for text in said)


def test_what_is_told_of_the_service_are_rules_that_judge(partial: Server) -> None:
    assert [rule["id"] for rule in call(partial.url, "/v1/rules").document["rules"]] == ["drug-child-only"]
    assert {row["rule_id"] for row in call(partial.url, "/v1/ledger").document["points"]} == {"drug-child-only"}
    assert call(partial.url, "/v1/knowledge").document["rules"]["count"] == 1


def test_such_an_answer_is_as_the_openapi_document_says(partial: Server) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="answers are validated by it: pip install schemathesis")
    operation = schemathesis.openapi.from_url(f"{partial.url}/openapi.json")["/v1/check"]["POST"]
    case = operation.Case(body=woman(), media_type="application/json")
    assert case.call_and_validate(timeout=20).status_code == 200


def test_rules_of_the_settings_lie_on_the_embedded_ones(tmp_path: Path) -> None:
    text = (ROOT / "rules" / "drug-sex.toml").read_text(encoding="utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "drug-sex.toml").write_text(
        text.replace('level = "suspect"', 'level = "notice"', 1), encoding="utf-8"
    )
    with serving(tmp_path, 'rules = "rules"\n') as server:
        assert found(call(server.url, "/v1/check", woman()).document)["level"] == "notice"
        assert call(server.url, "/v1/knowledge").document["rules"]["count"] == len([*(ROOT / "rules").glob("*.toml")])
