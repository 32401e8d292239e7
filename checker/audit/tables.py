"""The tables of a report, each one query over a run's files: what the workbook and the page show, computed once and the same in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.audit.columns import COLUMNS, ReportColumn
from checker.model import sqltext
from checker.model.words import CLASSES, CLUSTER_KINDS, LEVELS, LIKELY_BY, QUALITY, REMARKS, SEXES, VERDICTS, Said

if TYPE_CHECKING:
    import duckdb

VIOLATION = "verdict = 'violation'"
LEFT = f"{VIOLATION} AND class IS NULL"
"""SQL of the findings that are violations, and that nothing else explains."""
_DEFINITE = "level = 'definite' AND class IS NULL"
REFUND = f"""CASE WHEN {_DEFINITE} AND row_number() OVER (PARTITION BY source_file, source_record
    ORDER BY coalesce({_DEFINITE}, FALSE) DESC, amount_at_stake DESC NULLS LAST, rule_id) = 1 THEN amount_at_stake END"""
"""SQL of what an institution is asked to give back of a finding: of what is against a payment rule all that is at stake, of the rest what comes out of
hearing it; of a line that two rules hit once."""
_CASE = (
    "level", "class", "cluster_id", "institution_id", "institution_name", "department", "prescriber", "service_time", "item_code", "item_name",
    "local_item_code", "local_item_name", "spec", "unit_price", "quantity", "amount", "amount_in_scope", "amount_at_stake", "fund_paid",
    "settlement_fund_paid", "care_type", "insurance_type", "diagnoses", "diagnosis_names", "patient_id", "person_hash", "person_sex",
    "person_age", "visit_id", "settlement_id", "line_id", "rule_name", "point_id", "expected", "actual", "message", "evidence", "remarks", "finding_id",
)  # fmt: skip
_REFUND_COLUMNS = (
    "level", "institution_id", "institution_name", "department", "prescriber", "service_time", "item_code", "item_name", "quantity", "amount",
    "amount_at_stake", "refund", "patient_id", "person_hash", "person_sex", "person_age", "visit_id", "settlement_id", "line_id", "rule_name", "finding_id",
)  # fmt: skip
_ANSWER_COLUMNS = (
    "level", "class", "appeal", "deadline", "department", "prescriber", "service_time", "local_item_code", "local_item_name", "item_code", "item_name", "spec",
    "unit_price", "quantity", "amount", "amount_at_stake", "refund", "patient_id", "person_hash", "person_sex", "person_age", "diagnoses", "diagnosis_names",
    "visit_id", "settlement_id", "line_id", "rule_name", "rule_code", "expected", "actual", "message", "advice", "evidence", "cluster_id", "finding_id",
)  # fmt: skip
_COUNTED = ("covered_lines", "violations", "explained", "left", "rate", "persons", "stake", "undetermined")

_GROUPED: dict[str, tuple[Said, tuple[str, ...], tuple[str, ...], str]] = {
    "by_rule": (("按规则", "By rule"), ("rule_name",), (), ""),
    "by_institution": (("按机构", "By institution"), ("institution_id",), ("institution_name",), "institution"),
    "by_department": (
        ("按科室", "By department"),
        ("institution_id", "department"),
        ("institution_name",),
        "department",
    ),
    "by_prescriber": (
        ("按医生", "By doctor"),
        ("institution_id", "department", "prescriber"),
        ("institution_name",),
        "prescriber",
    ),
    "by_item": (("按项目", "By item"), ("item_code",), ("item_name",), "item"),
}
"""Groups of findings: what they are called, by what they are grouped, what names them besides, and which denominators they have."""


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table: the name of its sheet, what it says, its columns, and the query that gives their values in this order."""

    id: str
    said: Said
    note: Said
    columns: tuple[ReportColumn, ...]
    query: str


