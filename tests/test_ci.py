"""`liangku kb ci` and what docs/ci.md offers for copying, in real git repositories with real hooks and shells."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
import yaml

from tests.commands import ROOT, liangku
from tests.one_rule import one_rule_text

ITEM = "knowledge_base/sources/item.csv"
pytestmark = pytest.mark.usefixtures("proofs", "kept_scans")
DRUG = "XG04CBA088A001"
"""The family of the codes of the point whose sex is changed."""
MALE, FEMALE = "drug-sex-01-0003,male", "drug-sex-01-0003,female"


class Repository:
    """A git repository with knowledge, rules and sample lines, one commit on main, and a `liangku` on its path."""

    def __init__(self, folder: Path, shell: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "PATH": f"{shell}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "LC_ALL": "zh_CN.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org",
            "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org",
        }  # fmt: skip

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command at the top of the repository."""
        return subprocess.run(
            words, cwd=self.folder, env={**self.environment, **variables}, capture_output=True, encoding="utf-8", check=False
        )  # fmt: skip

    def git(self, *words: str) -> str:
        """Run git, which must succeed."""
        done = self.run("git", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ci(self, *words: str) -> tuple[int, str, str]:
        """Run `liangku kb ci`: exit code, stdout, stderr. The change that most tests make writes a point over, which is allowed to them."""
        done = liangku("kb", "ci", "--max-edited-points", "1", *words, cwd=self.folder, env=self.environment)
        return done.returncode, done.stdout, done.stderr

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the first occurrence of `old`, which must be there."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory, proofs_folder: Path) -> Path:
    """A folder with the command `liangku` of this checkout, which keeps what became of the cases of rules."""
    folder = tmp_path_factory.mktemp("bin")
    command = folder / "liangku"
    command.write_text(
        f"""#!{sys.executable}
import sys
from pathlib import Path

from checker.cli.main import main

if sys.argv[1:3] == ["kb", "check"]:
    main()  # which proves no rule, and starts sooner without what proofs import
else:
    from tests.proofs import kept_in

    with kept_in(Path({str(proofs_folder)!r})):
        main()
""",
        encoding="utf-8",
    )
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return folder


def _made(folder: Path, shell: Path) -> Repository:
    """A repository of what stands in a folder, all of it committed."""
    made = Repository(folder, shell)
    made.git("init", "-q", "-b", "main")
    made.git("add", "-A")
    made.git("commit", "-q", "-m", "base")
    return made


def _few_samples(folder: Path) -> None:
    """The samples of some settlements that charge the drug whose point the tests change, and of many that do not."""
    folder.mkdir(parents=True)
    samples = {path.name: pl.read_parquet(path) for path in (ROOT / "data/samples/national").glob("*.parquet")}
    lines = samples["fee_list_d.parquet"]
    charged = lines.filter(pl.col("med_list_codg").str.starts_with(DRUG)).head(8)
    settlements = pl.concat((charged, lines.head(400)))["setl_id"].unique().implode()
    kept = samples["setl_d.parquet"].filter(pl.col("setl_id").is_in(settlements))
    for name, table in samples.items():
        key = "mdtrt_id" if name == "mdtrt_d.parquet" else "setl_id"
        table.filter(pl.col(key).is_in(kept[key].unique().implode())).write_parquet(folder / name)


@pytest.fixture(scope="session")
def one_rule(tmp_path_factory: pytest.TempPathFactory, shell: Path) -> Path:
    """A repository with one rule and its points: building, proving and judging all of them takes most of the time."""
    folder = tmp_path_factory.mktemp("one-rule") / "repository"
    (folder / "rules").mkdir(parents=True)
    for name in ("drug-sex.toml", "framework.csv"):
        shutil.copy(ROOT / "rules" / name, folder / "rules")
    assert liangku("rules", "lock", "--rules", folder / "rules").returncode == 0
    one_rule_text(folder / "knowledge_base/sources")
    _few_samples(folder / "data/samples/national")
    return _made(folder, shell).folder


@pytest.fixture
def repository(one_rule: Path, tmp_path: Path, shell: Path) -> Repository:
    """A repository of one rule, as it was committed."""
    return Repository(shutil.copytree(one_rule, tmp_path / "repository"), shell)


@pytest.fixture
def text_alone(repository: Repository) -> Repository:
    """The repository without lines: judging them twice takes most of the time, and many tests are about text alone."""
    shutil.rmtree(repository.folder / "data")
    repository.git("commit", "-q", "-a", "-m", "no lines")
    return repository


def test_a_repository_without_changes_is_fit_to_merge(repository: Repository) -> None:
    code, out, err = repository.ci("--base", "main")
    assert (code, err) == (0, "")
    assert out.startswith("# 知识库变更报告\n\n**✓ 可以合并。** 对照：main（")
    assert "知识点和规则都没有变化，无需比较影响。" in out


def test_a_changed_point_is_compared_and_its_impact_measured(repository: Repository) -> None:
    repository.edit(ITEM, MALE, FEMALE)
    code, out, _ = repository.ci("--base", "main", "--json", "--max-new-lines", "1000")
    report = json.loads(out)
    assert (code, report["failed"], report["unmeasured"]) == (0, False, None)
    new, judged = report["impact"]["new"]["extent"]["lines"], report["impact"]["judged"]
    assert new > 0
    assert [change["point_id"] for change in report["knowledge_diff"]["points"]] == ["drug-sex-01-0003"]

    limit = new / judged / 2
    code, out, _ = repository.ci("--base", "main", "--max-new-share", f"{limit:.8f}", "--max-new-lines", str(new))
    assert code == 1
    assert "✗ 不能合并" in out
    # As many lines as are allowed are not too many: of the two limits one alone is exceeded.
    assert "超出限度 --max-new-share" in out
    assert f"在限度以内 --max-new-lines：{new}，限度 {new}\n" in out


def without(repository: Repository, point: str, *tables: str) -> None:
    """Take a point out of tables of the text."""
    for table in tables:
        path = repository.folder / "knowledge_base/sources" / f"{table}.csv"
        rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [row for row in rows if not row.startswith(f"{point},")]
        assert len(kept) < len(rows)
        path.write_text("".join(kept), encoding="utf-8")


def test_a_deleted_point_and_the_findings_that_go_with_it_pass_only_where_that_is_said(repository: Repository) -> None:
    without(repository, "drug-sex-01-0003", "point", "item", "pattern")
    code, out, _ = repository.ci("--base", "main")
    assert code == 1
    assert "✗ 不能合并" in out
    assert "- 超出限度 --max-deleted-points：1，限度 0\n" in out
    assert "- 超出限度 --max-deleted-codes：1，限度 0\n" in out
    allowed = ("--max-deleted-points", "1", "--max-deleted-codes", "1")
    code, out, _ = repository.ci("--base", "main", *allowed, "--json")
    report = json.loads(out)
    assert (code, report["failed"], [each["exceeded"] for each in report["thresholds"]]) == (0, False, [False] * 9)
    lost = report["impact"]["gone"]["extent"]["lines"]
    assert lost > 0
    code, out, _ = repository.ci(
        "--base", "main", *allowed, "--max-lost-lines", str(lost - 1), "--max-lost-share", "99%"
    )
    assert code == 1
    assert f"超出限度 --max-lost-lines：{lost}，限度 {lost - 1}" in out
    assert "在限度以内 --max-lost-share：" in out


def test_a_code_that_a_point_no_longer_lists_is_a_deletion(text_alone: Repository) -> None:
    path = text_alone.folder / "knowledge_base/sources/pattern.csv"
    rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    codes = Counter(row.partition(",")[0] for row in rows)
    last = next(number for number, row in enumerate(rows) if codes[row.partition(",")[0]] > 1)
    path.write_text("".join((*rows[:last], *rows[last + 1 :])), encoding="utf-8")
    code, out, _ = text_alone.ci("--base", "main", "--lang", "en")
    assert code == 1
    assert "- --max-deleted-points kept: 0, the limit is 0\n" in out
    assert "- --max-deleted-codes exceeded: 1, the limit is 0\n" in out


def test_a_point_in_force_that_is_written_over_is_named_and_fails(text_alone: Repository) -> None:
    text_alone.edit(ITEM, MALE, FEMALE)
    code, out, _ = text_alone.ci("--base", "main", "--max-edited-points", "0")
    assert code == 1
    assert "- 超出限度 --max-edited-points：1，限度 0\n" in out
    assert "`knowledge_base/sources/point.csv:" in out
    assert " drug-sex-01-0003`" in out
    assert "已生效的知识点被原地改写；请给它写 valid_to，另立一个知识点（sex male → female）" in out


def test_an_id_that_is_given_to_another_item_fails(text_alone: Repository) -> None:
    table = text_alone.folder / "knowledge_base/sources/pattern.csv"
    rows = table.read_text(encoding="utf-8").splitlines(keepends=True)
    own = [number for number, row in enumerate(rows) if row.startswith("drug-sex-01-0003,")]
    rows[own[0] : own[-1] + 1] = ["drug-sex-01-0003,item,family,XZ99ZZZ999A001,1\n"]
    table.write_text("".join(rows), encoding="utf-8")
    point = next(
        row
        for row in (text_alone.folder / "knowledge_base/sources/point.csv").read_text(encoding="utf-8").splitlines()
        if row.startswith("drug-sex-01-0003,")
    )
    name = point.split(",")[2]
    text_alone.edit("knowledge_base/sources/point.csv", point, point.replace(name, "别的药片", 1))
    code, out, _ = text_alone.ci("--base", "main", "--max-deleted-codes", "9", "--lang", "en")
    assert code == 1
    assert "- --max-reused-ids exceeded: 1, the limit is 0\n" in out
    assert f"item_name {name} → 别的药片" in out


def test_a_family_whose_lines_are_called_otherwise_is_told(repository: Repository) -> None:
    table = "knowledge_base/sources/point.csv"
    row = next(
        row
        for row in (repository.folder / table).read_text(encoding="utf-8").splitlines()
        if row.startswith("drug-sex-01-0003,")
    )
    named = row.replace(row.split(",")[2], "毫不相干丸", 1)
    repository.edit(table, row, named)
    code, out, _ = repository.ci("--base", "main")
    assert (code, "毫无关系" in out) == (1, True)
    repository.edit(table, named, named.replace("2025-05-23,,,,", "2025-05-23,,,前段已核对,", 1))
    code, out, _ = repository.ci("--base", "main")
    assert code == 0
    assert "`drug-sex-01-0003` 毫不相干丸：按前段管到的" in out
    assert f"叫别的名字，如“{row.split(',')[2]}”" in out
    code, out, _ = repository.ci("--base", "main", "--max-misnamed-points", "0")
    assert (code, "超出限度 --max-misnamed-points：1" in out) == (1, True)


def test_issues_that_the_base_has_or_a_baseline_names_make_nothing_fail(text_alone: Repository) -> None:
    point = "knowledge_base/sources/point.csv"
    text_alone.edit(point, "2025-05-23", "2062-05-23")
    code, out, _ = text_alone.ci("--base", "main", "--json")
    assert code == 1
    assert json.loads(out)["check"]["counts"]["error"] == 1
    written = liangku(
        "kb", "check", "knowledge_base/sources", "--write-baseline", "baseline.csv", cwd=text_alone.folder
    )
    assert written.returncode == 1
    assert "far-date,drug-sex-" in (text_alone.folder / "baseline.csv").read_text(encoding="utf-8")
    code, out, _ = text_alone.ci("--base", "main", "--json", "--baseline", "baseline.csv")
    assert (code, json.loads(out)["check"]["counts"]["error"]) == (0, 0)
    text_alone.git("commit", "-q", "-a", "-m", "it stands")
    text_alone.edit(ITEM, MALE, FEMALE)
    code, out, _ = text_alone.ci("--base", "main", "--json")
    report = json.loads(out)["check"]
    assert (code, report["counts"]["error"], report["standing"] > 0) == (0, 0, True)
    (text_alone.folder / "baseline.csv").write_text("check,key,column,value\nno-such,,,\n", encoding="utf-8")
    code, _, err = text_alone.ci("--base", "main", "--baseline", "baseline.csv")
    assert code == 2
    assert "baseline.csv: row 2, column check: 写的是“no-such”，没有这个检查项" in err


def test_warnings_of_a_check_that_is_named_fail_too(text_alone: Repository) -> None:
    table = text_alone.folder / "knowledge_base/sources/point.csv"
    row = next(row for row in table.read_text(encoding="utf-8").splitlines() if row.startswith("drug-sex-01-0003,"))
    name = row.split(",")[2]
    text_alone.edit("knowledge_base/sources/point.csv", row, row.replace(name, f"妇科{name}", 1))
    assert text_alone.ci("--base", "main")[0] == 0
    assert text_alone.ci("--base", "main", "--strict", "name-and-limit")[0] == 1
    code, _, err = text_alone.ci("--base", "main", "--strict", "name-and-limits")
    assert code == 2
    assert "没有检查项“name-and-limits”" in err


def test_a_level_that_changes_is_counted_apart(repository: Repository) -> None:
    repository.edit("rules/drug-sex.toml", 'level = "suspect"', 'level = "definite"')
    _, out, _ = repository.ci("--base", "main", "--json", "--max-changed-lines", "0")
    (threshold,) = json.loads(out)["impact"]["thresholds"]
    assert (threshold["name"], threshold["exceeded"]) == ("max_changed_lines", True)


def test_what_others_have_merged_since_is_no_part_of_the_change(text_alone: Repository) -> None:
    text_alone.git("checkout", "-q", "-b", "change")
    text_alone.edit(ITEM, MALE, FEMALE)
    text_alone.git("commit", "-q", "-a", "-m", "a change")
    text_alone.git("checkout", "-q", "main")
    table = text_alone.folder / "knowledge_base/sources/point.csv"
    row = next(row for row in table.read_text(encoding="utf-8").splitlines() if row.startswith("drug-sex-01-0003,"))
    text_alone.edit("knowledge_base/sources/point.csv", row, f"{row}\n{row.replace('-0003', '-9999')}")
    text_alone.git("commit", "-q", "-a", "-m", "another point")
    text_alone.git("checkout", "-q", "change")
    code, out, err = text_alone.ci("--base", "main", "--json")
    assert (code, err) == (0, "")
    assert [change["point_id"] for change in json.loads(out)["knowledge_diff"]["points"]] == ["drug-sex-01-0003"]


def test_where_nothing_can_be_compared_the_file_says_why(repository: Repository) -> None:
    code, out, err = repository.ci("--base", "no-such-branch", "--out", "out/summary.md", "--lang", "en")
    assert (code, out) == (2, "")
    summary = (repository.folder / "out/summary.md").read_text(encoding="utf-8")
    assert "**✗ Could not be looked at.**" in summary
    assert "--base no-such-branch" in summary
    assert "--base no-such-branch" in err


def test_an_error_in_the_text_stops_the_comparison(repository: Repository) -> None:
    repository.edit(ITEM, MALE, "drug-sex-01-0003,man")
    code, out, err = repository.ci("--base", "main")
    assert (code, err) == (1, "")
    assert "有错误，未比较影响。" in out
    assert "drug-sex-01-0003" in out


def test_a_rule_that_does_not_pass_its_cases_fails(repository: Repository) -> None:
    repository.edit("rules/drug-sex.toml", "person_sex <> point_sex", "person_sex = point_sex")
    code, out, _ = repository.ci("--base", "main", "--json")
    report = json.loads(out)
    assert (code, report["failed"], report["rules"]["passed"]) == (1, True, False)
    assert report["rules_diff"]["judgment_changed"] is True
    assert report["impact"]["new"]["extent"]["lines"] > 0


def test_a_rule_that_does_not_load_is_told_and_nothing_is_compared(repository: Repository) -> None:
    repository.edit("rules/drug-sex.toml", "person_sex <> point_sex", "persn_sex <> point_sex")
    code, out, err = repository.ci("--base", "main")
    assert (code, err) == (1, "")
    assert "persn_sex" in out
    assert "有错误，未比较影响。" in out


def test_the_base_may_be_a_folder_and_the_summary_a_file(repository: Repository, tmp_path: Path) -> None:
    before = tmp_path / "before"
    shutil.copytree(repository.folder, before, ignore=shutil.ignore_patterns(".git"))
    repository.edit(ITEM, MALE, FEMALE)
    code, out, _ = repository.ci("--base", str(before), "--lang", "en", "--out", "out/summary.md")
    assert (code, out) == (0, f"✓ Fit to be merged. Base: {before}\n")
    summary = (repository.folder / "out/summary.md").read_text(encoding="utf-8")
    assert summary.startswith("# Change of knowledge")
    assert "sex: male → female" in summary


def test_folders_named_in_full_are_compared_with_those_of_the_base(text_alone: Repository, tmp_path: Path) -> None:
    before = tmp_path / "before"
    shutil.copytree(text_alone.folder, before, ignore=shutil.ignore_patterns(".git"))
    text_alone.edit(ITEM, MALE, FEMALE)
    sources, rules = (str(text_alone.folder / name) for name in ("knowledge_base/sources", "rules"))
    code, out, _ = text_alone.ci("--base", str(before), "--sources", sources, "--rules", rules, "--lang", "en")
    assert code == 0
    assert "sex: male → female" in out
    elsewhere = shutil.copytree(before / "rules", tmp_path / "elsewhere")
    code, out, err = text_alone.ci("--base", str(before), "--rules", str(elsewhere))
    assert (code, out) == (2, "")
    assert f"{elsewhere}：不在当前文件夹之内" in err


@pytest.mark.parametrize("base", ["", "."])
def test_a_change_is_not_held_against_itself(repository: Repository, base: str) -> None:
    repository.edit(ITEM, MALE, FEMALE)
    code, out, err = repository.ci("--base", base)
    assert (code, out) == (2, "")
    assert "对照就是要检查的文件夹本身" in err


def test_what_git_archives_leave_out_is_in_the_base_all_the_same(text_alone: Repository) -> None:
    (text_alone.folder / ".gitattributes").write_text(
        "knowledge_base/** export-ignore\nrules export-ignore\n", encoding="utf-8"
    )
    text_alone.git("add", "-A")
    text_alone.git("commit", "-q", "-m", "attributes")
    text_alone.edit(ITEM, MALE, FEMALE)
    code, out, err = text_alone.ci("--base", "HEAD", "--lang", "en")
    assert (code, err) == (0, "")
    assert "sex: male → female" in out


@pytest.mark.parametrize("gone", ["knowledge_base/sources", "rules"])
def test_a_change_that_loses_a_whole_folder_does_not_pass(repository: Repository, gone: str) -> None:
    shutil.rmtree(repository.folder / gone)
    code, out, err = repository.ci("--base", "main")
    assert (code, out) == (2, "")
    assert f"{gone}：对照 main（" in err


def test_a_folder_that_is_named_must_be_there(repository: Repository) -> None:
    code, out, err = repository.ci("--base", "main", "--sources", "knowlege_base/sources")
    assert (code, out) == (2, "")
    assert "--sources knowlege_base/sources：没有这个文件夹" in err


def test_without_lines_the_summary_says_that_nothing_was_measured(repository: Repository) -> None:
    shutil.rmtree(repository.folder / "data")
    repository.edit(ITEM, MALE, FEMALE)
    code, out, _ = repository.ci("--base", "HEAD")
    assert code == 0
    assert "没有可用的明细数据" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--base", "no-such-branch"), "--base no-such-branch：既不是文件夹，也不是 git 仓库中的版本"),
        (("--base", "--output=stolen"), "既不是文件夹，也不是 git 仓库中的版本"),
        (("--base", "main", "--sources", "nowhere", "--rules", "nowhere"), "两个文件夹都没有"),
    ],
)
def test_a_base_that_cannot_be_used_is_named(repository: Repository, words: tuple[str, ...], told: str) -> None:
    code, out, err = repository.ci(*words)
    assert (code, out) == (2, "")
    assert told in err


