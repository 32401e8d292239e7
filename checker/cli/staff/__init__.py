"""`liangku staff`: who may confirm as a second person."""

from __future__ import annotations

from checker.cli.lazy import LazyGroup

COMMANDS = {
    "add": ("checker.cli.staff.add", "登记一个人，或改他的 PIN（take in a person, or change the PIN）"),
    "list": ("checker.cli.staff.list", "列出（list them）"),
    "remove": ("checker.cli.staff.remove", "删除一个人（take a person out）"),
}

command = LazyGroup(
    "staff",
    lazy=COMMANDS,
    help="人员：双人核验时谁能复核，各有自己的 PIN（staff: who may confirm as a second person, each with a PIN）。",
)
