"""Short names that tell paths apart, for files of our own that are made of them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def path_key(*paths: Path) -> str:
    """Sixteen hexadecimal digits, the same for the same paths in the same order.

    >>> path_key(Path("a"), Path("b")) == path_key(Path("a"), Path("b")) != path_key(Path("b"), Path("a"))
    True
    """
    # No path holds a zero.
    return hashlib.sha256(b"\0".join(map(os.fsencode, paths))).hexdigest()[:16]
