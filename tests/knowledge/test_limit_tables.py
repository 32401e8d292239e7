"""Limits in a table for each shape: faults with file, row and column, older forms still read, and what a further shape takes."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from checker.knowledge.build import build
from checker.knowledge.edition import open_edition
from checker.knowledge.search import search
from checker.knowledge.source import open_knowledge, read_sources
from checker.model.errors import KnowledgeError
from tests.knowledge.small_kb import Kb, code, more, point

ROOT = Path(__file__).resolve().parents[2]
HERB = point("h1", "herb-single", "丁香", companions="herb_piece")
KB = more([HERB], [code("h1", "T000700200")])
P4_LIMITS = "p4,,儿童,3-12岁,3,year,13,year\n"
FAULTS = {
    "no limit row": ("item.csv", P4_LIMITS, "", "point.csv: row 5, column point_id: found 'p4'; no table has the limits of this point; add its row"),
    "two rows": ("item.csv", P4_LIMITS, P4_LIMITS * 2, "item.csv: row 6, column point_id: found 'p4'; row 5 has the limits of this point; keep one"),
    "a row in two tables": (
        "companion.csv", "h1,herb_piece", "p4,herb_piece\nh1,herb_piece",
        "companion.csv: row 2, column point_id: found 'p4'; item.csv has the limits of this point too; keep the row in",
    ),
    "a row of no point": (
        "companion.csv", "h1,herb_piece", "h2,herb_piece\nh1,herb_piece",
        "companion.csv: row 2, column point_id: found 'h2'; point.csv has no such point; add it there or remove this row",
    ),
    "a missing column": ("item.csv", "age_min_unit,", "", "item.csv: row 1: the column age_min_unit is missing; add it"),
    "a surplus column": ("companion.csv", ",companions", ",companions,sex", "companion.csv: row 1: the column 'sex' is unknown; remove it"),
    "a limit among the points": ("point.csv", "item_name,", "item_name,sex,", "point.csv: row 1: the column 'sex' is unknown; remove it"),
    "another word": ("companion.csv", "herb_piece", "herb", "companion.csv: row 2, column companions: found 'herb'; write one of herb_piece"),
    "no limit": ("item.csv", "p1,male", "p1,", "item.csv: row 2, column sex: found ''; write a limit: sex, age_word or age_text"),
    "no companions": ("companion.csv", "h1,herb_piece", "h1,", "companion.csv: row 2, column companions: found ''; write a limit: companions"),
    "a unit alone": ("item.csv", "3,year", ",year", "item.csv: row 5, column age_min_unit: found 'year'; fill age_min and age_min_unit together"),
    "bounds the other way": ("item.csv", "3,year,13", "13,year,3", "item.csv: row 5, column age_max: found '3'; write a number above age_min (13);"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_a_limit_table_says_where_it_stands_and_what_to_do(case: str, tmp_path: Path) -> None:
    file, old, new, says = FAULTS[case]
    folder = KB.write(tmp_path)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError) as error:
        read_sources(folder)
    # Where it stands comes first, then what to do in Chinese, and the same in English.
    place, _, english = re.match(r"(.*?row \d+(, column \w+)?): (.*)", says).groups()
    assert f"{place}: " in str(error.value)
    assert f"（{english}" in str(error.value)


def in_one_table(folder: Path) -> Path:
    """The text as it was before there were limit tables."""
    with duckdb.connect() as con:
        tables = {name: con.read_csv(str(folder / f"{name}.csv"), all_varchar=True) for name in ("point", "item")}
        rows = tables["point"].join(tables["item"], "point_id", "left")
        rows.write_csv(str(folder / "point.csv.new"), header=True)
    (folder / "point.csv.new").replace(folder / "point.csv")
    (folder / "item.csv").unlink()
    return folder


def test_limits_among_the_points_of_older_text_are_read_alike(tmp_path: Path) -> None:
    new, old = Kb().write(tmp_path / "new"), in_one_table(Kb().write(tmp_path / "old"))
    assert (old / "point.csv").read_text(encoding="utf-8").startswith("point_id,rule_id,item_name,subject")
    assert "age_max_unit" in (old / "point.csv").read_text(encoding="utf-8")
    built = build(old, tmp_path / "built")
    assert (built.layout, built.content_hash) == (3, build(new, tmp_path / "other").content_hash)
    assert {entry.name for entry in built.files} >= {"point.parquet", "item.parquet"}


def as_layout_2(folder: Path) -> Path:
    """A built edition as it was before there were limit tables."""
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE p AS FROM '{folder}/point.parquet' JOIN '{folder}/item.parquet' USING (point_id)")
        con.table("p").write_parquet(str(folder / "point.parquet"))
    (folder / "item.parquet").unlink()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["files"]["item.parquet"]
    manifest["layout"] = 2
    manifest["files"]["point.parquet"]["sha256"] = hashlib.sha256((folder / "point.parquet").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_a_built_edition_of_layout_2_is_read_alike(tmp_path: Path) -> None:
    Kb().write(tmp_path / "text")
    build(tmp_path / "text", tmp_path / "new")
    build(tmp_path / "text", tmp_path / "old")
    new, old = open_edition(tmp_path / "new"), open_edition(as_layout_2(tmp_path / "old"))
    assert open_knowledge(old.folder).points == open_knowledge(new.folder).points
    build(KB.write(tmp_path / "more"), tmp_path / "herbs")
    both = [old, open_edition(tmp_path / "herbs")]
    hits = [search(both, text, limit=1, day=date(2026, 6, 1)).hits[0] for text in ("爱普列特片", "丁香")]
    assert [(hit.limits["sex"], hit.limits["companions"]) for hit in hits] == [("male", None), (None, "herb_piece")]


# Puts the third shape into SHAPES as its author would, and goes through the commands with a knowledge base that uses it.
THIRD_SHAPE = """
import json, sys, types
from datetime import date
from pathlib import Path
import checker
root, work = Path(sys.argv[1]), Path(sys.argv[2])
file = root / "checker/shapes/__init__.py"
text = file.read_text(encoding="utf-8")
assert "= (ITEM, COMPANION, TERMS, QUOTA, PAIR, EVIDENCE)" in text
text = text.replace("SHAPES: tuple", "from tests.knowledge.made_up_shape import MADE_UP\\nSHAPES: tuple", 1)
text = text.replace("(ITEM, COMPANION, TERMS, QUOTA, PAIR, EVIDENCE)", "(ITEM, COMPANION, TERMS, QUOTA, PAIR, EVIDENCE, MADE_UP)")
checker.shapes = sys.modules["checker.shapes"] = types.ModuleType("checker.shapes")
checker.shapes.__path__ = [str(file.parent)]
exec(compile(text, str(file), "exec"), checker.shapes.__dict__)

