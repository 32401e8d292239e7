"""What a change is held against: the knowledge text and the rules of a folder, or of a revision of the git repository."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checker.knowledge.edition_text import EDITION_FILE
from checker.knowledge.point_text import PATTERN_FILE, POINT_FILE
from checker.model.errors import InputError

_PLAIN_FILE = "100"
"""How git's modes of plain files begin."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Where text and rules lie; NULL where the folder or revision has none. `name` is what was asked for, with the commit."""

    name: str
    sources: Path | None
    rules: Path | None


def open_basis(base: str, sources: Path, rules: Path, work: Path) -> Basis:
    """Return the text and rules of `base`: a folder that holds them in the same places, or a git revision (branch, tag, commit).

    `sources` and `rules` are the folders of the change, within the working folder or, for a revision, the repository;
    a revision is written out within `work`, as it was where the history of the working folder left it (the merge base).
    A revision may have neither yet: then everything is new. Raises InputError for a base that is neither, for a folder without text and rules, for
    a revision that has text in another place only, and for folders that lie elsewhere.
    """
    folder = Path(base)
    if folder.is_dir():
        found = Basis(base, *(_present(folder / _in_working_folder(own, base)) for own in (sources, rules)))
        if any(
            same and same.resolve() == own.resolve() for same, own in ((found.sources, sources), (found.rules, rules))
        ):
            raise InputError(
                f"--base {base or '“”'}：对照就是要检查的文件夹本身，比较不出变化；请给出 git 版本或另一个文件夹"
                "（the base is the change itself: name a revision or another folder）"
            )
    else:
        found = _of_revision(base, sources, rules, work)
    if found.sources is None and found.rules is None and folder.is_dir():
        raise InputError(
            f"--base {base}：其中没有 {sources}，也没有 {rules}，无从比较；请换一个版本或文件夹"
            "（neither the knowledge text nor the rules are there: name another revision or folder）"
        )
    return found


def _in_working_folder(own: Path, base: str) -> Path:
    """A folder of the change as the base has it: joined to the base, a full path would name the change itself."""
    here = Path.cwd()
    for place in (here / own, own.resolve()):
        if place.is_relative_to(here) and ".." not in place.parts:
            return place.relative_to(here)
    raise InputError(
        f"{own}：不在当前文件夹之内，不能与文件夹 {base} 中的对应；请在两边布局相同的根目录运行"
        "（not within the working folder: run where it is laid out as the base is）"
    )


def _present(folder: Path) -> Path | None:
    return folder if folder.is_dir() else None


def _of_revision(revision: str, sources: Path, rules: Path, work: Path) -> Basis:
    commit = _git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
    if commit is None:
        raise InputError(
            f"--base {revision}：既不是文件夹，也不是 git 仓库中的版本；在 CI 中请取全历史（fetch-depth: 0）"
            "（neither a folder nor a revision of the git repository; fetch the whole history in CI）"
        )
    tip = commit.decode().strip()
    # What others have merged since the branch began is no part of the change. Histories that never met are compared as they are.
    name = (_git(["merge-base", tip, "HEAD"]) or commit).decode().split()[0]
    places = [_in_repository(folder, revision) for folder in (sources, rules)]
    kept = [place for place in places if _git(["cat-file", "-e", f"{name}:{place}"]) is not None]
    _write_out(name, kept, work)
    if sources.is_dir() and places[0] not in kept and (elsewhere := _text_places(name)):
        raise InputError(
            f"--base {revision}：其中的知识库文本在 {'、'.join(elsewhere)}，不在 {sources}，无从比较；请用 --sources 指定同一个文件夹，移动文件夹请单独提交"
            "（the base has knowledge text in another folder: name the same one with --sources; move a folder in a change of its own）"
        )
    return Basis(f"{revision}（{name[:12]}）", *(_present(work / place) for place in places))


def _text_places(commit: str) -> list[str]:
    """The folders of a commit that hold the text of a knowledge base."""
    listed = _git(["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit]) or b""
    files = {Path(os.fsdecode(path)) for path in listed.split(b"\0") if path}
    return sorted(
        each.parent.as_posix()
        for each in files
        if each.name == POINT_FILE and {each.with_name(EDITION_FILE), each.with_name(PATTERN_FILE)} & files
    )


def _write_out(commit: str, places: Sequence[str], work: Path) -> None:
    """Write the plain files of a commit; links, submodules and whatever leads out of the folder stay behind.

    Read one by one, for `git archive` leaves out what .gitattributes marks export-ignore.
    """
    listed = _git(["ls-tree", "-r", "-z", "--full-tree", commit, "--", *places]) if places else b""
    for entry in (listed or b"").split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, _, blob = about.decode().split()
        target = work / os.fsdecode(path)
        if not mode.startswith(_PLAIN_FILE) or not target.resolve().is_relative_to(work.resolve()):
            continue
        content = _git(["cat-file", "blob", blob])
        if content is None:
            raise InputError(
                f"{os.fsdecode(path)}：git 仓库中没有 {commit[:12]} 的这个文件，请取全历史（not in this clone: fetch the whole history）"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _in_repository(folder: Path, revision: str) -> str:
    """The folder as git names it: relative to the top of the repository."""
    top = _git(["rev-parse", "--show-toplevel"])
    place = folder.resolve()
    root = Path((top or b"").decode().strip()).resolve()
    if top is None or not place.is_relative_to(root):
        raise InputError(
            f"{folder}：不在当前的 git 仓库之内，不能与版本 {revision} 比较；请把 --base 写成文件夹"
            "（not within this git repository: name a folder as the base）"
        )
    return place.relative_to(root).as_posix()


def _git(arguments: Sequence[str]) -> bytes | None:
    """What git prints; None where it fails or is not there."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
