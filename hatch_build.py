"""The wheel's build hook: builds the knowledge base and packs it, with the rules, into the wheel."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds knowledge_base/sources into knowledge_base/built, rules.plan.json included.

    A wheel carries both as checker/_embedded/knowledge_base and the rule files as checker/_embedded/rules; an editable
    install reads them from the checkout.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, then name the files that the wheel takes in; a fault in sources or rules stops the build."""
        root = Path(self.root)
        rules, built = root / "rules", root / "knowledge_base" / "built"
        sys.path.insert(0, str(root))
        try:
            from checker.knowledge.build import build
            from checker.rulebook.plan import PLAN_FILE, write_embedded_plan
        finally:
            sys.path.remove(str(root))
        build(root / "knowledge_base" / "sources", built)
        write_embedded_plan(rules, built / PLAN_FILE)
        if not (built / PLAN_FILE).is_file():
            raise FileNotFoundError(
                f"{built / PLAN_FILE}: the compiled rules were not written; mend checker/rulebook/plan.py"
            )
        if version == "editable":
            return
        taken = {file: f"checker/_embedded/rules/{file.name}" for file in sorted(rules.glob("*.toml"))}
        taken |= {file: f"checker/_embedded/knowledge_base/{file.name}" for file in sorted(built.iterdir())}
        build_data["force_include"].update({str(file): place for file, place in taken.items()})
