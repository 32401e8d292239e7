"""What the knowledge tests share: the committed sources, one build of them, and the published facts where present."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checker.knowledge.build import build
from checker.knowledge.compiled_facts import CompiledFacts, read_facts
from checker.knowledge.edition import Edition, open_edition
from checker.knowledge.published import PublishedItem, read_published
from checker.knowledge.source import Sources, read_sources
from checker.model.errors import halves

ROOT = Path(__file__).resolve().parents[2]


def in_english(error: object) -> str:
    """The English half of each fault that an error tells, after its place; each must begin in Chinese."""
    told = []
    for fault in str(error).splitlines():
        chinese, english = halves(fault)
        place, colon, said = chinese.rpartition(": ")
        assert re.search("[\u4e00-\u9fff]", said), fault
        told.append(f"{place}{colon}{english}")
    return "\n".join(told)


@pytest.fixture(scope="session")
def source_folder() -> Path:
    return ROOT / "knowledge_base" / "sources"


@pytest.fixture(scope="session")
def sources(source_folder: Path) -> Sources:
    return read_sources(source_folder)


@pytest.fixture(scope="session")
def built(source_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("knowledge") / "built"
    build(source_folder, folder)
    return folder


@pytest.fixture(scope="session")
def edition(built: Path) -> Edition:
    return open_edition(built)


@pytest.fixture(scope="session")
def published_folder() -> Path:
    folder = ROOT.parent / "shared" / "nhsa"
    if not (folder / "points.csv").is_file():
        pytest.skip("the published facts (points.csv, codes.csv) do not lie in ../shared/nhsa beside this checkout")
    return folder


@pytest.fixture(scope="session")
def compiled_facts(published_folder: Path) -> CompiledFacts:
    folder = published_folder / "facts"
    files = [folder / name for name in ("batch07_pairs.csv", "batch08_limits.csv", "indication_points_mapped.csv")]
    if not all(file.is_file() for file in files):
        pytest.skip("the compiled facts do not lie in ../shared/nhsa/facts beside this checkout")
    return read_facts(*files)


@pytest.fixture(scope="session")
def published(published_folder: Path) -> list[PublishedItem]:
    return read_published(published_folder / "points.csv", published_folder / "codes.csv")


POINT_HEADER = (
    "point_id,rule_id,item_name,sex,age_word,age_text,age_min,age_min_unit,age_max,age_max_unit,subject,region,region_of,"
    "valid_from,valid_to,level_cap,remark,document,batch,published_codes,source_rows"
)
PATTERN_HEADER = "point_id,role,match,code,published_codes"
SMALL = {
    "point.csv": f"{POINT_HEADER}\n"
    "p1,drug-sex,爱普列特片,male,,,,,,,,,,2025-05-23,,,,公告,01,4,01/药品区分性别使用/3\n"
    "p2,child,分散片,,儿童,3-12岁,3,year,13,year,参保人,,,2025-05-23,2026-01-28,,,公告,01,1,01/药品限儿童使用/7\n",
    "pattern.csv": f"{PATTERN_HEADER}\np1,item,family,XG04CBA088A001,4\np2,item,code,XC02KXB144A001020178189,1\n",
    "exemption.toml": """
[[exemption]]
id = "e1"
rule = "drug-sex"
effect = "lower"
status = "proposed"
reason = "理由"
reason_en = "reason"
evidence = "依据"
diagnoses = ["I27.0"]
items = [{ match = "name", value = "爱普列特片（男）" }]
valid_from = 2025-05-23
""",
    "edition.toml": """
layout = 1
name = "small"
version = "1"
published = 2025-05-23
compiled = 2025-06-01

[[notice]]
batch = "01"
published = 2025-05-23
title = "公告"
publisher = "国家医疗保障局"
""",
}
"""A whole knowledge base of two points, small enough to be seen."""


class SmallSources:
    """A folder with the small knowledge base, to be spoilt one cell at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name, text in SMALL.items():
            (folder / name).write_text(text, encoding="utf-8")

    def spoil(self, file: str, old: str, new: str) -> None:
        """Replace the first occurrence of `old`, which must be there."""
        text = (self.folder / file).read_text(encoding="utf-8")
        assert old in text
        (self.folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def small(tmp_path: Path) -> SmallSources:
    return SmallSources(tmp_path / "sources")
