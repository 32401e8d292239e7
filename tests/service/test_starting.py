"""A service that cannot start says why in one sentence, ends with 2 and leaves nothing behind; where it keeps its data it says."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from checker.model.data_folder import default_data
from tests.service.serving import ROOT, free_port


def serve(folder: Path, *words: str) -> tuple[int, str]:
    """Run the command where it cannot start; its exit code, and what it says."""
    environment = os.environ | {"HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    environment.pop("XDG_DATA_HOME", None)
    done = subprocess.run(
        [sys.executable, "-m", "checker.cli.main", "serve", *words],
        cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_port_in_use_is_one_sentence_and_nothing_is_made(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, said = serve(tmp_path, "--port", str(port))
    assert code == 2
    assert re.fullmatch(
        rf"错误（error）：端口 {port} 已被占用，.*（port {port} is in use: choose another with --port）\n", said
    )
    assert list(tmp_path.iterdir()) == []


def test_no_address_of_this_machine(tmp_path: Path) -> None:
    config = tmp_path / "serve.toml"
    config.write_text('tls_elsewhere = true\n[[key]]\nname = "a"\nsha256 = "%s"\n' % ("0" * 64), encoding="utf-8")
    code, said = serve(tmp_path, "--host", "192.0.2.1", "--port", str(free_port()), "--config", str(config))
    assert (code, said.count("\n")) == (2, 1)
    assert "不是本机的地址" in said


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for data, why in (("file", "已有同名的文件"), ("file/in", "路径中有一段不是文件夹")):
        code, said = serve(tmp_path, "--port", str(free_port()), "--data", data)
        assert (code, said.count("\n")) == (2, 1), said
        assert f"{data}：数据文件夹不能使用（{why}" in said


def test_where_the_knowledge_does_not_load_no_folder_is_made(tmp_path: Path) -> None:
    code, said = serve(tmp_path, "--port", str(free_port()), "--kb", "none")
    assert (code, "这里没有知识库" in said) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="a signal ends it")
def test_data_lies_with_the_user_and_the_start_says_where(tmp_path: Path) -> None:
    environment = os.environ | {"HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    environment.pop("XDG_DATA_HOME", None)
    here = tmp_path / "here"
    here.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "checker.cli.main", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=here, env=environment, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr
        said = [process.stderr.readline() for _ in range(2)]
        end = time.monotonic() + 60
        while "startup complete" not in process.stderr.readline():
            assert time.monotonic() < end
        process.terminate()
    assert process.returncode == 0
    assert list(here.iterdir()) == []
    (told,) = (line for line in said if line.startswith("数据文件夹"))
    folder = Path(told.partition("：")[2].strip())
    assert folder.is_relative_to(tmp_path / "home")
    assert (folder / "audit.jsonl").is_file()


def test_a_folder_that_is_there_already_is_used_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert default_data() != Path("liangku-data")
    Path("liangku-data").mkdir()
    assert default_data() == Path("liangku-data")
