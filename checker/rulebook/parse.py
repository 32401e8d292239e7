"""Turns the TOML of one rule file into a Rule, noting every fault with its key path."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from types import MappingProxyType

from checker.model.errors import Fault
from checker.model.nearest import nearest
from checker.model.schema import LINE
from checker.model.template import template_faults
from checker.model.typed_value import KINDS
from checker.rulebook.clause import Clause, read_clause
from checker.rulebook.rule import (
    BARE_VERDICTS,
    COMMON_POINT_COLUMNS,
    EXEMPTION_COLUMNS,
    HEADINGS,
    LEVELS,
    PLACEHOLDERS,
    STAGES,
    STATUSES,
    TIER_GROUPS,
    TIERS,
    VERDICTS,
    Case,
    Expect,
    Messages,
    Other,
    Param,
    Rule,
    Texts,
)
from checker.shapes import BY_ID, SHAPES
from checker.shapes.base import Shape

_NOTHING = Clause("", "", bool, frozenset(), frozenset())
_KINDS = {str: "a text", int: "a whole number", date: "a date such as 2025-05-23", dict: "a table", list: "a list"}


class _Table:
    """One TOML table being read: hands out checked values, and at the end names the keys that nobody asked for."""

    def __init__(self, data: Mapping[str, object], file: str, path: str, faults: list[Fault]) -> None:
        self._data, self._file, self._path, self._faults = data, file, path, faults
        self._asked: dict[str, None] = {}
        self._inner_tables: list[_Table] = []

    def fault(self, key: str, message: str) -> None:
        """Note what is wrong with a key of this table ('' is the table itself)."""
        self._faults.append(Fault(self._file, ".".join(part for part in (self._path, key) if part), message))

    @property
    def written(self) -> tuple[str, ...]:
        """The keys that are written in the table."""
        return tuple(self._data)

    def _get(self, key: str, kind: type, *, needed: bool = True) -> object:
        self._asked[key] = None
        value = self._data.get(key)
        if value is None:
            if needed:
                self.fault(key, f"missing; write {_KINDS[kind]}")
            return None
        if not isinstance(value, kind) or isinstance(value, bool | datetime):
            self.fault(key, f"{value!r} is not {_KINDS[kind]}")
            return None
        return value

    def text(self, key: str, choices: Collection[str] = (), *, needed: bool = True) -> str:
        """A text that is not blank; '' where it is absent or wrong."""
        value = self._get(key, str, needed=needed)
        if not isinstance(value, str):
            return ""
        if not value.strip():
            self.fault(key, "is empty; write a text" + ("" if needed else " or leave the key out"))
        elif choices and value not in choices:
            self.fault(key, f"{value!r} is none of {', '.join(choices)}")
        return value

    def number(self, key: str) -> int:
        """A whole number; 0 where it is absent or wrong."""
        value = self._get(key, int)
        return value if isinstance(value, int) else 0

    def flag(self, key: str) -> bool:
        """True or false; false where it is absent."""
        self._asked[key] = None
        value = self._data.get(key, False)
        if not isinstance(value, bool):
            self.fault(key, f"{value!r} is neither true nor false")
        return value is True

    def day(self, key: str) -> date:
        """A calendar date."""
        value = self._get(key, date)
        return value if isinstance(value, date) else date.min

    def table(self, key: str, *, needed: bool = True) -> _Table:
        """A table within this one; empty where it is absent."""
        value = self._get(key, dict, needed=needed)
        return self._inner(value if isinstance(value, dict) else {}, key)

    def tables(self, key: str) -> list[_Table]:
        """An array of tables ([[key]])."""
        value = self._get(key, list, needed=False)
        found = []
        for number, entry in enumerate(value if isinstance(value, list) else [], 1):
            if isinstance(entry, dict):
                found.append(self._inner(entry, f"{key}[{number}]"))
            else:
                self.fault(f"{key}[{number}]", f"{entry!r} is not a table")
        return found

    def texts(self, key: str, *, needed: bool = True) -> tuple[str, ...] | None:
        """A list of texts; None where it is absent or wrong."""
        value = self._get(key, list, needed=needed)
        if not isinstance(value, list):
            return None
        if not all(isinstance(entry, str) for entry in value):
            self.fault(key, f"{value!r} is not a list of texts")
            return None
        return tuple(value)

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers; empty where it is absent or wrong."""
        value = self._get(key, list)
        if not isinstance(value, list):
            return ()
        if not value or not all(type(entry) is int for entry in value):
            self.fault(key, f"{value!r} is not a list of whole numbers")
            return ()
        return tuple(value)

    def cell(self, key: str, columns: Collection[str]) -> str:
        """One cell of a case as text, '' for NULL; the key is one of these columns."""
        if key not in columns:
            self._asked[key] = None
            self.fault(key, f"no such column; {nearest(key, columns)}")
            return ""
        value = self._get(key, str)
        return value if isinstance(value, str) else ""

    def value(self, key: str, columns: Collection[str]) -> str | int:
        """One cell of a case as it is written, a text or a whole number."""
        number = self._data.get(key)
        if key in columns and type(number) is int:
            self._asked[key] = None
            return number
        return self.cell(key, columns)

    def raw(self, key: str) -> object:
        """What is written under a key, unchecked."""
        return self._data.get(key)

    def close(self) -> None:
        """Note every key, here and in the inner tables, that was written but never asked for."""
        for key in self._data:
            if key not in self._asked:
                self.fault(key, f"unknown key; {nearest(key, self._asked)}")
        for inner in self._inner_tables:
            inner.close()

    def _inner(self, data: Mapping[str, object], key: str) -> _Table:
        table = _Table(data, self._file, f"{self._path}.{key}" if self._path else key, self._faults)
        self._inner_tables.append(table)
        return table


