"""Bytes that were read once, under paths by which the engine can read them and nobody else can change them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path

from checker.model.errors import InputError, why


class HeldFiles:
    """The contents of files by name, readable at `path(name)` for as long as this object lives.

    They lie in memory where the system has files without a name (Linux), else in a folder of the owner alone.
    """

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        """Hold them. Raises InputError where there is no room for them."""
        self._paths: dict[str, Path] = {}
        self._hold = _in_memory if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir() else _in_folder
        with contextlib.ExitStack() as held:
            try:
                self._paths = self._hold(contents, held)
            except OSError as error:
                raise InputError(
                    f"{tempfile.gettempdir()}：没有地方放临时文件（{why(error)}），请腾出空间，或用 TMPDIR 指定别处"
                    "（no room for temporary files: make some, or name another place by TMPDIR）"
                ) from error
            weakref.finalize(self, held.pop_all().close)

    def path(self, name: str) -> Path:
        """Where the engine finds these bytes."""
        return self._paths[name]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it finds all of them."""
        return tuple(self._paths.values())


def _in_memory(contents: Mapping[str, bytes], held: contextlib.ExitStack) -> dict[str, Path]:
    paths = {}
    for name, content in contents.items():
        descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
        held.callback(os.close, descriptor)
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        paths[name] = Path(f"/proc/self/fd/{descriptor}")
    return paths


def _in_folder(contents: Mapping[str, bytes], held: contextlib.ExitStack) -> dict[str, Path]:
    folder = Path(tempfile.mkdtemp(prefix="liangku-"))
    held.callback(shutil.rmtree, folder, ignore_errors=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}
