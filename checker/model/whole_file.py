"""Files that are written whole or not at all: texts, and workbooks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from checker.model.errors import InputError, why
from checker.model.private_files import for_owner_alone

if TYPE_CHECKING:
    from xlsxwriter import Workbook


def write_whole(path: Path, text: str) -> None:
    """Write UTF-8 text with \\n line ends beside the path, then rename it into place; its folder is made where it is absent.

    Raises InputError where the folder or file cannot be written; what stood at the path then still stands.
    """
    with _whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


@contextlib.contextmanager
def whole_book(path: Path, *, in_order: bool = True) -> Iterator[Workbook]:
    """A workbook that is in place, readable by its owner alone, when it is whole, and not at all before. No text becomes a formula or a link.

    `in_order`: its rows are written one after the other, so that memory holds but one of them. Raises InputError as `write_whole` does, and ImportError
    where the library that writes workbooks is not installed.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    options = {"constant_memory": in_order, "strings_to_formulas": False, "strings_to_urls": False}
    with for_owner_alone(), _whole(path) as temporary:
        try:
            with Workbook(temporary, options) as book:
                yield book
        except FileCreateError as error:
            raise OSError(str(error)) from error


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A place beside the path, from which what was written there goes to it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"{path}：无法写入（{why(error)}），请换一个位置或检查权限（cannot be written: choose a place that can be）"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            # Where the file could not even be named there is nothing to remove; the refusal above is what counts.
            temporary.unlink(missing_ok=True)
