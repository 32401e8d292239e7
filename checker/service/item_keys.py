"""What stands on a package and tells which item it is: drug trace code, barcode, approval number, or a trade name."""

from __future__ import annotations

import re
import unicodedata

from checker.model.errors import InputError
from checker.model.schema import NATIONAL_CODE

KINDS = ("trace", "barcode", "approval", "name")
"""Drug trace code [追溯码], barcode [商品条码, EAN-13], approval number [批准文号], trade name [商品名]."""
NAME_MOST = 100
_TRACE = re.compile("[0-9]{20}", re.ASCII)
_TRACE_PREFIX = 7
_BARCODE = re.compile("[0-9]{13}", re.ASCII)
_APPROVAL = re.compile("(?:国药准字|注册证号)([HZSJBTF][JCZ]?[0-9]{8})", re.ASCII)
# Long runs of digits are numbers of persons, or codes of another kind; no name has one.
_LONG_NUMBER = re.compile("[0-9]{14}", re.ASCII)
_NATIONAL = re.compile(NATIONAL_CODE)


def read_key(text: str) -> tuple[str, str]:
    """The kind of what is written on a package, and what is compared of it. Raises InputError where it tells no item.

    Of a trace code these are the first 7 digits, which name the product [药品标识码].

    >>> read_key("84110021234567890123"), read_key("国药准字 h20051234"), read_key("６９０１２３４５６７８９２")
    (('trace', '8411002'), ('approval', '国药准字H20051234'), ('barcode', '6901234567892'))
    """
    narrow = unicodedata.normalize("NFKC", text).strip()
    spelt = re.sub(r"[\s-]", "", narrow).upper()
    if _TRACE.fullmatch(spelt):
        return "trace", spelt[:_TRACE_PREFIX]
    if _BARCODE.fullmatch(spelt):
        if not barcode_is_right(spelt):
            raise InputError("条码的校验位不对，请重新扫描（the check digit of the barcode is wrong: scan it again）")
        return "barcode", spelt
    if found := _APPROVAL.fullmatch(spelt):
        return "approval", f"国药准字{found[1]}"
    if not spelt or len(narrow) > NAME_MOST:
        raise InputError(f"名称应为 1 到 {NAME_MOST} 个字符（a name has 1 to {NAME_MOST} characters）")
    if _NATIONAL.fullmatch(spelt):
        raise InputError("这是国家医保编码，本身就说明是哪个项目，不需要关联（a national code needs no link）")
    # What was written is not repeated: it may be the number of a person.
    if _LONG_NUMBER.search(spelt) or not any(sign.isalpha() for sign in spelt):
        raise InputError(
            "不是追溯码、条码、批准文号，也不是名称（neither trace code, barcode, approval number nor name）"
        )
    return "name", re.sub(r"\s", "", narrow).casefold()


def barcode_is_right(digits: str) -> bool:
    """Whether the check digit of a barcode of 13 digits is right (GB 12904, EAN-13)."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits[:12]))
    return (10 - total % 10) % 10 == int(digits[12])
