"""`liangku kb impact`: what other knowledge, rules or parameters would change in given data."""

from __future__ import annotations

import csv
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import checker
from checker.change.impact import Impact, ImpactRequest, impact
from checker.change.impact_findings import State
from checker.cli.main import run
from checker.knowledge.build import build
from checker.model.errors import InputError
from checker.rulebook.params import parse_params
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.few_lines import SAMPLES, few_headers, few_lines
from tests.one_rule import one_rule_text

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "knowledge_base" / "sources"
RULES = ROOT / "rules"
PARAMS = parse_params(["child_age=12", "child_age_lenient=15"])
NAME, NUMBER = "张三丰", "11010119900307421X"

CLAIMS = f"""\
line_id,original_line_id,settlement_id,visit_id,patient_id,institution_id,service_time,item_code,item_name,gend,cnt,amount,姓名,身份证号
1,,S1,V1,P1,H1,2026-03-01,XG04CBA088A001010101467,爱普列特片,女,1,10.00,{NAME},
2,,S2,V2,P1,H1,2026-01-15,XG04CBA088A001010101467,爱普列特片,女,1,20.00,{NAME},
3,,S3,V3,P2,H2,2026-03-01,XG04CBA088A001010101467,爱普列特片,,1,30.00,{NAME},
4,,S4,V4,P3,H1,2026-03-01,XJ02ACA397E001010101467,奥特康唑胶囊,男,1,40.00,{NAME},{NUMBER}
5,,S5,V5,P4,H1,2026-03-01,XJ02ACA397E001010101467,奥特康唑胶囊,,1,50.00,{NAME},
6,,S6,V6,P5,H1,2026-03-01,XZ99ZZZ001A001010101467,甲片,女,1,60.00,{NAME},
6,,S6,V6,P5,H1,2026-03-01,XZ99ZZZ001A001010101467,甲片,女,1,60.00,{NAME},
7,,S7,V7,P5,H2,2026-03-01,XZ99ZZZ001A001010101467,甲片,女,2,140.00,{NAME},
7r,7,S7,V7,P5,H2,2026-03-02,XZ99ZZZ001A001010101467,甲片,女,-1,-70.00,{NAME},
8,,S8,V8,P6,H2,2026-03-01,XZ99ZZZ001A001010101467,甲|片,,1,80.00,{NAME},
9,,S9,V9,P7,H2,2026-03-01,XZ99ZZZ001A001010101467,甲片,男,1,90.00,{NAME},
"""


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The text of another edition: one point ends, one is capped at notice, one is new."""
    folder = one_rule_text(tmp_path_factory.mktemp("edited") / "text")
    with (folder / "point.csv").open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        columns, rows = list(reader.fieldnames or ()), list(reader)
    by_id = {row["point_id"]: row for row in rows}
    by_id["drug-sex-01-0003"]["valid_to"] = "2026-02-01"
    by_id["drug-sex-01-0005"]["level_cap"] = "notice"
    rows.append(
        by_id["drug-sex-01-0001"] | {"point_id": "drug-sex-zz-0001", "item_name": "甲片", "published_codes": "1"}
    )
    with (folder / "point.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with (folder / "item.csv").open("a", encoding="utf-8") as stream:
        stream.write("drug-sex-zz-0001,male,,,,,,\n")
    with (folder / "pattern.csv").open("a", encoding="utf-8") as stream:
        stream.write("drug-sex-zz-0001,item,family,XZ99ZZZ001A001,1\n")
    return folder


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The edition as it was, built: what the embedded one says of the claims, read sooner."""
    folder = tmp_path_factory.mktemp("before")
    build(one_rule_text(folder / "text"), folder / "kb")
    return folder / "kb"


def edited_rules(folder: Path) -> Path:
    """The embedded rules, the ages of children edited by hand."""
    shutil.copytree(RULES, folder)
    changed = 0
    for path in folder.glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        for old, new in (
            ("[params.child_age]\nvalue = 14", "[params.child_age]\nvalue = 12"),
            ("[params.child_age_lenient]\nvalue = 18", "[params.child_age_lenient]\nvalue = 15"),
        ):
            changed += text.count(old)
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    assert changed == 6
    return folder


