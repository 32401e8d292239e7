"""Whether the service can still keep what it must: room on the disk, the log, the store, and what goes on beside the answers."""

from __future__ import annotations

import shutil
from typing import Any

from checker.service.review import Desk


def checks(desk: Desk) -> dict[str, dict[str, Any]]:
    """What was looked at, each with `ok` and what tells why."""
    keep, chores = desk.settings.keep, desk.keeper.chores
    try:
        free = shutil.disk_usage(desk.settings.data).free
    except OSError:
        free = 0
    failed = [chore for chore in chores if not chore.is_well]
    return {
        "disk": {"ok": free >= keep.free_bytes, "free_bytes": free, "least_bytes": keep.free_bytes},
        "log": {
            "ok": desk.books.unwritten is None and desk.books.audit.displaced is None, "error": desk.books.unwritten,
            "displaced_since": desk.books.audit.displaced, "records": desk.books.audit.last_seq,
        },
        "keeper": {"ok": not failed, "failed": {chore.name: chore.error or "late" for chore in failed}},
    }  # fmt: skip
