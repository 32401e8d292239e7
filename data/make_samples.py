"""Make the samples in data/samples from data/samples/plan: plants as typed, ordinary lines by chance (fixed seed).

Run: python data/make_samples.py [DIRECTORY]. Expected findings come from the plan alone, never from the checker.
"""

from __future__ import annotations

import csv
import random
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

SAMPLES = Path(__file__).parent / "samples"
SEED = 20260128
NATIONAL_LINES = 20_000
PHARMACY_LINES = 250
FIRST_DAY, LAST_DAY = date(2025, 6, 1), date(2026, 4, 30)
IN_PERSON = "2"
"""Where ordinary lines are paid (pay_loc): at the institution."""
AREA = "990101"
"""An administrative division that exists nowhere: no person and no institution of the samples can be real."""

INSTITUTIONS = (
    ("H99010100011", "示例市第一人民医院", "02", "三级甲等综合"),
    ("H99010100012", "示例市妇幼保健院", "03", "专科"),
    ("H99010100013", "示例市中医院", "05", "中医"),
    ("H99010100014", "示例区人民医院", "05", "综合"),
    ("H99010100015", "示例市儿童医院", "03", "专科"),
    ("H99010100016", "示例街道社区卫生服务中心", "09", "基层"),
)
PHARMACIES = (("P99010100011", "示例大药房一店"), ("P99010100012", "示例大药房二店"), ("P99010100013", "示例平价药店"))
BASIC = "职工基本医疗保险"
"""Who pays ordinary sales (险种类别)."""
DIAGNOSES = {
    "adult": ("I10.x00", "E11.900", "J06.900", "K29.500", "M54.500", "J44.900", "N18.900", "G47.000"),
    "child": ("J06.900", "J20.900", "K52.900", "J45.900"),
    "newborn": ("P59.900", "P07.300", "Z00.100"),
}
DEPARTMENTS = ("内科", "外科", "全科", "中医科", "急诊科", "骨科", "神经内科", "呼吸内科")

FEE = dict.fromkeys(
    ("bkkp_sn", "mdtrt_id", "setl_id", "init_feedetl_sn", "rx_drord_no", "fixmedins_code", "fixmedins_name", "psn_no",
     "insu_admdvs", "pay_loc", "med_type", "chrgitm_lv", "hilist_code", "hilist_name", "list_type", "med_list_codg",
     "medins_list_codg", "medins_list_name", "med_chrgitm_type", "bilg_dept_name", "dscg_tkdrug_flag", "matn_fee_flag",
     "vali_flag"),
    pl.String,
) | {
    "fee_ocur_time": pl.Datetime("ms"), "cnt": pl.Decimal(16, 4), "pric": pl.Decimal(16, 6),
    "pric_uplmt_amt": pl.Decimal(16, 6), "prd_days": pl.Decimal(4, 0), "det_item_fee_sumamt": pl.Decimal(16, 2), "inscp_amt": pl.Decimal(16, 2),
}  # fmt: skip
PERSON = (
    "psn_no", "certno", "gend", "brdy", "age", "insutype", "nwb_flag", "insu_admdvs", "pay_loc",
    "fixmedins_code", "fixmedins_name", "hosp_lv", "med_type",
)  # fmt: skip
SETTLEMENT = dict.fromkeys(("setl_id", "mdtrt_id", "init_setl_id", *PERSON, "refd_setl_flag", "vali_flag"), pl.String)
VISIT = dict.fromkeys(("mdtrt_id", *PERSON, "dscg_maindiag_code", "vali_flag"), pl.String) | {
    "brdy": pl.Date,
    "begntime": pl.Datetime("ms"),
    "endtime": pl.Datetime("ms"),
}
DIAGNOSIS = dict.fromkeys(
    ("setl_list_diag_id", "setl_id", "mdtrt_id", "psn_no", "diag_type", "maindiag_flag", "diag_code", "vali_flag"),
    pl.String,
)
PHARMACY = (
    "流水号", "药店编码", "药店名称", "销售时间", "inf_time", "国家医保编码", "药品名称", "数量", "单价", "金额",
    "性别", "出生日期", "年龄", "参保人性别", "参保人出生日期", "医疗类别", "自费标志", "退费标志", "原费用流水号",
    "诊断编码", "险种类别", "开方机构等级",
)  # fmt: skip

