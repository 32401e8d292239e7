"""Scaffolds a rule: a file that loads, and fails every case and `rules check` until its author has filled it in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from checker.model.errors import Fault, InputError, RuleError
from checker.model.whole_file import write_whole
from checker.rulebook.fill import FILL
from checker.rulebook.load import load_rules
from checker.rulebook.lock import id_faults, read_lock
from checker.rulebook.rule import (
    HEADINGS,
    LEVELS,
    PLACEHOLDERS,
    STAGES,
    STATUSES,
    TIER_GROUPS,
    TIERS,
    Rule,
)
from checker.rulebook.tables import read_tables
from checker.shapes import BY_ID, SHAPES
from checker.shapes.base import Shape

_HEAD = """\
# 新规则：把每处“待填”写好并删去标记；全部写好以前，liangku rules test 和 rules check 不会通过。
# A new rule: write what each mark asks for and remove the mark; until then its cases and `rules check` fail.
"""
_MORE_PARAMS = """\
# 参数（可以没有），在子句里写作 :名称（optional numbers of the rule, written :NAME in a clause）
# [params.child_age]
# value = 14
# type = "int"
# unit = "岁"
# meaning_zh = "不满多少周岁"
# meaning_en = "younger than this many years"
# allowed = [12, 18]
"""
_DOCS = {
    "zh": ("查的是什么，为什么不合规", "什么情况判违规，用哪些信息", "哪些情况不报，哪些可能报错", "药师、医生、审核人员怎么办", "出自哪份公开文件"),
    "en": ("what is looked for, and why it is wrong", "what counts as a violation, from which facts",
           "when nothing is said, and when a finding may be wrong", "what the pharmacist, doctor or auditor does", "which public document it rests on"),
}  # fmt: skip
"""What the author writes under each heading of the docs."""
_MESSAGES = {
    "zh": {"violation": "违规时的一句话", "undetermined": "无法判断时的一句话，写出 {reason}", "advice": "该怎么做"},
    "en": {
        "violation": "one sentence for a violation",
        "undetermined": "one sentence for what cannot be judged, with {reason}",
        "advice": "what to do",
    },
}
_CASES = (
    ("violation", "违规：写服务时间、人员信息和知识点的限制（a line that breaks the limit: its time, the person, the point's limit）"),
    ("clean", "合规：同一知识点，符合限制的明细（a line that keeps the limit）"),
    ("undetermined", "无法判断：缺少子句要用的信息（a line that lacks what the clause reads, and the reason code）"),
    ("exempt", "豁免：本来违规、因例外情形放过的明细（a violation that an exemption lifts）"),
    ("not_in_force", "未生效：知识点还没有生效或已经失效的一天（a day on which the point does not hold）"),
)  # fmt: skip
"""The cases of a scaffold: what each expects, and what to fill in."""


@dataclass(frozen=True, slots=True)
class NewRule:
    """What is known of a rule before it is written; `like` is the id of the rule whose shape, clauses and parameters it starts from, `shape` that of
    its points where it starts from none."""

    id: str
    name_zh: str | None = None
    name_en: str | None = None
    code: str | None = None
    like: str | None = None
    shape: str | None = None
    since: date = field(default_factory=date.today)


def scaffold(new: NewRule, folder: Path, like_folder: Path) -> Path:
    """Write `<id>.toml` into the folder, which is made where it is absent, and return its path.

    `like_folder` holds the rule that `like` names. Raises RuleError with every reason against it: an id of another grammar,
    taken, locked or retired, a national code that another rule has, a name that cannot stand.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}：这是一个文件，请给出规则文件夹（a file stands there: name a folder of rules）")
    like = like_table = None
    if new.like is not None:
        (like,) = load_rules(like_folder, only=[new.like]).rules
        (like_table,) = (each.table for each in read_tables(like_folder) if each.id == new.like)
        if new.shape is not None and new.shape != like.shape:
            raise InputError(
                f"--shape {new.shape}：{like.id} 的形态是 {like.shape}，请去掉 --shape，或换一条同形态的规则"
                "（the rule to start from has another shape: drop the option, or start from another）"
            )
    text = "\n".join(_lines(new, like, like_table or {})) + "\n"
    path = folder / f"{new.id}.toml"
    faults = _text_faults(path.name, text)
    if not any(fault.key == "id" for fault in faults):
        faults += _taken(new, folder)
    if faults:
        raise RuleError(faults)
    write_whole(path, text)
    return path


def _text_faults(file: str, text: str) -> list[Fault]:
    """What would keep the scaffold from loading."""
    from checker.rulebook.parse import parse, read_rule

    faults: list[Fault] = []
    table = parse(file, text.encode("utf-8"), faults)
    if table:
        read_rule(file, table, "", faults)
    return faults


def _taken(new: NewRule, folder: Path) -> Iterator[Fault]:
    file = f"{new.id}.toml"
    others = read_tables(folder)
    if any(each.id == new.id for each in others):
        yield Fault(
            file,
            "id",
            f"{folder / file} 已经有了，不会覆盖，请换一个编号（taken, never overwritten: choose another id）",
        )
    else:
        yield from id_faults(read_lock(folder), new.id)
    for each in others:
        if new.code is not None and each.table.get("rule_code") == new.code:
            yield Fault(
                file, "rule_code", f"{new.code} 属于 {each.file}，请核对（it belongs to {each.file}: check the code）"
            )


