"""The prescriptions of a file or of a pipe: JSON in the encodings that programs write."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from checker.model import files
from checker.model.errors import InputError, why
from checker.model.json_text import distinct, read_float

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_documents(file: str) -> tuple[list[Any], bool, str]:
    """The prescriptions of a file, whether it holds an array of them, and how it is called in messages."""
    source = "标准输入（stdin）" if file == "-" else file
    try:
        content = files.within(_read(file), files.PRESCRIPTIONS)
    except files.TooLargeError as error:
        raise InputError(f"{source}：{error}") from None
    document = _parse(source, content)
    if document == []:
        raise InputError(f"{source}：数组是空的，请给出至少一张处方（the array holds no prescription）")
    return (document, True, source) if isinstance(document, list) else ([document], False, source)


def _read(file: str) -> bytes:
    """What is there, at most one byte more than may be: a device or a pipe need not end."""
    most = files.PRESCRIPTIONS + 1
    if file == "-":
        return sys.stdin.buffer.read(most)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(most)
    except FileNotFoundError:
        raise InputError(
            f"{file}：找不到这个文件，请检查路径；按项目查请用 --item（no such file; to ask about an item use --item）"
        ) from None
    except IsADirectoryError:
        raise InputError(f"{file}：这是一个文件夹，请给出一个 JSON 文件（a folder: give a JSON file）") from None
    except OSError as error:
        raise InputError(f"{file}：无法读取（{why(error)}），请检查权限（cannot be read）") from None


def _parse(source: str, content: bytes) -> Any:
    if not content.strip():
        raise InputError(f"{source}：是空的，请给出 JSON 处方（empty: give a prescription as JSON）")
    text = _decoded(source, content)
    try:
        document = json.loads(text, object_pairs_hook=distinct, parse_float=read_float)
        if "\\u" in text:
            # Half of a character can be escaped, but stands in no text of ours.
            json.dumps(document, ensure_ascii=False).encode()
        return document
    except UnicodeEncodeError:
        raise InputError(
            f"{source}：JSON 中有不成对的代理字符（如 \\ud800），请改正（half of a surrogate pair: mend the text）"
        ) from None
    except InputError as error:
        raise InputError(f"{source}：{error}") from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"{source}：第 {error.lineno} 行第 {error.colno} 个字符处不是有效的 JSON，请改正"
            f"（not valid JSON: {error.msg}）"
        ) from None
    except (ValueError, RecursionError):
        raise InputError(
            f"{source}：JSON 中的数字太长或嵌套太深，请改正（a number is too long, or it is nested too deeply）"
        ) from None


def _decoded(source: str, content: bytes) -> str:
    """The text of a document in UTF-8, or in what programs and pipes on Windows write: UTF-16 with its mark, GB18030."""
    for encoding in ("utf-16",) if content.startswith(_UTF_16_MARKS) else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"{source}：不是 UTF-8 编码，请另存为 UTF-8 后再试（not UTF-8: save it as UTF-8）")
