"""The models in force, watched on a real ClickHouse and a real Kafka: what moved is found, told once, and lands."""

import json
import random
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from connectors.clickhouse.blocks import Block, Place, Span
from connectors.clickhouse.client import connect
from connectors.clickhouse.migrate import migrate
from connectors.clickhouse.ownership import Ownership
from connectors.clickhouse.rows import RowReader
from connectors.clickhouse.server import Server
from connectors.clickhouse.sink import Sink
from connectors.kafka.clients import admin
from connectors.kafka.reading import partitions_of, read_to_end
from models.calendar import DAY, utc
from models.clock import WallClock
from models.features.catalogue import FEATURES_HASH, NAMES
from models.propensity.drift import Drift, counted
from models.propensity.manifest import Data, Manifest, Reference
from recoup.cli.watch import watch as command
from recoup.settings import Settings
from recoup.watch import telling
from recoup.watch.report import Report
from recoup.watch.watch import OF_THE_CALENDAR, Asked, watch
from schemas.decode import TopicDecoder
from schemas.facts import ModelDrifted

NOW = WallClock().now()
ACCOUNTS = 400
SINCE, REFERENCE = 7 * DAY, 30 * DAY
MODEL = "0123456789abcdef"


class Shop:
    """A database of the test's own with one tenant's scores of two windows, and what came of them.

    Half of the accounts speak Spanish, and the model thinks little of them. Of each account there is an invoice that
    was scored with 0.8 or 0.4 and paid by half of them; `terms_days` has doubled since.
    """

    def __init__(self, settings: Settings) -> None:
        self.random = random.Random(7)
        own = settings.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"})
        self.settings = settings.model_copy(update={"clickhouse": own})
        migrate(own)
        self.client = connect(own)
        self.scores("m1", NOW - 20 * DAY, terms=30.0)
        self.scores("m1", NOW - 3 * DAY, terms=60.0)
        self.scores("m1", NOW - 2 * DAY, terms=1.0, features_hash="another", accounts=5)
        self.invoices()
        self.customers()

    def scores(
        self, model: str, at: int, *, terms: float, features_hash: str = FEATURES_HASH, accounts: int = ACCOUNTS
    ) -> None:
        """One score of each account."""
        rows = [
            {
                "event_id": f"{model}-{at}-{number}",
                "type": "propensity.scored",
                "account_id": f"a{number}",
                "occurred_at": utc(at),
                "model": model,
                "role": "champion",
                "target": "paid_within:7",
                "invoice_id": f"{at}-{number}",
                "horizon_days": 7,
                "probability": 0.4 if is_spanish(number) else 0.8,
                "features_hash": features_hash,
                "features": self.features(terms),
            }
            for number in range(accounts)
        ]
        self.insert("propensity_scores", rows)

    def features(self, terms: float) -> list[float | None]:
        values: list[float | None] = [self.random.random() for _ in NAMES]
        values[NAMES.index("terms_days")] = terms + self.random.random()
        values[NAMES.index("days_to_due")] = terms
        values[NAMES.index("last_slack")] = None
        return values

    def invoices(self) -> None:
        """Those of the first scores: every other one is paid, ten are disputed, one has not landed; of the last a few."""
        at = NOW - 20 * DAY
        money, customers = [], []
        for number in range(ACCOUNTS - 1):
            invoice = f"{at}-{number}"
            money.append(
                said(number, at - DAY, "invoice.issued", invoice_id=invoice, due_at=utc(at).isoformat(), **EUROS)
            )
            if number < 10:
                customers.append(said(number, at + DAY, "dispute.opened", invoice_id=invoice))
            elif number % 2:
                paid = [{"invoice_id": invoice, "amount_minor": 100}]
                money.append(
                    said(number, at + 3 * DAY, "payment.received", payment_id=f"p{number}", allocations=paid, **EUROS)
                )
            elif number % 20 == 0:  # too late for its horizon
                money.append(said(number, at + 9 * DAY, "payment.received", payment_id=f"p{number}", **EUROS))
        for number in range(20):  # of this week's scores: they have not matured
            invoice = f"{NOW - 3 * DAY}-{number}"
            money.append(
                said(number, NOW - 4 * DAY, "invoice.issued", invoice_id=invoice, due_at=utc(NOW).isoformat(), **EUROS)
            )
        self.insert("payment_events", money)
        self.insert("crm_events", customers)

    def customers(self) -> None:
        """Languages, the newest word of which counts; every fourth account was contacted."""
        updates = []
        for number in range(ACCOUNTS):
            updates.append(said(number, NOW - 90 * DAY, "account.updated", language="fr", country="US"))
            updates.append(
                said(number, NOW - 80 * DAY, "account.updated", language="es" if is_spanish(number) else "en")
            )
        self.insert("crm_events", updates)
        self.insert(
            "contact_requests",
            [said(number, NOW - DAY, "contact.requested", contact_id="c") for number in range(0, ACCOUNTS, 4)],
        )

    def insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        whole = [{"tenant_id": "shop", "valid": True, "_offset": offset, **row} for offset, row in enumerate(rows)]
        self.client.insert(table, [list(row.values()) for row in whole], column_names=list(whole[0]))

    def watch(self, *, emit: bool = False, **changes: Any) -> Report:
        manifest = changes.pop("manifest", None)
        asked = Asked(NOW, SINCE, REFERENCE, **changes)
        return watch(self.settings, asked, emit=emit, trained=lambda _: manifest)


