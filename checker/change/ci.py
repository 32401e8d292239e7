"""What a change of knowledge or rules means, in one report: checked, compared to its base, and judged on the same lines."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Self

from checker.change.baseline import open_basis
from checker.change.edits import Edit, edits_of
from checker.change.endings import endings_of
from checker.change.impact import Impact, ImpactRequest, impact_of
from checker.change.impact_sides import Given, base_of
from checker.change.limits import NO_LIMITS, Limits, Threshold
from checker.change.misnamed import Misnamed, misnamed
from checker.change.relaxed import relaxed, widened
from checker.knowledge.build import build_rows
from checker.knowledge.checks.layers import Layer, given_layer, text_layer
from checker.knowledge.checks.run import Checked, check_ids, check_knowledge, fails
from checker.knowledge.checks.standing import Standing, apart, read_baseline, standing_of
from checker.knowledge.diff.compare import KnowledgeDiff, diff_knowledge
from checker.knowledge.resolve import open_plan
from checker.knowledge.source import (
    TEXT_FILES,
    Reading,
    Sources,
    read_text_folder,
    sources_read,
)
from checker.model.china_time import china_today
from checker.model.embedded import embedded_rules_folder
from checker.model.errors import InputError, RuleError
from checker.proof.cases import Stage
from checker.proof.stages import every_stage
from checker.rulebook.diff import RulesDiff, diff_rules
from checker.rulebook.load import load_rules
from checker.rulebook.plan import Plan
from checker.rulebook.rule import Rulebook
from checker.scan.progress import Progress

SAMPLE_CLAIMS = Path("data/samples/national")
"""The lines that are judged where none are named and the working folder has these."""
SAMPLE_LINES = 5
"""How many lines of each change of the findings are shown."""
_SAMPLE_FILES = ("fee_list_d.parquet", "setl_d.parquet", "mdtrt_d.parquet", "setl_list_diag_d.parquet")


@dataclass(frozen=True, slots=True)
class CiRequest:
    """A change and what it is held against; paths as given by the caller, `sources` and `rules` as `open_basis` takes them.

    The rules judge as with `--rules`: on top of the embedded ones, or with `only_rules` alone. Of the issues of the check those count that neither
    the base has nor the `baseline` names; warnings of the checks in `strict` count as errors do. Text that is a supplement is checked and judged
    upon `onto`, a knowledge base or the word embedded.
    """

    base: str
    sources: Path
    rules: Path
    claims: Sequence[str | Path] = ()
    settlements: Sequence[str | Path] = ()
    visits: Sequence[str | Path] = ()
    diagnoses: Sequence[str | Path] = ()
    maps: Sequence[str] = ()
    limits: Limits = NO_LIMITS
    only_rules: bool = False
    day: date | None = None
    language: str = "zh"
    baseline: Path | None = None
    strict: Sequence[str] = ()
    onto: str | None = None


@dataclass(frozen=True, slots=True)
class CiReport:
    """What was found of a change. A part is NULL where there is nothing to compare; `unmeasured` says why there is no impact.

    `rule_fault` holds what is wrong with rule files that do not load; `thresholds` are the limits of what goes out of the text or is
    written over, `edits` what was; `misnamed` are points whose lines are mostly called otherwise; of `strict` checks warnings count.
    """

    base: str
    checked: Checked | None
    rule_fault: str | None
    stages: tuple[Stage, ...]
    knowledge: KnowledgeDiff | None
    rules: RulesDiff | None
    impact: Impact | None
    unmeasured: str | None
    thresholds: tuple[Threshold, ...] = ()
    edits: tuple[Edit, ...] = ()
    misnamed: tuple[Misnamed, ...] = ()
    strict: tuple[str, ...] = ()

    @property
    def rules_pass(self) -> bool:
        """Whether every rule went through every stage."""
        return self.rule_fault is None and all(stage.passed == stage.total for stage in self.stages)

    @property
    def failed(self) -> bool:
        """Whether the change must not land: an error of the check, a rule that does not pass, a limit exceeded."""
        wrong = self.checked is not None and any(
            fails(issue, strict=issue.validator in self.strict) for issue in self.checked.issues
        )
        return wrong or not self.rules_pass or bool(self.exceeded)

    @property
    def exceeded(self) -> tuple[Threshold, ...]:
        """The limits that are exceeded, of the text and on the lines."""
        of_lines = () if self.impact is None else self.impact.exceeded
        return (*(each for each in self.thresholds if each.exceeded), *of_lines)


def run_ci(request: CiRequest, progress: Progress | None = None) -> CiReport:
    """Check the change, compare it to its base, and judge the lines with both.

    Raises InputError for a base or claims that cannot be used, and KnowledgeError or RuleError where the base itself does not load.
    """
    sources = request.sources if request.sources.is_dir() else None
    rules = request.rules if request.rules.is_dir() else None
    if sources is None and rules is None:
        raise InputError(
            f"{request.sources}、{request.rules}：两个文件夹都没有，请在仓库根目录运行，或用 --sources、--rules 指定"
            "（neither folder is there: run at the top of the repository, or name them）"
        )
    with tempfile.TemporaryDirectory(prefix="liangku-ci-") as folder:
        work = Path(folder)
        base = open_basis(request.base, request.sources, request.rules, work / "base")
        for own, there, asked in ((sources, base.sources, request.sources), (rules, base.rules, request.rules)):
            if there is not None and own is None:
                raise InputError(
                    f"{asked}：对照 {base.name} 中有这个文件夹，现在没有，无法检查；请恢复，或改正路径"
                    "（the base has this folder and the change has not: restore it, or name the right one）"
                )
        _check_files(base.sources, sources, base.name)
        # The program's own rules are what is changed: they stand for themselves on both sides.
        alone = request.only_rules or (rules is not None and rules.resolve() == embedded_rules_folder().resolve())
        rule_fault, loaded, stages, plan = _prove(rules, alone=alone)
        day = request.day or china_today()
        # A province's text takes seconds to read: each side's is read once.
        text, base_text = (_Text.of(folder) if folder else None for folder in (sources, base.sources))
        layer = text.layer if text else None
        checked = None if layer is None else _checked(layer, base_text, plan, day, request)
        readable = rule_fault is None and (checked is None or not checked.fails(strict=False))
        knowledge: KnowledgeDiff | None = None
        rules_diff: RulesDiff | None = None
        measured: Impact | None = None
        unmeasured: str | None = "errors"
        if readable:
            below = base_of(request.onto, work / "onto")
            before = _side(base.name, work / "before", base_text, base.rules, below, alone=alone)
            after = _side(str(sources or rules), work / "after", text, rules, below, alone=alone)
            if text is not None and base_text is not None:
                knowledge = diff_knowledge(base_text.sources, text.sources, given=(before.given.name, after.given.name))
            if base.rules is not None and loaded is not None:
                rules_diff = diff_rules(load_rules(base.rules), loaded)
            measured, unmeasured = _measure(request, before, after, knowledge, rules_diff, work, progress)
        edits, thresholds = _edits(request.limits, knowledge, base_text, text, day)
    strange = () if knowledge is None or measured is None else misnamed(knowledge, measured.called)
    if measured is not None:
        thresholds += request.limits.of_names(strange)
    return CiReport(
        base.name, checked, rule_fault, stages, knowledge, rules_diff, measured, unmeasured, thresholds, edits, strange, tuple(request.strict)
    )  # fmt: skip


def _edits(
    limits: Limits, knowledge: KnowledgeDiff | None, before: _Text | None, after: _Text | None, day: date
) -> tuple[tuple[Edit, ...], tuple[Threshold, ...]]:
    """What the change writes over, ends or relaxes, and the limits of that."""
    if knowledge is None or before is None or after is None:
        return (), ()
    layer = after.layer
    places = {key: (file, row) for key, file, row in layer.point.select("point_id", "file", "row").iter_rows()}
    endings = endings_of(knowledge, before.sources, after.sources, places, day)
    exemptions = {key: (place.file, place.row) for key, place in layer.exemption_places.items()}
    edits = (
        *edits_of(knowledge, places, day),
        *relaxed(knowledge, before.sources, after.sources, places),
        *widened(knowledge.exemptions, before.sources, after.sources, exemptions, day),
        *endings.edits,
    )
    return edits, limits.of_knowledge(knowledge, edits, endings.share)


def _check_files(base: Path | None, sources: Path | None, name: str) -> None:
    """Refuse a change that loses a file of text: without exemption.toml, say, there would be no exemptions, and no word about it."""
    if base is None or sources is None:
        return
    for file in TEXT_FILES:
        if (base / file).is_file() and not (sources / file).is_file():
            raise InputError(
                f"{sources / file}：对照 {name} 中有这个文件，现在没有；请恢复，确实不要的留下表头（the base has this file and the change has "
                "not: restore it, or leave its header where nothing of it shall stay）"
            )


@dataclass(frozen=True)
class _Text:
    """A folder of text, read once for all that looks at it."""

    folder: Path
    read: Reading

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Read the folder. Raises KnowledgeError for one that cannot be read at all."""
        return cls(folder, read_text_folder(folder))

    @cached_property
    def layer(self) -> Layer:
        """Its rows with their places, for the check."""
        return text_layer(self.folder, self.read)

    @cached_property
    def sources(self) -> Sources:
        """Its rows. Raises KnowledgeError for what is wrong with them."""
        return sources_read(self.read)


