"""The OpenAPI document of the service: what each address takes and gives."""

from __future__ import annotations

from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

from checker.model.version import __version__
from checker.service.http_json import CARDS
from checker.service.openapi_hospital import HOSPITAL_SCHEMAS
from checker.service.openapi_schemas import SCHEMAS, Schema, array, ref, text

_JSON = "application/json"
_ABOUT = (
    "医保“两库”规则审核服务（checks by the rules of China's medical insurance）。"
    "本机访问不需要密钥；其余按配置（no key is needed on this machine, unless keys are set）。"
    "不接受的方法回 405，没有的地址回 404，形式同其他错误（405 and 404 have the form of every error）。"
)
_ERRORS = {
    400: ("BadInput", "请求内容有误：在哪里、是什么、应写什么（what is wrong, and what to write instead）"),
    401: ("Unauthorized", "需要有效的访问密钥（a valid access key is needed）"),
    403: ("Forbidden", "主机名、来源网页或密钥的权限不对（host, origin or role not allowed）"),
    404: ("NotFound", "没有（no such thing）"),
    408: ("Slow", "请求内容迟迟没有收完（the body came too slowly）"),
    409: ("NotReplaced", "新的规则、知识不能用，或关联没有确认更改，仍用原来的（nothing was replaced）"),
    413: ("TooLarge", "请求内容太大（the body is too large）"),
    415: ("NotJson", "Content-Type 应为 application/json（not said to be JSON）"),
    429: ("TooMany", "请求太频繁（too many requests）"),
    500: ("Internal", "程序故障（internal failure）"),
}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": text(const="Bearer")}},
    429: {"Retry-After": {"schema": text(const="1")}},
}
# The server itself answers so, before the application is asked.
_BUSY = "Busy"
_KEYED: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}, {}]
_SENT = (400, 408, 413, 415)
_LANG = {"name": "lang", "in": "query", "schema": text(enum=["zh", "en"], default="zh")}
_SALE = {
    "patient": {"sex": "2", "birth_date": "1990-05-01"},
    "visit_id": "V1",
    "lines": [{"item_code": "XG04CBA088A001010101467", "quantity": 2, "amount": "71.00"}],
}
_SALE_ON_TERMS = {
    "care_type": "41", "insurance_type": "310", "prescriber_institution_level": "二级", "online": False, "history": [],
    "patient": {"sex": "男", "birth_date": "1960-05-01"}, "lines": [{"item_name": "参附注射液", "by_name": True}],
}  # fmt: skip
_NAMED_SALE = {"patient": {"sex": "女", "age": 36}, "lines": [{"item_name": "爱普列特片", "by_name": True}]}


