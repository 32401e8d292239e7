"""Text from outside as it may be shown: nothing in it steers a terminal, hides, or turns the order of what is read.

Standard library only: every command that says something pays for this module's import.
"""

from __future__ import annotations

import re

SUBSTITUTE = "\ufffd"
"""What stands where a sign was that may not be shown, so that nobody takes the rest for the whole."""
INVISIBLE = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f"
)
"""Control characters (without its escape a terminal obeys no sequence), signs that turn the direction of writing, and signs that no eye sees.

As a class of a regular expression.
"""
INVISIBLE_SQL = "[" + "".join(sign if sign == "-" else f"\\x{{{ord(sign):x}}}" for sign in INVISIBLE) + "]"
"""The same as the engine reads it (RE2)."""
TAG = "<[A-Za-z/!?]"
"""How a tag of HTML begins, as a regular expression."""
_SIGNS = re.compile(f"[{INVISIBLE}\ud800-\udfff]")
_BREAKS = re.compile(r"\r\n|[\t\r\n]")
_BLANK = "\\s\\x0b\u0085\u00a0\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
FORMULA = f"^(?:[{_BLANK}]*[=+@\uff1d\uff0b\uff0d\ufe63\u2212\uff20\ufe62\ufe66-]|[\\t\\r\\n])"
"""How a text begins that a spreadsheet would run, or that it would once what stands before is taken away (RE2, as the engine reads it)."""


def shown(text: str, *, lines: bool = False) -> str:
    """A text from outside without what steers, hides or turns; a substitute stands for it. With `lines` line breaks and tabs stay.

    >>> shown("甲片\\x1b[31m红\\x1b[0m"), shown("abc\\u202etxt.exe"), shown("一\\n二")
    ('甲片\ufffd[31m红\ufffd[0m', 'abc\ufffdtxt.exe', '一 二')
    >>> shown("全角　空格，（甲）×2") == "全角　空格，（甲）×2"
    True
    """
    text = _SIGNS.sub(SUBSTITUTE, text)
    return text if lines else _BREAKS.sub(" ", text)


def no_formula(text: str) -> str:
    """A text from outside for a cell of CSV: as `shown`, with a quote before what a spreadsheet would run.

    >>> no_formula("=1+1"), no_formula("甲片"), no_formula("-5")
    ("'=1+1", '甲片', "'-5")
    """
    told = shown(text)
    return f"'{told}" if re.match(FORMULA, told) else told
