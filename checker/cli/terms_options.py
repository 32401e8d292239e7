"""The options of `liangku check` that tell on what terms items are paid: by which insurance, in what care, where, and what came before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from checker.cli.typed import read_item, read_moment, reads
from checker.ingest import values

F = TypeVar("F", bound=Callable[..., Any])


def _read_earlier(
    ctx: click.Context, param: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[dict[str, Any], Any], ...]:
    earlier = []
    for text in given:
        item, _, day = text.rpartition("=")
        if not item:
            raise click.UsageError("--earlier 应写作 项目=日期，例如 度拉糖肽注射液=2026-02-01（write ITEM=DATE）", ctx)
        earlier.append((read_item(item, "--earlier"), reads(read_moment)(ctx, param, day)))
    return tuple(earlier)


_OPTIONS = (
    click.option(
        "--insurance",
        metavar="TYPE",
        callback=reads(str),
        help="用哪种保险结算：职工医保、居民医保、生育保险、工伤保险，或国家代码 310 等（the insurance that pays）",
    ),
    click.option(
        "--care-type",
        metavar="TYPE",
        callback=reads(values.read_care),
        help="医疗类别：门诊 11、急诊 13、住院 21、药店 41 等（type of care）",
    ),
    click.option(
        "--level",
        metavar="LEVEL",
        callback=reads(str),
        help="本机构等级：三级、二级、一级、未定级，或国家代码（level of this institution）",
    ),
    click.option(
        "--prescriber-level",
        metavar="LEVEL",
        callback=reads(str),
        help="药店售药时，开方医疗机构的等级（in a pharmacy: of the institution that prescribed）",
    ),
    click.option(
        "--online/--not-online", default=None, help="处方由互联网诊疗开具，或不是（prescribed online, or not）"
    ),
    click.option("--discharge-drug", is_flag=True, help="出院带药（taken home on discharge）"),
    click.option("--maternity-fee", is_flag=True, help="生育费用（a cost of maternity）"),
    click.option(
        "--earlier",
        multiple=True,
        metavar="ITEM=DATE",
        callback=_read_earlier,
        help="此前用过的项目和日期，可多次给出（an item that the patient had before; repeat）",
    ),
    click.option("--no-earlier", is_flag=True, help="此前 365 天没有用过（none in the 365 days before）"),
)


def terms_options(command: F) -> F:
    """The options themselves."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def terms_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What they say, by the keys of a prescription."""
    earlier = [{**item, "service_time": day} for item, day in asked["earlier"]]
    return {
        "insurance_type": asked["insurance"], "care_type": asked["care_type"], "institution_level": asked["level"],
        "prescriber_institution_level": asked["prescriber_level"], "online": asked["online"],
        "is_discharge_drug": asked["discharge_drug"] or None, "is_maternity_fee": asked["maternity_fee"] or None,
        "history": earlier if earlier or asked["no_earlier"] else None,
    }  # fmt: skip