def openapi() -> dict[str, Any]:
    """The document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "liangku", "version": __version__, "summary": "两库规则审核", "description": _ABOUT},
        "paths": _native() | _national() | _hooks() | _own() | _pages(),
        "components": {
            "schemas": SCHEMAS | HOSPITAL_SCHEMAS,
            "responses": {
                **{
                    name: _given(said, {_JSON: ref("Error")}, headers=_HEADERS.get(status))
                    for status, (name, said) in _ERRORS.items()
                },
                _BUSY: _given(
                    "同时的请求太多，或者不能保存，请稍后再试（too many requests, or nothing can be kept）",
                    {_JSON: ref("Error")},
                ),
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _native() -> dict[str, Any]:
    trace = _path("code", text(pattern="^[0-9]{20}$"))
    ticket = _path("id", text(pattern="^T[0-9]{14}[0-9a-f]{10}$"))
    written: list[Schema] = [
        {"name": "text", "in": "query", "required": True, "schema": text(minLength=1, maxLength=100)},
    ]
    linked = {"text": "6901234567892", "item_name": "爱普列特片", "operator": "0012"}
    query: list[Schema] = [
        {"name": "q", "in": "query", "required": True, "schema": text(minLength=1, maxLength=100)},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}},
        _LANG,
    ]
    checked = {_JSON: ref("Answer"), CARDS: ref("Cards")}
    batch = array(ref("Prescription"), minItems=1, maxItems=1000)
    return {
        "/v1/check": {
            "post": _operation(
                "check", "审核一张处方或一笔销售（check a prescription or sale）", checked, _SENT, sends=ref("Prescription"),
                examples=(_SALE, _NAMED_SALE, _SALE_ON_TERMS), parameters=[_LANG],
            )
        },
        "/v1/check/batch": {
            "post": _operation("checkBatch", "审核多张（check many）", "Answers", _SENT, sends=batch, examples=([_SALE, _NAMED_SALE],), parameters=[_LANG])
        },
        "/v1/points": {
            "get": _operation("points", "按编码、名称或拼音查知识点（points by code, name or pinyin）", "Points", (400,), parameters=query)
        },
        "/v1/ledger": {
            "get": _operation("ledger", "今天有效的全部知识点（every point in force today）", "Ledger", (400,), parameters=[_LANG])
        },
        "/v1/rules": {"get": _operation("rules", "全部规则（the rules）", "Rules")},
        "/v1/rules/{id}": {"get": _operation("rule", "一条规则（a rule）", "Rule", (404,), parameters=[_path("id", text(pattern="^[a-z0-9-]+$"))])},
        "/v1/knowledge": {"get": _operation("knowledge", "所用的规则和知识（the edition in use）", "Knowledge")},
        "/v1/words": {
            "get": _operation("words", "结论、级别、处理、原因、备注等编码的文字（the words of every code in an answer）", "Words")
        },
        "/v1/feedback": {
            "post": _operation(
                "feedback", "记录对疑点的处理（what was decided about findings）", "FeedbackTaken", (*_SENT, 404), sends=ref("Feedback"),
                examples=({"finding_id": "15b3812466a4c4c9cfd7d6476e81fba9", "decision": "continue", "reason_code": "verified_person"},),
            )
        },
        "/v1/links": {
            "get": _operation(
                "link", "条码、追溯码、批准文号或商品名是哪个项目（which item a barcode, trace code, approval number or trade name is）", "Link",
                (400, 404), parameters=written,
            ),
            "post": _operation(
                "keepLink", "记住它是哪个项目；更改时写明 replaces（link it; to change it name what it replaces）", "Link", (*_SENT, 409),
                sends=ref("LinkSaid"), examples=(linked,),
            ),
        },
        "/v1/links/history": {
            "get": _operation("linkHistory", "谁在什么时候说了什么（who said what when）", "Links", (400,), parameters=written)
        },
        "/v1/links/undo": {
            "post": _operation("undoLink", "取消最近一次更改（take the last change back）", "Link", (*_SENT, 404, 409), sends=ref("LinkUndone"))
        },
        "/v1/trace": {
            "post": _operation(
                "linkTrace", "记住追溯码前 7 位是什么药（link the first 7 digits of a trace code to an item）", "Trace", (*_SENT, 409), sends=ref("TraceLink"),
                examples=({"trace_code": "81234567890123456789", "item_name": "爱普列特片"},),
            )
        },
        "/v1/trace/{code}": {
            "get": _operation("trace", "追溯码是什么药（the item of a trace code）", "Trace", (400, 404), parameters=[trace])
        },
        "/v1/tickets/{id}": {
            "get": _operation("ticket", "补审的结果（what became of a ticket）", "Ticket", (404,), parameters=[ticket])
        },
    }  # fmt: skip


def _hooks() -> dict[str, Any]:
    name = _path("id", text(enum=["liangku-order-select", "liangku-order-sign"]))
    order: Schema = {
        "resourceType": "MedicationRequest", "id": "m1", "status": "draft", "intent": "order",
        "medicationCodeableConcept": {"coding": [{"code": "XG04CBA088A001010101467", "display": "爱普列特片"}]},
    }  # fmt: skip
    asked = {
        "hook": "order-sign", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "P1", "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]}},
        "prefetch": {"patient": {"resourceType": "Patient", "id": "P1", "gender": "female", "birthDate": "1990-05-01"}},
    }  # fmt: skip
    return {
        "/cds-services": {"get": _operation("hooks", "CDS Hooks 2.0 的服务（the services）", "Services")},
        "/cds-services/{id}": {
            "post": _operation(
                "hook", "审核医嘱草稿，回答卡片（review draft orders, answered by cards）", "Cards", (*_SENT, 404), sends=ref("Hook"),
                examples=(asked,), parameters=[name, _LANG],
            )
        },
        "/cds-services/{id}/feedback": {
            "post": _operation(
                "hookFeedback", "对卡片的处理（what was decided about cards）", "FeedbackTaken", (*_SENT, 404), sends=ref("HookFeedback"),
                parameters=[name],
            )
        },
    }  # fmt: skip


def _national() -> dict[str, Any]:
    named = {
        "/fsi/api/riskConService/beforeAnalyze": ("before", "3101 事前审核（before）"),
        "/fsi/api/riskConService/courseAnalyze": ("during", "3102 事中审核（during）"),
        "/fsi/api/riskConService/feedback": ("nationalFeedback", "3103 处理反馈（feedback）"),
        "/fsi/api": ("national", "3101、3102 或 3103，由 infno 决定，其下的任何地址也一样（infno tells, here and at every address below）"),
    }  # fmt: skip
    return {path: {"post": _national_operation(name, said)} for path, (name, said) in named.items()}


def _national_operation(name: str, said: str) -> dict[str, Any]:
    operation = _operation(name, said, "NationalAnswer", sends=ref("NationalQuestion"))
    # Whatever is refused, for want of a key too, stands in the envelope of an answer with status 200.
    operation["responses"] = {"200": operation["responses"]["200"]}
    operation["description"] = (
        "也接受 GBK、gzip、表单（data）和 SOAP（data），并以同样的形式回答"
        "（GBK, gzip, a form and SOAP are taken too, and answered in kind）"
    )
    return operation


def _own() -> dict[str, Any]:
    metrics = {CONTENT_TYPE_LATEST: text()}
    return {
        "/admin/reload": {"post": _operation("reload", "重新读入规则和知识（read rules and knowledge again）", "Edition", (409,))},
        "/health": {"get": _health()},
        "/metrics": {"get": _operation("metrics", "Prometheus 指标（metrics）", metrics)},
        "/openapi.json": {"get": _operation("openapi", "本文档（this document）", {_JSON: {"type": "object"}}, is_open=True)},
    }  # fmt: skip


def _health() -> dict[str, Any]:
    operation = _operation(
        "health", "服务在运行，该保存的都能保存（the service runs, and can keep what it must）", "Health", is_open=True
    )
    # Who supervises the service needs to look at the status alone.
    operation["responses"]["503"] = _given("有检查没有通过（a check has failed）", {_JSON: ref("Health")})
    return operation


def _pages() -> dict[str, Any]:
    page = {"text/html": text()}
    files = dict.fromkeys(("text/javascript", "text/css", "image/svg+xml"), text())
    return {
        "/": {"get": _operation("counterPage", "柜台页面（the counter page）", page, is_open=True)},
        "/ledger": {"get": _operation("ledgerPage", "台账页面（the ledger page）", page, is_open=True)},
        "/static/{name}": {
            "get": _file(
                "static",
                "页面的文件（a file of the pages）",
                files,
                (404,),
                [_path("name", text(pattern=r"^[a-z]+\.(js|css|svg)$"))],
            )
        },
    }


def _file(
    name: str, said: str, content: dict[str, Schema], errors: tuple[int, ...] = (), parameters: list[Schema] | None = None
) -> dict[str, Any]:  # fmt: skip
    """An operation that gives a file, or the part of it that a header `Range` asks for."""
    operation = _operation(name, said, content, errors, parameters=parameters, is_open=True)
    refused = {"text/plain": text()}
    operation["responses"] |= {
        "206": _given("文件的一部分（a part of the file）", content | {"multipart/byteranges": text()}),
        "400": _given("Range 写法不对（a malformed Range）", refused),
        "416": _given("没有这一部分（no such part）", refused),
    }
    return operation


def _operation(
    name: str,
    said: str,
    gives: str | dict[str, Schema],
    errors: tuple[int, ...] = (),
    *,
    sends: Schema | None = None,
    examples: tuple[Any, ...] = (),
    parameters: list[Schema] | None = None,
    is_open: bool = False,
) -> dict[str, Any]:
    """One method of one address. `gives` is a schema's name, or content types with their schemas."""
    content = {_JSON: ref(gives)} if isinstance(gives, str) else gives
    # What guards every address; pages and what tells that the service runs ask for no key.
    guards = (403,) if is_open else (401, 403, 429)
    told = sorted({*errors, *guards, 500})
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": said,
        "security": [] if is_open else _KEYED,
        "responses": {
            "200": _given(said, content),
            **{str(status): {"$ref": f"#/components/responses/{_ERRORS[status][0]}"} for status in told},
            "503": {"$ref": f"#/components/responses/{_BUSY}"},
        },
    }
    if parameters:
        operation["parameters"] = parameters
    if sends is not None:
        body: dict[str, Any] = {"schema": sends}
        if examples:
            body["examples"] = {f"{number}": {"value": value} for number, value in enumerate(examples, 1)}
        operation["requestBody"] = {"required": True, "content": {_JSON: body}}
    return operation


def _path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _given(said: str, content: dict[str, Schema], headers: dict[str, Any] | None = None) -> dict[str, Any]:
    response = {"description": said, "content": {kind: {"schema": schema} for kind, schema in content.items()}}
    return response | {"headers": headers} if headers else response
