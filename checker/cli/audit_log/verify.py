"""`liangku audit-log verify`: whether an audit log was altered."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import click

from checker.cli.options import json_option, language_option
from checker.cli.output import print_json
from checker.model.errors import ExitCode


class _Hash(click.ParamType[str]):
    name = "HASH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip().lower()
        if not re.fullmatch("[0-9a-f]{64}", text):
            self.fail(f"“{value}”不是 64 位十六进制的哈希（a hash is 64 hexadecimal digits）", param, ctx)
        return text


@click.command("verify")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--expect",
    type=_Hash(),
    help="日志最后一条记录应有的哈希，事先另存；末尾被删掉的记录只有这样才能发现"
    "（hash of the last record, kept elsewhere: only this shows records cut off at the end）",
)
@click.option(
    "--anchors",
    type=click.Path(path_type=Path),
    help="服务按 audit_anchor 另存的文件，逐个比较其中的哈希（the file that the service wrote at audit_anchor）",
)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help="日志的密钥，也可用环境变量 LIANGKU_AUDIT_KEY（the key of a keyed log; LIANGKU_AUDIT_KEY does as well）",
)
@json_option
@language_option
def command(
    file: Path, expect: str | None, anchors: Path | None, key_file: Path | None, as_json: bool, lang: str
) -> int:
    """逐条检查审计日志：记录有没有被改动、删除、插入或调换，开头有没有被截掉。

    写满或跨月后另起的文件（audit-年月-序号.jsonl）一并检查。旁边有 feedback.sqlite 时，还检查日志是否比它所记的短。
    末尾被截掉的，哈希链本身看不出来：请把每次得到的最后哈希另存一处，下次用 --expect 比较。

    Checks every record against the one before it, over all files of the log (audit-MONTH-NUMBER.jsonl), and, where feedback.sqlite lies
    beside it, whether the log is shorter than that says. Records cut off at the end leave a sound chain: keep the last hash elsewhere
    and give it as --expect.

    \b
    退出码 Exit codes: 0 完好 sound · 1 有问题 broken · 2 无法读取 cannot be read
    """
    from checker.model.errors import InputError
    from checker.service.audit_anchor import reached_by_store, read_anchors, read_key
    from checker.service.audit_files import log_of_finished
    from checker.service.audit_verify import verify

    if (whole := log_of_finished(file)) is not None and whole.exists():
        raise InputError(
            f"{file}：这是日志写完的一部分，请给出 {whole}，各部分一并检查（a finished part of the log: name the log itself）"
        )
    # First what the log must have reached: it may grow meanwhile.
    reached, kept = reached_by_store(file.with_name("feedback.sqlite"))
    outside = read_anchors(anchors) if anchors else {}
    verified = verify(file, expect, key=read_key(key_file), reached=reached, anchors={**kept, **outside})
    if as_json:
        print_json({"sound": verified.is_sound, **asdict(verified)})
    else:
        from checker.report.audit_log import verified_lines

        for line in verified_lines(verified, lang):
            click.echo(line)
    return ExitCode.CLEAR if verified.is_sound else ExitCode.FINDINGS
