"""What a national message comes in (GBK, a form, SOAP, compressed), and its answer, which goes out in the same."""

from __future__ import annotations

import codecs
import re
import zlib
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from checker.model.errors import InputError
from checker.service.http_json import CHINESE, is_chinese

_SOAP_11, _SOAP_12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
_SOAP = {_SOAP_11: "text/xml", _SOAP_12: "application/soap+xml"}
_MEMBERS = ("data", "json")
"""The members that hold the message, of a form or a SOAP body with several; the only one of it may have any name."""
_DEPTH, _ELEMENTS, _PIECE = 16, 200, 1 << 16
_DECLARED = re.compile(r"""<\?xml[^>]{0,80}?encoding\s*=\s*["']([A-Za-z0-9_.-]{1,40})["']""")
_GZIP_WINDOW, _ANY_WINDOW, _RAW_WINDOW = 31, 15, -15


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer goes out in. `soap` is the namespace of the envelope, empty for plain JSON; `method` and `method_space` are the element
    that was called in it."""

    is_gbk: bool = False
    soap: str = ""
    method: str = ""
    method_space: str = ""

    @classmethod
    def of(cls, kind: str, body: bytes = b"") -> Form:
        """So far as a content type, lower-cased, and the first sign of a body tell it."""
        start = _start(body)
        is_soap = start == b"<" or ("xml" in kind and start not in (b"{", b"["))
        return cls(is_gbk=is_chinese(kind), soap=(_SOAP_12 if "soap+xml" in kind else _SOAP_11) if is_soap else "")

    def written(self, json: bytes) -> tuple[bytes, str]:
        """A JSON text as it goes out, and its content type."""
        text = json.decode()
        charset = "GBK" if self.is_gbk else "utf-8"
        kind = "application/json"
        if self.soap:
            kind = _SOAP[self.soap]
            name = f"{self.method}Response"
            # JSON may hold what no XML may.
            data = escape(text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff"))
            space = f" xmlns={quoteattr(self.method_space)}" if self.method_space else ""
            text = (
                f'<?xml version="1.0" encoding="{charset}"?><soap:Envelope xmlns:soap="{self.soap}"><soap:Body>'
                f"<{name}{space}><data>{data}</data></{name}></soap:Body></soap:Envelope>"
            )
        # A character that GBK has not is escaped as JSON does it: it is read alike whether GBK or GB18030 is understood.
        body = text.encode("gbk", _ESCAPED) if self.is_gbk else text.encode()
        return body, f"{kind}; charset={charset}"


def unpacked(body: bytes, encoding: str, most: int) -> bytes | None:
    """The bytes of a body behind its Content-Encoding; None where they are more than `most`. Raises InputError."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise InputError(
            f"Content-Encoding “{encoding[:20]}”不认识，应为 gzip 或 deflate，或不压缩（gzip, deflate or none）"
        )
    windows = (_ANY_WINDOW, _RAW_WINDOW) if encoding == "deflate" else (_GZIP_WINDOW,)
    for window in windows:
        reader = zlib.decompressobj(window)
        try:
            # Never more than may be sent without compression, however little it was.
            found = reader.decompress(body, most + 1)
        except zlib.error:
            continue
        if len(found) > most:
            return None
        if reader.eof and not reader.unused_data:
            return found
    raise InputError(f"请求内容不是完整的 {encoding} 压缩数据，请改正（not whole {encoding} data as declared）")


def unwrapped(body: bytes, kind: str) -> tuple[bytes, Form]:
    """The JSON text of a message, in UTF-8, and what its answer goes out in. `kind` is the content type, lower-cased. Raises InputError."""
    form = Form.of(kind, body)
    if form.soap:
        return _of_soap(body, form)
    if "x-www-form-urlencoded" in kind and _start(body) not in (b"{", b"["):
        body = _of_form(body)
    text, is_gbk = _decoded(body, form)
    return text, replace(form, is_gbk=is_gbk)


def _of_form(body: bytes) -> bytes:
    members: list[tuple[str, bytes]] = []
    for part in body.split(b"&", _ELEMENTS):
        name, _, value = part.partition(b"=")
        if part:
            members.append((unquote_to_bytes(name.replace(b"+", b" ")).decode("latin-1").strip().lower(), value))
    named = [value for name, value in members if name in _MEMBERS]
    held = named or [value for _, value in members]
    if len(held) != 1:
        raise InputError(
            "表单应只有一项，或只有一项名为 data 或 json，内容为 JSON 报文（a form has one member, or one that is called data or json）"
        )
    return unquote_to_bytes(held[0].replace(b"+", b" "))


