"""The command `liangku` as a user types it: in this process, or as a process of its own where the process is what is tested."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

import checker.model.embedded
from checker.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
Done = subprocess.CompletedProcess[str]


def command(*arguments: str | Path) -> list[str]:
    """The words that start `liangku` as a process."""
    return [sys.executable, "-m", "checker.cli.main", *map(str, arguments)]


def liangku(
    *arguments: str | Path,
    cwd: Path = ROOT,
    env: Mapping[str, str] = os.environ,
    stdin: bytes = b"",
    home: Path | None = None,
) -> Done:
    """Run `liangku` in this process, as in one of its own: its folder, its environment, its streams.

    `home` is the checkout whose rules and knowledge it takes for those that come with the program.
    """
    streams = [io.TextIOWrapper(io.BytesIO(given), encoding="utf-8", newline="") for given in (stdin, b"", b"")]
    words = [*map(str, arguments)]
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, env, clear=True),
        mock.patch.multiple(sys, argv=["liangku", *words], stdin=streams[0], stdout=streams[1], stderr=streams[2]),
        _at_home(home),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
        told = []
        for stream in streams[1:]:
            stream.flush()
            told.append(stream.buffer.getvalue().decode("utf-8"))  # type: ignore[attr-defined]
    assert isinstance(code, int)
    return subprocess.CompletedProcess(["liangku", *words], code, *told)


def liangku_process(
    *arguments: str | Path, cwd: Path = ROOT, env: Mapping[str, str] = os.environ, stdin: bytes = b""
) -> Done:
    """Run `liangku` of this checkout as a process of its own."""
    environment = {"PYTHONPATH": str(ROOT), **env}
    done = subprocess.run(command(*arguments), cwd=cwd, env=environment, capture_output=True, input=stdin, check=False)
    told = (stream.decode("utf-8") for stream in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, *told)


@contextlib.contextmanager
def _at_home(home: Path | None) -> Iterator[None]:
    if home is None:
        yield
        return
    with mock.patch.object(checker.model.embedded, "_PACKAGE", home.resolve() / "checker"):
        yield
