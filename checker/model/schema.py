"""The canonical columns: name, kind, and the headers under which they arrive, in the order in which they count.

Source of the national names: the platform's extract tables (fee_list_d, setl_d, mdtrt_d, setl_list_diag_d) and interfaces 2204, 3101, 5204;
of the Chinese headers: the hospital extract sheets, exports of hospital and pharmacy systems, and lists that hospitals appeal with.

What may mean two things is no header of any column: 编码, 名称, 日期, 科室, 药品编码 (of the hospital or of the nation), 总费用 (of a line or of a
visit), 医保码 (of a person), 参保地 (a name rather than a code), 病案号 (of a person or of a stay).
"""

from __future__ import annotations

import functools
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
    SELF_PAID = "self-paid flag"
    BOOL = "bool"
    CAPITAL = "capitals"
    CARE = "care type"


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
    (
        "settlement_id", Kind.TEXT,
        "setl_id 结算ID 结算流水号 结算单号 结算号 结算编号 医保结算ID 医保结算流水号 医保结算号 小票号",
    ),
    (
        "visit_id", Kind.TEXT,
        "mdtrt_id 就诊ID 门诊号 住院号 就诊流水号 就诊号 就诊编号 就诊登记号 医保就诊ID 医保就诊号 住院流水号 门诊流水号 住院登记号 就医登记号 "
        "就医流水号 门诊住院号 住院门诊号 门诊/住院号 住院/门诊号",
    ),
)  # fmt: skip
_PERSON = (
    (
        "patient_id", Kind.TEXT,
        "psn_no patn_id 人员编号 会员号 医保人员编号 人员ID 个人编号 患者编号 患者ID 病人编号 病人ID 会员编号 会员卡号",
    ),
    (
        "patient_sex", Kind.SEX,
        "gend 人员性别 性别 患者性别 病人性别 就诊人性别 用药人性别 姓别 性別 性别名称 性别代码",
    ),
    (
        "patient_birth_date", Kind.DATE,
        "brdy 出生日期 患者出生日期 病人出生日期 人员出生日期 就诊人出生日期 用药人出生日期 出生年月日 出生时间 生日",
    ),
    (
        "patient_age", Kind.AGE,
        "age 人员年龄 年龄 患者年龄 病人年龄 就诊人年龄 用药人年龄 就诊年龄 就诊时年龄 入院年龄 实足年龄 周岁 年龄(岁) 年龄(周岁)",
    ),
    (
        "patient_id_number", Kind.CAPITAL,
        "certno 身份证号 身份证号码 证件号码 患者身份证号 患者身份证号码 病人身份证号 病人身份证号码 就诊人身份证号 身份证件号 身份证件号码 "
        "公民身份号码 公民身份证号 公民身份证号码 身份证 证件号 社会保障号码 社会保障号",
    ),
    ("newborn_flag", Kind.BOOL, "nwb_flag 新生儿标志 新生儿标识 是否新生儿"),
)  # fmt: skip
_PLACE = (
    (
        "institution_id", Kind.TEXT,
        "fixmedins_code medins_id 机构编码 定点医药机构编码 药店编码 机构代码 定点医药机构代码 定点医药机构编号 定点机构编码 定点机构代码 "
        "定点医疗机构编码 定点医疗机构代码 医疗机构编码 医疗机构代码 医药机构编码 医药机构代码 医院编码 医院代码 药店代码 药店编号 门店编码",
    ),
    (
        "institution_name", Kind.TEXT,
        "fixmedins_name medins_name 机构名称 定点医药机构名称 药店名称 定点机构名称 定点医疗机构名称 医疗机构名称 医药机构名称 医院名称 门店名称",
    ),
    ("institution_level", Kind.TEXT, "hosp_lv medins_lv 机构等级 机构级别 医院等级 医院级别 医疗机构等级 医疗机构级别"),
    ("care_type", Kind.CARE, "med_type 医疗类别 医疗类别代码 医疗类别编码 医疗类型"),
    ("insurance_type", Kind.TEXT, "insutype 险种类别 险种 险种类型 参保险种"),
    ("pay_location", Kind.TEXT, "pay_loc 支付地点 支付地点类别"),
    (
        "insured_region", Kind.TEXT,
        "insu_admdvs poolarea_no poolarea 参保地区划 参保地区划代码 参保地行政区划代码 参保地医保区划 参保所属医保区划 参保地编码 参保地代码 "
        "统筹区编码 统筹区代码 统筹区划代码",
    ),
    ("region", Kind.TEXT, "medins_admdvs 就医地区划 就医地区划代码 就医地行政区划代码 就医地医保区划 就医地编码 就医地代码"),
)  # fmt: skip
_STATE = (
    ("valid_flag", Kind.VALID, "vali_flag 有效标志 有效标识 是否有效"),
    (
        "refund_flag", Kind.REFUND,
        "refd_setl_flag 退费标志 退费结算标志 退费标识 是否退费 退货标志 是否退货 退药标志 退款标志 红冲标志 冲正标志",
    ),
    (
        "original_settlement_id", Kind.TEXT,
        "init_setl_id 原结算ID 原结算流水号 原结算单号 原结算号 原结算编号 原医保结算ID 原小票号",
    ),
    (
        "visit_start", Kind.TIME,
        "begntime adm_date 入院日期 门诊日期 入院时间 就诊日期 就诊时间 门诊时间 就诊开始时间 就诊开始日期",
    ),
    ("visit_end", Kind.TIME, "endtime dscg_date 出院日期 出院时间 就诊结束时间 就诊结束日期"),
    (
        "diagnosis_code", Kind.CAPITAL,
        "dscg_maindiag_code dscg_main_dise_codg 疾病编码ICD 诊断编码 主要诊断编码 主要诊断代码 主诊断编码 主诊断代码 出院诊断编码 出院主诊断编码 "
        "门诊诊断编码 诊断代码 疾病编码 疾病代码 疾病诊断编码 ICD编码 ICD代码 ICD10 ICD-10 ICD10编码 ICD-10编码",
    ),
    (
        "special_disease_code", Kind.CAPITAL,
        "dise_no opsp_dise_code 慢特病病种编码 慢特病病种代码 慢特病编码 慢特病代码 门诊慢特病病种编码 门诊慢特病病种代码 门诊慢特病编码 "
        "门诊慢特病代码 门慢门特病种编码 门慢门特病种代码 门慢门特病种目录代码",
    ),
    ("mutual_aid_amount", Kind.NUMBER, "acct_mulaid_pay 账户共济支付金额 个人账户共济支付金额 共济支付金额"),
    (
        "diagnosis_name", Kind.TEXT,
        "dscg_maindiag_name dscg_main_dise_name 疾病诊断名称 诊断名称 主要诊断名称 主诊断名称 出院诊断名称 出院主诊断名称 门诊诊断名称",
    ),
    ("settlement_amount", Kind.NUMBER, "medfee_sumamt 医疗费总额 医疗总费用 医疗金额"),
    ("settlement_fund_paid", Kind.NUMBER, "fund_pay_sumamt 基金支付总额 基金支付 基金支付金额 医保基金支付总额"),
)  # fmt: skip

