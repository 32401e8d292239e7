"""`liangku check`: what it answers, how it says it, and that it starts without the heavy libraries."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from checker.cli.check import command
from checker.cli.main import run
from tests import commands

ROOT = Path(__file__).parents[1]
PRESCRIPTIONS = ROOT / "data" / "samples" / "prescriptions"
MALE_ONLY = "XG04CBA088A001010101467"
MALE_ONLY_NAME = "爱普列特片"
CHILD_LIMITED = "XN05CDM084X001010102000"
ORDINARY = "XJ01CAA040E001010199999"
SERVICE = "002501040040000"


@pytest.fixture
def check(capsys):
    """Run the command; return exit code and stdout, and see that stderr is empty."""

    def ask(*arguments: str | Path, lang: str = "zh") -> tuple[int, str]:
        code = run(["check", *map(str, arguments), "--lang", lang])
        told = capsys.readouterr()
        assert told.err == ""
        return code, told.out

    return ask


@pytest.fixture
def answer(check):
    """Run the command with --json; return the answer."""
    return lambda *arguments: json.loads(check(*arguments, "--json")[1])


def prescription(folder: Path, document: object) -> Path:
    path = folder / "rx.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


# ---- what is printed ----

SAMPLES = {
    "contract_example": (1, ["▲ 可疑 · 需说明理由", MALE_ONLY_NAME, MALE_ONLY, "▲ 结论  需要确认"]),
    "violation_policy": (1, ["✖ 明确违规 · 停止", "咪达唑仑口服溶液", "40 岁（限：< 14 岁）", "✖ 结论  停止"]),
    "violation_lowered": (
        1,
        ["● 提示", "因豁免情形降一级（drug-sex-pulmonary-hypertension）", "● 结论  可以使用，但有提示"],
    ),
    "undetermined": (1, ["? 无法判断", "不明（限：女）", "补上性别再查", "? 结论  无法判断"]),
    "clear_exempt": (0, ["○ 豁免", "service-sex-indeterminate", "kb show service-sex-01-0087", "属于豁免情形"]),
    "clear": (0, ["✔ 结论  受限项目没有发现问题", "共查 2 行", "没有判断能不能用：阿莫西林胶囊"]),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_told_in_plain_words(check, name):
    expected_code, says = SAMPLES[name]
    code, out = check(PRESCRIPTIONS / f"{name}.json")
    assert code == expected_code
    assert [part for part in says if part not in out] == [], out


def test_an_item_in_no_point_is_never_said_to_be_usable(check, answer):
    told = check("--item", ORDINARY, "--sex", "F", "--age", "30")[1]
    assert "○ 结论  不在受限项目中" in told
    assert "可以使用" not in told
    asked = ("--item", ORDINARY, "--item", MALE_ONLY, "--sex", "M", "--age", "30")
    assert answer(*asked)["not_restricted"] == [{"line_id": "1"}]
    assert "May be used" not in check(*asked, "--lang", "en")[1]


@pytest.mark.parametrize(
    "code",
    [
        "XG04CBA088A0010101O1467", "X004CBA088A001010101467", "XG04CBA08A8001010101467", "ZAO1BAY0318010100281", "ZA01BA10318010100281", "T00170051O",
    ],
)  # fmt: skip
def test_a_code_whose_letters_and_digits_stand_wrong_is_undetermined(tmp_path, check, code):
    asked = {"patient": {"sex": "male", "age": 30}, "lines": [{"item_code": code, "item_name": "某药"}]}
    exit_code, told = check(prescription(tmp_path, asked))
    assert exit_code == 1
    assert "? 结论  无法判断" in told


@pytest.mark.parametrize(("day", "is_old"), [("2026-12-26", False), ("2026-12-27", True)])
def test_an_answer_from_old_knowledge_says_so(check, answer, day, is_old):
    asked = ("--item", MALE_ONLY, "--sex", "M", "--age", "30", "--on", day)
    assert answer(*asked)["knowledge"]["outdated"] is is_old
    assert ("已超过 180 天" in check(*asked)[1]) is is_old


@pytest.mark.parametrize(
    ("fail_on", "sample", "code"),
    [
        ("definite", "violation_policy", 1), ("definite", "contract_example", 0), ("suspect", "contract_example", 1),
        ("suspect", "violation_lowered", 0), ("notice", "violation_lowered", 1), ("notice", "undetermined", 0),
        ("undetermined", "undetermined", 1),
    ],
)  # fmt: skip
def test_who_asks_says_what_counts_as_a_failure(check, fail_on, sample, code):
    assert check(PRESCRIPTIONS / f"{sample}.json", "--fail-on", fail_on)[0] == code


@pytest.mark.parametrize(
    ("fail_on", "told", "code"),
    [
        ("undetermined", (), 0), ("unjudged", (), 1), ("unjudged", ("--insurance", "工伤保险"), 0), ("unjudged", ("--insurance", "310"), 1),
        ("unjudged", ("--insurance", "张三保险"), 1), ("notice", (), 0),
    ],
)  # fmt: skip
def test_who_asks_may_count_what_was_not_judged_as_a_failure(check, fail_on, told, code):
    vaccine = ("--item", "XJ07BGR030B014010100022", "--sex", "F", "--age", "35")
    assert check(*vaccine, *told, "--fail-on", fail_on)[0] == code


@pytest.mark.parametrize(
    ("sample", "level", "action"),
    [
        ("violation_policy", "definite", "stop"), ("contract_example", "suspect", "confirm"), ("violation_lowered", "notice", "note"),
        ("undetermined", None, "note"), ("clear", None, "none"), ("clear_exempt", None, "none"),
    ],
)  # fmt: skip
def test_an_answer_carries_the_gravest_level_and_what_it_asks_for(answer, sample, level, action):
    told = answer(PRESCRIPTIONS / f"{sample}.json")
    assert (told["level"], told["action"]) == (level, action)


def test_one_of_several_that_cannot_be_read_keeps_no_other_from_its_answer(tmp_path, check):
    lines = [{"item_code": MALE_ONLY}]
    sound, broken = (
        {"patient": {"sex": "女", "age": 30}, "lines": lines},
        {"lines": [{"item_code": MALE_ONLY, "amount": "?"}]},
    )
    file = prescription(tmp_path, [sound, broken, sound])
    code, told = check(file)
    assert code == 2
    assert told.count("▲ 结论") == 2
    assert "[1]：lines[0].amount" in told
    first, second, third = json.loads(check(file, "--json")[1])
    assert (first["verdict"], second["error"]["code"], third["verdict"]) == ("violation", "bad_input", "violation")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_prescription_is_read_in_the_encodings_that_programs_write(tmp_path, encoding):
    asked = '{"patient": {"sex": "女", "age": 30}, "lines": [{"item_name": "爱普列特片", "by_name": true}]}'
    assert "爱普列特片限男性使用" in commands.liangku("check", "-", stdin=asked.encode(encoding)).stdout


def test_with_json_a_fault_is_a_document_too(tmp_path):
    done = commands.liangku("check", tmp_path / "gone.json", "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "bad_input")
    assert json.loads(done.stdout)["error"]["message"] == done.stderr.strip()


def test_a_finding_says_who_why_on_what_basis_and_what_to_do(check):
    lines = check(PRESCRIPTIONS / "contract_example.json")[1].splitlines()
    assert [line[2:4].strip() for line in lines[1:10]] == ["对象", "原因", "依据", "", "", "", "", "", "处理"]
    assert lines[1:5] == [
        "  对象  患者：女（限：男）",
        "  原因  爱普列特片限男性使用，患者登记的性别为女性。",
        "  依据  药品区分性别使用（GZ10000301004000）",
        "        知识点 drug-sex-01-0003",
    ]
    assert lines[7:9] == [
        "        批次 01《药品区分性别使用》第 3 行",
        "        批次 2026-01《药品区分性别使用》第 3 行",
    ]
    assert lines[-1] == "  共查 1 行，知识库 2026.06"


def test_the_same_in_english(check):
    code, out = check(PRESCRIPTIONS / "violation_policy.json", lang="en")
    lines = out.splitlines()
    assert code == 1
    assert lines[0] == f"✖ Definite violation · stop  咪达唑仑口服溶液  {CHILD_LIMITED}"
    assert lines[1] == "  Who       patient: 40 years (limit: < 14 years)"
    assert lines[2] == (
        "  Why       The fund covers 咪达唑仑口服溶液 only for patients under 14; the patient's age on 2026-03-02 was 40 years."
    )
    assert "            batch 01, 药品限儿童使用, row 1" in lines
    assert lines[-2].startswith("✖ Conclusion  Stop. The rules do not let the fund pay")
    assert lines[-1] == "  1 line(s) checked, knowledge 2026.06"


def test_the_gravest_finding_comes_first_and_lines_are_numbered(check, tmp_path):
    items = [{"item_code": code} for code in (MALE_ONLY, ORDINARY, CHILD_LIMITED)]
    document = {"service_time": "2026-03-01", "patient": {"sex": "女", "birth_date": "1990-05-01"}, "lines": items}
    out = check(prescription(tmp_path, document))[1]
    assert out.index("✖ 明确违规") < out.index("处方第 3 行") < out.index("▲ 可疑") < out.index("处方第 1 行")
    assert "✖ 结论  停止" in out
    assert "共查 3 行" in out


def test_points_not_in_force_are_told_with_the_hint(check):
    arguments = ("--item", MALE_ONLY, "--sex", "女", "--on", "2025-01-01")
    code, out = check(*arguments)
    assert code == 0
    assert "没有判断" in out
    assert "drug-sex" in out
    assert "--as-of" in out
    assert check(*arguments, "--as-of", "2026-03-01")[0] == 1


def test_keys_that_nothing_reads_are_told(check, tmp_path):
    document = {
        "patient": {"sex": "男", "nmae": "x"},
        "lines": [{"item_code": ORDINARY, "itemcode": "x"}],
        "stgae": "settle",
    }
    out = check(prescription(tmp_path, document))[1]
    assert "没有用到的字段：patient.nmae、stgae、lines[0].itemcode" in out


def test_a_code_of_no_national_shape_is_undetermined(check, tmp_path):
    code, out = check(prescription(tmp_path, {"patient": {"sex": "男"}, "lines": [{"item_code": "YP01"}]}))
    assert code == 1
    assert "不是国家医保编码" in out
    assert "依据" not in out


def test_returns_alone_are_nothing_to_judge(check, answer, tmp_path):
    path = prescription(tmp_path, {"lines": [{"item_code": MALE_ONLY, "quantity": -1}]})
    code, out = check(path)
    assert code == 2
    assert "没有需要判断的项目" in out
    told = answer(path)
    assert (told["verdict"], told["level"], told["action"], told["checked_lines"]) == ("undetermined", None, "note", 0)


def test_an_array_is_answered_one_by_one(check, answer, tmp_path):
    documents = [
        json.loads((PRESCRIPTIONS / f"{name}.json").read_text("utf-8")) for name in ("clear", "contract_example")
    ]
    path = prescription(tmp_path, documents)
    code, out = check(path)
    assert code == 1
    assert out.index("第 1 张处方，共 2 张") < out.index("✔ 结论") < out.index("第 2 张处方") < out.index("▲ 结论")
    assert [each["verdict"] for each in answer(path)] == ["clear", "violation"]
    path = prescription(tmp_path, documents[:1])
    assert check(path)[0] == 0
    assert [each["verdict"] for each in answer(path)] == ["clear"]


def test_colours_only_where_they_are_wanted(monkeypatch):
    arguments = [str(PRESCRIPTIONS / "contract_example.json"), "--lang", "zh"]
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in CliRunner().invoke(command, arguments, color=True).output
    assert "\x1b[" not in CliRunner().invoke(command, arguments).output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in CliRunner().invoke(command, arguments, color=True).output


# ---- what is asked ----


def test_options_make_the_same_prescription_as_a_file(answer):
    asked = answer(
        "--item", MALE_ONLY, "--sex", "F", "--birth", "1990-05-01", "--insured-sex", "M", "--insured-birth", "1960-01-01",
        "--diagnosis", "N40.x00", "--on", "2026-03-01 10:00:00",
    )  # fmt: skip
    told = answer(PRESCRIPTIONS / "contract_example.json")
    same = (
        "rule_id",
        "point_id",
        "verdict",
        "level",
        "action",
        "expected",
        "actual",
        "person",
        "service_time",
        "evidence",
    )
    assert [{key: each[key] for key in same} for each in asked["findings"]] == [
        {key: each[key] for key in same} for each in told["findings"]
    ]
    assert asked["knowledge"] == told["knowledge"]


PERSONS = {
    "a woman": (["--sex", "女"], "violation"),
    "a man": (["--sex", "M"], "clear"),
    "nobody known": ([], "undetermined"),
    "sex not stated": (["--sex", "未知"], "undetermined"),
    "a woman's ID number": (["--id-number", "110101199005010047"], "violation"),
    "a man's ID number of an unknown county": (["--id-number", "99999919900501003X"], "clear"),
    "full-width ID number": (["--id-number", "１１０１０１１９９００５０１００４７"], "violation"),
    "sex against ID number": (["--id-number", "110101199005010047", "--sex", "男"], "undetermined"),
    "only the insured": (["--insured-sex", "女"], "violation"),
    "a newborn of a woman": (["--sex", "女", "--birth", "1990-05-01", "--newborn"], "undetermined"),
}


@pytest.mark.parametrize("name", PERSONS)
def test_persons(answer, name):
    options, verdict = PERSONS[name]
    assert answer("--item", MALE_ONLY, "--on", "2026-03-01", *options)["verdict"] == verdict


def test_an_age_alone_is_judged(answer):
    arguments = ("--item", CHILD_LIMITED, "--on", "2026-03-01")
    assert answer(*arguments, "--age", "14岁")["verdict"] == "violation"
    assert answer(*arguments, "--age", "13")["verdict"] == "clear"


def test_the_insured_of_the_options_is_the_insured(answer):
    arguments = ("--item", CHILD_LIMITED, "--on", "2026-03-01", "--age", "5")
    (finding,) = answer(*arguments, "--insured-sex", "男", "--insured-birth", "1980-01-01")["findings"]
    assert (finding["person"], finding["actual"], finding["level"]) == ("参保人", "46 岁", "definite")
    (finding,) = answer(*arguments, "--insured-age", "46")["findings"]
    assert (finding["person"], finding["actual"], finding["level"]) == ("参保人", "46 岁", "definite")


def test_the_insured_has_one_age(capsys):
    assert run(["check", "--item", CHILD_LIMITED, "--insured-age", "46", "--insured-birth", "1980-01-01"]) == 2
    assert "--insured-birth 与 --insured-age 只能给出一个" in capsys.readouterr().err


@pytest.mark.parametrize("cut", [MALE_ONLY[:14], MALE_ONLY[:20], ORDINARY[:16]])
def test_a_cut_code_is_answered_alike_by_option_and_in_a_prescription(answer, tmp_path, cut):
    """Whether it tells its item or not: what is asked in another way is no other question."""
    lines = [{"line_id": "1", "item_code": cut}]
    asked = {"service_time": "2026-03-01", "patient": {"sex": "女", "age": 30}, "lines": lines}
    by_option = answer("--item", cut, "--sex", "女", "--age", "30", "--on", "2026-03-01")
    assert by_option == answer(prescription(tmp_path, asked))
    assert by_option["verdict"] != "clear"


def test_a_diagnosis_exempts(answer):
    arguments = ("--item", "003112010040000", "--sex", "男", "--on", "2026-03-01")
    assert answer(*arguments)["verdict"] == "violation"
    assert answer(*arguments, "--diagnosis", "I10", "--diagnosis", "q56.300")["verdict"] == "clear"


def test_an_item_may_be_named(answer):
    by_name = answer("--item", f" {MALE_ONLY_NAME} ", "--item", ORDINARY.lower(), "--sex", "女", "--on", "2026-03-01")
    (finding,) = by_name["findings"]
    assert (finding["point_id"], finding["item_name"], finding["line_id"]) == ("drug-sex-01-0003", MALE_ONLY_NAME, "1")
    assert by_name["checked_lines"] == 2


def test_a_code_that_lost_its_zeros_is_judged_where_that_is_asked_for(tmp_path, check, answer):
    lines = [
        {"item_code": SERVICE.lstrip("0"), "item_name": "精液常规检查"}, {"item_code": "123456789012"}, {"item_code": ORDINARY},
        {"item_code": SERVICE.lstrip("0"), "is_context": True},
    ]  # fmt: skip
    document = prescription(
        tmp_path,
        {
            "service_time": "2026-03-01",
            "visit_id": "V1",
            "patient": {"sex": "女"},
            "diagnoses": ["J06.9"],
            "lines": lines,
        },
    )
    assert [each["reason_code"] for each in answer(document)["findings"]] == ["unknown_code"] * 2
    repaired = answer(document, "--repair")
    assert [(each["item_code"], each["remarks"]) for each in repaired["findings"]] == [
        (SERVICE, ["code_repaired"]), ("123456789012", []),
    ]  # fmt: skip
    assert repaired["code_repaired"] == [{"line_id": None, "line": 1, "item_code": SERVICE}]
    assert "code_repaired" not in answer(document)
    code, told = check(document, "--repair")
    assert ("--repair" in check(document)[1], "--repair" in told) == (True, False)
    assert (code, f"已补为 {SERVICE}" in told, "编码丢了前面的零，已补上" in told) == (1, True, True)
    result = tmp_path / "out"
    assert run(["scan", str(document), "--out", str(result), "--repair", "--lang", "zh"]) == 1
    (found,) = pl.read_parquet(result / "findings.parquet").to_dicts()
    same = ("finding_id", "item_code", "verdict", "level", "remarks", "message")
    assert {key: found[key] for key in same} == {key: repaired["findings"][0][key] for key in same}


def test_an_item_may_be_named_by_a_code_that_lost_its_zeros(answer, capsys):
    bare = SERVICE.lstrip("0")
    assert run(["check", "--item", bare, "--sex", "女", "--lang", "zh"]) == 2
    assert "请加 --repair" in capsys.readouterr().err
    (finding,) = answer("--item", bare, "--sex", "女", "--on", "2026-03-01", "--diagnosis", "J06.9", "--repair")[
        "findings"
    ]
    assert (finding["item_code"], finding["remarks"]) == (SERVICE, ["code_repaired"])
    assert answer("--item", "9999999999", "--repair")["findings"][0]["reason_code"] == "unknown_code"
    assert answer("--item", ORDINARY, "--repair")["verdict"] == "clear"


def test_no_date_means_now(answer):
    assert answer("--item", MALE_ONLY, "--sex", "女")["findings"][0]["service_time"] >= "2026"


# ---- on what terms items are paid ----

LEVEL_TWO, FIRST_BY_LEVEL_TWO = "参附注射液", "度拉糖肽注射液"
EMERGENCY_OR_STAY, WORK_INJURY, NOT_ONLINE, MATERNITY = (
    "安宫牛黄丸",
    "疤痕止痒软化膏",
    "芬太尼透皮贴剂",
    "卡前列素氨丁三醇注射液",
)
PHARMACY = ("--care-type", "药店购药")


@pytest.mark.parametrize(
    ("item", "missing", "option", "key"),
    [
        (LEVEL_TWO, "institution_level", "--level", "institution_level"),
        (EMERGENCY_OR_STAY, "care_type", "--care-type", "care_type"),
        (WORK_INJURY, "insurance_type", "--insurance", "insurance_type"),
        (NOT_ONLINE, "online", "--not-online", "online"),
    ],
)
def test_what_was_not_told_is_no_finding_and_no_pass(check, answer, tmp_path, item, missing, option, key):
    code, told = check("--item", item, "--sex", "女")
    assert (code, "✔" in told) == (0, False)
    assert "○ 结论  有项目没有判断" in told
    assert f"○ 没有判断：{item}（规则 " in told
    assert option in told
    given = answer("--item", item, "--sex", "女")
    (skipped,) = given["not_judged"]
    assert (given["findings"], skipped["missing"], key in skipped["how"]) == ([], missing, True)
    told = check(prescription(tmp_path, {"lines": [{"item_name": item, "by_name": True}]}))[1]
    assert (f"处方中写 {key}" in told, option in told) == (True, False)


def test_what_ten_lines_lack_is_told_once(check):
    told = check(*["--item", LEVEL_TWO] * 2, *["--item", EMERGENCY_OR_STAY] * 8)[1]
    assert (told.count("--care-type，如"), told.count("--level（"), told.count(EMERGENCY_OR_STAY)) == (1, 1, 1)


def test_what_was_not_told_is_said_in_english(check):
    told = check("--item", EMERGENCY_OR_STAY, lang="en")[1]
    assert "Not judged: 安宫牛黄丸 (rule drug-visit-mode)" in told
    assert "Not told: the type of care; give --care-type" in told


@pytest.mark.parametrize("beside", [["小儿七珍丸", "--age", "30"], ["小儿金丹", "--age", "5"]])
def test_what_was_not_judged_outweighs_a_notice_and_an_exemption(check, beside):
    told = check("--item", LEVEL_TWO, "--item", *beside, "--sex", "女", "--on", "2026-06-01")[1]
    assert ("○ 结论  有项目没有判断" in told, "✔" in told) == (True, False)


@pytest.mark.parametrize(
    ("item", "options", "verdict", "reason"),
    [
        (WORK_INJURY, ["--insurance", "工伤保险"], "clear", None),
        (WORK_INJURY, ["--insurance", "390"], "violation", None),
        (WORK_INJURY, ["--insurance", "九九"], "undetermined", "insurance_unknown"),
        (EMERGENCY_OR_STAY, ["--care-type", "急诊"], "clear", None),
        (EMERGENCY_OR_STAY, ["--care-type", "11"], "violation", None),
        (EMERGENCY_OR_STAY, ["--care-type", "11", "--discharge-drug"], "clear", None),
        (LEVEL_TWO, ["--level", "二级甲等"], "clear", None),
        (LEVEL_TWO, ["--level", "08"], "violation", None),
        (LEVEL_TWO, ["--level", "三级", *PHARMACY], "undetermined", "prescriber_unknown"),
        (LEVEL_TWO, ["--prescriber-level", "三级", *PHARMACY], "clear", None),
        (FIRST_BY_LEVEL_TWO, ["--level", "一级", "--no-earlier"], "violation", None),
        (FIRST_BY_LEVEL_TWO, ["--level", "一级", "--earlier", f"{FIRST_BY_LEVEL_TWO}=2026-02-01"], "clear", None),
        (FIRST_BY_LEVEL_TWO, ["--level", "一级", "--earlier", f"{FIRST_BY_LEVEL_TWO}=2024-02-01"], "violation", None),
        (NOT_ONLINE, ["--online"], "violation", None),
        (NOT_ONLINE, ["--not-online"], "clear", None),
        (MATERNITY, ["--insurance", "310", "--care-type", "21", "--maternity-fee"], "clear", None),
        (MATERNITY, ["--insurance", "310", "--care-type", "21", "--diagnosis", "O72.1"], "clear", None),
    ],
)  # fmt: skip
def test_the_terms_are_given_by_options(answer, item, options, verdict, reason):
    # Later some of these are limited in other ways as well.
    day = "2026-04-01" if item == FIRST_BY_LEVEL_TWO else "2026-06-01"
    given = answer("--item", item, "--sex", "女", "--age", "30", "--on", day, *options)
    reasons = [finding["reason_code"] for finding in given["findings"]]
    assert (given["verdict"], given["not_judged"]) == (verdict, [])
    assert reasons == ([] if verdict == "clear" else [reason])


def test_a_finding_on_terms_names_no_person(check):
    told = check("--item", EMERGENCY_OR_STAY, "--care-type", "门诊", "--on", "2026-06-01")[1]
    assert "对象  这一行：门诊（限：急诊或住院）" in told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--earlier", "2026-02-01"], "项目=日期"),
        (["--earlier", f"{LEVEL_TWO}=昨天"], "--earlier 无法识别"),
        (["--earlier", "abc=2026-02-01"], "--earlier “abc”既不是国家医保编码"),
        (["--earlier", f"{LEVEL_TWO}=2026-02-01", "--no-earlier"], "只能给出一个"),
        (["--insurance", " "], "--insurance 是空的"),
    ],
)
def test_terms_that_cannot_be_read(capsys, options, said):
    assert run(["check", "--item", LEVEL_TWO, *options, "--lang", "zh"]) == 2
    assert said in capsys.readouterr().err


# ---- as a process ----


def liangku(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-X", "importtime", "-m", "checker.cli.main", "check", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, input=stdin, check=False)


def test_a_prescription_may_come_through_a_pipe():
    answered = liangku("-", "--json", stdin=(PRESCRIPTIONS / "contract_example.json").read_bytes())
    assert answered.returncode == 1
    assert json.loads(answered.stdout)["verdict"] == "violation"


@pytest.mark.parametrize(
    "options", [[PRESCRIPTIONS / "violation_lowered.json"], ["--item", MALE_ONLY_NAME, "--age", "9"]]
)
def test_nothing_heavy_is_imported(options):
    answered = liangku(*options)
    assert answered.returncode == 1
    imported = {line.split("|")[-1].strip().split(".")[0] for line in answered.stderr.decode().splitlines()}
    assert "duckdb" in imported
    assert imported & {"polars", "pyarrow", "sqlglot", "rich", "numpy", "pandas", "stdnum"} == set()
