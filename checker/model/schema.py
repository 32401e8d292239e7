"""The canonical columns: name, kind, and the headers under which they arrive, in the order in which they count.

Source of the national names: the platform's extract tables (fee_list_d, setl_d, mdtrt_d, setl_list_diag_d) and interfaces 2204, 3101, 5204;
of the Chinese headers: the hospital extract sheets and common pharmacy exports.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How the text of a column is read (see docs/judgment.md, Reading)."""

    TEXT = "text"
    CODE = "code"
    SEX = "sex"
    DATE = "date"
    TIME = "time"
    AGE = "age"
    NUMBER = "number"
    VALID = "valid flag"
    REFUND = "refund flag"
    BOOL = "bool"
    CAPITAL = "capitals"


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column. `headers` are tried in order; `fallback` headers only where all of those are empty (a remark tells)."""

    name: str
    kind: Kind
    headers: tuple[str, ...]
    fallback: tuple[str, ...] = ()

    @property
    def all_headers(self) -> tuple[str, ...]:
        """Every header that is recognised for this column, the canonical name first."""
        return (self.name, *self.headers, *self.fallback)


def _columns(*rows: tuple[str, Kind, str] | tuple[str, Kind, str, str]) -> dict[str, Column]:
    return {
        row[0]: Column(row[0], row[1], tuple(row[2].split()), tuple(row[3].split()) if len(row) > 3 else ())
        for row in rows
    }


DOCUMENT_HEADER = "__prescription"
"""Our own header of the place of a prescription that came as JSON: what its lines belong to where they say nothing else."""

_KEYS = (
    ("settlement_id", Kind.TEXT, "setl_id 结算ID 结算流水号 结算单号"),
    ("visit_id", Kind.TEXT, "mdtrt_id 就诊ID 门诊号 住院号 就诊流水号"),
)
_PERSON = (
    ("patient_id", Kind.TEXT, "psn_no patn_id 人员编号 会员号"),
    ("patient_sex", Kind.SEX, "gend 人员性别 性别 患者性别"),
    ("patient_birth_date", Kind.DATE, "brdy 出生日期 患者出生日期"),
    ("patient_age", Kind.AGE, "age 人员年龄 年龄 患者年龄"),
    ("patient_id_number", Kind.CAPITAL, "certno 身份证号 身份证号码 证件号码"),
    ("newborn_flag", Kind.BOOL, "nwb_flag 新生儿标志"),
)
_PLACE = (
    ("institution_id", Kind.TEXT, "fixmedins_code medins_id 机构编码 定点医药机构编码 药店编码"),
    ("institution_name", Kind.TEXT, "fixmedins_name medins_name 机构名称 定点医药机构名称 药店名称"),
    ("institution_level", Kind.TEXT, "hosp_lv medins_lv 机构等级"),
    ("care_type", Kind.TEXT, "med_type 医疗类别"),
    ("insurance_type", Kind.TEXT, "insutype 险种类别 险种"),
    ("insured_region", Kind.TEXT, "insu_admdvs poolarea_no poolarea 参保地区划"),
    ("region", Kind.TEXT, "medins_admdvs 就医地区划"),
)
_STATE = (
    ("valid_flag", Kind.VALID, "vali_flag 有效标志"),
    ("refund_flag", Kind.REFUND, "refd_setl_flag 退费标志 退费结算标志"),
    ("original_settlement_id", Kind.TEXT, "init_setl_id 原结算ID"),
    ("visit_start", Kind.TIME, "begntime adm_date 入院日期 门诊日期"),
    ("diagnosis_code", Kind.CAPITAL, "dscg_maindiag_code dscg_main_dise_codg 疾病编码ICD 诊断编码"),
    ("mutual_aid_amount", Kind.NUMBER, "acct_mulaid_pay 账户共济支付金额 个人账户共济支付金额 共济支付金额"),
)

LINE = _columns(
    ("line_id", Kind.TEXT, "bkkp_sn feedetl_sn rx_id 费用明细流水号 明细序号 流水号"),
    ("original_line_id", Kind.TEXT, "init_feedetl_sn 原费用流水号"),
    *_KEYS,
    ("prescription_id", Kind.TEXT, f"rx_drord_no rxno 处方号 医嘱号 {DOCUMENT_HEADER}"),
    *_PERSON,
    ("insured_sex", Kind.SEX, "参保人性别"),
    ("insured_birth_date", Kind.DATE, "参保人出生日期"),
    (
        "service_time",
        Kind.TIME,
        "fee_ocur_time drord_begn_date 费用发生日期 费用发生时间 结算日期 销售时间",
        "adm_date inf_time",
    ),
    ("item_code", Kind.CODE, "med_list_codg hilist_code 国标代码 医保目录编码 国家医保编码"),
    ("item_name", Kind.TEXT, "hilist_name 国标名称 项目名称 药品名称"),
    ("local_item_code", Kind.TEXT, "medins_list_codg 项目代码"),
    ("local_item_name", Kind.TEXT, "medins_list_name"),
    ("quantity", Kind.NUMBER, "cnt 数量"),
    ("unit_price", Kind.NUMBER, "pric 单价"),
    ("amount", Kind.NUMBER, "det_item_fee_sumamt sumamt 金额"),
    ("amount_in_scope", Kind.NUMBER, "inscp_amt inscp_scp_amt 医保范围金额"),
    ("full_self_paid_amount", Kind.NUMBER, "fulamt_ownpay_amt 全自费金额"),
    *_PLACE,
    ("department", Kind.TEXT, "bilg_dept_name drord_dept_name 费用科室名称 开单科室"),
    ("prescriber", Kind.TEXT, "bilg_dr_name drord_dr_name 开单医生"),
    ("days_supply", Kind.NUMBER, "prd_days 天数"),
    ("dose", Kind.TEXT, "sin_dos_dscr 剂量"),
    ("frequency", Kind.TEXT, "used_frqu_dscr 频次"),
    ("spec", Kind.TEXT, "spec 规格"),
    ("charge_batch", Kind.TEXT, "chrg_bchno 收费批次号"),
    ("trace_code", Kind.TEXT, "drug_trac_codg 追溯码"),
    *_STATE,
    ("paid_by_fund", Kind.BOOL, "医保支付标志"),
    ("self_paying_flag", Kind.BOOL, "自费标志"),
    ("is_context", Kind.BOOL, "历史医嘱"),
    ("curr_drord_flag", Kind.BOOL, "本次处方标志"),
)
"""One item ordered, sold or charged. `self_paying_flag` and `curr_drord_flag` are the national opposites of `paid_by_fund` and `is_context`."""

HEADER = _columns(
    *_KEYS, *_PERSON, *_PLACE, *_STATE,
    ("settlement_amount", Kind.NUMBER, "medfee_sumamt 医疗费总额 医疗总费用 总费用"),
)  # fmt: skip
"""A settlement (setl_d) or visit (mdtrt_d) header: what `--settlements` and `--visits` add to the lines of their key."""

DIAGNOSIS = _columns(
    *_KEYS,
    ("code", Kind.CAPITAL, "diag_code dise_codg dscg_main_dise_codg 疾病编码ICD 诊断编码"),
    ("type", Kind.TEXT, "diag_type inout_dise_type 诊断类别"),
    ("is_main", Kind.BOOL, "maindiag_flag maindise_flag 主诊断标志"),
    ("valid_flag", Kind.VALID, "vali_flag 有效标志"),
)
"""One diagnosis of a visit or settlement."""

PERSON_COLUMNS = (
    "patient_sex",
    "patient_birth_date",
    "patient_age",
    "patient_id_number",
    "insured_sex",
    "insured_birth_date",
)
"""Without any of these in any source nothing can be judged."""

PHARMACY_CARE = "41%"
"""The care types of purchases in a pharmacy, as SQL compares them."""

NULL_WORDS = ("", "-", "--", "null", "\\n", "none", "nan", "nat", "n/a", "#n/a", "(null)", "<null>")
"""What stands for NULL in text, compared after trimming and lower-casing."""

FINDING_COLUMNS = (
    "finding_id", "line_id", "settlement_id", "visit_id", "patient_id", "institution_id", "service_time", "item_code", "item_name",
    "rule_id", "rule_code", "rule_name", "point_id", "matched_by", "verdict", "level", "action", "expected", "actual",
    "reason_code", "reason", "exemption_id", "remarks", "scope", "related_lines", "amount_at_stake", "quantity", "amount", "amount_in_scope",
    "message", "advice", "evidence", "kb_version", "rule_version", "person", "source_file", "source_record",
)  # fmt: skip
"""The columns of a findings table, in order: those of the contract, then who was judged and the line's place in the input."""

NATIONAL_CODE = "X[A-Z0-9]{22}|Z[A-Z0-9]{19}|T[A-Z0-9]{9}|[0-9]{15}|C[A-Z0-9]{19}|C[A-Z0-9]{26}"
"""The shapes of national item codes, as a regular expression over the whole code."""
BIRTH_DIAGNOSES = "^(O8[0-4]|Z3[78]|P[0-9])"
"""Diagnoses of a delivery or of a newborn, as a regular expression at the start of a code."""
HERB_PIECE_CODE = "T[A-Z0-9]{9}"
"""The codes of decoction pieces [中药饮片]."""


def normal_header(text: str) -> str:
    """Return a header as it is compared: NFKC, trimmed, camelCase as words, lower-cased, without a byte order mark.

    >>> normal_header("\\ufeff Med_List_Codg ")
    'med_list_codg'
    >>> normal_header("medListCodg")
    'med_list_codg'
    """
    plain = unicodedata.normalize("NFKC", text.replace("\ufeff", "")).strip()
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower()
