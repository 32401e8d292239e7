"""ID numbers [身份证号] of 15 and 18 digits: which are right, and when two name one person."""

from __future__ import annotations

import re

ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECK = "10X98765432"
OLD_ID_NUMBER = "[0-9]{15}"
"""As given out until 1999: a year of two digits, no check character."""


def id_number_is_right(column: str) -> str:
    """SQL boolean: 18 characters, and the check character of ISO 7064 MOD 11-2 is right."""
    total = " + ".join(
        f"(ascii(substr({column}, {place}, 1)) - 48) * {weight}" for place, weight in enumerate(ID_WEIGHTS, 1)
    )
    return f"(regexp_full_match({column}, '[0-9]{{17}}[0-9X]') AND substr('{ID_CHECK}', ({total}) % 11 + 1, 1) = substr({column}, 18, 1))"


def one_person(column: str) -> str:
    """SQL of what an ID number names its person by: the same for the number of 15 digits and the one of 18 that followed it.

    Right numbers of 18 lose their check character, those of 15 digits get their century; whatever else was written stands as it is.
    """
    born = f"try_strptime('19' || substr({column}, 7, 6), '%Y%m%d')"
    return (
        f"CASE WHEN regexp_full_match({column}, '{OLD_ID_NUMBER}') AND {born} IS NOT NULL "
        f"THEN left({column}, 6) || '19' || substr({column}, 7) WHEN {id_number_is_right(column)} THEN left({column}, 17) ELSE {column} END"
    )


def lost_digits(column: str) -> str:
    """SQL boolean: a spreadsheet, which keeps fifteen digits, wrote zeros for the last three, or the float nearest to that: the check character tells.

    Such floats are multiples of 32, which is quickly told of nearly all numbers that they are not.
    """
    cut = f"printf('%.0f', TRY_CAST(printf('%.14e', TRY_CAST({column} AS DOUBLE)) AS DOUBLE)) = {column}"
    return (
        f"((ends_with({column}, '000') OR TRY_CAST({column} AS BIGINT) % 32 = 0) AND regexp_full_match({column}, '[0-9]{{18}}') "
        f"AND NOT {id_number_is_right(column)} AND (ends_with({column}, '000') OR {cut}))"
    )


ID_NUMBER_WITHIN = "[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]"
"""An ID number of 18 digits as it may stand within a text, among other digits too; its check character tells whether it is one."""
_WITHIN = re.compile(f"(?=({ID_NUMBER_WITHIN}))")


def without_id_numbers(text: str) -> str:
    """A text in which of right ID numbers only the ends stand, be they parts of longer numbers. Other numbers of 18 digits, by which visits are found, stand.

    >>> without_id_numbers("ZY11010119900501004701"), without_id_numbers("ZY110101199005010041")
    ('ZY110101********004701', 'ZY110101199005010041')
    """
    for found in _WITHIN.finditer(text):
        number = found[1]
        total = sum(int(digit) * weight for digit, weight in zip(number, ID_WEIGHTS, strict=False))
        if ID_CHECK[total % 11] == number[-1].upper():
            text = text.replace(number, f"{number[:6]}********{number[-4:]}")
    return text


def without_id_numbers_sql(text: str) -> str:
    """SQL of the same; dear, so that it is asked only of what matches ID_NUMBER_WITHIN."""
    windows = f"list_transform(range(1, length({text}) - 16), lambda i: substr({text}, i::BIGINT, 18))"
    right = f"regexp_full_match(w, '{ID_NUMBER_WITHIN}') AND {id_number_is_right('upper(w)')}"
    hidden = "replace(said, number, left(number, 6) || '********' || right(number, 4))"
    return (
        f"list_reduce(list_prepend({text}, list_filter({windows}, lambda w: {right})), lambda said, number: {hidden})"
    )
