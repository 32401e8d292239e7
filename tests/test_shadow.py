"""Points and rules on trial [影子]: judged like any other, listed apart, silent at the counter; the end of their trial."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl
import pytest

from checker.change.impact import ImpactRequest, impact
from checker.cli.main import run
from checker.knowledge.build import build
from checker.model.errors import InputError
from checker.precheck.counter import Precheck
from checker.scan.request import ScanRequest, ScanResult
from checker.scan.scan import scan
from checker.shapes import SHAPES
from tests.few_lines import few_headers, few_lines
from tests.one_rule import one_rule_text

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "knowledge_base" / "sources"
RULES = ROOT / "rules"
POINT = "drug-sex-01-0003"
CODE = "XG04CBA088A001010101467"

CLAIMS = f"""line_id,visit_id,patient_id,institution_id,insured_region,service_time,item_code,item_name,patient_sex,quantity,amount
1,V1,P1,H1,370800,2026-03-01,{CODE},爱普列特片,女,1,10.00
2,V2,P1,H1,370800,2026-04-01,{CODE},爱普列特片,女,1,20.00
3,V3,P2,H2,370800,2026-04-02,{CODE},爱普列特片,,1,30.00
4,V4,P3,H2,370800,2026-04-02,{CODE},爱普列特片,男,1,40.00
5,V5,P4,H3,110100,2026-04-02,{CODE},爱普列特片,男,1,50.00
6,V6,P5,H1,370800,2025-01-02,{CODE},爱普列特片,女,1,60.00
7,V7,P6,H1,370800,2026-04-02,{CODE},爱普列特片,女,1,70.00
7r,V7,P6,H1,370800,2026-04-03,{CODE},爱普列特片,女,-1,-70.00
"""

Row = dict[str, str]


def edition(folder: Path, change: Callable[[list[Row]], Iterable[Row]], patterns: str = "") -> Path:
    """The points of one rule of the embedded edition changed, with a status column, and further patterns; new points are for women."""
    return changed(one_rule_text(folder), change, patterns)


def whole_edition(folder: Path, change: Callable[[list[Row]], Iterable[Row]]) -> Path:
    """The text of the embedded edition with its points changed, and a status column."""
    return changed(shutil.copytree(SOURCES, folder), change)


def changed(folder: Path, change: Callable[[list[Row]], Iterable[Row]], patterns: str = "") -> Path:
    with (folder / "point.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows = list(change([row | {"status": row.get("status") or "active"} for row in rows]))
    with (folder / "point.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    limited = "".join(
        (folder / name).read_text(encoding="utf-8") for name in sorted(shape.limit_file for shape in SHAPES)
    )
    with (folder / "item.csv").open("a", encoding="utf-8") as stream:
        stream.writelines(f"{row['point_id']},female,,,,,,\n" for row in rows if f"\n{row['point_id']}," not in limited)
    with (folder / "pattern.csv").open("a", encoding="utf-8") as stream:
        stream.write(patterns)
    return folder


def on_trial(ids: Iterable[str]) -> Callable[[list[Row]], Iterable[Row]]:
    wanted = set(ids)
    return lambda rows: [row | {"status": "shadow" if row["point_id"] in wanted else "active"} for row in rows]


def built(text: Path, out: Path) -> Path:
    build(text, out)
    return out


def rows_of(file: Path) -> list[tuple[object, ...]]:
    return pl.read_parquet(file).sort("source_record", "rule_id").drop("kb_version").rows()


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    path = tmp_path / "claims.csv"
    path.write_text(CLAIMS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trial_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The text of a knowledge base with one point on trial; for those who change it, `text` is a copy."""
    return edition(tmp_path_factory.mktemp("trial") / "text", on_trial([POINT]))


@pytest.fixture
def text(tmp_path: Path, trial_text: Path) -> Path:
    return shutil.copytree(trial_text, tmp_path / "text")


@pytest.fixture(scope="module")
def trial(trial_text: Path) -> Path:
    """A knowledge base with one point on trial."""
    return built(trial_text, trial_text.parent / "kb")


