"""The rule files that come with the program, written out as they are, to start from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from checker.model.embedded import embedded_rules_folder
from checker.model.errors import InputError
from checker.model.nearest import nearest
from checker.model.whole_file import write_whole
from checker.rulebook.load import Layer, read_files


def export_rules(ids: Sequence[str], out: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Write the embedded rule files of these ids, all where none is named, into the folder, and return their paths.

    Files have the bytes that came with the program, cases included. Raises InputError, and nothing is written, for an id that no embedded rule has,
    and without `force` where a file of theirs stands already; other files in the folder are left alone.
    """
    files = read_files([Layer(embedded_rules_folder(), embedded=True)])
    known = [Path(file.name).stem for file in files]
    for each in ids:
        if each not in known:
            chinese, english = nearest(each, known)
            raise InputError(f"没有内置规则“{each}”，{chinese}（no embedded rule of this id; {english}）")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}：这是一个文件，请给出文件夹（a file stands there: name a folder）")
    targets = {out / file.name: file.content for file, rule in zip(files, known, strict=True) if not ids or rule in ids}
    standing = [path.name for path in targets if path.exists()]
    if standing and not force:
        raise InputError(
            f"--out {out}：已有 {'、'.join(standing)}，不会覆盖，没有写任何文件；请换一个文件夹，或加 --force"
            "（these files stand there already and nothing was written: name another folder, or use --force）"
        )
    for path, content in targets.items():
        write_whole(path, content.decode("utf-8"))
    return tuple(targets)
