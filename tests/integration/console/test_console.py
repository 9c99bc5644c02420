"""`recoup console` on a real stack: events become lines, an account its page, a dead letter an event again."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from playwright.sync_api import Page, expect

from connectors.kafka.sending import Sender
from recoup.audit.acts import newest
from recoup.cli.main import recoup as command_line
from recoup.console.beside import start_beside
from recoup.settings import Settings
from recoup.stack.kept import stop_kept_workers
from recoup.stack.workers import Workers
from tests.conftest import running_stack
from tests.integration.console.running import console
from tests.unit.console.test_decisions import message

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

TENANT = """
tenant_id: shop
name: "<script>window.hacked=1</script>"
currencies: [USD]
time_zone: UTC
country: DE
live_since: 2025-06-01T00:00:00Z
strategy:
  name: test
  steps:
    # A letter, because it may leave at any hour at which the test runs.
    - {id: reminder, at_days: 1, channel: letter, template: overdue_first}
limits:
  contact_hours: [{start: "00:00", end: "24:00"}]
"""
HOSTILE = "<img src=x onerror=window.hacked=1>"
SLOW_MS = 60_000


class Shop:
    """A stack with one tenant and its workers."""

    def __init__(self, home: Path, tenants: Path) -> None:
        self.home = home
        self.tenants = tenants
        self.settings = Settings(home=home)

    def recoup(self, *arguments: str) -> str:
        environment = {"RECOUP_HOME": str(self.home), "RECOUP_TENANTS_DIR": str(self.tenants)}
        done = CliRunner(env=environment).invoke(command_line, list(arguments), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    def reach(self, *accounts: str) -> None:
        """Let letters find these accounts."""
        points = [
            {
                "type": "contact_point.updated",
                "event_id": f"point-{account}",
                "tenant_id": "shop",
                "account_id": account,
                "occurred_at": "2025-07-01T00:00:00Z",
                "source": "crm",
                "channel": "letter",
                "address": "1 High Street, 12345 Town",
            }
            for account in accounts
        ]
        self.send(*points, topic="crm-events")

    def send(self, *messages: dict[str, Any], topic: str = "payment-events") -> None:
        sender = Sender(self.settings.kafka)
        for told in messages:
            sender.send(topic, json.dumps(told).encode(), f"shop|{told['account_id']}".encode())
        sender.flush()


def issued(account: str, invoice: str, **changes: Any) -> dict[str, Any]:
    return {
        "type": "invoice.issued",
        "event_id": f"issued-{account}-{invoice}",
        "tenant_id": "shop",
        "account_id": account,
        "occurred_at": "2025-07-02T00:00:00Z",
        "source": "billing",
        "invoice_id": invoice,
        "amount_minor": 123_456,
        "currency": "USD",
        "due_at": "2025-07-31T00:00:00Z",
    } | changes


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    stacks = running_stack(tmp_path_factory.mktemp("console"))
    shop = Shop(next(stacks).home, tmp_path_factory.mktemp("tenants"))
    (shop.tenants / "shop.yaml").write_text(TENANT)
    shop.recoup("up")
    with Workers(shop.home) as workers:
        workers.start("decide")
        workers.start("land")
        workers.wait_ready()
        yield shop
    next(stacks, None)


@pytest.fixture(scope="module")
def url(shop: Shop) -> Iterator[str]:
    with console(shop.home) as address:
        yield address


def until(page: Page, what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait in the page's own time for something outside of it."""
    for _ in range(round(seconds / 0.25)):
        if holds():
            return
        page.wait_for_timeout(250)
    pytest.fail(f"waited {seconds:g} s for {what}")


def test_what_happens_is_on_the_page_without_loading_it_again(shop, url, visit):
    page = visit(url)
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#systems li[data-state=fine]")).to_have_count(4, timeout=SLOW_MS)
    loaded = page.evaluate("performance.timeOrigin")
    shop.reach(HOSTILE)
    shop.send(issued(HOSTILE, "i1"), issued("a1", HOSTILE))
    page.locator("[data-filter=acts]").click()
    row = page.locator("#decisions-rows a", has_text=HOSTILE)
    expect(row).to_have_count(1, timeout=SLOW_MS)
    expect(row.locator(".action")).to_have_text("contact by letter")
    expect(page.locator("#money tbody tr .open")).to_have_text("2,469.12", timeout=SLOW_MS)
    expect(page.locator("#in-force-body")).to_contain_text("<script>")
    expect(page.locator("#workers-body")).to_contain_text("decide-0")
    expect(page.locator("#tile-to-decision strong")).to_contain_text("ms", timeout=SLOW_MS)
    expect(page.locator("#tile-lag strong")).to_have_text("0", timeout=SLOW_MS)
    assert page.evaluate("performance.timeOrigin") == loaded


def test_an_account_tells_its_story_with_the_whole_decision(shop, url, visit):
    shop.reach("story")
    shop.send(issued("story", "s1"))
    page = visit(f"{url}/#/flow")
    search = page.locator("#search")
    found = page.locator("#found a", has_text="story")

    def known() -> bool:
        search.fill("")
        search.fill("stor")
        page.wait_for_timeout(600)
        return bool(found.count())

    until(page, "the account to have landed", known)
    found.click()
    account = page.locator("#view-account")
    expect(account.locator("h1")).to_have_text("story")
    until(page, "its decision", lambda: look_again(page) and "contact by letter" in (account.text_content() or ""))
    expect(account).to_contain_text("1,234.56 USD")
    expect(account.locator(".actions .chosen th")).to_contain_text("contact by letter")
    expect(account).to_contain_text("invoice s1 over 1,234.56 USD")
    expect(account.locator(".gauge")).to_be_visible()


