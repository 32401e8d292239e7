"""The answer to one prescription in words for whoever dispenses; no library but click, so that it prints at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import click

from checker.ingest.prescription import Prescription
from checker.model.remarks import year_not_listed
from checker.model.words import NOT_JUDGED
from checker.precheck.finding_text import in_words

Words = tuple[str, str]
"""Chinese and English."""

_MARKS: dict[str, tuple[str, str, Words]] = {
    "definite": ("✖", "red", ("明确违规 · 停止", "Definite violation · stop")),
    "suspect": ("▲", "yellow", ("可疑 · 需说明理由", "Suspect · give the reason")),
    "notice": ("●", "blue", ("提示", "Notice")),
    "undetermined": ("?", "magenta", ("无法判断", "Undetermined")),
    "exempt": ("○", "green", ("豁免", "Exempt")),
}
"""Icon, colour and words of a finding by its level, or by its verdict where it has none."""

_CONCLUSIONS: dict[str, tuple[str, str, Words]] = {
    "definite": ("✖", "red", (
        "停止：按规则不能由医保基金支付，处理之前不要结算",
        "Stop: the rules do not let the fund pay; do not settle before this is resolved",
    )),
    "suspect": ("▲", "yellow", (
        "需要确认：核对用药人，写明理由后才能继续",
        "Confirm first: check whom it is for, and go on only with a written reason",
    )),
    "undetermined": ("?", "magenta", (
        "无法判断：补全信息后再查一次",
        "Undetermined: complete what is missing and ask again",
    )),
    "rule_missing": ("?", "magenta", (
        "没有判断：缺少规则，不能当作没有问题",
        "Not judged: rules are missing, which is no pass",
    )),
    "notice": ("●", "blue", ("可以使用，请留意提示", "May be used; take note of the above")),
    "clear": ("✔", "green", ("可以使用：所查规则没有发现问题", "May be used: the rules found nothing")),
    "exempt": ("✔", "green", ("可以使用：属于豁免情形", "May be used: an exemption applies")),
    "unjudged": ("○", "blue", (
        "没有发现问题，但有项目没有判断（见下）",
        "Nothing found, but some items were not judged (see below)",
    )),
    "nothing": ("○", "blue", (
        "没有需要判断的行：都是退货、自费或历史医嘱",
        "No line to judge: all are returns, self-paid or earlier orders",
    )),
}  # fmt: skip
"""The last word on a prescription, by the gravest of its findings."""
_GRAVEST_FIRST = ("definite", "suspect", "undetermined", "notice", "exempt")

_NEXT: dict[str, Words] = {
    "newborn": (
        "问清是新生儿还是母亲使用，补上使用人自己的性别和出生日期再查。",
        "Ask whether it is for the newborn or the mother, and ask again with that person's own sex and birth date.",
    ),
    "patient_unknown": (
        "问清实际使用人，补上使用人的性别和出生日期再查。",
        "Ask who will use it, and ask again with that person's sex and birth date.",
    ),
    "sex_missing": ("补上性别再查。", "Ask again with the sex."),
    "birth_missing": ("补上出生日期再查。", "Ask again with the birth date."),
    "birth_impossible": (
        "改正出生日期、年龄或服务日期再查。",
        "Correct the birth date, age or service date and ask again.",
    ),
    "sources_conflict": (
        "性别或出生日期与身份证号不一致，核对改正后再查。",
        "Sex or birth date contradicts the ID number: correct it and ask again.",
    ),
}
"""What settles an undetermined finding, by its reason code."""

_REMARKS: dict[str, Words] = {
    "exemption_possible": (
        "没有诊断信息；补上诊断后可能属于豁免情形。",
        "No diagnosis was given; with one an exemption may apply.",
    ),
    "lowered_exemption": ("按{exemption}降了一级。", "One level lower by {exemption}."),
    "lowered_lenient": (
        "超过严格的年龄界限，但在宽松界限以内，降了一级。",
        "Past the strict age limit but within the lenient one: one level lower.",
    ),
    "stay_began_in_window": (
        "住院开始时仍在新生儿期，只作提示。",
        "The stay began within the newborn window: a notice only.",
    ),
}
"""What a finding's remarks mean to whoever dispenses."""
_NOT_LISTED: Words = (
    "{year} 年的清单没有再列出这个知识点，只作提示。",
    "The list of {year} does not name this point again: a notice only.",
)
_SOURCE_ROW = re.compile(r"(?P<batch>[^/]+)/(?P<sheet>.+)/(?P<row>[0-9]+)")
_LABEL_WIDTH = {0: 4, 1: 8}


def answer_lines(prescription: Prescription, answer: Mapping[str, Any], language: str) -> list[str]:
    """The lines of one answer, styled: a block for each finding, the gravest first, then the conclusion."""
    return list(_Writer(prescription, answer, int(language == "en")).lines())


