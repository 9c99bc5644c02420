"""Rows to learn from, out of accounts and their events; what makes no row, and what has no label, is counted."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.actions.schedule import Plan
from models.clock import Instant
from models.features.catalogue import NAMES
from models.features.history import Arrival, History, Snapshot
from models.features.outcomes import NEVER_ISSUED, days_to_pay, horizon_end, outcome_of, timelines
from models.features.rows import matrix
from models.propensity.examples import Examples, Outcome
from recoup.training.question import Question
from schemas.envelope import Event
from schemas.errors import BadInput

Show = Callable[[str, float, str], None]
"""Told (phase, share done, what is shown beside it)."""

CHUNK = 8_192
TOO_LATE = "its due date had passed"
TOO_EARLY = "before --since"

Matrix = NDArray[np.float64]


class Account(msgspec.Struct):
    """One account and all that is known of it."""

    tenant_id: str
    account_id: str
    arrivals: list[Arrival]
    """In the order of arrival."""
    happened: list[Event]
    """What it was like in hindsight."""


class Source(msgspec.Struct, frozen=True):
    """Where the accounts of a tenant come from."""

    plan: Plan
    data_end: Instant
    """Nothing is known of what happened later."""


class Dataset(msgspec.Struct):
    """Rows, and what became of everything else."""

    examples: Examples
    left_out: dict[str, int]
    """Reason -> what makes no row."""
    warnings: list[str] = []
    notes: list[str] = []
    """What was taken for granted, such as the kind of a column."""
    known_after: set[str] = set()
    """Columns of the rows that are only known after the decision."""


class Rows:
    """Collects the rows of one account after the other."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.left_out: Counter[str] = Counter()
        self.data_end: Instant = 0
        self._x: list[Matrix] = []
        self._raw: list[bytes] = []
        self._keys: list[tuple[Instant, str, str, str, str, str]] = []
        self._labels: list[tuple[Instant, Outcome, float, bool]] = []

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, account: Account, source: Source) -> None:
        """Take an account's rows."""
        self.data_end = max(self.data_end, source.data_end)
        truth = None
        history = History(account.arrivals, source.plan, source.data_end, self.left_out)
        for snapshot in history.snapshots(self.question.moment, self.question.target):
            end = horizon_end(self.question.target, snapshot.at, snapshot.due, source.plan.zone)
            if self.question.since is not None and snapshot.at < self.question.since:
                self.left_out[TOO_EARLY] += 1
            elif end <= snapshot.at:
                self.left_out[TOO_LATE] += 1
            else:
                truth = timelines(account.happened) if truth is None else truth
                timeline = truth.get(snapshot.invoice_id, NEVER_ISSUED)
                outcome = outcome_of(timeline, snapshot.at, end, source.data_end)
                self._labels.append((end, outcome, *days_to_pay(timeline, snapshot.at, source.data_end)))
                self._take(account, snapshot)

    def _take(self, account: Account, snapshot: Snapshot) -> None:
        self._keys.append(
            (
                snapshot.at,
                account.tenant_id,
                account.account_id,
                snapshot.invoice_id,
                snapshot.currency,
                snapshot.segment,
            )
        )
        self._raw.append(snapshot.row)
        if len(self._raw) >= CHUNK:
            self._pack()

    def _pack(self) -> None:
        if self._raw:
            self._x.append(matrix(self._raw))
            self._raw = []

    def examples(self) -> Examples:
        """All rows, in the order of time.

        Raises:
            BadInput: there are none.
        """
        if not self._keys:
            why = "; ".join(f"{count:,} {reason}" for reason, count in self.left_out.items()) or "no invoice was issued"
            raise BadInput(f"There is no row --at {self.question.moment} for {self.question.target}: {why}.")
        self._pack()
        at, tenant_id, account_id, invoice_id, currency, segment = zip(*self._keys, strict=True)
        end, outcome, days, paid = zip(*self._labels, strict=True)
        order = np.array(sorted(range(len(self._keys)), key=self._keys.__getitem__), dtype=np.intp)
        return Examples(
            columns=NAMES,
            x=np.concatenate(self._x)[order],
            at=np.array(at, np.int64)[order],
            horizon_end=np.array(end, np.int64)[order],
            outcome=np.array(outcome)[order],
            account_id=np.array(account_id)[order],
            invoice_id=np.array(invoice_id)[order],
            currency=np.array(currency)[order],
            segment=np.array(segment)[order],
            tenant_id=np.array(tenant_id)[order],
            days_to_pay=np.array(days, np.float64)[order],
            paid=np.array(paid, np.bool_)[order],
            data_end=self.data_end,
            target=self.question.target,
            moment=self.question.moment,
        )


def collect(
    accounts: Iterable[Account],
    sources: Mapping[str, Source],
    question: Question,
    total: int,
    show: Show = lambda phase, share, beside: None,
) -> Dataset:
    """The rows of many accounts.

    Args:
        sources: by tenant.
        total: how many accounts there are, for the progress.

    Raises:
        BadInput: there is no row among them.
    """
    rows = Rows(question)
    for number, account in enumerate(accounts, 1):
        rows.add(account, sources[account.tenant_id])
        if number % 100 == 0 or number == total:
            show("folding", min(1.0, number / max(1, total)), f"{len(rows):,} rows of {number:,} accounts")
    examples = rows.examples()
    return Dataset(examples, dict(rows.left_out))


def outcomes(examples: Examples) -> dict[str, int]:
    """How many rows there are of each outcome."""
    found, counts = np.unique(examples.outcome, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))
