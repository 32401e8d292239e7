"""The exception tree: every error says where, what was found, and what to write instead.

LiangkuError                 base; message is one sentence, `exit_code` is what the command ends with
├── InputError               a file, row, option or message from outside is wrong            exit 2
│   ├── KnowledgeError       a knowledge base is missing, altered or of an unknown layout    exit 2 (3 when embedded)
│   └── RuleError            rule files that do not load; carries every fault found          exit 2 (3 when embedded)
└── InternalError            the embedded rules or knowledge, or the engine, failed          exit 3
"""

from __future__ import annotations

import errno
import os
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


_OF_THE_SYSTEM = {
    errno.EACCES: "没有权限", errno.EPERM: "不允许", errno.ENOENT: "没有这个文件或文件夹", errno.EEXIST: "已有同名的文件",
    errno.ENOTDIR: "路径中有一段不是文件夹", errno.EISDIR: "是文件夹", errno.ENOTEMPTY: "文件夹不是空的", errno.ENOSPC: "磁盘已满",
    errno.EROFS: "只读", errno.EIO: "读写出错", errno.ENAMETOOLONG: "名称太长", errno.ELOOP: "链接绕成了圈",
    errno.EMFILE: "打开的文件太多", errno.EBUSY: "正被占用", errno.EADDRINUSE: "已被占用", errno.EADDRNOTAVAIL: "不是本机的地址",
}  # fmt: skip


def why(error: OSError) -> str:
    """What the system says of a file or an address, in Chinese where it is usual, then in its own words.

    >>> why(FileExistsError(errno.EEXIST, "File exists")), why(OSError(errno.EDOM, "odd"))
    ('已有同名的文件，File exists', 'odd')
    """
    chinese = _OF_THE_SYSTEM.get(error.errno or 0)
    # Of `os`: what the error carries may be in the language of the system.
    return f"{chinese}，{os.strerror(error.errno or 0)}" if chinese else error.strerror or str(error)


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
