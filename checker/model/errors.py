"""The exception tree: every error says where, what was found, and what to write instead.

LiangkuError                 base; message is one sentence, `exit_code` is what the command ends with
├── InputError               a file, row, option or message from outside is wrong            exit 2
│   ├── KnowledgeError       a knowledge base is missing, altered or of an unknown layout    exit 2 (3 when embedded)
│   └── RuleError            rule files that do not load; carries every fault found          exit 2 (3 when embedded)
└── InternalError            the embedded rules or knowledge, or the engine, failed          exit 3
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command ends with. Bad input and failures leave no result; an incomplete one is a result that does not speak of all
    that was given, whatever it found.
    """

    CLEAR = 0
    FINDINGS = 1
    BAD_INPUT = 2
    FAILURE = 3
    INCOMPLETE = 4


class Terminated(BaseException):
    """The system asks the process to end (SIGTERM): no error that anything may catch on the way out."""


class LiangkuError(Exception):
    """Base of all errors that a command reports as one sentence."""

    exit_code: ExitCode = ExitCode.FAILURE


class InputError(LiangkuError):
    """Something given from outside is wrong; the sentence names the place and the remedy."""

    exit_code = ExitCode.BAD_INPUT


class KnowledgeError(InputError):
    """A knowledge base cannot be used. `embedded` marks the one that came with the program."""

    def __init__(self, message: str, *, embedded: bool = False) -> None:
        super().__init__(message)
        if embedded:
            self.exit_code = ExitCode.FAILURE


def both(chinese: str, english: str) -> str:
    """One message in both languages: the Chinese sentence, and the English one in full-width parentheses.

    >>> both("是空的，请写文字", "is empty; write a text")
    '是空的，请写文字（is empty; write a text）'
    """
    return f"{chinese}（{english}）"


def halves(message: str) -> tuple[str, str]:
    """The two halves of what `both` gave; twice the message where it is in one language.

    >>> halves("写的是“片（甲）”（found '片（甲）'）")
    ('写的是“片（甲）”', "found '片（甲）'")
    """
    depth = 0
    for place in range(len(message) - 1, -1, -1) if message.endswith("）") else ():
        depth += {"）": 1, "（": -1}.get(message[place], 0)
        if depth == 0:
            return message[:place], message[place + 1 : -1]
    return message, message


def found_instead(value: str, remedy: str) -> str:
    """The message on a value that is wrong; `remedy` says in both languages what to write instead."""
    chinese, english = halves(remedy)
    return both(f"写的是“{value}”，{chinese}" if value else f"没有填，{chinese}", f"found {value!r}; {english}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a rule or knowledge file: the file, the place within it, what was found and what to write instead (by `both`).

    `check` names the kind of the fault, for those who count and filter faults.
    """

    file: str
    key: str
    message: str
    check: str = "value"

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.message}" if self.key else f"{self.file}: {self.message}"


class RuleError(InputError):
    """Rule files that do not load; `faults` holds every fault found in all of them."""

    def __init__(self, faults: Sequence[Fault], *, embedded: bool = False) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
        if embedded:
            self.exit_code = ExitCode.FAILURE


class InternalError(LiangkuError):
    """The embedded rules or knowledge, or the engine itself, failed."""
