"""Turns the TOML of one rule file into a Rule, noting every fault with its key path."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from checker.model.errors import Fault, both
from checker.model.nearest import nearest
from checker.model.schema import LINE
from checker.model.template import template_faults
from checker.model.toml_document import parse_toml
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
from checker.rulebook.toml_table import TomlTable
from checker.shapes import BY_ID, SHAPES
from checker.shapes.base import Shape

_NOTHING = Clause("", "", bool, frozenset(), frozenset())


def parse(file: str, content: bytes, faults: list[Fault]) -> dict[str, object]:
    """Return the file's TOML, empty where it cannot be read (a fault says why)."""
    try:
        table = parse_toml(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        at = error.start + 1
        told = both(
            f"第 {at} 个字节不是 UTF-8 编码，请把文件另存为 UTF-8", f"byte {at} is not UTF-8; save the file as UTF-8"
        )
        faults.append(Fault(file, "", told))
        return {}
    except tomllib.TOMLDecodeError as error:
        told = both(f"不是有效的 TOML（{error}），请改正那一行", f"is no valid TOML: {error}; mend that line")
        faults.append(Fault(file, "", told))
        return {}
    if not table:
        told = both("是空的，请写入一条规则，或删去这个文件", "is empty; write a rule into it or remove it")
        faults.append(Fault(file, "", told))
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
    table = TomlTable(data, file, "", faults)
    ident = table.text("id")
    if ident and f"{ident}.toml" != file:
        named = file.removesuffix(".toml")
        table.fault(
            "id",
            f"“{ident}”与文件名不同，请写 {named}，或给文件改名",
            f"{ident!r} is not the file's name; write {named!r} or rename the file",
        )
    elif ident and not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", ident):
        table.fault(
            "id",
            f"“{ident}”应为用连字符连接的小写英文单词，例如 drug-sex",
            f"{ident!r} is not lower-case words joined by hyphens; write such as drug-sex",
        )
    version = table.number("version")
    if version < 1 and "version" in data:
        table.fault("version", f"{version} 小于 1，版本从 1 起计", f"{version} is below 1; count versions from 1")
    # Where the shape is none, the rest is read as of the first one, so that all faults are told at once.
    shape = BY_ID.get(table.text("shape", tuple(BY_ID)), SHAPES[0])
    params = tuple(
        replace(param, value=settings.get(param.name, param.value))
        for param in _params(table.table("params", needed=False), shape)
    )
    values = {param.name: param.value for param in params}
    clause, evidence, docs = table.table("clause"), table.table("evidence"), table.table("docs")
    name, message = table.table("name"), table.table("message")
    violated = _clause(clause, "violated", bool, values, shape) or _NOTHING
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
        violated=violated,
        lower=_clause(clause, "lower", bool, values, shape, needed=False),
        notice=_clause(clause, "notice", bool, values, shape, needed=False),
        expected=_value(evidence, "expected", values, shape),
        actual=_value(evidence, "actual", values, shape),
        at_stake=_clause(evidence, "at_stake", int, values, shape, needed=False),
        params=params,
        messages=Messages(_texts(message.table("zh")), _texts(message.table("en"))),
        docs_zh=_docs(docs, "zh"),
        docs_en=_docs(docs, "en"),
        cases=_cases(table, shape, violated),
        file=file,
        hash=content_hash,
    )
    if all(each.sql for _, each in rule.clauses):
        used = frozenset(shape.params).union(*(each.params for _, each in rule.clauses))
        for unused in sorted(values.keys() - used):
            table.fault(
                f"params.{unused}",
                f"没有子句用到它，请在子句里写 :{unused}，或删去这个参数",
                f"no clause uses it; write :{unused} into a clause or remove it",
            )
    table.close()
    return rule


def _stages(table: TomlTable) -> tuple[str, ...]:
    stages = table.texts("stages")
    if stages is None:
        return ()
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown or not stages or len(set(stages)) < len(stages):
        listed = ", ".join(STAGES)
        table.fault(
            "stages",
            f"{list(stages)!r} 不合要求，请写 {listed} 中的一个或几个，每个最多一次",
            f"{list(stages)!r} is not a list of some of {listed}, each at most once; write one",
        )
    return stages


def _params(table: TomlTable, shape: Shape) -> tuple[Param, ...]:
    params = []
    for name in table.written:
        each = table.table(name)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in shape.kinds:
            each.fault(
                "",
                "参数名应由小写字母、数字和 _ 组成，不能与基本列同名，请改名",
                "a parameter is named in lower-case letters, digits and _, and not like a base column; rename it",
            )
        value, bounds = each.number("value"), each.numbers("allowed")
        if len(bounds) != 2 or bounds[0] > bounds[1]:
            if bounds:
                each.fault(
                    "allowed",
                    f"{list(bounds)!r} 应为 [最小, 最大]，请改写",
                    f"{list(bounds)!r} is not [smallest, largest]; write these two",
                )
            bounds = (value, value)
        if not bounds[0] <= value <= bounds[1]:
            each.fault(
                "value",
                f"{value} 超出 allowed 的范围 {list(bounds)!r}，请取范围以内的值",
                f"{value} is outside allowed {list(bounds)!r}; choose a value within",
            )
        kind, unit = each.text("type", ("int",)), each.text("unit")
        meanings = each.text("meaning_zh"), each.text("meaning_en")
        params.append(Param(name, value, kind, unit, *meanings, (bounds[0], bounds[1])))
    return tuple(params)


