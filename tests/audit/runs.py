"""Runs for tests of what becomes of them: the samples, scanned, and what people may have done to the files since."""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import duckdb

from checker.model.out_folder import seal
from tests.commands import ROOT, liangku

NATIONAL = ROOT / "data" / "samples" / "national"


def sample_run(folder: Path) -> Path:
    """Scan the samples into a folder of `folder`, and return it; its key for persons lies beside it."""
    shutil.copytree(_scanned(), folder, dirs_exist_ok=True)
    return folder / "out"


@functools.cache
def _scanned() -> Path:
    """The folder of a run and its key; it lies there until the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="liangku-run-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    done = liangku(
        "scan", NATIONAL / "fee_list_d.parquet", "--settlements", NATIONAL / "setl_d.parquet", "--visits", NATIONAL / "mdtrt_d.parquet",
        "--diagnoses", NATIONAL / "setl_list_diag_d.parquet", "--out", folder / "out", "--person-key", folder / "person.key",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return folder


def change_findings(
    run: Path,
    values: Mapping[str, str],
    *,
    without: str = "",
    only: str = "TRUE",
    times: int = 1,
    document: Mapping[str, object] | None = None,
) -> None:
    """Write the findings of a run anew, some columns with other values (SQL), or each several times, and name them in its run.json, in which `document`
    takes the place of what stands there. `only` some are left where a condition (SQL) says of which."""
    file = run / "findings.parquet"
    replaced = f" REPLACE ({', '.join(f'{value} AS {name}' for name, value in values.items())})" if values else ""
    left_out = f" EXCLUDE ({without})" if without else ""
    duckdb.sql(
        f"COPY (SELECT *{left_out}{replaced} FROM '{file}', range({times}) r(i) WHERE {only}) TO '{run / 'new'}' (FORMAT parquet)".replace(
            ", range(1) r(i)", ""
        )
    )
    (run / "new").replace(file)
    whole = json.loads((run / "run.json").read_text(encoding="utf-8")) | dict(document or {})
    whole["results"][file.name] = {
        "bytes": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    whole["seal"] = seal(whole)
    (run / "run.json").write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
