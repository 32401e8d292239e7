"""The report on a change as one Markdown document: the verdict first, then what it rests on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from checker.change.ci import CiReport
from checker.change.edits import DELETED_EXEMPTION, EDITED, ENDED, ENDED_BEFORE, RELAXED, REUSED, WIDENED
from checker.model.errors import LiangkuError
from checker.model.markdown import code, fenced, plain, table
from checker.report.impact import impact_document, impact_markdown, threshold_document, threshold_said
from checker.report.issue_formats import issues_json
from checker.report.issues import issues_markdown
from checker.report.kb_diff import diff_json, diff_markdown
from checker.report.rules_diff import markdown as rules_markdown

_EDITS_SHOWN = 20
_EDITS = {
    EDITED: (
        "已生效的知识点被原地改写；请给它写 valid_to，另立一个知识点",
        "a point in force written over: end it with valid_to and write another",
    ),
    REUSED: ("这个编号改给了别的项目；请用新的编号", "an id given to another item: use an id of its own"),
    ENDED_BEFORE: (
        "在过去的日子终止，那天没有这次导入的清单，之后也没有别的知识点接续；请核对日期，或写今天起的日期",
        "ends in the past, on the day of no list that the change takes in, and nothing follows it: check the day, or end it from today on",
    ),
    ENDED: (
        "终止后没有别的知识点接续，这条规则失去了一大半知识点；请核对",
        "ends and nothing follows it, and its rule loses too much of its points: check that this is meant",
    ),
    RELAXED: (
        "接续的知识点限另一性别、放宽了年龄或降了级；请核对公布的原文",
        "follows another point for the other sex, for a wider age or at a lower level: compare the published text",
    ),
    DELETED_EXEMPTION: (
        "已生效的豁免被删除，以前的结果就说不清了；请写回来，用 valid_to 终止",
        "an exemption in force deleted: put it back and end it with valid_to, so that what was judged stays explained",
    ),
    WIDENED: (
        "已生效的豁免放宽了；请给它写 valid_to，另立一条",
        "an exemption in force that exempts more: end it with valid_to and write another",
    ),
}
"""What is said of each kind of edit, in Chinese and English."""
UNMEASURED = {
    "errors": ("有错误，未比较影响。", "Not measured: there are errors to mend first."),
    "unchanged": ("知识点和规则都没有变化，无需比较影响。", "Not measured: neither knowledge nor rules differ."),
    "no_base": (
        "对照版本中还没有知识库或规则，这次变更里的都是新的：已逐项检查，没有可比较的影响。",
        "The base has neither knowledge nor rules of the kind: all of the change is new. It was checked, and there is nothing to compare to.",
    ),
    "no_claims": (
        "没有可用的明细数据（--claims，或仓库中的 data/samples），未比较影响。",
        "Not measured: no claims are at hand (--claims, or data/samples in the repository).",
    ),
}
"""Why a report has no impact, in words, by language."""


def ci_markdown(report: CiReport, language: str) -> str:
    """The document: verdict, check, rules, difference, impact."""
    return "\n".join(_Words(report, language).lines()) + "\n"


def fault_markdown(error: LiangkuError, language: str) -> str:
    """The document where the change could not be looked at: why."""
    title, verdict = (
        ("# Change of knowledge", "**✗ Could not be looked at.**")
        if language == "en"
        else ("# 知识库变更报告", "**✗ 无法检查。**")
    )
    return "\n".join((title, "", verdict, "", *fenced("text", str(error).splitlines()), ""))


class _Words:
    def __init__(self, report: CiReport, language: str) -> None:
        self._report = report
        self._language = language

    def lines(self) -> Iterator[str]:
        report = self._report
        yield f"# {self._say('知识库变更报告', 'Change of knowledge')}"
        yield ""
        yield f"**{self._verdict()}** {self._say(f'对照：{report.base}', f'Base: {report.base}')}"
        yield ""
        exceeded = [self._say(*threshold_said(each)) for each in report.exceeded]
        if exceeded:
            yield from (f"- {each}" for each in exceeded)
            yield ""
        if report.checked is not None:
            yield issues_markdown(report.checked, self._language).strip()
            yield ""
        yield from self._stages()
        if report.thresholds:
            yield f"## {self._say('删除、改写和放宽', 'What is deleted, written over, ended or relaxed')}"
            yield ""
            yield from (f"- {self._say(*threshold_said(each))}" for each in report.thresholds)
            yield from self._edits()
            yield ""
        if report.misnamed:
            yield f"## {self._say('名称', 'Names')}"
            yield ""
            for each in report.misnamed:
                said = self._say(
                    f"按前段管到的 {each.lines:,} 行中 {each.otherwise:,} 行叫别的名字，如“{each.called}”；请核对前段",
                    f"{each.otherwise:,} of {each.lines:,} lines that its family covers are called otherwise, such as {each.called!r}: check the family",
                )
                yield f"- {code(each.point_id)} {plain(each.item_name)}{self._say('：', ': ')}{plain(said)}"
            yield ""
        for document in (
            diff_markdown(report.knowledge, self._language) if report.knowledge is not None else None,
            rules_markdown(report.rules, self._language) if report.rules is not None else None,
            impact_markdown(report.impact, self._language) if report.impact is not None else None,
        ):
            if document is not None:
                yield document.strip()
                yield ""
        if report.unmeasured is not None:
            yield f"## {self._say('影响', 'Impact')}"
            yield ""
            yield self._say(*UNMEASURED[report.unmeasured])

    def _edits(self) -> Iterator[str]:
        exceeded = {threshold.name for threshold in self._report.exceeded}
        # What a list ends from now on is ordinary, and told in the difference; unless a rule loses too much by it.
        told = [edit for edit in self._report.edits if edit.kind != ENDED or "max_ended_share" in exceeded]
        for edit in told[:_EDITS_SHOWN]:
            # What is gone stands in no row.
            where = code(f"{edit.file}{'' if edit.row is None else f':{edit.row}'} {edit.point_id}")
            cells = "、".join(f"{cell.column} {cell.before or '—'} → {cell.after or '—'}" for cell in edit.cells)
            beside = f"{self._say('（', ' (')}{plain(cells)}{self._say('）', ')')}" if cells else ""
            yield f"- {where} {plain(edit.item_name)}{self._say('：', ': ')}{self._say(*_EDITS[edit.kind])}{beside}"
        if (more := len(told) - _EDITS_SHOWN) > 0:
            yield f"- {self._say(f'……另有 {more:,} 处，见 --json', f'… {more:,} more, see --json')}"

    def _verdict(self) -> str:
        if self._report.failed:
            return self._say("✗ 不能合并。", "✗ Not to be merged.")
        return self._say("✓ 可以合并。", "✓ Fit to be merged.")

    def _stages(self) -> Iterator[str]:
        report = self._report
        if report.rule_fault is None and not report.stages:
            return
        yield f"## {self._say('规则', 'Rules')}"
        yield ""
        if report.rule_fault is not None:
            yield from fenced("text", report.rule_fault.splitlines())
        else:
            titles = (self._say("阶段", "Stage"), self._say("通过", "Passed"), self._say("总数", "Total"))
            yield from table(titles, [(stage.name, str(stage.passed), str(stage.total)) for stage in report.stages])
            faults = [fault for stage in report.stages for fault in stage.faults]
            if faults:
                yield ""
                yield from fenced("text", faults)
        yield ""

    def _say(self, chinese: str, english: str) -> str:
        return english if self._language == "en" else chinese


def ci_document(report: CiReport) -> dict[str, Any]:
    """What `--json` writes: each part as its own command writes it, NULL where there is none."""
    return {
        "base": report.base,
        "failed": report.failed,
        "check": _parsed(issues_json(report.checked, strict=False)) if report.checked is not None else None,
        "rules": {
            "passed": report.rules_pass,
            "fault": report.rule_fault,
            "stages": [asdict(stage) for stage in report.stages],
        },
        "thresholds": [threshold_document(each) for each in report.thresholds],
        "edits": [asdict(edit) for edit in report.edits],
        "misnamed": [asdict(each) for each in report.misnamed],
        "knowledge_diff": _parsed(diff_json(report.knowledge)) if report.knowledge is not None else None,
        "rules_diff": report.rules.to_dict() if report.rules is not None else None,
        "impact": impact_document(report.impact) if report.impact is not None else None,
        "unmeasured": report.unmeasured,
    }


def _parsed(pieces: Iterator[str]) -> object:
    return json.loads("".join(pieces))