@pytest.fixture(scope="module")
def active(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded knowledge with no point on trial."""
    folder = tmp_path_factory.mktemp("active")
    return built(whole_edition(folder / "text", on_trial([])), folder / "kb")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, active: Path) -> ScanResult:
    """The sample lines judged with no point on trial."""
    return scan(ScanRequest([few_lines()], tmp_path_factory.mktemp("whole") / "out", kb=[active], **few_headers()))


# ---- judged like any other, listed apart ----


def test_half_the_points_on_trial_find_what_they_find_as_active_points(tmp_path: Path, whole: ScanResult) -> None:
    found = whole.out / "findings.parquet"
    # Of two points of a rule with one code the other judges what this one no longer does.
    points = pl.read_csv(SOURCES / "point.csv", infer_schema=False).select("point_id", "rule_id")
    patterns = pl.read_csv(SOURCES / "pattern.csv", infer_schema=False).join(points, on="point_id")
    shared = patterns.filter(pl.len().over("rule_id", "code") > 1)["point_id"]
    ids = sorted(set(pl.read_parquet(found)["point_id"]) - set(shared))[::2]
    kb = built(whole_edition(tmp_path / "text", on_trial(ids)), tmp_path / "kb")
    result = scan(ScanRequest([few_lines()], tmp_path / "out", kb=[kb], **few_headers()))
    all_found = pl.read_parquet(found).sort("source_record", "rule_id").drop("kb_version")
    tried = all_found["point_id"].is_in(ids)
    assert tried.sum() > 30
    assert rows_of(result.out / "shadow.parquet") == all_found.filter(tried).rows()
    assert rows_of(result.out / "findings.parquet") == all_found.filter(~tried).rows()
    assert result.summary.findings == (~tried).sum()
    assert result.shadow.findings == tried.sum()


def test_a_rule_on_trial_leaves_what_a_scan_without_it_finds(tmp_path: Path, active: Path, whole: ScanResult) -> None:
    rules, without = tmp_path / "rules", tmp_path / "without"
    shutil.copytree(RULES, rules)
    path = rules / "drug-sex.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('status = "stable"', 'status = "shadow"'), encoding="utf-8"
    )
    shutil.copytree(RULES, without)
    (without / "drug-sex.toml").unlink()
    tried = scan(
        ScanRequest([few_lines()], tmp_path / "tried", kb=[active], rules=[rules], only_rules=True, **few_headers())
    )
    left = scan(
        ScanRequest([few_lines()], tmp_path / "left", kb=[active], rules=[without], only_rules=True, **few_headers())
    )
    assert rows_of(tried.out / "findings.parquet") == rows_of(left.out / "findings.parquet")
    assert tried.summary == left.summary
    assert tried.not_in_force == left.not_in_force
    assert tried.netted.fully_refunded == left.netted.fully_refunded
    own = pl.read_parquet(whole.out / "findings.parquet").filter(pl.col("rule_id") == "drug-sex")
    assert rows_of(tried.out / "shadow.parquet") == own.sort("source_record", "rule_id").drop("kb_version").rows()
    assert tried.shadow.not_in_force == whole.not_in_force["drug-sex"]


def test_a_point_on_trial_never_takes_a_line_from_an_active_one(tmp_path: Path, claims: Path) -> None:
    """The point on trial names the exact code and would come before the active one's family."""

    def change(rows: list[Row]) -> Iterable[Row]:
        own = next(row for row in rows if row["point_id"] == POINT)
        return [*rows, own | {"point_id": "drug-sex-zz-0001", "status": "shadow"}]

    text = edition(tmp_path / "text", change, f"drug-sex-zz-0001,item,code,{CODE},1\n")
    result = scan(ScanRequest([claims], tmp_path / "out", kb=[built(text, tmp_path / "kb")]))
    plain = scan(ScanRequest([claims], tmp_path / "plain"))
    assert rows_of(result.out / "findings.parquet") == rows_of(plain.out / "findings.parquet")
    shadow = pl.read_parquet(result.out / "shadow.parquet").sort("source_record")
    assert shadow.select("line_id", "point_id", "verdict").rows() == [
        ("3", "drug-sex-zz-0001", "undetermined"),
        ("4", "drug-sex-zz-0001", "violation"),
        ("5", "drug-sex-zz-0001", "violation"),
    ]
    assert set(shadow["finding_id"]) & set(pl.read_parquet(plain.out / "findings.parquet")["finding_id"]) != set()


def test_refunds_and_duplicates_of_codes_on_trial_leave_all_others_alone(tmp_path: Path) -> None:
    """A refund may name a line of another code as its original: here one of a code that only a point on trial names."""
    other = "XA02BCA111A001010100001"
    header = (
        "line_id,original_line_id,visit_id,patient_id,institution_id,service_time,item_code,patient_sex,quantity,amount"
    )
    lines = (
        f"1,,V1,P1,H1,2026-03-01,{CODE},女,1,10.00",
        f"1r,1,V1,P1,H1,2026-03-02,{other},女,-1,-10.00",
        f"2,,V2,P2,H1,2026-03-01,{CODE},女,1,20.00",
        f"3,,V2,P2,H1,2026-03-01,{other},男,1,20.00",
        f"2r,3,V2,P2,H1,2026-03-02,{CODE},女,-1,-20.00",
        f"4,,V3,P3,H1,2026-03-01,{other},女,1,30.00",
        f"4,,V3,P3,H1,2026-03-01,{other},女,1,30.00",
        f"5,,V4,P4,H1,2026-03-01,{other},男,1,40.00",
        f"5r,5,V4,P4,H1,2026-03-02,{other},男,-1,-40.00",
        f"6r,,V5,P4,H1,2026-03-02,{other},男,-1,-40.00",
        f"7,,V6,P5,H1,2026-03-01,{CODE},女,7,70.00",
        f"7,,V6,P5,H1,2026-03-01,{other},男,7,70.00",
        f"7r,7,V6,P5,H1,2026-03-02,{CODE},女,-1,-10.00",
        f"7s,7,V6,P5,H1,2026-03-02,{other},男,-2,-20.00",
    )
    claims = tmp_path / "claims.csv"
    claims.write_text("\n".join((header, *lines, "")), encoding="utf-8")

    def change(rows: list[Row]) -> Iterable[Row]:
        own = next(row for row in rows if row["point_id"] == POINT)
        return [*rows, own | {"point_id": "drug-sex-zz-0001", "status": "shadow"}]

    text = edition(tmp_path / "text", change, f"drug-sex-zz-0001,item,code,{other},1\n")
    tried = scan(ScanRequest([claims], tmp_path / "tried", kb=[built(text, tmp_path / "kb")]))
    plain = scan(ScanRequest([claims], tmp_path / "plain"))
    assert rows_of(tried.out / "findings.parquet") == rows_of(plain.out / "findings.parquet")
    assert pl.read_parquet(plain.out / "findings.parquet").select("line_id", "amount").rows() == [("1", 10), ("7", 60)]
    assert tried.netted == plain.netted
    # Line 5 is refunded by a line of its own code.
    assert pl.read_parquet(tried.out / "shadow.parquet").select("line_id", "amount").rows() == [("3", 20), ("7", 50)]


def test_each_point_on_trial_is_counted_as_by_hand(claims: Path, trial: Path, tmp_path: Path) -> None:
    result = scan(ScanRequest([claims], tmp_path / "out", kb=[trial]))
    assert result.summary.findings == 0
    assert result.not_in_force == {}
    assert result.netted.fully_refunded == 0
    shadow = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["shadow"]
    counts = {
        "judged": 5, "hits": 3, "violations": 2, "undetermined": 1, "patients": 2, "institutions": 2, "charged": 3, "amount": 60.0,
    }  # fmt: skip
    assert shadow == {
        "on_trial": 1, "findings": 3, "lines": 3, "not_in_force": 1,
        "rules": [{"rule_id": "drug-sex", "point_id": None, "item_name": None, **counts}],
        "points": [{"rule_id": "drug-sex", "point_id": POINT, "item_name": "爱普列特片", **counts}],
    }  # fmt: skip


def test_a_regional_point_on_trial_counts_the_lines_of_its_region(tmp_path: Path, claims: Path) -> None:
    place = {"region": "37", "region_of": "insured"}
    text = edition(
        tmp_path / "text",
        lambda rows: (row | place if row["point_id"] == POINT else row for row in on_trial([POINT])(rows)),
    )
    result = scan(ScanRequest([claims], tmp_path / "out", kb=[built(text, tmp_path / "kb")]))
    (point,) = result.shadow.points
    assert (point.judged, point.charged, point.hits) == (4, 2, 3)
    assert result.shadow.not_in_force == 2


def test_nothing_on_trial_leaves_no_trace(tmp_path: Path, claims: Path, active: Path) -> None:
    result = scan(ScanRequest([claims], tmp_path / "out", kb=[active]))
    assert result.run["shadow"] == {
        "on_trial": 0,
        "findings": 0,
        "lines": 0,
        "not_in_force": 0,
        "rules": (),
        "points": (),
    }
    assert sorted(path.name for path in result.out.iterdir()) == ["findings.parquet", "rejects.parquet", "run.json"]


def test_the_command_tells_of_it_in_one_line_and_ends_as_without(
    tmp_path: Path, claims: Path, trial: Path, capsys
) -> None:
    code = run(["scan", str(claims), "--kb", str(trial), "--out", str(tmp_path / "out"), "--csv", "--lang", "zh"])
    out = capsys.readouterr().out
    assert code == 0
    assert "没有发现疑点" in out
    assert [line for line in out.splitlines() if "影子知识点" in line] == [
        "影子知识点：试行中的 1 个知识点命中 3 行，不计入以上结果，见 shadow.parquet（用 liangku kb promote 查看依据）"
    ]
    assert len((tmp_path / "out" / "findings.csv").read_text(encoding="utf-8-sig").splitlines()) == 1


@pytest.mark.usefixtures("kept_scans")
def test_impact_compares_without_it_and_says_so(tmp_path: Path, claims: Path, trial: Path, capsys) -> None:
    result = impact(ImpactRequest("embedded", [claims], after=str(trial)))
    assert (result.before.shadow_lines, result.after.shadow_lines) == (0, 3)
    assert (result.new.extent.lines, result.gone.extent.lines) == (0, 3)
    run(["kb", "impact", "embedded", str(trial), "--claims", str(claims), "--lang", "zh"])
    assert "影子知识点命中 3 行" in capsys.readouterr().out


# ---- the counter ----

SALE = {
    "stage": "dispense",
    "service_time": "2026-04-01T10:00:00",
    "patient": {"sex": "female", "birth_date": "1990-05-01"},
    "lines": [{"line_id": "1", "item_code": CODE, "item_name": "爱普列特片", "quantity": 1, "amount": 35.5}],
}


def test_the_counter_knows_nothing_of_a_point_on_trial(trial: Path) -> None:
    assert Precheck.open().check(SALE)["verdict"] == "violation"
    counter = Precheck.open(kb=[trial])
    answer = counter.check(SALE)
    assert (answer["verdict"], answer["findings"], answer["not_in_force"]) == ("clear", [], [])
    with pytest.raises(InputError, match="没有“爱普列特片”"):
        counter.find_item("爱普列特片")


def test_the_counter_knows_nothing_of_a_rule_on_trial(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(RULES, rules)
    path = rules / "drug-sex.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('status = "stable"', 'status = "shadow"'), encoding="utf-8"
    )
    counter = Precheck.open(rules=[rules])
    answer = counter.check(SALE)
    assert (answer["verdict"], answer["findings"], answer["not_in_force"]) == ("clear", [], [])
    with pytest.raises(InputError):
        counter.find_item("爱普列特片")
    other = SALE | {
        "lines": [{"line_id": "1", "item_code": "XN05CDM084X001010102000", "item_name": "咪达唑仑口服溶液"}]
    }
    assert counter.check(other)["verdict"] == "violation"


# ---- promotion ----


@pytest.fixture(scope="module")
def tried_once(tmp_path_factory: pytest.TempPathFactory, trial: Path) -> Path:
    folder = tmp_path_factory.mktemp("tried")
    (folder / "claims.csv").write_text(CLAIMS, encoding="utf-8")
    return scan(ScanRequest([folder / "claims.csv"], folder / "out", kb=[trial])).out


@pytest.fixture
def tried(tmp_path: Path, tried_once: Path) -> Path:
    """The results of a scan with the point on trial."""
    return shutil.copytree(tried_once, tmp_path / "tried")


@pytest.fixture
def promote(capsys):
    """Run the command; return its exit code, stdout and stderr."""

    def asked(*arguments: str | Path, lang: str = "zh") -> tuple[int, str, str]:
        code = run(["kb", "promote", *map(str, arguments), "--lang", lang])
        told = capsys.readouterr()
        return code, str(told.out), str(told.err)

    return asked


def test_promotion_tells_the_evidence(promote, tried: Path) -> None:
    code, out, err = promote(POINT, "--run", tried)
    assert (code, err) == (0, "")
    for told in (
        f"{POINT}  爱普列特片  drug-sex",
        "命中 3 行，占判断的 5 行的 60.00%：违规疑点 2，无法判断 1；2 人，¥60.00",
        "2 家机构有命中，占收取过的 3 家的 66.67%",
        "命中最多的机构：H1 2 (66.7%)、H2 1 (33.3%)",
        "命中最多的月份：2026-04 2 (66.7%)、2026-03 1 (33.3%)",
    ):
        assert told in out
    document = json.loads(promote(POINT, "drug-sex", "none-such", "--run", tried, "--json")[1])
    kinds = [trial["evidence"] and trial["evidence"]["kind"] for trial in document["trials"]]
    assert kinds == ["point", "rule", None]
    assert document["written"] == []


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_promotion_changes_one_cell_and_no_other_byte(promote, text: Path, tried: Path, ends: str, mark: str) -> None:
    before = (text / "point.csv").read_text(encoding="utf-8").replace(f"{POINT},", f'"{POINT}",').replace("\n", ends)
    before = mark + before.replace("爱普列特片", f'"爱普{ends}列特""片"')
    (text / "point.csv").write_text(before, encoding="utf-8", newline="")
    assert before.count("shadow") == 1
    code, out, err = promote(POINT, "--run", tried, "--sources", text, "--write")
    assert (code, err) == (0, "")
    assert str(text / "point.csv") in out
    assert (text / "point.csv").read_bytes().decode("utf-8") == before.replace("shadow", "active")


def test_a_promoted_point_flags(promote, tmp_path: Path, tried: Path, tried_once: Path, text: Path) -> None:
    assert promote(POINT, "--run", tried, "--sources", text, "--write")[0] == 0
    kb = built(text, tmp_path / "kb")
    result = scan(ScanRequest([tried_once.parent / "claims.csv"], tmp_path / "after", kb=[kb]))
    assert (result.summary.findings, result.shadow.on_trial) == (3, 0)
    assert rows_of(result.out / "findings.parquet") == rows_of(tried / "shadow.parquet")


def test_a_rule_is_promoted_in_its_file(promote, tmp_path: Path, claims: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(RULES, rules)
    path = rules / "drug-sex.toml"
    stable = path.read_bytes()
    path.write_bytes(stable.replace(b'status = "stable"', b"status = 'shadow' # since May"))
    scan(ScanRequest([claims], tmp_path / "tried", rules=[rules]))
    code, out, err = promote("drug-sex", "--run", tmp_path / "tried", "--rules", rules, "--write")
    assert (code, err) == (0, "")
    assert str(path) in out
    assert path.read_bytes() == stable.replace(b'status = "stable"', b"status = 'stable' # since May")


def test_nothing_is_promoted_without_evidence_unless_forced(promote, tmp_path: Path, claims: Path) -> None:
    other = "drug-sex-01-0001"
    text = edition(tmp_path / "two", on_trial([POINT, other]))
    scan(ScanRequest([claims], tmp_path / "tried", kb=[built(text, tmp_path / "kb")]))
    before = (text / "point.csv").read_bytes()
    asked = (POINT, other, "--run", tmp_path / "tried", "--sources", text, "--write")
    code, out, err = promote(*asked)
    assert (code, out) == (2, "")
    assert other in err
    assert POINT not in err
    assert (text / "point.csv").read_bytes() == before
    assert f"{other}：没有依据" in promote(other, "--run", tmp_path / "tried")[1]
    assert promote(*asked, "--force")[0] == 0
    assert (text / "point.csv").read_bytes() == before.replace(b"shadow", b"active")


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        ([POINT, "drug-sex-01-0001"], "不是 shadow"),
        ([POINT, "drug-sex-01-9999"], "没有知识点 drug-sex-01-9999"),
        ([POINT, "drug-sex"], "不是 shadow"),
    ],
)
def test_what_is_not_on_trial_is_refused_and_nothing_written(promote, text: Path, tried: Path, ids, told) -> None:
    before = (text / "point.csv").read_bytes()
    code, out, err = promote(*ids, "--run", tried, "--sources", text, "--rules", RULES, "--write", "--force")
    assert (code, out) == (2, "")
    assert told in err
    assert (text / "point.csv").read_bytes() == before


