"""`liangku kb gaps`: codes in given data that no point of a rule covers although they stand near restricted ones of it."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from checker.change.gaps import GapsRequest, find_gaps
from checker.cli.main import run
from checker.knowledge.build import build

ROOT = Path(__file__).parents[1]
FACTS = ROOT.parent / "shared" / "nhsa"
HEADER = "line_id,patient_id,institution_id,service_time,item_code,item_name,quantity,amount,vali_flag"

# A: by family; B: in the same batch by exact code, as its family holds the ordinary tablets too; C: a batch of exact codes; D: a service.
POINTS = """\
point_id,rule_id,item_name,sex,age_word,age_text,age_min,age_min_unit,age_max,age_max_unit,subject,region,region_of,valid_from,valid_to,level_cap,remark,document,batch,published_codes,source_rows
A,drug-sex,甲胶囊,male,,,,,,,,,,2025-05-23,,,,公文,01,1,1
B,drug-child-limited,波生坦分散片,,儿童,,,,,,,,,2025-05-23,2026-01-28,,,公文,01,1,2
B2,drug-child-limited,丙颗粒,,儿童,,,,,,,,,2025-05-23,,,,公文,01,1,3
C,drug-sex,千金止带丸,female,,,,,,,,,,2025-05-23,,,,公文,02,1,4
D,service-sex,阴道镜检查,female,,,,,,,,,,2025-05-23,,,,公文,01,1,5
"""
PATTERNS = """\
point_id,role,match,code,published_codes
A,item,family,XA01AAA001A001,1
B,item,code,XC02KXB144A001010100151,1
B2,item,family,XR05CBA001C001,1
C,item,code,ZD03AAA0043010100166,1
D,item,code,003112010040000,1
"""
EDITION = """\
layout = 1
name = "test"
version = "1"
published = 2025-05-23
compiled = 2025-05-23

[[notice]]
batch = "01"
published = 2025-05-23
publisher = "国家医疗保障局"
title = "用例"
"""

COVERED = "XA01AAA001A001010101467"
OTHER_FORM = "XA01AAA001B001010101467"
ORDINARY = "XC02KXB144A001010200222"
NEW_PACK = "ZD03AAA0043010100999"
SERVICE = "003112010040001"
FAR = "XB05XAA001A001010101467"

CLAIMS = f"""{HEADER}
1,P1,H1,2025-06-01,{COVERED},甲胶囊,1,1000.00,1
2,P1,H1,2025-06-02,{OTHER_FORM},甲片,1,5.00,1
3,P2,H1,2025-07-01,{ORDINARY},波生坦片,1,100.00,1
4,P2,H2,2025-06-30,{ORDINARY},波生坦片,1,100.00,1
5,P3,H2,2025-06-30,{ORDINARY},波生坦片(进口),1,100.00,1
6,P3,H2,2025-06-30,{NEW_PACK},千金止带丸（水丸）,1,20.00,1
7,,H2,2025-06-30,{SERVICE},阴道镜检查,1,30.00,1
8,P3,H2,2025-06-30,{FAR},乙片,1,500.00,1
9,P3,H2,2025-06-30,{FAR},,1,500.00,1
10,P3,H2,2025-06-30,LOCAL1,丙颗粒,1,1.00,1
11,P3,H2,2025-06-30,{ORDINARY},波生坦片,1,900.00,0
12,P3,H2,2025-06-30,{ORDINARY},波生坦片,-1,-900.00,1
13,P3,H2,someday,{ORDINARY},波生坦片,1,900.00,1
"""


@pytest.fixture
def kb(tmp_path: Path) -> Path:
    return built(tmp_path / "kb")


def built(folder: Path, points: str = "", patterns: str = "") -> Path:
    """An edition of the points above and of some more."""
    text = folder.with_name(f"{folder.name}-text")
    text.mkdir()
    files = {
        "point.csv": POINTS + points,
        "pattern.csv": PATTERNS + patterns,
        "exemption.toml": "",
        "edition.toml": EDITION,
    }
    for name, content in files.items():
        (text / name).write_text(content, encoding="utf-8")
    build(text, folder)
    return folder


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    path = tmp_path / "claims.csv"
    path.write_text(CLAIMS, encoding="utf-8")
    return path


def test_each_way_of_being_near_is_found_and_measured_as_by_hand(kb: Path, claims: Path) -> None:
    found = find_gaps(GapsRequest([claims], kb=[kb]))
    assert (found.read, found.judged, found.skipped, found.rejected) == (13, 10, 2, 1)
    gaps = {gap.code: gap for gap in found.gaps}
    assert list(gaps) == [ORDINARY, SERVICE, NEW_PACK, OTHER_FORM, "LOCAL1"]
    told = {code: (gap.near, gap.several_items, [point.point_id for point in gap.points]) for code, gap in gaps.items()}
    assert told == {
        ORDINARY: (("family",), True, ["B"]),
        SERVICE: (("name",), False, ["D"]),
        NEW_PACK: (("family", "name"), False, ["C"]),
        OTHER_FORM: (("generic",), False, ["A"]),
        "LOCAL1": (("name",), False, ["B2"]),
    }
    ordinary = gaps[ORDINARY]
    assert ordinary.names == ("波生坦片", "波生坦片(进口)")
    assert (ordinary.lines, ordinary.patients, ordinary.institutions, ordinary.amount) == (3, 2, 2, Decimal("300.00"))
    assert (str(ordinary.first_day), str(ordinary.last_day)) == ("2025-06-30", "2025-07-01")
    assert gaps[SERVICE].patients == 0


def test_a_point_that_has_ended_before_the_code_appears_is_not_near(kb: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.csv"
    later.write_text(
        f"{HEADER}\n1,P1,H1,2026-01-28,{ORDINARY},波生坦片,1,5.00,1\n2,P1,H1,2026-01-28,{NEW_PACK},乙丸,1,5.00,1\n",
        encoding="utf-8",
    )
    found = find_gaps(GapsRequest([later], kb=[kb]))
    assert [(gap.code, gap.near, gap.several_items) for gap in found.gaps] == [(NEW_PACK, ("family",), True)]


def test_a_code_that_another_rule_covers_is_a_gap_all_the_same(tmp_path: Path, claims: Path) -> None:
    """The ordinary tablets are women's here, which says nothing of children; the point of its own rule is not near."""
    other = "E,drug-sex,波生坦片,female,,,,,,,,,,2025-05-23,,,,公文,02,1,6\n"
    kb = built(tmp_path / "kb", other, f"E,item,code,{ORDINARY},1\n")
    gaps = {gap.code: gap for gap in find_gaps(GapsRequest([claims], kb=[kb])).gaps}
    assert [(point.point_id, point.near) for point in gaps[ORDINARY].points] == [("B", ("family",))]


