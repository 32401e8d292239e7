"""All checks of a knowledge base: what each is called, how grave its issues are, and how to mend them."""

from __future__ import annotations

from checker.knowledge.checks.against_rules import other_kind, other_shape, unknown_rule, unread_limit, unread_point
from checker.knowledge.checks.crosswalk import covered_local, unknown_national
from checker.knowledge.checks.evidence import missing_evidence
from checker.knowledge.checks.examples import example
from checker.knowledge.checks.exemptions import blanket_exemption, expired_exemption, unneeded_exemption, wholly_exempt
from checker.knowledge.checks.families import CONFIRMED, family_of_another, two_families, unrelated_names
from checker.knowledge.checks.issue import ERROR, INFO, WARNING, Said
from checker.knowledge.checks.limits import both_sexes, name_and_limit
from checker.knowledge.checks.lineage import override, superseded_by
from checker.knowledge.checks.overlaps import duplicate_point, limits_overlap, validity_gap
from checker.knowledge.checks.plausible import far_date, unknown_region
from checker.knowledge.checks.published_names import name_of_another
from checker.knowledge.checks.reading import age_bounds, faults_of
from checker.knowledge.checks.validator import Validator
from checker.shapes import LIMITS

_LIMITS = [limit.name for limit in LIMITS if limit.stands_alone]