FINDING = (
    "line_id", "rule_id", "verdict", "level", "reason_code", "exemption_id", "remarks", "quantity", "amount", "why",
)  # fmt: skip
SKIPPED = ("invalid", "context", "refund", "self_paid")
RULES = (
    "drug-sex", "service-sex", "drug-child-only", "drug-child-limited", "service-child-only", "herb-single",
    "herb-never-paid", "drug-injury-insurance", "drug-maternity-insurance", "drug-visit-mode", "drug-institution-level", "drug-online",
    "service-age", "drug-course", "service-course", "service-frequency", "service-cycle", "service-pair",
    "surgery-discount", "drug-indication", "drug-second-line",
)  # fmt: skip
LATER = {"piece": "herb-single", "never_paid": "herb-never-paid", "later": "drug-indication"}
"""The rules that limit the items so used after the last day of ordinary lines: decoction pieces, and drugs."""
BESIDE_SECOND_LINE = ("XA02", "XA10", "XL01", "XL02", "XL04")
"""The classes of the drugs of the second line in use."""

RECEIVERS = ("male", "female", "child", "newborn")
"""Who may get the restricted items that plan/items.csv gives to them."""

LIST_TYPES = {"X": ("101", "09"), "Z": ("101", "11"), "T": ("102", "10"), "C": ("301", "08")}
"""list_type and med_chrgitm_type by the first letter of the code; services are 201 and 05."""

Row = dict[str, Any]
Number = Decimal | None


