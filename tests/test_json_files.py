"""JSON as it comes: every document is rows or a reject, whatever is wrapped around it, and no key is read twice in two ways."""

from __future__ import annotations

import json
import random
from pathlib import Path

import polars as pl
import pytest

from checker.model.errors import InputError
from checker.service.http_json import parse
from checker.service.settings import Limits
from tests.commands import Done, liangku
from tests.one_rule import one_rule_kb

MALE_ONLY = "XG04CBA088A001010101467"


def row(line: object, **further: object) -> dict[str, object]:
    return {"line_id": line, "fee_ocur_time": "2026-03-01", "med_list_codg": MALE_ONLY, "gend": "2", **further}


def scanned(path: Path, *, code: int = 1) -> Done:
    done = liangku("scan", path, "--kb", one_rule_kb(), "--out", path.parent / "out", "--lang", "zh")
    assert done.returncode == code, done.stdout + done.stderr
    return done


def written(path: Path, document: object) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        document if isinstance(document, str) else json.dumps(document, ensure_ascii=False), encoding="utf-8"
    )
    return path


def found(path: Path) -> list[str]:
    return pl.read_parquet(path.parent / "out" / "findings.parquet").sort("source_record")["line_id"].to_list()


def rejects(path: Path) -> list[tuple[int, str | None, str]]:
    told = pl.read_parquet(path.parent / "out" / "rejects.parquet").sort("record")
    return told.select("record", "column", "why").rows()


def read(path: Path) -> int:
    return json.loads((path.parent / "out" / "run.json").read_text(encoding="utf-8"))["lines"]["read"]


def rows_of(file: str) -> list[dict[str, object]]:
    return [row(f"{file} 1", remark='a "list": [{"x": 1}] in a text'), row(f"{file} 2", tags=[{"a": [1]}])]


