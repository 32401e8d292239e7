"""The example for nginx serves: a hospital system asks through it, and reads what the service says."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from checker.service.settings import new_key
from tests.service.calls import BEFORE, Answer, call
from tests.service.messages import message
from tests.service.processes import unix_only
from tests.service.serving import ROOT, free_port, lean


@unix_only
@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="the certificate is made by openssl")
def test_the_example_for_nginx_hands_on_what_is_asked_and_answered(tmp_path: Path) -> None:
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    subprocess.run([*made, *names], check=True, capture_output=True)
    key, lines = new_key("his")
    inside, outside = free_port(), free_port()
    example = (ROOT / "docs/deploy/nginx.conf").read_text(encoding="utf-8")
    for written, meant in (
        ("127.0.0.1:8330", f"127.0.0.1:{inside}"), ("443", f"127.0.0.1:{outside}"), ("/etc/liangku", str(tmp_path)),
        ("/var/log/nginx", str(tmp_path)), ("liangku.hospital.example", "127.0.0.1"),
    ):  # fmt: skip
        assert written in example
        example = example.replace(written, meant)
    kept = "".join(
        f"{name}_temp_path {tmp_path / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Who starts it as root would have workers of another user, to whom this folder is closed.
    user = "user root;" if os.getuid() == 0 else ""
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"{user} daemon off; pid {tmp_path / 'pid'}; events {{}}\nhttp {{ {kept}\n{example}\n}}\n", encoding="utf-8"
    )
    with lean(tmp_path, f'hosts = ["127.0.0.1"]\nkey_in_path = true\n{lines}', port=inside):
        process = subprocess.Popen(["nginx", "-p", str(tmp_path), "-c", str(file)], stderr=subprocess.DEVNULL)
        try:
            context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
            url = f"https://127.0.0.1:{outside}"
            path = f"/fsi/api/{key}/riskConService/beforeAnalyze"
            assert len(_once_there(url, path, context).document["output"]["result"]) == 1
            assert call(url, BEFORE, message(), context=context).document["infcode"] == -1
            large = call(url, path, body=b" " * 4_500_000, context=context)
            assert (large.status, large.document["infcode"]) == (200, -1)
            assert call(url, "/health", context=context).status == 200
        finally:
            process.terminate()
            process.wait(30)
    logs = [log.read_text(encoding="utf-8") for log in tmp_path.glob("*.log")]
    assert any("POST 200" in log for log in logs)
    assert not any(key in log for log in logs)


def _once_there(url: str, path: str, context: ssl.SSLContext) -> Answer:
    for _ in range(300):
        try:
            return call(url, path, message(), context=context)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("nginx is not there")
