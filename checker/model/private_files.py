"""Files that may tell of a person: only their owner may read them, whatever this process lets others read otherwise."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_OTHERS = 0o077


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the owner alone; one that is there keeps its mode."""
    with for_owner_alone():
        folder.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def for_owner_alone() -> Iterator[None]:
    """Whatever is made meanwhile, by this process or a library in it, is 0600, and 0700 where it is a folder."""
    before = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(before)