@dataclass(frozen=True, slots=True)
class Item:
    """An item of plan/items.csv; `used_as` says who gets it in ordinary lines (planned: nobody; piece, never_paid, later: all, before it is limited)."""

    used_as: str
    code: str
    name: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person; `kind` is male, female (grown-ups), child (5 to 10 years), newborn, plain (facts missing)."""

    number: str
    kind: str
    sex: str
    birth: date | None


def id_number(birth: str, sex: str, serial: int, *, broken: bool = False) -> str:
    """Return an ID number of a place that exists nowhere, with the right check character unless `broken`.

    >>> id_number("1990-05-01", "2", 7)
    '990101199005010147'
    """
    body = f"{AREA}{birth.replace('-', '')}{serial % 500 * 2 + (sex == '1'):03d}"
    check = "10X98765432"[sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(body)) % 11]
    return body + ("0" if check != "0" else "1") if broken else body + check


def plain_number(value: Number) -> str:
    """Write a number without trailing zeros, '' for none."""
    return "" if value is None else f"{value.normalize():f}"


def number(value: Any) -> Number:
    """Read a number of the plan; '' is none."""
    return None if value == "" else Decimal(str(value))


def read_items(plan: Path) -> dict[str, Item]:
    """Read the items by name."""
    with (plan / "items.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["name"]: Item(row["used_as"], row["code"], row["name"], Decimal(row["price"])) for row in rows}


def read_plants(path: Path) -> list[Row]:
    """Read the plants of one plan file."""
    return list(tomllib.loads(path.read_text(encoding="utf-8"))["plant"])


class Expected:
    """The expected findings and counts of one sample, as typed in the plan."""

    def __init__(self) -> None:
        self.findings: list[tuple[str, ...]] = []
        self.counts: Counter[str] = Counter()

    def line(self, line_id: str, why: str, plan: Row, quantity: Number, amount: Number) -> None:
        """Take the expectations of one line: `expect` into findings, `count` into counts."""
        self.counts["read"] += 1
        self.counts.update(plan.get("count", ()))
        for text in plan.get("expect", ()):
            rule, verdict, *rest = text.split()
            level = rest.pop(0) if rest and "=" not in rest[0] else ""
            more = dict(part.split("=") for part in rest)
            left = more.pop("net", f"{plain_number(quantity)}/{plain_number(amount)}").replace("-", "").split("/")
            told = [more.pop(key, "") for key in ("reason", "exemption", "remarks")]
            if more or rule not in RULES:
                raise ValueError(f"{line_id}: cannot read {text!r}")
            self.findings.append((line_id, rule, verdict, level, *told, *left, why))

    def count_rows(self, sample: str) -> Iterator[tuple[str, str, int]]:
        """Give the rows of expected/counts.csv."""
        counts = self.counts
        yield sample, "read", counts["read"]
        yield sample, "judged", counts["read"] - counts["rejected"] - sum(counts[kind] for kind in SKIPPED)
        yield from ((sample, f"skipped.{kind}", counts[kind]) for kind in SKIPPED)
        yield sample, "rejected", counts["rejected"]
        yield sample, "fully_refunded", counts["fully_refunded"]
        yield sample, "refunds_without_original", counts["refund_without_original"]
        yield sample, "duplicates", counts["duplicate"]
        yield sample, "not_in_scope", counts["not_in_scope"]
        yield sample, "not_judged", counts["not_judged"]
        yield from ((sample, f"not_in_force.{rule}", counts[f"not_in_force:{rule}"]) for rule in RULES)


class National:
    """The national extract under construction: rows of the four tables."""

    def __init__(self, items: dict[str, Item]) -> None:
        self.items = items
        self.fees: list[Row] = []
        self.settlements: list[Row] = []
        self.visits: list[Row] = []
        self.diagnoses: list[Row] = []
        self.expected = Expected()

    def fee(self, item: Item, when: datetime | None, numbers: tuple[Number, Number], place: int, **columns: Any) -> Row:
        """Append a fee line (`numbers`: quantity and amount); `columns` win over the item's. Returns the row."""
        list_type, charge_type = LIST_TYPES.get(item.code[0], ("201", "05"))
        name = re.sub(r"\(202[56]\)$", "", item.name)
        row = {
            "fee_ocur_time": when, "fixmedins_code": INSTITUTIONS[place][0], "fixmedins_name": INSTITUTIONS[place][1],
            "insu_admdvs": AREA, "pay_loc": IN_PERSON, "med_type": "11", "dscg_tkdrug_flag": "0", "matn_fee_flag": "0", "cnt": numbers[0], "pric": item.price,
            "det_item_fee_sumamt": numbers[1], "inscp_amt": numbers[1], "chrgitm_lv": "02", "list_type": list_type,
            "hilist_code": item.code, "hilist_name": name, "med_list_codg": item.code, "medins_list_name": name,
            "medins_list_codg": f"{item.code[:1]}{sum(map(ord, item.name)) % 100000:05d}",
            "med_chrgitm_type": charge_type, "bilg_dept_name": "内科", "vali_flag": "1",
        } | columns  # fmt: skip
        self.fees.append(row)
        return row

    def headers(self, columns: Row, settlements: list[Row], visits: list[Row]) -> None:
        """Append settlement and visit headers: shared `columns`, each with its own overrides."""
        self.settlements += [{**columns, "refd_setl_flag": "0", "vali_flag": "1", **own} for own in settlements]
        self.visits += [{**columns, "vali_flag": "1", **own} for own in visits]

    def diagnosis(self, setl_id: str | None, mdtrt_id: str | None, psn_no: str, place: int, **columns: Any) -> None:
        """Append a diagnosis of a visit."""
        self.diagnoses.append({
            "setl_list_diag_id": f"D{len(self.diagnoses) + 1:07d}", "setl_id": setl_id, "mdtrt_id": mdtrt_id,
            "psn_no": psn_no, "diag_type": "1", "maindiag_flag": "1" if place == 0 else "0", "vali_flag": "1",
        } | columns)  # fmt: skip

    def write(self, folder: Path) -> None:
        """Write the four tables, lines in the order of their time."""
        folder.mkdir(parents=True, exist_ok=True)
        self.fees.sort(key=lambda row: (row["fee_ocur_time"] or datetime.max, row["bkkp_sn"] or ""))
        tables = {
            "fee_list_d": (self.fees, FEE), "setl_d": (self.settlements, SETTLEMENT),
            "mdtrt_d": (self.visits, VISIT), "setl_list_diag_d": (self.diagnoses, DIAGNOSIS),
        }  # fmt: skip
        for name, (rows, schema) in tables.items():
            columns = {
                column: [None if row.get(column) == "" else row.get(column) for row in rows] for column in schema
            }
            table = pl.DataFrame(columns, schema=schema)
            table.write_parquet(folder / f"{name}.parquet", compression="zstd", compression_level=19)


