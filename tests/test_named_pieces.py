"""Decoction pieces with local codes are told by their names, in a scan and at the counter."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from checker.model.errors import InputError
from checker.precheck.counter import Precheck
from checker.scan.request import ScanRequest
from checker.scan.scan import scan

PIECE, ANGELICA = "T001700233", "当归"
LINES: tuple[tuple[dict[str, str], str | None], ...] = (
    ({"item_code": "YP1", "item_name": "阿胶（烊化）", "charge_type": "中药饮片费"}, PIECE),
    ({"item_code": "YP2", "item_name": "阿胶", "charge_type": "10"}, PIECE),
    ({"item_code": "YP3", "item_name": ANGELICA, "charge_type": "10"}, None),
    ({"item_code": "YP4", "item_name": "阿胶", "charge_type": "中成药费"}, None),
    ({"item_code": "YP5", "item_name": "阿胶", "charge_type": ""}, None),
    ({"item_code": "YP6", "item_name": "阿胶颗粒", "charge_type": "中药饮片"}, None),
    ({"item_code": "", "local_item_code": "YPA", "item_name": "阿胶", "charge_type": "10"}, PIECE),
    ({"item_code": "", "local_item_code": "YPB", "item_name": "阿胶", "charge_type": "中成药费"}, None),
    ({"item_code": "", "local_item_code": "T001700999", "item_name": "阿胶", "charge_type": "10"}, None),
    ({"item_code": "", "local_item_code": "YPC", "local_item_name": "阿胶(烊化)", "charge_type": "中药饮片"}, PIECE),
    ({"item_code": "XN05CDM084X001010102000", "item_name": "阿胶", "charge_type": "中药饮片"}, None),
)


def _whole(cells: dict[str, str], number: int) -> dict[str, str]:
    return {"line_id": f"{number}", "quantity": "10", "amount": "32", "amount_in_scope": "32"} | cells


def _found(rows: list[dict[str, Any]]) -> dict[str, tuple[str, str, str]]:
    return {
        row["line_id"]: (row["item_code"], row["local_item_code"], row["matched_by"])
        for row in rows
        if row["rule_id"] == "herb-never-paid"
    }


def test_a_scan_and_the_counter_tell_pieces_by_their_names(tmp_path: Path) -> None:
    rows = [_whole(cells, number) for number, (cells, _) in enumerate(LINES)]
    # A code of two names tells nothing in a file, where nobody knows which of them is meant.
    rows += [
        _whole({"item_code": "YP9", "item_name": name, "charge_type": "10"}, 90 + n)
        for n, name in enumerate(("阿胶", ANGELICA))
    ]
    wanted = {
        f"{number}": (code, cells["item_code"] or cells["local_item_code"], "name")
        for number, (cells, code) in enumerate(LINES)
        if code
    }
    with (tmp_path / "lines.csv").open("w", encoding="utf-8", newline="") as stream:
        columns = dict.fromkeys(name for row in rows for name in row)
        writer = csv.DictWriter(stream, [*columns, "service_time", "patient_sex"], restval="")
        writer.writeheader()
        writer.writerows(row | {"service_time": "2026-06-01", "patient_sex": "2"} for row in rows)
    scan(ScanRequest([tmp_path / "lines.csv"], tmp_path / "out"))
    assert _found(pl.read_parquet(tmp_path / "out" / "findings.parquet").to_dicts()) == wanted
    answer = Precheck.open().check({"service_time": "2026-06-01", "patient": {"sex": "F"}, "lines": rows[: len(LINES)]})
    assert _found(answer["findings"]) == wanted
    unknown = {row["line_id"] for row in answer["findings"] if row["reason_code"] == "unknown_code"}
    assert unknown == {
        f"{number}"
        for number, (cells, code) in enumerate(LINES)
        if code is None and not cells["item_code"].startswith("X")
    }


@pytest.mark.parametrize("column", ["item_code", "local_item_code"])
@pytest.mark.parametrize(("name", "charge"), [("阿胶", "10"), ("当归", "10"), ("阿胶", "中成药费")])
def test_a_file_of_local_codes_alone_is_judged_as_far_as_names_tell_pieces(
    column: str, name: str, charge: str, tmp_path: Path
) -> None:
    cells = {"item_code": "", "item_name": name, "charge_type": charge} | {column: "YP1"}
    rows = [_whole(cells, 1) | {"service_time": "2026-06-01", "patient_sex": "2"}]
    with (tmp_path / "lines.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    request = ScanRequest([tmp_path / "lines.csv"], tmp_path / "out")
    if (name, charge) != ("阿胶", "10"):
        with pytest.raises(InputError, match="没有一行的项目编码是国家医保编码"):
            scan(request)
        return
    scan(request)
    assert _found(pl.read_parquet(tmp_path / "out" / "findings.parquet").to_dicts()) == {"1": (PIECE, "YP1", "name")}
