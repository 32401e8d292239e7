"""`liangku kb export`: workbooks that an import reads as the same points, what is told of those that no workbook can say, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.source import Sources, open_knowledge

from .test_import import A1, A2, B1, JANUARY, MAY, kb_import, liangku
from .test_import_batches import DAY, PAIR_HEADER, S1, S2, S3, sheet


def exported(out: Path, *arguments: object) -> dict[str, Any]:
    """Export into the folder and return the one JSON document that the command prints."""
    told = liangku("kb", "export", "--out", out, *arguments, "--json")
    assert (told.code, told.err) == (0, "")
    document: dict[str, Any] = json.loads(told.out)
    return document


def imported_again(document: dict[str, Any], out: Path) -> list[Path]:
    """The editions that an import makes of the workbooks, one a batch, day and place."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for book in document["workbooks"]:
        key = (book["batch"], book["published"], book["region"], book["region_of"])
        groups.setdefault(key, []).append(book)
    editions = []
    for (batch, day, region, region_of), books in groups.items():
        files = [Path(document["out"]) / book["file"] for book in books]
        place = ("--region", region, "--region-of", region_of) if region else ()
        edition = out / f"{batch}-{day}-{region}"
        kb_import(edition, *files, *place, batch=batch, published=day)
        editions.append(edition)
    return editions


def said(kb: Sources, *rules: str) -> dict[str, tuple[PointRow, frozenset[PatternRow]]]:
    """Every point (of these rules, or of all) by its id with all that it limits and covers, apart from the file and rows in which it stood."""
    patterns: dict[str, set[PatternRow]] = {}
    for pattern in kb.patterns:
        patterns.setdefault(pattern.point_id, set()).add(pattern)
    return {
        point.point_id: (replace(point, document="", source_rows=""), frozenset(patterns[point.point_id]))
        for point in kb.points
        if not rules or point.rule_id in rules
    }


def said_by(editions: Iterable[Path]) -> dict[str, tuple[PointRow, frozenset[PatternRow]]]:
    return {point_id: told for edition in editions for point_id, told in said(open_knowledge(edition)).items()}


@pytest.mark.parametrize(
    ("part", "batch", "day", "codes"), [("第一批", "01", MAY, 11290), ("2026年1月", "2026-01", JANUARY, 4652)]
)
def test_the_published_workbooks_come_back_as_they_were(
    published_folder: Path, tmp_path: Path, part: str, batch: str, day: date, codes: int
) -> None:
    sheets = sorted(path for path in (published_folder / "sheets").glob("*.xlsx") if part in path.name)
    if not sheets:
        pytest.skip("the published workbooks do not lie in ../shared/nhsa/sheets beside this checkout")
    kb_import(tmp_path / "kb", *sheets, "--expect", codes, batch=batch, published=day)
    document = exported(tmp_path / "out", "--kb", tmp_path / "kb")
    assert (document["not_written_as_workbooks"], len(document["workbooks"])) == ([], len(sheets))
    (again,) = imported_again(document, tmp_path / "again")
    assert said(open_knowledge(again)) == said(open_knowledge(tmp_path / "kb"))


def test_the_embedded_edition_comes_back_but_for_what_is_named(built: Path, tmp_path: Path) -> None:
    document = exported(tmp_path / "out", "--kb", built)
    before, after = said(open_knowledge(built)), said_by(imported_again(document, tmp_path / "again"))
    named = [point_id for each in document["not_written_as_workbooks"] for point_id in each["point_ids"]]
    assert sorted([*after, *named]) == sorted(before)
    assert after == {point_id: before[point_id] for point_id in after}
    # What the layout cannot say, and nothing else: ends, caps of the level, lists that are not read, one text that says no number of days.
    of_rules = {
        each["rule_id"] for each in document["not_written_as_workbooks"] if "清单里写不出" not in each["reason"]
    }
    assert of_rules == {"drug-indication", "herb-single", "service-course"}
    assert all(
        before[point_id][0].valid_to or before[point_id][0].level_cap
        for point_id in named
        if before[point_id][0].rule_id not in of_rules
    )


