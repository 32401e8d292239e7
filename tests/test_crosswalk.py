"""Lines judged by the national codes that a crosswalk has for their local ones: by hand, column by column."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from checker.change.gaps import GapsRequest, find_gaps
from checker.change.impact import ImpactRequest, impact
from checker.cli.main import run
from checker.knowledge.build import build
from checker.knowledge.resolve import read_crosswalks
from checker.model.errors import InputError, KnowledgeError
from checker.precheck.counter import Precheck
from checker.scan.inspection import inspect
from checker.scan.request import ScanRequest, ScanResult
from checker.scan.scan import scan
from checker.service.library import Library
from checker.service.settings import Settings, read_settings
from tests.knowledge.small_kb import SERVICE, code, more, point

DRUG, SEMEN, OTHER = "XG04CBA088A001010101467", "002501040040000", "002599999999999"
CROSSWALK = f"""地方编码,国家编码,开始日期,结束日期,依据
L1,{DRUG},,,省文
L1,{SEMEN},,,省文
L2,{SEMEN},2026-01-01,2026-03-01,省文
331100000000001,{DRUG},,,省文
L3,{OTHER},,,省文
"""
HEADER = "line_id,patient_sex,patient_birth_date,service_time,item_code,local_item_code,local_item_name,quantity,amount,visit_id"
LINES = f"""{HEADER}
1,女,1990-05-01,2026-02-01,l1,H1,甲,1,10,V1
2,女,1990-05-01,2026-02-28,L2,,,1,10,V1
3,女,1990-05-01,2026-03-01,L2,,,1,10,V1
4,女,1990-05-01,2026-02-01,,L2,丁,1,10,V1
5,女,1990-05-01,2026-02-01,331100000000001,H5,,1,10,V1
6,女,1990-05-01,2026-02-01,{DRUG},L2,己,1,10,V1
7,女,1990-05-01,2026-02-01,,{DRUG},庚,1,10,V1
8,女,1990-05-01,2026-02-01,L3,,,1,10,V1
9,女,1990-05-01,2026-02-01,L9,L2,,1,10,V1
10,女,1990-05-01,2026-02-01,L2,H10,,2,20,V2
11,女,1990-05-01,2026-02-01,L2,H10,,-2,-20,V2
"""


@pytest.fixture
def crosswalk(tmp_path: Path) -> Path:
    path = tmp_path / "对照.csv"
    path.write_text(CROSSWALK, encoding="utf-8")
    return path


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "明细.csv"
    path.write_text(LINES, encoding="utf-8")
    return path


def scanned(out: Path, lines: Path, **options: Any) -> tuple[ScanResult, list[dict[str, Any]]]:
    """A scan and its findings in the order of the lines."""
    result = scan(ScanRequest([lines], out, **options))
    return result, pl.read_parquet(out / "findings.parquet").sort("source_record", "rule_id").to_dicts()


def test_a_line_is_judged_by_the_national_codes_of_its_local_one(lines: Path, crosswalk: Path, tmp_path: Path) -> None:
    result, rows = scanned(tmp_path / "out", lines, crosswalk=[crosswalk])
    told = [
        (row["line_id"], row["rule_id"], row["item_code"], row["local_item_code"], row["local_item_name"], row["matched_by"])
        for row in rows
    ]  # fmt: skip
    assert told == [
        ("1", "drug-sex", DRUG, "L1", "甲", "crosswalk"),
        ("1", "service-sex", SEMEN, "L1", "甲", "crosswalk"),
        ("2", "service-sex", SEMEN, "L2", None, "crosswalk"),
        ("4", "service-sex", SEMEN, "L2", "丁", "crosswalk"),
        ("5", "drug-sex", DRUG, "331100000000001", None, "crosswalk"),
        ("6", "drug-sex", DRUG, "L2", "己", "family"),
    ]
    assert result.not_in_force == {"service-sex": 1}
    codes = {kind: count for kind, count in result.census.codes.items() if count}
    assert codes == {"national": 1, "crosswalk": 8, "no_national_shape": 1, "no_code": 1}
    assert result.netted.fully_refunded == 1
    told_of = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert told_of["crosswalk"]["files"] == [
        {"path": str(crosswalk), "sha256": read_crosswalks([crosswalk]).files[0].sha256, "rows": 5}  # type: ignore[union-attr]
    ]
    assert (told_of["crosswalk"]["local_codes"], told_of["crosswalk"]["without_points_named"]) == (4, [OTHER])
    assert (
        told_of["knowledge"]["version"].partition("+crosswalk-")[2][:12]
        in told_of["knowledge"]["hash"].partition("+")[2]
    )


def test_of_several_points_of_a_rule_code_goes_before_crosswalk_before_family(tmp_path: Path) -> None:
    """For women: a service and a drug for men that a crosswalk calls ones for women."""
    woman = "002501040050000"
    more_points = more([point("p6", "service-sex", "阴道检查", sex="female")], [code("p6", woman)])
    rows = f"{SERVICE},,{woman},,,依据\n{DRUG},,ZD03AAF0161010100011,2026-01-01,2026-03-01,依据"
    build(replace(more_points, crosswalk=rows).write(tmp_path / "text"), tmp_path / "kb")
    path = tmp_path / "明细.csv"
    days = (("1", SERVICE, "2026-02-01"), ("2", DRUG, "2026-02-01"), ("3", DRUG, "2026-03-01"))
    lines = [f"{line},女,1990-05-01,{day},{item},,,1,10,V{line}" for line, item, day in days]
    path.write_text("\n".join((HEADER, *lines)), encoding="utf-8")
    _, rows_found = scanned(tmp_path / "out", path, kb=[tmp_path / "kb"])
    told = [(row["line_id"], row["point_id"], row["matched_by"], row["item_code"]) for row in rows_found]
    assert told == [("1", "p5", "code", SERVICE), ("3", "p1", "family", DRUG)]


@pytest.mark.parametrize("sexes", [("男", "女"), ("女", "男")])
def test_both_national_codes_judge_where_one_rule_limits_both(sexes: tuple[str, str], tmp_path: Path) -> None:
    """One finding, be the code that is broken the first or the second in the order of precedence."""
    women = next(
        row[0]
        for row in Precheck.open()
        .connection.execute(
            """SELECT t.code FROM pattern t JOIN point p USING (point_no) WHERE p.rule_id = 'service-sex' AND p.point_sex = 'female' ORDER BY ALL"""
        )
        .fetchall()
    )
    path = tmp_path / "对照.csv"
    path.write_text(f"地方编码,国家编码\nL1,{SEMEN}\nL1,{women}\n", encoding="utf-8")
    lines = tmp_path / "明细.csv"
    rows = "".join(f"{n},{sex},1990-05-01,2026-02-01,L1,,,1,10,V{n}\n" for n, sex in enumerate(sexes))
    lines.write_text(f"{HEADER}\n{rows}", encoding="utf-8")
    _, found = scanned(tmp_path / "out", lines, crosswalk=[path])
    broken = {"女": SEMEN, "男": women}
    assert [(row["line_id"], row["item_code"], row["verdict"]) for row in found] == [
        (f"{n}", broken[sex], "violation") for n, sex in enumerate(sexes)
    ]
    counter = Precheck.open(crosswalk=read_crosswalks([path]))
    for row, sex in zip(found, sexes, strict=True):
        answer = counter.check(
            {"service_time": "2026-02-01", "patient": {"sex": sex}, "lines": [{"item_code": "L1", "quantity": 1}]}
        )
        assert [(each["item_code"], each["verdict"], each["matched_by"]) for each in answer["findings"]] == [
            (row["item_code"], "violation", "crosswalk")
        ]


def test_findings_of_lines_that_need_no_crosswalk_are_the_same_with_one(
    lines: Path, crosswalk: Path, tmp_path: Path
) -> None:
    _, (plain,) = scanned(tmp_path / "plain", lines)
    _, rows = scanned(tmp_path / "mapped", lines, crosswalk=[crosswalk])
    (same,) = (row for row in rows if row["matched_by"] != "crosswalk")
    assert {name: same[name] for name in plain if name != "kb_version"} == {
        name: plain[name] for name in plain if name != "kb_version"
    }
    assert (plain["local_item_code"], plain["local_item_name"]) == ("L2", "己")
    assert len({row["finding_id"] for row in rows}) == len(rows)


def test_a_finding_goes_by_the_code_that_the_line_bore(lines: Path, crosswalk: Path, tmp_path: Path) -> None:
    """Mapped onto another national code, the line's finding keeps its id."""
    _, before = scanned(tmp_path / "before", lines, crosswalk=[crosswalk])
    crosswalk.write_text(
        CROSSWALK.replace(f"331100000000001,{DRUG}", f"331100000000001,{DRUG[:-1]}8"), encoding="utf-8"
    )
    _, after = scanned(tmp_path / "after", lines, crosswalk=[crosswalk])
    assert [row["item_code"] for row in after if row["line_id"] == "5"] == [f"{DRUG[:-1]}8"]
    assert [row["finding_id"] for row in after] == [row["finding_id"] for row in before]


