"""The queries of a report's tables, in a language and for some findings: words for codes, and nothing of persons that may not be shown."""

from __future__ import annotations

from collections.abc import Sequence

from checker.audit.columns import COLUMNS, ReportColumn
from checker.audit.groups import LEFT, covered, months, with_hidden
from checker.model import sqltext
from checker.model.id_number import ID_NUMBER_WITHIN, without_id_numbers_sql
from checker.model.words import CLASSES, CLUSTER_KINDS, LEVELS, LIKELY_BY, QUALITY, REMARKS, SEXES, VERDICTS, Said

_DEFINITE = "level = 'definite' AND class IS NULL"
REFUND = f"""CASE WHEN {_DEFINITE} AND row_number() OVER (PARTITION BY source_file, source_record
    ORDER BY coalesce({_DEFINITE}, FALSE) DESC, amount_at_stake DESC NULLS LAST, rule_id) = 1 THEN amount_at_stake END"""
"""SQL of what an institution is asked to give back of a finding: of what is against a payment rule all that is at stake, of the rest what comes out of
hearing it; of a line that two rules hit once."""
COUNTED = ("covered_lines", "violations", "explained", "left", "rate", "persons", "stake", "undetermined")
_SHOWN = {
    "left": ("left_over", "few_left"), "persons": ("persons", "few_left"), "stake": ("stake", "few_left"), "explained": ("explained", "few_explained"),
    # Of three of these each is told by the other two.
    "violations": ("violations", "few_left OR few_explained"), "rate": ("10000 * left_over / nullif(covered_lines, 0)", "few_left OR few_lines"),
    "undetermined": ("undetermined", "few_unclear"), "covered_lines": ("covered_lines", "few_lines"),
}  # fmt: skip
"""SQL of what is counted, by the names of columns, and when it is hidden."""


