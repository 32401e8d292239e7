"""`liangku sql` prints a query that runs and judges as the scan does, for DuckDB, and for Spark or says what has no equal there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from checker.engines.dialects import NotInEngineError, laid_out
from checker.engines.duckdb import connect_locked, register
from checker.judge.rules_query import CANDIDATE, WEIGHED
from checker.knowledge.cell_reader import Faults
from checker.model.embedded import embedded_rules_folder
from checker.model.schema import DIAGNOSIS_SEPARATORS
from checker.proof import case_scan
from checker.proof.case_rows import case_rows
from checker.rulebook.load import load_rules
from checker.scan import stages
from checker.scan.request import ScanRequest, ScanResult
from checker.shapes import CANDIDATE_COLUMNS
from tests.commands import liangku

COMPARED = "line_id, item_code, rule_id, verdict, level, reason_code, exemption_id"
SPARK_LACKS = {"evidence", "pair", "quota"}
"""The shapes whose SQL has no equal in Spark."""


class Kept:
    """What a scan of the cases judged: its candidates and the relations beside them, by name, and the findings."""

    def __init__(self) -> None:
        self.tables: dict[str, pa.Table] = {}
        self.findings: list[tuple[Any, ...]] = []

    def add(self, name: str, table: pa.Table) -> None:
        before = [self.tables[name]] if name in self.tables else []
        self.tables[name] = pa.concat_tables([*before, table], promote_options="permissive")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The cases of all rules that have a finding or are clean, as one scan judged them."""
    found, patch = Kept(), pytest.MonkeyPatch()
    rulebook = load_rules(embedded_rules_folder(), embedded=True)
    cases = [
        case for case in case_rows(rulebook.rules, Faults()) if case.case.expect not in ("not_judged", "not_in_force")
    ]
    before, scan = stages.Stages._fire, case_scan.scan

    def judge(run: Any, of: Callable[[Any, str], tuple[str, Any]], *given: Any, **named: Any) -> Any:
        for shape in [] if found.findings else run._shapes:
            candidates, _ = of(shape, "staged_line")
            weighed = f"""list_filter(regexp_split_to_array(coalesce(diagnosis_code, ''), '{DIAGNOSIS_SEPARATORS}'), lambda d: d <> '') AS diagnoses,
                {", ".join(f"FALSE AS {name}" for name, type_ in WEIGHED.items() if type_ == "BOOLEAN")}"""
            columns = {str(name) for name, *_ in run.connection.execute(f"DESCRIBE {candidates}").fetchall()}
            missing = [
                f"CAST(NULL AS {type_}) AS {name}" for name, type_ in CANDIDATE_COLUMNS.items() if name not in columns
            ]
            rows = f"SELECT *{''.join(f', {each}' for each in missing)} FROM ({candidates})"
            query = f"SELECT c.*, {weighed}, p.exemptions FROM ({rows}) c JOIN point p USING (point_no) WHERE NOT ends_with(c.rule_id, '/silent')"
            found.add(CANDIDATE, run.connection.sql(query).to_arrow_table())
            for name, types in shape.relations.items():
                if name not in found.tables:
                    chosen = ", ".join(f'CAST("{column}" AS {type_}) AS "{column}"' for column, type_ in types.items())
                    found.add(name, run.connection.sql(f"SELECT {chosen} FROM {name}").to_arrow_table())
        return before(run, of, *given, **named)

    def kept_scan(request: ScanRequest, **named: Any) -> ScanResult:
        if found.findings:
            return scan(request, **named)
        found.tables.clear()
        result: ScanResult = scan(request, **named)
        with duckdb.connect() as connection:
            query = f"SELECT {COMPARED} FROM read_parquet(?) WHERE NOT ends_with(rule_id, '/silent')"
            found.findings = connection.execute(query, [str(request.out / "findings.parquet")]).fetchall()
        return result

    patch.setattr(stages.Stages, "_fire", judge)
    patch.setattr(case_scan, "scan", kept_scan)
    try:
        fates = case_scan.Bench(rulebook, tmp_path_factory.mktemp("cases")).judge(cases)
    finally:
        patch.undo()
    assert len(fates) == len(cases) > 150
    return found


def _query(*words: str) -> dict[str, Any]:
    done = liangku("sql", "--json", *words)
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def test_the_query_gives_the_findings_of_the_scan(kept: Kept) -> None:
    printed = _query()
    connection = connect_locked()
    for name, columns in printed["relations"].items():
        # No more than what the comment above the query names.
        register(connection, name, kept.tables[name].select([*columns]))
    found = connection.execute(f"SELECT {COMPARED} FROM ({printed['sql']})").fetchall()
    assert sorted(found, key=repr) == sorted(kept.findings, key=repr)
    assert {rule for _, _, rule, *_ in found} == set(printed["rules"])
    assert len(found) > 300


