"""An import [导入]: published workbooks are read, meet an edition, and become an edition that `--kb` opens at once."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from checker.knowledge.build import content_hash, write_edition
from checker.knowledge.codes import is_family
from checker.knowledge.edition_text import EditionText
from checker.knowledge.import_checks import (
    check_expected,
    check_families,
    check_places,
    check_removed,
    left_out_of,
    unread_places,
)
from checker.knowledge.import_report import IMPORT_FILE, Base, Imported, LeftOut, report_of
from checker.knowledge.import_request import ImportRequest
from checker.knowledge.indication_terms import known_texts, read_terms_file
from checker.knowledge.manifest import Manifest, Notice
from checker.knowledge.merge.covers import BY_FAMILY
from checker.knowledge.merge.edition import Met, Overlap, meet, overlaps
from checker.knowledge.merge.meeting import PublishedList
from checker.knowledge.merge.merge_decisions import Mode
from checker.knowledge.published import NATIONAL, PublishedItem, document_of, title_of
from checker.knowledge.sheets.headers import header_words
from checker.knowledge.sheets.known_rules import known_rules
from checker.knowledge.sheets.read import Workbook, read_workbooks
from checker.knowledge.source import Sources, open_given
from checker.model.embedded import EMBEDDED
from checker.model.errors import InputError
from checker.model.remarks import not_listed
from checker.rulebook.plan import Plan

BATCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""How a batch may be written."""
_NAME = "liangku-import"


def import_workbooks(request: ImportRequest, plan: Plan) -> tuple[Imported, Manifest]:
    """Read the workbooks, let their lists meet the edition, write the result to `request.out`, and say what was done.

    A list that is in the edition already changes nothing, and the edition is written as it was. Raises InputError, and nothing is
    written: for what a workbook may not hold, another number of codes than expected, a window that was not understood, an overlap
    without a mode, coverage that would be lost, a list older than the edition's.
    """
    rules = {rule.name_zh: rule for rule in plan.rules}
    workbooks = read_workbooks(
        request.files,
        batch=request.batch,
        published=request.published,
        rules=known_rules(plan),
        repair=request.repair,
        terms=None if request.terms is None else read_terms_file(request.terms),
        known_texts=lambda: known_texts([*([request.onto] if request.onto else []), open_given(EMBEDDED)]),
        words=header_words(request.columns),
    )
    check_places(workbooks, request)
    batch = _batch(workbooks)
    check_expected(workbooks, request.expect)
    left_out = left_out_of(workbooks, allowed=request.allow_unparsed)
    workbooks = tuple(sorted(workbooks, key=lambda workbook: workbook.begins or request.published))
    lists = [_list(workbook, rules[workbook.rule].id, batch, left_out, request) for workbook in workbooks]
    base = request.onto or Sources.of(EditionText(_NAME, "", "", "", ()), (), ())
    met = _meet(base, lists, request)
    check_removed(met.knowledge, workbooks, rules, request)
    head = base.edition if request.onto and not met.altered else _head(base.edition, batch, request)
    knowledge = replace(met.knowledge, edition=head)
    imported = Imported(
        batch=batch,
        published=request.published,
        publisher=request.publisher,
        mode=request.mode,
        cover=request.cover,
        region=request.region,
        region_of=request.region_of,
        onto=None if request.onto is None else Base(base.edition.name, base.edition.version, content_hash(base)),
        workbooks=workbooks,
        rule_ids=tuple(published.rule_id for published in lists),
        changes=met.changes,
        left_out=left_out,
        already=not met.altered,
    )
    text = json.dumps(report_of(imported), ensure_ascii=False, indent=2) + "\n"
    return imported, write_edition(knowledge, request.out, {IMPORT_FILE: text})


def _batch(workbooks: Sequence[Workbook]) -> str:
    told = {item.batch: workbook.file for workbook in workbooks for item in workbook.items}
    if len(told) != 1:
        files = "、".join(f"{file} {batch}" for batch, file in told.items())
        raise InputError(
            f"工作簿分属不同批次：{files}；请每批导入一次，或用 --batch 指定（several batches: import each for itself, or name it）"
        )
    (batch,) = told
    if not BATCH.fullmatch(batch):
        raise InputError(
            f"--batch {batch}：批次只能用字母、数字、“.”、“_”和“-”，如 01、2026-01（letters, digits, '.', '_' and '-'）"
        )
    return batch


