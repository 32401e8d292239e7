"""What published texts say of the terms on which an item is paid, and what is not read out of them."""

from __future__ import annotations

import pytest

from checker.shapes.terms.texts import read_terms

CARE, LEVEL = ("care_groups",), ("min_rank", "rank_case")


@pytest.mark.parametrize(
    ("limits", "text", "terms"),
    [
        (("insurance",), "限工伤保险", {"insurance": "injury"}),
        (("insurance",), "（1）限由生育保险支付。", {"insurance": "maternity"}),
        (CARE, "限急诊或住院患者。", {"care_groups": "emergency|inpatient"}),
        (CARE, "限住院、急诊使用", {"care_groups": "emergency|inpatient"}),
        (CARE, "需经营养风险筛查,且不能经饮食补充足够营养的住院患者方予支付。", {"care_groups": "inpatient"}),
        (CARE, "限肝功能不全(严重者除外)患者。住院方可支付，单次支付不超过3天。", {"care_groups": "inpatient"}),
        (CARE, "限普通门诊和门诊慢特病", {"care_groups": "chronic|outpatient"}),
        (LEVEL, "限二级及以上医疗机构，单次住院最多支付14天。", {"min_rank": 2}),
        (LEVEL, "限 三 级 医院", {"min_rank": 3}),
        (LEVEL, "限左心功能不全Ⅱ-Ⅲ级的患者,一级以上定点医疗机构支付", {"min_rank": 1}),
        (LEVEL, "限BMI≥25，首次处方时需由二级及以上医疗机构专科医师开具处方。", {"min_rank": 2, "rank_case": "first_prescription"}),
        (LEVEL, "1.需三级综合医院眼科或二级及以上眼科专科医院医师处方；2.首次处方时病眼基线矫正视力0.05-0.5", {"min_rank": 3, "rank_case": "eye"}),
        (LEVEL, "1.需三级医院眼科或二级及以上眼科专科医师处方", {"min_rank": 3, "rank_case": "eye"}),
        (("barred_channel",), "开展互联网诊疗活动时，不得开具麻醉药品、精神药品的处方。", {"barred_channel": "online"}),
        (("never_paid",), "不得纳入基金支付范围的中药饮片", {"never_paid": "yes"}),
        (("never_paid",), "单复方均不予支付", {"never_paid": "yes"}),
    ],
)  # fmt: skip
def test_what_is_plain_is_read(limits: tuple[str, ...], text: str, terms: dict[str, str | int]) -> None:
    assert read_terms(text, limits) == terms


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (("insurance",), "限工伤保险和生育保险"),
        (("insurance",), "工伤保险不予支付"),
        (("insurance",), "限基本医疗保险"),
        (("insurance",), "限工伤保险，生育保险除外"),
        (CARE, "限门诊使用"),
        (CARE, "门急诊患者"),
        (CARE, "住院患者不予支付"),
        (CARE, "非住院患者"),
        (CARE, "除急诊患者，住院患者外"),
        (CARE, "限住院患者，门诊不予支付"),
        (CARE, "限住院患者。限急诊患者。"),
        (CARE, "出院带药限住院患者"),
        (CARE, "单次住院最多支付14天"),
        (CARE, "限二级及以上医疗机构"),
        (LEVEL, "限二级医院"),
        (LEVEL, "限二级以下医疗机构"),
        (LEVEL, "二级及以上医疗机构不予支付"),
        (LEVEL, "除二级及以上医疗机构"),
        (LEVEL, "限三级医院眼科"),
        (LEVEL, "限二级及以上医疗机构，首次处方需三级医院"),
        (LEVEL, "限二级及以上医疗机构，限三级医院"),
        (LEVEL, "首次处方需三级医院眼科或二级及以上眼科专科医院，续方一级医疗机构"),
        (LEVEL, "限心功能三级的患者"),
        (("barred_channel",), "支持互联网诊疗开具处方"),
        (("barred_channel",), "药店不予支付。支持互联网诊疗"),
        (("barred_channel",), "除互联网诊疗外不予支付"),
        (("never_paid",), "单方使用时不得纳入基金支付范围"),
        (("never_paid",), "除阿胶外均不予支付"),
        (CARE, ""),
        (CARE, "住院、" * 700 + "住院"),
    ],
)
def test_what_is_not_plain_is_not_read(limits: tuple[str, ...], text: str) -> None:
    assert read_terms(text, limits) is None