def test_a_family_of_exact_codes_among_families_is_known_to_hold_several_items(kb: Path, tmp_path: Path) -> None:
    """The names do not tell: B's batch gives families elsewhere, and an exact code here."""
    nameless = tmp_path / "nameless.csv"
    nameless.write_text(
        f"{HEADER}\n1,P1,H1,2025-07-28,{ORDINARY},,1,5.00,1\n2,P1,H1,2025-07-28,{NEW_PACK},,1,5.00,1\n",
        encoding="utf-8",
    )
    assert {gap.code: gap.several_items for gap in find_gaps(GapsRequest([nameless], kb=[kb])).gaps} == {
        ORDINARY: True,
        NEW_PACK: False,
    }


def test_the_command_lists_candidates_and_says_that_they_are_no_more(kb: Path, claims: Path, capsys) -> None:
    arguments = ["kb", "gaps", "--claims", str(claims), "--kb", str(kb)]
    assert run([*arguments, "--lang", "zh", "--limit", "2"]) == 0
    out = capsys.readouterr().out
    assert ORDINARY in out
    assert NEW_PACK not in out
    assert "读入 13 行 = 查看 10 + 跳过 2 + 无法读取 1" in out
    assert "5 个可能是缺口" in out
    assert "待核对的候选，不是结论" in out
    assert "※ 已知这个前段里有几个不同的项目" in out
    assert run([*arguments, "--lang", "en", "--sort", "lines", "--min-lines", "2"]) == 0
    out = capsys.readouterr().out
    assert "a candidate to review, no verdict" in out
    assert ORDINARY in out
    assert SERVICE not in out


def test_the_document_holds_all(kb: Path, claims: Path, capsys) -> None:
    code = run(["kb", "gaps", "--json", "--claims", str(claims), "--kb", str(kb)])
    document = json.loads(capsys.readouterr().out)
    assert (code, document["found"], len(document["gaps"])) == (0, 5, 5)
    first = document["gaps"][0]
    assert (first["code"], first["amount"], first["first_day"]) == (ORDINARY, 300.0, "2025-06-30")
    assert first["points"] == [
        {"point_id": "B", "rule_id": "drug-child-limited", "item_name": "波生坦分散片", "near": ["family"]}
    ]


def test_bad_input_is_refused(kb: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    for claims, told in ((tmp_path / "none.csv", "找不到"), (tmp_path / "bad.csv", "item_code")):
        assert run(["kb", "gaps", "--claims", str(claims), "--kb", str(kb)]) == 2
        answer = capsys.readouterr()
        assert answer.out == ""
        assert told in answer.err


@pytest.mark.skipif(not FACTS.is_dir(), reason="the published facts are not beside the checkout")
def test_codes_of_other_rules_are_found_where_they_lie_in_a_restricted_family(tmp_path: Path) -> None:
    """Every published drug code as a line: what the embedded edition does not cover but a restricted family would."""
    with (FACTS / "codes.csv").open(encoding="utf-8-sig", newline="") as stream:
        codes = sorted({row["code"] for row in csv.DictReader(stream) if row["code"][:1] in ("X", "Z")})
    assert len(codes) > 10_000
    lines = "".join(f"{n},P,H,2025-12-01,{code},,1,1.00,1\n" for n, code in enumerate(codes))
    (tmp_path / "all.csv").write_text(f"{HEADER}\n{lines}", encoding="utf-8")
    found = find_gaps(GapsRequest([tmp_path / "all.csv"]))
    in_family = [gap for gap in found.gaps if "family" in gap.near]
    assert len(in_family) == 7
    assert all(gap.several_items for gap in in_family)
    assert {point.item_name for gap in in_family for point in gap.points} == {"波生坦分散片"}


def test_claims_that_were_not_read_are_told(tmp_path: Path, kb: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "claims"
    folder.mkdir()
    (folder / "claims.csv").write_text(CLAIMS, encoding="utf-8")
    (folder / "more.dat").write_bytes(b"x")
    assert run(["kb", "gaps", "--claims", str(folder), "--kb", str(kb), "--lang", "zh"]) == 0
    assert f"没有读 {folder / 'more.dat'}" in capsys.readouterr().out
