"""Months in which everybody keeps the rules on payment: a scan finds nothing, and finds what is then broken on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest

from checker.knowledge.edition import Edition, open_edition
from checker.model.embedded import embedded_edition_folder
from checker.scan.request import ScanRequest
from checker.scan.scan import scan

RULES = (
    "drug-injury-insurance", "drug-maternity-insurance", "drug-visit-mode", "drug-institution-level", "drug-online", "herb-never-paid", "service-age",
)  # fmt: skip
Row = dict[str, object]


class Month:
    """Settlements of a month, as the national extract has them; each kind of visit is one of the false alarms that were seen."""

    def __init__(self, codes: dict[str, list[str]], seed: int) -> None:
        self._codes, self._rng = codes, Random(seed)
        self.lines: list[Row] = []
        self.settlements: list[Row] = []
        self.diagnoses: list[Row] = []

    def visit(
        self,
        care: str,
        insurance: str,
        level: str,
        *lines: Row,
        diagnoses: tuple[str, ...] = ("I10.x00",),
        **header: object,
    ) -> None:
        """One settlement with its lines; they may say otherwise than is usual."""
        number, rng = len(self.settlements), self._rng
        time = datetime(2026, 6, 1, 9) + timedelta(days=rng.randrange(30), minutes=rng.randrange(400))
        kept: Row = {
            "setl_id": f"S{number}", "mdtrt_id": f"M{number}", "psn_no": f"N{number}", "gend": "2", "brdy": "1994-05-01", "insutype": insurance,
            "med_type": care, "hosp_lv": level, "pay_loc": "2", "fixmedins_code": "H37080000001", "fixmedins_name": "某市人民医院", "refd_setl_flag": "0",
            "vali_flag": "1",
        } | header  # fmt: skip
        self.settlements.append(kept)
        self.diagnoses += [{"setl_id": f"S{number}", "diag_code": code, "vali_flag": "1"} for code in diagnoses]
        for place, line in enumerate(lines):
            usual: Row = {
                "bkkp_sn": f"F{number}-{place}", "setl_id": f"S{number}", "mdtrt_id": f"M{number}", "psn_no": kept["psn_no"], "fee_ocur_time": str(time),
                "rx_drord_no": f"R{number}", "cnt": 1, "det_item_fee_sumamt": 120.0, "inscp_amt": 120.0, "dscg_tkdrug_flag": "0", "matn_fee_flag": "0",
                "历史医嘱": "", "开方机构等级": "",
            }  # fmt: skip
            self.lines.append(usual | line)

    def item(self, rule: str, **said: object) -> Row:
        """A line of an item that the rule limits."""
        return {"med_list_codg": self._rng.choice(self._codes[rule]), **said}

    def fill(self, count: int) -> Month:
        """A month of every kind of visit."""
        for _ in range(count):
            for kind in (
                self.deliveries, self.stays, self.day_surgery, self.pharmacies, self.refills, self.pieces, self.injuries, self.online, self.training,
            ):  # fmt: skip
                kind()
        return self

    def deliveries(self) -> None:
        drug = self.item("drug-maternity-insurance")
        self.visit("52", "310", "05", drug, diagnoses=("O80.000",))
        self.visit("2106", "390", "05", drug, diagnoses=())
        self.visit("53", "310", "05", drug, diagnoses=("I10.x00",))
        self.visit("21", "390", "01", drug, diagnoses=("D62.x00", "O72.100"))
        self.visit("21", "310", "05", drug | {"matn_fee_flag": "1"})
        self.visit("11", "510", "05", drug)
        self.visit("11", "310", "05", drug | {"inscp_amt": 0.0}, gend="1")

    def stays(self) -> None:
        inpatient = self.item("drug-visit-mode")
        self.visit("21", "310", "01", inpatient, self.item("drug-institution-level"), self.item("eye"))
        self.visit("2105", "390", "05", inpatient, self.item("drug-institution-level"))
        self.visit("11", "310", "05", inpatient | {"dscg_tkdrug_flag": "1"})
        self.visit("1301", "310", "05", self.item("emergency"))
        self.visit("11", "310", "05", inpatient | {"inscp_amt": 0.0})

    def day_surgery(self) -> None:
        self.visit("28", "310", "05", self.item("drug-institution-level"))

    def pharmacies(self) -> None:
        drug = self.item("drug-institution-level")
        place = {"fixmedins_code": "P37080000009", "fixmedins_name": "某药店"}
        self.visit("41", "310", "11", drug | {"开方机构等级": "三甲"}, diagnoses=(), **place)
        self.visit("41", "390", "08", drug | {"开方机构等级": "05"}, diagnoses=(), **place)

    def refills(self) -> None:
        drug, person = self.item("first"), f"R{len(self.settlements)}"
        self.visit(
            "11",
            "310",
            "01",
            drug | {"fee_ocur_time": "2025-09-10 10:00:00", "历史医嘱": "1", "psn_no": person},
            psn_no=person,
        )
        self.visit("11", "310", "08", drug | {"psn_no": person}, psn_no=person)
        self.visit("41", "310", "11", drug | {"psn_no": person, "开方机构等级": "一级"}, psn_no=person)

    def pieces(self) -> None:
        self.visit("11", "310", "05", self.item("herb-never-paid", inscp_amt=0.0), {"med_list_codg": "T000000001"})

    def injuries(self) -> None:
        vaccine = self.item("drug-injury-insurance")
        self.visit("11", "工伤保险", "05", vaccine)
        self.visit("11", "310", "05", vaccine | {"inscp_amt": 0.0})

    def online(self) -> None:
        self.visit("11", "310", "01", self.item("drug-online"))
        self.visit(
            "11",
            "310",
            "01",
            {"med_list_codg": "XA01AAA001A001010100001"},
            pay_loc="5",
            fixmedins_name="某市人民医院互联网医院",
        )

    def training(self) -> None:
        self.visit("21", "310", "05", self.item("service-age"), gend="1", brdy="1964-05-01")


@pytest.fixture(scope="module")
def codes() -> dict[str, list[str]]:
    """Full codes of the items of each rule; of level and care apart where the point says more."""
    folder = embedded_edition_folder()
    edition: Edition = open_edition(folder, embedded=True)
    assert edition.points
    points = pl.read_parquet(folder / "point.parquet").filter(
        pl.col("rule_id").is_in(RULES) & pl.col("valid_to").is_null()
    )
    terms = pl.read_parquet(folder / "terms.parquet")
    rows = (
        pl.read_parquet(folder / "pattern.parquet")
        .filter(pl.col("role") == "item")
        .join(points, "point_id")
        .join(terms, "point_id", how="left")
    )
    found: dict[str, list[str]] = {}
    for row in rows.sort("code").iter_rows(named=True):
        special = {"eye": "eye", "first_prescription": "first"}.get(row["rank_case"] or "", row["rule_id"])
        kind = "emergency" if row["care_groups"] == "emergency|inpatient" else special
        found.setdefault(kind, []).append(_whole(row["code"], row["match"]))
    # Some injections ask for a level and for a stay.
    found["drug-institution-level"] = sorted({*found["drug-institution-level"]} - {*found["drug-visit-mode"]})
    return found


def _whole(code: str, match: str) -> str:
    length = {"X": 23, "Z": 20}.get(code[0], len(code))
    return code if match == "code" else code + "0101010000019"[: length - len(code)]


def scanned(month: Month, folder: Path) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    """The findings of the rules on payment, and what they did not judge."""
    folder.mkdir()
    for name, rows in (("fee", month.lines), ("setl", month.settlements), ("diag", month.diagnoses)):
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / f"{name}.parquet")
    request = ScanRequest(
        [folder / "fee.parquet"],
        folder / "out",
        settlements=[folder / "setl.parquet"],
        diagnoses=[folder / "diag.parquet"],
    )
    result = scan(request)
    findings = pl.read_parquet(folder / "out" / "findings.parquet").filter(pl.col("rule_id").is_in(RULES))
    return findings, [(each.rule_id, each.missing) for each in result.not_judged if each.lines]


@pytest.mark.parametrize("seed", [1, 2])
def test_months_that_keep_the_rules_have_no_finding(seed: int, codes: dict[str, list[str]], tmp_path: Path) -> None:
    findings, not_judged = scanned(Month(codes, seed).fill(150), tmp_path / "month")
    assert findings.select("line_id", "rule_id", "verdict", "reason_code", "actual").to_dicts() == []
    assert not_judged == []


def broken() -> Iterator[tuple[str, str, Callable[[Month], None]]]:
    """Each rule, the level, and a visit that breaks it beside those that do not."""
    yield (
        "drug-maternity-insurance",
        "definite",
        lambda m: m.visit("11", "310", "05", m.item("drug-maternity-insurance"), gend="1"),
    )
    yield "drug-visit-mode", "suspect", lambda m: m.visit("28", "310", "05", m.item("drug-visit-mode"))
    yield "drug-institution-level", "definite", lambda m: m.visit("11", "310", "08", m.item("first"))
    yield "drug-institution-level", "suspect", lambda m: m.visit("11", "310", "05", m.item("eye"))
    yield "herb-never-paid", "definite", lambda m: m.visit("11", "310", "05", m.item("herb-never-paid"))
    yield "drug-injury-insurance", "definite", lambda m: m.visit("11", "390", "05", m.item("drug-injury-insurance"))
    yield "drug-online", "definite", lambda m: m.visit("11", "310", "01", m.item("drug-online"), pay_loc="5")
    yield "service-age", "suspect", lambda m: m.visit("21", "310", "05", m.item("service-age"), brdy="1964-05-01")


def test_what_is_broken_beside_them_is_found(codes: dict[str, list[str]], tmp_path: Path) -> None:
    month = Month(codes, 3).fill(3)
    before, wanted = len(month.lines), []
    for rule, level, breaking in broken():
        breaking(month)
        wanted.append((month.lines[-1]["bkkp_sn"], rule, level))
    assert len(month.lines) == before + len(wanted)
    findings, _ = scanned(month, tmp_path / "month")
    assert sorted(findings.select("line_id", "rule_id", "level").iter_rows()) == sorted(wanted)
