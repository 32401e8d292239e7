"""Where reports are printed, a terminal as it is, a pipe or a file wide enough for tables; and in which language."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

from checker.model.shown import shown

PIPE_WIDTH = 140
"""How wide tables are written at least where no terminal says how wide it is."""


class SafeConsole(Console):
    """Shows texts without what would steer the terminal, hide, or turn the order of what is read: all that is printed comes through here."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render whatever is printed."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(shown(segment.text, lines=True), segment.style)


def wide_console(console: Console | None = None) -> Console:
    """Return the console given, else that of stdout; one that is no terminal is made PIPE_WIDTH wide, so that nothing is cut."""
    console = console or SafeConsole(highlight=False)
    if console.is_terminal:
        return console
    return SafeConsole(file=console.file, width=max(console.width, PIPE_WIDTH), highlight=False)


class Words:
    """Prints sentences of one language on a console; texts are markup."""

    def __init__(self, console: Console, language: str) -> None:
        self.console = console
        self.english = int(language == "en")
        """1 where it is English, the place of its half of what is said in both."""

    def text(self, chinese: str, english: str) -> str:
        """The one of two texts that is of the language."""
        return english if self.english else chinese

    def say(self, chinese: str, english: str) -> None:
        """Print a sentence."""
        self.console.print(self.text(chinese, english), highlight=False)

    def listed(self, texts: Iterable[str]) -> str:
        """Texts one after the other."""
        return self.text("、", ", ").join(texts)


def safe(text: str) -> str:
    """A text from outside as markup: on one line, and as it is, but for signs that would steer the terminal or deceive who reads."""
    return escape(shown(text))


def shell_word(text: str) -> str:
    """A word of a command line; Chinese needs no quotes."""
    return text if text and all(sign.isalnum() or sign in "_-./=:，（）" for sign in text) else shlex.quote(text)


def rough(number: float) -> int:
    """A number that is an estimate, to two digits where it is large."""
    whole = round(number)
    scale = 10 ** max(len(str(whole)) - 2, 0)
    return whole if whole < 100_000 else round(whole / scale) * scale
