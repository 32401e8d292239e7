"""One prescription of five lines, checked again and again in one process: `python -m benchmarks.counter`.

With `--orders 200` it is an inpatient encounter of so many orders, two in five of an item that some rule limits, all rules alike, and ten lines a day
of the 60 days before.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from datetime import datetime, timedelta
from typing import Any

import duckdb

from benchmarks.shared import KNOWLEDGE

PRESCRIPTION: dict[str, Any] = {
    "stage": "dispense",
    "service_time": "2026-03-01T10:00:00",
    "insured_region": "370800",
    "patient": {"id": "P1", "sex": "female", "birth_date": "1990-05-01"},
    "insured": {"sex": "male", "birth_date": "1960-01-01"},
    "diagnoses": ["N40.x00"],
    "lines": [
        {
            "line_id": "1",
            "item_code": "XG04CBA088A001010101467",
            "item_name": "爱普列特片",
            "quantity": 1,
            "amount": 35.5,
        },
        {"line_id": "2", "item_code": "XA02BCA001A001010100001", "item_name": "普通药品", "quantity": 2, "amount": 12},
        {"line_id": "3", "item_code": "ZA01AAA0001010100001", "item_name": "普通中成药", "quantity": 1, "amount": 20},
        {"line_id": "4", "item_code": "002101030280000", "item_name": "医疗服务项目", "quantity": 1, "amount": 80},
        {"line_id": "5", "item_code": "XJ01CAA040A001010100002", "item_name": "普通药品", "quantity": 3, "amount": 30},
    ],
}
"""A woman is given a drug for men; the other lines are two ordinary drugs, a patent medicine and a service."""


_LIMITED = """SELECT list(CASE WHEN match = 'code' THEN code ELSE rpad(code, CASE WHEN code[1] = 'X' THEN 23 ELSE 20 END, '0') END ORDER BY code)
FROM '{kb}/point.parquet' JOIN '{kb}/pattern.parquet' USING (point_id) WHERE role = 'item' GROUP BY rule_id ORDER BY rule_id"""


def encounter(orders: int, days: int = 60, a_day: int = 10) -> dict[str, Any]:
    """Return an inpatient encounter of so many orders with what was charged on so many days before, of the same items."""
    lists = [held for (held,) in duckdb.execute(_LIMITED.format(kb=KNOWLEDGE)).fetchall()]
    limited = orders * 2 // 5
    codes = [lists[n % len(lists)][n // len(lists) * 7 % len(lists[n % len(lists)])] for n in range(limited)]
    codes += [f"XA02BCA001A0010101{n:05d}" if n % 2 else f"0011020{n:05d}000" for n in range(orders - limited)]
    now = datetime(2026, 11, 20, 10)

    def line(number: int, code: str) -> dict[str, Any]:
        return {
            "line_id": str(number), "item_code": code, "item_name": "项目", "quantity": 1 + number % 3, "amount": 10.5 + number, "unit_price": 5.25,
        }  # fmt: skip

    history = [
        line(10_000 + day * 100 + n, codes[(day * 13 + n * 29) % orders])
        | {"service_time": (now - timedelta(days=day + 1, hours=n % 5)).isoformat(), "visit_id": "V1"}
        for day in range(days)
        for n in range(a_day)
    ]
    return {
        "stage": "dispense", "service_time": now.isoformat(), "insured_region": "370800", "institution_id": "H37080000001", "institution_level": "3",
        "insurance_type": "310", "care_type": "21", "visit_id": "V1", "visit_start": "2026-09-20T08:00:00",
        "patient": PRESCRIPTION["patient"], "insured": PRESCRIPTION["insured"], "diagnoses": ["N40.x00", "I10.x00", "E11.900"],
        "lines": [line(n, code) for n, code in enumerate(codes)], "history": history,
    }  # fmt: skip


def measure(document: dict[str, Any], repetitions: int) -> dict[str, float]:
    """Return the median and the 99th percentile of one full answer as JSON text, in milliseconds; `cpu_p50`: of the thread's own time."""
    from checker.precheck.counter import Precheck

    precheck = Precheck.open(often=True)
    precheck.prepare()
    taken, cpu = [], []
    for _ in range(repetitions + 50):
        start, busy = time.perf_counter(), time.thread_time()
        answer = precheck.check(document)
        text = json.dumps(answer, ensure_ascii=False, default=str)
        taken.append((time.perf_counter() - start) * 1000)
        cpu.append((time.thread_time() - busy) * 1000)
    if json.loads(text)["verdict"] != "violation":
        raise AssertionError(f"the example is a violation, the answer says {text[:300]}")
    taken = taken[50:]
    return {
        "p50": statistics.median(taken), "p99": statistics.quantiles(taken, n=100)[98], "cpu_p50": statistics.median(cpu[50:]),
        "repetitions": repetitions,
    }  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--orders", type=int, help="an inpatient encounter of so many orders instead")
    args = parser.parse_args()
    document = encounter(args.orders) if args.orders else PRESCRIPTION
    print(json.dumps(measure(document, args.repetitions)))


if __name__ == "__main__":
    main()
