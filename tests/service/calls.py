"""Calls to a running service as any other program makes them, and documents to send."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MALE_ONLY = "XG04CBA088A001010101467"
"""爱普列特片, which the embedded knowledge limits to men."""
BEFORE = "/fsi/api/riskConService/beforeAnalyze"
FEEDBACK = "/fsi/api/riskConService/feedback"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers with lower-case names, and the bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code of an error."""
        return self.status, self.document["error"]["code"]


def call(
    url: str,
    path: str,
    document: object = ...,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    method: str | None = None,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """Send one request on a connection of its own: GET without a document or body, POST with one."""
    place = urlsplit(url)
    if context:
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(place.netloc, timeout=60, context=context)
    else:
        connection = http.client.HTTPConnection(place.netloc, timeout=60)
    sent = {} if body is None and document is ... else {"Content-Type": "application/json"}
    if document is not ...:
        body = json.dumps(document).encode()
    try:
        connection.request(method or ("GET" if body is None else "POST"), path, body, {**sent, **(headers or {})})
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def woman(code: str = MALE_ONLY, **changes: Any) -> dict[str, Any]:
    """A prescription of one line for a woman."""
    line = {"line_id": "1", "item_code": code, "quantity": 1, "amount": 35.5}
    person = {"sex": "F", "birth_date": "1990-05-01"}
    return {"service_time": "2026-03-01T10:00:00", "patient": person, "lines": [line]} | changes


def found(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The only finding of an answer."""
    (finding,) = answer["findings"]
    return dict(finding)
