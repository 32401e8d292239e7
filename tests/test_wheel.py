"""The wheel, built from a copy of the tree and installed into a fresh environment, carries all it needs."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TAKEN = ("checker", "rules", "knowledge_base", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE")
TOOLS = ("build", "hatchling", "pip")
MISSING = [tool for tool in TOOLS if importlib.util.find_spec(tool) is None]
EPRISTERIDE = "XG04CBA088A001010101467"
SALES = f"""流水号,国家医保编码,药品名称,销售时间,数量,金额,性别,出生日期
1,{EPRISTERIDE},爱普列特片,2026-03-01 10:00:00,1,35.50,女,1990-05-01
2,{EPRISTERIDE},爱普列特片,2026-03-01 11:00:00,1,35.50,男,1950-05-01
"""

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"building a wheel needs {', '.join(MISSING)}: pip install '.[dev]'"
)


def _environment() -> dict[str, str]:
    """This process's environment without what would let the checkout be imported."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return kept | {"PYTHONUTF8": "1", "LC_ALL": "zh_CN.UTF-8"}


def _run(arguments: list[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env=_environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def _done(arguments: list[str | Path], cwd: Path) -> None:
    done = _run(arguments, cwd)
    assert done.returncode == 0, f"{arguments}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the tree, in which nothing has been built before."""
    source = tmp_path_factory.mktemp("source")
    unwanted = shutil.ignore_patterns("__pycache__", "built", "_embedded")
    for name in TAKEN:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=unwanted)
        else:
            shutil.copy2(ROOT / name, source / name)
    _done([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", source / "dist"], source)
    (built,) = (source / "dist").glob("*.whl")
    return built


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and a folder elsewhere to work in."""

    python: Path
    command: Path
    folder: Path

    def liangku(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the installed command from the other folder."""
        return _run([self.command, *arguments], self.folder)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel installed without dependencies; those are lent by this environment, whose own copy of us is not seen."""
    home = tmp_path_factory.mktemp("installed")
    venv.EnvBuilder(with_pip=False).create(home)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    _done(
        [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel], home
    )
    (packages,) = {path.parent for path in home.rglob("checker") if path.parent.name == "site-packages"}
    # A path file appends folders as they are: path files within them, such as an editable install's, are not read.
    lent = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (packages / "lent.pth").write_text("\n".join(lent) + "\n", encoding="utf-8")
    return Installed(
        python, scripts / ("liangku.exe" if os.name == "nt" else "liangku"), tmp_path_factory.mktemp("elsewhere")
    )


def test_the_wheel_holds_the_rules_and_the_built_knowledge_and_nothing_of_the_workshop(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    rules = {f"checker/_embedded/rules/{path.name}" for path in (ROOT / "rules").glob("*.toml")}
    built = (
        "point.parquet",
        "item.parquet",
        "companion.parquet",
        "terms.parquet",
        "pattern.parquet",
        "exemption.parquet",
        "exemption_item.parquet",
        "manifest.json",
        "rules.plan.json",
    )
    assert rules
    assert rules <= names
    assert {f"checker/_embedded/knowledge_base/{name}" for name in built} <= names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"checker"}
    assert not [name for name in names if name.endswith((".csv", ".pyc")) or "test" in Path(name).name]
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]


def test_the_command_runs_from_the_wheel_and_not_from_the_checkout(installed: Installed) -> None:
    told = installed.liangku("--version")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("liangku, version ")
    place = _run([installed.python, "-c", "import checker; print(checker.__file__)"], installed.folder).stdout.strip()
    assert Path(place).is_relative_to(installed.python.parents[1])


def test_the_rules_are_listed(installed: Installed) -> None:
    told = installed.liangku("rules", "list", "--json")
    assert told.returncode == 0, told.stderr
    listed = {rule["rule_id"] for rule in json.loads(told.stdout)["rules"]}
    assert listed == {path.stem for path in (ROOT / "rules").glob("*.toml")}
    assert installed.liangku("rules", "list").returncode == 0


def test_a_drug_for_men_is_a_violation_for_a_woman(installed: Installed) -> None:
    asked = ("--item", EPRISTERIDE, "--sex", "女", "--birth", "1990-05-01", "--on", "2026-03-01", "--json")
    told = installed.liangku("check", *asked)
    assert told.returncode == 1, told.stderr
    answer: Mapping[str, object] = json.loads(told.stdout)
    assert answer["verdict"] == "violation"


def test_a_small_file_is_scanned(installed: Installed) -> None:
    (installed.folder / "销售.csv").write_text(SALES, encoding="utf-8")
    told = installed.liangku("scan", "销售.csv", "--out", "结果", "--csv")
    assert told.returncode == 1, told.stderr
    run = json.loads((installed.folder / "结果" / "run.json").read_text(encoding="utf-8"))
    assert run["lines"]["read"] == run["lines"]["judged"] == 2
    assert run["findings"]["violations"]["lines"] == 1
    assert (installed.folder / "结果" / "findings.csv").is_file()


def test_there_is_nothing_to_build_without_a_checkout(installed: Installed) -> None:
    told = installed.liangku("kb", "build")
    assert told.returncode == 2
    assert "--sources" in told.stderr
