"""Everything one run of the harness measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.measure import Runs


@dataclass(slots=True)
class Results:
    """Everything measured, as the page needs it."""

    lines: int
    grow: int
    machine: dict[str, str]
    sizes: dict[str, int] = field(default_factory=dict)
    scans: dict[str, dict[str, Runs]] = field(default_factory=dict)
    """by shape, or shape and `-grow`: the runs by contestant"""
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """by shape and contestant: what the comparison with the bare query says"""
    rows: dict[str, Runs] = field(default_factory=dict)
    row_answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    counter: dict[str, Runs] = field(default_factory=dict)
    warm: dict[str, float] | str = "not run"
