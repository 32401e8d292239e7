"""What a rule is about, as its published name says, and which codes may stand under it."""

from __future__ import annotations

import re

DRUG, SERVICE = "drug", "service"
CODES = {DRUG: "^[XZT]", SERVICE: "^[0-9]+$"}
"""How codes and families look that may stand under rules of a kind, as regular expressions; material [耗材] begins with C and is neither."""
_KIND = re.compile("(药品|中药|西药|中成药|超互联网医院药品)|医疗服务项目|诊疗项目|手术项目")


def kind_of(name: str) -> str | None:
    """Return what a rule of this published name is about, DRUG or SERVICE, or None where the name does not say.

    >>> kind_of("药品区分性别使用"), kind_of("医疗服务项目重复收费"), kind_of("老年人用药安全")
    ('drug', 'service', None)
    """
    found = _KIND.match(name)
    return None if found is None else DRUG if found[1] else SERVICE


def is_of_kind(code: str, kind: str | None) -> bool:
    """Whether a code or family may stand under a rule of this kind: see CODES.

    >>> is_of_kind("002501040040000", "drug"), is_of_kind("002501040040000", "service"), is_of_kind("XG04CBA088A001", "service")
    (False, True, False)
    >>> is_of_kind("C0101010010000100001", "drug")
    False
    """
    return kind is None or re.search(CODES[kind], code) is not None
