"""Refusals: the first ends a scan; who only looks at the inputs collects them, and goes on to what else there is to see."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from checker.model.errors import InputError


class Refusals:
    """What is told of inputs that cannot be used, in the order in which a scan would come to it. With `collect` nothing is raised."""

    def __init__(self, *, collect: bool = False) -> None:
        self._collect = collect
        self.told: list[InputError] = []

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Within, an InputError is one more refusal; it goes on up unless refusals are collected."""
        try:
            yield
        except InputError as error:
            if not self._collect:
                raise
            self.told.append(error)
