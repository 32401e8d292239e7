"""Excel workbooks as inputs: what a person sees in the sheets is what is judged, and every sheet is read or named."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from checker.ingest import merged_cells, xlsx_parts, xlsx_texts
from tests.commands import Done, liangku
from tests.one_rule import one_rule_kb
from tests.shared_texts import share_texts

MALE_ONLY = "XG04CBA088A001010101467"
HEADER = ("费用明细流水号", "费用发生时间", "国标代码", "数量", "金额", "性别", "出生日期")


def row(
    line: object, time: object = "2026-03-01 10:00:00", sex: object = "女", birth: object = "1990-05-01"
) -> tuple[object, ...]:
    return (line, time, MALE_ONLY, 1, 35.5, sex, birth)


def workbook(
    path: Path, *sheets: tuple[str, Sequence[Sequence[object]]], merged: Sequence[str] = (), hidden: Sequence[str] = ()
) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for cells in rows:
            sheet.append(cells)
        for area in merged:
            sheet.merge_cells(area)
        if name in hidden:
            sheet.sheet_state = "veryHidden" if name.startswith("Wps") else "hidden"
    path.parent.mkdir(exist_ok=True)
    book.save(path)
    return path


def scanned(out: Path, *arguments: str | Path, code: int = 1) -> Done:
    done = liangku("scan", *arguments, "--kb", one_rule_kb(), "--out", out, "--lang", "zh")
    assert done.returncode == code, done.stdout + done.stderr
    return done


def found(out: Path, *columns: str) -> list[tuple[object, ...]]:
    return (
        pl.read_parquet(out / "findings.parquet")
        .sort("source_file", "source_record")
        .select("line_id", *columns)
        .rows()
    )


def passed_over(out: Path) -> dict[str, str]:
    document = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return {Path(each["path"]).name: each["reason"] for each in document["passed_over"]}


def test_sheets_of_the_same_headers_are_one_table(tmp_path):
    path = workbook(tmp_path / "2026.xlsx", ("三月", [HEADER, row("1"), row("2")]), ("四月", [HEADER, row("3")]))
    scanned(tmp_path / "out", path)
    assert found(tmp_path / "out", "source_file", "source_record") == [
        ("1", f"{path}/三月", 2), ("2", f"{path}/三月", 3), ("3", f"{path}/四月", 2),
    ]  # fmt: skip
    told = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["inputs"]
    assert [(each["path"], each["archive"], each["kind"], each["lines"]) for each in told] == [
        (f"{path}/三月", str(path), "xlsx", 2), (f"{path}/四月", str(path), "xlsx", 1),
    ]  # fmt: skip
    assert told[0]["columns"]["patient_sex"] == ["性别"]


def test_titles_blank_rows_and_columns_keep_the_row_numbers(tmp_path):
    rows = [[], ["", "某某医院 2026 年 3 月明细"], [], ["", *HEADER], ["", *row("1")], [], ["", *row("2")]]
    scanned(tmp_path / "out", workbook(tmp_path / "a.xlsx", ("明细", rows), merged=["B2:H2"]))
    assert found(tmp_path / "out", "source_record") == [("1", 5), ("2", 7)]


def test_dates_are_dates_however_the_cell_is_written(tmp_path):
    times = {
        "date": datetime(2026, 3, 1, 10, 30), "text": "2026-03-01 10:30:00", "serial": 46082.4375, "serial text": "46082.4375",
        "compact": 20260301103000, "slashes": "2026/3/1 10:30",
    }  # fmt: skip
    births = {"date": date(1990, 5, 1), "serial": 32994, "compact": 19900501}
    rows = [row(name, time) for name, time in times.items()] + [
        row(f"birth {name}", birth=birth) for name, birth in births.items()
    ]
    scanned(tmp_path / "out", workbook(tmp_path / "a.xlsx", ("明细", [HEADER, *rows])))
    told = dict(found(tmp_path / "out", "service_time"))
    assert {told[name] for name in times} == {datetime(2026, 3, 1, 10, 30)}
    assert set(told) == {*times, *(f"birth {name}" for name in births)}
    remarks = pl.read_parquet(tmp_path / "out" / "findings.parquet").explode("remarks")["remarks"].to_list()
    assert "person_unreadable" not in remarks


def test_numbers_and_codes_may_be_texts_or_numbers(tmp_path):
    rows = [
        (1, "2026-03-01", MALE_ONLY, "1", "35.50", 2, 19900501), (2.0, "2026-03-01", MALE_ONLY, 1.0, 35.5, "2", "19900501"),
        (3, "2026-03-01", 310300001000000, 1, 1, 2, 19900501),
    ]  # fmt: skip
    scanned(tmp_path / "out", workbook(tmp_path / "a.xlsx", ("明细", [HEADER, *rows])))
    assert [(line, float(amount)) for line, amount in found(tmp_path / "out", "amount")] == [("1", 35.5), ("2", 35.5)]
    codes = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["codes"]
    assert codes["no_national_shape"] == 0


def test_merged_cells_say_the_same_in_each_row_but_sums_count_once(tmp_path):
    rows = [
        ("费用明细流水号", "费用发生时间", "国标代码", "费用", "", "患者", ""), ("", "", "", "数量", "金额", "性别", "出生日期"),
        row("1"), ("2", "", MALE_ONLY, 1, "", "", ""), ("3", "2026-03-02", MALE_ONLY, 1, 7, "女", "1990-05-01"),
    ]  # fmt: skip
    merged = ["A1:A2", "B1:B2", "C1:C2", "D1:E1", "F1:G1", "B3:B4", "E3:E4", "F3:F4", "G3:G4"]
    scanned(tmp_path / "out", workbook(tmp_path / "a.xlsx", ("明细", rows), merged=merged))
    assert [(line, amount and float(amount)) for line, amount in found(tmp_path / "out", "amount")] == [
        ("1", 35.5), ("2", None), ("3", 7.0),
    ]  # fmt: skip


def test_hidden_and_other_sheets_are_named(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx", ("明细", [HEADER, row("1")]), ("旧", [HEADER, row("2")]), ("WpsReserved_CellImgList", [["x"]]),
        ("说明", [["本表由某某系统导出"]]), ("Sheet3", []), ("下月", [HEADER]), hidden=["旧", "WpsReserved_CellImgList"],
    )  # fmt: skip
    scanned(tmp_path / "out", path, code=4)
    assert [line for (line,) in found(tmp_path / "out")] == ["1"]
    assert passed_over(tmp_path / "out") == {
        "旧": "hidden_sheet", "WpsReserved_CellImgList": "hidden_sheet", "说明": "no_known_header", "Sheet3": "empty", "下月": "header_only",
    }  # fmt: skip


def test_a_sheet_is_read_in_parts_as_in_one(tmp_path, monkeypatch):
    """However small the parts are: rows keep their numbers, also behind gaps, and merged cells reach over the cuts."""
    rows = [
        HEADER,
        *(row(str(number)) for number in range(60)),
        [],
        [],
        *(row(str(number)) for number in range(60, 80)),
    ]
    rows[30] = ("29", None, MALE_ONLY, 1, 35.5, None, None)
    path = workbook(tmp_path / "a.xlsx", ("明细", rows), merged=["B29:B31", "F20:F31", "G30:G31"])
    scanned(tmp_path / "whole", path)
    monkeypatch.setattr(xlsx_parts, "PART", 1)
    monkeypatch.setattr(xlsx_parts, "_CHUNK", 700)
    scanned(tmp_path / "parts", path)
    columns = ("source_record", "service_time", "verdict", "amount")
    assert found(tmp_path / "whole", *columns) == found(tmp_path / "parts", *columns)
    assert len(found(tmp_path / "parts")) == 80


def without_places(name: str, content: bytes) -> tuple[str, bytes]:
    """A member of a workbook in which no row and no cell tells its place, as the standard allows."""
    return name, re.sub(rb'(<(?:row|c)) r="\w+"', rb"\1", content) if name.startswith("xl/worksheets/") else content


def oddly_written(name: str, content: bytes) -> tuple[str, bytes]:
    """A member of a workbook with blanks within its tags, as no program writes them."""
    return name, content.replace(b"</si>", b"</si >").replace(b"<v>", b"<v >")


@pytest.mark.parametrize("change", [None, without_places, oddly_written])
def test_rows_that_stand_for_much_text_are_read_a_few_at_a_time(tmp_path, monkeypatch, change):
    rows = [(*HEADER, "项目名称"), *((*row(str(number)), "长" * (1000 if number % 3 else 10)) for number in range(40))]
    path = workbook(tmp_path / "a.xlsx", ("明细", rows))
    share_texts(path)
    if change:
        repacked(path, change)
    scanned(tmp_path / "whole", path)
    monkeypatch.setattr(xlsx_texts, "STAND_FOR", 4000)
    pieces = []
    part = xlsx_parts._part
    monkeypatch.setattr(xlsx_parts, "_part", lambda *given: pieces.append(given) or part(*given))
    scanned(tmp_path / "pieces", path)
    columns = ("source_record", "service_time", "verdict", "amount", "item_name")
    assert found(tmp_path / "whole", *columns) == found(tmp_path / "pieces", *columns)
    assert [record for _, record, *_ in found(tmp_path / "pieces", *columns)] == [*range(2, 42)]
    assert len(pieces) > 20


def test_a_row_and_texts_that_stand_for_absurdly_much_are_refused(tmp_path, monkeypatch):
    path = workbook(tmp_path / "a.xlsx", ("明细", [(*HEADER, "项目名称"), (*row("1"), "长" * 1000)]))
    share_texts(path)
    monkeypatch.setattr(xlsx_texts, "STAND_FOR", 2000)
    assert "有一行的文本" in scanned(tmp_path / "out", path, code=2).stderr
    monkeypatch.setattr(xlsx_texts, "MOST_MEMORY", 2000)
    assert "文本太多" in scanned(tmp_path / "out", path, code=2).stderr


def test_merged_cells_that_would_repeat_much_text_are_refused(tmp_path, monkeypatch):
    rows = [(*HEADER, "项目名称"), (*row("1"), "长" * 1000), *((*row(str(number)), None) for number in range(2, 12))]
    path = workbook(tmp_path / "a.xlsx", ("明细", rows), merged=["H2:H12"])
    scanned(tmp_path / "out", path)
    monkeypatch.setattr(merged_cells, "_MOST_TEXT", 10_000)
    assert "取消合并" in scanned(tmp_path / "refused", path, code=2).stderr


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("<td rowspan=1000000 colspan=16000>x</td>", 4),
        ("<td colspan=16000>x</td><td>y</td>" + "</tr><tr>" * 2000, 2),
        ("<td rowspan=3 colspan=16000>x</td></tr><tr>" * 2000, 2),
    ],
)
def test_a_page_whose_cells_reach_far_takes_no_memory_for_them(tmp_path, rows, code):
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" for cells in (HEADER, row("1")))
    (tmp_path / "a.xls").write_text(f"<table>{lines}<tr>{rows}</tr></table>", encoding="utf-8")
    done = scanned(tmp_path / "out", tmp_path / "a.xls", code=code)
    assert code == 4 or "散布太远" in done.stderr


def test_settlements_may_be_a_workbook(tmp_path):
    lines = workbook(tmp_path / "lines.xlsx", ("a", [("setl_id", *HEADER[:5]), ("S1", *row("1")[:5])]))
    heads = workbook(tmp_path / "heads.xlsx", ("a", [("setl_id", "gend", "brdy"), ("S1", "2", date(1990, 5, 1))]))
    scanned(tmp_path / "out", lines, "--settlements", heads)
    assert found(tmp_path / "out", "verdict") == [("1", "violation")]


def repacked(path: Path, change) -> Path:
    """The workbook with its members changed: `change` takes and gives name and content."""
    with zipfile.ZipFile(path) as archive:
        members = [change(name, archive.read(name)) for name in archive.namelist()]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    path.write_bytes(buffer.getvalue())
    return path


def with_backslashes(name: str, content: bytes) -> tuple[str, bytes]:
    """A member of a workbook whose folders end as on Windows."""
    return name.replace("/", "\\"), content


def prefixed(name: str, content: bytes) -> tuple[str, bytes]:
    """A member of a workbook whose XML bears prefixes."""
    if name.startswith("xl/worksheets/"):
        text = content.decode().replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?")
        content = text.replace("xmlns=", "xmlns:x=", 1).encode()
    return name, content


def test_days_may_be_counted_from_1904(tmp_path):
    rows = [row("date", datetime(2026, 3, 1, 10, 30)), row("serial", 46082.4375 - 1462)]
    path = workbook(tmp_path / "a.xlsx", ("明细", [HEADER, *rows]))
    old, new = b"<workbookPr ", b'<workbookPr date1904="1" '
    repacked(path, lambda name, content: (name, content.replace(old, new) if name == "xl/workbook.xml" else content))
    scanned(tmp_path / "out", path)
    assert dict(found(tmp_path / "out", "service_time")) == {
        "date": datetime(2030, 3, 2, 10, 30), "serial": datetime(2026, 3, 1, 10, 30),
    }  # fmt: skip


CELLS = [HEADER, row("L1"), row("L2")]
_IN_PAGE = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for cells in CELLS)
_IN_XML = re.sub(r"<td>(.*?)</td>", r'<Cell><Data ss:Type="String">\1</Data></Cell>', _IN_PAGE).replace("tr>", "Row>")
_TITLE = '<Row><Cell ss:MergeAcross="4"><Data ss:Type="String">费用明细</Data></Cell></Row>'
_OFFICE = "urn:schemas-microsoft-com:office:spreadsheet"
MARKUP = {
    "page": f"<html><style>td {{x}}</style><table><tr><td colspan=5>费用&nbsp;明细</table><TABLE>{_IN_PAGE}</TABLE></html>",
    "xml": f'<?xml version="1.0"?><Workbook xmlns="{_OFFICE}" xmlns:ss="{_OFFICE}"><Worksheet ss:Name="三月">'
    f"<Table>{_TITLE}{_IN_XML}</Table></Worksheet></Workbook>",
}


def test_cells_of_a_page_that_reach_over_rows_say_the_same_in_each(tmp_path):
    before, _, after = _IN_PAGE.replace("<td>女", '<td rowspan="2">女', 1).partition("<td>女</td>")
    spanned = before + after
    (tmp_path / "a.xls").write_text(f"<table>{spanned}</table>", encoding="utf-8")
    scanned(tmp_path / "out", tmp_path / "a.xls")
    assert found(tmp_path / "out") == [("L1",), ("L2",)]
    (tmp_path / "a.xls").write_text(f"<table>{spanned}", encoding="utf-8")
    assert "不完整" in scanned(tmp_path / "cut", tmp_path / "a.xls", code=2).stderr


OLD = zlib.decompress(base64.b85decode(
    'c-rk)O-NKx6h8O;%#V)ajA^BT4MJ-Ez=%_tpyL?js=*Y>B1ml}Ms!rh1T9d@W+@~QSkywWMH{P4KUh$kXc3sT2!cQp+O!JnXQ95%J@38A(GeUd!Fb=}o_o)^_q^}Cd(VCM&Agp)&P_bb'
    'nTIu~0TEUdE0|W<7#6FpH~{+<g*Wxuf<-Z~tzfm_LYiclPJ3hKYslAo9t3zGy+jG{8Os^y0e^Q_(6xoAqZnElkD;1Ln0o@;#$tzTiYtTUIg&d_-lwt8NY;{Nlw>uIonxnA#_KPt)bhAl'
    '$fG_xN(PU~=ObClAPZjeJRZ8n)Uh)7BJHi6+pHs3vcV+alGX>if)TFohPyaZFn}lxhf4ziS142!4p;T|&Os)w`y_l<TmXyu27lo)>|1MRfc9VUcJl^y3$Er``*lGA7zU+<@vM%54TdD%'
    'BQX2<SA$VVg>ExX5fMV|fh8COCw8V`F#|g^TG+=&`NE#gpG_v!Fx#}Z??-U)25!IQ6Xwu@pY`LNdxA4#Sj~>z8ON%irMM9*b7*`VGq8LYKy$s@bGXjuuB`OA-DT?KIatAf^`62Z9xMm2'
    '^r!ISgkC?6xYth_ZAu%;0HjmfNn6u_5508n+q+|J4c@b48KxsgJ(%|KhX(~Na}RX3gML3%7Li9W$t!f%J=D%2nTh)b>->f+t#NdO#$2V|eB>!7y!RHYY8PTV`t|se+~|ULKengp=PzbX'
    'eeg~|9v+kd^yk+Il&}(Z>n6ujuU<3l750f__PW=ZMQ~7U0!2H0(_tA>$mS%2s`1%jF-_3sO4UTv#F!?bCdD)vHCf|P=P;fJh{vRj5EDcq(g?n6BF?r5{E0aH!(VFEejW{9q375mQZy#='
    'xl{odi8_YIVbxfq1S}GHq-ZSCIu<F8MM}sb#j(f<SY+}@)mY?pEOH!+oRCG1vD63|@Q5!19z=hz75UC$ay#bx#(8MdXB867ssRHA3>YwAASv)q1%CYUk2(H9A!{EcX6=8SWh^Vk-z5Jn'
    '8lfAn3;0X&2y|f`fq|s*XD7%^zZcu2kN$rl$4O+5KnJu@934sLFMd?A)z7nON5|jWLdo*4BopU9=Kl@l$TWE'
))  # fmt: skip
"""A workbook in the format of Excel 97: a title, an empty row, the header, three lines with date cells; a hidden sheet."""


def record(kind: int, data: bytes = b"") -> bytes:
    """A record of a binary workbook: its kind and length in groups of seven bits."""
    size = bytes([len(data) & 0x7F | 0x80, len(data) >> 7])
    return (bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])) + size + data


def wide(text: object) -> bytes:
    return struct.pack("<I", len(str(text))) + str(text).encode("utf-16-le")


def binary_workbook(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """A sheet of texts as .xlsb."""
    sheet = record(129) + record(148, struct.pack("<4I", 0, len(rows) - 1, 0, len(rows[0]) - 1)) + record(145)
    for number, cells in enumerate(rows):
        sheet += record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
        sheet += b"".join(record(6, struct.pack("<II", place, 0) + wide(cell)) for place, cell in enumerate(cells))
    sheets = record(143) + record(156, struct.pack("<II", 0, 1) + wide("r1") + wide("明细")) + record(144)
    relations = "<Relationships><Relationship Id='r1' Type='/{}' Target='{}'/></Relationships>"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", relations.format("officeDocument", "xl/workbook.bin"))
        archive.writestr("xl/workbook.bin", record(131) + sheets + record(132))
        archive.writestr("xl/_rels/workbook.bin.rels", relations.format("worksheet", "worksheets/sheet1.bin"))
        archive.writestr("xl/worksheets/sheet1.bin", sheet + record(146) + record(130))


def open_document(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """A sheet of texts as .ods."""
    told = "".join(
        "<t:table-row>" + "".join(f"<t:table-cell o:value-type='string'><x:p>{cell}</x:p></t:table-cell>" for cell in cells) + "</t:table-row>"
        for cells in rows
    )  # fmt: skip
    names = {"o": "office", "t": "table", "x": "text"}
    spaces = " ".join(
        f"xmlns:{short}='urn:oasis:names:tc:opendocument:xmlns:{name}:1.0'" for short, name in names.items()
    )
    told = (
        told.replace("<t:", "<table:")
        .replace("</t:", "</table:")
        .replace("o:value", "office:value")
        .replace("x:p>", "text:p>")
    )
    spaces = (
        spaces.replace("xmlns:o=", "xmlns:office=")
        .replace("xmlns:t=", "xmlns:table=")
        .replace("xmlns:x=", "xmlns:text=")
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name='明细'>{told}</table:table>"
            "</office:spreadsheet></office:body></office:document-content>",
        )


MARKED_UP = [
    (form, suffix, encoding) for form in MARKUP for suffix, encoding in (("xls", "gb18030"), ("html", "utf-8"), ("csv", "utf-16"))
]  # fmt: skip
OF_TODAY = "et of today"
OTHERS = {OF_TODAY: "et", "xlsb": "xlsb", "ods": "ods", "ods in xlsx": "xlsx"}
"""Files of other programs, and their suffixes."""


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Line and row of each finding by the name of its file: workbooks of one folder, in each of which the ids of lines begin with its name."""
    folder = tmp_path_factory.mktemp("together") / "in"
    folder.mkdir()
    for name, change in (("backslashes.xlsx", with_backslashes), ("prefixes.xlsx", prefixed)):
        repacked(workbook(folder / name, ("明细", [HEADER, row(f"{name} L1")])), change)
    for name in ("text.xls", "text.xlsx"):
        text = "\n".join(["\t".join(HEADER), "\t".join(map(str, row(f"{name} L1"))), ""])
        (folder / name).write_text(text, encoding="gb18030")
    for form, suffix, encoding in MARKED_UP:
        name = f"{form}.{suffix}"
        told = MARKUP[form].replace('"1.0"', f'"1.0" encoding="{encoding}"')
        told = re.sub(r">(L\d)<", rf">{name} \1<", told)
        (folder / name).write_text(told, encoding=encoding)
    (folder / "old.et").write_bytes(OLD)
    for name, suffix in OTHERS.items():
        path = folder / f"{name}.{suffix}"
        rows = [HEADER, *(row(f"{path.name} L{number}") for number in (1, 2, 3))]
        if name == OF_TODAY:
            workbook(folder / "a.xlsx", ("明细", rows)).rename(path)
        else:
            (binary_workbook if name == "xlsb" else open_document)(path, rows)
    scanned(folder.parent / "out", folder)
    assert passed_over(folder.parent / "out") == {"hid": "hidden_sheet"}
    lines = {path.name: [] for path in folder.iterdir()}
    for line, file, record in found(folder.parent / "out", "source_file", "source_record"):
        name = Path(file).relative_to(folder).parts[0]
        lines[name].append((line.removeprefix(f"{name} "), record))
    return lines


