"""What tests of the service share: the real server, and the system's browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.service.serving import Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with everything as it comes, but two persons for definite findings."""
    with serving(tmp_path_factory.mktemp("server"), "two_person = true\n") as running:
        yield running