def parse(file: str, content: bytes, faults: list[Fault]) -> dict[str, object]:
    """Return the file's TOML, empty where it cannot be read (a fault says why)."""
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        faults.append(Fault(file, "", f"byte {error.start + 1} is not UTF-8; save the file as UTF-8"))
        return {}
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        faults.append(Fault(file, "", f"is no valid TOML: {error or 'nested too deeply'}; mend that line"))
        return {}
    if not table:
        faults.append(Fault(file, "", "is empty; write a rule into it or remove it"))
    return table


def read_rule(
    file: str,
    data: Mapping[str, object],
    content_hash: str,
    faults: list[Fault],
    settings: Mapping[str, int] = MappingProxyType({}),
) -> Rule:
    """Return the rule of one parsed file; of use only where no fault was added.

    `settings` are values, by parameter, that count in place of those in the file.
    """
    table = _Table(data, file, "", faults)
    ident = table.text("id")
    if ident and f"{ident}.toml" != file:
        table.fault("id", f"{ident!r} is not the file's name; write {file.removesuffix('.toml')!r} or rename the file")
    elif ident and not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", ident):
        table.fault("id", f"{ident!r} is not lower-case words joined by hyphens, such as drug-sex")
    version = table.number("version")
    if version < 1 and "version" in data:
        table.fault("version", f"{version} is below 1; count versions from 1")
    # Where the shape is none, the rest is read as of the first one, so that all faults are told at once.
    shape = BY_ID.get(table.text("shape", tuple(BY_ID)), SHAPES[0])
    params = tuple(
        replace(param, value=settings.get(param.name, param.value))
        for param in _params(table.table("params", needed=False), shape)
    )
    values = {param.name: param.value for param in params}
    clause, evidence, docs = table.table("clause"), table.table("evidence"), table.table("docs")
    name, message = table.table("name"), table.table("message")
    rule = Rule(
        id=ident,
        code=table.text("rule_code", needed=False) or None,
        version=version,
        status=table.text("status", STATUSES),
        since=table.day("since"),
        tier=table.text("tier", TIERS),
        tier_group=table.text("tier_group", TIER_GROUPS),
        shape=shape.id,
        level=table.text("level", LEVELS),
        stages=_stages(table),
        name_zh=name.text("zh"),
        name_en=name.text("en"),
        violated=_clause(clause, "violated", bool, values, shape) or _NOTHING,
        lower=_clause(clause, "lower", bool, values, shape, needed=False),
        notice=_clause(clause, "notice", bool, values, shape, needed=False),
        expected=_value(evidence, "expected", values, shape),
        actual=_value(evidence, "actual", values, shape),
        params=params,
        messages=Messages(_texts(message.table("zh")), _texts(message.table("en"))),
        docs_zh=_docs(docs, "zh"),
        docs_en=_docs(docs, "en"),
        cases=_cases(table, shape),
        file=file,
        hash=content_hash,
    )
    if all(each.sql for _, each in rule.clauses):
        used = frozenset[str]().union(*(each.params for _, each in rule.clauses))
        for unused in sorted(values.keys() - used):
            table.fault(f"params.{unused}", f"no clause uses it; write :{unused} into a clause or remove it")
    table.close()
    return rule


def _stages(table: _Table) -> tuple[str, ...]:
    stages = table.texts("stages")
    if stages is None:
        return ()
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown or not stages or len(set(stages)) < len(stages):
        table.fault("stages", f"{list(stages)!r} is not a list of some of {', '.join(STAGES)}, each at most once")
    return stages


def _params(table: _Table, shape: Shape) -> tuple[Param, ...]:
    params = []
    for name in table.written:
        each = table.table(name)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in shape.kinds:
            each.fault("", "a parameter is named in lower-case letters, digits and _, and not like a base column")
        value, bounds = each.number("value"), each.numbers("allowed")
        if len(bounds) != 2 or bounds[0] > bounds[1]:
            if bounds:
                each.fault("allowed", f"{list(bounds)!r} is not [smallest, largest]")
            bounds = (value, value)
        if not bounds[0] <= value <= bounds[1]:
            each.fault("value", f"{value} is outside allowed {list(bounds)!r}; choose a value within")
        kind, unit = each.text("type", ("int",)), each.text("unit")
        meanings = each.text("meaning_zh"), each.text("meaning_en")
        params.append(Param(name, value, kind, unit, *meanings, (bounds[0], bounds[1])))
    return tuple(params)


