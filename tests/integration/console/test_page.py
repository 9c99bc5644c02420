"""The page in a real browser, fed by a console without servers behind it: it stays calm, reachable and safe at any rate."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, expect

from recoup.console.flow import Streaming, Worker, Working
from recoup.console.in_force import InForce, Stopped
from recoup.console.letters import Shown
from recoup.console.warehouse import Bucket, Denied, Expected, Heap, Landed, Money
from recoup.explain.decision import decision_from
from recoup.explain.standing import Invoice, Standing
from recoup.explain.story import Chapter, Story
from tests.unit.console.served import Served, served
from tests.unit.console.test_decisions import VALUED, WAITED, message

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

HOSTILE = "<img src=x onerror=window.hacked=1>"
SCRIPT = "<script>window.hacked=1</script>"
LINK = "javascript:window.hacked=1"
POINTS: list[float | None] = [None] * 30 + [float(n) for n in range(30)]


@pytest.fixture
def console() -> Iterator[Served]:
    with served() as running:
        fill(running)
        yield running


def fill(console: Served) -> None:
    """Every part of the page once."""
    put = console.hub.put
    put("stream", Streaming(1_234.0, 310.0, 4, 0.2, POINTS, POINTS, POINTS))
    crew = (Worker("decide-0", "decide", "working", ready=True, partitions=8),)
    put("working", Working(crew, 480.0, (41.0, 190.0), (900.0, 1_800.0), POINTS, POINTS, POINTS))
    ages = tuple(Bucket(name, 1_000_000, 10) for name in ("current", "1-30", "31-60", "61-90", "90+"))
    put("money", [money("acme", "USD", ages), money("kiosk", "JPY", ages), money(SCRIPT, "EUR", ages)])
    put("forecast", [Expected("acme", "USD", 2_500_000, 2_000_000, 3_000_000)])
    put("denied", [Denied("acme", "RF-1", "At most 7 calls in 7 days.", 12), Denied("acme", SCRIPT, HOSTILE, 3)])
    put("heaps", [Heap("payment-events", "negative_money", 3, 1, 1_790_000_000_000)])
    released = InForce("acme", HOSTILE, ("USD",), "UTC", True, "ab" * 32, None, "", SCRIPT, None, 0.05, 0.1)  # noqa: FBT003
    put("in_force", [released])
    put("stopped", [Stopped("acme", "sms", "anna", 1_790_000_000_000, HOSTILE)])
    put(
        "sources",
        [{"system": "Kafka", "state": "fine", "says": ""}, {"system": "Redis", "state": "away", "says": SCRIPT}],
    )
    console.decisions.take([message(decision_id=f"d{n}", account_id=f"A-{n}") for n in range(5)])
    console.decisions.take([message(decision_id="hostile", account_id=LINK, tenant_id=HOSTILE)])


def money(tenant: str, currency: str, ages: tuple[Bucket, ...]) -> Money:
    return Money(tenant, currency, "2026-11-28", 5_000_000, 4_000_000, ages, tuple(range(1_000, 15_000, 1_000)))


def story(account: str = "A-1") -> Story:
    payload = message(account_id=account)
    fields = msgspec.json.decode(payload)
    decided = Chapter(
        at=datetime.fromisoformat(VALUED["occurred_at"]),
        topic="next-best-actions",
        place="",
        says="decided",
        fields=fields,
        decision=decision_from(payload),
    )
    paid = msgspec.structs.replace(decided, topic="payment-events", says=f"paid 12.00 USD of {SCRIPT}", decision=None)
    invoice = Invoice(HOSTILE, 12_345, 20_000, "USD", "2026-10-01T00:00:00+00:00", 58, True, ("letter",))  # noqa: FBT003
    standing = Standing(
        {"USD": 12_345}, (invoice,), (), (), 0, (SCRIPT,), 2, 1, (), ("email",), 0, (), 3, "contact", None
    )
    return Story("acme", account, "America/New_York", standing, (paid, decided), False)  # noqa: FBT003


def letter(at: str, **changes: Any) -> Shown:
    shown = Shown(
        at=at,
        topic="payment-events",
        reason="negative_money",
        field="amount_minor",
        detail="below 0",
        came_from="payment-events:0:7",
        attempt=1,
        first_seen=None,
        key="acme|A-1",
        headers={},
        size=20,
        value='{"amount_minor": -5}',
        editable=True,
        replayed=False,
    )
    return msgspec.structs.replace(shown, **changes)


def live(page: Page) -> None:
    expect(page.locator("#live")).to_have_text("live")


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_all_parts_are_shown_and_amounts_have_their_currencys_decimals(console, visit):
    page = visit(console.url)
    live(page)
    expect(page.locator("#tile-events strong")).to_have_text("1,234")
    expect(page.locator("#tile-lag .note").first).to_have_text("oldest waits 0.2 s")
    rows = page.locator("#money tbody tr")
    expect(rows.nth(0).locator(".open")).to_have_text("50,000")
    expect(rows.nth(0).locator(".today")).to_have_text("140.00")
    expect(rows.nth(0).locator(".forecast")).to_contain_text("20,000 to 30,000")
    expect(rows.nth(1).locator(".today")).to_have_text("14,000")  # a yen has no decimals
    expect(rows.nth(1).locator(".forecast")).to_have_text("no forecast")
    expect(page.locator("#denied-rows")).to_contain_text("At most 7 calls in 7 days.")
    expect(page.locator("#in-force-body")).to_contain_text("abababababab")
    expect(page.locator("#stopped")).to_contain_text("sms of acme stopped by anna")
    expect(page.locator("#systems li").nth(1)).to_contain_text("away")
    expect(page.locator("#letters-badge")).to_have_text("2")


def test_letters_of_which_too_many_were_sent_again_to_ask_are_at_most_so_many(console, visit):
    page = visit(console.url)
    live(page)
    expect(page.locator("#tile-letters .note").last).to_have_text("of 1 kind")
    console.hub.put("heaps", [Heap("payment-events", "negative_money", 6_000, None, 1_790_000_000_000)])
    expect(page.locator("#letters-badge")).to_have_text("≤ 6,000")
    expect(page.locator("#letters-badge")).to_have_attribute("aria-label", "at most 6,000 that nobody has sent again")
    expect(page.locator("#tile-letters strong")).to_have_text("6,000")
    expect(page.locator("#tile-letters .note").last).to_have_text("at most, of 1 kind")


def test_names_that_look_like_code_are_texts(console, visit):
    console.desk.stories[HOSTILE, LINK] = story(LINK)
    at = f"payment-events.dlq:0:{HOSTILE}"
    console.desk.shown[at] = letter(
        at, reason=SCRIPT, field=HOSTILE, key=HOSTILE, headers={SCRIPT: HOSTILE}, value=SCRIPT
    )
    console.desk.found = [{"tenant_id": HOSTILE, "account_id": LINK}]
    page = visit(console.url)
    live(page)
    row = page.locator("#decisions-rows a", has_text=LINK)
    expect(row).to_have_attribute("href", f"#/account/{encoded(page, HOSTILE)}/{encoded(page, LINK)}")
    row.click()
    expect(page.locator("#view-account h1")).to_have_text(LINK)
    expect(page.locator("#view-account")).to_contain_text(HOSTILE)
    page.locator("#search").fill("javascript")
    page.locator("#found a").click()
    page.goto(f"{console.url}/#/letters")
    page.locator(".letter-list a").click()
    expect(page.locator("#letter-value")).to_have_value(SCRIPT)
    assert page.locator("img, main script, iframe, object").count() == 0
    assert page.evaluate("window.hacked ?? null") is None


def encoded(page: Page, text: str) -> str:
    return str(page.evaluate("encodeURIComponent", text))


@pytest.mark.parametrize("hash_", ["#/flow", "#/account/acme/A-1", "#/letters"])
def test_a_narrow_screen_scrolls_in_one_direction_only(console, visit, hash_):
    console.desk.stories["acme", "A-1"] = story()
    page = visit(f"{console.url}/{hash_}", width=390, height=844)
    live(page)
    if "account" in hash_:
        expect(page.locator("#view-account .actions")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for target in page.locator("button:visible, .tabs a").all():
        box = target.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390


def test_colours_follow_the_system_until_somebody_chooses(console, visit):
    dark, light = visit(console.url, scheme="dark"), visit(console.url, scheme="light")
    night, day = background(dark), background(light)
    assert night != day
    light.locator("#theme").click()
    assert background(light) == night
    light.reload()
    assert background(light) == night, "it is remembered"
    light.locator("#theme").click()
    light.locator("#theme").click()
    assert background(light) == day


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("hash_", ["#/flow", "#/account/acme/A-1", "#/letters"])
def test_every_text_stands_out_from_its_ground(console, visit, hash_, scheme):
    console.desk.stories["acme", "A-1"] = story()
    page = visit(f"{console.url}/{hash_}", scheme=scheme)
    live(page)
    if "account" in hash_:
        expect(page.locator("#view-account .actions")).to_be_visible()
    assert page.evaluate(FAINT) == []


FAINT = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (element) => {
    const stack = [];
    for (let at = element; at; at = at.parentElement) stack.unshift(parse(getComputedStyle(at).backgroundColor));
    return stack.reduce((below, colour) => over(colour, below), [255, 255, 255]);
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest(".unseen, .skip, :disabled")) continue;
    const below = ground(element);
    const [one, other] = [light(over(parse(getComputedStyle(element).color), below)), light(below)].sort();
    const contrast = (other + 0.05) / (one + 0.05);
    if (contrast < 4.5) faint.push([element.className || element.nodeName, element.textContent.slice(0, 30), contrast]);
  }
  return faint;
}"""


