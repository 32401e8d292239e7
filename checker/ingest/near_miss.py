"""Headers that nothing recognises: which column each may be meant for, by what stands under it or by its wording. A suggestion, never taken by itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from checker.model.schema import CODE_LIKE, Column, normal_header

CLOSE, CLOSE_LATIN = 0.8, 0.88
"""So alike two wordings must be: of four Chinese characters one that differs makes another word, and national names share many syllables."""
MOST = 0.6
"""So great a share of the values must be of a form for it to speak."""
_ASIDE = re.compile(r"[(\[【].*?[)\]】]|[\s_*:.#/-]+")
_ID_NUMBER = r"[1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])\d{5}[\dXx]"
_DAY = r"(19|20)\d{2}[-/.年]?(0?[1-9]|1[0-2])[-/.月]?(0?[1-9]|[12]\d|3[01])日?"
_FORMS = (
    ("patient_id_number", _ID_NUMBER),
    ("item_code", f"(?i:{CODE_LIKE.replace('[0-9]{15}', '0[0-9]{14}')})"),
    ("patient_sex", "男性?|女性?"),
    ("service_time", _DAY + r"[T ]?\d{1,2}:?\d{2}.*"),
)
_BIRTH = re.compile("生辰|(?<!发)生日|诞|出生|birth|born|brdy|^dob$|^csrq$")
"""How headers of birth dates are worded, whatever years stand below."""
_OF_GOODS = re.compile("生产|效期|有效|失效|到期|过期|出厂|批准|expir|prod")
"""How headers of days are worded that belong to goods or papers."""
_BESIDE = re.compile("备注|说明|附注|注释|意见|电话|手机|地址|职称|签名|签章|remark|memo|comment|phone")
"""Words by which a header speaks of something else about what it names: 开单医师备注 is no prescriber."""
_YEARS_OF_BIRTHS = 15
"""Days that span more years are rather birth dates."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A column that a header may be meant for: because it is much like the known `wording`, or by its values (no wording)."""

    column: str
    wording: str = ""


def near_miss(
    header: str, values: Sequence[str], columns: Mapping[str, Column], fed: Collection[str]
) -> NearMiss | None:
    """What a header that feeds nothing may be meant for; `fed` are the columns that have a header already."""
    open_columns = {name: column for name, column in columns.items() if name not in fed}
    return by_values(header, values, columns, fed) or _by_wording(header, open_columns)


def _by_wording(header: str, columns: Mapping[str, Column]) -> NearMiss | None:
    plain = _plain(header)
    best, found = CLOSE_LATIN if plain.isascii() else CLOSE, None
    for name, column in columns.items():
        for wording in column.all_headers:
            if wording.startswith("__"):
                continue
            other = _plain(wording)
            if {*_BESIDE.findall(plain)} - {*_BESIDE.findall(other)}:
                continue
            alike = 1.0 if plain == other else SequenceMatcher(None, plain, other).ratio() if len(plain) > 2 else 0.0
            if alike > best or (found is None and alike == best):
                best, found = alike, NearMiss(name, wording)
    return found


def _plain(header: str) -> str:
    """A header without what is said in parentheses, blanks and signs."""
    return _ASIDE.sub("", normal_header(header)) or normal_header(header)


def by_values(
    header: str, values: Sequence[str], columns: Mapping[str, Column], fed: Collection[str]
) -> NearMiss | None:
    """The column that values are of the form of, where it has no header yet; of days the header says more than they do."""
    if not values:
        return None
    columns = {name: column for name, column in columns.items() if name not in fed}
    for name, form in _FORMS:
        if sum(re.fullmatch(form, value) is not None for value in values) >= MOST * len(values):
            name = _day(header, name) if name == "service_time" else name
            return NearMiss(name) if name in columns else None
    years = [int(value[:4]) for value in values if re.fullmatch(_DAY, value)]
    if len(years) < MOST * len(values):
        return None
    name = _day(header, "patient_birth_date" if max(years) - min(years) > _YEARS_OF_BIRTHS else "service_time")
    return NearMiss(name) if name in columns else None


def _day(header: str, by_values: str) -> str:
    """The column that days are for, by the wording above them, else by what they are; '' where they are no person's."""
    plain = _plain(header)
    return "patient_birth_date" if _BIRTH.search(plain) else "" if _OF_GOODS.search(plain) else by_values
