"""What ClickHouse knows of the page's figures, by the queries of `queries/*.sql`; each is stopped when it takes too long."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.clickhouse.client import connect
from models.calendar import utc
from models.clock import Clock
from models.compliance.sentences import reason_of
from recoup.dead_letters.replay import Replayed
from recoup.forecasting import cash_forecast, known_portfolios
from recoup.settings import Settings
from schemas.errors import BadInput

QUERIES = Path(__file__).parent / "queries"
QUERY_SECONDS = 10
FOUND_ACCOUNTS = 12
LETTERS_AT_ONCE = 50
MOST_REPLAYED = 5_000
DAYS = 14
CURRENT = "current"


class Bucket(msgspec.Struct, frozen=True):
    """One ageing bucket."""

    bucket: str
    open_minor: int
    invoices: int


class Money(msgspec.Struct, frozen=True):
    """A tenant's money in one currency; days are of the tenant's calendar."""

    tenant_id: str
    currency: str
    day: str
    open_minor: int
    overdue_minor: int
    buckets: tuple[Bucket, ...]
    collected: tuple[int, ...]
    """On each of the last 14 days, today last."""


class Heap(msgspec.Struct, frozen=True):
    """The dead letters of one topic and reason."""

    topic: str
    reason: str
    letters: int
    replayed: int | None
    newest: int


class Landed(msgspec.Struct, frozen=True):
    """What landed in the last whole minute, whoever landed it."""

    rows_per_second: float
    to_row: tuple[float, float] | None
    """p50 and p99 in milliseconds, of the slowest topic."""
    to_decision: tuple[float, float] | None
    """Likewise from an event to its decision, of the slowest worker."""


class Expected(msgspec.Struct, frozen=True):
    """The cash of the next 30 days."""

    tenant_id: str
    currency: str
    expected_minor: int
    low_minor: int
    """With `high_minor`: holds the cash in eight of ten cases."""
    high_minor: int


class Denied(msgspec.Struct, frozen=True):
    """How often a rule denied something in the last hour."""

    tenant_id: str
    rule: str
    says: str
    denials: int


class Warehouse:
    """Asks one database. Used by one thread at a time."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._client: Client | None = None

    def rows(self, query: str, **values: Any) -> Sequence[Sequence[Any]]:
        """The rows of `queries/<query>.sql`, with `{name:Type}` in it replaced by the server.

        Raises:
            NotReady: ClickHouse does not answer.
            ClickHouseError: it refuses the query.
        """
        try:
            return (
                self._open()
                .query(_text(query), parameters=values, settings={"max_execution_time": QUERY_SECONDS})
                .result_rows
            )
        except (ClickHouseError, OSError):
            self.close()
            raise

    def _open(self) -> Client:
        if self._client is None:
            self._client = connect(self.settings.clickhouse, answer_seconds=QUERY_SECONDS + 5, connections=2)
        return self._client

    def close(self) -> None:
        """Let the connections go; the next question opens them again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def money(self) -> list[Money]:
        """Each tenant and currency."""
        zones = {str(tenant): str(zone) for tenant, zone in self.rows("zones")}
        collected: dict[tuple[str, str, str], int] = {}
        for tenant, currency, day, minor in self.rows("collected"):
            collected[tenant, currency, day] = int(minor)
        buckets: dict[tuple[str, str], list[Bucket]] = {}
        for tenant, currency, _, name, minor, invoices in self.rows("ageing"):
            buckets.setdefault((tenant, currency), []).append(Bucket(name, int(minor), int(invoices)))
        for tenant, currency, _ in collected:
            buckets.setdefault((tenant, currency), [])
        return [
            self._money(tenant, currency, tuple(found), zones.get(tenant, "UTC"), collected)
            for (tenant, currency), found in sorted(buckets.items())
        ]

    def _money(
        self,
        tenant: str,
        currency: str,
        buckets: tuple[Bucket, ...],
        zone: str,
        collected: dict[tuple[str, str, str], int],
    ) -> Money:
        today = utc(self.clock.now()).astimezone(ZoneInfo(zone)).date()
        days = [(today - timedelta(days=back)).isoformat() for back in reversed(range(DAYS))]
        came = tuple(collected.get((tenant, currency, day), 0) for day in days)
        return Money(
            tenant_id=tenant,
            currency=currency,
            day=today.isoformat(),
            open_minor=sum(bucket.open_minor for bucket in buckets),
            overdue_minor=sum(bucket.open_minor for bucket in buckets if bucket.bucket != CURRENT),
            buckets=buckets,
            collected=came,
        )

    def letter_heaps(self) -> list[Heap]:
        """Dead letters by topic and reason, the largest heap first.

        How many of them were sent again is left out (None) where Redis knows of more than can be asked for.
        """
        with Replayed(self.settings) as replayed:
            done = sorted(replayed.all())
        asked = done if len(done) <= MOST_REPLAYED else []
        return [
            Heap(topic, why, int(letters), int(again) if len(done) <= MOST_REPLAYED else None, int(newest))
            for topic, why, letters, again, newest in self.rows("letter_heaps", replayed=asked)
        ]

    def letters(self, topic: str, why: str, skip: int) -> dict[str, Any]:
        """The newest letters of a topic and reason (empty = of all), after so many of them."""
        found = self.rows("letters_of", topic=topic, reason=why, most=LETTERS_AT_ONCE + 1, skip=skip)
        with Replayed(self.settings) as replayed:
            done = replayed.all()
        names = ("at", "arrived_at", "topic", "tenant_id", "account_id", "reason", "field", "detail", "attempt")
        return {
            "letters": [
                dict(zip(names, row, strict=True)) | {"replayed": row[0] in done} for row in found[:LETTERS_AT_ONCE]
            ],
            "more": len(found) > LETTERS_AT_ONCE,
        }

    def forecast(self) -> list[Expected]:
        """The cash of the next 30 days of each tenant and currency of which enough is known."""
        client, found = self._open(), []
        with contextlib.suppress(BadInput):  # nothing has landed
            for portfolio in known_portfolios(client):
                tenant, currency = portfolio.tenant_id, portfolio.currency
                with contextlib.suppress(BadInput):  # nothing was booked lately: the page says that there is none
                    total = cash_forecast(client, tenant, currency, clock=self.clock).total
                    found.append(Expected(tenant, currency, total.expected_minor, total.low_minor, total.high_minor))
        return found

    def landed(self) -> Landed:
        """What landed in the last whole minute."""
        ((rows, *to_row),) = self.rows("landed")
        (to_decision,) = self.rows("decided")
        return Landed(round(int(rows or 0) / 60, 1), _quantiles(to_row), _quantiles(to_decision))

    def denied(self) -> list[Denied]:
        """By tenant and rule, most often first."""
        return [Denied(tenant, rule, reason_of(rule), int(denials)) for tenant, rule, denials in self.rows("denied")]

    def search(self, text: str) -> list[dict[str, str]]:
        """Accounts whose id begins with the text, else those that have it in them."""
        if not text:
            return []
        for query in ("accounts_beginning", "accounts_containing"):
            found = self.rows(query, text=text, most=FOUND_ACCOUNTS)
            if found:
                return [{"tenant_id": tenant, "account_id": account} for tenant, account in found]
        return []


def _quantiles(found: Sequence[Any]) -> tuple[float, float] | None:
    half, most = found
    return None if half is None or most is None else (float(half), float(most))


@cache
def _text(query: str) -> str:
    return (QUERIES / f"{query}.sql").read_text("utf-8")
