"""A long scan is taken up where it ended: killed at any moment, out of room, or with an input that turned out to be damaged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path
from random import Random

import duckdb
import polars as pl
import pytest

from checker.ingest import line_sql, relations
from checker.model.journal import JOURNAL_FILE, Journal
from tests.commands import Done, command, liangku
from tests.one_rule import one_rule_kb
from tests.test_files import COLUMNS, broken_page, csv_file, found, parquet_file, passed_over, row, run

PART = ("--part-lines", "400")
KILLS = int(os.environ.get("LIANGKU_KILLS", "0"))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six files of lines, CSV and Parquet in turn, of which the counts are told apart by the names of the lines."""
    folder = tmp_path_factory.mktemp("lines")
    for number in range(6):
        names = [f"{number}-{line}" for line in range(300)]
        (parquet_file if number % 2 else csv_file)(folder / f"{number}.{'parquet' if number % 2 else 'csv'}", *names)
    return folder


def words(lines: Path, out: Path, *further: str | Path) -> tuple[str | Path, ...]:
    key = out.parent / "person.key"
    return ("scan", lines, "--kb", one_rule_kb(), "--out", out, "--person-key", key, *PART, *further)


def scanned(lines: Path, out: Path, *further: str | Path, code: int = 1) -> Done:
    done = liangku(*words(lines, out, *further))
    assert done.returncode == code, done.stdout + done.stderr
    return done


def parts_done(journal: Path) -> list[str]:
    """The parts of a journal, in order; of none where there is no journal."""
    if not journal.exists():
        return []
    return [
        json.loads(line)["part"] for line in journal.read_text(encoding="utf-8").splitlines()[1:] if line.endswith("}")
    ]


