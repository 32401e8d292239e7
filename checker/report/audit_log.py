"""What is wrong with an audit log, in words, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from checker.service.audit_verify import Problem, Verified, What

_WORDS: dict[What, tuple[str, str]] = {
    "form": ("不是审计记录", "not an audit record"),
    "unfinished": (
        "最后一条没有写完，服务下次启动时会截掉并记录",
        "the last record is unfinished; the service cuts it off, and says so in a record, when it starts next",
    ),
    "changed": ("记录 {seq} 被改动：内容与它的哈希不符", "record {seq} was changed: its content does not have its hash"),
    "head": ("日志从记录 {seq} 开始，之前的被截掉", "the log begins with record {seq}: what came before is cut off"),
    "gap": ("记录 {expected}–{last_missing} 缺失，其后是记录 {seq}", "records {expected}–{last_missing} are missing before record {seq}"),
    "order": (
        "应为记录 {expected}，却是记录 {seq}：被插入或调换",
        "record {seq} stands where record {expected} should: inserted or moved",
    ),
    "prev": (
        "记录 {seq} 之前的记录不是原来的那一条：被替换或插入",
        "the record before record {seq} is not the one that stood there: replaced or inserted",
    ),
    "last": (
        "最后的哈希与 --expect 不同：末尾的记录被截掉或改写，或日志又有了新记录",
        "the last hash is not that of --expect: records at the end were cut off or rewritten, or new ones were added",
    ),
}  # fmt: skip


def verified_lines(verified: Verified, language: str) -> Iterator[str]:
    """The conclusion, what the log holds, and its problems."""
    english = language == "en"
    count = verified.problem_count
    if verified.is_sound:
        yield "✔ The chain is sound" if english else "✔ 日志完好，哈希链连续"
    else:
        yield f"✖ The log is broken: {count:,} problem(s)" if english else f"✖ 日志有问题：{count:,} 处"
    if verified.records:
        period = f"{verified.first_at} – {verified.last_at}"
        yield f"{verified.records:,} record(s), {period}" if english else f"{verified.records:,} 条记录，{period}"
        yield f"last hash {verified.last_hash}" if english else f"最后的哈希 {verified.last_hash}"
    else:
        yield "no record" if english else "没有记录"
    for problem in verified.problems:
        told = _told(problem, english)
        yield f"  line {problem.line:,}: {told}" if english else f"  第 {problem.line:,} 行：{told}"
    if count > len(verified.problems):
        more = count - len(verified.problems)
        yield f"  and {more:,} more" if english else f"  另有 {more:,} 处"


def _told(problem: Problem, english: bool) -> str:
    last_missing = problem.seq - 1 if problem.seq is not None else None
    return _WORDS[problem.what][english].format(
        seq=problem.seq, expected=problem.expected_seq, last_missing=last_missing
    )
