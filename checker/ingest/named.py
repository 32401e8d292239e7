"""Long readings named once: a relation whose texts and values stand in columns of their own, so that a query may ask them often.

A text that is cleaned and then read as a time is some 4,000 characters of SQL; written out at each place that needs it, planning
costs more than a small scan, and every place reads the text again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from checker.ingest.columns import (
    Header,
    HeaderMap,
    Usual,
    first_text,
    is_given,
    plain_text,
    read_column,
    read_headers,
    unreadable,
    usual_words,
)
from checker.model import sqltext
from checker.model.schema import Kind

LONG = (Kind.TIME, Kind.DATE, Kind.NUMBER, Kind.AGE, Kind.CARE)
"""The kinds of which a cleaned text is still long to read: what they are read as is named too."""


def free_name(wanted: str, headers: Iterable[Header]) -> str:
    """A column name that no header bears."""
    taken = {header.text.lower() for header in headers}
    while wanted.lower() in taken:
        wanted += "_"
    return wanted


def read_with_fallback(mapping: HeaderMap, name: str) -> str:
    """SQL of a column whose fallback headers count only where the proper ones are empty."""
    headers, fallback = mapping.found.get(name, ()), mapping.fallback.get(name, ())
    if not fallback:
        return read_column(mapping, name)
    second = read_headers(fallback, mapping.columns[name].kind)
    given = is_given(headers, mapping.columns[name].kind)
    return f"coalesce({read_column(mapping, name)}, CASE WHEN NOT {given} THEN {second} END)" if headers else second


@dataclass(frozen=True, slots=True)
class Named:
    """SQL of a relation and the headers of its columns; `values` are the columns (quoted) that hold what is read already."""

    sql: str
    map: HeaderMap
    values: Mapping[str, str]

    def read(self, name: str) -> str:
        """SQL of a canonical column; NULL where it cannot be read."""
        return self.values.get(name) or read_column(self.map, name)

    def unreadable(self, name: str) -> str:
        """SQL boolean: the column's value is present but cannot be read."""
        headers, kind = self.map.found[name], self.map.columns[name].kind
        if name in self.values and headers:
            return f"({self.values[name]} IS NULL AND {is_given(headers, kind)})"
        return unreadable(headers, kind)


def name_once(relation: str, mapping: HeaderMap, headers: Sequence[Header], names: Collection[str]) -> Named:
    """Give the readings of the columns `names` names of their own; `headers` are those of the whole table.

    Floors upon one another: the texts cleaned, then what the long ones are read as; between them what is read of the proper headers of a
    column, and the texts of its fallback headers. A condition over the names would be pushed below them, with their SQL in its place.
    """
    texts: dict[str, str] = {}
    found, fallback = dict(mapping.found), dict(mapping.fallback)
    for name in names:
        kind = mapping.columns[name].kind
        if len(found[name]) > 1 or (_is_text(found[name]) and not _is_short(found[name][0], kind)):
            found[name] = (_named(f"{name} text", texts, plain_text(found[name], kind), headers, found[name]),)
    mapping = replace(mapping, found=found)
    own: dict[str, str] = {}
    late: dict[str, str] = {}
    for name in names:
        kind = mapping.columns[name].kind
        others = mapping.fallback.get(name, ())
        if not others or not (len(others) > 1 or _is_text(others)):
            continue
        text = first_text(others, kind)
        if found[name]:
            # Read only where the proper headers have nothing, which is told of what they were read as.
            first = _named(f"{name} itself", own, read_column(mapping, name), headers)
            text = f"CASE WHEN {sqltext.name(first.text)} IS NULL AND NOT {is_given(found[name], kind)} THEN {text} END"
        fallback[name] = (_named(f"{name} fallback", late, text, headers, others),)
    mapping = replace(mapping, fallback=fallback)
    long = [
        name
        for name in names
        if mapping.fallback.get(name) or (mapping.columns[name].kind in LONG and _is_text(found[name]))
    ]
    values = {name: sqltext.name(free_name(f"{name} value", headers)) for name in long}
    read = {}
    for name, value in values.items():
        first_read = sqltext.name(free_name(f"{name} itself", headers))
        if first_read in own:
            read[value] = f"coalesce({first_read}, {read_headers(mapping.fallback[name], mapping.columns[name].kind)})"
        else:
            read[value] = read_with_fallback(mapping, name)
    for floor in (texts, own, late, read):
        relation = _with(relation, floor)
    return Named(relation, mapping, values)


def _named(
    wanted: str, floor: dict[str, str], value: str, headers: Sequence[Header], of: Sequence[Header] = ()
) -> Header:
    """Give the SQL of a text, the first of some headers, a name of its own on a floor; return it as a header."""
    own = free_name(wanted, headers)
    floor[sqltext.name(own)] = value
    words = {kind: usual_words(of, kind) for kind in (of[0].usual if of else ())}
    usual = {kind: Usual(found) for kind, found in words.items() if found is not None}
    return Header(own, "VARCHAR", clean=True, usual=usual)


def _is_text(headers: Sequence[Header]) -> bool:
    return any(header.is_text for header in headers)


def _is_short(header: Header, kind: Kind) -> bool:
    """Whether the text of a header needs no cleaning."""
    return kind in header.usual and not header.usual[kind].nulls


def _with(relation: str, named: Mapping[str, str]) -> str:
    """SQL of a relation with further columns."""
    if not named:
        return relation
    return f"SELECT *, {', '.join(f'{value} AS {own}' for own, value in named.items())} FROM ({relation})"
