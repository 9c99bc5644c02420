"""One visit of a page: what the browser complains of, and how far what is shown jumped, is remembered to its end."""

from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage

MOST_SHIFT = 0.05
"""Half of what Web Vitals call good; only shifts that nobody caused count."""
WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifts.push([entry.value, ...entry.sources.map(({ node }) => node?.id || node?.nodeName)]);
  }
}).observe({ type: "layout-shift", buffered: true });
window.longest = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
}).observe({ type: "longtask", buffered: true });
"""


class Visit:
    """A page with its own storage. `forgives` = a part of complaints that the test itself causes."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        width: int = 1440,
        height: int = 900,
        scheme: Any = "light",
        forgives: str = "",
    ) -> None:
        self.complaints: list[str] = []
        self.forgives = forgives
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.context.set_default_timeout(30_000)
        self.page = self.context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.add_init_script(WATCH)
        self.page.goto(url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not (self.forgives and self.forgives in message.text):
            self.complaints.append(message.text)

    def end(self) -> None:
        """Close it; fails when something was wrong."""
        shifts = self.page.evaluate("window.shifts ?? []")
        hacked = self.page.evaluate("window.hacked ?? null")
        self.context.close()
        if self.complaints:
            pytest.fail(f"the browser complains: {self.complaints}")
        if hacked is not None:
            pytest.fail("something that came from data was run")
        if sum(shift[0] for shift in shifts) >= MOST_SHIFT:
            pytest.fail(f"what is shown jumps: {shifts}")
