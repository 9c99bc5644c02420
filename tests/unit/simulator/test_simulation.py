"""The simulated portfolio: the same seed gives the same bytes, good messages decode, bad ones say why they are bad."""

import datetime as dt
from collections import Counter

import pytest

from recoup.simulator.deeds import moment
from recoup.simulator.portfolio import ACME, BUSINESSES, NORDLICHT
from recoup.simulator.stream import START, Shares, Simulation, events, truth
from schemas import interactions
from schemas.decode import Refusal, TopicDecoder
from schemas.registry import SOURCE_TOPICS

LATEST = moment(START) + dt.timedelta(days=1)
FLAWLESS = Shares(bad=0, duplicate=0, late=0)


@pytest.fixture(scope="module")
def decoders() -> dict[str, TopicDecoder]:
    return {topic: TopicDecoder(topic) for topic in SOURCE_TOPICS}


def test_a_seed_gives_the_same_messages_every_time():
    assert list(events(7, 300, 5_000)) == list(events(7, 300, 5_000))


def test_another_seed_gives_other_messages():
    assert list(events(7, 300, 500)) != list(events(8, 300, 500))


def test_a_later_run_of_the_same_seed_repeats_accounts_but_no_id(decoders):
    first, second = (
        [decoders[topic](value, key, LATEST) for topic, key, value in events(7, 50, 500, start=start, shares=FLAWLESS)]
        for start in (START, START + 60_000)
    )
    assert {event.account_id for event in first} == {event.account_id for event in second}
    assert not {event.event_id for event in first} & {event.event_id for event in second}


def test_without_faults_every_message_is_taken(decoders):
    refused = [
        found
        for topic, key, value in events(1, 500, 20_000, shares=FLAWLESS)
        if isinstance(found := decoders[topic](value, key, LATEST), Refusal)
    ]
    assert refused == []


def test_bad_messages_are_refused_for_the_reason_that_the_simulation_names(decoders):
    simulation = Simulation(3, 500, shares=Shares(bad=0.2, duplicate=0, late=0))
    refused: Counter[str] = Counter()
    while simulation.trade.day < 20:
        for topic, key, value in simulation.turn(START):
            found = decoders[topic](value, key, LATEST)
            if isinstance(found, Refusal):
                refused[found.reason] += 1
            elif found.tenant_id == "unlisted":
                refused["unknown_tenant"] += 1
            elif getattr(found, "payment_id", "").endswith("-bad"):
                refused["currency_mismatch"] += 1
    assert refused == simulation.bad
    assert len(refused) == 17


def test_duplicates_and_late_messages_come_in_their_shares():
    simulation = Simulation(3, 200, shares=Shares(bad=0, duplicate=0.1, late=0.1))
    messages = [message for _ in range(10_000) for message in simulation.turn(START)]
    messages += simulation.rest()
    repeated = sum(times - 1 for times in Counter(messages).values())
    assert repeated == simulation.duplicates
    assert 0.08 < simulation.duplicates / len(messages) < 0.12
    assert 0.07 < simulation.late / len(messages) < 0.11


def test_late_messages_are_out_of_order_and_none_is_lost(decoders):
    def ids(shares: Shares) -> list[str]:
        simulation = Simulation(5, 100, shares=shares)
        ready = [message for _ in range(2_000) for message in simulation.turn(START)] + simulation.rest()
        return [decoders[topic](value, key, LATEST).event_id for topic, key, value in ready]

    in_order, held_back = ids(FLAWLESS), ids(Shares(bad=0, duplicate=0, late=0.1))
    assert held_back != in_order
    assert sorted(held_back) == sorted(in_order)


def test_both_tenants_and_three_currencies_take_part(decoders):
    found = [decoders[topic](value, key, LATEST) for topic, key, value in events(1, 100, 2_000, shares=FLAWLESS)]
    assert {event.tenant_id for event in found} == {"acme", "nordlicht"}
    assert {event.currency for event in found if getattr(event, "currency", None)} == {"USD", "GBP", "EUR"}


