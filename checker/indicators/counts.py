"""What was read and what became of it: counts of lines, classes of charges and visits, which add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.indicators.charges import LAST, class_names
from checker.indicators.definitions import Definitions
from checker.indicators.plan import Plan
from checker.ingest.columns import read_column
from checker.ingest.gather import Gathered
from checker.ingest.line_kind import KINDS, REJECTED
from checker.ingest.sources import Source
from checker.model import sqltext
from checker.model.errors import InputError, both

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SKIPPED = ("invalid", "context")


def one_row(connection: DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The one row of a query."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return tuple(row)


def count_lines(connection: DuckDBPyConnection, files: Gathered) -> dict[str, Any]:
    """Read = used + skipped + rejected. Raises InputError where none can be used."""
    counted = dict(connection.execute("SELECT kind, sum(n)::BIGINT FROM kind_census GROUP BY kind").fetchall())
    by_kind = {KINDS[kind]: count for kind, count in counted.items()}
    broken = one_row(connection, f"SELECT count(*) FROM {sqltext.parquet(*files.reader_rejects)} WHERE role = 'lines'")[
        0
    ]
    rejected = broken + sum(counted.get(kind, 0) for kind in REJECTED)
    used = sum(by_kind.get(kind, 0) for kind in ("judged", "refund", "self_paid"))
    name = files.lines[0].table.origin[0]
    if not used:
        raise InputError(
            both(
                f"{name}：读入 {sum(counted.values()) + broken} 行，没有一行可以用于统计（无法读取 {rejected} 行），请检查时间、数量、金额列和有效标志",
                "lines were read, none could be used: check times, quantities, amounts and void flags",
            )
        )
    return {
        "read": sum(counted.values()) + broken, "used": used,
        "skipped": {kind: by_kind.get(kind, 0) for kind in _SKIPPED},
        "rejected": rejected, "refunds": by_kind.get("refund", 0), "self_paid": by_kind.get("self_paid", 0),
    }  # fmt: skip


def skipped_lines(counted: Mapping[str, int], duplicates: int) -> dict[str, int]:
    """What was skipped, with the duplicates and the sum."""
    told = {**counted, "duplicates": duplicates}
    return {**told, "total": sum(told.values())}


def count_classes(
    connection: DuckDBPyConnection, files: Gathered, defined: Definitions, charged: Sequence[Path]
) -> dict[str, Any]:
    """What the lines of each class come to, and how many lines are of none, or have no amount."""
    names = [name for name in class_names(defined) if name != LAST]
    sums = ", ".join(f"coalesce(sum({name}), 0)::DECIMAL(38, 4)" for name in (*names, "charged"))
    *amounts, charged_all, without = one_row(
        connection, f"SELECT {sums}, coalesce(sum(without_class), 0)::BIGINT FROM {sqltext.parquet(*charged)}"
    )
    told = dict(zip((name.removeprefix("class_") for name in names), amounts, strict=True))
    told[LAST.removeprefix("class_")] = charged_all - sum(amounts)
    return {
        "amounts": {name: float(round(amount, 2)) for name, amount in told.items()},
        "lines_of_no_class": without,
        "lines_without_amount": sum(_without_amount(connection, source) for source in files.lines),
    }


def _without_amount(connection: DuckDBPyConnection, source: Source) -> int:
    """The lines, of whatever kind, that tell no amount."""
    return int(
        one_row(
            connection,
            f"SELECT count(*) FROM {source.table.scan()} WHERE ({read_column(source.map, 'amount')}) IS NULL",
        )[0]
    )


def count_visits(connection: DuckDBPyConnection, files: Gathered, plan: Plan) -> dict[str, Any]:
    """What became of the visits, and by what they are told."""
    visits, back, unsettled, alone = one_row(
        connection,
        """SELECT count(*) FILTER (is_visit), count(*) FILTER (is_taken_back), count(*) FILTER (is_unsettled),
          coalesce(sum(line_count) FILTER (key IS NULL), 0)::BIGINT FROM visit""",
    )
    return {
        "key": plan.key, "costs_from": "settlements" if plan.settled else "lines", "counted": visits, "wholly_refunded": back,
        "without_settlement": unsettled, "lines_without_visit": alone,
        "visits_file_joined": plan.visits_joined if files.visits else None,
    }  # fmt: skip
