"""`liangku feedback report`: what became of the findings shown, and which points look wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from checker.cli.options import Day, json_option, language_option
from checker.cli.output import print_json
from checker.model.errors import ExitCode


@click.command("report")
@click.argument("database", metavar="DB", type=click.Path(path_type=Path))
@click.option(
    "--since", type=Day(), help="从这一天起首次提示的，按北京时间（first shown on or after this day, China time）"
)
@click.option("--until", type=Day(), help="到这一天为止，含当天（up to and including this day）")
@click.option(
    "--min-answers",
    type=click.IntRange(1, 1_000_000),
    default=10,
    show_default=True,
    help="至少有几次答复才列为可能有误（fewest answers for a point to look wrong）",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="继续率 95 % 区间的下限超过此数，列为可能有误（lower bound of the override rate above which a point looks wrong）",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=20,
    show_default=True,
    help="每张表最多几行（rows of each list）",
)
@json_option
@language_option
def command(
    database: Path,
    since: date | None,
    until: date | None,
    min_answers: int,
    threshold: float,
    limit: int,
    as_json: bool,
    lang: str,
) -> int:
    """提醒之后怎样处理：遵从率、可能有误的知识点、重复提醒、没有答复的、超时的。DB 是服务写的数据库，服务运行时也可以读。

    What became of the findings shown, from the service's database; it may be running meanwhile.

    \b
    例 Examples:
      liangku feedback report liangku.db
      liangku feedback report liangku.db --since 2026-03-01 --until 2026-03-31 --json
    """
    from checker.report.feedback import plain_report, print_report
    from checker.service.feedback_report import ReportRequest, feedback_report

    if since and until and since > until:
        raise click.UsageError(f"--since {since} 晚于 --until {until}，请对调（--since is later than --until）")
    report = feedback_report(ReportRequest(database, since, until, min_answers, threshold, limit))
    if as_json:
        print_json(plain_report(report))
    else:
        print_report(report, lang)
    return ExitCode.CLEAR
