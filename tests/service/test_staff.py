"""A second person is a person: names compared as people read them, PINs kept as slow hashes, tries counted."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from checker.cli.main import run
from checker.model.errors import InputError
from checker.service import staff as staff_module
from checker.service.staff import FILE, Staff, WrongPin, is_second, person_key
from tests.service.calls import call, found, woman
from tests.service.serving import serving

CHILD_LIMITED = {"line_id": "1", "item_name": "波生坦分散片", "by_name": True}


@pytest.mark.parametrize("other", ["a012", " A０１２ ", "A 012", "A012\u200b", "Ａ012", "\u202eA012"])
def test_the_same_person_spelt_otherwise_is_no_second_one(other: str) -> None:
    assert person_key(other) == person_key("A012")
    assert not is_second("A012", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("张药师", "张药师."), ("张药师", "张·药师"), ("张药师", "张\u0308药师"), ("张药师", "张\u3164药师"), ("张药师", "张药师\ufe0f"),
        ("Pan", "Р\u0430n"), ("A01", "АО1"), ("A01", "AOl"), ("B-12", "В12"), ("José", "Jose"),
    ],
)  # fmt: skip
def test_names_that_look_alike_are_one_person(one: str, other: str) -> None:
    assert not is_second(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("张药师", "李药师"), ("A01", "A02"), ("王一", "王二"), ("Pan", "Pam"), ("ئالىم", "ئايگۈل")]
)
def test_others_are_two(one: str, other: str) -> None:
    assert is_second(one, other)


def test_both_have_to_be_named() -> None:
    assert is_second("A", "B")
    assert not any((is_second(None, "B"), is_second("A", None), is_second(" ", "B"), is_second("A", "\u200b")))


@pytest.mark.parametrize("name", ["张药师.", "张·药师", "张\u3164药师", "Zh\u0430ng", "zhang1"])
def test_a_name_that_looks_like_another_is_not_taken_in(tmp_path: Path, name: str) -> None:
    staff = Staff(tmp_path)
    for known in ("张药师", "Zhang", "Zhangl"):
        staff.add(known, "8264")
    with pytest.raises(InputError, match=r"看起来与名单上的“(张药师|Zhang|Zhangl)”是同一个人"):
        staff.add(name, "8264")
    assert [each.name for each in staff.members] == ["张药师", "Zhang", "Zhangl"]


@pytest.mark.parametrize("name", [".", "·-·", "\u3164"])
def test_a_name_needs_a_letter_or_a_digit(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        Staff(tmp_path).add(name, "8264")
    assert Staff(tmp_path).members == []


def test_a_pin_is_kept_as_a_slow_hash_for_the_owner_alone(tmp_path: Path) -> None:
    Staff(tmp_path).add("李药师", "8264")
    file = tmp_path / FILE
    assert file.stat().st_mode & 0o77 == 0
    assert "8264" not in file.read_text(encoding="utf-8")
    Staff(tmp_path).check(" 李药师", "８２６４")
    with pytest.raises(WrongPin):
        Staff(tmp_path).check("李药师", "8265")
    with pytest.raises(WrongPin):
        Staff(tmp_path).check("王药师", "8264")
    with pytest.raises(WrongPin):
        Staff(tmp_path).check("李药师", None)


@pytest.mark.parametrize("name", ["李药师", "nobody"])
def test_after_five_wrong_tries_the_right_pin_does_not_pass_for_a_while(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = Staff(tmp_path)
    staff.add("李药师", "8264")
    for _ in range(5):
        with pytest.raises(WrongPin) as wrong:
            staff.check(name, "0000")
        assert not wrong.value.is_locked
    with pytest.raises(WrongPin) as wrong:
        staff.check(name, "8264")
    assert wrong.value.is_locked
    now = staff_module.time.monotonic()
    monkeypatch.setattr(staff_module.time, "monotonic", lambda: now + 901)
    if name == "李药师":
        staff.check(name, "8264")


def test_right_pins_are_not_counted(tmp_path: Path) -> None:
    staff = Staff(tmp_path)
    staff.add("李药师", "8264")
    for _ in range(7):
        staff.check("李药师", "8264")


@pytest.mark.parametrize(
    ("name", "pin"),
    [("", "8264"), ("甲", "123"), ("甲", "1111"), ("x" * 65, "8264"), ("11010519491231002X", "8264"), ("甲\n", "826")],
)
def test_what_is_no_name_or_no_pin_is_refused(tmp_path: Path, name: str, pin: str) -> None:
    with pytest.raises(InputError):
        Staff(tmp_path).add(name, pin)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"staff": [{"name": 1, "salt": "", "hash": ""}]}',
        '{"staff": [{"name": "a", "salt": "x", "hash": ""}]}',
    ],
)
def test_a_list_that_cannot_be_read_never_counts_as_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        Staff(tmp_path).members  # noqa: B018 - reading it is what is tested


def test_staff_are_added_listed_and_removed_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path)]
    monkeypatch.setattr("sys.stdin", io.StringIO("8264\n"))
    assert run(["staff", "add", "李药师", "--pin-stdin", *data]) == 0
    capsys.readouterr()
    assert run(["staff", "list", *data]) == 0
    assert capsys.readouterr().out == "李药师\n"
    assert run(["staff", "remove", " 李药师 ", *data]) == 0
    assert run(["staff", "remove", "李药师", *data]) == 2
    assert json.loads((tmp_path / FILE).read_text(encoding="utf-8")) == {"staff": []}


def test_a_definite_finding_needs_a_second_person_with_the_pin(tmp_path: Path) -> None:
    data = tmp_path / "data"
    staff = Staff(data)
    with serving(tmp_path, "two_person = true\nshop = '大药房'\n") as server:
        told = call(server.url, "/v1/knowledge").document["options"]
        assert (told["staff"], told["shop"]) == (False, "大药房")
        finding = found(call(server.url, "/v1/check", woman(lines=[CHILD_LIMITED])).document)
        assert finding["level"] == "definite"
        on = {"finding_id": finding["finding_id"], "decision": "continue", "reason_code": "emergency"}
        for operator, second in (("a1", None), ("a1", " Ａ１ "), (None, "b2")):
            refused = call(server.url, "/v1/feedback", on | {"operator": operator, "second_operator": second})
            assert refused.refusal == (400, "bad_input")
        staff.add("a1", "8264")
        staff.add("b2", "7351")
        assert call(server.url, "/v1/knowledge").document["options"]["staff"] is True
        both = on | {"operator": "A1", "second_operator": "B2"}
        assert call(server.url, "/v1/feedback", both).refusal == (403, "wrong_pin")
        assert call(server.url, "/v1/feedback", both | {"second_pin": "8264"}).refusal == (403, "wrong_pin")
        stranger = both | {"operator": "x", "second_pin": "7351"}
        assert call(server.url, "/v1/feedback", stranger).refusal == (403, "unknown_operator")
        assert call(server.url, "/v1/feedback", both | {"second_pin": "7351"}).document == {
            "accepted": 1,
            "unknown": [],
        }
        for _ in range(5):
            call(server.url, "/v1/feedback", both | {"second_pin": "0000"})
        assert call(server.url, "/v1/feedback", both | {"second_pin": "7351"}).refusal == (429, "pin_locked")
    assert b"7351" not in b"".join(file.read_bytes() for file in data.iterdir())
