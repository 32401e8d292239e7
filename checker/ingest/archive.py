"""ZIP archives: their members are unpacked one at a time under plain names, and told as `month.zip/lines.csv`."""

from __future__ import annotations

import contextlib
import errno
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from checker.ingest.file_kinds import UnknownKindError, suffix_of
from checker.ingest.passed import PassedOver
from checker.ingest.sources import EmptyFileError, InputFile, input_file
from checker.ingest.walk import is_hidden, is_of_the_system, partition_of
from checker.model.errors import InputError

MAX_MEMBERS = 100_000
MAX_RATIO, RATIO_FROM = 250, 64 << 20
"""A member that unpacks to more than so many times its size, and to more than so many bytes, is a bomb; text packs to a tenth."""
ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OverflowError, struct.error, OSError)
"""What a damaged archive makes its reader raise; of the errors of the system only that of a place that cannot be (EINVAL)."""
BEGINNING = 16 << 20
"""So many bytes are the beginning of a text."""
_OF_LINES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson")
_CHUNK = 1 << 20
_LONGEST_SUFFIX = 12
_ENCRYPTED, _UTF_8 = 0x1, 0x800


class NoRoomError(InputError):
    """The disk has no room for what is to be unpacked: no fault of the archive."""


def unpacked(archive: InputFile, work: Path, *, beginnings: bool = False) -> Iterator[InputFile | PassedOver]:
    """The members of an archive, each unpacked when it is asked for; all but Parquet files are removed when the next one is.

    Of texts the `beginnings` only where somebody asks for no more; the file then tells how much of it that is.
    Raises InputError where the archive is damaged, has a password, or would unpack to an absurd size.
    """
    path = archive.path
    with _faults_told(path), zipfile.ZipFile(archive.place) as packed:
        entries = [entry for entry in packed.infolist() if not entry.is_dir()]
        _refuse(path, entries)
        for number, entry in enumerate(entries):
            name = _name(entry)
            shown = path / name
            if reason := _reason(name, entry):
                yield PassedOver(shown, reason)
                continue
            place = work / f"{number}{suffix_of(name) or Path(name).suffix[:_LONGEST_SUFFIX]}"
            most = BEGINNING if beginnings and place.suffix in _OF_LINES else entry.file_size
            _unpack(packed, entry, place, shown, most)
            try:
                columns = (*archive.partition, *partition_of(Path(name).parts[:-1]))
                inner = input_file(place, alone=False, partition=columns)
            except UnknownKindError as error:
                yield PassedOver(shown, "unknown_kind", str(error).replace(str(place), str(shown)))
            except EmptyFileError:
                yield PassedOver(shown, "empty")
            except InputError as error:
                yield PassedOver(shown, "damaged", str(error).replace(str(place), str(shown)))
            else:
                kind = "nested" if inner.kind == "zip" else None
                share = min(most / entry.file_size, 1.0)
                yield PassedOver(shown, kind) if kind else inner.within(path, shown, share)
                if inner.kind == "parquet":
                    continue
            place.unlink()


def _reason(name: str, entry: zipfile.ZipInfo) -> str | None:
    """Why a member is not even unpacked."""
    parts = Path(name).parts
    if any(map(is_hidden, parts)):
        return "hidden"
    if any(map(is_of_the_system, parts)):
        return "of_the_system"
    return "empty" if entry.file_size == 0 else None


def _name(entry: zipfile.ZipInfo) -> str:
    """The name of a member as whoever packed it saw it: Chinese Windows writes GBK, and `\\` between folders."""
    name = entry.orig_filename
    if not entry.flag_bits & _UTF_8:
        raw = name.encode("cp437")
        for encoding in ("utf-8", "gb18030"):
            with contextlib.suppress(UnicodeDecodeError):
                name = raw.decode(encoding)
                break
    # A name that leads upwards is only shown: nothing is written under it.
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")) or "_"


def _refuse(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_MEMBERS:
        raise InputError(
            f"{path}：压缩包里有 {len(entries):,} 个文件，最多 {MAX_MEMBERS:,} 个，请解压后给出文件夹（too many members: unpack it first）"
        )
    seen: set[str] = set()
    for entry in entries:
        name = _name(entry)
        if name == "[Content_Types].xml":
            raise InputError(
                f"{path}：其实是 Office 文件，请改成相应的扩展名，如 .xlsx（a document of Office: give it its own suffix, such as .xlsx）"
            )
        if entry.flag_bits & _ENCRYPTED:
            raise InputError(
                f"{path}/{name}：压缩包有密码，请去掉密码，或解压后给出文件（has a password: pack it without one）"
            )
        if entry.file_size > RATIO_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise InputError(
                f"{path}/{name}：压缩了 {entry.file_size // max(entry.compress_size, 1):,} 倍，解压后 {entry.file_size:,} 字节，不像正常数据，没有解压；"
                "如果确是数据，请自行解压后给出文件（unpacks to an absurd size: unpack it yourself if it is data）"
            )
        if name in seen:
            raise InputError(
                f"{path}/{name}：压缩包里有两个同名的文件，请改名后重新打包（two members of one name: rename one）"
            )
        seen.add(name)


def _unpack(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path, shown: Path, most: int) -> None:
    """Write a member to `place`; of one with more than `most` bytes the whole lines among these."""
    free = shutil.disk_usage(place.parent).free
    if entry.file_size > free:
        raise NoRoomError(
            f"{shown}：磁盘空间不够，解压需要 {entry.file_size:,} 字节，{place.parent.parent.parent} 剩余 {free:,} 字节"
            f"（disk full: {entry.file_size:,} bytes are needed, {free:,} are free）"
        )
    # No more than the size that the archive tells is ever read, and its checksum is compared at the end.
    with packed.open(entry) as source, place.open("wb") as target:
        if most < entry.file_size:
            start = source.read(most)
            target.write(start[: start.rfind(b"\n") + 1] or start)
        else:
            shutil.copyfileobj(source, target, _CHUNK)


@contextlib.contextmanager
def _faults_told(path: Path) -> Iterator[None]:
    try:
        yield
    except ZIP_FAULTS as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise InputError(
            f"{path}：压缩包已损坏或不完整，请重新打包或重新传输（damaged or cut ZIP archive: pack or transfer it again）"
        ) from error
    except (NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{path}：压缩方式不支持，请用普通 ZIP 重新打包（packed in a way that is not read: pack it as plain ZIP）"
        ) from error
