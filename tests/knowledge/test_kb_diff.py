"""What `kb diff` tells of two knowledge bases: points, codes, exemptions, and nothing where nothing differs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checker.knowledge.build import build
from checker.knowledge.diff.compare import KnowledgeDiff, diff_knowledge
from checker.knowledge.diff.points import FieldChange
from checker.knowledge.source import open_given
from checker.model.errors import InputError
from checker.report.kb_diff import diff_json, diff_markdown
from tests.knowledge.small_kb import EXEMPTION, PATTERNS, POINTS, Kb, changed, code, exemption, family, more, point

NEW_CODE = "XG04CBA088A001010101999"


@pytest.fixture
def diff(tmp_path: Path):
    """Compare a knowledge base with the sound one."""

    def compare(after: Kb, before: Kb | None = None, **options: str) -> KnowledgeDiff:
        sides = (before or Kb()).write(tmp_path / "before"), after.write(tmp_path / "after")
        return diff_knowledge(open_given(str(sides[0])), open_given(str(sides[1])), **options)

    return compare


def counts(diff: KnowledgeDiff) -> dict[str, int]:
    """The kinds of change that occur, and how often."""
    found: dict[str, int] = {}
    for rule in diff.rules:
        for kind, count in [*rule.points.items(), *rule.codes.items()]:
            if count:
                found[kind] = found.get(kind, 0) + count
    return found


def test_nothing_differs(diff):
    same = diff(Kb())
    assert not same.any_change
    assert counts(same) == {}
    assert [(rule.rule_id, rule.points_before, rule.codes_after) for rule in same.rules][2] == ("drug-sex", 2, 2)


def test_an_added_and_a_removed_point(diff):
    after = more([point("p6", "drug-sex", "新药片", sex="male")], [code("p6", NEW_CODE)])
    found = diff(after)
    assert counts(found) == {"added": 1, "gained": 1}
    (change,) = found.points("added")
    assert (change.point.item_name, change.point.limits["sex"]) == ("新药片", "male")
    (gained,) = found.codes("gained")
    assert (gained.code, gained.match, gained.before, gained.after[0].point_id) == (NEW_CODE, "code", (), "p6")
    back = diff(Kb(), after)
    assert counts(back) == {"removed": 1, "lost": 1}
    assert back.points("removed")[0].point.point_id == "p6"


def test_a_changed_point_field_by_field(diff):
    found = diff(changed("p1", sex="female", remark="核对"))
    (change,) = found.points("changed")
    assert change.fields == (FieldChange("remark", None, "核对"), FieldChange("sex", "male", "female"))
    (limited,) = found.codes("limits")
    assert [state.limits["sex"] for state in (*limited.before, *limited.after)] == ["male", "female"]
    assert counts(found) == {"changed": 1, "limits": 1}


def test_a_changed_point_code_by_code(diff):
    found = diff(Kb(patterns=[*PATTERNS[1:], code("p1", NEW_CODE)]))
    (change,) = found.points("changed")
    assert (change.codes_gained, change.codes_lost, change.fields) == ((NEW_CODE,), ("XG04CBA088A001",), ())
    assert counts(found) == {"changed": 1, "gained": 1, "lost": 1}


def test_another_count_of_published_codes_is_a_change(diff):
    found = diff(Kb(patterns=[{**PATTERNS[0], "published_codes": "9"}, *PATTERNS[1:]]))
    (change,) = found.points("changed")
    assert change.fields == (FieldChange("published_codes of XG04CBA088A001", "1", "9"),)
    assert counts(found) == {"changed": 1}


def test_a_point_that_ends_and_one_that_goes_on_at_notice(diff):
    ended = changed("p1", valid_to="2026-01-28")
    assert counts(diff(ended)) == {"changed": 1, "ended": 1}
    assert counts(diff(Kb(), ended)) == {"changed": 1, "resumed": 1}
    later = changed("p1", valid_from="2025-06-01")
    assert counts(diff(later)) == {"changed": 1, "period": 1}
    points = [*ended.points, {**POINTS[0], "point_id": "p1b", "valid_from": "2026-01-28", "level_cap": "notice"}]
    demoted = diff(Kb(points, [*PATTERNS, family("p1b", "XG04CBA088A001")]))
    assert counts(demoted) == {"changed": 1, "added": 1, "limits": 1}
    (change,) = demoted.codes("limits")
    assert [state.level_cap for state in change.after] == [None, "notice"]


def test_a_point_that_only_changed_its_id_is_renamed(diff):
    points = [{**POINTS[0], "point_id": "q1"}, *POINTS[1:]]
    found = diff(Kb(points, [family("q1", "XG04CBA088A001"), *PATTERNS[1:]]))
    (change,) = found.points("renamed")
    assert (change.former_id, change.point.point_id) == ("p1", "q1")
    assert counts(found) == {"renamed": 1}
    # With another code as well it is another point.
    other = diff(Kb(points, [family("q1", "XG04CBA088A017"), *PATTERNS[1:]]))
    assert counts(other) == {"added": 1, "removed": 1, "gained": 1, "lost": 1}


def test_exemptions_are_compared_with_their_items(diff):
    after = EXEMPTION.replace('"I27"', '"I27", "P29"') + exemption("e2", "service-sex")
    found = diff(Kb(exemptions=after))
    assert [(change.kind, change.exemption_id) for change in found.exemptions] == [("changed", "e1"), ("added", "e2")]
    assert found.exemptions[0].fields == (FieldChange("diagnoses", "I27", "I27; P29"),)
    items = Kb(exemptions=EXEMPTION.replace('name", value="爱普列特片"', 'family", value="XG04CBA088A001"'))
    (change,) = diff(items).exemptions
    assert change.fields == (FieldChange("items", "name 爱普列特片", "family XG04CBA088A001"),)
    (gone,) = diff(Kb(exemptions="")).exemptions
    assert (gone.kind, gone.rule_id) == ("removed", "drug-sex")


def test_one_rule_alone(diff):
    after = Kb([{**row, "remark": "核对"} for row in POINTS], exemptions="")
    found = diff(after, rule="service-sex")
    assert [change.point.point_id for change in found.points("changed")] == ["p5"]
    assert found.exemptions == ()
    assert [rule.rule_id for rule in found.rules] == ["service-sex"]
    with pytest.raises(InputError, match="no-rule"):
        diff(after, rule="no-rule")


def test_text_and_what_is_built_of_it_do_not_differ(tmp_path: Path, source_folder: Path, built: Path):
    assert not diff_knowledge(open_given(str(source_folder)), open_given(str(built))).any_change
    build(changed("p1", sex="female").write(tmp_path / "text"), tmp_path / "built")
    found = diff_knowledge(open_given(str(tmp_path / "text")), open_given(str(tmp_path / "built")))
    assert not found.any_change


def test_json_has_every_entry_on_its_own_line(diff):
    points = [point(f"n{number}", "drug-sex", f"新药{number}片", sex="male") for number in range(50)]
    found = diff(more(points, [code(f"n{number}", f"XG04CBA088A0010101{number:05}") for number in range(50)]))
    text = "".join(diff_json(found))
    document = json.loads(text)
    assert document["same"] is False
    assert [entry["point_id"] for entry in document["points"]] == sorted(row["point_id"] for row in points)
    assert document["points"][0]["valid_from"] == "2025-05-23"
    assert document["codes"][0]["after"][0]["sex"] == "male"
    assert document["rules"][2]["codes"]["gained"] == 50
    assert sum(line.startswith("    {") and '"point_id":"n' in line for line in text.split("\n")) == 100
    empty = json.loads("".join(diff_json(diff(Kb()))))
    assert (empty["same"], empty["points"], empty["codes"]) == (True, [], [])


def test_markdown_folds_long_lists_and_takes_names_as_they_stand(diff):
    points = [point(f"n{number:02}", "drug-sex", f"新|药*{number}<3岁", sex="male") for number in range(30)]
    found = diff(more(points, [code(f"n{number:02}", f"XG04CBA088A0010101{number:05}") for number in range(30)]))
    text = diff_markdown(found, "en", shown=20)
    assert "| drug-sex | 2 | 32 | 30 | – | – | – |" in text
    assert text.count("<details>") == text.count("</details>") == 2
    assert "- n00 新\\|药\\*0&lt;3岁 male only from 2025-05-23" in text
    assert text.count("\n- n") == 20
    assert "… 10 more" in text
    assert "没有任何不同" in diff_markdown(diff(Kb()), "zh")
