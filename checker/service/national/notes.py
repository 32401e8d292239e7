"""What was odd in a message but tolerated: said once each, and not without end."""

from __future__ import annotations

_MOST = 30


class Notes:
    """Collects notes; `told` gives them in the order in which they came."""

    def __init__(self) -> None:
        self._notes: dict[str, None] = {}
        self._more = 0

    def add(self, note: str) -> None:
        """Note it, unless it was noted already."""
        if note in self._notes:
            return
        if len(self._notes) < _MOST:
            self._notes[note] = None
        else:
            self._more += 1

    @property
    def told(self) -> tuple[str, ...]:
        """The notes, and how many more there were."""
        more = (f"另有 {self._more} 处从略（and {self._more} more）",) if self._more else ()
        return (*self._notes, *more)
