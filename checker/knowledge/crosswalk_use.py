"""How the crosswalks in use [对照表] meet the knowledge that they are loaded with: what they lead to, and what they lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from checker.model.errors import both

if TYPE_CHECKING:
    import duckdb

_NAMED = 3
"""So many codes are named as examples."""


@dataclass(frozen=True, slots=True)
class CrosswalkUse:
    """Rows and distinct local codes of the crosswalks in use; the national codes among them that no point covers, and the local codes that
    are themselves covered: how many, and the first of them.
    """

    rows: int
    local_codes: int
    without_points: int
    without_points_named: tuple[str, ...]
    covered: int
    covered_named: tuple[str, ...]

    def to_plain(self) -> dict[str, Any]:
        """As run.json holds it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def warnings(self) -> Iterator[str]:
        """What a person should look at, in both languages."""
        if self.without_points:
            yield both(
                f"对照表中有 {self.without_points:,} 个国家编码在知识库中没有知识点，对照到它们的行不会被判断（如 {'、'.join(self.without_points_named)}）",
                f"the crosswalk leads to {self.without_points:,} codes that do not exist in the knowledge, such as {', '.join(self.without_points_named)}",
            )
        if self.covered:
            yield both(
                f"对照表中有 {self.covered:,} 个地方编码本身就是有知识点的国家编码，请核对两列是否写反（如 {'、'.join(self.covered_named)}）",
                f"{self.covered:,} local codes of the crosswalk are national codes that points cover, such as {', '.join(self.covered_named)}: "
                "check that the columns are not exchanged",
            )


def crosswalk_in_use(con: duckdb.DuckDBPyConnection) -> CrosswalkUse | None:
    """Look at kb_crosswalk, kb_pattern of the connection; None where no local code stands for any."""
    rows, local = _row(con, "SELECT count(*), count(DISTINCT local_code) FROM kb_crosswalk")
    if not rows:
        return None
    item = "SELECT code FROM kb_pattern WHERE role = 'item' AND match"
    lengths = con.execute(f"SELECT DISTINCT length(code) FROM ({item} = 'family')").fetchall()

    def covered(code: str) -> str:
        families = [f"left({code}, {int(length)}) IN ({item} = 'family')" for (length,) in lengths]
        return " OR ".join([f"{code} IN ({item} = 'code')", *families])

    def count(code: str, condition: str) -> tuple[int, tuple[str, ...]]:
        found = f"FROM (SELECT DISTINCT {code} AS code FROM kb_crosswalk) WHERE {condition}"
        named = con.execute(f"SELECT code {found} ORDER BY code LIMIT {_NAMED}").fetchall()
        return _row(con, f"SELECT count(*) {found}")[0], tuple(each for (each,) in named)

    return CrosswalkUse(
        rows, local, *count("national_code", f"NOT ({covered('code')})"), *count("local_code", covered("code"))
    )


def _row(con: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    row = con.execute(query).fetchone()
    assert row is not None
    return row