def _list(
    workbook: Workbook, rule_id: str, batch: str, left_out: Sequence[LeftOut], request: ImportRequest
) -> PublishedList:
    own = {*unread_places(workbook)}
    unread = {left.seq for left in left_out if (left.file, left.place) in own}
    items = tuple(_described(item, request) for item in workbook.items)
    region = workbook.region or request.region
    return PublishedList(
        rule_id=rule_id,
        batch=batch,
        day=workbook.begins or request.published,
        items=tuple(item for item in items if item.seq not in unread),
        cover=request.cover,
        region=region,
        region_of=None if region is None else request.region_of,
        unread=tuple(item for item in items if item.seq in unread),
    )


def _described(item: PublishedItem, request: ImportRequest) -> PublishedItem:
    if request.status != "active":
        item = replace(item, status=request.status)
    if request.publisher == NATIONAL and request.title is None:
        return item
    document = document_of(item.batch, item.published, publisher=request.publisher, title=request.title)
    return replace(item, document=document)


def _meet(base: Sources, lists: Sequence[PublishedList], request: ImportRequest) -> Met:
    found = [] if request.mode else overlaps(base, lists)
    # A sheet alone does not tell that a family holds another item; the embedded edition knows of some.
    names_families = any(is_family(code) for each in lists for item in each.items for code in item.codes)
    beside = [open_given(EMBEDDED)] if request.cover == BY_FAMILY or names_families else []
    if names_families:
        check_families(base, lists, beside)
    met = meet(base, lists, request.mode or Mode.PATCH, beside)
    if found and met.altered:
        raise InputError(_ask_mode(found, request.published))
    lost = [(change.rule_id, each) for change in met.changes for each in change.lost_coverage]
    if lost and not request.allow_lost_coverage:
        told = "".join(
            f"\n  {rule_id}：{each.code}* {each.item_name}（{each.point_id}，已公布 {each.published_codes} 个编码）"
            for rule_id, each in lost
        )
        raise InputError(
            f"以下药品码前段原来整段受限，导入后只剩清单所列的编码，其余编码和新包装不再判断，因为段内还有规则未同样限制的药；"
            f"请核对清单，或用 --allow-lost-coverage 照此导入（families that are covered whole now, and of which only the listed codes "
            f"would be, as another item lies in them: check the list, or accept it with --allow-lost-coverage）{told}"
        )
    return met


def _ask_mode(found: Sequence[Overlap], day: date) -> str:
    told = "".join(f"\n  {each.rule_id}：{each.points} 个知识点、{each.codes} 个编码" for each in found)
    return (
        f"--mode：知识库中以下规则已有有效的知识点，请说明清单没有再列出的如何处理"
        f"（these rules have points in force; say what becomes of those not listed again）{told}\n"
        f"  replace  自 {day} 起终止（they end）\n"
        f"  patch    照旧保留（they stay）\n"
        f"  demote   保留，但最高为提示，备注 {not_listed(day)}（they stay, at most as a notice）"
    )


def _head(base: EditionText, batch: str, request: ImportRequest) -> EditionText:
    day = request.published.isoformat()
    notice = Notice(batch, day, request.title or title_of(batch), request.publisher, None)
    known = {(other.batch, other.published, other.publisher) for other in base.notices}
    fresh = () if (batch, day, request.publisher) in known else (notice,)
    return EditionText(
        name=request.name or base.name,
        version=request.version or _version(base.version, batch),
        published=max(base.published, day),
        compiled=_today().isoformat(),
        notices=(*base.notices, *fresh),
    )


def _version(base: str, batch: str) -> str:
    """The base's version and the batch; a batch that comes in several steps is numbered from the second."""
    if not base:
        return batch
    step, number = batch, 2
    while step in base.split("+"):
        step, number = f"{batch}.{number}", number + 1
    return f"{base}+{step}"


def _today() -> date:
    """The day of the build, or that of SOURCE_DATE_EPOCH, so that an edition can be made again byte for byte."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return now.date()
