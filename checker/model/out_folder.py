"""The folder of a run's results: empty or its own, written beside and renamed, removed whole when the run fails."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from checker.model.errors import InputError, why
from checker.model.folder_lock import FolderLock
from checker.model.journal import JOURNAL_FILE
from checker.model.path_key import path_key

RUN_FILE = "run.json"


class WrittenMeanwhileError(InputError):
    """Another command has written to the folder: what was found is good, and has no place."""


class OutFolder:
    """Use as a context manager: write into `result`, scratch into `work`, then `commit`.

    Scratch lies beside the folder, or in `scratch`. With `resume` that of a run which was killed and left a journal is taken over; where `keep`
    is set, a run that fails leaves its own if it has a journal. Raises InputError where the folder holds anything and `force` is not given, or
    with `force` anything that its own run.json does not name.
    """

    def __init__(self, target: Path, *, force: bool, scratch: Path | None = None, resume: bool = False) -> None:
        self.target = target
        self.keep = False
        self._force = force
        self._resume = resume
        self._old = _check(target, force=force)
        place = target.absolute()
        # Of two spellings of one folder only one may hold the lock.
        beside, own = f".{place.name or 'out'}.partial-", str(os.getpid())
        self._partial = place.parent / f"{beside}{own}"
        self._left = re.compile(re.escape(beside) + "[0-9]+")
        self._scratch, self._left_scratch = self._partial, self._left
        if scratch:
            # Folders of one name may have their scratch in one place.
            beside += f"{path_key(place)}-"
            self._scratch = scratch.absolute() / f"{beside}{own}"
            self._left_scratch = re.compile(re.escape(beside) + "[0-9]+")
            if place == scratch.absolute() or place in scratch.absolute().parents:
                raise InputError(
                    f"--temp-dir {scratch}：不能放在 --out 里面，请放到别处（lies in the folder of the results: choose another）"
                )
        self._lock = FolderLock(place.parent / f".{place.name or 'out'}.lock")
        self.result = self._partial / "result"
        self.work = self._scratch / "work"

    @property
    def places(self) -> tuple[Path, ...]:
        """The folders in which scratch and results lie."""
        return (self._scratch.parent, self._partial.parent)

    def __enter__(self) -> OutFolder:
        option = f"--out {self.target}"
        try:
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            if not self._lock.take():
                raise InputError(
                    f"--out {self.target}：另一个命令正在写这个文件夹，请等它结束或换一个文件夹（another command is writing there: wait or choose another）"
                )
            if self._scratch != self._partial:
                self._clear(self._partial.parent, self._left)
                option = f"--temp-dir {self._scratch.parent}"
                self._scratch.parent.mkdir(parents=True, exist_ok=True)
            self._clear(self._scratch.parent, self._left_scratch, resume=self._resume)
            (self.work / "spill").mkdir(parents=True)
            option = f"--out {self.target}"
            self.result.mkdir(parents=True)
        except OSError as error:
            if not (self.work / JOURNAL_FILE).is_file():
                self._remove()
            self._lock.release()
            raise InputError(f"{option}：无法写入（{why(error)}），请换一个文件夹（cannot write here）") from error
        return self

    def commit(self, run: Mapping[str, Any]) -> None:
        """Put the results in place: the old run's files go, ours come by rename, run.json last."""
        names = files_below(self.result)
        # What is sealed is what a reader gets back.
        document = json.loads(json.dumps({**run, "files": [*names, RUN_FILE]}, ensure_ascii=False, default=str))
        (self.result / RUN_FILE).write_text(
            json.dumps({**document, "seal": seal(document)}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        if not self._is_as_it_was():
            raise WrittenMeanwhileError(
                f"--out {self.target}：在此期间另有命令写过这个文件夹，没有覆盖；请换一个文件夹再运行（written to meanwhile: choose another）"
            )
        if not self.target.exists():
            self.result.replace(self.target)
            return
        # Whoever is killed from here on leaves files that this document names, so that --force may remove them.
        begun = self._partial / RUN_FILE
        begun.write_text(json.dumps({"files": sorted({*names, *self._old, RUN_FILE})}), encoding="utf-8")
        begun.replace(self.target / RUN_FILE)
        for name in self._old:
            if name != RUN_FILE:
                (self.target / name).unlink(missing_ok=True)
        _remove_empty(self.target)
        for name in (*names, RUN_FILE):
            (self.target / name).parent.mkdir(parents=True, exist_ok=True)
            (self.result / name).replace(self.target / name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.keep and error is not None and (self.work / JOURNAL_FILE).is_file():
            for folder in (self.result, self.work / "spill"):
                shutil.rmtree(folder, ignore_errors=True)
            if self._scratch != self._partial:
                shutil.rmtree(self._partial, ignore_errors=True)
        else:
            self._remove()
        self._lock.release()

    def _is_as_it_was(self) -> bool:
        try:
            return _check(self.target, force=self._force) == self._old
        except InputError:
            return False

    def _remove(self) -> None:
        for folder in {self._partial, self._scratch}:
            shutil.rmtree(folder, ignore_errors=True)

    def _clear(self, folder: Path, pattern: re.Pattern[str], *, resume: bool = False) -> None:
        """Remove what runs that were killed left in a folder: whoever holds the lock is alone. With `resume` the scratch of one that has a journal
        becomes our own, but for what it had not finished.
        """
        lefts = sorted(left for left in folder.iterdir() if pattern.fullmatch(left.name))
        taken = False
        for left in lefts:
            if resume and not taken and (left / "work" / JOURNAL_FILE).is_file():
                taken = True
                for unfinished in (left / "result", left / "work" / "spill"):
                    shutil.rmtree(unfinished, ignore_errors=True)
                if left != self._scratch:
                    shutil.rmtree(self._scratch, ignore_errors=True)
                    left.rename(self._scratch)
            elif not (taken and left == self._scratch):
                shutil.rmtree(left, ignore_errors=True)


def seal(document: Mapping[str, Any]) -> str:
    """The hash of all that a run.json says but the seal itself: one that was edited since does not bear it. Order and blanks do not count.

    It tells what was changed by hand or by mistake; who rewrites the seal as well is known by none of it.
    """
    sealed = {name: value for name, value in document.items() if name != "seal"}
    text = json.dumps(sealed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def is_running(process: str) -> bool:
    """Whether the process that left a partial folder may still write to it."""
    if not process.isdigit():
        return True
    if int(process) == os.getpid():
        return False
    if os.name != "posix":
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _check(target: Path, *, force: bool) -> tuple[str, ...]:
    """Return the names of the old run's files that may go."""
    if not target.exists():
        return ()
    if not target.is_dir():
        raise InputError(f"--out {target}：这是一个文件，请给出文件夹（--out must be a folder）")
    if not any(target.iterdir()):
        return ()
    if not force:
        raise InputError(
            f"--out {target}：文件夹不是空的，请换一个文件夹，或用 --force 覆盖上一次的结果（not empty: use --force）"
        )
    named = _named_files(target)
    foreign = sorted(set(files_below(target)) - set(named))
    if foreign:
        raise InputError(
            f"--out {target}：里面有不属于上一次结果的文件（{'、'.join(foreign[:5])}），不会删除；请换一个文件夹"
            "（--force deletes only files named by its run.json）"
        )
    return named


def _named_files(target: Path) -> tuple[str, ...]:
    try:
        document = json.loads((target / RUN_FILE).read_text(encoding="utf-8"))
        names = document["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    if not isinstance(names, list):
        return ()
    # A name could reach outside the folder; such a run.json is not ours.
    below = set(files_below(target))
    return tuple(name for name in names if isinstance(name, str) and name in below)


def files_below(folder: Path) -> list[str]:
    """The files of a folder and of the folders in it, by their paths within it; links to folders are files."""
    found: list[str] = []
    for place, folders, files in os.walk(folder):
        here = Path(place)
        linked = [name for name in folders if (here / name).is_symlink()]
        found += [(here / name).relative_to(folder).as_posix() for name in (*files, *linked)]
    return sorted(found)


def is_below(name: str) -> bool:
    """Whether a name is of a file in a folder or in the folders in it.

    >>> is_below("run.json"), is_below("a/b.parquet"), is_below("../b"), is_below("/b"), is_below("a//b"), is_below("C:/b")
    (True, True, False, False, False, False)
    """
    return bool(name) and all(
        part not in ("", ".", "..") and ":" not in part and "\\" not in part for part in name.split("/")
    )


def _remove_empty(folder: Path) -> None:
    """Remove the folders below one that hold nothing."""
    if not folder.is_dir():
        return
    for place, _, _ in os.walk(folder, topdown=False):
        if Path(place) != folder:
            with contextlib.suppress(OSError):
                Path(place).rmdir()
