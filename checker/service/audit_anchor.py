"""What is kept of the audit log outside it: its key, hashes on another disk, and the number that the store says it has reached."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from checker.model.errors import InputError, why
from checker.service.database import open_for_reading

KEY_VARIABLE = "LIANGKU_AUDIT_KEY"
_SHORTEST_KEY, _LONGEST_KEY = 16, 4096
_ANCHOR = re.compile(r"([1-9][0-9]{0,17}) ([0-9a-f]{64}) ([0-9T:.Z-]{20,32})")


def read_key(file: Path | None, environment: Mapping[str, str] = os.environ) -> bytes | None:
    """The key of a keyed log, from a file or the environment; None where there is neither. Raises InputError."""
    if file is None:
        key = environment.get(KEY_VARIABLE, "").encode(errors="surrogateescape").strip()
        if not key:
            return None
        source = KEY_VARIABLE
    else:
        source = str(file)
        if not file.is_file():
            raise InputError(f"{file}：找不到这个密钥文件，请检查路径（no such key file）")
        try:
            with file.open("rb") as opened:
                key = opened.read(_LONGEST_KEY).strip()
        except OSError as error:
            raise InputError(f"{file}：密钥文件无法读取（{why(error)}）（the key file cannot be read）") from error
    if len(key) < _SHORTEST_KEY:
        raise InputError(
            f"{source}：密钥太短，至少 {_SHORTEST_KEY} 个字节，可用 openssl rand -hex 32 生成（the key is too short）"
        )
    return key


def write_anchor(file: Path, seq: int, digest: str, at: str) -> None:
    """Add the number and hash of a record to the file of anchors, on disk when it returns. Raises OSError."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, f"{seq} {digest} {at}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_anchors(file: Path) -> dict[int, str]:
    """The hashes of records by number. Raises InputError where the file cannot be read or a line is no anchor."""
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        said = why(error) if isinstance(error, OSError) else "ASCII"
        raise InputError(f"{file}：无法读取（{said}），请检查路径（the anchors cannot be read）") from error
    found: dict[int, str] = {}
    for number, line in enumerate(lines, 1):
        anchor = _ANCHOR.fullmatch(line)
        if anchor is None:
            raise InputError(f"{file}：第 {number} 行不是“序号 哈希 时间”（line {number} is no anchor）")
        found[int(anchor[1])] = anchor[2]
    return found


def reached_by_store(database: Path) -> tuple[int, dict[int, str]]:
    """How far the log must reach by the store of the same service, and the hash that it keeps; nothing where there is no store."""
    if not database.is_file():
        return 0, {}
    with open_for_reading(database) as connection:
        (reached,) = connection.execute("SELECT last_seq FROM progress").fetchone()
        has_anchor = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'anchor'").fetchone()
        anchor = connection.execute("SELECT seq, hash FROM anchor").fetchone() if has_anchor else None
    return reached, {anchor[0]: anchor[1]} if anchor else {}
