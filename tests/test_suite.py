"""The tests themselves: what `make quick` leaves out is there; and the examples in docstrings are tests too."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest
from conftest import SLOW

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("entry", SLOW)
def test_what_is_called_slow_is_a_test(entry: str) -> None:
    file, _, test = entry.partition("::")
    assert f"def {test or 'test_'}" in (FOLDER / file).read_text(encoding="utf-8")


def test_the_examples_in_the_docstrings_hold() -> None:
    root = Path(__file__).resolve().parents[1]
    shown = [
        path.relative_to(root)
        for path in sorted((root / "checker").rglob("*.py"))
        if any(line.lstrip().startswith(">>> ") for line in path.read_text(encoding="utf-8").splitlines())
    ]
    assert len(shown) > 40
    for path in shown:
        result = doctest.testmod(importlib.import_module(".".join(path.with_suffix("").parts)))
        assert result.attempted, path
        assert not result.failed, path
