"""The words of levels, verdicts, reasons, remarks and actions in both languages: the one catalogue that every output takes them from."""

from __future__ import annotations

from checker.model.remarks import year_not_listed

LEVELS = {
    "definite": ("明确违规", "definite", "bold red"),
    "suspect": ("可疑", "suspect", "yellow"),
    "notice": ("提示", "notice", "blue"),
}
VERDICTS = {
    "violation": ("违规疑点", "violation"),
    "undetermined": ("无法判断", "undetermined"),
    "exempt": ("豁免", "exempt"),
}
REMARKS = {
    "duplicate": ("重复上传，只算一次", "uploaded twice, counted once"),
    "exemption_possible": ("有诊断即可能豁免，但没有诊断信息", "a diagnosis might exempt, none on file"),
    "lowered_exemption": ("因豁免情形降级", "lowered by an exemption"),
    "lowered_lenient": ("在宽松年龄界限以内，降级", "within the lenient age, lowered"),
    "partly_refunded": ("部分退费，按剩余计", "partly refunded, the rest counted"),
    "person_unreadable": ("人员信息有无法识别的值", "a person field could not be read"),
    "service_time_fallback": ("没有费用时间，用了就诊或交易时间", "time taken from the visit or message"),
    "stay_began_in_window": ("住院开始时仍在新生儿期", "the stay began within the newborn window"),
    "not_in_2026_list": ("2026 年清单未再列出", "not listed again in 2026"),
}
REASONS = {"zh": {
    "header_missing": "找不到该明细对应的结算或就诊记录",
    "newborn": "新生儿标志为是，登记的可能是母亲的信息",
    "patient_unknown": "药店购药只有参保人信息，不知道实际使用人",
    "sex_missing": "没有性别信息",
    "birth_missing": "没有足够的年龄信息",
    "birth_impossible": "出生日期或年龄不合理",
    "sources_conflict": "不同来源的性别或出生日期互相矛盾",
    "prescription_unknown": "不知道属于哪张处方",
    "companion_unknown": "同一处方里有无法识别的项目",
    "unknown_code": "不是国家医保编码",
    "rule_missing": "没有载入判断它的规则",
    "other": "信息不足",
}, "en": {
    "header_missing": "no settlement or visit record found for this line",
    "newborn": "newborn flag set: the record may be the mother's",
    "patient_unknown": "pharmacy sale that names only the insured, not who uses it",
    "sex_missing": "sex not known",
    "birth_missing": "age not known well enough",
    "birth_impossible": "birth date or age impossible",
    "sources_conflict": "sources contradict each other on sex or birth date",
    "prescription_unknown": "which prescription the line belongs to is not known",
    "companion_unknown": "the prescription holds an item that cannot be recognised",
    "unknown_code": "not a national item code",
    "rule_missing": "the rule that judges it is not loaded",
    "other": "not enough information",
}}  # fmt: skip
"""Why a line is undetermined, in words, by language and reason code, in the order in which the first that holds counts."""
NOT_JUDGED = {
    "rule": (
        "没有载入规则 {rule}：请用 --rules 加上有它的文件夹；用了 --only-rules 的，去掉即可",
        "the rule {rule} is not loaded: add the folder that has it with --rules, or leave out --only-rules",
    ),
    "deprecated": (
        "规则 {rule} 已停用（deprecated），不再判断：请结束它的知识点（valid_to），或归到接替它的规则",
        "the rule {rule} is deprecated and judges no more: end its points (valid_to), or give them to the rule that follows it",
    ),
}
"""Why points of a rule are not judged and what to do about it, by what is missing."""
PERSONS = {"zh": ("参保人", "患者"), "en": ("the insured person", "the patient")}
"""Who was judged: the insured, the patient."""
ENGLISH_VALUES = (
    ("不明", "unknown"), ("男", "male"), ("女", "female"), (" 岁", " years"), ("岁", " years"), (" 个月", " months"), (" 天", " days"),
    ("且 ", " and "), ("且", " and "),
)  # fmt: skip
"""How what was expected and found, written in Chinese, reads within an English message: replaced in this order."""
ACTIONS = {"before": {"definite": "stop", "suspect": "confirm", "notice": "note"},
           "after": {"definite": "recover", "suspect": "review", "notice": "note"}}  # fmt: skip
"""What the caller must do, by stage and level; an undetermined finding is always a note."""


def remark_words(remark: str) -> tuple[str, str]:
    """A remark in Chinese and English, as it stands where it is the point's own; of lists of every year as of the one in REMARKS."""
    if (year := year_not_listed(remark)) is not None:
        chinese, english = REMARKS["not_in_2026_list"]
        return chinese.replace("2026", year), english.replace("2026", year)
    return REMARKS.get(remark, (remark, remark))
