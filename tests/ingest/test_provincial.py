"""What the values of a province mean: the national ones, a province's over them, and every fault of a profile at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checker.ingest.profile_file import KEYS, MESSAGE_KEYS
from checker.ingest.provincial import KINDS, Provincial, read_provincial
from checker.model.errors import InputError
from checker.model.words import CARE_GROUPS, INSURANCE_GROUPS
from checker.service.national.profile import read_profile
from tests.commands import ROOT

NATIONAL = read_provincial()
CARE = {
    "inpatient": "21 22 2101 2105 2106 2107 52 5201 住院 普通住院 生育住院 21-普通住院 ２１ 21.0 生育住院(顺产) 住院(普通)",
    "day_surgery": "28 2801 日间手术",
    "home_bed": "71 家庭病床",
    "emergency": "13 1301 19 120 1201 急诊 急诊(急诊留观)",
    "outpatient": "11 1101 12 121 普通门诊 门诊 门诊（统筹） 门诊挂号",
    "chronic": "14 140104 门诊慢特病 门诊慢性病 门诊特殊病 大病门诊 门诊慢特病(慢病)",
    "maternity_outpatient": "51 生育门诊",
    "family_planning": "53 计划生育 计划生育手术费",
    "pharmacy": "41 4101 药店购药 定点药店购药 定点药店购药（个账） 药店购药(门诊统筹)",
}
INSURANCE = {
    "basic": "310 320 390 399 310.0 职工基本医疗保险 城乡居民基本医疗保险 职工医保 居民医保 离休人员医疗保障 职工基本医疗保险(含生育) "
    "职工基本医疗保险（含生育保险） 城乡居民基本医疗保险【学生】 310|职工基本医疗保险 ３１０",
    "maternity": "510 生育保险 510-生育保险",
    "injury": "工伤保险 工伤",
    "long_term_care": "410 长期护理保险",
}
RANKS = {
    3: "01 02 03 04 12 3 4 三级 三级甲等 三甲 三乙 三级(专科) 三甲医院 三级未定等 三级(未定级) 3级 Ⅲ级 【三级甲等】 02|三级甲等 12|三级无等 ０３",
    2: "05 06 07 13 5 6 7 二级 二级甲等 二甲 2级 2-二级甲等 Ⅱ级乙等",
    1: "08 09 10 14 8 9 一级 一级甲等 1级 1|一级",
}
HOSTILE = (None, "", "-", "无", "null", "未知", "x" * 10_000, "11" * 5_000, "\x00", "\x1b[31m", "()" * 90, "(" * 199, ")(", "*", "0", "999999999",
           "﷽" * 150)  # fmt: skip


def told(words: dict[str, str]) -> list[tuple[str, str]]:
    return [(value, group) for group, values in words.items() for value in values.split()]


def written(folder: Path, text: str) -> Provincial:
    path = folder / "province.toml"
    path.write_text(text, encoding="utf-8")
    return read_provincial(path)


@pytest.mark.parametrize(("value", "group"), told(CARE))
def test_care_types_come_down_to_groups(value: str, group: str) -> None:
    assert NATIONAL.care_group(value) == group
    assert NATIONAL.tells("care_type", value)


@pytest.mark.parametrize(
    "value",
    ["1", "2", "15", "99", "体检", "门急诊", "门诊(急诊)", "急诊（门诊）", "住院(生育)", "门诊(慢特病)", "011", "41.5"],
)
def test_a_care_type_of_no_group_or_of_two_is_unknown(value: str) -> None:
    assert NATIONAL.care_group(value) is None
    assert not NATIONAL.tells("care_type", value)


@pytest.mark.parametrize(("value", "group"), told(INSURANCE))
def test_insurance_types_come_down_to_groups(value: str, group: str) -> None:
    assert NATIONAL.insurance_group(value) == group


@pytest.mark.parametrize(
    "value",
    ["309", "400", "3101", "31", "511", "职工医保(工伤)", "510|职工医保", "商业保险", "职工医保及生育保险", "310/510"],
)
def test_an_insurance_type_of_no_group_or_of_two_is_unknown(value: str) -> None:
    assert NATIONAL.insurance_group(value) is None


@pytest.mark.parametrize(
    ("value", "rank"), [(value, rank) for rank, values in RANKS.items() for value in values.split()]
)
def test_levels_have_ranks(value: str, rank: int) -> None:
    assert NATIONAL.institution_rank(value) == rank
    assert not NATIONAL.is_unrated(value)


@pytest.mark.parametrize("value", ["11", "未定级", "未评级", "无等级", "药店", "11|无等级"])
def test_no_level_is_known(value: str) -> None:
    assert NATIONAL.institution_rank(value) is None
    assert NATIONAL.is_unrated(value)
    assert NATIONAL.tells("institution_level", value)


@pytest.mark.parametrize(
    "value",
    [
        "1",
        "2",
        "15",
        "1-3",
        "3-5",
        "三级及以上",
        "三级以下",
        "三级(二级收费)",
        "二级/三级",
        "02|二级甲等",
        "11|三级",
        "001",
        "未达三级",
        "三级待定",
        "三级(待定)",
        "三级（等级待评）",
        "12-三级待定",
        "03(待定)",
        "三级?",
        "三级(非)",
        "非三级",
        "拟三级",
        "三级拟",
        "未定三级",
        "二级(待评)",
        "二级甲等(申报三级)",
        "三甲(创建)",
        "二级(暂定)",
        "三级(否)",
        "二级未定",
        "一级(已撤销)",
        "不是三级",
    ],
)
def test_what_may_be_either_level_is_unknown(value: str) -> None:
    assert NATIONAL.institution_rank(value) is None
    assert not NATIONAL.is_unrated(value)
    assert not NATIONAL.tells("institution_level", value)


@pytest.mark.parametrize(
    ("place", "care", "name", "online"),
    [
        ("5", None, None, True), ("5|互联网医院", "11", "某医院", True), ("2", "11", "某医院", False), ("2", None, "某互联网 医院", True),
        ("9", "11", "某医院", None), ("9", None, "某互联网医院", True), (None, "11", "某医院", None), (None, None, "某（互联网医院）", True),
        (None, None, None, None), ("无", None, "-", None),
        (None, None, "某市人民医院(非互联网医院)", None), (None, None, "非互联网医院", None), (None, None, "某医院（不是互联网医院）", None),
        (None, None, "某市互联网医院(非)", None), (None, None, "某市互联网医院（未开通）", None), (None, None, "某医院未开通互联网医院", None),
        (None, None, "某医院(不含互联网医院)", None), (None, None, "某医院(互联网医院除外)", None), (None, None, "互联网医院(筹)", None),
        (None, None, "无锡互联网医院", True), (None, None, "互联网医院未来路院区", True), (None, None, "某医院(非互联网医院)、某互联网医院", True),
        ("互联网医院(非)", None, None, None), ("非互联网医院", None, None, None), ("互联网医院(待定)", None, None, None),
    ],
)  # fmt: skip
def test_one_marker_makes_an_internet_visit(
    place: str | None, care: str | None, name: str | None, online: bool | None
) -> None:
    assert NATIONAL.is_online(pay_location=place, care_type=care, institution_name=name) is online


@pytest.mark.parametrize("value", HOSTILE)
def test_what_is_no_value_is_unknown(value: str | None) -> None:
    assert NATIONAL.care_group(value) is None
    assert NATIONAL.insurance_group(value) is None
    assert NATIONAL.institution_rank(value) is None
    assert not NATIONAL.is_unrated(value)
    assert NATIONAL.is_online(pay_location=value, care_type=value, institution_name=value) is None


def test_a_province_replaces_just_the_values_that_it_writes(tmp_path: Path) -> None:
    own = written(
        tmp_path,
        """
        name = "某省"
        [care_groups]
        chronic = ["11", "1201", "9601-9603", "97*", "2型糖尿病*", "门诊两病", "门诊(急诊)"]
        outpatient = ["1", "9*"]
        [insurance_groups]
        injury = ["310", "3201-3203"]
        [institution_ranks]
        1 = ["1", "三级*"]
        2 = ["2"]
        unrated = ["社区*"]
        [online]
        pay_locations = ["7"]
        other_pay_locations = ["5"]
        care_types = ["1103"]
        institution_names = ["云医院"]
        """,
    )
    assert (own.name, own.hash == NATIONAL.hash) == ("某省", False)
    cares = {"11": "chronic", "1102": "chronic", "120": "emergency", "1201": "chronic", "12": "outpatient", "1": "outpatient", "15": None,
             "9": None, "91": "outpatient", "9602": "chronic", "960201": "chronic", "9604": "outpatient", "97": "chronic",
             "门诊两病": "chronic", "门诊(急诊)": "chronic", "2型糖尿病门诊": "chronic", "21": "inpatient"}  # fmt: skip
    assert {value: own.care_group(value) for value in cares} == cares
    insurances = {"310": "injury", "311": "basic", "3200": None, "3201": "injury", "3203": "injury", "3204": None}
    assert {value: own.insurance_group(value) for value in insurances} == insurances
    ranks = {"1": 1, "2": 2, "三级": 1, "三甲": 3, "社区医院": None}
    assert {value: own.institution_rank(value) for value in ranks} == ranks
    assert own.is_unrated("社区卫生服务中心")
    places = {"7": True, "5": False, "互联网医院": True, "9": None}
    assert {
        place: own.is_online(pay_location=place, care_type=None, institution_name=None) for place in places
    } == places
    # Where a care type tells of internet visits, another one that is known tells that it was none.
    cares_online = {"1103": True, "110301": True, "1101": False, "15": None}
    assert {
        care: own.is_online(pay_location=None, care_type=care, institution_name=None) for care in cares_online
    } == cares_online
    assert own.is_online(pay_location="9", care_type="1101", institution_name=None) is None
    assert own.is_online(pay_location=None, care_type=None, institution_name="省云医院") is True
    assert own.is_online(pay_location=None, care_type=None, institution_name="互联网医院") is True


def test_the_hash_is_of_the_meanings(tmp_path: Path) -> None:
    assert written(tmp_path, 'name = "别名"\n[fields]\ncnt = ["qty"]').hash == NATIONAL.hash
    assert read_provincial(Path("hainan")).name == "海南"
    first = written(tmp_path, '[care_groups]\nchronic = ["9901"]').hash
    assert first != NATIONAL.hash
    assert written(tmp_path, '[care_groups]\nchronic = ["9901", "9901"]').hash == first


FAULTS = [
    ('care_group = "a"', "care_group: 没有这个键，是否指 care_groups"),
    ('name = ""', "name: 值为 ''，应为文本"),
    ('care_groups = "a"', "care_groups: 应为表，写作 [care_groups]"),
    ('[[online]]\ncare_types = ["1"]', "online: 应为表"),
    ('[care_groups]\ninpatients = ["2"]', "care_groups.inpatients: 没有这个键，是否指 inpatient"),
    ('[care_groups]\ninpatient = "2"', "care_groups.inpatient: 应为文本的数组"),
    ("[care_groups]\ninpatient = [21]", "care_groups.inpatient: 应为文本的数组"),
    ('[insurance_groups]\nbasic = [" "]', "insurance_groups.basic: 应为文本的数组"),
    ('[institution_ranks]\n4 = ["4"]', "institution_ranks.4: 没有这个键，可写的有 1、2、3、unrated"),
    ('[institution_ranks]\n3 = ["三甲"]\n2 = ["三 甲"]', "institution_ranks.2: “三 甲”已写在 3 下，请只写在一处"),
    ('[care_groups]\nchronic = ["11"]\noutpatient = ["１１"]', "care_groups.outpatient: “１１”已写在 chronic 下"),
    ('[insurance_groups]\nbasic = ["510-519"]\nmaternity = ["510"]', "insurance_groups.maternity: “510”已写在 basic 下"),
    ('[online]\npay_locations = ["9"]\nother_pay_locations = ["9"]', "online.other_pay_locations: “9”已写在 pay_locations 下"),
    ('[care_groups]\nchronic = ["门诊统筹"]', "care_groups.chronic: “门诊统筹”各处都读作 11，请写 11"),
    ('[online]\ncare_types = ["99-互联网"]', "online.care_types: “99-互联网”各处都读作 99，请写 99"),
    ('[insurance_groups]\nbasic = ["未知"]', "insurance_groups.basic: “未知”不是值"),
    ('[insurance_groups]\nbasic = ["*"]', "insurance_groups.basic: “*”不是值"),
    ('[insurance_groups]\nbasic = ["399-310"]', "insurance_groups.basic: “399-310”不是范围"),
    ('[insurance_groups]\nbasic = ["3100001-3109999"]', "insurance_groups.basic: “3100001-3109999”不是范围"),
    (f'[care_groups]\nchronic = ["{"门" * 5_000}"]', f"care_groups.chronic: “{'门' * 40}…”不是值"),
    ('[online]\ninstitution_names = ["无"]', "online.institution_names: “无”不是值"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_a_fault_is_named_by_file_and_key(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        written(tmp_path, text)
    assert [line.startswith(f"province.toml: {fault}") for line in str(caught.value).splitlines()] == [True]
    # The service reads the same file, and its own reader tells the same.
    with pytest.raises(InputError, match=re.escape(str(caught.value))):
        read_profile(tmp_path / "province.toml")


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        written(tmp_path, "[care_groups]\nx = []\nchronic = [1]\n[online]\ny = []")
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
        "care_groups.x", "care_groups.chronic", "online.y",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "没有这个文件"), (b"\xff\xfe", "不是 UTF-8"), (b"a =", "不是 TOML"), (b"a" * ((1 << 20) + 1), "超过 1 MB")],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "own.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=why):
        read_provincial(path)


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="不是文件"):
        read_provincial(tmp_path)


def test_every_table_of_the_contract_has_values() -> None:
    assert {NATIONAL.care_group(value) for value, _ in told(CARE)} == set(CARE_GROUPS)
    assert {NATIONAL.insurance_group(value) for value, _ in told(INSURANCE)} == set(INSURANCE_GROUPS)
    assert set(KINDS.values()) == set(KEYS) - set(MESSAGE_KEYS) - {"name"}


def test_the_profile_of_the_page_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs/inputs.md").read_text(encoding="utf-8")
    section = page.split("## Values of a province")[1].split("\n## ")[0]
    own = written(tmp_path, section.split("```toml\n")[1].split("```")[0])
    assert (own.care_group("9901"), own.insurance_group("3105"), own.institution_rank("1")) == ("chronic", "basic", 1)


@pytest.mark.parametrize("value", ["待定", "等级待定", "待评审", "暂未定级", "尚未评级", "未评定", "11-等级待定"])
def test_a_level_that_is_yet_to_be_settled_is_none(value: str) -> None:
    assert NATIONAL.is_unrated(value)


@pytest.mark.parametrize("value", ["二级(非营利性)", "三级甲等(非盈利)", "三级未定等", "三级(未分等次)"])
def test_what_says_nothing_against_a_level_leaves_it(value: str) -> None:
    assert NATIONAL.institution_rank(value) == (2 if value.startswith("二") else 3)


@pytest.mark.parametrize(
    "value", ["急诊(非)", "急诊（非急诊）", "药店购药(非药店)", "住院(待定)", "门诊(否)", "住院(不是住院)"]
)
def test_a_care_type_that_is_taken_back_is_unknown(value: str) -> None:
    assert NATIONAL.care_group(value) is None
    assert NATIONAL.care_group(value.split("(")[0].split("（")[0]) is not None


def test_an_insurance_that_is_taken_back_is_unknown() -> None:
    assert [NATIONAL.insurance_group(value) for value in ("工伤保险(非)", "工伤保险(否)", "工伤保险(已认定)")] == [
        None,
        None,
        "injury",
    ]