class _Writer:
    def __init__(self, prescription: Prescription, answer: Mapping[str, Any], english: int) -> None:
        self._prescription = prescription
        self._answer = answer
        self._english = english

    def lines(self) -> Iterator[str]:
        for finding in sorted(self._answer["findings"], key=lambda finding: _GRAVEST_FIRST.index(_kind(finding))):
            yield from self._block(finding)
            yield ""
        icon, colour, words = _CONCLUSIONS[self._conclusion()]
        yield click.style(f"{icon} {self._say('结论', 'Conclusion')}  {words[self._english]}", fg=colour, bold=True)
        yield from self._notes()

    def _conclusion(self) -> str:
        kinds = {_kind(finding) for finding in self._answer["findings"]}
        grave = next((kind for kind in _GRAVEST_FIRST if kind in kinds), None)
        if grave == "undetermined" and {
            finding["reason_code"] for finding in self._answer["findings"] if finding["verdict"] == grave
        } == {"rule_missing"}:
            return "rule_missing"
        if grave is not None:
            return grave
        if self._answer["checked_lines"] == 0:
            return "nothing"
        return "unjudged" if self._answer["not_in_force"] or self._answer["not_judged"] else "clear"

    def _block(self, finding: Mapping[str, Any]) -> Iterator[str]:
        icon, colour, words = _MARKS[_kind(finding)]
        head = [click.style(f"{icon} {words[self._english]}", fg=colour, bold=True)]
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
            exemption = self._say(f"豁免情形 {finding['exemption_id']} ", f"exemption {finding['exemption_id']}")
            if (year := year_not_listed(remark)) is not None:
                yield from self._field("备注", "Note", _NOT_LISTED[self._english].format(year=year))
            elif remark in _REMARKS:
                yield from self._field("备注", "Note", _REMARKS[remark][self._english].format(exemption=exemption))
        yield from self._advice(finding)

    def _person(self, finding: Mapping[str, Any]) -> str:
        actual, expected = self._value(finding["actual"]), self._value(finding["expected"])
        person = finding["person"]
        return self._say(
            f"{person}：{actual}（限：{expected}）", f"{person.removeprefix('the ')}: {actual} (limit: {expected})"
        )

    def _basis(self, finding: Mapping[str, Any]) -> Iterator[str]:
        if not finding["rule_id"]:
            return
        rule, code = finding["rule_name"], finding["rule_code"]
        named = self._say(f"{rule}（{code}）", f"{rule} ({code})") if code else rule
        point = f"{self._say('知识点', 'point')} {finding['point_id']}"
        yield from self._field("依据", "Basis", named, point, *self._sources(finding["evidence"] or ""))

    def _sources(self, evidence: str) -> Iterator[str]:
        """The published documents, and the rows in them: batch, sheet and row number."""
        parts = [part for part in evidence.split("；") if part]
        rows = [_SOURCE_ROW.fullmatch(row.strip()) for row in parts[-1].split("; ")] if parts else []
        if not rows or not all(rows):
            yield from parts
            return
        yield from (part for part in parts[:-1] if not part.startswith("批次 "))
        form = self._say("批次 {batch}《{sheet}》第 {row} 行", "batch {batch}, {sheet}, row {row}")
        yield self._say("；", "; ").join(form.format(**row.groupdict()) for row in rows if row)

    def _advice(self, finding: Mapping[str, Any]) -> Iterator[str]:
        if finding["verdict"] == "exempt":
            found, more = finding["exemption_id"], f"liangku kb show {finding['point_id']}"
            told = self._say(
                f"符合豁免情形 {found}，不计违规；依据留存备查（详见 {more}）",
                f"{found} applies, so this is no violation; keep its grounds on file (see {more})",
            )
            yield from self._field("豁免", "Exempt", told)
            return
        first = _NEXT.get(finding["reason_code"] or "")
        said = [first[self._english]] if first else []
        yield from self._field("处理", "Do", *said, *([finding["advice"]] if finding["advice"] else []))

    def _notes(self) -> Iterator[str]:
        answer = self._answer
        yield self._say(
            f"  共查 {answer['checked_lines']} 行，知识库 {answer['knowledge']['version']}",
            f"  {answer['checked_lines']} line(s) checked, knowledge {answer['knowledge']['version']}",
        )
        names = {
            item.line_id or place: item.item_name or item.item_code or item.line_id
            for place, item in enumerate(self._prescription.items, 1)
        }
        for skipped in answer["not_in_force"]:
            item, rule = names[skipped["line_id"] or skipped["line"]], skipped["rule_id"]
            yield self._say(
                f"  {item}：规则 {rule} 的知识点在所查日期或地区没有生效，未判断；"
                "可加 --as-of 2026-03-01 按那一天有效的知识点判断",
                f"  {item}: the points of rule {rule} are not in force on this day or in this region: not judged; "
                "--as-of 2026-03-01 judges by the points of that day",
            )
        for skipped in answer["not_judged"]:
            # What lacks its rule is a finding of its own.
            if skipped["missing"] != "rule":
                item = names.get(skipped["line_id"], skipped["line_id"])
                why = NOT_JUDGED[skipped["missing"]][self._english].format(rule=skipped["rule_id"])
                yield self._say(f"  {item}：未判断，{why}", f"  {item}: not judged, {why}")
        if answer.get("ignored"):
            ignored = self._say("、", ", ").join(answer["ignored"])
            yield self._say(
                f"  没有用到的字段：{ignored}（请核对拼写）",
                f"  Keys that nothing reads: {ignored} (check the spelling)",
            )

    def _field(self, chinese: str, english: str, *texts: str) -> Iterator[str]:
        label = self._say(chinese, english)
        width = _LABEL_WIDTH[self._english]
        padding = " " * (width - (len(label) if self._english else 2 * len(label)))
        for number, text in enumerate(texts):
            yield f"  {click.style(label, dim=True)}{padding}  {text}" if number == 0 else f"  {' ' * width}  {text}"

    def _value(self, text: str | None) -> str:
        """A limit or a person's value; rules write them in Chinese."""
        return in_words(text or "不明", "en" if self._english else "zh")

    def _say(self, chinese: str, english: str) -> str:
        return english if self._english else chinese


def _kind(finding: Mapping[str, Any]) -> str:
    return str(finding["level"] or finding["verdict"])
