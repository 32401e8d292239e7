"""The counter says what a scan says, and names by its path what it cannot read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from oracle_data import (
    DIAGNOSIS_PREFIXES,
    KnowledgeRows,
    birth_near_an_edge,
    exemption,
    id_number,
    item_codes,
    knowledge,
    pattern,
    point,
    service_day,
    spell_code,
    write_knowledge,
)

from checker.ingest.prescription import LINES_MAX, read_prescription
from checker.knowledge.codes import is_code
from checker.knowledge.resolve import read_crosswalks
from checker.model.errors import InputError
from checker.model.schema import FINDING_COLUMNS
from checker.precheck.counter import Precheck
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.counter import answers

DRUG = "XG04CBA088A001010101467"
NOW = datetime(2026, 3, 1, 10, 0)
OWN_PLACE = ("service_time", "source_file", "source_record")
"""What a scan says otherwise: a time as a value, and the place in a file."""


def write_random_knowledge(rng: Random, folder: Path) -> KnowledgeRows:
    """Write an invented knowledge base in which points meet, regions differ and exemptions abound."""
    rows = knowledge(rng)
    write_knowledge(rows, folder)
    return rows


def maybe(rng: Random, chance: float, value: Any) -> Any:
    """Return the value or, now and then, one of the words for nothing."""
    return value if rng.random() < chance else rng.choice((None, "", "--", " null "))


def prescription(rng: Random, number: int, codes: list[str]) -> dict[str, Any]:
    """Return a prescription that says much or little, at the edges of ages, dates and regions."""
    day = service_day(rng)
    moment = datetime(day.year, day.month, day.day, rng.randrange(24), rng.randrange(6))
    born, sex = birth_near_an_edge(rng, day), rng.choice(("male", "female"))
    other = birth_near_an_edge(rng, day)
    patient = {
        "id": maybe(rng, 0.8, f"P{number}'\\"),
        "sex": maybe(rng, 0.7, rng.choice(("男", "1", "M", " female ", "2", "未知", "9", sex))),
        "birth_date": maybe(
            rng, 0.6, rng.choice((f"{born}", f"{born:%Y%m%d}", f"{born:%Y/%m/%d}", f"{born}T08:00:00+08:00"))
        ),
        "age": maybe(rng, 0.3, rng.choice((0, 3, 13.5, "14岁", 17, -1, 131, 40, "99999999999999999"))),
        "id_number": maybe(rng, 0.25, id_number(rng, sex, born)),
        "newborn": maybe(rng, 0.3, rng.choice((True, False, "是", "0"))),
    }
    insured = {
        "sex": maybe(rng, 0.7, rng.choice(("男", "女"))),
        "birth_date": maybe(rng, 0.7, rng.choice((other, born)).isoformat()),
        "age": maybe(rng, 0.4, rng.choice((0, 3, "8个月", "10天", "1岁半", 13, 14, 36, -1, 131))),
    }
    document: dict[str, Any] = {
        "stage": rng.choice(("prescribe", "dispense", "settle")),
        "service_time": rng.choice((moment.isoformat(), f"{moment}", f"{moment:%Y%m%d%H%M%S}", f"{moment}.250Z", f"{day}")),
        "settlement_id": maybe(rng, 0.5, f"S{number}"),
        "visit_id": maybe(rng, 0.5, f"V{number}"),
        "institution_id": maybe(rng, 0.6, rng.choice(("H37081100001", "P11010100002", "37081100001", "药店"))),
        "care_type": maybe(rng, 0.5, rng.choice(("41", "4101", "11", "21"))),
        "insured_region": maybe(rng, 0.6, rng.choice(("370811", "370800", "110101", "37"))),
        "region": maybe(rng, 0.5, rng.choice(("370811", "110105"))),
        "visit_start": maybe(rng, 0.3, (day - timedelta(days=rng.choice((0, 3, 27, 28, 29, 400)))).isoformat()),
        "mutual_aid_amount": maybe(rng, 0.2, rng.choice((12.5, "0", 0, "0.0100"))),
        "patient": patient,
        "insured": insured,
        "diagnoses": rng.sample([*(code for some in DIAGNOSIS_PREFIXES for code in some), "i27.001", "N40.x000", "A00"], rng.choice((0, 0, 1, 3))),
        "lines": [
            {
                "line_id": rng.choice((f"{number}-{line}", f"{number}-{line}", None, f"{number}-1", str(line + 1))),
                "item_code": spell_code(rng, rng.choice(codes)),
                "item_name": maybe(rng, 0.5, rng.choice(("甲药'片", "乙\"颗粒", "{item_code}"))),
                "quantity": maybe(rng, 0.8, rng.choice((1, 0, 2.5, "1,000", "3.00005"))),
                "amount": maybe(rng, 0.8, rng.choice((35.5, "1e1", "12.30", 0))),
                "amount_in_scope": maybe(rng, 0.5, rng.choice((10, 10, -5, 0, "0.00"))),
                "full_self_paid_amount": maybe(rng, 0.2, rng.choice((35.5, 0, "10"))),
                "is_context": maybe(rng, 0.2, rng.choice((True, "0"))),
                "paid_by_fund": maybe(rng, 0.3, rng.choice((True, False, "1"))),
                "valid_flag": maybe(rng, 0.3, rng.choice((True, "1", "正常", "作废", "0"))),
                "refund_flag": maybe(rng, 0.2, rng.choice((False, "0", "收费"))),
            }
            for line in range(rng.choice((1, 1, 2, 5)))
        ],
    }  # fmt: skip
    for key in ("patient", "insured"):
        if rng.random() < 0.35:
            del document[key]
    if document["visit_id"] != f"V{number}":
        # Without a visit, the lines of another prescription of the file could be meant.
        for line in document["lines"]:
            line["line_id"] = line["line_id"] and f"{number}-{line['line_id']}"
    document["lines"] += [line for line in document["lines"] for line in again(rng, line, number)]
    return document


def again(rng: Random, line: dict[str, Any], prescription: int) -> Iterator[dict[str, Any]]:
    """Now and then: the line once more, or lines that take some of it back."""
    if rng.random() < 0.1:
        yield line | rng.choice(({}, {"amount_in_scope": 9}, {"amount": 7}, {"line_id": None}))
    near = line["line_id"] or str(prescription)
    for number in range(rng.choice((0, 0, 0, 0, 0, 1, 2))):
        back = line | {
            "line_id": rng.choice((f"{near}-{rng.choice((number, 0))}", None)),
            "original_line_id": rng.choice((None, None, line["line_id"], f"{near}-1")),
            "is_context": rng.choice((None, None, None, True)),
        }
        yield back | rng.choice((
            {"quantity": -1, "amount": -35.5, "amount_in_scope": -10}, {"quantity": -1, "amount_in_scope": 5},
            {"quantity": "-2.5", "amount": None}, {"quantity": None, "amount": "-10"},
            {"quantity": 1, "amount": 35.5, "refund_flag": "退费"}, {"quantity": 2, "refund_flag": True},
            {"quantity": "-0", "amount": 0}, {"quantity": -1000, "amount": "-99"}, {"quantity": "-0.5", "amount": "-12.30"},
        ))  # fmt: skip


def local_codes(rng: Random, codes: list[str], file: Path) -> list[str]:
    """Write a crosswalk onto these codes, of days that end and begin near those of the prescriptions, and return its local codes.

    Some are of national shape, some codes are mapped that are national ones themselves, and some local ones stand for several.
    """
    nationals = [code for code in dict.fromkeys(codes) if is_code(code)]
    locals_ = [
        *(f"L{number}-甲" for number in range(60)),
        *(f"3311{number:011d}" for number in range(10)),
        *nationals[:10],
    ]
    rows = []
    for local in locals_:
        for national in rng.sample(nationals, rng.choice((1, 1, 2, 3))):
            first, second = sorted(service_day(rng) for _ in range(2))
            spans = rng.choice(
                ([("", "")], [(first, "")], [("", second)], [(first, second)], [("", first), (second, "")])
            )
            rows += [(local, national, *span) for span in spans if "" in span or span[0] < span[1]]
    rows = [row for row in rows if row[0] != row[1]]
    text = ["地方编码,国家编码,开始日期,结束日期", *(",".join(map(str, row)) for row in rows)]
    file.write_text("\n".join(text), encoding="utf-8")
    return locals_


def with_local_codes(rng: Random, line: dict[str, Any], codes: list[str]) -> None:
    """Let a line bear local codes, as its code or beside one, or in place of one that is not given."""
    line["local_item_name"] = maybe(rng, 0.5, "院内名称")
    line["local_item_code"] = maybe(rng, 0.8, rng.choice((rng.choice(codes), "H001")))
    if rng.random() < 0.6:
        line["item_code"] = rng.choice((rng.choice(codes).lower(), None, "--", ""))


@pytest.mark.parametrize("seed", range(8))
def test_the_counter_agrees_with_a_scan(seed: int, tmp_path: Path) -> None:
    """Each finding of a scan of prescriptions is the counter's, in every column, and the counter has no other."""
    rng = Random(seed)
    rows = write_random_knowledge(rng, tmp_path / "kb")
    pick = item_codes(rng, rows)
    codes = [code for code in (pick() for _ in range(400)) if code]
    options = {
        "language": rng.choice(("zh", "en")),
        "region": rng.choice((None, "370811")),
        "as_of": rng.choice((None, date(2026, 2, 1))),
    }
    documents = [prescription(rng, number, codes) for number in range(60)]
    if repair := seed % 2 == 1:
        for line in (line for document in documents for line in document["lines"] if rng.random() < 0.5):
            line["item_code"] = re.sub("^0+(?=[0-9]{9,14}$)", "", line["item_code"], flags=re.ASCII)
    crosswalk = [tmp_path / "crosswalk.csv"] if seed >= 4 else []
    if crosswalk:
        mapped = local_codes(rng, codes, *crosswalk)
        for document in documents:
            for line in document["lines"]:
                with_local_codes(rng, line, mapped)
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps(document) for document in documents), encoding="utf-8")
    result = scan(
        ScanRequest(
            [tmp_path / "in.jsonl"],
            tmp_path / "out",
            kb=[tmp_path / "kb"],
            crosswalk=crosswalk,
            stage="settle",
            repair=repair,
            **options,
        )
    )
    # Lines are numbered through all prescriptions; ids may be missing, or be those of other lines.
    scanned = {
        (row["source_record"], row["rule_id"]): {name: row[name] for name in FINDING_COLUMNS if name not in OWN_PLACE}
        for row in pl.read_parquet(tmp_path / "out" / "findings.parquet").iter_rows(named=True)
    }
    assert any("code_repaired" in row["remarks"] for row in scanned.values()) == repair
    assert sum(row["matched_by"] == "crosswalk" for row in scanned.values()) > (10 if crosswalk else -1)
    precheck = Precheck.open(kb=[tmp_path / "kb"], crosswalk=read_crosswalks(crosswalk), repair=repair, **options)
    answered, not_in_force, not_in_scope = {}, Counter[str](), Counter[str]()
    before = 0
    for document, answer in zip(documents, answers(precheck, documents, language=options["language"]), strict=True):
        not_in_force.update(entry["rule_id"] for entry in answer["not_in_force"])
        not_in_scope.update(entry["rule_id"] for entry in answer.get("not_in_scope", ()))
        for finding in answer["findings"]:
            assert list(finding) == list(FINDING_COLUMNS)
            if finding["reason_code"] != "unknown_code":
                answered[before + finding["source_record"], finding["rule_id"]] = finding
        before += len(document["lines"])
    assert len(scanned) > 30
    assert answered.keys() == scanned.keys()
    same_names = 0
    for key, finding in answered.items():
        wanted = {name: _plain(value) for name, value in scanned[key].items()}
        if finding["line_id"] is None:
            # Equal lines of several documents are numbered through the file, which the counter does not know.
            same_names += finding["finding_id"] == wanted.pop("finding_id")
        if str(wanted["patient_id"]).startswith("#"):
            # Whom only an ID number names has a number of the scan's own.
            assert finding["patient_id"] is None
            assert wanted.pop("patient_id")
        assert {name: finding[name] for name in wanted} == wanted, key
    assert same_names > 5
    assert not_in_force == Counter({rule: count for rule, count in result.not_in_force.items() if count})
    assert not_in_scope == Counter({rule: count for rule, count in result.not_in_scope.items() if count})