@pytest.mark.parametrize("name", ["backslashes.xlsx", "prefixes.xlsx"])
def test_the_parts_of_a_workbook_may_be_written_so(together, name):
    assert together[name] == [("L1", 2)]


@pytest.mark.parametrize("name", ["text.xls", "text.xlsx"])
def test_text_under_a_workbooks_name_is_read_as_text(together, name):
    assert together[name] == [("L1", 1)]


@pytest.mark.parametrize(("form", "suffix"), [(form, suffix) for form, suffix, _ in MARKED_UP])
def test_tables_of_pages_and_of_xml_are_sheets(together, form, suffix):
    assert together[f"{form}.{suffix}"] == [("L1", 3), ("L2", 4)]


@pytest.mark.parametrize("name", OTHERS)
def test_workbooks_of_other_programs_are_read_by_their_bytes(together, name):
    assert together[f"{name}.{OTHERS[name]}"] == [("L1", 2), ("L2", 3), ("L3", 4)]


def test_the_old_format_is_read_under_the_name_of_another_program(together):
    assert together["old.et"] == [("3", 4), ("4", 5), ("5", 6)]


def test_workbooks_of_the_old_format_are_read(tmp_path):
    (tmp_path / "a.xls").write_bytes(OLD)
    scanned(tmp_path / "out", tmp_path / "a.xls")
    time = datetime(2026, 3, 1, 10, 30)
    assert found(tmp_path / "out", "source_record", "service_time") == [("3", 4, time), ("4", 5, time), ("5", 6, time)]
    assert passed_over(tmp_path / "out") == {"hid": "hidden_sheet"}