@pytest.fixture
def empty(repository: Repository) -> Repository:
    """A repository with a branch on which nothing is yet."""
    repository.git("checkout", "-q", "--orphan", "empty")
    repository.git("rm", "-q", "-r", "--cached", ".")
    repository.git("commit", "-q", "--allow-empty", "-m", "nothing")
    return repository


def test_the_first_change_is_new_as_a_whole_and_checked(empty: Repository) -> None:
    code, out, _ = empty.ci("--base", "empty")
    assert code == 0, out
    assert "还没有知识库或规则，这次变更里的都是新的" in out
    empty.edit(ITEM, MALE, "drug-sex-01-0003,man")
    code, out, _ = empty.ci("--base", "empty")
    assert (code, "✗ 不能合并" in out) == (1, True)


def test_text_that_the_base_has_elsewhere_is_no_new_text(repository: Repository) -> None:
    repository.git("mv", "knowledge_base/sources", "knowledge_base/text")
    shutil.rmtree(repository.folder / "rules")
    code, _, err = repository.ci("--base", "main", "--sources", "knowledge_base/text", "--rules", "no-rules")
    assert code == 2
    assert "其中的知识库文本在 knowledge_base/sources，不在 knowledge_base/text" in err


# ---- what docs/ci.md offers for copying ----


