"""How what is typed into an option is read: by the words of the files, and never repeated where it may be a person's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import click

from checker.ingest import values
from checker.ingest.lost_codes import with_zeros
from checker.ingest.personal import example
from checker.model.schema import CUT_CODE, NATIONAL_CODE
from checker.shapes.person import OLDEST_YEARS

_NATIONAL, _CUT = re.compile(NATIONAL_CODE), re.compile(CUT_CODE)


def reads(read: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """An option's callback that reads its value by the words of the files.

    What was typed is not repeated in the message: it may be a person's.
    """

    def read_option(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
        if value is None:
            return None
        text = values.clean(value)
        if text is None:
            if values.clean(value, is_flag=True) is not None:
                # 未知, 不详: it is said that nobody knows.
                return None
            raise click.UsageError(
                f"{param.opts[0]} 是空的，请填写或去掉这个选项（is empty: fill it in or leave it out）", ctx
            )
        try:
            return read(text)
        except ValueError as error:
            raise click.UsageError(f"{param.opts[0]} 无法识别：{error}（cannot be read）", ctx) from None

    return read_option


def read_id_number(text: str) -> str:
    """A resident identity number of 18 characters with a real date and the right check character. Raises ValueError."""
    from stdnum.cn import ric
    from stdnum.exceptions import ValidationError

    number = unicodedata.normalize("NFKC", text)
    try:
        number = ric.compact(number)
        if not re.fullmatch("[0-9]{17}[0-9X]", number):
            raise ValueError("身份证号应为 18 位：17 位数字，末位为数字或 X")
        ric.get_birth_date(number)
    except ValidationError:
        raise ValueError("身份证号第 7–14 位不是日期，请核对") from None
    if ric.calc_check_digit(number) != number[-1]:
        raise ValueError("身份证号的校验码不对，请核对")
    return number


def read_age(text: str) -> str:
    """An age that a living person can have, in completed years, or in months or days where it is written so. Raises ValueError."""
    age = values.read_age(text)
    in_a_year = {"M": 12, "D": 366}.get(age[-1], 1)
    if not 0 <= int(age.rstrip("MD")) <= OLDEST_YEARS * in_a_year:
        raise ValueError(f"年龄应为 0 到 {OLDEST_YEARS} 的周岁")
    return age


def read_day(text: str) -> date:
    """A date. Raises ValueError, also for one that programs write where they have none."""
    return read_moment(text).date()


def read_moment(text: str) -> datetime:
    """A time, likewise."""
    moment = values.read_time(text)
    if moment is None:
        raise ValueError("这一天是没有日期时的占位值，请填写真实的日期，或去掉这个选项")
    return moment


def read_item(
    item: str, option: str, *, repair: bool = False, is_mapped: Callable[[str], bool] = lambda code: False
) -> dict[str, Any]:
    """The members of a line that name its item: what has not the shape of a code is a name, a local code that the crosswalk has (`is_mapped`), or
    with `repair` may have lost its zeros.
    """
    code = values.read_code(item)
    padded = with_zeros(code)
    if is_mapped(code) or _NATIONAL.fullmatch(code) or _CUT.fullmatch(code) or (padded and repair):
        return {"item_code": code}
    if code and not code.isascii():
        return {"item_name": item.strip(), "by_name": True}
    zeros = "；如果是丢了前面的零，请加 --repair（if it lost its leading zeros, give --repair）" if padded else ""
    raise click.UsageError(
        f"{option} “{example(item)}”既不是国家医保编码（X 23 位、Z 20 位、T 10 位、C 20 或 27 位、"
        f"服务项目 15 位数字），也不是项目名称，请核对（neither a national code nor a name）{zeros}"
    )