EUROS = {"amount_minor": 100, "currency": "EUR"}


def is_spanish(number: int) -> bool:
    return number % 4 in (1, 2)  # as many of them pay as of the others


def said(number: int, at: int, kind: str, **fields: Any) -> dict[str, Any]:
    """A message of an account as it lies in its table; its values only where a query asks for them."""
    payload = {
        "type": kind,
        "event_id": f"{kind}-{number}-{at}",
        "tenant_id": "shop",
        "account_id": f"a{number}",
        "occurred_at": utc(at).isoformat(),
        "source": "test",
        **fields,
    }
    columns = {name: fields.get(name, "") for name in ("language", "country")} if kind == "account.updated" else {}
    return {
        "type": kind,
        "account_id": f"a{number}",
        "occurred_at": utc(at),
        "payload": json.dumps(payload),
        "_key": f"shop|a{number}",
        **columns,
    }


@pytest.fixture(scope="module")
def shop(settings: Settings) -> Iterator[Shop]:
    shop = Shop(settings)
    yield shop
    shop.client.command(f"DROP DATABASE {shop.settings.clickhouse.database}")
    shop.client.close()


def drift_of(report: Report, feature: str) -> Drift:
    return next(drift for drift in report.models[0].drifts if drift.feature == feature)


def test_the_feature_that_moved_has_drifted_and_no_other(shop: Shop) -> None:
    report = shop.watch()
    (model,) = report.models
    assert (model.tenant_id, model.model, model.role, model.target) == ("shop", "m1", "champion", "paid_within:7")
    drifted = {drift.feature for drift in model.drifts if drift.drifted}
    assert drifted == {"terms_days", "days_to_due"}  # both are of the terms
    assert len(model.drifts) == len(NAMES) - len(OF_THE_CALENDAR) + 1
    assert {drift.level for drift in model.drifts if drift.feature not in drifted} == {"steady"}
    assert report.drifted
    assert drift_of(report, "terms_days").n_current == ACCOUNTS
    assert drift_of(report, "last_slack").bins[-1].current == ACCOUNTS  # nobody knows it, now as before


def test_scores_with_other_features_are_counted_and_only_their_score_is_compared(shop: Shop) -> None:
    (model,) = shop.watch().models
    assert model.other_features == 5
    assert model.current.scores == ACCOUNTS + 5
    assert model.current.accounts == ACCOUNTS  # one score of each


def test_what_came_of_the_scores_is_compared_with_what_they_said(shop: Shop) -> None:
    calibration = shop.watch().models[0].calibration
    settled = ACCOUNTS - 1 - 10
    assert calibration.n == settled
    assert calibration.left_out.competing == 10
    assert calibration.left_out.not_yet == 20
    assert calibration.left_out.unknown == 1 + ACCOUNTS + 5 - 20  # invoices that have not landed
    assert calibration.observed == pytest.approx(0.5, abs=0.01)
    assert calibration.expected == pytest.approx(0.6, abs=0.01)
    assert calibration.drifted
    assert {band.band: round(band.expected, 1) for band in calibration.bands} == {"likely": 0.8, "uncertain": 0.4}


