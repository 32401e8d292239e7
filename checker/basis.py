"""What a change is held against: the knowledge text and the rules of a folder, or of a revision of the git repository."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checker.errors import InputError


@dataclass(frozen=True, slots=True)
class Basis:
    """Where text and rules lie; NULL where the folder or revision has none. `name` is what was asked for, with the commit."""

    name: str
    sources: Path | None
    rules: Path | None


def open_basis(base: str, sources: Path, rules: Path, work: Path) -> Basis:
    """Return the text and rules of `base`: a folder that holds them in the same places, or a git revision (branch, tag, commit).

    `sources` and `rules` are the folders of the change, relative to the working folder; a revision is written out within `work`.
    Raises InputError for a base that is neither, or that has neither text nor rules there.
    """
    folder = Path(base)
    if folder.is_dir():
        found = Basis(base, _present(folder / sources), _present(folder / rules))
    else:
        found = _of_revision(base, sources, rules, work)
    if found.sources is None and found.rules is None:
        raise InputError(
            f"--base {base}：其中没有 {sources}，也没有 {rules}，无从比较；请换一个版本或文件夹"
            "（neither the knowledge text nor the rules are there: name another revision or folder）"
        )
    return found


def _present(folder: Path) -> Path | None:
    return folder if folder.is_dir() else None


def _of_revision(revision: str, sources: Path, rules: Path, work: Path) -> Basis:
    commit = _git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
    if commit is None:
        raise InputError(
            f"--base {revision}：既不是文件夹，也不是 git 仓库中的版本；在 CI 中请取全历史（fetch-depth: 0）"
            "（neither a folder nor a revision of the git repository; fetch the whole history in CI）"
        )
    name = commit.decode().strip()
    places = [_in_repository(folder, revision) for folder in (sources, rules)]
    kept = [place for place in places if _git(["cat-file", "-e", f"{name}:{place}"]) is not None]
    if kept:
        archive = _git(["archive", "--format=tar", name, "--", *kept], at_top=True)
        _unpack(archive or b"", work)
    return Basis(f"{revision}（{name[:12]}）", *(_present(work / place) for place in places))


def _unpack(archive: bytes, work: Path) -> None:
    """Write the plain files of an archive that git made; links and whatever leads out of the folder stay behind."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            target = work / member.name
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None and target.resolve().is_relative_to(work.resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())


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


def _git(arguments: Sequence[str], *, at_top: bool = False) -> bytes | None:
    """What git prints; None where it fails or is not there."""
    top = _git(["rev-parse", "--show-toplevel"]) if at_top else None
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, check=False, cwd=top.decode().strip() if top else None
        )
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
