"""The pages of the rules: current, readable in both languages, linked, and never written over somebody's own file."""

from __future__ import annotations

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from checker.cli.main import run
from checker.rulebook.load import load_rules
from checker.rulebook.rule import Rule
from checker.shapes import SHAPES
from tests.commands import Done, liangku

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "rules"
PAGES = ROOT / "docs" / "rules"
RULE_IDS = sorted(path.stem for path in RULES.glob("*.toml"))
NAMES = ["README.md", *(f"{rule_id}{end}" for rule_id in RULE_IDS for end in (".md", ".en.md"))]


@pytest.fixture(scope="module")
def rules() -> dict[str, Rule]:
    """The rules by their ids; a worker that only collects the tests need not read them."""
    return {rule.id: rule for rule in load_rules(RULES).rules}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two of the rules."""
    target = tmp_path / "rules"
    target.mkdir()
    for name in ("drug-sex", "service-sex"):
        shutil.copy(RULES / f"{name}.toml", target)
    return target


def docs(folder: Path, out: Path, *arguments: str) -> int:
    """`liangku rules docs` of a folder into another."""
    return run(["rules", "docs", "--rules", str(folder), "--out", str(out), *arguments])


def parsed(text: str) -> list[Token]:
    """The tokens of a page, as GitHub would read it."""
    return MarkdownIt("commonmark").enable("table").parse(text)


def rows(text: str) -> list[list[str]]:
    """The rows of all tables of a page, each cell as the text that a reader sees."""
    found: list[list[str]] = []
    for before, token in pairwise(parsed(text)):
        if before.type == "tr_open":
            found.append([])
        if before.type in ("td_open", "th_open"):
            children = token.children or []
            assert not {child.type for child in children} & {"html_inline", "em_open", "strong_open"}, token.content
            found[-1].append("".join(child.content for child in children))
    return found


def test_the_pages_of_the_rules_are_current() -> None:
    assert run(["rules", "docs", "--check"]) == 0, "run `liangku rules docs` and read the difference"


_AGE = {"age_word", "age_min", "age_min_unit", "age_max", "age_max_unit"}
_COURSE = {"quota", "quota_most", "quota_unit", "course_scope"}
_LIMITS: dict[str, set[str]] = {
    "drug-sex": {"sex"}, "service-sex": {"sex"}, "drug-child-only": _AGE, "drug-child-limited": _AGE, "service-child-only": _AGE,
    "service-age": {"age_word"}, "herb-single": {"companions"}, "drug-injury-insurance": {"insurance"}, "drug-maternity-insurance": {"insurance"},
    "drug-visit-mode": {"care_groups"}, "drug-institution-level": {"min_rank", "rank_case"}, "drug-online": {"barred_channel"},
    "herb-never-paid": {"never_paid"}, "service-pair": {"pair_interval"}, "surgery-discount": {"incision_group"},
    "drug-course": _COURSE, "service-course": _COURSE, "service-frequency": {"quota", "quota_most", "quota_unit"},
    "service-cycle": {"quota", "quota_most", "quota_unit", "window_days"}, "drug-indication": {"evidence_text", "indications", "is_chronic", "unspecified"},
    "drug-second-line": {"drug_class"},
}  # fmt: skip
"""The limits that the page of a rule tells: those that its clauses look at."""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("rule_id", RULE_IDS)
def test_a_page_tells_all_of_its_rule(rules: dict[str, Rule], rule_id: str, language: str) -> None:
    rule = rules[rule_id]
    text = (PAGES / f"{rule.id}{'.en' if language == 'en' else ''}.md").read_text(encoding="utf-8")
    told = "\n".join(token.content for token in parsed(text) if token.type in ("inline", "fence"))
    name, documentation, messages = (
        (rule.name_en, rule.docs_en, rule.messages.en) if language == "en" else (rule.name_zh, rule.docs_zh, rule.messages.zh)
    )  # fmt: skip
    cells = rows(text)
    seen = {cell for row in cells for cell in row}
    assert f"# {name}\n" in text
    assert documentation.strip() in text
    assert {rule.id, rule.code or rule.id, messages.violation, messages.undetermined, messages.advice} <= seen
    assert all(clause.text.strip() in told for _, clause in rule.clauses)
    for param in rule.params:
        meaning = param.meaning_en if language == "en" else param.meaning_zh
        assert [param.name, f"{param.value} {param.unit}", f"{param.allowed[0]}–{param.allowed[1]}", meaning] in cells
    assert {row[0] for row in cells} & {limit.name for shape in SHAPES for limit in shape.limits} == _LIMITS[rule.id]
    start = next(number for number, row in enumerate(cells) if row[-1] in ("Answer", "结果")) + 1
    examples = cells[start : start + len(rule.cases)]
    assert all(len(row) == (4 if language == "en" else 3) and all(row) for row in examples)
    if language == "en":
        assert [row[0] for row in examples] == [case.name for case in rule.cases]


@pytest.mark.parametrize("name", NAMES)
def test_links_of_a_page_lead_to_pages(name: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", (PAGES / name).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (PAGES / link).is_file()] == []


def test_every_page_is_linked_from_the_index() -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\]\(([^)]+)\)", index)) == sorted(NAMES[1:])
    assert sorted(path.name for path in PAGES.iterdir()) == sorted(NAMES)


def test_cases_are_told_in_words(folder: Path, tmp_path: Path) -> None:
    with (folder / "drug-sex.toml").open("a", encoding="utf-8") as stream:
        stream.write("""
