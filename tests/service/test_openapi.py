"""The OpenAPI document tells the truth: every route is in it, and the real server answers what it says."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from checker.ingest import prescription
from checker.model.schema import FINDING_COLUMNS
from checker.service.app import Service
from checker.service.national.profile import read_profile
from checker.service.openapi import openapi
from checker.service.review import Desk
from checker.service.settings import Settings
from checker.shapes import SHAPES
from tests.service.calls import call, woman
from tests.service.messages import feedback, message
from tests.service.serving import Server, serving

SHOWN = "the id of a finding that was shown"
_EXAMPLES = int(os.environ.get("LIANGKU_SCHEMATHESIS", "25"))


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that only these tests fill with what they generate."""
    with serving(tmp_path_factory.mktemp("openapi")) as running:
        yield running


def _routes(tmp_path: Path) -> set[tuple[str, str]]:
    settings = Settings(data=tmp_path)
    desk = Desk(settings)
    app = Service(desk, read_profile(None), settings)
    asyncio.run(desk.close())
    return {
        (route.path, method.lower())
        for route in app.router.routes
        if isinstance(route, Route)
        for method in (route.methods or ())
        if method != "HEAD"
    }


def test_the_document_and_the_application_have_the_same_routes(tmp_path: Path) -> None:
    told = {(path, method) for path, methods in openapi()["paths"].items() for method in methods}
    assert told == _routes(tmp_path)


def test_every_reference_leads_to_something() -> None:
    document = openapi()
    for reference in _references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_no_schema_is_there_for_nothing() -> None:
    document = openapi()
    used = set(_references(document))
    assert [name for name in document["components"]["schemas"] if f"#/components/schemas/{name}" not in used] == []


def test_a_finding_has_the_columns_of_the_table_of_findings() -> None:
    assert tuple(openapi()["components"]["schemas"]["Finding"]["properties"]) == FINDING_COLUMNS


def test_the_keys_that_are_told_are_those_that_a_prescription_is_read_by() -> None:
    schemas = openapi()["components"]["schemas"]
    told = {name: set(schemas[name]["properties"]) for name in ("Prescription", "Patient", "Line")}
    assert told == {
        "Prescription": set(prescription._KNOWN),
        "Patient": set(prescription._PATIENT),
        "Line": set(prescription._LINE),
    }


def test_every_reason_of_an_undetermined_finding_is_told() -> None:
    reasons = openapi()["components"]["schemas"]["Finding"]["properties"]["reason_code"]["enum"]
    assert {reason for shape in SHAPES for reason in shape.reasons} <= set(reasons)


def test_the_server_gives_the_document(open_server: Server) -> None:
    with urllib.request.urlopen(f"{open_server.url}/openapi.json", timeout=20) as response:
        assert json.load(response) == json.loads(json.dumps(openapi()))


@pytest.mark.parametrize("path", openapi()["paths"])
def test_generated_requests_are_answered_as_the_document_says(path: str, open_server: Server) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="requests are generated: pip install schemathesis")
    import hypothesis
    import requests

    if path == "/admin/reload":
        pytest.skip("it reads rules and knowledge again each time: its own tests are elsewhere")
    schema = schemathesis.openapi.from_url(f"{open_server.url}/openapi.json")
    settled = hypothesis.settings(
        max_examples=_EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck)
    )  # fmt: skip
    modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    checks = _checks()
    with requests.Session() as session:
        for method in openapi()["paths"][path]:
            operation = schema[path][method.upper()]
            has_input = bool(operation.body or operation.query or operation.path_parameters)
            for mode in modes if has_input else modes[:1]:

                @settled
                @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
                def answered(case: Any) -> None:
                    case.call_and_validate(session=session, checks=checks, timeout=20)

                answered()


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v1/check", {"patient": {"sex": "2"}, "lines": [{"item_code": "XG04CBA088A001010101467"}, {"item_code": "?"}]}),
        ("/v1/check", {"service_time": "2025-01-01", "lines": [{"item_code": "XG04CBA088A001010101467"}]}),
        ("/v1/check", {"lines": [{"item_name": name, "by_name": True} for name in ("参附注射液", "安宫牛黄丸", "地诺前列酮栓", "芬太尼透皮贴剂")]}),
        (
            "/v1/check",
            {
                "care_type": "41", "insurance_type": "9", "online": "是", "is_maternity_fee": "0", "history": [],
                "lines": [
                    {"item_name": "参附注射液", "by_name": True, "prescriber_institution_level": "一级", "days_supply": 7, "unit_price": "1.5"},
                    {"item_name": "疤痕止痒软化膏", "by_name": True, "service_time": "2026-06-01", "prescription_id": 1},
                    {"item_name": "阿胶", "by_name": True, "quantity": 1, "amount": 9, "amount_in_scope": 0},
                ],
            },
        ),
        ("/v1/check/batch", [{"lines": [{"item_name": "爱普列特片", "by_name": True}], "其他": 1}]),
        ("/v1/feedback", {"feedback": [{"finding_id": "a1", "decision": "change"}, {"finding_id": SHOWN, "decision": "change"}]}),
        ("/v1/trace", {"trace_code": "8" * 20, "item_name": "爱普列特片"}),
        ("/fsi/api/riskConService/beforeAnalyze", message()),
        ("/fsi/api/riskConService/feedback", feedback()),
        ("/fsi/api", {"infno": "9999"}),
    ],
)  # fmt: skip
def test_an_answer_with_content_is_as_the_document_says(path: str, document: Any, open_server: Server) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="answers are validated by it: pip install schemathesis")
    shown = call(open_server.url, "/v1/check", woman()).document["findings"][0]["finding_id"]
    document = json.loads(json.dumps(document).replace(SHOWN, shown))
    operation = schemathesis.openapi.from_url(f"{open_server.url}/openapi.json")[path]["POST"]
    case = operation.Case(body=document, media_type="application/json")
    response = case.call_and_validate(checks=_checks(), timeout=20)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [
        ("/v1/check", "text/plain", b"{}", 415),
        ("/v1/check", "application/json", b"{", 400),
        ("/v1/check/batch", "application/json", b" " * 5_000_000, 413),
        ("/fsi/api", "text/plain", b" " * 5_000_000, 200),
    ],
)
def test_a_refusal_is_as_the_document_says(path: str, kind: str, body: bytes, status: int, open_server: Server) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="answers are validated by it: pip install schemathesis")
    import requests

    operation = schemathesis.openapi.from_url(f"{open_server.url}/openapi.json")[path]["POST"]
    response = requests.post(f"{open_server.url}{path}", data=body, headers={"Content-Type": kind}, timeout=20)
    assert response.status_code == status
    operation.Case(body={}, media_type="application/json").validate_response(response, checks=_checks())


def test_an_address_with_a_slash_too_many_is_no_address(open_server: Server) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{open_server.url}/v1/rules/", timeout=20)
    assert refused.value.code == 404


def test_cards_are_as_the_document_says(open_server: Server) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="answers are validated by it: pip install schemathesis")
    operation = schemathesis.openapi.from_url(f"{open_server.url}/openapi.json")["/v1/check"]["POST"]
    sale = {"patient": {"sex": "2"}, "lines": [{"item_code": "XG04CBA088A001010101467"}]}
    case = operation.Case(
        body=sale, media_type="application/json", headers={"Accept": "application/vnd.cds-hooks+json"}
    )
    response = case.call_and_validate(checks=_checks(), timeout=20)
    assert response.json()["cards"][0]["indicator"] == "warning"


def _checks() -> list[Any]:
    """No failure inside, and status, content type, headers and schema as documented."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    return [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
    ]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