def report_tables(
    *, language: str, identities: bool = False, least_cell: int = 0, where: str = "TRUE"
) -> dict[str, ReportTable]:
    """The tables by id, in the order of their sheets.

    `identities`: with the columns that say who somebody is. With `least_cell` the counts of groups of fewer persons are NULL. `where` is SQL of which findings
    count, over the columns `institution_id` and the like, of our own making.
    """
    words = _Words(language, identities=identities, least_cell=least_cell, where=where)
    tables = [
        ReportTable(
            id_, said, _RANKED, words.columns((*keys, *named, *_COUNTED), without=() if by else ("covered_lines", "rate")),
            words.ranked(keys, named, by),
        )
        for id_, (said, keys, named, by) in _GROUPED.items()
    ]  # fmt: skip
    tables.append(
        ReportTable(
            "by_month",
            ("按月", "By month"),
            _MONTHS,
            words.columns(("month", *_COUNTED, "before_left", "change"), without=("explained",)),
            words.months(),
        )
    )
    tables.append(ReportTable("clusters", ("聚集", "Clusters"), _CLUSTERS, words.columns(_CLUSTER), words.clusters()))
    tables.append(
        ReportTable("quality", ("数据质量", "Data quality"), _QUALITY, words.columns(_AMISS), words.quality())
    )
    details = (
        ("findings", ("疑点明细", "Findings"), _FINDINGS, VIOLATION, _CASE),
        ("refunds", ("主动退回清单", "Refund list"), _REFUNDS, LEFT, (*_REFUND_COLUMNS,)),
        ("answer", ("疑点与申诉", "Findings and appeal"), _ANSWER, VIOLATION, _ANSWER_COLUMNS),
        (
            "undetermined",
            ("无法判断", "Undetermined"),
            _UNDETERMINED,
            "verdict = 'undetermined'",
            ("reason", *_CASE[3:]),
        ),
        ("exempt", ("豁免", "Exempt"), _EXEMPT, "verdict = 'exempt'", ("exemption_id", *_CASE[3:])),
    )
    for id_, said, note, condition, names in details:
        tables.append(ReportTable(id_, said, note, words.columns(names), words.cases(names, condition)))
    return {table.id: table for table in tables}


_RANKED: Said = (
    "每万行待核实疑点从高到低；另有原因的（聚集、家长的卡、新生儿、人员信息不一致）不计入待核实",
    "By violations left per 10,000 lines of restricted items; those with another cause (clusters, parents' cards, newborns, records that differ) do not count",
)
_MONTHS: Said = (
    "每月与上月相比；头尾两月的数据可能不完整",
    "Each month against the one before; the first and last may be incomplete",
)
_CLUSTERS: Said = (
    "一行一个原因：先核对码、医生和上传，再看明细",
    "One row is one cause: look at the mapping, the doctor, the upload before the lines",
)
_QUALITY: Said = (
    "与违规分开：数据补全后才能判断，或说明疑点的另一种原因",
    "Apart from violations: what data must be mended before anything can be judged",
)
_FINDINGS: Said = (
    "每行一个疑点；“归类”有字的先看数据",
    "One finding a row; where a class stands, look at the data first",
)
_REFUNDS: Said = (
    "待核实的疑点；明确违规的写拟退回金额（同一行命中几条规则的只写一次），其余核实后再定",
    "What is left to be looked at; of what is against payment rules the refund (once for a line hit by several rules), of the rest when it was heard",
)
_ANSWER: Said = (
    "黄色一列填写申诉意见；“归类”有字的先核对码、登记和上传；拟退回金额的合计为公式",
    "Answer in the yellow column; where a class stands, look at mapping, record and upload first; the sums are formulas",
)
_UNDETERMINED: Said = ("缺少信息，没有判断，不是违规", "Not judged for lack of information; not violations")
_EXEMPT: Said = ("属于豁免情形，不是违规", "Cleared by an exemption; not violations")
_CLUSTER = (
    "kind", "institution_id", "institution_name", "local_item_code", "local_item_name", "item_code", "item_name", "likely", "prescriber", "day", "lines",
    "breaking", "share", "share_low", "share_high", "elsewhere_share", "persons", "amount", "first_day", "last_day", "cluster_id",
)  # fmt: skip
_AMISS = ("institution_id", "institution_name", "issue", "lines", "of_lines", "share", "persons", "amount", "example")


