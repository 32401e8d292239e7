"""The grammar of national item codes [医保编码] and of the families that they fall into."""

from __future__ import annotations

import re

from checker.model.errors import both
from checker.model.schema import NATIONAL_CODE

_CODE = re.compile(NATIONAL_CODE)
FAMILY_LENGTH = {"X": 14, "Z": 11}
FAMILY_PATTERN = "X[A-Z][0-9]{2}[A-Z]{3}[0-9]{3}[A-Z][0-9]{3}|Z[A-Z][0-9]{2}[A-Z]{3}[0-9]{4}"
"""The shape of a family, as a regular expression over the whole text."""
_FAMILY = re.compile(FAMILY_PATTERN)
_PLACE = re.compile(r"[1-9][0-9]{1,5}")
_WHOLE_PLACE = 6
PROVINCES = frozenset(
    {
        *map(
            str,
            (*range(11, 16), 21, 22, 23, *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 67), 71, 81, 82),
        )
    }
)
"""The first two digits of place codes: the provinces, and 66 of the Xinjiang corps [兵团], which the insurance counts as one."""
WHOLE = "*"
"""What may stand behind a family where codes and families are written beside each other."""

CODE_SHAPES = both(
    "请写完整的国家医保编码：X 加 22 位、Z 加 19 位、T 加 9 位、C 加 19 或 26 位大写字母和数字，或 15 位数字（服务项目）",
    "write a full national code: X + 22, Z + 19, T + 9 or C + 19 or 26 capital letters and digits, or 15 digits (a service)",
)
"""What to write where a code has no national shape."""
FAMILY_SHAPES = both(
    "请写药品码前段：X 码的前 14 位，或 Z 码的前 11 位",
    "write a family: the first 14 characters of an X code or the first 11 of a Z code",
)
"""What to write where a family has another shape."""


def is_code(text: str) -> bool:
    """Whether the text has the shape of a full national code.

    >>> is_code("XG04CBA088A001010101467"), is_code("002501040040000"), is_code("XG04CBA088A001")
    (True, True, False)
    """
    return _CODE.fullmatch(text) is not None


def is_family(text: str) -> bool:
    """Whether the text has the shape of a code family [药品码前段]: generic name and form of an X or Z code."""
    return _FAMILY.fullmatch(text) is not None


def place_code(text: str) -> str | None:
    """Return the digits by which a place and all within it begin, or None where the text is no code of a place: 330000 is a province, 33.

    >>> place_code("330000"), place_code("3301"), place_code("浙江")
    ('33', '3301', None)
    """
    if _PLACE.fullmatch(text) is None:
        return None
    return text.removesuffix("00").removesuffix("00") if len(text) == _WHOLE_PLACE else text


def family_of(code: str) -> str | None:
    """Return the family of a western drug (X) or Chinese patent medicine (Z); NULL for every other code.

    >>> family_of("XG04CBA088A001010101467"), family_of("ZD03AAA0043010100166"), family_of("002501040040000")
    ('XG04CBA088A001', 'ZD03AAA0043', None)
    """
    length = FAMILY_LENGTH.get(code[:1])
    return code[:length] if length else None