def _plain(value: Any) -> Any:
    return float(value) if type(value).__name__ == "Decimal" else value


def test_prescriptions_that_wait_together_are_answered_as_each_alone(tmp_path: Path) -> None:
    """One query for many, with refunds and duplicates among them, says what one for each says."""
    rng = Random(9)
    rows = write_random_knowledge(rng, tmp_path / "kb")
    pick = item_codes(rng, rows)
    codes = [code for code in (pick() for _ in range(400)) if code]
    read = [read_prescription(prescription(rng, number, codes), source="处方", now=NOW) for number in range(150)]
    precheck = Precheck.open(kb=[tmp_path / "kb"])
    assert precheck.answer_together(read, languages=["zh"] * len(read)) == [precheck.answer(each) for each in read]


@pytest.fixture(scope="module")
def precheck() -> Precheck:
    """The counter on the embedded knowledge."""
    return Precheck.open()


def asked(code: str | None = DRUG, **values: Any) -> dict[str, Any]:
    """Return a prescription of one line for a woman."""
    line = {"line_id": "1", "item_code": code, "quantity": 1}
    return {"service_time": "2026-03-01", "patient": {"sex": "F", "birth_date": "1990-05-01"}, "lines": [line]} | values


@pytest.mark.parametrize(
    ("insured", "actual"),
    [
        ({"age": "36"}, "36 岁"), ({"age": 13}, None), ({"age": "8个月"}, None), ({"age": "36", "birth_date": "2020-01-01"}, None),
        ({"age": 6, "birth_date": "1990-05-01"}, "35 岁"), ({"sex": "F"}, ...),
    ],
)  # fmt: skip
def test_the_age_of_the_insured_counts_where_no_birth_date_of_theirs_is_known(
    precheck: Precheck, insured: dict[str, Any], actual: object
) -> None:
    line = {"line_id": "1", "item_name": "小儿金丹", "by_name": True}
    child = {"sex": "M", "age": 6}
    answer = precheck.check(asked(patient=child, insured=insured, lines=[line], service_time="2026-03-01"))
    if actual is ...:
        assert [finding["reason_code"] for finding in answer["findings"]] == ["birth_missing"]
    else:
        assert [finding["actual"] for finding in answer["findings"]] == ([actual] if actual else [])


