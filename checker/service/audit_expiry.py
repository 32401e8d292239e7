"""Deletes files of the audit log that were kept long enough, so that the chain still shows that nothing else is missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from checker.model.errors import InputError
from checker.service.audit_files import finished_files, last_line
from checker.service.audit_log import AuditLog
from checker.service.audit_record import read_record
from checker.service.audit_verify import EXPIRED


def expire(log: AuditLog, path: Path, *, days: int, most_bytes: int, now: datetime, key: bytes | None = None) -> int:
    """Delete finished files, the oldest first: those whose last record is older than so many days, and those beyond so many bytes (0: no
    limit of that kind). Before a file goes, a record of the log says what goes, and is on disk.

    The number of files deleted. Raises InputError where a file that is to go does not end with a sound record: it stays. Raises OSError.
    """
    files = finished_files(path)
    size = sum(each.path.stat().st_size for each in files)
    before = f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%S}" if days else ""
    deleted = 0
    for number, each in enumerate(files):
        unfinished, line = last_line(each.path)
        last = read_record(line, key)
        follows = files[number + 1].first_seq if number + 1 < len(files) else None
        if unfinished or last is None or not last.is_sound or follows not in (None, last.seq + 1):
            raise InputError(
                f"{each.path}：最后一条记录不是完好的审计记录，不能按期删除，请用 liangku audit-log verify 检查（damaged: not deleted）"
            )
        is_too_much = bool(most_bytes) and size > most_bytes
        if last.at >= before and not is_too_much:
            break
        told = {
            "first": each.first_seq,
            "last": last.seq,
            "last_hash": last.hash,
            "why": "size" if is_too_much else "age",
        }
        log.append(EXPIRED, told)
        log.sync()
        size -= each.path.stat().st_size
        each.path.unlink()
        deleted += 1
    return deleted
