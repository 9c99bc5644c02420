"""What ClickHouse knows of the scores of a model: samples to compare, invoices to judge, and who was selected.

Nothing here brings more than a stated number of accounts; which ones, the hash of their id says, so that the same question
has the same answer. Account ids stay within the queries and the folds: no report has any.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from clickhouse_connect.driver.client import Client
from numpy.typing import NDArray

from connectors.clickhouse.statements import Name, Sql, Value, statement
from models.clock import Instant
from models.features.catalogue import FEATURES_HASH, NAMES


class Scored(msgspec.Struct, frozen=True):
    """One model's scores of one tenant's accounts."""

    tenant_id: str
    model: str
    role: str
    target: str
    reference: int
    """Scores before the current window."""
    current: int
    other_features: int
    """Of both: scores whose feature values are none, or of another list of features."""


class Window(msgspec.Struct, frozen=True):
    """The scores of a model and a tenant from `first` up to, but without, `end`."""

    tenant_id: str
    model: str
    first: Instant
    end: Instant


class Sample(msgspec.Struct, frozen=True, eq=False):
    """One score of each drawn account."""

    scores: NDArray[np.float64]
    features: NDArray[np.float64]
    """Of those that have the features of the catalogue: of shape (rows, columns), NaN where it is not known."""


class Judged(msgspec.Struct, frozen=True):
    """A score that names an invoice."""

    account_id: str
    invoice_id: str
    at: Instant
    horizon_days: int
    target: str
    probability: float


class Message(msgspec.Struct, frozen=True):
    """An event of an account as it came."""

    account_id: str
    topic: str
    key: bytes
    payload: bytes


class Selected(msgspec.Struct, frozen=True):
    """Accounts with one value of an attribute; an empty value is not known."""

    attribute: str
    value: str
    n: int
    best: int
    contacted: int


class ScoreTables:
    """Asks the tables of one database."""

    def __init__(self, client: Client, database: str) -> None:
        self.client = client
        self.database = Name(database)

    def models(self, first: Instant, since: Instant, end: Instant, *, tenant: str, model: str) -> list[Scored]:
        """Every model that scored between `first` and `end`, champions first; tenant and model may be "" = any.

        Args:
            since: where the current window begins.
        """
        rows = self._ask(
            "scored_models",
            first=_at(first),
            since=_at(since),
            end=_at(end),
            hash=FEATURES_HASH,
            columns=len(NAMES),
            tenant=tenant,
            model=model,
        )
        return [Scored(*row) for row in rows]

    def newest(self, tenant: str, model: str) -> tuple[int, Instant]:
        """How many scores there are at all, and when the newest was made."""
        ((count, at),) = self._ask("newest_score", tenant=tenant, model=model)
        return int(count), int(at)

    def sample(self, window: Window, most: int, moment: str = "") -> Sample:
        """One drawn score of each of at most `most` accounts.

        Args:
            moment: `issue` = of scores within a day of the invoice's issue; `overdue` = within two days of its due
                date; anything else = of all.
        """
        query = statement(
            "drawn_scores",
            database=self.database,
            hash=FEATURES_HASH,
            columns=len(NAMES),
            days_to_due=NAMES.index("days_to_due") + 1,
            terms_days=NAMES.index("terms_days") + 1,
            moment=moment,
            accounts=self._accounts(window, most),
            **_of(window),
        )
        table = self.client.query_arrow(query)
        drawn = table.column("drawn").combine_chunks()
        values = np.asarray(drawn.flatten().to_numpy(zero_copy_only=False), dtype=np.float64)
        scores = np.asarray(table.column("score").to_numpy(), dtype=np.float64)
        return Sample(scores[~np.isnan(scores)], values.reshape(-1, len(NAMES)))

    def to_judge(self, window: Window, most: int) -> list[Judged]:
        """One score of each invoice of at most `most` accounts."""
        rows = self._ask("scores_to_judge", accounts=self._accounts(window, most), **_of(window))
        return [Judged(account_id, invoice_id, *said) for account_id, invoice_id, said in rows]

    def events(self, window: Window, most: int, until: Instant) -> Iterator[Message]:
        """Every event that settles invoices of the same accounts, each account's together and in order."""
        query = statement(
            "events_of_accounts",
            database=self.database,
            tenant=window.tenant_id,
            end=_at(until),
            accounts=self._accounts(window, most),
        )
        with self.client.query_rows_stream(query, column_formats={"key": "bytes", "payload": "bytes"}) as rows:
            for row in rows:
                yield Message(*row)

    def threshold(self, window: Window, share: float) -> float | None:
        """The score that the best `share` of the accounts have at least; None = there are no scores."""
        ((count, score),) = self._ask("best_scores", level=Sql(repr(1.0 - share)), **_of(window))
        return float(score) if count else None

    def selected(self, window: Window, threshold: float) -> list[Selected]:
        """Who is at or above the threshold by the newest score, and whom a contact was requested for."""
        rows = self._ask("selected_groups", threshold=Sql(repr(threshold)), **_of(window))
        return [Selected(*row) for row in rows]

    def told(self, tenant_id: str, since: Instant) -> set[str]:
        """The ids of the drift events of a tenant that have landed."""
        return {row[0] for row in self._ask("drifts_told", tenant=tenant_id, since=_at(since))}

    def _accounts(self, window: Window, most: int) -> Sql:
        return Sql(statement("drawn_accounts", database=self.database, most=most, **_of(window)))

    def _ask(self, query: str, **values: Value) -> list[Any]:
        return list(self.client.query(statement(query, database=self.database, **values)).result_rows)


def _of(window: Window) -> dict[str, Value]:
    return {
        "tenant": window.tenant_id,
        "model": window.model,
        "first": _at(window.first),
        "end": _at(window.end),
    }


def _at(instant: Instant) -> Sql:
    return Sql(f"fromUnixTimestamp64Milli({instant}, 'UTC')")