class _Words:
    """Writes the queries in a language, for some findings."""

    def __init__(self, language: str, *, identities: bool, least_cell: int, where: str) -> None:
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

    def _enough(self, value: str, *groups: tuple[str, str]) -> str:
        """SQL of a value, NULL where one of the groups (lines, their persons) that it tells of is of so few persons that these might be known by it."""
        if not self._least:
            return value
        few = " OR ".join(
            f"(coalesce({lines}, 0) > 0 AND coalesce({persons}, 0) < {self._least})" for lines, persons in groups
        )
        return f"CASE WHEN NOT ({few}) THEN {value} END"

    def _counts(self) -> dict[str, str]:
        """SQL of what is counted, by the names of columns. The sum of two counts is told only where both are: else it would tell the one that is not."""
        left = {
            "left": "left_over", "persons": "persons", "stake": "stake", "rate": "10000 * left_over / nullif(covered_lines, 0)",
        }  # fmt: skip
        return {
            **{name: self._enough(value, _OPEN_GROUP) for name, value in left.items()},
            "explained": self._enough("explained", _EXPLAINED_GROUP),
            "violations": self._enough("violations", _OPEN_GROUP, _EXPLAINED_GROUP),
            "undetermined": self._enough("undetermined", ("undetermined", "persons_unclear")),
            # Whose these lines are is not told: of few lines there are few persons.
            "covered_lines": self._enough("covered_lines", ("covered_lines", "covered_lines")),
        }

    def ranked(self, keys: Sequence[str], named: Sequence[str], by: str) -> str:
        """SQL of groups of findings by `keys`, told by what they are `named`, those of most violations per line first; `by` is that of the denominators."""
        # Of one institution alone the lines of an item are not known: they are counted over all.
        known = by != "" and (by != "item" or self._where == "TRUE")
        own = self._where if "institution_id" in keys else "TRUE"
        same = " AND ".join(f"d.{key} IS NOT DISTINCT FROM g.{key}" for key in keys) if known else "FALSE"
        covered = f"""SELECT {", ".join(keys) if known else "NULL"}, lines AS covered_lines FROM denominators
            WHERE "by" = '{by}' AND {own}"""
        counts = self._counts()
        shown = ", ".join((
            *(f"g.{name}" for name in (*keys, *named)),
            *(counts[name] for name in _COUNTED if by or name not in ("covered_lines", "rate")),
        ))  # fmt: skip
        return f"""SELECT {shown} FROM ({_grouped(keys, named, self._where)}) g LEFT JOIN ({covered}) d ON {same}
            ORDER BY left_over / nullif(covered_lines, 0) DESC NULLS LAST, left_over DESC, violations DESC, {", ".join(f"g.{key}" for key in keys)}"""

    def months(self) -> str:
        """SQL of the months, those without findings too, with what was left in the month before."""
        counts, left = self._counts(), self._enough("left_over", _OPEN_GROUP)
        shown = ", ".join(counts[name] for name in _COUNTED if name != "explained")
        zeros = ", ".join(f"coalesce({name}, 0) AS {name}" for name in _COUNTS)
        covered = f"""SELECT month, sum(lines)::BIGINT AS covered_lines FROM denominators
            WHERE "by" = 'institution_month' AND {self._where} GROUP BY month"""
        return f"""WITH m AS (
              SELECT coalesce(g.month, d.month) AS month, covered_lines, {zeros}
              FROM ({_grouped(("month",), (), self._where)}) g FULL JOIN ({covered}) d ON g.month IS NOT DISTINCT FROM d.month),
            b AS (SELECT strftime(try_strptime(month, '%Y-%m') + INTERVAL 1 MONTH, '%Y-%m') AS month, {left} AS before_left FROM m)
            SELECT m.month, {shown}, before_left, {left} / nullif(before_left, 0) - 1 FROM m LEFT JOIN b USING (month) ORDER BY m.month"""

    def clusters(self) -> str:
        """SQL of the clusters, those of most lines first."""
        why = self._said("i.why", LIKELY_BY)
        likely = f"array_to_string(list_transform(likely_items, lambda i: concat(i.name, ' ', i.code, '（', {why}, '）')), '；')"
        counts = ", ".join(
            self._enough(name, ("breaking", "persons"))
            for name in (
                "lines",
                "breaking",
                "share",
                "share_low",
                "share_high",
                "elsewhere_share",
                "persons",
                "amount",
            )
        )
        return f"""SELECT {self._said("kind", CLUSTER_KINDS)}, institution_id, institution_name, local_item_code, local_item_name, item_code,
              item_name, {likely}, prescriber, day, {counts}, first_day, last_day, cluster_id
            FROM clusters WHERE {self._where} ORDER BY breaking DESC, cluster_id"""

    def quality(self) -> str:
        """SQL of what is amiss, by institution."""
        lines, rate, persons, amount = (
            self._enough(name, ("lines", "persons")) for name in ("lines", "rate", "persons", "amount")
        )
        return f"""SELECT institution_id, institution_name, {self._said("issue", QUALITY)}, {lines}, of_lines, {rate}, {persons}, {amount},
              example_file || ':' || example_record
            FROM quality WHERE {self._where} ORDER BY lines DESC, institution_id, issue"""

    def cases(
        self,
        names: Sequence[str],
        condition: str,
        source: str = "findings",
        order: str = "institution_id, rule_id, service_time, finding_id",
    ) -> str:
        """SQL of findings in full, of the view or of a query."""
        words = {
            "level": self._said("level", LEVELS), "verdict": self._said("verdict", VERDICTS), "class": self._said("class", CLASSES),
            "person_sex": self._said("person_sex", SEXES), "diagnoses": "array_to_string(diagnoses, '、')",
            "diagnosis_names": "array_to_string(diagnosis_names, '、')", "refund": REFUND,
            **dict.fromkeys(("appeal", "decision", "reason_of_decision"), "NULL"), "deadline": "CAST(NULL AS DATE)",
            "remarks": f"array_to_string(list_transform(remarks, lambda r: {self._said('r', REMARKS)}), '；')",
        }  # fmt: skip
        chosen = ", ".join(words.get(name, name) for name in names if self._identities or not COLUMNS[name].identity)
        return f"SELECT {chosen} FROM {source} WHERE ({condition}) AND {self._where} ORDER BY {order}"