def _checked(layer: Layer, base: _Text | None, plan: Plan, day: date, request: CiRequest) -> Checked:
    """What the check finds of the change and neither of its base nor in the baseline."""
    known = frozenset[Standing]() if request.baseline is None else read_baseline(request.baseline)
    check_ids(request.strict)
    below = [] if request.onto is None else [given_layer(Path(request.onto))]
    checked = check_knowledge([*below, layer], plan.rules, day)
    before = [*below, *([base.layer] if base else [])]
    # What the change has not cannot stand in its base: only the checks that found something look at the base as well.
    if before and (found := {issue.validator for issue in checked.issues}):
        known |= standing_of(check_knowledge(before, plan.rules, day, only=found).issues)
    return apart(checked, known)


def _prove(folder: Path | None, *, alone: bool) -> tuple[str | None, Rulebook | None, tuple[Stage, ...], Plan]:
    """What is wrong with the rules, the rules, how far each got, and the rules to judge by: the embedded ones where they do not load."""
    if folder is None:
        return None, None, (), open_plan()
    try:
        rules = load_rules(folder)
        return None, rules, every_stage(folder, rules), open_plan([folder], only_rules=alone)
    except RuleError as error:
        return str(error), None, (), open_plan()


@dataclass(frozen=True, slots=True)
class _Side:
    """A side of the comparison; the knowledge base of its text is built only where lines are judged with it."""

    given: Given
    out: Path
    text: Sources | None

    def built(self) -> Given:
        """The side ready to scan with."""
        if self.text is not None:
            build_rows(self.text, self.out)
        return self.given


