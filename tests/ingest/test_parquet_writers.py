"""Parquet as other programs write it: what an old time is, is told by the writer of the file, or asked; texts without a mark are texts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.commands import Done, liangku

CHILDREN_ONLY = "XN05CDM084X001010102000"
SPARK = b"parquet-mr version 1.13.1 (build a)"
WRITERS = {SPARK: "utc", b"impala version 4.1.0-RELEASE (b": "local"}
_OWN = b"parquet-cpp-arrow version "


def written_by(path: Path, writer: bytes | None, time: datetime, birth: datetime, **further: str) -> Path:
    """Write one line of a drug for children with INT96 times, and the writer's name in place of ours."""
    frame = {"line_id": ["1"], "fee_ocur_time": [time], "med_list_codg": [CHILDREN_ONLY], "cnt": ["1"], "brdy": [birth]}
    table = pa.table(frame | {name: [value] for name, value in further.items()})
    pq.write_table(table, path, use_deprecated_int96_timestamps=True, store_schema=False)
    return path if writer is None else signed_by(path, writer)


def signed_by(path: Path, writer: bytes) -> Path:
    """The file with another writer's name in place of ours."""
    data = path.read_bytes()
    place = data.rindex(_OWN)
    length = data[place - 1]
    path.write_bytes(data[:place] + writer.ljust(length)[:length] + data[place + length :])
    return path


def scanned(file: Path, out: Path) -> Done:
    return liangku("scan", file, "--out", out)


@pytest.mark.parametrize("further", [{}, {"file_row_number": "9"}], ids=["as it lies", "written anew"])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_child_is_a_child_whoever_wrote_the_file(tmp_path, writer, further):
    # On the day of the service, in China, the child turns 14 only tomorrow.
    early = (datetime(2026, 3, 1, 1), datetime(2012, 3, 1, 16))
    local = (datetime(2026, 3, 1, 9), datetime(2012, 3, 2))
    times = early if WRITERS[writer] == "utc" else local
    done = scanned(written_by(tmp_path / "a.parquet", writer, *times, **further), tmp_path / "out")
    assert done.returncode == 0, done.stderr


def test_a_day_later_the_child_is_too_old(tmp_path):
    file = written_by(tmp_path / "a.parquet", next(iter(WRITERS)), datetime(2026, 3, 1, 17), datetime(2012, 3, 1, 16))
    assert scanned(file, tmp_path / "out").returncode == 1
    assert pl.read_parquet(tmp_path / "out" / "findings.parquet")["service_time"].to_list() == [datetime(2026, 3, 2, 1)]


def test_an_unknown_writer_is_asked(tmp_path):
    done = scanned(
        written_by(tmp_path / "a.parquet", None, datetime(2026, 3, 1, 1), datetime(2012, 3, 1, 16)), tmp_path / "out"
    )
    assert done.returncode == 2
    assert "“brdy”" in done.stderr
    assert "INT96" in done.stderr


def test_texts_without_the_mark_of_a_text_are_texts(tmp_path):
    line = {"line_id": [b"1"], "fee_ocur_time": [b"2026-03-01"],
            "med_list_codg": [b"XG04CBA088A001010101467"], "cnt": [b"1"], "gend": ["女".encode()]}  # fmt: skip
    pq.write_table(pa.table(line), tmp_path / "a.parquet", store_schema=False)
    assert scanned(tmp_path / "a.parquet", tmp_path / "out").returncode == 1
    assert pl.read_parquet(tmp_path / "out" / "findings.parquet")["verdict"].to_list() == ["violation"]


@pytest.mark.parametrize("type_", [pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC")], ids=str)
def test_days_beyond_all_calendars_are_unreadable_and_never_later_than_every_rule(tmp_path, type_):
    """The largest number is infinity to the engine, and the year 5,881,580 to whoever wrote it."""
    most = 2 ** (type_.bit_width - 1) - 1
    right = 20_513 * (1 if type_ == pa.date32() else 86_400_000_000)
    times = [most, most - 1, -most, -(most // 100), right, right]
    births = [right // 2] * 5 + [most]
    columns = {
        name: pa.array(days, pa.int32() if type_ == pa.date32() else pa.int64()).cast(type_)
        for name, days in (("fee_ocur_time", times), ("brdy", births))
    }
    told = {"line_id": [*"abcdef"], "med_list_codg": [CHILDREN_ONLY] * 6, "cnt": ["1"] * 6}
    pq.write_table(pa.table(told | columns), tmp_path / "a.parquet")
    assert scanned(tmp_path / "a.parquet", tmp_path / "out").returncode == 4
    assert pl.read_parquet(tmp_path / "out" / "rejects.parquet").select("record", "column").sort("record").rows() == [
        (record, "fee_ocur_time") for record in (1, 2, 3, 4)
    ]
    found = pl.read_parquet(tmp_path / "out" / "findings.parquet").sort("line_id")
    assert found.select("line_id", "verdict", "remarks").rows() == [
        ("e", "violation", []), ("f", "undetermined", ["person_unreadable"]),
    ]  # fmt: skip
