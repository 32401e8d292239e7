"""What leaves the house tells no more than it should: few persons by no sum, nobody by a number within another, nothing of an edited run."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
from pathlib import Path

import duckdb
import openpyxl
import pytest

from checker.audit.groups import covered
from tests.audit.runs import change_findings, sample_run
from tests.commands import ROOT, liangku

ID_NUMBER = "110101198503040025"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_run(tmp_path_factory.mktemp("run"))


def embedded(page: Path) -> list[dict[str, list[object]]]:
    """The columns of findings that a page holds."""
    found = re.search(r'id="data">([^<]*)<', page.read_text(encoding="utf-8"))
    assert found
    return list(json.loads(gzip.decompress(base64.b64decode(found[1]))))


def entries(book: openpyxl.Workbook, sheet: str) -> list[tuple[str, object]]:
    return [(str(row[0].value).strip(), row[1].value) for row in book[sheet].iter_rows()]


def texts(file: Path) -> str:
    book = openpyxl.load_workbook(file)
    return "\n".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value)


def test_findings_are_counted_alike_in_the_run_the_page_and_the_workbook(run: Path, tmp_path: Path) -> None:
    done = liangku("report", run, "--xlsx", tmp_path / "a.xlsx", "--html", tmp_path / "a.html", "--json")
    told, document = json.loads(done.stdout), json.loads((run / "run.json").read_text(encoding="utf-8"))
    counts = document["findings"]["by_verdict"]
    assert sum(counts.values()) == document["findings"]["findings"]
    assert min(counts["violation"], counts["undetermined"]) > 0
    rows = told["xlsx"]["rows"]
    assert {"violation": rows["findings"], "undetermined": rows["undetermined"], "exempt": rows["exempt"]} == counts
    assert (told["html"]["violations"], told["html"]["undetermined"]) == (counts["violation"], counts["undetermined"])
    assert told["html"]["of"] == counts["violation"] + counts["undetermined"]
    overview = dict(entries(openpyxl.load_workbook(tmp_path / "a.xlsx"), "总览"))
    assert overview["违规疑点（个；一行被几条规则命中，计几个）"] == counts["violation"]
    assert overview["无法判断的疑点（个）"] == counts["undetermined"]
    assert overview["无法判断（行）"] == document["findings"]["undetermined"]["lines"]
    assert overview["违规疑点的明细金额（元，退费后，每行只计一次）"] == pytest.approx(
        document["findings"]["violations"]["amount"]
    )
    for verdict, name in (("违规疑点", "explained"), ("无法判断", "explained_undetermined")):
        of = [count for title, count in overview.items() if title.startswith(f"归类（{verdict}")]
        assert sorted(of) == sorted(document[name].values())  # type: ignore[type-var]


def test_an_edited_run_is_refused_and_one_without_a_seal_is_told(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    document = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    document["lines"]["read"] += 1
    (folder / "run.json").write_text(json.dumps(document), encoding="utf-8")
    for command in (("report", folder, "--xlsx", tmp_path / "a.xlsx"), ("review", "show", folder)):
        done = liangku(*command)
        assert (done.returncode, "封印" in done.stderr) == (2, True)
    del document["seal"]
    (folder / "run.json").write_text(json.dumps(document), encoding="utf-8")
    done = liangku("report", folder, "--xlsx", tmp_path / "a.xlsx")
    assert (done.returncode, "没有封印" in done.stderr) == (0, True)
    assert "没有封印" in texts(tmp_path / "a.xlsx")


def _groups(rows: list[tuple[str, str, int]], keys: tuple[str, ...]) -> dict[tuple[object, ...], bool]:
    """Which groups are hidden among violations given by institution, department and number of persons; fewer than 5 are few."""
    connection = duckdb.connect()
    connection.execute(
        """CREATE TABLE findings (institution_id VARCHAR, department VARCHAR, prescriber VARCHAR, person_hash VARCHAR, source_file VARCHAR,
        source_record INTEGER, verdict VARCHAR, class VARCHAR, amount_at_stake INTEGER, service_time TIMESTAMP)"""
    )
    connection.execute(
        'CREATE TABLE denominators ("by" VARCHAR, institution_id VARCHAR, department VARCHAR, prescriber VARCHAR, lines BIGINT)'
    )
    for institution, department, persons in rows:
        connection.execute(
            f"""INSERT INTO findings SELECT '{institution}', '{department}', 'D', '{institution}{department}' || i, '{institution}{department}', i,
            'violation', NULL, 1, TIMESTAMP '2026-01-01' FROM range({persons}) r(i)"""
        )
    columns = ", ".join(keys)
    query = f"SELECT {columns}, few_left FROM ({covered(keys, (), 'TRUE', 5)})"
    return {key: bool(few) for *key_, few in connection.execute(query).fetchall() for key in [tuple(key_)]}


def test_what_alone_is_hidden_is_not_told_by_the_sum_less_the_others() -> None:
    inside, house = ("institution_id", "department"), ("institution_id",)
    rows = [("A", "1", 3), ("B", "1", 9), ("C", "1", 30), ("C", "2", 40)]
    assert _groups(rows, house) == {("A",): True, ("B",): True, ("C",): False}
    # All parts of what is hidden are, for their sum is it.
    assert _groups(rows, inside) == {("A", "1"): True, ("B", "1"): True, ("C", "1"): False, ("C", "2"): False}
    # Within one institution that is told itself.
    rows = [("A", "1", 3), ("A", "2", 8), ("A", "3", 20), ("B", "1", 30)]
    assert _groups(rows, house) == {("A",): False, ("B",): False}
    assert _groups(rows, inside) == {("A", "1"): True, ("A", "2"): True, ("A", "3"): False, ("B", "1"): False}
    doctors = _groups(rows, (*inside, "prescriber"))
    assert {key[:2]: few for key, few in doctors.items()} == _groups(rows, inside)
    # Two that are hidden hide each other.
    assert sum(_groups([("A", "1", 3), ("B", "1", 4), ("C", "1", 9)], house).values()) == 2


def test_a_page_that_hides_few_persons_holds_no_single_finding(run: Path, tmp_path: Path) -> None:
    done = liangku("report", run, "--html", tmp_path / "a.html", "--xlsx", tmp_path / "a.xlsx", "--min-cell", "400")
    assert done.returncode == 0, done.stderr
    assert {len(column["index"]) for column in embedded(tmp_path / "a.html")} == {0}
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "页内因此也没有单个疑点" in page
    assert "data-drill=" not in page
    told = entries(openpyxl.load_workbook(tmp_path / "a.xlsx"), "总览")
    results = dict(told[: [title for title, _ in told].index("读入 = 判断 + 跳过 + 无法读取")])
    assert results["违规疑点（行）"] == results["　其中待核实".strip()] == "不足 400 人，不显示"
    assert all(count == "不足 400 人，不显示" for title, count in results.items() if title.startswith("归类"))


def test_an_id_number_within_another_number_is_masked_and_folders_of_the_house_are_not_told(
    run: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    values = {
        name: f"'{before}{ID_NUMBER}{after}'"
        for name, before, after in (
            ("visit_id", "ZY", "01"), ("settlement_id", "9", ""), ("line_id", "", "-7"), ("local_item_name", "费用", "李"), ("department", "", ""),
            ("message", "患者", "，"),
        )
    }  # fmt: skip
    # What a scan says of a file that was not read whole names it too.
    file = json.loads((folder / "run.json").read_text(encoding="utf-8"))["inputs"][0]["path"]
    change_findings(
        folder,
        values,
        only=f"institution_id IN (SELECT DISTINCT institution_id FROM '{folder / 'findings.parquet'}' ORDER BY 1 LIMIT 3)",
        document={"incomplete": [{"path": file, "why": "rejects", "said": f"{file}：2 行无法读取"}]},
    )
    assert liangku("review", "template", folder, "--out", tmp_path / "t.csv").returncode == 0
    template = (tmp_path / "t.csv").read_text(encoding="utf-8")
    assert ID_NUMBER not in template
    assert template.splitlines()[0].split(",")[-2:] == ["归类", "聚集编号"]
    for further, count in (((), 0), (("--show-identities",), 1)):
        done = liangku(
            "report", folder, "--xlsx", tmp_path / "a.xlsx", "--html", tmp_path / "a.html", "--by", "institution", "--out", tmp_path / "out", "--force",
            *further,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        files = [tmp_path / "a.xlsx", *(tmp_path / "out").glob("*.xlsx")]
        assert len(files) > 2
        page = json.dumps(embedded(tmp_path / "a.html")) + (tmp_path / "a.html").read_text(encoding="utf-8")
        for told in (page, *map(texts, files)):
            assert (ID_NUMBER in told) == bool(count)
            assert "110101********0025" in told or count
            assert str(ROOT) not in told
            assert "fee_list_d.parquet" in told
        assert json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["run"] == folder.name
