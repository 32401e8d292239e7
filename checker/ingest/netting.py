"""Duplicates and refunds among lines (docs/judgment.md, section 6), settled before anything is judged: one relation in, small ones out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from checker.engines.duckdb import one_number
from checker.ingest.reuploads import find_reuploads
from checker.ingest.sources import Source
from checker.model.id_number import one_person

if TYPE_CHECKING:
    import duckdb

PERSON = (
    "patient_id", "patient_sex", "patient_birth_date", "patient_id_number", "patient_age", "insured_sex", "insured_birth_date",
    "insured_age",
)  # fmt: skip
"""What lines say of the person: lines that differ in it are not the same line."""
_ONE_PATIENT = (
    "NOT coalesce(CASE WHEN r.patient_id IS NULL OR o.patient_id IS NULL THEN r.person_number <> o.person_number "
    "ELSE r.patient_id <> o.patient_id END, FALSE)"
)
_PATIENT = "coalesce(o.patient_id, chr(30) || o.person_number, chr(30))"
_NAMED = (
    "r.original_line_id = o.line_id AND r.on_trial = o.on_trial "
    f"AND r.institution_id IS NOT DISTINCT FROM o.institution_id AND {_ONE_PATIENT}"
)
_POINTER = f"{_NAMED} AND r.beside = o.beside"
_ALIKE = "r.item_code = o.item_code AND r.beside = o.beside"
_WITHOUT_VISIT = f"{_POINTER} AND r.visit_id IS NULL AND o.visit_id IS NULL"
_IN_SETTLEMENT = f"concat_ws(chr(31), o.beside, o.on_trial, coalesce(o.institution_id, chr(30)), coalesce(o.settlement_id, chr(30)), o.line_id, {_PATIENT})"
_ONE_SETTLEMENT = """QUALIFY min(coalesce(o.settlement_id, chr(30))) OVER (PARTITION BY r.kind)
    = max(coalesce(o.settlement_id, chr(30))) OVER (PARTITION BY r.kind)"""


class Way(NamedTuple):
    """How a refund finds its originals: the join, the key of the originals that share one refunded sum, and what the refund must name."""

    join: str
    key: str
    named: str

    def columns(self, side: str) -> str:
        """SQL of the columns of refunds (`r`) or originals (`o`) that the way looks at."""
        read = re.findall(rf"\b{side}\.(\w+)", f"{self.join} {self.key}")
        return ", ".join(dict.fromkeys(name for name in read if name != "kind"))


WAYS = (
    # By pointer: the refund names the line, which may be of another code.
    Way(f"{_POINTER} AND r.visit_id = o.visit_id",
        f"concat_ws(chr(31), o.on_trial, coalesce(o.institution_id, chr(30)), o.visit_id, o.line_id, {_PATIENT})", "original_line_id"),
    # Without visits the same number may stand in every settlement: that of the reversed one, of the refund's own, or the only one.
    Way(f"{_WITHOUT_VISIT} AND r.original_settlement_id = o.settlement_id", _IN_SETTLEMENT, "original_line_id"),
    Way(f"{_WITHOUT_VISIT} AND r.settlement_id = o.settlement_id", _IN_SETTLEMENT, "original_line_id"),
    Way(f"{_WITHOUT_VISIT} {_ONE_SETTLEMENT}", _IN_SETTLEMENT, "original_line_id"),
    # By settlement: the reversing settlement names the reversed one.
    Way(f"r.original_settlement_id = o.settlement_id AND {_ALIKE}",
        "concat_ws(chr(31), o.beside, o.settlement_id, o.item_code)", "original_settlement_id"),
    # By visit.
    Way(f"{_ALIKE} AND r.institution_id IS NOT DISTINCT FROM o.institution_id AND r.visit_id = o.visit_id AND {_ONE_PATIENT}",
        f"concat_ws(chr(31), o.beside, coalesce(o.institution_id, chr(30)), o.visit_id, o.item_code, {_PATIENT})", "visit_id"),
    # By settlement, where the refund has no visit.
    Way(f"{_ALIKE} AND r.institution_id IS NOT DISTINCT FROM o.institution_id AND r.visit_id IS NULL "
        f"AND r.settlement_id = o.settlement_id AND {_ONE_PATIENT}",
        f"concat_ws(chr(31), o.beside, coalesce(o.institution_id, chr(30)), o.settlement_id, o.item_code, {_PATIENT})", "settlement_id"),
)  # fmt: skip
"""How refunds find originals of one patient, in order."""
ASTRAY = (
    Way(f"{_NAMED} AND NOT r.beside AND o.beside AND r.visit_id IS NOT DISTINCT FROM o.visit_id", _IN_SETTLEMENT, "original_line_id"),
    Way(f"{_NAMED} AND NOT r.beside AND o.beside AND (r.visit_id IS NULL OR o.visit_id IS NULL) {_ONE_SETTLEMENT}",
        _IN_SETTLEMENT, "original_line_id"),
)  # fmt: skip
"""How refunds that take back no judged line find what stands beside these, which they name."""


@dataclass(frozen=True, slots=True)
class Netted:
    """How many duplicates and how many wholly refunded lines were left out, how many refunds found no original, and how many lines were
    left out as uploaded again."""

    duplicates: int
    fully_refunded: int
    refunds_without_original: int
    reuploaded: int


def net_lines(
    connection: duckdb.DuckDBPyConnection,
    *,
    any_refund: bool,
    any_reversal: bool,
    uploads: Sequence[Source],
    headers_name_originals: bool,
    shadow_rules: Sequence[int],
    any_number: bool,
) -> Netted:
    """Make the tables `duplicate_line` (line_no, is_first) and `netted_line` (line_no, what is left, nothing_left) from `staged_line`.

    `unmatched_refund` (line_no) are refunds without an original.
    `left_out` (line_no) are the lines that take no part in any judgment: those that repeat another, and those of which nothing is left. What only
    stands `beside` (history, self-paid lines) is netted among itself, or by a refund that names it, changes nothing of judged lines, and is not counted.
    Amounts are decimals, yuan. `any_reversal`: the table `reversed_settlement` has settlements that are reversed as a whole, whose lines
    are gone before any refund is netted. `uploads`: sources that tell what was uploaded together. `headers_name_originals`:
    settlement_header carries original_settlement_id. `shadow_rules` are the numbers of rules on trial: lines of codes that only these
    have points for are netted among themselves and not counted. Without `any_number` no line has an ID number. `numbered_line` has the
    lines without an id (checker.ingest.identity).
    """
    on_trial, person = _on_trial(shadow_rules), ", ".join(PERSON)
    number = one_person("patient_id_number") if any_number else "CAST(NULL AS VARCHAR)"
    told = person.replace("patient_id_number", f"{number} AS patient_id_number")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE duplicate_line AS
        WITH keyed AS (
          SELECT line_no, is_refund, beside, institution_id, visit_id, CASE WHEN visit_id IS NULL THEN settlement_id END AS without_visit,
            line_id, item_code, service_time, quantity, amount, {told} FROM staged_line
          WHERE duplicate_key IN (SELECT duplicate_key FROM staged_line GROUP BY duplicate_key HAVING count(*) > 1) AND line_id IS NOT NULL
        )
        SELECT line_no, place = 1 AS is_first, {on_trial} OR beside AS on_trial FROM (
          SELECT line_no, item_code, beside, row_number() OVER (same ORDER BY beside, line_no) AS place, count(*) OVER same AS members,
            count(*) FILTER (NOT beside) OVER same AS judged FROM keyed
          WINDOW same AS (PARTITION BY is_refund, institution_id, visit_id, without_visit,
            line_id, item_code, service_time, quantity, amount, {person}))
        WHERE members > 1 AND (place > 1 OR judged > 1)"""
    )
    connection.execute(
        f"""INSERT INTO duplicate_line SELECT line_no, repeat = 1, {on_trial} OR beside FROM numbered_line
        WHERE members > 1 AND (repeat > 1 OR judged > 1)"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE netted_line (line_no BIGINT, quantity DECIMAL(18, 4), amount DECIMAL(18, 4),
        amount_in_scope DECIMAL(18, 4), nothing_left BOOLEAN, partly BOOLEAN, on_trial BOOLEAN)"""
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE unmatched_refund (line_no BIGINT)")
    without = 0
    if any_refund or any_reversal:
        gone = (
            "(SELECT settlement_id FROM reversed_settlement WHERE is_whole)"
            if any_reversal
            else "(SELECT NULL WHERE FALSE)"
        )
        without = _net_refunds(connection, on_trial, number, gone, headers_name_originals)
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE left_out AS SELECT line_no FROM duplicate_line WHERE NOT is_first
        UNION ALL SELECT line_no FROM netted_line WHERE nothing_left"""
    )
    reuploaded = find_reuploads(connection, uploads, on_trial, PERSON)
    return Netted(
        one_number(connection, "SELECT count(*) FROM duplicate_line WHERE NOT is_first AND NOT on_trial"),
        one_number(connection, "SELECT count(*) FROM netted_line WHERE nothing_left AND NOT on_trial"),
        without,
        reuploaded,
    )


def _on_trial(shadow_rules: Sequence[int]) -> str:
    """SQL of whether `item_code` is one that only points on trial cover; what only stands beside limited items is not."""
    if not shadow_rules:
        return "FALSE"
    numbers = ", ".join(str(int(number)) for number in shadow_rules)
    covered = "SELECT code FROM hot JOIN point USING (point_no) WHERE rule_no"
    return (
        f"coalesce(item_code IN ({covered} IN ({numbers})) AND item_code NOT IN ({covered} NOT IN ({numbers})), FALSE)"
    )


def _net_refunds(
    connection: duckdb.DuckDBPyConnection, on_trial: str, number: str, gone: str, headers_name_originals: bool
) -> int:
    """Net the refunds against the originals, of which those of the settlements `gone` (SQL) have nothing left to give. `number` is SQL of
    a line's ID number."""
    original = (
        "coalesce(s.original_settlement_id, h.original_settlement_id)"
        if headers_name_originals
        else "s.original_settlement_id"
    )
    header = "LEFT JOIN settlement_header h ON h.key = s.settlement_id" if headers_name_originals else ""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE open_refund AS
        SELECT s.line_no, s.institution_id, s.visit_id, s.settlement_id, s.patient_id,
          {number.replace("patient_id_number", "s.patient_id_number")} AS person_number, s.item_code,
          {on_trial} AS on_trial, s.beside, s.original_line_id, {original} AS original_settlement_id,
          abs(coalesce(s.quantity, 0)) AS quantity, abs(coalesce(s.amount, 0)) AS amount, abs(coalesce(s.amount_in_scope, 0)) AS amount_in_scope
        FROM staged_line s {header}
        WHERE s.is_refund AND s.line_no NOT IN (SELECT line_no FROM duplicate_line WHERE NOT is_first)"""
    )
    # Only lines that some refund may reach are looked at any further.
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE original AS
        SELECT line_no, institution_id, visit_id, settlement_id, patient_id, {number} AS person_number, line_id, item_code, beside, {on_trial} AS on_trial,
          service_time, place, quantity, amount, amount_in_scope, is_gone, CASE WHEN is_gone THEN 0 ELSE coalesce(quantity, 0) END AS quantity_left,
          CASE WHEN is_gone THEN 0 ELSE coalesce(amount, 0) END AS amount_left,
          CASE WHEN is_gone THEN 0 ELSE coalesce(amount_in_scope, 0) END AS scope_left,
          quantity * 0 AS quantity_taken, coalesce(amount, 0) * 0 AS amount_taken
        FROM (SELECT *, coalesce(settlement_id IN {gone}, FALSE) AS is_gone FROM staged_line)
        LEFT JOIN (SELECT line_no, place FROM numbered_line) USING (line_no)
        WHERE NOT is_refund AND item_code IN (SELECT item_code FROM open_refund)
          AND (line_id IN (SELECT original_line_id FROM open_refund) OR settlement_id IN (SELECT original_settlement_id FROM open_refund)
            OR visit_id IN (SELECT visit_id FROM open_refund) OR settlement_id IN (SELECT settlement_id FROM open_refund))
          OR NOT is_refund AND line_id IN (SELECT original_line_id FROM open_refund) OR NOT is_refund AND is_gone"""
    )
    connection.execute("DELETE FROM original WHERE line_no IN (SELECT line_no FROM duplicate_line WHERE NOT is_first)")
    _net_ways(connection, WAYS)
    without = one_number(connection, "SELECT count(*) FROM open_refund WHERE NOT on_trial AND NOT beside")
    connection.execute("INSERT INTO unmatched_refund SELECT line_no FROM open_refund WHERE NOT on_trial AND NOT beside")
    if one_number(connection, "SELECT count(*) FROM original WHERE beside"):
        _net_ways(connection, ASTRAY)
    connection.execute(
        """INSERT INTO netted_line
        SELECT line_no, CASE WHEN quantity IS NOT NULL THEN quantity_left END, CASE WHEN amount IS NOT NULL THEN amount_left END,
          CASE WHEN amount_in_scope IS NOT NULL THEN scope_left END,
          is_gone OR CASE WHEN quantity > 0 AND quantity_taken > 0 THEN quantity_left = 0 ELSE amount_taken > 0 AND amount_left = 0 END,
          coalesce(quantity_taken > 0, FALSE) OR amount_taken > 0 OR coalesce(amount_in_scope, 0) > scope_left, on_trial OR beside
        FROM original
        WHERE is_gone OR quantity_left <> coalesce(quantity, 0) OR amount_left <> coalesce(amount, 0) OR scope_left <> coalesce(amount_in_scope, 0)"""
    )
    return without


