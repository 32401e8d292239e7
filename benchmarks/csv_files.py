"""How long CSV files take to be read, against DuckDB's own `read_csv` over the same columns: `python -m benchmarks.csv_files`.

Each way is a process of its own, in turn with what it is held against; the medians count. The file has 82 columns, as the platform's
extracts have, of which the product needs 33. Read means all that comes before any line is judged: text becomes Parquet, every record is numbered and counted.
The same table is then read in other encodings, quoted, compressed and broken; `--mb 3000` makes each of three gigabytes.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from benchmarks.measure import Command, alternate, warm_cache

KNOWN = {
    "bkkp_sn": "lpad(i::VARCHAR, 30, '0')", "setl_id": "'S' || lpad((i // 5)::VARCHAR, 14, '0')",
    "mdtrt_id": "'M' || lpad((i // 7)::VARCHAR, 14, '0')", "rx_drord_no": "'R' || (i // 4)", "psn_no": "'P' || hash(i // 7) % 10000000",
    "gend": "1 + hash(i // 7) % 2", "brdy": "(DATE '1940-01-01' + (hash(i // 7) % 28000)::INT)::VARCHAR", "nwb_flag": "0",
    "fee_ocur_time": "strftime(TIMESTAMP '2026-01-01' + to_seconds((hash(i) % 7776000)::BIGINT), '%Y-%m-%d %H:%M:%S')",
    "med_list_codg": "CASE WHEN i % 500 = 0 THEN 'XG04CBA088A001010101467' ELSE 'XN02BEA000A0010' || lpad((hash(i) % 9000)::VARCHAR, 8, '0') END",
    "hilist_name": "'某某注射用药品' || hash(i) % 9000", "medins_list_codg": "'YP' || hash(i) % 9000",
    "medins_list_name": "'院内药品名称' || hash(i) % 9000", "cnt": "1 + hash(i) % 9", "pric": "(hash(i) % 9000) / 100",
    "det_item_fee_sumamt": "(hash(i + 1) % 90000) / 100", "inscp_amt": "(hash(i + 1) % 90000) / 100",
    "fixmedins_code": "'H' || lpad((hash(i // 7) % 500)::VARCHAR, 11, '0')", "fixmedins_name": "'某某市第' || hash(i // 7) % 500 || '人民医院'",
    "hosp_lv": "hash(i // 7) % 9", "med_type": "21", "insutype": "310", "insu_admdvs": "330100", "medins_admdvs": "330100",
    "bilg_dept_name": "'心血管内科' || hash(i // 7) % 20", "bilg_dr_name": "'王医生' || hash(i // 7) % 900", "prd_days": "7",
    "sin_dos_dscr": "'每次一片'", "used_frqu_dscr": "'每日三次'", "spec": "'10mg×12片'", "drug_trac_codg": "hash(i)", "vali_flag": "1",
    "dscg_maindiag_code": "'I10.x00'",
}  # fmt: skip
"""The columns that the product needs, with values as real files have them."""
OTHERS = 82 - len(KNOWN)
FILLED = (
    "''",
    "'0'",
    "(hash(i) % 1000 / 100)::VARCHAR",
    "'2026-03-01 00:00:00'",
    "'自费药品'",
    "'A' || hash(i + 7) % 100000000",
)
BYTES_PER_LINE = 787
CHUNK = 1 << 24


def make(folder: Path, megabytes: int) -> Path:
    """Write the plain file: UTF-8, commas, line feeds, no quotes."""
    plain = folder / "plain.csv"
    others = {f"extra_{n}": FILLED[n % len(FILLED)] for n in range(OTHERS)}
    columns = ", ".join(f"{value} AS {name}" for name, value in (KNOWN | others).items())
    lines = megabytes * 1_000_000 // BYTES_PER_LINE
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            f"COPY (SELECT {columns} FROM range({lines}) t(i)) TO '{plain}' (FORMAT csv, HEADER, QUOTE '')"
        )
    return plain


def lines_of(plain: Path) -> Iterator[bytes]:
    """The plain file in pieces of whole lines."""
    held = b""
    with plain.open("rb") as file:
        while chunk := file.read(CHUNK):
            end = chunk.rfind(b"\n") + 1
            yield held + chunk[:end]
            held = chunk[end:]
    yield held


def _quoted(text: bytes) -> bytes:
    return (b'"' + text.replace(b",", b'","').replace(b"\n", b'"\n"'))[:-1]


def _spoiled(text: bytes, every: int, spoil: Callable[[bytes], bytes]) -> bytes:
    lines = text.split(b"\n")
    begin = int(text.startswith(b"bkkp_sn,"))
    lines[begin:-1:every] = [spoil(line) for line in lines[begin:-1:every]]
    return b"\n".join(lines)


def _unclosed(line: bytes) -> bytes:
    return line.replace(b",", b',"', 1)


WAYS: dict[str, Callable[[bytes], bytes]] = {
    "every value quoted": _quoted,
    "CRLF": lambda text: text.replace(b"\n", b"\r\n"),
    "GB18030": lambda text: text.decode().encode("gb18030"),
    "UTF-16": lambda text: text.decode().encode("utf-16-le"),
    "gzip": lambda text: text,
    "1 record in 1,000 with a quote that never closes": lambda text: _spoiled(text, 1000, _unclosed),
    "1 record in 1,000 with a line end in quotes": lambda text: _spoiled(text, 1000, lambda line: line.replace(b",", b',"\n",', 1)[:-1]),
    "every record with a column too many": lambda text: _spoiled(text, 1, lambda line: line + b",1"),
    "every record with a quote that never closes": lambda text: _spoiled(text, 1, _unclosed),
}  # fmt: skip
"""The same table written otherwise, or broken."""


def written(plain: Path, way: str) -> Path:
    """The plain file, written another way."""
    path = plain.with_name("other.csv.gz" if way == "gzip" else "other.csv")
    with gzip.open(path, "wb", compresslevel=1) if way == "gzip" else path.open("wb") as file:
        for text in lines_of(plain):
            file.write(WAYS[way](text))
    return path


def bare(path: Path) -> None:
    """The measure: DuckDB reads the columns that the product needs."""
    longest = ", ".join(f"max(length({name}))" for name in KNOWN)
    print(
        duckdb.sql(f"SELECT count(*), {longest} FROM read_csv('{path}', all_varchar = true, header = true)").fetchall()
    )


def read(path: Path) -> None:
    """The product reads a file as it does for a scan."""
    from checker.ingest.gather import gather

    with tempfile.TemporaryDirectory(dir=path.parent) as work:
        files = gather({"lines": [path]}, (), Path(work))
    print(*(each.csv for each in files.files))


def main() -> None:
    """Make the files, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=1000, help="size of the plain file in MB")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("benchmarks/data"))
    parser.add_argument("--ways", nargs="*", choices=list(WAYS), default=list(WAYS))
    args = parser.parse_args()
    args.data.mkdir(parents=True, exist_ok=True)
    plain = make(args.data, args.mb)
    print("| file | size | seconds | times | peak memory |\n|---|---|---|---|---|")
    _measure("bare", bare, plain, "plain", read, plain, args.repeat)
    for way in args.ways:
        other = written(plain, way)
        _measure("plain", read, plain, way, read, other, args.repeat)
        other.unlink()
    plain.unlink()


def _command(way: Callable[[Path], None], path: Path) -> Command:
    code = f"import sys; from pathlib import Path; from benchmarks.csv_files import {way.__name__}; {way.__name__}(Path(sys.argv[1]))"
    return Command([sys.executable, "-c", code, str(path)])


def _measure(
    base: str,
    base_way: Callable[[Path], None],
    base_path: Path,
    name: str,
    way: Callable[[Path], None],
    path: Path,
    repeat: int,
) -> None:
    """Run two ways in turn, and print a row: the second, in times of the first."""
    warm_cache([str(base_path), str(path)])
    runs = alternate({base: _command(base_way, base_path), name: _command(way, path)}, repeat)
    one, other = runs[base], runs[name]
    if failure := one.failure or other.failure:
        print(f"| {name} | | | {failure} | |", flush=True)
        return
    print(
        f"| {name} | {path.stat().st_size / 1e6:,.0f} MB | {other.seconds:.2f} | {other.seconds / one.seconds:.2f} × {base} ({one.seconds:.2f}) "
        f"| {other.peak_mb:.0f} MB |",
        flush=True,
    )


if __name__ == "__main__":
    main()
