"""The counts in knowledge_base/README.md are those of the edition."""

from __future__ import annotations

import re
from pathlib import Path

from checker.knowledge.edition import Edition
from checker.knowledge.source import Sources


def test_the_readme_counts_what_is_in_the_edition(edition: Edition, sources: Sources, source_folder: Path) -> None:
    text = (source_folder.parent / "README.md").read_text(encoding="utf-8")
    counts = {
        name: tuple(int(cell.replace(",", "")) for cell in cells.split("|"))
        for name, cells in re.findall(
            r"^\| ([a-z-]+) \| ([\d,]+ \| [\d,]+ \| [\d,]+ \| [\d,]+) \|$", text, re.MULTILINE
        )
    }
    rules = {
        rule.rule_id: (rule.points, rule.families, rule.codes, rule.published_codes) for rule in edition.manifest.rules
    }
    assert counts.pop("all") == tuple(map(sum, zip(*rules.values(), strict=True)))
    assert counts == rules
    exemptions, items = len(sources.exemptions), len(sources.exemption_items)
    assert f"Pattern rows: {len(sources.patterns):,} " in text
    assert f"Exemptions: {exemptions}, with {items} items." in text
    demoted = [point.rule_id for point in sources.points if point.remark == "not_in_2026_list"]
    assert f"Demoted are {demoted.count('drug-sex')} rows of drug-sex and {demoted.count('drug-child-only')} of" in text