def plant_national(sample: National, plants: list[Row]) -> None:
    """Put the plants of plan/national.toml into the extract."""
    for serial, plant in enumerate(plants):
        lines = [plant | line for line in plant.get("lines", [{}])]
        keys = {"setl_id": f"S-{plant['id']}", "mdtrt_id": f"M-{plant['id']}", "psn_no": f"N-{plant['id']}"}
        start = plant.get("start") or next((line["time"] for line in lines if line["time"]), None)
        birth = plant.get("birth", "")
        shared = keys | _place(0, plant) | {
            "gend": plant.get("sex"), "brdy": birth, "age": plant.get("age"),
            "nwb_flag": plant.get("newborn", "0"), "insutype": "390",
        } | plant.get("headers", {})  # fmt: skip
        settlements = [_header(own, serial) for own in _as_list(plant.get("settlement", {}))]
        visits = [_header(own, serial) for own in _as_list(plant.get("visit", {}))]
        days = {"begntime": start, "endtime": plant.get("end")}
        opened = {name: datetime.fromisoformat(day) if day else None for name, day in days.items()}
        visits = [opened | own for own in visits]
        sample.headers(shared, settlements, visits)
        for visit in sample.visits[len(sample.visits) - len(visits) :]:
            visit["brdy"] = date.fromisoformat(visit["brdy"]) if visit["brdy"] else None
        for place, diagnosis in enumerate(plant.get("diagnoses", ["J06.900"])):
            columns = {"diag_code": diagnosis} if isinstance(diagnosis, str) else diagnosis
            named = {"setl_id": plant.get("settlement_id"), "mdtrt_id": plant.get("visit_id")}
            own = keys | {key: value for key, value in named.items() if value is not None}
            sample.diagnosis(**(own | {"place": place} | columns))
        for line in lines:
            item = sample.items[line["item"]]
            quantity, amount = number(line.get("quantity", 1)), number(line.get("amount", 20))
            when = datetime.fromisoformat(line["time"]) if line["time"] else None
            columns = {
                "bkkp_sn": line["id"], "psn_no": keys["psn_no"], "init_feedetl_sn": line.get("original"),
                "setl_id": line.get("settlement_id", keys["setl_id"]), "mdtrt_id": line.get("visit_id", keys["mdtrt_id"]),
                "vali_flag": line.get("valid", "1"), "med_type": plant.get("med_type", "11"),
                "rx_drord_no": line.get("prescription"), "med_list_codg": line.get("code", item.code),
                "hilist_code": line.get("hilist_code", line.get("code") or item.code),
                "inscp_amt": number(line.get("in_scope", line.get("amount", 20))),
            } | {name: number(value) if isinstance(FEE[name], pl.Decimal) else value for name, value in line.get("columns", {}).items()}  # fmt: skip
            sample.fee(item, when, (quantity, amount), line.get("institution", 1) - 1, **columns)
            sample.expected.line(line["id"], plant["why"], line, quantity, amount)


def _as_list(value: Row | list[Row]) -> list[Row]:
    return value if isinstance(value, list) else [value]


def _header(own: Row, serial: int) -> Row:
    """Read a header's overrides: an ID number is written as birth, sex and, where wanted, broken."""
    number_of = own.get("certno")
    return own | {"certno": id_number(serial=serial + 1, **number_of)} if number_of else dict(own)


