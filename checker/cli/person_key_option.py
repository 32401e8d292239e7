"""The option --person-key: the key of the hashes that stand for persons in what leaves the house."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from checker.model.data_folder import SAID, default_data
from checker.model.errors import InputError
from checker.model.secret_key import KEY_BYTES, open_key

KEY_FILE = "scan.key"


def person_key_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --person-key to a command."""
    return click.option(
        "--person-key",
        type=click.Path(path_type=Path, dir_okay=False),
        help="人员代码的密钥文件，没有就新建；同一密钥下，同一人每次扫描的代码相同。不写：数据文件夹里的 scan.key，"
        f"数据文件夹是{SAID}（key of the hashes that stand for persons: the same key, the same hash; made where it is not there）",
    )(command)


def read_person_key(file: Path | None) -> bytes:
    """The key of the file named, or of this house; one of this run alone where the house has no place to keep one."""
    if file is not None:
        return open_key(file)
    try:
        return open_key(default_data() / KEY_FILE)
    except InputError:
        return secrets.token_bytes(KEY_BYTES)
