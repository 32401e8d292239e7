"""Decisions out of a sheet that people filled in: all of them, or none and every fault named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from pathlib import Path

import polars as pl

from checker.audit.decisions import A_WORD, CENT, FAULTS_TOLD, Decision, amount_of, changing
from checker.audit.review_findings import verdicts, violations
from checker.audit.run_folder import RunFolder
from checker.ingest.personal import masked
from checker.ingest.values import clean
from checker.knowledge.cell_reader import Faults
from checker.knowledge.sheets.crosswalk_header import refuse_merges
from checker.knowledge.sheets.header_row import Column
from checker.knowledge.sheets.table import SheetTable
from checker.knowledge.sheets.workbook import ROW, Sheet, open_workbook
from checker.model.china_time import china_today
from checker.model.errors import both, found_instead
from checker.model.schema import normal_header
from checker.model.shown import no_formula, shown
from checker.model.words import DECISIONS, REVIEW_COLUMNS, VERDICTS

_FIELDS = ("finding_id", "decision", "amount", "reason")
_COLUMN_OF = {normal_header(word): name for name in _FIELDS for word in (name, *REVIEW_COLUMNS[name])}
_DECISION_OF = {word: code for code, said in DECISIONS.items() for word in (code, *said)}
_WITHIN = 40
_NO_NUMBER = re.compile("[+-]?(?:s?nan|inf|infinity|#num!|#value!|#n/a)", re.IGNORECASE)
_REASON_MOST = 500
_SHOWN_MOST = 60
_NO_FINDING = both("请写疑点编号，或删去这一行", "write the id of the finding, or delete the row")
_GONE = both(
    "这次扫描里没有这个疑点，请核对编号；属于别的扫描的，导入到它的文件夹",
    "not in this run: check the id, or import into the folder of its own run",
)
_NO_DECISION = both(
    "这一行却有金额或理由，请写属实、不属实或已退回", "the row has an amount or a reason: write a decision"
)
_LONG = both(f"理由请不超过 {_REASON_MOST} 字", f"write at most {_REASON_MOST} characters")


@dataclass(frozen=True, slots=True)
class Imported:
    """How many findings are decided anew, otherwise than before, or as before; rows without decision; refunds of lines whose amount
    nobody knows; sheets that were not read."""

    new: int
    changed: int
    same: int
    undecided: int
    unchecked: int
    passed_over: tuple[str, ...]


def import_decisions(run: RunFolder, file: Path, *, by: str, replace: bool) -> Imported:
    """Take in the decisions of a CSV file or workbook. Raises InputError naming its faults, and what would change where `replace` does not allow it."""
    faults = Faults()
    tables, passed_over = _tables(file, faults)
    faults.stop(FAULTS_TOLD)
    known = violations(run)
    amounts = dict(known.select("finding_id", "amount").iter_rows())
    reader = _Reader(amounts, verdicts(run), no_formula(by.strip()), faults)
    for table in tables:
        reader.read(table)
    with changing(run.folder) as decisions:
        told = dict(decisions)
        if not replace:
            reader.refuse_changes(decisions)
        faults.stop(FAULTS_TOLD)
        otherwise = {
            finding: each
            for finding, each in reader.read_so_far.items()
            if finding not in told or not each.is_as(told[finding])
        }
        decisions.update(otherwise)
    new = sum(finding not in told for finding in otherwise)
    unchecked = sum(each.amount is not None and amounts[finding] is None for finding, each in otherwise.items())
    return Imported(
        new, len(otherwise) - new, len(reader.read_so_far) - len(otherwise), reader.undecided, unchecked, passed_over
    )


class _Reader:
    """Reads tables row by row; what it read stands in `read_so_far`, what was wrong in the faults."""

    def __init__(
        self, amounts: Mapping[str, Decimal | None], others: Mapping[str, str], by: str, faults: Faults
    ) -> None:
        self._amounts, self._others, self._by, self._faults = amounts, others, by, faults
        self._today = china_today()
        self._places: dict[str, tuple[SheetTable, int]] = {}
        self.read_so_far: dict[str, Decision] = {}
        self.undecided = 0

    def read(self, table: SheetTable) -> None:
        for row in table.rows.iter_rows(named=True):
            cells = {name: clean(row.get(name)) for name in _FIELDS}
            if _NO_NUMBER.fullmatch(written := str(row.get("amount") or "").strip()):
                # Elsewhere such a word is no value; here a formula failed where somebody meant an amount.
                cells["amount"] = written
            self._row(table, row[ROW], cells)

    def refuse_changes(self, held: Mapping[str, Decision]) -> None:
        """Note a fault for each finding that was decided otherwise before."""
        for finding, each in self.read_so_far.items():
            before = held.get(finding)
            if before is not None and not each.is_as(before):
                chinese, english = DECISIONS[before.decision]
                who = f"，{before.by}" if before.by else ""
                told = both(
                    f"已有结论“{chinese}”（{before.decided}{who}），与这一行不同；核对后用 --replace 更改",
                    f"decided before, {english}, and not as here: check, then --replace",
                )
                table, row = self._places[finding]
                self._fault(table, row, "decision", DECISIONS[each.decision][0], told)

    def _row(self, table: SheetTable, row: int, cells: Mapping[str, str | None]) -> None:
        finding, word, reason = cells["finding_id"], cells["decision"], cells["reason"]
        if finding is None:
            if any(cells.values()):
                self._fault(table, row, "finding_id", None, _NO_FINDING)
            return
        if word is None:
            if cells["amount"] or reason:
                self._fault(table, row, "decision", None, _NO_DECISION)
            self.undecided += 1
            return
        before = len(self._faults.found)
        if finding not in self._amounts:
            self._fault(table, row, "finding_id", finding, self._why_not(finding))
        decision = _DECISION_OF.get(unicodedata.normalize("NFKC", word).lower())
        if decision is None:
            self._fault(table, row, "decision", word, A_WORD)
        if reason and len(reason) > _REASON_MOST:
            self._fault(table, row, "reason", reason, _LONG)
        amount = self._amount(table, row, finding, decision, cells["amount"]) if decision else None
        if decision is None or len(self._faults.found) > before:
            return
        read = Decision(finding, decision, amount, no_formula(reason or "").strip(), self._by, self._today)
        first = self.read_so_far.setdefault(finding, read)
        earlier = self._places.setdefault(finding, (table, row))
        if not read.is_as(first):
            place = earlier[0].place(earlier[1])
            told = both(
                f"与{place}对同一疑点的结论不同，请只留一行", "another row decides this finding otherwise: keep one"
            )
            self._fault(table, row, "decision", word, told)

    def _why_not(self, finding: str) -> str:
        verdict = self._others.get(finding)
        if verdict is None:
            return _GONE
        chinese, english = VERDICTS[verdict]
        return both(
            f"这一条是“{chinese}”，不是违规疑点，不必下结论，请删去这一行",
            f"it is {english}, no violation: there is nothing to decide, delete the row",
        )

    def _amount(self, table: SheetTable, row: int, finding: str, decision: str, text: str | None) -> Decimal | None:
        try:
            amount = amount_of(decision, text)
        except ValueError as error:
            self._fault(table, row, "amount", text, str(error))
            return None
        held = self._amounts.get(finding)
        # Lines have four decimals, money that is given back has two.
        most = None if held is None else held.quantize(CENT, ROUND_UP)
        if amount is not None and most is not None and amount > most:
            told = both(f"这条明细只有 {most} 元，请写不超过它的金额", f"the line comes to {most} yuan: write no more")
            self._fault(table, row, "amount", text, told)
        return amount

    def _fault(self, table: SheetTable, row: int, column: str, value: str | None, remedy: str) -> None:
        told = shown(masked(value or ""))
        told = told if len(told) <= _SHOWN_MOST else f"{told[:_SHOWN_MOST]}…"
        at = column if any(each.name == column for each in table.columns) else None
        self._faults.add(table.file, table.place(row, at), found_instead(told, remedy))


def _tables(file: Path, faults: Faults) -> tuple[list[SheetTable], tuple[str, ...]]:
    """The sheets that have findings and decisions, and the names of those that do not."""
    opened = open_workbook(file, faults, any_form=True)
    if opened is None:
        return [], ()
    found = [(sheet, _table(opened.file, sheet, faults)) for sheet in opened.sheets]
    tables = [table for _, table in found if table is not None]
    if not tables and not faults.found:
        told = both(
            f"前 {_WITHIN} 行里没有表头；应有“疑点编号”和“审核结论”两列，见 liangku review template",
            "no header row with Finding and Decision: see liangku review template",
        )
        faults.add(opened.file, "", told)
    return tables, tuple(sheet.name for sheet, table in found if table is None)


def _table(file: str, sheet: Sheet, faults: Faults) -> SheetTable | None:
    letters = sheet.cells.columns[1:]
    for row, *values in sheet.cells.head(_WITHIN).iter_rows():
        headers = [normal_header(value or "") for value in values]
        columns = tuple(
            Column(_COLUMN_OF.get(header, ""), at, header) for at, header in zip(letters, headers, strict=True)
        )
        names = [column.name for column in columns if column.name]
        if {"finding_id", "decision"} <= {*names}:
            return _below(file, sheet, row, columns, names, faults)
    return None


def _below(
    file: str, sheet: Sheet, header: int, columns: tuple[Column, ...], names: Sequence[str], faults: Faults
) -> SheetTable | None:
    place = f"“{sheet.name}”" if sheet.name else ""
    twice = [column for column in columns if column.name and names.count(column.name) > 1]
    if twice:
        written = "、".join(f"{column.header}({column.letters})" for column in twice)
        faults.add(file, f"{place}第 {header} 行", both(f"{written} 含义相同，请只留一列", "mean the same: keep one"))
        return None
    rows = sheet.cells.filter(pl.col(ROW) > header)
    named = rows.select(ROW, *(pl.col(each.letters).alias(each.name or each.letters) for each in columns))
    table = SheetTable(file, sheet.name, "", columns, named, (), ())
    refuse_merges(table, sheet, faults)
    return table