def _place(place: int, plant: Row) -> Row:
    institution = INSTITUTIONS[place]
    return {
        "fixmedins_code": institution[0], "fixmedins_name": institution[1], "hosp_lv": institution[2],
        "insu_admdvs": AREA, "pay_loc": IN_PERSON, "med_type": plant.get("med_type", "11"),
    }  # fmt: skip


def make_people(chance: random.Random, count: int) -> list[Person]:
    """Invent people. Children are 5 to 10 years old on every day of the sample."""
    people = []
    birth: date | None
    for serial in range(count):
        kind = chance.choices(("male", "female", "child", "plain"), (42, 44, 12, 2))[0]
        child = kind == "child"
        first, last = (date(2015, 5, 1), date(2020, 5, 31)) if child else (date(1938, 1, 1), date(2004, 12, 31))
        birth = first + timedelta(days=chance.randrange((last - first).days))
        sex = {"male": "1", "female": "2"}.get(kind) or chance.choice("12")
        if kind == "plain":
            sex, birth = chance.choice("09"), None
        people.append(Person(f"99{serial + 1:010d}", kind, sex, birth))
    return people


def fill_national(sample: National, chance: random.Random, total: int) -> None:
    """Add ordinary visits up to `total` lines: ordinary items for all, restricted ones only for whom they are meant."""
    fitting = {use: [item for item in sample.items.values() if item.used_as == use] for use in RECEIVERS}
    # Of ten ordinary lines one is of a decoction piece and one of a drug that is limited later.
    ordinary = [item for item in sample.items.values() if item.used_as == "ordinary"]
    fitting["ordinary"] = [*ordinary * 3, *(item for item in sample.items.values() if item.used_as in LATER)]
    people = make_people(chance, 1500)
    days = (LAST_DAY - FIRST_DAY).days - 12
    serial = 0
    while len(sample.fees) < total:
        serial += 1
        start = some_time(chance, days)
        person = chance.choice(people)
        if serial % 60 == 0:
            born = (start - timedelta(days=chance.randrange(3))).date()
            person = Person(f"98{serial:010d}", "newborn", chance.choice("12"), born)
        _visit(sample, chance, f"{start:%Y%m%d}{serial:06d}", person, start, fitting, total)


def some_time(chance: random.Random, days: int) -> datetime:
    """Choose a time by day within `days` of the sample's beginning."""
    day = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day) + timedelta(days=chance.randrange(days))
    return day + timedelta(minutes=480 + chance.randrange(600))


