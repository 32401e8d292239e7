"""`liangku kb`: build a knowledge base, show what it says of a point, a code or an item."""

from __future__ import annotations

from checker.cli.lazy import LazyGroup

COMMANDS = {
    "build": ("checker.cli.kb.build", "由文本构建知识库（build a knowledge base from its text）"),
    "show": ("checker.cli.kb.show", "查看知识点、编码或项目（show a point, a code or an item）"),
    "import": ("checker.cli.kb.import_", "导入公布的知识点明细表（import published workbooks）"),
    "export": ("checker.cli.kb.export", "写成清单工作簿或一张 CSV（write it back as sheets）"),
    "crosswalk": (
        "checker.cli.kb.crosswalk",
        "导入编码对照表（import local codes and the national ones they stand for）",
    ),
    "check": ("checker.cli.kb.check", "检查知识库是否自相矛盾（check a knowledge base）"),
    "diff": ("checker.cli.kb.diff", "比较两个知识库（compare two knowledge bases）"),
    "impact": ("checker.cli.kb.impact", "换知识库、规则或参数会影响哪些明细（what a change would flag in given data）"),
    "gaps": ("checker.cli.kb.gaps", "数据中可能漏掉的编码（codes in given data that the knowledge may lack）"),
    "promote": (
        "checker.cli.kb.promote",
        "影子知识点和规则的依据，转为正式（evidence of what is on trial; end the trial）",
    ),
    "search": ("checker.cli.kb.search", "按编码、名称、拼音、首字母查找（search by code, name, pinyin or initials）"),
    "ci": ("checker.cli.kb.ci", "一次变更的检查、差异和影响（check, difference and impact of a change）"),
}

command = LazyGroup(
    "kb",
    lazy=COMMANDS,
    help="知识库：构建、查看、导入、导出、检查、比较（the knowledge base: build, show, import, export, check, compare）。",
)
