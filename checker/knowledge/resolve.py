"""Which knowledge and which rules a command uses: those named, or those that came with the program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.knowledge.edition import Edition, open_edition
from checker.model.embedded import embedded_edition_folder, embedded_rules_folder
from checker.model.errors import InputError
from checker.rulebook.load import Layer
from checker.rulebook.plan import PLAN_FILE, Plan, load_plan

if TYPE_CHECKING:
    from checker.rulebook.params import ParamSetting


def open_editions(folders: Sequence[Path]) -> tuple[Edition, ...]:
    """Open the knowledge bases named by `--kb`, base first, or the embedded one."""
    if folders:
        return tuple(open_edition(folder) for folder in folders)
    return (open_edition(embedded_edition_folder(), embedded=True),)


def knowledge_files(editions: Sequence[Edition]) -> list[Path]:
    """The Parquet files that a connection must be allowed to read for these editions."""
    return [path.absolute() for edition in editions for path in edition.folder.glob("*.parquet")]


def open_plan(rules: Sequence[Path] = (), *, only_rules: bool = False, params: Sequence[ParamSetting] = ()) -> Plan:
    """Load the embedded rules and upon them those of `--rules`, in order; with `only_rules` the latter alone.

    `params` set parameters of the rules otherwise. Raises RuleError, and InputError where no rules are left or for a parameter that no
    rule declares or allows.
    """
    if only_rules and not rules:
        raise InputError(
            "--only-rules 不用内置规则，请同时用 --rules 指定规则文件夹（without the embedded rules: name a folder of rules with --rules）"
        )
    layers = [] if only_rules else [Layer(embedded_rules_folder(), embedded=True)]
    layers += [Layer(folder) for folder in rules]
    return load_plan(layers, cache=embedded_edition_folder() / PLAN_FILE, params=params)
