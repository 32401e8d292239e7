"""The JSON schemas of the OpenAPI document: what is sent to the service, and what it answers."""

from __future__ import annotations

from typing import Any

from checker.ingest.prescription import STAGES
from checker.ingest.spellings import FALSE_WORDS, FEMALE_WORDS, MALE_WORDS, TRUE_WORDS, UNKNOWN_SEX_WORDS
from checker.model.schema import FINDING_COLUMNS, NATIONAL_CODE
from checker.model.words import NOT_JUDGED, catalogue
from checker.model.words import REASONS as WHY_UNDETERMINED
from checker.rulebook.plan import LEVEL_RANK
from checker.service.item_keys import KINDS
from checker.service.reasons import REASONS

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A schema of this document by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Schema, **more: Any) -> Schema:
    """Any number of these."""
    return {"type": "array", "items": items, **more}


def text(**more: Any) -> Schema:
    """Text that is always there."""
    return {"type": "string", **more}


def closed(optional: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """An answer's object: these members and no others, all of them there but the optional ones."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def asked(*required: str, **properties: Schema) -> Schema:
    """An object that is sent: other members are let pass."""
    return {"type": "object", "properties": properties, "required": list(required)}


TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
_SWITCH: Schema = {"type": "boolean"}
_DATE = text(format="date")
_DATE_OR_NULL: Schema = {"type": ["string", "null"], "format": "date"}
_VERDICT = text(enum=["violation", "undetermined", "clear"])
_LEVEL = text(enum=sorted(LEVEL_RANK, key=LEVEL_RANK.__getitem__))
_LEVEL_OR_NULL: Schema = {"enum": [*sorted(LEVEL_RANK, key=LEVEL_RANK.__getitem__), None]}
_HASHED = closed(hash=TEXT)
_EDITION = closed(version=TEXT, hash=TEXT)
_EDITION_OF_DAY = closed(
    version=TEXT,
    hash=TEXT,
    published=_DATE,
    outdated={
        "type": "boolean",
        "description": "公布已超过 180 天，可能缺少新公布的内容（published over 180 days before: later points may be missing）",
    },
)

# What is sent as text or as number is read alike.
SENT: Schema = {"type": ["string", "integer", "null"], "maxLength": 200}
SENT_TIME: Schema = {"type": ["string", "null"], "examples": ["2026-03-01", "2026-03-01 10:30:00"]}
_SENT_NUMBER: Schema = {"type": ["number", "string", "null"], "pattern": r"^-?[0-9]{1,10}(\.[0-9]{1,4})?$", "minimum": -1e9, "maximum": 1e9}  # fmt: skip
_SENT_SEX: Schema = {"enum": [*MALE_WORDS, *FEMALE_WORDS, *UNKNOWN_SEX_WORDS, None]}
_SENT_AGE: Schema = {"type": ["number", "string", "null"], "minimum": 0, "maximum": 130}
_SENT_FLAG: Schema = {"enum": [True, False, *TRUE_WORDS, *FALSE_WORDS, None]}

_FINDING: dict[str, Schema] = {
    "finding_id": TEXT,
    "reason_code": {
        "enum": [*WHY_UNDETERMINED, None],
        "description": "为什么无法判断（why the line is undetermined）；文字见 /v1/words 的 reason",
    },
    "verdict": text(enum=["violation", "undetermined", "exempt"]),
    "level": _LEVEL_OR_NULL,
    "action": {"enum": ["stop", "confirm", "recover", "review", "note", None]},
    "matched_by": {"enum": ["code", "crosswalk", "family", "name", None]},
    "remarks": array(TEXT),
    "related_lines": {"type": ["array", "null"], "items": TEXT},
    "quantity": _NUMBER_OR_NULL,
    "amount": _NUMBER_OR_NULL,
    "amount_in_scope": _NUMBER_OR_NULL,
    "amount_at_stake": _NUMBER_OR_NULL,
    "rule_version": {"type": ["integer", "null"]},
    "source_record": COUNT,
}

# What a line may say itself, or the prescription for all its lines.
_TERMS: dict[str, Schema] = {
    "is_discharge_drug": {**_SENT_FLAG, "description": "出院带药（taken home on discharge）"},
    "is_maternity_fee": {**_SENT_FLAG, "description": "生育费用（a cost of maternity）"},
    "prescriber_institution_level": {
        **SENT,
        "description": "药店售药时，开方机构的等级，写法同 institution_level（in a pharmacy: level of the institution that prescribed）",
    },
}
_DIAGNOSES = {"type": ["array", "null"], "items": {"oneOf": [TEXT, asked("code", code=TEXT)]}}
_PRESCRIPTION = asked(
    "lines",
    stage={"enum": [*STAGES, None]},
    service_time=SENT_TIME,
    settlement_id=SENT,
    visit_id=SENT,
    visit_start=SENT_TIME,
    visit_end=SENT_TIME,
    institution_id=SENT,
    institution_name=SENT,
    institution_level={
        **SENT,
        "description": "机构等级：国家代码 01 至 14，或 三级、二级、一级、未定级（level of the institution）",
        "examples": ["三级", "05"],
    },
    care_type={
        **SENT,
        "description": "医疗类别：国家代码 11 门诊、13 急诊、21 住院、41 药店等，或名称（type of care）",
        "examples": ["11", "药店购药"],
    },
    insurance_type={
        **SENT,
        "description": "险种：国家代码 310 职工、390 居民、510 生育等，或名称，如 工伤保险（the insurance that pays）",
        "examples": ["310", "工伤保险"],
    },
    pay_location={**SENT, "description": "支付地点，5 为互联网医院（place of payment; 5 is an internet hospital）"},
    online={**_SENT_FLAG, "description": "处方是否由互联网诊疗开具（whether it was prescribed online）"},
    is_online={**_SENT_FLAG, "description": "同 online（the same as online）"},
    **_TERMS,
    insured_region=SENT,
    region=SENT,
    mutual_aid_amount=_SENT_NUMBER,
    patient={"oneOf": [ref("Patient"), {"type": "null"}]},
    insured={"oneOf": [asked(sex=_SENT_SEX, birth_date=SENT_TIME, age=_SENT_AGE), {"type": "null"}]},
    diagnoses=_DIAGNOSES,
    special_disease_code={
        **SENT,
        "description": "门诊慢特病病种编码（the code of the special disease of the visit）",
        "examples": ["M01600"],
    },
    lines=array(ref("Line"), minItems=1),
    history={
        "type": ["array", "null"],
        "items": {
            "allOf": [
                ref("Line"),
                asked(
                    "service_time",
                    service_time=text(),
                    visit_id=SENT,
                    settlement_id=SENT,
                    institution_id=SENT,
                    diagnoses=_DIAGNOSES,
                ),
            ]
        },
        "description": "此前的明细，每行写明日期，最好也写就诊号；确实没有的写 []，没有这个字段是没有告知（earlier lines, each with its day; "
        "[] says that there are none, without the key nobody said）",
    },
)
_PATIENT = asked(
    id=SENT,
    sex=_SENT_SEX,
    birth_date=SENT_TIME,
    age=_SENT_AGE,
    id_number={"type": ["string", "null"]},
    newborn=_SENT_FLAG,
)
_OWN = {**SENT, "description": "与处方不同时，这一行自己的（of the line itself, where it is not the prescription's）"}
_LINE = asked(
    line_id=SENT,
    original_line_id={**SENT, "description": "退回的是哪一行（which line it takes back）"},
    prescription_id=SENT,
    service_time={**SENT_TIME, "description": "这一行自己的时间，没有的按处方的（its own; else the prescription's）"},
    days_supply=_SENT_NUMBER,
    unit_price=_SENT_NUMBER,
    price_limit={**_SENT_NUMBER, "description": "定价上限（the highest price allowed）"},
    charge_type={
        **SENT,
        "description": "收费类别，10 或 中药饮片 为饮片（what it is charged as; 10 is a decoction piece）",
    },
    **_TERMS,
    care_type=_OWN,
    insurance_type=_OWN,
    institution_level=_OWN,
    institution_name=_OWN,
    pay_location=_OWN,
    online=_SENT_FLAG,
    is_online=_SENT_FLAG,
    item_code={"type": ["string", "null"], "description": "国家医保编码（the national code of the item）"},
    item_name=SENT,
    local_item_code={
        "type": ["string", "null"],
        "description": "院内或地方编码，没有国家编码时查编码对照表（the local code: looked up in the crosswalk where there is no national one）",
    },
    local_item_name=SENT,
    by_name={
        **_SENT_FLAG,
        "description": "没有编码时，按名称认定项目（without a code: the name is that of one item of the knowledge base）",
    },
    quantity=_SENT_NUMBER,
    amount=_SENT_NUMBER,
    amount_in_scope=_SENT_NUMBER,
    full_self_paid_amount=_SENT_NUMBER,
    is_context=_SENT_FLAG,
    paid_by_fund=_SENT_FLAG,
    valid_flag=_SENT_FLAG,
    refund_flag=_SENT_FLAG,
)
_ANSWER = closed(
    ("not_in_scope", "to_check", "unknown_values", "fully_refunded", "ignored", "ticket", "message"),
    verdict={
        **_VERDICT,
        "description": "clear 只说明判断过的没有疑点，没有判断的见 not_judged、not_restricted（of what was judged; what was not stands there）",
    },
    level={**_LEVEL_OR_NULL, "description": "最严重的疑点的等级（of the gravest finding）"},
    action=text(enum=["stop", "confirm", "note", "none"]),
    findings=array(ref("Finding")),
    knowledge=_EDITION_OF_DAY,
    rules=_HASHED,
    checked_lines=COUNT,
    not_in_force=array(closed(("line",), line_id=_TEXT_OR_NULL, line=COUNT, rule_id=TEXT)),
    not_judged={
        **array(
            closed(
                ("line",),
                line_id=_TEXT_OR_NULL,
                line=COUNT,
                rule_id=TEXT,
                missing=text(enum=[*NOT_JUDGED]),
                how={**TEXT, "description": "怎样给出（how to give it）"},
            )
        ),
        "description": "没有判断，不是没有问题：missing 是没有告知的内容（insurance_type 等），或没有载入（rule）、停用（deprecated）的规则"
        "（not judged, which is no pass: what the counter was not told, or a rule that is not there）",
    },
    unknown_values={
        **array(closed(column=TEXT, value=TEXT, lines=COUNT, profile_key=TEXT, key=_TEXT_OR_NULL, how=TEXT)),
        "description": "省级配置不认识的写法，因此无法判断的行数，应写在配置的哪里（values that the profile does not know, and where to write them）",
    },
    not_restricted={
        **array(closed(("line",), line_id=_TEXT_OR_NULL, line=COUNT)),
        "description": "不在受限项目中，没有判断能否使用（not among the restricted items: whether they may be used is not judged）",
    },
    not_in_scope=array(closed(("line",), line_id=_TEXT_OR_NULL, line=COUNT, rule_id=TEXT)),
    to_check={
        **array(closed(("line",), line_id=_TEXT_OR_NULL, line=COUNT, rule_id=TEXT, item=TEXT, text=TEXT)),
        "description": "需核对：知识点的条件里，系统看不出、要人工核对的内容；不是疑点"
        "（what the point asks for and nobody can tell from the data: check it; no finding）",
    },
    fully_refunded=array(TEXT),
    ignored=array(TEXT),
    reviewed={
        "type": "boolean",
        "description": "false：没有完成审核，不等于没有问题（not judged, which is not clear）",
    },
    acknowledged=array(TEXT),
    ticket=_TEXT_OR_NULL,
    message=TEXT,
)
_LATE_ANSWER = closed(
    ("not_in_scope", "to_check", "fully_refunded", "ignored"),
    **{
        name: schema
        for name, schema in _ANSWER["properties"].items()
        if name
        in (
            "verdict",
            "level",
            "action",
            "findings",
            "knowledge",
            "checked_lines",
            "not_in_force",
            "not_judged",
            "not_restricted",
            "not_in_scope",
            "to_check",
            "fully_refunded",
            "ignored",
        )
    },
)
_CARD = closed(
    ("overrideReasons", "suggestions", "selectionBehavior"),
    uuid=TEXT,
    summary=text(maxLength=139),
    indicator=text(enum=["info", "warning", "critical"]),
    detail=TEXT,
    source=closed(label=TEXT),
    overrideReasons=array(closed(code=TEXT, display=TEXT)),
    suggestions=array(
        closed(
            label=TEXT,
            uuid=TEXT,
            actions=array(closed(type=text(const="delete"), description=TEXT, resourceId=TEXT)),
        )
    ),
    selectionBehavior=text(const="at-most-one"),
)
_RULE = closed(
    id=TEXT, rule_code=_TEXT_OR_NULL, name=TEXT, name_en=TEXT, level=_LEVEL, version={"type": "integer"},
    stages=array(TEXT), reads_sex=_SWITCH, reads_age=_SWITCH, message=TEXT, message_en=TEXT, advice=TEXT, advice_en=TEXT,
)  # fmt: skip
_POINTS = closed(
    q=TEXT,
    total=COUNT,
    items=array(
        closed(
            item_name=TEXT, rule_id=TEXT, rule_name=TEXT, point_id=TEXT, how=TEXT, in_force=_SWITCH, valid_from=_DATE,
            valid_to=_DATE_OR_NULL, limit=TEXT, level_cap=_LEVEL_OR_NULL, published_codes={"type": ["integer", "null"]},
        )
    ),
    nearest=array(TEXT),
)  # fmt: skip
_LEDGER = closed(
    knowledge=_EDITION,
    points=array(
        closed(
            point_id=TEXT, item_name=TEXT, rule_id=TEXT, rule_name=TEXT, level=_LEVEL, limit=TEXT, subject=TEXT,
            valid_from=_DATE, valid_to=_DATE_OR_NULL, codes=TEXT, published_codes={"type": ["integer", "null"]},
            document=_TEXT_OR_NULL, batch=_TEXT_OR_NULL, source_rows=_TEXT_OR_NULL,
        )
    ),
)  # fmt: skip
_EDITION_TOLD: dict[str, Schema] = {
    "version": TEXT, "hash": TEXT, "name": TEXT, "published": TEXT, "points": COUNT, "rules": closed(hash=TEXT, count=COUNT),
}  # fmt: skip
_OPTIONS = closed(
    two_person=_SWITCH,
    staff=_SWITCH,
    shop=_TEXT_OR_NULL,
    reasons=array(closed(code=TEXT, zh=TEXT, en=TEXT, judges=_TEXT_OR_NULL)),
    judges={"type": "object", "additionalProperties": TEXT},
)
_DECISION = {
    **asked(
        "finding_id",
        "decision",
        finding_id=text(minLength=1, maxLength=64),
        decision=text(enum=["continue", "change"]),
        reason_code={
            "enum": [*(reason.code for reason in REASONS), None],
            "description": "继续时必填（compulsory to continue）",
        },
        reason={"type": ["string", "null"], "maxLength": 500},
        operator={"type": ["string", "null"], "maxLength": 64},
        second_operator={"type": ["string", "null"], "maxLength": 64},
        second_pin={
            "type": ["string", "null"],
            "maxLength": 64,
            "description": "登记了人员时，复核员的 PIN（where staff are set up）",
        },
    ),
    "additionalProperties": False,
}
_TRACE_LINK = asked(
    "trace_code",
    trace_code=text(pattern="^[0-9]{20}$"),
    item_code={"type": ["string", "null"], "pattern": f"^({NATIONAL_CODE})$"},
    item_name={"type": ["string", "null"], "maxLength": 200},
    operator={"type": ["string", "null"], "maxLength": 64},
    replaces={"type": ["integer", "null"]},
)
_LINK_SAID = asked(
    "text",
    "operator",
    text=text(minLength=1, maxLength=100),
    item_code={"type": ["string", "null"], "pattern": f"^({NATIONAL_CODE})$"},
    item_name={"type": ["string", "null"], "maxLength": 200},
    unrestricted={
        "type": ["boolean", "null"],
        "description": "true：名称不在受限项目中（the name is of no restricted item）",
    },
    operator=text(minLength=1, maxLength=64),
    replaces={"type": ["integer", "null"], "description": "要更改的关联的 id（the id of the link that this replaces）"},
)
_LINK_UNDONE = asked(
    "text", "operator", "id",
    text=text(minLength=1, maxLength=100), operator=text(minLength=1, maxLength=64), id={"type": "integer"},
)  # fmt: skip
_LINK = closed(
    id={"type": "integer"}, kind=text(enum=[*KINDS]), key=TEXT, item_code=_TEXT_OR_NULL, item_name=_TEXT_OR_NULL, at=TEXT,
    operator=_TEXT_OR_NULL, how=text(enum=["confirmed", "import", "undo", "earlier"]), before={"type": ["integer", "null"]},
    restricted_name=_SWITCH,
)  # fmt: skip
_TICKET = closed(
    ticket=TEXT,
    status=text(enum=["open", "judged"]),
    received=TEXT,
    reason=text(enum=["timeout", "failure"]),
    judged=_TEXT_OR_NULL,
    answers={"type": ["array", "null"], "items": ref("LateAnswer")},
)

_IS_WELL: Schema = {"type": "boolean"}
_CHECKS = closed(
    disk=closed(ok=_IS_WELL, free_bytes=COUNT, least_bytes=COUNT),
    log=closed(ok=_IS_WELL, error=_TEXT_OR_NULL, displaced_since=_TEXT_OR_NULL, records=COUNT),
    keeper=closed(ok=_IS_WELL, failed={"type": "object", "additionalProperties": TEXT}),
)
SCHEMAS: dict[str, Schema] = {
    "Prescription": _PRESCRIPTION,
    "Patient": _PATIENT,
    "Line": _LINE,
    "Finding": closed(**{name: _FINDING.get(name, _TEXT_OR_NULL) for name in FINDING_COLUMNS}),
    "Answer": _ANSWER,
    "Answers": closed(answers=array({"oneOf": [ref("Answer"), ref("Error")]})),
    "LateAnswer": _LATE_ANSWER,
    "Cards": closed(cards=array(_CARD)),
    "Points": _POINTS,
    "Ledger": _LEDGER,
    "Rule": _RULE,
    "Rules": closed(rules=array(ref("Rule"))),
    "Edition": closed(**_EDITION_TOLD),
    "Knowledge": closed(**_EDITION_TOLD, options=_OPTIONS),
    "Words": closed(
        **{kind: closed(**{code: closed(zh=TEXT, en=TEXT) for code in words}) for kind, words in catalogue().items()}
    ),
    "Decision": _DECISION,
    "Feedback": {
        "oneOf": [ref("Decision"), asked("feedback", feedback=array(ref("Decision"), minItems=1, maxItems=1000))]
    },
    "FeedbackTaken": closed(accepted=COUNT, unknown=array(TEXT)),
    "TraceLink": _TRACE_LINK,
    "LinkSaid": _LINK_SAID,
    "LinkUndone": _LINK_UNDONE,
    "Link": _LINK,
    "Links": closed(links=array(ref("Link"))),
    "Trace": closed(prefix=text(pattern="^[0-9]{7}$"), item_code=_TEXT_OR_NULL, item_name=_TEXT_OR_NULL),
    "Ticket": _TICKET,
    "Health": closed(status=text(enum=["ok", "failing"]), version=TEXT, knowledge=_EDITION_OF_DAY, checks=_CHECKS),
    "Error": closed(error=closed(code=TEXT, message=TEXT)),
}
"""By the names under which the document holds them."""