def _clause(
    table: TomlTable, key: str, kind: type, values: Mapping[str, int], shape: Shape, *, needed: bool = True
) -> Clause | None:
    text = table.text(key, needed=needed)
    if not text.strip():
        return None
    clause = read_clause(text, kind, values, shape)
    if isinstance(clause, Clause):
        return clause
    for fault in clause:
        table.note(key, fault)
    return _NOTHING


def _value(table: TomlTable, key: str, values: Mapping[str, int], shape: Shape) -> Clause:
    """A clause that gives a typed value; what stands before a colon in its texts is one of the kinds."""
    clause = _clause(table, key, str, values, shape) or _NOTHING
    for kind in re.findall(r"'([a-z_]+):", clause.sql):
        if kind not in KINDS:
            hint_zh, hint_en = nearest(kind, KINDS)
            table.fault(
                key,
                f"没有“{kind}”这种值，{hint_zh}；自己的文字请写 text:",
                f"no kind of value is called {kind!r}; {hint_en} (text: for words of your own)",
            )
    return clause


def _texts(table: TomlTable) -> Texts:
    found = {}
    for key in ("violation", "undetermined", "advice"):
        found[key] = table.text(key)
        for fault in template_faults(found[key], PLACEHOLDERS):
            table.note(key, fault)
    return Texts(**found)


def _docs(table: TomlTable, language: str) -> str:
    text = table.text(language)
    lines = [line.strip() for line in text.splitlines()]
    places = []
    listed = ", ".join(HEADINGS[language])
    for heading in HEADINGS[language] if text.strip() else ():
        if lines.count(heading) == 1:
            places.append(lines.index(heading))
        else:
            zh, en = ("缺少", "missing") if heading not in lines else ("重复了", "written twice")
            table.fault(
                language,
                f"标题“{heading}”{zh}，请写全以下标题，各一次：{listed}",
                f"the heading {heading!r} is {en}; the docs need {listed}, each once",
            )
    if places != sorted(places):
        table.fault(language, f"标题请按这个顺序写：{listed}", f"the headings stand in this order: {listed}")
    for place in places:
        following = next((line for line in lines[place + 1 :] if line), "## ")
        if following.startswith("## "):
            table.fault(
                language,
                f"“{lines[place]}”之下没有内容，请写上",
                f"nothing is written under {lines[place]!r}; write it",
            )
    return text


def _cases(table: TomlTable, shape: Shape, violated: Clause) -> tuple[Case, ...]:
    entries = table.tables("case")
    cases = tuple(_case(entry, shape) for entry in entries)
    decides = bool(shape.facts_in(violated.columns)) or not violated.sql
    verdicts = {case.expect if isinstance(case.expect, str) else case.expect.verdict for case in cases}
    # What needs no fact is always decided.
    needed = ("violation", "clean", *(("undetermined",) if decides else ()))
    for verdict in needed:
        if verdict not in verdicts:
            table.fault(
                "case",
                f"没有要求 {verdict} 的用例，请至少写一个 [[case]]",
                f"no case expects {verdict!r}; write at least one [[case]] of it",
            )
    for number, case in enumerate(cases):
        if case.name and case.name in {earlier.name for earlier in cases[:number]}:
            entries[number].fault(
                "name",
                f"“{case.name}”与前面的用例重名，请另起名称",
                f"{case.name!r} names an earlier case too; give each its own name",
            )
    return cases


def _case(table: TomlTable, shape: Shape) -> Case:
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
        others=tuple(_other(each, shape) for each in table.tables("others")) if "others" in table.written else (),
    )


_OF_OTHERS = ("listed", "same", "role", "ending")


def _other(table: TomlTable, shape: Shape) -> Other:
    listed, same = table.flag("listed"), table.flag("same")
    role = table.text("role", tuple(shape.roles), needed=False)
    ending = table.text("ending", needed=False)
    if ending and not re.fullmatch(r"[0-9]{1,4}", ending):
        table.fault(
            "ending", f"“{ending}”应为一至四位数字，请改写", f"{ending!r} is not one to four digits; write these"
        )
    cells = tuple((key, table.cell(key, LINE)) for key in table.written if key not in _OF_OTHERS)
    return Other(cells, "listed" if listed else role, same, ending)


def _exempting(table: TomlTable, key: str) -> str | tuple[str, ...]:
    if key == "diagnoses":
        return table.texts(key) or ()
    return table.cell(key, EXEMPTION_COLUMNS)


def _expect(table: TomlTable, shape: Shape) -> Expect | str:
    if isinstance(table.raw("expect"), str):
        return table.text("expect", BARE_VERDICTS)
    expect = table.table("expect")
    verdict = expect.text("verdict", VERDICTS)
    level = expect.text("level", LEVELS, needed=verdict == "violation")
    reason = expect.text("reason_code", shape.reasons, needed=verdict == "undetermined")
    if level and verdict in ("undetermined", "exempt"):
        expect.fault(
            "level",
            f"只有违规（violation）才有级别，请删去级别，或把 {verdict} 改为 violation",
            f"only a violation has a level; remove it or expect a violation, not {verdict!r}",
        )
    return Expect(
        verdict,
        level or None,
        reason or None,
        expect.text("exemption_id", needed=False) or None,
        expect.texts("remarks", needed=False),
        expect.text("expected", needed=False) or None,
        expect.text("actual", needed=False) or None,
    )
