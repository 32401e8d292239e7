"""Findings in words, written to a file: what fired, with all that is told of each line."""

from __future__ import annotations

import itertools
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import SCRATCH, one_number
from checker.ingest.line_sql import LINE_NO_SHIFT
from checker.ingest.lost_keys import as_written
from checker.judge import newborns
from checker.judge.finding_sql import ONLY_ASKED, finding_sql, word_values
from checker.model import sqltext
from checker.model.schema import DIAGNOSIS_SEPARATORS, FINDING_COLUMNS
from checker.rulebook.plan import Plan
from checker.scan.handover.case_facts import CASE_JOINS, CASE_VALUES

if TYPE_CHECKING:
    import duckdb

RESULT = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)"
"""How findings are written: rows are wide, so that small row groups keep the writer within its memory."""
FINDINGS_AT_ONCE = 200_000
"""Of more they are written piece by piece: all that is told of each is looked up at once, and has to find room."""


@dataclass(frozen=True, slots=True)
class FindingsWriter:
    """Writes what stands in `fired_line`, from the tables that a scan has made of these lines.

    `stage` is that of the advice (after, before); `with_cases` the case around each finding is told too; `work` is a folder of scratch.
    """

    connection: duckdb.DuckDBPyConnection
    plan: Plan
    kb_version: str
    stage: str
    language: str
    with_cases: bool
    work: Path

    def write(self, target: Path, rules: Set[int], others: Set[int], edge: str) -> None:
        """Write the findings of some rules, given the others that fired too; `edge` is that of `cited`."""
        pieces = self._pieces()
        files = [target] if len(pieces) == 1 else [self.work / f"{target.stem}-{n}.parquet" for n in range(len(pieces))]
        for piece, file in zip(pieces, files, strict=True):
            word_values(self.connection, f"FROM fired_line WHERE {piece}", self.language)
            self._copy(self._query(piece, rules, others, edge), file, RESULT if file == target else SCRATCH)
        if files != [target]:
            self._copy(f"FROM {sqltext.parquet(*files)}", target, RESULT)
            for file in files:
                file.unlink()

    def write_none(self, target: Path, findings: Path) -> None:
        """Write findings of none, of the columns that the `findings` have: to plan all of it for nothing would take as long."""
        self._copy(f"FROM {sqltext.parquet(findings)} WHERE FALSE", target, RESULT)

    def _copy(self, query: str, target: Path, form: str) -> None:
        self.connection.execute(f"COPY ({query}) TO {sqltext.text(str(target))} {form}")

    def _pieces(self) -> list[str]:
        """Conditions (SQL) on `line_no` that part the fired lines into pieces of about FINDINGS_AT_ONCE."""
        count = one_number(self.connection, "SELECT count(*) FROM fired_line") // FINDINGS_AT_ONCE + 1
        if count == 1:
            return ["TRUE"]
        shares = [number / count for number in range(1, count)]
        row = self.connection.execute(f"SELECT approx_quantile(line_no, {shares}) FROM fired_line").fetchone()
        assert row is not None
        edges = sorted({int(edge) for edge in row[0]})
        inner = [f"line_no >= {low} AND line_no < {high}" for low, high in itertools.pairwise(edges)]
        return [f"line_no < {edges[0]}", *inner, f"line_no >= {edges[-1]}"]

    def _query(self, piece: str, rules: Set[int], others: Set[int], edge: str) -> str:
        """SQL of the findings of a piece."""
        # Each line has its point, evidence and file, but an inner join would be thought to leave few lines: then all of them, with all that
        # is told of each, are kept in memory for every join that follows, and a month of many findings finds no room.
        of_rules = f" AND f.rule_no NOT IN ({', '.join(map(str, sorted(others)))})" if others else ""
        condition = of_rules if rules else " AND FALSE"
        further = CASE_VALUES if self.with_cases else {}
        written = ", ".join(f"{as_written(f'f.{name}')} AS {name}" for name in ("settlement_id", "visit_id"))
        source = f"""SELECT f.* REPLACE ({written}, coalesce(l.label, {as_written("f.patient_id")}) AS patient_id),
            p.* EXCLUDE (point_no, rule_no), c.evidence, origin.file AS source_file,
            f.line_no % {LINE_NO_SHIFT} AS source_record,
            CASE WHEN sd.key IS NOT NULL OR vd.key IS NOT NULL OR f.diagnosis_code <> '' THEN
              list_concat(coalesce(sd.codes, []), coalesce(vd.codes, []),
                coalesce(list_filter(regexp_split_to_array(f.diagnosis_code, '{DIAGNOSIS_SEPARATORS}'), lambda d: d <> ''), []))
            END AS diagnoses,
            m.order_id, m.ordinal, o.local_item_code, o.local_item_name, r.line_no IS NOT NULL AS code_repaired,
            coalesce(nv.low <> coalesce(f.own_code, f.item_code) OR nv.high <> coalesce(f.own_code, f.item_code), FALSE) AS beside_newborn,
            u.line_no IS NOT NULL AS reuploaded, d.line_no IS NOT NULL AS duplicate, coalesce(n.partly, FALSE) AS partly_refunded,
            f.settlement_id IN (SELECT settlement_id FROM reversed_settlement WHERE NOT is_whole) AS partly_reversed,
            f.settlement_id IN (SELECT settlement_id FROM falsely_reversed) AS falsely_reversed,
            CASE WHEN n.line_no IS NOT NULL THEN n.quantity ELSE gross_quantity END AS quantity,
            CASE WHEN n.line_no IS NOT NULL THEN n.amount ELSE gross_amount END AS amount,
            CASE WHEN n.line_no IS NOT NULL THEN n.amount_in_scope ELSE gross_in_scope END AS amount_in_scope
            {"".join(f", {value} AS case_{name}" for name, value in further.items())}
          FROM (SELECT *, {edge} AS edge FROM fired_line WHERE {piece}) f LEFT JOIN point p ON p.point_no = f.point_no
          LEFT JOIN cited c ON c.point_no = f.point_no AND c.edge = f.edge
          LEFT JOIN origin ON origin.file_no = f.line_no // {LINE_NO_SHIFT}
          LEFT JOIN settlement_diagnoses sd ON sd.key = f.settlement_id LEFT JOIN visit_diagnoses vd ON vd.key = f.visit_id
          LEFT JOIN neonatal_visit nv ON nv.key = {newborns.visit_key("f.", "f.institution_id")}
          LEFT JOIN reuploaded_line u ON u.line_no = f.line_no
          LEFT JOIN told_line o ON o.line_no = f.line_no
          LEFT JOIN line_name m ON m.line_no = f.line_no LEFT JOIN repaired_line r ON r.line_no = f.line_no
          LEFT JOIN person_label l ON f.patient_id IS NULL AND l.number = f.person_number
          LEFT JOIN duplicate_line d ON d.line_no = f.line_no LEFT JOIN netted_line n ON n.line_no = f.line_no
          {CASE_JOINS if further else ""} WHERE TRUE{condition}"""
        source = f"SELECT *, {newborns.NEAR} AS newborn_near FROM ({source})"
        finding = finding_sql(
            self.plan, source, stage=self.stage, language=self.language, kb_version=self.kb_version, rules=rules, further=further,
        )  # fmt: skip
        columns = ", ".join((*FINDING_COLUMNS, *(name for name in further if name not in ONLY_ASKED)))
        return f"SELECT {columns} FROM ({finding})"
