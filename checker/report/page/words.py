"""What a page says of its own, in Chinese and English; all other words are those of checker.model.words and of the columns of reports."""

from __future__ import annotations

from checker.model.words import Said

PAGE: dict[str, Said] = {
    "title": ("医保审核报告", "Audit report"),
    "first": ("先看", "What matters first"),
    "charts": ("图", "Charts"),
    "rankings": ("排名", "Rankings"),
    "clusters": ("聚集", "Clusters"),
    "quality": ("数据质量", "Data quality"),
    "findings": ("疑点", "Findings"),
    "what_if": ("如果儿童的年龄界限不同", "If the age of a child were another"),
    "method": ("方法", "Method"),
    "all": ("全部", "all"),
    "search": ("文字", "Text"),
    "visit": ("这次就诊", "The visit"),
    "close": ("关闭", "Close"),
    "more": ("再显示", "Show more"),
    "none": ("没有符合的疑点", "no finding fits"),
    "lines": ("个疑点", "findings"),
    "of_which": ("（违规 {violations} 个，无法判断 {undetermined} 个）", " ({violations} violations, {undetermined} undetermined)"),
    "stake": ("涉及金额（元）", "yuan at stake"),
    "stake_each": ("违规疑点涉及金额（元，逐个相加）", "yuan at stake of the violations, added finding by finding"),
    "withheld": (
        "人数少的分组不显示计数（--min-cell），页内因此也没有单个疑点；个案见不加此选项的工作簿",
        "Counts of few persons are not shown (--min-cell), so the page holds no single findings either: see a workbook made without it",
    ),
    "drill": ("列出疑点", "List"),
    "chosen": ("筛选", "Chosen"),
    "listed": ("列出 {shown} 个，共 {of} 个", "{shown} of {of} are listed"),
    "undo": ("取消排名筛选", "Drop the choice from the ranking"),
    "empty": ("（空）", "(none)"),
    "visit_cut": (
        "页内不是全部疑点，这次就诊可能还有其他疑点，见 findings.parquet",
        "The page does not hold all findings; this visit may have others: see findings.parquet",
    ),
    "visit_is": ("列出违规和无法判断的疑点；豁免的见工作簿", "Violations and undetermined findings; exempt ones are in the workbook"),
    "limits": (
        "只计以 14、16、18 岁为界的疑点；低于本次所用界限的，扫描没有留下，无从得知。知识点自己写明这些年龄的，与“儿童”一词分不开，也计在内",
        "Of limits of 14, 16 and 18 only; what a lower limit than the one in use would find is not in the run. Points "
        "that name such an age themselves cannot be told from the word 儿童, and are counted",
    ),
    "open": ("查看", "Open"),
    "unread": ("此浏览器太旧，读不出页内的疑点", "This browser is too old to read the findings in the page"),
    "first_rows": ("只列前 {rows} 行，全部见工作簿", "the first {rows} rows; the workbook has all"),
    "whole": ("图和排名是整次扫描的，不随筛选变化", "Charts and rankings are of the whole run and do not follow the filters"),
    "limit": ("界限", "Limit"),
    "younger": ("不满 {age} 岁是儿童", "a child is younger than {age}"),
    "left_over": ("仍待核实（个疑点）", "left (findings)"),
    "unknown": ("年龄不详", "age unknown"),
    "no_children": ("没有按“儿童”一词限定的待核实疑点", "no findings are left of items limited by the word 儿童"),
    "cut": (
        "页内是金额最高的 {held:,} 个疑点，共 {of:,} 个；其余见 findings.parquet 和工作簿",
        "The page holds the {held:,} findings of most yuan, of {of:,}; the others are in findings.parquet and the workbook",
    ),
    "not_a_visit": ("没有就诊号和结算号", "neither visit nor settlement is told"),
}  # fmt: skip
