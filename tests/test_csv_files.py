"""CSV files as they come: encodings, separators, line ends, rows above and below the header, quotes, and what is broken in them."""

from __future__ import annotations

import gzip
import itertools
import json
import lzma
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from benchmarks import csv_files
from checker.ingest import csv_records, csv_text
from checker.ingest.csv_convert import CsvFacts, Wanted, convert_csv
from checker.model.errors import InputError
from checker.model.schema import normal_header
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.commands import ROOT, liangku

MALE_ONLY = "XG04CBA088A001010101467"
HEADERS = ("费用明细流水号", "费用发生日期", "国标代码", "项目名称", "数量", "金额", "性别", "出生日期")
Row = tuple[str, ...]


def rows(count: int) -> list[Row]:
    """So many lines of a fee list; a code of a drug for men on each."""
    return [
        (f"L{n}", "2026-03-01 10:00:00", MALE_ONLY, f"爱普列特片{'（薄膜衣）' * (n % 3)}", "1", "35.5", "女" if n % 2 else "男", "1990-05-01")
        for n in range(1, count + 1)
    ]  # fmt: skip


KNOWN = frozenset(map(normal_header, HEADERS))
WANTED = Wanted(KNOWN, lambda headers: [header for header in headers if normal_header(header) in KNOWN])


class Read:
    """What became of a file: the values by record number, the rejects, the facts."""

    def __init__(self, path: Path) -> None:
        target, rejected = path.with_suffix(".read"), path.with_suffix(".rejected")
        rejected.unlink(missing_ok=True)
        self.facts: CsvFacts = convert_csv(path, target, rejected, "lines", WANTED)
        table = pl.read_parquet(target)
        self.rows: dict[int, Row] = {row[-1]: row[:-1] for row in table.rows()}
        self.rejects: list[tuple[int, str, str]] = []
        if self.facts.rejects:
            self.rejects = pl.read_parquet(rejected).select("record", "value", "why").rows()
        assert sorted([*self.rows, *(number for number, _, _ in self.rejects)]) == [*range(1, self.facts.records + 1)]
        assert list(self.rows) == sorted(self.rows), "the order of records was lost"
        assert self.facts.rejects == len(self.rejects)

    @property
    def why(self) -> dict[int, str]:
        return {number: why for number, _, why in self.rejects}


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes | str], Read]:
    """Read a file of these bytes, or of this text in UTF-8."""

    def write_and_read(content: bytes | str) -> Read:
        path = tmp_path / "lines.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Read(path)

    return write_and_read


def text(*lines: Sequence[str], headers: Sequence[str] = HEADERS, separator: str = ",", end: str = "\n") -> str:
    return end.join(separator.join(line) for line in (headers, *lines)) + end


