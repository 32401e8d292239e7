"""The schemas of what hospital systems send and are sent: the national interface, and CDS Hooks."""

from __future__ import annotations

from checker.service.openapi_schemas import COUNT, SENT, SENT_TIME, TEXT, Schema, array, asked, closed, ref, text

_NATIONAL_QUESTION = {
    **asked(
        "input",
        infno=text(enum=["3101", "3102", "3103"]),
        msgid=SENT,
        mdtrtarea_admvs=SENT,
        inf_time=SENT_TIME,
        fixmedins_code=SENT,
        input=asked("data", data={"type": "object"}),
    ),
    "description": "国家接口报文，成员以接口规范为准；地方写法见 --profile（members are those of the national interface）",
}
_NATIONAL_ANSWER = closed(
    infcode={"enum": [0, -1, "0", "-1"], "description": "0 成功，-1 失败（0 done, -1 refused, err_msg says why）"},
    inf_refmsgid=text(minLength=30, maxLength=30),
    refmsg_time=text(pattern="^[0-9]{17}$"),
    respond_time=text(pattern="^[0-9]{17}$"),
    err_msg={"type": ["string", "null"], "maxLength": 200},
    output={"oneOf": [ref("NationalResults"), ref("NationalFeedbackTaken"), {"type": "null"}]},
)

_RESULT = closed(
    jr_id=TEXT, rule_id=TEXT, rule_name=TEXT, vola_cont=TEXT, patn_id=TEXT, mdtrt_id=TEXT,
    judge_result_detail_dtos=array(
        closed(
            jrd_id=TEXT, patn_id=TEXT, mdtrt_id=TEXT, rx_id=TEXT, vola_item_type=TEXT, vola_amt={"type": "number"}
        )
    ),
    vola_amt={"type": "number"}, vola_amt_stas=text(enum=["0", "1"]), sev_deg=text(enum=["1", "2", "3"]), vola_evid=TEXT,
    vola_bhvr_type=TEXT, task_id=TEXT,
)  # fmt: skip
_RESULTS = closed(
    ("results",),
    result={"oneOf": [array(ref("NationalResult")), ref("NationalResult"), {"type": "null"}]},
    results=array(ref("NationalResult")),
    task_id=TEXT,
)


_RESOURCE: Schema = {"type": "object"}
_HOOK = asked(
    "hook",
    "hookInstance",
    "context",
    hook=text(enum=["order-select", "order-sign"]),
    hookInstance=TEXT,
    context=asked(
        "patientId",
        "draftOrders",
        userId=TEXT,
        patientId=TEXT,
        encounterId=TEXT,
        selections=array(TEXT),
        draftOrders={
            **asked("resourceType", resourceType=text(const="Bundle"), entry=array(asked(resource=_RESOURCE))),
            "description": "MedicationRequest 和 ServiceRequest，编码为国家医保编码（coded by national codes）",
        },
    ),
    prefetch=asked(
        patient={**_RESOURCE, "description": "FHIR R4 Patient：gender、birthDate"},
        conditions={**_RESOURCE, "description": "Condition 的 Bundle，ICD-10（a Bundle of Conditions）"},
        medications={**_RESOURCE, "description": "Medication 的 Bundle（what medicationReference refers to）"},
        organization={**_RESOURCE, "description": "Organization：identifier 为定点机构编号（its institution number）"},
    ),
)
_HOOK_FEEDBACK = asked(
    "feedback",
    feedback=array(
        asked(
            "card",
            "outcome",
            card=text(minLength=1, maxLength=64),
            outcome=text(enum=["accepted", "overridden"]),
            acceptedSuggestions=array(asked("id", id=TEXT)),
            overrideReason=asked(reason=asked("code", code=TEXT, display=TEXT), userComment=TEXT),
            outcomeTimestamp=TEXT,
        ),
        minItems=1,
        maxItems=1000,
    ),
)
_SERVICE = closed(
    id=TEXT, hook=text(enum=["order-select", "order-sign"]), title=TEXT, description=TEXT,
    prefetch={"type": "object", "additionalProperties": TEXT},
)  # fmt: skip

HOSPITAL_SCHEMAS: dict[str, Schema] = {
    "NationalQuestion": _NATIONAL_QUESTION,
    "NationalAnswer": _NATIONAL_ANSWER,
    "NationalResult": _RESULT,
    "NationalResults": _RESULTS,
    "NationalFeedbackTaken": closed(accepted=COUNT, unknown=array(TEXT)),
    "Services": closed(services=array(_SERVICE)),
    "Hook": _HOOK,
    "HookFeedback": _HOOK_FEEDBACK,
}
"""By the names under which the document holds them."""