[[case]]
name = "all | <b>at</b> *once*"
line = { item_code = "X", item_name = "药|片 `a` <b>", service_time = "2026-03-01", patient_sex = "1", insured_sex = "?", quantity = "", patient_age = "3" }
point = { sex = "female", subject = "就诊人", age_min = 2, age_min_unit = "year", region = "37", region_of = "institution", level_cap = "notice" }
exemption = { exemption_id = "E7", effect = "lower", diagnoses = ["Q56", "I27"] }
diagnoses = ["Q56.0"]
expect = { verdict = "violation", level = "notice", exemption_id = "E7", remarks = ["duplicate", "own_remark"], expected = "age_in:..14 year", actual = "?" }
""")
    assert docs(folder, tmp_path / "out") == 0
    assert [
        "药|片 `a` <b>，2026-03-01，人员性别 1（男），参保人性别 ?（无法识别），数量 （空），人员年龄 3，诊断 Q56.0",
        "限女性，限的是就诊人，满 2 岁，地区 37（机构所在地），最高为提示，例外 E7（降一级，诊断 Q56、I27）",
        "违规疑点：提示；例外 E7；应为 < 14 岁；实为 不明；重复上传，只算一次；own_remark",
    ] in rows((tmp_path / "out" / "drug-sex.md").read_text(encoding="utf-8"))
    assert [
        "all | <b>at</b> *once*",
        "药|片 `a` <b>, 2026-03-01, patient sex 1 (male), insured sex ? (unreadable), quantity (empty), patient age 3, diagnosis Q56.0",
        "for females only, limits the patient (就诊人), from 2 years, region 37 (of the institution), "
        "at most notice, exemption E7 (lowers the level, with diagnosis Q56, I27)",
        "notice violation; exemption E7; limit < 14 years; found unknown; uploaded twice, counted once; own_remark",
    ] in rows((tmp_path / "out" / "drug-sex.en.md").read_text(encoding="utf-8"))


_TEXTS = {
    "terms": {"terms_text"},
    "pair": {"pair_text", "container_name"},
    "quota": {"quota_text"},
    "evidence": {"to_check"},
}


def test_whatever_a_clause_may_read_has_words() -> None:
    for shape in SHAPES:
        limits = {limit.name: limit for limit in shape.limits}
        assert all(column.zh and column.en for column in (*shape.columns, *shape.limits))
        assert all(column.fact in shape.facts or column.limits for column in shape.columns)
        # A published text that is held against nothing is for people; of few clauses tell it.
        texts = _TEXTS.get(shape.id, set())
        assert all(limits[name].wording and not limits[name].fact for name in texts)
        assert {name for column in shape.columns for name in column.limits} == limits.keys() - texts


def test_stale_pages_are_named_and_written_anew(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert docs(folder, out) == 0
    whole = {path.name: path.read_bytes() for path in out.iterdir()}
    assert len(whole) == 5
    assert docs(folder, out, "--check") == 0
    capsys.readouterr()

    (out / "drug-sex.md").write_bytes(whole["drug-sex.md"].replace("限男性".encode(), b""))
    (out / "drug-sex.en.md").unlink()
    (out / "drug-gone.md").write_bytes(whole["drug-sex.md"])
    (out / "notes.md").write_text("# mine\n", encoding="utf-8")
    (out / "service-sex.md").write_bytes(whole["service-sex.md"].replace(b"\n", b"\r\n"))
    assert docs(folder, out, "--check", "--json") == 1
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert {Path(fault["file"]).name: re.findall(r"（([a-z ]+):", fault["message"])[0] for fault in faults} == {
        "drug-sex.md": "stale", "drug-sex.en.md": "missing", "drug-gone.md": "of a rule that is gone",
    }  # fmt: skip
    assert all("run `liangku rules docs`" in fault["message"] for fault in faults)

    assert docs(folder, out) == 0
    assert docs(folder, out, "--check") == 0
    assert {path.name for path in out.iterdir()} == {*whole, "notes.md"}
    assert (out / "drug-sex.md").read_bytes() == whole["drug-sex.md"]
    (folder / "service-sex.toml").unlink()
    assert docs(folder, out) == 0
    assert {path.name for path in out.iterdir()} == {"README.md", "drug-sex.md", "drug-sex.en.md", "notes.md"}


def test_somebodys_own_file_is_not_replaced(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "README.md").write_text("# mine\n", encoding="utf-8")
    (out / "drug-sex.md").write_bytes(b"\xff")
    assert docs(folder, out) == 2
    assert "README.md、drug-sex.md" in capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "drug-sex.md"]
    assert docs(folder, tmp_path / "rules" / "drug-sex.toml") == 2


def test_another_folder_of_rules_asks_where_to_write(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "docs", "--rules", str(folder)]) == 2
    assert "--out" in capsys.readouterr().err


def test_check_holds_the_pages_of_the_checkout_against_its_rules(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a copy of the tree with two rules; of a folder of one's own no pages are asked for."""

    def rules(*arguments: str) -> Done:
        return liangku("rules", *arguments, cwd=tmp_path, home=tmp_path)

    assert rules("docs").returncode == 0
    assert len(list((tmp_path / "docs" / "rules").iterdir())) == 5
    (tmp_path / "docs" / "rules" / "service-sex.md").unlink()
    done = rules("check", "--rules", "rules", "--lang", "en")
    assert done.returncode == 1
    assert "✗ docs: 4/5" in done.stdout
    assert "service-sex.md: 缺少这一页，请运行 liangku rules docs（missing: run `liangku rules docs`）" in done.stdout
    assert run(["rules", "check", "--rules", str(folder), "--json"]) == 0
    assert [stage["name"] for stage in json.loads(capsys.readouterr().out)["stages"]][-1] == "complete"
