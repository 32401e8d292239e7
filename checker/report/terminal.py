"""The summary of a scan on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from checker.model.errors import halves
from checker.model.words import (
    CLASSES,
    CLUSTER_KINDS,
    ENCODING_NAMES,
    ESCAPED_QUOTES,
    LEVELS,
    NOT_READ,
    REASONS,
    REJECTS,
    SEPARATOR_NAMES,
    SKIPS,
    VERDICTS,
    Said,
    lost_code_words,
    remark_words,
)
from checker.report.console import wide_console
from checker.scan.request import ScanResult
from checker.scan.summary import Group, Measure

CSV_FILES_SHOWN = 5
"""Of so many CSV files the terminal says how they were read."""
_COLOURS = {"definite": "bold red", "suspect": "yellow", "notice": "blue"}

FILES_NAMED, GAPS_NAMED, VALUES_NAMED = 5, 20, 10
"""How many files that were passed over, reasons of an incomplete result, and values that are not known, the terminal names."""


def print_scan(result: ScanResult, language: str) -> None:
    """Print what was read, found, and could not be judged, with lines, patients and yuan."""
    _Printer(result, language, wide_console()).run()


class _Printer:
    def __init__(self, result: ScanResult, language: str, console: Console) -> None:
        self._result = result
        self._language = language
        self._english = int(language == "en")
        self._console = console

    def run(self) -> None:
        self._lines()
        summary = self._result.summary
        if summary.findings == 0 and any(each.lines for each in self._result.not_judged):
            self._say(
                "[yellow]载入的规则没有发现疑点，但有的行没有判断（见下）。[/yellow]",
                "[yellow]The rules that are loaded found nothing, but some lines were not judged (see below).[/yellow]",
            )
        elif summary.findings == 0 and self._result.gaps:
            self._say(
                "[yellow]读到的行中没有发现疑点，但结果不完整（见下）。[/yellow]",
                "[yellow]Nothing found in what was read, but the result is incomplete (see below).[/yellow]",
            )
        elif summary.findings == 0:
            self._say("[green]没有发现疑点。[/green]", "[green]Nothing found.[/green]")
        else:
            names = {rule: (name["zh"], name["en"]) for rule, name in self._result.run["rules"]["names"].items()}
            self._groups(("规则", "Rule"), ("结论", "Verdict"), summary.by_rule, [names, VERDICTS])
            self._groups(("级别", "Level"), None, summary.by_level, [LEVELS])
            self._groups(("月份", "Month"), ("结论", "Verdict"), summary.by_month, [{}, VERDICTS])
            self._groups(("机构", "Institution"), None, summary.by_institution, [{}])
            if summary.institutions > len(summary.by_institution):
                self._say(f"（共 {summary.institutions} 家机构有疑点，其余见 findings.parquet）",
                          f"({summary.institutions} institutions in all, the others in findings.parquet)")  # fmt: skip
            self._groups(("无法判断的规则", "Undetermined"), ("原因", "Reason"), summary.by_reason, [names, REASONS])
            remarks = {remark: remark_words(remark) for group in summary.by_remark for remark in group.key if remark}
            self._groups(("备注", "Remark"), None, summary.by_remark, [remarks])
            self._total()
        self._not_judged()
        self._unknown_values()
        self._explained()
        self._hints()
        self._gaps()

    def _not_judged(self) -> None:
        """Which rules did not judge how many lines, and why, a line each."""
        names = self._result.run["rules"]["names"]
        for each in self._result.not_judged:
            if each.lines:
                name = names.get(each.rule_id, {"zh": each.rule_id, "en": each.rule_id})
                lines = f"{each.lines:,} line{'' if each.lines == 1 else 's'}"
                self._say(
                    f"[yellow]没有判断：{each.lines:,} 行的项目有“{escape(name['zh'])}”的知识点，但{escape(each.how('zh'))}[/yellow]",
                    f"[yellow]Not judged: {lines} with points of “{escape(name['en'])}”; {escape(each.how('en'))}[/yellow]",
                )

    def _unknown_values(self) -> None:
        """The values for which lines are undetermined, a line each."""
        unknown = self._result.unknown_values
        for each in unknown[:VALUES_NAMED]:
            self._say(
                f"[yellow]{each.lines:,} 行无法判断：{escape(each.how('zh'))}[/yellow]",
                f"[yellow]{each.lines:,} lines undetermined: {escape(each.how('en'))}[/yellow]",
            )
        if len(unknown) > VALUES_NAMED:
            more = len(unknown) - VALUES_NAMED
            self._say(
                f"（另有 {more:,} 个不认识的取值，见 run.json；liangku profile values 可以全部列出）",
                f"({more:,} more values that are not known, see run.json; liangku profile values lists them all)",
            )

    def _csv_files(self) -> None:
        """How CSV files were read, a line each."""
        read = [each for each in self._result.run["inputs"] if "csv" in each]
        for each in read[:CSV_FILES_SHOWN]:
            facts, path = each["csv"], escape(each["path"])
            encoding = ENCODING_NAMES[facts["encoding"]] + (" BOM" if facts["byte_order_mark"] else "")
            separator = SEPARATOR_NAMES.get(facts["separator"])
            how = f"{encoding}, {facts['line_end'].upper()}"
            escaped = ESCAPED_QUOTES if facts["escape"] else ("", "")
            shown = (facts["separator"].encode("unicode_escape").decode(),) * 2 if separator is None else separator
            self._say(
                f"{path}：{how.replace(', ', '、')}，以{escape(shown[0])}分隔{escaped[0]}，表头在第 {facts['header_row']} 行，"
                f"{facts['records']:,} 条记录，残缺 {facts['rejects']:,}",
                f"{path}: {how}, {escape(shown[1])} between values{escaped[1]}, header in line {facts['header_row']}, "
                f"{facts['records']:,} records, {facts['rejects']:,} broken",
            )
        if len(read) > CSV_FILES_SHOWN:
            self._say(
                f"（另有 {len(read) - CSV_FILES_SHOWN:,} 个 CSV 文件，见 run.json）",
                f"({len(read) - CSV_FILES_SHOWN:,} more CSV files, see run.json)",
            )

    def _databases(self) -> None:
        """What databases gave, a line each."""
        for each in (each for each in self._result.run["inputs"] if "database" in each):
            path, server, rows = escape(each["path"]), escape(each["database"]["server"]), each["database"]["rows"]
            self._say(f"{path}：查询得到 {rows:,} 行（{server}）", f"{path}: the query gave {rows:,} rows ({server})")

    def _lines(self) -> None:
        self._files()
        self._csv_files()
        self._databases()
        census = self._result.census
        skipped, rejected = sum(census.skipped.values()), sum(census.rejected.values())
        self._say(
            f"读入 [bold]{census.read:,}[/bold] 行 = 判断 {census.judged:,} + 跳过 {skipped:,}{self._parts(census.skipped, SKIPS)}"
            f" + 无法读取 {rejected:,}{self._parts(census.rejected, REJECTS)}",
            f"[bold]{census.read:,}[/bold] lines read = {census.judged:,} judged + {skipped:,} skipped{self._parts(census.skipped, SKIPS)}"
            f" + {rejected:,} rejected{self._parts(census.rejected, REJECTS)}",
        )
        for header, count, example in census.unreadable:
            self._say(
                f"[yellow]“{escape(header)}”列有 {count:,} 行无法识别，例如“{escape(example)}”，按不知道处理[/yellow]",
                f"[yellow]{count:,} values of the column {escape(header)} cannot be read, such as {escape(example)}: taken as not known[/yellow]",
            )
        for header, count, example in self._result.lost_keys:
            self._say(
                f"[yellow]“{escape(header)}”列有 {count:,} 行的编号丢了位数（被表格软件当成了数字），例如“{escape(example)}”："
                "不与任何一行视为相同，不关联、不冲抵；请把这一列设为文本后重新导出[/yellow]",
                f"[yellow]{count:,} values of the column {escape(header)} have lost digits, such as {escape(example)}: "
                "taken for nobody else's, neither joined nor netted; make the column text and export again[/yellow]",
            )
        for lost in census.lost_codes:
            chinese, english = map(escape, lost_code_words(*lost))
            self._say(f"[yellow]{chinese}[/yellow]", f"[yellow]{english}[/yellow]")
        codes = census.codes
        if use := self._result.run.get("crosswalk"):
            self._crosswalk(codes["crosswalk"], use)
        odd = codes["no_national_shape"] + codes["no_code"]
        if odd:
            self._say(f"[yellow]{odd:,} 行的项目编码不是国家医保编码，没有规则能判断[/yellow]",
                      f"[yellow]{odd:,} lines have no national item code: no rule can judge them[/yellow]")  # fmt: skip
        if codes["service_system_not_covered"]:
            count = codes["service_system_not_covered"]
            self._say(
                f"{count:,} 行是知识库未涉及的服务项目编码体系（01…、33… 等）",
                f"{count:,} lines are of service code systems not covered (01…, 33…)",
            )

    def _crosswalk(self, lines: int, use: Mapping[str, Any]) -> None:
        """How many lines the crosswalk gives points of national codes, and what it leads nowhere."""
        self._say(
            f"{lines:,} 行的编码在编码对照表中（对照表 {use['local_codes']:,} 个地方编码），按所对照的国家编码判断",
            f"{lines:,} lines have a code of the crosswalk ({use['local_codes']:,} local codes): judged by the national codes that it gives",
        )
        for told in use["warnings"]:
            chinese, english = map(escape, halves(told))
            self._say(f"[yellow]{chinese}[/yellow]", f"[yellow]{english}[/yellow]")

    def _files(self) -> None:
        """What of the inputs was passed over, a line a reason; what may be data stands below, with all that is incomplete."""
        passed: dict[str, list[str]] = {}
        for each in self._result.run["passed_over"]:
            if not each["may_be_data"]:
                passed.setdefault(each["reason"], []).append(each["path"])
        for reason, paths in passed.items():
            chinese, english = NOT_READ[reason]
            more = len(paths) - FILES_NAMED
            shown = escape("、".join(paths[:FILES_NAMED]))
            self._say(
                f"没有读 {len(paths):,} 个（{chinese}）：{shown}{' 等，全部见 run.json' if more > 0 else ''}",
                f"{len(paths):,} passed over ({english}): {shown}{f' and {more:,} more, see run.json' if more > 0 else ''}",
            )

    def _gaps(self) -> None:
        gaps = self._result.gaps
        if not gaps:
            return
        self._say(
            f"[bold red]结果不完整，{len(gaps):,} 处（退出码 4）：[/bold red]",
            f"[bold red]The result is incomplete, for {len(gaps):,} reasons (exit code 4):[/bold red]",
        )
        for gap in gaps[:GAPS_NAMED]:
            self._say(f"  {escape(gap.said)}", f"  {escape(gap.said)}")
        if len(gaps) > GAPS_NAMED:
            self._say(
                f"  其余 {len(gaps) - GAPS_NAMED:,} 处见 run.json", f"  {len(gaps) - GAPS_NAMED:,} more in run.json"
            )

    def _total(self) -> None:
        summary = self._result.summary
        self._say(
            f"合计：违规疑点 [bold]{summary.violations.lines:,}[/bold] 行、{self._persons(summary.violations)}、{self._yuan(summary.violations)}；"
            f"无法判断 {summary.undetermined.lines:,} 行、{self._yuan(summary.undetermined)}；豁免 {summary.exempt.lines:,} 行"
            "（同一行被两条规则命中时金额只计一次）",
            f"In all: [bold]{summary.violations.lines:,}[/bold] lines violate, {self._persons(summary.violations)}, "
            f"{self._yuan(summary.violations)}; {summary.undetermined.lines:,} lines undetermined, {self._yuan(summary.undetermined)}; "
            f"{summary.exempt.lines:,} exempt (a line hit by two rules counts its money once)",
        )
        apart = summary.not_in_2026_list
        if apart.lines:
            self._say(
                f"其中 2026 年清单未再列出的知识点：{apart.lines:,} 行、{self._yuan(apart)}，只作提示",
                f"Of these, points not listed again in 2026: {apart.lines:,} lines, {self._yuan(apart)}, at notice only",
            )

    def _explained(self) -> None:
        """What else may explain findings: where to look first, before anybody is asked."""
        run = self._result.run
        explained, clusters = run.get("explained") or {}, run.get("clusters") or {}
        if nameless := run.get("not_clustered"):
            self._say(
                f"{nameless:,} 行违规疑点没有人员编号，不知道是几个人的，没有归并聚集",
                f"{nameless:,} lines that violate name no person: no clusters could be made of them",
            )
        unclear = run.get("explained_undetermined") or {}
        for count, zh, en in (
            (explained, "违规疑点", "violations"),
            (unclear, "无法判断的疑点", "undetermined findings"),
        ):
            if count:
                told = self._parts(count, CLASSES)
                self._say(
                    f"{zh}中 {sum(count.values()):,} 个可能另有原因，先看数据{told}",
                    f"Of the {en} {sum(count.values()):,} may have another cause, look at the data first{told}",
                )
        if clusters:
            kinds = self._parts(clusters, CLUSTER_KINDS)
            self._say(
                f"聚集 {sum(clusters.values()):,} 组{kinds}，每组一行，见 clusters.parquet",
                f"{sum(clusters.values()):,} clusters{kinds}, one row each in clusters.parquet",
            )

    def _hints(self) -> None:
        result = self._result
        counted = [
            (result.netted.duplicates, "行是重复上传，只算一次", "duplicate lines, counted once"),
            (result.netted.reuploaded, "行换了流水号重复上传，只算一次", "lines uploaded again under another number, counted once"),
            (result.netted.fully_refunded, "行已全部退费，不再计", "lines wholly refunded and left out"),
            (result.netted.refunds_without_original, "行退费找不到原单", "refunds without original"),
            (sum(result.not_in_force.values()), "行在服务日期没有有效的知识点（可用 --as-of 按某一天的知识库查看）",
             "lines whose points are not in force on the day (see --as-of)"),
            (sum(result.not_in_scope.values()), "行没有医保范围内的金额（全自费），政策类规则不计",
             "lines wholly self-paid, which rules on what the fund pays leave alone"),
        ]  # fmt: skip
        for count, chinese, english in counted:
            if count:
                self._say(f"另有 {count:,} {chinese}", f"Also {count:,} {english}")
        if sum(result.census.rejected.values()):
            self._say(
                "无法读取的行见 rejects.parquet（文件、行号、列、值、原因）",
                "Rejected lines are in rejects.parquet (file, record, column, value, why)",
            )
        shadow = result.shadow
        if shadow.findings:
            hit = sum(trial.hits > 0 for trial in shadow.points)
            self._say(
                f"影子知识点：试行中的 {hit:,} 个知识点命中 {shadow.lines:,} 行，不计入以上结果，见 shadow.parquet（用 liangku kb promote 查看依据）",
                f"On trial (shadow): {hit:,} points hit {shadow.lines:,} lines, apart from all above; see shadow.parquet and liangku kb promote",
            )
        self._say(f"结果：{result.out}", f"Results: {result.out}")

    def _groups(
        self,
        first: tuple[str, str],
        second: tuple[str, str] | None,
        groups: Sequence[Group],
        words: Sequence[Mapping[str, Said]],
    ) -> None:
        if not groups:
            return
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for title in (first, second):
            if title:
                table.add_column(title[self._english])
        for title in (("行数", "Lines"), ("人数", "Patients"), ("金额（元）", "Yuan"), ("医保范围内", "In scope")):
            table.add_column(title[self._english], justify="right")
        for group in groups:
            cells = [self._cell(part, known) for part, known in zip(group.key, words, strict=True)]
            table.add_row(*cells, *self._numbers(group.measure))
        self._console.print(table)

    def _cell(self, part: str | None, known: Mapping[str, Said]) -> str:
        if part is None:
            return "（空）" if not self._english else "(none)"
        said = known.get(part)
        if said is None:
            return part.replace("[", "\\[")
        colour = _COLOURS.get(part) if known is LEVELS else None
        return f"[{colour}]{said[self._english]}[/]" if colour else said[self._english]

    def _parts(self, counts: dict[str, int], words: Mapping[str, Said]) -> str:
        told = [f"{words[kind][self._english]} {count:,}" for kind, count in counts.items() if count]
        opening, closing, comma = (" (", ")", ", ") if self._english else ("（", "）", "、")
        return f"{opening}{comma.join(told)}{closing}" if told else ""

    def _say(self, chinese: str, english: str) -> None:
        self._console.print(english if self._english else chinese, highlight=False)

    def _numbers(self, measure: Measure) -> Iterable[str]:
        yield f"{measure.lines:,}"
        yield self._known(f"{measure.patients:,}", measure.no_patient, measure.lines)
        yield self._known(_money(measure.amount), measure.no_amount, measure.lines)
        yield self._known(_money(measure.amount_in_scope), measure.no_amount_in_scope, measure.lines)

    def _known(self, told: str, unknown: int, lines: int) -> str:
        """A count or a sum as far as it is known: that of no line is nothing that could be said."""
        if not unknown:
            return told
        return f"≥ {told}" if unknown < lines else ("不详", "unknown")[self._english]

    def _persons(self, measure: Measure) -> str:
        if measure.lines and measure.no_patient == measure.lines:
            return ("人数不详", "number of patients unknown")[self._english]
        known = self._known(f"{measure.patients:,}", measure.no_patient, measure.lines)
        return f"{known} patients" if self._english else f"{known} 人"

    def _yuan(self, measure: Measure) -> str:
        if measure.lines and measure.no_amount == measure.lines:
            return ("金额不详", "amount unknown")[self._english]
        return self._known(f"¥{_money(measure.amount)}", measure.no_amount, measure.lines)


def _money(value: Decimal) -> str:
    return f"{value:,.2f}"
