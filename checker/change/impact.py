"""What other knowledge or other rules would newly flag, no longer flag, or flag at another level on given data: two scans, compared."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from checker.change.impact_findings import SAMPLE, CalledLines, Extent, FindingChange, compare
from checker.change.impact_sides import Given, resolve
from checker.change.limits import NO_LIMITS, Limits, Threshold
from checker.ingest.gather import Input
from checker.model.errors import InputError
from checker.rulebook.params import ParamSetting
from checker.scan.progress import Progress
from checker.scan.request import ScanRequest, ScanResult
from checker.scan.scan import scan
from checker.scan.summary import Measure


@dataclass(frozen=True, slots=True)
class ImpactRequest:
    """What is compared, on which data; paths as given by the caller.

    `before` and `after` are each a knowledge base (a built folder, a folder of text, or the word `embedded`) or a folder of rules,
    both of one kind; knowledge lies upon `onto` where that is another. Without `after` it is `before` with other `params`, which hold for
    `after` only. `kb` is the knowledge for two folders of rules, the embedded one otherwise, `rules` the rules for two knowledge bases. The
    files of `crosswalk` lie on the knowledge of either side. Rules lie on top of the embedded ones, or with `only_rules` on nothing. Of
    `limits` those of findings count. Scratch files go to `work`, else to the
    system's folder for temporary files.
    """

    before: str
    claims: Sequence[Input]
    after: str | None = None
    onto: str | None = None
    settlements: Sequence[Input] = ()
    visits: Sequence[Input] = ()
    diagnoses: Sequence[Input] = ()
    maps: Sequence[str] = ()
    kb: Sequence[Path] = ()
    crosswalk: Sequence[Path] = ()
    rules: Sequence[Path] = ()
    only_rules: bool = False
    params: Sequence[ParamSetting] = ()
    as_of: date | None = None
    region: str | None = None
    language: str = "zh"
    limits: Limits = NO_LIMITS
    sample: int = SAMPLE
    work: Path | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison: what it was, and what its scan found. Flagged lines are those that violate or are undetermined.

    `shadow_lines` were hit by points and rules on trial; they are counted here and take no part in the comparison. `not_judged` is what
    run.json says under that name.
    """

    given: str
    params: tuple[str, ...]
    knowledge_version: str
    knowledge_hash: str
    rules_hash: str
    findings: int
    flagged: Extent
    violations: Measure
    undetermined: Measure
    exempt: Measure
    shadow_lines: int
    not_judged: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """What changes from `before` to `after`. `kind` is knowledge or rules: what the two differ in, parameters aside.

    Lines read = judged + skipped + rejected; both sides read the same ones.
    """

    kind: str
    before: Side
    after: Side
    read: int
    judged: int
    skipped: int
    rejected: int
    new: FindingChange
    gone: FindingChange
    changed: FindingChange
    thresholds: tuple[Threshold, ...]
    incomplete: tuple[str, ...] = ()
    """Why the lines are not all that was given, said in both languages."""
    called: tuple[CalledLines, ...] = ()
    """How the lines are called that points cover by a family on the later side."""

    @property
    def new_share(self) -> Decimal:
        """Newly flagged lines as a share of the judged lines."""
        return Decimal(self.new.extent.lines) / self.judged

    @property
    def exceeded(self) -> tuple[Threshold, ...]:
        """The limits that are exceeded."""
        return tuple(threshold for threshold in self.thresholds if threshold.exceeded)

    @property
    def any_change(self) -> bool:
        """Whether anything changes at all."""
        return any(change.extent.lines for change in (self.new, self.gone, self.changed))


def impact(request: ImpactRequest, progress: Progress | None = None) -> Impact:
    """Scan the claims once with either side and compare the findings.

    Raises InputError for sides that are of different kinds or cannot be opened, for a parameter that no rule declares or allows,
    and for data that a scan refuses; InternalError where the engine fails.
    """
    if request.work is not None and not request.work.is_dir():
        raise InputError(f"--work {request.work}：没有这个文件夹，请先建立或换一个（no such folder）")
    with tempfile.TemporaryDirectory(prefix="liangku-impact-", dir=request.work) as folder:
        work = Path(folder)
        kind, before, after = resolve(
            request.before, request.after, onto=request.onto, kb=request.kb, rules=request.rules, only_rules=request.only_rules, params=request.params,
            work=work,
        )  # fmt: skip
        return impact_of(request, kind, before, after, work, progress)


def impact_of(
    request: ImpactRequest, kind: str, before: Given, after: Given, work: Path, progress: Progress | None = None
) -> Impact:
    """Compare two sides that stand ready to scan with; of `request` the data, the thresholds and the sample count. Raises as `impact`."""
    # Either side calls persons the same; who reads the comparison sees only how many they are.
    key = secrets.token_hex(16)
    first = scan(_scan_request(request, before, work / "scan-before", key), progress)
    second = scan(_scan_request(request, after, work / "scan-after", key), progress)
    if progress is not None:
        # The connection of the second scan is closed: nobody may ask it any longer how far it is.
        progress.step("write", None)
    if _counted(first) != _counted(second):
        raise InputError(
            "--claims：两次扫描之间数据变了，请等数据写完再比较（the data changed between the two scans: compare when they are complete）"
        )
    compared = compare(first.out, second.out, work, sample=request.sample)
    census = second.census
    return Impact(
        kind=kind,
        before=_side(before, first, compared.flagged_before),
        after=_side(after, second, compared.flagged_after),
        read=census.read,
        judged=census.judged,
        skipped=sum(census.skipped.values()),
        rejected=sum(census.rejected.values()),
        new=compared.new,
        gone=compared.gone,
        changed=compared.changed,
        thresholds=request.limits.of_findings(compared, census.judged),
        incomplete=tuple(gap.said for gap in second.gaps),
        called=compared.called,
    )


def _counted(result: ScanResult) -> tuple[object, ...]:
    """What was read, whatever the knowledge makes of its codes."""
    census = result.census
    return census.read, census.judged, census.skipped, census.rejected


def _scan_request(request: ImpactRequest, side: Given, out: Path, key: str) -> ScanRequest:
    return ScanRequest(
        inputs=request.claims, out=out, settlements=request.settlements, visits=request.visits, diagnoses=request.diagnoses,
        maps=request.maps, as_of=request.as_of, kb=side.kb, crosswalk=request.crosswalk, rules=side.rules, only_rules=side.only_rules, region=request.region,
        language=request.language, params=side.params, person_key=key,
    )  # fmt: skip


def _side(given: Given, result: ScanResult, flagged: Extent) -> Side:
    run, summary = result.run, result.summary
    return Side(
        given=given.name,
        params=tuple(str(setting) for setting in given.params),
        knowledge_version=run["knowledge"]["version"],
        knowledge_hash=run["knowledge"]["hash"],
        rules_hash=run["rules"]["hash"],
        findings=summary.findings,
        flagged=flagged,
        violations=summary.violations,
        undetermined=summary.undetermined,
        exempt=summary.exempt,
        shadow_lines=result.shadow.lines,
        not_judged=tuple(run["not_judged"]),
    )
