"""Points that a process loads again are those that it loaded first, for whatever knowledge, rules and stage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

import checker.judge.points
from checker.engines.duckdb import connect_locked
from checker.judge.points import Loaded, load_points
from checker.judge.recall import MOST, Recall
from checker.knowledge.resolve import knowledge_files, open_editions, open_plan
from tests.one_rule import one_rule_kb, one_rule_rules

Rows = dict[str, tuple[list[tuple[str, str]], list[tuple[object, ...]]]]


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins as a new process does."""
    kept = checker.judge.points._RECALL
    monkeypatch.setattr(checker.judge.points, "_RECALL", Recall(kept._tables))


def loaded(
    *, kb: Sequence[Path] = (), rules: Sequence[Path] = (), only_rules: bool = False, stage: str | None = "after"
) -> tuple[Loaded, Rows, bool]:
    """What is told of the points, the columns and rows of their tables, and whether they were made anew."""
    editions, plan = open_editions(kb), open_plan(rules, only_rules=only_rules)
    with connect_locked(readable=knowledge_files(editions), threads=1) as connection:
        told = load_points(connection, editions, plan, stage=stage)
        anew = bool(
            connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'kb_name'").fetchall()[0][0]
        )
        return told, {name: _rows(connection, name) for name in checker.judge.points._RECALL._tables}, anew


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[list[tuple[str, str]], list[tuple[object, ...]]]:
    told = connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {table})").fetchall()
    return told, connection.execute(f"FROM {table}").fetchall()


@pytest.mark.parametrize("stage", ["during", "after", None])
def test_the_third_load_brings_what_the_first_made(stage: str | None) -> None:
    first, rows, anew = loaded(stage=stage)
    assert anew
    assert len(rows["point"][1]) > 1_000
    assert loaded(stage=stage)[2]
    again, same, anew = loaded(stage=stage)
    assert not anew
    assert again == first
    assert same == rows


def test_other_knowledge_other_rules_and_another_stage_are_loaded_anew() -> None:
    for _ in range(3):
        loaded()
    assert not loaded()[2]
    one = loaded(kb=[one_rule_kb()], rules=[one_rule_rules()], only_rules=True)
    assert one[2]
    assert len(one[1]["point"][1]) < 1_000
    assert loaded(stage="during")[2]
    assert loaded(rules=[one_rule_rules()], only_rules=True)[2]


def test_no_more_than_a_few_are_kept() -> None:
    recall = Recall[int](("t",))
    with duckdb.connect() as connection:
        for key in range(2 * MOST):
            connection.execute(f"CREATE OR REPLACE TEMP TABLE t AS SELECT {key} AS n")
            recall.keep(connection, key, key)
            recall.keep(connection, key, key)
        assert [recall.bring(connection, key) for key in range(2 * MOST)] == [None] * MOST + [*range(MOST, 2 * MOST)]
        assert connection.execute("FROM t").fetchall() == [(2 * MOST - 1,)]
