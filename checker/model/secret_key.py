"""A key that this house alone has: made once, kept in a file that only its owner reads, the same for all runs that name it."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from checker.model.errors import InputError, why
from checker.model.private_files import make_folder

KEY_BYTES = 32


def open_key(file: Path) -> bytes:
    """Read the key, or make it. Raises InputError where that cannot be done."""
    try:
        make_folder(file.parent)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            try:
                os.write(descriptor, secrets.token_bytes(KEY_BYTES))
            finally:
                os.close(descriptor)
        key = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"{file}：密钥文件无法读写（{why(error)}），请检查位置和权限（the key file cannot be read or made）"
        ) from error
    if len(key) != KEY_BYTES:
        raise InputError(
            f"{file}：密钥文件应为 {KEY_BYTES} 字节，请从备份恢复，或移走后重新启动（the key file is damaged: restore it, or move it away）"
        )
    return key
