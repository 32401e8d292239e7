"""The values of given data on the terminal: what each comes down to, which are not known, and what to write into a profile."""

from __future__ import annotations

from rich import box
from rich.table import Table

from checker.model.words import ROLE_NAMES
from checker.report.console import Words, safe, wide_console
from checker.scan.profile_snippet import GROUP_WORDS, snippet
from checker.scan.profile_values import MOST_VALUES, ROLES, FoundKind, FoundValue, FoundValues

SHOWN = 50
"""So many values of a kind are printed; --json has all that were looked at."""
KIND_WORDS = {
    "care_type": ("医疗类别", "Care types"), "insurance_type": ("险种", "Insurance types"),
    "institution_level": ("机构等级", "Institution levels"), "pay_location": ("支付地点", "Places of payment"),
}  # fmt: skip


def print_values(found: FoundValues, language: str) -> None:
    """Print what a look at values showed."""
    _Printer(wide_console(), language).run(found)


class _Printer(Words):
    def run(self, found: FoundValues) -> None:
        self.say(f"省级配置：{safe(found.profile)}", f"Profile: {safe(found.profile)}")
        for each in found.kinds:
            self._kind(each)
        for gap in found.incomplete:
            self.say(f"没有读 {safe(gap)}", f"Not read: {safe(gap)}")
        if not any(each.values for each in found.kinds):
            self.say(
                "没有一列有取值；表头没认出来的，用 --map 指定，如 --map care_type=医疗类别。",
                "No column has such values; name headers that were not recognised with --map, such as --map care_type=医疗类别.",
            )
        elif not found.has_unknown:
            self.say("所有取值都认得。", "All values are known.")
        elif text := snippet(found):
            self.say(
                "认不出的值在判断时按“不知道”处理。存为 TOML 文件，整理后用 --profile 给出：",
                "What is not known is undetermined. Save this as a TOML file, sort it, and give it with --profile:",
            )
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _kind(self, found: FoundKind) -> None:
        title = self.text(*KIND_WORDS[found.kind])
        code = self.text(f"{found.kind}，\\[{found.table}]", f"{found.kind}, \\[{found.table}]")
        if not found.values:
            why = (
                ("这一列全为空", "the column is empty")
                if found.has_column
                else ("没有这一列", "there is no such column")
            )
            self.say(f"{title}（{code}）：{why[0]}", f"{title} ({code}): {why[1]}")
            return
        unknown = len(found.unknown) + found.beyond
        distinct = len(found.values) + found.beyond
        self.say(
            f"{title}（{code}）：{distinct:,} 个值，{unknown:,} 个认不出",
            f"{title} ({code}): {distinct:,} values, {unknown:,} not known",
        )
        roles = [role for role in ROLES if any(role in each.rows for each in found.values)]
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column(self.text("取值", "Value"), overflow="fold")
        for role in roles:
            table.add_column(self.text(*ROLE_NAMES[role]), justify="right", no_wrap=True)
        table.add_column(self.text("归入", "Group"))
        for each in found.values[:SHOWN]:
            table.add_row(
                safe(each.value), *(f"{each.rows.get(role, 0):,}" for role in roles), self._group(found.kind, each)
            )
        self.console.print(table)
        if len(found.values) > SHOWN:
            self.say(f"只列出前 {SHOWN} 个，--json 有全部", f"The first {SHOWN} are listed; --json has all of them")
        if found.beyond:
            self.say(
                f"另有 {found.beyond:,} 个值没有查看（一列最多 {MOST_VALUES:,} 个），这一列多半不是{title}，请检查表头",
                f"{found.beyond:,} more were not looked at (at most {MOST_VALUES:,} a column): the column may hold something else, check its header",
            )

    def _group(self, kind: str, found: FoundValue) -> str:
        if found.group is not None:
            return self.text(*GROUP_WORDS[kind][found.group])
        if found.key is None:
            return self.text("认不出，也不像取值", "not known, nor like such a value")
        return self.text("认不出", "not known")
