"""What FHIR R4 resources say plainly of the terms of a visit: its care, whether it is online, and who insures the patient; all else is left open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from checker.service.fhir_resources import id_of, is_for_another, is_foreign, objects, resources, text_of

_ACT_CODE = re.compile(r"/v3-ActCode$|2\.16\.840\.1\.113883\.5\.4$", re.IGNORECASE)
_OF_HL7 = re.compile(r"terminology\.hl7\.org|2\.16\.840\.1\.113883\.5\.", re.IGNORECASE)
_CARE = {"IMP": "21", "ACUTE": "21", "NONAC": "21", "EMER": "13"}
"""Classes of encounters that are one kind of care. AMB is not: patients with a chronic disease and those of a pharmacy walk in as well."""
_ONLINE = "VR"


def terms_of(context: Mapping[str, Any], prefetch: Mapping[str, Any]) -> dict[str, Any]:
    """`care_type`, `online` and `insurance_type` of a prescription's document, where the Encounter of the context and the patient's active Coverage
    say so.
    """
    patient_id, encounter_id = id_of(context.get("patientId")), id_of(context.get("encounterId"))
    if patient_id is None:
        return {}
    told: dict[str, Any] = {}
    for encounter in resources(prefetch.get("encounter"), "Encounter"):
        if encounter_id is None or id_of(encounter.get("id")) != encounter_id:
            continue
        if not is_for_another(encounter.get("subject"), patient_id):
            kind = _class(encounter.get("class"))
            told |= {"care_type": _CARE[kind]} if kind in _CARE else {"online": True} if kind == _ONLINE else {}
    insured = {
        each
        for coverage in resources(prefetch.get("coverage"), "Coverage")
        if coverage.get("status") == "active" and not is_for_another(coverage.get("beneficiary"), patient_id)
        for each in _types(coverage.get("type"))
    }
    # Of several nobody knows which one pays.
    return told | ({"insurance_type": insured.pop()} if len(insured) == 1 else {})


def _class(coding: object) -> str | None:
    if not isinstance(coding, dict) or not _ACT_CODE.search(str(coding.get("system")).strip()):
        return None
    return text_of(coding.get("code"))


def _types(concept: object) -> set[str]:
    """The codes of a kind of insurance that are not those of HL7, which no profile knows; its words where it has no coding."""
    if not isinstance(concept, dict):
        return set()
    codings = objects(concept.get("coding"))
    own = [each for each in codings if not is_foreign(each) and not _OF_HL7.search(str(each.get("system")))]
    found = {text_of(each.get("code")) for each in own} if codings else {text_of(concept.get("text"))}
    return {text for text in found if text}