def look_again(page: Page) -> bool:
    page.get_by_role("button", name="Look again").click()
    page.wait_for_timeout(300)
    return True


def test_a_dead_letter_is_mended_checked_and_sent_again_under_a_name(shop, url, visit):
    shop.send(issued("d1", "m1", amount_minor=-700))
    page = visit(f"{url}/#/letters")
    letter = page.locator(".letter-list a", has_text="negative money")
    expect(letter).to_have_count(1, timeout=SLOW_MS)
    expect(page.locator(".heaps a", has_text="negative money").locator(".number")).to_have_text("1")
    letter.click()
    value = page.locator("#letter-value")
    expect(value).to_have_value(re.compile('"amount_minor": -700'))
    page.get_by_role("button", name="Check").click()
    result = page.locator(".detail .result")
    expect(result).to_contain_text("It would be refused again: negative_money", timeout=SLOW_MS)
    send = page.get_by_role("button", name="Send again")
    expect(send).to_be_disabled()
    value.fill(value.input_value().replace("-700", "700"))
    page.get_by_role("button", name="Check").click()
    expect(result).to_have_text("Checked: it would be taken.", timeout=SLOW_MS)
    send.click()
    expect(result).to_have_text("It was sent to payment-events again.", timeout=SLOW_MS)
    expect(page.locator(".letter-list a[aria-current]")).to_contain_text("sent again")

    def taken() -> bool:
        told = httpx.get(f"{url}/api/account", params={"tenant": "shop", "id": "d1"}, timeout=60).json()
        return bool((told.get("standing") or {}).get("invoices"))

    until(page, "the mended invoice", taken)
    page.goto(f"{url}/#/account/shop/d1")
    expect(page.locator("#view-account")).to_contain_text("7.00 USD", timeout=SLOW_MS)
    (act,) = newest(shop.settings, action="dead_letter", since=None, limit=5)
    looks = newest(shop.settings, action="access", since=None, limit=5)  # it was shown again once it was sent
    assert {look.subject for look in looks} == {act.subject}
    about = {"topic": "payment-events", "reason": "negative_money", "through": "console"}
    assert all(look.details == about for look in looks)
    assert act.subject.startswith("payment-events.dlq:")
    assert act.details == {"topic": "payment-events", "reason": "negative_money", "through": "console", "mended": "yes"}
    assert json.loads(shop.recoup("dlq", "list", "payment-events", "--json"))[0]["replayed"] == 1


def test_a_burst_in_kafka_does_not_freeze_the_page(shop, url, visit):
    page = visit(url)
    expect(page.locator("#live")).to_have_text("live")
    seconds, rate = 4, 5_000
    before = int(page.evaluate("Number(document.documentElement.dataset.updates)"))
    began = page.evaluate("performance.now()")
    sender = Sender(shop.settings.kafka)
    answers = []
    for slice_ in range(seconds * 10):
        for n in range(rate // 10):
            account = f"b{slice_}-{n}"
            value = message(tenant_id="shop", account_id=account, decision_id=account, event_id=account)
            sender.send("next-best-actions", value, f"shop|{account}".encode())
        asked = page.evaluate("performance.now()")
        page.evaluate("new Promise((done) => setTimeout(done, 0))")
        answers.append(page.evaluate("performance.now()") - asked)
        wait = (slice_ + 1) * 100 - (page.evaluate("performance.now()") - began)
        if wait > 0:
            page.wait_for_timeout(wait)
    sender.flush()
    took = (page.evaluate("performance.now()") - began) / 1000
    updates = int(page.evaluate("Number(document.documentElement.dataset.updates)")) - before
    assert sorted(answers)[len(answers) // 2] < 100
    assert 0 < updates <= 4 * took + 1
    note = page.locator("#decisions-note")
    until(
        page,
        "all to be counted",
        lambda: int((note.text_content() or "0").split()[0].replace(",", "")) >= seconds * rate,
    )


def test_a_page_finds_a_console_that_was_started_anew(shop, visit):
    with console(shop.home) as address:
        page = visit(address, forgives="Failed to load resource")
        expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#live")).to_have_text("no connection")
    with console(shop.home, "--port", address.rpartition(":")[2]):
        expect(page.locator("#live")).to_have_text("live", timeout=SLOW_MS)


def test_a_token_is_asked_for_once_and_leaves_the_address(shop, visit):
    token = "a-token-of-some-length"
    with console(shop.home, RECOUP_CONSOLE__TOKEN=token) as address:
        assert httpx.get(address).status_code == 401
        page = visit(f"{address}/?token={token}#/letters")
        expect(page.locator("#live")).to_have_text("live")
        assert page.url == f"{address}/#/letters"
        page.reload()
        page.goto(f"{address}/#/flow")
        expect(page.locator("#live")).to_have_text("live")
        page.goto("about:blank")


def test_a_console_started_beside_a_demo_stays_and_stops_with_the_workers(shop):
    address = start_beside(shop.settings)
    assert start_beside(shop.settings) == address, "one that runs is found"
    assert httpx.get(address).status_code == 200
    assert "console" in stop_kept_workers(shop.home)
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)