def _side(
    name: str, out: Path, text: _Text | None, rules: Path | None, below: tuple[Path, ...], *, alone: bool
) -> _Side:
    """A side; where it has no text or no rules of its own, the embedded ones stand for them. Raises KnowledgeError for what is wrong with its text."""
    kb = below if text is None else (*below, out)
    given = Given(name, kb) if rules is None else Given(name, kb, (rules,), alone)
    return _Side(given, out, None if text is None else text.sources)


def _measure(
    request: CiRequest, before: _Side, after: _Side, knowledge: KnowledgeDiff | None, rules: RulesDiff | None, work: Path,
    progress: Progress | None,
) -> tuple[Impact | None, str | None]:  # fmt: skip
    """The impact, or why there is none: unchanged, no_base (nothing of the kind in the base), no_claims."""
    if knowledge is None and rules is None:
        return None, "no_base"
    if (knowledge is None or not knowledge.any_change) and (rules is None or rules.empty):
        return None, "unchanged"
    claims, settlements, visits, diagnoses = request.claims, request.settlements, request.visits, request.diagnoses
    if not claims:
        lines, *headers = (SAMPLE_CLAIMS / name for name in _SAMPLE_FILES)
        if not lines.is_file():
            return None, "no_claims"
        claims, (settlements, visits, diagnoses) = [lines], ([header] for header in headers)
    asked = ImpactRequest(
        before=before.given.name, after=after.given.name, claims=claims, settlements=settlements, visits=visits, diagnoses=diagnoses,
        maps=request.maps, language=request.language, limits=request.limits, sample=SAMPLE_LINES,
    )  # fmt: skip
    return impact_of(asked, "knowledge", before.built(), after.built(), work, progress), None
