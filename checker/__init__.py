"""liangku (两库): the rule checker for China's medical insurance, as a Python package. docs/python.md shows how it is used.

What a name needs is imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from checker.model.version import __version__

if TYPE_CHECKING:
    from checker.model.errors import InputError, InternalError, KnowledgeError, LiangkuError, RuleError
    from checker.precheck.from_python import Counter, check, open_counter
    from checker.scan.findings import read_findings, stream_findings
    from checker.scan.from_python import Step, scan
    from checker.scan.run import Run

__all__ = [
    "Counter",
    "InputError",
    "InternalError",
    "KnowledgeError",
    "LiangkuError",
    "RuleError",
    "Run",
    "Step",
    "__version__",
    "check",
    "open_counter",
    "read_findings",
    "scan",
    "stream_findings",
]

_ERRORS, _COUNTER = "checker.model.errors", "checker.precheck.from_python"
_FROM = {
    **dict.fromkeys(("InputError", "InternalError", "KnowledgeError", "LiangkuError", "RuleError"), _ERRORS),
    **dict.fromkeys(("Counter", "check", "open_counter"), _COUNTER),
    **dict.fromkeys(("read_findings", "stream_findings"), "checker.scan.findings"),
    "Run": "checker.scan.run",
    "Step": "checker.scan.from_python",
}
"""The module of each name."""


def __getattr__(name: str) -> Any:
    if name == "scan":
        # The package itself, which can be called: it takes the place of anything else of that name as soon as one of its modules is imported.
        return importlib.import_module("checker.scan")
    if name not in _FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_FROM[name]), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
