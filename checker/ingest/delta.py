"""Delta tables: which files the latest version of a table consists of, by its log."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from checker.model.errors import InputError

LOG = "_delta_log"
_ENTRY = re.compile(r"([0-9]{20})\.json")
_CHECKPOINT = re.compile(r"([0-9]{20})\.checkpoint(?:\.[0-9]{10}\.[0-9]{10})?\.parquet")
_READ = ("add", "remove", "metaData")

Partition = tuple[tuple[str, str | None], ...]


def read_log(folder: Path) -> dict[Path, Partition] | None:
    """The files of the table in `folder`, with the columns that only the log holds; None where the log is none.

    Raises InputError where the log is broken, or the table uses what only a Delta reader can resolve.
    """
    names = sorted(path.name for path in (folder / LOG).iterdir())
    entries = {int(found[1]): name for name in names if (found := _ENTRY.fullmatch(name))}
    checkpoints: dict[int, list[str]] = {}
    for name in names:
        if found := _CHECKPOINT.fullmatch(name):
            checkpoints.setdefault(int(found[1]), []).append(name)
    if not entries and not checkpoints:
        return None
    # All entries from the beginning need no checkpoint, which may be one of several kinds.
    start = max(checkpoints, default=-1) if 0 not in entries else -1
    last = max(entries, default=start)
    missing = [version for version in range(start + 1, last + 1) if version not in entries]
    if missing:
        raise _advise(folder, f"日志缺少版本 {missing[0]}", f"version {missing[0]} is missing from the log")
    try:
        actions = [action for name in checkpoints.get(start, []) for action in _of_checkpoint(folder / LOG / name)]
        for version in range(start + 1, last + 1):
            text = (folder / LOG / entries[version]).read_text(encoding="utf-8-sig")
            actions += [json.loads(line) for line in text.splitlines() if line.strip()]
        return _files(folder, actions)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _advise(folder, "日志无法读取", "its log cannot be read") from error


def _of_checkpoint(path: Path) -> list[dict[str, Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        names = [name for name in _READ if name in parquet.read_schema(path).names]
        rows: list[dict[str, Any]] = parquet.read_table(path, columns=names).to_pylist()
    except pyarrow.ArrowException as error:
        raise ValueError(str(error)) from error
    return rows


def _files(folder: Path, actions: list[dict[str, Any]]) -> dict[Path, Partition]:
    """Play the log's actions one after the other."""
    listed: dict[Path, Partition] = {}
    for action in actions:
        if told := action.get("metaData"):
            settings = dict(told.get("configuration") or {})
            if settings.get("delta.columnMapping.mode", "none") != "none":
                raise _advise(folder, "表用了列名映射（column mapping）", "it maps column names")
        if gone := action.get("remove"):
            listed.pop(_path(folder, gone["path"]), None)
        if added := action.get("add"):
            if added.get("deletionVector"):
                raise _advise(folder, "表里有用删除向量（deletion vector）标记删除的行", "it has deletion vectors")
            listed[_path(folder, added["path"])] = tuple(dict(added.get("partitionValues") or {}).items())
    for path in listed:
        if not path.is_file():
            raise _advise(folder, f"日志中的文件 {path.name} 不在", f"its file {path.name} is not there")
    return listed


def _path(folder: Path, written: str) -> Path:
    if urlsplit(written).scheme or written.startswith("/"):
        raise _advise(folder, f"日志指向表外的文件 {written}", "its log names files outside the table")
    return folder / unquote(written)


def _advise(folder: Path, what: str, english: str) -> InputError:
    return InputError(
        f"{folder}：这是 Delta 表，{what}，不能直接读；请用 Spark 把它另存为普通 Parquet 再扫描"
        f"（a Delta table, {english}: write it out as plain Parquet first）"
    )
