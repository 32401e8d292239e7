"""What the documents show is what the program does: commands run, outputs match, tables are generated, links lead somewhere.

`python -m tests.test_docs` writes the pasted outputs and the generated tables anew; read the difference before committing it.
"""

from __future__ import annotations

import contextlib
import csv
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest

from checker.model.schema import DIAGNOSIS, FINDING_COLUMNS, HEADER, LINE, Column
from checker.model.words import REASONS, REMARKS
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.commands import ROOT, liangku
from tests.test_floors import FLOORS

DOCUMENTS = (
    "README.md",
    "README.zh-CN.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
COPIED = ("rules", "knowledge_base", "data/samples")
WIDTH = "116"
"""Columns of the terminal that the documents show."""
CUT = "…"
"""A line that stands for lines left out."""
HASH = re.compile(r"(?<=sha256 )[0-9a-f]{16}\b|\b[0-9a-f]{12}\b")
"""The beginnings of hashes of rules, knowledge and commits, which change with every change of the tree."""
ECHO, LIST = "echo $?", "ls "
IMPORT = "sqlite3"
"""The shell of SQLite, which may not be here: its one command, .import, is carried out by Python's library."""
IN_GIT = ("docs/knowledge.md", "docs/ci.md", "docs/own-rules.md")
"""The documents whose commands run in a git repository, with the git and cp commands that they show."""
REAL = ("git ", "cp ")
SESSION = "<!-- session:"
"""What stands above a block that needs a running service: tests/service/test_serve_page.py runs it."""
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "scan": ("--out", "--settlements", "--visits", "--diagnoses", "--from", "--query", "--settlements-query", "--visits-query",
             "--diagnoses-query", "--map", "--layout", "--csv", "--as-of", "--kb", "--rules", "--only-rules",
             "--region", "--profile", "--stage", "--max-rejects", "--force", "--json", "--lang", "--crosswalk", "--person-key",
             "--resume", "--threads", "--memory-limit",
             "--temp-dir", "--part-lines", "--partition-by", "--engine", "--master", "--spark-conf"),
    "report": ("--xlsx", "--html", "--by", "--out", "--force", "--deadline-days", "--from", "--sample", "--stratum", "--seed", "--show-identities",
               "--min-cell", "--json", "--lang"),
    "inspect": ("--crosswalk", "--settlements", "--visits", "--diagnoses", "--map", "--layout", "--save", "--kb", "--rules", "--only-rules",
                "--json", "--lang"),
    "indicators": ("--out", "--settlements", "--visits", "--diagnoses", "--map", "--layout", "--profile", "--xlsx", "--min-cell", "--force",
                   "--json", "--lang"),
    "check": ("--item", "--sex", "--birth", "--age", "--id-number", "--newborn", "--on", "--insured-sex", "--insured-birth", "--diagnosis",
              "--kb", "--crosswalk", "--rules", "--only-rules", "--region", "--as-of", "--profile", "--repair", "--stage", "--json", "--lang"),
    "profile values": ("--settlements", "--visits", "--from", "--query", "--map", "--layout", "--profile", "--json", "--lang"),
    "kb build": ("--sources", "--out", "--onto", "--json", "--lang"),
    "kb show": ("--kb", "--json", "--lang"),
    "kb import": ("--batch", "--published", "--mode", "--onto", "--expect", "--out", "--cover", "--region", "--region-of", "--repair",
                  "--terms", "--column", "--status",
                  "--allow-unparsed", "--allow-lost-coverage", "--publisher", "--title", "--name", "--version", "--rules", "--only-rules",
                  "--json", "--lang"),
    "kb export": ("--kb", "--out", "--flat", "--rule", "--batch", "--since", "--force", "--rules", "--only-rules", "--json", "--lang"),
    "kb check": ("--kb", "--rules", "--only-rules", "--only", "--skip", "--as-of", "--strict", "--baseline", "--write-baseline", "--all",
                 "--format", "--json", "--lang"),
    "kb diff": ("--onto", "--rule", "--limit", "--exit-code", "--format", "--json", "--lang"),
    "kb impact": ("--onto", "--claims", "--settlements", "--visits", "--diagnoses", "--map", "--param", "--max-new-share", "--max-new-lines",
                  "--sample", "--kb", "--crosswalk", "--rules", "--only-rules", "--as-of", "--region", "--format", "--json", "--lang"),
    "kb crosswalk": ("--out", "--kb", "--published", "--publisher", "--title", "--name", "--version", "--json", "--lang"),
    "kb gaps": ("--claims", "--map", "--kb", "--crosswalk", "--propose", "--min-lines", "--limit", "--json", "--lang"),
    "kb search": ("--kb", "--limit", "--json", "--lang"),
    "kb promote": ("--run", "--sources", "--rules", "--write", "--force", "--json", "--lang"),
    "kb ci": ("--base", "--sources", "--onto", "--rules", "--only-rules", "--claims", "--settlements", "--visits", "--diagnoses", "--map", "--max-new-share",
              "--max-new-lines", "--max-lost-share", "--max-lost-lines", "--max-changed-lines", "--max-deleted-points", "--max-deleted-codes",
              "--max-edited-points", "--max-reused-ids", "--max-ended-points", "--max-ended-share", "--max-relaxed-points", "--max-widened-exemptions",
              "--max-deleted-exemptions",
              "--max-misnamed-points", "--baseline", "--strict", "--as-of", "--out", "--json", "--lang"),
    "serve": ("--host", "--port", "--config", "--data", "--profile", "--region", "--two-person", "--new-key", "--kb", "--crosswalk", "--rules",
              "--only-rules"),
    "feedback report": ("--since", "--until", "--min-answers", "--threshold", "--limit", "--json", "--lang"),
    "links import": ("--data", "--by", "--replace"),
    "links list": ("--data", "--json"),
    "links undo": ("--data", "--by"),
    "staff add": ("--data", "--pin-stdin"),
    "staff list": ("--data",),
    "staff remove": ("--data",),
    "audit-log verify": ("--expect", "--json", "--lang"),
    "rules list": ("--rules", "--json", "--lang"),
    "rules show": ("--rules", "--lang"),
    "rules test": ("--rules", "--json", "--lang"),
    "rules check": ("--rules", "--json", "--lang"),
    "rules new": ("--name-zh", "--name-en", "--code", "--like", "--shape", "--rules", "--lang"),
    "rules export": ("--out", "--force", "--json", "--lang"),
    "rules diff": ("--format", "--exit-code", "--json", "--lang"),
    "rules docs": ("--rules", "--out", "--check", "--json", "--lang"),
    "rules lock": ("--rules", "--retire", "--reason", "--check", "--json", "--lang"),
    "sql": ("--rule", "--engine", "--stage", "--rules", "--only-rules", "--json", "--lang"),
    "review template": ("--out", "--json", "--lang"),
    "review import": ("--by", "--replace", "--json", "--lang"),
    "review show": ("--by", "--limit", "--json", "--lang"),
    "review carry": ("--replace", "--json", "--lang"),
}  # fmt: skip
"""The options that users' scripts may rely on."""


