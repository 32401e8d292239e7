"""What tests of the service share: the real server, and windows of the system's browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.service.serving import Server, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.service.desk_page import DeskPage


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with everything as it comes, but two persons for definite findings."""
    with serving(tmp_path_factory.mktemp("server"), "two_person = true\n") as running:
        yield running


# Not for the whole session: Playwright leaves a running event loop behind it until it ends.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of the system; without it, or without Playwright, the test is skipped."""
    pytest.importorskip("playwright", reason="pages are tested in a browser: pip install playwright")
    pytest.importorskip("axe_playwright_python", reason="pages are tested by axe: pip install axe-playwright-python")
    from tests.service import desk_page

    if desk_page.CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with desk_page.chromium() as opened:
        yield opened
        opened.close()


@pytest.fixture
def desk(browser: Browser, server: Server) -> Iterator[DeskPage]:
    """A window that is open on the counter page; after the test it must have kept the promises of the pages."""
    from tests.service.desk_page import window

    with window(browser, server.url) as opened:
        yield opened.open()
