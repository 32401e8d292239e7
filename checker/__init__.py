"""liangku (两库): the rule checker for China's medical insurance, as a Python package."""

from checker.model.version import __version__
from checker.scan.findings import read_findings, stream_findings

__all__ = ["__version__", "read_findings", "stream_findings"]
