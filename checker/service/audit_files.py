"""The files of one audit log: the one that is written, and those that were finished before it, which stand beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from checker.model.errors import InputError, why
from checker.service.audit_record import LONGEST, Record, read_record

_BLOCK = 1 << 16
_CHINA = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Finished:
    """A file that nothing is added to any more: its month, and the number of its first record."""

    path: Path
    month: str
    first_seq: int


def month_of(at: str) -> str:
    """The month in China of a record's time.

    >>> month_of("2026-10-31T16:00:00.000Z"), month_of("2026-10-31T15:59:59.999Z")
    ('202611', '202610')
    """
    moment = datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone(UTC)
    return f"{moment + _CHINA:%Y%m}"


def finished_path(path: Path, month: str, first_seq: int) -> Path:
    """Where the file at `path` goes when it is finished."""
    return path.with_name(f"{path.stem}-{month}-{first_seq:012d}{path.suffix}")


def log_of_finished(path: Path) -> Path | None:
    """The log to which a finished file belongs, by its name; None for a file that is not one.

    >>> log_of_finished(Path("audit-202611-000000000001.jsonl")).name, log_of_finished(Path("audit.jsonl"))
    ('audit.jsonl', None)
    """
    found = re.fullmatch(r"(.+)-[0-9]{6}-[0-9]{12,18}", path.stem)
    return path.with_name(found[1] + path.suffix) if found else None


def finished_files(path: Path) -> list[Finished]:
    """The finished files of the log at this path, the oldest first."""
    form = re.compile(rf"{re.escape(path.stem)}-([0-9]{{6}})-([0-9]{{12,18}}){re.escape(path.suffix)}")
    try:
        names = [(each, form.fullmatch(each.name)) for each in path.parent.iterdir()]
    except OSError:
        return []
    found = [Finished(each, name[1], int(name[2])) for each, name in names if name]
    return sorted(found, key=lambda each: (each.first_seq, each.month))


def all_files(path: Path) -> list[Path]:
    """Every file of the log at this path in order; the one that is written last, where there is one."""
    finished = [each.path for each in finished_files(path)]
    return [*finished, path] if path.exists() or not finished else finished


def last_line(path: Path) -> tuple[int, bytes]:
    """How many bytes follow the last line end of a file, and the line that ends with it; an empty line where there is none.

    Raises InputError where lines are longer than any record, OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        start, tail = file.seek(0, 2), b""
        while start and tail.count(b"\n") < 2:
            if len(tail) > 2 * LONGEST:
                raise InputError(
                    f"{path}：不是审计日志（行太长），请换一个文件（not an audit log, its lines are too long: name another file）"
                )
            length = min(_BLOCK, start)
            start -= length
            file.seek(start)
            tail = file.read(length) + tail
    end = tail.rfind(b"\n") + 1
    if not end:
        return len(tail), b""
    return len(tail) - end, tail[tail.rfind(b"\n", 0, end - 1) + 1 : end]


def first_record(path: Path) -> Record | None:
    """The record with which a file begins; None where it begins with none. Raises OSError."""
    with path.open("rb") as file:
        return read_record(file.readline(LONGEST))


def records(path: Path | str, after_seq: int = 0) -> Iterator[dict[str, Any]]:
    """The records of a log after that number, in order; what is unfinished at the end is left out.

    Raises InputError where a file cannot be read or a line is not a record.
    """
    path = Path(path)
    finished = finished_files(path)
    # A file whose successor begins no later than wanted holds nothing that is.
    skipped = sum(1 for each in finished[1:] if each.first_seq <= after_seq + 1)
    for file in all_files(path)[skipped:]:
        yield from _records(file, after_seq)


def _records(path: Path, after_seq: int) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    # The number stands first: what was taken in before need not be parsed.
                    if int(line[len(b'{"seq":') : line.index(b",")]) > after_seq:
                        yield json.loads(line)
                except ValueError as error:
                    raise InputError(
                        f"{path}：第 {number} 行不是审计记录，请用 liangku audit-log verify 检查（line {number} is no audit record: verify the log）"
                    ) from error
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path | str, error: OSError) -> InputError:
    """The refusal of a log that cannot be read."""
    return InputError(
        f"{path}：审计日志无法读取（{why(error)}），请检查路径和权限（the audit log cannot be read: check the path）"
    )
