"""`liangku profile`: which values of a province's data its profile does not know."""

from __future__ import annotations

from checker.cli.lazy import LazyGroup

COMMANDS = {
    "values": (
        "checker.cli.profile.values",
        "数据中有哪些取值，哪些还认不出（the values of given data, and which are not known）",
    ),
}

command = LazyGroup(
    "profile",
    lazy=COMMANDS,
    help="省级配置：医疗类别、险种、机构等级、支付地点的取值（profiles: what the values of a province mean）。",
)
