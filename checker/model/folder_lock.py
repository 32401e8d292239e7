"""One process at a time for one folder: a lock that the system takes back when its holder dies."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


class FolderLock:
    """A lock file beside the folder, held by the system's own lock on it, so that none is left behind that would have to be judged stale."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held: int | None = None

    def take(self) -> bool:
        """Take the lock; False where another process holds it. Raises OSError where the lock file cannot be made."""
        while True:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)
            if not _lock(descriptor):
                os.close(descriptor)
                return False
            # Its last holder may have removed the file between our opening and our locking it: then another may lock a new one.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), self._file.stat()):
                    self._held = descriptor
                    return True
            os.close(descriptor)

    def release(self) -> None:
        """Give the lock back, and remove its file."""
        if self._held is None:
            return
        with contextlib.suppress(OSError):
            # Windows removes no open file; an empty one does no harm.
            self._file.unlink()
        os.close(self._held)
        self._held = None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # Some network file systems know no locks: what is written there is looked at again before it is put in place.
            return True
        return True