def test_a_sheet_without_a_header_goes_on_where_the_one_before_ends(tmp_path):
    first, then = [HEADER, row("1"), row("2")], [row("3", 46082.4375), row("4"), row("5")]
    notes = [("2026-03-01 由某某导出", "x", "", "", "", "", "", "", "九列"), ("合计", "", "", "71.0")]
    path = workbook(
        tmp_path / "a.xlsx", ("明细", first), ("续", then), ("别的", [("a", "b"), ("c", "d")]), ("续二", [row("6")]), ("说明", notes)
    )  # fmt: skip
    scanned(tmp_path / "out", path, code=4)
    assert [line for (line,) in found(tmp_path / "out")] == ["1", "2", "3", "4", "5", "6"]
    assert passed_over(tmp_path / "out") == {"别的": "no_known_header", "说明": "no_known_header"}
    assert "没有表头，接上一张工作表" in liangku("inspect", path, "--lang", "zh").stdout


@pytest.mark.parametrize(
    ("name", "lines", "code", "then"), [("作废明细", 2, 4, []), ("明细 (2)", 2, 1, ["3"]), ("其余", 10_000, 1, ["3"])]
)
def test_a_sheet_of_another_name_goes_on_only_behind_a_full_one(tmp_path, name, lines, code, then):
    first = [row(str(number), sex="男") for number in range(100, 100 + lines)]
    scanned(tmp_path / "out", workbook(tmp_path / "a.xlsx", ("明细", [HEADER, *first]), (name, [row("3")])), code=code)
    assert [line for (line,) in found(tmp_path / "out")] == then
    assert passed_over(tmp_path / "out") == ({} if then else {name: "no_known_header"})


