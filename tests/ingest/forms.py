"""One month of the national tables, and every form in which it may be given, with broken records of each kind that a form can hold."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from tests.ingest.test_parquet_writers import SPARK, signed_by
from tests.test_archives import packed
from tests.test_files import added, delta_table

MALE_ONLY, CHILDREN_ONLY, ORDINARY = "XG04CBA088A001010101467", "XN05CDM084X001010102000", "XA01ABD075A002010100483"
LINE = ("bkkp_sn", "init_feedetl_sn", "setl_id", "fee_ocur_time", "med_list_codg", "hilist_name", "cnt", "det_item_fee_sumamt",
        "vali_flag")  # fmt: skip
SETTLEMENT = ("setl_id", "psn_no", "gend", "brdy")
Row = dict[str, str]
Part = list[tuple[Row, str]]
"""Lines, each with what is wrong with it, or ''."""


# ---- the month ----


def month() -> tuple[list[Row], list[Row], set[str]]:
    """Lines, settlements, and the lines that violate: men's drugs sold to women, children's to adults."""
    settlements = [
        dict(zip(SETTLEMENT, (str(1001 + n), str(501 + n % 40), "120"[n % 3] if n % 9 else "2", f"{1960 + n}-05-01"), strict=True))
        for n in range(60)
    ]  # fmt: skip
    lines: list[Row] = []
    wrong: set[str] = set()
    for n in range(240):
        settlement, code = settlements[n % 60], (MALE_ONLY, ORDINARY, CHILDREN_ONLY, ORDINARY)[n * 7 % 4]
        line = dict(zip(LINE, (f"L{n}", "", settlement["setl_id"], f"2026-03-{1 + n % 28:02} 10:00:0{n % 10}", code,
                               "爱普列特片，5mg" if code == MALE_ONLY else "药品", "2", "71.00", "0" if n % 31 == 0 else "1"), strict=True))  # fmt: skip
        lines.append(line)
        grown_up = int(settlement["brdy"][:4]) < 2011
        if line["vali_flag"] == "1" and n % 40 != 8 and (
            (code == MALE_ONLY and settlement["gend"] == "2") or (code == CHILDREN_ONLY and grown_up)
        ):  # fmt: skip
            wrong.add(line["bkkp_sn"])
        if n % 40 in (8, 12):  # taken back, wholly or by half
            back, sum_ = ("-2", "-71.00") if n % 40 == 8 else ("-1", "-35.50")
            lines.append(
                line | {"bkkp_sn": f"R{n}", "init_feedetl_sn": f"L{n}", "cnt": back, "det_item_fee_sumamt": sum_}
            )
        if n % 50 == 14:
            lines.append(dict(line))
    return lines, settlements, wrong


LINES, SETTLEMENTS, WRONG = month()


def mixed(kinds: Sequence[str]) -> Part:
    """The month's lines, one that is broken in each of these ways among them."""
    told = {20 + 25 * place: kind for place, kind in enumerate(kinds)}
    part: Part = []
    for place, line in enumerate(LINES):
        if place in told:
            part.append((spoiled(line | {"bkkp_sn": f"X{place}"}, told[place]), told[place]))
        part.append((line, ""))
    return part


def spoiled(line: Row, kind: str) -> Row:
    return line | {"time": {"fee_ocur_time": "某日"}, "count": {"cnt": "两盒"}, "flag": {"vali_flag": "7"}}.get(
        kind, {}
    )


