"""What was decided about the findings of a run [审核结论]: one CSV file beside the run's folder, `DIR.review.csv`.

Beside it, not in it: what a scan wrote is hashed and stays as it was; `scan --force`, which replaces what is in the folder and refuses what it did
not write, neither deletes months of people's work nor is stopped by it; and findings keep their ids, so that what was decided still holds after the
same month was scanned again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from checker.ingest.values import clean, read_number
from checker.knowledge.cell_reader import Faults, read_csv
from checker.model.errors import InputError, both, why
from checker.model.folder_lock import FolderLock
from checker.model.private_files import for_owner_alone
from checker.model.whole_file import write_whole
from checker.model.words import DECISIONS

COLUMNS = ("finding_id", "decision", "amount", "reason", "by", "decided")
FAULTS_TOLD = 20
CENT = Decimal("0.01")
A_WORD = both(
    "请写属实、不属实或已退回，还没有结论的留空", "write confirmed, refuted or refunded; leave it empty while undecided"
)
AN_AMOUNT = both(
    "请写退回的金额，大于 0，最多两位小数，如 128.50", "write the yuan that were refunded, above 0, such as 128.50"
)
NO_AMOUNT = both(
    "只有已退回才写金额，请删去，或把结论改为已退回", "an amount goes with refunded only: delete it, or write refunded"
)
TWICE = both("这个疑点写了两次，请只留一行", "the finding stands twice: keep one row")


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one finding; `amount` is what was refunded, in yuan. `by` may be empty."""

    finding_id: str
    decision: str
    amount: Decimal | None
    reason: str
    by: str
    decided: date

    def is_as(self, other: Decision) -> bool:
        """Whether the other says the same, whoever said it and when."""
        return (self.decision, self.amount, self.reason) == (other.decision, other.amount, other.reason)


def file_of(folder: Path) -> Path:
    """Where the decisions about the run in this folder lie, whatever way leads to the folder."""
    place = folder.resolve()
    return place.with_name(f"{place.name}.review.csv")


def read_decisions(folder: Path) -> dict[str, Decision]:
    """The decisions about a run by finding, none where none was taken. Raises InputError naming what is wrong with the file."""
    file, faults = file_of(folder), Faults()
    if not file.exists():
        return {}
    read: dict[str, Decision] = {}
    for cells in read_csv(file, COLUMNS, faults):
        decision = cells.choice("decision", tuple(DECISIONS))
        amount = None
        try:
            amount = amount_of(decision, clean(cells.values["amount"]))
        except ValueError as error:
            cells.fault("amount", str(error))
        finding = cells.text("finding_id")
        if finding in read:
            cells.fault("finding_id", TWICE)
        read[finding] = Decision(
            finding, decision, amount, cells.values["reason"], cells.values["by"], cells.day("decided")
        )
    faults.stop(FAULTS_TOLD)
    return read


def amount_of(decision: str, text: str | None) -> Decimal | None:
    """The yuan that were refunded, as written. Raises ValueError, saying what to write, where they do not go with the decision."""
    if decision != "refunded":
        if text is not None:
            raise ValueError(NO_AMOUNT)
        return None
    try:
        amount = Decimal(read_number(text or ""))
    except ValueError:
        raise ValueError(AN_AMOUNT) from None
    if amount <= 0 or amount != amount.quantize(CENT):
        raise ValueError(AN_AMOUNT)
    return amount.quantize(CENT)


@contextmanager
def changing(folder: Path) -> Iterator[dict[str, Decision]]:
    """The decisions about a run, to be changed by one command at a time: what is among them in the end is written, whole; after an error nothing."""
    file = file_of(folder)
    lock = FolderLock(file.with_name(f".{file.name}.lock"))
    try:
        taken = lock.take()
    except OSError as error:
        raise InputError(
            f"{file}：" + both(f"无法写入（{why(error)}），请检查权限", "cannot be written: check its permissions")
        ) from error
    if not taken:
        raise InputError(f"{file}：" + both("另一个命令正在写，请等它结束", "another command is writing: wait for it"))
    try:
        decisions = read_decisions(folder)
        before = dict(decisions)
        yield decisions
        if decisions != before:
            with for_owner_alone():
                write_whole(file, _text(decisions.values()))
    finally:
        lock.release()


def _text(decisions: Iterable[Decision]) -> str:
    """The file: with a byte order mark, for people open it with spreadsheets. Its texts were made plain when they were taken in."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in sorted(decisions, key=lambda each: each.finding_id):
        writer.writerow(
            [
                each.finding_id,
                each.decision,
                "" if each.amount is None else each.amount,
                each.reason,
                each.by,
                each.decided,
            ]
        )
    return f"\ufeff{stream.getvalue()}"
