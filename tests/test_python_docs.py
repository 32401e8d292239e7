"""The Python of docs/python.md runs, block after block, and prints what stands below it."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path
from typing import Any

from tests.commands import ROOT
from tests.test_docs import fences

DOCUMENT = ROOT / "docs/python.md"


def test_the_blocks_print_what_the_document_shows(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "data/samples", tmp_path / "data/samples")
    blocks = fences(DOCUMENT.read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    shown = [block for block in blocks if block.language in ("python", "text")]
    assert [block.language for block in shown] == ["python", "text"] * 3
    with contextlib.chdir(tmp_path):
        for code, text in zip(shown[::2], shown[1::2], strict=True):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile("\n".join(code.lines), str(DOCUMENT), "exec"), names)
            assert printed.getvalue().splitlines() == [*text.lines]