def block(language: str, number: int = 0) -> str:
    """A fenced block of docs/ci.md in a language, the first or a later one."""
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    return page.split(f"```{language}\n")[1 + number].partition("```")[0]


@pytest.fixture
def hooked(repository: Repository) -> Repository:
    hook = repository.folder / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(block("bash"), encoding="utf-8")
    hook.chmod(0o755)
    return repository


def test_the_hook_lets_sound_changes_pass(hooked: Repository) -> None:
    hooked.edit(ITEM, MALE, FEMALE)
    done = hooked.run("git", "commit", "-a", "-m", "a point")
    assert done.returncode == 0, done.stderr
    assert hooked.git("log", "--format=%s", "-1") == "a point\n"


def test_the_hook_looks_at_what_is_staged(hooked: Repository) -> None:
    hooked.edit(ITEM, MALE, "drug-sex-01-0003,man")
    hooked.git("add", ITEM)
    hooked.edit(ITEM, "drug-sex-01-0003,man", FEMALE)
    assert hooked.run("git", "commit", "-m", "refused").returncode != 0
    hooked.git("add", ITEM)
    hooked.edit(ITEM, FEMALE, "drug-sex-01-0003,man")
    done = hooked.run("git", "commit", "-m", "sound")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (ITEM, MALE, "drug-sex-01-0003,man"),
        ("rules/drug-sex.toml", "person_sex <> point_sex", "person_sex = point_sex"),
    ],
    ids=["knowledge", "rule"],
)
def test_the_hook_refuses_a_change_that_does_not_pass(hooked: Repository, file: str, old: str, new: str) -> None:
    hooked.edit(file, old, new)
    assert hooked.run("git", "commit", "-a", "-m", "refused").returncode != 0
    assert hooked.git("log", "--format=%s", "-1") == "base\n"


