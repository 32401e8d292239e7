"""The progress bar of a long scan, on stderr, once it has taken two seconds."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from checker.report.console import SafeConsole

if TYPE_CHECKING:
    import duckdb
    from rich.progress import Progress, TaskID

QUIET_SECONDS = 2.0
POLL_SECONDS = 0.2
STEPS = {
    "read": ("读取输入", "reading inputs", 3),
    "census": ("清点明细", "counting lines", 25),
    "select": ("挑出受限项目", "selecting restricted items", 45),
    "persons": ("核对人员", "finding persons", 10),
    "judge": ("判断", "judging", 9),
    "write": ("写出结果", "writing findings", 8),
}
"""The steps of a scan: words in both languages, and their share of the time in hundredths."""


UNITS = {"files": ("files", "个文件"), "lines": ("lines", "行")}


@dataclass(frozen=True, slots=True)
class _At:
    """Whose turn it is, and how much of the step is done, `since` when."""

    file: str
    own: int
    done: int
    of: int
    unit: str
    since: float


class Bar:
    """Draws one bar over all steps; DuckDB tells how far a query is. Draws nothing where stderr is no terminal."""

    def __init__(self, language: str) -> None:
        self._english = language == "en"
        self._console = SafeConsole(stderr=True)
        self._started = time.monotonic()
        self._state: tuple[str, duckdb.DuckDBPyConnection | None] = ("read", None)
        self._at: _At | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)

    def __enter__(self) -> Bar:
        if self._console.is_terminal:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()

    def step(self, name: str, connection: duckdb.DuckDBPyConnection | None) -> None:
        """Remember the step; the drawing thread looks it up."""
        self._state, self._at = (name, connection), None

    def at(self, file: str, own: int, done: int, of: int, unit: str) -> None:
        """Remember whose turn it is: `own` of all, the files or lines of this step, of which so many are done."""
        since = self._at.since if self._at else time.monotonic()
        self._at = _At(file, own, done, of, unit, since)

    def _draw(self) -> None:
        if self._done.wait(QUIET_SECONDS):
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task("", total=100, start=True)
            while not self._done.wait(POLL_SECONDS):
                self._show(progress, task)

    def _show(self, progress: Progress, task: TaskID) -> None:
        name, connection = self._state
        done = 0
        for step, (chinese, english, share) in STEPS.items():
            if step == name:
                told = max(0.0, connection.query_progress()) if connection is not None else 0.0
                words, part = english if self._english else chinese, min(told, 100.0) / 100
                if at := self._at:
                    reached = at.done + int(at.own * part)
                    words, part = f"{words} {self._where(at, reached)}", reached / max(at.of, 1)
                progress.update(task, description=words, completed=done + share * part)
                return
            done += share

    def _where(self, at: _At, done: int) -> str:
        """The file, how many are done, how many that is a second, and how long it takes yet."""
        passed = time.monotonic() - at.since
        english, chinese = UNITS[at.unit]
        told = f"{at.file} {done:,}/{at.of:,} {english if self._english else chinese}"
        if not done or passed <= 0:
            return told
        rate = done / passed
        left = max(0, round((at.of - done) / rate))
        return told + (
            f" · {rate:,.0f}/s · {left} s left" if self._english else f" · 每秒 {rate:,.0f} · 还要约 {left} 秒"
        )
