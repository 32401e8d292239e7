"""What a database answers instead of rows, in one sentence: which database, what is wrong, and what to do."""

from __future__ import annotations

import re

from checker.ingest.database.query import Query
from checker.ingest.database.url import PASSWORD_VARIABLE
from checker.ingest.personal import masked
from checker.model.errors import InputError, both

Told = tuple[str, str]
_LOGIN = (
    f"用户名或密码不对，或这个用户不许从这里登录；密码请放在环境变量 {PASSWORD_VARIABLE}",
    "wrong user or password",
)
_NO_DATABASE = ("没有这个数据库，请检查地址末尾的名称", "no such database")
_READ_ONLY = (
    "这条查询会写入，而会话是只读的，没有执行；请改为只读取数据的查询",
    "the query writes, and the session is read-only",
)
_NO_TABLE = ("没有这张表或视图，请检查表名和模式名", "no such table or view")
_NO_COLUMN = ("没有这一列，请检查列名", "no such column")
_NO_RIGHT = ("这个用户无权读取，请向数据库管理员申请只读权限", "permission denied")
_LOST = ("与数据库的连接断了，请检查网络和服务器后重新运行", "the connection was lost: run it again")
_ENDED = ("服务器中止了这条查询（超时或被取消），请缩小范围后重新运行", "the server ended the query: ask for less")
_WRONG = ("服务器不能执行这条查询，请检查写法", "the server cannot run the query: check it")
_NO_HOST = ("找不到这台主机，请检查主机名", "unknown host")
_NOT_UTF8 = ("有的文字不是 UTF-8，请先转换编码，或导出为 CSV 后读取", "a text is not UTF-8: convert it, or export CSV")
_PARAMETER = ("地址里的参数不对，请检查 ? 之后的部分", "a wrong parameter: check what stands after ?")
_NO_CONNECTION = (
    "连接不上，请检查主机、端口、网络和防火墙，以及数据库是否在运行",
    "cannot connect: check host, port, network and server",
)
_BY_STATE: tuple[tuple[str, Told], ...] = (
    ("28", _LOGIN),
    ("3D|42000:1049", _NO_DATABASE),
    ("25006", _READ_ONLY),
    ("42P01|42S02", _NO_TABLE),
    ("42703|42S22", _NO_COLUMN),
    ("42501|42000:1142|42000:1143|42000:1044", _NO_RIGHT),
    ("08|57P|HY000:20(?:06|13|55)", _LOST),
    ("57014|40001|70100|HY000:3024", _ENDED),
    ("42|22|34|0A", _WRONG),
)
"""What SQLSTATEs (of MySQL with its own number) mean, the first that fits."""
_BY_WORDS: tuple[tuple[str, Told], ...] = (
    ("password authentication failed|no password supplied|Access denied|ORA-01017|DPY-4001|Login failed", _LOGIN),
    ("database .* does not exist|Unknown database|Cannot open database", _NO_DATABASE),
    ("ORA-01456|readonly database|read-only transaction", _READ_ONLY),
    ("no such table|Invalid object name|ORA-00942", _NO_TABLE),
    ("no such column|Invalid column name|ORA-00904", _NO_COLUMN),
    ("translate host name|Name or service not known|getaddrinfo|DPY-4000", _NO_HOST),
    ("canceling statement", _ENDED),
    (
        "closed the connection|terminating connection|connection (?:not open|.* lost|.* closed)|Lost connection|DPY-4011|DPY-1001",
        _LOST,
    ),
    ("decode to UTF-8|invalid byte sequence", _NOT_UTF8),
    ("invalid connection option|invalid .*value|unknown keyword|unexpected keyword", _PARAMETER),
    ("syntax error|incomplete input|ORA-009", _WRONG),
    ("connect|timed? ?out|DPY-6", _NO_CONNECTION),
)
"""What the words of servers and libraries mean that give no SQLSTATE, the first that fits."""
_OTHER = ("数据库没有给出结果", "the database gave no result")
_STATE = re.compile(r"SQLSTATE:? ?([0-9A-Z]{5})")


def told(query: Query, error: Exception, rows: int | None) -> InputError:
    """The sentence on what a library raised; `rows` were read by then, None where the query had not begun to give any."""
    said = " ".join(query.database.without_secrets(str(error)).split())
    chinese, english = _meaning(_state(error), said)
    after = ("", "") if not rows else (f"读到第 {rows:,} 行之后，", f"after {rows:,} rows: ")
    # The query may be long, and whoever asked it knows it.
    said = masked(said.split(" Query was:")[0][:400])
    return InputError(f"{query.path}：{after[0]}{both(chinese, after[1] + english)}：{said}")


def missing_library(query: Query, error: ImportError) -> InputError:
    """The sentence where the library that asks such a database is not there."""
    return InputError(
        f"{query.path}：读这种数据库需要附加组件，请运行 pip install 'liangku[databases]'（databases need an extra: install liangku[databases]）：{error}"
    )


def _state(error: Exception) -> str:
    """The SQLSTATE of an error, of MySQL the state and its own number; '' where it has none."""
    state = getattr(error, "sqlstate", None)
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    if number is not None:
        return f"{state or 'HY000'}:{number}"
    found = _STATE.search(str(error))
    return str(state or (found[1] if found else ""))


def _meaning(state: str, said: str) -> Told:
    for pattern, meaning in _BY_STATE if state else ():
        if re.match(pattern, state):
            return meaning
    return next((meaning for pattern, meaning in _BY_WORDS if re.search(pattern, said, re.IGNORECASE)), _OTHER)
