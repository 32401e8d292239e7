"""The answer to one prescription in words for whoever dispenses; no library but click, so that it prints at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from checker.ingest.lost_codes import with_zeros
from checker.ingest.prescription import Prescription
from checker.judge.evidence import sources
from checker.model.shown import shown
from checker.model.typed_value import UNKNOWN, worded
from checker.model.words import (
    CONCLUSIONS,
    EXPLANATIONS,
    GIVE,
    GIVE_BY_OPTION,
    ICONS,
    MARKS,
    MISSING,
    NEXT,
    OUTDATED,
    TO_CHECK,
    remark_words,
)

_COLOURS = {
    "definite": "red", "suspect": "yellow", "notice": "blue", "undetermined": "magenta", "exempt": "green",
    "clear": "green", "unjudged": "blue", "rule_missing": "magenta", "nothing": "blue", "not_restricted": "blue",
    "partly_restricted": "green",
}  # fmt: skip
"""Of findings by level, or by verdict where they have none, and of conclusions."""
_CONCLUDED = ICONS | {
    "exempt": "✔", "clear": "✔", "partly_restricted": "✔", "unjudged": "○", "rule_missing": "?", "nothing": "○", "not_restricted": "○",
}  # fmt: skip
"""The icons of conclusions."""
_GRAVEST_FIRST = ("definite", "suspect", "undetermined", "notice", "exempt")
_LABEL_WIDTH = {0: 4, 1: 8}


def answer_lines(
    prescription: Prescription, answer: Mapping[str, Any], language: str, *, is_file: bool = False
) -> list[str]:
    """The lines of one answer, styled: a block for each finding, the gravest first, then the conclusion. `is_file`: it was no prescription
    of options."""
    return list(_Writer(prescription, _shown(answer), int(language == "en"), is_file=is_file).lines())


def _shown(value: Any) -> Any:
    """An answer in which every text may be shown: names and messages come from outside."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {key: _shown(each) for key, each in value.items()}
    return [_shown(each) for each in value] if isinstance(value, list | tuple) else value


