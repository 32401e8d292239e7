"""What may explain a finding otherwise, and what does not though it looks like it: many persons in one scan."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from checker.scan.handover.explained import CHILDREN
from tests.handover.sheets import Run, Sheet, codes

HERE, THERE, JOINT = "H39010100001", "H39010109001", "H39010109002"


class Town:
    """One sheet of many persons; by the name of each case the number of the line that is looked at."""

    def __init__(self) -> None:
        self.sheet = Sheet()
        self.lines: dict[str, str] = {}
        # Each case has an item of its own, so that none is a cluster.
        self._women = iter(codes("service-sex", "sex = 'female'", 60))
        of_sex = set(codes("service-sex", "TRUE", 10_000))
        self.child = [code for code in codes("service-child-only", "age_word = '儿童'", 100) if code not in of_sex][:6]

    def accuse(self, case: str, person: str, **cells: object) -> None:
        """A woman's item charged to a man."""
        of_case = {"国标代码": next(self._women), "性别": "男", "人员编号": person} | cells
        self.lines[case] = self.sheet.add(**of_case)

    def visit(self, person: str, times: int = 1, **cells: object) -> None:
        """Other visits of the person; a woman's unless said otherwise."""
        for _ in range(times):
            self.sheet.add(人员编号=person, **cells)

    def scan(self, folder: Path, *further: str) -> dict[str, str | None]:
        """The class of each case; the run is kept."""
        self.run: Run = self.sheet.scan(folder, *further)
        classes = self.run.classes()
        self.found = {case: classes[line] for case, line in self.lines.items()}
        return self.found


@pytest.fixture(scope="module")
def conflicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    town, folder = Town(), tmp_path_factory.mktemp("conflicts")
    _of_limits(town)
    _of_lines_that_do_not_count(town)
    _of_keys(town, folder / "结算.csv")
    _of_ids(town)
    return town.scan(folder, "--settlements", str(folder / "结算.csv"))


def _of_limits(town: Town) -> None:
    for case, birth, sex in (
        ("other adult birth", "1990-05-06", "女"), ("birth of a child", "2020-05-06", "女"), ("other sex, age asked", "1985-03-04", "男"),
    ):  # fmt: skip
        town.lines[case] = town.sheet.add(国标代码=town.child.pop(), 人员编号=case)
        town.visit(case, 2, 出生日期=birth, 性别=sex)
    town.accuse("other birth, sex asked", "B1")
    town.visit("B1", 2, 性别="男", 出生日期="2020-05-06")
    for case, contradicting, agreeing in (("most", 2, 1), ("tie", 1, 1), ("few", 1, 2)):
        town.accuse(case, case)
        town.visit(case, contradicting)
        town.visit(case, agreeing, 性别="男")


def _of_lines_that_do_not_count(town: Town) -> None:
    for case in ("void", "taken back", "uploaded twice"):
        town.accuse(case, case)
        town.visit(case, 1, 性别="男")
    town.visit("void", 3, 有效标志="0")
    for number in range(3):
        town.visit("taken back", 住院号=f"TB{number}")
        town.visit("taken back", 住院号=f"TB{number}", 数量=-1, 金额=-20)
    for _ in range(3):
        town.visit("uploaded twice", 住院号="UT", 流水号="UT1")


def _of_keys(town: Town, settlements: Path) -> None:
    """A visit that lines and settlements tell by different keys is one."""
    town.accuse("two keys", "two keys")
    town.visit("two keys", 性别="男")
    town.visit("two keys", 住院号="TK", 结算ID="S1")
    settlements.write_text("结算ID,人员编号,性别,出生日期\nS1,two keys,女,1985-03-04\n", encoding="utf-8")


def _of_ids(town: Town) -> None:
    for person in ("0", "000", "99999", "-", "无", "null", "散客", "00001"):
        town.accuse(f"id {person}", person)
        town.visit(person, 2)
    town.accuse("both sexes and no birth", "CARD8", 出生日期="")
    town.visit("CARD8", 1, 性别="男", 出生日期="")
    town.visit("CARD8", 9, 出生日期="")
    town.accuse("id written otherwise", "W123456")
    for written in (" W123456", "'W123456", "W123456\u200b", "Ｗ１２３４５６"):
        town.visit(written)
    town.accuse("id of many", "CARD7")
    for year in range(4):
        town.visit("CARD7", 出生日期=f"19{70 + year}-01-01")
    # Numbers that each institution gives out for itself.
    for number in range(8):
        town.visit(str(number + 1), 国标代码=town.child[0], 出生日期="2021-01-01")
        town.visit(
            str(number + 1), 国标代码=town.child[0], 机构编码=THERE, 出生日期=f"202{number % 3 + 2}-0{number + 1}-01"
        )
    town.accuse("local id", "77")
    town.visit("77", 9, 机构编码=THERE)
    town.accuse("national id", "110101198503040025")
    town.visit("110101198503040025", 2, 机构编码=THERE)
    # Numbers that two institutions share.
    for number in range(20):
        for place in (HERE, JOINT):
            town.visit(f"Q{number}", 国标代码=town.child[0], 机构编码=place, 出生日期=f"2021-01-{number + 1:02d}")
    town.accuse("shared id", "Q99")
    town.visit("Q99", 2, 机构编码=JOINT)