LINE = _columns(
    (
        "line_id", Kind.TEXT,
        "bkkp_sn feedetl_sn rx_id 费用明细流水号 明细序号 流水号 费用明细ID 费用明细号 费用明细序号 明细流水号 明细ID 明细号 记账流水号 记帐流水号 "
        "处方明细号 处方明细流水号 处方明细ID",
    ),
    (
        "original_line_id", Kind.TEXT,
        "init_feedetl_sn 原费用流水号 原费用明细流水号 原费用明细ID 原明细流水号 原明细序号 原流水号",
    ),
    *_KEYS,
    (
        "prescription_id", Kind.TEXT,
        f"rx_drord_no rxno 处方号 医嘱号 处方编号 处方ID 处方单号 处方流水号 医嘱编号 医嘱ID {DOCUMENT_HEADER}",
    ),
    *_PERSON,
    ("insured_sex", Kind.SEX, "参保人性别 参保人员性别"),
    ("insured_birth_date", Kind.DATE, "参保人出生日期 参保人员出生日期"),
    ("insured_age", Kind.AGE, "参保人年龄 参保人员年龄"),
    (
        "service_time", Kind.TIME,
        "fee_ocur_time drord_begn_date 费用发生日期 费用发生时间 费用时间 费用日期 明细发生时间 明细发生日期 计费时间 计费日期 记费时间 记费日期 "
        "记账时间 记账日期 记帐时间 记帐日期 收费时间 收费日期 执行时间 发药时间 发药日期 开单时间 开单日期 开方时间 开方日期 处方时间 处方日期 "
        "医嘱时间 医嘱日期 结算日期 销售时间 销售日期 售药时间 售药日期 购药时间 购药日期 交易时间 交易日期 结算时间",
        "adm_date inf_time",
    ),
    (
        "item_code", Kind.CODE,
        "med_list_codg hilist_code 国标代码 医保目录编码 国家医保编码 国标编码 国标码 国家医保代码 国家医保码 国家编码 国家代码 国家码 "
        "国家项目编码 国家项目代码 国家药品编码 国家药品代码 国家医保药品编码 国家医保药品代码 国家医保项目编码 国家医保项目代码 国家医保目录编码 "
        "国家医保目录代码 医保目录代码 医疗目录编码 医疗目录代码 医保项目编码 医保项目代码 医保药品编码 医保药品代码 医保编码 医保代码 医保贯标码 "
        "医保贯标编码 贯标码 贯标编码",
    ),
    (
        "item_name", Kind.TEXT,
        "hilist_name 国标名称 医保目录名称 国家医保名称 医保项目名称 医保药品名称 国家项目名称 项目名称 药品名称 药品通用名 药品通用名称 通用名 "
        "通用名称 收费项目名称 费用项目名称 诊疗项目名称 商品名称 品名",
    ),
    (
        "local_item_code", Kind.TEXT,
        "medins_list_codg 项目代码 医疗机构目录编码 医疗机构目录代码 院内编码 院内代码 院内码 院内项目编码 院内项目代码 医院项目编码 医院项目代码 "
        "医院药品编码 医院药品代码 本院编码",
    ),
    ("local_item_name", Kind.TEXT, "medins_list_name 医疗机构目录名称 院内名称 院内项目名称 医院项目名称 医院药品名称 本院名称"),
    (
        "quantity", Kind.NUMBER,
        "cnt 数量 发药数量 计费数量 记费数量 记账数量 收费数量 销售数量 购药数量 开药数量 用药数量 使用数量 药品数量 总数量 总量 数目",
    ),
    ("unit_price", Kind.NUMBER, "pric 单价 单价(元) 收费单价 计费单价 销售单价 零售单价 零售价 售价 项目单价 药品单价"),
    ("price_limit", Kind.NUMBER, "pric_uplmt_amt 定价上限金额 最高限价 价格上限 限价 医保限价"),
    (
        "amount", Kind.NUMBER,
        "det_item_fee_sumamt sumamt 金额 金额(元) 明细项目费用总额 总金额 总金额(元) 费用金额 明细金额 项目金额 收费金额 计费金额 记账金额 "
        "销售金额 零售金额 总价",
    ),
    (
        "amount_in_scope", Kind.NUMBER,
        "inscp_amt inscp_scp_amt 医保范围金额 医保范围内金额 符合医保范围金额 符合范围金额 符合政策范围金额 政策范围内金额 医保内金额",
    ),
    ("full_self_paid_amount", Kind.NUMBER, "fulamt_ownpay_amt 全自费金额"),
    ("fund_paid", Kind.NUMBER, "明细基金支付金额 明细统筹支付金额 项目基金支付金额"),
    *_PLACE,
    (
        "department", Kind.TEXT,
        "bilg_dept_name drord_dept_name 费用科室名称 开单科室 开单科室名称 开方科室 开方科室名称 处方科室 医嘱科室 开嘱科室 申请科室 申请科室名称",
    ),
    (
        "prescriber", Kind.TEXT,
        "bilg_dr_name drord_dr_name 开单医生 开单医师 开单医生姓名 开单医师姓名 开方医生 开方医师 处方医生 处方医师 医嘱医生 医嘱医师 开嘱医生 "
        "开嘱医师 开立医生 开立医师 申请医生 申请医师",
    ),
    ("days_supply", Kind.NUMBER, "prd_days 天数 用药天数 开药天数 处方天数 给药天数 服药天数"),
    ("dose", Kind.TEXT, "sin_dos_dscr 剂量 单次剂量 每次剂量 一次剂量 单次用量 每次用量"),
    ("frequency", Kind.TEXT, "used_frqu_dscr 频次 用药频次 给药频次 使用频次 用药频率 给药频率"),
    ("spec", Kind.TEXT, "规格 药品规格 规格型号 产品规格 商品规格 包装规格"),
    ("charge_batch", Kind.TEXT, "chrg_bchno 收费批次号"),
    ("trace_code", Kind.TEXT, "drug_trac_codg 追溯码 药品追溯码 追溯编码"),
    ("charge_type", Kind.TEXT, "med_chrgitm_type list_type 收费项目类别 收费项目类别代码 医疗收费项目类别 收费类别 费用类别 项目类别"),
    ("is_discharge_drug", Kind.BOOL, "dscg_tkdrug_flag 出院带药标志 出院带药标识 是否出院带药"),
    ("is_maternity_fee", Kind.BOOL, "matn_fee_flag 生育费用标志 生育费用标识 是否生育费用"),
    ("is_online", Kind.BOOL, "online 互联网诊疗标志 互联网诊疗标识 是否互联网诊疗 互联网就诊标志 是否互联网就诊"),
    (
        "prescriber_institution_level", Kind.TEXT,
        "开方机构等级 开方机构级别 开方医疗机构等级 开方医疗机构级别 处方机构等级 处方机构级别 处方来源机构等级 处方来源机构级别 处方医院等级 处方医院级别",
    ),
    *_STATE,
    ("paid_by_fund", Kind.BOOL, "医保支付标志 医保支付标识 是否医保支付"),
    ("self_paying_flag", Kind.SELF_PAID, "自费标志 自费标识 是否自费"),
    ("is_context", Kind.BOOL, "历史医嘱"),
    ("curr_drord_flag", Kind.BOOL, "本次处方标志"),
)  # fmt: skip
"""One item ordered, sold or charged. `self_paying_flag` and `curr_drord_flag` are the national opposites of `paid_by_fund` and `is_context`."""