def _decoded(body: bytes, form: Form, declared: str = "") -> tuple[bytes, bool]:
    """The text in UTF-8, and whether it was GBK: where that is declared, or it cannot be UTF-8."""
    if not form.is_gbk and declared not in CHINESE:
        try:
            body.decode()
        except UnicodeDecodeError:
            pass
        else:
            return body, False
    try:
        return body.decode("gb18030").encode(), True
    except UnicodeDecodeError:
        pass
    try:
        # Declared as GBK, and it is not: programs that set the header for all they send do so. The answer is as declared.
        body.decode()
        return body, True
    except UnicodeDecodeError:
        raise InputError("请求内容既不是 UTF-8，也不是 GB18030 编码，请改正（neither UTF-8 nor GB18030）") from None


def _of_soap(body: bytes, form: Form) -> tuple[bytes, Form]:
    found = _DECLARED.match(body[:200].removeprefix(codecs.BOM_UTF8).lstrip().decode("latin-1"))
    text, is_gbk = _decoded(body, form, found[1].lower() if found else "")
    reader = _SoapReader()
    reader.read(text.removeprefix(codecs.BOM_UTF8).lstrip())
    # What GBK may not have is left out: the element is called Response then.
    called = reader.method, reader.method_space
    form = Form(is_gbk, reader.soap, *(called if "".join(called).isascii() else ("", "")))
    named = [text for name, text in reader.texts if name.lower() in _MEMBERS]
    texts = named or [text for _, text in reader.texts]
    if len(texts) != 1:
        raise SoapError("SOAP 的 Body 中应有一项 data，内容为 JSON 报文（the body has one text member data）", form)
    return texts[0].encode(), form


class SoapError(InputError):
    """A SOAP message that was understood so far that its answer can be SOAP."""

    def __init__(self, message: str, form: Form) -> None:
        super().__init__(message)
        self.form = form


class _SoapReader:
    """Takes the texts of a SOAP body. No document type and so no entity is let in, and only so many elements in so many levels."""

    def __init__(self) -> None:
        self.soap = self.method = self.method_space = ""
        self.texts: list[tuple[str, str]] = []
        self._path: list[str] = []
        self._parts: list[str] = []
        self._count = 0
        self._parser = parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._parts.append
        parser.StartDoctypeDeclHandler = self._refuse

    def read(self, text: bytes) -> None:
        """Read a document. Raises InputError."""
        parser = self._parser
        try:
            for at in range(0, len(text), _PIECE):
                parser.Parse(text[at : at + _PIECE], False)
                # A tag is taken apart once it is whole: one with attributes without end would keep everybody waiting.
                if at - parser.CurrentByteIndex > _PIECE:
                    raise InputError("XML 的一个标记太长，请改正（a tag is too long）")
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise InputError(f"请求内容不是有效的 XML（{error}），请改正（not valid XML）") from None
        if not self.soap:
            raise InputError("XML 应为 SOAP 1.1 或 1.2 的 Envelope（not an envelope of SOAP 1.1 or 1.2）")

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._count += 1
        if len(self._path) >= _DEPTH or self._count > _ELEMENTS:
            raise InputError("XML 的元素太多或嵌套太深，请改正（too many elements, or nested too deeply）")
        space, _separator, local = name.rpartition(" ")
        if not self._path and local == "Envelope" and space in _SOAP:
            self.soap = space
        if self._path[1:] == ["Body"] and not self.method:
            self.method, self.method_space = local, space
        self._path.append(local)
        self._parts.clear()

    def _end(self, _: str) -> None:
        name = self._path.pop()
        text = "".join(self._parts).strip()
        self._parts.clear()
        if text and self._path[1:2] == ["Body"]:
            self.texts.append((name, text))

    def _refuse(self, *_: object) -> None:
        raise InputError("XML 不能有 DOCTYPE，请去掉（no document type is let in）")


def _start(body: bytes) -> bytes:
    return body[:64].removeprefix(codecs.BOM_UTF8).lstrip()[:1]


def _escape_in_json(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    signs = error.object[error.start : error.end].encode("utf-16-be")
    return "".join(f"\\u{signs[at]:02x}{signs[at + 1]:02x}" for at in range(0, len(signs), 2)), error.end


_ESCAPED = "liangku.json"
codecs.register_error(_ESCAPED, _escape_in_json)