def test_the_hook_leaves_other_commits_alone(hooked: Repository) -> None:
    hooked.edit(ITEM, MALE, "drug-sex-01-0003,man")
    (hooked.folder / "notes.txt").write_text("x", encoding="utf-8")
    hooked.git("add", "notes.txt")
    assert hooked.run("git", "commit", "-m", "notes").returncode == 0


def workflow(clone: Repository, temporary: Path) -> list[tuple[str, int, str]]:
    """Run the steps of the workflow as its runner does, all of them: name, exit code, stdout."""
    document = yaml.safe_load(block("yaml"))
    assert document["permissions"] == {"contents": "read"}
    (job,) = document["jobs"].values()
    assert job["steps"][0]["with"] == {"fetch-depth": 0, "persist-credentials": False}
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert len(used) == 2
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", use) for use in used)
    variables = {
        "GITHUB_BASE_REF": "main", "RUNNER_TEMP": str(temporary), "GITHUB_STEP_SUMMARY": str(temporary / "page.md")
    }  # fmt: skip
    ran = []
    for step in job["steps"]:
        if "run" in step and not step["run"].startswith("pip install"):
            done = clone.run("bash", "-e", "-c", step["run"], **variables)
            ran.append((step["name"], done.returncode, done.stdout))
    return ran


