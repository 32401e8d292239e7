"""Makes the pictures of the pages for the README, from the real server: `python -m tests.service.make_screenshots`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.service.desk_page import PHONE, DeskPage, chromium, new_page, window
from tests.service.serving import ROOT, Server, serving

IMAGES = ROOT / "docs" / "images"
_SIZE = (1100, 500)
_LEDGER_SIZE = (1280, 640)
_BYTES_MOST = 150_000


def make(folder: Path) -> list[Path]:
    """Write the pictures into a folder; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, chromium() as browser:
        with serving(Path(data), "two_person = true\n") as server:
            written = _of_server(browser, server, folder)
            failed = DeskPage(new_page(browser), server.url, _SIZE)
            failed.open().whom("self").person("male", "36").add("爱普列特片").concluded("clear")
        failed.press("Alt+KeyC").concluded("error")
        written.append(_shot(failed, folder / "error.png"))
        failed.close()
        browser.close()
    return written


def _of_server(browser: Browser, server: Server, folder: Path) -> list[Path]:
    written = []
    with window(browser, server.url, _SIZE) as desk:
        desk.open().whom("self").person("male", "36").add("爱普列特片").concluded("clear")
        written.append(_shot(desk, folder / "clear.png"))
        desk.press("Alt+KeyN").whom("child").person("male", "6").person("female", "19900501", who="insured")
        desk.add("盐酸可乐定缓释片").concluded("definite")
        written.append(_shot(desk, folder / "red.png"))
        desk.press("Alt+KeyN").woman_buys("爱普列特片").concluded("suspect")
        written.append(_shot(desk, folder / "yellow.png"))
        desk.press("Alt+KeyN").whom("self").add("爱普列特片").page.wait_for_selector("#item-list li")
        desk.press("Alt+KeyC").concluded("undetermined")
        written.append(_shot(desk, folder / "undetermined.png"))
    with window(browser, server.url, _LEDGER_SIZE) as desk:
        desk.open("/ledger").page.wait_for_selector("tbody tr")
        written.append(_shot(desk, folder / "ledger.png"))
    with window(browser, server.url, PHONE) as phone:
        phone.open().woman_buys("爱普列特片").concluded("suspect")
        phone.page.locator("article").scroll_into_view_if_needed()
        phone.page.mouse.wheel(0, 300)
        phone.page.wait_for_timeout(300)
        written.append(_shot(phone, folder / "phone.png", phone=True))
    return written


def _shot(desk: DeskPage, file: Path, *, phone: bool = False) -> Path:
    if not phone:
        desk.page.evaluate("scrollTo(0, 0)")
    desk.screenshot(file, whole=False)
    if file.stat().st_size > _BYTES_MOST:
        sys.exit(f"{file}: {file.stat().st_size} bytes, more than {_BYTES_MOST}")
    return file


if __name__ == "__main__":
    for path in make(IMAGES):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} kB")
