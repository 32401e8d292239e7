"""The first page of a report and its method: what was read, what was found, what was not judged, and by which versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from checker.audit.run_folder import RunFolder
from checker.audit.totals import Counted, totals
from checker.model.words import CLASS_MEANINGS, CLASSES, CLUSTER_KINDS, CLUSTER_MEANINGS, REJECTS, SKIPS

if TYPE_CHECKING:
    import duckdb

Entry = tuple[str, object]
"""What is told, and its value; a value of None makes a heading."""


def overview(
    run: RunFolder,
    connection: duckdb.DuckDBPyConnection,
    *,
    english: bool,
    where: str = "TRUE",
    least_cell: int = 0,
) -> Iterator[Entry]:
    """The entries of the first page. With `where`, SQL of one institution, the counts of the run as a whole are left out; with `least_cell` those of
    fewer persons."""
    document = run.document
    lines = document["lines"]

    def say(chinese: str, in_english: str) -> str:
        return in_english if english else chinese

    found = totals(connection, where)
    few = say(f"不足 {least_cell} 人，不显示", f"fewer than {least_cell} persons, not shown")

    def told(value: object, *of: Counted) -> object:
        return value if all(each.is_told(least_cell) for each in of) else few

    violations, explained, left = found.violations, found.explained, found.left
    both = (explained, left)
    yield say("结果", "Result"), None
    yield say("违规疑点（行）", "Lines that violate"), told(violations.lines, *both)
    yield (
        say("　其中另有原因（聚集、家长的卡、人员信息不一致）", "  of these with another cause"),
        told(explained.lines, explained),
    )
    yield say("　其中待核实", "  left to be looked at"), told(left.lines, left)
    yield say("违规疑点涉及金额（元，每行只计一次）", "Yuan at stake (each line once)"), told(violations.stake, *both)
    yield say("　其中待核实", "  left to be looked at"), told(left.stake, left)
    yield (
        say("违规疑点的明细金额（元，退费后，每行只计一次）", "Yuan of these lines (net, each once)"),
        told(violations.amount, *both),
    )
    yield (
        say("违规疑点（个；一行被几条规则命中，计几个）", "Violating findings (a line counts once for each rule)"),
        told(violations.findings, *both),
    )
    yield say("无法判断（行）", "Undetermined lines"), told(found.undetermined.lines, found.undetermined)
    yield say("无法判断的疑点（个）", "Undetermined findings"), told(found.undetermined.findings, found.undetermined)
    if (run.language == "en") != english:
        yield (
            say("说明：疑点的文字", "Note: the words of findings"),
            say(
                "扫描时写成英文（--lang en）的说明、要求、实际和原因照原样列出；要中文的，请用 --lang zh 重新扫描",
                "messages, expected, actual and reasons are as the scan worded them, in Chinese; scan again with --lang en for English ones",
            ),
        )
    if where != "TRUE":
        return
    yield say("豁免（行）", "Exempt lines"), told(found.exempt.lines, found.exempt)
    yield say("豁免的疑点（个）", "Exempt findings"), told(found.exempt.findings, found.exempt)
    for kind, count in (document.get("clusters") or {}).items():
        yield say("聚集（组）：", "Clusters: ") + CLUSTER_KINDS.get(kind, (kind, kind))[english], count
    if nameless := document.get("not_clustered"):
        yield (
            say("没有人员编号，无法归并聚集（行）", "Lines that name no person, so that no cluster is made of them"),
            nameless,
        )
    for (verdict, class_), counted in found.classes.items():
        of = {"violation": ("违规疑点", "violations"), "undetermined": ("无法判断", "undetermined")}[verdict][english]
        name = CLASSES.get(class_, (class_, class_))[english]
        # Each is told by all others of its verdict and what they come to.
        beside = (each for (same, _), each in found.classes.items() if same == verdict)
        shown = told(counted.findings, *beside, *(both if verdict == "violation" else (found.undetermined,)))
        yield say(f"归类（{of}，个）：{name}", f"Class ({of}): {name}"), shown
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
        told = gap["said"]["en" if english else "zh"] if isinstance(gap["said"], dict) else str(gap["said"])
        yield _file(gap["path"]), told.replace(gap["path"], _file(gap["path"]))
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
    if not run.is_sealed:
        yield (
            say("run.json", "run.json"),
            say("没有封印（由旧版本生成），改动过也无从得知", "bears no seal: whether it was altered cannot be told"),
        )
    yield say("知识库版本", "Knowledge"), document["knowledge"]["version"]
    yield say("知识库哈希", "Knowledge hash"), document["knowledge"]["hash"]
    yield say("规则哈希", "Rules hash"), document["rules"]["hash"]
    yield say("省级配置", "Profile"), document["profile"]["name"]
    yield say("引擎", "Engine"), f"{document['engine']['name']} {document['engine']['version']}"
    yield say("输入", "Inputs"), None
    for each in document["inputs"]:
        yield f"{each['role']}: {_file(each['path'])}", each.get("sha256") or each.get("modified") or ""
    yield say("参数", "Options"), None
    for name, value in document["options"].items():
        if value not in (None, [], False):
            yield name, _plain(name, value)
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
        yield (
            say("以上各表", "In these tables"),
            say(
                "只有一组被隐去时，另隐去最小的一组，以免由合计推出；个案各表仍列出全部疑点，外发前请删去",
                "where one group alone is hidden the smallest other one is as well, or the sum would tell it; sheets of single findings list all: remove them "
                "before it leaves the house",
            ),
        )
    yield say("归类的含义", "What classes mean"), None
    yield from ((said[english], CLASS_MEANINGS[name][english]) for name, said in CLASSES.items())
    yield say("聚集的含义", "What clusters are"), None
    yield from ((said[english], CLUSTER_MEANINGS[name][english]) for name, said in CLUSTER_KINDS.items())


_PATHS = ("rules", "profile", "layout")
"""Options that name files or folders."""


def _file(path: str) -> str:
    """The name of a file, without the folders of the house in which it lies; in an archive with its place there."""
    plain = path.replace("\\", "/")
    name = plain.rstrip("/").rpartition("/")[2]
    # A file in an archive is known by both.
    archive = next(
        (
            part
            for part in reversed(plain.split("/")[:-1])
            if re.fullmatch(r".+\.(zip|7z|rar|tar|t?gz|tar\.gz)", part, re.IGNORECASE)
        ),
        "",
    )
    return f"{archive}/{name}" if archive else name


def _plain(name: str, value: Any) -> str | int | float:
    if name in _PATHS:
        return ", ".join(_file(str(each)) for each in (value if isinstance(value, list) else [value]))
    return value if isinstance(value, str | int | float) else str(value)
