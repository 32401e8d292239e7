"""`liangku audit-log`: the service's log of what was asked, shown and answered."""

from __future__ import annotations

from checker.cli.lazy import LazyGroup

COMMANDS = {
    "verify": ("checker.cli.audit_log.verify", "检查日志是否被改动（whether the log was altered）"),
}

command = LazyGroup(
    "audit-log",
    lazy=COMMANDS,
    help="审计日志：服务收到、提示和得到答复的记录（audit log: what the service was asked, showed and was answered）。",
)