def test_invoices_lie_before_and_after_their_due_date_and_every_step_is_due_for_some(decoders):
    found = [decoders[topic](value, key, LATEST) for topic, key, value in events(1, 2_000, 20_000, shares=FLAWLESS)]
    ages = [moment(START) - event.due_at for event in found if hasattr(event, "due_at")]
    days = Counter(round(age / dt.timedelta(days=1)) for age in ages)
    assert min(days) < -14
    assert max(days) > 45
    assert all(days[day] >= 20 for day in ACME.step_days + NORDLICHT.step_days), days


def test_customers_live_around_the_clock(decoders):
    found = [decoders[topic](value, key, LATEST) for topic, key, value in events(1, 500, 3_000, shares=FLAWLESS)]
    zones = {zone for event in found for zone in getattr(event, "time_zones", None) or ()}
    assert len(zones) >= 12


def test_the_truth_is_that_of_the_customers_that_trade():
    simulation = Simulation(9, 40)
    while len(simulation.trade.accounts) < 40:
        simulation.turn(START)
    assert [account.customer for account in simulation.trade.accounts] == list(truth(9, 40))


def test_habits_differ_in_truth_as_their_names_say():
    paying: dict[str, list[float]] = {}
    for customer in truth(1, 2_000, BUSINESSES):
        paying.setdefault(customer.habit, []).append(customer.pays_when_due)
    mean = {habit: sum(values) / len(values) for habit, values in paying.items()}
    assert set(mean) == {"prompt", "late", "forgetful", "disputing", "insolvent"}
    assert mean["prompt"] > mean["late"] > mean["insolvent"]


def contact_of(simulation: Simulation, number: int, contact_id: str) -> interactions.ContactSent:
    account = simulation.trade.accounts[number]
    return interactions.ContactSent(
        event_id=contact_id,
        tenant_id=account.business.tenant_id,
        account_id=account.customer.account_id,
        occurred_at=moment(START),
        source="dispatch",
        contact_id=contact_id,
        channel="email",
    )


def contacted(*, hear: bool) -> Simulation:
    simulation = Simulation(4, 600, (NORDLICHT,), shares=FLAWLESS)
    while len(simulation.trade.accounts) < 600:
        simulation.turn(START)
    for number in range(600 if hear else 0):
        simulation.hear(contact_of(simulation, number, f"c{number}"))
    return simulation


def test_customers_answer_contacts_in_every_way(decoders):
    simulation = contacted(hear=True)
    assert simulation.answers.heard == 600
    assert all(simulation.answers.answered.values()), simulation.answers.answered
    until = simulation.trade.day + 15
    kinds: Counter[str] = Counter()
    while simulation.trade.day < until:
        for topic, key, value in simulation.turn(START):
            kinds[type(decoders[topic](value, key, LATEST)).__name__] += 1
    assert kinds["ContactDelivered"] + kinds["ContactBounced"] == 600
    assert kinds["ContactOpened"] > 200
    assert min(kinds[name] for name in ("PromiseMade", "OptOutReceived", "ComplaintReceived")) > 0


def test_contacts_make_more_customers_pay():
    def payments_in_ten_days(simulation: Simulation) -> int:
        until = simulation.trade.day + 10
        paid = 0
        while simulation.trade.day < until:
            paid += sum(b'"type":"payment.received"' in value for _, _, value in simulation.turn(START))
        return paid

    assert payments_in_ten_days(contacted(hear=True)) > payments_in_ten_days(contacted(hear=False))


def test_a_contact_of_a_stranger_is_ignored():
    simulation = contacted(hear=False)
    stranger = interactions.ContactSent(
        event_id="x",
        tenant_id="acme",
        account_id="nobody",
        occurred_at=moment(START),
        source="dispatch",
        contact_id="x",
        channel="email",
    )
    simulation.hear(stranger)
    assert simulation.answers.heard == 0


def test_the_answer_to_a_contact_does_not_depend_on_the_order_of_hearing():
    def answered(order: list[int]) -> dict[str, int]:
        simulation = contacted(hear=False)
        for number in order:
            simulation.hear(contact_of(simulation, number, f"c{number}"))
        return {str(answer): times for answer, times in simulation.answers.answered.items()}

    assert answered(list(range(600))) == answered(list(reversed(range(600))))
