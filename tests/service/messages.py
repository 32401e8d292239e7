"""National messages for the tests: a plain valid one, to be changed at one place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

NOW = datetime(2026, 3, 2, 9, 30, 15, 678000)
MALE_ONLY = "XG04CBA088A001010101467"
"""爱普列特片, which the embedded knowledge limits to men."""
ORDINARY = "XA11GAW043A001010201815"


def order(**changes: Any) -> dict[str, Any]:
    """One order; a change to `...` leaves the member out."""
    return changed(
        {
            "rx_id": "R1", "rxno": "CF1", "grpno": "", "long_drord_flag": "0", "hilist_type": "101", "chrg_type": "09", "drord_bhvr": "0",
            "hilist_code": MALE_ONLY, "hilist_name": "爱普列特片", "hilist_lv": "02", "hilist_pric": "35.50", "hosplist_code": "Y1",
            "hosplist_name": "爱普列特片", "cnt": "2.0000", "pric": "35.50", "sumamt": "71.00", "spec": "5mg*10片", "spec_unt": "盒",
            "drord_begn_date": "2026-03-01 10:00:00", "drord_stop_date": None, "curr_drord_flag": "1",
        },
        changes,
    )  # fmt: skip


def encounter(*orders: Any, **changes: Any) -> dict[str, Any]:
    """One outpatient encounter with these orders, or one."""
    return changed(
        {
            "mdtrt_id": "V1", "medins_id": "H37080000001", "medins_name": "某某医院", "medins_admdvs": "370800", "medins_type": "1",
            "adm_date": "2026-03-01 09:00:00", "dscg_date": "9999-12-31 00:00:00", "dscg_main_dise_codg": "N40.x00",
            "fsi_diagnose_dtos": [
                {"dise_id": "1", "maindise_flag": 1, "dise_codg": "N40.x00"}, {"dise_id": "2", "maindise_flag": "0", "dise_codg": "I10.x00"},
            ],
            "med_mdtrt_type": "3", "med_type": "11", "matn_stas": "0", "insutype": "310",
            "fsi_order_dtos": list(orders) or [order()], "fsi_operation_dtos": [],
        },
        changes,
    )  # fmt: skip


def patient(*encounters: Any, **changes: Any) -> dict[str, Any]:
    """One woman with these encounters, or one."""
    return changed(
        {
            "patn_id": "P1", "patn_name": "褚某某", "gend": "2", "brdy": "1990-05-01", "poolarea": "370899", "curr_mdtrt_id": "V1",
            "fsi_encounter_dtos": list(encounters) or [encounter()], "fsi_his_data_dto": "",
        },
        changes,
    )  # fmt: skip


def message(*patients: Any, data: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A request 3101 with these patients, or one; `data` changes members of input.data, the rest those of the envelope."""
    held = changed(
        {"syscode": "IMS", "trig_scen": "2", "task_id": "T1", "rule_ids": [], "patient_dtos": list(patients) or [patient()]},
        data or {},
    )  # fmt: skip
    return changed(
        {
            "infno": "3101", "msgid": "H37080000001202603010930150001", "mdtrtarea_admvs": "370800", "insuplc_admdvs": "370800",
            "recer_sys_code": "YBXT", "infver": "V1.0", "opter_type": "1", "opter": "0001", "opter_name": "卫某某",
            "inf_time": "2026-03-02 09:30:00", "fixmedins_code": "H37080000001", "fixmedins_name": "某某医院", "input": {"data": held},
        },
        changes,
    )  # fmt: skip


def feedback(*warns: Any, **changes: Any) -> dict[str, Any]:
    """A message of feedback 3103 with these decisions, or one."""
    decided = {"warn_rslt_id": "a1", "dspo_way": "1", "dspo_way_rea": "已核对用药人"}
    return changed(
        {
            "infno": "3103", "mdtrtarea_admvs": "370800", "opter": "0001",
            "input": {"data": {"warn_type": "1", "warns": list(warns) or [decided]}},
        },
        changes,
    )  # fmt: skip


def changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The document with the changes made; `...` takes a member out."""
    return {key: value for key, value in {**document, **changes}.items() if value is not ...}