# ------------------------------------------------------------------------------------------------ fences and transcripts


@dataclass(frozen=True)
class Fence:
    """A fenced block: its language, its lines, and the number (from 0) of its first line in the document."""

    language: str
    lines: tuple[str, ...]
    first: int


def fences(text: str) -> list[Fence]:
    """The fenced blocks of a document."""
    found: list[Fence] = []
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        if lines[number].startswith("```"):
            body = list(takewhile(lambda line: not line.startswith("```"), lines[number + 1 :]))
            found.append(Fence(lines[number][3:].strip(), tuple(body), number + 1))
            number += len(body) + 1
        number += 1
    return found


def commands(fence: Fence) -> list[str]:
    """The command lines of a block, continuation lines joined; in a console block they stand behind `$ `."""
    text = "\n".join(fence.lines).replace("\\\n", " ")
    sign = "$ " if fence.language == "console" else ""
    return [line.removeprefix(sign) for line in text.splitlines() if line.startswith(sign) and line.strip()]


class Shell:
    """Runs the commands of one document, one after the other, in a copy of the tree."""

    def __init__(self, folder: Path, language: str, *, in_git: bool = False) -> None:
        self.folder = folder.resolve()
        self.code = 0
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "LIANGKU"))}
        locale = {"zh": "zh_CN.UTF-8", "en": "en_US.UTF-8"}[language]
        self._environment = kept | {
            "LC_ALL": locale,
            "COLUMNS": WIDTH,
            "NO_COLOR": "1",
            "SOURCE_DATE_EPOCH": "1772323200",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        for name in COPIED:
            shutil.copytree(ROOT / name, folder / name)
        if in_git:
            (self.folder / ".gitignore").write_text("built/\nout/\n__pycache__/\n", encoding="utf-8")
            for command in (
                "init -q -b main",
                "config user.name t",
                "config user.email t@example.org",
                "add -A",
                "commit -q -m base",
            ):
                self.run(f"git {command}")
                assert self.code == 0, command

    def run(self, command: str) -> list[str]:
        """What a command prints, without blanks at the ends of lines, the place of the tree and hashes of rules; `code` is its exit code."""
        if command == ECHO:
            return [str(self.code)]
        if command.startswith(LIST):
            return ["  ".join(sorted(path.name for path in (self.folder / command.removeprefix(LIST)).iterdir()))]
        name, *arguments = shlex.split(command)
        if name == IMPORT:
            self._import(*arguments)
            return []
        if command.startswith(REAL):
            done = subprocess.run(
                [name, *arguments],
                cwd=self.folder, env=self._environment, capture_output=True, encoding="utf-8", check=False,
            )  # fmt: skip
        else:
            done = liangku(*arguments, cwd=self.folder, env=self._environment, home=self.folder)
        self.code = done.returncode
        printed = f"{done.stdout}{done.stderr}".replace(f"{self.folder}{os.sep}", f"{CUT}/")
        return [HASH.sub(CUT, line.rstrip()) for line in printed.splitlines()]

    def _import(self, database: str, command: str) -> None:
        """`sqlite3 DATABASE ".import --csv FILE TABLE"`: the rows of a CSV file become a new table of texts."""
        told, form, file, table = command.split()
        assert (told, form) == (".import", "--csv")
        with (self.folder / file).open(encoding="utf-8-sig", newline="") as stream:
            header, *rows = csv.reader(stream)
        with contextlib.closing(sqlite3.connect(self.folder / database)) as connection, connection:
            names = ", ".join(f'"{name}"' for name in header)
            connection.execute(f"CREATE TABLE {table} ({names})")
            marks = ", ".join("?" * len(header))
            connection.executemany(
                f"INSERT INTO {table} VALUES ({marks})", (row for row in rows if len(row) == len(header))
            )
        self.code = 0


def is_run(command: str) -> bool:
    """True for the commands of a block that the test runs."""
    return command.startswith(("liangku ", LIST, f"{IMPORT} ", *REAL)) or command == ECHO


def shortened(printed: Sequence[str], like: Sequence[str]) -> list[str]:
    """The output with as many lines before and after the cut as the document shows; whole where it shows no cut."""
    if CUT not in like:
        return list(printed)
    before = like.index(CUT)
    after = len(like) - before - 1
    if len(printed) <= before + after:
        return list(printed)
    return [*printed[:before], CUT, *printed[len(printed) - after :]]


def renewed(fence: Fence, shell: Shell, faults: list[str]) -> list[str]:
    """Run a block's commands; return its lines as they should stand, and note commands that end otherwise than documented."""
    if fence.language == "sh":
        for command in filter(is_run, commands(fence)):
            printed = shell.run(command)
            if shell.code not in (0, 1):
                faults.append(f"`{command}` ends with {shell.code}: {printed[-1:]}")
        return list(fence.lines)
    stood: list[str] = []
    lines = list(fence.lines)
    told = commands(fence)
    while lines:
        line = lines.pop(0)
        stood.append(line)
        if not line.startswith("$ "):
            continue
        while stood[-1].endswith("\\"):
            stood.append(lines.pop(0))
        shown = list(takewhile(lambda text: not text.startswith("$ "), lines))
        lines = lines[len(shown) :]
        command = told.pop(0)
        if not is_run(command):
            stood += shown
            continue
        printed = shell.run(command)
        if shell.code not in (0, 1) and command != ECHO and not (told and told[0] == ECHO):
            faults.append(f"`{command}` ends with {shell.code}: {printed[-1:]}")
        gap = bool(shown) and shown[-1] == "" and bool(lines)
        shown = shown[:-1] if gap else shown
        stood += [*shortened(printed, shown), *([""] if gap else [])]
    return stood


# ------------------------------------------------------------------------------------------------ generated parts


def headers_table() -> str:
    """The table of recognised headers, from checker/model/schema.py."""
    parts = []
    for title, columns in (
        ("Lines (INPUT)", LINE),
        ("Settlements and visits (`--settlements`, `--visits`)", HEADER),
        ("Diagnoses (`--diagnoses`)", DIAGNOSIS),
    ):
        parts += [f"**{title}**", "", "| column | read as | headers, the first non-empty one counts |", "|---|---|---|"]
        parts += [_header_row(column) for column in columns.values()]
        parts.append("")
    return "\n".join(parts).rstrip()


def _header_row(column: Column) -> str:
    told = ", ".join(f"`{header}`" for header in (column.name, *column.headers) if not header.startswith("__"))
    if column.fallback:
        told += "; only where these are empty: " + ", ".join(f"`{header}`" for header in column.fallback)
    return f"| `{column.name}` | {column.kind.value} | {told} |"


def rooms_table() -> str:
    """The rooms of the package from the top floor down, with the first line of their docstrings."""
    rows = ["| room | what it is for |", "|---|---|"]
    for room in FLOORS:
        path = ROOT / "checker" / room / "__init__.py"
        said = path.read_text(encoding="utf-8").removeprefix('"""').split("\n", 1)[0].strip().removesuffix('"""')
        rows.append(f"| [`{room}/`](../checker/{room}) | {said} |")
    return "\n".join(rows)


def words_table(title: str, words: Mapping[str, tuple[str, str]]) -> str:
    """The words of codes, from checker/model/words.py."""
    rows = [f"| `{code}` | {chinese} | {english} |" for code, (chinese, english) in words.items()]
    return "\n".join([f"| {title} | 中文 | in English |", "|---|---|---|", *rows])


GENERATED: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("docs/inputs.md", "headers", headers_table),
    ("docs/architecture.md", "rooms", rooms_table),
    ("docs/findings.md", "reasons", lambda: words_table("`reason_code`", REASONS)),
    ("docs/findings.md", "remarks", lambda: words_table("remark", REMARKS)),
)


