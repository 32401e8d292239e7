"""Who may ask from where: keys of addresses, client certificates, and settings of them that cannot be meant."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from checker.model.errors import InputError
from checker.service.guard import Guard
from checker.service.http_json import Refusal
from checker.service.settings import Settings, new_key, read_settings
from tests.service.calls import BEFORE, Answer, call
from tests.service.messages import message
from tests.service.serving import ROOT, free_port

KEY, LINES = new_key("一")
ALLOWED = '[[key]]\nname = "门诊"\naddresses = ["10.1.0.0/16", "192.168.3.7", "fd00::/8"]\n'


def settings(folder: Path, text: str, **options: Any) -> Settings:
    file = folder / "serve.toml"
    file.write_text(text, encoding="utf-8")
    return read_settings(file, options)


def asked(guard: Guard, address: str, *headers: tuple[bytes, bytes], path: str = BEFORE) -> str:
    """The name of the key with which a request passes, or the code of the refusal."""
    scope = {"type": "http", "path": path, "headers": [(b"host", b"localhost"), *headers], "client": (address, 5)}
    try:
        guard.check(scope)
    except Refusal as refusal:
        return refusal.code
    return str(scope.get("liangku.key"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [("10.1.255.1", "门诊"), ("192.168.3.7", "门诊"), ("fd00::1", "门诊"), ("::ffff:10.1.2.3", "门诊"), ("10.2.0.1", "unauthorized"),
     ("192.168.3.8", "unauthorized"), ("", "unauthorized"), ("unknown", "unauthorized")],
)  # fmt: skip
def test_an_address_alone_may_let_in(tmp_path: Path, address: str, expected: str) -> None:
    guard = Guard(settings(tmp_path, ALLOWED))
    assert asked(guard, address) == expected


def test_through_a_proxy_an_address_is_not_enough(tmp_path: Path) -> None:
    guard = Guard(settings(tmp_path, f"{ALLOWED}{LINES}"))
    handed_on = (b"x-forwarded-for", b"8.8.8.8")
    assert asked(guard, "10.1.1.1", handed_on) == "unauthorized"
    assert asked(guard, "10.1.1.1", handed_on, (b"x-api-key", KEY.encode())) == "一"
    for text in ("hosts = ['a']\n", "tls_elsewhere = true\n"):
        with pytest.raises(InputError, match="sha256"):
            settings(tmp_path, text + ALLOWED)


def test_a_key_of_addresses_is_of_no_use_elsewhere(tmp_path: Path) -> None:
    guard = Guard(settings(tmp_path, f'{LINES}\naddresses = ["10.1.0.0/16"]\n'))
    given = (b"x-api-key", KEY.encode())
    assert asked(guard, "10.1.2.3", given) == "一"
    assert asked(guard, "10.2.2.3", given) == "forbidden"
    assert asked(guard, "10.1.2.3") == "unauthorized"


def test_a_wrong_key_is_refused_from_an_address_that_needs_none(tmp_path: Path) -> None:
    assert asked(Guard(settings(tmp_path, ALLOWED)), "10.1.2.3", (b"x-api-key", b"wrong")) == "unauthorized"


def test_a_key_stands_in_the_address_only_where_the_settings_say_so(tmp_path: Path) -> None:
    path = f"/fsi/api/{KEY}/riskConService/beforeAnalyze"
    assert asked(Guard(settings(tmp_path, LINES)), "10.1.2.3", path=path) == "unauthorized"
    assert asked(Guard(settings(tmp_path, f"key_in_path = true\n{LINES}")), "10.1.2.3", path=path) == "一"
    assert (
        asked(Guard(settings(tmp_path, f'key_header = "X-Token"\n{LINES}')), "1.1.1.1", (b"x-token", KEY.encode()))
        == "一"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[key]]\nname = "a"\naddresses = ["10.1.2.3/16"]', "key[0].addresses"), ('[[key]]\nname = "a"\naddresses = []', "key[0].addresses"),
        ('[[key]]\nname = "a"\naddresses = "10.1.2.3"', "key[0].addresses"), ('[[key]]\nname = "a"\n', "key[0].sha256"),
        ('[[key]]\nname = "a"\naddresses = ["10.1.2.3"]\nroles = ["admin"]', "key[0].roles"), (f"{LINES}\ninstitutions = [1]", "key[0].institutions"),
        (f"{LINES}\nsecret = 1", "secret"), ("keep_alive_seconds = 0", "keep_alive_seconds"), ("keep_alive_seconds = 86400", "keep_alive_seconds"),
        ("keep_alive_seconds = 1.5", "keep_alive_seconds"), ('key_header = "Host"', "key_header"), ('key_header = "X Token"', "key_header"),
        ('tls_client_ca = "ca.pem"', "tls_client_ca"), ("key = 3", "[[key]]"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        settings(tmp_path, text)
    assert said in str(caught.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made by openssl")
def test_a_client_without_a_certificate_is_not_talked_to(tmp_path: Path) -> None:
    def made(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=tmp_path)

    for name in ("server", "client"):
        made("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    text = 'tls_cert = "server.pem"\ntls_key = "server.key"\ntls_client_ca = "client.pem"\nkeep_alive_seconds = 5\n'
    (tmp_path / "serve.toml").write_text(text, encoding="utf-8")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "checker.cli.main",
        "serve",
        "--port",
        str(port),
        "--config",
        "serve.toml",
        "--data",
        "data",
    ]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL
    )
    try:
        stranger = ssl.create_default_context(cafile=tmp_path / "server.pem")
        known = ssl.create_default_context(cafile=tmp_path / "server.pem")
        known.load_cert_chain(tmp_path / "client.pem", tmp_path / "client.key")
        assert _once_there(f"https://127.0.0.1:{port}", known).document["infcode"] == 0
        with pytest.raises((ssl.SSLError, OSError)):
            call(f"https://127.0.0.1:{port}", "/health", context=stranger)
    finally:
        process.terminate()
        process.wait(30)


def _once_there(url: str, context: ssl.SSLContext) -> Answer:
    for _ in range(300):
        try:
            return call(url, BEFORE, message(), context=context)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("the server is not there")