POINT = "drug-sex-01-0003,drug-sex,爱普列特片,,,,2025-05-23,,,"


@pytest.mark.parametrize(
    ("file", "old", "change", "codes"),
    [
        ("knowledge_base/sources/point.csv", f"{POINT},", f"{POINT}已核对,", [0, 0]),
        (ITEM, MALE, "drug-sex-01-0003,man", [1, 1]),
    ],
    ids=["sound", "broken"],
)
def test_the_workflow_annotates_and_summarises(
    repository: Repository, shell: Path, tmp_path: Path, file: str, old: str, change: str, codes: list[int]
) -> None:
    clone = Repository(tmp_path / "clone", shell)
    repository.git("clone", "-q", str(repository.folder), str(clone.folder))
    clone.git("checkout", "-q", "-b", "change")
    clone.edit(file, old, change)
    clone.git("commit", "-q", "-a", "-m", "a change")
    ran = workflow(clone, tmp_path)
    assert [(name, code) for name, code, _ in ran] == list(zip(["annotate", "summary"], codes, strict=True))
    line = next(
        number
        for number, text in enumerate((clone.folder / file).read_text(encoding="utf-8").splitlines(), 1)
        if change in text
    )
    annotated = f"::error file={file},line={line}" in ran[0][2]
    assert annotated is (codes[0] == 1)
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert page.startswith("# Change of knowledge\n\n**" + ("✗" if codes[1] else "✓"))


