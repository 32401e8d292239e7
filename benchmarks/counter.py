"""One prescription of five lines, checked again and again in one process: `python -m benchmarks.counter`."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

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


def measure(repetitions: int) -> dict[str, float]:
    """Return the median and the 99th percentile of one full answer as JSON text, in milliseconds."""
    from checker.precheck.counter import Precheck

    precheck = Precheck.open(often=True)
    precheck.prepare()
    taken = []
    for _ in range(repetitions + 50):
        start = time.perf_counter()
        answer = precheck.check(PRESCRIPTION)
        text = json.dumps(answer, ensure_ascii=False, default=str)
        taken.append((time.perf_counter() - start) * 1000)
    if json.loads(text)["verdict"] != "violation":
        raise AssertionError(f"the example is a violation, the answer says {text[:300]}")
    taken = taken[50:]
    return {"p50": statistics.median(taken), "p99": statistics.quantiles(taken, n=100)[98], "repetitions": repetitions}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2000)
    print(json.dumps(measure(parser.parse_args().repetitions)))


if __name__ == "__main__":
    main()
