"""`liangku feedback`: what became of the findings that the service showed."""

from __future__ import annotations

from checker.cli.lazy import LazyGroup

COMMANDS = {
    "report": (
        "checker.cli.feedback.report",
        "遵从率、可能有误的知识点、重复提醒（what became of the findings shown）",
    ),
}

command = LazyGroup(
    "feedback",
    lazy=COMMANDS,
    help="反馈：提醒之后怎样处理（feedback: what was done about the findings shown）。",
)
