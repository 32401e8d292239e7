"""liangku (两库): the rule checker for China's medical insurance, as a Python package."""

__version__ = "0.1.0"
