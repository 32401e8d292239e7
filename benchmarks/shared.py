"""What every contestant knows beforehand: the knowledge's folder, the five rules, the columns of the fee lines."""

from __future__ import annotations

from pathlib import Path

KNOWLEDGE = Path("knowledge_base/built")

# rule_id, national code, level
RULES = (
    ("drug-sex", "GZ10000301004000", "suspect"),
    ("service-sex", "GZ10000302004000", "suspect"),
    ("drug-child-only", "GZ10000301002000", "suspect"),
    ("drug-child-limited", "GZ10000101007000", "definite"),
    ("service-child-only", "GZ10000302003000", "suspect"),
)

LINE = [
    "bkkp_sn", "setl_id", "mdtrt_id", "psn_no", "fixmedins_code", "fee_ocur_time", "med_list_codg", "hilist_name",
    "cnt", "det_item_fee_sumamt", "inscp_amt", "vali_flag",
]  # fmt: skip
PERSON = ["gend", "brdy", "nwb_flag", "refd_setl_flag"]
RENAMED = dict(zip(LINE[:-1], [
    "line_id", "settlement_id", "visit_id", "patient_id", "institution_id", "service_time", "item_code", "item_name",
    "quantity", "amount", "amount_in_scope",
], strict=True))  # fmt: skip
"""The names under which the columns of a line stand in a finding."""