HEADER = _columns(
    *_KEYS, *_PERSON, *_PLACE, *_STATE,
    ("settlement_time", Kind.TIME, "setl_time 结算时间 结算日期"),
    ("settlement_begin", Kind.TIME, "begndate"),
    ("settlement_end", Kind.TIME, "enddate"),
    ("stay_days", Kind.NUMBER, "ipt_days act_ipt_days 实际住院天数"),
    ("settlement_in_scope", Kind.NUMBER, "inscp_amt inscp_scp_amt 医保范围金额 符合政策范围金额 政策范围内金额"),
    ("own_amount", Kind.NUMBER, "psn_pay 个人负担总金额 个人支付 个人负担"),
    ("account_amount", Kind.NUMBER, "acct_pay 个账支付 个人账户支付"),
    ("cash_amount", Kind.NUMBER, "cash_payamt 现金支付"),
)  # fmt: skip
"""A settlement (setl_d) or visit (mdtrt_d) header: what `--settlements` and `--visits` add to the lines of their key; what the table has of its own is asked by
the indicators alone."""

DIAGNOSIS = _columns(
    *_KEYS,
    (
        "code", Kind.CAPITAL,
        "diag_code dise_codg dscg_main_dise_codg 疾病编码ICD 诊断编码 诊断代码 疾病编码 疾病代码 疾病诊断编码 ICD编码 ICD代码 ICD10 ICD-10 "
        "ICD10编码 ICD-10编码",
    ),
    ("type", Kind.TEXT, "diag_type inout_dise_type 诊断类别 诊断类型"),
    ("name", Kind.TEXT, "diag_name dise_name 诊断名称 疾病诊断名称 疾病名称"),
    ("on_admission", Kind.TEXT, "adm_cond_type 入院病情 入院病情代码"),
    ("is_main", Kind.BOOL, "maindiag_flag maindise_flag 主诊断标志 主诊断标识 是否主诊断 主要诊断标志 是否主要诊断"),
    ("valid_flag", Kind.VALID, "vali_flag 有效标志 有效标识 是否有效"),
)  # fmt: skip
"""One diagnosis of a visit or settlement."""

