"""A province's differences are read from a file, and every fault of the file is named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from checker.model.errors import InputError
from checker.service.national.message import read_message
from checker.service.national.profile import Profile, read_profile
from tests.service.messages import NOW, message, patient


def written(folder: Path, text: str) -> Path:
    path = folder / "province.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_profile(written(folder, text))
    return str(caught.value).splitlines()


def test_without_a_file_the_national_form_holds() -> None:
    profile = read_profile()
    assert profile.body == ("input", "data")
    assert (profile.result, profile.infcode_as_text, profile.err_msg_when_ok) == ("list", False, None)
    assert (profile.undetermined, profile.not_reviewed, profile.time_limit_ms) == ("answer", "result", None)


def test_the_profile_of_hainan_comes_with_the_program() -> None:
    profile = read_profile(Path("hainan"))
    assert profile.body == ("input", "trigScen")
    assert (profile.infno["3660"], profile.infno["3661"], profile.infno["3101"]) == ("3101", "3102", "3101")
    assert profile.fields["patn_id"] == ("psn_no", "patn_id", "patnId")


def test_an_empty_file_is_the_national_form_under_another_name(tmp_path: Path) -> None:
    assert read_profile(written(tmp_path, "")) == read_profile()


def test_every_key_is_heard(tmp_path: Path) -> None:
    profile = read_profile(
        written(
            tmp_path,
            """
            name = "某省"
            body = "body.request"
            result = "object"
            infcode_as_text = true
            err_msg_when_ok = "empty"
            undetermined = "omit"
            not_judged = "omit"
            not_reviewed = "error"
            local_codes = "each"
            feedback_reason = "optional"
            vola_bhvr_type = "02"
            time_limit_ms = 800
            [infno]
            S101 = "3102"
            [nodes]
            fsi_order_dtos = ["orders"]
            [fields]
            cnt = ["qty"]
            [codes]
            female = ["妇"]
            """,
        )
    )
    assert profile == Profile(
        name="某省", body=("body", "request"), infno=profile.infno, nodes=profile.nodes, fields=profile.fields, sexes=profile.sexes,
        result="object", infcode_as_text=True, err_msg_when_ok="", undetermined="omit", not_judged="omit", not_reviewed="error",
        local_codes="each", feedback_reason="optional", vola_bhvr_type="02",
        time_limit_ms=800,
    )  # fmt: skip
    assert profile.infno["S101"] == "3102"
    assert profile.nodes["fsi_order_dtos"][0] == "orders"
    assert profile.fields["cnt"] == ("qty", "cnt")
    assert profile.sexes["妇"] == "female"


def test_a_word_of_the_province_is_read_in_its_messages(tmp_path: Path) -> None:
    profile = read_profile(written(tmp_path, '[codes]\nfemale = ["F01"]'))
    [prescription] = read_message(message(patient(gend="f01")), profile, now=NOW).prescriptions
    assert prescription.facts["line_sex"] == "female"


def test_the_name_of_the_province_counts_before_the_national_one(tmp_path: Path) -> None:
    profile = read_profile(written(tmp_path, '[fields]\npatn_id = ["psn_no"]'))
    [prescription] = read_message(message(patient(psn_no="P9")), profile, now=NOW).prescriptions
    assert prescription.facts["patient_id"] == "P9"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('resullt = "list"', "province.toml: resullt: 没有这个键，是否指 result"),
        ('colour = "red"', "province.toml: colour: 没有这个键，可写的有 name、"),
        ('result = "array"', "province.toml: result: 值为 'array'，应为 list 或 object"),
        ('local_codes = "all"', "province.toml: local_codes: 值为 'all'，应为 summary 或 each 或 omit"),
        ("infcode_as_text = 1", "province.toml: infcode_as_text: 值为 1，应为 true 或 false"),
        ("time_limit_ms = 0", "province.toml: time_limit_ms: 值为 0，应为毫秒数"),
        ("time_limit_ms = true", "province.toml: time_limit_ms: 值为 True，应为毫秒数"),
        ('body = "input..data"', "province.toml: body: 值为 'input..data'，应为以点分隔的节点名称"),
        ("body = 3", "province.toml: body: 值为 3，应为文本"),
        ('nodes = "a"', "province.toml: nodes: 应为表"),
        ('[nodes]\nfsi_orders_dtos = ["a"]', "province.toml: nodes.fsi_orders_dtos: 没有这个键，是否指 fsi_order_dtos"),
        ('[fields]\ncnt = "qty"', "province.toml: fields.cnt: 应为文本的数组"),
        ("[fields]\ncnt = [1]", "province.toml: fields.cnt: 应为文本的数组"),
        ('[infno]\n3660 = "3660"', "province.toml: infno.3660: 值为 '3660'，应为 3101、3102、3103 之一"),
        ('[codes]\nmale = ["2"]', "province.toml: codes.female: “2”已有另一种意思"),
    ],
)
def test_a_fault_is_named_by_its_key(tmp_path: Path, text: str, fault: str) -> None:
    [found] = faults(tmp_path, text)
    assert found.startswith(fault)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    assert len(faults(tmp_path, 'colour = 1\nresult = 2\n[nodes]\nx = ["a"]\n[fields]\ncnt = []\ncntt = []')) == 4


@pytest.mark.parametrize(
    ("content", "fault"), [(b"a = ", "不是 TOML"), ("name = '海南'".encode("gbk"), "不是 UTF-8"), (None, "打不开")]
)
def test_a_file_that_is_no_profile_is_refused(tmp_path: Path, content: bytes | None, fault: str) -> None:
    path = tmp_path / "province.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=fault):
        read_profile(path)
