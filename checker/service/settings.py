"""How the service runs: options and a TOML file, checked before anything listens."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from checker.model.data_folder import default_data
from checker.model.errors import InputError
from checker.model.files import SETTINGS_FILE, MissingFileError, UnfitFileError, read_once
from checker.model.toml_document import parse_toml
from checker.service.keys import Key, read_keys

_KEEP_ALIVE_MOST = 3600
_HEADER = re.compile("[A-Za-z0-9-]{1,64}", re.ASCII)
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
"""By these a proxy says that it hands a request on."""
_TAKEN_HEADERS = frozenset(
    (
        "host",
        "origin",
        "authorization",
        "content-type",
        "content-length",
        "content-encoding",
        "connection",
        *PROXY_HEADERS,
    )
)
"""Headers that mean something else, so that no key travels in them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost. Times are in milliseconds, sizes in bytes, the rate in requests a second (0: none)."""

    time_ms: float = 2000.0
    body_bytes: int = 4 * 1024 * 1024
    body_seconds: float = 10.0
    depth: int = 32
    lines: int = 2000
    batch: int = 1000
    batch_lines: int = 5000
    answer_bytes: int = 16 * 1024 * 1024
    rate: float = 0.0
    burst: int = 50
    connections: int = 1000
    head_bytes: int = 32 * 1024
    head_lines: int = 64
    url_bytes: int = 4096
    head_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Keep:
    """How long what is kept is kept: days, and bytes at most (0: no limit). The audit log goes file by file, a file by month or size."""

    audit_file_bytes: int = 64 * 1024 * 1024
    audit_days: int = 1095
    audit_bytes: int = 0
    shown_days: int = 400
    ticket_days: int = 30
    store_bytes: int = 2 * 1024 * 1024 * 1024
    free_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. Paths are those of this machine; nothing that a client sends becomes one."""

    host: str = "127.0.0.1"
    port: int = 8330
    kb: tuple[Path, ...] = ()
    crosswalk: tuple[Path, ...] = ()
    rules: tuple[Path, ...] = ()
    only_rules: bool = False
    region: str | None = None
    data: Path = field(default_factory=default_data)
    profile: Path | None = None
    hosts: tuple[str, ...] = ()
    two_person: bool = False
    shop: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    tls_elsewhere: bool = False
    keep_alive_seconds: int = 75
    key_header: str | None = None
    key_in_path: bool = False
    keys: tuple[Key, ...] = ()
    audit_key_file: Path | None = None
    audit_anchor: Path | None = None
    limits: Limits = field(default_factory=Limits)
    keep: Keep = field(default_factory=Keep)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def needs_keys(self) -> bool:
        """Whether others than who works at this machine can reach the service: directly, or through a proxy that stands before it."""
        return not self.is_loopback or bool(self.hosts) or self.tls_elsewhere


def read_settings(file: Path | None, options: Mapping[str, Any]) -> Settings:
    """Settings of a TOML file, and over them those given as options. Raises InputError naming file, key and remedy."""
    settings = Settings() if file is None else _of_file(file)
    settings = replace(settings, **{name: value for name, value in options.items() if value not in (None, ())})
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise InputError("tls_cert 和 tls_key 要同时给出（give both the certificate and its key, or neither）")
    if settings.tls_client_ca is not None and settings.tls_cert is None:
        raise InputError(
            "tls_client_ca 要与 tls_cert、tls_key 同时给出；由代理加密时在代理上核验客户端证书"
            "（needs tls_cert and tls_key; behind a proxy that encrypts, let the proxy ask for client certificates）"
        )
    for path in (settings.tls_cert, settings.tls_key, settings.tls_client_ca):
        if path is not None and not path.is_file():
            raise InputError(f"{path}：找不到这个证书或私钥文件，请检查路径（no such certificate or key file）")
    _check_connections(settings)
    if settings.needs_keys:
        missing = [] if settings.keys else ["访问密钥 [[key]]（access keys）"]
        if not settings.is_loopback and settings.tls_cert is None and not settings.tls_elsewhere:
            missing.append(
                "TLS 证书 tls_cert、tls_key，或由前面的代理加密时写明 tls_elsewhere = true（TLS here or at a proxy）"
            )
        if missing:
            reached = "hosts、tls_elsewhere 表示经代理访问" if settings.is_loopback else f"在 {settings.host} 上监听"
            raise InputError(
                f"{reached}，会让别的机器访问，还缺少：{'；'.join(missing)}"
                "；只在本机使用请用 --host 127.0.0.1，不写 hosts 和 tls_elsewhere"
                "（being reached from beyond this machine, directly or through a proxy, needs keys and TLS）"
            )
    return settings


