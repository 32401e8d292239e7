"""Which database: a URL as users write it, and the same as it may be shown. A password is never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from checker.model.errors import InputError

URL_VARIABLE, PASSWORD_VARIABLE = "LIANGKU_DB_URL", "LIANGKU_DB_PASSWORD"
KINDS = {
    "postgresql": "postgresql", "postgres": "postgresql",
    "mysql": "mysql", "mariadb": "mysql",
    "sqlserver": "sqlserver", "mssql": "sqlserver",
    "oracle": "oracle",
    "sqlite": "sqlite", "sqlite3": "sqlite",
}  # fmt: skip
"""The kinds of databases by the schemes of URLs."""
SQLITE_MARK = b"SQLite format 3\0"
_EXAMPLE = "postgresql://用户@主机:5432/数据库"
_SECRET = re.compile(r"pass|pwd|secret|token|credential", re.IGNORECASE)
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Database:
    """A database and who asks it. `name` is the database, service or, of SQLite, file; `bare`: the URL held no password."""

    scheme: str
    host: str
    port: int | None
    name: str
    user: str
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    password: str = field(default="", repr=False)
    bare: bool = True

    @property
    def kind(self) -> str:
        """What it is by the values of KINDS."""
        return KINDS[self.scheme]

    @property
    def place(self) -> str:
        """Host, port and database, as messages and findings name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}{f':{self.port}' if self.port else ''}/{self.name}" if host else self.name

    @property
    def shown(self) -> str:
        """The URL as it may be shown to anybody."""
        if self.kind == "sqlite":
            return f"{self.scheme}:{self.name}"
        user = f"{self.user}{'' if self.bare else f':{_HIDDEN}'}@" if self.user else ""
        told = "&".join(f"{key}={_HIDDEN if _SECRET.search(key) else value}" for key, value in self.parameters)
        return f"{self.scheme}://{user}{self.place}{f'?{told}' if told else ''}"

    def without_secrets(self, text: str) -> str:
        """A text of somebody else's in which no secret of this database stands."""
        secrets = [self.password, *(value for key, value in self.parameters if _SECRET.search(key))]
        for secret in filter(None, secrets):
            text = text.replace(secret, _HIDDEN)
        return text


def read_url(given: str | None, environ: Mapping[str, str]) -> Database:
    """The database that `--from` names: a URL, `@FILE` that holds one, or a SQLite file; without it that of LIANGKU_DB_URL.

    Raises InputError where it names none; the sentence holds nothing of what may be a password.
    """
    text = given or environ.get(URL_VARIABLE, "")
    if not text:
        raise InputError(
            f"没有说明数据库：请用 --from 给出，例如 --from {_EXAMPLE}，或设置环境变量 {URL_VARIABLE}（no database named: give --from or {URL_VARIABLE}）"
        )
    if text.startswith("@"):
        text = read_text("--from", text)
    if is_sqlite(Path(text)):
        return Database("sqlite", "", None, text, "")
    scheme, separator, rest = text.partition(":")
    # Some programs name their driver as well, as in postgresql+psycopg.
    scheme = scheme.lower().partition("+")[0]
    if not separator or scheme not in KINDS:
        raise InputError(
            f"--from：不是数据库地址，应像 {_EXAMPLE}，以 {'、'.join(dict.fromkeys(KINDS.values()))} 之一开头（not the URL of a database that is read）"
        )
    if KINDS[scheme] == "sqlite":
        return Database(scheme, "", None, _sqlite_file(rest), "")
    return _of_server(scheme, f"{scheme}:{rest}", environ.get(PASSWORD_VARIABLE, ""))


def read_text(option: str, given: str) -> str:
    """What an option says: itself, or of `@FILE` what stands in the file. Raises InputError where that cannot be read."""
    if not given.startswith("@"):
        return given
    path = Path(given[1:])
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, ValueError) as error:
        raise InputError(
            f"{option} @{path}：无法读取这个文件，应为 UTF-8 文本（cannot be read as UTF-8 text）"
        ) from error
    if not text:
        raise InputError(f"{option} @{path}：文件是空的（the file is empty）")
    return text


def is_sqlite(path: Path) -> bool:
    """Whether a path is that of a SQLite database."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(SQLITE_MARK)) == SQLITE_MARK
    except (OSError, ValueError):
        return False


def _sqlite_file(rest: str) -> str:
    """The file of a URL of SQLite: `sqlite:city.db`, `sqlite:///city.db` (below this folder, or from the root), `sqlite:////data/city.db`."""
    name = unquote(re.sub(r"^//(?:localhost)?/?", "", rest)) if rest.startswith("//") else unquote(rest)
    found = next((each for each in (name, f"/{name}") if Path(each).is_file()), "")
    if not found:
        raise InputError(f"--from sqlite：找不到文件 {name}，请检查路径（no such file）")
    if not is_sqlite(Path(found)):
        raise InputError(f"--from sqlite：{found} 不是 SQLite 数据库，请检查文件（not a SQLite database）")
    return found


def _of_server(scheme: str, url: str, password: str) -> Database:
    try:
        parts = urlsplit(url)
        # A sign of a password that ends the host early would put the rest of the password into a message.
        if not parts.hostname or "@" in f"{parts.path}{parts.query}{parts.fragment}" or parts.fragment:
            raise ValueError
        given = _decoded(parts.password or "")
        return Database(
            scheme, parts.hostname, parts.port, _decoded(parts.path.strip("/")), _decoded(parts.username or ""),
            _parameters(parts), given or password, bare=not given,
        )  # fmt: skip
    except ValueError:
        # What was typed may hold the password: neither it nor what the parser says of it is told.
        raise InputError(
            f"--from {scheme}://…：地址写法有误，应像 {_EXAMPLE}；密码请放在环境变量 {PASSWORD_VARIABLE} 中，"
            "写在地址里时 @ / : # ? % 要写成 %40 %2F %3A %23 %3F %25"
            f"（malformed URL: put the password into {PASSWORD_VARIABLE}, or percent-encode it）"
        ) from None


def _parameters(parts: SplitResult) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))


def _decoded(text: str) -> str:
    return unquote(text, errors="strict")
