"""Parameters of rules set otherwise for one run: read from NAME=VALUE, held against what the rules declare."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.model.errors import InputError

if TYPE_CHECKING:
    from checker.rulebook.rule import Param, Rule

_OPTION = re.compile(r"(?:(?P<rule>[a-z][a-z0-9-]*)\.)?(?P<name>[a-z][a-z0-9_]*)\s*=\s*(?P<value>-?[0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class ParamSetting:
    """A whole number for a parameter of one rule, or (`rule_id` is None) of every rule that declares it."""

    rule_id: str | None
    name: str
    value: int

    def __str__(self) -> str:
        return f"{f'{self.rule_id}.' if self.rule_id else ''}{self.name}={self.value}"


def parse_params(options: Sequence[str]) -> tuple[ParamSetting, ...]:
    """Read `NAME=VALUE` and `RULE.NAME=VALUE` of the command line.

    Raises InputError naming every option that is not written so, or that sets a parameter a second time.
    """
    settings: dict[tuple[str | None, str], ParamSetting] = {}
    faults = []
    for option in options:
        match = _OPTION.fullmatch(option.strip())
        if match is None:
            faults.append(
                f"--param {option}：写法应为 参数=整数 或 规则.参数=整数，例如 child_age=16（write NAME=VALUE or RULE.NAME=VALUE, "
                "a whole number, such as child_age=16）"
            )
            continue
        setting = ParamSetting(match["rule"], match["name"], int(match["value"]))
        if settings.setdefault((setting.rule_id, setting.name), setting) is not setting:
            faults.append(f"--param {option}：同一参数指定了两次，请只保留一个（set twice: keep one）")
    if faults:
        raise InputError("\n".join(faults))
    return tuple(settings.values())


def check_params(settings: Sequence[ParamSetting], rules: Sequence[Rule]) -> None:
    """See that rules declare every parameter and allow every value.

    Raises InputError naming all that do not, with what is known and allowed.
    """
    faults = []
    for setting in settings:
        declared = [(rule, param) for rule in rules for param in rule.params if _sets(setting, rule.id, param)]
        if not declared:
            faults.append(
                f"--param {setting}：没有规则声明这个参数，可用的参数：{_known(rules)}"
                "（no rule declares this parameter; write one of those listed）"
            )
        for rule, param in declared:
            low, high = param.allowed
            if not low <= setting.value <= high:
                faults.append(
                    f"--param {setting}：规则 {rule.id} 的 {param.name} 只允许 {low} 到 {high}，请改用其中的值"
                    f"（outside what the rule allows, {low} to {high}）"
                )
    if faults:
        raise InputError("\n".join(faults))


def values_for(settings: Sequence[ParamSetting], rule_id: str) -> Mapping[str, int]:
    """The values set for a rule, by name; one that names the rule counts before one for all rules."""
    general = {setting.name: setting.value for setting in settings if setting.rule_id is None}
    return general | {setting.name: setting.value for setting in settings if setting.rule_id == rule_id}


def _sets(setting: ParamSetting, rule_id: str, param: Param) -> bool:
    return setting.rule_id in (None, rule_id) and setting.name == param.name


def _known(rules: Sequence[Rule]) -> str:
    owners: dict[str, list[str]] = {}
    for rule in rules:
        for param in rule.params:
            owners.setdefault(param.name, []).append(rule.id)
    return "；".join(f"{name}（{'、'.join(ids)}）" for name, ids in sorted(owners.items())) or "无 none"
