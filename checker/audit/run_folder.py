"""The folder that a scan left, opened again: complete, unaltered, and of a version that is understood."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.audit.run_document import damage
from checker.engines.duckdb import connect_locked
from checker.model import sqltext
from checker.model.errors import InputError, both, why
from checker.model.out_folder import RUN_FILE, is_below, seal
from checker.model.schema import CASE_COLUMNS, FINDING_COLUMNS

if TYPE_CHECKING:
    import duckdb

TABLES = ("findings", "clusters", "quality", "denominators")
"""The files of a run that tables are made of."""
MEMORY = "700MB"
"""What the engine may hold while a report is made."""
HELD_FINDINGS = 50_000
"""Findings of an institution that are held while its workbook is written: some hundred megabytes at most."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run: where it lies, what its run.json says, and whether it bears a seal, without which nobody knows that it is as the scan wrote it."""

    folder: Path
    document: Mapping[str, Any] = field(repr=False)
    is_sealed: bool = True

    def file(self, name: str) -> Path:
        """One of its files, by the name without its end."""
        return self.folder / f"{name}.parquet"

    @property
    def language(self) -> str:
        """The language in which its findings are worded."""
        return str(self.document["options"]["language"])

    def refuse_inside(self, target: Path, option: str) -> None:
        """Refuse to write into the run's own folder: there a report could replace what it is made of, and `scan --force` would not go on."""
        own, place = self.folder.resolve(), target.resolve()
        if place == own or own in place.parents:
            raise InputError(
                f"{option} {target}："
                + both(
                    f"不能写进扫描结果的文件夹 {self.folder}，请写到别处",
                    "lies in the folder of the run: choose another place",
                )
            )

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection that reads this run's files and nothing else, with a view of each of TABLES."""
        files = [self.file(name).absolute() for name in TABLES]
        connection = connect_locked(readable=files, memory=MEMORY, ordered=True)
        for name, file in zip(TABLES, files, strict=True):
            connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {sqltext.parquet(file)}")
        return connection

    def narrow(self, connection: duckdb.DuckDBPyConnection, where: str, findings: int) -> None:
        """Let the view of findings be of those alone that a condition (SQL of our own making) holds of: `findings` of them, read once where memory has them."""
        own = f"SELECT * FROM {sqltext.parquet(self.file('findings').absolute())} WHERE {where}"
        if findings <= HELD_FINDINGS:
            connection.execute(f"CREATE OR REPLACE TEMP TABLE own_findings AS {own}")
            own = "SELECT * FROM own_findings"
        connection.execute(f"CREATE OR REPLACE TEMP VIEW findings AS {own}")


def open_run(folder: Path) -> RunFolder:
    """Open the folder of a scan. Raises InputError where it is none, or is incomplete, altered or of another version."""
    document = _read(folder)
    if not isinstance(document.get("lines"), dict) or not isinstance(document.get("options"), dict):
        raise InputError(
            f"{folder}："
            + both(
                "run.json 不是扫描的结果，请给出 liangku scan --out 的文件夹", "not of a scan: name the --out of a scan"
            )
        )
    results = document.get("results")
    if not isinstance(results, dict):
        raise InputError(
            f"{folder}：" + both("由旧版本生成，缺少文件的哈希，请重新扫描", "made by an older version: scan again")
        )
    place = damage(document)
    if place is not None:
        raise InputError(
            f"{folder / RUN_FILE}："
            + both(
                f"{place} 不是本版本的扫描写的样子（损坏，或由别的版本生成），请重新扫描",
                f"{place} is not as this version writes it (damaged, or of another version): scan again",
            )
        )
    told_seal = document.get("seal")
    if told_seal is not None and told_seal != seal(document):
        raise InputError(
            f"{folder / RUN_FILE}："
            + both(
                "扫描之后被改动过，与自身的封印不符；请找回原件，或重新扫描",
                "altered after the scan, it does not bear its own seal: restore it or scan again",
            )
        )
    for name, told in results.items():
        _check(folder, name, told)
    for name in TABLES:
        if f"{name}.parquet" not in results:
            raise InputError(
                f"{folder / name}.parquet："
                + both("这次扫描没有写这个文件，请用 liangku scan 重新扫描", "not written by this scan: scan again")
            )
    _check_columns(folder)
    return RunFolder(folder, document, is_sealed=told_seal is not None)


def _read(folder: Path) -> Mapping[str, Any]:
    file = folder / RUN_FILE
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}："
            + both("没有 run.json，请给出 liangku scan --out 的文件夹", "no run.json: name the --out of a scan")
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        reason = why(error) if isinstance(error, OSError) else "JSON"
        raise InputError(
            f"{file}：" + both(f"无法读取（{reason}），请重新扫描", "cannot be read: scan again")
        ) from error
    if not isinstance(document, dict):
        raise InputError(f"{file}：" + both("不是扫描的结果，请重新扫描", "not of a scan: scan again"))
    return document


def _check(folder: Path, name: str, told: Any) -> None:
    """Refuse a file that is not there, or not as it was written."""
    file = folder / name
    # A name could reach outside the folder.
    if not is_below(name) or not isinstance(told, dict) or not {"bytes", "sha256"} <= told.keys():
        raise InputError(f"{folder / RUN_FILE}：" + both("results 一节被改动过，请重新扫描", "altered: scan again"))
    try:
        with file.open("rb") as stream:
            same = (
                file.stat().st_size == told["bytes"]
                and hashlib.file_digest(stream, "sha256").hexdigest() == told["sha256"]
            )
    except FileNotFoundError as error:
        raise InputError(
            f"{file}："
            + both(
                "结果不完整，缺少这个文件；请找回，或重新扫描", "incomplete, the file is gone: restore it or scan again"
            )
        ) from error
    except OSError as error:
        raise InputError(f"{file}：" + both(f"无法读取（{why(error)}）", "cannot be read")) from error
    if not same:
        raise InputError(f"{file}：" + both("扫描之后被改动过，与 run.json 中的哈希不符；请找回原件，或重新扫描",
                                            "altered after the scan: restore it or scan again"))  # fmt: skip


def _check_columns(folder: Path) -> None:
    from pyarrow import parquet

    columns = set(parquet.read_schema(folder / "findings.parquet").names)
    missing = [name for name in (*FINDING_COLUMNS, *CASE_COLUMNS) if name not in columns]
    if missing:
        raise InputError(
            f"{folder / 'findings.parquet'}："
            + both(
                f"由别的版本生成，没有 {missing[0]} 列，请重新扫描",
                f"of another version, without {missing[0]}: scan again",
            )
        )