@pytest.mark.parametrize(
    ("file", "old", "change", "code"),
    [
        ("knowledge_base/sources/point.csv", f"{POINT},", f"{POINT}已核对,", 0),
        (ITEM, MALE, "drug-sex-01-0003,man", 1),
        (ITEM, "point_id,sex", '"point_id,sex', 2),
    ],
    ids=["sound", "broken", "unreadable"],
)
def test_the_recipe_of_gitlab_reports_quality_and_fails_where_it_must(
    text_alone: Repository, shell: Path, tmp_path: Path, file: str, old: str, change: str, code: int
) -> None:
    clone = Repository(tmp_path / "clone", shell)
    text_alone.git("clone", "-q", str(text_alone.folder), str(clone.folder))
    clone.edit(file, old, change)
    clone.git("commit", "-q", "-a", "-m", "a change")
    job = yaml.safe_load(block("yaml", 1))["knowledge"]
    done = clone.run("bash", "-e", "-c", "\n".join(job["script"]), CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    assert done.returncode == code, done.stderr
    (report,) = (job["artifacts"]["reports"]["codequality"],)
    issues = json.loads((clone.folder / report).read_text(encoding="utf-8"))
    grave = [each["location"] for each in issues if each["severity"] in ("critical", "blocker")]
    assert [each["path"] for each in grave] == ([] if code == 0 else [ITEM])
    assert len({each["fingerprint"] for each in issues}) == len(issues)
    assert ("✓" in done.stdout) is (code == 0)


def test_the_hooks_for_pre_commit_run_what_they_name(repository: Repository) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == ["liangku-knowledge", "liangku-rules"]
    for hook in hooks:
        assert repository.run(*hook["entry"].split(), *hook["args"]).returncode == 0
    repository.edit(ITEM, MALE, "drug-sex-01-0003,man")
    repository.edit("rules/drug-sex.toml", "person_sex <> point_sex", "person_sex = point_sex")
    for hook in hooks:
        assert repository.run(*hook["entry"].split(), *hook["args"]).returncode == 1
