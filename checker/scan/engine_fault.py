"""Why the engine failed in a scan: a full disk, an input that changed or is damaged, or a fault of our own."""

from __future__ import annotations

import glob
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import starmap
from pathlib import Path

from checker.engines.duckdb import connect_locked
from checker.ingest import stamp
from checker.ingest.columns import read_headers
from checker.ingest.gather import Gathered
from checker.ingest.sources import Source, first_line
from checker.model import sqltext
from checker.model.errors import InputError, InternalError

_FULL = ("No space left on device", "not enough space", "max_temp_directory_size", "Disk quota exceeded")
_TOO_LARGE = "File too large"
"""What a disk says that keeps no file of that size: FAT32 none above 4 GB, an account none above its limit."""
_PLAIN, _PACKED = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson"), 10
"""What is no plain text (Parquet, archives, workbooks) packs ten bytes of text into one."""
_NEEDED = 3
"""So many times the size of its inputs a scan may write while it works, at most: text converted, lines sorted, findings."""


def explain(
    error: Exception,
    files: Gathered | None,
    given: Iterable[str | Path],
    folders: Sequence[Path],
    damage: Mapping[Path, str] | None = None,
) -> Exception:
    """What to tell of a failure of the engine that writes in `folders`, scratch and results, over the inputs `given`; `files` is None where these were
    being opened. `damage` is that of `damage_of`, where somebody has looked.
    """
    if any(words in str(error) for words in _FULL):
        return _disk_full(given, folders)
    if _TOO_LARGE in str(error):
        return InputError(
            f"{folders[0]}：这个盘或账户不允许写这么大的文件（如 FAT32 最多 4 GB），请把 --out、--temp-dir 放到别的盘（no file of that size here）"
        )
    if isinstance(error, OSError):
        return error
    if files is not None:
        if changed := stamp.changed(files.stamps):
            return InputError(
                f"{'、'.join(map(str, changed[:5]))}：扫描期间文件有变化，请等写完后重新扫描（changed during the scan: scan it again）"
            )
        for said in damage.values() if damage is not None else starmap(_damaged_said, _damaged(files)):
            return InputError(said)
    return InternalError(f"引擎失败（the engine failed）：{first_line(error)}")


def damage_of(error: Exception, files: Gathered | None) -> dict[Path, str]:
    """The files in which a reading may have ended, and what is told of each; none where the disk is full, or an input has changed."""
    if files is None or isinstance(error, OSError) or any(words in str(error) for words in (*_FULL, _TOO_LARGE)):
        return {}
    if stamp.changed(files.stamps):
        return {}
    return {path: _damaged_said(path, fault) for path, fault in _damaged(files)}


def may_be_set_aside(damage: Mapping[Path, str], files: Gathered | None) -> bool:
    """Whether a scan can do without the damaged files: all were found in a folder, and lines are left."""
    if files is None or not damage:
        return False
    by_name = {each.file.path for each in files.files if each.file.alone}
    lines = {each.file.path for each in files.files if each.role == "lines"}
    return bool(lines - damage.keys()) and not damage.keys() & by_name


def _damaged_said(path: Path, fault: str) -> str:
    return f"{path}：文件中有无法读取的数据，请重新导出（damaged, or a value out of range: export it again）：{fault}"


def may_be_resumed(told: Exception) -> Exception:
    """The same error of a scan of which parts are kept."""
    return type(told)(
        f"{told}；已完成的部分留着，处理好以后加 --resume 可以接着扫描，接着扫描仍然失败时请不带 --resume 重新扫描"
        "（what is done is kept: go on with --resume; where that fails again, scan anew without it）"
    )


def _disk_full(given: Iterable[str | Path], folders: Iterable[Path]) -> InputError:
    folder = min(folders, key=lambda each: shutil.disk_usage(each).free)
    free, needed = shutil.disk_usage(folder).free, _NEEDED * sum(map(_size, given))
    return InputError(
        f"{folder}：磁盘空间不够，现剩余 {free:,} 字节；这次扫描最多需要约 {needed:,} 字节，请清理，或把 --out、--temp-dir 放到别的盘"
        f"（disk full: {free:,} bytes free, up to {needed:,} may be needed there）"
    )


def _size(given: str | Path) -> int:
    """The bytes of an input as text, about: of a folder or pattern those of its files."""
    paths = [Path(given)] if Path(given).exists() else map(Path, glob.glob(str(given), recursive=True))  # noqa: PTH207
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(
        file.stat().st_size * (1 if file.suffix.lower() in _PLAIN else _PACKED) for file in files if file.is_file()
    )


def _damaged(files: Gathered) -> Iterator[tuple[Path, str]]:
    """The inputs that cannot be read to their end, each read by itself."""
    import duckdb

    sources = (*files.lines, *files.settlements, *files.visits, *files.diagnoses)
    # Members of archives, and beginnings of files, lie in the folder of work.
    places = [file for source in sources for file in source.table.files]
    with connect_locked(readable=places, threads=1) as connection:
        for source in sources:
            if source.table.converted:
                continue
            for file, origin in zip(source.table.files, source.table.origin, strict=True):
                try:
                    connection.execute(f"SELECT {_everything(source)} FROM {sqltext.parquet(file)}")
                except duckdb.Error as error:
                    yield origin, first_line(error)


def _everything(source: Source) -> str:
    """SQL that reads all columns that a scan may read, as it reads them."""
    inner = {header.text for header in source.table.headers} - set(source.table.of_folders)
    read = [
        f"count({read_headers((header,), source.map.columns[name].kind)})"
        for name, headers in source.map.found.items()
        for header in (*headers, *source.map.fallback.get(name, ()))
        if header.text in inner
    ]
    return ", ".join(read) or "count(*)"