from checker.knowledge.build import build
from checker.knowledge.checks.layers import read_layer
from checker.knowledge.checks.run import check_knowledge
from checker.knowledge.diff.compare import diff_knowledge
from checker.knowledge.edition import open_edition
from checker.knowledge.point_words import PointWords
from checker.knowledge.search import search
from checker.knowledge.show import describe_point
from checker.knowledge.source import open_given
from checker.model.errors import KnowledgeError
from tests.knowledge.small_kb import code, more, point

def kb(name, **limits):
    own = point("x1", "pairs", "超声检查", **limits)
    return more([own], [code("x1", "002501040040001")]).write(work / name)

before, after = kb("before", partner="imaging", most="2"), kb("after", partner="nursing", most="2")
manifest = build(before, work / "built")
edition = open_edition(work / "built")
diff = diff_knowledge(open_given(str(before)), open_given(str(after)))
(change,) = diff.points("changed")
(card,) = describe_point([edition], "x1")
(hit,) = search([edition], "超声检查", limit=5, day=date(2026, 6, 1)).hits
checked = check_knowledge([read_layer(before)], (), date(2026, 6, 1), skip=["unknown-rule"])
try:
    build(kb("wrong", partner="x", most="-1"), work / "no")
except KnowledgeError as error:
    faults = str(error).splitlines()
print(json.dumps({
    "files": [entry.name for entry in manifest.files], "fields": [[f.column, f.before, f.after] for f in change.fields],
    "codes": [each.kind for each in diff.codes("limits")], "shown": card.to_dict()["point"]["most"],
    "said": PointWords("en").limit(hit.limits), "issues": [issue.validator for issue in checked.issues], "faults": faults,
}))
"""


def test_a_further_shape_takes_its_folder_and_its_name_in_shapes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", THIRD_SHAPE, str(ROOT), str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["files"][:3] == ["point.parquet", "item.parquet", "made_up.parquet"]
    assert (told["fields"], told["codes"]) == ([["partner", "imaging", "nursing"]], ["limits"])
    assert (told["shown"], told["said"], told["issues"]) == (2, "with imaging", [])
    assert told["faults"] == [
        "made_up.csv: row 2, column partner: 写的是“x”，请写其中之一：imaging, nursing，或留空（found 'x'; write one of imaging, nursing, or leave it empty）",
        "made_up.csv: row 2, column most: 写的是“-1”，请写不小于 0 的整数，或留空（found '-1'; write a whole number, 0 or more, or leave it empty）",
    ]
