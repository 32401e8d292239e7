"""The words of verdicts, levels, actions, reasons and remarks: the one catalogue that commands, service, pages and documents take them from.

Everything is by code, Chinese first, then English.
"""

from __future__ import annotations

from collections.abc import Mapping

from checker.model.remarks import year_not_listed

Said = tuple[str, str]
"""Chinese and English."""

VERDICTS: dict[str, Said] = {
    "violation": ("违规疑点", "violation"),
    "undetermined": ("无法判断", "undetermined"),
    "exempt": ("豁免", "exempt"),
}
LEVELS: dict[str, Said] = {
    "definite": ("明确违规", "definite"),
    "suspect": ("可疑", "suspect"),
    "notice": ("提示", "notice"),
}
NOT_JUDGED = {
    "rule": (
        "没有载入规则 {rule}：请用 --rules 加上有它的文件夹；用了 --only-rules 的，去掉即可",
        "the rule {rule} is not loaded: add the folder that has it with --rules, or leave out --only-rules",
    ),
    "insurance_type": (
        "没有险种：明细或结算表要有险种列（insutype、险种类别），前台请填险种（insurance_type）",
        "the insurance is not told: lines or settlements need its column (insutype), a prescription insurance_type",
    ),
    "care_type": (
        "没有医疗类别：明细、结算或就诊表要有医疗类别列（med_type），前台请填医疗类别（care_type）",
        "the type of care is not told: lines, settlements or visits need its column (med_type), a prescription care_type",
    ),
    "diagnoses": (
        "没有诊断：用 --diagnoses 给出诊断表，前台请填诊断（diagnoses）",
        "no diagnoses are told: give their table with --diagnoses, in a prescription diagnoses",
    ),
    "pharmacy_diagnoses": (
        "药店购药没有诊断：凭外配处方的，请在诊断表或明细里给出处方的诊断",
        "bought in a pharmacy, and no diagnoses are told: where a prescription was filled, give its diagnoses with the lines or in their table",
    ),
    "earlier_drugs": (
        "此前的同类药品只在事后扫描里判断：明细或结算表要有人员编号；前台请按知识点人工核对",
        "earlier drugs of the class are judged in scans only: lines or settlements need the id of the person; at the counter check what the point says",
    ),
    "institution_level": (
        "没有医疗机构等级：明细、结算或就诊表要有机构等级列（hosp_lv），前台请填机构等级（institution_level）",
        "the level of the institution is not told: lines, settlements or visits need its column (hosp_lv), a prescription institution_level",
    ),
    "patient": (
        "不知道是谁的明细：明细、结算或就诊表要有人员编号或证件号码列（psn_no、certno），前台请填患者（patient.id）",
        "whose lines they are is not told: lines, settlements or visits need the id of the person (psn_no), a prescription patient.id",
    ),
    "visit": (
        "不知道哪些明细属于同一次就诊：明细要有就诊号或结算号列（mdtrt_id、setl_id），前台请填就诊号（visit_id）",
        "which lines are of one visit is not told: lines need the visit or the settlement (mdtrt_id, setl_id), a prescription visit_id",
    ),
    "history": (
        "不知道此前的处方：明细或结算表要有人员编号，前台请给出此前的明细（history，确实没有的写 []）",
        "earlier prescriptions are not told: lines or settlements need the id of the person, a prescription history ([] where there are none)",
    ),
    "online": (
        "不知道是否互联网诊疗：明细、结算或就诊表要有支付地点列（pay_loc），前台请填 online（true 或 false）",
        "whether visits were online is not told: lines, settlements or visits need the place of payment (pay_loc), a prescription online",
    ),
    "deprecated": (
        "规则 {rule} 已停用（deprecated），不再判断：请结束它的知识点（valid_to），或归到接替它的规则",
        "the rule {rule} is deprecated and judges no more: end its points (valid_to), or give them to the rule that follows it",
    ),
}
"""Why points of a rule are not judged and what to do about it, by what is missing."""
MISSING: dict[str, Said] = {
    "insurance_type": ("险种", "the insurance"),
    "care_type": ("医疗类别", "the type of care"),
    "diagnoses": ("诊断", "the diagnoses"),
    "institution_level": ("医疗机构等级", "the level of the institution"),
    "earlier_drugs": ("此前的同类药品", "earlier drugs of the class"),
    "history": ("此前是否用过", "whether it was used before"),
    "online": ("是否互联网诊疗", "whether the visit was online"),
    "patient": ("患者编号", "the id of the patient"),
    "visit": ("就诊号", "the visit"),
}
"""Of these what the counter was not told: it can be given there, and then the point is judged."""
GIVE: dict[str, Said] = {
    "insurance_type": (
        "请在处方中写 insurance_type，如 310（职工）、390（居民）、510（生育）、工伤保险",
        "give insurance_type in the prescription, such as 310 (employees), 390 (residents), 510 (maternity), 工伤保险",
    ),
    "care_type": (
        "请在处方中写 care_type，如 11（门诊）、13（急诊）、21（住院）、41（药店）",
        "give care_type in the prescription, such as 11 (outpatient), 13 (emergency), 21 (inpatient), 41 (pharmacy)",
    ),
    "diagnoses": ("请在处方中写 diagnoses（诊断编码）", "give diagnoses (ICD codes) in the prescription"),
    "earlier_drugs": (
        "此前没有同类药品的记录，前台不判断，请按“需核对”的内容人工核对",
        "no earlier drug of the class is told, and the counter does not judge it: check what is listed as to check",
    ),
    "institution_level": (
        "请在处方中写 institution_level（三级、二级、一级、未定级）；药店写 care_type 41 和 prescriber_institution_level（开方机构的等级）",
        "give institution_level (三级, 二级, 一级, 未定级) in the prescription; a pharmacy care_type 41 and prescriber_institution_level",
    ),
    "history": (
        "请在处方中写 history（此前的明细；此前 365 天没有用过的写 []）",
        "give history (earlier lines, [] where there are none in the 365 days before) in the prescription",
    ),
    "online": ("请在处方中写 online（true 或 false）", "give online (true or false) in the prescription"),
    "patient": ("请在处方中写 patient.id（患者编号）", "give patient.id in the prescription"),
    "visit": ("请在处方中写 visit_id（就诊号）", "give visit_id in the prescription"),
}
"""How to give it in a prescription."""
GIVE_BY_OPTION: dict[str, Said] = {
    "insurance_type": (
        "请加 --insurance，如 职工医保、居民医保、生育保险、工伤保险",
        "give --insurance: 310 (employees), 390 (residents), 510 (maternity), 工伤保险",
    ),
    "care_type": (
        "请加 --care-type，如 门诊、急诊、住院、药店购药",
        "give --care-type: 11 (outpatient), 13 (emergency), 21 (inpatient), 41 (pharmacy)",
    ),
    "diagnoses": ("请加 --diagnosis（诊断编码）", "give --diagnosis (ICD codes)"),
    "earlier_drugs": (
        "此前没有同类药品的记录，前台不判断，请按“需核对”的内容人工核对",
        "no earlier drug of the class is told, and the counter does not judge it: check what is listed as to check",
    ),
    "institution_level": (
        "请加 --level（三级、二级、一级、未定级）；药店请加 --care-type 41 和 --prescriber-level（开方机构的等级）",
        "give --level (三级, 二级, 一级, 未定级); a pharmacy --care-type 41 and --prescriber-level, of the institution that prescribed",
    ),
    "history": (
        "请加 --no-earlier（此前 365 天没有用过），或 --earlier 项目=日期",
        "give --no-earlier (not used in the 365 days before), or --earlier ITEM=DATE",
    ),
    "online": ("请加 --online（互联网诊疗）或 --not-online（线下）", "give --online or --not-online"),
}
"""How to give it to `liangku check`."""
ACTIONS = {"before": {"definite": "stop", "suspect": "confirm", "notice": "note"},
           "after": {"definite": "recover", "suspect": "review", "notice": "note"}}  # fmt: skip
