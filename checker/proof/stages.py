"""Takes a folder of rules through every stage: engine and cases, texts all written, lock kept, pages up to date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from checker.model.embedded import embedded_rules_folder
from checker.model.errors import Fault
from checker.proof.cases import Stage, prove
from checker.proof.coverage import own_coverage
from checker.rulebook.docs import compose, stale
from checker.rulebook.fill import unfilled
from checker.rulebook.lock import compare, current_rules, read_lock
from checker.rulebook.rule import Rulebook
from checker.rulebook.tables import read_tables


def every_stage(folder: Path, rulebook: Rulebook, *, embedded: bool = False) -> tuple[Stage, ...]:
    """Take a loaded rulebook and its folder through parse, compile, explain, cases, complete; lock where the folder has one; docs.

    The stage `docs` is of the checkout's own rules, while `docs/rules` stands beside their folder. Raises RuleError as
    `run_cases` and `read_lock` do.
    """
    lock = _lock(folder)  # first, because a lock that cannot be read stops everything
    return (
        *prove(rulebook, embedded=embedded),
        _complete(folder, rulebook),
        *lock,
        *_docs(folder, rulebook),
    )


def _complete(folder: Path, rulebook: Rulebook) -> Stage:
    faults = unfilled(read_tables(folder))
    return _stage("complete", len(rulebook.rules), faults, len({fault.file for fault in faults}))


def _lock(folder: Path) -> Sequence[Stage]:
    lock = read_lock(folder)
    if lock is None:
        return ()
    now = current_rules(folder)
    faults = compare(lock, now).all
    return (_stage("lock", len({*lock.rules, *now}), faults, len(faults)),)


def _docs(folder: Path, rulebook: Rulebook) -> Sequence[Stage]:
    own = embedded_rules_folder().resolve()
    place = own.parent / "docs" / "rules"
    if folder.resolve() != own or not place.is_dir():
        return ()
    pages, coverage = compose(rulebook), own_coverage(folder, rulebook)
    faults = (*stale(pages, place), *(stale(coverage, place.parent) if coverage else ()))
    parts = (
        {str(place / page.name) for page in pages}
        | {str(place.parent / page.name) for page in coverage}
        | {fault.file for fault in faults}
    )
    return (_stage("docs", len(parts), faults, len(faults)),)


def _stage(name: str, total: int, faults: Sequence[Fault], failed: int) -> Stage:
    return Stage(name, total - failed, total, tuple(map(str, faults)))
