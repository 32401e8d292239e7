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
    "short": (
        "日志到记录 {seq} 为止，而它到过记录 {expected}：末尾的记录缺失",
        "the log ends with record {seq}, but had reached record {expected}: records at the end are missing",
    ),
    "anchor": (
        "记录 {seq} 的哈希与另存的不同：日志被整段改写",
        "record {seq} has not the hash that was kept elsewhere: the log was written anew",
    ),
    "keyless": (
        "从记录 {seq} 起带密钥，没有密钥无法核对内容：请给出 --key-file 或 LIANGKU_AUDIT_KEY",
        "from record {seq} on the records are keyed, and cannot be checked without the key: give --key-file or LIANGKU_AUDIT_KEY",
    ),
    "unkeyed": (
        "带密钥的日志中有不带密钥的记录：是没有密钥的人写的",
        "a record without key in a log that has one: written by somebody who has not the key",
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
        if verified.files > 1:
            yield f"{verified.files:,} files, one chain" if english else f"{verified.files:,} 个文件，同一条链"
        if verified.expired_seq:
            yield (
                f"records up to {verified.expired_seq:,} were deleted when they had been kept long enough, and the log says so"
                if english
                else f"记录 {verified.expired_seq:,} 及以前的保存期满，已删除，日志中有记载"
            )
    else:
        yield "no record" if english else "没有记录"
    for problem in verified.problems:
        told = _told(problem, english)
        file = f"{problem.file} " if problem.file else ""
        yield f"  {file}line {problem.line:,}: {told}" if english else f"  {file}第 {problem.line:,} 行：{told}"
    if count > len(verified.problems):
        more = count - len(verified.problems)
        yield f"  and {more:,} more" if english else f"  另有 {more:,} 处"


def _told(problem: Problem, english: bool) -> str:
    last_missing = problem.seq - 1 if problem.seq is not None else None
    return _WORDS[problem.what][english].format(
        seq=problem.seq, expected=problem.expected_seq, last_missing=last_missing
    )
