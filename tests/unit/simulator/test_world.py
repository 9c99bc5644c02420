import numpy as np
import pytest

from models.account.state import decode
from models.core import Outcome, Work, step
from recoup.simulator.world.draws import ONCE, Draws
from recoup.simulator.world.habits import HABITS, NAMES
from recoup.simulator.world.log import Kept
from recoup.simulator.world.opening import START, invoice_of
from recoup.simulator.world.places import PLACES
from recoup.simulator.world.population import NEVER, Population
from recoup.simulator.world.run import Refused, Run, World
from schemas.decode import Refusal

CUSTOMERS, DAYS = 240, 45


@pytest.fixture(scope="module")
def world():
    return World(Population(101, CUSTOMERS))


def schedule(world):
    return lambda work: step(work, world.population.tenants, "live")


def silent(work: list[Work]) -> Outcome:
    """Decides nothing."""
    return Outcome(
        states=[(item.key, item.blob or b"") for item in work],
        reviews=[(item.key, None) for item in work],
        messages=[[] for _ in work],
        refused=[[] for _ in work],
        dropped=[[] for _ in work],
    )


@pytest.fixture(scope="module")
def lived(world):
    log = Kept(CUSTOMERS)
    run = Run(world, schedule(world), DAYS, log)
    run.whole(None)
    return run, log


# -- luck --------------------------------------------------------------------------------------------------------------


def test_luck_is_found_by_its_address_in_whatever_way_it_is_asked_for():
    draws, some = Draws(7, 1_000), [3, 999, 0, 500]
    whole = draws.uniform(12, 205)
    assert [draws.one(customer, 12, 205) for customer in some] == whole[some].tolist()
    assert Draws(7, 2_000).uniform(12, 205)[:1_000].tolist() == whole.tolist()


def test_luck_is_uniform_and_differs_between_customers_days_purposes_and_seeds():
    draws = Draws(7, 50_000)
    base = draws.uniform(3, 200)
    assert base.min() >= 0
    assert base.max() < 1
    assert np.histogram(base, 20, (0, 1))[0] == pytest.approx(2_500, abs=250)
    for other in (draws.uniform(4, 200), draws.uniform(3, 201), Draws(8, 50_000).uniform(3, 200), np.roll(base, 1)):
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.02
    assert abs(draws.normal(ONCE, 40).mean()) < 0.02
    assert draws.normal(ONCE, 40).std() == pytest.approx(1, abs=0.02)


def test_a_larger_population_begins_with_the_same_customers():
    small, large = Population(5, 50), Population(5, 500)
    for name in ("tenant", "place", "habit", "late", "moved", "due_day", "amount", "dispute_day", "best_hour"):
        assert (getattr(large, name)[:50] == getattr(small, name)).all(), name


# -- who they are ------------------------------------------------------------------------------------------------------


def test_habits_are_as_frequent_as_declared_and_every_region_has_customers():
    population = Population(3, 20_000)
    for business in (False, True):
        its = population.habit[population.business == business]
        for number, habit in enumerate(HABITS):
            declared = habit.businesses if business else habit.consumers
            assert (its == number).mean() == pytest.approx(declared, abs=0.02), habit.name
    assert set(np.unique(population.place)) == set(range(len(PLACES)))


def test_shares_of_the_habits_are_whole():
    assert sum(habit.consumers for habit in HABITS) == pytest.approx(1)
    assert sum(habit.businesses for habit in HABITS) == pytest.approx(1)
    assert len(set(NAMES)) == len(HABITS)


# -- a run -------------------------------------------------------------------------------------------------------------


def test_the_world_and_the_core_agree_on_every_cent(lived):
    run, _ = lived
    for customer in range(CUSTOMERS):
        facts = decode(run.blobs[customer]).facts.payments
        left = {name: invoice.rest for name, invoice in facts.invoices.items() if invoice.known and invoice.rest}
        truth = {invoice_of(customer, place): int(left) for place, left in enumerate(run.life.left[customer]) if left}
        assert left == truth


def test_the_same_run_twice_is_the_same(world, lived):
    run, _ = lived
    again = Run(world, schedule(world), DAYS, None)
    again.whole(None)
    assert again.blobs == run.blobs


def test_policies_differ_only_through_what_they_do(world, lived):
    run, log = lived
    quiet = Run(world, silent, DAYS, None)
    quiet.whole(None)
    untouched = [
        customer
        for customer, account in enumerate(log.accounts)
        if not account.contacts and all(its.action == "wait" for its, _ in account.decisions)
    ]
    assert len(untouched) > 20
    assert (run.life.left[untouched] == quiet.life.left[untouched]).all()
    assert run.life.tally.received[untouched].tolist() == quiet.life.tally.received[untouched].tolist()
    assert run.life.tally.received.sum() > quiet.life.tally.received.sum()


def test_nothing_is_asked_of_who_has_paid(lived):
    _, log = lived
    for account in log.accounts:
        for at, contact, heard in account.contacts:
            paid, owed = set(), {}
            for event in account.events[:heard]:
                kind = type(event).__name__
                if kind == "InvoiceIssued":
                    owed[event.invoice_id] = event.amount_minor
                elif kind == "PaymentReceived":
                    for share in event.allocations:
                        owed[share.invoice_id] -= share.amount_minor
                elif kind in ("PaymentReversed", "InvoiceAdjusted"):
                    break
            else:
                paid = {name for name, left in owed.items() if left <= 0}
            assert not paid.intersection(contact.invoice_ids), (at, contact.invoice_ids)


def test_every_contact_is_reported_as_sent_once(lived):
    _, log = lived
    for account in log.accounts:
        asked = [contact.contact_id for at, contact, _ in account.contacts if at < START + (DAYS - 1) * 86_400_000]
        sent = [event.contact_id for event in account.events if type(event).__name__ == "ContactSent"]
        assert len(sent) == len(set(sent))
        assert set(asked) <= set(sent)


def test_an_event_that_the_core_refuses_ends_the_run(world):
    def refuses(work):
        outcome = silent(work)
        outcome.refused[0].append((0, Refusal("wrong_field", "it is not", "amount_minor")))
        return outcome

    with pytest.raises(Refused, match="amount_minor"):
        Run(world, refuses, 1, None).whole(None)


def test_invoices_are_issued_before_they_are_due():
    population = Population(9, 2_000)
    there = population.due_day < NEVER
    assert (population.issue_day[there] < population.due_day[there]).all()
    assert (population.amount[there] > 0).all()
