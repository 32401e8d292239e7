"""`liangku rules`: list, show, test and check the rules, begin a new one, write out the embedded ones, compare folders, write pages and lock."""

from __future__ import annotations

from checker.cli.lazy import LazyGroup

COMMANDS = {
    "list": ("checker.cli.rules.list", "列出规则（list the rules）"),
    "show": ("checker.cli.rules.show", "查看一条规则（show one rule）"),
    "test": ("checker.cli.rules.cases", "运行规则自带的用例（run the cases of the rules）"),
    "check": ("checker.cli.rules.check", "检查全部规则（check every rule through all stages）"),
    "new": ("checker.cli.rules.new", "新建一条规则的框架（begin a rule, with cases to fill in）"),
    "export": ("checker.cli.rules.export", "写出内置的规则文件（write the embedded rule files to start from）"),
    "diff": ("checker.cli.rules.diff", "比较两个规则文件夹（compare two folders of rules）"),
    "docs": ("checker.cli.rules.docs", "生成规则说明页（write the pages of the rules）"),
    "lock": ("checker.cli.rules.lock", "锁定规则的版本与内容（lock versions and content）"),
}

command = LazyGroup(
    "rules",
    lazy=COMMANDS,
    help="规则：列出、查看、测试、检查、新建、写出、比较、说明页、锁定（the rules, from the first case to the lock）。",
)