def _visit(
    sample: National, chance: random.Random, key: str, person: Person, start: datetime,
    fitting: dict[str, list[Item]], total: int,
) -> None:  # fmt: skip
    """Add one ordinary visit with its headers, diagnoses and lines."""
    place = chance.randrange(len(INSTITUTIONS))
    stays = person.kind == "newborn" or chance.random() < 0.12
    med_type = "21" if stays else "11"
    keys = {"setl_id": f"S{key}", "mdtrt_id": f"M{key}", "psn_no": person.number}
    born = person.birth.isoformat() if person.birth else ""
    identified = person.birth and chance.random() < 0.8
    shared = keys | _place(place, {"med_type": med_type}) | {
        "gend": person.sex, "age": str(age_on(person.birth, start.date())) if person.birth else "",
        "certno": id_number(born, person.sex, int(person.number[-4:])) if identified else "",
        "nwb_flag": "1" if person.kind == "newborn" else "0", "insutype": chance.choice(("310", "390")),
    }  # fmt: skip
    group = person.kind if person.kind in ("child", "newborn") else "adult"
    codes = chance.sample(DIAGNOSES[group], chance.choice((1, 1, 2)))
    end = start + timedelta(days=8) if stays else start
    opened = {"brdy": person.birth, "begntime": start, "endtime": end, "dscg_maindiag_code": codes[0] if stays else ""}
    sample.headers(shared, [{"brdy": born}], [opened])
    for order, code in enumerate(codes):
        sample.diagnosis(keys["setl_id"], keys["mdtrt_id"], person.number, order, diag_code=code)
    count = chance.randrange(8, 32) if stays else chance.randrange(1, 7)
    bought: list[Item] = []
    returned: list[Item] = []
    for order in range(min(count, total - len(sample.fees))):
        restricted = person.kind in RECEIVERS and chance.random() < (0.4 if person.kind == "newborn" else 0.06)
        item = chance.choice(fitting[person.kind if restricted else "ordinary"])
        quantity = Decimal(chance.choice((1, 1, 1, 2, 3, 6)) if item.code[0] in "XZT" else 1)
        when = start + timedelta(minutes=chance.randrange(8 * 24 * 60) if stays else 5 * order)
        columns: Row = {
            "bkkp_sn": f"{key}{order:04d}", **keys, "med_type": med_type, "rx_drord_no": f"R{key}{order // 5:02d}",
            "bilg_dept_name": chance.choice(DEPARTMENTS), "chrgitm_lv": chance.choice(("01", "02", "02", "03")),
        }  # fmt: skip
        if item.code[0] in "XZ":
            columns["prd_days"] = Decimal(chance.choice((3, 5, 7, 14)))
        tag = [] if restricted else chance.choices(([], ["invalid"], ["refund"]), (980, 8, 12))[0]
        # To keep the counts plain only ordinary drugs and pieces are given back: services contain others, what has no national code counts
        # beside pieces, and some drugs beside those of the second line.
        if tag == ["refund"] and (
            item.code[0] not in "XZT" or item.used_as == "later" or item.code.startswith(BESIDE_SECOND_LINE)
        ):
            tag = []
        # A piece is bought or given back in a visit, never both: its refund has no original.
        if item.used_as in LATER and item in returned:
            tag = ["refund"]
        elif tag == ["refund"] and item.used_as in LATER and item in bought:
            tag = []
        if tag == ["invalid"]:
            columns["vali_flag"] = "0"
        sign = -1 if tag == ["refund"] else 1
        row = sample.fee(item, when, (sign * quantity, sign * quantity * item.price), place, **columns)
        counted = [f"not_in_force:{LATER[item.used_as]}"] if item.used_as in LATER and not tag else tag
        sample.expected.line(row["bkkp_sn"], "", {"count": counted}, None, None)
        (bought if not tag else returned if tag == ["refund"] else []).append(item)
    # Refunds of limited pieces, and of others beside one, are netted; a line of the visit and item is the original.
    beside = any(item.used_as == "piece" for item in bought)
    open_refunds = [item for item in returned if item.code[0] == "T" and item not in bought]
    sample.expected.counts["refund_without_original"] += sum(beside or item.used_as in LATER for item in open_refunds)


