"""The points of the counter: found by code, family or name in dictionaries, in the order in which one judges before another."""

from __future__ import annotations

import itertools
import json
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from checker.judge.compile import PRECEDENCE
from checker.judge.named_pieces import PIECES
from checker.judge.newborns import NEONATAL
from checker.judge.points import LISTED
from checker.knowledge.names import item_key
from checker.model.errors import InputError
from checker.shapes import asked_parts

if TYPE_CHECKING:
    import duckdb

POINT_GROUPS = (
    ("rule_no", "rule_id"), ("valid_from",), ("valid_to",), ("point_sex",), ("age_word",),
    ("age_text", "age_min", "age_min_unit", "age_max", "age_max_unit"), ("companions",), ("insurance",), ("care_groups",),
    ("min_rank", "rank_case"), ("barred_channel", "never_paid"), ("subject",), ("point_region", "point_region_of"), ("level_cap",),
    ("point_remark",), ("exemptions",), ("together",), ("quota", "quota_most", "quota_unit", "window_days", "course_scope"),
    ("pair_interval", "container_name", "incision_group"), ("indications", "unspecified", "is_chronic", "drug_class", "generics"), ("evidence_text",),
)  # fmt: skip
"""The columns of a point that the clauses may need, in groups that are present or absent together."""
_CODES_KEPT, _LONGEST_CODE = 20_000, 40
_Found = TypeVar("_Found")


class Kind(NamedTuple):
    """What the clauses may read of a point, the same for many: its rule, the columns that are filled, their JSON (without braces), and what they ask of
    the shape's base."""

    rule_no: int
    filled: Set[str]
    json: str
    asks: frozenset[str]


class Point(NamedTuple):
    """A point as the counter holds it: what the answer says of it, and its kind."""

    rule_no: int
    point_id: str
    name: str
    published: tuple[str | None, str | None, str | None]
    """Documents, batch and rows, as checker.judge.evidence puts them into words."""
    kind: Kind
    together: str | None = None
    """What its uses are counted together with (checker.shapes.uses)."""
    to_check: str | None = None
    text: str | None = None
    """What people must check, and how that was published."""


class Match(NamedTuple):
    """A point that covers an item, and whether by its code, a family, or on these days by a national code that its own stands for."""

    point_no: int
    matched_by: str
    national: str | None = None
    valid_from: date = date.min
    valid_to: date = date.max

    def holds_on(self, day: date) -> bool:
        """Whether the item's code stands for the national one on a day."""
        return self.valid_from <= day < self.valid_to


