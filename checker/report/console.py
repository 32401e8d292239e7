"""Where reports are printed: a terminal as it is, a pipe or a file wide enough for tables."""

from __future__ import annotations

from rich.console import Console

PIPE_WIDTH = 140
"""How wide tables are written at least where no terminal says how wide it is."""


def wide_console(console: Console | None = None) -> Console:
    """Return the console given, else that of stdout; one that is no terminal is made PIPE_WIDTH wide, so that nothing is cut."""
    console = console or Console(highlight=False)
    if console.is_terminal:
        return console
    return Console(file=console.file, width=max(console.width, PIPE_WIDTH), highlight=False)
