"""What became of findings: on the terminal, and as the plain documents of `--json`."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from checker.audit.review_carry import Carried
from checker.audit.review_import import Imported
from checker.audit.review_tally import FEWEST_DECISIONS, MOSTLY, Review, Tally
from checker.model.shown import shown
from checker.model.wilson import CONFIDENCE
from checker.model.words import DECISIONS
from checker.report.console import Words, safe, wide_console

_BY = {"rule": ("规则", "Rule"), "point": ("知识点", "Point"), "institution": ("机构", "Institution")}
_COLUMNS = (
    ("疑点", "Findings"), ("已审", "Decided"), *DECISIONS.values(), ("未审", "Undecided"), ("查实 ¥", "Upheld ¥"),
    ("退回 ¥", "Refunded ¥"), ("查准率（95 % 区间）", "Precision (95 %)"),
)  # fmt: skip


def print_template(file: Path, findings: int, language: str) -> None:
    """Say what the sheet holds, and what to do with it."""
    words = Words(wide_console(), language)
    words.say(
        f"{findings:,} 个疑点待审核，已写入 {safe(str(file))}；填好“审核结论”后用 liangku review import 导入",
        f"{findings:,} finding(s) to be decided, written to {safe(str(file))}; fill in Decision, then liangku review import",
    )


def print_imported(done: Imported, language: str) -> None:
    """Say what was taken in."""
    words = Words(wide_console(), language)
    words.say(
        f"已导入：新增 {done.new:,}，更改 {done.changed:,}，原已如此 {done.same:,}；没有填结论 {done.undecided:,}",
        f"Taken in: {done.new:,} new, {done.changed:,} changed, {done.same:,} as before; {done.undecided:,} row(s) not decided yet",
    )
    if done.unchecked:
        words.say(
            f"其中 {done.unchecked:,} 个退回金额无法核对：扫描的数据里没有这些明细的金额",
            f"{done.unchecked:,} refunds could not be checked: the data do not tell what these lines came to",
        )
    if done.passed_over:
        listed = words.listed(safe(name) for name in done.passed_over)
        words.say(
            f"没有“疑点编号”和“审核结论”列、没有读取的工作表：{listed}",
            f"Sheets without such columns, not read: {listed}",
        )


def plain_review(told: Review, limit: int) -> dict[str, Any]:
    """The review as one JSON document."""
    return {
        "by": told.by,
        "confidence": CONFIDENCE,
        "total": _plain(told.total),
        "groups": {
            "total": len(told.groups),
            "groups": [{"key": each.key, "name": each.name, **_plain(each.tally)} for each in told.groups[:limit]],
        },
        "gone": told.gone,
        "proposals": [asdict(each) for each in told.proposals],
    }


def _plain(tally: Tally) -> dict[str, Any]:
    return {
        "found": tally.found, "decided": tally.decided, "confirmed": tally.confirmed, "refuted": tally.refuted,
        "refunded": tally.refunded, "undecided": tally.undecided, "upheld_yuan": tally.upheld, "no_amount": tally.no_amount,
        "refunded_yuan": tally.given_back, "precision": tally.precision, "precision_interval": tally.precision_interval,
    }  # fmt: skip


def print_review(told: Review, limit: int, language: str) -> None:
    """Print the review, in Chinese or in English."""
    words = Words(wide_console(), language)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(_BY[told.by][words.english], overflow="fold")
    for title in _COLUMNS:
        table.add_column(title[words.english].capitalize(), justify="right", overflow="fold")
    for group in told.groups[:limit]:
        key = group.key or words.text("（空）", "(none)")
        label = f"{group.name}\n{key}" if group.name and told.by != "rule" else group.name or key
        table.add_row(Text(label), *_cells(group.tally))
    if told.groups:
        table.add_section()
    table.add_row(words.text("合计", "In all"), *_cells(told.total))
    words.console.print(table)
    if limit < len(told.groups):
        words.say(
            f"共 {len(told.groups):,} 行，列出前 {limit:,} 行（--limit）",
            f"{len(told.groups):,} rows, the first {limit:,} (see --limit)",
        )
    if told.total.decided:
        words.say(
            "查准率：已审的疑点中属实或已退回的比例；同一行被两条规则命中时金额只计一次",
            "Precision: the share of decided findings that were confirmed or refunded; a line hit by two rules counts its money once",
        )
    else:
        words.say("还没有审核结论，查准率无从谈起", "Nothing is decided yet, so nothing can be said of precision")
    if told.gone:
        words.say(
            f"另有 {told.gone:,} 个结论，所说的疑点不在这次扫描里，没有计入",
            f"{told.gone:,} more decisions are about findings that are not in this run, and do not count",
        )
    for proposal in told.proposals:
        words.console.print()
        words.say(
            f"[bold]拟议的豁免（proposed）[/bold]：{safe(proposal.point_id)} 审核 {proposal.decided:,} 个，{proposal.refuted:,} 个不属实；"
            "核实后写明理由，再放进 exemption.toml",
            f"[bold]Proposed exemption[/bold]: {safe(proposal.point_id)}, {proposal.decided:,} decided, {proposal.refuted:,} refuted; "
            "check it and state the reason before it goes into exemption.toml",
        )
        if proposal.institutions == 1:
            words.say(
                "不属实的都来自一家机构：先看是不是它的编码对照有误，那不是豁免的理由",
                "All that were refuted are of one institution: see first whether it maps its codes wrongly, which is no reason for an exemption",
            )
        # To be copied as it stands: neither wrapped nor coloured.
        click.echo(shown(proposal.text, lines=True).rstrip("\n"))
    if not told.proposals and told.total.decided:
        words.say(
            f"没有多数不属实的知识点（至少 {FEWEST_DECISIONS} 个结论，不属实比例的区间下限高于 {MOSTLY:.0%}）",
            f"No point was mostly refuted (at least {FEWEST_DECISIONS} decisions, lower bound of the refuted share above {MOSTLY:.0%})",
        )


def _cells(tally: Tally) -> list[str]:
    share, bounds = tally.precision, tally.precision_interval
    return [
        f"{tally.found:,}", f"{tally.decided:,}", f"{tally.confirmed:,}", f"{tally.refuted:,}", f"{tally.refunded:,}",
        f"{tally.undecided:,}", f"{'≥ ' if tally.no_amount else ''}{tally.upheld:,.2f}", f"{tally.given_back:,.2f}",
        "–" if share is None or bounds is None else f"{share:.0%} ({bounds[0]:.0%}–{bounds[1]:.0%})",
    ]  # fmt: skip


def plain_carried(done: Carried) -> dict[str, Any]:
    """What was carried, as one JSON document."""
    return asdict(done) | {"old_months": sorted(done.old_months), "new_months": sorted(done.new_months)}


def print_carried(done: Carried, language: str) -> None:
    """Say what went on to the next run, and what did not."""
    words = Words(wide_console(), language)
    words.say(
        f"结转 {done.carried:,} 个结论；新扫描中原已如此 {done.same:,}",
        f"{done.carried:,} decision(s) carried; {done.same:,} were in the new run already",
    )
    if done.replaced:
        words.say(f"按旧结论更改 {done.replaced:,}", f"{done.replaced:,} changed to what the old run says")
    if done.kept:
        words.say(
            f"{done.kept:,} 个在新扫描中已有不同的结论，没有改；要改用 --replace",
            f"{done.kept:,} are decided otherwise in the new run and were left so; --replace changes them",
        )
    words.say(
        f"消失的疑点 {done.gone:,} 个（旧扫描有，新扫描没有），其中已有结论 {done.gone_decided:,} 个，结论仍留在旧扫描旁",
        f"Gone: {done.gone:,} finding(s) of the old run are not in the new one, {done.gone_decided:,} of them decided; these decisions stay with the old run",
    )
    words.say(
        f"新出现的疑点 {done.new:,} 个；新扫描还有 {done.undecided:,} 个没有结论",
        f"New: {done.new:,} finding(s); {done.undecided:,} of the new run are not decided yet",
    )
    first, second = _period(done.old_months, words), _period(done.new_months, words)
    if not done.old_months & done.new_months:
        words.say(
            f"两次扫描没有共同的月份：旧 {first}，新 {second}；请核对是否给错了文件夹",
            f"The runs have no month in common: old {first}, new {second}; check whether these are the folders you mean",
        )
    elif done.old_months - done.new_months:
        words.say(
            f"两次扫描的期间只有部分重叠：旧 {first}，新 {second}；已有结论的消失疑点中，{done.outside:,} 个只是因为新扫描不含那些月份",
            f"The periods overlap only partly: old {first}, new {second}; {done.outside:,} of the decided findings are gone for that alone",
        )
    elif done.new_months - done.old_months:
        words.say(
            f"新扫描的期间更长：旧 {first}，新 {second}；多出的月份里的疑点都是新的",
            f"The new run covers more months: old {first}, new {second}; all findings of the others are new",
        )


def _period(months: Set[str], words: Words) -> str:
    """Months in runs: 2026-01 至 2026-03、2026-05."""
    if not months:
        return words.text("没有判断过的明细", "no judged lines")
    ordered = sorted(months)
    numbers = [int(month[:4]) * 12 + int(month[5:]) for month in ordered]
    starts = [0, *(at for at, (one, next_one) in enumerate(pairwise(numbers), 1) if next_one > one + 1), len(ordered)]
    runs = [(ordered[first], ordered[last - 1]) for first, last in pairwise(starts)]
    return words.listed(one if one == other else f"{one}{words.text(' 至 ', ' to ')}{other}" for one, other in runs)
