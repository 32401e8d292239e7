"""Every check of the reviewed text, each with a text that it must refuse, and all faults together."""

from __future__ import annotations

import pytest

from checker.knowledge.source import read_sources
from checker.model.errors import ExitCode, KnowledgeError

from .conftest import SmallSources, in_english

P1 = "p1,drug-sex,爱普列特片,male,,,,,,,,,,2025-05-23,,,,公告,01,4,"
P2 = "p2,child,分散片,,儿童,3-12岁,3,year,13,year,参保人,,,2025-05-23,2026-01-28,"

FAULTS = {
    "unknown column": ("point.csv", "item_name,sex", "item_name,sex,colour", "row 1: the column 'colour' is unknown"),
    "missing column": ("point.csv", "item_name,sex", "item_name", "row 1: the column sex is missing; add it"),
    "column twice": ("pattern.csv", "role,match", "role,role", "row 1: the column role stands twice; remove one"),
    "too many cells": ("pattern.csv", "A001,4", "A001,4,9", "row 2: found 6 cells; write 5, one for each column"),
    "no point id": ("point.csv", P1, P1.replace("p1,", ","), "row 2, column point_id: found ''; write a value"),
    "odd point id": ("point.csv", P1, P1.replace("p1", "p 1"), "row 2, column point_id: found 'p 1'; write letters"),
    "odd rule id": ("point.csv", P1, P1.replace("drug-sex", "Drug"), "column rule_id: found 'Drug'; write small"),
    "no item name": ("point.csv", "爱普列特片", "", "row 2, column item_name: found ''; write a value"),
    "unknown sex": ("point.csv", "male", "男", "row 2, column sex: found '男'; write one of male, female, or leave"),
    "unknown word": ("point.csv", "儿童", "少年", "row 3, column age_word: found '少年'; write one of 新生儿"),
    "unknown unit": ("point.csv", "13,year", "13,week", "row 3, column age_max_unit: found 'week'; write one of year"),
    "age in words": ("point.csv", "3,year,13", "three,year,13", "column age_min: found 'three'; write a whole number"),
    "age below zero": ("point.csv", "3,year,13", "-3,year,13", "row 3, column age_min: found '-3'; write a whole"),
    "unit alone": ("point.csv", "3,year,13,year", "3,year,,year", "column age_max_unit: found 'year'; fill age_max an"),
    "empty window": ("point.csv", "3,year,13", "13,year,13", "column age_max: found '13'; write a number above age_mi"),
    "bounds without text": ("point.csv", "3-12岁", "", "row 3, column age_text: found ''; write the published window"),
    "inclusive maximum": (
        "point.csv", "13,year", "12,year",
        "column age_text: found '3-12岁'; write its bounds beside it: age_min 3 year, age_max 13 year (exclusive)",
    ),
    "open maximum": ("point.csv", "3-12岁", ">=3岁", "age_min 3 year, age_max empty (exclusive)"),
    "no limit": ("point.csv", "male", "", "row 2, column sex: found ''; write a limit: sex, age_word, age_text, companions, insurance, care_groups, min_r"),
    "unknown subject": ("point.csv", "参保人", "本人", "row 3, column subject: found '本人'; write one of 参保人, 就"),
    "region in words": (
        "point.csv", "参保人,,,", "参保人,山东,insured,", "row 3, column region: found '山东'; write the first 2 to 6"
    ),
    "region of nobody": ("point.csv", "参保人,,,", "参保人,3708,,", "column region_of: found ''; fill region and"),
    "unknown region kind": (
        "point.csv", "参保人,,,", "参保人,3708,patient,", "column region_of: found 'patient'; write one of insured"
    ),
    "no first day": ("point.csv", P1, P1.replace("2025-05-23", ""), "row 2, column valid_from: found ''; write a date"),
    "day that is none": ("point.csv", "2025-05-23", "2025-02-30", "column valid_from: found '2025-02-30'; write a dat"),
    "day in another form": ("point.csv", "2026-01-28", "20260128", "column valid_to: found '20260128'; write a date"),
    "end before start": (
        "point.csv", "2026-01-28", "2025-05-23", "column valid_to: found '2025-05-23'; write a date after valid_from"
    ),
    "unknown cap": ("point.csv", P2, P2 + "definite", "column level_cap: found 'definite'; write one of notice, suspe"),
    "no document": ("point.csv", "公告", "", "row 2, column document: found ''; write a value"),
    "count in words": ("point.csv", "01,4,", "01,four,", "column published_codes: found 'four'; write a whole number"),
    "point id twice": ("point.csv", "p2,child", "p1,child", "row 3, column point_id: found 'p1'; row 2 has this id"),
    "point without pattern": ("pattern.csv", "p2,item", "p1,item", "point.csv: row 3, column point_id: found 'p2'; pa"),
    "pattern without point": ("pattern.csv", "p2,item", "p9,item", "pattern.csv: row 3, column point_id: found 'p9';"),
    "pattern twice": (
        "pattern.csv", "p2,item", "p1,item,family,XG04CBA088A001,4\np2,item",
        "pattern.csv: row 3, column code: found 'XG04CBA088A001'; row 2 gives the point this code",
    ),
    "unknown role": ("pattern.csv", "item", "partner", "pattern.csv: row 2, column role: found 'partner'; write one o"),
    "unknown match": ("pattern.csv", "family", "prefix", "row 2, column match: found 'prefix'; write one of code, fam"),
    "short code": ("pattern.csv", "178189", "17818", "column code: found 'XC02KXB144A00102017818'; write a full nat"),
    "long family": ("pattern.csv", "A001,4", "A0010,4", "column code: found 'XG04CBA088A0010'; write a family: the"),
    "small letters": ("pattern.csv", "XG04", "xg04", "row 2, column code: found 'xg04CBA088A001'; write a family"),
    "unknown exemption key": ("exemption.toml", "effect", "effekt", "exemption e1, key effekt: the key is unknown"),
    "unknown effect": ("exemption.toml", "lower", "ignore", "exemption e1, column effect: found 'ignore'; write one o"),
    "unknown status": ("exemption.toml", "proposed", "rumour", "column status: found 'rumour'; write one of official"),
    "no reason": ("exemption.toml", '"理由"', '""', "exemption e1, column reason: found ''; write a value"),
    "diagnosis in words": ("exemption.toml", '"I27.0"', '"高血压"', "exemption e1, key diagnoses: found '高血压'; wri"),
    "no diagnoses": ("exemption.toml", '["I27.0"]', "[]", "key diagnoses: found []; write a list of ICD-10 prefixes"),
    "item of no point": ("exemption.toml", "爱普列特片（男）", "坦索罗辛", "found '坦索罗辛', which no point of drug-"),
    "rule of no point": ("exemption.toml", '"drug-sex"', '"drug-sexx"', "column rule: found 'drug-sexx'; no point has"),
    "odd item match": ("exemption.toml", '"name"', '"title"', "item 1, column match: found 'title'; write one of code"),
    "item code": ("exemption.toml", '"name", value', '"code", value', "item 1, column value: found '爱普列特片（男）'"),
    "item twice": (
        "exemption.toml", "items = [", 'items = [{ match = "name", value = "爱普列特片（男）" }, ',
        "item 2, column value: found '爱普列特片（男）'; the exemption names it twice",
    ),
    "items that are no list": ("exemption.toml", "items = [{", "items = 5 # [{", "key items: found 5; write a list of"),
    "date as number": ("exemption.toml", "valid_from = 2025-05-23", "valid_from = 2025", "key valid_from: found 2025;"),
    "stands by in words": ("exemption.toml", "[[exemption]]", '[[exemption]]\nstands_by = "yes"', "key stands_by: fou"),
    "unknown table": ("exemption.toml", "[[exemption]]", "[[exception]]", "exception: the key is unknown; write exemp"),
    "other layout": ("edition.toml", "layout = 1", "layout = 2", "edition.toml: layout: found 2; write 1"),
    "no version": ("edition.toml", 'version = "1"', "", "edition.toml: the head, column version: found ''; write a va"),
    "no notice": ("edition.toml", "[[notice]]", "[other]", "edition.toml: notice: found none; write a [[notice]]"),
    "notice without title": ("edition.toml", 'title = "公告"', "", "notice 1, column title: found ''; write a value"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_named_with_its_place_and_remedy(
    small: SmallSources, file: str, old: str, new: str, message: str
) -> None:
    small.spoil(file, old, new)
    with pytest.raises(KnowledgeError) as caught:
        read_sources(small.folder)
    assert message in in_english(caught.value)
    assert caught.value.exit_code == ExitCode.BAD_INPUT


def test_the_small_knowledge_base_itself_is_sound(small: SmallSources) -> None:
    sources = read_sources(small.folder)
    assert [point.point_id for point in sources.points] == ["p1", "p2"]
    assert sources.exemptions[0].diagnoses == ("I27.0",)


def test_all_faults_are_told_at_once(small: SmallSources) -> None:
    small.spoil("point.csv", "male", "x")
    small.spoil("pattern.csv", "family", "prefix")
    small.spoil("exemption.toml", "lower", "ignore")
    small.spoil("edition.toml", "layout = 1", "layout = 2")
    with pytest.raises(KnowledgeError) as caught:
        read_sources(small.folder)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "edition.toml",
        "point.csv",
        "pattern.csv",
        "exemption.toml",
    ]


def test_an_exemption_that_stands_by_may_name_what_no_point_limits(small: SmallSources) -> None:
    small.spoil("exemption.toml", "爱普列特片（男）", "坦索罗辛")
    small.spoil("exemption.toml", "[[exemption]]", "[[exemption]]\nstands_by = true")
    assert len(read_sources(small.folder).exemption_items) == 1


def test_two_exemptions_of_one_id_are_refused(small: SmallSources) -> None:
    path = small.folder / "exemption.toml"
    path.write_text(path.read_text(encoding="utf-8") * 2, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        read_sources(small.folder)
    assert "column id: found 'e1'; an earlier exemption has this id" in in_english(caught.value)


@pytest.mark.parametrize("file", ["point.csv", "pattern.csv", "exemption.toml", "edition.toml"])
def test_a_missing_file_is_named(small: SmallSources, file: str) -> None:
    (small.folder / file).unlink()
    with pytest.raises(KnowledgeError) as caught:
        read_sources(small.folder)
    assert f"{file}: the file is missing; put it there" in in_english(caught.value)


def test_a_missing_folder_is_named(small: SmallSources) -> None:
    with pytest.raises(KnowledgeError) as caught:
        read_sources(small.folder / "nowhere")
    assert "nowhere: no such folder; name one with point.csv" in in_english(caught.value)


def test_text_of_another_encoding_is_refused(small: SmallSources) -> None:
    (small.folder / "point.csv").write_bytes("爱普列特片".encode("gb18030"))
    with pytest.raises(KnowledgeError) as caught:
        read_sources(small.folder)
    assert "point.csv: byte 0 is not UTF-8; save the file as UTF-8" in in_english(caught.value)


def test_a_broken_quote_is_refused(small: SmallSources) -> None:
    small.spoil("point.csv", "爱普列特片", '"爱普"列特片')
    with pytest.raises(KnowledgeError) as caught:
        read_sources(small.folder)
    assert "point.csv: row 2: it is not CSV" in in_english(caught.value)


def test_broken_toml_is_refused(small: SmallSources) -> None:
    small.spoil("edition.toml", "layout = 1", "layout = ")
    with pytest.raises(KnowledgeError) as caught:
        read_sources(small.folder)
    assert "edition.toml: it is not TOML" in in_english(caught.value)


def test_text_that_looks_like_sql_is_only_text(small: SmallSources) -> None:
    small.spoil("point.csv", "爱普列特片", "'; DROP TABLE kb_point; --")
    small.spoil("exemption.toml", "爱普列特片（男）", "'; DROP TABLE kb_point; --")
    assert read_sources(small.folder).points[0].item_name == "'; DROP TABLE kb_point; --"


def test_what_unicode_calls_a_line_end_ends_no_line(small: SmallSources) -> None:
    small.spoil("point.csv", "分散片", "分\u2028散\x85片")
    with pytest.raises(KnowledgeError) as caught:
        read_sources(small.folder)
    assert "point.csv: row 3, column item_name" in str(caught.value)