def test_a_line_without_national_code_is_undetermined(precheck: Precheck) -> None:
    """A local code, or none, is told, and the worst verdict is undetermined."""
    for code in ("L0001", None):
        answer = precheck.check(asked(code))
        (finding,) = answer["findings"]
        assert (answer["verdict"], finding["reason_code"], finding["action"]) == (
            "undetermined",
            "unknown_code",
            "note",
        )
        assert answer["checked_lines"] == 1


def test_a_cut_code_that_still_tells_the_item_has_one_answer(precheck: Precheck, tmp_path: Path) -> None:
    document = asked(DRUG[:20], visit_id="V1")
    assert [finding["verdict"] for finding in precheck.check(document)["findings"]] == ["violation"]
    (tmp_path / "rx.json").write_text(json.dumps(document), encoding="utf-8")
    result = scan(ScanRequest([tmp_path / "rx.json"], tmp_path / "out"))
    assert result.census.codes["no_national_shape"] == 0
    assert pl.read_parquet(tmp_path / "out" / "findings.parquet")["verdict"].to_list() == ["violation"]


def test_a_service_of_an_uncovered_system_is_clear(precheck: Precheck) -> None:
    """A code that the knowledge does not speak of needs no finding."""
    answer = precheck.check(asked("330100005000000"))
    assert (answer["verdict"], answer["findings"], answer["not_in_force"]) == ("clear", [], [])


