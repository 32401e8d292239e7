"""`liangku kb promote`: the evidence for points and rules on trial, and the end of their trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import json_option, language_option
from checker.cli.output import print_json, say
from checker.model.embedded import embedded_edition_folder, embedded_rules_folder
from checker.model.errors import ExitCode, InputError

if TYPE_CHECKING:
    from checker.change.promotion import Cluster, Evidence, TrialRun


@click.command("promote")
@click.argument("ids", nargs=-1, required=True, metavar="POINT_OR_RULE...")
@click.option(
    "--run", "folder", required=True, type=click.Path(path_type=Path), help="scan 的结果文件夹（results of a scan）"
)
@click.option(
    "--sources",
    type=click.Path(path_type=Path),
    help="知识库的文本（point.csv 所在的文件夹），默认用源码仓库的（text of the knowledge base）",
)
@click.option(
    "--rules",
    "rules_folder",
    type=click.Path(path_type=Path),
    help="规则文件夹，默认用源码仓库的（folder of rule files）",
)
@click.option("--write", is_flag=True, help="把知识点改为 active、规则改为 stable（set them active or stable）")
@click.option("--force", is_flag=True, help="没有依据也写（write even without evidence）")
@json_option
@language_option
def command(
    ids: tuple[str, ...], folder: Path, sources: Path | None, rules_folder: Path | None, write: bool, force: bool,
    as_json: bool, lang: str,
) -> int:  # fmt: skip
    """影子知识点和影子规则：一次扫描给出的依据；--write 转为正式。

    \b
    例 Examples:
      liangku kb promote drug-sex-05-0001 --run out
      liangku kb promote drug-sex-05-0001 --run out --sources 我的知识 --write
    """
    from checker.change.promotion import read_trial_run

    run = read_trial_run(folder)
    ids = tuple(dict.fromkeys(ids))
    found = [run.evidence(ident) for ident in ids]
    if write:
        written = _write(run, ids, sources, rules_folder, force=force)
    else:
        written = []
    if as_json:
        told = [
            {"id": ident, "evidence": evidence.to_dict() if evidence else None}
            for ident, evidence in zip(ids, found, strict=True)
        ]
        document = {
            "run": {"folder": str(folder), "finished": run.finished, "knowledge": run.knowledge_version},
            "trials": told,
            "written": [str(path) for path in written],
        }
        print_json(document)
    else:
        words = _Words(lang)
        for line in words.report(run, ids, found):
            say(line)
        for line in words.after(written):
            say(line)
    return ExitCode.CLEAR


def _write(run: TrialRun, ids: Sequence[str], sources: Path | None, rules: Path | None, *, force: bool) -> list[Path]:
    """End the trial of the points and rules; nothing is written unless all of them can be."""
    from checker.change.promote_in_text import activated_points, rule_ids, settled_rule
    from checker.knowledge.point_text import POINT_FILE
    from checker.model.whole_file import write_whole

    lacking = [ident for ident in ids if run.evidence(ident) is None]
    if lacking and not force:
        raise InputError(
            f"--write：{'、'.join(lacking)} 在 {run.folder} 中没有依据（没有一行明细由它判断），没有写入；"
            "请换一次扫描结果，或加 --force（no evidence in this run, nothing was written: scan data that have their codes, or --force）"
        )
    own_rules = embedded_rules_folder()
    in_rules = rules or own_rules
    of_rules = [ident for ident in ids if ident not in run.points and ident in rule_ids(in_rules)]
    of_points = [ident for ident in ids if ident not in of_rules]
    own_sources = embedded_edition_folder().parent / "sources"
    if of_points and sources is None and not own_sources.is_dir():
        raise InputError("--sources：请用它指定含 point.csv 的文件夹（name the folder of the text with --sources）")
    if of_rules and rules is None and own_rules.parent != own_sources.parent.parent:
        raise InputError("--rules：请用它指定规则文件夹（name the folder of the rules with --rules）")
    texts: dict[Path, str] = {}
    if of_points:
        folder = sources or own_sources
        texts[folder / POINT_FILE] = activated_points(folder, of_points)
    for ident in of_rules:
        path, text = settled_rule(in_rules, ident)
        texts[path] = text
    for path, text in texts.items():
        write_whole(path, text)
    return list(texts)


class _Words:
    """Puts evidence into sentences of one language."""

    def __init__(self, language: str) -> None:
        self._english = language == "en"

    def report(self, run: TrialRun, ids: Sequence[str], found: Sequence[Evidence | None]) -> Iterator[str]:
        """What the run says of each point or rule."""
        yield self._say(
            f"依据：{run.folder}（{run.finished}，知识库 {run.knowledge_version}）",
            f"Evidence: {run.folder} ({run.finished}, knowledge {run.knowledge_version})",
        )
        for ident, evidence in zip(ids, found, strict=True):
            yield ""
            if evidence is None:
                yield self._say(
                    f"{ident}：没有依据，这次扫描没有一行明细由它判断",
                    f"{ident}: no evidence, this scan judged no line by it",
                )
            else:
                yield from self._evidence(evidence)

    def _evidence(self, found: Evidence) -> Iterator[str]:
        say = self._say
        whole_rule = say("整条规则中试行的部分", "all of the rule that is on trial")
        yield f"{found.id}  {found.item_name or whole_rule}  {found.rule_id if found.kind == 'point' else ''}".rstrip()
        yield say(
            f"  命中 {found.hits:,} 行，占判断的 {found.judged:,} 行的 {found.share_of_lines:.2%}："
            f"违规疑点 {found.violations:,}，无法判断 {found.undetermined:,}；{found.patients:,} 人，¥{found.amount:,.2f}",
            f"  {found.hits:,} hits, {found.share_of_lines:.2%} of {found.judged:,} judged lines: "
            f"{found.violations:,} violations, {found.undetermined:,} undetermined; {found.patients:,} patients, ¥{found.amount:,.2f}",
        )
        yield say(
            f"  {found.institutions:,} 家机构有命中，占收取过的 {found.charged:,} 家的 {found.share_of_institutions:.2%}",
            f"  {found.institutions:,} institutions with hits, {found.share_of_institutions:.2%} of the {found.charged:,} that charged it",
        )
        for title, clusters in (
            (say("命中最多的机构", "most hits by institution"), found.top_institutions),
            (say("命中最多的月份", "most hits by month"), found.top_months),
        ):
            if clusters:
                yield f"  {title}{say('：', ': ')}{say('、', ', ').join(map(self._cluster, clusters))}"

    def _cluster(self, cluster: Cluster) -> str:
        key = cluster.key or self._say("（空）", "(none)")
        return f"{key} {cluster.hits:,} ({cluster.part:.1%})"

    def after(self, written: Sequence[Path]) -> Iterator[str]:
        """What was written, and what is to be done next."""
        for path in written:
            yield self._say(f"已写入：{path}", f"Written: {path}")
        if any(path.suffix == ".csv" for path in written):
            yield self._say(
                "请重新构建知识库（liangku kb build），转正才会生效",
                "Build the knowledge base again (liangku kb build) to put it to use",
            )
        if any(path.suffix == ".toml" for path in written):
            yield self._say(
                "请提高规则的 version，再运行 liangku rules check",
                "Raise the version of the rule, then run liangku rules check",
            )

    def _say(self, chinese: str, english: str) -> str:
        return english if self._english else chinese