def test_a_sheet_without_a_header_behind_one_that_is_not_full_is_named_and_not_judged(tmp_path):
    path = workbook(tmp_path / "a.xlsx", ("明细", [HEADER, row("1"), row("2")]), ("作废明细", [row("3"), row("4")]))
    done = scanned(tmp_path / "out", path, code=4)
    assert [line for (line,) in found(tmp_path / "out")] == ["1", "2"]
    assert passed_over(tmp_path / "out") == {"作废明细": "no_known_header"}
    assert "作废明细" in done.stdout
    assert "接上一张工作表" not in liangku("inspect", path, "--lang", "zh").stdout


REFUSED = {
    "a web page": (b"<html><table><tr><td>1</td></tr></table></html>", "网页"),
    "a password": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "密码"),
    "an old file that is none": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "损坏"),
    "a ZIP of something else": (b"PK\x05\x06" + bytes(18), "损坏"),
    "cut": (b"PK\x03\x04", "损坏"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_workbook_is_refused(tmp_path, name):
    content, says = REFUSED[name]
    (tmp_path / "a.xlsx").write_bytes(content)
    done = scanned(tmp_path / "out", tmp_path / "a.xlsx", code=2)
    assert "a.xlsx" in done.stderr
    assert says in done.stderr


def test_a_sheet_that_unpacks_to_an_absurd_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx_parts, "RATIO_FROM", 1 << 20)
    path = workbook(tmp_path / "a.xlsx", ("明细", [HEADER, row("1")]))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.xml", b"0" * (2 << 20))
    assert "解压后" in scanned(tmp_path / "out", path, code=2).stderr


def test_a_cell_far_away_takes_no_memory_for_what_lies_between(tmp_path):
    path = workbook(tmp_path / "a.xlsx", ("明细", [HEADER, row("1")]))
    book = openpyxl.load_workbook(path)
    book["明细"]["XFD1048576"] = "x"
    book.save(path)
    assert "XFD 列、第 1048576 行" in scanned(tmp_path / "out", path, code=2).stderr


def test_a_workbook_in_an_archive_is_read(tmp_path):
    path = workbook(tmp_path / "a.xlsx", ("明细", [HEADER, row("1")]))
    with zipfile.ZipFile(tmp_path / "month.zip", "w") as archive:
        archive.write(path, "三月/a.xlsx")
    scanned(tmp_path / "out", tmp_path / "month.zip")
    assert found(tmp_path / "out", "source_file") == [("1", f"{tmp_path / 'month.zip'}/三月/a.xlsx/明细")]
