"""Indicators of random tables beside plain Python, which reads the rows one by one and shares no code with the program."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.indicators.tables import CARE, CONSUMABLE, CT, DRUG, MRI, TEST, compute_tables

CLASSES = {
    DRUG: "drug",
    CONSUMABLE: "consumable",
    CT: "ct",
    MRI: "mri",
    TEST: "examination",
    CARE: "treatment",
    "院内9": "none",
}
LEVELS = {"H1": ("02", "3"), "H2": ("05", "2"), "H3": ("11", "unrated")}
CARES = {"21": "inpatient", "11": "outpatient", "41": "pharmacy", "71": None}
GRAINS = ("all", "level", "insurance", "institution")
Table = list[dict[str, str | None]]


def _tables(seed: int) -> tuple[Table, Table]:
    chance = random.Random(seed)
    lines: Table = []
    stays: Table = []
    for number in range(300):
        person, institution, care = f"P{chance.randrange(40)}", chance.choice([*LEVELS]), chance.choice([*CARES])
        insurance = chance.choice(["310", "390", None])
        start = date(2026, 1, 1) + timedelta(chance.randrange(120))
        end = start + timedelta(chance.randrange(12))
        who = {
            "psn_no": person,
            "fixmedins_code": institution,
            "med_type": care,
            "insutype": insurance,
            "hosp_lv": LEVELS[institution][0],
        }
        if care == "21":
            stays.append(
                {**who, "mdtrt_id": f"M{number}", "begntime": f"{start} 08:00:00", "endtime": f"{end} 09:00:00"}
            )
        for _ in range(chance.randrange(1, 6)):
            day = start + timedelta(chance.randrange((end - start).days + 1))
            amount = chance.randrange(1, 50_000)
            line = {
                **who, "mdtrt_id": f"M{number}", "bkkp_sn": f"B{len(lines)}", "fee_ocur_time": f"{day} 10:00:00", "cnt": "1",
                "vali_flag": chance.choice("111110"),
                "med_list_codg": chance.choice([*CLASSES]), "det_item_fee_sumamt": f"{amount / 100:.2f}",
            }  # fmt: skip
            lines.append(line)
            if chance.random() < 0.15:
                lines.append(
                    {**line, "bkkp_sn": f"B{len(lines)}", "cnt": "-1", "det_item_fee_sumamt": f"{-amount / 100:.2f}"}
                )
            if chance.random() < 0.05:
                lines.append(line)
    return lines, stays


class _Oracle:
    """What each cell holds, by (indicator, care, grain, place, month); `None` is all months."""

    def __init__(self, lines: Table, stays: Table) -> None:
        self.sums: dict[tuple[object, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.persons: dict[tuple[object, ...], set[str]] = defaultdict(set)
        seen: set[str] = set()
        visits: dict[str, Table] = defaultdict(list)
        for line in lines:
            if line["vali_flag"] == "1" and line["bkkp_sn"] not in seen:
                seen.add(str(line["bkkp_sn"]))
                visits[str(line["mdtrt_id"])].append(line)
        stay_of = {str(stay["mdtrt_id"]): stay for stay in stays}
        gone = set()
        for key, rows in visits.items():
            total = sum(round(float(str(row["det_item_fee_sumamt"])) * 100) for row in rows)
            refunds = [row for row in rows if row["cnt"] == "-1"]
            plain = [row for row in rows if row["cnt"] != "-1"]
            if refunds and total <= 0:
                gone.add(key)
            end = stay_of[key]["endtime"] if key in stay_of else None
            month = str(end or max(str(row["fee_ocur_time"]) for row in (plain or rows)))[:7]
            counts = bool(plain) and key not in gone
            for cell in self._cells(rows[0], month):
                told = self.sums[cell]
                for row in rows:
                    told[CLASSES[str(row["med_list_codg"])]] += float(str(row["det_item_fee_sumamt"]))
                told["cost"] += total / 100
                if counts:
                    told["visits"] += 1
                    self.persons[cell].add(str(rows[0]["psn_no"]))
                    if key in stay_of:
                        stay = stay_of[key]
                        told["stays"] += 1
                        told["days"] += max(
                            (
                                date.fromisoformat(str(stay["endtime"])[:10])
                                - date.fromisoformat(str(stay["begntime"])[:10])
                            ).days,
                            1,
                        )
        self._readmissions([stay for stay in stays if stay["mdtrt_id"] not in gone])

    @staticmethod
    def _cells(row: dict[str, str | None], month: str) -> list[tuple[object, ...]]:
        institution = str(row["fixmedins_code"])
        places = {
            "all": None,
            "level": LEVELS[institution][1],
            "insurance": row["insutype"] or "unknown",
            "institution": institution,
        }
        care = CARES[str(row["med_type"])]
        return [(c, grain, places[grain], m) for c in {"all", care} if c for grain in GRAINS for m in (month, None)]

    def _readmissions(self, stays: Table) -> None:
        of: dict[str, Table] = defaultdict(list)
        for stay in stays:
            of[str(stay["psn_no"])].append(stay)

        def days(stay: dict[str, str | None]) -> tuple[date, date]:
            return date.fromisoformat(str(stay["begntime"])[:10]), date.fromisoformat(str(stay["endtime"])[:10])

        for own in of.values():
            groups: list[Table] = []
            for stay in sorted(own, key=lambda each: (*days(each), str(each["mdtrt_id"]))):
                if groups and days(stay)[0] <= max(days(each)[1] for each in groups[-1]):
                    groups[-1].append(stay)
                else:
                    groups.append([stay])
            for place, group in enumerate(groups):
                last = max(group, key=lambda each: (days(each)[1], days(each)[0], str(each["mdtrt_id"])))
                left = days(last)[1]
                back = place + 1 < len(groups) and (min(days(each)[0] for each in groups[place + 1]) - left).days <= 31
                for cell in self._cells(last, str(left)[:7]):
                    self.sums[cell]["discharges"] += 1
                    self.sums[cell]["back"] += back

    def value(self, indicator: str, cell: tuple[object, ...]) -> float:
        """What an indicator should be."""
        told, persons = self.sums[cell], len(self.persons[cell])
        charged = sum(told[name] for name in set(CLASSES.values()))
        if indicator == "examination_share":
            return (told["examination"] + told["ct"] + told["mri"]) / charged * 100
        if indicator.endswith("_share"):
            return told[indicator.removesuffix("_share")] / charged * 100
        return {
            "visits": lambda: told["visits"],
            "persons": lambda: persons,
            "total_cost": lambda: told["cost"],
            "visits_per_person": lambda: told["visits"] / persons,
            "cost_per_visit": lambda: told["cost"] / told["visits"],
            "cost_per_person": lambda: told["cost"] / persons,
            "length_of_stay": lambda: told["days"] / told["stays"],
            "readmission_rate": lambda: told["back"] / told["discharges"] * 100,
        }[indicator]()


CHECKED = (
    "drug_share", "examination_share", "consumable_share", "treatment_share", "ct_share", "mri_share", "readmission_rate", "visits", "persons",
    "visits_per_person", "total_cost", "cost_per_visit", "cost_per_person", "length_of_stay",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_every_cell_is_what_plain_python_counts(tmp_path: Path, seed: int) -> None:
    lines, stays = _tables(seed)
    result = compute_tables(tmp_path, lines, stays=stays)
    oracle = _Oracle(lines, stays)
    rows = pl.read_parquet(result.out / "indicators.parquet").filter(
        pl.col("indicator").is_in(CHECKED) & pl.col("denominator").ne_missing(0.0)
    )
    wrong = []
    for row in rows.iter_rows(named=True):
        place = None if row["grain"] == "all" else row[row["grain"]]
        expected = oracle.value(row["indicator"], (row["care"], row["grain"], place, row["month"]))
        if row["value"] != pytest.approx(expected, abs=1e-6):
            wrong.append((row, expected))
    assert not wrong
    cells = {
        (row["care"], row["grain"], row[row["grain"]] if row["grain"] != "all" else None, row["month"])
        for row in rows.iter_rows(named=True)
    }
    # No cell of the oracle with visits is left out.
    assert {cell for cell, told in oracle.sums.items() if told["visits"]} <= cells


def test_the_same_inputs_give_the_same_file(tmp_path: Path) -> None:
    lines, stays = _tables(9)
    first = compute_tables(tmp_path, lines, stays=stays)
    before = pl.read_parquet(first.out / "indicators.parquet")
    again = compute_tables(tmp_path, lines, stays=stays)
    assert before.equals(pl.read_parquet(again.out / "indicators.parquet"))