def _check_connections(settings: Settings) -> None:
    if not 1 <= settings.keep_alive_seconds <= _KEEP_ALIVE_MOST:
        raise InputError(
            f"keep_alive_seconds 为 {settings.keep_alive_seconds}，应为 1 到 {_KEEP_ALIVE_MOST} 秒（1 to {_KEEP_ALIVE_MOST} seconds）"
        )
    header = settings.key_header
    if header is not None and (not _HEADER.fullmatch(header) or header.lower() in _TAKEN_HEADERS):
        raise InputError(
            f"key_header 为“{header[:64]}”，应为请求头的名称，由字母、数字和 - 组成，且没有别的用途，例如 X-Token（the name of a header with no other use）"
        )
    if settings.is_loopback and settings.needs_keys and any(key.sha256 is None for key in settings.keys):
        raise InputError(
            "经代理访问时，所有请求都来自代理的地址，[[key]] 不能只写 addresses，请加 sha256"
            "（behind a proxy all come from its address: a key needs sha256 there）"
        )


def new_key(name: str) -> tuple[str, str]:
    """A new access key, and the lines of the settings file that let it in."""
    key = secrets.token_urlsafe(32)
    return key, f'[[key]]\nname = "{name}"\nsha256 = "{digest(key)}"\nroles = ["check"]'


def digest(key: str) -> str:
    """What the settings file holds of a key; keys are long and random, so that no slow hash is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def _of_file(file: Path) -> Settings:
    try:
        document = parse_toml(read_once(file, SETTINGS_FILE).decode("utf-8"))
    except MissingFileError:
        raise InputError(f"{file}：找不到这个配置文件，请检查路径（no such settings file）") from None
    except UnfitFileError as error:
        raise InputError(f"{file}：{error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{file}：不是有效的 TOML：{error}，请改正（not valid TOML）") from None
    faults: list[str] = []
    values = _read(document, Settings, "", faults, file.parent)
    for name, kind in (("limits", Limits), ("keep", Keep)):
        table = document.get(name, {})
        if not isinstance(table, dict):
            faults.append(f"{name}：应为表 [{name}]（a table）")
        else:
            values[name] = kind(**_read(table, kind, f"{name}.", faults, file.parent))
    values["keys"] = read_keys(document.get("key", []), faults)
    if faults:
        raise InputError("\n".join(f"{file}：{fault}" for fault in faults))
    return Settings(**values)


_SEVERAL_PATHS = ("kb", "crosswalk", "rules")
_PATHS = (*_SEVERAL_PATHS, "data", "profile", "tls_cert", "tls_key", "tls_client_ca", "audit_key_file", "audit_anchor")
_NESTED = ("limits", "keep", "keys", "key")


def _read(
    document: Mapping[str, Any],
    kind: type[Settings] | type[Limits] | type[Keep],
    prefix: str,
    faults: list[str],
    folder: Path,
) -> dict[str, Any]:
    defaults = kind()
    known = {each.name: getattr(defaults, each.name) for each in fields(kind) if each.name not in _NESTED}
    read: dict[str, Any] = {}
    for name, value in document.items():
        if name in _NESTED:
            continue
        if name not in known:
            faults.append(f"{prefix}{name}：没有这个设置，可用的有 {'、'.join(sorted(known))}（unknown setting）")
            continue
        default = known[name]
        if name in _PATHS:
            several = name in _SEVERAL_PATHS
            texts = [value] if isinstance(value, str) else value
            if (
                not isinstance(texts, list)
                or not all(isinstance(text, str) for text in texts)
                or (not several and len(texts) != 1)
            ):
                faults.append(f"{prefix}{name}：应为路径（a path）")
                continue
            paths = tuple(folder / text if name != "profile" or "." in text else Path(text) for text in texts)
            read[name] = paths if several else paths[0]
        elif isinstance(default, tuple):
            if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
                faults.append(f"{prefix}{name}：应为文字的数组（an array of text）")
                continue
            read[name] = tuple(value)
        elif isinstance(default, bool) or isinstance(value, bool):
            if not isinstance(value, bool) or not isinstance(default, bool):
                faults.append(
                    f"{prefix}{name}：类型不对：开关写 true 或 false，其余不能写（switches, and only they, are true or false）"
                )
                continue
            read[name] = value
        elif isinstance(default, int | float):
            if (
                not isinstance(value, int | float)
                or not value >= 0
                or (isinstance(default, int) and not isinstance(value, int))
            ):
                faults.append(f"{prefix}{name}：应为不小于 0 的数字（a number of at least 0）")
                continue
            read[name] = value
        elif not isinstance(value, str):
            faults.append(f"{prefix}{name}：应为文字（text）")
        else:
            read[name] = value
    return read