def test_a_point_not_yet_in_force_is_told(precheck: Precheck) -> None:
    """Before the notice nothing is found, and that is said."""
    answer = precheck.check(asked(service_time="2020-01-01"))
    assert (answer["verdict"], answer["findings"]) == ("clear", [])
    assert answer["not_in_force"] == [{"line_id": "1", "rule_id": "drug-sex"}]


def test_context_and_self_paid_lines_are_not_checked(precheck: Precheck) -> None:
    """They bring no finding and do not count; where there are no others, nothing was judged, and nothing is clear."""
    lines = [
        {"item_code": DRUG, "is_context": True},
        {"item_code": DRUG, "paid_by_fund": "0"},
        {"item_code": DRUG, "quantity": -1},
        {"item_code": DRUG, "valid_flag": "作废"},
        {"item_code": DRUG, "refund_flag": 1},
    ]
    answer = precheck.check(asked(lines=lines))
    assert (answer["verdict"], answer["level"], answer["action"]) == ("undetermined", None, "note")
    assert (answer["findings"], answer["checked_lines"]) == ([], 0)
    assert "ignored" not in answer
    assert precheck.check(asked(lines=[*lines, {"item_code": DRUG}], patient={"sex": "male"}))["verdict"] == "clear"


def test_what_is_taken_back_is_not_held_against_anybody(precheck: Precheck) -> None:
    """A line refunded in full has no finding and is named; of one refunded in part the rest is told."""
    line = {"item_code": DRUG, "line_id": "1", "quantity": 3, "amount": 30}
    back = {"item_code": DRUG, "line_id": "2", "quantity": -3, "amount": -30}
    answer = precheck.check(asked(visit_id="V1", lines=[line, back]))
    assert (answer["verdict"], answer["findings"], answer["fully_refunded"], answer["checked_lines"]) == (
        "clear",
        [],
        ["1"],
        1,
    )
    (finding,) = precheck.check(asked(visit_id="V1", lines=[line, back | {"quantity": -1, "amount": -10}]))["findings"]
    assert (finding["quantity"], finding["amount"], finding["remarks"]) == (2.0, 20.0, ["partly_refunded"])
    # Without a visit or settlement nothing says what the refund is of.
    assert precheck.check(asked(lines=[line, back]))["verdict"] == "violation"


