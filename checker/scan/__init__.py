"""A scan [事后审核]: files in, findings on disk, counts that add up.

Called as a function, `checker.scan(...)`, it scans as `checker.scan.from_python.scan` does: Python knows a package and a function of one name
as one thing, whichever of its modules was imported first.
"""

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, *given: Any, **named: Any) -> Any:
        from checker.scan.from_python import scan

        return scan(*given, **named)

    @property
    def __signature__(self) -> Any:
        import inspect

        from checker.scan.from_python import scan

        return inspect.signature(scan)


sys.modules[__name__].__class__ = _Room
