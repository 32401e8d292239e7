"""Opening a built knowledge base: found, whole and unaltered, before anything is read from it.

Standard library only: a check at the counter pays for this module's import.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from checker.knowledge.content import Content, content_of
from checker.knowledge.manifest import LAYOUT, MANIFEST_FILE, Manifest, read_manifest
from checker.knowledge.tables import (
    CREATE_POINTS,
    CROSSWALK,
    EXEMPTION,
    NAME,
    POINT,
    TABLES,
    WHERE_HELD,
    KnowledgeTable,
    select_crosswalk,
    select_points,
)
from checker.model import files, sqltext
from checker.model.errors import KnowledgeError, LiangkuError
from checker.model.held import HeldFiles

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Edition:
    """One opened knowledge base [知识库版本] whose files equal their manifest.

    Its tables are those that were verified: they were read once and are `held`; what becomes of the files in `folder` does not
    matter any more. `content_hash` is that of the rows in them, computed anew of whatever was given; `points` of these can judge
    a line: none where a layer brings exemptions or a crosswalk alone. `embedded` marks the one that came with the program: its faults
    end a command with exit code 3.
    """

    folder: Path
    name: str
    version: str
    content_hash: str
    manifest: Manifest
    embedded: bool
    held: HeldFiles
    points: int


def open_edition(folder: Path, *, embedded: bool = False, hashed: bool = True) -> Edition:
    """Return the knowledge base of the folder after its layout, the sha256 of each Parquet file and that of all rows were verified.

    Whoever only looks things up needs the rows not `hashed`, which takes longer than the looking: the hash is then the one that the manifest claims.
    Raises KnowledgeError for a missing folder or file, a manifest that cannot be used, an altered file, and where no point can judge.
    """

    def fail(where: Path, what: str) -> KnowledgeError:
        return KnowledgeError(f"{where}：{what}", embedded=embedded)

    if not folder.is_dir():
        raise fail(
            folder,
            "这里没有知识库，请用 `liangku kb build` 构建或换一个文件夹（no knowledge base is here; make one with `liangku kb build`）",
        )
    place = folder / MANIFEST_FILE
    try:
        manifest = read_manifest(files.read_once(place, files.MANIFEST).decode("utf-8"))
    except files.MissingFileError:
        raise fail(
            place,
            "缺少清单文件，请给出 `liangku kb build` 写出的文件夹（the manifest is missing; name a folder with one）",
        ) from None
    except files.UnfitFileError as error:
        raise fail(place, str(error)) from error
    except ValueError as error:
        raise fail(
            place,
            f"清单文件不可用，请重新构建知识库（the manifest cannot be used: {error}; build the knowledge base again）",
        ) from error
    contents: dict[str, bytes] = {}
    sha256 = {entry.name: entry.sha256 for entry in manifest.files}
    for table in _tables_of(manifest):
        place = folder / table.file
        if table.file not in sha256:
            raise fail(
                folder / MANIFEST_FILE,
                f"清单中没有 {table.file}，请重新构建（the manifest does not list {table.file}; build it again）",
            )
        try:
            contents[table.file] = files.read_once(place, files.KNOWLEDGE_TABLE)
        except files.MissingFileError:
            raise fail(
                place, "缺少这个文件，请重新构建知识库（the file is missing; build the knowledge base again）"
            ) from None
        except files.UnfitFileError as error:
            raise fail(place, str(error)) from error
        if hashlib.sha256(contents[table.file]).hexdigest() != sha256[table.file]:
            raise fail(
                place,
                "文件在构建之后被改动过，不能使用，请重新构建（the file was altered after the build, its sha256 differs; build it again）",
            )
    try:
        held = HeldFiles(contents)
    except LiangkuError as error:
        raise KnowledgeError(str(error), embedded=embedded) from error
    edition = Edition(
        folder, manifest.name, manifest.version, manifest.content_hash, manifest, embedded, held, manifest.rows("point")
    )
    # Whoever could alter the manifest that came with the program could alter the program: the counter does not wait for that.
    return edition if embedded or not hashed else _verified(edition, sha256)


def _verified(edition: Edition, sha256: Mapping[str, str]) -> Edition:
    """The edition with the hash of what its files hold. Raises KnowledgeError where the manifest says another, or where no point can judge."""
    import duckdb

    manifest = edition.manifest
    # Equal files hold equal rows: what compares editions, or reads one for every batch, hashes them once.
    files_held = (manifest.layout, *sorted((table.file, sha256[table.file]) for table in _tables_of(manifest)))
    content = _CONTENTS.get(files_held)
    try:
        if content is None:
            with duckdb.connect(config={"threads": 1, "memory_limit": _MEMORY, "temp_directory": ""}) as con:
                content = content_of(con, lambda table: select_rows(edition, table))
            if len(_CONTENTS) >= _MOST_CONTENTS:
                _CONTENTS.clear()
            _CONTENTS[files_held] = content
    except duckdb.OutOfMemoryException as error:
        raise KnowledgeError(
            f"{edition.folder}：各表解压后太大（{_MEMORY} 放不下），不予读取，请分成几个知识库"
            "（its tables unpack to too much: make several knowledge bases of it）",
            embedded=edition.embedded,
        ) from error
    except duckdb.Error as error:
        raise _other_columns(edition) from error
    place = edition.folder / MANIFEST_FILE
    # The hash of layout 2 was that of another form of the rows.
    if manifest.layout == LAYOUT and content.hash != manifest.content_hash:
        told = (
            "content_hash 与各表的内容不符，不能使用，请重新构建"
            f"（content_hash is not that of the tables, which is {content.hash[:16]}…; build it again）"
        )
        raise KnowledgeError(f"{place}：{told}", embedded=edition.embedded)
    if content.points and not content.usable:
        told = (
            "没有一个可用的知识点（都缺少编码、规则或有效期），请检查来源后重新构建"
            "（none of its points can judge: all lack codes, a rule or days on which they hold; mend the text and build it again）"
        )
        raise KnowledgeError(f"{edition.folder}：{told}", embedded=edition.embedded)
    if not content.points and not content.exemptions and not content.crosswalk:
        told = "知识库是空的，请给出有知识点的知识库（the knowledge base is empty; name one with points）"
        raise KnowledgeError(f"{edition.folder}：{told}", embedded=edition.embedded)
    return replace(edition, content_hash=content.hash, points=content.usable)


def _tables_of(manifest: Manifest) -> list[KnowledgeTable]:
    """The tables that a knowledge base has: of limits, and of local codes, those that its manifest lists."""
    listed = {entry.name for entry in manifest.files}
    return [*TABLES, *(each for each in WHERE_HELD if each.file in listed)]


def _other_columns(edition: Edition) -> KnowledgeError:
    layout = edition.manifest.layout
    file = "、".join(_unreadable(edition)[:1]) or "*.parquet"
    return KnowledgeError(
        f"{edition.folder}：{file} 不是格式版本 {layout} 的这张表（各列不同，可能放错了文件），不能使用，请用 `liangku kb build` 重新构建知识库"
        f"（{file} does not have the columns of layout {layout}, it may be another table: build the knowledge base again）",
        embedded=edition.embedded,
    )


def _unreadable(edition: Edition) -> list[str]:
    """The files of an edition that do not hold the columns of their table."""
    import duckdb

    found = []
    with duckdb.connect(config={"threads": 1, "memory_limit": _MEMORY, "temp_directory": ""}) as con:
        for table in _tables_of(edition.manifest):
            try:
                con.execute(f"DESCRIBE {table.read.format(path=sqltext.text(_path(edition, table.file)))}")
            except duckdb.Error:
                found.append(table.file)
    return found


_CONTENTS: dict[tuple[object, ...], Content] = {}
"""What was read out of files, by their layout, names and hashes."""
_MOST_CONTENTS = 16
_MEMORY = "1GB"
"""What the engine may hold while an edition is verified; it is a fraction of this."""
_REPLACED = (
    "DELETE FROM kb_pattern WHERE point_id IN (SELECT point_id FROM read_parquet(?))",
    "DELETE FROM kb_point WHERE point_id IN (SELECT point_id FROM read_parquet(?))",
    "DELETE FROM kb_name WHERE item_name IN (SELECT item_name FROM read_parquet(?))",
    "DELETE FROM kb_exemption_item WHERE exemption_id IN (SELECT exemption_id FROM read_parquet(?))",
    "DELETE FROM kb_exemption WHERE exemption_id IN (SELECT exemption_id FROM read_parquet(?))",
)
_REPLACED_BY = (POINT, POINT, NAME, EXEMPTION, EXEMPTION)


def load_into(con: duckdb.DuckDBPyConnection, editions: Sequence[Edition]) -> None:
    """Create kb_point, kb_pattern, kb_exemption, kb_exemption_item, kb_name and kb_crosswalk in the connection from layered editions.

    The tables are the union; a later edition's point (exemption) of the same id replaces the earlier one with all its
    patterns (items), and what it says of a local code all that earlier ones say of it. Raises KnowledgeError where a verified
    file does not hold its table's columns.
    """
    import duckdb

    for table in (*TABLES, CROSSWALK):
        con.execute(CREATE_POINTS if table is POINT else table.create)
    for layer, edition in enumerate(editions):
        try:
            if layer:
                for statement, table in zip(_REPLACED, _REPLACED_BY, strict=True):
                    con.execute(statement, [_path(edition, table.file)])
                con.execute(
                    f"DELETE FROM kb_crosswalk WHERE local_code IN (SELECT local_code FROM ({select_rows(edition, CROSSWALK)}))"
                )
            for table in (*TABLES, CROSSWALK):
                # In the order of the files: a join with the limits may leave another.
                con.execute(f"INSERT INTO {table.kb_table} {select_rows(edition, table)} ORDER BY {table.key}")
        except duckdb.Error as error:
            raise _other_columns(edition) from error


def select_rows(edition: Edition, table: KnowledgeTable) -> str:
    """SQL of the rows of a table of the edition; points with their limits."""

    def path(file: str) -> str:
        return sqltext.text(_path(edition, file))

    names = (entry.name for entry in edition.manifest.files)
    if table is POINT:
        return select_points(names, path, limits_within=edition.manifest.layout < LAYOUT)
    if table is CROSSWALK:
        return select_crosswalk(names, path)
    return table.read.format(path=path(table.file))


def _path(edition: Edition, file: str) -> str:
    """The path as the engine's readers must be told it."""
    return sqltext.one_path(edition.held.path(file))