def kill_after(parts: int, lines: Path, out: Path) -> list[str]:
    """Start a scan that goes on, and kill it when at least so many parts are done; returns those that were."""
    with subprocess.Popen(
        [*command(*words(lines, out, "--resume"))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        give_up = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < give_up:
            journals = list(out.parent.glob(f".{out.name}.partial-*/work/{JOURNAL_FILE}"))
            if journals and len(parts_done(journals[0])) >= parts:
                process.kill()
                break
            time.sleep(0.002)
    assert process.returncode == -signal.SIGKILL, "the scan ended before it could be killed"
    return parts_done(journals[0])


@pytest.fixture
def stop_after(monkeypatch):
    """Have a scan in this process end, as a kill would end it, once so many parts are done."""
    note = Journal.note

    def set_to(parts: int) -> None:
        def noted(journal, *given, **facts):
            note(journal, *given, **facts)
            if len(journal._done) >= parts:
                monkeypatch.setattr(Journal, "note", note)
                raise KeyboardInterrupt

        monkeypatch.setattr(Journal, "note", noted)

    return set_to


def results(out: Path) -> dict[str, pl.DataFrame]:
    files = sorted(out.glob("*.parquet"))
    assert files
    return {file.name: (frame := pl.read_parquet(file)).sort(frame.columns) for file in files}


def test_a_scan_that_is_killed_again_and_again_finds_the_same(lines, tmp_path):
    scanned(lines, tmp_path / "whole")
    out = tmp_path / "out"
    done: list[str] = []
    for parts in (1, 5, 8):
        before, done = done, kill_after(parts, lines, out)
        assert done[: len(before)] == before, "what was done is not done again"
        assert not out.exists()
    scanned(lines, out, "--resume")
    for name, frame in results(tmp_path / "whole").items():
        assert frame.equals(results(out)[name]), name
    changing = ("seconds", "finished", "peak_memory_mb", "results", "seal")
    whole, again = (
        {key: value for key, value in run(each).items() if key not in changing} for each in (tmp_path / "whole", out)
    )
    assert whole == again
    assert [each.name for each in tmp_path.glob(".out*")] == []


@pytest.mark.skipif(not KILLS, reason="LIANGKU_KILLS says how many scans are killed at random: make soak asks for 20")
def test_scans_killed_at_random_moments_find_the_same(tmp_path):
    """Each is killed up to four times, then let be; more lines, so that every step takes a while."""
    for number in range(12):
        names = [f"{number}-{line}" for line in range(20_000)]
        (parquet_file if number % 2 else csv_file)(
            tmp_path / "in" / f"{number}.{'parquet' if number % 2 else 'csv'}", *names
        )
    given = (tmp_path / "in", tmp_path / "whole", "--part-lines", "30000")
    began = time.monotonic()
    scanned(*given)
    takes, whole = time.monotonic() - began + 1, results(tmp_path / "whole")
    for number in range(KILLS):
        out, rng = tmp_path / f"out-{number}", Random(number)
        before: list[str] = []
        for _ in range(4):
            started = command(*words(tmp_path / "in", out, "--part-lines", "30000", "--resume"))
            with subprocess.Popen(started, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                try:
                    process.wait(rng.uniform(0.2, takes))
                except subprocess.TimeoutExpired:
                    process.kill()
            if process.returncode != -signal.SIGKILL:
                break
            left = [parts_done(file) for file in tmp_path.glob(f".out-{number}.partial-*/work/{JOURNAL_FILE}")]
            assert not left or left[0][: len(before)] == before
            before = left[0] if left else []
        if not out.exists():
            scanned(tmp_path / "in", out, "--part-lines", "30000", "--resume")
        for name, frame in results(out).items():
            assert frame.equals(whole[name]), (number, name)


def test_a_scan_that_was_killed_is_taken_up_only_as_it_was(lines, tmp_path):
    """Other options, or inputs that have changed meanwhile, are noticed; who does not ask to go on begins anew."""
    kill_after(3, lines, tmp_path / "out")
    said = scanned(lines, tmp_path / "out", "--resume", "--as-of", "2026-03-01", code=2).stderr
    assert "--resume" in said
    assert "选项" in said
    more = csv_file(tmp_path / "7.csv", "more")
    said = scanned(lines, tmp_path / "out", more, "--resume", code=2).stderr
    assert "7.csv" in said
    scanned(lines, tmp_path / "out")
    assert len(found(tmp_path / "out")) == 1800


@pytest.fixture
def ends_in_the_selection(monkeypatch):
    """Have the selection of lines fail once, as a disk does that is full."""
    select = relations.select_lines

    def fail(*given, **options):
        monkeypatch.setattr(relations, "select_lines", select)
        raise duckdb.IOException('Could not write file "x": No space left on device')

    monkeypatch.setattr(relations, "select_lines", fail)


@pytest.mark.usefixtures("ends_in_the_selection")
def test_a_scan_for_which_there_was_no_room_goes_on_when_there_is(lines, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    said = scanned(lines, tmp_path / "out", "--temp-dir", scratch, code=2).stderr
    assert "磁盘空间不够" in said
    assert "--resume" in said
    assert [each.name.startswith(".out.partial-") for each in scratch.iterdir()] == [True]
    counted = []
    name_codes = line_sql._codes

    def seen(source, *, second):
        counted.append(source)
        return name_codes(source, second=second)

    monkeypatch.setattr(line_sql, "_codes", seen)
    scanned(lines, tmp_path / "out", "--temp-dir", scratch, "--resume")
    assert counted == [], "every part had been counted"
    assert len(found(tmp_path / "out")) == 1800
    assert list(scratch.iterdir()) == []


def test_a_short_scan_leaves_nothing_behind_when_it_ends_early(lines, tmp_path, ends_in_the_selection):
    done = liangku("scan", lines, "--kb", one_rule_kb(), "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "--resume" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_of_a_folder_is_set_aside_and_named(lines, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for file in lines.iterdir():
        (folder / file.name).symlink_to(file)
    broken_page(folder / "2-broken.parquet")
    done = scanned(folder, tmp_path / "out", code=4)
    assert "2-broken.parquet" in done.stdout
    assert passed_over(tmp_path / "out", folder) == {"2-broken.parquet": "damaged"}
    assert len(found(tmp_path / "out")) == 1800
    alone = scanned(folder / "2-broken.parquet", tmp_path / "alone", code=2)
    assert "2-broken.parquet" in alone.stderr


@pytest.mark.parametrize(
    ("option", "value", "remedy"),
    [("--memory-limit", "2", "2GB"), ("--memory-limit", "10MB", "256MB"), ("--threads", "0", "1")],
)
def test_what_the_engine_may_use_is_asked_for_in_its_words(lines, tmp_path, option, value, remedy):
    done = scanned(lines, tmp_path / "out", option, value, code=2)
    assert remedy in done.stderr


def test_a_scan_keeps_to_what_it_may_use(lines, tmp_path):
    scanned(lines, tmp_path / "out", "--threads", "1", "--memory-limit", "300MB")
    assert len(found(tmp_path / "out")) == 1800


def test_a_line_of_the_journal_that_was_cut_is_as_if_the_part_had_not_been_done(tmp_path):
    journal = Journal(tmp_path, {"options": "a"}, resume=False)
    (tmp_path / "part").write_text("1")
    journal.note("one", [tmp_path / "part"], told=1)
    journal.note("two", told=2)
    file = tmp_path / JOURNAL_FILE
    file.write_text(file.read_text(encoding="utf-8")[:-5], encoding="utf-8")
    again = Journal(tmp_path, {"options": "a"}, resume=True)
    assert again.done("one") == {"part": "one", "files": {"part": 1}, "told": 1}
    assert again.done("two") is None
    (tmp_path / "part").write_text("")
    assert Journal(tmp_path, {"options": "a"}, resume=True).done("one") is None, "its file is no longer what it was"
    assert Journal(tmp_path, {"options": "b"}, resume=False).done("one") is None


@pytest.mark.parametrize(
    ("by", "folder"), [("month", "month=2026-03"), ("institution", "institution=__HIVE_DEFAULT_PARTITION__")]
)
def test_findings_are_laid_out_in_folders_where_somebody_asks(lines, tmp_path, by, folder):
    out = tmp_path / "out"
    scanned(lines, out, "--partition-by", by)
    assert [each.name for each in (out / f"findings_by_{by}").iterdir()] == [folder]
    parted = pl.read_parquet(out / f"findings_by_{by}" / "**/*.parquet", hive_partitioning=False)
    assert parted.sort("finding_id").equals(pl.read_parquet(out / "findings.parquet").sort("finding_id"))
    assert f"findings_by_{by}/{folder}/data_0.parquet" in run(out)["results"]
    told = liangku("report", out, "--html", tmp_path / "page.html")
    assert told.returncode == 0, told.stderr
    scanned(lines, out, "--force")
    assert not (out / f"findings_by_{by}").exists()


def test_inputs_that_change_their_role_are_not_the_same(lines, tmp_path, stop_after):
    headers = csv_file(tmp_path / "headers.csv", *(f"{number}-1" for number in range(6)))
    maps = ("--map", "settlement_id=line_id", "--map", "visit_id=line_id")
    stop_after(4)
    scanned(lines, tmp_path / "out", "--visits", headers, *maps, code=130)
    said = scanned(lines, tmp_path / "out", "--settlements", headers, *maps, "--resume", code=2).stderr
    assert "headers.csv" in said
    assert list(tmp_path.glob(".out.partial-*")), "what was done is kept"


def test_text_files_keep_what_they_were_converted_to_when_one_before_them_is_set_aside(tmp_path, stop_after):
    """Set aside in the scan that is taken up, when the journal names what the scan before had made of each."""
    folder = tmp_path / "in"
    folder.mkdir()
    broken_page(folder / "0.parquet")
    for name in "ab":
        csv_file(folder / f"{name}.csv", *(f"{name}{line}" for line in range(300)))
    parquet_file(folder / "c.parquet", *(f"c{line}" for line in range(300)))
    scanned(folder, tmp_path / "whole", code=4)
    for parts in (2, 3, 5, 6):
        out = tmp_path / f"out-{parts}"
        stop_after(parts)
        scanned(folder, out, code=130)
        scanned(folder, out, "--resume", code=4)
        assert found(out) == found(tmp_path / "whole")
        assert len(found(out)) == 900


def test_a_damaged_file_of_headers_takes_what_was_counted_by_it_along(tmp_path, monkeypatch):
    """Of a long scan as of a short one: what the file said of refunds counts no more once it is set aside."""
    (tmp_path / "in").mkdir()
    (tmp_path / "headers").mkdir()
    rows = [(*row(str(line)), str(line)) for line in range(1200)]
    frame = pl.DataFrame(rows, schema=(*COLUMNS, "setl_id"), orient="row")
    for part in range(2):
        frame.gather_every(2, part).write_parquet(tmp_path / "in" / f"{part}.parquet")
    headers = pl.DataFrame(
        {"setl_id": [str(line) for line in range(1200)], "refd_setl_flag": ["0"] * 600 + ["1"] * 600}
    )
    headers.head(600).write_parquet(tmp_path / "headers" / "a.parquet")
    headers.tail(600).write_parquet(tmp_path / "headers" / "b.parquet")
    select = relations.select_lines

    def fail(*given, **options):
        monkeypatch.setattr(relations, "select_lines", select)
        raise duckdb.IOException("Out of buffer")

    monkeypatch.setattr(relations, "select_lines", fail)
    damaged = [(tmp_path / "headers" / "b.parquet", "Out of buffer")]
    monkeypatch.setattr("checker.scan.engine_fault._damaged", lambda files: damaged)
    scanned(tmp_path / "in", tmp_path / "out", "--settlements", tmp_path / "headers", code=4)
    assert run(tmp_path / "out")["lines"]["judged"] == 1200


def test_archives_are_unpacked_anew(lines, tmp_path, stop_after):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in lines.iterdir():
            archive.write(file, file.name)
    stop_after(3)
    scanned(tmp_path / "all.zip", tmp_path / "out", code=130)
    scanned(tmp_path / "all.zip", tmp_path / "out", "--resume")
    assert len(found(tmp_path / "out")) == 1800


def test_what_is_kept_outlives_an_input_that_is_away_and_the_number_of_the_process(
    lines, tmp_path, stop_after, monkeypatch
):
    """In a container each process may have the same number as the one before it."""
    away, place = tmp_path / "away", tmp_path / "in"
    shutil.copytree(lines, place)
    stop_after(5)
    scanned(place, tmp_path / "out", code=130)
    place.rename(away)
    scanned(place, tmp_path / "out", "--resume", code=2)
    away.rename(place)
    monkeypatch.setattr(line_sql, "_kinds", None)
    left = tmp_path / f".out.partial-{os.getpid()}"
    assert len(parts_done(left / "work" / JOURNAL_FILE)) == 5
    monkeypatch.undo()
    scanned(place, tmp_path / "out", "--resume")
    assert len(found(tmp_path / "out")) == 1800


def test_scratch_of_folders_of_one_name_is_kept_apart(lines, tmp_path, stop_after):
    scratch = tmp_path / "scratch"
    stop_after(4)
    scanned(lines, tmp_path / "a" / "out", "--temp-dir", scratch, code=130)
    scanned(lines, tmp_path / "b" / "out", "--temp-dir", scratch, "--resume")
    assert len(list(scratch.iterdir())) == 1
    scanned(lines, tmp_path / "a" / "out", "--temp-dir", scratch, "--resume")
    assert list(scratch.iterdir()) == []
    said = scanned(lines, tmp_path / "c", "--temp-dir", tmp_path / "c" / "scratch", code=2).stderr
    assert "--temp-dir" in said
    (tmp_path / "file").write_text("")
    said = scanned(lines, tmp_path / "c", "--temp-dir", tmp_path / "file" / "scratch", code=2).stderr
    assert "--temp-dir" in said


def test_a_folder_whose_results_were_being_replaced_can_be_used_again(lines, tmp_path, monkeypatch):
    """Killed between two renames, it holds files of both runs, which its run.json names."""
    out = tmp_path / "out"
    scanned(lines, out)
    (out / "findings.csv").write_text("")
    document = run(out)
    (out / "run.json").write_text(
        json.dumps({**document, "files": [*document["files"], "findings.csv"]}), encoding="utf-8"
    )
    replace = Path.replace
    moved = []

    def stop(file, target):
        moved.append(target)
        if len(moved) == 4:
            raise KeyboardInterrupt
        return replace(file, target)

    monkeypatch.setattr(Path, "replace", stop)
    scanned(lines, out, "--force", code=130)
    monkeypatch.undo()
    told = liangku("report", out, "--html", tmp_path / "page.html")
    assert told.returncode == 2
    scanned(lines, out, "--force")
    assert len(found(out)) == 1800
    assert not (out / "findings.csv").exists()


def test_an_institution_of_a_long_id_has_a_folder_too(tmp_path):
    ids = ["药" * 40, "a/b", "x" * 300]
    frame = pl.DataFrame(
        [(*row(str(number)), id_) for number, id_ in enumerate(ids)], schema=(*COLUMNS, "fixmedins_code"), orient="row"
    )
    frame.write_parquet(tmp_path / "lines.parquet")
    scanned(tmp_path / "lines.parquet", tmp_path / "out", "--partition-by", "institution")
    parted = pl.read_parquet(tmp_path / "out" / "findings_by_institution" / "**/*.parquet", hive_partitioning=False)
    assert sorted(parted["institution_id"]) == sorted(
        pl.read_parquet(tmp_path / "out" / "findings.parquet")["institution_id"]
    )


def test_progress_after_a_cut_line_is_kept_as_well(tmp_path):
    journal = Journal(tmp_path, {"选项": "甲"}, resume=False)
    journal.note("one")
    file = tmp_path / JOURNAL_FILE
    file.write_bytes(file.read_bytes() + '{"part": "二'.encode()[:-1])
    again = Journal(tmp_path, {"选项": "甲"}, resume=True)
    assert again.taken_up
    again.note("three")
    last = Journal(tmp_path, {"选项": "甲"}, resume=True)
    assert [last.done(part) is not None for part in ("one", "two", "three")] == [True, False, True]
