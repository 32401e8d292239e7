"""Options that several commands share."""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import click

from checker.model.data_folder import SAID, default_data

F = TypeVar("F", bound=Callable[..., Any])


def default_language() -> str:
    """`en` where the locale is English, else `zh`: the field's own language."""
    named = (
        os.environ.get("LC_ALL")
        or os.environ.get("LC_MESSAGES")
        or os.environ.get("LANG")
        or locale.getlocale()[0]
        or ""
    )
    return "en" if named.lower().startswith("en") else "zh"


class Day(click.ParamType[date]):
    """A date as YYYY-MM-DD."""

    name = "DATE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read the date or fail with what to write."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"“{value}”不是日期，请写作 2026-03-01（write YYYY-MM-DD）", param, ctx)


class Share(click.ParamType[Decimal]):
    """A share, written as 1% or 0.01."""

    name = "SHARE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Read the share as a number between 0 and 1, or fail with what to write."""
        if isinstance(value, Decimal):
            return value
        match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,12})?)(%?)", str(value).strip())
        share = Decimal(match[1]) / (100 if match[2] else 1) if match else Decimal(2)
        # A bare 1 may mean all lines or one in a hundred; whoever writes it must say which.
        if match is None or share > 1 or (share == 1 and not match[2]):
            self.fail(f"“{value}”不是比例，请写作 1% 或 0.01（write 1% or 0.01）", param, ctx)
        return share


def knowledge_options(command: F) -> F:
    """--kb, --crosswalk, --rules, --only-rules, --region, --as-of: which knowledge, which rules, where and when."""
    command = click.option(
        "--as-of",
        type=Day(),
        help="按这一天有效的知识点判断，年龄仍按服务日期（knowledge in force on this day; ages keep the service date）",
    )(command)
    command = click.option(
        "--region", metavar="CODE", help="数据中没有地区时使用的行政区划代码（place where the data name none）"
    )(command)
    return kb_option(crosswalk_option(rules_option(command)))


def kb_option(command: F) -> F:
    """--kb: which knowledge bases, base first."""
    return click.option(
        "--kb", multiple=True, type=click.Path(path_type=Path),
        help="知识库文件夹，或 embedded（内置）；可多次给出、后者覆盖前者，默认用内置知识库（knowledge base, or embedded; repeat to layer）",
    )(command)  # fmt: skip


def onto_option(command: F) -> F:
    """--onto: the base of a supplement."""
    return click.option(
        "--onto", metavar="DIR",
        help="补充叠在哪个知识库上：文件夹，或 embedded（内置）；默认单独看（the base of a supplement: a folder, or embedded; default: none）",
    )(command)  # fmt: skip


def crosswalk_option(command: F) -> F:
    """--crosswalk: files that say which national codes local codes stand for."""
    return click.option(
        "--crosswalk", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
        help="编码对照表（CSV 或 Excel）：地方编码、国家编码、开始日期、结束日期、依据，可多次给出（local codes and the national ones they stand for; repeat）",
    )(command)  # fmt: skip


def rules_option(command: F) -> F:
    """--rules, --only-rules: which rules judge, as `rules` and `only_rules`."""
    command = click.option(
        "--only-rules", is_flag=True, help="只用 --rules 的规则，不用内置规则（leave the embedded rules out）"
    )(command)
    return click.option(
        "--rules", multiple=True, type=click.Path(path_type=Path),
        help="规则文件夹，加在内置规则之上，编号相同的替换，可多次给出（rules on top of the embedded ones, replacing those of the same id; repeat）",
    )(command)  # fmt: skip


def rules_folder_option(command: F) -> F:
    """--rules: the one folder of rule files that a command of `liangku rules` is about, as `rules_folder`."""
    return click.option(
        "--rules",
        "rules_folder",
        type=click.Path(path_type=Path),
        help="规则文件夹，只看它里面的规则，默认用内置规则（folder of rule files, looked at alone; default: the embedded rules）",
    )(command)


def header_options(command: F) -> F:
    """--settlements, --visits, --diagnoses, --map: the tables beside the lines, and which header feeds which column."""
    command = map_option(command)
    command = click.option("--diagnoses", multiple=True, metavar="FILE", help="诊断表 setl_list_diag_d（diagnoses）")(
        command
    )
    command = click.option("--visits", multiple=True, metavar="FILE", help="就诊表 mdtrt_d（visit headers）")(command)
    return click.option(
        "--settlements", multiple=True, metavar="FILE", help="结算表 setl_d（性别、出生日期等）（settlement headers）"
    )(command)


def layout_option(command: F) -> F:
    """--layout: a file that says which header feeds which column, as `layout`."""
    return click.option(
        "--layout",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="布局文件，由 liangku inspect --save 写出，作用与 --map 相同，--map 优先（a saved layout: counts like --map, which comes first）",
    )(command)


def profile_option(command: F) -> F:
    """--profile: what the values of a province mean, as `profile`."""
    return click.option(
        "--profile",
        type=click.Path(path_type=Path),
        metavar="NAME|FILE",
        help="省级配置：hainan，或自己的 TOML 文件（what the values of a province mean: a profile by name, or a file）",
    )(command)


def repair_option(command: F) -> F:
    """--repair: item codes get back the leading zeros that they lost."""
    return click.option(
        "--repair",
        is_flag=True,
        help="给丢了前面的零的项目编码补零，补后须在知识库中（put back lost leading zeros of item codes that the knowledge base then knows）",
    )(command)


def map_option(command: F) -> F:
    """--map: which header feeds which column, as `maps`."""
    return click.option(
        "--map",
        "maps",
        multiple=True,
        metavar="COLUMN=HEADER",
        help="指定列对应的表头，如 item_code=药品编码（name a header）",
    )(command)


def format_option(*forms: str) -> Callable[[F], F]:
    """--format: one of these, as `form`; the first where it is not given."""
    return click.option(
        "--format", "form", type=click.Choice(forms), help=f"输出格式，默认 {forms[0]}（output format）"
    )


def stage_option(command: F) -> F:
    """--stage of what is looked at after the fact, as `stage`."""
    return click.option(
        "--stage",
        type=click.Choice(["settle", "audit"]),
        default="audit",
        show_default=True,
        help="结算前（settle）还是事后审核（audit）",
    )(command)


def language_option(command: F) -> F:
    """--lang: the language of messages."""
    return click.option(
        "--lang",
        type=click.Choice(["zh", "en"]),
        default=default_language,
        show_default="locale",
        help="消息语言（language of messages）",
    )(command)


def json_option(command: F) -> F:
    """--json: one JSON document on stdout."""
    return click.option(
        "--json", "as_json", is_flag=True, help="只在标准输出写一个 JSON 文档（one JSON document on stdout）"
    )(command)


def data_option(command: F) -> F:
    """--data: the folder in which the service keeps what it has to remember."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=default_data,
        show_default=SAID,
        help="服务的数据文件夹（the data folder of the service）",
    )(command)
