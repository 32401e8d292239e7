"""Which files an input means: of each folder and pattern every file is read, or passed over for a reason that is told."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote

from checker.ingest.file_kinds import TABLES, UnknownKindError
from checker.ingest.lake import Tables
from checker.ingest.passed import PassedOver
from checker.ingest.refusals import Refusals
from checker.ingest.sources import EmptyFileError, InputFile, input_file
from checker.model.errors import InputError, why
from checker.model.out_folder import RUN_FILE

GLOB_SIGNS = set("*?[")
NOT_DATA = "_."
"""Parts of a path that begin so are scratch, logs and marks by the custom of Hadoop, Spark, Hive, Delta and macOS."""
OF_THE_SYSTEM = (
    "thumbs.db",
    "desktop.ini",
    "icon\r",
    "$recycle.bin",
    "system volume information",
    "@eadir",
    "lost+found",
)
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
FINDINGS_FILE = "findings.parquet"
TOLD = 5
"""How many files a sentence names."""

Partition = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The files that inputs mean, in a stable order, each once, and what was passed over."""

    files: tuple[InputFile, ...]
    passed: tuple[PassedOver, ...]


def find_files(inputs: Iterable[str | Path], refusals: Refusals) -> Found:
    """Expand files, folders and patterns. A path that exists means itself, whatever signs are in its name.

    Refused is an input that means no file at all, and a file or folder given by itself that cannot be read.
    """
    walk = _Walk()
    for given in inputs:
        with refusals.noted():
            walk.add(str(given))
    return Found(tuple(walk.files.values()), tuple(walk.passed))


class _Walk:
    def __init__(self) -> None:
        self.files: dict[Path, InputFile] = {}
        self.passed: list[PassedOver] = []
        self._tables = Tables()

    def add(self, given: str) -> None:
        """Find the files of one input."""
        path = Path(given)
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return self._add_pattern(given)
        except OSError as error:
            raise _cannot_open(given, error) from error
        if path.is_dir():
            return self._add_folder(path)
        if not path.is_file():
            raise InputError(f"{given}：不是普通文件，请先存成文件再给出（not a regular file: save it as one first）")
        return self._add_file(path)

    def _add_file(self, path: Path) -> None:
        """A file named by itself."""
        if path.resolve() in self.files:
            self._pass(path, "repeated")
            return
        try:
            table = self._tables.around(path.parent)
            if table is not None and path.absolute() not in table:
                raise InputError(
                    f"{path}：不属于所在 Delta 表的最新版本，请给出表的文件夹"
                    "（no file of the latest version of its Delta table: give the table's folder）"
                )
            self.files[path.resolve()] = input_file(path, partition=self._columns(path, path.parent))
        except OSError as error:
            raise _cannot_open(str(path), error) from error

    def _add_folder(self, folder: Path) -> None:
        before = len(self.files), len(self.passed)
        self._walk(folder, folder, {_identity(folder)})
        self._need_files(folder, before)

    def _add_pattern(self, given: str) -> None:
        if not GLOB_SIGNS & set(given):
            raise InputError(f"{given}：找不到该文件或文件夹，请检查路径（no such file or folder）")
        matches = sorted(Path(match) for match in glob.glob(given, recursive=True))  # noqa: PTH207
        if not matches:
            raise InputError(f"{given}：没有文件符合这个模式，请检查路径（no file matches this pattern）")
        fixed = Path(*_fixed_parts(Path(given)))
        # Who spells such a part means it.
        means_all = any(part.startswith(tuple(NOT_DATA)) and part not in (".", "..") for part in Path(given).parts)
        above = {folder for match in matches for folder in match.parents}
        before = len(self.files), len(self.passed)
        for match in matches:
            if not means_all and any(is_hidden(part) for part in match.relative_to(fixed).parts):
                self._pass(match, "hidden")
            elif not match.is_dir():
                self._take(match, fixed)
            elif match not in above:
                self._walk(match, fixed, {_identity(match)})
        self._need_files(Path(given), before)

    def _need_files(self, given: Path, before: tuple[int, int]) -> None:
        files, passed = before
        others = self.passed[passed:]
        if len(self.files) > files or any(each.reason == "repeated" for each in others):
            return
        told = "；其中 " + "；".join(each.said() for each in others[:TOLD]) if others else ""
        raise InputError(
            f"{given}：文件夹中没有可读的文件（支持 {'、'.join(TABLES)}）（no readable file in this folder）{told}"
        )

    def _walk(self, folder: Path, root: Path, seen: set[tuple[int, int]]) -> None:
        """Take every file of a folder and below; `seen` are the folders on the way here, for links may lead back."""
        try:
            names = sorted(path.name for path in folder.iterdir())
        except OSError as error:
            if folder == root:
                raise _cannot_open(str(folder), error) from error
            return self._pass(folder, "unreadable")
        own = _own_results(folder) if {RUN_FILE, FINDINGS_FILE} <= set(names) else frozenset()
        if own:
            self._pass(folder, "own_results")
        for name in names:
            if name not in own:
                try:
                    self._visit(folder / name, root, seen)
                except OSError:
                    self._pass(folder / name, "unreadable")
        return None

    def _visit(self, path: Path, root: Path, seen: set[tuple[int, int]]) -> None:
        """Take what lies at a path in a folder."""
        if is_hidden(path.name) and not self._tables.is_part(path):
            self._pass(path, "hidden")
        elif is_of_the_system(path.name):
            self._pass(path, "of_the_system")
        elif path.is_dir():
            identity = _identity(path)
            if identity in seen:
                self._pass(path, "repeated")
            else:
                self._walk(path, root, {*seen, identity})
        else:
            self._take(path, root)

    def _take(self, path: Path, root: Path) -> None:
        """A file found in a folder or by a pattern."""
        if not path.is_file():
            return self._pass(path, "unreadable")
        if not _is_text(path):
            return self._pass(path, "name")
        if path.resolve() in self.files:
            return self._pass(path, "repeated")
        if is_of_the_system(path.name):
            return self._pass(path, "of_the_system")
        table = self._tables.around(path.parent)
        if table is not None and path.absolute() not in table:
            return self._pass(path, "superseded")
        try:
            self.files[path.resolve()] = input_file(path, alone=False, partition=self._columns(path, root))
        except UnknownKindError as error:
            self._pass(path, "unknown_kind", str(error))
        except EmptyFileError:
            self._pass(path, "empty")
        except InputError as error:
            self._pass(path, "damaged", str(error))
        except OSError:
            self._pass(path, "unreadable")
        return None

    def _columns(self, path: Path, root: Path) -> Partition:
        """The columns of a file that its table's log holds, or its folders: those below the input, and those right above it."""
        if (table := self._tables.around(path.parent)) is not None:
            return table[path.absolute()]
        above = [*takewhile(lambda name: "=" in name, reversed(root.absolute().parts))]
        return partition_of((*reversed(above), *path.parent.relative_to(root).parts))

    def _pass(self, path: Path, reason: str, detail: str = "") -> None:
        self.passed.append(PassedOver(_as_text(path), reason, detail))


