"""Which values of care, insurance, level and place of payment stand in given data, and which of them the profile knows."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.engines.duckdb import connect_locked
from checker.ingest import completeness
from checker.ingest.columns import first_text
from checker.ingest.gather import Gathered, gather
from checker.ingest.provincial import KINDS, PRESCRIBER_LEVEL, Provincial, kind_of, read_provincial, shown_value
from checker.ingest.spellings import LONGEST_WORD
from checker.model import sqltext
from checker.scan.engine_fault import explain
from checker.scan.request import ScanRequest

if TYPE_CHECKING:
    import duckdb

ROLES = ("lines", "settlements", "visits")
"""The tables in which such values stand."""
MOST_VALUES = 10_000
"""So many values of a kind are looked at, those of the most rows: a column of more holds something else."""


@dataclass(frozen=True, slots=True)
class FoundValue:
    """A value as it may be shown, in how many rows of each role it stands, and its group; None where the profile does not know it.
    `key` is what to write into a profile, None of what was hidden or cut, because it may name a person or is no word.
    """

    value: str
    rows: Mapping[str, int]
    group: str | None
    key: str | None

    @property
    def all_rows(self) -> int:
        """Its rows of all roles."""
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class FoundKind:
    """The values of one kind, unknown ones first, those of most rows first; `beyond` are those that were not looked at for their number.
    `has_column` is false where no table has a column of them.
    """

    kind: str
    has_column: bool
    values: tuple[FoundValue, ...]
    beyond: int

    @property
    def table(self) -> str:
        """The table of a profile that says what they mean."""
        return KINDS[self.kind]

    @property
    def unknown(self) -> tuple[FoundValue, ...]:
        """Those that the profile does not know."""
        return tuple(each for each in self.values if each.group is None)


@dataclass(frozen=True, slots=True)
class FoundValues:
    """All values of some data, by kind; `incomplete` says what of it was not read though it may be data."""

    profile: str
    hash: str
    kinds: tuple[FoundKind, ...]
    incomplete: tuple[str, ...]

    @property
    def has_unknown(self) -> bool:
        """Whether some value is not known, or was not looked at."""
        return any(each.unknown or each.beyond for each in self.kinds)

    def to_dict(self) -> dict[str, Any]:
        """As `--json` writes it."""
        kinds = [
            {
                "kind": each.kind, "table": each.table, "has_column": each.has_column, "unknown": len(each.unknown), "not_looked_at": each.beyond,
                "values": [{"value": one.value, **one.rows, "group": one.group, "key": one.key} for one in each.values],
            }
            for each in self.kinds
        ]  # fmt: skip
        return {"profile": self.profile, "hash": self.hash, "kinds": kinds, "incomplete": list(self.incomplete)}


def find_values(request: ScanRequest) -> FoundValues:
    """Look for the values in lines, settlements and visits, of whatever validity; `out` of the request is not touched.

    Raises InputError for inputs that a scan refuses (a person is not needed) and for a profile that cannot be used.
    """
    import duckdb

    provincial = read_provincial(request.profile)
    given = {"lines": request.inputs, "settlements": request.settlements, "visits": request.visits}
    with tempfile.TemporaryDirectory(prefix="liangku-values-") as folder:
        work = Path(folder).resolve()
        (work / "spill").mkdir()
        files = gather(given, request.maps, work, layout=request.layout, need_person=False)
        connection = connect_locked(readable=files.readable, folders=[work], spill=work / "spill")
        with contextlib.closing(connection):
            try:
                kinds = tuple(_find(connection, files, kind, provincial) for kind in KINDS)
            except (duckdb.Error, OSError) as error:
                told = explain(error, files, request.all_paths, [work])
                if told is error:
                    raise
                raise told from error
    incomplete = tuple(each.said for each in (*completeness.not_read(files), *completeness.find_changes(files)))
    return FoundValues(provincial.name, provincial.hash, kinds, incomplete)


def _find(connection: duckdb.DuckDBPyConnection, files: Gathered, kind: str, provincial: Provincial) -> FoundKind:
    queries = []
    for role in ROLES:
        for source in getattr(files, role):
            for name in (kind, PRESCRIBER_LEVEL) if kind == kind_of(PRESCRIBER_LEVEL) else (kind,):
                if not (headers := source.map.found.get(name, ())):
                    continue
                value = f"left({first_text(headers, source.map.columns[name].kind)}, {LONGEST_WORD + 1})"
                queries.append(
                    f"SELECT {sqltext.text(role)} AS role, {value} AS value, count(*) AS n FROM {source.table.scan()} GROUP BY ALL"
                )
    if not queries:
        return FoundKind(kind, False, (), 0)
    counts = ", ".join(f"(sum(n) FILTER (role = {sqltext.text(role)}))::BIGINT" for role in ROLES)
    rows = connection.execute(
        f"""SELECT value, {counts}, count(*) OVER () FROM ({" UNION ALL ".join(queries)}) WHERE value IS NOT NULL
        GROUP BY value ORDER BY sum(n) DESC, value LIMIT {MOST_VALUES}"""
    ).fetchall()
    found = [_value(kind, value, counted, provincial.meaning(kind, value)) for value, *counted, _ in rows]
    # Sorting keeps the order by rows.
    found.sort(key=lambda each: each.group is not None)
    return FoundKind(kind, True, tuple(found), rows[0][-1] - len(rows) if rows else 0)


def _value(kind: str, value: str, counted: list[int | None], group: str | None) -> FoundValue:
    rows = {role: count for role, count in zip(ROLES, counted, strict=True) if count is not None}
    told, key = shown_value(kind, value)
    return FoundValue(told, rows, group, key)
