"""How it is installed and run for good: locks, workflow, image and unit are what the documents say of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; (.*?))?(?= \\$)", re.MULTILINE)
_SHA = re.compile(r"[\w./-]+@[0-9a-f]{40}")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def needed(lock: str) -> list[Requirement]:
    """What pyproject.toml asks for, of the extras that a lock is of."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    listed = {
        "serve": [*project["dependencies"], *extras["serve"]],
        "dev": [*project["dependencies"], *extras["serve"], *extras["databases"], *extras["sheets"], *extras["dev"]],
        "build": PROJECT["build-system"]["requires"],
    }[lock]
    return [each for each in map(Requirement, listed) if each.name != "liangku"]


@pytest.mark.parametrize("lock", ["serve", "dev", "build"])
def test_a_lock_agrees_with_what_is_asked_for(lock: str) -> None:
    """A dependency that was added or raised is in the lock, or the lock is to be written anew (make lock)."""
    locked: dict[str, list[str]] = {}
    for name, version, _ in _LOCKED.findall(text(f"requirements/{lock}.lock")):
        locked.setdefault(canonicalize_name(name), []).append(version)
    for each in needed(lock):
        found = locked.get(canonicalize_name(each.name), [])
        assert found, f"{each} is not in requirements/{lock}.lock"
        assert all(each.specifier.contains(Version(version), prereleases=True) for version in found), f"{each}: {found}"


@pytest.mark.parametrize("lock", ["serve", "dev", "build"])
def test_everything_in_a_lock_has_hashes(lock: str) -> None:
    content = text(f"requirements/{lock}.lock")
    entries = re.split(r"^(?=[A-Za-z0-9])", content.partition("make lock\n")[2], flags=re.MULTILINE)[1:]
    assert len(entries) == len(_LOCKED.findall(content)) > 5
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    for _, _, marker in _LOCKED.findall(content):
        assert not marker or Marker(marker)


def test_the_three_locks_do_not_contradict_each_other() -> None:
    versions: dict[str, set[str]] = {}
    for lock in ("serve", "dev", "build"):
        for name, version, marker in _LOCKED.findall(text(f"requirements/{lock}.lock")):
            versions.setdefault(f"{name} {marker}", set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("file", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda file: file.name)
def test_a_workflow_may_only_read_and_names_actions_by_commit(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        for step in job["steps"]:
            if "uses" in step:
                assert _SHA.fullmatch(step["uses"]), step["uses"]
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
    assert workflow["jobs"]["test"]["env"]["LOCKED"] == "1"


def test_the_image_is_built_of_locked_files_and_is_nobody_in_particular() -> None:
    lines = text("docs/deploy/Dockerfile").splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim@sha256:[0-9a-f]{64}", bases[0])
    told = "\n".join(lines)
    assert re.search(r"^USER [1-9]\d*$", told, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", told, re.MULTILINE)
    assert "TZ=Asia/Shanghai" in told
    for install in re.findall(r"pip install [^&\n]*", told):
        assert "--require-hashes -r requirements/" in install or "--no-deps" in install
    assert "--no-deps --no-build-isolation" in told


def test_what_is_no_source_stays_out_of_the_image() -> None:
    kept = {line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")}
    assert text(".dockerignore").splitlines()[1] == "*"
    assert kept >= {"checker", "rules", "knowledge_base/sources", "hatch_build.py", "pyproject.toml", "requirements"}
    assert all((ROOT / name).exists() for name in kept)
    assert not {".git", ".venv", "tests", "out", "data"} & kept


def test_the_unit_lets_the_service_do_what_it_does_and_nothing_else() -> None:
    unit = dict(
        line.split("=", 1) for line in text("docs/deploy/liangku.service").splitlines() if re.match(r"\w+=", line)
    )
    for name in (
        "NoNewPrivileges", "PrivateTmp", "PrivateDevices", "PrivateUsers", "ProtectHome", "ProtectClock", "ProtectControlGroups", "ProtectHostname",
        "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
        "LockPersonality", "MemoryDenyWriteExecute", "RemoveIPC",
    ):  # fmt: skip
        assert unit[name] == "true", name
    assert (unit["ProtectSystem"], unit["CapabilityBoundingSet"], unit["UMask"]) == ("strict", "", "0077")
    assert (unit["User"], unit["StateDirectory"]) == ("liangku", "liangku")
    assert unit["ExecStart"].endswith("--data /var/lib/liangku")
    assert "AF_INET" in unit["RestrictAddressFamilies"].split()
