"""Links of items out of a CSV file, such as the item master of a pharmacy [商品资料]: all of them, or none and every fault named."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from checker.model.errors import InputError, why
from checker.model.schema import NATIONAL_CODE
from checker.service.item_keys import read_key
from checker.service.item_links import ItemLinks, LinkTaken

_KEYS = ("key", "码", "条码", "商品条码", "追溯码", "批准文号", "商品名")
_CODES = ("item_code", "国家医保编码", "医保编码", "国标代码")
_NAMES = ("item_name", "项目名称", "通用名", "药品名称")
_FAULTS_TOLD = 20
_BYTES_MOST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Imported:
    """How many links are new, how many were so already, and how many name another item than before."""

    new: int
    same: int
    changed: int


def import_links(links: ItemLinks, file: Path, *, operator: str, replace: bool) -> Imported:
    """Take in the links of a file. Raises InputError naming its faults, and those that would change where `replace` does not allow it."""
    faults: list[str] = []
    wanted: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    for line, (text, code, name) in _rows(file):
        try:
            key = read_key(text)
            if code and not re.fullmatch(NATIONAL_CODE, code):
                raise InputError("项目编码不是国家医保编码（not a national item code）")
            if not code and not name:
                raise InputError("没有项目编码，也没有项目名称（neither code nor name of the item）")
            if wanted.setdefault(key, (code, name)) != (code, name):
                raise InputError("同一个码在前面对应另一个项目（the same key names another item above）")
        except InputError as error:
            faults.append(f"第 {line} 行：{error}（line {line}）")
    now = {key: links.find(*key) for key in wanted}
    differ = [key for key, item in wanted.items() if (held := now[key]) and (held.item_code, held.item_name) != item]
    if differ and not replace:
        shown = "、".join(key for _, key in differ[:_FAULTS_TOLD])
        faults.append(
            f"{len(differ)} 个码现在对应别的项目：{shown}；核对后用 --replace 更改（they name other items now: check, then --replace）"
        )
    if faults:
        more = f"\n……共 {len(faults)} 处（in all）" if len(faults) > _FAULTS_TOLD else ""
        raise InputError(f"{file}：没有导入（nothing was imported）\n" + "\n".join(faults[:_FAULTS_TOLD]) + more)
    new = 0
    for key, (code, name) in wanted.items():
        held = now[key]
        try:
            links.keep(*key, code, name, operator, replaces=held.id if held else None, how="import")
        except LinkTaken:
            raise InputError(
                f"{key[1]}：刚刚被别人改了，请再导入一次（somebody changed it just now: import again）"
            ) from None
        new += held is None
    return Imported(new, len(wanted) - new - len(differ), len(differ))


def _rows(file: Path) -> list[tuple[int, tuple[str, str | None, str | None]]]:
    try:
        with file.open("rb") as opened:
            held = opened.read(_BYTES_MOST + 1)
    except OSError as error:
        raise InputError(f"{file}：无法读取（{why(error)}）（cannot be read）") from None
    if len(held) > _BYTES_MOST:
        raise InputError(f"{file}：文件太大，请分成几个（too large: split it）")
    try:
        text = held.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = held.decode("gb18030")
        except UnicodeDecodeError:
            raise InputError(f"{file}：不是 UTF-8 或 GB18030 文本（neither UTF-8 nor GB18030）") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        found = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = found
        key, code, name = (next((each for each in names if each in found), None) for names in (_KEYS, _CODES, _NAMES))
        if key is None or (code is None and name is None):
            raise InputError(
                f"{file}：第一行应有列名：{'、'.join(_KEYS)} 之一，和 {'、'.join(_CODES + _NAMES)} 之一"
                "（the first line must name the key and the item）"
            )
        return [(reader.line_num, (row[key] or "", _cell(row, code, upper=True), _cell(row, name))) for row in reader]
    except csv.Error as error:
        raise InputError(f"{file}：第 {reader.line_num} 行不是有效的 CSV：{error}（not valid CSV）") from None


def _cell(row: dict[str, str], column: str | None, *, upper: bool = False) -> str | None:
    text = (row[column] or "").strip() if column else ""
    return (text.upper() if upper else text) or None
