"""What a scan brings the shape `evidence`: what is on file of the patients, diagnoses and drugs, as far as points of the input ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.ingest.gather import Gathered
from checker.ingest.person_rows import Persons
from checker.ingest.settlement_flags import RefundSettlements
from checker.judge import classes, diagnoses
from checker.judge.candidates import Joined
from checker.judge.patients import find_patients, gather_patients

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Asked:
    """What points of the input ask for: diagnoses, those of the patient's history too, and earlier drugs of their classes."""

    diagnoses: bool
    history: bool
    classes: bool

    @property
    def patients(self) -> bool:
        """Whether more counts of a patient than the visit."""
        return self.history or self.classes

    @property
    def unneeded(self) -> frozenset[str]:
        """The columns of staged lines that are then not needed."""
        return frozenset() if self.diagnoses else diagnoses.STAGED


def find_asked(connection: duckdb.DuckDBPyConnection) -> Asked:
    """Look at the points of the input (`hot`); makes `class_code` of codes of the classes asked for."""

    def some(condition: str) -> bool:
        return one_number(connection, f"SELECT count(*) FROM hot JOIN point USING (point_no) WHERE {condition}") > 0

    asks_classes = some("drug_class IS NOT NULL")
    if asks_classes:
        classes.find_classes(connection)
    return Asked(some("indications IS NOT NULL"), some("is_chronic = 'yes'"), asks_classes)


def select_patients(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    second: dict[int, bool],
    asked: Asked,
    *,
    refund_settlements: RefundSettlements,
    unneeded: frozenset[str],
    spilled: tuple[Path, ...],
    work: Path,
) -> tuple[Path, ...]:
    """Look at all lines of the patients asked about, and stage those of the classes; returns the files of the staged lines, if any, with one more
    in the folder `work`.
    """
    if not asked.patients:
        return spilled
    find_patients(connection, files, "drug_class IS NOT NULL OR is_chronic = 'yes'", unneeded, work)
    asked_rows = Persons(connection, files.engine, "asked", "SELECT patient FROM asked_patient").rows_of(
        files.lines, or_nobody=True
    )
    gather_patients(
        connection, files, unneeded, refund_settlements=refund_settlements, with_diagnoses=asked.history, asked_rows=asked_rows, work=work,
    )  # fmt: skip
    if not asked.classes:
        return spilled
    return classes.select_classes(
        connection, files, second, refund_settlements=refund_settlements, unneeded=unneeded, asked_rows=asked_rows, spilled=spilled,
        work=work,
    )  # fmt: skip


def gather_relations(
    connection: duckdb.DuckDBPyConnection, beside: Joined, asked: Asked, unneeded: frozenset[str]
) -> None:
    """Make the relations of the shape, empty where nothing asks; after netting and, where diagnoses are asked for, `gather_diagnoses`."""
    diagnoses.gather_diagnosed(connection, beside, asked.diagnoses, unneeded, of_history=asked.history)
    classes.gather_class_uses(connection, beside, asked.classes, unneeded)
