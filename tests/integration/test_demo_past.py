"""The demo's past is as if Recoup had run all the while: it adds up, is provable, can be rebuilt, and goes on live."""

import asyncio
from typing import Any

import pytest

from connectors.clickhouse.client import connect
from connectors.kafka import topics
from models.calendar import HOUR
from recoup.audit.verify import verify_topic, verify_warehouse
from recoup.rebuild import rebuild_all
from recoup.settings import Settings
from schemas.registry import ACCOUNT_TOPICS

PAST = "account_id LIKE 'C1______'"
"""Those that stream live have numbers below a million."""


@pytest.fixture(scope="module")
def ask(demo_home: Settings) -> Any:
    """Asks ClickHouse; `past` stands for the accounts of the past, `topic` for a table. The rows as tuples."""
    client = connect(demo_home.clickhouse)

    def rows(query: str, topic: str = "") -> list[tuple[Any, ...]]:
        query = query.replace("$past", PAST).replace("$table", topic.replace("-", "_"))
        return [tuple(row) for row in client.query(query).result_rows]

    yield rows
    client.close()


def test_the_books_of_a_demo_with_a_past_add_up(demo_summary):
    assert demo_summary["differences"] == []
    past, simulator = demo_summary["past"], demo_summary["simulator"]
    assert past["days"] == 150
    by_dispatch = sum(demo_summary["contacts_by_outcome"].values())
    assert demo_summary["produced"] == past["events"] + simulator["delivered"] + by_dispatch
    for latency in ("event_to_decision_ms", "event_to_row_ms"):
        assert demo_summary[latency]["p99"] < 60_000  # of what streamed live: the past is months old


def test_every_table_of_an_account_topic_is_filled_from_the_first_day_to_the_last(ask):
    for topic in ACCOUNT_TOPICS:
        query = "SELECT min(_arrived_at), max(_arrived_at), uniqExact(tenant_id) FROM $table WHERE $past"
        first, last, tenants = ask(query, topic)[0]
        assert (last - first).days >= 148, topic
        assert tenants == 2, topic


def test_what_customers_and_houses_do_is_all_there(ask):
    interactions = dict(ask("SELECT type, count() FROM interaction_events WHERE $past GROUP BY type"))
    assert interactions.keys() >= {
        "call.completed", "contact.bounced", "contact.clicked", "contact.delivered", "contact.opened", "contact.sent",
        "promise.made", "reply.received",
    }  # fmt: skip
    payments = dict(ask("SELECT type, count() FROM payment_events WHERE $past GROUP BY type"))
    assert payments.keys() >= {
        "invoice.adjusted", "invoice.issued", "invoice.written_off", "payment.failed", "payment.received",
        "payment.reversed", "plan.accepted", "plan.offered",
    }  # fmt: skip
    customers = dict(ask("SELECT type, count() FROM customer_events WHERE $past GROUP BY type"))
    assert customers.keys() >= {
        "account.credit_hold_advised", "account.cured", "account.escalated", "invoice.overdue", "promise.broken",
        "promise.kept",
    }  # fmt: skip
    arms = {arm for (arm,) in ask("SELECT DISTINCT arm FROM next_best_actions WHERE $past")}
    assert arms == {"policy", "explore", "hold_out"}
    nameless = ask("SELECT count() FROM interaction_events WHERE $past AND type = 'call.completed' AND agent = ''")
    assert nameless == [(0,)]


def test_its_rows_are_a_backfill_and_not_slow(ask):
    slowest = dict(ask("SELECT topic, max(to_row_ms_p99) FROM pipeline_minutes GROUP BY topic"))
    for topic in ACCOUNT_TOPICS:
        assert slowest[topic] < 60_000, topic


def test_messages_arrive_after_what_they_tell_of_and_decisions_at_once(ask):
    for topic in ACCOUNT_TOPICS:
        assert ask("SELECT count() FROM $table WHERE $past AND _arrived_at < occurred_at", topic) == [(0,)], topic
    latest = ask("SELECT max(_arrived_at - occurred_at) FROM next_best_actions WHERE $past")[0][0]
    assert float(latest) < 60


def test_a_contact_leaves_after_it_was_asked_for(ask):
    wrong = ask(
        """SELECT count() FROM interaction_events AS sent
        JOIN contact_requests AS asked ON sent.tenant_id = asked.tenant_id AND sent.contact_id = asked.contact_id
        WHERE sent.type = 'contact.sent' AND sent.account_id LIKE 'C1______' AND sent.occurred_at <= asked.occurred_at"""
    )
    assert wrong == [(0,)]


def test_no_account_of_the_past_is_one_that_streams_live(ask):
    both = ask(
        """SELECT tenant_id, JSONExtractString(payload, 'address') AS address FROM crm_events
        WHERE type = 'contact_point.updated' GROUP BY tenant_id, address HAVING uniqExact($past) > 1"""
    )
    assert both == []
    assert ask("SELECT uniqExact($past) FROM crm_events WHERE type = 'contact_point.updated'") == [(2,)]


def test_every_chain_is_sound_and_every_decision_of_the_past_is_recorded(demo_home, demo_summary):
    for verify in (verify_topic, verify_warehouse):
        found = verify(demo_home, lambda *_: None)
        assert found.sound
        assert found.decisions.messages == demo_summary["decisions"]


def test_every_state_is_what_its_topics_fold_to(demo_home, demo_summary):
    report = asyncio.run(rebuild_all(demo_home, dry_run=True, from_warehouse=False, tell=lambda _: None))
    assert report["different"] == 0
    assert report["accounts"] > demo_summary["past"]["accounts"]


def test_dispatch_sends_no_request_of_the_past_again(ask):
    twice = ask(
        """SELECT contact_id FROM interaction_events WHERE type IN ('contact.sent', 'contact.failed')
        GROUP BY tenant_id, contact_id HAVING uniqExact(source) > 1"""
    )
    assert twice == []
    oldest = ask(
        """SELECT min(asked.occurred_at) - max(asked.occurred_at) FROM contact_requests AS asked
        JOIN interaction_events AS told ON told.tenant_id = asked.tenant_id AND told.contact_id = asked.contact_id
        WHERE told.source = 'dispatch'"""
    )
    assert abs(float(oldest[0][0])) < 4 * HOUR / 1000
    unsent = ask(
        """SELECT count() FROM contact_requests WHERE $past AND occurred_at < now() - 86400
        AND (tenant_id, contact_id) NOT IN
            (SELECT tenant_id, contact_id FROM interaction_events WHERE type = 'contact.sent')"""
    )
    assert unsent == [(0,)]


def test_the_numbers_of_an_accounts_decisions_have_no_gap_where_live_begins(ask):
    broken = ask(
        """SELECT tenant_id, account_id FROM next_best_actions GROUP BY tenant_id, account_id
        HAVING max(decision_no) != count() OR uniqExact(decision_no) != count()"""
    )
    assert broken == []


def test_the_topics_are_as_the_registry_says(demo_home):
    assert topics.plan(demo_home.kafka) == []