class Words:
    """Writes the queries in a language, for some findings (`where`)."""

    def __init__(self, language: str, *, identities: bool, least_cell: int = 0, where: str = "TRUE") -> None:
        self._english = language == "en"
        self._identities = identities
        self._least = least_cell
        self._where = where

    def columns(self, names: Sequence[str], *, without: Sequence[str] = ()) -> tuple[ReportColumn, ...]:
        """The columns of these names that may be shown."""
        return tuple(
            COLUMNS[name] for name in names if name not in without and (self._identities or not COLUMNS[name].identity)
        )

    def _said(self, column: str, words: dict[str, Said]) -> str:
        """SQL of a code in words."""
        arms = " ".join(
            f"WHEN {sqltext.text(code)} THEN {sqltext.text(said[self._english])}" for code, said in words.items()
        )
        return f"CASE {column} {arms} ELSE {column} END"

    def _text(self, value: str) -> str:
        """SQL of a text from the input: an ID number that stands in it is hidden where persons are."""
        if self._identities:
            return value
        return f"CASE WHEN regexp_matches({value}, '{ID_NUMBER_WITHIN}') THEN {without_id_numbers_sql(value)} ELSE {value} END"

    def _named(self, names: Sequence[str], table: str = "") -> list[str]:
        """SQL of columns, those that are texts as they may be shown."""
        return [self._text(f"{table}{name}") if COLUMNS[name].kind == "text" else f"{table}{name}" for name in names]

    def ranked(self, keys: Sequence[str], named: Sequence[str], *, with_lines: bool) -> str:
        """SQL of groups of findings by `keys`, told by what they are `named`, those of most violations per line first; `with_lines` by what was looked at."""
        shown = ", ".join((
            *self._named((*keys, *named)),
            *(_unless(name) for name in COUNTED if with_lines or name not in ("covered_lines", "rate")),
        ))  # fmt: skip
        # In an order that tells nothing of what is hidden.
        order = f"{_unless('rate')} DESC NULLS LAST, {_unless('left')} DESC NULLS LAST, {_unless('violations')} DESC NULLS LAST"
        return f"""SELECT {shown} FROM ({covered(keys, named, self._where, self._least)}) ORDER BY {order}, {", ".join(keys)}"""

    def months(self) -> str:
        """SQL of the months, with what was left in the month before."""
        shown = ", ".join(_unless(name) for name in COUNTED if name != "explained")
        return f"""WITH m AS ({months(self._where, self._least)}),
            b AS (SELECT strftime(try_strptime(month, '%Y-%m') + INTERVAL 1 MONTH, '%Y-%m') AS month, {_unless("left")} AS before_left FROM m)
            SELECT month, {shown}, before_left, {_unless("left")} / nullif(before_left, 0) - 1
            FROM m LEFT JOIN b USING (month) ORDER BY month"""

    def clusters(self) -> str:
        """SQL of the clusters, those of most lines first."""
        why = self._said("i.why", LIKELY_BY)
        likely = f"array_to_string(list_transform(likely_items, lambda i: concat(i.name, ' ', i.code, '（', {why}, '）')), '；')"
        told = ("lines", "breaking", "share", "share_low", "share_high", "elsewhere_share", "persons", "amount")
        counts = ", ".join(f"CASE WHEN NOT few_breaking THEN {name} END" for name in told)
        places = ", ".join(self._named(("institution_id", "institution_name", "local_item_code", "local_item_name", "item_code", "item_name")))  # fmt: skip
        hidden = with_hidden(f"SELECT * FROM clusters WHERE {self._where}", self._least, hidden={"breaking": ("breaking", "persons")})  # fmt: skip
        return f"""SELECT {self._said("kind", CLUSTER_KINDS)}, {places}, {likely}, {self._text("prescriber")}, day, {counts}, first_day, last_day, cluster_id
            FROM ({hidden}) ORDER BY CASE WHEN NOT few_breaking THEN breaking END DESC NULLS LAST, cluster_id"""

    def quality(self) -> str:
        """SQL of what is amiss, by institution."""
        counts = ", ".join(
            value if value == "of_lines" else f"CASE WHEN NOT few_lines THEN {value} END"
            for value in ("lines", "of_lines", "rate", "persons", "amount")
        )
        hidden = with_hidden(
            f"SELECT * FROM quality WHERE {self._where}",
            self._least,
            above=("issue",),
            hidden={"lines": ("lines", "coalesce(persons, lines)")},
        )
        place = "parse_filename(replace(example_file, chr(92), '/')) || ':' || example_record"
        places = ", ".join(self._named(("institution_id", "institution_name")))
        return f"""SELECT {places}, {self._said("issue", QUALITY)}, {counts}, {self._text(place)}
            FROM ({hidden}) ORDER BY CASE WHEN NOT few_lines THEN lines END DESC NULLS LAST, institution_id, issue"""

    def cases(
        self,
        names: Sequence[str],
        condition: str,
        source: str = "findings",
        order: str = "institution_id, rule_id, service_time, finding_id",
    ) -> str:
        """SQL of findings in full, of the view or of a query."""
        codes = {
            "level": self._said("level", LEVELS), "verdict": self._said("verdict", VERDICTS), "class": self._said("class", CLASSES),
            "person_sex": self._said("person_sex", SEXES), "refund": REFUND,
            **dict.fromkeys(("appeal", "decision", "reason_of_decision"), "NULL"), "deadline": "CAST(NULL AS DATE)",
            "remarks": f"array_to_string(list_transform(remarks, lambda r: {self._said('r', REMARKS)}), '；')",
            **{name: name for name in ("finding_id", "cluster_id", "person_hash", "person_age", "point_id", "rule_code", "rule_name")},
        }  # fmt: skip
        lists = {name: f"array_to_string({name}, '、')" for name in ("diagnoses", "diagnosis_names")}
        chosen = ", ".join(
            codes.get(name) or (self._text(lists.get(name, name)) if COLUMNS[name].kind == "text" else name)
            for name in names
            if self._identities or not COLUMNS[name].identity
        )
        return f"SELECT {chosen} FROM {source} WHERE ({condition}) AND {self._where} ORDER BY {order}"


def _unless(name: str) -> str:
    """SQL of what is counted, NULL where it is hidden."""
    value, hidden = _SHOWN[name]
    return f"CASE WHEN NOT ({hidden}) THEN {value} END"


def cases_query(names: Sequence[str], condition: str, *, language: str, identities: bool, order: str) -> str:
    """SQL of the findings that a condition (SQL) holds of, in words: the columns `names` of checker.audit.columns that may be shown, in this order."""
    return Words(language, identities=identities).cases(names, condition, order=order)


def sample_query(names: Sequence[str], count: int, seed: int, stratum: str, words: Words) -> str:
    """SQL of some findings that are left, drawn by chance, as many of each stratum (a column) as it has of all; the same for one seed."""
    drawn = f"""SELECT * EXCLUDE (place, of_all) FROM (
        SELECT *, row_number() OVER (PARTITION BY {stratum} ORDER BY md5(finding_id || ':{int(seed)}')) AS place,
          count(*) OVER (PARTITION BY {stratum}) AS of_all
        FROM findings WHERE {LEFT}) ORDER BY (place - 0.5) / of_all, finding_id LIMIT {int(count)}"""
    return words.cases(names, "TRUE", f"({drawn})")
