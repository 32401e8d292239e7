"""Text files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from checker.model.errors import InputError, why


def write_whole(path: Path, text: str) -> None:
    """Write UTF-8 text with \\n line ends beside the path, then rename it into place; its folder is made where it is absent.

    Raises InputError where the folder or file cannot be written; what stood at the path then still stands.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"{path}：无法写入（{why(error)}），请换一个位置或检查权限（cannot be written: choose a place that can be）"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            # Where the file could not even be named there is nothing to remove; the refusal above is what counts.
            temporary.unlink(missing_ok=True)
