"""What stands in FHIR resources, whatever was sent in their place: objects, ids, texts, codings of other systems."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_FOREIGN = re.compile(
    r"snomed|loinc|rxnorm|whocc|fhir/sid/(ndc|cvx)|fdasis|2\.16\.840\.1\.113883\.6\.(1|69|73|88|96)$", re.IGNORECASE
)
"""Systems whose codes mean something else, though some have the shape of a national one."""
_TEXT_MOST = 500


def is_foreign(coding: Mapping[str, Any]) -> bool:
    """Whether a coding is of a system that is none of ours."""
    return _FOREIGN.search(str(coding.get("system")).strip()) is not None


def is_for_another(subject: object, patient_id: str | None) -> bool:
    """Whether a reference names another patient than this one."""
    said = text_of(subject.get("reference")) if isinstance(subject, dict) else None
    _, is_patient, rest = f"/{said or ''}".rpartition("/Patient/")
    return bool(is_patient) and patient_id is not None and rest.partition("/")[0] != patient_id


def resources(bundle: object, kind: str) -> list[dict[str, Any]]:
    """The resources of a kind in a Bundle, or the one that stands in its place."""
    if not isinstance(bundle, dict):
        return []
    found = (
        [bundle]
        if bundle.get("resourceType") == kind
        else [each.get("resource") for each in objects(bundle.get("entry"))]
    )
    return [each for each in found if isinstance(each, dict) and each.get("resourceType") == kind]


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list; none where it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def each_of(value: object) -> list[Any]:
    """What a list holds, and what stands in the place of one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def id_of(value: object) -> str | None:
    """A name as it is: half of one could be another's."""
    text = text_of(value)
    return text if text is not None and isinstance(value, str) and text == value.strip() else None


def text_of(value: object) -> str | None:
    """A text without the blanks around it, cut; None for what is none or cannot be written."""
    if not isinstance(value, str) or any("\ud800" <= sign <= "\udfff" for sign in value):
        return None
    return value.strip()[:_TEXT_MOST] or None
