"""The tests themselves: what `make quick` leaves out is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SLOW

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("entry", SLOW)
def test_what_is_called_slow_is_a_test(entry: str) -> None:
    file, _, test = entry.partition("::")
    assert f"def {test or 'test_'}" in (FOLDER / file).read_text(encoding="utf-8")