def test_a_rule_alone_is_a_query_that_can_be_read(kept: Kept) -> None:
    done = liangku("sql", "--rule", "drug-sex", "--rule", "herb-single", "--lang", "en")
    head = [line for line in done.stdout.splitlines() if line.startswith("--")]
    named = {line.split()[1]: line.split(maxsplit=2)[2] for line in head if line.startswith("--     ")}
    assert {"point_sex", "item_code", "listed_by", "is_known"} <= set(named)
    assert "--   fellow: the lines of a prescription, and the rules that list their items" in head
    connection = connect_locked()
    for name in (CANDIDATE, "fellow"):
        register(connection, name, kept.tables[name])
    answers = connection.execute(f"SELECT {COMPARED} FROM ({done.stdout})").fetchall()
    own = [row for row in kept.findings if row[2] in ("drug-sex", "herb-single")]
    assert sorted(answers, key=repr) == sorted(own, key=repr) != []
    assert all(len(line) < 240 for line in done.stdout.splitlines() if not line.startswith("--"))


def test_spark_has_its_own_words_or_is_refused() -> None:
    rules = {rule.id: rule.shape for rule in load_rules(embedded_rules_folder(), embedded=True).rules}
    done = liangku("sql", "--engine", "spark")
    assert (done.returncode, done.stdout) == (2, "")
    assert {rule for rule in rules if rule in done.stderr} == {rule for rule in rules if rules[rule] in SPARK_LACKS}
    others = [word for rule in rules if rules[rule] not in SPARK_LACKS for word in ("--rule", rule)]
    printed = _query("--engine", "spark", *others)
    tree = sqlglot.parse_one(printed["sql"], read="spark")
    calls = {
        node.name.lower() if isinstance(node, exp.Anonymous) else node.sql_name().lower()
        for node in tree.find_all(exp.Func)
    }
    # What Spark would take for something else, or not at all.
    assert not calls & {
        "list_unique",
        "list_slice",
        "strlen",
        "try_strptime",
        "len",
        "regexp_full_match",
        "list_filter",
    }
    assert "QUALIFY" not in printed["sql"]
    assert "MATERIALIZED" not in printed["sql"]
    comment = liangku("sql", "--engine", "spark", *others).stdout
    assert "spark.sql.optimizer.excludedRules" in comment


SAID = {
    "date_diff('month', a, b)": "((YEAR(b) * 12 + MONTH(b)) - (YEAR(a) * 12 + MONTH(a)))",
    "date_diff('day', a, b)": "DATEDIFF(b, a)",
    "len(list_filter(a, lambda x: x > 1))": "SIZE(FILTER(a, x -> x > 1))",
    "length(a)": "LENGTH(a)",
    "list_unique(a)": "SIZE(ARRAY_DISTINCT(ARRAY_COMPACT(a)))",
    "regexp_full_match(a, '[0-9]')": "a RLIKE '^(?:[0-9])$'",
    "try_strptime(a, '%Y%m%d')": "TRY_TO_TIMESTAMP(a, 'yyyyMMdd')",
    "sum(a) OVER w - b": "(SUM(a) OVER w) - b",
    "CAST(a + to_months(b) AS DATE)": "CAST(ADD_MONTHS(a, b) AS DATE)",
    "NOT (NOT a)": "a",
    "length('len(')": "LENGTH('len(')",
    "list(a ORDER BY b DESC)": None,
    "list(a ORDER BY b)": "TRANSFORM(ARRAY_SORT(COLLECT_LIST(STRUCT(b AS k0, a AS v))), x -> x.v)",
    "list_slice(a, 2, 3)": None,
    "try_strptime(a, '%d.%m.%Y')": None,
    "date_diff('year', a, b)": None,
    "jaccard(a, b)": None,
    "md5(a)": None,
}
"""What DuckDB says, and how Spark says it; None: not at all."""


@pytest.mark.parametrize("said", SAID)
def test_each_saying_of_spark(said: str) -> None:
    wanted = SAID[said]
    query = f"SELECT {said} AS c FROM t WINDOW w AS (ORDER BY a)"
    if wanted is None:
        with pytest.raises(NotInEngineError):
            laid_out(query, "spark")
        return
    column = sqlglot.parse_one(laid_out(query, "spark"), read="spark").selects[0].this
    assert column.sql("spark") == wanted


def test_rules_that_are_not_there_are_named(tmp_path: Path) -> None:
    done = liangku("sql", "--rule", "drug-sexx")
    assert done.returncode == 2
    assert "drug-sexx" in done.stderr
    done = liangku("sql", "--rule", "drug-sex", "--stage", "settle")
    assert done.returncode == (0 if "during" in _stages("drug-sex") else 2)


def _stages(rule_id: str) -> tuple[str, ...]:
    return next(rule.stages for rule in load_rules(embedded_rules_folder(), embedded=True).rules if rule.id == rule_id)
