"""The counter page as a person uses it, in a real browser; whatever the page must never do is noted beside."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, CDPSession, ConsoleMessage, Page, Playwright, Request, sync_playwright

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
"""The browser of the system; best its shell without windows, which shows the same pages for two thirds of the work."""
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
_WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    "resultTypes": ["violations"],
}
# The rows of a long table are made alike, and each costs as much as the first.
_ROWS_ALIKE = {"exclude": [["tbody tr:nth-child(n+13)"]]}
# What Chromium says of an answer 4xx or of a server that is gone; the page tells it in its own words.
_ANSWERED = "Failed to load resource"
DESKTOP = (1280, 900)
PHONE = (360, 740)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of the system."""
    with sync_playwright() as playwright:
        yield _launch(playwright)


def _launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*_ARGUMENTS])


_used: weakref.WeakKeyDictionary[Browser, list[Page]] = weakref.WeakKeyDictionary()
"""Windows that were left as they were found: a new one costs a process, and three times what the test in it does."""


@contextlib.contextmanager
def window(browser: Browser, url: str, size: tuple[int, int] = DESKTOP) -> Iterator[DeskPage]:
    """A window with nothing kept from others; in the end it must have kept the promises of the pages."""
    left = _used.setdefault(browser, [])
    opened = DeskPage(left.pop() if left else new_page(browser), url, size)
    try:
        yield opened
        opened.assert_kept()
        opened.leave()
    except BaseException:
        # What went wrong here is no other test's matter.
        opened.close()
        raise
    left.append(opened.page)


def new_page(browser: Browser) -> Page:
    """A window of its own, which knows nothing of others."""
    return browser.new_context(accept_downloads=True, timezone_id="Asia/Shanghai").new_page()


