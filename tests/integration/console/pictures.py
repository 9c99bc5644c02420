"""Takes the pictures of the console that the guides show, of a console that runs beside a demo with events flowing.

Example:  recoup demo --keep && recoup simulate --rate 40 &
          python -m tests.integration.console.pictures http://127.0.0.1:8642 acme C1000283
"""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).parents[3] / "docs" / "pictures"
SETTLED_MS = 10_000
MOST_MS = 120_000
COLOURS = 256
"""Flat areas and text lose nothing, and a picture stays below 300 kB."""


def main(url: str, tenant: str, account: str) -> None:
    """Take all of them."""
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for scheme in ("dark", "light"):
            take(browser, f"{url}/#/flow", f"console-{scheme}", now, scheme=scheme, height=1340)
        of_account = f"{url}/#/account/{tenant}/{account}"
        take(browser, of_account, "console-account", actions, height=1180)
        take(browser, of_account, "console-account-390", actions, scheme="dark", width=390, height=1600)
        take(browser, f"{url}/#/letters", "console-letters", mended)
        browser.close()


def take(
    browser: Browser,
    address: str,
    name: str,
    ready: Callable[[Page], None],
    *,
    scheme: str = "light",
    width: int = 1440,
    height: int = 900,
) -> None:
    """One picture, when the page shows what it is about."""
    narrow = width < 720
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        is_mobile=narrow,
        has_touch=narrow,
    )
    context.set_default_timeout(MOST_MS)
    page = context.new_page()
    page.goto(address)
    ready(page)
    path = FOLDER / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    page.screenshot(path=path)
    context.close()
    Image.open(path).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def now(page: Page) -> None:
    """With a forecast and some minutes of flow."""
    page.wait_for_selector("#money .forecast[data-state=known]")
    page.wait_for_selector("#denied-rows .rule")
    page.wait_for_timeout(SETTLED_MS)


def actions(page: Page) -> None:
    """With everything that was looked at."""
    page.wait_for_selector(".actions tbody tr")


def mended(page: Page) -> None:
    """A letter of an impossible time, with a possible one, checked."""
    page.locator(".letter-list a", has_text="future time").last.click()
    value = page.locator("#letter-value")
    text = re.sub(r'("occurred_at": ")[^"]+', r"\g<1>2026-01-05T09:00:00Z", value.input_value())
    value.fill(text)
    page.get_by_role("button", name="Check").click()
    page.wait_for_selector(".result[data-state=fine], .result[data-state=bad]")


if __name__ == "__main__":
    main(*sys.argv[1:])
