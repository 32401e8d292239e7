"""The house stands: every room has its floor, imports go down only, and nothing goes round in a circle."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "checker"
FLOORS = (
    "cli", "report", "service", "change", "audit", "indicators", "proof", "scan", "precheck", "judge", "knowledge", "rulebook", "shapes", "ingest",
    "engines", "model",
)  # fmt: skip
"""The rooms from the top floor down: each may import from itself and from those after it."""


def _modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        if "_embedded" not in path.parts:
            name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def _imports(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of the package that a module imports, those imported within functions or for types included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "checker":
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in named}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.partition(".")[0] == "checker"}
    return found


def _room(module: str) -> str | None:
    return module.split(".")[1] if "." in module else None


def test_only_rooms_stand_at_the_root() -> None:
    here = {path.name for path in PACKAGE.iterdir() if path.name not in ("__pycache__", "_embedded")}
    assert here == {"__init__.py", "py.typed", *FLOORS}


def test_imports_go_down_only() -> None:
    modules = _modules()
    upward = [
        f"{module} imports {imported}"
        for module, path in modules.items()
        if (room := _room(module)) is not None
        for imported in _imports(path, modules)
        if (other := _room(imported)) is None or FLOORS.index(other) < FLOORS.index(room)
    ]
    assert not upward


def test_no_module_imports_itself_by_way_of_others() -> None:
    modules = _modules()
    try:
        TopologicalSorter({name: _imports(path, modules) for name, path in modules.items()}).prepare()
    except CycleError as circle:
        pytest.fail(f"goes round: {' -> '.join(circle.args[1])}")