def with_part(text: str, name: str, part: str) -> str:
    """The document with a generated part between its two marks."""
    start, end = f"<!-- {name}: generated by `python -m tests.test_docs` -->\n", f"<!-- {name}: end -->\n"
    before, started, rest = text.partition(start)
    _, ended, after = rest.partition(end)
    assert started, f"the mark {start!r} is missing"
    assert ended, f"the mark {end!r} is missing"
    return f"{before}{start}{part}\n{end}{after}"


def language_of(document: str) -> str:
    """The language of a reader's terminal."""
    return "zh" if document.endswith(".zh-CN.md") else "en"


def renewed_document(document: str, folder: Path, faults: list[str]) -> str:
    """The document as it should stand."""
    text = (ROOT / document).read_text(encoding="utf-8")
    lines = text.splitlines()
    blocks = [
        fence
        for fence in fences(text)
        if fence.language in ("sh", "console")
        and any(map(is_run, commands(fence)))
        and not lines[fence.first - 2].startswith(SESSION)
    ]
    if blocks:
        shell = Shell(folder, language_of(document), in_git=document in IN_GIT)
        written = [(fence, renewed(fence, shell, faults)) for fence in blocks]
        for fence, stood in reversed(written):
            lines[fence.first : fence.first + len(fence.lines)] = stood
    text = "\n".join(lines) + "\n"
    for target, name, make in GENERATED:
        if target == document:
            text = with_part(text, name, make())
    return text