VALIDATORS = (
    Validator(
        "columns", ERROR,
        Said("表的列或单元格数不对", "columns of a table are wrong"),
        Said("按说明改表头，每行的单元格数与表头一致", "mend the header as the message says; one cell for each column in every row"),
        faults_of("columns"),
    ),
    Validator(
        "value", ERROR,
        Said("单元格的值不合要求", "a cell holds a value that it cannot"),
        Said("按说明改这个单元格", "write what the message says"),
        faults_of("value"),
    ),
    Validator(
        "unsafe-text", ERROR,
        Said("文字里有公式、标记或看不见的字符", "a formula, a tag or invisible signs in a text"),
        Said("只写文字；从网页或聊天里复制的，请重新录入", "write plain text; type anew what was copied from a page or a chat"),
        faults_of("unsafe-text"),
    ),
    Validator(
        "code-shape", ERROR,
        Said("编码的形式不对", "a code of no national shape"),
        Said(
            "写完整的国家医保编码：X + 22 位、Z + 19 位、T + 9 位、C + 19 或 26 位、15 位数字；或药品码前段：X 码前 14 位、Z 码前 11 位",
            "write a full national code (X + 22, Z + 19, T + 9, C + 19 or 26, 15 digits), or a family (14 of an X code, 11 of a Z code)",
        ),
        faults_of("code-shape"),
    ),
    Validator(
        "reference", ERROR,
        Said("指向不存在的知识点，或知识点没有编码", "a point that is not there, or has no pattern"),
        Said("补上缺的行，或删去这一行", "add the row that is missing, or remove this one"),
        faults_of("reference"),
    ),
    Validator(
        "duplicate-pattern", ERROR,
        Said("一个知识点把同一编码写了两次", "a point names a code twice"),
        Said("只留一行", "keep one of the rows"),
        faults_of("duplicate-pattern"),
    ),
    Validator(
        "age-bounds", ERROR,
        Said("年龄上下限自相矛盾", "age bounds that contradict each other"),
        Said("下限要小于上限；上限不含在内（2-11岁写 2 与 12）", "write a lower bound below the upper, which is exclusive (2-11岁 is 2 and 12)"),
        age_bounds,
    ),
    Validator(
        "validity", ERROR,
        Said("结束日期不晚于开始日期", "an end that is not after its beginning"),
        Said("valid_to 是不再有效的第一天，要晚于 valid_from", "valid_to is the first day on which it no longer holds, after valid_from"),
        faults_of("validity"),
    ),
    Validator(
        "far-date", ERROR,
        Said("日期离现在太远", "a day that is far off"),
        Said("核对公布的日期；长期有效的 valid_to 留空", "compare the notice; leave valid_to empty where there is no end"),
        far_date,
    ),
    Validator(
        "unknown-region", ERROR,
        Said("没有这个行政区划", "a place that there is not"),
        Said("写行政区划代码的前 2 至 6 位，如 37 或 3708", "write the first 2 to 6 digits of a place code, such as 37 or 3708"),
        unknown_region,
    ),
    Validator(
        "missing-evidence", ERROR,
        Said("没有写依据，或依据不是一份文件", "no evidence, or none that names a notice"),
        Said("写明文件、批次和原表的行（document、batch、source_rows）", "name the notice, the batch and the published row (document, batch, source_rows)"),
        missing_evidence,
    ),
    Validator(
        "no-limit", ERROR,
        Said("知识点什么也不限制", "a point that limits nothing"),
        Said(f"写一个限制：{'、'.join(_LIMITS)} 之一", f"write a limit, one of {', '.join(_LIMITS)}"),
        faults_of("no-limit"),
    ),
    Validator(
        "example", ERROR,
        Said("与例子（example.csv）不符", "otherwise than an example says"),
        Said("核对编码和前段；例子写错了就改例子", "compare codes and families; mend the example where it is what is wrong"),
        example,
    ),
    Validator(
        "unknown-rule", ERROR,
        Said("没有这个规则", "a rule of no rule file"),
        Said("改成已有的规则，或用 --rules 指定有它的文件夹", "name a rule that there is, or the folder that has it with --rules"),
        unknown_rule,
    ),
    Validator(
        "other-shape", ERROR,
        Said("限制写在别的形态的表里", "limits in the table of another shape"),
        Said(
            "把限制写到规则形态的表里，或把知识点归到看这种限制的规则",
            "write the limits into the table of the rule's shape, or give the point to a rule that reads them",
        ),
        other_shape,
    ),
    Validator(
        "other-kind", ERROR,
        Said("编码与规则所管的不是一类", "a code of another kind than the rule is about"),
        Said("删去这个编码，或改成药品（服务项目）的编码", "remove the code, or write that of a drug (of a service)"),
        other_kind,
    ),
    Validator(
        "unread-point", ERROR,
        Said("规则不看这个知识点的限制", "a point whose limits its rule does not read"),
        Said("把它归到看这种限制的规则，或补上规则要看的限制", "give it to a rule that reads its limit, or write the limit that the rule reads"),
        unread_point,
    ),
    Validator(
        "both-sexes", ERROR,
        Said("同一编码同时限男性和限女性", "a code limited to men and to women at once"),
        Said("核对原表，改正性别，或结束其中一个（valid_to）", "compare the published rows; mend the sex, or end one of the points (valid_to)"),
        both_sexes,
    ),
    Validator(
        "superseded-by", ERROR,
        Said("接续关系（superseded_by）不通", "superseded_by leads nowhere"),
        Said("写同一规则中接着生效的知识点，并给原来的写 valid_to", "name the point of the same rule that follows, and end this one with valid_to"),
        superseded_by,
    ),
    Validator(
        "duplicate-point", WARNING,
        Said("同一编码被写了两遍", "the same said by two points"),
        Said(
            "留一个，给另一个写 valid_to；编号（point_id）不可重复；公布如此的可不改",
            "keep one and end the other (valid_to), unless they are published so; give each point its own id",
        ),
        duplicate_point,
    ),
    Validator(
        "limits-overlap", WARNING,
        Said("同一编码同时有两种限制", "a code limited in two ways at once"),
        Said("新的生效时给旧的写 valid_to", "end the older point (valid_to) where the newer begins"),
        limits_overlap,
    ),
    Validator(
        "validity-gap", WARNING,
        Said("同一编码的限制中间断了一段", "a code that is not limited for a while"),
        Said("核对公布的日期；若确实中断过，可不改", "compare the days of the notices; leave it where the gap is real"),
        validity_gap,
    ),
    Validator(
        "unread-limit", WARNING,
        Said("规则不看的限制", "a limit that the rule does not read"),
        Said("删去它，或另写一个由别的规则判断的知识点", "remove it, or write another point for a rule that reads it"),
        unread_limit,
    ),
    Validator(
        "name-and-limit", WARNING,
        Said("名称与限制不符", "a name that contradicts the limit"),
        Said("核对原表的限定性别、年龄", "compare the sex and the age in the published row"),
        name_and_limit,
    ),
    Validator(
        "family-of-another", ERROR,
        Said("药品码前段里有别的药", "a family that holds another item"),
        Said(
            f"在这一段改用完整编码（match = code）；核对过、确应整段限制的，在知识点的备注里写“{CONFIRMED[0]}”",
            f"give exact codes instead of this family (match = code); where the whole family is meant, write “{CONFIRMED[1]}” in the point's remark",
        ),
        family_of_another,
    ),
    Validator(
        "name-of-another", ERROR,
        Said("药品码前段公布的是别的药名", "a family that is published under another name"),
        Said(
            f"核对编码是否抄错；核对过确是同一种药的，在知识点的备注里写“{CONFIRMED[0]}”",
            f"see whether the code was copied wrongly; where it is the same item, write “{CONFIRMED[1]}” in the point's remark",
        ),
        name_of_another,
    ),
    Validator(
        "unrelated-names", WARNING,
        Said("同一药品码前段下的名称毫无关系", "unrelated names under one family"),
        Said("核对编码是否抄错", "see whether a code was copied wrongly"),
        unrelated_names,
    ),
    Validator(
        "two-families", WARNING,
        Said("同一名称的药品码前段互相矛盾", "a name under families that contradict each other"),
        Said("核对编码和限制是否抄错；若公布如此，可不改", "see whether a code or a limit was copied wrongly; leave it where it is published so"),
        two_families,
    ),
    Validator(
        "blanket-exemption", ERROR,
        Said("豁免使整条规则失效", "an exemption that switches a rule off"),
        Said(
            "写明豁免哪些项目或诊断（items、diagnoses）；要停用规则，请在规则文件里改 status",
            "name its items or diagnoses; to stop a rule, change its status",
        ),
        blanket_exemption,
    ),
    Validator(
        "wholly-exempt", WARNING,
        Said("既受限又整体豁免", "limited and wholly exempt at once"),
        Said("删去知识点或豁免，或给豁免加上诊断", "remove the point or the exemption, or bind the exemption to a diagnosis"),
        wholly_exempt,
    ),
    Validator(
        "expired-exemption", WARNING,
        Said("豁免已到期", "an exemption that has ended"),
        Said("确认是否延期；延期就改 valid_to 或写一条新的", "see whether it goes on; if so, change valid_to or write a new one"),
        expired_exemption,
    ),
    Validator(
        "local-code-covered", WARNING,
        Said("地方编码本身是有知识点的国家编码", "a local code that is itself covered"),
        Said("核对对照表的两列是否写反", "see whether the two columns of the crosswalk are exchanged"),
        covered_local,
    ),
    Validator(
        "override", INFO,
        Said("替换了下层的知识点", "a point that takes the place of one below"),
        Said("确有此意可不改；本意是另立一个的，请用自己的编号", "leave it where that is meant; a point beside the other has an id of its own"),
        override,
    ),
    Validator(
        "crosswalk-without-point", INFO,
        Said("对照到没有知识点的国家编码", "a crosswalk onto a code that no point covers"),
        Said("对照到它的行不会被判断；若是抄错，请改正，否则可不改", "lines mapped onto it are not judged; mend it where it was copied wrongly"),
        unknown_national,
    ),
    Validator(
        "unneeded-exemption", INFO,
        Said("没有知识点需要的豁免", "an exemption that no point needs"),
        Said("可以保留备用；若是写错了项目，请改正", "it may stand by; mend the items where they are wrong"),
        unneeded_exemption,
    ),
)  # fmt: skip
"""Every check, in the order in which they run."""