@pytest.fixture(scope="module")
def all_claims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("claims") / "claims.csv"
    path.write_text(CLAIMS, encoding="utf-8")
    return path


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    """The claims for those who change them or look at what stands beside them."""
    path = tmp_path / "claims.csv"
    path.write_text(CLAIMS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def of_children(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The sample lines of those for whom an age of children matters: of all whose items are children's, and of the young."""
    folder, (headers,) = tmp_path_factory.mktemp("children"), few_headers()["settlements"]
    told = pl.read_csv(SAMPLES / "expected" / "findings_national.csv", infer_schema=False)
    planned = told.filter(pl.col("rule_id").str.contains("child"))["line_id"].drop_nulls()
    limited = pl.read_parquet(few_lines()).filter(pl.col("bkkp_sn").is_in(planned.implode()))
    young = pl.read_parquet(headers).filter(pl.col("age").cast(pl.Int32, strict=False).is_between(10, 17))
    persons = pl.concat((limited["psn_no"], young["psn_no"])).drop_nulls().unique()

    def of_persons(path: Path) -> list[Path]:
        pl.read_parquet(path).filter(pl.col("psn_no").is_in(persons.implode())).write_parquet(folder / path.name)
        return [folder / path.name]

    return {"claims": of_persons(few_lines())} | {role: of_persons(path) for role, (path,) in few_headers().items()}


# ---- what is counted ----


@pytest.fixture(scope="module")
def result(all_claims: Path, text: Path) -> Impact:
    """What the other edition changes in the claims."""
    return impact(ImpactRequest("embedded", [all_claims], after=str(text)))


def test_new_gone_and_changed_lines_are_counted_as_by_hand(result: Impact) -> None:
    assert (result.read, result.judged, result.skipped, result.rejected) == (11, 10, 1, 0)

    def told(extent):
        return extent.lines, extent.patients, extent.institutions, str(extent.amount)

    assert told(result.before.flagged) == (5, 4, 2, "150.00")
    assert told(result.after.flagged) == (6, 5, 2, "320.00")
    # Line 7 gave half of its 140 yuan back; line 6 came twice.
    assert told(result.new.extent) == (3, 2, 2, "210.00")
    assert told(result.new.violations) == (2, 1, 2, "130.00")
    assert told(result.new.undetermined) == (1, 1, 1, "80.00")
    assert told(result.gone.extent) == (2, 2, 2, "40.00")
    assert told(result.gone.undetermined) == (1, 1, 1, "30.00")
    assert told(result.changed.extent) == (1, 1, 1, "40.00")
    (move,) = result.changed.moves
    assert (move.before, move.after) == (State("violation", "suspect"), State("violation", "notice"))
    assert [(share.key, share.extent.lines) for share in result.new.by_rule] == [("drug-sex", 3)]
    assert [(share.name, share.extent.lines) for share in result.new.by_item] == [("甲片", 2), ("甲|片", 1)]
    assert result.new_share == Decimal("0.3")


def test_the_sample_names_lines_points_and_levels_of_both_sides(result: Impact) -> None:
    (changed,) = result.changed.sample
    assert (changed.line_id, changed.settlement_id, changed.point_before, changed.point_after) == (
        "4",
        "S4",
        "drug-sex-01-0005",
        "drug-sex-01-0005",
    )
    assert {line.line_id: (line.point_before, line.point_after) for line in result.new.sample} == dict.fromkeys(
        ("6", "7", "8"), (None, "drug-sex-zz-0001")
    )
    gone = {line.line_id: (line.point_before, line.point_after) for line in result.gone.sample}
    assert gone == dict.fromkeys(("1", "3"), ("drug-sex-01-0003", None))
    assert all("爱普列特片" in line.message for line in result.gone.sample)


@pytest.fixture(scope="module")
def set_otherwise(of_children: dict[str, Any]) -> Impact:
    """What other ages of children change in the samples."""
    return impact(ImpactRequest("embedded", params=PARAMS, **of_children))


def test_a_parameter_gives_what_rules_edited_by_hand_give(
    tmp_path: Path, of_children: dict[str, Any], set_otherwise: Impact
) -> None:
    edited_so = impact(ImpactRequest(str(RULES), after=str(edited_rules(tmp_path / "rules")), **of_children))
    assert set_otherwise.new.extent.lines > 0
    assert set_otherwise.changed.extent.lines > 0
    for kind in ("new", "gone", "changed"):
        assert getattr(set_otherwise, kind) == getattr(edited_so, kind)
    assert len({set_otherwise.before.rules_hash, set_otherwise.after.rules_hash, edited_so.after.rules_hash}) == 3


def test_the_changes_are_the_differences_of_two_scans(
    tmp_path: Path, of_children: dict[str, Any], set_otherwise: Impact
) -> None:
    result = set_otherwise
    lines, headers = of_children["claims"], {role: of_children[role] for role in few_headers()}
    flagged = []
    for name, settings in (("a", ()), ("b", PARAMS)):
        scan(ScanRequest(lines, tmp_path / name, params=settings, **headers))
        rows = checker.read_findings(tmp_path / name).collect().iter_rows(named=True)
        flagged.append(
            {
                (row["source_record"], row["rule_id"]): row
                for row in rows
                if row["verdict"] in ("violation", "undetermined")
            }
        )
    before, after = flagged
    new, gone = after.keys() - before.keys(), before.keys() - after.keys()
    changed = {
        key
        for key in before.keys() & after.keys()
        if [before[key][name] for name in ("verdict", "level")] != [after[key][name] for name in ("verdict", "level")]
    }
    for keys, rows, change in ((new, after, result.new), (gone, before, result.gone), (changed, after, result.changed)):
        money = {record: rows[record, rule]["amount"] or 0 for record, rule in keys}
        assert change.extent.lines == len(money)
        assert change.extent.amount == sum(money.values())
    written = json.loads((tmp_path / "b" / "run.json").read_text(encoding="utf-8"))
    assert written["options"]["params"] == ["child_age=12", "child_age_lenient=15"]


def test_the_same_knowledge_as_text_changes_nothing() -> None:
    result = impact(ImpactRequest("embedded", [few_lines()], after=str(SOURCES), **few_headers()))
    assert result.before.findings == result.after.findings > 100
    assert not result.any_change


def test_embedded_stands_for_the_rules_beside_rules(claims: Path) -> None:
    result = impact(ImpactRequest("embedded", [claims], after=str(RULES)))
    assert (result.kind, result.any_change) == ("rules", False)
    assert result.before.rules_hash == result.after.rules_hash


# ---- the command ----


@pytest.fixture
def ask(capsys, monkeypatch):
    """Run the command; return its exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "120")

    def asked(*arguments: str | Path, lang: str = "zh") -> tuple[int, str, str]:
        code = run(["kb", "impact", *map(str, arguments), "--lang", lang])
        told = capsys.readouterr()
        return code, str(told.out), str(told.err)

    return asked


@pytest.mark.parametrize(
    ("limit", "value", "code"),
    [
        ("--max-new-share", "30%", 0),
        ("--max-new-share", "29.9%", 1),
        ("--max-new-share", "0.25", 1),
        ("--max-new-lines", "3", 0),
        ("--max-new-lines", "2", 1),
    ],
)
@pytest.mark.usefixtures("kept_scans")
def test_a_threshold_fails_the_run_and_says_by_how_much(ask, before, text, all_claims, limit, value, code) -> None:
    ended, out, err = ask(before, text, "--claims", all_claims, limit, value)
    assert (ended, err) == (code, "")
    told = [line for line in out.splitlines() if limit in line]
    assert len(told) == 1
    assert told[0].startswith("超出限度" if code else "在限度以内")
    assert "30%" in told[0] or "：3，" in told[0]


@pytest.mark.usefixtures("kept_scans")
def test_no_output_names_a_person(ask, before, text, all_claims) -> None:
    for form in ("terminal", "markdown", "json"):
        code, out, err = ask(before, text, "--claims", all_claims, "--format", form)
        assert (code, err) == (0, "")
        assert "甲片" in out
        assert NAME not in out
        assert NUMBER not in out
        assert "P5" not in out


def test_the_document_is_the_same_each_time(ask, before, text, claims) -> None:
    code, first, _ = ask(before, text, "--claims", claims, "--json")
    assert code == 0
    assert ask(before, text, "--claims", claims, "--format", "json") == (0, first, "")
    document = json.loads(first)
    assert document["new"]["extent"]["amount"] == 210.0
    assert document["new_share"] == 0.3
    assert document["after"]["given"] == str(text)


def test_markdown_holds_a_table_in_which_no_cell_breaks(ask, before, text, claims) -> None:
    _, out, _ = ask(before, text, "--claims", claims, "--format", "markdown", lang="en")
    assert out.startswith("## Impact of knowledge\n")
    assert "| Newly flagged | 3 | 2 | 2 | 210.00 |" in out
    assert "甲\\|片" in out
    tables = [block.splitlines() for block in out.split("\n\n") if block.startswith("|")]
    assert len(tables) > 5
    for table in tables:
        assert len({line.replace("\\|", "").count("|") for line in table}) == 1


def test_several_claims_after_one_option(ask, tmp_path, before, text, claims) -> None:
    lines = claims.read_text(encoding="utf-8").splitlines(keepends=True)
    parts = [tmp_path / "one.csv", tmp_path / "two.csv"]
    parts[0].write_text("".join(lines[:6]), encoding="utf-8")
    parts[1].write_text("".join([lines[0], *lines[6:]]), encoding="utf-8")
    code, out, err = ask(before, text, "--claims", *parts, "--sample", "1", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert (document["read"], document["new"]["extent"]["lines"], len(document["new"]["sample"])) == (11, 3, 1)


def test_claims_that_were_not_read_are_told(ask, tmp_path, claims) -> None:
    folder = tmp_path / "claims"
    folder.mkdir()
    claims.rename(folder / "claims.csv")
    (folder / "more.dat").write_bytes(b"x")
    _, out, _ = ask("embedded", "--param", "child_age=16", "--claims", folder)
    assert "数据不完整" in out
    assert "more.dat" in out


def test_scratch_files_go_where_they_are_asked_to_and_leave_again(ask, tmp_path, claims) -> None:
    work = tmp_path / "work"
    work.mkdir()
    assert ask("embedded", "--param", "child_age=16", "--claims", claims, "--work", work)[0] == 0
    assert list(work.iterdir()) == []
    code, _, err = ask("embedded", "--param", "child_age=16", "--claims", claims, "--work", tmp_path / "none")
    assert code == 2
    assert "--work" in err


# ---- what is refused ----


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["embedded"], "--param"),
        ([str(SOURCES), str(RULES)], "同是知识库或同是规则文件夹"),
        (["embedded", "nowhere"], "没有这个文件夹"),
        (["embedded", str(ROOT / "docs")], "既没有知识库"),
        (["embedded", str(SOURCES), "--kb", str(SOURCES)], "--kb"),
        (["embedded", str(RULES), "--rules", str(RULES)], "--rules"),
        (
            ["embedded", "--param", "child_agee=16"],
            "child_age（drug-child-limited、drug-child-only、service-child-only）",
        ),
        (["embedded", "--param", "drug-sex.child_age=16"], "没有规则声明"),
        (["embedded", "--param", "child_age=19"], "只允许 12 到 18"),
        (["embedded", "--param", "child_age=old"], "参数=整数"),
        (["embedded", "--param", "child_age=16", "--param", "child_age=15"], "两次"),
        (["embedded", "--param", "child_age=16", "--max-new-share", "1"], "1%"),
        (["embedded", "--param", "child_age=16", "--json", "--format", "markdown"], "--json"),
    ],
)
def test_what_cannot_be_compared_is_refused(ask, claims, arguments, told) -> None:
    code, out, err = ask(*arguments, "--claims", claims)
    assert code == 2
    assert told in err
    assert out == "" or told in json.loads(out)["error"]["message"]


def test_every_wrong_parameter_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        scan(ScanRequest([few_lines()], Path("unused"), params=parse_params(["child_age=19", "nothing=1"])))
    assert "drug-child-only 的 child_age" in str(caught.value)
    assert "nothing=1" in str(caught.value)


def test_a_parameter_of_one_rule_counts_before_one_for_all(claims, tmp_path) -> None:
    result = scan(
        ScanRequest([claims], tmp_path / "out", params=parse_params(["child_age=16", "drug-child-only.child_age=15"]))
    )
    assert result.run["options"]["params"] == ["child_age=16", "drug-child-only.child_age=15"]
    from checker.rulebook.load import load_rules

    rules = load_rules(RULES, params=parse_params(["drug-child-only.child_age=15", "child_age=16"])).rules
    values = {rule.id: param.value for rule in rules for param in rule.params if param.name == "child_age"}
    assert values == {"drug-child-limited": 16, "drug-child-only": 15, "service-child-only": 16}
