"""Where the compiled diagnoses of an indication fall short of its published text: diseases that they leave out, and what is no diagnosis at all.

Without the former a patient who fits would be held in doubt; of the latter nothing can be told by diagnoses, so that such points are on trial.
Both were found by reading every published text beside its codes, and the names of the national code list beside the words of the texts.
"""

from __future__ import annotations

from collections.abc import Mapping

Row = tuple[str, int]
"""Batch and number of a published row."""


def _rows(batch: str, *numbers: int) -> tuple[Row, ...]:
    return tuple((batch, number) for number in numbers)


_ADDED: tuple[tuple[str, str, tuple[Row, ...]], ...] = (
    ("甲状旁腺功能低下、低磷性佝偻病", "E20|E83.3|E89.2|N25.0", _rows("12", 20)),
    ("慢性肝病所致高氨血症：脂肪肝等", "E72.2|K70|K72|K76", _rows("12", 32)),
    ("血氨升高", "E72.2|K70-K76", _rows("12", 33, 54)),
    ("洋地黄中毒", "T46", (*_rows("12", 31, 53), *_rows("13", 32))),
    ("胆囊结石、胆汁反流性胃炎", "K29|K80", _rows("12", 42)),
    ("胃溃疡", "K25|K27", _rows("12", 57)),
    ("其他部位的消化道出血", "I86.4|I98|K22.6|K27|K28|K29.0", (*_rows("13", 26), *_rows("14", 12))),
    ("妊娠期贫血", "O99.0", _rows("13", 39)),
    ("化疗引起的贫血", "C00-C97|D63.0|D64", _rows("13", 46)),
    ("凝血因子Ⅶ缺乏、血小板无力症", "D68.2|D69.1", _rows("13", 62)),
    ("输注引起的静脉炎", "I82.1|T80.1", _rows("14", 7)),
    ("妊娠期高血压和子痫前期", "O10-O16", _rows("14", 27)),
    ("卒中、冠脉血运重建", "I64|I69|Z95", _rows("14", 29)),
    ("耳部血流及神经障碍", "H81|H83|H90|H91|H93", _rows("14", 33)),
    ("窦性心动过速", "R00", _rows("14", 40)),
    ("心力衰竭的其他编码", "I09.8|I11.0|I13.0|I13.2|I97.1", _rows("14", 42, 43)),
    ("类癌综合征", "E34.0", _rows("15", 7)),
    ("生育保险", "O00-O99|Z30-Z39", _rows("15", 16, 17, 18, 19)),
    ("眼、呼吸道和内部烧伤", "T26-T28", _rows("15", 20, 25, 26, 29, 30)),
    ("格林巴利综合征、新生儿败血症", "G61.0|P36", _rows("16", 13, 26, 27)),
    ("母婴乙肝传播阻断", "O98.4|Z22.5", _rows("16", 30, 31)),
    ("接触者的预防", "Z20|Z29", _rows("16", 52)),
    ("急性窦炎、下呼吸道感染", "J01|J20-J22|J40-J47|J85|J86", _rows("16", 61)),
    ("既往化疗的肿瘤患者：此前的中性粒细胞减少不一定在本次诊断中", "C00-C97|Z51", _rows("17", 6, 72, 73, 88, 142, 199)),
    ("原发性系统性淀粉样变", "D47.7", _rows("17", 27)),
    ("胃食管结合部", "C15|C16", _rows("17", 60, 166)),
    ("器官移植时的诱导治疗：移植的原因", "C22|I42|J84|K70-K76|N18|N19|Z52", _rows("17", 76, 77, 201)),
    ("组织细胞肿瘤", "C96|D76", _rows("17", 93)),
    ("癌性胸腹腔积液", "C78.2|C78.6|J90|J91|R18", _rows("17", 121, 122, 197, 212, 213, 214, 224, 225)),
    ("甲状腺手术", "C73|D34|D44.0|E01-E07", _rows("17", 136)),
    ("C3 肾小球病", "N00-N08", _rows("17", 180)),
    ("非典型溶血性尿毒症综合征", "D59.3", _rows("17", 186)),
    ("Castleman 病", "D36.0|D47.7|R59", _rows("17", 216)),
)  # fmt: skip
"""What is missing, its codes as the facts write them, and the rows."""
_NOT_BY_DIAGNOSIS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    ("预防重症患者应激性溃疡", _rows("12", 50)),
    ("手术创伤引起的低血容量", _rows("13", 21)),
    ("抢救、重症", _rows("13", 36)),
    ("其他泌尿外科手术", _rows("13", 37)),
    ("带有某种基因改变的任何实体瘤", _rows("17", 34, 145)),
)

ADDED: Mapping[Row, str] = {
    row: "|".join(codes for _, codes, rows in _ADDED if row in rows) for _, _, listed in _ADDED for row in listed
}
"""Codes that belong to a published row as well."""
NOT_BY_DIAGNOSIS: frozenset[Row] = frozenset(row for _, rows in _NOT_BY_DIAGNOSIS for row in rows)
"""Rows that also name a situation which no diagnosis tells."""
