"""Faults of reading, as the checks of their kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import polars as pl

from checker.knowledge.checks.check_input import ENGLISH, CheckInput, days_expr, limits_of, place_of
from checker.knowledge.checks.issue import Found, Place, Said
from checker.model.errors import Fault, halves

OTHER = "value"
"""The check that tells faults of kinds that have none of their own."""
KINDS = (
    "columns", OTHER, "code-shape", "reference", "duplicate-point", "duplicate-pattern", "age-bounds", "validity",
    "missing-evidence", "no-limit",
)  # fmt: skip
"""The kinds of faults, as Fault.check names them."""
_KEY = re.compile(r"(?:row (?P<row>\d+)|(?:point|exemption) (?P<id>[^,]+))?.*?(?:(?:column|key) (?P<column>\w+))?$")
_FOUND = re.compile(r"""found (?:'(?P<one>[^']*)'|"(?P<two>[^"]*)"|(?P<bare>[^;]*));""")
_WORD_ENDS = {"新生儿": 29, "婴儿": 365, "婴幼儿": 3 * 365, "儿童": 18 * 365, "小儿": 18 * 365}
"""Days by which the widest reading of a word has ended; a bound of its own text overrides it."""


def faults_of(kind: str) -> Callable[[CheckInput], Iterator[Found]]:
    """The search for the faults of one kind."""

    def find(checked: CheckInput) -> Iterator[Found]:
        for fault in checked.layer.faults:
            if fault.check == kind or (kind == OTHER and fault.check not in KINDS):
                yield _found(checked, fault)

    return find


def age_bounds(checked: CheckInput) -> Iterable[Found]:
    """Faulty bounds, and windows that no age can lie in: bounds of two units, or a word and a lower bound past it."""
    yield from faults_of("age-bounds")(checked)
    low, high = days_expr("age_min"), days_expr("age_max")
    word = pl.col("age_word").replace_strict(_WORD_ENDS, default=None, return_dtype=pl.Float64)
    empty = checked.point.filter((low >= high) | (high.is_null() & (low >= word)))
    for row in empty.iter_rows(named=True):
        limit = ENGLISH.limit(limits_of(row))
        bound = f"{row['age_min']} {row['age_min_unit']}"
        yield Found(
            place_of(row),
            Said(
                f"没有年龄能落在这个范围内：{row['age_word'] or ''} {row['age_text']}",
                f"no age lies in this window: {limit}",
            ),
            "age_min",
            bound,
        )


def _found(checked: CheckInput, fault: Fault) -> Found:
    at = _KEY.match(fault.key)
    row, key, column = (at["row"], at["id"], at["column"]) if at else (None, None, None)
    chinese, english = halves(fault.message)
    said = _FOUND.match(english)
    value = next((text for text in said.groups() if text is not None), None) if said else None
    if key is not None and key in checked.layer.exemption_places:
        place = checked.layer.exemption_places[key]
    elif row is not None:
        place = Place(fault.file, int(row), checked.layer.faulty.get((fault.file, int(row))))
    else:
        place = Place(fault.file, None, key)
    where = f"{fault.key}: " if place.row is None and key is None and fault.key else ""
    return Found(place, Said(f"{where}{chinese}", f"{where}{english}"), column, value)
