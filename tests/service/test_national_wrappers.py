"""The same message in GBK, compressed, as a form and as SOAP has the same answer, in the form in which it came; so has every refusal."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest

from checker.model.errors import InputError
from checker.service.national.wrappers import Form, unpacked, unwrapped
from tests.service.calls import BEFORE, Answer, call
from tests.service.messages import encounter, message, order, patient
from tests.service.serving import Server

DURING = BEFORE.replace("before", "course")
SOAP_11, SOAP_12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
RARE = "爱普列特片𠮷💊é"
"""With signs that GBK has not."""


def soap(text: str, space: str = SOAP_11, *, encoding: str = "utf-8", inner: str = "<data>{}</data>") -> str:
    body = inner.replace("{}", escape(text))
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<s:Envelope xmlns:s="{space}"><s:Header/><s:Body>'
        f'<w:call xmlns:w="urn:hospital">{body}</w:call></s:Body></s:Envelope>'
    )


Wrapped = tuple[bytes, dict[str, str], str]
WRAPPERS: dict[str, Callable[[str], Wrapped]] = {
    "plain": lambda text: (text.encode(), {"Content-Type": "application/json"}, "application/json; charset=utf-8"),
    "no type": lambda text: (text.encode(), {"Content-Type": ""}, "application/json; charset=utf-8"),
    "gbk declared": lambda text: (
        text.encode("gb18030"), {"Content-Type": "application/json; charset=GBK"}, "application/json; charset=GBK",
    ),
    "gbk not declared": lambda text: (
        text.encode("gb18030"), {"Content-Type": "application/json"}, "application/json; charset=GBK",
    ),
    "gbk declared as utf-8": lambda text: (
        text.encode("gb18030"), {"Content-Type": "application/json; charset=utf-8"}, "application/json; charset=GBK",
    ),
    "gzip": lambda text: (
        gzip.compress(text.encode()), {"Content-Type": "application/json", "Content-Encoding": "gzip"}, "application/json; charset=utf-8",
    ),
    "gzip of gbk": lambda text: (
        gzip.compress(text.encode("gb18030")), {"Content-Type": "application/json", "Content-Encoding": "gzip"}, "application/json; charset=GBK",
    ),
    "deflate": lambda text: (
        zlib.compress(text.encode()), {"Content-Type": "application/json", "Content-Encoding": "deflate"}, "application/json; charset=utf-8",
    ),
    "form": lambda text: (
        urlencode({"data": text}).encode(), {"Content-Type": "application/x-www-form-urlencoded"}, "application/json; charset=utf-8",
    ),
    "form of gbk, with more": lambda text: (
        urlencode({"serv": "3101", "json": text}, encoding="gb18030").encode(),
        {"Content-Type": "application/x-www-form-urlencoded; charset=gbk"}, "application/json; charset=GBK",
    ),
    "JSON called a form": lambda text: (
        text.encode(), {"Content-Type": "application/x-www-form-urlencoded"}, "application/json; charset=utf-8",
    ),
    "soap 1.1": lambda text: (soap(text).encode(), {"Content-Type": "text/xml; charset=utf-8"}, "text/xml; charset=utf-8"),
    "soap 1.2": lambda text: (
        soap(text, SOAP_12).encode(), {"Content-Type": "application/soap+xml"}, "application/soap+xml; charset=utf-8",
    ),
    "soap of gbk": lambda text: (
        soap(text, encoding="GBK").encode("gb18030"), {"Content-Type": "text/xml"}, "text/xml; charset=GBK",
    ),
    "soap in CDATA": lambda text: (
        soap("@", inner=f"<in0><![CDATA[{text}]]></in0>").encode(), {"Content-Type": "text/xml"}, "text/xml; charset=utf-8",
    ),
}  # fmt: skip


def document_of(answer: Answer) -> Any:
    """The JSON of an answer, whatever it came in."""
    kind = answer.headers["content-type"]
    text = answer.body.decode("gbk" if "GBK" in kind else "utf-8")
    if "xml" in kind:
        assert re.match(r'<\?xml version="1.0" encoding="(GBK|utf-8)"\?><soap:Envelope ', text)
        root = ElementTree.fromstring(text.split("?>", 1)[1])
        data = root.find(".//{*}Body//{*}data")
        assert data is not None
        assert data.text is not None
        text = data.text
    return json.loads(text)


def without_times(document: Any) -> Any:
    return {**document, "inf_refmsgid": "", "refmsg_time": "", "respond_time": ""}


@pytest.mark.parametrize("place", [BEFORE, DURING])
@pytest.mark.parametrize("kind", WRAPPERS)
def test_the_answer_is_that_of_the_plain_message_in_the_form_of_its_own(server: Server, kind: str, place: str) -> None:
    asked = message(patient(encounter(order(hilist_name=RARE)), patn_id="P汉"), infno=...)
    plain = call(server.url, place, asked).document
    assert plain["output"]["result"][0]["patn_id"] == "P汉"
    body, headers, expected = WRAPPERS[kind](json.dumps(asked, ensure_ascii=False))
    answer = call(server.url, place, body=body, headers=headers)
    assert (answer.status, answer.headers["content-type"]) == (200, expected)
    assert without_times(document_of(answer)) == without_times(plain)


@pytest.mark.parametrize("kind", WRAPPERS)
def test_a_refusal_has_the_form_of_its_message(server: Server, kind: str) -> None:
    body, headers, expected = WRAPPERS[kind]('{"infno": "9999", "名": "𠮷"}')
    answer = call(server.url, "/fsi/api", body=body, headers=headers)
    assert (answer.status, answer.headers["content-type"]) == (200, expected)
    told = document_of(answer)
    assert (told["infcode"], told["output"]) == (-1, None)
    assert "9999" in told["err_msg"]


def test_signs_that_gbk_has_not_survive(server: Server) -> None:
    text = json.dumps(message(patient(encounter(order(hilist_code="Y1", hilist_name=RARE)))), ensure_ascii=False)
    body, headers, _ = WRAPPERS["gbk declared"](text)
    answer = call(server.url, BEFORE, body=body, headers=headers)
    for encoding in ("gbk", "gb18030"):
        assert RARE in json.loads(answer.body.decode(encoding))["output"]["result"][0]["vola_cont"]


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b"x", {"Content-Encoding": "br"}, "Content-Encoding"),
        (b"x", {"Content-Encoding": "gzip"}, "gzip"),
        (gzip.compress(b"{}" * 500)[:-9], {"Content-Encoding": "gzip"}, "gzip"),
        (b'"\xff\xff"', {}, "GB18030"),
        (b"a=1&b=2", {"Content-Type": "application/x-www-form-urlencoded"}, "data"),
        (b"", {"Content-Type": "application/x-www-form-urlencoded"}, "data"),
    ],
    ids=["unknown", "no gzip", "half gzip", "no encoding", "two members", "empty form"],
)
def test_what_cannot_be_unwrapped_is_refused_in_the_envelope(
    server: Server, body: bytes, headers: Any, said: str
) -> None:
    answer = call(server.url, BEFORE, body=body, headers=headers)
    assert (answer.status, answer.document["infcode"]) == (200, -1)
    assert said in answer.document["err_msg"]


# Packed where they are asked about: every worker that runs tests reads the parameters of all.
@pytest.mark.parametrize(
    ("pack", "name", "sign"),
    [(gzip.compress, "gzip", b" "), (zlib.compress, "deflate", b"\0")],
    ids=["gzip", "deflate"],
)
def test_a_small_body_that_stands_for_much_is_refused(
    server: Server, pack: Callable[[bytes], bytes], name: str, sign: bytes
) -> None:
    answer = call(server.url, BEFORE, body=pack(sign * 50_000_000), headers={"Content-Encoding": name})
    assert (answer.status, answer.document["infcode"]) == (200, -1)
    assert "太大" in answer.document["err_msg"]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "DOCTYPE"), (OUTSIDE, "DOCTYPE"), ("<a>" * 100, "太深"), (soap("", inner="<a/>" * 1000), "太多"), ("<a/>", "Envelope"),
        ("<a", "XML"), (soap("", inner="<a>1</a><b>2</b>"), "data"), (soap("{}", space="urn:other"), "Envelope"),
        (soap("&nbsp;").replace("&amp;", "&"), "XML"),
    ],
)  # fmt: skip
def test_xml_that_is_no_harmless_soap_is_refused_in_soap(server: Server, text: str, said: str) -> None:
    answer = call(server.url, BEFORE, body=text.encode(), headers={"Content-Type": "text/xml"})
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    told = document_of(answer)
    assert told["infcode"] == -1
    assert said in told["err_msg"]
    assert "root:" not in told["err_msg"]


def test_the_answer_names_the_element_that_was_called() -> None:
    text, form = unwrapped(soap('{"a": "<&>"}').encode(), "text/xml")
    assert text == b'{"a": "<&>"}'
    body, _ = form.written(text)
    assert '<callResponse xmlns="urn:hospital"><data>{"a": "&lt;&amp;&gt;"}</data></callResponse>' in body.decode()
    assert unescape(re.findall("<data>(.*)</data>", body.decode())[0]) == '{"a": "<&>"}'


def test_a_form_is_told_by_content_type_alone_before_there_is_a_body() -> None:
    assert Form.of("text/xml; charset=gbk") == Form(is_gbk=True, soap=SOAP_11)
    assert Form.of("application/soap+xml").soap == SOAP_12
    assert Form.of("application/json; charset=utf-8") == Form()


@pytest.mark.parametrize("inner", ["<data>{}</data>", "<data><![CDATA[{}]]></data>"])
def test_a_long_text_is_read_and_a_tag_without_end_is_not(inner: str) -> None:
    text = json.dumps(["药"] * 200_000, ensure_ascii=False)
    assert unwrapped(soap(text, inner=inner).encode(), "text/xml")[0].decode() == text
    attributes = " ".join(f'a{number}="1"' for number in range(100_000))
    with pytest.raises(InputError, match="太长"):
        unwrapped(soap("{}", inner=f"<data {attributes}>{{}}</data>").encode(), "text/xml")


def test_no_more_is_unpacked_than_may_be_sent() -> None:
    assert unpacked(gzip.compress(b"a" * 1000), "gzip", 1000) == b"a" * 1000
    assert unpacked(gzip.compress(b"a" * 1001), "gzip", 1000) is None
    assert unpacked(b"as it is", "identity", 1) == b"as it is"
    with pytest.raises(InputError):
        unpacked(gzip.compress(b"a") + b"more", "gzip", 1000)