@pytest.mark.parametrize("case", ["birth of a child", "most", "id written otherwise", "national id", "shared id"])
def test_visits_that_clear_the_person_of_this_finding_explain_it(conflicts: dict[str, str | None], case: str) -> None:
    assert conflicts[case] == "person_conflict"


@pytest.mark.parametrize(
    "case",
    [
        "other adult birth", "other sex, age asked", "other birth, sex asked", "tie", "few", "void", "taken back", "uploaded twice", "two keys", "id 0",
        "id 000", "id 99999", "id -", "id 无", "id null", "id 散客", "id 00001", "both sexes and no birth", "id of many", "local id",
    ],
)  # fmt: skip
def test_what_does_not_bear_on_the_finding_or_is_not_surely_of_the_person_explains_nothing(
    conflicts: dict[str, str | None], case: str
) -> None:
    assert conflicts[case] is None


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Town:
    town = Town()
    one, other, *_ = town.child

    def two(case: str, *days: int, **cells: object) -> None:
        for code, day in zip((one, other), days, strict=True):
            of_case: dict[str, object] = {
                "国标代码": code,
                "住院号": case,
                "人员编号": case,
                "费用发生日期": datetime(2026, 2, day, 9),
            }
            town.lines[case] = town.sheet.add(**of_case | {"机构编码": f"H3901011{len(town.lines):04d}"} | cells)

    two("one day", 3, 3, 机构编码="H39010110000")
    two("weeks apart", 3, 27, 机构编码="H39010110001")
    two("no care type", 3, 3, 机构编码="H39010110002", 医疗类别="")
    two("stay", 3, 3, 机构编码="H39010110003", 医疗类别="21")
    two("old patient", 3, 3, 机构编码="H39010110004", 出生日期="1941-01-01")
    for number in range(60):
        town.sheet.add(国标代码=(one, other)[number % 2], 机构编码="H39010110009", 出生日期="2020-01-01")
    for number in range(12):
        two(
            f"wrong codes {number}",
            number + 1,
            number + 1,
            机构编码="H39010110005",
            医院项目名称=f"成人护理{number % 2}",
        )
    for case, sex, birth in (
        ("flag of a man", "男", "1985-01-01"), ("flag of a mother", "女", "1985-01-01"), ("flag of a schoolchild", "女", "2018-01-01"),
        ("flag of an old woman", "女", "1940-01-01"),
    ):  # fmt: skip
        town.accuse(case, case, 性别=sex, 出生日期=birth, 新生儿标志="1")
    town.scan(tmp_path_factory.mktemp("children"))
    return town


def test_items_of_one_child_on_one_day_are_a_parents_card(children: Town) -> None:
    found = children.found
    assert found["one day"] == "parents_card"
    for case in ("weeks apart", "no care type", "stay", "old patient"):
        assert found[case] is None, case
    assert {found[f"wrong codes {number}"] for number in range(12)} == {"cluster"}


def test_a_newborn_is_under_its_mother_only_where_the_record_may_be_hers(children: Town) -> None:
    found = children.found
    assert found["flag of a mother"] == "newborn"
    for case in ("flag of a man", "flag of a schoolchild", "flag of an old woman"):
        assert found[case] is None, case
    issues = dict(children.run.quality.select("issue", "lines").iter_rows())
    assert (issues["newborn_under_mother"], issues["newborn_flag_odd"]) == (1, 3)


@pytest.mark.parametrize(
    ("departments", "see_children_alone"),
    [
        (("儿科", "小儿外科", "儿内科", "新生儿科", "儿童口腔科", "儿科门诊", "门诊 儿科", "中医儿科", "Pediatrics"), True),
        (("内儿科", "内、儿科", "内/儿科", "内 儿科", "内科儿科", "全科、儿科", "妇产科、儿科", "妇儿科", "成人儿童口腔科", "胎儿医学科",
          "产前诊断与胎儿中心", "孕产与儿童保健科", "内科", "Internal medicine, pediatrics"), False),
    ],
)  # fmt: skip
def test_a_department_that_sees_children_sees_nobody_else(
    departments: tuple[str, ...], see_children_alone: bool
) -> None:
    for department in departments:
        assert bool(re.search(CHILDREN, department)) is see_children_alone, department
