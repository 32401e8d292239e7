"""The options that set what a change may do at most; the command gets them as one `limits`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from checker.cli.options import Share

_COUNT = click.IntRange(min=0)
_HELP: dict[str, tuple[click.ParamType[Any], str]] = {
    "max_new_share": (Share(), "新增疑点最多占判断行数的比例，如 1%（newly flagged lines: largest share of those judged）"),
    "max_new_lines": (_COUNT, "新增疑点最多几行（newly flagged lines, at most）"),
    "max_lost_share": (Share(), "不再有疑点的最多占原有疑点的比例，如 1%（lines no longer flagged: largest share of those flagged）"),
    "max_lost_lines": (_COUNT, "不再有疑点的最多几行（lines no longer flagged, at most）"),
    "max_changed_lines": (_COUNT, "级别或结论改变的疑点最多几行（lines flagged otherwise, at most）"),
    "max_deleted_points": (_COUNT, "最多删除几个知识点，写 valid_to 终止的不算（points deleted, not ended, at most）"),
    "max_deleted_codes": (_COUNT, "最多有几个编码不再受规则限定（codes that a rule limits no longer, at most）"),
    "max_edited_points": (_COUNT, "最多原地改写几个已生效的知识点，应终止后另立（points in force written over in place, at most）"),
    "max_reused_ids": (_COUNT, "最多有几个编号改给了别的项目（ids given to another item, at most）"),
    "max_ended_points": (_COUNT, "最多几个知识点在过去的日子终止，清单终止的、有接续的除外（ended in the past, of no list, not followed, at most）"),
    "max_ended_share": (Share(), "一条规则最多终止多少有效的知识点而没有接续（largest share of its points in force that a rule loses by ends）"),
    "max_relaxed_points": (_COUNT, "最多几个接续的知识点改限另一性别、放宽年龄或降级（points that follow another and hold less, at most）"),
    "max_widened_exemptions": (_COUNT, "最多几条已生效的豁免放宽（exemptions in force that exempt more, at most）"),
    "max_deleted_exemptions": (_COUNT, "最多删除几条已生效的豁免，写 valid_to 终止的不算（exemptions in force deleted, not ended, at most）"),
    "max_misnamed_points": (_COUNT, "最多几个知识点按前段管到的明细多半叫别的名字（points whose lines are mostly called otherwise, at most）"),
}  # fmt: skip
FINDINGS = ("max_new_share", "max_new_lines", "max_lost_share", "max_lost_lines", "max_changed_lines")
"""The limits of what changes on given lines."""
KNOWLEDGE = (
    "max_deleted_points", "max_deleted_codes", "max_edited_points", "max_reused_ids", "max_ended_points", "max_ended_share", "max_relaxed_points",
    "max_widened_exemptions", "max_deleted_exemptions", "max_misnamed_points",
)  # fmt: skip
"""The limits of what goes out of the text, or is written over, ended or relaxed in it."""


def limit_options(*names: str, **defaults: int | str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of these limits, some with a default; where one is exceeded the command ends with 1."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_limits(**given: Any) -> Any:
            from checker.change.limits import Limits

            return command(limits=Limits(**{name: given.pop(name) for name in names}), **given)

        decorated: Callable[..., Any] = with_limits
        for name in reversed(names):
            kind, said = _HELP[name]
            default = defaults.get(name)
            decorated = click.option(
                f"--{name.replace('_', '-')}", type=kind, default=default, show_default=default is not None, help=said
            )(decorated)
        return decorated

    return decorate
