"""An option that takes all values up to the next option, so that a shell may expand `--claims data/*.parquet`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click


class ManyClaims(click.Command):
    """A command whose `--claims` takes one or more values; arguments stand before it, or after another option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its values, as click wants it."""
        return super().parse_args(ctx, list(_repeated("--claims", args)))


def _repeated(option: str, args: Sequence[str]) -> Iterator[str]:
    taking = False
    for place, word in enumerate(args):
        if word == "--":
            yield from args[place:]
            return
        if word.startswith("-") and word != "-":
            taking = word == option
            yield word
        elif taking and args[place - 1] != option:
            yield from (option, word)
        else:
            yield word
