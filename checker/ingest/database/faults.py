"""What a database answers instead of rows, in one sentence: which database, what is wrong, and what to do."""

from __future__ import annotations

import re

from checker.ingest.database.query import Query
from checker.ingest.database.url import PASSWORD_VARIABLE
from checker.model.errors import InputError, both

Told = tuple[str, str]
_BY_STATE: tuple[tuple[str, Told], ...] = (
    (
        "28",
        (
            "用户名或密码不对，或这个用户不许从这里登录；密码请放在环境变量 " + PASSWORD_VARIABLE,
            "wrong user or password",
        ),
    ),
    ("3D|42000:1049", ("没有这个数据库，请检查地址末尾的名称", "no such database")),
    (
        "25006",
        (
            "这条查询会写入，而会话是只读的，没有执行；请改为只读取数据的查询",
            "the query writes, and the session is read-only: nothing was written",
        ),
    ),
    ("42P01|42S02", ("没有这张表或视图，请检查表名和模式名", "no such table or view")),
    ("42703|42S22", ("没有这一列，请检查列名", "no such column")),
    ("42501|42000:1142|42000:1143|42000:1044", ("这个用户无权读取，请向数据库管理员申请只读权限", "permission denied")),
    (
        "08|57P|HY000:20(?:06|13|55)",
        ("与数据库的连接断了，请检查网络和服务器后重新运行", "the connection was lost: run it again"),
    ),
    (
        "57014|70100|HY000:3024",
        ("服务器中止了这条查询（超时或被取消），请缩小范围后重新运行", "the server ended the query"),
    ),
    ("42|22|34|0A", ("服务器不能执行这条查询，请检查写法", "the server cannot run the query: check it")),
)
"""What SQLSTATEs (of MySQL with its own number) mean, the first that fits."""
_BY_WORDS: tuple[tuple[str, Told], ...] = (
    (r"password authentication failed|no password supplied|Access denied|ORA-01017|DPY-4001|Login failed", _BY_STATE[0][1]),
    (r"database .* does not exist|Unknown database|Cannot open database", _BY_STATE[1][1]),
    (r"ORA-01456|readonly database|read-only transaction", _BY_STATE[2][1]),
    (r"no such table|Invalid object name|ORA-00942", _BY_STATE[3][1]),
    (r"no such column|Invalid column name|ORA-00904", _BY_STATE[4][1]),
    (r"translate host name|Name or service not known|getaddrinfo|DPY-4000", ("找不到这台主机，请检查主机名", "unknown host")),
    (r"server closed the connection|connection (?:not open|.* lost|.* closed)|Lost connection|DPY-4011|DPY-1001", _BY_STATE[6][1]),
    (r"decode to UTF-8|invalid byte sequence", ("有的文字不是 UTF-8，请先转换编码，或导出为 CSV 后读取", "a text is not UTF-8: convert it, or export CSV")),
    (r"invalid connection option|invalid .*value|unknown keyword|unexpected keyword",
     ("地址里的参数不对，请检查 ? 之后的部分", "a wrong parameter: check what stands after ?")),
    (r"syntax error|incomplete input|ORA-009", _BY_STATE[8][1]),
    (r"connect|timed? ?out|DPY-6", ("连接不上，请检查主机、端口、网络和防火墙，以及数据库是否在运行", "cannot connect: check host, port, network and server")),
)  # fmt: skip
"""What the words of servers and libraries mean that give no SQLSTATE, the first that fits."""
_OTHER = ("数据库没有给出结果", "the database gave no result")
_STATE = re.compile(r"SQLSTATE:? ?([0-9A-Z]{5})")


def told(query: Query, error: Exception, rows: int | None) -> InputError:
    """The sentence on what a library raised; `rows` were read by then, None where the query had not begun to give any."""
    said = " ".join(query.database.without_secrets(str(error)).split())
    chinese, english = _meaning(_state(error), said)
    after = ("", "") if not rows else (f"读到第 {rows:,} 行之后，", f"after {rows:,} rows: ")
    # The query may be long, and whoever asked it knows it.
    said = said.split(" Query was:")[0][:400]
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
