"""What the benchmark of the warehouse lands is what the pipeline could land."""

from benchmarks.warehouse.landing import MIX, ready_blocks
from benchmarks.warehouse.world import World, fill
from connectors.clickhouse.client import connect
from models.clock import WallClock
from recoup.stack.scratch import scratch_warehouse


def test_its_rows_keep_the_contracts_and_tell_of_one_portfolio() -> None:
    now = WallClock().now()
    with scratch_warehouse() as settings, connect(settings) as client:
        fill(client, World.of(12_000, now, days=90), lambda _done, _seconds: None)
        # Raises when a message would be refused.
        blocks = ready_blocks(client, now)
        assert blocks.keys() == MIX.keys()
        ((issued, collected, open_minor),) = client.query(
            "SELECT sumIf(amount_minor, type = 'invoice.issued'), sumIf(amount_minor, type = 'payment.received'),"
            " (SELECT sum(open_minor) FROM open_invoices) FROM payment_events"
        ).result_rows
        assert issued - collected == open_minor
        ((days, tenants),) = client.query(
            "SELECT uniqExact(toDate(occurred_at)), uniqExact(tenant_id) FROM payment_events"
        ).result_rows
        assert (days > 60, tenants) == (True, 2)
        # Every touch that money is put down to is a contact that was made.
        ((strangers,),) = client.query(
            "SELECT count() FROM ledger_postings WHERE contact_id != ''"
            " AND (tenant_id, account_id, contact_id) NOT IN (SELECT tenant_id, account_id, contact_id FROM contact_requests)"
        ).result_rows
        assert strangers == 0
