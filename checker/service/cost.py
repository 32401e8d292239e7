"""What a request may cost to judge, seen before it is judged: lines, diagnoses, and texts that every finding would repeat."""

from __future__ import annotations

from collections.abc import Sequence

from checker.ingest.prescription import Prescription
from checker.model.errors import InputError
from checker.service.settings import Limits

_DIAGNOSES = 500
_TEXT = 1000
_LARGE_BYTES = 32 * 1024
"""In a smaller message no text can be so long that it costs much."""


def refuse_costly(prescriptions: Sequence[Prescription], limits: Limits, size: int) -> None:
    """Raise InputError where judging would cost others their turn. `size` is that of the message in bytes."""
    refuse_many_lines(prescriptions, limits, size)
    for each in prescriptions:
        refuse_costly_one(each, size)


def refuse_many_lines(prescriptions: Sequence[Prescription], limits: Limits, size: int) -> None:
    """Raise InputError where all of them together have too many lines."""
    if size <= _LARGE_BYTES:
        return
    if (lines := sum(len(each.items) for each in prescriptions)) > limits.batch_lines:
        raise InputError(
            f"共 {lines} 行，最多 {limits.batch_lines} 行，请分次发送（too many lines: send them in parts）"
        )


def refuse_costly_one(prescription: Prescription, size: int) -> None:
    """Raise InputError where one of them has too many diagnoses, or texts that are too long."""
    if len(prescription.diagnoses) > _DIAGNOSES:
        raise InputError(
            f"一张处方有 {len(prescription.diagnoses)} 个诊断，最多 {_DIAGNOSES} 个（too many diagnoses of one prescription）"
        )
    if size <= _LARGE_BYTES:
        return
    texts = [*prescription.facts.values(), *prescription.diagnoses]
    for item in prescription.items:
        texts += item
    if any(type(text) is str and len(text) > _TEXT for text in texts):
        raise InputError(f"有超过 {_TEXT} 个字符的编号或名称，请改正（an id or name is too long）")
