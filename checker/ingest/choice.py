"""Which headers feed what by somebody's choice, and what a table must have: told in one sentence where it has not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from checker.ingest.columns import UNTOLD, Chosen
from checker.ingest.passed import HEADERS_SHOWN
from checker.ingest.personal import shown_headers
from checker.ingest.sources import InputTable, Source
from checker.model.errors import InputError
from checker.model.schema import Kind, normal_header
from checker.model.words import ROLE_NAMES


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody says of the inputs of a role: the headers of columns, by --map or in the layout `path`, and the sheets to leave out."""

    columns: Mapping[str, Chosen] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    path: Path = Path()

    def need_headers(self, role: str, table: InputTable) -> None:
        """Raise InputError where a table has none of the headers that the layout names for a column."""
        there = {normal_header(header.text) for header in table.headers}
        for column, chosen in self.columns.items():
            if chosen.by == "layout" and not any(normal_header(header) in there for header in chosen.headers):
                raise InputError(
                    f"{table.origin[0]}：没有表头“{'、'.join(chosen.headers)}”，而 {self.path} 写明 {role}.columns.{column} 用它；"
                    f"文件中的表头：{_shown(table)}；请改正或删去布局文件里的这一行"
                    f"（this file lacks the header that the layout names for {column}: correct or delete that line）"
                )

    def lacks_a_header(self, headers: Iterable[str]) -> bool:
        """Whether the layout names a header that is not among these."""
        return not self._by_layout() <= set(map(normal_header, headers))

    def need_every_header(self, role: str, tables: Sequence[InputTable]) -> None:
        """Raise InputError where the layout names a header that no table has: of several for a column each must be of some table."""
        there = {normal_header(header.text) for table in tables for header in table.headers}
        for column, chosen in self.columns.items():
            lacking = [header for header in chosen.headers if normal_header(header) not in there]
            if chosen.by == "layout" and lacking:
                told = "、".join(lacking)
                raise InputError(
                    f"{tables[0].origin[0]}：{self.path} 写明 {role}.columns.{column} 用表头“{told}”，而读到的{ROLE_NAMES[role][0]}都没有；"
                    f"文件中的表头：{_shown(tables[0])}；请改正或从布局文件里删去“{told}”"
                    f"（no input has the header {told} that the layout names for {column}: correct it, or delete it from the layout）"
                )

    def _by_layout(self) -> set[str]:
        return {
            normal_header(header)
            for chosen in self.columns.values()
            if chosen.by == "layout"
            for header in chosen.headers
        }


def _shown(table: InputTable) -> str:
    return "、".join(shown_headers(header.text for header in table.headers[:HEADERS_SHOWN]))


def need_columns(source: Source, needed: tuple[tuple[str, ...], ...]) -> None:
    """Raise InputError where a table lacks a needed column, or times that nobody can read for sure feed one."""
    table, mapping, columns = source.table, source.map, source.map.columns
    name = str(table.origin[0])
    for column in columns.values():
        told = mapping.found.get(column.name, ())
        if column.kind in (Kind.TIME, Kind.DATE) and (
            untold := next((each for each in told if each.type == UNTOLD), None)
        ):
            raise InputError(
                f"{name}：“{untold.text}”列是旧式的 INT96 时间，写这个文件的程序没有说明是 UTC 时刻还是当地钟点，可能差 8 小时；"
                "请由 Spark、Hive、Impala 导出，或改用 TIMESTAMP 类型重新导出（INT96 without a known writer may be eight hours off: export it as TIMESTAMP）"
            )
    for group in needed:
        if not any(mapping.has(column) for column in group):
            wordings = [header for column in group for header in columns[column].all_headers]
            known = "、".join(wordings[:HEADERS_SHOWN]) + (" 等" if len(wordings) > HEADERS_SHOWN else "")
            raise InputError(
                f"{name}：缺少“{' / '.join(group)}”列；可识别的表头：{known}；文件中的表头：{_shown(table)}；"
                f"也可以用 --map {group[0]}=表头 指定（needed column missing）"
            )