def test_a_line_that_comes_twice_is_told_once(precheck: Precheck) -> None:
    line = {"item_code": DRUG, "line_id": "1", "quantity": 1, "amount": 10}
    (finding,) = precheck.check(asked(lines=[line, line]))["findings"]
    assert finding["remarks"] == ["duplicate"]
    assert len(precheck.check(asked(lines=[line, line | {"amount": 11}]))["findings"]) == 2


def test_an_exempted_line_is_clear(tmp_path: Path) -> None:
    """An exemption is told as a finding, but needs no action."""
    rows = KnowledgeRows(
        [point("P1", "drug-sex", sex="male")],
        [pattern("P1", "code", DRUG)],
        [exemption("E1", "drug-sex", "exempt", diagnoses=["N40"], items=[("code", DRUG)])],
    )
    write_knowledge(rows, tmp_path / "kb")
    precheck = Precheck.open(kb=[tmp_path / "kb"])
    answer = precheck.check(asked(diagnoses=["n40.x00"]))
    (finding,) = answer["findings"]
    assert (answer["verdict"], finding["verdict"], finding["exemption_id"], finding["action"]) == (
        "clear",
        "exempt",
        "E1",
        None,
    )
    assert precheck.check(asked())["findings"][0]["remarks"] == ["exemption_possible"]


def test_an_item_is_found_by_its_name(precheck: Precheck) -> None:
    """The whole name, or a name but for its parenthesis."""
    name, numbers = precheck.find_item("爱普列特片")
    assert (name, len(numbers) > 0) == ("爱普列特片", True)
    assert precheck.find_item(" 爱普列特片（薄膜衣） ") == (name, numbers)


def test_a_name_that_several_items_share_is_asked_back(precheck: Precheck) -> None:
    """The candidates are named."""
    with pytest.raises(InputError, match=r"对应 [0-9]+ 个项目"):
        precheck.find_item("颗粒")


def test_part_of_a_name_is_asked_back(precheck: Precheck) -> None:
    """Only one item has it, but the ordinary form that is not limited may be meant."""
    with pytest.raises(InputError, match="波生坦分散片"):
        precheck.find_item("波生坦")


def test_a_name_that_no_item_has_is_told_with_the_nearest(precheck: Precheck) -> None:
    """A misspelt name brings the right one, an empty one nothing."""
    with pytest.raises(InputError, match=r"相近的有：.*爱普列特片"):
        precheck.find_item("爱普利特片")
    for name in ("", "人工智能"):
        with pytest.raises(InputError, match="没有"):
            precheck.find_item(name)


def test_a_named_item_is_judged_by_its_points(precheck: Precheck) -> None:
    """Without a code: how the point matches is told, the code stays empty."""

    name, numbers = precheck.find_item("爱普列特片")
    read = read_prescription(asked(), source="处方", now=NOW)
    item = read.items[0]._replace(item_code=None, item_name=name, named_points=numbers)
    answer = precheck.answer(read._replace(items=(item,)))
    (finding,) = answer["findings"]
    assert (answer["verdict"], finding["rule_id"], finding["item_code"]) == ("violation", "drug-sex", None)
    assert finding["matched_by"] in ("code", "family")


