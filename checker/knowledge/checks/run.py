"""Running the checks over one knowledge base or several layers of one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from checker.knowledge.checks.check_input import CheckInput
from checker.knowledge.checks.issue import ERROR, Issue
from checker.knowledge.checks.layers import Layer, stacked
from checker.knowledge.checks.registry import VALIDATORS
from checker.knowledge.checks.validator import Validator
from checker.model.errors import InputError
from checker.rulebook.plan import RulePlan


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks found; `validators` are those that ran, `names` the layers from the base up, the counts rows without faults.

    `standing` issues are none of `issues`: they were there before (see `standing`).
    """

    names: tuple[str, ...]
    day: date
    points: int
    patterns: int
    exemptions: int
    validators: tuple[Validator, ...]
    issues: tuple[Issue, ...]
    standing: int = 0

    def count(self, severity: str) -> int:
        """How many issues are of this severity."""
        return sum(issue.severity == severity for issue in self.issues)

    def fails(self, *, strict: bool) -> bool:
        """Whether there is anything to mend: an error, or where `strict` a warning."""
        return any(fails(issue, strict=strict) for issue in self.issues)


def fails(issue: Issue, *, strict: bool) -> bool:
    """Whether the issue alone makes a check fail."""
    return issue.severity == ERROR or (strict and issue.severity == "warning")


def check_knowledge(
    layers: Sequence[Layer],
    rules: Sequence[RulePlan],
    day: date,
    *,
    only: Collection[str] = (),
    skip: Collection[str] = (),
) -> Checked:
    """Return what the validators find in the layers, read together, base first; `day` decides what has ended.

    `only` and `skip` are ids of validators. Raises InputError for an id that none has.
    """
    chosen = _chosen(only, skip)
    layer = stacked(layers)
    checked = CheckInput(layer, tuple(rules), day)
    issues = [issue for validator in chosen for issue in sorted(validator.issues(checked), key=_order)]
    return Checked(
        tuple(each.name for each in layers),
        day,
        layer.point.height,
        layer.pattern.height,
        len(layer.exemptions),
        chosen,
        tuple(issues),
    )


def check_ids(names: Iterable[str]) -> None:
    """Raise InputError where one of the names is that of no check."""
    known = [validator.id for validator in VALIDATORS]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            f"没有检查项“{'、'.join(unknown)}”，已有的检查项：{', '.join(known)}（no such check; those above are the known ones）"
        )


def _chosen(only: Collection[str], skip: Collection[str]) -> tuple[Validator, ...]:
    check_ids((*only, *skip))
    return tuple(each for each in VALIDATORS if (not only or each.id in only) and each.id not in skip)


def _order(issue: Issue) -> tuple[str, int, str]:
    return issue.place.file, issue.place.row or 0, issue.place.key or ""
