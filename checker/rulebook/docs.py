"""The generated pages of the rules in a folder: composed, written whole, and told when they are stale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checker.model.errors import Fault, InputError, both, why
from checker.model.whole_file import write_whole
from checker.rulebook.page import INDEX, index_page, page_name, rule_page
from checker.rulebook.rule import Rulebook

MARK = "<!-- 由 liangku rules docs 生成，请改规则文件（made by `liangku rules docs`: edit the rule file） -->"
"""The first line of every page; a file without it is not ours, and is neither replaced nor removed."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the name of its file and its text."""

    name: str
    text: str


def compose(rulebook: Rulebook) -> tuple[Page, ...]:
    """Return the pages of the rules: the index, then two for each rule, Chinese before English."""
    pages = [Page(INDEX, index_page(rulebook.rules))]
    for rule in rulebook.rules:
        pages += [Page(page_name(rule.id, language), rule_page(rule, language)) for language in ("zh", "en")]
    return tuple(Page(page.name, f"{MARK}\n\n{page.text}") for page in pages)


def stale(pages: Sequence[Page], folder: Path) -> tuple[Fault, ...]:
    """Return a fault for each page that is missing from the folder, differs there, or is of a rule that is gone."""

    def fault(path: Path, chinese: str, english: str) -> Fault:
        told = both(f"{chinese}，请运行 liangku rules docs", f"{english}: run `liangku rules docs`")
        return Fault(str(path), "", told)

    faults = []
    for page in pages:
        found = _read(folder / page.name)
        if found is None:
            faults.append(fault(folder / page.name, "缺少这一页", "missing"))
        elif found != page.text:
            faults.append(fault(folder / page.name, "与规则不一致", "stale"))
    gone = [fault(path, "没有这条规则了", "of a rule that is gone") for path in _gone(pages, folder)]
    return (*faults, *gone)


def write(pages: Sequence[Page], folder: Path) -> tuple[Path, ...]:
    """Write the pages that differ into the folder, remove those of rules that are gone, and return all these paths.

    Raises InputError, before anything is written, where a file of a page's name was not made by this module.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}：这是一个文件，请给出文件夹（a file stands there: name a folder）")
    found = {page.name: _read(folder / page.name) for page in pages}
    foreign = [name for name, text in found.items() if text is not None and not text.startswith(MARK)]
    if foreign:
        raise InputError(
            f"{folder}：其中的 {'、'.join(foreign)} 不是生成的说明页，不会覆盖；请用 --out 指定另一个文件夹"
            "（not made by this command, never replaced: name another folder with --out）"
        )
    changed = [page for page in pages if found[page.name] != page.text]
    gone = _gone(pages, folder)
    for page in changed:
        write_whole(folder / page.name, page.text)
    for path in gone:
        try:
            path.unlink()
        except OSError as error:
            raise InputError(f"{path}：无法删去（{why(error)}），请检查权限（cannot be removed: allow it）") from error
    return (*(folder / page.name for page in changed), *gone)


def _gone(pages: Sequence[Page], folder: Path) -> list[Path]:
    """The pages in the folder that no rule has."""
    kept = {page.name for page in pages}
    return [
        path for path in sorted(folder.glob("*.md")) if path.name not in kept and (_read(path) or "").startswith(MARK)
    ]


def _read(path: Path) -> str | None:
    """The text of a file with \\n line ends; None where it is absent, '' where it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""
    except OSError as error:
        raise InputError(both(f"{path}：无法读取（{why(error)}），请检查权限", "cannot be read: allow it")) from error
