"""The words of indications and the diagnoses that they stand for: a file of one's own, by which imported texts are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from checker.knowledge.cell_reader import Faults, read_csv
from checker.knowledge.source import Sources
from checker.model.errors import KnowledgeError, both
from checker.shapes.evidence.diagnoses import expanded

_COLUMNS = ("term", "icd_prefixes")
_CONFIDENCE = "confidence"
_LEVELS = ("A", "B", "C")
_UNSURE = "C"
_PART_ENDS = re.compile(r"[;；。](?![^(（]*[)）])|(?<=[:：;；。])\s*[0-9]{1,2}\.(?![0-9])")
_DENIED_BEFORE = re.compile(r"(?:不含|不包括|(?<![根切清去摘消])除|无|非)(?:有|了)?$")
_DENIED_AFTER = re.compile(r"^激酶|^[^，,；;。、(（]{0,12}?(?:阴性|除外|以外)")
_MEANS_NOTHING = re.compile(
    r"^(?:限)?(?:以下情况方可支付|适用于)?[:：]?$|支付不超过|用药$|说明书|方予支付|医疗机构|每日不超过|连续使用|方案不适合|不宜接受|尚未确定|方予|方可"
)
"""Parts of a text that name no disease: how long, where and how."""
_SHORTEST = 4
_BROAD = 40
"""A term of so many beginnings of codes (恶性肿瘤, 化疗) is the setting of a disease that stands beside it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: the terms found, beginnings of codes, parts of it without any term, and whether diagnoses can tell all of it."""

    terms: tuple[str, ...]
    prefixes: tuple[str, ...]
    unmapped: tuple[str, ...]
    is_sure: bool


class IndicationTerms:
    """Terms with their diagnoses; the longest that fits goes before those within it.

    Where a part of a text names a disease, broad terms and those of little confidence (手术, 出血) are its setting and do not count.
    """

    def __init__(self, prefixes: Mapping[str, tuple[str, ...]], unsure: frozenset[str]) -> None:
        self._prefixes = prefixes
        self._unsure = unsure
        self._vague = unsure | {term for term, codes in prefixes.items() if len(codes) >= _BROAD}
        longest = sorted(prefixes, key=lambda term: (-len(term), term))
        self._pattern = re.compile("|".join(map(re.escape, longest))) if longest else None

    def read(self, text: str) -> Reading:
        """Return what the text says; a term that it denies (HIV 阴性, 非肝硬化) does not count."""
        specific: dict[str, None] = {}
        vague: dict[str, None] = {}
        unmapped = []
        for part in _PART_ENDS.split("".join(text.split())):
            terms = self._terms_in(part)
            named = [term for term in terms if term not in self._vague]
            specific.update(dict.fromkeys(named))
            vague.update(dict.fromkeys(terms if not named else ()))
            told = part.removeprefix("限").strip("：:，,")
            if not terms and len(told) >= _SHORTEST and not _MEANS_NOTHING.search(told):
                unmapped.append(told)
        is_sure = bool(specific) and self._unsure.isdisjoint(vague)
        found = (*specific, *vague) if not is_sure else tuple(specific)
        prefixes = expanded("|".join(each for term in found for each in self._prefixes[term])) if found else ()
        return Reading(found, prefixes, tuple(unmapped), is_sure)

    def _terms_in(self, part: str) -> list[str]:
        if self._pattern is None:
            return []
        return [
            each[0]
            for each in self._pattern.finditer(part)
            if not _DENIED_BEFORE.search(part[: each.start()]) and not _DENIED_AFTER.search(part[each.end() :])
        ]


def read_terms_file(path: Path) -> IndicationTerms:
    """Return the terms of a file with the columns term and icd_prefixes (E11|E11.3|C00-C97), and confidence (A, B, C) where it has one.

    Raises KnowledgeError that carries every fault: a term that stands twice, what is no code, a range out of order.
    """
    faults = Faults()
    prefixes: dict[str, tuple[str, ...]] = {}
    unsure = set()
    for cells in read_csv(path, _COLUMNS, faults, others=True):
        term = "".join(cells.text("term").split())
        if term in prefixes:
            cells.fault("term", both("前面一行已有这个用语，请只写一次", "an earlier row has this term; write it once"))
        try:
            prefixes[term] = expanded(cells.text("icd_prefixes"))
        except KnowledgeError as error:
            cells.fault("icd_prefixes", str(error))
        confidence = cells.optional(_CONFIDENCE) if _CONFIDENCE in cells.values else None
        if confidence not in (None, *_LEVELS):
            cells.fault(_CONFIDENCE, both("请写 A、B 或 C，或留空", "write A, B or C, or leave it empty"))
        if confidence == _UNSURE:
            unsure.add(term)
    faults.stop()
    return IndicationTerms({term: each for term, each in prefixes.items() if term}, frozenset(unsure))


@dataclass(frozen=True, slots=True)
class KnownText:
    """What a text of an indication means to a point that has it: beginnings of codes, what people check beside, and whether it is on trial."""

    point_id: str
    prefixes: tuple[str, ...]
    to_check: str | None
    status: str


def known_texts(editions: Iterable[Sources]) -> dict[str, KnownText]:
    """Return the texts of the indications of points, without blanks; a text that two points read otherwise is none of them."""
    found: dict[str, KnownText] = {}
    unclear = set()
    columns = ("point_id", "evidence_text", "indications", "to_check", "status")
    for sources in editions:
        told = sources.point.filter(pl.col("indications").is_not_null()).select(columns).drop_nulls("evidence_text")
        for point_id, text, indications, check, status in told.iter_rows():
            key = "".join(text.split())
            read = KnownText(point_id, tuple(indications.split("|")), check, status)
            if replace(found.setdefault(key, read), point_id=point_id) != read:
                unclear.add(key)
    return {key: known for key, known in found.items() if key not in unclear}