def _clause(
    table: _Table, key: str, kind: type, values: Mapping[str, int], shape: Shape, *, needed: bool = True
) -> Clause | None:
    text = table.text(key, needed=needed)
    if not text.strip():
        return None
    clause = read_clause(text, kind, values, shape)
    if isinstance(clause, Clause):
        return clause
    for fault in clause:
        table.fault(key, fault)
    return _NOTHING


def _value(table: _Table, key: str, values: Mapping[str, int], shape: Shape) -> Clause:
    """A clause that gives a typed value; what stands before a colon in its texts is one of the kinds."""
    clause = _clause(table, key, str, values, shape) or _NOTHING
    for kind in re.findall(r"'([a-z_]+):", clause.sql):
        if kind not in KINDS:
            table.fault(
                key, f"no kind of value is called {kind!r}; {nearest(kind, KINDS)} (text: for words of your own)"
            )
    return clause


def _texts(table: _Table) -> Texts:
    found = {}
    for key in ("violation", "undetermined", "advice"):
        found[key] = table.text(key)
        for fault in template_faults(found[key], PLACEHOLDERS):
            table.fault(key, fault)
    return Texts(**found)


def _docs(table: _Table, language: str) -> str:
    text = table.text(language)
    lines = [line.strip() for line in text.splitlines()]
    places = []
    for heading in HEADINGS[language] if text.strip() else ():
        if lines.count(heading) == 1:
            places.append(lines.index(heading))
        else:
            found = "missing" if heading not in lines else "written twice"
            listed = ", ".join(HEADINGS[language])
            table.fault(language, f"the heading {heading!r} is {found}; the docs need {listed}, each once")
    if places != sorted(places):
        table.fault(language, f"the headings stand in this order: {', '.join(HEADINGS[language])}")
    for place in places:
        following = next((line for line in lines[place + 1 :] if line), "## ")
        if following.startswith("## "):
            table.fault(language, f"nothing is written under {lines[place]!r}")
    return text


def _cases(table: _Table, shape: Shape) -> tuple[Case, ...]:
    entries = table.tables("case")
    cases = tuple(_case(entry, shape) for entry in entries)
    verdicts = {case.expect if isinstance(case.expect, str) else case.expect.verdict for case in cases}
    for verdict in ("violation", "clean", "undetermined"):
        if verdict not in verdicts:
            table.fault("case", f"no case expects {verdict!r}; write at least one [[case]] of it")
    for number, case in enumerate(cases):
        if case.name and case.name in {earlier.name for earlier in cases[:number]}:
            entries[number].fault("name", f"{case.name!r} names an earlier case too; give each its own name")
    return cases


def _case(table: _Table, shape: Shape) -> Case:
    line = table.table("line")
    columns = (*COMMON_POINT_COLUMNS, *(limit.name for limit in shape.limits))
    point = table.table("point", needed=False)
    exemption = table.table("exemption", needed=False) if "exemption" in table.written else None
    return Case(
        name=table.text("name"),
        line=tuple((key, line.cell(key, LINE)) for key in line.written),
        point=tuple((key, point.value(key, columns)) for key in point.written),
        exemption=None if exemption is None else tuple((key, _exempting(exemption, key)) for key in exemption.written),
        diagnoses=table.texts("diagnoses", needed=False) or (),
        expect=_expect(table, shape),
        others=tuple(map(_other, table.tables("others"))) if shape.relations else (),
    )


def _other(table: _Table) -> Other:
    listed = table.flag("listed")
    cells = tuple((key, table.cell(key, LINE)) for key in table.written if key != "listed")
    return Other(cells, listed)


def _exempting(table: _Table, key: str) -> str | tuple[str, ...]:
    if key == "diagnoses":
        return table.texts(key) or ()
    return table.cell(key, EXEMPTION_COLUMNS)


def _expect(table: _Table, shape: Shape) -> Expect | str:
    if isinstance(table.raw("expect"), str):
        return table.text("expect", BARE_VERDICTS)
    expect = table.table("expect")
    verdict = expect.text("verdict", VERDICTS)
    level = expect.text("level", LEVELS, needed=verdict == "violation")
    reason = expect.text("reason_code", shape.reasons, needed=verdict == "undetermined")
    if level and verdict in ("undetermined", "exempt"):
        expect.fault("level", f"only a violation has a level; remove it or expect a violation, not {verdict!r}")
    return Expect(
        verdict,
        level or None,
        reason or None,
        expect.text("exemption_id", needed=False) or None,
        expect.texts("remarks", needed=False),
        expect.text("expected", needed=False) or None,
        expect.text("actual", needed=False) or None,
    )
