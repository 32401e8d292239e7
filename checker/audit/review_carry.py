"""Decisions go on to the next run [结转]: a finding keeps its id, so that nobody has to decide it twice."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from checker.audit.decisions import changing, read_decisions
from checker.audit.review_findings import months, violations
from checker.audit.run_folder import RunFolder
from checker.model.errors import InputError, both


@dataclass(frozen=True, slots=True)
class Carried:
    """What went on. `carried` are decided anew in the new run, `replaced` otherwise than there before; `same` and `kept` were decided
    there already, alike or otherwise. `gone` findings are not in the new run, `gone_decided` of them were decided, and `outside` of these lie in
    months that it has no lines of; `new` are not in the old run. `undecided` are those of the new run that nobody decided yet.
    """

    carried: int
    replaced: int
    same: int
    kept: int
    gone: int
    gone_decided: int
    outside: int
    new: int
    undecided: int
    old_months: frozenset[str]
    new_months: frozenset[str]


def carry(old: RunFolder, new: RunFolder, *, replace: bool) -> Carried:
    """Take the decisions of one run over into the next; what was decided there stays, unless `replace` is asked for.

    Raises InputError where both are one run, or where there is nothing to carry.
    """
    if old.folder.resolve() == new.folder.resolve():
        raise InputError(
            f"{new.folder}：" + both("新旧是同一个文件夹，请给出两次扫描的", "one folder twice: name two runs")
        )
    told = read_decisions(old.folder)
    if not told:
        raise InputError(
            f"{old.folder}："
            + both("还没有审核结论，请先用 liangku review import 导入", "nothing was decided: import decisions first")
        )
    before, after = violations(old), violations(new)
    old_months, new_months = months(old), months(new)
    here = set(after["finding_id"])
    gone = before.filter(~pl.col("finding_id").is_in([*here]))
    decided = gone.filter(pl.col("finding_id").is_in([*told]))
    outside = decided.filter(~pl.col("service_time").dt.strftime("%Y-%m").is_in([*new_months]))
    with changing(new.folder) as decisions:
        common = [finding for finding in told if finding in here]
        fresh = [finding for finding in common if finding not in decisions]
        otherwise = [
            finding for finding in common if finding in decisions and not told[finding].is_as(decisions[finding])
        ]
        decisions.update({finding: told[finding] for finding in (*fresh, *(otherwise if replace else ()))})
        undecided = len(here - decisions.keys())
    return Carried(
        carried=len(fresh),
        replaced=len(otherwise) if replace else 0,
        same=len(common) - len(fresh) - len(otherwise),
        kept=0 if replace else len(otherwise),
        gone=gone.height,
        gone_decided=decided.height,
        outside=outside.height,
        new=len(here - set(before["finding_id"])),
        undecided=undecided,
        old_months=old_months,
        new_months=new_months,
    )