"""What the caller must do, by stage and level; an undetermined finding is always a note."""
ACTION_WORDS: dict[str, Said] = {
    "stop": ("停止", "stop"),
    "confirm": ("写明理由后才能继续", "go on only with a written reason"),
    "recover": ("追回", "recover the money"),
    "review": ("听取陈述后认定", "hear the institution, then decide"),
    "note": ("留意", "take note"),
}
REASONS: dict[str, Said] = {
    "header_missing": ("找不到该明细对应的结算或就诊记录", "no settlement or visit record found for this line"),
    "newborn": ("可能是新生儿使用，登记的可能是母亲的信息", "it may be for a newborn, and the record may be the mother's"),
    "patient_unknown": ("药店购药只有参保人信息，不知道实际使用人", "a pharmacy sale that names only the insured, not who takes the drug"),
    "sex_missing": ("没有性别信息", "sex not known"),
    "birth_missing": ("没有足够的年龄信息", "age not known well enough"),
    "birth_impossible": ("出生日期或年龄不合理", "birth date or age impossible"),
    "sources_conflict": ("不同来源的性别、出生日期或支付条件互相矛盾", "sources contradict each other on sex, birth date or terms of payment"),
    "insurance_missing": ("没有险种信息", "insurance not known"),
    "insurance_unknown": ("险种的写法不认识", "the insurance is written in a way that is not known"),
    "flag_unreadable": ("出院带药或生育费用标志无法识别", "the flag of a discharge drug or of maternity cannot be read"),
    "care_missing": ("没有医疗类别", "type of care not known"),
    "care_unknown": ("医疗类别的写法不认识", "the type of care is written in a way that is not known"),
    "diagnosis_missing": ("没有诊断信息", "no diagnosis on file"),
    "diagnosis_unspecified": ("诊断太笼统，说不清是否符合", "the diagnoses are too general to tell whether one fits"),
    "diagnosis_not_kept": ("药店购药，没有诊断", "bought in a pharmacy, and no diagnosis is told"),
    "prescriber_unknown": ("药店购药，不知道开方机构的等级", "bought in a pharmacy: the level of the prescribing institution is not known"),
    "level_unrated": ("医疗机构没有定级", "the institution is not rated"),
    "level_missing": ("没有医疗机构等级", "level of the institution not known"),
    "level_unknown": ("医疗机构等级的写法不认识", "the level is written in a way that is not known"),
    "history_missing": ("不知道此前的处方", "earlier prescriptions not known"),
    "history_short": ("此前的数据太少，看不出用没用过同类药品", "too little of the patient's data lies before to tell whether the class was used"),
    "online_unknown": ("支付地点的写法不认识", "the place of payment is written in a way that is not known"),
    "online_missing": ("不知道是否互联网诊疗", "whether the visit was online is not known"),
    "visit_missing": ("不知道属于哪次就诊", "which visit the line belongs to is not known"),
    "patient_missing": ("不知道是哪位患者的明细", "whose line it is is not known"),
    "price_unknown": ("不知道金额，或没有可以对照的价格", "the amount is not known, or there is no price to hold it against"),
    "prescription_unknown": ("不知道属于哪张处方", "which prescription the line belongs to is not known"),
    "companion_unknown": ("同一处方里有认不出的项目", "the prescription holds an item that cannot be recognised"),
    "unknown_code": ("不是国家医保编码", "not a national item code"),
    "rule_missing": ("没有载入判断它的规则", "the rule that judges it is not loaded"),
    "other": ("信息不足", "not enough information"),
}  # fmt: skip
"""Why a line is undetermined, in the order in which the first that holds counts."""
NEXT: dict[str, Said] = {
    "newborn": (
        "问清是新生儿还是母亲使用，补上使用人自己的性别和出生日期再查。",
        "Ask whether it is for the newborn or the mother, and check again with that person's own sex and birth date.",
    ),
    "patient_unknown": (
        "问清实际使用人，补上使用人的性别和出生日期再查。",
        "Ask who will use it, and check again with that person's sex and birth date.",
    ),
    "sex_missing": ("补上性别再查。", "Check again with the sex."),
    "birth_missing": ("补上出生日期再查。", "Check again with the birth date."),
    "birth_impossible": (
        "改正出生日期、年龄或服务日期再查。",
        "Correct the birth date, age or service date and check again.",
    ),
    "sources_conflict": (
        "性别或出生日期互相矛盾（例如与身份证号不一致），核对改正后再查。",
        "Sex or birth date contradict each other (the ID number, for example): correct and check again.",
    ),
    "prescription_unknown": (
        "补上处方号，或者就诊、时间和医生，再查。",
        "Check again with the prescription number, or with visit, time and doctor.",
    ),
    "insurance_missing": ("补上险种再查。", "Check again with the insurance."),
    "care_missing": ("补上医疗类别再查。", "Check again with the type of care."),
    "diagnosis_missing": ("补上诊断再查。", "Check again with the diagnoses."),
    "diagnosis_unspecified": (
        "把诊断写到能看出是否符合的程度，再查。",
        "Give the diagnosis closely enough to tell whether it fits, and check again.",
    ),
    "prescriber_unknown": (
        "补上开方医疗机构的等级再查。",
        "Check again with the level of the institution that prescribed.",
    ),
    "level_missing": ("补上医疗机构等级再查。", "Check again with the level of the institution."),
    "history_missing": (
        "查明此前是否已经用过这种药，再查。",
        "Find out whether the patient had this drug before, and check again.",
    ),
    "online_missing": ("写明是不是互联网诊疗，再查。", "Say whether the visit was online, and check again."),
    "visit_missing": ("补上就诊号或结算号再查。", "Check again with the visit or the settlement."),
    "patient_missing": ("补上患者编号再查。", "Check again with the id of the patient."),
    "price_unknown": (
        "补上金额和价格上限（或本机构该项目其他时候的明细）再查。",
        "Check again with the amount and the price limit, or with other lines of the item at the institution.",
    ),
    "companion_unknown": (
        "给同一处方里没有国家编码的项目补上编码，再查。",
        "Give the items of the prescription that have no national code theirs, and check again.",
    ),
    "exempt": (
        "符合豁免情形 {exemption}，不计违规；依据留存备查。",
        "{exemption} applies, so this is no violation; keep its grounds on file.",
    ),
}
"""What to do at the counter before all advice: by the reason of an undetermined finding, and where an exemption applies."""
REMARKS: dict[str, Said] = {
    "code_repaired": ("编码丢了前面的零，已补上", "the code had lost its leading zeros, which were put back"),
    "duplicate": ("重复上传，只算一次", "uploaded twice, counted once"),
    "exemption_possible": ("没有诊断信息，补上后可能属于豁免情形", "no diagnosis on file; with one, an exemption may apply"),
    "falsely_reversed": (
        "有冲正结算以所属结算为原结算，但人员或机构不同，未计",
        "a reversal names its settlement, but is of another person or institution: it was not counted",
    ),
    "family_account": ("药店购药，付款的参保人不一定是使用人", "bought in a pharmacy: who takes it need not be the insured whose account paid"),
    "lowered_exemption": ("因豁免情形降一级", "one level lower because an exemption applies"),
    "lowered_lenient": ("超过严格年龄界限，仍在宽松界限以内，降一级", "past the strict age limit but within the lenient one: one level lower"),
    "lowered_pair": ("同时收取的证据不足以认定，降一级", "what is known of the other charge does not settle it: one level lower"),
    "counted_from_data": ("疗程从数据中的第一次使用算起，更早的看不到", "the course is counted from the first use in the data; earlier ones are not seen"),
    "days_not_given": ("有的明细没有用药天数，按一天计", "some lines do not tell their days of supply: counted as one day each"),
    "posted_in_bulk": ("当天一次记了几天的量", "several days were posted on this day"),
    "one_bed_day_over": ("床位费正好多一天，只作提示", "of beds exactly one day more: a notice only"),
    "lowered_quota": ("累计的证据不足以认定，降一级", "what is known of the total does not settle it: one level lower"),
    "lowered_terms": ("情形不能排除例外，降一级", "the case may be an exception: one level lower"),
    "partly_refunded": ("部分退费，按剩余计", "partly refunded, the rest counted"),
    "partly_reversed": ("所属结算被部分冲销，没有说明是哪些明细", "its settlement is reversed in part, and nothing says which lines"),
    "person_unreadable": ("人员信息有无法识别的值", "a person field could not be read"),
    "prescription_guessed": (
        "没有处方号，按同一就诊、时间和医生归为一张处方，降一级",
        "no prescription number: taken for one by visit, time and doctor; one level lower",
    ),
    "reuploaded": ("换了流水号又上传一次，只算一次", "uploaded again under another number, counted once"),
    "service_time_fallback": ("没有费用时间，用了就诊或交易时间", "time taken from the visit or message"),
    "stay_began_in_window": ("住院开始时仍在新生儿期，只作提示", "the stay began within the newborn window: a notice only"),
    "time_of_day_missing": (
        "两项中有一项没有具体时间，只知道是同一天",
        "one of the two has no time of day: they are known to be of one day only",
    ),
    "own_compilation": (
        "适应症对应的诊断编码由本项目整理，不是公布的内容",
        "the diagnosis codes of the indication are this project's own compilation, not published",
    ),
    "not_in_2026_list": ("2026 年的清单没有再列出，只作提示", "not listed again in 2026: a notice only"),
}  # fmt: skip
"""What is said beside a finding. Lists of other years give the last one with their year; a point may have a remark of its own."""
MARKS: dict[str, Said] = {
    "definite": ("明确违规 · 停止", "Definite violation · stop"),
    "suspect": ("可疑 · 需说明理由", "Suspect · give the reason"),
    "notice": ("提示", "Notice"),
    "undetermined": ("无法判断", "Undetermined"),
    "exempt": ("豁免", "Exempt"),
}
"""The head of a finding at the counter, by its level, or by its verdict where it has none."""
ICONS = {"definite": "✖", "suspect": "▲", "notice": "●", "undetermined": "?", "exempt": "○"}
CONCLUSIONS: dict[str, Said] = {
    "definite": ("停止", "Stop"),
    "suspect": ("需要确认", "Confirm first"),
    "undetermined": ("无法判断", "Undetermined"),
    "notice": ("可以使用，但有提示", "May be used, with a notice"),
    "clear": ("可以使用", "May be used"),
    "not_restricted": ("不在受限项目中", "Not among the restricted items"),
    "partly_restricted": ("受限项目没有发现问题", "Nothing found in the restricted items"),
    "exempt": ("可以使用", "May be used"),
    "rule_missing": ("没有判断", "Not judged"),
    "unjudged": ("有项目没有判断", "Some items were not judged"),
    "nothing": ("没有需要判断的项目", "Nothing to judge"),
}
"""The last word on a prescription, by the gravest of its findings."""
EXPLANATIONS: dict[str, Said] = {
    "definite": (
        "按规则不能由医保基金支付，处理之前不要结算。",
        "The rules do not let the fund pay; do not settle before this is resolved.",
    ),
    "suspect": (
        "先核对，写明理由后才能继续。",
        "Check it first, and go on only with a written reason.",
    ),
    "undetermined": ("补全信息后再查一次。", "Complete what is missing and check again."),
    "notice": ("请留意提示的内容。", "Take note of what it says."),
    "clear": ("所查规则没有发现问题。", "The rules found nothing."),
    "not_restricted": (
        "知识库没有限制这些项目，能不能用、医保付不付，本程序没有判断。",
        "The knowledge base does not limit them; whether they may be used or paid was not judged.",
    ),
    "partly_restricted": (
        "其余项目不在受限项目中，能不能用没有判断，见下。",
        "The other items are not among the restricted ones: whether they may be used was not judged, see below.",
    ),
    "exempt": ("属于豁免情形，依据留存备查。", "An exemption applies; keep its grounds on file."),
    "rule_missing": ("缺少规则，不能当作没有问题。", "Rules are missing, which is no pass."),
    "unjudged": (
        "判断过的没有发现问题，没有判断的见下。",
        "Nothing found in what was judged; see below for what was not.",
    ),
    "nothing": (
        "都是自费、退货或历史医嘱，没有按医保规则判断。",
        "All are self-paid, returns or earlier orders: no insurance rule was applied.",
    ),
}
"""What each conclusion asks for, in a sentence."""
TO_CHECK: Said = ("[需核对] ", "[to check] ")
"""Before what a point asks for that nobody can tell from what is on file."""
OUTDATED_DAYS = 180
"""Knowledge published longer ago may lack what has been published since: an answer that rests on it says so."""
OUTDATED: Said = (
    f"知识库 {{version}} 是 {{published}} 公布的，已超过 {OUTDATED_DAYS} 天，可能缺少新公布的限制，请更新。",
    f"The knowledge {{version}} was published on {{published}}, over {OUTDATED_DAYS} days before: newer limits may be missing; update it.",
)
"""Beside an answer from old knowledge."""
SKIPS: dict[str, Said] = {
    "invalid": ("作废", "void"), "context": ("历史医嘱", "history"), "refund": ("退费", "refund"), "self_paid": ("自费", "self-paid"),
}  # fmt: skip
"""Why a line read is not judged."""
REJECTS: dict[str, Said] = {
    "record": ("记录残缺", "broken record"),
    "service_time": ("时间", "time"),
    "quantity": ("数量", "quantity"),
    "valid_flag": ("有效标志", "void flag"),
    "refund_flag": ("退费标志", "refund flag"),
    "amount": ("金额", "amount"),
}
"""What of a line could not be read."""
NOT_READ: dict[str, Said] = {
    "unknown_kind": ("不认识的文件类型", "unknown kind of file"),
    "no_known_header": ("没有可识别的表头", "no header that is known"),
    "unfit_headers": ("表头不合用，例如缺少必需的列", "its headers do not fit, a needed one is missing"),
    "damaged": ("无法读取", "cannot be read"),
    "nested": ("压缩包里的压缩包，请先解压", "an archive within an archive: unpack it first"),
    "name": ("文件名不是 UTF-8 文字，请改名", "its name is not UTF-8: rename it"),
    "unreadable": ("无法打开，请检查权限或链接", "cannot be opened: check permission or link"),
    "empty": ("空文件，没有数据", "empty, without data"),
    "hidden_sheet": ("隐藏的工作表", "a hidden worksheet"),
    "left_out": ("--layout 写明不读的工作表", "a worksheet that the layout leaves out"),
    "header_only": ("只有表头，没有数据", "a header without rows"),
    "hidden": ("名称以 _ 或 . 开头，按惯例不是数据", "begins with _ or ., which by custom is no data"),
    "of_the_system": ("系统或办公软件的临时文件", "a file of the system or of an office program"),
    "own_results": ("本程序以前的扫描结果", "results of an earlier scan"),
    "repeated": ("同一个文件已经读了一次", "the same file is read already"),
    "superseded": ("不在数据表的最新版本里", "not in the latest version of the table"),
}
"""Why a file among the inputs is not read."""
MAY_BE_DATA = frozenset(("unknown_kind", "no_known_header", "unfit_headers", "damaged", "nested", "name", "unreadable"))
"""The reasons that leave open whether data was passed over: the run is incomplete."""
ENCODING_NAMES = {"utf-8": "UTF-8", "gb18030": "GB18030", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
"""The encodings of text that are read, and how they are called."""
SEPARATOR_NAMES: dict[str, Said] = {
    ",": ("逗号", "comma"),
    "\t": ("制表符", "tab"),
    ";": ("分号", "semicolon"),
    "|": ("竖线", "bar"),
}
"""The usual separators of columns."""
ESCAPED_QUOTES: Said = ("，引号前用反斜杠转义", ", quotes escaped by a backslash")
"""Of a CSV file whose quotes within values are not doubled."""
ROLE_NAMES: dict[str, Said] = {
    "lines": ("明细", "lines"), "settlements": ("结算表", "settlements"), "visits": ("就诊表", "visits"), "diagnoses": ("诊断表", "diagnoses"),
}  # fmt: skip
"""The kinds of tables of a scan."""
WHY_FED: dict[str, Said] = {
    "known": ("已知表头", "known"), "map": ("--map", "--map"), "layout": ("--layout", "--layout"), "fallback": ("都为空时", "last resort"),
}  # fmt: skip
"""Why a header feeds a column."""
RECORD_FAULTS = {
    "missing": "列数比表头少",
    "too many": "列数比表头多",
    "quote": "引号没有配对（从文件第 {line} 行开始）",
    "encoding": "不是 {encoding} 文字",
    "zero": "含有空字符（NUL）",
    "long": "这一行太长",
    "note": "表头下面的说明行，不是明细",
}
"""Why a record cannot be split into its columns, as rejects.parquet says it."""
LOST_CODES: dict[str, Said] = {
    "zeros": (
        "“{header}”列有 {lines:,} 行的编码丢了前面的零（多半被表格软件当成了数字），例如“{example}”应为“{meant}”；加上 --repair，补零后再判断",
        "{lines:,} codes of the column {header} have lost their leading zeros, such as {example} for {meant}: "
        "a spreadsheet took them for numbers; give --repair to have them put back",
    ),
    "unlisted": (
        "“{header}”列有 {lines:,} 行的编码丢了前面的零，例如“{example}”，补零后的“{meant}”不在知识库里，没有知识点涉及",
        "{lines:,} codes of the column {header} have lost their leading zeros, such as {example}; with them ({meant}) no point has them",
    ),
    "digits": (
        "“{header}”列有 {lines:,} 行的编码成了科学计数法，例如“{example}”，位数已经丢失，无法恢复，没有判断；请把这一列设为文本后重新导出",
        "{lines:,} codes of the column {header} came as numbers such as {example}: their digits are lost and they were not judged; "
        "make the column text and export again",
    ),
    "repaired": (
        "“{header}”列有 {lines:,} 行的编码补上了前面的零，例如“{example}”改为“{meant}”（备注 code_repaired）",
        "{lines:,} codes of the column {header} got their leading zeros back, such as {example}: {meant} (remark code_repaired)",
    ),
}  # fmt: skip
"""What became of item codes that a spreadsheet took for numbers."""
PERSONS = {"zh": ("参保人", "患者"), "en": ("the insured person", "the patient")}
"""Who was judged: the insured, the patient; by language."""
SCOPES: dict[str, Said] = {"prescription": ("本张处方", "this prescription"), "line": ("这一行", "this line")}
"""What was judged where that is no person, by what the shape of the rule judges."""
NOT_KNOWN: Said = ("不明", "unknown")
SEXES: dict[str, Said] = {"male": ("男", "male"), "female": ("女", "female")}
SEXES_OF_PEOPLE: dict[str, Said] = {"male": ("男性", "male"), "female": ("女性", "female")}
"""The same within a sentence."""
PIECES: dict[str, tuple[Said, Said]] = {
    "outside": (("同方有名单外饮片", "a piece outside the lists"), ("另有名单以外的饮片", "a piece outside the lists beside it")),
    "alone": (("单味使用", "used alone"), ("单味使用", "used alone")),
    "listed": (
        ("其余 {} 味均在名单内", "with {} listed only"), ("其余 {} 味都在名单内", "used beside listed pieces only"),
    ),
}  # fmt: skip
"""What stands beside a decoction piece in its prescription, in a column and within a sentence."""
CARE_GROUPS: dict[str, Said] = {
    "outpatient": ("门诊", "outpatient"),
    "emergency": ("急诊", "emergency"),
    "chronic": ("门诊慢特病", "chronic outpatient"),
    "inpatient": ("住院", "inpatient"),
    "day_surgery": ("日间手术", "day surgery"),
    "home_bed": ("家庭病床", "home bed"),
    "maternity_outpatient": ("生育门诊", "maternity outpatient"),
    "family_planning": ("计划生育", "family planning"),
    "pharmacy": ("药店购药", "pharmacy"),
}
"""What care types [医疗类别] come down to; a profile says which (checker/ingest/provincial.py), as for the next two."""
INSURANCE_GROUPS: dict[str, Said] = {
    "basic": ("基本医疗保险", "basic medical insurance"),
    "maternity": ("生育保险", "maternity insurance"),
    "injury": ("工伤保险", "work injury insurance"),
    "long_term_care": ("长期护理保险", "long-term care insurance"),
}
"""What insurance types [险种] come down to."""
SPOKEN_FOR: dict[str, Said] = {
    "fits": ("诊断在限定支付范围内", "a diagnosis within the limits of payment"),
    "none_fits": ("诊断都不在限定支付范围内", "no diagnosis on file is within them"),
    "earlier": ("此前用过同类的其他药品", "another drug of its class used before"),
    "no_earlier": ("所给数据中此前没有同类的其他药品", "the given data hold no other drug of its class before"),
}
"""What speaks for an item, or does not: diagnoses and earlier drugs."""
RANKS: dict[int, Said] = {1: ("一级", "level 1"), 2: ("二级", "level 2"), 3: ("三级", "level 3")}
"""The levels of institutions [机构等级]."""
RANKS_FROM: dict[str, Said] = {
    "": ("{}及以上医疗机构", "an institution of {} or above"),
    "first": ("首次处方由{}及以上医疗机构开具", "a first prescription by an institution of {} or above"),
    "eye": ("{}医院眼科或二级及以上眼科专科", "an eye department of {} or an eye hospital of level 2 or above"),
    "of ": ("{}", "{}"),
    "of first": (
        "{}，所给数据中此前 365 天没有这种药",
        "{}, and the given data hold no such drug in the 365 days before",
    ),
}
"""How ranks are spoken of: those that a point asks for, and (`of …`) that of an institution."""
CHANNELS: dict[str, Said] = {"online": ("互联网诊疗", "an online visit"), "offline": ("线下诊疗", "a visit in person")}
"""How the patient saw the doctor."""
PAYMENTS: dict[str, Said] = {
    "none": ("不予支付", "not paid"),
    "charged": ("列入了医保范围", "it was charged to the fund"),
    "unknown": ("是否列入医保范围不明", "it is not known whether it was charged to the fund"),
}
"""Whether the fund pays."""
INTERVALS: dict[str, Said] = {
    "day": ("同一天内", "on the same day"),
    "visit": ("同一次就诊内", "within the same visit"),
    "six_hours": ("6 小时内", "within 6 hours"),
    "one_hour": ("1 小时内", "within one hour"),
}
"""Within what two items are not charged together."""
BESIDE: dict[str, Said] = {
    "visit": ("同一就诊已收取", "it was charged in the same visit"),
    "patient": (
        "同一患者已收取，不能确定是同一就诊",
        "it was charged to the same patient, not certainly in the same visit",
    ),
    "date": ("当天已收取，没有具体时间", "it was charged on that day, the time of day is not known"),
}
"""How what an item is a part of stands beside it."""
CONTAINER: Said = ("包含它的项目", "an item that contains it")
"""What an item is a part of, where its name is not known."""
UNRATED: Said = ("未定级", "no level")
"""Of an institution that is known to have none."""
PAY_PLACES: dict[str, Said] = {"online": ("互联网医院", "internet hospital"), "elsewhere": ("其他地点", "elsewhere")}
"""What places of payment [支付地点] come down to."""
UNKNOWN_VALUES = {
    "insurance_unknown": "insurance_type",
    "care_unknown": "care_type",
    "level_unknown": "institution_level",
    "prescriber_unknown": "prescriber_institution_level",
    "online_unknown": "pay_location",
}
"""By the reason of an undetermined finding, the column whose value the profile may not know."""
_UNKNOWN_KINDS: dict[str, Said] = {
    **{kind: MISSING[kind] for kind in ("insurance_type", "care_type", "institution_level")},
    "pay_location": ("支付地点", "the place of payment"),
}
"""What such values are called."""
_PROFILE_PLACES: dict[str, Said] = {
    "pay_location": (
        "请写进省级配置 [{table}] 的 pay_locations（互联网医院）或 other_pay_locations（其他地点）（--profile）",
        "write it into pay_locations (internet hospitals) or other_pay_locations in [{table}] of the profile (--profile)",
    ),
}
"""Where a profile says what they mean, if not simply in one of the groups of the table."""
AGE_UNITS: dict[str, Said] = {"year": ("岁", "years"), "month": ("个月", "months"), "day": ("天", "days")}
CLASSES: dict[str, Said] = {
    "cluster": ("聚集：多行同一个原因", "a cluster: many lines of one cause"),
    "person_conflict": (
        "人员信息与此人其他就诊不一致",
        "the person's sex or birth date differs from most other visits",
    ),
    "parents_card": ("可能用家长的卡给孩子看病", "probably a parent's card used for a child"),
    "newborn": ("可能是新生儿，登记在母亲名下", "probably a newborn, recorded under the mother"),
}
"""What may explain a finding other than a violation [归类]."""
CLASS_MEANINGS: dict[str, Said] = {
    "cluster": (
        "同一机构的同一院内编码、科室医生或某一天的许多行都超出限制，其他地方很少：先核对码、医生和上传；只由一名医生造成的不算有了解释",
        "many lines of one local code, doctor or day of an institution break a limit that is hardly broken elsewhere: look at the mapping, the doctor, the "
        "upload first; that one doctor does it explains nothing",
    ),
    "person_conflict": (
        "按此人其他就诊中多数的性别或出生日期重新判断，就不违规：先核对登记的人",
        "judged by the sex or birth date of most other visits of the person the line breaks no limit: look at who was registered first",
    ),
    "parents_card": (
        "成年人在儿科、药店，或在一天的一次就诊中有两种以上儿童项目，且不是住院：先问是谁用的",
        "a grown-up got items for children from a children's department, a pharmacy, or several on one day of a visit, and in no stay: ask who used them",
    ),
    "newborn": (
        "就诊中有分娩、新生儿的迹象，登记的可能是母亲：没有判断，不是违规",
        "something in the visit speaks of a birth, and the record may be the mother's: not judged, no violation",
    ),
}
"""What each class means, and what to do first."""
AUDIT_ADVICE: dict[str, Said] = {
    "definite": (
        "调阅处方、医嘱和收费记录；属实的，退回医保基金支付的部分；有异议的，请机构附材料申诉。",
        "Look at prescription, order and charge; where it holds, what the fund paid is returned; the institution may appeal with its records.",
    ),
    "suspect": (
        "先听取机构说明，再调阅病历、医嘱和收费记录；有临床理由的记下理由，没有的退回医保基金支付的部分。",
        "Hear the institution first, then look at record, order and charge; note a clinical reason; without one, what the fund paid is returned.",
    ),
    "notice": ("了解情况即可，汇总后提醒机构。", "To be noted, and the institution told of it together with others."),
    "undetermined": (
        "不是违规：请机构补全缺少的信息，再扫描一次。",
        "Not a violation: have the institution complete what is missing, and scan again.",
    ),
    "exempt": ("属于豁免情形，不需要处理。", "Cleared by an exemption: nothing to be done."),
    "cluster": (
        "先不要逐条核查：在聚集中看同一原因，核对对码、医生和上传，改正后重新上传。",
        "Do not look at it alone: see its cluster, check mapping, doctor and upload, and have them sent again when they are mended.",
    ),
    "person_conflict": (
        "先核对人员登记的性别和出生日期，与此人其他就诊不一致；登记有误的，改正后重新上传。",
        "First check the sex and birth date on record, which differ from the person's other visits; where they are wrong, have them mended and sent again.",
    ),
    "parents_card": (
        "先核实用药的是不是孩子；是的，提醒今后用孩子本人的医保凭证结算，不按超限定支付处理。",
        "First find out whether a child was treated; if so, ask that the child's own credential be used, and do not hold it against the limit.",
    ),
    "newborn": (
        "先核实是不是新生儿的费用；是的，请机构记到新生儿本人名下或填写新生儿标志。",
        "First find out whether it was for a newborn; if so, it is to be charged to the child, or the flag of newborns set.",
    ),
}
"""What an auditor does about a finding: by what may explain it, else by its level, else by its verdict."""
CLUSTER_KINDS: dict[str, Said] = {
    "mapping": ("很可能对码有误", "probably a wrong mapping"),
    "prescriber": ("集中在一位医生", "one doctor"),
    "neighbour": ("很可能选了目录里相邻的项目", "probably the neighbour in a list was taken"),
    "upload": ("集中在一次上传", "one upload"),
}
"""What a cluster [聚集] is probably caused by."""
CLUSTER_MEANINGS: dict[str, Said] = {
    "mapping": (
        "院内编码对到的医保编码很可能不对：男女或大人小孩都在用",
        "the local code is probably mapped to the wrong national code: persons of all kinds get the item",
    ),
    "prescriber": ("只有一名医生的行超出限制，其他医生很少", "one doctor's lines break the limit, others' hardly ever"),
    "neighbour": (
        "一名医生可能在列表中选了相邻的项目，本院其他医生用的是另一个",
        "one doctor probably takes the neighbour in a list of the item that others of the house charge",
    ),
    "upload": (
        "某一天上传的各种项目都超出限制，其他日子很少：人员或编码可能错位",
        "on one day all kinds of items break limits as on no other: persons or codes were probably shifted in one upload",
    ),
}
"""What each kind of cluster means."""
LIKELY_BY: dict[str, Said] = {
    "name": ("院内名称相近", "the local name is alike"),
    "neighbour": ("目录编码相邻", "it stands beside in the catalogue"),
}
"""Why an item is held to be the one that was meant."""
QUALITY: dict[str, Said] = {
    "sex_missing": ("没有性别", "sex missing"),
    "birth_missing": ("没有足够的年龄信息", "age not known well enough"),
    "birth_impossible": ("出生日期或年龄不合理", "birth date or age impossible"),
    "id_conflict": ("性别或出生日期在不同来源中互相矛盾", "sources contradict each other on sex or birth date"),
    "visits_conflict": (
        "性别或出生日期与此人其他就诊不一致",
        "sex or birth date differs from the person's other visits",
    ),
    "newborn_under_mother": (
        "可能为新生儿使用，登记的是母亲的信息",
        "probably for a newborn, recorded under the mother",
    ),
    "newborn_flag_odd": (
        "有新生儿标志，但登记的人既不是新生儿，也不可能是母亲",
        "flagged as a newborn's, but the record is neither a newborn's nor can it be the mother's",
    ),
    "header_missing": ("找不到结算或就诊记录", "no settlement or visit found"),
    "duplicate": ("重复上传", "uploaded twice"),
    "reuploaded": ("换流水号重复上传", "uploaded again under another number"),
    "refund_unmatched": ("退费找不到原单", "a refund without its original"),
    "code_missing": ("没有项目编码", "no item code"),
    "code_without_shape": ("项目编码不是国家编码", "not a national item code"),
}
"""What may be amiss with data [数据质量]."""

_PUBLISHED: dict[str, Mapping[str, Said]] = {
    "verdict": VERDICTS, "level": LEVELS, "action": ACTION_WORDS, "reason": REASONS, "remark": REMARKS, "next": NEXT, "mark": MARKS,
    "conclusion": CONCLUSIONS, "explanation": EXPLANATIONS,
    "missing": MISSING, "care": CARE_GROUPS, "insurance": INSURANCE_GROUPS, "channel": CHANNELS,
    "rank": {**{str(rank): said for rank, said in RANKS.items()}, "unrated": UNRATED},
    "value": {"unknown": NOT_KNOWN}, "knowledge": {"outdated": OUTDATED},
}  # fmt: skip


def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """What programs and pages need of it, by kind, code and language (`zh`, `en`)."""
    return {
        kind: {code: {"zh": chinese, "en": english} for code, (chinese, english) in words.items()}
        for kind, words in _PUBLISHED.items()
    }


def lost_code_words(fate: str, header: str, lines: int, example: str, meant: str | None) -> Said:
    """What became of so many codes of a column, with an example and what it was, in Chinese and English."""
    chinese, english = (
        words.format(header=header, lines=lines, example=example, meant=meant) for words in LOST_CODES[fate]
    )
    return chinese, english


QUOTA_UNITS: dict[str, Said] = {
    "day": ("天", "days"),
    "month": ("个月", "months"),
    "hour": ("小时", "hours"),
    "time": ("次", "times"),
}
"""What quantities that are limited are counted in; of a day's quantity a day is one time."""


def quota_words(quota: str, most: int, unit: str, window_days: int | None, *, english: bool) -> str:
    """How much of an item is paid for, in words."""
    if quota == "course":
        counted = QUOTA_UNITS[unit][english]
        return (
            f"paid for at most {most} {counted.removesuffix('s') if most == 1 else counted}"
            if english
            else f"支付不超过 {most} {counted}"
        )
    counted = QUOTA_UNITS["time" if unit == "day" else unit][english]
    told = (
        f"at most {most} {counted.removesuffix('s') if most == 1 else counted}" if english else f"最多 {most} {counted}"
    )
    if quota == "day":
        return f"{told} a day" if english else f"每日{told}"
    return f"{told} within {window_days} days" if english else f"{window_days} 天内{told}"


def care_words(groups: str, *, english: bool) -> str:
    """Groups of care joined by | in words: 急诊或住院."""
    return (" or " if english else "或").join(CARE_GROUPS[group][english] for group in groups.split("|"))


def unknown_value_words(column: str, value: str, table: str, *, is_word: bool) -> Said:
    """What to do about a value that the profile does not know, in Chinese and English; `table` is that of the profile. Without `is_word` it may be
    something else that slipped into the column."""
    chinese, english = _UNKNOWN_KINDS[column][0], _UNKNOWN_KINDS[column][1].removeprefix("the ")
    if not is_word:
        return f"“{value}”不像{chinese}，请检查这一列", f"{value} does not look like a {english}: check the column"
    usual = (
        "请写进省级配置 [{table}] 中所属的组（--profile）",
        "write it into its group in [{table}] of the profile (--profile)",
    )
    place = [told.format(table=table) for told in _PROFILE_PLACES.get(column, usual)]
    return f"不认识{chinese}“{value}”，{place[0]}", f"the {english} {value} is not known: {place[1]}"


def give_words(missing: str, rule_id: str) -> Said:
    """What to give in a prescription so that the counter judges a point that it did not judge."""
    chinese, english = (GIVE if missing in GIVE else NOT_JUDGED)[missing]
    return chinese.format(rule=rule_id), english.format(rule=rule_id)


def remark_words(remark: str) -> Said:
    """A remark in Chinese and English, as it stands where it is the point's own; of lists of every year as of the one in REMARKS."""
    if (year := year_not_listed(remark)) is not None:
        chinese, english = REMARKS["not_in_2026_list"]
        return chinese.replace("2026", year), english.replace("2026", year)
    return REMARKS.get(remark, (remark, remark))


DECISIONS: dict[str, Said] = {
    "confirmed": ("属实", "confirmed"),
    "refuted": ("不属实", "refuted"),
    "refunded": ("已退回", "refunded"),
}
"""What was decided about a finding [审核结论]; money that was given back was taken wrongly, so that `refunded` confirms the finding too."""
REVIEW_COLUMNS: dict[str, Said] = {
    "finding_id": ("疑点编号", "Finding"),
    "institution": ("机构", "Institution"),
    "line": ("费用明细流水号", "Line"),
    "item": ("项目", "Item"),
    "day": ("日期", "Day"),
    "rule": ("规则", "Rule"),
    "expected": ("应为", "Expected"),
    "actual": ("实为", "Actual"),
    "person": ("人员（脱敏）", "Person (masked)"),
    "amount_at_stake": ("涉及金额（元）", "At stake (yuan)"),
    "decision": ("审核结论", "Decision"),
    "amount": ("退回金额（元）", "Refunded (yuan)"),
    "reason": ("理由", "Reason"),
    "class": ("归类", "Class"),
    "cluster": ("聚集编号", "Cluster"),
}
"""The headers of the sheet in which findings are decided, and under which it is read again."""
QUERY_RELATIONS: dict[str, Said] = {
    "candidate": (
        "每行是一条明细和覆盖它的一个知识点：明细的列已按 docs/judgment.md 读好，知识点的列来自知识库",
        "a row a line and a knowledge point that covers it: the line as docs/judgment.md reads it, the point as in the knowledge base",
    ),
    "fellow": (
        "同一处方的各条明细，和列有其项目的规则",
        "the lines of a prescription, and the rules that list their items",
    ),
    "use": (
        "点数、配对或回看的项目的明细，退费和重复上传已经抵掉",
        "the lines of items that points count, pair or look back at, refunds and duplicates taken off",
    ),
    "diagnosed": ("明细、结算、就诊和患者的诊断编码", "codes of diagnoses, by line, settlement, visit and patient"),
    "class_use": ("患者哪天用过某类药", "the days on which a patient had a drug of a class"),
}
"""The relations that the query of `liangku sql` reads."""
