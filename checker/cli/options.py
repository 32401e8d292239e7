"""Options that several commands share."""

from __future__ import annotations

import locale
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

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


def knowledge_options(command: F) -> F:
    """--kb, --rules, --region, --as-of: which knowledge, which rules, where and when."""
    command = click.option(
        "--as-of",
        type=Day(),
        help="按这一天有效的知识点判断，年龄仍按服务日期（knowledge in force on this day; ages keep the service date）",
    )(command)
    command = click.option(
        "--region", metavar="CODE", help="数据中没有地区时使用的行政区划代码（place where the data name none）"
    )(command)
    command = click.option(
        "--rules",
        "rules_folder",
        type=click.Path(path_type=Path),
        help="规则文件夹，默认用内置规则（folder of rule files）",
    )(command)
    return click.option(
        "--kb", multiple=True, type=click.Path(path_type=Path),
        help="知识库文件夹，可多次给出、后者覆盖前者，默认用内置知识库（knowledge base; repeat to layer）",
    )(command)  # fmt: skip


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