def cut(part: Part, pieces: int) -> list[Part]:
    size = -(-len(part) // pieces)
    return [part[begin : begin + size] for begin in range(0, len(part), size)]


def broken(file: object, part: Part, first: int = 1) -> set[tuple[str, int]]:
    """The places of the broken lines of a file whose lines are counted from `first`."""
    return {(str(file), place) for place, (_, kind) in enumerate(part, first) if kind}


# ---- the forms: each writes both tables into a folder, and says what is given and where the broken lines are ----

Written = tuple[Path, Path, set[tuple[str, int]]]
TEXT_FAULTS = ("missing", "too many", "quote", "NUL", "bytes", "time", "count", "flag")
TABLE_FAULTS = ("time", "count", "flag")


def text(part: Part, columns: Sequence[str], encoding: str, separator: str, end: str) -> bytes:
    header = separator.join(columns) + end
    return header.encode(encoding) + b"".join(
        record(row, kind, columns, encoding, separator, end) for row, kind in part
    )


def record(row: Row, kind: str, columns: Sequence[str], encoding: str, separator: str, end: str) -> bytes:
    encoding = {"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(encoding, encoding)
    cells = [row[name] for name in columns]
    if kind == "missing":
        cells.pop()
    if kind == "too many":
        cells.append("")
    if kind in ("quote", "NUL"):
        cells[5] = {"quote": '"', "NUL": "\0"}[kind] + cells[5]
    raw = (separator.join(cells) + end).encode(encoding)
    if kind == "bytes":
        no_text = {"utf-16-le": b"\x00\xd8", "utf-16-be": b"\xd8\x00"}.get(encoding, b"\xff")
        name = cells[5].encode(encoding)
        raw = raw.replace(name, name + no_text)
    return raw


def csv(
    encoding: str, separator: str = ",", end: str = "\n", pack: Callable[[bytes], bytes] = bytes, suffix: str = "csv"
):
    def write(folder: Path) -> Written:
        part, lines, heads = mixed(TEXT_FAULTS), folder / f"lines.{suffix}", folder / f"heads.{suffix}"
        lines.write_bytes(pack(text(part, LINE, encoding, separator, end)))
        heads.write_bytes(pack(text([(row, "") for row in SETTLEMENTS], SETTLEMENT, encoding, separator, end)))
        return lines, heads, broken(lines, part)

    return write


def zipped(folder: Path) -> Written:
    """As Windows packs in China: names in GBK, a member a week, and what somebody else left there."""
    lines, heads = folder / "三月.zip", folder / "heads.zip"
    weeks = {f"三月/第{n}周.csv": part for n, part in zip("一二三", cut(mixed(TEXT_FAULTS), 3), strict=True)}
    told = {name: text(part, LINE, "gb18030", ",", "\r\n") for name, part in weeks.items()}
    packed(lines, told | {"__MACOSX/._x.csv": b"x"}, encoding="gbk")
    packed(heads, {"heads.csv": text([(row, "") for row in SETTLEMENTS], SETTLEMENT, "utf-8", ",", "\n")})
    return lines, heads, set().union(*(broken(lines / name, part) for name, part in weeks.items()))


def workbook(folder: Path) -> Written:
    """Two sheets with titles, a blank row, times and numbers as Excel keeps them; a hidden sheet."""
    book = openpyxl.Workbook()
    book.active.title = "旧"
    book.active.sheet_state = "hidden"
    parts = dict(zip(("上旬", "下旬"), cut(mixed(TABLE_FAULTS), 2), strict=True))
    for name, part in parts.items():
        sheet = book.create_sheet(name)
        for cells in (["费用明细"], [], LINE):
            sheet.append(cells)
        for row, kind in part:
            time = row["fee_ocur_time"] if kind == "time" else datetime.fromisoformat(row["fee_ocur_time"])
            count = row["cnt"] if kind == "count" else int(row["cnt"])
            typed = {
                "fee_ocur_time": time,
                "cnt": count,
                "det_item_fee_sumamt": float(row["det_item_fee_sumamt"]),
                "setl_id": int(row["setl_id"]),
            }
            sheet.append([{**row, **typed}[name] for name in LINE])
    heads = book.create_sheet("结算")
    for cells in (SETTLEMENT, *(row.values() for row in SETTLEMENTS)):
        heads.append([*cells])
    book.save(folder / "三月.xlsx")
    lines = folder / "三月.xlsx"
    return lines, lines, set().union(*(broken(lines / name, part, 4) for name, part in parts.items()))


JSON_FAULTS = ("number", "array", "twice", "time", "count", "flag")
LINE_FAULTS = (*JSON_FAULTS, "cut", "bytes")


def document(row: Row, kind: str) -> str:
    whole = json.dumps(row, ensure_ascii=False)
    twice = whole.replace("{", '{"cnt": "1", ', 1)
    return {
        "number": "5",
        "array": "[1]",
        "twice": twice,
        "cut": whole[:-9],
        "bytes": whole.replace("药品", "\udcff"),
    }.get(kind, whole)


def json_of(form: str, encoding: str = "utf-8", suffix: str = "json", pack: Callable[[bytes], bytes] = bytes):
    def joined(part: Part) -> bytes:
        told = (
            form.replace("…", (",\n" if form else "\n").join(document(*each) for each in part))
            if form
            else "\n".join(document(*each) for each in part)
        )
        return pack(told.encode(encoding, "surrogateescape"))

    def write(folder: Path) -> Written:
        part, lines, heads = (
            mixed(JSON_FAULTS if form else LINE_FAULTS),
            folder / f"lines.{suffix}",
            folder / f"heads.{suffix}",
        )
        lines.write_bytes(joined(part))
        heads.write_bytes(joined([(row, "") for row in SETTLEMENTS]))
        return lines, heads, broken(lines, part)

    return write


# ---- Parquet ----

Typed = Callable[[str, Sequence[str]], object]
"""How a writer keeps a column: its name and texts to what pyarrow takes."""


def as_text(_: str, values: Sequence[str]) -> object:
    return pa.array([value or None for value in values], pa.string())


def numbers(of_time: Callable[[datetime], object], of_number: pa.DataType) -> Typed:
    """Times, days and numbers as such; keys and codes as numbers too, as programs do that know no difference."""

    def typed(name: str, values: Sequence[str]) -> object:
        if name == "fee_ocur_time":
            # Nobody writes a word here, but may write nothing.
            return pa.array(
                [of_time(datetime.fromisoformat(value)) if value[0] == "2" else None for value in values],
                pa.timestamp("us"),
            )
        if name == "brdy":
            return pa.array([date.fromisoformat(value) for value in values])
        if name in ("bkkp_sn", "init_feedetl_sn", "med_list_codg", "hilist_name", "cnt"):
            return as_text(name, values)
        kept = pa.decimal128(18, 4) if name == "det_item_fee_sumamt" and pa.types.is_integer(of_number) else of_number
        return pa.array([Decimal(value) if value else None for value in values]).cast(kept)

    return typed


def table(rows: Sequence[Row], columns: Sequence[str], typed: Typed) -> pa.Table:
    return pa.table({name: typed(name, [row[name] for row in rows]) for name in columns})


def parquet(typed: Typed, write_table: Callable[[pa.Table, Path], object] = pq.write_table):
    def write(folder: Path) -> Written:
        part, lines, heads = mixed(TABLE_FAULTS), folder / "lines.parquet", folder / "heads.parquet"
        write_table(table([row for row, _ in part], LINE, typed), lines)
        write_table(table(SETTLEMENTS, SETTLEMENT, typed), heads)
        return lines, heads, broken(lines, part)

    return write


def duckdb_writes(made: pa.Table, path: Path) -> None:
    duckdb.sql(f"COPY made TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)")


def spark_writes(made: pa.Table, path: Path) -> None:
    """A folder of parts with INT96 times in UTC, checksums and a mark of success."""
    path.mkdir()
    half = made.num_rows // 2
    for number, part in enumerate((made.slice(0, half), made.slice(half))):
        name = path / f"part-0000{number}-1f.snappy.parquet"
        pq.write_table(part, name, use_deprecated_int96_timestamps=True, store_schema=False, flavor="spark")
        signed_by(name, SPARK)
        (path / f".{name.name}.crc").write_bytes(b"crc")
    (path / "_SUCCESS").touch()


def spark(folder: Path) -> Written:
    typed = numbers(lambda time: time - timedelta(hours=8), pa.int64())
    lines, heads, _ = parquet(typed, spark_writes)(folder)
    part = mixed(TABLE_FAULTS)
    halves = part[: len(part) // 2], part[len(part) // 2 :]
    names = sorted(path for path in lines.iterdir() if path.name.startswith("part"))
    return lines, heads, set().union(*map(broken, names, halves))


def hive(folder: Path) -> Written:
    """A folder for each value of a column that its files no longer have, and what an unfinished job left."""
    lines, places = folder / "fee_list_d", set()
    for flag in ("0", "1", "7"):
        part = [(row, kind) for row, kind in mixed(TABLE_FAULTS) if row["vali_flag"] == flag]
        place = lines / f"vali_flag={flag}" / "000000_0"
        place.parent.mkdir(parents=True)
        pq.write_table(table([row for row, _ in part], LINE[:-1], as_text), place)
        places |= broken(place, part)
    (lines / "_temporary").mkdir()
    heads = folder / "setl_d.parquet"
    pq.write_table(table(SETTLEMENTS, SETTLEMENT, as_text), heads)
    return lines, heads, places


def delta(folder: Path) -> Written:
    """Two files that the log lists, and one that it lists no more."""
    place, part, heads = folder / "delta", mixed(TABLE_FAULTS), folder / "heads.parquet"
    log = [added("old.parquet")], [{"remove": {"path": "old.parquet"}}, added("a.parquet"), added("b.parquet")]
    delta_table(place, *log)
    halves = dict(zip("ab", cut(part, 2), strict=True))
    for name, rows in (*halves.items(), ("old", part)):
        pq.write_table(table([row for row, _ in rows], LINE, as_text), place / f"{name}.parquet")
    pq.write_table(table(SETTLEMENTS, SETTLEMENT, as_text), heads)
    return place, heads, set().union(*(broken(place / f"{name}.parquet", rows) for name, rows in halves.items()))


FORMS: dict[str, Callable[[Path], Written]] = {
    "UTF-8": csv("utf-8"),
    "UTF-8 with mark, CRLF, ;": csv("utf-8-sig", ";", "\r\n"),
    "GB18030, tab": csv("gb18030", "\t", "\r\n", suffix="txt"),
    "UTF-16LE with mark, tab": csv("utf-16", "\t", "\r\n"),
    "UTF-16BE, CR": csv("utf-16-be", ",", "\r"),
    "Hive's separator": csv("utf-8", "\x01"),
    "two signs": csv("gb18030", "||"),
    "CSV, gzip": csv("gb18030", "|", pack=gzip.compress, suffix="csv.gz"),
    "ZIP": zipped,
    "xlsx": workbook,
    "JSON lines": json_of("", suffix="jsonl"),
    "JSON lines, GB18030, gzip": json_of("", "gb18030", "jsonl.gz", gzip.compress),
    "JSON array": json_of("[…]"),
    "JSON array, UTF-16": json_of("[…]", "utf-16"),
    "JSON of Navicat": json_of('{"RECORDS": […]}'),
    "Parquet of texts": parquet(as_text),
    "Parquet of DuckDB": parquet(numbers(lambda time: time, pa.int32()), duckdb_writes),
    "Parquet of pandas": parquet(numbers(lambda time: time, pa.float64())),
    "Parquet of Oracle": parquet(numbers(lambda time: time, pa.decimal128(38, 10))),
    "Parquet of Spark": spark,
    "Hive folder": hive,
    "Delta folder": delta,
}
"""A workbook of the old format is read in test_workbooks.py: nothing among the tools of the tests writes one."""