def _net_ways(connection: duckdb.DuckDBPyConnection, ways: Sequence[Way]) -> None:
    """Net the refunds that are still open, way after way, until none is left that names what the way asks for."""
    columns = sorted({way.named for way in ways})
    counted = f"SELECT {', '.join(f'count({name})' for name in columns)} FROM open_refund"
    named: dict[str, int] = {}
    for way in ways:
        if not named:
            named = dict(zip(columns, connection.execute(counted).fetchall()[0], strict=True))
        if named[way.named] and _net_one_way(connection, way):
            named = {}


def _net_one_way(connection: duckdb.DuckDBPyConnection, way: Way) -> bool:
    """Take the refunds that find originals this way from those originals, oldest first, and close them; return whether there were any.

    What the way does not tell apart is joined once: a patient may have thousands of refunds and lines of one item in one visit.
    """
    found = one_number(
        connection,
        f"""CREATE OR REPLACE TEMP TABLE pair AS
        WITH refund_kind AS (SELECT {way.columns("r")}, list(line_no) AS lines, min(line_no) AS kind FROM open_refund GROUP BY ALL),
        original_kind AS (SELECT {way.columns("o")}, list(line_no) AS lines FROM original GROUP BY ALL)
        SELECT r.lines AS refunds, o.lines AS originals, {way.key} AS group_key
        FROM refund_kind r JOIN original_kind o ON {way.join}""",
    )
    if found == 0:
        return False
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE taken AS
        WITH refunded AS (
          SELECT group_key, sum(quantity) AS quantity, sum(amount) AS amount, sum(amount_in_scope) AS amount_in_scope
          FROM (SELECT group_key, unnest(refunds) AS line_no FROM (SELECT DISTINCT group_key, refunds FROM pair))
          JOIN open_refund USING (line_no) GROUP BY group_key
        ),
        member AS (SELECT group_key, unnest(originals) AS line_no FROM (SELECT DISTINCT group_key, originals FROM pair)),
        ordered AS (
          SELECT o.line_no, o.quantity_left, o.amount_left, o.scope_left, f.quantity, f.amount, f.amount_in_scope,
            sum(o.quantity_left) OVER earlier - o.quantity_left AS quantity_before,
            sum(o.amount_left) OVER earlier - o.amount_left AS amount_before,
            sum(o.scope_left) OVER earlier - o.scope_left AS scope_before
          FROM member m JOIN original o USING (line_no) JOIN refunded f USING (group_key)
          WINDOW earlier AS (PARTITION BY m.group_key ORDER BY o.service_time, o.line_id NULLS LAST, o.place, o.line_no)
        )
        SELECT line_no, least(quantity_left, greatest(0, quantity - quantity_before)) AS quantity,
          least(amount_left, greatest(0, amount - amount_before)) AS amount,
          least(scope_left, greatest(0, amount_in_scope - scope_before)) AS amount_in_scope
        FROM ordered"""
    )
    connection.execute(
        """UPDATE original SET quantity_left = quantity_left - t.quantity, amount_left = amount_left - t.amount,
          scope_left = scope_left - t.amount_in_scope,
          quantity_taken = quantity_taken + t.quantity, amount_taken = amount_taken + t.amount
        FROM taken t WHERE t.line_no = original.line_no"""
    )
    connection.execute("DELETE FROM open_refund WHERE line_no IN (SELECT unnest(refunds) FROM pair)")
    return True
