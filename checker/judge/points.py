"""Knowledge as the judgment reads it: points of the rules in use with their exemptions, and the patterns that find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from checker.judge.compile import EXEMPTION_TYPE
from checker.judge.evidence import Notices
from checker.judge.recall import Recall
from checker.knowledge.edition import Edition, load_into
from checker.knowledge.names import item_key
from checker.model import sqltext
from checker.model.errors import InputError
from checker.rulebook.plan import Plan
from checker.shapes import LIMITS, SHAPES
from checker.shapes.base import SQL_TYPES

if TYPE_CHECKING:
    import duckdb

_TOGETHER = f"coalesce({', '.join(shape.together for shape in SHAPES if shape.together)})"
GENERIC = 10
"""So many first characters of a drug's code are those of its generic."""
_GENERICS = f"""SELECT point_no, string_agg(DISTINCT left(code, {GENERIC}), '|' ORDER BY left(code, {GENERIC})) AS generics
FROM pattern WHERE role = 'item' AND point_no IN (SELECT point_no FROM numbered WHERE drug_class IS NOT NULL) GROUP BY point_no"""
"""SQL of the generics of points that ask for earlier drugs of a class: what is none of these is another drug."""
LISTED = """SELECT code, p.valid_from, p.valid_to, p.rule_id FROM pattern JOIN point p USING (point_no)
WHERE p.companions IS NOT NULL AND match = 'code'"""
"""SQL of the codes that are on the lists of rules that look at a line's companions: code, from when, before when, rule id."""


@dataclass(frozen=True, slots=True)
class Unread:
    """What no rule in use reads: numbers of points and of patterns."""

    points: int
    patterns: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """The plan by whose rule numbers the points were loaded, version and hash of the editions, and what none of the rules reads.

    `absent` are the rules that the points in use name and that do not judge, by id, and why: some of checker.model.words.NOT_JUDGED.
    """

    plan: Plan
    version: str
    hash: str
    unread: Unread
    absent: Mapping[str, str]
    notices: Notices


@dataclass(frozen=True, slots=True)
class _Told:
    """What points say of rules: which of those that they name do not judge, and why; which have points on trial; what none reads."""

    absent: Mapping[str, str]
    on_trial: Sequence[str]
    unread: Unread


_RECALL = Recall[_Told](("kb_point", "kb_pattern", "kb_crosswalk", "point", "pattern"))
"""What judging asks of knowledge, by the stage, the rules and the hashes of the editions."""


def version_of(editions: Sequence[Edition]) -> str:
    """The version of layered editions, base first."""
    return "+".join(edition.version for edition in editions)


def hash_of(editions: Sequence[Edition]) -> str:
    """The content hash of layered editions, base first."""
    return "+".join(edition.content_hash for edition in editions)


def load_points(
    connection: duckdb.DuckDBPyConnection, editions: Sequence[Edition], rules: Plan, *, stage: str | None
) -> Loaded:
    """Make the tables `point` (point_no, the point's columns, exemptions) and `pattern` (point_no, role, match, code) for the rules of a stage.

    For a scan (`stage` during or after) points on trial are loaded under the number of their rule's shadow twin, which the plan returned
    has, and those of absent rules are not. For the counter (None: the rules of every stage) neither points nor rules on trial are in what
    is made, but those of absent rules are, under stand-ins.
    """
    known = tuple((rule.id, rule.shadow, rule.deprecated, rule.stages) for rule in rules.rules)
    key = (stage, known, *(edition.manifest for edition in editions))
    told = _RECALL.bring(connection, key)
    if told is None:
        load_into(connection, editions)
        told = _Told(_absent(connection, rules), _on_trial(connection), _unread(connection, rules))
        _make(connection, _plan(rules, stage, told))
        _RECALL.keep(connection, key, told)
    return Loaded(
        _plan(rules, stage, told),
        version_of(editions),
        hash_of(editions),
        told.unread,
        told.absent,
        Notices.of(editions),
    )


def _plan(rules: Plan, stage: str | None, told: _Told) -> Plan:
    """The rules by whose numbers points are loaded."""
    if stage is None:
        return rules.in_use().without_shadow().with_absent(told.absent)
    return rules.at_stage(stage).with_twins(told.on_trial)


def _make(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Make `point` and `pattern` of what is loaded."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP VIEW numbered AS
        SELECT CAST(rowid AS INTEGER) AS point_no, {_rule_number(plan)} AS rule_no, p.* FROM kb_point p WHERE rule_no IS NOT NULL"""
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE pattern AS SELECT point_no, role, match, code FROM kb_pattern JOIN numbered USING (point_id)"
    )
    limits = ", ".join(f"CAST(n.{limit.name} AS {SQL_TYPES[limit.kind]}) AS {limit.column}" for limit in LIMITS)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE point AS
        WITH listed AS (
          SELECT point_no, CAST(list({{'exemption_id': exemption_id, 'effect': effect, 'diagnoses': diagnoses, 'region': region,
            'region_of': region_of, 'valid_from': valid_from, 'valid_to': valid_to,
            'code': CASE WHEN match IN ('code', 'family') THEN value END, 'code_is_family': match = 'family'}})
            AS {EXEMPTION_TYPE}) AS exemptions
          FROM ({_concerned(connection)}) JOIN kb_exemption USING (exemption_id) GROUP BY point_no
        )
        SELECT n.point_no, n.rule_no, n.rule_id, n.point_id, n.item_name AS point_name, {limits}, {_TOGETHER} AS together, g.generics, n.subject,
          n.region AS point_region, n.region_of AS point_region_of, n.valid_from, n.valid_to, n.level_cap, n.remark AS point_remark,
          n.document, n.batch, n.source_rows, coalesce(listed.exemptions, []) AS exemptions
        FROM numbered n LEFT JOIN listed USING (point_no) LEFT JOIN ({_GENERICS}) g USING (point_no)"""
    )