# ---- every way to write the same table ----

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be")
SEPARATORS = (",", "\t", ";", "|", "^", "\x01", "||", "|@|", "，", "¦")
ABOVE = {
    "nothing": (),
    "a title": ("某某医院 2026 年 1 月费用明细",),
    "a wide title": ("某某医院,,,,,,,", ",,,,,,,", "导出人：张三"),
    "sep": ("sep=,",),
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_however_a_table_is_written_it_reads_the_same(read, encoding: str, end: str) -> None:
    table = rows(12)
    expected = dict(enumerate(table, 1))
    for separator, above in itertools.product(SEPARATORS, ABOVE.values()):
        if encoding.startswith("gb") and separator == "¦":
            continue
        content = end.join((*above, text(*table, separator=separator, end=end))).encode(encoding)
        told = read(content)
        assert told.rows == expected, (separator, above)
        assert not told.rejects
        facts = told.facts
        assert (facts.separator, facts.header_row, facts.columns) == (separator, len(above) + 1, 8)
        assert facts.encoding == {"gbk": "gb18030", "utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
        assert facts.byte_order_mark == (encoding in ("utf-8-sig", "utf-16"))
        assert facts.line_end == {"\n": "lf", "\r\n": "crlf", "\r": "cr"}[end]


BROKEN = {
    "missing": (lambda row: ",".join(row[:-1]), "列数比表头少"),
    "too many": (lambda row: ",".join((*row, "")), "列数比表头多"),
    "quote": (lambda row: ",".join((*row[:3], f'"{row[3]}', *row[4:])), "引号没有配对"),
    "text behind a quote": (lambda row: ",".join((*row[:3], f'"{row[3]}"片', *row[4:])), "引号没有配对"),
    "NUL": (lambda row: ",".join((*row[:4], "\0", *row[5:])), "含有空字符（NUL）"),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le"])
@pytest.mark.parametrize("chunk", [8 << 20, 333])
def test_one_broken_record_in_a_hundred_costs_itself_alone(
    read, monkeypatch: pytest.MonkeyPatch, kind: str, encoding: str, chunk: int
) -> None:
    monkeypatch.setattr(csv_text, "CHUNK", chunk)
    spoil, why = BROKEN[kind]
    table = rows(500)
    lines = [spoil(row) if n % 100 == 50 else ",".join(row) for n, row in enumerate(table, 1)]
    told = read("\n".join((",".join(HEADERS), *lines, "")).encode(encoding))
    assert told.rows == {n: row for n, row in enumerate(table, 1) if n % 100 != 50}
    assert [number for number, _, _ in told.rejects] == [*range(50, 500, 100)]
    assert all(told.why[number].startswith(why) for number in told.why)
    if kind == "quote":
        assert told.why[450] == "引号没有配对（从文件第 451 行开始）"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("chunk", [8 << 20, 501, 100])
def test_where_the_chunks_end_changes_nothing(read, monkeypatch: pytest.MonkeyPatch, end: str, chunk: int) -> None:
    """Quoted line ends, separators and quotes, blank lines and broken ones, at random, in pieces of any size."""
    monkeypatch.setattr(csv_text, "CHUNK", chunk)
    chance = random.Random(chunk)
    expected: dict[int, Row] = {}
    lines: list[str] = []
    for number, row in enumerate(rows(300), 1):
        way = chance.randrange(8)
        if way == 0:
            row = (*row[:3], f'爱普列特片\n第 {number} 批,\n\n每片 5"', *row[4:])
        if way == 1:
            lines.append("")
        if way == 2:
            lines.append(",".join((*row[:2], f'"{row[2]}', *row[3:])))
            continue
        if way == 3:
            row = (*row[:3], '规格 5" 片', *row[4:])
            lines.append(",".join(row))
        else:
            quoted = (
                '"' + cell.replace('"', '""') + '"' if way == 4 or set(cell) & set(',"\n') else cell for cell in row
            )
            lines.append(",".join(quoted).replace("\n", end))
        expected[number] = row
    told = read((end.join((",".join(HEADERS), *lines)) + end).encode())
    assert told.rows == expected
    assert told.facts.records == 300


# ---- quotes ----


def test_a_value_may_begin_in_the_first_column_and_go_on(read) -> None:
    first, second = rows(2)
    told = read(text((f'"{first[0]}',), ('再"', *first[1:]), second))
    assert told.rows == {1: (f"{first[0]}\n再", *first[1:]), 2: second}


def test_two_stray_quotes_do_not_swallow_the_lines_between(read) -> None:
    """The first opens a value and the second could close it, in the same column: the lines between are records all the same."""
    table = rows(9)
    lines = [",".join(row) for row in table]
    lines[2] = ",".join((*table[2][:3], f'"{table[2][3]}', *table[2][4:]))
    lines[6] = ",".join((*table[6][:3], f'{table[6][3]}"', *table[6][4:]))
    told = read("\n".join((",".join(HEADERS), *lines)))
    assert told.why == {3: "引号没有配对（从文件第 4 行开始）"}
    assert told.rows[7][3] == f'{table[6][3]}"'
    assert len(told.rows) == 8
    lines[3] = lines[6]
    assert read("\n".join((",".join(HEADERS), *lines))).why.keys() == {3}


def test_a_quote_that_opens_on_the_last_line(read) -> None:
    table = rows(3)
    content = text(*table[:2]) + ",".join((*table[2][:3], f'"{table[2][3]}', *table[2][4:]))
    told = read(content)
    assert told.why == {3: "引号没有配对（从文件第 4 行开始）"}
    assert len(told.rows) == 2


def test_every_record_broken(read) -> None:
    table = [(*row[:3], f'"{row[3]}', *row[4:]) for row in rows(500)]
    assert len(read(text(*table)).rejects) == 500
    assert len(read(text(*(row[:5] for row in rows(500)))).rejects) == 500


def test_a_line_that_never_ends(read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "CHUNK", 1000)
    monkeypatch.setattr(csv_records, "LONGEST_RECORD", 5000)
    table = rows(300)
    lines = [",".join(row) for row in table]
    lines[199] = "x" * 20_000
    told = read("\n".join((",".join(HEADERS), *lines, "")))
    assert told.why == {200: "这一行太长"}
    assert told.rows[201] == table[200]


# ---- rows that are no records ----


def test_notes_under_the_header_are_named(read) -> None:
    notes = (
        "VARCHAR(30)",
        "yyyy-MM-dd HH:mm:ss",
        "VARCHAR2(50)",
        "字符型",
        "NUMBER(16)",
        "数值型",
        "char(1)",
        "日期型",
    )
    second = ("bkkp_sn", "费用发生时间", "国标代码", "项目名称", "数量", "金额", "性别", "出生日期")
    told = read(text(second, notes, *rows(3)))
    assert told.facts.header_row == 1
    assert set(told.why) == {1, 2}
    assert set(told.why.values()) == {"表头下面的说明行，不是明细"}
    assert [row[0] for row in told.rows.values()] == ["L1", "L2", "L3"]


def test_the_row_with_the_most_known_headers_is_the_header(read) -> None:
    groups = ("患者", "", "项目", "", "数量", "", "", "")
    told = read(text(HEADERS, *rows(2), headers=groups))
    assert told.facts.header_row == 2
    assert len(told.rows) == 2


def test_a_separator_within_header_words_is_none(read) -> None:
    headers = (*HEADERS[:-1], "诊断(主;次1;次2;次3;次4;次5;次6;次7;次8;次9)")
    told = read(text(*rows(2), headers=headers))
    assert told.facts.separator == ","
    assert len(told.rows) == 2


def test_a_header_may_go_on_over_lines(read) -> None:
    headers = ('"费用明细流水号"', *HEADERS[1:6], "性别", '"出生日期\n（必填）"')
    told = read(text(*rows(2), headers=headers))
    assert told.facts.columns == 8
    assert [row[0] for row in told.rows.values()] == ["L1", "L2"]
    assert told.facts.records == 2


def test_columns_without_header_are_passed_over(read) -> None:
    told = read(text(*((*row, "x", "") for row in rows(2)), headers=(*HEADERS, "", "")))
    assert len(told.rows[1]) == 8
    assert told.facts.columns == 10


def test_a_header_that_nothing_reads_may_stand_twice(read) -> None:
    told = read(text(*((*row, "x", "y", "z") for row in rows(2)), headers=(*HEADERS, "备注", "备注 ", "备注")))
    assert (told.rows[1][0], told.facts.columns) == ("L1", 11)


WRITTEN = {
    "Hive": text(*rows(2), headers=[f"fee_list_d.{name}" for name in HEADERS]),
    "join": text(*rows(2), headers=[f"{table}.{name}" for table, name in zip("aaaabbbb", HEADERS, strict=True)]),
    "marks": text(*rows(2), headers=[f"*{name}" for name in HEADERS]),
    "brackets": text(*rows(2), headers=[f"[{name}]" for name in HEADERS]),
    "backticks": text(*rows(2), headers=[f"`{name}`" for name in HEADERS]),
    "a comment": "#" + text(*rows(2)),
    "a separator behind each row": text(*((*row, "") for row in rows(2))),
    "a separator behind the header": text(*rows(2), headers=(*HEADERS, "")),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_headers_and_rows_may_be_written_so(read, form: str) -> None:
    told = read(WRITTEN[form])
    assert [row[0] for row in told.rows.values()] == ["L1", "L2"]
    assert not told.rejects


def test_columns_of_fixed_width_are_refused(read) -> None:
    ruled = (" ".join("-" * 12 for _ in HEADERS), *(" ".join(row) for row in rows(2)))
    with pytest.raises(InputError, match="固定宽度"):
        read("\n".join((" ".join(HEADERS), *ruled)))


@pytest.mark.parametrize("packing", ["bz2", "xz", "zstd", "lz4"])
def test_texts_of_other_packings_are_read_and_cut_ones_refused(read, packing: str) -> None:
    plain = text(*rows(2000)).encode("gb18030")
    sink = pa.BufferOutputStream()
    if packing == "xz":
        sink.write(lzma.compress(plain))
    else:
        with pa.CompressedOutputStream(sink, packing) as packed:
            packed.write(plain)
    content = sink.getvalue().to_pybytes()
    told = read(content)
    assert (told.facts.records, told.facts.compression) == (2000, packing)
    with pytest.raises(InputError, match="压缩文件已损坏或不完整"):
        read(content[: len(content) // 2])


def test_only_a_header(read) -> None:
    for content in (text(), ",".join(HEADERS), text() + "\n\n"):
        told = read(content)
        assert (told.rows, told.rejects, told.facts.records) == ({}, [], 0)


# ---- encodings ----


def test_the_body_tells_the_encoding_where_the_header_is_ascii(read, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = ("bkkp_sn", "fee_ocur_time", "med_list_codg", "hilist_name", "cnt", "amount", "gend", "brdy")
    table = [(*row[:3], "drug", *row[4:6], "1", row[7]) for row in rows(200)] + rows(3)
    wanted = Wanted(frozenset(headers), lambda found: found)
    monkeypatch.setattr(f"{__name__}.WANTED", wanted)
    for chunk in (8 << 20, 1000):
        monkeypatch.setattr(csv_text, "CHUNK", chunk)
        told = read(text(*table, headers=headers).encode("gb18030"))
        assert told.facts.encoding == "gb18030"
        assert told.rows[201][3] == "爱普列特片（薄膜衣）"
        assert told.rows[203][6] == "女"


@pytest.mark.parametrize("column", ["女", "男"])
def test_one_chinese_character_tells_gb18030(read, monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    """Its two bytes could be one Latin letter of UTF-8."""
    monkeypatch.setattr(f"{__name__}.WANTED", Wanted(frozenset(("gend", "cnt")), lambda found: found))
    told = read(f"gend,cnt\n{column},1\n".encode("gb18030"))
    assert told.rows == {1: (column, "1")}


def test_the_only_chinese_may_stand_where_a_chunk_ends(read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.WANTED", Wanted(frozenset(("gend", "cnt")), lambda found: found))
    content = "gend,cnt\n1,1\n1,1\n女,2\n女,3".encode("gb18030")
    for chunk in range(17, len(content) + 2):
        monkeypatch.setattr(csv_text, "CHUNK", chunk)
        assert list(read(content).rows.values())[2:] == [("女", "2"), ("女", "3")], chunk


@pytest.mark.parametrize(("encoding", "other"), [("utf-8", "gb18030"), ("gb18030", "utf-8")])
def test_lines_of_another_encoding_are_rejected(read, encoding: str, other: str) -> None:
    table = rows(300)
    lines = [text(row, headers=row).encode(other if n % 100 == 50 else encoding) for n, row in enumerate(table, 1)]
    told = read(text().encode(encoding) + b"".join(line[: len(line) // 2] for line in lines))
    assert told.rows == {n: row for n, row in enumerate(table, 1) if n % 100 != 50}
    assert told.why == dict.fromkeys((50, 150, 250), f"不是 {encoding.upper()} 文字")


@pytest.mark.parametrize("byte", [b"\xff", b"\xc3", b"\x81\x30"])
def test_a_value_that_is_no_gb18030_is_named_with_its_column(read, tmp_path: Path, byte: bytes) -> None:
    lines = [text(row, headers=()).encode("gb18030")[1:] for row in rows(9)]
    lines[4] = lines[4].replace(b",1,", byte + b",1,", 1)
    told = read(text().encode("gb18030") + b"".join(lines))
    assert told.rows == {n: row for n, row in enumerate(rows(9), 1) if n != 5}
    assert told.why == {5: "不是 GB18030 文字"}
    assert pl.read_parquet(tmp_path / "lines.rejected")["column_name"].to_list() == ["项目名称"]


def test_a_header_of_another_encoding_is_refused(read) -> None:
    with pytest.raises(InputError, match="第 1 行不是 GB18030 文字"):
        read(text().encode() + text(*rows(50)).encode("gb18030"))


BIG5 = "費用明細流水號,費用發生日期,國標代碼,項目名稱,數量,金額,性別\n" + "L1,2026-03-01,X,愛普列特錠,1,35.5,女\n" * 5


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (BIG5.encode("big5"), "BIG5"),
        (BIG5.encode("utf-32"), "UTF-32"),
        (b"\x80\x81\xff\xfe\xfa,\xff\n" * 50, "不是 UTF-8、GB18030 或 UTF-16"),
        (bytes(range(256)) * 3 + b"\0" * 3000, "NUL"),
        (b"\n \n\n", "文件是空的"),
    ],
    ids=["Big5", "UTF-32", "no text", "NUL", "blank"],
)  # fmt: skip
def test_what_is_no_text_is_refused(read, content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(content)


# ---- compressed ----


def test_a_compressed_file_is_read_and_a_cut_one_refused(read) -> None:
    table = rows(2000)
    packed = gzip.compress(text(*table).encode("gb18030"))
    assert read(packed).rows == dict(enumerate(table, 1))
    two = gzip.compress(text(*table[:1000]).encode()) + gzip.compress(
        text(*table[1000:], headers=table[1000])[:-1].partition("\n")[2].encode()
    )
    assert read(two).facts.records == 2000
    for spoiled in (packed[: len(packed) // 2], packed[:-4], packed[:200] + b"rubbish" + packed[207:]):
        with pytest.raises(InputError, match="压缩文件已损坏或不完整"):
            read(spoiled)


# ---- headers beyond all measure ----


def test_monstrous_headers(read) -> None:
    wide = [f"列{n}" for n in range(2000)]
    told = read(text(*((*row, *wide) for row in rows(2)), headers=(*HEADERS, *wide)))
    assert told.facts.columns == 2008
    assert len(told.rows) == 2
    long = read(text(*((*row, "") for row in rows(2)), headers=(*HEADERS, "长" * 100_000)))
    assert len(long.rows) == 2
    with pytest.raises(InputError, match="列"):
        read(text(headers=[*HEADERS, *(f"h{n}" for n in range(25_000))]))
    with pytest.raises(InputError, match="表头"):
        read("x" * 140_000 + "\n1\n")
    with pytest.raises(InputError, match="16 MB"):
        read("x," * 10_000_000)


# ---- quotes escaped by a backslash ----

HARD = ('片"5"', "a\\", '\\"', "a,b", "两\n行", '"', "", "C:\\新", '"",', '末"', "誠")
"""Names that a program which escapes by a backslash must write with some."""


def as_mysql(*lines: Row, separator: str = ",", first: str = "") -> str:
    """These lines as INTO OUTFILE ... ENCLOSED BY '"' writes them, below a header."""

    def written(value: str) -> str:
        return "\\N" if value == "NULL" else '"' + re.sub(r'([\\"\n])', r"\\\1", value) + '"'

    return "\n".join(
        [
            separator.join(HEADERS),
            *([first] if first else []),
            *(separator.join(map(written, line)) for line in lines),
            "",
        ]
    )


def hard_rows(count: int) -> list[Row]:
    return [(*row[:3], HARD[n % len(HARD)], "NULL", *row[5:]) for n, row in enumerate(rows(count))]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotes_escaped_by_a_backslash_are_read_where_that_can_be_told(read, encoding, separator, end):
    lines = hard_rows(40)
    told = read(as_mysql(*lines, separator=separator).replace("\n", end).encode(encoding))
    assert (told.facts.escape, told.rejects) == ("\\", [])
    assert [row[3] or "" for row in told.rows.values()] == [row[3] for row in lines]
    assert {row[4] for row in told.rows.values()} == {"\\N"}


def test_they_are_read_over_the_borders_of_chunks(read, monkeypatch):
    lines = hard_rows(60)
    for size in (700, 1001, 4096):
        monkeypatch.setattr(csv_text, "CHUNK", size)
        told = read(as_mysql(*[("L0", *lines[0][1:3], '片"5"', *lines[0][4:])] * 5, *lines))
        assert (told.facts.escape, told.rejects) == ("\\", [])
        assert [row[3] or "" for row in told.rows.values()][5:] == [row[3] for row in lines]


@pytest.mark.parametrize(
    "first",
    [
        '"L0","2026-03-01","X","片""5""","1","1","男","1990-05-01"',
        '"L0","2026-03-01","X","C:\\","1","1","男","1990-05-01"',
    ],
)
def test_where_quotes_are_also_written_otherwise_it_cannot_be_told(read, first):
    told = read(as_mysql(*[(*row[:3], '片"5"片', *row[4:]) for row in rows(3)], first=first))
    assert (told.facts.escape, sorted(told.why)) == (None, [2, 3, 4])
    assert told.rows[1][3] in ('片"5"', "C:\\")


def test_backslashes_of_other_programs_are_signs_like_others(read):
    lines = [(*row[:3], value, *row[4:]) for row, value in zip(rows(4), ("C:\\", "a\\\\b", '5"', "誠"), strict=True)]
    quoted = "\n".join(",".join('"' + value.replace('"', '""') + '"' for value in line) for line in lines)
    for encoding in ("utf-8", "gb18030"):
        told = read(f"{','.join(HEADERS)}\n{quoted}\n".encode(encoding))
        assert (told.facts.escape, [row[3] for row in told.rows.values()]) == (None, [row[3] for row in lines])


def test_inspect_and_scan_say_that_quotes_are_escaped(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(as_mysql(*[(*row[:3], '片"5"', *row[4:]) for row in rows(4)]), encoding="utf-8")
    for language, said in (("zh", "引号前用反斜杠转义"), ("en", "quotes escaped by a backslash")):
        for asked in (("inspect", file), ("scan", file, "--out", tmp_path / language)):
            shown = re.sub(r"\s+", " ", liangku(*asked, "--lang", language).stdout)
            assert said in shown if language == "en" else said in shown.replace(" ", "")
    run = json.loads((tmp_path / "zh" / "run.json").read_text(encoding="utf-8"))
    assert run["inputs"][0]["csv"]["escape"] == "\\"
    assert pl.read_parquet(tmp_path / "zh" / "findings.parquet")["item_name"].unique().to_list() == ['片"5"']


# ---- through a scan ----


def findings(folder: Path) -> list[tuple[object, ...]]:
    table = pl.read_parquet(folder / "findings.parquet").drop("finding_id", "source_file", strict=False)
    return table.sort("source_record").rows()


def test_a_scan_finds_the_same_and_tells_how_it_read(tmp_path: Path) -> None:
    content = text(*rows(40)) + "合计,,,,40,1420.0,,\n"
    (tmp_path / "plain.csv").write_text(content, encoding="utf-8")
    other = tmp_path / "other.csv.gz"
    other.write_bytes(gzip.compress(("某某医院费用明细\n" + content.replace(",", ";")).encode("utf-16")))
    plain = scan(ScanRequest([tmp_path / "plain.csv"], tmp_path / "plain"))
    told = scan(ScanRequest([other], tmp_path / "other"))
    assert findings(tmp_path / "other") == findings(tmp_path / "plain")
    assert plain.summary.violations.lines == 20
    assert told.census == plain.census
    assert (told.census.read, told.census.rejected["service_time"]) == (41, 1)
    run = json.loads((tmp_path / "other" / "run.json").read_text(encoding="utf-8"))
    assert run["inputs"][0]["csv"] == {
        "encoding": "utf-16-le", "byte_order_mark": True, "line_end": "lf",
        "compression": "gzip", "separator": ";", "header_row": 2, "columns": 8, "records": 41, "rejects": 0,
        "escape": None,
    }  # fmt: skip


def test_files_side_by_side_are_each_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(text(*rows(3)).encode())
    (tmp_path / "b.csv").write_bytes(text(*rows(3), separator="\t", end="\r\n").encode("gb18030"))
    told = scan(ScanRequest([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "out"))
    assert told.census.read == 6
    assert [each["csv"]["encoding"] for each in told.run["inputs"]] == ["utf-8", "gb18030"]


# ---- memory ----

MEMORY_CEILING_MB = 400
READ = """
import sys
from pathlib import Path
from checker.ingest.gather import gather
from checker.scan.run_record import peak_memory_mb
[facts] = [each.csv for each in gather({"lines": [sys.argv[1]]}, (), Path(sys.argv[2])).files]
print(facts.records, facts.rejects, peak_memory_mb())
"""


def test_large_files_stay_below_the_memory_ceiling_and_lose_no_line(tmp_path: Path) -> None:
    """Reading takes some 300 MB of any file: one that was held whole would not fit. Sound, of another encoding, and without one good record."""
    plain = csv_files.make(tmp_path, 160)
    lines = sum(text.count(b"\n") for text in csv_files.lines_of(plain)) - 1
    bad = {"every record with a column too many", "every record with a quote that never closes"}
    for way in ("plain", "GB18030", *sorted(bad)):
        path = csv_files.written(plain, way) if way != "plain" else plain
        (tmp_path / "work").mkdir()
        # A process counts the memory of the one that starts it as its own peak: a shell is small, a run of all tests is not.
        small = ["sh", "-c", '"$@"; exit $?', "sh"]
        ended = subprocess.run(
            [*small, sys.executable, "-c", READ, path, tmp_path / "work"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        records, rejects, peak = ended.stdout.split()
        assert (int(records), int(rejects)) == (lines, lines if way in bad else 0), way
        assert peak == "None" or int(peak) <= MEMORY_CEILING_MB, way
        shutil.rmtree(tmp_path / "work")


def test_a_header_with_a_cell_too_long_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        f'{",".join(HEADERS)},"{"x" * 200_000}"\n{"1," * len(HEADERS)}1\n', encoding="utf-8"
    )
    done = liangku("scan", tmp_path / "a.csv", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "a.csv：第 1 行读作表头有一格太长" in done.stderr
