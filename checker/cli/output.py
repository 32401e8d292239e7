"""How commands print results for programs."""

from __future__ import annotations

import json

import click

from checker.model.shown import shown


class Printed:
    """Whether the command that runs has printed its document: a fault that it ends with then prints no second one."""

    document = False


def say(text: str) -> None:
    """Print a text that quotes what comes from outside, a name of staff or a file."""
    click.echo(shown(text, lines=True))


def print_json(document: object) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))
    Printed.document = True


def chosen_format(form: str | None, *, as_json: bool) -> str:
    """The format that --format and --json ask for together, `terminal` where neither is given.

    Raises click.UsageError where they ask for two.
    """
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json 与 --format {form} 只能选一个（choose one of --json and --format）")
    return "json" if as_json else form or "terminal"
