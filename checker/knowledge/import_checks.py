"""What stops an import: another number of codes than expected, texts that are not understood, places, families and removed items that need a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from checker.knowledge.codes import is_family
from checker.knowledge.import_report import LeftOut
from checker.knowledge.import_request import ImportRequest
from checker.knowledge.merge.families import mixed_for
from checker.knowledge.merge.meeting import PublishedList
from checker.knowledge.merge.merge_decisions import Mode
from checker.knowledge.names import item_key
from checker.knowledge.sheets.read import Workbook
from checker.knowledge.source import Sources
from checker.model.errors import InputError
from checker.rulebook.plan import RulePlan


def check_expected(workbooks: Sequence[Workbook], expect: int | None) -> None:
    """Refuse another number of codes than the caller expects, and say where they are. Raises InputError, as all here do."""
    read = sum(workbook.codes for workbook in workbooks)
    if expect is not None and read != expect:
        told = "".join(
            f"\n  {workbook.file}：{workbook.rule}，{len(workbook.items)} 个项目，{workbook.codes} 个编码"
            for workbook in workbooks
        )
        raise InputError(
            f"--expect {expect}：读到 {read} 个编码，相差 {read - expect:+}；各工作簿读到的如下，请核对是否缺了文件或行"
            f"（read {read} codes, by workbook as below: look for a missing file or row）{told}"
        )


def left_out_of(workbooks: Sequence[Workbook], *, allowed: bool) -> tuple[LeftOut, ...]:
    """Return the items whose texts are not understood, which is refused unless it is `allowed` to leave them out."""
    found = tuple(
        LeftOut(workbook.file, window.item_name, window.seq, window.text, window.place)
        for workbook in workbooks
        for window in workbook.windows
        if window.bounds is None
    )
    unmapped = tuple(
        LeftOut(workbook.file, text.item_name, text.seq, text.text, text.place)
        for workbook in workbooks
        for text in workbook.unmapped
    )
    if unmapped and not allowed:
        told = "".join(f"\n  {text.place} {text.item_name}：{text.text}" for text in unmapped)
        raise InputError(
            f"有 {len(unmapped)} 处适应症里没有已知的用语，说不出是哪些诊断；请用 --terms FILE 给出用语和诊断编码的对照表，或用 --allow-unparsed "
            f"略去这些项目（indications without any known term: name the diagnoses of their terms with --terms FILE, or leave these items out "
            f"with --allow-unparsed）{told}"
        )
    if found and not allowed:
        told = "".join(f"\n  {window.place} {window.item_name}：{window.text}" for window in found)
        raise InputError(
            f"有 {len(found)} 处年龄范围读不懂，不作猜测；请改写，或用 --allow-unparsed 略去这些项目"
            f"（age windows that are not understood: rewrite them, or leave these items out with --allow-unparsed）{told}"
        )
    return found + unmapped


def unread_places(workbook: Workbook) -> Iterator[tuple[str, str]]:
    """Where the limits stand that were not understood: a file may hold several lists, which number their items alike."""
    yield from ((workbook.file, window.place) for window in workbook.windows if window.bounds is None)
    yield from ((workbook.file, text.place) for text in workbook.unmapped)


def check_places(workbooks: Sequence[Workbook], request: ImportRequest) -> None:
    """Columns of places and days need to be told whose place is meant, and end nothing that another of their lists began."""
    if request.region_of is not None and request.region is None and all(each.region is None for each in workbooks):
        raise InputError(
            "--region-of：还要 --region，或清单里有地区一列（give --region, or a list with a column of places）"
        )
    for workbook in workbooks:
        if workbook.region is not None and request.region_of is None:
            raise InputError(
                f"{workbook.file}：有地区一列（{workbook.region}）；请用 --region-of insured 或 institution 说明指参保地还是就医地"
                "（places in a column: say with --region-of whose they are）"
            )
        if workbook.region is not None and request.region not in (None, workbook.region):
            raise InputError(
                f"{workbook.file}：地区一列是 {workbook.region}，而 --region 是 {request.region}；请去掉 --region，或核对清单"
                "（the column names another place than --region: drop the option, or check the list）"
            )
    days = {workbook.begins for workbook in workbooks}
    if len(days) > 1 and request.mode not in (None, Mode.PATCH):
        told = "、".join(sorted((day or request.published).isoformat() for day in days))
        raise InputError(
            f"--mode {request.mode.value}：清单有几个生效日期（{told}），后生效的会终止先生效的；请按日期分成几份、依次导入，或用 --mode patch"
            f"（several days from which items hold: import them one after the other, or use --mode patch）"
        )


def check_families(base: Sources, lists: Sequence[PublishedList], beside: Sequence[Sources]) -> None:
    """Refuse a family that a list names whole although it holds another item, which would be limited with it."""
    told = []
    for each in lists:
        named = {code: item.item_name for item in each.items for code in item.codes if is_family(code)}
        for family, names in mixed_for(each, lists, base, beside).items():
            others = {name for name in names if item_key(name) != item_key(named.get(family, name))}
            told += (
                [f"\n  {each.rule_id}：{family} {named[family]}；同段还有 {'、'.join(sorted(others))}"]
                if others
                else []
            )
    if told:
        raise InputError(
            f"清单写了药品码前段，而段内有规则未同样限制的药；请改列完整的编码（families that hold another item as well, "
            f"which the rule does not limit alike: list full codes）{''.join(sorted(told))}"
        )


def check_removed(
    knowledge: Sources, workbooks: Sequence[Workbook], rules: Mapping[str, RulePlan], request: ImportRequest
) -> None:
    """Refuse a list that takes items back which the edition goes on to limit in its place: nobody would end them."""
    if not any(workbook.removed for workbook in workbooks):
        return
    covering = knowledge.pattern.filter(pl.col("role") == "item").join(
        knowledge.point.select("point_id", "rule_id", "region", "region_of", "valid_to"), on="point_id"
    )
    told = []
    for workbook in workbooks:
        day, region = workbook.begins or request.published, workbook.region or request.region
        own_points = covering.filter(
            (pl.col("rule_id") == rules[workbook.rule].id)
            & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day))
            & pl.col("region").eq_missing(pl.lit(region, dtype=pl.String))
            & pl.col("region_of").eq_missing(pl.lit(request.region_of if region else None, dtype=pl.String))
        )
        codes = own_points.select("code", "point_id").rows()
        for item in workbook.removed:
            points = sorted({point for own in item.codes for code, point in codes if own.startswith(code)})
            told += [f"\n  {item.place} {item.item_name}（{item.mark}）：{'、'.join(points)}"] if points else []
    if told:
        raise InputError(
            f"清单里有删除标记的项目，知识库仍有知识点限定；请用 --mode replace，或先给这些知识点写 valid_to"
            f"（items marked as removed are limited by points in force: use --mode replace, or end these points first）{''.join(told)}"
        )