class PointIndex:
    """The tables `point` and `pattern` of a connection (checker.judge.points) as dictionaries; points are read when first asked for."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._exact: dict[str, tuple[Match, ...]] = {}
        families: dict[int, dict[str, tuple[Match, ...]]] = {}
        self._named: dict[int, Match] = {}
        self._codes: dict[int, list[str]] = {}
        self._by_name: dict[str, list[int]] = {}
        # Matches lie in the order of precedence, so that the first that is in force is the one that judges.
        self._regional: set[int] = set()
        self._with_companions: set[int] = set()
        self._neonatal: set[int] = set()
        self._mapped = _crosswalk(connection)
        self._spans: dict[int, tuple[date, date, str]] = {}
        for point_no, matched_by, code, is_regional, has_companions, is_neonatal, *span in connection.execute(
            f"""SELECT point_no, matched_by, code, point_region IS NOT NULL, companions IS NOT NULL, is_neonatal, point_valid_from, valid_to, point_id
            FROM (
              SELECT t.point_no, t.match AS matched_by, t.code, length(t.code) AS match_length, p.valid_from AS point_valid_from, p.point_id,
                p.valid_to, p.point_region, p.companions, {NEONATAL} AS is_neonatal
              FROM pattern t JOIN point p USING (point_no) WHERE t.role = 'item')
            ORDER BY {PRECEDENCE}"""
        ).fetchall():
            if self._mapped:
                self._spans[point_no] = (span[0], span[1] or date.max, span[2])
            if is_regional:
                self._regional.add(point_no)
            if is_neonatal:
                self._neonatal.add(point_no)
            if has_companions:
                self._with_companions.add(point_no)
            held = self._exact if matched_by == "code" else families.setdefault(len(code), {})
            match = Match(point_no, matched_by)
            held[code] = (*held.get(code, ()), match)
            self._named.setdefault(point_no, match)
            self._codes.setdefault(point_no, []).append(code)
        self._by_length = sorted(families.items(), reverse=True)
        patterns = [*self._exact, *itertools.chain.from_iterable(families.values())]
        self._start = min(map(len, patterns), default=0)
        self._starts = {code[: self._start] for code in patterns}
        self._covered: dict[str, tuple[Match, ...]] = {}
        self._listing = _listing(connection)
        self._uses, self._use_lengths = _uses(connection)
        self._used: dict[str, tuple[tuple[str, str], ...]] = {}
        self._classed: dict[str, tuple[str, ...]] = {}
        classes = connection.execute("SELECT DISTINCT drug_class FROM point WHERE drug_class IS NOT NULL").fetchall()
        self._classes = {drug_class: tuple(drug_class.split("|")) for (drug_class,) in classes}
        self._pieces = {item_key(name): code for name, code in connection.execute(PIECES).fetchall()}
        self.points: dict[int, Point] = {}
        self._kinds: dict[str, Kind] = {}

    def covering(self, code: str) -> tuple[Match, ...]:
        """The points that cover a full code, those first that judge before the others."""
        # Most codes begin like no pattern; those that do come again.
        if code[: self._start] not in self._starts and code not in self._mapped:
            return ()
        return _held(self._covered, code, self._find)

    def listed_by(self, code: str, day: date) -> list[str]:
        """The ids of the rules that have a code on one of their lists on a day, for shapes that look at a line's companions."""
        begun = (
            (valid_to, rule_id) for valid_from, valid_to, rule_id in self._listing.get(code, ()) if valid_from <= day
        )
        return [rule_id for valid_to, rule_id in begun if valid_to is None or day < valid_to]

    def is_used(self, code: str | None) -> bool:
        """Whether a code, or one that it stands for on some day, is one that some point counts, pairs or looks back at."""
        codes = (code or "", *(national for national, *_ in self._mapped.get(code or "", ())))
        return any(self.classes_of(each) or self._uses_of(each) for each in codes)

    def uses(self, code: str | None, day: date) -> dict[tuple[str, str], str]:
        """What a code is to the points that count, pair or look back: what counts together and its role there, and the (smallest) national code by
        which it is that."""
        if code not in self._mapped:
            return dict.fromkeys(self._uses_of(code), code) if code else {}
        codes = sorted({code or "", *self.nationals(code, day)}, reverse=True)
        return {use: each for each in codes for use in self._uses_of(each)}

    def _uses_of(self, code: str) -> Sequence[tuple[str, str]]:
        return _held(self._used, code, self._find_uses)

    def _find_uses(self, code: str) -> tuple[tuple[str, str], ...]:
        lengths = (len(code), *self._use_lengths)
        return tuple(use for length in lengths for use in self._uses.get(code[:length], ()))

    def classes_of(self, code: str) -> Sequence[str]:
        """The classes of drugs, as points that look back at these name them, that a code is of."""
        return _held(self._classed, code, self._find_classes)

    def _find_classes(self, code: str) -> tuple[str, ...]:
        return tuple(drug_class for drug_class, beginnings in self._classes.items() if code.startswith(beginnings))

    def piece(self, name: str | None) -> tuple[Match, ...]:
        """The points of a piece that is never paid for, by its name, where its code is a local one."""
        code = self._pieces.get(item_key(name)) if name else None
        found = self._covered_by(code) if code else ()
        return tuple(Match(match.point_no, "name", code, date.min, date.max) for match, _ in found)

    def is_mapped(self, code: str | None) -> bool:
        """Whether a code stands for national ones in the crosswalk, on some day."""
        return code in self._mapped

    def nationals(self, code: str | None, day: date) -> list[str]:
        """The national codes that a code stands for in the crosswalk on a day."""
        return [national for national, since, until in self._mapped.get(code or "", ()) if since <= day < until]

    def _find(self, code: str) -> tuple[Match, ...]:
        exact = self._exact.get(code, ())
        families = tuple(match for match, _ in self._covered_by(code) if match.matched_by == "family")
        # Code before crosswalk before family, longer before shorter; a point of a region goes before all others.
        found = (*exact, *self._by_crosswalk(code), *families)
        return tuple(sorted(found, key=lambda match: match.point_no not in self._regional)) if self._regional else found

    def _covered_by(self, code: str) -> list[tuple[Match, int]]:
        """The points that cover a code itself, each once, in the order of precedence, and by how many of its characters."""
        found = [(match, len(code)) for match in self._exact.get(code, ())]
        for length, family in self._by_length:
            if further := family.get(code[:length]):
                known = {match.point_no for match, _ in found}
                found += [(match, length) for match in further if match.point_no not in known]
        return found

    def _by_crosswalk(self, code: str) -> Iterator[Match]:
        """The points that cover the national codes of a local one, on days on which they are in force and the codes stand for each other."""
        found = []
        for national, since, until in self._mapped.get(code, ()):
            for (point_no, _, *_), length in self._covered_by(national):
                begins, ends, point_id = self._spans[point_no]
                if max(begins, since) < min(ends, until):
                    found.append(
                        (-length, -begins.toordinal(), point_id, Match(point_no, "crosswalk", national, since, until))
                    )
        yield from (match for *_, match in sorted(found))

    def are_neonatal(self, matches: Iterable[Match]) -> set[int]:
        """Those of these points that limit their items to newborns."""
        return {match.point_no for match in matches} & self._neonatal

    def asks_companions(self, matches: Iterable[Match]) -> bool:
        """Whether some of these points look at what else the prescription holds."""
        return any(match.point_no in self._with_companions for match in matches)

    def named(self, points: Collection[int]) -> tuple[Match, ...]:
        """The points of an item that was named, likewise in order."""
        wanted = set(points)
        ordered = tuple(match for point_no, match in self._named.items() if point_no in wanted)
        return (*ordered, *(Match(point_no, "code") for point_no in points if point_no not in self._named))

    def codes_of(self, points: Collection[int]) -> list[str]:
        """The codes and families of points."""
        return [code for point_no in points for code in self._codes.get(point_no, ())]

    @property
    def kinds(self) -> Collection[Kind]:
        """The kinds of the points that were read."""
        return self._kinds.values()

    def load(self, wanted: Collection[int] | None = None) -> None:
        """Read those wanted into `points`, or all there are."""
        if wanted is None:
            self._read("TRUE")
        elif missing := [point_no for point_no in wanted if point_no not in self.points]:
            self._read(f"point_no IN ({', '.join(map(str, missing))})")

    def _read(self, condition: str) -> None:
        columns = [name for group in POINT_GROUPS for name in group]
        rows = self._connection.execute(
            f"""SELECT point_no, point_id, point_name, document, batch, source_rows, to_check, evidence_text, {", ".join(columns)}
            FROM point WHERE {condition}"""
        ).fetchall()
        for point_no, point_id, name, document, batch, source_rows, to_check, evidence_text, *values in rows:
            given = {column: value for column, value in zip(columns, values, strict=True) if value is not None}
            text = json.dumps(given, default=plain)[1:-1]
            kind = self._kinds.get(text)
            if kind is None:
                kind = self._kinds[text] = Kind(given["rule_no"], _filled(given), text, asked_parts(given))
            published = document, batch, source_rows
            self.points[point_no] = Point(
                kind.rule_no, point_id, name, published, kind, given.get("together"), to_check, evidence_text
            )

    def find_item(self, text: str) -> tuple[str, tuple[int, ...]]:
        """The item that a name means: its name and points. Raises InputError listing candidates where it is not exactly one."""
        by_name = self.read_names()
        full, wanted = unicodedata.normalize("NFKC", text).strip(), item_key(text)
        same = [name for name in by_name if unicodedata.normalize("NFKC", name) == full] or [
            name for name in by_name if item_key(name) == wanted
        ]
        if len(same) == 1:
            return same[0], tuple(by_name[same[0]])
        # Part of a name is asked back even where one item has it: the ordinary form may be meant, which is not limited.
        holding = same or [name for name in by_name if wanted and wanted in name]
        if holding:
            shown = "、".join(sorted(holding)[:10]) + ("……" if len(holding) > 10 else "")
            raise InputError(
                f"“{text[:40]}”对应 {len(holding)} 个项目：{shown}；请写全名或国家医保编码（several items match）"
            )
        import difflib

        near = difflib.get_close_matches(text[:40], list(by_name), 5, 0.4)
        hint = f"相近的有：{'、'.join(near)}；" if near else ""
        raise InputError(
            f"知识库的受限项目中没有“{text[:40]}”；{hint}请核对名称，或改用国家医保编码（no restricted item has this name: give the code）"
        )

    def read_names(self) -> dict[str, list[int]]:
        """The points of each item name, read once; from then on `find_item` needs no connection."""
        if not self._by_name:
            rows = self._connection.execute("SELECT point_no, point_name FROM point ORDER BY point_no").fetchall()
            for point_no, name in rows:
                self._by_name.setdefault(name, []).append(point_no)
        return self._by_name


