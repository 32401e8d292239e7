"""What the commands of `liangku rules` share: which rules, and how their values read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.cli.output import print_json, say
from checker.rulebook.names import STAGES

if TYPE_CHECKING:
    from rich.console import Console

    from checker.model.errors import Fault
    from checker.rulebook.rule import Rule, Rulebook


def load(folder: Path | None) -> tuple[Rulebook, Path, bool]:
    """The rulebook, its folder, and whether it is the one that came with the program."""
    from checker.model.embedded import embedded_rules_folder
    from checker.rulebook.load import load_rules

    if folder is not None:
        return load_rules(folder), folder, False
    return load_rules(embedded_rules_folder(), embedded=True), embedded_rules_folder(), True


def checkout_rules() -> Path | None:
    """The folder of the rules that come with the program where it is a checkout's, which may be written to; None in an installed wheel."""
    from checker.model.embedded import embedded_rules_folder

    folder = embedded_rules_folder()
    return None if folder.parent.name == "_embedded" else folder


def writable_rules(folder: Path | None) -> Path:
    """The folder given, else the checkout's; InputError where neither is there."""
    from checker.model.errors import InputError

    place = folder or checkout_rules()
    if place is None:
        raise InputError(
            "--rules：程序是安装的，自带的规则不能改，请指定你的规则文件夹（installed without a checkout: name your folder with --rules）"
        )
    return place


def chosen_rules(rulebook: Rulebook, ids: Sequence[str]) -> tuple[Rule, ...]:
    """The rules of these ids, all where none is named; InputError for an id that no rule has."""
    from checker.model.errors import InputError

    known = [rule.id for rule in rulebook.rules]
    unknown = [rule_id for rule_id in ids if rule_id not in known]
    if unknown:
        raise InputError(f"没有规则“{'、'.join(unknown)}”（no such rule），已有的规则（known）：{', '.join(known)}")
    return tuple(rule for rule in rulebook.rules if not ids or rule.id in ids)


def level_text(level: str, lang: str) -> str:
    """A level in a language, the Chinese word beside the field's own."""
    from checker.model.words import LEVELS

    return level if lang == "en" else f"{LEVELS[level][0]} {level}"


def stage_text(stage: str, lang: str) -> str:
    """A stage in a language."""
    return STAGES[stage][lang == "en"]


def mark(good: bool) -> str:
    """The sign of what passes or fails."""
    return "✓" if good else "✗"


def plain(texts: Iterable[str]) -> list[Any]:
    """Texts of a rule as they stand, without rich reading markup into them."""
    from rich.text import Text

    return [Text(text) for text in texts]


def console() -> Console:
    """Where tables are printed."""
    from checker.report.console import wide_console

    return wide_console()


def print_faults(faults: Sequence[Fault], told: str, *, as_json: bool) -> None:
    """Print whether a check passed, what was counted, and each fault beneath."""
    if as_json:
        print_json({"passed": not faults, "faults": [asdict(fault) for fault in faults]})
        return
    say(f"{mark(not faults)} {told}")
    for fault in faults:
        say(f"    {fault}")