def refuse_too_early(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> None:
    """Raise InputError where `as_of` lies before the first day on which any point is in force: nothing would be judged, and all would look clean."""
    row = connection.execute("SELECT min(valid_from) FROM point").fetchone()
    first = row[0] if row else None
    if as_of is not None and first is not None and as_of < first:
        raise InputError(
            f"--as-of {as_of}：早于知识库最早的知识点（{first} 起生效），那一天没有可以判断的内容；请用 {first} 或以后的日期"
            f"（before the first point of the knowledge base, {first}: give that day or a later one）"
        )


def _absent(connection: duckdb.DuckDBPyConnection, rules: Plan) -> dict[str, str]:
    """The rules of points in use that do not judge, and why."""
    known = {rule.id: rule for rule in rules.rules}
    named = connection.execute(
        "SELECT DISTINCT rule_id FROM kb_point WHERE status <> 'shadow' ORDER BY rule_id"
    ).fetchall()
    why = {rule_id: "deprecated" if rule_id in known else "rule" for (rule_id,) in named}
    return {rule_id: reason for rule_id, reason in why.items() if rule_id not in known or known[rule_id].deprecated}


def _unread(connection: duckdb.DuckDBPyConnection, rules: Plan) -> Unread:
    """The points and patterns of rules that are not loaded or not in use."""
    read = sqltext.texts(rule.id for rule in rules.in_use().rules)
    unread = f"SELECT point_id FROM kb_point WHERE rule_id NOT IN ({read})" if read else "SELECT point_id FROM kb_point"
    row = connection.execute(
        f"SELECT (SELECT count(*) FROM ({unread})), (SELECT count(*) FROM kb_pattern WHERE point_id IN ({unread}))"
    ).fetchone()
    assert row is not None
    return Unread(int(row[0]), int(row[1]))


def _on_trial(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The ids of the rules that have points on trial."""
    rows = connection.execute(
        "SELECT DISTINCT rule_id FROM kb_point WHERE status = 'shadow' ORDER BY rule_id"
    ).fetchall()
    return [str(rule) for (rule,) in rows]


def _rule_number(plan: Plan) -> str:
    """SQL of the number of the rule that judges a row of kb_point; NULL where none of the plan does."""

    def numbered(numbers: Mapping[str, int]) -> str:
        arms = " ".join(f"WHEN {sqltext.text(rule)} THEN {number}" for rule, number in numbers.items())
        return f"CASE rule_id {arms} END" if arms else "CAST(NULL AS INTEGER)"

    # A rule that is on trial as a whole has one number; a later twin of another takes the points on trial.
    active = {rule.id: number for number, rule in reversed(list(enumerate(plan.rules)))}
    shadow = {rule.id: number for number, rule in enumerate(plan.rules) if rule.shadow}
    return f"CASE WHEN status = 'shadow' THEN {numbered(shadow)} ELSE {numbered(active)} END"


def _concerned(connection: duckdb.DuckDBPyConnection) -> str:
    """SQL of which exemption may concern which point, and by which of its items: point_no, exemption_id, match, value."""
    items = connection.execute("SELECT DISTINCT match, value FROM kb_exemption_item").fetchall()
    named = [(item_key(value), value) for match, value in items if match == "name"]
    ways = [
        """SELECT point_no, exemption_id, CAST(NULL AS VARCHAR) AS match, CAST(NULL AS VARCHAR) AS value
        FROM numbered JOIN kb_exemption USING (rule_id) WHERE exemption_id NOT IN (SELECT exemption_id FROM kb_exemption_item)"""
    ]
    if named:
        pairs = ", ".join(f"({sqltext.text(key)}, {sqltext.text(value)})" for key, value in named)
        ways.append(
            f"""SELECT point_no, exemption_id, match, value
            FROM (SELECT item_name, value FROM kb_name JOIN (VALUES {pairs}) same(item_key, value) USING (item_key))
            JOIN numbered USING (item_name) JOIN kb_exemption_item i USING (value)
            JOIN kb_exemption USING (exemption_id, rule_id) WHERE match = 'name'"""
        )
    if any(match != "name" for match, _ in items):
        ways.append(
            """SELECT DISTINCT n.point_no, exemption_id, i.match, value
            FROM kb_exemption_item i JOIN kb_exemption USING (exemption_id) JOIN numbered n USING (rule_id)
            JOIN pattern t ON t.point_no = n.point_no AND (starts_with(t.code, value) OR starts_with(value, t.code))
            WHERE i.match <> 'name'"""
        )
    return " UNION ALL ".join(ways)