SMALL: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "sex": ("药品区分性别使用", "序号,药品通用名,限定性别,检出逻辑,药品代码", (f"甲,男,就诊人与限定性别不符,{A1} {A2}", f"007,女,与限定性别不符,{B1}")),
    "window": ("药品限儿童使用", "序号,药品通用名,检出逻辑,逻辑依据,药品代码", (f"甲,参保人年龄超出,限3-12岁,{A1}", f"乙,参保人年龄超出,药品说明书,{B1}")),
    "word and window": ("医疗服务项目儿童专用", "序号,项目名称,检出逻辑,逻辑依据,项目代码,备注", (f"甲,参保人年龄超出,新生儿专用项目,{S1},限28天以内",)),
    "families": ("药品限儿童使用", "序号,药品通用名,检出逻辑,逻辑依据,药品代码,已公布代码数",
                 (f"甲,参保人年龄超出,限3-12岁,{A1[:14]}*,7", f"乙,,限1岁以上,{B1},")),
    "on trial": ("药品区分性别使用", "序号,药品通用名,限定性别,药品代码,备注", (f"甲,男,{A1},仅限住院", f"乙,男,{B1},")),
    "care": ("药品限就医方式", "序号,药品通用名,逻辑依据,药品代码", (f"甲,限急诊或住院患者。,{A1}", f"乙,限住院患者。,{B1}")),
    "course": ("药品限支付疗程", "序号,药品通用名,限制天数,逻辑依据,药品代码", (f"甲,14,单次住院使用,{A1}", f"乙,,支付不超过12个月,{B1}")),
    "a day": ("医疗服务项目限定频次", "序号,项目名称,上限数量,单位,项目代码", (f"甲,24,小时,{S1}", f"乙,,每日2次,{S2}")),
    "days": ("医疗服务项目周期超频次", "序号,项目名称,上限数量,周期,逻辑依据,项目代码", (f"甲,2,15天,,{S1}", f"乙,,,每周最多支付一次。,{S2}")),
    "pairs": ("医疗服务项目重复收费", PAIR_HEADER, (f"甲,{S1},乙,{S2},6小时,含乙", f"甲,{S1},丙,{S3},单日,")),
    "one name": ("医疗服务项目区分性别使用", "知识点序号,项目名称,限定性别,项目代码", (f"甲,男,{S1}", f"甲,男,{S2}", f"甲,男,{S3}")),
    "one name of drugs": ("药品区分性别使用", "知识点序号,药品通用名,限定性别,药品代码", (f"甲,男,{A1}", f"甲,男,{B1}")),
    "incision": ("手术项目未按规定折价收费", "序号,手术项目名称,同一切口组,检出逻辑,项目代码", (f"甲,胃肠手术组,未折价,{S1}",)),
    "second line": ("药品限二线使用", "序号,药品通用名,逻辑依据,药品代码", (f"甲,限二线用药。,{A1}",)),
}  # fmt: skip


PLACES = {"everywhere": (), "region": ("--region", "3708", "--region-of", "insured")}


@dataclass(frozen=True, slots=True)
class Journey:
    """A list that was imported, exported and imported again: the edition that it came from, what was not written, and the edition that came back."""

    rule_id: str
    before: Sources
    not_written: list[Any]
    after: Sources


@pytest.fixture(scope="module")
def journeys(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Journey]:
    """The journey of every small list from every place. Lists of different rules go together; of one rule an import takes one list."""
    parties: list[dict[str, str]] = []
    for kind, (rule, _, _) in SMALL.items():
        party = next((party for party in parties if rule not in party), None)
        if party is None:
            parties.append(party := {})
        party[rule] = kind
    found = {}
    for name, place in PLACES.items():
        for party in parties:
            folder = tmp_path_factory.mktemp("journey")
            sheets = [sheet(folder / "u", rule, SMALL[kind][1], *SMALL[kind][2]) for rule, kind in party.items()]
            told = kb_import(folder / "kb", *sheets, *place, batch="t", published=DAY)
            document = exported(folder / "out", "--kb", folder / "kb")
            (again,) = imported_again(document, folder / "again")
            before, after = open_knowledge(folder / "kb"), open_knowledge(again)
            for file in told["files"]:
                rule_id = file["rule_id"]
                not_written = [each for each in document["not_written_as_workbooks"] if each["rule_id"] == rule_id]
                found[name, party[file["rule"]]] = Journey(rule_id, before, not_written, after)
    return found


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("place", PLACES)
def test_a_small_list_comes_back(journeys: dict[tuple[str, str], Journey], kind: str, place: str) -> None:
    journey = journeys[place, kind]
    assert journey.not_written == []
    assert said(journey.after, journey.rule_id) == said(journey.before, journey.rule_id) != {}


def test_every_cell_is_text_and_equal_editions_give_equal_files(tmp_path: Path) -> None:
    rule, header, rows = SMALL["sex"]
    kb_import(tmp_path / "kb", sheet(tmp_path / "u", rule, header, *rows), batch="t", published=DAY)
    (book,) = exported(tmp_path / "out", "--kb", tmp_path / "kb")["workbooks"]
    file = tmp_path / "out" / book["file"]
    cells = [
        cell
        for page in openpyxl.load_workbook(file)
        for row in page.iter_rows()
        for cell in row
        if cell.value is not None
    ]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value for cell in cells].count("007") == 2
    exported(tmp_path / "more", "--kb", tmp_path / "kb")
    assert (tmp_path / "more" / book["file"]).read_bytes() == file.read_bytes()
