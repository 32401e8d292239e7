"""Which knowledge and which rules a command uses: those named, or those that came with the program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.knowledge.edition import Edition, open_edition
from checker.model.embedded import EMBEDDED, embedded_edition_folder, embedded_rules_folder
from checker.model.errors import InputError, KnowledgeError
from checker.rulebook.load import Layer
from checker.rulebook.plan import PLAN_FILE, Plan, load_plan

if TYPE_CHECKING:
    from checker.knowledge.sheets.crosswalk import Crosswalk
    from checker.rulebook.params import ParamSetting


def open_editions(
    folders: Sequence[Path], crosswalk: Crosswalk | None = None, *, hashed: bool = True
) -> tuple[Edition, ...]:
    """Open the knowledge bases named by `--kb` (folders, or the word embedded), base first, and upon them a crosswalk read from files.

    Without any it is the embedded one. Rows that are only looked up need not be `hashed`.

    Raises KnowledgeError where none brings a point.
    """
    editions = _open(folders, hashed=hashed)
    if crosswalk is None or not crosswalk.frame.height:
        return editions
    from checker.knowledge.crosswalk_edition import edition_of

    return (*editions, edition_of(crosswalk.frame, editions[-1].manifest.published))


def read_crosswalks(paths: Sequence[Path]) -> Crosswalk | None:
    """What the files of `--crosswalk` say together; None where there are none. Raises KnowledgeError with every fault of them."""
    if not paths:
        return None
    # Whoever gives none does not wait for what reads workbooks.
    from checker.knowledge.sheets.crosswalk import read_crosswalk

    return read_crosswalk(paths)


def _open(folders: Sequence[Path], *, hashed: bool) -> tuple[Edition, ...]:
    if folders:
        editions = tuple(_edition(folder, hashed=hashed) for folder in folders)
        if not any(edition.points for edition in editions):
            raise KnowledgeError(
                f"{folders[0]}：只有豁免或编码对照表，没有知识点，什么都无法判断；请在它之前用 --kb 给出有知识点的知识库"
                "（exemptions or a crosswalk alone judge nothing: name a knowledge base with points before it）"
            )
        return editions
    return (open_edition(embedded_edition_folder(), embedded=True),)


def _edition(folder: Path, *, hashed: bool) -> Edition:
    """The edition of a folder, or that which came with the program where its word stands in the place of one."""
    if folder == Path(EMBEDDED):
        return open_edition(embedded_edition_folder(), embedded=True)
    return open_edition(folder, hashed=hashed)


def knowledge_files(editions: Sequence[Edition]) -> list[Path]:
    """The Parquet files that a connection must be allowed to read for these editions."""
    return [path for edition in editions for path in edition.held.paths]


def open_plan(rules: Sequence[Path] = (), *, only_rules: bool = False, params: Sequence[ParamSetting] = ()) -> Plan:
    """Load the embedded rules and upon them those of `--rules`, in order; with `only_rules` the latter alone.

    `params` set parameters of the rules otherwise. Raises RuleError, and InputError where no rules are left or for a parameter that no
    rule declares or allows.
    """
    if only_rules and not rules:
        raise InputError(
            "--only-rules 不用内置规则，请同时用 --rules 指定规则文件夹（without the embedded rules: name a folder of rules with --rules）"
        )
    layers = [] if only_rules else [Layer(embedded_rules_folder(), embedded=True)]
    layers += [Layer(folder) for folder in rules]
    return load_plan(layers, cache=embedded_edition_folder() / PLAN_FILE, params=params)