PERSON_COLUMNS = (
    "patient_sex",
    "patient_birth_date",
    "patient_age",
    "patient_id_number",
    "insured_sex",
    "insured_birth_date",
    "insured_age",
)
"""Without any of these in any source nothing can be judged."""

DIAGNOSIS_SEPARATORS = "[,，;；|、\\s]+"
"""What stands between codes of diagnoses in one text, as a regular expression."""

MATERNITY_STAY = "^(52|210[67])|生育|分娩|平产|剖宫产"
"""The care types of stays for a delivery, as a regular expression over those that a profile takes for inpatient care."""
MATERNITY_DIAGNOSES = "^(O|Z3[2-9])"
"""Diagnoses of pregnancy, delivery, childbed and birth control, at the start of a code."""

NULL_WORDS = (
    "", "-", "--", "---", "–", "—", "——", "－", "－－", "/", "／", "\\", "null", "(null)", "（null）", "<null>", "[null]", "\\n", "nil", "none",
    "undefined", "nan", "nat", "na", "n/a", "#n/a", "<na>", "空", "空值", "(空)", "（空）", "空白", "(空白)", "未填", "未填写", "未录入", "未登记",
    "未提供", "缺失", "无数据",
)  # fmt: skip
"""What stands for NULL in text, compared after trimming and lower-casing. None begins with a digit, by which plain values are told."""
UNKNOWN_WORDS = ("无", "(无)", "（无）", "暂无", "不详", "不明", "未知")
"""Further words for NULL, but in flags: there 无 is no, and a flag that nobody knows is not taken for absent."""

