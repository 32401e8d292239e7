"""The progress bar of a long scan, on stderr, once it has taken two seconds."""

from __future__ import annotations

import threading
import time
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


class Bar:
    """Draws one bar over all steps; DuckDB tells how far a query is. Draws nothing where stderr is no terminal."""

    def __init__(self, language: str) -> None:
        self._english = language == "en"
        self._console = SafeConsole(stderr=True)
        self._started = time.monotonic()
        self._state: tuple[str, duckdb.DuckDBPyConnection | None] = ("read", None)
        self._at: tuple[str, int, int, float] | None = None
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

    def at(self, file: str, done: int, lines: int) -> None:
        """Remember the file whose turn it is, and how many of the lines of this step are done."""
        since = self._at[3] if self._at else time.monotonic()
        self._at = (file, done, lines, since)

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
                if self._at:
                    words, part = f"{words} {self._where(self._at)}", self._at[1] / max(self._at[2], 1)
                progress.update(task, description=words, completed=done + share * part)
                return
            done += share

    def _where(self, at: tuple[str, int, int, float]) -> str:
        """The file, the lines that are done, how many a second that is, and how long it takes yet."""
        file, done, lines, since = at
        passed = time.monotonic() - since
        if not done or passed <= 0:
            return f"{file} 0/{lines:,}"
        rate = done / passed
        left = max(0, round((lines - done) / rate))
        told = f"{file} {done:,}/{lines:,} · {rate:,.0f}"
        return told + (f" lines/s · {left} s left" if self._english else f" 行/秒 · 还要约 {left} 秒")
