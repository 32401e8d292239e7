"""The first page of a report and its method: what was read, what was found, what was not judged, and by which versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from checker.audit.run_folder import RunFolder
from checker.audit.tables import amounts
from checker.model.words import CLASSES, CLUSTER_KINDS, REJECTS, SKIPS

if TYPE_CHECKING:
    import duckdb

Entry = tuple[str, object]
"""What is told, and its value; a value of None makes a heading."""


def overview(
    run: RunFolder, connection: duckdb.DuckDBPyConnection, *, english: bool, where: str = "TRUE"
) -> Iterator[Entry]:
    """The entries of the first page. With `where`, SQL of one institution, the counts of the run as a whole are left out."""
    document = run.document
    lines = document["lines"]

    def say(chinese: str, in_english: str) -> str:
        return in_english if english else chinese

    violating, explained, left, stake, stake_left = amounts(connection, where)
    yield say("结果", "Result"), None
    yield say("违规疑点（行）", "Lines that violate"), violating
    yield say("　其中另有原因（聚集、家长的卡、人员信息不一致）", "  of these with another cause"), explained
    yield say("　其中待核实", "  left to be looked at"), left
    yield say("违规疑点涉及金额（元，每行只计一次）", "Yuan at stake (each line once)"), stake
    yield say("　其中待核实", "  left to be looked at"), stake_left
    if where != "TRUE":
        return
    yield say("无法判断（行）", "Undetermined lines"), document["findings"]["undetermined"]["lines"]
    yield say("豁免（行）", "Exempt lines"), document["findings"]["exempt"]["lines"]
    for kind, count in (document.get("clusters") or {}).items():
        yield say("聚集：", "Clusters: ") + CLUSTER_KINDS.get(kind, (kind, kind))[english], count
    if nameless := document.get("not_clustered"):
        yield (
            say("没有人员编号，无法归并聚集（行）", "Lines that name no person, so that no cluster is made of them"),
            nameless,
        )
    for kind, count in (document.get("explained") or {}).items():
        yield say("归类：", "Class: ") + CLASSES.get(kind, (kind, kind))[english], count
    yield say("读入 = 判断 + 跳过 + 无法读取", "Read = judged + skipped + rejected"), None
    yield say("读入明细（行）", "Lines read"), lines["read"]
    yield say("　判断", "  judged"), lines["judged"]
    for title, words, counts in (
        (say("　跳过", "  skipped"), SKIPS, lines["skipped"]),
        (say("　无法读取", "  rejected"), REJECTS, lines["rejected"]),
    ):
        yield title, counts["total"]
        yield from (
            (f"　　{words[kind][english]}", count) for kind, count in counts.items() if kind != "total" and count
        )
    yield say("没有判断的", "Not judged"), None
    yield from _not_judged(document, english=english)


def _not_judged(document: Mapping[str, Any], *, english: bool) -> Iterator[Entry]:
    """What no rule looked at, and why."""
    names = document["rules"]["names"]
    untold = document["not_judged"]
    for each in untold:
        name = names.get(each["rule"], {}).get("en" if english else "zh", each["rule"])
        yield f"{name}：{each['how']}" if not english else f"{name}: {each['how']}", each["lines"]
    for gap in document["incomplete"]:
        yield (
            f"{gap['path']}",
            gap["said"]["en" if english else "zh"] if isinstance(gap["said"], dict) else str(gap["said"]),
        )
    if not untold and not document["incomplete"]:
        yield ("every line was judged by all rules that concern it" if english else "每行都按有关规则判断了"), ""


def method(run: RunFolder, *, english: bool, identities: bool, least_cell: int) -> Iterator[Entry]:
    """The entries of the method sheet: versions, hashes, parameters, and what of persons is shown."""
    document = run.document

    def say(chinese: str, in_english: str) -> str:
        return in_english if english else chinese

    yield say("版本", "Versions"), None
    yield "liangku", document["liangku"]
    yield say("扫描结束于", "Scan ended"), document["finished"]
    yield say("知识库版本", "Knowledge"), document["knowledge"]["version"]
    yield say("知识库哈希", "Knowledge hash"), document["knowledge"]["hash"]
    yield say("规则哈希", "Rules hash"), document["rules"]["hash"]
    yield say("省级配置", "Profile"), document["profile"]["name"]
    yield say("引擎", "Engine"), f"{document['engine']['name']} {document['engine']['version']}"
    yield say("输入", "Inputs"), None
    for each in document["inputs"]:
        yield f"{each['role']}: {each['path']}", each.get("sha256") or each.get("modified") or ""
    yield say("参数", "Options"), None
    for name, value in document["options"].items():
        if value not in (None, [], False):
            yield name, value if isinstance(value, str | int | float) else str(value)
    yield say("个人信息", "Persons"), None
    shown = say(
        "显示人员编号（--show-identities），请勿外传", "patient ids are shown (--show-identities): keep it in the house"
    )
    masked = say(
        "人员以代码、性别、年龄表示；代码是人员编号的带密钥哈希", "a hash with a key, sex and age stand for persons"
    )
    yield say("本报告", "This report"), shown if identities else masked
    if least_cell:
        yield say("人数少于此数的分组不显示计数", "Counts of groups of fewer persons are not shown"), least_cell
    yield say("归类的含义", "What classes mean"), None
    yield from ((said[english], name) for name, said in CLASSES.items())
