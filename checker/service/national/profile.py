"""The differences of a province in messages as data: names of nodes and fields, codes, and the form of the answer."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from checker.ingest.profile_file import MESSAGE_KEYS, is_texts, open_profile, refuse, unknown_key
from checker.ingest.spellings import FEMALE_WORDS, MALE_WORDS, UNKNOWN_SEX_WORDS
from checker.ingest.value_tables import check_values
from checker.model.errors import Fault

INFNOS = ("3101", "3102", "3103")
NODES = ("patient_dtos", "fsi_encounter_dtos", "fsi_diagnose_dtos", "fsi_order_dtos")
FIELDS = (
    # envelope
    "infno", "msgid", "mdtrtarea_admvs", "insuplc_admdvs", "inf_time", "fixmedins_code", "fixmedins_name", "opter",
    # data
    "task_id", "trig_scen",
    # patient
    "patn_id", "patn_name", "gend", "brdy", "age", "certno", "nwb_flag", "poolarea", "curr_mdtrt_id",
    # encounter
    "mdtrt_id", "setl_id", "medins_id", "medins_name", "medins_admdvs", "medins_type", "medins_lv", "adm_date", "dscg_main_dise_codg", "med_type",
    "insutype", "pay_loc",
    # diagnosis
    "dise_codg",
    # order
    "rx_id", "rxno", "drord_dr_name", "hilist_code", "hilist_name", "cnt", "pric", "sumamt", "ownpay_amt", "inscp_scp_amt", "drord_begn_date",
    "curr_drord_flag", "prd_days", "self_paying_flag", "drord_bhvr", "dscg_tkdrug_flag", "matn_fee_flag", "prescriber_institution_level",
    # feedback
    "warn_type", "warns", "warn_rslt_id", "dspo_way", "dspo_way_rea",
)  # fmt: skip

_CHOICES = {
    "result": ("list", "object"),
    "err_msg_when_ok": ("null", "empty"),
    "undetermined": ("answer", "omit"),
    "not_judged": ("summary", "omit"),
    "not_reviewed": ("result", "error"),
    "local_codes": ("summary", "each", "omit"),
    "feedback_reason": ("required", "optional"),
}
_SEXES = {"male": MALE_WORDS, "female": FEMALE_WORDS, "unknown": UNKNOWN_SEX_WORDS}
_TABLES: dict[str, Sequence[str] | None] = {"infno": None, "nodes": NODES, "fields": FIELDS, "codes": tuple(_SEXES)}


@dataclass(frozen=True, slots=True)
class Profile:
    """How one province writes the national messages. `nodes` and `fields` give the names to try, in order, for each national name."""

    name: str
    body: tuple[str, ...]
    infno: Mapping[str, str]
    nodes: Mapping[str, tuple[str, ...]]
    fields: Mapping[str, tuple[str, ...]]
    sexes: Mapping[str, str | None]
    result: str
    infcode_as_text: bool
    err_msg_when_ok: str | None
    undetermined: str
    not_judged: str
    not_reviewed: str
    local_codes: str
    feedback_reason: str
    vola_bhvr_type: str
    time_limit_ms: int | None


def read_profile(path: Path | None = None) -> Profile:
    """The profile of a TOML file, or of one that comes with the program by its name (`hainan`); the national one without a path.

    Raises InputError naming every fault with its file and key.
    """
    faults: list[Fault] = []
    opened = open_profile(path, faults)
    check_values(opened, faults)
    _check(opened.written, opened.file, faults)
    profile = _profile(opened.national, opened.written, faults, opened.file)
    refuse(faults)
    return profile


def _check(document: Mapping[str, Any], file: str, faults: list[Fault]) -> None:
    """Note every value of the wrong kind, and in tables every key that is unknown."""

    def fault(key: str, message: str) -> None:
        faults.append(Fault(file, key, message))

    for key, value in document.items():
        if key not in MESSAGE_KEYS:
            continue
        if key in _TABLES:
            _check_table(key, value, file, faults)
        elif key in _CHOICES:
            if value not in _CHOICES[key]:
                fault(key, f"值为 {value!r}，应为 {' 或 '.join(_CHOICES[key])}（unknown value）")
        elif key == "infcode_as_text":
            if not isinstance(value, bool):
                fault(key, f"值为 {value!r}，应为 true 或 false（true or false is expected）")
        elif key == "time_limit_ms":
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                fault(key, f"值为 {value!r}，应为毫秒数，例如 800（milliseconds are expected）")
        elif not isinstance(value, str) or (key != "vola_bhvr_type" and not value.strip()):
            fault(key, f"值为 {value!r}，应为文本（a text is expected）")
    body = document.get("body")
    if isinstance(body, str) and body.strip() and not all(part.strip() for part in body.split(".")):
        fault("body", f"值为 {body!r}，应为以点分隔的节点名称，例如 input.data（names joined by dots are expected）")


def _check_table(key: str, value: object, file: str, faults: list[Fault]) -> None:
    known = _TABLES[key]
    if not isinstance(value, dict):
        faults.append(Fault(file, key, f"应为表，写作 [{key}]（a table is expected）"))
        return
    for name, found in value.items():
        place = f"{key}.{name}"
        if known is None:
            if found not in INFNOS:
                faults.append(
                    Fault(file, place, f"值为 {found!r}，应为 {'、'.join(INFNOS)} 之一（unknown transaction）")
                )
        elif name not in known:
            faults.append(Fault(file, place, unknown_key(name, known)))
        elif not is_texts(found):
            faults.append(Fault(file, place, '应为文本的数组，例如 ["psn_no"]（an array of texts is expected）'))


def _profile(base: Mapping[str, Any], written: Mapping[str, Any], faults: list[Fault], file: str) -> Profile:
    """The written over the national; meaningful only where no fault was noted."""
    chosen = {**base, **written}
    words: dict[str, str | None] = {}
    for sex, usual in _SEXES.items():
        meant = None if sex == "unknown" else sex
        for word in (*usual, *_names(written, "codes", sex)):
            key = word.strip().lower()
            if words.setdefault(key, meant) != meant:
                faults.append(
                    Fault(
                        file,
                        f"codes.{sex}",
                        f"“{word}”已有另一种意思，请只写在一处（the word already means another sex）",
                    )
                )
    infno = {**base["infno"], **written["infno"]} if isinstance(written.get("infno"), dict) else base["infno"]
    return Profile(
        name=str(chosen["name"]),
        body=tuple(part.strip() for part in str(chosen["body"]).split(".")),
        infno=MappingProxyType(dict(infno)),
        nodes=_all_names(NODES, "nodes", written, base),
        fields=_all_names(FIELDS, "fields", written, base),
        sexes=MappingProxyType(words),
        result=str(chosen["result"]),
        infcode_as_text=chosen["infcode_as_text"] is True,
        err_msg_when_ok="" if chosen["err_msg_when_ok"] == "empty" else None,
        undetermined=str(chosen["undetermined"]),
        not_judged=str(chosen["not_judged"]),
        not_reviewed=str(chosen["not_reviewed"]),
        local_codes=str(chosen["local_codes"]),
        feedback_reason=str(chosen["feedback_reason"]),
        vola_bhvr_type=str(chosen["vola_bhvr_type"]),
        time_limit_ms=chosen.get("time_limit_ms"),
    )


def _all_names(
    known: Sequence[str], table: str, written: Mapping[str, Any], base: Mapping[str, Any]
) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType(
        {
            name: tuple(
                dict.fromkeys(
                    (*_names(written, table, name), *_names(base, table, name), name, _camel(name)),
                )
            )
            for name in known
        }
    )


def _names(document: Mapping[str, Any], table: str, key: str) -> tuple[str, ...]:
    """The texts of an array, () where it is absent or faulty."""
    entries = document.get(table)
    found = entries.get(key) if isinstance(entries, dict) else None
    return tuple(word for word in found if isinstance(word, str)) if isinstance(found, list) else ()


@functools.cache
def _camel(name: str) -> str:
    """The camelCase of a national name.

    >>> _camel("patient_dtos")
    'patientDtos'
    """
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
