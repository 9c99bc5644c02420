"""A real browser for the tests of the console; where there is none they are skipped, and in continuous integration fail."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WITHOUT = "There is no Chromium, so the console was not tried in a browser: apt-get install chromium"

expect.set_options(timeout=30_000)
"""Most parts of the page follow within 5 s; on a machine that is busy, later."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(WITHOUT)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Any]:
    """Opens pages that fail the test when the console of the browser complains, or when what is shown jumps."""
    visits: list[Any] = []

    def open_page(url: str, **options: Any) -> Any:
        from tests.integration.console.visit import Visit  # noqa: PLC0415

        visits.append(Visit(browser, url, **options))
        return visits[-1].page

    yield open_page
    for visit in visits:
        visit.end()
