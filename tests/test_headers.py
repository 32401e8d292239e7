"""The headers that are recognised: what hospitals, pharmacies and insurers really write, and nothing that could mean two things."""

from __future__ import annotations

from collections import Counter

import pytest

from checker.ingest.columns import Header, map_headers
from checker.model.schema import DIAGNOSIS, HEADER, LINE, Column, normal_header

SPARED = {"adm_date"}
"""Headers that feed two columns of one table on purpose."""


@pytest.mark.parametrize("columns", [LINE, HEADER, DIAGNOSIS], ids=["lines", "headers", "diagnoses"])
def test_no_header_means_two_columns_of_a_table(columns: dict[str, Column]) -> None:
    told = Counter(
        header for column in columns.values() for header in {normal_header(each) for each in column.all_headers}
    )
    assert {header for header, count in told.items() if count > 1} <= SPARED


def fed(headers: str, columns: dict[str, Column] = LINE) -> dict[str, str]:
    """The first header of each column that has one."""
    mapping = map_headers([Header(each, "VARCHAR") for each in headers.split()], columns, {}, source="sheet")
    return {name: found[0].text for name, found in mapping.found.items() if found}


SHEETS = {
    "an outpatient sheet of visits": (
        "序号 机构编码 机构名称 机构等级 险种类别 持证类别 参保地区划 人员姓名 人员性别 人员年龄 身份证号 门诊号 门诊日期 门诊科室名称 首诊医生姓名 "
        "疾病编码ICD 疾病诊断名称 次要诊断组合 结算流水号 结算类别 结算日期 医疗金额 医保范围金额 基金支付 个账支付 现金支付",
        {
            "institution_id": "机构编码", "patient_sex": "人员性别", "patient_age": "人员年龄", "patient_id_number": "身份证号", "visit_id": "门诊号",
            "visit_start": "门诊日期", "diagnosis_code": "疾病编码ICD", "settlement_id": "结算流水号",
        },
    ),
    "a sheet of an inpatient's fees": (
        "序号 机构编码 机构名称 险种类别 身份证号 人员姓名 住院号 医嘱号 医嘱组号 项目代码 项目名称 国标代码 国标名称 商品名 规格 产地厂家 用法 "
        "剂量 剂量单位 频次 天数 收费项目类别 收费项目等级 数量 数量单位 单价 金额 限价 自付比例 全自费金额 超限价金额 先行自付金额 费用发生日期 "
        "费用科室名称 结算流水号",
        {
            "visit_id": "住院号", "prescription_id": "医嘱号", "item_code": "国标代码", "item_name": "国标名称", "local_item_code": "项目代码",
            "quantity": "数量", "unit_price": "单价", "amount": "金额", "service_time": "费用发生日期", "department": "费用科室名称",
            "spec": "规格", "dose": "剂量", "frequency": "频次", "days_supply": "天数", "patient_id_number": "身份证号",
        },
    ),
    "an export of a hospital system": (
        "住院流水号 病人姓名 病人性别 出生年月日 处方编号 院内项目编码 院内项目名称 国家医保代码 医保目录名称 单价(元) 计费数量 金额（元） 计费时间 "
        "开单科室 开单医师 退费标识",
        {
            "visit_id": "住院流水号", "patient_sex": "病人性别", "patient_birth_date": "出生年月日", "prescription_id": "处方编号",
            "local_item_code": "院内项目编码", "local_item_name": "院内项目名称", "item_code": "国家医保代码", "item_name": "医保目录名称",
            "unit_price": "单价(元)", "quantity": "计费数量", "amount": "金额（元）", "service_time": "计费时间", "department": "开单科室",
            "prescriber": "开单医师", "refund_flag": "退费标识",
        },
    ),
    "an export of a pharmacy system": (
        "小票号 门店编码 门店名称 会员卡号 姓别 年龄(岁) 医保编码 通用名称 商品规格 销售数量 零售价 销售金额 销售日期 是否退货 药品追溯码",
        {
            "settlement_id": "小票号", "institution_id": "门店编码", "institution_name": "门店名称", "patient_id": "会员卡号", "patient_sex": "姓别",
            "patient_age": "年龄(岁)", "item_code": "医保编码", "item_name": "通用名称", "spec": "商品规格", "quantity": "销售数量",
            "unit_price": "零售价", "amount": "销售金额", "service_time": "销售日期", "refund_flag": "是否退货", "trace_code": "药品追溯码",
        },
    ),
    "a list of an appeal": (
        "医疗机构名称 就诊号 患者姓名 患者性别 患者年龄 身份证号码 主要诊断编码 医疗目录编码 医保项目名称 总量 总金额 收费时间 违规类型 申诉理由",
        {
            "institution_name": "医疗机构名称", "visit_id": "就诊号", "patient_sex": "患者性别", "patient_age": "患者年龄",
            "patient_id_number": "身份证号码", "diagnosis_code": "主要诊断编码", "item_code": "医疗目录编码", "item_name": "医保项目名称",
            "quantity": "总量", "amount": "总金额", "service_time": "收费时间",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("sheet", SHEETS)
def test_sheets_as_they_come_are_recognised(sheet: str) -> None:
    headers, expected = SHEETS[sheet]
    assert fed(headers).items() >= expected.items()


def test_where_two_times_stand_that_of_the_fee_counts() -> None:
    assert fed("结算日期 计费时间 开单时间 国标代码")["service_time"] == "计费时间"
    assert fed("销售时间 结算日期 国标代码")["service_time"] == "结算日期"


AMBIGUOUS = (
    "编码 代码 名称 日期 时间 科室 科室名称 医生 类别 类型 标志 状态 序号 编号 单号 号码 药品编码 药品代码 项目编码 商品编码 中心编码 本位码 医保码 "
    "总费用 费用 合计 小计 实收金额 参保地 病案号 病历号 发票号 卡号 作废标志 性质 备注 价格 次数 住院天数 执行科室 执行医生 购药人性别 "
    "医保机构编码 组织机构代码 出生年月 经办人"
)


def test_what_may_mean_two_things_is_taken_for_neither() -> None:
    for columns in (LINE, HEADER, DIAGNOSIS):
        assert fed(AMBIGUOUS, columns) == {}
