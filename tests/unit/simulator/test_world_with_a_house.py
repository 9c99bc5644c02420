"""The world as the demo's past uses it: tenants and a start of the caller's, a house that telephones and writes off."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from models.account.state import decode
from models.calendar import HOUR, instant
from models.core import step
from recoup.simulator.world.house import House
from recoup.simulator.world.log import Kept
from recoup.simulator.world.opening import invoice_of
from recoup.simulator.world.population import FOLDER, NEVER, Population
from recoup.simulator.world.portfolio import Market, Portfolio
from recoup.simulator.world.run import Run, World
from recoup.tenants import read_folder
from schemas import crm, interactions, payments

CUSTOMERS, DAYS = 100, 130
MIDNIGHT = instant(datetime(2025, 3, 1, tzinfo=UTC))
LATEST = MIDNIGHT + (DAYS - 1) * 24 * HOUR + 9 * HOUR
HOUSE = House(agents=("ann", "bob"), link_in_mails=True, written_off_after=60, decides_after=900, sends_after=2_400)
PORTFOLIO = Portfolio(
    markets={"brightwater": Market(share=1.0, countries=("US",), amount=(5.0, 0.6), again=1.0)},
    first_number=1_000_000,
    invoices=8,
    first_due=(-12, 60),
    paid_until=8,
    new_after=24,
    within_the_hour=True,
)


@pytest.fixture(scope="module")
def lived():
    tenants = {"brightwater": read_folder(FOLDER)["brightwater"]}
    live = {"brightwater": replace(tenants["brightwater"], live_since=datetime(2020, 1, 1, tzinfo=UTC))}
    world = World(Population(7, CUSTOMERS, live, PORTFOLIO), MIDNIGHT, HOUSE)
    log = Kept(CUSTOMERS)
    run = Run(world, lambda work: step(work, live, "live"), DAYS, log, until=LATEST)
    run.whole(None)
    return run, log.accounts


def events_of(accounts, kind):
    return [event for account in accounts for event in account.events if type(event) is kind]


def test_world_and_core_agree_on_every_cent_also_of_what_was_written_off(lived):
    run, accounts = lived
    assert events_of(accounts, payments.InvoiceWrittenOff)
    for customer in range(CUSTOMERS):
        facts = decode(run.blobs[customer]).facts.payments
        left = {name: its.rest for name, its in facts.invoices.items() if its.known and its.rest}
        truth = {invoice_of(customer, place): int(left) for place, left in enumerate(run.life.left[customer]) if left}
        assert left == truth


def test_nothing_happens_after_the_last_hour_or_on_another_moment_than_the_customers_own(lived):
    run, accounts = lived
    moments = run.world.population.moment.tolist()
    assert len(set(moments)) > CUSTOMERS * 0.9
    for moment, account in zip(moments, accounts, strict=True):
        for decision, _ in account.decisions:
            assert instant(decision.occurred_at) % HOUR == (moment + HOUSE.decides_after) % HOUR
            assert instant(decision.occurred_at) < LATEST + HOUR + HOUSE.decides_after
        for event in account.events:
            assert instant(event.occurred_at) <= LATEST + moment


def test_a_contact_leaves_after_its_decision(lived):
    _, accounts = lived
    decided = {decision.decision_id: decision for account in accounts for decision, _ in account.decisions}
    sent = [event for event in events_of(accounts, interactions.ContactSent) if event.decision_id is not None]
    assert sent
    for event in sent:
        assert event.occurred_at > decided[event.decision_id].occurred_at


def test_calls_say_who_made_them_and_how_long_they_took(lived):
    _, accounts = lived
    calls = events_of(accounts, interactions.CallCompleted)
    assert {call.agent for call in calls} == {"ann", "bob"}
    assert all(0 < call.handle_seconds < 600 for call in calls)


def test_only_opened_mails_are_clicked(lived):
    _, accounts = lived
    opened = {event.contact_id for event in events_of(accounts, interactions.ContactOpened)}
    clicked = {event.contact_id for event in events_of(accounts, interactions.ContactClicked)}
    assert clicked
    assert clicked < opened


def test_accounts_and_addresses_are_named_by_their_numbers(lived):
    run, accounts = lived
    assert run.world.who[3] == ("brightwater", "C1000003")
    mails = {its.address for its in events_of(accounts, crm.ContactPointUpdated) if its.channel == "email"}
    assert mails
    assert mails <= {f"customer-{1_000_000 + number}@brightwater.example" for number in range(CUSTOMERS)}


def test_customers_have_an_invoice_a_month_and_new_ones_nothing_before(lived):
    run, accounts = lived
    population = run.world.population
    assert ((population.due_day < NEVER).sum(axis=1) >= 7).all()
    new = (population.due_day[:, 0] > PORTFOLIO.new_after).tolist()
    assert any(new)
    for is_new, account in zip(new, accounts, strict=True):
        before = [event for event in account.events if event.history]
        assert not (is_new and before)
        assert all(instant(event.occurred_at) < MIDNIGHT for event in before)
