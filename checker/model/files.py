"""Files that were given and are read whole: opened once, bounded, into memory; what is hashed and what is parsed are the same bytes.

Standard library only: a check at the counter pays for this module's import.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from checker.model.errors import InputError, both, why

_MB = 1 << 20
RULE_FILE = 1 * _MB
"""The most bytes of a rule file; the longest of ours has 10 KB."""
SETTINGS_FILE = 1 * _MB
"""The most bytes of the settings of the service, of a province's profile, of a layout."""
MANIFEST = 4 * _MB
"""The most bytes of a manifest, of a lock, of the rules that come compiled."""
PRESCRIPTIONS = 64 * _MB
"""The most bytes of the prescriptions of a file or of a pipe; one has a few KB."""
KNOWLEDGE_TEXT = 256 * _MB
"""The most bytes of one file of reviewed text; a million points have 200 MB."""
KNOWLEDGE_TABLE = 256 * _MB
"""The most bytes of one Parquet file of a knowledge base; a million codes have 12 MB."""
WORKBOOK = 128 * _MB
"""The most bytes of a published list; a workbook of a million codes has 12 MB."""

# A pipe without writer would hold the process for ever, a terminal would become its own; where there is no such flag, there is no such file.
_FLAGS = os.O_RDONLY | sum(
    getattr(os, flag, 0) for flag in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT")
)


class UnfitFileError(InputError):
    """A file cannot be read; the sentence says why and what to do, not which file: who reads it knows how it is called."""


class MissingFileError(UnfitFileError):
    """There is no such file."""


class TooLargeError(UnfitFileError):
    """The file is larger than any of its kind."""


def read_once(path: Path, limit: int) -> bytes:
    """Return what stands in a regular file of at most `limit` bytes, or in the one that a link leads to.

    Raises MissingFileError, TooLargeError, and UnfitFileError for a folder, device, pipe or socket and what else cannot be read.
    """
    try:
        descriptor = os.open(path, _FLAGS)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - what is open stays what it is, whatever the path leads to by now
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _irregular()
            content = file.read(limit + 1)
    except FileNotFoundError:
        raise MissingFileError(
            both("无法读取：找不到这个文件，请检查路径", "cannot be read: no such file, check its path")
        ) from None
    except (OSError, ValueError) as error:
        if _is_irregular(path):
            raise _irregular() from None
        told = why(error) if isinstance(error, OSError) else str(error)
        raise UnfitFileError(
            both(f"无法读取（{told}），请检查权限，或移走它", "cannot be read: allow reading it, or remove it")
        ) from error
    return within(content, limit)


def within(content: bytes, limit: int) -> bytes:
    """Return what was read of a file, at most one byte more than the limit. Raises TooLargeError where it is that byte more."""
    if len(content) > limit:
        most = f"{limit // _MB} MB" if limit >= _MB else f"{limit} B"
        raise TooLargeError(
            both(f"超过 {most}，不予读取，请核对是否给错了文件", f"larger than {most}: check that it is the right file")
        )
    return content


def _irregular() -> UnfitFileError:
    return UnfitFileError(
        both(
            "无法读取：不是文件，而是文件夹、设备或管道，请给出文件",
            "cannot be read: not a regular file but a folder, device or pipe; name a file",
        )
    )


def _is_irregular(path: Path) -> bool:
    """Whether what stands there is no regular file: a socket and, in Windows, a folder cannot even be opened."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False