def test_groups_are_compared_by_their_newest_attributes(shop: Shop) -> None:
    fairness = shop.watch().models[0].fairness
    best = {(group.attribute, group.value): group for group in fairness.best}
    assert fairness.threshold == 0.8
    assert best["language", "en"].rate == 1.0
    assert best["language", "es"].rate == 0.0
    assert ("language", "fr") not in best
    assert best["country", "US"].n == ACCOUNTS
    contacted = {group.value: group for group in fairness.contacted if group.attribute == "language"}
    assert (contacted["en"].selected, contacted["es"].selected) == (ACCOUNTS // 4, 0)
    assert any(group.flagged for group in fairness.best)


def test_the_training_data_are_the_reference_where_they_are_known(shop: Shop) -> None:
    unseen = {name: counted([float(number) for number in range(100)]) for name in ("terms_days", "amount")}
    manifest = Manifest(
        format=1,
        target="paid_within:7",
        moment="issue",
        horizon_days=7,
        features=("terms_days", "amount"),
        features_hash=FEATURES_HASH,
        candidate="test",
        data=Data("ledger", "ledger.csv", "", 100),
        metrics={},
        reference=Reference(unseen, counted([0.4, 0.8] * 50)),
        versions={},
        code="",
    )
    (model,) = shop.watch(manifest=manifest).models
    assert model.reference.source == "training"
    assert {drift.feature for drift in model.drifts} == {"terms_days", "amount", "score"}
    assert {drift.feature: drift.drifted for drift in model.drifts}["score"] is False
    # Only those that were made at the invoice's issue are like the rows of training.
    assert model.current.accounts == ACCOUNTS
    late = Manifest(**{name: getattr(manifest, name) for name in manifest.__struct_fields__} | {"moment": "overdue"})
    assert shop.watch(manifest=late).models[0].current.accounts == 0


def test_what_drifted_is_told_once_a_day_and_lands(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = f"t{secrets.token_hex(4)}.customer-events"
    kafka = shop.settings.kafka
    client = admin(kafka)
    client.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    monkeypatch.setattr(telling, "TOPIC", topic)

    first = shop.watch(emit=True).told
    assert (first.sent, first.already) == (3, 0)
    messages = list(read_to_end(kafka, partitions_of(kafka, [topic])))
    decode = TopicDecoder("customer-events")
    events = [decode(message.value(), message.key(), utc(NOW + DAY)) for message in messages]
    assert all(isinstance(event, ModelDrifted) for event in events)
    told = {(event.feature, event.statistic): event for event in events if isinstance(event, ModelDrifted)}
    assert set(told) == {("terms_days", "psi"), ("days_to_due", "psi"), ("score", "calibration")}
    assert told["terms_days", "psi"].n == ACCOUNTS
    assert told["terms_days", "psi"].value > told["terms_days", "psi"].threshold

    land(shop, messages)
    again = shop.watch(emit=True).told
    assert (again.sent, again.already) == (0, 3)
    assert len(list(read_to_end(kafka, partitions_of(kafka, [topic])))) == 3


def land(shop: Shop, messages: list[Any]) -> None:
    """As the land worker does."""
    rows = RowReader("customer-events")(messages)
    assert rows.refused == 0
    server = Server(shop.settings.clickhouse, deadline=20.0)
    place = Place("customer-events", 0)
    claim = Ownership(server).claim((place,), "w")[place]
    span = Span(0, 0, len(messages) - 1)
    Sink(server).insert(claim.owner, Block(place.topic, (span,), NOW, rows.body, rows.count))
    server.close()


def run(shop: Shop, *arguments: str) -> Any:
    environment = {
        "RECOUP_HOME": str(shop.settings.home),
        "RECOUP_CLICKHOUSE__DATABASE": shop.settings.clickhouse.database,
    }
    return CliRunner(env=environment).invoke(command, [*arguments, "--no-emit"])


def test_the_command_says_what_drifted_and_exits_so(shop: Shop) -> None:
    done = run(shop)
    assert done.exit_code == 1
    assert done.output.startswith("DRIFTED")
    whole = run(shop, "--json")
    assert whole.exit_code == 1
    assert json.loads(whole.stdout)["models"][0]["level"] == "drifted"
    for output in (done.output, whole.output):
        assert "a17" not in output  # nobody is named


def test_where_there_are_no_scores_it_says_so(shop: Shop) -> None:
    assert getattr(run(shop, "--tenant", "nobody").exception, "exit_code", None) == 2
    newest = run(shop, "--since", "1h").exception
    assert getattr(newest, "exit_code", None) == 2
    assert "the newest of" in str(newest)
    assert run(shop, "--since", "soon").exit_code == 2