ROWS = rows_of("lines")
WRAPPED = {
    "Navicat": lambda rows: {"RECORDS": rows},
    "data": lambda rows: {"data": rows},
    "data and list": lambda rows: {
        "code": 0,
        "msg": "ok [x]",
        "data": {"page": {"size": 2}, "total": 2, "list": rows},
        "errors": [],
    },
    "behind texts": lambda rows: {
        "success": True,
        "ids": [1, 2],
        "result": rows,
        "sign": "]}",
        "more": {"a": [1, [2]]},
    },
}
ODD_KEYS = ["", "a\u0000b", 'a"b', "a.b", "a/b~c", "$", "__record", "file_index"]
CAMEL_CASE = {"feedetlSn": "camel case 1", "feeOcurTime": "2026-03-01", "medListCodg": MALE_ONLY, "gend": "2"}


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Of each file of a folder the lines found in it and how many were read; the ids of lines begin with its name."""
    folder = tmp_path_factory.mktemp("together") / "in"
    for name, wrap in WRAPPED.items():
        written(folder / f"{name}.json", wrap(rows_of(name)))
    arrays = (json.dumps(row(f"arrays {each}", tags=[{"a": 1}])) for each in "123")
    written(folder / "arrays.json", "\n".join(arrays))
    written(folder / "camel case.json", [CAMEL_CASE])
    written(folder / "odd keys.json", [row("odd keys 1", **dict.fromkeys(ODD_KEYS, "x")), row("odd keys 2")])
    scanned(folder)
    told = json.loads((folder.parent / "out" / "run.json").read_text(encoding="utf-8"))["inputs"]
    lines = {Path(each["path"]).stem: ([], each["lines"]) for each in told}
    findings = pl.read_parquet(folder.parent / "out" / "findings.parquet").sort("source_record")
    for file, line in findings.select("source_file", "line_id").rows():
        lines[Path(file).stem][0].append(line.removeprefix(f"{Path(file).stem} "))
    return lines


@pytest.mark.parametrize("name", WRAPPED)
def test_rows_may_be_wrapped(together, name):
    assert together[name] == (["1", "2"], 2)


def test_rows_one_after_the_other_may_hold_arrays(together):
    assert together["arrays"] == (["1", "2", "3"], 3)


def test_camel_case_is_read_as_words(together):
    assert together["camel case"] == (["1"], 1)


def test_odd_keys_are_keys(together):
    assert together["odd keys"] == (["1", "2"], 2)


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_pages_one_after_the_other_are_their_rows(tmp_path, suffix):
    """As a program writes the answers of an interface down, one of them an error; nothing of it vanishes."""
    pages = [{"code": 0, "data": {"columns": [{"x": 1}], "list": rows}} for rows in (ROWS, [], [row("3"), 7, None])]
    documents = [json.dumps(each) for each in (*pages, {"code": 500}, row("4"))]
    path = written(tmp_path / f"lines.{suffix}", "\n".join(documents))
    scanned(path, code=4)
    assert (found(path), read(path)) == (["lines 1", "lines 2", "3", "4"], 7)
    assert [record for record, _, _ in rejects(path)] == [4, 5, 6]


def split(rows, **further):
    return {"columns": [*rows[0]], "index": [*range(len(rows))], "data": [[*each.values()] for each in rows], **further}


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_a_table_that_names_its_columns_once_is_its_rows(tmp_path, suffix):
    """As pandas writes with orient="split"; of several tables each has its own columns, and a row of another length is none of it."""
    odd = split([row("3", quantity=1.5, remark=None), row("4", quantity=2, remark='a "b", [c]')])
    odd["data"][1:1] = [["short"], None, 7, {"x": 1}]
    if suffix == "json":
        odd["data"].pop(4)
        path = written(tmp_path / "lines.json", split(ROWS) | {"data": split(ROWS)["data"][:1]})
        scanned(path)
        assert (found(path), read(path)) == (["lines 1"], 1)
    del odd["index"]
    path = written(
        tmp_path / "more" / f"lines.{suffix}", "\n".join(map(json.dumps, (split([row("1"), row("2")]), odd)))
    )
    scanned(path, code=4)
    assert found(path) == ["1", "2", "3", "4"]
    assert read(path) == 4 + len(rejects(path)) == 4 + len(odd["data"]) - 2


@pytest.mark.parametrize("wrap", [list, lambda rows: {"data": rows}])
def test_an_empty_place_in_an_array_is_a_reject(tmp_path, wrap):
    path = written(tmp_path / "lines.json", wrap([row("1"), None, row("2")]))
    scanned(path, code=4)
    assert (found(path), read(path)) == (["1", "2"], 3)
    assert [record for record, _, _ in rejects(path)] == [2]


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_an_empty_place_before_all_others_is_a_reject(tmp_path, suffix):
    path = written(tmp_path / f"lines.{suffix}", {"data": [None, row("1")]})
    scanned(path, code=4)
    assert (found(path), [record for record, _, _ in rejects(path)]) == (["1"], [1])


def test_a_page_that_says_something_of_the_person_is_not_read_without_it(tmp_path):
    pages = [json.dumps({"gend": "2", "list": [row(str(number))]}) for number in range(2)]
    assert "item_code" in scanned(written(tmp_path / "a.jsonl", "\n".join(pages)), code=2).stderr


def test_two_arrays_of_rows_in_one_file_are_refused(tmp_path):
    done = scanned(written(tmp_path / "lines.json", {"fees": ROWS, "other": {"more": ROWS}}), code=2)
    assert "fees" in done.stderr
    assert "other.more" in done.stderr


@pytest.mark.parametrize(
    "text", ['{"data": [{"a": 1}', '{"data": [{"a": 1}]', '{"data": [{"a": 1} {"a": 2}]}', '{"data": [{"a":']
)
def test_broken_wrappers_are_refused(tmp_path, text):
    assert "lines.json" in scanned(written(tmp_path / "lines.json", text), code=2).stderr


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_a_key_lines_in_one_row_takes_nothing_from_the_others(tmp_path, suffix):
    """A thousand rows, of which one counts something in a key `lines`, and one is a prescription of two lines."""
    rows = [row(str(number)) for number in range(1000)]
    rows[500]["lines"] = 3
    rows[700] = {"service_time": "2026-03-02", "patient": {"sex": "F"}, "lines": [
        {"line_id": "a", "item_code": MALE_ONLY}, {"line_id": "b", "item_code": MALE_ONLY}]}  # fmt: skip
    text = json.dumps(rows) if suffix == "json" else "\n".join(map(json.dumps, rows))
    path = written(tmp_path / f"lines.{suffix}", text)
    scanned(path)
    assert read(path) == 1001
    assert found(path) == [*map(str, range(700)), "a", "b", *map(str, range(701, 1000))]


def test_every_document_is_a_row_or_a_reject(tmp_path):
    documents = [
        json.dumps(row("1")), "5", "[1]", '{"line_id": ', json.dumps(row("2")), '{"gend": "\\ud800"}', "{}", "null",
        '{"lines": []}', json.dumps(row("3")) + "\x1f" + json.dumps(row("4")), json.dumps(row("5")),
    ]  # fmt: skip
    path = written(tmp_path / "lines.jsonl", "\n".join(documents) + "\n")
    scanned(path, code=4)
    assert found(path) == ["1", "2", "5"]
    assert [record for record, _, why in rejects(path) if "JSON" in why] == [2, 3, 4, 6, 8, 10]
    assert [record for record, _, why in rejects(path) if "lines" in why] == [9]
    assert read(path) == 11


def test_lines_of_a_prescription_that_are_no_objects_are_rejects(tmp_path):
    document = {
        "service_time": "2026-03-01",
        "patient": {"sex": "F"},
        "lines": [{"line_id": "1", "item_code": MALE_ONLY}, 5],
    }
    path = written(tmp_path / "rx.json", document)
    scanned(path, code=4)
    assert (found(path), len(rejects(path)), read(path)) == (["1"], 1, 2)


def test_lines_of_the_history_are_context_and_every_one_is_counted(tmp_path):
    """What cannot be one, or has no time of its own, is a reject; what its lines say takes nothing from those of the prescription."""
    history = [
        {"item_code": MALE_ONLY, "service_time": "2026-01-05", "care_type": "41"}, {"item_code": MALE_ONLY, "is_context": "0"}, 7, [],
        {"item_code": MALE_ONLY, "service_time": "-"}, {"item_code": MALE_ONLY, "service_time": "某日"}, {"service_time": "2026-01-05", "quantity": "-2"},
    ]  # fmt: skip
    head = {"service_time": "2026-03-01", "care_type": "11", "visit_id": "V1", "patient": {"id": "P1", "sex": "女"}}
    lines = [
        {"line_id": "1", "item_code": MALE_ONLY, "quantity": 1},
        {"line_id": "2", "item_code": MALE_ONLY, "service_time": "2026-03-02 08:00"},
    ]
    documents = [
        {"history": history[:-1], **head, "lines": lines}, {**head, "lines": [lines[0] | {"line_id": "3"}], "history": history[-1:]},
        *({**head, "lines": [lines[0] | {"line_id": str(number)}], "history": each} for number, each in enumerate((None, [], "无", {"a": 1}), 4)),
    ]  # fmt: skip
    path = written(tmp_path / "rx.json", documents)
    done = scanned(path, code=4)
    assert found(path) == [str(number) for number in range(1, 8)]
    assert sorted(why for _, _, why in rejects(path)) == sorted((
        *["不是有效的 JSON 对象"] * 2, *["没有服务时间"] * 2, "服务时间无法识别", *["history 应为明细的数组"] * 2,
    ))  # fmt: skip
    told = json.loads((path.parent / "out" / "run.json").read_text(encoding="utf-8"))["lines"]
    assert (told["read"], told["judged"], told["skipped"]["context"], told["rejected"]["total"]) == (16, 7, 2, 7)
    assert "跳过 2（历史医嘱 2）" in done.stdout
    times = pl.read_parquet(path.parent / "out" / "findings.parquet").sort("source_record")["service_time"].to_list()
    assert [str(time) for time in times] == ["2026-03-01 00:00:00", "2026-03-02 08:00:00", *["2026-03-01 00:00:00"] * 5]


@pytest.mark.parametrize(
    ("text", "where"), [('[{"a": 1}, {"a": 2}, {"a" 3}]', "第 3 条"), ('[{"a": "\\ud800"}]', "第 1 条")]
)
def test_an_array_that_breaks_off_names_the_record(tmp_path, text, where):
    assert where in scanned(written(tmp_path / "lines.json", text), code=2).stderr


HEAD = '{"service_time": "2026-03-01", "patient": '
TWICE = {
    "row": '{"line_id": "2", "fee_ocur_time": "2026-03-01", "med_list_codg": "' + MALE_ONLY + '", "gend": "2", "gend": "1"}',
    "patient": HEAD + '{"gend": 1, "sex": "F", "sex": "M"}, "lines": [{"item_code": "' + MALE_ONLY + '"}]}',
    "line": HEAD + '{"sex": "F"}, "lines": [{"item_code": "' + MALE_ONLY + '", "gend": 1, "gend": 2}]}',
}  # fmt: skip


@pytest.mark.parametrize("name", TWICE)
def test_a_key_that_stands_twice_is_refused_by_scan_and_check(tmp_path, name):
    path = written(tmp_path / "lines.jsonl", f"{json.dumps(row('1'))}\n{TWICE[name]}\n")
    scanned(path, code=4)
    key = "sex" if name == "patient" else "gend"
    assert found(path) == ["1"]
    assert [(column, why) for _, column, why in rejects(path)] == [(key, "键出现了两次")]
    done = liangku("check", "-", stdin=TWICE[name].encode())
    assert done.returncode == 2
    assert f"“{key}”出现了两次" in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"b":[{"a" : 1, "a" : 2}]}',
        '{"a":1,"b":{"c":"\\":","d":1,"d":2}}',
        '{"a":1e99,"\\u0061":2}',
    ],
)
def test_a_key_that_stands_twice_is_refused_by_the_service(text):
    with pytest.raises(InputError, match="出现了两次"):
        parse(text.encode(), Limits())


@pytest.mark.parametrize(
    "text", ['{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}', '{"a":"\\":\\":","b":"x\\" :"}', "[1, 2]"]
)
def test_the_service_takes_keys_that_stand_once(text):
    assert parse(text.encode(), Limits()) == json.loads(text)


@pytest.mark.parametrize("text", ['{"lines": [{"item_name": "\\ud800"}]}', '{"\\udc00": 1, "lines": []}'])
def test_half_of_a_character_is_refused_by_check_and_the_service(text):
    done = liangku("check", "-", stdin=text.encode())
    assert done.returncode == 2
    assert "不成对" in done.stderr
    with pytest.raises(InputError):
        parse(text.encode(), Limits())


def test_two_spellings_of_one_header_are_refused(tmp_path):
    path = written(tmp_path / "lines.json", [row("1", Gend="1")])
    assert "Gend" in scanned(path, code=2).stderr


def test_five_thousand_keys_are_read(tmp_path):
    documents = [
        row(str(number), **{f"key_{number % 50}_{each}": each for each in range(100)}) for number in range(200)
    ]
    documents[0]["项目 编码"] = documents[0].pop("med_list_codg")
    for document in documents[1:]:
        document["项目 编码"] = document.pop("med_list_codg")
    path = written(tmp_path / "lines.json", documents)
    done = liangku("scan", path, "--out", tmp_path / "out", "--map", "item_code=项目 编码")
    assert done.returncode == 1, done.stderr
    assert len(found(path)) == 200


def test_random_documents_end_in_rows_rejects_or_a_refusal(tmp_path):
    """Whatever is broken in a file of lines, it is never our own failure, and nothing vanishes."""
    chance = random.Random(7)
    lines = [json.dumps(row(str(number), nested={"a": [1, {"b": None}]}), ensure_ascii=False) for number in range(40)]
    for attempt in range(6):
        broken = [
            "".join(chance.choice('{}[]",:\\ 0\u4e00') if chance.random() < 0.02 else sign for sign in line)
            for line in lines
        ]
        (tmp_path / str(attempt)).mkdir()
        path = written(tmp_path / str(attempt) / "lines.jsonl", "\n".join(broken))
        done = liangku("scan", path, "--out", path.parent / "out")
        assert done.returncode in (0, 1, 2, 4), done.stderr
        if done.returncode != 2:
            assert read(path) == 40
