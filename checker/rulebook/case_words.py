"""Cases of a rule in words: the line, the point, the answer, for somebody who reads no TOML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checker.ingest.values import read_sex
from checker.model.schema import LINE, Kind
from checker.model.typed_value import UNKNOWN, worded
from checker.model.words import AGE_UNITS, LEVELS, REASONS, SEXES, VERDICTS, remark_words
from checker.rulebook.rule import Case, Other
from checker.shapes import ROLES

_SILENT = {
    "clean": ("合规，不出疑点", "clean, nothing is said"),
    "not_in_force": (
        "知识点不适用（不在有效期或地区内），不出疑点",
        "the point does not apply on that day or in that place",
    ),
    "not_judged": (
        "没有判断（所有输入都没有需要的列），另外说明",
        "not judged, as no input has what it takes; told apart",
    ),
}
_EFFECTS = {"exempt": ("豁免", "exempts"), "lower": ("降一级", "lowers the level")}
_PLACES = {"insured": ("参保地", "of the insured"), "institution": ("机构所在地", "of the institution")}
_SUBJECTS = {"参保人": "the insured (参保人)", "就诊人": "the patient (就诊人)"}
_BARE = ("item_name", "service_time")
"""Cells of a line that speak for themselves."""


@dataclass(frozen=True, slots=True)
class CaseWords:
    """One case in a language."""

    name: str
    line: str
    point: str
    answer: str


def in_words(case: Case, language: str) -> CaseWords:
    """Return a case in words, `zh` or `en`; its name is as the author wrote it."""
    words = _Words(language)
    joint = words.say("，", ", ")
    return CaseWords(case.name, joint.join(words.line(case)), joint.join(words.point(case)) or "–", words.answer(case))


class _Words:
    def __init__(self, language: str) -> None:
        self._language = language
        self._english = int(language == "en")

    def say(self, chinese: str, english: str) -> str:
        return english if self._english else chinese

    def line(self, case: Case) -> Iterator[str]:
        cells = dict(case.line)
        cells.pop("item_code", None)  # a case is put to the engine under a code of its own
        yield from (cells[key] for key in _BARE if cells.get(key))
        for key, value in cells.items():
            if key not in _BARE or not value:
                yield f"{self._label(key)} {self._cell(key, value)}"
        if case.diagnoses:
            yield f"{self.say('诊断', 'diagnosis')} {self.say('、', ', ').join(case.diagnoses)}"
        yield from map(self._other, case.others)

    def _other(self, other: Other) -> str:
        """Another line beside it, by what its item is to the point and what it says otherwise."""
        if other.same:
            what = self.say("同一项目", "the same item")
        elif other.role:
            what = ROLES[other.role][self._english].partition(self.say("，", ":"))[0]
        else:
            what = self.say("其他项目", "another item")
        told = [f"{self._label(key)} {self._cell(key, value)}" for key, value in other.line]
        if other.ending:
            told.insert(0, self.say(f"编码末位 {other.ending}", f"code ending in {other.ending}"))
        listed = self.say("、", ", ").join(told)
        return self.say(f"另有{what}", f"beside it: {what}") + (
            self.say(f"（{listed}）", f" ({listed})") if listed else ""
        )

    def point(self, case: Case) -> Iterator[str]:
        """The limits of the point, then the exemption that concerns it."""
        cells = {key: str(value) for key, value in case.point if str(value)}
        for key, unit in (("age_min", "age_min_unit"), ("age_max", "age_max_unit"), ("region", "region_of")):
            if key in cells:
                cells[key] = f"{cells[key]} {cells.pop(unit, '')}"
        for key, value in cells.items():
            yield self._limit(key, value)
        if case.exemption is not None:
            yield self._exemption(case)

    def answer(self, case: Case) -> str:
        expect = case.expect
        if isinstance(expect, str):
            return _SILENT[expect][self._english]
        parts = [VERDICTS[expect.verdict][self._english]]
        if expect.level:
            parts[0] = self.say(f"{parts[0]}：{LEVELS[expect.level][0]}", f"{LEVELS[expect.level][1]} {parts[0]}")
        if expect.reason_code:
            parts.append(REASONS[expect.reason_code][self._english])
        if expect.exemption_id:
            parts.append(self.say(f"例外 {expect.exemption_id}", f"exemption {expect.exemption_id}"))
        if expect.expected:
            parts.append(f"{self.say('应为', 'limit')} {worded(expect.expected, self._language).short}")
        if expect.actual:
            parts.append(f"{self.say('实为', 'found')} {worded(expect.actual, self._language).short}")
        parts += [self._remark(remark) for remark in expect.remarks or ()]
        return self.say("；", "; ").join(parts)

    def _label(self, key: str) -> str:
        """A column as its readers call it: in Chinese the first Chinese header, in English its name."""
        if self._english:
            return key.replace("_", " ")
        return next((header for header in LINE[key].headers if not header.isascii()), key)

    def _cell(self, key: str, value: str) -> str:
        if not value:
            return self.say("（空）", "(empty)")
        if LINE[key].kind is not Kind.SEX:
            return value
        try:
            sex = read_sex(value)
            word = worded(f"sex:{sex}" if sex else UNKNOWN, self._language).short or ""
        except ValueError:
            word = self.say("无法识别", "unreadable")
        return word if word == value else self.say(f"{value}（{word}）", f"{value} ({word})")

    def _limit(self, key: str, value: str) -> str:
        first, _, second = value.partition(" ")
        if key == "sex" and first in SEXES:
            return self.say(f"限{SEXES[first][0]}性", f"for {SEXES[first][1]}s only")
        if key in ("age_min", "age_max") and second in AGE_UNITS:
            age = f"{first} {AGE_UNITS[second][self._english]}"
            return self.say(f"满 {age}", f"from {age}") if key == "age_min" else self.say(f"不满 {age}", f"under {age}")
        if key == "region":
            place = _PLACES[second][self._english] if second in _PLACES else ""
            return (
                self.say(f"地区 {first}（{place}）", f"region {first} ({place})")
                if place
                else f"{self.say('地区', 'region')} {first}"
            )
        if key == "level_cap" and value in LEVELS:
            return self.say(f"最高为{LEVELS[value][0]}", f"at most {LEVELS[value][1]}")
        if key == "remark":
            return self._remark(value)
        if key == "subject" and self._english:
            value = _SUBJECTS.get(value, value)
        told = {
            "age_word": ("限{}", "for {} only"),
            "age_text": ("限 {}", "for the age {}"),
            "subject": ("限的是{}", "limits {}"),
            "valid_from": ("自 {} 起有效", "in force from {}"),
            "valid_to": ("到 {} 止（不含当日）", "in force until {} (this day excluded)"),
        }.get(key, (f"{key} {{}}", f"{key} {{}}"))
        return told[self._english].format(value)

    def _exemption(self, case: Case) -> str:
        cells = dict(case.exemption or ())
        effect = str(cells.pop("effect", "") or "exempt")
        told = _EFFECTS[effect][self._english] if effect in _EFFECTS else effect
        name, parts = str(cells.pop("exemption_id", "") or "E"), [told]
        if diagnoses := cells.pop("diagnoses", ()):
            parts.append(f"{self.say('诊断', 'with diagnosis')} {self.say('、', ', ').join(diagnoses)}")
        parts += [self._limit(key, str(value)) for key, value in cells.items() if value]
        return self.say(f"例外 {name}（{'，'.join(parts)}）", f"exemption {name} ({', '.join(parts)})")

    def _remark(self, remark: str) -> str:
        return remark_words(remark)[self._english]
