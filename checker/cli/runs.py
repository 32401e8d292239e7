"""The folder of a run as commands open it: what nobody can vouch for is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.model.errors import both
from checker.model.shown import shown

if TYPE_CHECKING:
    from checker.audit.run_folder import RunFolder


def opened(folder: Path) -> RunFolder:
    """The run of a folder. Raises InputError where it is none, or is incomplete, altered or of another version; of one without a seal that is told."""
    from checker.audit.run_folder import open_run

    run = open_run(folder)
    if not run.is_sealed:
        told = both(
            "run.json 没有封印（由旧版本生成），改动过也无从得知；重新扫描即可补上",
            "run.json bears no seal (of an older version): whether it was altered cannot be told; scan again for one",
        )
        click.echo(shown(f"{folder}：{told}"), err=True)
    return run
