"""`liangku review`: what became of the findings of a scan."""

from __future__ import annotations

from checker.cli.lazy import LazyGroup

COMMANDS = {
    "template": ("checker.cli.review.template", "待审核的疑点，一张可填写的表（a sheet of findings to be decided）"),
    "import": ("checker.cli.review.import_", "导入填好的审核结论（take in the decisions）"),
    "show": (
        "checker.cli.review.show",
        "审核进度、查准率、拟议的豁免（what was decided, and how often findings were right）",
    ),
    "carry": ("checker.cli.review.carry", "把结论带到下一次扫描（take decisions over into the next run）"),
}

command = LazyGroup(
    "review",
    lazy=COMMANDS,
    help="审核：疑点查实了没有，退回了多少（review: what became of the findings of a scan）。结论记在结果文件夹旁边的 DIR.review.csv。",
)
