"""Which item a code on a package or a trade name is: read, kept with who and when, changed on confirmation, taken back, imported."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from checker.cli.main import run
from checker.model.errors import InputError
from checker.service.item_keys import read_key
from checker.service.item_links import FILE, ItemLinks, LinkTaken
from checker.service.store import Store
from tests.service.calls import MALE_ONLY, call
from tests.service.serving import Server

BARCODE = "6901234567892"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("84110021234567890123", ("trace", "8411002")),
        (" 8411002 1234567890123 ", ("trace", "8411002")),
        (BARCODE, ("barcode", BARCODE)),
        ("６９０１２３４５６７８９２", ("barcode", BARCODE)),
        ("国药准字H20051234", ("approval", "国药准字H20051234")),
        ("国药准字 hj20170123", ("approval", "国药准字HJ20170123")),
        ("注册证号H20150123", ("approval", "国药准字H20150123")),
        ("芬必得", ("name", "芬必得")),
        ("Ａdvil 布洛芬", ("name", "advil布洛芬")),
    ],
)
def test_what_stands_on_a_package_is_told_apart(text: str, read: tuple[str, str]) -> None:
    assert read_key(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "", "6901234567891", "11010519491231002X", "110105491231002", "4" * 28, "8" * 19, "8" * 21, "12345", MALE_ONLY, "药" * 101,
        "张三11010519491231002X",
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        read_key(text)
    assert text not in str(refusal.value) or text == ""


@pytest.fixture
def links(tmp_path: Path) -> ItemLinks:
    return ItemLinks(tmp_path)


def test_a_link_says_who_and_when_and_changes_only_on_confirmation(links: ItemLinks) -> None:
    first = links.keep("barcode", BARCODE, MALE_ONLY, None, "0012")
    assert (first.operator, first.how, bool(first.at)) == ("0012", "confirmed", True)
    assert links.keep("barcode", BARCODE, MALE_ONLY, None, "0034") == first
    with pytest.raises(LinkTaken) as taken:
        links.keep("barcode", BARCODE, None, "阿莫西林胶囊", "0034")
    assert taken.value.link == first
    second = links.keep("barcode", BARCODE, None, "阿莫西林胶囊", "0034", replaces=first.id)
    assert links.find("barcode", BARCODE) == second
    with pytest.raises(LinkTaken):
        links.keep("barcode", BARCODE, MALE_ONLY, None, "0056", replaces=first.id)
    assert [each.operator for each in links.history("barcode", BARCODE)] == ["0034", "0012"]


def test_undo_goes_back_step_by_step_and_keeps_the_record(links: ItemLinks) -> None:
    one = links.keep("name", "芬必得", None, "甲", "A")
    two = links.keep("name", "芬必得", None, "乙", "A", replaces=one.id)
    with pytest.raises(LinkTaken):
        links.undo("name", "芬必得", "B", last=one.id)
    back = links.undo("name", "芬必得", "B", last=two.id)
    assert back is not None
    assert (back.item_name, back.how, back.operator) == ("甲", "undo", "B")
    assert links.undo("name", "芬必得", "B", last=back.id) is not None
    assert links.find("name", "芬必得") is None
    assert links.undo("name", "芬必得", "B", last=back.id) is None
    assert len(links.history("name", "芬必得")) == 4


def test_links_survive_and_are_for_the_owner_alone(tmp_path: Path) -> None:
    with closing(ItemLinks(tmp_path)) as links:
        links.keep("name", "芬必得", None, "甲", "A")
    assert (tmp_path / FILE).stat().st_mode & 0o77 == 0
    with closing(ItemLinks(tmp_path)) as links:
        assert [link.key for link in links.all()] == ["芬必得"]


def test_links_of_trace_codes_of_an_earlier_version_are_taken_over_once(tmp_path: Path) -> None:
    Store(tmp_path / "feedback.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "feedback.sqlite")) as database, database:
        database.execute("INSERT INTO trace VALUES ('8123456', ?, '爱普列特片')", (MALE_ONLY,))
    for _ in range(2):
        with closing(ItemLinks(tmp_path)) as links:
            (link,) = links.history("trace", "8123456")
            assert (link.item_code, link.item_name, link.operator, link.how) == (
                MALE_ONLY,
                "爱普列特片",
                None,
                "earlier",
            )


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute("CREATE TABLE mine (a)")
    with pytest.raises(InputError):
        ItemLinks(tmp_path)


# Import


def _import(tmp_path: Path, text: str | bytes, *more: str) -> int:
    file = tmp_path / "links.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return run(["links", "import", str(file), "--data", str(tmp_path), "--by", "张药师", *more])


def test_a_csv_is_taken_in_whole_and_again_without_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"条码,国家医保编码,项目名称\n{BARCODE},{MALE_ONLY.lower()},爱普列特片\n国药准字H20051234,,阿莫西林胶囊\n"
    assert _import(tmp_path, text.encode("gb18030")) == 0
    assert "新增 2" in capsys.readouterr().out
    assert _import(tmp_path, "\ufeff" + text) == 0
    assert "原已如此 2" in capsys.readouterr().out
    with closing(ItemLinks(tmp_path)) as links:
        link = links.find("barcode", BARCODE)
    assert link is not None
    assert (link.item_code, link.operator, link.how) == (MALE_ONLY, "张药师", "import")


def test_a_csv_with_faults_names_all_and_takes_in_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        f"key,item_code,item_name\n{BARCODE},,甲\n6901234567891,,乙\n芬必得,XX,丙\n芬必得2,,\n{BARCODE},,丁\n"
        "11010519491231002X,,戊\n"
    )
    assert _import(tmp_path, text) == 2
    told = capsys.readouterr().err
    assert [f"第 {line} 行" in told for line in range(2, 8)] == [False, True, True, True, True, True]
    assert "110105" not in told
    with closing(ItemLinks(tmp_path)) as links:
        assert links.all() == []


def test_a_csv_changes_what_is_there_only_where_it_may(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _import(tmp_path, f"key,item_name\n{BARCODE},甲\n") == 0
    assert _import(tmp_path, f"key,item_name\n{BARCODE},乙\n") == 2
    assert BARCODE in capsys.readouterr().err
    assert _import(tmp_path, f"key,item_name\n{BARCODE},乙\n", "--replace") == 0
    assert run(["links", "undo", BARCODE, "--data", str(tmp_path), "--by", "A"]) == 0
    capsys.readouterr()
    assert run(["links", "list", BARCODE, "--data", str(tmp_path)]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["甲", "乙", "甲"]
    assert run(["links", "undo", BARCODE, "--data", str(tmp_path), "--by", "A"]) == 0
    assert run(["links", "undo", BARCODE, "--data", str(tmp_path), "--by", "A"]) == 2


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "key\n甲\n", b"\xff\xfe\xff", 'key,item_name\n"甲,乙\n'])
def test_what_is_no_list_of_links_is_refused(tmp_path: Path, text: str | bytes) -> None:
    assert _import(tmp_path, text) == 2


# Over HTTP


def test_a_barcode_is_linked_changed_and_taken_back_over_http(server: Server) -> None:
    barcode = "6900000000014"
    said = {"text": barcode, "item_code": MALE_ONLY.lower(), "operator": "0012"}
    assert call(server.url, f"/v1/links?text={barcode}").refusal == (404, "not_found")
    first = call(server.url, "/v1/links", said).document
    assert (first["kind"], first["item_code"], first["operator"]) == ("barcode", MALE_ONLY, "0012")
    assert call(server.url, f"/v1/links?text={barcode}").document == first
    other = {"text": barcode, "item_name": "爱普列特片", "operator": "0034"}
    assert call(server.url, "/v1/links", other).refusal == (409, "link_taken")
    second = call(server.url, "/v1/links", other | {"replaces": first["id"]}).document
    assert second["restricted_name"] is True
    back = call(server.url, "/v1/links/undo", {"text": barcode, "operator": "0034", "id": second["id"]}).document
    assert (back["item_code"], back["how"]) == (MALE_ONLY, "undo")
    listed = call(server.url, f"/v1/links/history?text={barcode}").document["links"]
    assert [each["how"] for each in listed] == ["undo", "confirmed", "confirmed"]


def test_a_name_outside_the_restricted_items_is_linked_only_when_said_so(server: Server) -> None:
    said = {"text": "阿莫灵牌", "item_name": "阿莫西林胶囊", "operator": "0012"}
    assert call(server.url, "/v1/links", said).refusal == (400, "bad_input")
    assert call(server.url, "/v1/links", said | {"unrestricted": True}).document["restricted_name"] is False
    assert call(server.url, f"/v1/links?text={quote('阿莫灵牌')}").document["item_name"] == "阿莫西林胶囊"


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": BARCODE, "item_name": "爱普列特片"}, {"text": BARCODE, "operator": "1"}, {"text": "11010519491231002X", "operator": "1"},
        {"text": BARCODE, "operator": "1", "item_code": "X"}, {"text": BARCODE, "operator": "1", "item_name": "甲", "unrestricted": "yes"},
        {"text": BARCODE, "operator": "1", "item_code": MALE_ONLY, "replaces": "1"},
    ],
)  # fmt: skip
def test_a_link_that_is_not_whole_is_refused(server: Server, wrong: dict[str, object]) -> None:
    assert call(server.url, "/v1/links", wrong).refusal == (400, "bad_input")


def test_an_answer_names_the_question_that_was_asked(server: Server) -> None:
    asked = {"lines": [{"line_id": "1", "item_code": MALE_ONLY}]}
    answered = call(server.url, "/v1/check", asked, headers={"X-Liangku-Question": "a-1"})
    assert answered.headers["x-liangku-question"] == "a-1"
    odd = call(server.url, "/v1/check", asked, headers={"X-Liangku-Question": "a b"})
    assert "x-liangku-question" not in odd.headers