class DeskPage:
    """One window on the pages of a server. `faults` collects what breaks a promise: see `assert_kept`."""

    def __init__(self, page: Page, url: str, size: tuple[int, int] = DESKTOP) -> None:
        self.page = page
        self.resize(size)
        self.page.set_default_timeout(10_000)
        self.url = url
        self.sent: list[Request] = []
        self.faults: list[str] = []
        self._wire: CDPSession | None = None
        self._hears: dict[Any, Callable[[Any], None]] = {
            "request": lambda request: self.sent.append(request),
            "console": self._said,
            "pageerror": lambda error: self.faults.append(f"error: {error}"),
        }
        for event, hear in self._hears.items():
            self.page.on(event, hear)

    def resize(self, size: tuple[int, int]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def close(self) -> None:
        self.page.context.close()

    def leave(self) -> None:
        """Leave the window as a new one: on no page, with nothing stored, the network and the media as they come."""
        for event, hear in self._hears.items():
            self.page.remove_listener(event, hear)
        if self._wire:
            self.network()
            self._wire.detach()
        self.page.unroute_all(behavior="ignoreErrors")
        self.page.emulate_media(media="null", color_scheme="null")
        if self.page.url.startswith(("http:", "https:")):
            self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        self.page.context.clear_cookies()
        self.page.mouse.move(0, 0)
        self.page.goto("about:blank")

    def open(self, path: str = "/") -> DeskPage:
        self.page.goto(self.url + path)
        return self

    def whom(self, value: str, *, card: str | None = None) -> DeskPage:
        self.page.check(f"[name=whom][value={value}]")
        if card:
            self.page.check(f"[name=card][value={card}]")
        return self

    def person(self, sex: str | None, birth: str = "", *, who: str = "patient") -> DeskPage:
        if sex:
            self.page.check(f"[name={who}-sex][value={sex}]")
        self.page.fill(f"#{who}-birth", birth)
        return self

    def add(self, text: str) -> DeskPage:
        """Type or scan an item: text, then Enter."""
        self.page.fill("#item", text)
        self.page.press("#item", "Enter")
        return self

    def network(self, *, latency: int = 0, offline: bool = False) -> DeskPage:
        """Make the network as slow as this (milliseconds), or take it away."""
        self._wire = self._wire or self.page.context.new_cdp_session(self.page)
        conditions = {"offline": offline, "latency": latency, "downloadThroughput": -1, "uploadThroughput": -1}
        self._wire.send("Network.emulateNetworkConditions", conditions)
        return self

    def scan(self, text: str, delay: int = 5) -> DeskPage:
        """What a scanner does wherever the focus is: keys, each after so many milliseconds, then Enter.

        Each key carries its time, as from a keyboard: on a busy machine they arrive later than they were typed.
        """
        keys = self.page.context.new_cdp_session(self.page)
        began = time.time()
        for number, sign in enumerate([*text, "\r"]):
            key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13} if sign == "\r" else {"key": sign}
            typed = {**key, "timestamp": began + number * delay / 1000}
            time.sleep(max(0.0, typed["timestamp"] - time.time()))
            keys.send("Input.dispatchKeyEvent", {"type": "keyDown", "text": sign, **typed})
            keys.send("Input.dispatchKeyEvent", {"type": "keyUp", **typed})
        keys.detach()
        return self

    def more(self, **fields: str) -> DeskPage:
        """Open what is folded away, and fill its fields by id."""
        self.page.click("#ask summary")
        for name, value in fields.items():
            self.page.fill(f"#{name}", value)
        return self

    @property
    def lights(self) -> list[str | None]:
        """The lights of the rows, the oldest first."""
        return [row.get_attribute("data-light") for row in self.page.query_selector_all("#item-list li")][::-1]

    def concluded(self, kind: str) -> str:
        """Wait for a conclusion and return its words."""
        self.page.wait_for_selector(f'#verdict[data-kind="{kind}"]')
        return self.page.inner_text("#verdict")

    @property
    def kind(self) -> str | None:
        return self.page.get_attribute("#verdict", "data-kind")

    def woman_buys(self, item: str) -> DeskPage:
        """A woman of known age buys an item for herself."""
        return self.whom("self").person("female", "19900501").add(item)

    def press(self, *keys: str) -> DeskPage:
        for key in keys:
            self.page.keyboard.press(key)
        return self

    @property
    def focus(self) -> str:
        """What has the focus: its id, or its text."""
        return str(self.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def decide(self, reason: str, *, text: str = "", operator: str = "", second: str = "", pin: str = "") -> DeskPage:
        """Fill and send the form of the first finding."""
        form = self.page.locator("details.decide").first
        if form.get_attribute("open") is None:
            form.locator("summary").click()
        if reason:
            form.locator("select").select_option(reason)
        for name, value in (("text", text), ("operator", operator), ("second", second), ("pin", pin)):
            if value:
                form.locator(f"input[id^={name}-]").fill(value)
        form.locator("button[type=submit]").click()
        return self

    def bodies(self, path: str) -> list[Any]:
        """What was sent to a path, oldest first."""
        return [json.loads(request.post_data or "null") for request in self.sent if path in request.url]

    def switch_language(self) -> DeskPage:
        self.page.click("#language")
        return self

    def accessibility(self) -> list[str]:
        """What axe finds against WCAG 2.1 A and AA, and against good practice."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate("given => axe.run(...given)", [_ROWS_ALIKE, _WCAG])["violations"]
        return [f"{each['id']}: {[node['html'] for node in each['nodes']][:3]}" for each in found]

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def screenshot(self, file: Path, *, whole: bool = True) -> None:
        self.page.screenshot(path=file, full_page=whole)

    def assert_kept(self) -> None:
        """No request left the origin, the content security policy was not broken, no script failed."""
        outside = [request.url for request in self.sent if not request.url.startswith((self.url, "blob:", "data:"))]
        assert (outside, self.faults) == ([], [])

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and _ANSWERED not in message.text:
            self.faults.append(f"{message.type}: {message.text}")
