"""The two sides of a comparison as they are named: knowledge bases, or folders of rules, ready to scan with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checker.knowledge.manifest import MANIFEST_FILE
from checker.knowledge.source import TEXT_FILES, holds_text
from checker.model.embedded import EMBEDDED
from checker.model.errors import InputError
from checker.rulebook.params import ParamSetting


@dataclass(frozen=True, slots=True)
class Given:
    """One side: its name as given, and the knowledge bases, the rules and the parameters to scan with."""

    name: str
    kb: tuple[Path, ...]
    rules: tuple[Path, ...] = ()
    only_rules: bool = False
    params: tuple[ParamSetting, ...] = ()


def resolve(
    before: str,
    after: str | None,
    *,
    onto: str | None = None,
    kb: Sequence[Path],
    rules: Sequence[Path],
    only_rules: bool,
    params: Sequence[ParamSetting],
    work: Path,
) -> tuple[str, Given, Given]:
    """Return what is compared (knowledge or rules) and the two sides; text of a knowledge base is built within `work`.

    A side that is a folder of rules is scanned as `--rules` is: on top of the embedded rules, or with `only_rules` alone.
    Raises InputError where a side is nothing of the kind, or the two are of different kinds.
    """
    if after is None and not params:
        raise InputError(
            f"{before}：只给了一边，请再给出要比较的另一边，或用 --param 改一个参数（give the other side, or --param NAME=VALUE）"
        )
    named = (before, before if after is None else after)
    kinds = tuple(_kind(name) for name in named)
    known = {kind for kind in kinds if kind != EMBEDDED}
    if "rules" in known and known != {"rules"}:
        told = "、".join(
            f"{name} 是{'规则' if kind == 'rules' else '知识库'}" for name, kind in zip(named, kinds, strict=True)
        )
        raise InputError(
            f"{told}：两边必须同是知识库或同是规则文件夹（compare two knowledge bases or two folders of rules）"
        )
    if known == {"rules"}:
        if onto is not None:
            raise InputError(
                "--onto：是补充叠在哪个知识库上；比较规则时请去掉，用 --kb 指定知识库（of knowledge only: for rules name it with --kb）"
            )
        if rules:
            raise InputError(
                "--rules：比较规则时两边本身就是规则，请去掉 --rules（the two sides are the rules: leave it out）"
            )

        def side(name: str, kind: str, settings: Sequence[ParamSetting]) -> Given:
            if kind == EMBEDDED:
                return Given(name, tuple(kb), params=tuple(settings))
            return Given(name, tuple(kb), (Path(name),), only_rules, tuple(settings))

        return "rules", side(named[0], kinds[0], ()), side(named[1], kinds[1], params)
    if kb:
        raise InputError(
            "--kb：比较知识库时两边本身就是知识库，请去掉 --kb（the two sides are the knowledge: leave it out）"
        )
    opened: dict[str, tuple[Path, ...]] = {}
    base = base_of(onto, work / "knowledge-base")
    for name, kind in zip(named, kinds, strict=True):
        if name not in opened:
            own = _built(name, kind, work / f"knowledge-{len(opened)}")
            opened[name] = own if onto in (None, name) else (*base, *own)
    return (
        "knowledge",
        Given(named[0], opened[named[0]], tuple(rules), only_rules),
        Given(named[1], opened[named[1]], tuple(rules), only_rules, tuple(params)),
    )


def base_of(onto: str | None, work: Path) -> tuple[Path, ...]:
    """The base of a supplement, built in `work` where it is given as text; nothing without one. Raises InputError for what is no knowledge."""
    if onto is None:
        return ()
    kind = _kind(onto)
    if kind == "rules":
        raise InputError(f"--onto {onto}：这是规则，请给出知识库（rules: name a knowledge base）")
    return _built(onto, kind, work) or (Path(EMBEDDED),)


def _kind(name: str) -> str:
    """What a side is: embedded (knowledge, or rules where the other side is rules), built, text or rules."""
    if name == EMBEDDED:
        return EMBEDDED
    folder = Path(name)
    if not folder.is_dir():
        raise InputError(
            f"{name}：没有这个文件夹；请给出知识库、知识库文本或规则的文件夹，或写 {EMBEDDED}（no such folder: name a knowledge base, "
            f"its text, rules, or {EMBEDDED}）"
        )
    if (folder / MANIFEST_FILE).is_file():
        return "built"
    if holds_text(folder):
        return "text"
    if any(path.suffix == ".toml" and not path.name.startswith(".") for path in folder.iterdir()):
        return "rules"
    raise InputError(
        f"{name}：里面既没有知识库（{MANIFEST_FILE}）、知识库文本（{TEXT_FILES[0]}），也没有规则（*.toml）"
        "（neither a knowledge base, nor its text, nor rules）"
    )


def _built(name: str, kind: str, out: Path) -> tuple[Path, ...]:
    if kind == EMBEDDED:
        return ()
    if kind == "text":
        from checker.knowledge.build import build

        build(Path(name), out)
        return (out,)
    return (Path(name),)