class _Writer:
    def __init__(self, prescription: Prescription, answer: Mapping[str, Any], english: int, *, is_file: bool) -> None:
        self._is_file = is_file
        self._prescription = prescription
        self._answer = answer
        self._english = english

    def lines(self) -> Iterator[str]:
        for finding in sorted(self._answer["findings"], key=lambda finding: _GRAVEST_FIRST.index(_kind(finding))):
            yield from self._block(finding)
            yield ""
        kind = self._conclusion()
        told = f"{CONCLUSIONS[kind][self._english]}{self._say('：', '. ')}{EXPLANATIONS[kind][self._english]}"
        yield click.style(f"{_CONCLUDED[kind]} {self._say('结论', 'Conclusion')}  {told}", fg=_COLOURS[kind], bold=True)
        yield from self._notes()

    def _conclusion(self) -> str:
        kinds = {_kind(finding) for finding in self._answer["findings"]}
        grave = next((kind for kind in _GRAVEST_FIRST if kind in kinds), None)
        unjudged = self._answer["not_in_force"] or self._answer["not_judged"]
        if grave in ("notice", "exempt") and unjudged:
            return "unjudged"
        if grave == "undetermined" and {
            finding["reason_code"] for finding in self._answer["findings"] if finding["verdict"] == grave
        } == {"rule_missing"}:
            return "rule_missing"
        if grave is not None:
            return grave
        checked, free = self._answer["checked_lines"], len(self._answer["not_restricted"])
        if checked == 0:
            return "nothing"
        if unjudged:
            return "unjudged"
        return "clear" if free == 0 else "not_restricted" if free == checked else "partly_restricted"

    def _block(self, finding: Mapping[str, Any]) -> Iterator[str]:
        kind = _kind(finding)
        head = [click.style(f"{ICONS[kind]} {MARKS[kind][self._english]}", fg=_COLOURS[kind], bold=True)]
        if finding["item_name"]:
            head.append(click.style(finding["item_name"], bold=True))
        if finding["item_code"]:
            head.append(finding["item_code"])
        if len(self._prescription.items) > 1:
            head.append(self._say("处方第 {} 行", "line {} of the prescription").format(finding["source_record"]))
        yield "  ".join(head)
        if finding["person"]:
            yield from self._field("对象", "Who", self._person(finding))
        yield from self._field("原因", "Why", finding["message"])
        yield from self._basis(finding)
        for remark in finding["remarks"]:
            yield from self._field("备注", "Note", self._remark(remark, finding["exemption_id"]))
        yield from self._advice(finding)

    def _person(self, finding: Mapping[str, Any]) -> str:
        unknown = worded(UNKNOWN, "en" if self._english else "zh").short
        person, actual, expected = finding["person"], finding["actual"] or unknown, finding["expected"] or unknown
        return self._say(
            f"{person}：{actual}（限：{expected}）", f"{person.removeprefix('the ')}: {actual} (limit: {expected})"
        )

    def _remark(self, remark: str, exemption_id: str | None) -> str:
        told = remark_words(remark)[self._english]
        if remark != "lowered_exemption":
            return told
        return self._say(f"{told}（{exemption_id}）", f"{told} ({exemption_id})")

    def _basis(self, finding: Mapping[str, Any]) -> Iterator[str]:
        if not finding["rule_id"]:
            return
        rule, code = finding["rule_name"], finding["rule_code"]
        named = self._say(f"{rule}（{code}）", f"{rule} ({code})") if code else rule
        point = f"{self._say('知识点', 'point')} {finding['point_id']}"
        yield from self._field("依据", "Basis", named, point, *sources(finding["evidence"] or ""))

    def _advice(self, finding: Mapping[str, Any]) -> Iterator[str]:
        if finding["verdict"] == "exempt":
            told = NEXT["exempt"][self._english].format(exemption=finding["exemption_id"])
            more = f"liangku kb show {finding['point_id']}"
            yield from self._field("豁免", "Exempt", told, self._say(f"详见 {more}", f"See {more}"))
            return
        first = NEXT.get(finding["reason_code"] or "")
        said = [first[self._english]] if first else []
        yield from self._field("处理", "Do", *said, *([finding["advice"]] if finding["advice"] else []))

    def _notes(self) -> Iterator[str]:
        answer = self._answer
        yield self._say(
            f"  共查 {answer['checked_lines']} 行，知识库 {answer['knowledge']['version']}",
            f"  {answer['checked_lines']} line(s) checked, knowledge {answer['knowledge']['version']}",
        )
        if answer["knowledge"]["outdated"]:
            yield f"  {OUTDATED[self._english].format(**answer['knowledge'])}"
        names = {
            shown(item.line_id or "") or place: shown(item.item_name or item.item_code or item.line_id or "")
            for place, item in enumerate(self._prescription.items, 1)
        }
        if any(map(_has_lost_zeros, answer["findings"])):
            yield self._say(
                "  加上 --repair，补零后再判断", "  Give --repair to have the zeros put back and the items judged"
            )
        for mended in answer.get("code_repaired", ()):
            item = names[mended["line_id"] or mended["line"]]
            yield self._say(
                f"  {item}：编码丢了前面的零，已补为 {mended['item_code']}",
                f"  {item}: the code had lost its leading zeros, taken as {mended['item_code']}",
            )
        yield from (f"  {shown(each['how'])}" for each in answer.get("unknown_values", ()))
        if 0 < len(answer["not_restricted"]) < answer["checked_lines"]:
            free = self._say("、", ", ").join(
                str(names[each["line_id"] or each["line"]]) for each in answer["not_restricted"]
            )
            yield self._say(
                f"  不在受限项目中，没有判断能不能用：{free}",
                f"  Not among the restricted items, use not judged: {free}",
            )
        for skipped in answer["not_in_force"]:
            item, rule = names[skipped["line_id"] or skipped["line"]], skipped["rule_id"]
            yield self._say(
                f"  {item}：规则 {rule} 的知识点在所查日期或地区没有生效，未判断；"
                "可加 --as-of 2026-03-01 按那一天有效的知识点判断",
                f"  {item}: the points of rule {rule} are not in force on this day or in this region: not judged; "
                "--as-of 2026-03-01 judges by the points of that day",
            )
        for skipped in answer.get("not_in_scope", ()):
            item, rule = names[skipped["line_id"] or skipped["line"]], skipped["rule_id"]
            yield self._say(
                f"  {item}：没有医保范围内的金额（全自费），规则 {rule} 不适用",
                f"  {item}: wholly self-paid, so that rule {rule} does not apply",
            )
        yield from self._not_judged(names)
        for check in answer.get("to_check", ()):
            item = names[check["line_id"] or check["line"]]
            yield f"  {TO_CHECK[self._english]}{item}{self._say('：', ': ')}{check['text']}"
        if answer.get("ignored"):
            ignored = self._say("、", ", ").join(answer["ignored"])
            yield self._say(
                f"  没有用到的字段：{ignored}（请核对拼写）",
                f"  Keys that nothing reads: {ignored} (check the spelling)",
            )

    def _not_judged(self, names: Mapping[Any, Any]) -> Iterator[str]:
        """What no rule judged, told once for all lines that lack the same; what lacks its rule is a finding of its own."""
        by_how: dict[str, list[str]] = {}
        for skipped in self._answer["not_judged"]:
            if skipped["missing"] != "rule":
                item, rule = names[skipped["line_id"] or skipped["line"]], skipped["rule_id"]
                by_how.setdefault(self._how(skipped), []).append(
                    self._say(f"{item}（规则 {rule}）", f"{item} (rule {rule})")
                )
        for how, items in by_how.items():
            told = self._say("、", ", ").join(dict.fromkeys(items))
            yield click.style(self._say(f"  ○ 没有判断：{told}", f"  ○ Not judged: {told}"), fg=_COLOURS["unjudged"])
            yield f"    {how}"

    def _how(self, skipped: Mapping[str, Any]) -> str:
        missing, how = skipped["missing"], str(skipped["how"])
        if missing not in MISSING:
            return how
        name, option, key = MISSING[missing], GIVE_BY_OPTION[missing], GIVE[missing]
        # Whoever gave a file has no options, and whoever gave options no file.
        given = key if self._is_file else option
        return self._say(f"不知道{name[0]}：{given[0]}", f"Not told: {name[1]}; {given[1]}")

    def _field(self, chinese: str, english: str, *texts: str) -> Iterator[str]:
        label = self._say(chinese, english)
        width = _LABEL_WIDTH[self._english]
        padding = " " * (width - (len(label) if self._english else 2 * len(label)))
        for number, text in enumerate(texts):
            yield f"  {click.style(label, dim=True)}{padding}  {text}" if number == 0 else f"  {' ' * width}  {text}"

    def _say(self, chinese: str, english: str) -> str:
        return english if self._english else chinese


def _kind(finding: Mapping[str, Any]) -> str:
    return str(finding["level"] or finding["verdict"])


def _has_lost_zeros(finding: Mapping[str, Any]) -> bool:
    """Whether the advice of a finding names the code that is meant."""
    meant = with_zeros(finding["item_code"] or "") if finding["reason_code"] == "unknown_code" else None
    return meant is not None and meant in finding["advice"]
