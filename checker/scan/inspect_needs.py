"""What the inputs lack: for which rule, or for what else, and how to give it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from checker.ingest.gather import Gathered
from checker.ingest.sources import Source
from checker.model.words import Said
from checker.rulebook.plan import RulePlan


@dataclass(frozen=True, slots=True)
class Need:
    """Something that some columns give, any of them: what it is called, what it is for where no rule reads it, and where it may stand."""

    columns: tuple[tuple[str, ...], ...]
    name: Said
    without: Said
    roles: tuple[str, ...] = ("lines", "settlements", "visits")


FACTS: Mapping[str, Need] = {
    "sex": Need(
        (("patient_sex",), ("patient_id_number",), ("insured_sex",)), ("性别", "sex"),
        ("区分性别的规则都无法判断", "no rule about sex can judge"),
    ),
    "age": Need(
        (("patient_birth_date",), ("patient_age",), ("patient_id_number",), ("insured_birth_date",), ("insured_age",)), ("出生日期或年龄", "birth date or age"),
        ("区分年龄的规则都无法判断", "no rule about age can judge"),
    ),
    "prescription": Need(
        (("prescription_id",), ("visit_id", "prescriber"), ("settlement_id", "prescriber")), ("处方号", "prescription number"),
        ("不知道同一张处方里有哪些项目，无法判断", "what stands in one prescription is not known"), ("lines",),
    ),
}  # fmt: skip
"""What rules read, by the facts of their shapes."""
OTHERS: tuple[Need, ...] = (
    Need((("quantity",),), ("数量", "quantity"), ("退费不能按数量抵减", "refunds cannot be netted by quantity"), ("lines",)),
    Need((("amount",),), ("金额", "amount"), ("疑点没有金额", "findings have no yuan"), ("lines",)),
    Need(
        (("visit_id",), ("settlement_id",)), ("就诊号或结算号", "visit or settlement number"),
        ("退费、重复上传和就诊、结算表都对不上", "refunds, duplicates, and tables of visits and settlements have nothing to be matched by"), ("lines",),
    ),
    Need(
        (("diagnosis_code",),), ("诊断", "diagnoses"), ("与诊断有关的豁免不能适用", "exemptions by diagnosis cannot apply"),
        ("lines", "settlements", "visits", "diagnoses"),
    ),
    Need((("institution_id",),), ("机构编码", "institution"), ("疑点不能按机构汇总", "findings cannot be summed up by institution")),
)  # fmt: skip
"""What a scan does without, and what is lost."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What no input has, the ids of the rules that cannot judge without it (none: a scan does without), and how to give it."""

    name: Said
    without: Said
    rules: tuple[str, ...]
    how: tuple[str, ...]


def find_missing(files: Gathered, rules: Iterable[RulePlan]) -> tuple[Missing, ...]:
    """What of all that rules read, and of what else is of use, no input has; nothing is asked for where there are no lines at all."""
    if not files.lines and not files.unknown:
        return ()
    reading: dict[str, list[str]] = {}
    for rule in rules:
        for fact in rule.reads:
            reading.setdefault(fact, []).append(rule.id)
    wanted = [(need, tuple(reading[fact])) for fact, need in FACTS.items() if fact in reading]
    wanted += [(need, ()) for need in OTHERS]
    return tuple(
        Missing(need.name, need.without, ids, _how(files, need)) for need, ids in wanted if not _given(files, need)
    )


def _given(files: Gathered, need: Need) -> bool:
    return any(
        role == "diagnoses" or all(name in source.map.columns and source.map.has(name) for name in group)
        for role in need.roles
        for source in _of(files, role)
        for group in need.columns
    )


def _of(files: Gathered, role: str) -> Sequence[Source]:
    sources: Sequence[Source] = getattr(files, role)
    return sources


def _how(files: Gathered, need: Need) -> tuple[str, ...]:
    """Options that would give it: the tables that the lines have a key for, and --map."""
    keys = {name for source in files.lines for name in ("settlement_id", "visit_id") if source.map.has(name)}
    options = []
    if "settlements" in need.roles and "settlement_id" in keys and not files.settlements:
        options.append("--settlements FILE")
    if "visits" in need.roles and "visit_id" in keys and not files.visits:
        options.append("--visits FILE")
    if "diagnoses" in need.roles and keys:
        options.append("--diagnoses FILE")
    return (*options, *(f"--map {group[0]}=表头" for group in need.columns if len(group) == 1))
