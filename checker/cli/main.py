"""The command `liangku`: finds the command's module only when it is called, and turns errors into one sentence and an exit code."""

from __future__ import annotations

import errno
import gc
import os
import sys

import click

from checker.cli.lazy import LazyGroup
from checker.cli.output import Printed, print_json
from checker.model.errors import ExitCode, LiangkuError, Terminated, why
from checker.model.shown import shown
from checker.model.version import __version__

COMMANDS = {
    "scan": ("checker.cli.scan", "扫描结算明细，列出疑点（scan settlement lines for findings）"),
    "inspect": ("checker.cli.inspect", "扫描之前先看：认出了什么、还缺什么（what a scan would make of inputs）"),
    "report": ("checker.cli.report", "报告：工作簿、网页、每家机构一份、抽样（a run as workbooks and a page）"),
    "indicators": ("checker.cli.indicators", "统计指标：占比、次均费用、再入院率（statistics of costs and visits）"),
    "check": ("checker.cli.check", "售药或开方之前查一次（ask before selling or prescribing）"),
    "serve": ("checker.cli.serve", "启动服务：国家接口、本地接口、柜台页面（the HTTP service）"),
    "kb": ("checker.cli.kb", "知识库：构建、查看（the knowledge base）"),
    "profile": ("checker.cli.profile", "省级配置：数据中有哪些取值，哪些认不出（the values of a province）"),
    "rules": ("checker.cli.rules", "规则：列出、查看、测试、检查（the rules）"),
    "sql": ("checker.cli.sql", "规则编译出的查询，DuckDB 或 Spark（the rules as a query for a warehouse）"),
    "feedback": ("checker.cli.feedback", "反馈：提醒之后怎样处理（what was done about the findings shown）"),
    "links": ("checker.cli.links", "关联：条码、追溯码、商品名是哪个项目（which item a barcode or trade name is）"),
    "staff": ("checker.cli.staff", "人员：双人核验的复核员和 PIN（who may confirm as a second person）"),
    "audit-log": ("checker.cli.audit_log", "审计日志：检查是否被改动（the audit log of the service）"),
    "review": ("checker.cli.review", "审核：疑点查实了没有，退回了多少（what became of findings）"),
}

_OF_THE_PLACE = {errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC}
"""What the system refuses because of the place that somebody named: no failure of the program."""


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="liangku")
def cli() -> None:
    """两库规则检查：医保基金智能监管“两库”，事前提醒与事后审核用同一套规则。

    Rule checker for China's medical insurance: one set of rules at the counter and over the warehouse.

    退出码 Exit codes: 0 没有发现 nothing found · 1 有疑点或无法判断 findings · 2 输入有误 bad input · 3 程序故障 failure
    · 4 结果不完整 incomplete: 有的输入没有读，或文件中无法读取的行太多 · 130、143 被中止 interrupted, terminated
    """


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # Chinese must reach a pipe or an old Windows console as UTF-8, or as whoever reads the pipe asked for, never as an encoding error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                encoding=os.environ.get("PYTHONIOENCODING", "").partition(":")[0] or "utf-8", errors="replace"
            )
    code = run(sys.argv[1:])
    # The interpreter would look for cycles in everything that is loaded before it ends: a tenth of the time of `liangku check`.
    gc.freeze()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors become one sentence on stderr."""
    if broken := next((each for each in arguments if not _is_text(each)), None):
        click.echo(
            f"用法有误（usage）：“{broken.encode(errors='replace').decode()}”不是 UTF-8 文字，文件请改名，文字请用 UTF-8 输入"
            "（not UTF-8: rename the file, or type the text as UTF-8）",
            err=True,
        )
        return ExitCode.BAD_INPUT
    Printed.document = False
    try:
        code = cli.main(args=arguments, prog_name="liangku", standalone_mode=False)
        return int(code) if isinstance(code, int) else ExitCode.CLEAR
    except (click.Abort, KeyboardInterrupt):
        click.echo("已中断（interrupted）", err=True)
        return 130
    except Terminated:
        click.echo("已终止（terminated）", err=True)
        return 143
    except BrokenPipeError:
        # The reader of our output has gone; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.CLEAR
    except Exception as error:
        if os.environ.get("LIANGKU_DEBUG") and not isinstance(error, click.ClickException | LiangkuError):
            raise
        said, exit_code = _told(error)
        # What it quotes comes from outside.
        said = shown(said, lines=True)
        if (
            isinstance(error, click.UsageError)
            and error.ctx
            and not isinstance(error, click.exceptions.NoArgsIsHelpError)
        ):
            click.echo(error.ctx.get_usage(), err=True)
        click.echo(said, err=True)
        if "--json" in arguments and not Printed.document:
            fault = {"code": exit_code.name.lower(), "exit_code": int(exit_code), "message": said}
            print_json({"error": fault})
        return exit_code


def _told(error: Exception) -> tuple[str, ExitCode]:
    """What is said of an error, and the exit code."""
    match error:
        case click.exceptions.NoArgsIsHelpError():
            return error.format_message(), ExitCode.BAD_INPUT
        case click.UsageError():
            return f"用法有误（usage）：{error.format_message()}", ExitCode.BAD_INPUT
        case click.ClickException():
            return f"错误（error）：{error.format_message()}", ExitCode.BAD_INPUT
        case LiangkuError():
            return f"错误（error）：{error}", error.exit_code
        case OSError() if error.errno in _OF_THE_PLACE:
            place = f"{error.filename}：" if error.filename else ""
            return (
                f"错误（error）：{place}{why(error)}，请换一个位置或名称（choose another place or name）",
                ExitCode.BAD_INPUT,
            )
    return (
        f"程序故障（internal failure）：{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}；"
        "设置 LIANGKU_DEBUG=1 可看到详细信息（set LIANGKU_DEBUG=1 for the traceback）",
        ExitCode.FAILURE,
    )


def _is_text(argument: str) -> bool:
    """Whether the bytes typed were UTF-8; others reach Python as surrogates, which no file of ours can hold."""
    return not any("\ud800" <= sign <= "\udfff" for sign in argument)


if __name__ == "__main__":
    main()