# ------------------------------------------------------------------------------------------------ tests


@pytest.mark.usefixtures("proofs", "kept_scans")
@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_run_and_print_what_the_document_shows(document: str, tmp_path: Path) -> None:
    faults: list[str] = []
    stands = (ROOT / document).read_text(encoding="utf-8")
    should = renewed_document(document, tmp_path / "tree", faults)
    assert not faults, "\n".join(faults)
    assert stands == should, f"{document} is stale: run `python -m tests.test_docs` and read the difference"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_blocks_hold_no_placeholders_and_name_targets_that_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for fence in fences((ROOT / document).read_text(encoding="utf-8")):
        if fence.language not in ("sh", "console"):
            continue
        for command in commands(fence):
            words = command.split()
            if words[0] == "make":
                assert words[1] in targets, f"{document}: `{command}`: the Makefile has no such target"
            if words[0] in ("liangku", "make"):
                assert not re.search(r"<\w|\[\w|\.\.\.|…|\bPATH\b", command), (
                    f"{document}: `{command}` holds a placeholder"
                )


@pytest.mark.parametrize("document", [*DOCUMENTS, "knowledge_base/README.md", "data/samples/README.md"])
def test_links_lead_to_files_and_headings(document: str) -> None:
    missing = []
    for target in _links((ROOT / document).read_text(encoding="utf-8")):
        name, _, heading = target.partition("#")
        place = ((ROOT / document).parent / name) if name else ROOT / document
        if not place.exists() or (heading and heading not in _anchors(place.read_text(encoding="utf-8"))):
            missing.append(target)
    assert not missing, f"{document}: {missing}"