FINDING_COLUMNS = (
    "finding_id", "line_id", "settlement_id", "visit_id", "patient_id", "institution_id", "service_time", "item_code", "item_name",
    "rule_id", "rule_code", "rule_name", "point_id", "matched_by", "verdict", "level", "action", "expected", "actual",
    "reason_code", "reason", "exemption_id", "remarks", "scope", "related_lines", "amount_at_stake", "quantity", "amount", "amount_in_scope",
    "message", "advice", "evidence", "kb_version", "rule_version", "person", "source_file", "source_record",
    "local_item_code", "local_item_name",
)  # fmt: skip
"""The columns of a finding, in order, at the counter and of a scan: those of the contract, then who was judged, the line's place in the input,
and what came later."""
CASE_COLUMNS = (
    "institution_name", "department", "prescriber", "spec", "unit_price", "care_type", "insurance_type", "diagnoses", "diagnosis_names",
    "settlement_amount", "settlement_fund_paid", "fund_paid", "person_hash", "person_sex", "person_age", "class", "cluster_id",
)  # fmt: skip
"""What the findings of a scan tell besides: of the case, for whoever looks at it, and what else may explain it."""

NATIONAL_CODE = "X[A-Z][0-9]{2}[A-Z]{3}[0-9]{3}[A-Z][0-9]{12}|Z[A-Z][0-9]{2}[A-Z]{3}[0-9]{13}|T[0-9]{9}|[0-9]{15}|C[A-Z0-9]{19}|C[A-Z0-9]{26}"
"""The shapes of national item codes, letter and digit by position, as a regular expression over the whole code."""
CODE_LIKE = "X[A-Z0-9]{22}|Z[A-Z0-9]{19}|T[A-Z0-9]{9}|[0-9]{15}|C[A-Z0-9]{19}|C[A-Z0-9]{26}"
"""What is meant for such a code, though signs of it may be mistyped."""
CUT_CODE = "X[A-Z][0-9]{2}[A-Z]{3}[0-9]{3}[A-Z][0-9]{3,11}|Z[A-Z][0-9]{2}[A-Z]{3}[0-9]{4,12}"
"""The beginning of such a code that still tells the item: what a program that cuts long values leaves of it."""
BIRTH_DIAGNOSES = "^(O8[0-4]|Z3[78]|P[0-9])"
"""Diagnoses of a delivery or of a newborn, as a regular expression at the start of a code."""
HERB_PIECE_CODE = "T[0-9]{9}"
"""The codes of decoction pieces [中药饮片]."""
PIECE_CHARGE = "^(10|102)$|饮片|草药"
"""What a line is charged as that is a decoction piece, as a regular expression: by the national codes of charges and lists, or in words."""


AROUND_HEADERS = " \t\r\n*#★※`'\"[]"
"""Marks of needed columns, and the quotes of databases."""
LONG_CELL = 200
"""What is so long is no header that would come again."""


def normal_header(text: str) -> str:
    """Return a header as it is compared: NFKC, trimmed, camelCase as words, lower-cased, without a byte order mark and what forms put
    around headers.

    >>> normal_header("\\ufeff Med_List_Codg ")
    'med_list_codg'
    >>> normal_header("medListCodg")
    'med_list_codg'
    >>> normal_header("*[数量]")
    '数量'
    """
    return _remembered(text) if len(text) < LONG_CELL else _normal(text)


def _normal(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text.replace("\ufeff", "")).strip(AROUND_HEADERS)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower()


_remembered = functools.lru_cache(1 << 14)(_normal)
"""The same words come in the first rows of all files of a folder, and are asked for in every one."""