def _lines(new: NewRule, like: Rule | None, table: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the file."""
    shape = BY_ID[like.shape] if like else BY_ID[new.shape or SHAPES[0].id]

    def chosen(key: str, default: object, choices: tuple[str, ...], meaning: str = "") -> str:
        return f"{key} = {_value(table.get(key, default))}  # {' | '.join(choices)}{meaning}"

    yield _HEAD
    yield f"id = {_value(new.id)}"
    if new.code is None:
        yield '# rule_code = "GZ…"  # 国家规则编码，没有就不写（the national code, if there is one）'
    else:
        yield f"rule_code = {_value(new.code)}"
    yield "version = 1"
    yield f'status = "preview"  # {" | ".join(STATUSES)}'
    yield f"since = {new.since.isoformat()}"
    yield chosen("tier", TIERS[0], TIERS)
    yield chosen("tier_group", TIER_GROUPS[-1], TIER_GROUPS)
    yield chosen("shape", shape.id, tuple(BY_ID))
    yield chosen("level", "suspect", LEVELS, "（明确违规 | 可疑 | 提示）")
    yield chosen("stages", list(STAGES), STAGES, "（事前 | 事中 | 事后）")
    yield "\n[name]"
    yield f"zh = {_value(new.name_zh or f'{FILL}规则的中文名')}"
    yield f"en = {_value(new.name_en or f'{FILL}the name in English')}"
    yield from _clauses(table, shape)
    for language in ("zh", "en"):
        yield f"\n# 可用的占位（placeholders）: {', '.join(PLACEHOLDERS)}" if language == "zh" else ""
        yield f"[message.{language}]"
        for key, text in _MESSAGES[language].items():
            yield f"{key} = {_value(FILL + (table['message'][language][key] if like else text))}"
    yield "\n[docs]"
    for language, asked in _DOCS.items():
        parts = [f"{heading}\n\n{FILL}{text}\n" for heading, text in zip(HEADINGS[language], asked, strict=True)]
        yield f"{language} = {_value(chr(10).join(parts))}"
    yield f"\n# 用例：答案由人填写，不要照抄程序的输出（answers are typed by hand）。reason_code: {', '.join(shape.reasons)}"
    for verdict, hint in _CASES:
        yield from _case(verdict, hint, shape, like, str(table.get("level", "suspect")))


def _clauses(table: Mapping[str, Any], shape: Shape) -> Iterator[str]:
    yield "\n# 判定子句：TRUE 违规，FALSE 合规，NULL 无法判断；还可以写 lower（为真降一级）和 notice（为真最多是提示）。"
    yield "# SQL, true is a violation, false is clean, NULL is undetermined; optional: lower, notice. It may read:"
    yield f"# {', '.join(shape.kinds)}"
    yield "[clause]"
    for key, value in table.get("clause", _clause_to_write(shape)).items():
        yield f"{key} = {_value(value)}"
    yield "\n# 写进疑点的“应为”和“实为”，用例同样写法（what was expected and found; cases give the same）:"
    yield "# sex:male | age:35 year | age_in:2 year..12 year | ? 不明（not known） | text:其他文字（other words）"
    yield "[evidence]"
    blank = {"expected": f"'{FILL}应为什么'", "actual": f"'{FILL}实为什么'"}
    for key, value in table.get("evidence", blank).items():
        yield f"{key} = {_value(value)}"
    if "params" not in table:
        yield f"\n{_MORE_PARAMS.rstrip()}"
    for name, param in table.get("params", {}).items():
        yield f"\n[params.{name}]"
        for key, value in param.items():
            yield f"{key} = {_value(value)}"


def _clause_to_write(shape: Shape) -> dict[str, str]:
    """A clause that loads and that no line fulfils: a text of a point that is the mark, or, in a shape without texts, what cannot be."""
    texts = [column.name for column in shape.columns if column.kind is str and column.limits]
    mark = f"{FILL}判定子句 the clause"
    if texts:
        return {"violated": f"{texts[0]} = '{mark}'"}
    flag = next(column.name for column in shape.columns if column.kind is bool)
    return {"violated": f"{flag} and '{mark}' = ''"}


def _case(verdict: str, hint: str, shape: Shape, like: Rule | None, level: str) -> Iterator[str]:
    """One case to fill in: its line has no time that can be read, so it fails whatever the clause says."""
    line = {"item_name": "", "service_time": f"{FILL}2026-03-01"}
    point = {}
    facts = [fact for name, fact in shape.facts.items() if fact.line and (like is None or name in like.reads)]
    limits = {limit.name for limit in shape.limits}
    for fact in facts:
        line[fact.line] = ""
        if fact.point in limits:
            point[fact.point] = ""
    if verdict == "not_in_force":
        point["valid_from"] = "2025-05-23"
    missing = facts[0].missing if like and facts else "other"
    expect: object = {
        "violation": {"verdict": verdict, "level": level, "expected": f"{FILL}应为", "actual": f"{FILL}实为"},
        "undetermined": {"verdict": verdict, "reason_code": missing},
        "exempt": {"verdict": verdict, "exemption_id": "E1"},
    }.get(verdict, verdict)
    yield "\n[[case]]"
    yield f"name = {_value(FILL + hint)}"
    yield f"line = {_value(line)}"
    yield f"point = {_value(point)}"
    if verdict == "exempt":
        yield f"exemption = {_value({'exemption_id': 'E1', 'effect': 'exempt', 'diagnoses': [f'{FILL}Q56']})}"
        yield f"diagnoses = {_value([f'{FILL}Q56.000'])}"
    yield f"expect = {_value(expect)}"


def _value(value: object) -> str:
    """A value as TOML: texts of several lines between ''' where they can stand there."""
    if isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_value(entry)}' for key, entry in value.items())} }}"
    text = str(value)
    if "\n" in text and "'''" not in text and text.endswith("\n"):
        return f"'''\n{text}'''"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
