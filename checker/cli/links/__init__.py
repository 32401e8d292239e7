"""`liangku links`: which item a trace code, barcode, approval number or trade name stands for."""

from __future__ import annotations

from checker.cli.lazy import LazyGroup

COMMANDS = {
    "import": ("checker.cli.links.import_", "从 CSV 导入（take in a CSV file）"),
    "list": ("checker.cli.links.list", "列出现有的关联，或一个码的全部记录（what is linked, or the history of one）"),
    "undo": ("checker.cli.links.undo", "取消一个码最近一次的更改（take the last change of one back）"),
}

command = LazyGroup(
    "links",
    lazy=COMMANDS,
    help="关联：追溯码、条码、批准文号、商品名是哪个项目（links: the item of a trace code, barcode, approval number or trade name）。",
)
