"""What a file is by its name and its first bytes: a kind that is read, or one that is named with what to do instead."""

from __future__ import annotations

import re
from pathlib import PurePath

from checker.model.errors import InputError

_TEXTS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".dat": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
}  # fmt: skip
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".et", ".ods", ".html", ".htm", ".xml")
"""How the names of workbooks end; which form they are of their bytes tell."""
TABLES = {".parquet": "parquet", ".pq": "parquet", **_TEXTS, **dict.fromkeys(WORKBOOKS, "xlsx"), ".zip": "zip"}
"""The ends of names that are read, and what they are; behind that of a text its compression may stand."""
PACKINGS = (".gz", ".bz2", ".xz", ".zst", ".lz4")
PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}
"""How compressed texts begin, whatever their names, and how the library calls that."""
SUFFIXES = TABLES | {f"{text}{packing}": kind for text, kind in _TEXTS.items() for packing in PACKINGS}
_UNFINISHED = (".tmp", ".inprogress", ".crdownload", ".part", ".partial", ".download")
BEGINNING = 4096
"""So many bytes tell what a file is."""
_PARQUET, _ZIP, _OLD_WORKBOOK = b"PAR1", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_JSON = re.compile(rb"\{\s*[\"}]|\[\s*(?:[\[\]]|\{\s*[\"}]|\"[^\"\n]*\"\s*[,\]])")
_SEVERAL_LINES = re.compile(rb"\[\s*\{|[\[{]\s*\n")
_MARKUP = re.compile(rb"<[!?a-zA-Z]")
_GOES_ON = re.compile(rb"[A-Za-z0-9_,;|\t]")
_SQL = re.compile(rb"^\s*(?:insert\s+into|create\s+table|drop\s+table)\b", re.IGNORECASE | re.MULTILINE)

_UNPACK = "请先解压", "unpack it first"
_RENAME = "请改成相应的扩展名", "give it its own suffix"
_AS_TABLE = (
    "请提供 Parquet、CSV、JSON、Excel 文件或它们的 ZIP 包",
    "give Parquet, CSV, JSON, Excel or a ZIP archive of them",
)
_AS_PARQUET = "请另存为 Parquet 或 CSV", "write it out as Parquet or CSV"
_AS_WORKBOOK = "请用 Excel/WPS 打开后另存为 .xlsx", "save it as .xlsx"
_OF_DATABASE = "请导入数据库后用 --from 读取，或导出为 CSV", "load it into a database for --from, or export CSV"
_LATER = "像是还没有写完，请写完后再扫描", "it seems not to be whole yet"
_ADVICE = {
    _UNPACK: (".rar", ".7z", ".tar", ".tgz", *PACKINGS, ".lzo", ".snappy", ".deflate"),
    _AS_PARQUET: (".orc", ".avro", ".arrow", ".feather", ".pkl", ".rds", ".dta", ".sav", ".sas7bdat"),
    _AS_WORKBOOK: (".numbers", ".mht"),
    _OF_DATABASE: (".sql", ".dmp", ".mdb", ".accdb", ".db", ".sqlite", ".duckdb", ".dbf", ".mdf"),
    _AS_TABLE: (".doc", ".docx", ".wps", ".pdf", ".jpg", ".png"),
    _LATER: _UNFINISHED,
}
_OTHERS = {
    _ZIP: ("ZIP 压缩包或 Excel 工作簿", _RENAME), _OLD_WORKBOOK: ("旧版 Excel 工作簿", _RENAME),
    b"Rar!": ("RAR 压缩包", _UNPACK), b"7z\xbc\xaf": ("7z 压缩包", _UNPACK),
    b"ORC": ("ORC 文件", _AS_PARQUET), b"Obj\x01": ("Avro 文件", _AS_PARQUET), b"SEQ\x06": ("Hadoop 序列文件", _AS_PARQUET),
    b"ARROW1": ("Arrow 文件", _AS_PARQUET), b"PARE": ("加密的 Parquet 文件", _AS_PARQUET), b"MIME-Version:": ("单个文件网页", _AS_WORKBOOK),
    b"SQLite format 3": ("SQLite 数据库", _OF_DATABASE), b"%PDF": ("PDF 文件", _AS_TABLE),
}  # fmt: skip
"""What begins so is no text and no table that is read, whatever its name says."""


class UnknownKindError(InputError):
    """A file that is none of the kinds that are read."""


def suffix_of(name: str) -> str:
    """The end of a file's name that tells what it is; '' for what is not read."""
    return next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")


def kind_of(path: PurePath, start: bytes, *, alone: bool) -> str:
    """What a file is whose first bytes these are: parquet, csv, json, jsonl, xlsx (all that has sheets) or zip.

    A file that somebody named by itself (`alone`) may be a text under any name. Raises UnknownKindError, and InputError where its
    bytes are not those of its name.
    """
    name = path.name.lower()
    if start.startswith(_PARQUET) and not name.endswith(_UNFINISHED):
        # Hive and Impala write Parquet without any suffix.
        return "parquet"
    kind = SUFFIXES.get(suffix_of(name)) or _unnamed(path, alone=alone)
    if start.startswith(b"PK") and not _GOES_ON.match(start, 2) and kind in ("zip", "xlsx"):
        return kind
    if start.startswith(_OLD_WORKBOOK) and kind == "xlsx":
        return kind
    for sign, (told, (chinese, english)) in _OTHERS.items():
        # A header may begin with such letters: PKID, ORCD, PARENT_ID.
        if start.startswith(sign) and not (sign.isalnum() and _GOES_ON.match(start, len(sign))):
            raise InputError(f"{path}：其实是{told}，与扩展名不符，{chinese}（not what its name says: {english}）")
    if kind == "parquet":
        raise InputError(f"{path}：不是 Parquet 文件，请检查扩展名或重新导出（not a Parquet file）")
    return kind if kind == "zip" or start.startswith(tuple(PACKED)) else _kind_of_text(path, kind, start)


def _unnamed(path: PurePath, *, alone: bool) -> str:
    """The kind of a file whose name tells none: Hadoop's have no suffix at all, and who names a text by itself means it."""
    bare = next((path.with_suffix("") for end in PACKINGS if path.suffix.lower() == end), path)
    (chinese, english), listed = next(
        ((advice, True) for advice, ends in _ADVICE.items() if bare.name.lower().endswith(ends)), (_AS_TABLE, False)
    )
    if bare != path and suffix_of(bare.name):
        (chinese, english), listed = _UNPACK, True
    if not listed and (alone or not bare.suffix):
        return "csv"
    raise UnknownKindError(f"{path}：不支持的文件类型“{path.suffix}”，{chinese}（unsupported file type: {english}）")


def _kind_of_text(path: PurePath, kind: str, start: bytes) -> str:
    """The kind of a text, by how it begins: programs write web pages under the names of workbooks, and JSON under any name."""
    # Of UTF-16 the ASCII characters are left.
    begun = re.sub(rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)|\0", b"", start).lstrip()
    if _MARKUP.match(begun) and kind != "jsonl":
        return "xlsx"
    if _JSON.match(begun):
        # Of lines of objects none begins an array of them, or an object alone.
        return "jsonl" if kind == "jsonl" and not _SEVERAL_LINES.match(begun) else "json"
    if kind in ("csv", "xlsx") and _SQL.search(begun):
        raise InputError(f"{path}：其实是 SQL 语句，{_OF_DATABASE[0]}（statements of SQL: {_OF_DATABASE[1]}）")
    return "csv" if kind == "xlsx" else kind