def age_on(birth: date, day: date) -> int:
    """Completed years, as the extract's age column has them."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def make_pharmacy(items: dict[str, Item], plants: list[Row], chance: random.Random, folder: Path) -> Expected:
    """Write pharmacy/sales.csv: the plants, then ordinary sales by chance."""
    expected = Expected()
    rows: list[list[str] | str] = []
    for plant in plants:
        row = _planted_sale(items, plant)
        rows += [plant.get("raw") or [row[column] for column in PHARMACY]] * plant.get("times", 1)
        numbers = [row[column] if re.fullmatch(r"[-\d.]*", row[column]) else "" for column in ("数量", "金额")]
        expected.line(plant["id"], plant["why"], plant, number(numbers[0]), number(numbers[1]))
        expected.counts["read"] += plant.get("times", 1) - 1
    drugs = [item for item in items.values() if item.code[0] in "XZ"]
    fitting = {use: [item for item in drugs if item.used_as == use] for use in ("male", "female", "child", "ordinary")}
    people = make_people(chance, 120)
    for serial in range(PHARMACY_LINES):
        row = _ordinary_sale(chance, serial, chance.choice(people), fitting)
        rows.append([row.get(column, "") for column in PHARMACY])
        expected.line(row["流水号"], "", {}, None, None)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "sales.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(PHARMACY)
        for cells in rows:
            if isinstance(cells, str):
                file.write(cells + "\r\n")
            else:
                writer.writerow(cells)
    return expected


def _planted_sale(items: dict[str, Item], plant: Row) -> dict[str, str]:
    """The cells of a pharmacy plant."""
    item = items[plant.get("item", "益母草颗粒")]
    usual = {
        "流水号": plant["id"], "药店编码": PHARMACIES[0][0], "药店名称": PHARMACIES[0][1], "国家医保编码": item.code,
        "药品名称": item.name, "数量": "1", "单价": "18.50", "金额": "18.50", "医疗类别": "41", "自费标志": "0",
        "退费标志": "0", "险种类别": BASIC,
    }  # fmt: skip
    return dict.fromkeys(PHARMACY, "") | usual | plant.get("cells", {})


def _ordinary_sale(
    chance: random.Random, serial: int, person: Person, fitting: dict[str, list[Item]]
) -> dict[str, str]:
    """The cells of an ordinary sale: a restricted item only for whom it is meant, on a child's own card."""
    restricted = person.kind in fitting and chance.random() < 0.15
    item = chance.choice(fitting[person.kind if restricted else "ordinary"])
    shop, when, count = chance.choice(PHARMACIES), some_time(chance, 330), chance.choice((1, 1, 2, 3))
    sex, born = {"1": "男", "2": "女"}.get(person.sex, "未知"), person.birth.isoformat() if person.birth else ""
    card = (sex, born) if person.kind == "child" or chance.random() < 0.5 else ("男", "1968-04-09")
    return {
        "流水号": f"XS{when:%Y%m%d}{serial:05d}", "药店编码": shop[0], "药店名称": shop[1],
        "销售时间": f"{when:%Y-%m-%d %H:%M:%S}", "国家医保编码": item.code, "药品名称": item.name, "数量": str(count),
        "单价": str(item.price), "金额": str(count * item.price), "性别": sex, "出生日期": born, "参保人性别": card[0],
        "参保人出生日期": card[1], "医疗类别": "41", "自费标志": "0", "退费标志": "0", "险种类别": BASIC,
    }  # fmt: skip


def write_table(path: Path, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Write a CSV of the expected folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def make_prescription_table(plan: Path, folder: Path) -> None:
    """Write what the plan expects of the prescriptions: the findings and, per file, verdict, exit code and what is not judged."""
    findings, answers = [], []
    for plant in read_plants(plan / "prescriptions.toml"):
        expected = Expected()
        for line in [plant, *plant.get("lines", ())]:
            quantity, amount = number(line.get("quantity", 1)), number(line["amount"])
            expected.line(line["line"], plant["why"], line, quantity, amount)
        findings += [(plant["file"], *row) for row in expected.findings]
        not_judged = "|".join(plant.get("not_judged", ()))
        answers.append((plant["file"], plant["verdict"], plant["exit_code"], not_judged, plant["why"]))
    write_table(folder / "findings_prescriptions.csv", ("file", *FINDING), findings)
    write_table(folder / "answers_prescriptions.csv", ("file", "verdict", "exit_code", "not_judged", "why"), answers)


def make(target: Path) -> None:
    """Make all samples in `target` from the committed plan."""
    plan = SAMPLES / "plan"
    items = read_items(plan)
    national = National(items)
    plant_national(national, read_plants(plan / "national.toml"))
    fill_national(national, random.Random(SEED), NATIONAL_LINES)
    national.write(target / "national")
    pharmacy = make_pharmacy(items, read_plants(plan / "pharmacy.toml"), random.Random(SEED + 1), target / "pharmacy")
    write_table(target / "expected" / "findings_national.csv", FINDING, sorted(national.expected.findings))
    write_table(target / "expected" / "findings_pharmacy.csv", FINDING, sorted(pharmacy.findings))
    counts = [*national.expected.count_rows("national"), *pharmacy.count_rows("pharmacy")]
    write_table(target / "expected" / "counts.csv", ("sample", "what", "count"), counts)
    make_prescription_table(plan, target / "expected")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
