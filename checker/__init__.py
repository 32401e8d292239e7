"""liangku (两库): the rule checker for China's medical insurance, as a Python package."""

from checker.results import read_findings, stream_findings

__all__ = ["__version__", "read_findings", "stream_findings"]
__version__ = "0.1.0"
