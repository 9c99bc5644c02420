"""The records of what is owed and paid: invoices, payments, and the habits that closed ones leave behind.

Bounds per account: everything but open invoices is limited in number. What that costs: a reversal of a payment older
than the last `SETTLED` ones opens no invoice again, it becomes a debit on account; the balance is right all the same.
"""

import msgspec

from models.calendar import DAY
from models.clock import Instant

CLOSED = 8
"""Closed invoices kept as bytes."""
SETTLED = 8
"""Fully used payments kept as bytes."""
WAITING = 32
"""Invoices that payments or credit notes have named and that have not been issued yet."""
CREDITS = 16
"""Payments on account that keep their names; older ones are merged into one sum a currency."""
ATTEMPTS = 8
DEALS = 4
RECENT = 8
"""Closed invoices that are remembered one by one, by the day on which they were paid."""
AMOUNTS = 8
"""Currencies whose closed invoices are added up; invoices of a further one are not."""

OPEN = "open"
VOIDED = "voided"
WRITTEN_OFF = "written_off"

UNCOUNTED = -1

Share = tuple[str, int, bool]
"""Invoice id, minor units, and whether the payment itself named the invoice."""


class Invoice(msgspec.Struct, array_like=True, gc=False):
    """One invoice. Until it has been issued, only what others have said about it."""

    currency: str
    known: bool = True
    amount: int = 0
    due: Instant = 0
    at: Instant = 0
    """When it was issued."""
    debt_id: str | None = None
    adjusted: int = 0
    paid: int = 0
    paid_at: Instant = 0
    """When the last payment counted: received, and the invoice issued."""
    status: str = OPEN
    late: int = UNCOUNTED
    """Days late that it was counted with in the habits."""
    overcredited: int = 0
    """What credit notes gave beyond the invoice; it lies on account."""
    counted: Instant = 0
    """The `paid_at` that it was counted with. 0 = not counted, or by a version that knew only the sums of days late."""
    electronic: bool | None = None
    """Whether it was sent by electronic means; None = not said."""

    @property
    def rest(self) -> int:
        """What is not paid of it, in minor units; a written-off invoice has a rest that nobody chases."""
        return self.amount + self.adjusted - self.paid

    def days_past_due(self, at: Instant) -> int:
        """Whole days since the due instant; the due day itself, and a day of grace for its end, are not late."""
        return max(0, (at - self.due) // DAY)

    def slack(self, at: Instant) -> int:
        """Whole days from the due instant, negative before it."""
        return (at - self.due) // DAY


class Payment(msgspec.Struct, array_like=True, gc=False):
    """One payment. Not known = only its reversal has been seen."""

    currency: str
    at: Instant
    """0 = nameless money."""
    known: bool = True
    unused: int = 0
    """On account; negative when more was taken back than was left."""
    shares: list[Share] = []


class Habits(msgspec.Struct, array_like=True, gc=False):
    """What the closed invoices and old payments say about the customer.

    The sums are exact whatever order events come in. `recent` is, too, as long as no more than RECENT invoices were ever
    closed; beyond that, one that is opened again leaves a gap, because what it had pushed out is no longer known.
    """

    closed: int = 0
    """Invoices closed by payment; voided, credited and written-off ones say nothing about paying."""
    late: int = 0
    late_days: int = 0
    late_squares: int = 0
    """Sum of the squared days late, for the spread."""
    last_paid_at: Instant = 0
    payments: int = 0
    failed: int = 0
    reversed: int = 0
    written_off: int = 0
    slack: int = 0
    """Sum of whole days from due to paid, negative when paid early."""
    to_pay: int = 0
    """Sum of whole days from issue to paid."""
    recent: list[int] = []
    """The invoices that were paid last, the newest last: see `recent_item`."""
    amounts: dict[str, tuple[int, int]] = {}
    """Currency -> closed invoices, and the sum of what they were issued for, in minor units."""
    issued: int = 0
    """Invoices issued, whatever became of them."""
    first_at: Instant = 0
    """When the first of them was issued; 0 = none was."""
    recent_slack: int = 0
    """Sum of the days against due of `recent`; it and the next one are read for every decision, and change rarely."""
    recent_on_time: int = 0
    """Of `recent`, paid on the due day or before."""
    timed: int = 0
    """Closed invoices that `slack` and `to_pay` are the sums of; the others were closed under version 1 of the state."""


SLACKS = 4_096
"""Values of days against due in an item of `recent`: from -2,048 to 2,047, what lies beyond is cut off."""


def recent_item(paid_at: Instant, slack: int) -> int:
    """A closed invoice as one number that sorts by the UTC day of its payment."""
    return paid_at // DAY * SLACKS + min(max(slack + SLACKS // 2, 0), SLACKS - 1)


def paid_day_of(item: int) -> int:
    """The UTC day number on which an item of `recent` was paid."""
    return item // SLACKS


def slack_of(item: int) -> int:
    """Days against due of an item of `recent`, negative = early."""
    return item % SLACKS - SLACKS // 2


def recent_slacks(habits: Habits) -> list[int]:
    """Days against due of the invoices that were paid last, oldest first; negative = early."""
    return [slack_of(item) for item in habits.recent]


class Attempt(msgspec.Struct, array_like=True, gc=False):
    """A payment that is scheduled, pending or failed."""

    stamp: int
    status: str
    amount: int
    currency: str
    expected_at: Instant | None = None


class Deal(msgspec.Struct, array_like=True, gc=False):
    """A payment plan or a settlement; `first_on` and `last_on` are day numbers."""

    stamp: int
    status: str
    currency: str | None = None
    amount: int = 0
    instalments: int = 0
    first_on: int = 0
    last_on: int = 0


class Claim(msgspec.Struct, array_like=True, gc=False):
    """What the billing system said is owed, and how far from it our balance was then."""

    stamp: int
    amount: int
    difference: int


class PaymentFacts(msgspec.Struct, array_like=True, gc=False):
    """The fold of payment-events."""

    invoices: dict[str, Invoice] = {}
    """Open ones, and those that have not been issued yet."""
    credits: dict[str, Payment] = {}
    """Payments that are not fully used, or that have been reversed beyond what was left."""
    closed: dict[str, bytes] = {}
    settled: dict[str, bytes] = {}
    habits: Habits = msgspec.field(default_factory=Habits)
    attempts: dict[str, Attempt] = {}
    deals: dict[str, Deal] = {}
    claims: dict[str, Claim] = {}
    mismatches: int = 0
    """Balance assertions that differed from ours."""
    spread_at: Instant = 0
    """The latest moment at which money was spread over invoices that the payment did not name."""
    ids: bytes = b""
    events: bytes = b""


encode = msgspec.msgpack.Encoder().encode
decode_invoice = msgspec.msgpack.Decoder(Invoice).decode
decode_facts = msgspec.msgpack.Decoder(PaymentFacts).decode
decode_payment = msgspec.msgpack.Decoder(Payment).decode


def balances(facts: PaymentFacts) -> dict[str, int]:
    """What is owed in each currency, in minor units: negative when the account is in credit."""
    sums: dict[str, int] = {}
    for invoice in facts.invoices.values():
        if invoice.status != VOIDED:
            sums[invoice.currency] = sums.get(invoice.currency, 0) + invoice.rest
    for payment in facts.credits.values():
        sums[payment.currency] = sums.get(payment.currency, 0) - payment.unused
    return sums