def is_hidden(part: str) -> bool:
    """Whether a part of a path says that what lies there is no data."""
    return part.startswith(tuple(NOT_DATA)) and part != ".."


def is_of_the_system(name: str) -> bool:
    """Whether a file is the system's or an office program's own."""
    return name.lower() in OF_THE_SYSTEM or name.startswith("~$")


def _fixed_parts(pattern: Path) -> Iterator[str]:
    """The folders of a pattern before its first sign."""
    for part in pattern.parts[:-1]:
        if GLOB_SIGNS & set(part):
            return
        yield part


def partition_of(folders: Iterable[str]) -> Partition:
    """The columns that folders such as `year=2026` hold, as Hive and Spark write them."""
    pairs = [part.partition("=") for part in folders]
    return tuple(
        (key, None if value == NULL_PARTITION else unquote(value)) for key, equals, value in pairs if key and equals
    )


def _own_results(folder: Path) -> frozenset[str]:
    """The files that a run.json of ours names as its own; none where it is not ours."""
    try:
        document = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        ours = isinstance(document["liangku"], str) and isinstance(document["files"], list)
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
    return frozenset(name for name in document["files"] if isinstance(name, str)) if ours else frozenset()


def _is_text(name: Path | str) -> bool:
    """Whether the bytes of a name are UTF-8; others reach Python as surrogates, which no file of ours can hold."""
    return not any("\ud800" <= sign <= "\udfff" for sign in str(name))


def _as_text(path: Path) -> Path:
    """The path as it can be shown: a name that is not UTF-8 as GB18030, in which Chinese systems once wrote names."""
    return Path(*(part if _is_text(part) else os.fsencode(part).decode("gb18030", "replace") for part in path.parts))


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _cannot_open(given: str, error: OSError) -> InputError:
    return InputError(
        f"{given}：无法打开（{why(error)}），请检查路径和权限（cannot be opened: check path and permission）"
    )