def _links(text: str) -> Iterator[str]:
    for block in fences(text):
        text = text.replace("\n".join(block.lines), "")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http:", "https:", "mailto:")):
            yield target


def _anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    kept = (
        "".join(sign for sign in title.lower() if sign in " -_" or unicodedata.category(sign)[0] in "LN")
        for title in titles
    )
    return {title.strip().replace(" ", "-") for title in kept}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_option(command: str) -> None:
    done = liangku(*command.split(), "--help")
    assert done.returncode == 0, done.stderr
    named = set(re.findall(r"--[a-z][a-z-]*", done.stdout))
    assert set(COMMANDS[command]) <= named


def test_findings_page_explains_every_column_remark_and_reason() -> None:
    page = (ROOT / "docs/findings.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z][a-z0-9_]*)`", page))
    assert not {*FINDING_COLUMNS, *REMARKS, *REASONS} - told


def test_findings_page_explains_every_key_of_a_run(tmp_path: Path) -> None:
    page = (ROOT / "docs/findings.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z][a-z0-9_]*)`", page))
    out = tmp_path / "out"
    run = scan(ScanRequest(inputs=[ROOT / "data/samples/pharmacy/sales.csv"], out=out, csv=True)).run
    assert {*run, *run["lines"], *run["codes"], *run["findings"]} <= told
    assert all(f"`{path.name}`" in page for path in out.iterdir())


def test_the_readmes_of_both_languages_show_the_same_journeys() -> None:
    shown = []
    for document in ("README.md", "README.zh-CN.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        told = [command for fence in fences(text) if fence.language in ("sh", "console") for command in commands(fence)]
        shown.append([command.split()[:2] for command in told])
    assert shown[0] == shown[1]


def main() -> None:
    """Write the pasted outputs and generated tables of all documents anew."""
    for document in DOCUMENTS:
        faults: list[str] = []
        with tempfile.TemporaryDirectory() as folder:
            text = renewed_document(document, Path(folder) / "tree", faults)
        print("\n".join([document, *(f"    {fault}" for fault in faults)]))
        (ROOT / document).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