def test_no_file_outside_the_rules_is_promoted(promote, tmp_path: Path, tried: Path, text: Path) -> None:
    (tmp_path / "rules").mkdir()
    outside = tmp_path / "other.toml"
    outside.write_text('status = "shadow"\n', encoding="utf-8")
    for ident in ("../other", str(tmp_path / "other"), "x" * 300):
        code, out, err = promote(
            ident, "--run", tried, "--rules", tmp_path / "rules", "--sources", text, "--write", "--force"
        )
        assert (code, out) == (2, "")
        assert f"没有知识点 {ident}" in err
    assert outside.read_text(encoding="utf-8") == 'status = "shadow"\n'


@pytest.mark.parametrize("key", ["judged", "hits", "amount"])
@pytest.mark.parametrize("value", [None, "many"])
def test_a_run_that_was_altered_is_refused(promote, tried: Path, key: str, value: object) -> None:
    path = tried / "run.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["shadow"]["points"][0][key] = value
    path.write_text(json.dumps(document), encoding="utf-8")
    code, out, err = promote(POINT, "--run", tried)
    assert (code, out) == (2, "")
    assert "没有可用的 run.json" in err


@pytest.mark.parametrize("content", [b"", b"x" * 100, ROOT / "data/samples/national/fee_list_d.parquet"])
def test_findings_on_trial_that_were_altered_are_refused(promote, tried: Path, content: bytes | Path) -> None:
    (tried / "shadow.parquet").write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    code, out, err = promote(POINT, "--run", tried)
    assert (code, out) == (2, "")
    assert "shadow.parquet：已损坏或不是扫描写出的文件" in err