_LINE = ("source_file", "source_record")
_COUNTS: dict[str, str] = {
    "violations": "count(*) FILTER (hit)", "explained": "count(*) FILTER (hit AND NOT open)", "left_over": "count(*) FILTER (open)",
    "persons": "count(DISTINCT person_hash) FILTER (open)", "persons_explained": "count(DISTINCT person_hash) FILTER (hit AND NOT open)",
    "persons_unclear": "count(DISTINCT person_hash) FILTER (unclear)", "stake": "coalesce(sum(yuan) FILTER (open), 0)",
    "undetermined": "count(*) FILTER (unclear)",
}  # fmt: skip
"""What is counted of a group: lines, persons, and the lines' money once, be they hit by several rules. One that only some of its findings explain is left."""
_OPEN_GROUP, _EXPLAINED_GROUP = ("left_over", "persons"), ("explained", "persons_explained")


def _grouped(keys: Sequence[str], named: Sequence[str], where: str) -> str:
    """SQL of groups of findings by `keys`, with what is counted of them."""
    names = "".join(f", any_value({name}) AS {name}" for name in named)
    by_line = ", ".join((*keys, *_LINE))
    return f"""SELECT {", ".join(keys)}{names}, {", ".join(f"{value} AS {name}" for name, value in _COUNTS.items())} FROM (
          SELECT {by_line}{names}, any_value(person_hash) AS person_hash, bool_or({VIOLATION}) AS hit, bool_or({LEFT}) AS open,
            bool_or(verdict = 'undetermined') AS unclear, max(amount_at_stake) FILTER ({LEFT}) AS yuan
          FROM (SELECT *, strftime(service_time, '%Y-%m') AS month FROM findings) WHERE {where} GROUP BY {by_line})
        GROUP BY {", ".join(keys)}"""


def cases_query(names: Sequence[str], condition: str, *, language: str, order: str) -> str:
    """SQL of the findings that a condition (SQL) holds of, in words: the columns `names` of checker.audit.columns, in this order."""
    return _Words(language, identities=True, least_cell=0, where="TRUE").cases(names, condition, order=order)


def sample_table(count: int, seed: int, by: str, *, language: str, identities: bool) -> ReportTable:
    """Some findings that are left, drawn by chance, as many of each stratum (`by`: rule or institution) as it has of all; the same for one seed."""
    words = _Words(language, identities=identities, least_cell=0, where="TRUE")
    names = (*_CASE, "decision", "reason_of_decision")
    stratum = {"rule": "rule_id", "institution": "institution_id"}[by]
    drawn = f"""SELECT * EXCLUDE (place, of_all) FROM (
        SELECT *, row_number() OVER (PARTITION BY {stratum} ORDER BY md5(finding_id || ':{int(seed)}')) AS place,
          count(*) OVER (PARTITION BY {stratum}) AS of_all
        FROM findings WHERE {LEFT}) ORDER BY (place - 0.5) / of_all, finding_id LIMIT {int(count)}"""
    note = (
        f"从待核实疑点中随机抽取，按{('规则' if by == 'rule' else '机构')}分层，随机种子 {seed}",
        f"Drawn at random from what is left to be looked at, by {by}; seed {seed}",
    )
    return ReportTable(
        "sample", ("抽样核查", "Sample"), note, words.columns(names), words.cases(names, "TRUE", f"({drawn})")
    )


def amounts(connection: duckdb.DuckDBPyConnection, where: str = "TRUE") -> tuple[int, int, int, object, object]:
    """Lines that violate, with another cause, and left, and the yuan at stake of all and of those left: each line's money once."""
    row = connection.execute(
        f"""SELECT count(*), count(*) FILTER (NOT is_left), count(*) FILTER (is_left), coalesce(sum(stake), 0), coalesce(sum(stake_left), 0)
        FROM (
          SELECT bool_or(class IS NULL) AS is_left, max(amount_at_stake) AS stake, max(amount_at_stake) FILTER (class IS NULL) AS stake_left
          FROM findings WHERE {VIOLATION} AND {where}
          GROUP BY source_file, source_record)"""
    ).fetchone()
    assert row is not None
    return row
