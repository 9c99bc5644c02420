"""A finished demo can be looked at: its money, its forecast, what was denied, and somebody who was contacted."""

import re

import pytest
from playwright.sync_api import expect

from recoup.settings import Settings
from recoup.warehouse import Warehouse
from tests.integration.console.running import console

pytestmark = pytest.mark.browser

SLOW_MS = 60_000


def test_a_finished_demo_can_be_looked_at(demo_home, visit):
    tenant, account = "acme", contacted(demo_home)
    with console(demo_home.home) as address:
        page = visit(address)
        expect(page.locator("#money tbody tr")).to_have_count(3, timeout=SLOW_MS)
        expect(page.locator("#money .forecast[data-state=known]").first).to_be_visible(timeout=SLOW_MS)
        expect(page.locator("#denied-rows .rule").first).to_be_visible(timeout=SLOW_MS)
        expect(page.locator("#systems li", has_text="Workers")).to_contain_text("away")
        page.goto(f"{address}/#/account/{tenant}/{account}")
        expect(page.locator(".actions tbody tr").first).to_be_visible(timeout=SLOW_MS)
        page.get_by_role("button", name="Contacts").click()
        expect(page.locator(".story li").first).to_contain_text(re.compile("contact|request"))
        page.goto("about:blank")


def contacted(demo: Settings) -> str:
    """Somebody who was contacted lately."""
    with Warehouse(demo) as warehouse:
        found = warehouse.query(
            "SELECT account_id FROM contacts WHERE tenant_id = 'acme' AND sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 1"
        )
    return str(found["account_id"].iloc[0])
