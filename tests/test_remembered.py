"""What is remembered is what the clauses say: asked anew, with nothing remembered, they say the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from oracle_data import KnowledgeRows, exemption, item_codes, pattern, point, write_knowledge
from test_precheck import DRUG, NOW, asked, prescription, write_random_knowledge

from checker.ingest.prescription import Prescription, read_prescription
from checker.precheck.counter import Precheck, remembered

ID_NUMBER = "110105199003071240"


def read(document: dict[str, Any]) -> Prescription:
    """Read a prescription as the counter does."""
    return read_prescription(document, source="t", now=NOW)


def opened(folder: Path) -> Precheck:
    """Open a counter on a knowledge base, ready to recall."""
    precheck = Precheck.open(kb=[folder])
    precheck.prepare()
    return precheck


def learn(precheck: Precheck, prescriptions: Sequence[Prescription]) -> None:
    """Have prescriptions answered together, some at a time."""
    for start in range(0, len(prescriptions), 20):
        some = prescriptions[start : start + 20]
        precheck.answer_together(some, languages=["zh"] * len(some))


@pytest.mark.parametrize("seed", range(4))
def test_an_answer_recalled_is_the_answer(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prescriptions that say much or little, over knowledge in which points meet; then their like with other birth dates."""
    monkeypatch.setattr(remembered, "_OFTEN", 1)
    rng = Random(seed)
    rows = write_random_knowledge(rng, tmp_path / "kb")
    precheck, fresh = opened(tmp_path / "kb"), opened(tmp_path / "kb")
    pick = item_codes(rng, rows)
    codes = [pick() or DRUG for _ in range(40)]
    made = [read(prescription(rng, number, codes)) for number in range(150)]
    learn(precheck, made)
    later = [one._replace(facts=_born(rng, one.facts)) for one in made]
    recalled = 0
    for one in (*made, *later):
        told = precheck.recall(one)
        if told is not None:
            recalled += 1
            assert told == fresh.answer(one)
    assert recalled > 100
    assert precheck.answer_together(later, languages=["zh"] * len(later)) == [fresh.answer(one) for one in later]


def _born(rng: Random, facts: Any) -> dict[str, Any]:
    """The same facts with birth dates some days or years away."""
    moved = {
        name: facts[name] + timedelta(rng.choice((0, 1, -1, 365, -366, rng.randrange(-6000, 6000))))
        for name in ("line_birth", "insured_birth_date")
        if facts.get(name)
    }
    return {**facts, **moved}


def test_every_birthday_is_judged_as_if_asked_alone(tmp_path: Path) -> None:
    """At the edges of ages and years, on the 29th of February, before anybody and after the service."""
    rows = KnowledgeRows(
        [
            point("P1", "drug-child-only", age_word="儿童"),
            point(
                "P2",
                "drug-child-limited",
                age_text="2-11岁",
                age_min=2,
                age_min_unit="year",
                age_max=12,
                age_max_unit="year",
            ),
        ],
        [pattern("P1", "code", DRUG), pattern("P2", "code", DRUG)],
        [exemption("E1", "drug-child-only", "exempt", diagnoses=["N40"])],
    )
    write_knowledge(rows, tmp_path / "kb")
    precheck, fresh = opened(tmp_path / "kb"), opened(tmp_path / "kb")
    service = date(2026, 3, 1)
    edges = [
        date(service.year - years, *day) for years in range(20) for day in ((1, 1), (2, 28), (3, 1), (3, 2), (12, 31))
    ]
    edges += [
        date(2024, 2, 29),
        date(2008, 2, 29),
        date(1, 1, 1),
        date(1895, 6, 1),
        date(2026, 3, 2),
        date(9999, 12, 31),
    ]
    for diagnoses in ([], ["N40.x00"]):
        made = [read(asked(patient={"birth_date": born.isoformat()}, diagnoses=diagnoses)) for born in edges]
        learn(precheck, made)
        learn(precheck, made)
        assert [precheck.recall(one) for one in made] == [fresh.answer(one) for one in made]


def test_another_day_or_place_is_another_question(tmp_path: Path) -> None:
    """A point that ends, and one that holds in one city only."""
    points = [
        point("P1", "drug-sex", sex="male", valid_to=date(2026, 3, 2)),
        point("P2", "drug-child-only", age_word="儿童", region="3708"),
    ]
    write_knowledge(KnowledgeRows(points, [pattern("P1", "code", DRUG), pattern("P2", "code", DRUG)]), tmp_path / "kb")
    precheck, fresh = opened(tmp_path / "kb"), opened(tmp_path / "kb")
    adult = {"sex": "female", "birth_date": "1990-05-01"}
    made = [
        read(asked(service_time=day, insured_region=region, patient=adult))
        for day in ("2026-03-01", "2026-03-02")
        for region in ("370811", "110101", None)
    ]
    for _ in range(5):
        learn(precheck, made)
    answers = [precheck.recall(one) for one in made]
    assert answers == [fresh.answer(one) for one in made]
    assert [len(answer["findings"]) for answer in answers if answer] == [2, 1, 1, 1, 0, 0]


def test_of_persons_no_number_is_remembered_and_no_long_text(tmp_path: Path) -> None:
    write_knowledge(
        KnowledgeRows(
            [point("P1", "drug-child-only", age_word="儿童", subject="就诊人")], [pattern("P1", "code", DRUG)]
        ),
        tmp_path / "kb",
    )
    precheck = opened(tmp_path / "kb")
    told = {"id_number": ID_NUMBER, "id": "P-17"}
    made = [
        read(asked(patient=told)),
        read(asked(patient={}, insured={"birth_date": "1990-05-01"}, care_type="门" * 1000)),
    ]
    for _ in range(5):
        learn(precheck, made)
    assert [precheck.recall(one) for one in made] == [None, None]
    held = repr(vars(precheck._remembered))
    assert ID_NUMBER not in held
    assert "P-17" not in held
    assert "门门" not in held


def test_what_is_let_go_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for few answers, all answers stay right and the room is kept to."""
    for name, room in (("_ENTRIES_KEPT", 3), ("_WAYS_KEPT", 2), ("_MET_KEPT", 2), ("_OFTEN", 1)):
        monkeypatch.setattr(remembered, name, room)
    rng = Random(7)
    rows = write_random_knowledge(rng, tmp_path / "kb")
    precheck, fresh = opened(tmp_path / "kb"), opened(tmp_path / "kb")
    pick = item_codes(rng, rows)
    codes = [pick() or DRUG for _ in range(20)]
    made = [read(prescription(rng, number, codes)) for number in range(60)]
    for one in made:
        assert precheck.answer_together([one], languages=["zh"]) == [fresh.answer(one)]
    kept = precheck._remembered
    assert max(len(kept._answers), len(kept._births)) <= 3
    assert len(kept._ways) <= 2