def _held(held: dict[str, _Found], code: str, find: Callable[[str], _Found]) -> _Found:
    """What a code finds, looked up once while it comes again and again."""
    found = held.get(code)
    if found is None:
        found = find(code)
        if len(code) <= _LONGEST_CODE:
            if len(held) >= _CODES_KEPT:
                held.clear()
            held[code] = found
    return found


def _crosswalk(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[tuple[str, date, date], ...]]:
    """Which national codes each local code stands for, from when and before when."""
    mapped: dict[str, tuple[tuple[str, date, date], ...]] = {}
    rows = connection.execute("SELECT local_code, national_code, valid_from, valid_to FROM kb_crosswalk").fetchall()
    for local, national, since, until in rows:
        mapped[local] = (*mapped.get(local, ()), (national, since or date.min, until or date.max))
    return mapped


def _uses(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, tuple[tuple[str, str], ...]], list[int]]:
    """What codes and families are to points that count, pair or look back, and the lengths of the families."""
    uses: dict[str, tuple[tuple[str, str], ...]] = {}
    lengths = set()
    rows = connection.execute(
        "SELECT DISTINCT t.match, t.code, together, role FROM pattern t JOIN point USING (point_no) WHERE together IS NOT NULL"
    ).fetchall()
    for match, code, together, role in rows:
        uses[code] = (*uses.get(code, ()), (together, role))
        if match == "family":
            lengths.add(len(code))
    return uses, sorted(lengths)


def _listing(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[date, date | None, str]]]:
    """From when, before when and by which rule each code is listed, whatever it stands for."""
    listing: dict[str, list[tuple[date, date | None, str]]] = {}
    for code, *held in connection.execute(LISTED).fetchall():
        listing.setdefault(code, []).append(tuple(held))
    return listing


def _filled(given: Mapping[str, Any]) -> frozenset[str]:
    fields = {f"exemptions.{key}" for one in given["exemptions"] for key, value in one.items() if value is not None}
    return frozenset(fields.union(column for column, value in given.items() if value != []))


def plain(value: object) -> object:
    """What JSON has no word for: a day or time as ISO text."""
    return value.isoformat() if isinstance(value, date) else value