def test_everything_can_be_named_and_reached_without_a_mouse(console, visit):
    console.desk.found = [{"tenant_id": "acme", "account_id": f"A-{n}"} for n in range(3)]
    for known in (LINK, *(f"A-{n}" for n in range(5))):
        for tenant in ("acme", VALUED["tenant_id"], HOSTILE):
            console.desk.stories[tenant, known] = story(known)
    page = visit(console.url)
    live(page)
    nameless = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, textarea, section')].filter((one) => one.checkVisibility()"
        " && !(one.textContent.trim() || one.ariaLabel || one.labels?.length || one.getAttribute('aria-labelledby')))"
        ".map((one) => one.outerHTML)"
    )
    assert nameless == []
    page.keyboard.press("Tab")
    expect(page.locator("#skip")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("A-")
    expect(page.locator("#found li")).to_have_count(3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#view-account h1")).to_have_text("A-1")
    page.goto(f"{console.url}/#/decisions")
    lines = page.locator("#decisions-rows a")
    expect(lines.nth(0)).to_have_attribute("href", page_hash := lines.nth(0).get_attribute("href") or "")
    lines.nth(0).focus()
    page.keyboard.press("ArrowDown")
    expect(lines.nth(1)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    expect(lines.nth(0)).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "who moves by keys sees where they are"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{page_hash}")


def test_a_reader_can_pause_and_filter(console, visit):
    page = visit(console.url)
    live(page)
    first = page.locator("#decisions-rows .who").first
    page.locator("#decisions-title").hover()
    page.keyboard.press("p")
    expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
    shown = first.text_content()
    console.decisions.take([message(WAITED, decision_id=f"w{n}", account_id="LATER") for n in range(7)])
    expect(page.locator("#decisions-note")).to_contain_text("paused, 7 newer")
    assert first.text_content() == shown
    page.locator("#pause").click()
    expect(first).to_contain_text("LATER")
    page.locator("[data-filter=acts]").click()
    expect(first).not_to_contain_text("LATER")


def test_a_burst_of_five_thousand_a_second_does_not_freeze_the_page(console, visit):
    page = visit(console.url)
    live(page)
    seconds, rate, every = 4, 5_000, 0.05
    some = [
        message(WAITED if n % 3 else VALUED, decision_id=f"b{n}", account_id=f"B-{n}")
        for n in range(round(rate * every))
    ]
    over = threading.Event()

    def pour() -> None:
        began, poured = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            while poured < passed * rate:
                console.decisions.take(some)
                poured += len(some)
            console.hub.put("stream", Streaming(5_000.0, poured / max(passed, 0.1), 9, 0.1, POINTS, POINTS, POINTS))
            time.sleep(every)
        over.set()

    before, began = int(page.evaluate("Number(document.documentElement.dataset.updates)")), time.monotonic()
    pouring = threading.Thread(target=pour)
    pouring.start()
    answers = []
    while not over.is_set():
        asked = time.monotonic()
        page.evaluate("new Promise((done) => setTimeout(done, 0))")
        page.locator("#pause").is_enabled()
        answers.append(time.monotonic() - asked)
    pouring.join()
    took = time.monotonic() - began
    updates = int(page.evaluate("Number(document.documentElement.dataset.updates)")) - before
    assert sorted(answers)[len(answers) // 2] < 0.1, "the page answers"
    assert page.evaluate("window.longest") < 1_000 * 0.25, "nothing holds it for a whole update"
    assert 0 < updates <= 4 * took + 1
    assert page.locator("#decisions-rows li").count() == 30
    expect(page.locator("#decisions-note")).to_contain_text("in the last minute")
    counted = int((page.locator("#decisions-note").text_content() or "").split()[0].replace(",", ""))
    assert counted >= 0.9 * seconds * rate, "all of them are counted"


def test_a_page_that_hears_nothing_says_so_and_comes_back_by_itself(visit):
    with served() as running:
        url = running.url
        page = visit(url, forgives="Failed to load resource")
        live(page)
    expect(page.locator("#live")).to_have_text("no connection")
    assert url.startswith("http://127.0.0.1:")


def test_what_a_source_said_last_is_faint_while_it_is_away_and_workers_are_replaced_by_the_warehouse(console, visit):
    page = visit(console.url)
    live(page)
    expect(page.locator("#tile-rows strong")).to_have_text("480")
    console.hub.put("landed", Landed(25.0, (700.0, 900.0), None))
    console.hub.put(
        "sources",
        [{"system": "Workers", "state": "away", "says": ""}, {"system": "ClickHouse", "state": "away", "says": ""}],
    )
    expect(page.locator("#tile-rows strong")).to_have_text("25")
    expect(page.locator("#tile-to-row strong")).to_have_text("700 ms")
    expect(page.locator("#tile-to-decision .note").first).to_have_text("nothing in the last minute")
    expect(page.locator("#money-body")).to_have_css("opacity", "0.6")
    expect(page.locator("#tile-events")).to_have_css("opacity", "1")


def test_a_letter_is_checked_before_it_can_be_sent(console, visit):
    at = "payment-events.dlq:0:12"
    console.desk.shown[at] = letter(at)
    page = visit(f"{console.url}/#/letters")
    live(page)
    page.locator(".letter-list a").click()
    send = page.get_by_role("button", name="Send again")
    expect(send).to_be_disabled()
    page.get_by_role("button", name="Check").click()
    expect(send).to_be_enabled()
    page.locator("#letter-value").fill('{"amount_minor": 5}')
    expect(send).to_be_disabled()  # what was checked is not what would be sent
    page.get_by_role("button", name="Check").click()
    send.click()
    expect(page.locator(".detail .result")).to_have_text("It was sent again.")
    (sent,) = console.desk.sent
    assert (sent.at, sent.value) == (at, '{"amount_minor": 5}')
