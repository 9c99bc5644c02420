"""Scores, their drift and what came of them in their views are what plain Python makes of the same messages."""

import datetime as dt
import json
import math
import random
import secrets
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from connectors.clickhouse.scores import Judged
from models.calendar import DAY, Zone, instant, utc
from models.clock import Instant, WallClock
from models.compliance.rule_gate import RuleGate
from models.core import Work, step
from models.features.outcomes import NEVER_ISSUED, horizon_end, outcome_of, timelines
from models.propensity.drift import psi
from recoup.settings import Settings
from recoup.watch.outcomes import target_of
from schemas import crm, facts, payments
from schemas.control import Tenant
from schemas.envelope import Event, account_key
from schemas.scores import PropensityScored
from tests.integration.test_clickhouse_sink import Warehouse
from tests.landing import Sent, blocks, land, refresh, rows

ZONES = {"acme": "America/New_York", "nordlicht": "Asia/Tokyo"}
TARGETS = ("paid_by_due", "paid_within:7", "paid_within:20", "")
MODELS = ("m1", "m2")
ACCOUNTS, DAYS, HORIZON = 15, 80, 12

encode = msgspec.json.Encoder().encode


class Books:
    """Accounts whose invoices are paid, given up, disputed and taken back, and scores about them."""

    def __init__(self, seed: int, now: Instant) -> None:
        self.random = random.Random(seed)
        self.now = now
        self.start = now - DAYS * DAY
        self.number = 0
        self.events: dict[tuple[str, str], list[Event]] = {}
        self.scores: list[PropensityScored] = []
        for tenant in ZONES:
            for number in range(ACCOUNTS):
                self._live(tenant, f"{tenant}-{number}")

    def _live(self, tenant: str, account: str) -> None:
        draw, events = self.random, self.events.setdefault((tenant, account), [])
        at, open_, paid, disputes = self.start, [], [], []  # type: ignore[var-annotated]
        while (at := at + draw.randrange(1, 6 * DAY)) < self.now - 60_000:

            def add(make: Callable[..., Event], /, **fields: Any) -> None:
                self.number += 1
                about = {"event_id": f"e{self.number}", "tenant_id": tenant, "account_id": account, "source": "test"}
                events.append(make(**about, occurred_at=utc(at), **fields))

            what, number = draw.random(), self.number + 1
            if not open_ or what < 0.3:
                due = utc(at + draw.randrange(-2 * DAY, 20 * DAY))
                debt = draw.choice((None, "d1", "d2"))
                add(
                    payments.InvoiceIssued,
                    invoice_id=f"i{number}",
                    amount_minor=1_000,
                    currency="EUR",
                    due_at=due,
                    debt_id=debt,
                )
                open_.append(f"i{number}")
            elif what < 0.6:
                amount = draw.choice((1_000, 1_000, 400, 1_500))
                add(payments.PaymentReceived, payment_id=f"p{number}", amount_minor=amount, currency="EUR")
                paid.append((f"p{number}", amount))
            elif what < 0.66 and paid:
                payment, amount = paid.pop()
                add(
                    payments.PaymentReversed, reversal_id=f"r{number}", payment_id=payment, amount_minor=amount,
                    currency="EUR", kind="return",
                )  # fmt: skip
            elif what < 0.7:
                add(payments.InvoiceVoided, invoice_id=open_.pop(draw.randrange(len(open_))))
            elif what < 0.74:
                add(payments.InvoiceWrittenOff, invoice_id=open_.pop(draw.randrange(len(open_))))
            elif what < 0.82:
                add(
                    payments.InvoiceAdjusted, invoice_id=draw.choice(open_), adjustment_id=f"a{number}",
                    amount_minor=draw.choice((-600, -1_000)), currency="EUR",
                )  # fmt: skip
            elif what < 0.88:
                about = draw.choice(({"invoice_id": draw.choice(open_)}, {"debt_id": "d1"}))
                add(crm.DisputeOpened, dispute_id=f"q{number}", **about)
                disputes.append(f"q{number}")
            elif what < 0.94 and disputes:
                outcome = draw.choice(("verified", "upheld", "withdrawn"))
                add(crm.DisputeResolved, dispute_id=disputes.pop(), outcome=outcome)
            else:
                debt = draw.choice(("d1", "d2"))
                add(draw.choice((crm.DebtRecalled, crm.DebtSold, crm.DebtPlaced, crm.DebtPlaced)), debt_id=debt)
            if open_:
                self._score(tenant, account, at + draw.randrange(1, DAY // 24), draw.choice(open_))

    def _score(self, tenant: str, account: str, at: Instant, invoice: str) -> None:
        draw = self.random
        for target in draw.sample(TARGETS, 2):
            self.number += 1
            decision = f"d{self.number}"
            model = draw.choice(MODELS)
            self.scores.append(
                PropensityScored(
                    event_id=f"{decision}:score",
                    tenant_id=tenant,
                    account_id=account,
                    occurred_at=utc(at),
                    source="decide",
                    decision_id=decision,
                    horizon_days=HORIZON,
                    probability=draw.choice((0.0, 0.3, 0.7, 1.0, round(draw.random(), 6))),
                    model=model,
                    features_id="f",
                    role="champion" if model == "m1" else "challenger",
                    target=target,
                    invoice_id=draw.choice((invoice, invoice, invoice, None, "unheard of")),
                )
            )

    def postings(self) -> Iterator[Sent]:
        """What the real core says of the books: of tenants that are not live it decides nothing."""
        tenants = {
            name: Tenant(tenant_id=name, name=name, currencies=("EUR",), time_zone=ZONES[name]) for name in ZONES
        }
        work = [
            Work("|".join(who), *who, None, [(event, 0) for event in events], self.now)
            for who, events in self.events.items()
        ]
        outcome = step(work, tenants, "live", RuleGate())
        assert not any(outcome.refused)
        for messages in outcome.messages:
            yield from messages

    def messages(self) -> Iterator[Sent]:
        """Everything that lands."""
        for name, where in ZONES.items():
            tenant = {
                "type": "tenant.changed",
                "tenant_id": name,
                "name": name,
                "currencies": ["EUR"],
                "time_zone": where,
            }
            yield "tenants", name.encode(), json.dumps(tenant).encode()
        for (tenant_id, account_id), events in self.events.items():
            for event in events:
                topic = "payment-events" if type(event).__module__ == payments.__name__ else "crm-events"
                yield topic, account_key(tenant_id, account_id), encode(event)
        yield from self.postings()
        for score in self.scores:
            yield "propensity-scores", account_key(score.tenant_id, score.account_id), encode(score)


@pytest.fixture(scope="module")
def books() -> Books:
    seed = secrets.randbits(32)
    sys.stdout.write(f"seed {seed}\n")  # shown when a test fails
    return Books(seed, WallClock().now())


@pytest.fixture(scope="module")
def warehouse(settings: Settings, books: Books) -> Iterator[Warehouse]:
    warehouse = Warehouse(settings.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"}))
    draw = random.Random(books.number)
    land(warehouse, blocks(books.messages(), WallClock().now(), draw), draw)
    refresh(warehouse, "calibration")
    yield warehouse
    warehouse.client.command(f"DROP DATABASE {warehouse.settings.database}")
    warehouse.server.close()


def monday(at: dt.datetime) -> dt.date:
    return at.date() - dt.timedelta(days=at.weekday())


def judged(warehouse: Warehouse, books: Books) -> dict[tuple[Any, ...], list[tuple[float, int]]]:
    """By tenant, model, role, target and week: what one score of each invoice said, and whether it was paid in time.

    Of weeks of which no more than a tenth of the scores wait for their horizon.
    """
    hashes = dict(warehouse.ask("SELECT event_id, cityHash64(event_id) FROM propensity_scores"))
    drawn: dict[tuple[Any, ...], PropensityScored] = {}
    for score in sorted(
        books.scores, key=lambda s: instant(s.occurred_at) if s.target == "paid_by_due" else hashes[s.event_id]
    ):
        if score.invoice_id is not None:
            about = (score.tenant_id, score.model, score.role, score.target, monday(score.occurred_at))
            drawn.setdefault((about, score.account_id, score.invoice_id), score)
    now, found = WallClock().now(), defaultdict(list)
    outcomes: defaultdict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    known = {who: timelines(events) for who, events in books.events.items()}
    for (about, account, invoice), score in drawn.items():
        issued = {
            e.invoice_id: e for e in books.events[score.tenant_id, account] if isinstance(e, payments.InvoiceIssued)
        }
        if invoice not in issued:
            continue
        at, due = instant(score.occurred_at), instant(issued[invoice].due_at)
        said = Judged(account, invoice, at, score.horizon_days, score.target, score.probability)
        end = horizon_end(target_of(said), at, due, Zone(ZONES[score.tenant_id]))
        outcome = outcome_of(known[score.tenant_id, account].get(invoice, NEVER_ISSUED), at, end, now)
        if end >= at:
            outcomes[about][outcome] += 1
            if outcome in ("paid", "unpaid"):
                found[about].append((score.probability, int(outcome == "paid")))
    ripe = {about for about, seen in outcomes.items() if seen["unmatured"] <= 0.1 * seen.total()}
    assert ripe < outcomes.keys()
    return defaultdict(list, {about: pairs for about, pairs in found.items() if about in ripe})


def test_calibration_is_that_of_the_labels_that_models_are_trained_with(warehouse: Warehouse, books: Books) -> None:
    wanted: dict[tuple[Any, ...], list[tuple[float, int]]] = defaultdict(list)
    for about, pairs in judged(warehouse, books).items():
        for probability, paid in pairs:
            wanted[(*about, min(9, math.floor(probability * 10)))].append((probability, paid))
    said = {tuple(row.values())[:6]: row for row in rows(warehouse, "calibration", "week, bin")}
    assert {key: (row["scores"], round(row["observed_rate"] * row["scores"])) for key, row in said.items()} == {
        key: (len(pairs), sum(paid for _, paid in pairs)) for key, pairs in wanted.items()
    }
    for key, pairs in wanted.items():
        count, rate = len(pairs), sum(paid for _, paid in pairs) / len(pairs)
        middle, width = rate + 1.96**2 / 2 / count, 1.96 * math.sqrt((rate * (1 - rate) + 1.96**2 / 4 / count) / count)
        low, high = ((middle + sign * width) / (1 + 1.96**2 / count) for sign in (-1, 1))
        row = said[key]
        assert row["mean_probability"] == pytest.approx(sum(p for p, _ in pairs) / count)
        assert (row["observed_low"], row["observed_high"]) == pytest.approx((max(0, low), min(1, high)), abs=1e-9)


def test_quality_is_that_of_the_same_scores(warehouse: Warehouse, books: Books) -> None:
    wanted = judged(warehouse, books)
    for row in rows(warehouse, "score_quality", "week"):
        pairs = wanted.pop(tuple(row.values())[:5])
        rate = sum(paid for _, paid in pairs) / len(pairs)
        assert (row["scores"], row["observed_rate"]) == (len(pairs), pytest.approx(rate))
        assert row["brier"] == pytest.approx(sum((p - paid) ** 2 for p, paid in pairs) / len(pairs))
        assert row["brier_base"] == pytest.approx(rate * (1 - rate))
        payers, others = [p for p, paid in pairs if paid], [p for p, paid in pairs if not paid]
        better = sum((a > b) + (a == b) / 2 for a in payers for b in others)
        assert row["auc"] == (pytest.approx(better / len(payers) / len(others)) if payers and others else None)
        best = math.ceil(len(pairs) / 10)
        edge = sorted((p for p, _ in pairs), reverse=True)[best - 1]
        above, alike = [paid for p, paid in pairs if p > edge], [paid for p, paid in pairs if p == edge]
        best_paid = sum(above) + (best - len(above)) * sum(alike) / len(alike)
        gain = best_paid / best / rate if rate else None
        assert row["gain_top_decile"] == (pytest.approx(gain) if rate else None)
    assert not wanted


def test_scores_are_counted_by_tenths_with_quantiles_of_their_day(warehouse: Warehouse, books: Books) -> None:
    wanted: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for score in books.scores:
        about = score.tenant_id, score.occurred_at.date(), score.model, score.role, score.target
        wanted[about].append(score.probability)
    seen: Counter[tuple[Any, ...]] = Counter()
    for row in rows(warehouse, "scores_daily", "day, decile"):
        *key, decile = tuple(row.values())[:6]
        scores = sorted(wanted[tuple(key)])
        here = [p for p in scores if min(99, math.floor(p * 100)) // 10 == decile]
        assert (row["scores"], row["mean_probability"]) == (len(here), pytest.approx(sum(here) / len(here)))
        for name, share in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9)):
            assert row[name] == pytest.approx(scores[math.ceil(share * len(scores)) - 1], abs=0.01)
        seen[tuple(key)] += row["scores"]
    assert seen == {about: len(scores) for about, scores in wanted.items()}


def test_a_model_that_scored_is_named_with_its_first_and_last_day(warehouse: Warehouse, books: Books) -> None:
    days: dict[tuple[str, ...], set[dt.date]] = defaultdict(set)
    for score in books.scores:
        days[score.tenant_id, score.model, score.role, score.target].add(score.occurred_at.date())
    said = {
        tuple(row.values())[:4]: (row["first_day"], row["last_day"]) for row in rows(warehouse, "scored_models", "1")
    }
    assert said == {about: (min(found), max(found)) for about, found in days.items()}


def test_scores_drift_against_the_first_fourteen_days_of_a_model(warehouse: Warehouse, books: Books) -> None:
    daily: dict[tuple[str, str], dict[dt.date, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    for score in books.scores:
        hundredth = min(99, math.floor(score.probability * 100))
        daily[score.tenant_id, score.model][score.occurred_at.date()][hundredth] += 1
    wanted = {}
    for (tenant, model), days in daily.items():
        later = min(days) + dt.timedelta(days=14)
        seen = sum((found for day, found in days.items() if day < later), Counter())
        places, below = [], 0
        for hundredth in range(100):
            places.append(min(9, 10 * below // seen.total()))
            below += seen[hundredth]

        def tenths(found: Counter[int]) -> list[int]:
            return [sum(found[b] for b in range(100) if places[b] == place) for place in range(10)]  # noqa: B023

        for day, found in days.items():
            if day >= later:
                wanted[tenant, day, model] = psi([*tenths(seen), 0], [*tenths(found), 0]), found.total()
    said = {tuple(row.values())[:3]: (row["psi"], row["scores"]) for row in rows(warehouse, "score_drift_daily", "day")}
    assert said == {key: (pytest.approx(value), count) for key, (value, count) in wanted.items()}


def test_what_drifted_is_told_once_a_day_however_often_it_was_published(warehouse: Warehouse) -> None:
    draw, now = random.Random(3), WallClock().now()
    events = [
        facts.ModelDrifted(
            event_id=f"drift-{number}", tenant_id="acme", occurred_at=utc(now + again * 1_000), source="models watch",
            model="m1", feature="score", statistic="calibration", value=-0.08, threshold=0.05, n=40 + number,
        )
        for number in range(5)
        for again in range(3)
    ]  # fmt: skip
    land(warehouse, blocks([("customer-events", b"acme|", encode(event)) for event in events], now, draw), draw)
    said = list(rows(warehouse, "drift", "n"))
    assert [(row["n"], row["value"], row["drifted"]) for row in said] == [(40 + n, -0.08, True) for n in range(5)]