def test_a_folder_that_is_no_run_is_named(promote, tmp_path: Path) -> None:
    code, out, err = promote(POINT, "--run", tmp_path)
    assert (code, out) == (2, "")
    assert f"--run {tmp_path}" in err


def test_records_that_span_lines_stay_as_they_are(tmp_path: Path) -> None:
    from checker.change.promote_in_text import activated_points

    text = 'status,point_id,note\n"shadow",A,"shadow, ""of\n shadow"\n\nshadow,B,shadow\n'
    (tmp_path / "point.csv").write_text(text, encoding="utf-8")
    changed = activated_points(tmp_path, ["A"])
    assert changed == text.replace('"shadow",A', '"active",A')
    assert [row[0] for row in csv.reader(io.StringIO(changed, newline="")) if row] == ["status", "active", "shadow"]


def test_the_cases_of_a_rule_on_trial_are_proven_like_all_others(tmp_path: Path) -> None:
    from checker.proof.cases import run_cases
    from checker.rulebook.load import load_rules

    text = (RULES / "drug-sex.toml").read_text(encoding="utf-8")
    (tmp_path / "drug-sex.toml").write_text(text.replace('status = "stable"', 'status = "shadow"'), encoding="utf-8")
    results = run_cases(load_rules(tmp_path))
    assert len(results) > 20
    assert [str(result) for result in results if not result.passed] == []