def test_files_without_any_national_code_are_judged_with_a_crosswalk_only(crosswalk: Path, tmp_path: Path) -> None:
    path = tmp_path / "院内.csv"
    path.write_text(f"{HEADER}\n1,女,1990-05-01,2026-02-01,,L1,,1,10,V1\n", encoding="utf-8")
    with pytest.raises(InputError, match="no line has a national item code"):
        scanned(tmp_path / "out", path)
    assert inspect(ScanRequest([path], Path())).refusals
    found = inspect(ScanRequest([path], Path(), crosswalk=[crosswalk]))
    assert found.refusals == ()
    assert found.counts is not None
    assert (found.counts.restricted, found.counts.census.codes["crosswalk"]) == (1, 1)
    assert len(scanned(tmp_path / "out", path, crosswalk=[crosswalk])[1]) == 2


def test_lines_of_many_files_keep_their_own_local_names(crosswalk: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        rows = [{"line_id": f"{name}{n}", "patient_sex": "2", "service_time": "2026-02-01", "item_code": "L2", "local_item_code": f"{name}{n}",
                 "local_item_name": f"名{name}{n}", "quantity": "1"} for n in range(3)]  # fmt: skip
        pl.DataFrame(rows).write_parquet(tmp_path / f"{name}.parquet")
    scan(ScanRequest([tmp_path / f"{name}.parquet" for name in "abc"], tmp_path / "out", crosswalk=[crosswalk]))
    rows = pl.read_parquet(tmp_path / "out" / "findings.parquet").to_dicts()
    assert len(rows) == 9
    assert all(row["local_item_name"] == f"名{row['line_id']}" for row in rows)


def test_the_counter_takes_local_codes_from_lines_and_options(
    crosswalk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counter = Precheck.open(crosswalk=read_crosswalks([crosswalk]))
    mine = {"line_id": "2", "local_item_code": "l2", "local_item_name": "院内"}
    lines = [{"line_id": "1", "item_code": "L2"}, mine, {"line_id": "3", "item_code": "L3"}]
    document = {"service_time": "2026-02-01", "patient": {"sex": "F"}, "lines": lines}
    answer = counter.check(document)
    told = [
        (row["line_id"], row["item_code"], row["local_item_code"], row["local_item_name"]) for row in answer["findings"]
    ]
    assert told == [("1", SEMEN, "L2", None), ("2", SEMEN, "L2", "院内")]
    # A code that leads to no point is known, and not restricted.
    assert answer["not_restricted"] == [{"line_id": "3"}]
    late = counter.check(document | {"service_time": "2026-03-01"})
    assert (late["findings"], [each["line_id"] for each in late["not_in_force"]]) == ([], ["1", "2"])
    asked = ["check", "--item", "l2", "--sex", "F", "--age", "30", "--on", "2026-02-01"]
    assert run([*asked, "--crosswalk", str(crosswalk), "--json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["item_code"], finding["local_item_code"], finding["matched_by"]) == (SEMEN, "L2", "crosswalk")
    assert run(asked) == 2


def test_the_service_opens_a_crosswalk_of_its_settings(crosswalk: Path, tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_text('crosswalk = "对照.csv"\n', encoding="utf-8")
    settings = read_settings(tmp_path / "serve.toml", {})
    assert settings.crosswalk == (crosswalk,)
    library, plain = Library.open(settings), Library.open(Settings())
    assert library.precheck.index.is_mapped("L1")
    assert library.published == plain.published
    library.close()
    plain.close()
    crosswalk.write_text("地方编码,国家编码\nL1,12\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="write a full national code"):
        Library.open(settings)


def test_impact_judges_both_sides_with_the_crosswalk(lines: Path, crosswalk: Path) -> None:
    request = ImpactRequest("embedded", [lines], params=(), after="embedded", crosswalk=[crosswalk])
    found = impact(request)
    assert (found.before.violations.lines, found.after.violations.lines) == (5, 5)
    assert "+crosswalk-" in found.after.knowledge_version


def test_gaps_proposes_rows_for_local_codes_under_the_name_of_a_service(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claims = tmp_path / "明细.csv"
    rows = (
        "1,2026-02-01,250104004,精液常规检查,,10", "2,2026-02-01,330000000000001,精液常规检查（次）,,30",
        "3,2026-02-01,,精液常规检查,H3,20", f"4,2026-02-01,{DRUG},精液常规检查,H4,10", "5,2026-02-01,L5,爱普列特片,,10",
        '6,2026-02-01,"=HYPERLINK(""x"")",精液常规检查,,10', "7,2026-02-01,250104004,精液常规检查,,5", f"8,2026-02-01,,别的,{SEMEN},10",
    )  # fmt: skip
    claims.write_text(
        "\n".join(("line_id,service_time,item_code,item_name,local_item_code,amount", *rows)), encoding="utf-8"
    )
    found = find_gaps(GapsRequest([claims]))
    told = [(each.local_code, each.national_code, each.lines, float(each.amount)) for each in found.proposals]
    assert told == [("330000000000001", SEMEN, 1, 30.0), ("H3", SEMEN, 1, 20.0), ("250104004", SEMEN, 2, 15.0)]
    asked = ["kb", "gaps", "--claims", str(claims), "--propose", str(tmp_path / "待核对.csv"), "--lang", "en"]
    assert run(asked) == 0
    assert (
        "3 local codes bear the name of a service with points: 3 rows of a crosswalk to sign off"
        in capsys.readouterr().out
    )
    read = read_crosswalks([tmp_path / "待核对.csv"])
    assert read is not None
    assert read.frame["local_code"].to_list() == ["250104004", "330000000000001", "H3"]
    assert run(asked) == 2
    assert find_gaps(GapsRequest([claims], crosswalk=[tmp_path / "待核对.csv"])).proposals == ()
