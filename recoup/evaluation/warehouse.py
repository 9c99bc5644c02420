"""Logged decisions and the money after them out of ClickHouse, tenant by tenant."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from connectors.clickhouse.client import connect
from connectors.clickhouse.history import LandedHistory
from connectors.clickhouse.outcomes import OutcomeTables, Paid
from models.clock import Instant
from models.evaluation.decisions import Decided, Material, Money, materials
from models.evaluation.policies import Policy
from recoup.settings import Settings
from schemas.errors import BadInput

Show = Callable[[str, float, str], None]
"""Told (tenant, share done, what is shown beside it)."""

EVERY = 5_000
"""Decisions between two words of progress."""


def material_of(
    settings: Settings,
    policy: Policy,
    window: Instant,
    *,
    tenant: str | None,
    since: Instant,
    until: Instant | None,
    show: Show = lambda *_: None,
) -> list[Material]:
    """What can be judged of each tenant.

    Args:
        window: of attribution, in milliseconds; it must have ended by the last that became known of the tenant.
        tenant: None = every one.
        since: of the decisions.
        until: of the decisions, and of their windows: one that goes on behind it saw decisions that are not asked about;
            None = all.

    Raises:
        BadInput: there is no such tenant, or nothing has landed.
        NotReady: ClickHouse does not answer.
    """
    client = connect(settings.clickhouse)
    try:
        database = settings.clickhouse.database
        extents = {its.tenant_id: its for its in LandedHistory(client, database).extents()}
        if tenant is not None and tenant not in extents:
            raise BadInput(f"Nothing of the tenant `{tenant}` has landed. There are: {', '.join(extents) or 'none'}.")
        tables = OutcomeTables(client, database)
        found: list[Material] = []
        for name in [tenant] if tenant is not None else list(extents):
            decided = _shown(decided_of(tables, name, since, until), name, extents[name].accounts, show)
            known = extents[name].until
            found += materials(decided, policy, window, known if until is None else min(until, known))
        return found
    finally:
        client.close()


def _shown(decided: Iterable[Decided], tenant_id: str, accounts: int, show: Show) -> Iterator[Decided]:
    """The same, told as it goes by."""
    seen, last, count = 0, "", 0
    for count, its in enumerate(decided, start=1):
        if its.decision.account_id != last:
            seen, last = seen + 1, its.decision.account_id
        if count % EVERY == 0:
            show(tenant_id, min(seen / max(accounts, 1), 1.0), f"{count:,} decisions of {seen:,} accounts")
        yield its
    show(tenant_id, 1.0, f"{count:,} decisions of {seen:,} accounts")


def decided_of(tables: OutcomeTables, tenant_id: str, since: Instant, until: Instant | None) -> Iterator[Decided]:
    """Two streams that are sorted alike, merged: the money stands with an account's first decision."""
    money = groupby(tables.money(tenant_id, since), key=lambda its: its.account_id)
    current = next(money, None)
    decisions = groupby(tables.decisions(tenant_id, since, until), key=lambda its: its.account_id)
    for account_id, of_account in decisions:
        while current is not None and current[0] < account_id:
            current = next(money, None)
        received: tuple[Money, ...] = ()
        if current is not None and current[0] == account_id:
            received = tuple(map(_money, current[1]))
        for decision in of_account:
            yield Decided(decision, received)
            received = ()


def _money(paid: Paid) -> Money:
    return Money(paid.at, paid.currency, paid.amount, paid.paid_at)