BAD = (
    ([], "处方应为 JSON 对象"),
    ("text", "处方应为 JSON 对象"),
    ({}, "lines 应为至少一行"),
    (asked(lines=[]), "lines 应为至少一行"),
    (asked(lines="1"), "lines 应为至少一行"),
    (asked(lines={"item_code": DRUG}), "lines 应为至少一行"),
    (asked(lines=[{}] * (LINES_MAX + 1)), "最多 10000 行"),
    (asked(lines=[{}, 1]), r"lines\[1\] 应为 JSON 对象"),
    (asked(lines=[{"quantity": "two"}]), r"lines\[0\]\.quantity 的值“two”"),
    (asked(lines=[{"amount": [1]}]), r"lines\[0\]\.amount 应为单个值"),
    (asked(lines=[{"item_code": {"a": 1}}]), r"lines\[0\]\.item_code 应为单个值"),
    (asked(lines=[{"is_context": "maybe"}]), r"lines\[0\]\.is_context 的值“maybe”"),
    (asked(stage="later"), "stage 为“later”"),
    (asked(service_time="yesterday"), "service_time 的值“yesterday”"),
    (asked(visit_start="2026-02-30"), "visit_start 的值"),
    (asked(online="不详"), "online 的值“不详”"),
    (asked(patient=[1]), "patient 应为 JSON 对象"),
    (asked(patient={"sex": "X"}), r"patient\.sex 的值"),
    (asked(patient={"birth_date": "1990-13-45"}), r"patient\.birth_date 的值"),
    (asked(patient={"age": "abc"}), r"patient\.age 的值"),
    (asked(insured="x"), "insured 应为 JSON 对象"),
    (asked(insured={"birth_date": "soon"}), r"insured\.birth_date 的值"),
    (asked(diagnoses="N40"), "diagnoses 应为诊断编码的数组"),
    (asked(diagnoses=["N40", ["I10"]]), r"diagnoses\[1\] 应为单个值"),
    (asked(diagnoses=[{"code": {"a": "N40"}}]), r"diagnoses\[0\] 应为单个值"),
)


@pytest.mark.parametrize(("document", "told"), BAD)
def test_what_cannot_be_read_is_named_by_its_path(precheck: Precheck, document: object, told: str) -> None:
    """Each fault says where it is."""
    with pytest.raises(InputError, match=told) as caught:
        precheck.check(document, source="rx.json")
    assert str(caught.value).startswith("rx.json：")


def test_keys_that_nothing_reads_are_listed(precheck: Precheck) -> None:
    """A misspelt key does not pass in silence."""
    document = asked(colour="red", patient={"gender": "F"}, lines=[{"item_code": DRUG, "qty": 1}])
    assert precheck.check(document)["ignored"] == ["patient.gender", "colour", "lines[0].qty"]


NETTED = (
        # An id that nobody gave is nobody's.
        (({"line_id": "2"}, {}), [(1, 10, 10), (1, 10, 10)]),
        (({"line_id": "2"}, {"line_id": "2"}), [(1, 10, 10)]),
        # What refunds leave is at least 0, also where the scope is negative.
        (({"amount_in_scope": -5, "quantity": 3}, {"quantity": -1, "amount": -1, "amount_in_scope": -5}), [(2, 9, 0)]),
        # The line that was given its id gives first.
        (({}, {"line_id": "9"}, {"quantity": -1, "amount": -10, "amount_in_scope": -10}), [(1, 10, 10)]),
        # Limited items and their companions take from one another: where no item asks for companions, a local code is neither.
        (
            ({"line_id": "1"}, {"item_code": "L1", "quantity": -1, "amount": -10, "original_line_id": "1"}),
            [(1, 10, 10)],
        ),
)  # fmt: skip


@pytest.fixture(scope="module")
def netted(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """What a scan finds in all of these prescriptions, each of its own visit."""
    folder = tmp_path_factory.mktemp("netted")
    documents = [netted_document(number) for number in range(len(NETTED))]
    (folder / "rx.json").write_text(json.dumps(documents), encoding="utf-8")
    scan(ScanRequest([folder / "rx.json"], folder / "out"))
    return pl.read_parquet(folder / "out" / "findings.parquet").sort("source_record")


def netted_document(number: int) -> dict[str, Any]:
    whole = {"item_code": DRUG, "quantity": 1, "amount": 10, "amount_in_scope": 10}
    return asked(visit_id=f"V{number}", lines=[whole | line for line in NETTED[number][0]])


@pytest.mark.parametrize("number", range(len(NETTED)))
def test_lines_are_netted_alike_at_the_counter_and_in_a_scan(
    number: int, netted: pl.DataFrame, precheck: Precheck
) -> None:
    net = NETTED[number][1]
    findings = precheck.check(netted_document(number))["findings"]
    assert [(f["quantity"], f["amount"], f["amount_in_scope"]) for f in findings] == net
    found = netted.filter(visit_id=f"V{number}")
    assert found.select("quantity", "amount", "amount_in_scope").rows() == net
