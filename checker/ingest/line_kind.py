"""What becomes of a line: judged, skipped for a reason, or rejected; told once for each line of a source, together with its long readings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from checker.ingest.columns import always_fits, read_column
from checker.ingest.named import Named, free_name, name_once
from checker.ingest.settlement_flags import RefundSettlements
from checker.ingest.sources import Source
from checker.ingest.value_sql import surely_given
from checker.model import sqltext
from checker.model.schema import Kind

KINDS = (
    "judged", "rejected_time", "rejected_quantity", "invalid", "context", "refund", "self_paid", "rejected_valid", "rejected_refund",
    "rejected_settlement", "rejected_amount", "rejected_void_settlement",
)  # fmt: skip
"""What becomes of a line, by its number in the census."""
REJECTED = {
    1: ("service_time", Kind.TIME, "服务时间无法识别"),
    2: ("quantity", Kind.NUMBER, "数量不是数字"),
    7: ("valid_flag", Kind.VALID, "有效标志无法识别"),
    8: ("refund_flag", Kind.REFUND, "退费标志无法识别"),
    9: ("settlement_id", Kind.TEXT, "所属结算的退费标志无法识别"),
    10: ("amount", Kind.NUMBER, "金额无法识别，也没有数量，可能是退费"),
    11: ("settlement_id", Kind.TEXT, "所属结算的有效标志无法识别"),
}
"""The kinds of lines of which something cannot be read: the column that tells where, its kind, and why nobody is accused by the line."""

FLAGS = ("valid_flag", "refund_flag", "is_context", "curr_drord_flag", "paid_by_fund", "self_paying_flag")


@dataclass(frozen=True, slots=True)
class Lines(Named):
    """The lines of a source, their long readings and what becomes of them (`kind`, an index into KINDS) named once.

    `plain` is SQL, over columns as they lie, of what makes a line judged at a glance; None where something must be read for it.
    """

    kind: str
    plain: str | None

    def of_kinds(self, *kinds: int) -> str:
        """SQL of the lines of some kinds, to select from.

        A semi-join, for a condition would be pushed down below the names, with their SQL written out in it, and be asked of all lines.
        """
        return f"({self.sql}) WHERE {self.kind} IN (SELECT unnest([{', '.join(map(str, kinds))}]))"


def named_lines(
    source: Source, names: Collection[str] = (), *, refund_settlements: RefundSettlements, relation: str = ""
) -> Lines:
    """The lines of a source, or those of a `relation` with its columns (SQL); of the columns `names` the long readings are named as well."""
    headers, rows = source.table.headers, relation or source.table.relation()
    named = name_once(rows, source.map, headers, ("service_time", "quantity", "amount", *FLAGS, *names))
    kind = sqltext.name(free_name("kind", headers))
    number, plain = _kind_number(named, source, refund_settlements=refund_settlements)
    return Lines(f"SELECT *, {number} AS {kind} FROM ({named.sql})", named.map, named.values, kind, plain)


def _kind_number(lines: Named, source: Source, *, refund_settlements: RefundSettlements) -> tuple[str, str | None]:
    """SQL of what becomes of a line, as the index into KINDS, and `plain` of Lines.

    Nearly all lines are plainly judged; they are told by cheap comparisons, so that only the others pay for reading their flags.
    """
    column = lines.map
    time = lines.read("service_time")
    doubts = {1: f"{time} IS NULL"}
    doubts |= {
        number: lines.unreadable(name)
        for number, name in ((2, "quantity"), (7, "valid_flag"), (8, "refund_flag"))
        if column.has(name)
    }
    settlement = read_column(column, "settlement_id")
    if refund_settlements.unclear and column.has("settlement_id"):
        unclear = f"{settlement} IN (SELECT settlement_id FROM refund_settlement WHERE refund IS NULL)"
        doubts[9] = f"(({read_column(column, 'refund_flag')}) IS NULL AND {unclear})"
    if refund_settlements.void_unclear and column.has("settlement_id"):
        unclear = f"{settlement} IN (SELECT settlement_id FROM unclear_settlement)"
        doubts[11] = f"(({read_column(column, 'valid_flag')}) IS NULL AND coalesce({unclear}, FALSE))"
    if column.has("amount"):
        doubts[10] = f"({lines.unreadable('amount')} AND ({lines.read('quantity')}) IS NULL)"
    cases = [f"WHEN {doubt} THEN {number}" for number, doubt in doubts.items()]
    headers = column.found["service_time"]
    typed = len(headers) == 1 and headers[0].type.upper() == "TIMESTAMP"
    plain = [surely_given(sqltext.name(headers[0].text)) if typed else f"{time} IS NOT NULL"]
    as_it_lies = [typed]

    def flag(name: str, usual: str) -> list[str]:
        if not column.has(name):
            return []
        headers = source.map.found[name]
        raw = sqltext.name(headers[0].text)
        quick = len(headers) == 1 and headers[0].is_text
        as_it_lies.append(quick)
        plain.append(
            f"({raw} IS NULL OR {raw} = '{usual}')"
            if quick
            else f"({read_column(column, name)}) IS NOT DISTINCT FROM {usual == '1'}"
        )
        return [f"({read_column(column, name)})"]

    def opposite(name: str, usual: str) -> list[str]:
        return [f"(NOT {term})" for term in flag(name, usual)]

    for term in flag("valid_flag", "1"):
        cases.append(f"WHEN {term} IS FALSE THEN 3")
    context = flag("is_context", "0") + opposite("curr_drord_flag", "1")
    if context:
        cases.append(f"WHEN {_first(context)} THEN 4")
    refund = []
    for name in ("quantity", "amount"):
        if column.has(name):
            value = f"({lines.read(name)})"
            refund.append(f"{value} < 0")
            header = column.found[name][0]
            as_it_lies.append(len(column.found[name]) == 1 and always_fits(header.type))
            if as_it_lies[-1]:
                plain.append(f"coalesce({sqltext.name(header.text)} >= 0, TRUE)")
            else:
                broken = lines.unreadable(name) if name == "quantity" else doubts[10]
                plain.append(f"NOT coalesce({value} < 0, {broken})")
    if 11 in doubts:
        as_it_lies.append(False)
        plain.append(f"NOT {doubts[11]}")
    flags = flag("refund_flag", "0")
    if refund_settlements and column.has("settlement_id"):
        as_it_lies.append(False)
        plain.append(f"NOT coalesce({settlement} IN (SELECT settlement_id FROM refund_settlement), FALSE)")
        if refund_settlements.refunds:
            flags.append(f"({settlement} IN (SELECT settlement_id FROM refund_settlement WHERE refund))")
    if flags:
        refund.append(_first(flags))
    if refund:
        cases.append(f"WHEN {' OR '.join(refund)} THEN 5")
    paid = flag("paid_by_fund", "1") + opposite("self_paying_flag", "0")
    if paid:
        cases.append(f"WHEN ({_first(paid)}) IS FALSE THEN 6")
    number = f"CAST(CASE WHEN {' AND '.join(plain)} THEN 0 {' '.join(cases)} ELSE 0 END AS UTINYINT)"
    return number, f"({' AND '.join(plain)})" if all(as_it_lies) else None


def _first(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"coalesce({', '.join(terms)})"
