"""`liangku serve`: the national interface, the native API and the counter page, on this machine unless told otherwise."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import ssl
import sys
from pathlib import Path
from typing import Any

import click

from checker.cli.listening import bound
from checker.cli.options import crosswalk_option, kb_option, rules_option
from checker.model.data_folder import SAID
from checker.model.errors import ExitCode, InputError, why
from checker.model.shown import shown


@click.command("serve")
@click.option("--host", help="监听地址，默认 127.0.0.1，只有本机能访问（address, default this machine only）")
@click.option("--port", type=click.IntRange(0, 65535), help="端口，默认 8330（port）")
@click.option("--config", type=click.Path(path_type=Path), help="配置文件 TOML：密钥、TLS、限制（settings file）")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help=f"反馈库和审计日志的文件夹（folder of what is kept），默认 {SAID}",
)
@click.option(
    "--profile",
    type=click.Path(path_type=Path),
    help="地方接口差异：hainan，或自己的 TOML 文件（a province's profile）",
)
@click.option("--region", metavar="CODE", help="请求中没有地区时使用的行政区划代码（place where requests name none）")
@click.option(
    "--two-person", is_flag=True, default=None, help="红色项目继续须双人核验（a second person confirms definite ones）"
)
@click.option("--new-key", metavar="NAME", help="生成一个访问密钥后退出（make an access key and end）")
@kb_option
@crosswalk_option
@rules_option
def command(
    config: Path | None,
    new_key: str | None,
    kb: tuple[Path, ...],
    crosswalk: tuple[Path, ...],
    rules: tuple[Path, ...],
    only_rules: bool,
    **options: Any,
) -> int:
    """启动服务：国家接口 3101/3102/3103、本地接口、柜台页面。

    \b
    例 Examples:
      liangku serve
      liangku serve --kb out/kb --profile hainan --two-person
      liangku serve --new-key 门诊药房
    """
    try:
        import uvicorn

        from checker.service.app import Service
        from checker.service.connection import allow_connections, limited_protocol
        from checker.service.review import Desk
    except ImportError as error:
        raise InputError(
            f"服务需要另外的组件（缺少 {error.name}），请运行 pip install 'liangku[serve]'（install the extra: serve）"
        ) from None
    from checker.service import settings as given
    from checker.service.national.profile import read_profile

    if new_key is not None:
        key, lines = given.new_key(new_key)
        click.echo(
            f"密钥（只显示这一次，交给调用方）（the key, shown once）：{key}\n配置文件中加入（add to the settings file）：\n\n{lines}"
        )
        return ExitCode.CLEAR
    settings = given.read_settings(
        config, {**options, "kb": kb, "crosswalk": crosswalk, "rules": rules, "only_rules": only_rules or None}
    )
    profile = read_profile(settings.profile)
    _log_as_json()
    # For as long as the process lives: whatever it or a library writes may tell of a person.
    os.umask(0o077)
    allow_connections(settings.limits.connections)
    # Before anything is made: where somebody else listens, nothing is left behind.
    sockets = bound(settings.host, settings.port)
    try:
        desk = Desk(settings)
    except OSError as error:
        raise InputError(
            f"{settings.data}：数据文件夹不能使用（{why(error)}），请用 --data 指定可以写入的文件夹"
            "（the data folder cannot be used: name one that can be written to with --data）"
        ) from None
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    scheme = "https" if settings.tls_cert else "http"
    port = sockets[0].getsockname()[1]
    click.echo(f"柜台页面（counter page）：{scheme}://{host}:{port}/", err=True)
    click.echo(f"数据文件夹（data folder）：{settings.data.absolute()}", err=True)
    # uvicorn stops gracefully and then raises the signal again: a service that was asked to stop has not failed.
    signal.signal(signal.SIGTERM, lambda *_: None)
    server = uvicorn.Server(uvicorn.Config(
        Service(desk, profile, settings), host=settings.host, port=port, log_config=None, access_log=False, lifespan="on",
        server_header=False, proxy_headers=False, date_header=False, http=limited_protocol(settings.limits), timeout_graceful_shutdown=10, ws="none",
        ssl_certfile=settings.tls_cert, ssl_keyfile=settings.tls_key, timeout_keep_alive=settings.keep_alive_seconds,
        ssl_ca_certs=str(settings.tls_client_ca) if settings.tls_client_ca else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if settings.tls_client_ca else ssl.CERT_NONE,
    ))  # fmt: skip
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets)
    return ExitCode.CLEAR if server.started else ExitCode.FAILURE


class _JsonLines(logging.Formatter):
    """One JSON object a line; what a message says is ours, never a client's words."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "at": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": shown(record.getMessage()),
        }
        if record.exc_info and record.exc_info[2]:
            trace, places = record.exc_info[2], []
            while trace:
                places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
                trace = trace.tb_next  # type: ignore[assignment]
            # Not the text of the error: it may quote what a client sent.
            told["error"], told["trace"] = type(record.exc_info[1]).__name__, " ".join(places)
        return json.dumps(told, ensure_ascii=False)


def _log_as_json() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
