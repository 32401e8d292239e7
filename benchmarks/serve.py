"""The service under load, beside constants on the same server: `python -m benchmarks.serve` (needs wrk, Linux, two cores).

Six servers take turns, each a process of its own pinned to one core; the load comes from the other core over 16 connections.
*raw*: an ASGI function that reads the body and answers a constant. *constant*: the application of the service, with all that stands
before a request, whose `/v1/check` reads the body and answers a constant. *read*: the same, but the prescription in the body is read
as the service reads it before the constant is answered. *record*: nothing is read or judged, but the audit log has a record of each
answer before it goes out, as of the service's. *mixed*, *all*: the service itself, one in ten lines restricted, or all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

CONNECTIONS = 16
LINES = 5
BODIES = 120_000
"""So many that the service sees none of them twice."""
_LUA = """
local bodies = {}
init = function(args)
  wrk.headers["Content-Type"] = "application/json"
  for line in io.lines("%s") do bodies[#bodies + 1] = wrk.format("POST", "/v1/check", wrk.headers, line) end
end
local next_one = 0
request = function() next_one = next_one %% #bodies + 1; return bodies[next_one] end
"""
_FIRST_SECONDS = 10
"""So long it is loaded before it is measured: a process is slower at first. These seconds are told apart."""
_KINDS = ("raw", "constant", "read", "record", "mixed", "all")
_AIM, _P99 = 3000, 10.0
"""Prescriptions a second with one line in ten restricted, at least, and milliseconds of the 99th percentile, at most."""


async def raw(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that reads the body and answers a constant."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def serve(kind: str, port: int, data: Path) -> None:
    """Run one of the servers in this process."""
    import uvicorn

    application: Any = raw
    protocol: Any = "auto"
    if kind != "raw":
        from checker.ingest.prescription import Prescription, read_prescription
        from checker.service import checks
        from checker.service.app import Service
        from checker.service.books import Reviewed
        from checker.service.connection import limited_protocol
        from checker.service.http_json import json_response, parse, read_body
        from checker.service.national.profile import read_profile
        from checker.service.review import Desk
        from checker.service.settings import Settings

        settings = Settings(port=port, data=data)
        desk = Desk(settings)

        async def constant(request: Any) -> Any:
            await read_body(request, settings.limits)
            return json_response({})

        async def read(request: Any) -> Any:
            read_prescription(
                parse(await read_body(request, settings.limits), settings.limits), source="-", now=datetime.now()
            )
            return json_response({})

        async def record(request: Any) -> Any:
            await read_body(request, settings.limits)
            desk.books.record(Reviewed([nothing_found], ((),), desk.library), [nobody], (), channel="native")
            return json_response(nothing_found)

        nobody = Prescription("dispense", datetime.now(), {}, (), (), ())
        nothing_found = {"verdict": "clear", "findings": [], "checked_lines": LINES}
        checks.check = {"constant": constant, "read": read, "record": record}.get(kind, checks.check)
        application, protocol = Service(desk, read_profile(), settings), limited_protocol(settings.limits)
    uvicorn.run(
        application,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        date_header=False,
        ws="none",
        http=protocol,
    )


def write_bodies(file: Path, share: float) -> None:
    """Write prescriptions of five lines, the given share of the lines restricted."""
    from checker.model.embedded import embedded_edition_folder

    rng = random.Random(7)
    restricted = _restricted_codes(embedded_edition_folder())
    lines = []
    for number in range(BODIES):
        items = []
        for line in range(LINES):
            code = (
                rng.choice(restricted)
                if rng.random() < share
                else f"XA{rng.randrange(10, 99)}BCZ{rng.randrange(900, 999)}A001010{rng.randrange(10**6):06d}"[:23]
            )
            items.append(
                {
                    "line_id": f"{number}-{line}",
                    "item_code": code,
                    "item_name": "药品",
                    "quantity": 1,
                    "amount": rng.randrange(1, 99),
                }
            )
        lines.append(json.dumps({
            "stage": "dispense", "service_time": "2026-03-01T10:00:00", "insured_region": "370800", "institution_id": "H37081100001",
            "visit_id": f"V{number}", "patient": {"id": f"P{number}", "sex": rng.choice(("male", "female")),
            "birth_date": f"{rng.randrange(1940, 2025)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"},
            "diagnoses": ["J06.900"], "lines": items,
        }, ensure_ascii=False))  # fmt: skip
    file.write_text("\n".join(lines), encoding="utf-8")


def _restricted_codes(folder: Path) -> list[str]:
    import duckdb

    rows = duckdb.sql(f"SELECT match, code FROM read_parquet('{folder / 'pattern.parquet'}') ORDER BY code").fetchall()
    return [code if match == "code" else code.ljust(23 if code[0] == "X" else 20, "0") for match, code in rows]


def load(port: int, script: Path, seconds: int) -> dict[str, float]:
    """Send requests from the other core; requests a second, and the median and the 99th percentile in milliseconds."""
    done = subprocess.run(
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "--latency", "-s", str(script), f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    if "Non-2xx" in done or "Socket errors" in done:
        raise RuntimeError(done)
    units = {"us": 0.001, "ms": 1.0, "s": 1000.0}

    def percentile(which: str) -> float:
        value, unit = re.search(rf"{which}%\s+([\d.]+)(us|ms|s)", done).groups()  # type: ignore[union-attr]
        return float(value) * units[unit]

    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1])  # type: ignore[index]
    return {"rate": rate, "p50": percentile("50"), "p99": percentile("99")}


def run(kind: str, folder: Path, script: Path, seconds: int) -> dict[str, float]:
    """Start a server on its own core, load it, and stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = Path(tempfile.mkdtemp(dir=folder))
    began = time.perf_counter()
    server = subprocess.Popen(
        [
            "taskset",
            "-c",
            "0",
            sys.executable,
            "-m",
            "benchmarks.serve",
            "--serve",
            kind,
            "--port",
            str(port),
            "--data",
            str(data),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), 1):
                    break
            except OSError:
                if server.poll() is not None or time.perf_counter() - began > 30:
                    raise RuntimeError(f"{kind}: the server did not start") from None
                time.sleep(0.005)
        ready = time.perf_counter() - began
        first = load(port, script, _FIRST_SECONDS)
        measured = load(port, script, seconds)
        status = Path(f"/proc/{server.pid}/status").read_text()
        return measured | {
            "first_rate": first["rate"],
            "first_p99": first["p99"],
            "ready": ready,
            "memory": int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024,
        }  # type: ignore[index]
    finally:
        server.terminate()
        server.wait(20)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", choices=_KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, default=Path(), help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.port, given.data)
        return
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("two cores are needed: one for the server, one for the load")
    taken: dict[str, list[dict[str, float]]] = {kind: [] for kind in _KINDS}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, share in (("mixed", 0.1), ("all", 1.0)):
            write_bodies(folder / f"{name}.jsonl", share)
            (folder / f"{name}.lua").write_text(_LUA % (folder / f"{name}.jsonl"))
        for _ in range(given.rounds):
            for kind in _KINDS:
                taken[kind].append(
                    run(kind, folder, folder / ("all.lua" if kind == "all" else "mixed.lua"), given.seconds)
                )
    figures = {
        kind: {name: statistics.median(each[name] for each in runs) for name in runs[0]} for kind, runs in taken.items()
    }
    for kind, each in figures.items():
        print(
            f"{kind:9} {each['rate']:8,.0f}/s  p50 {each['p50']:6.2f} ms  p99 {each['p99']:6.2f} ms  "
            f"ready {each['ready']:5.2f} s  {each['memory']:5.0f} MB  (first {_FIRST_SECONDS} s: {each['first_rate']:8,.0f}/s  p99 {each['first_p99']:6.2f} ms)"
        )
    mixed = figures["mixed"]
    for said, met in (
        (f"mixed: {mixed['rate']:,.0f}/s (at least {_AIM:,})", mixed["rate"] >= _AIM),
        (f"mixed: p99 {mixed['p99']:.2f} ms (at most {_P99:.0f})", mixed["p99"] <= _P99),
    ):
        print(said, "met" if met else "NOT MET")
    for kind in ("mixed", "all"):
        print(f"{kind} / constant: {figures[kind]['rate'] / figures['constant']['rate']:.1%}")


if __name__ == "__main__":
    main()
