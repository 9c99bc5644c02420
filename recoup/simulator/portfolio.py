"""The simulated accounts: where each lives, what it owes, and what it has paid, as the customer knows it."""

from collections.abc import Sequence
from random import Random

import msgspec

from models.clock import Instant
from recoup.simulator.customers import Customer, customer_of, habit_of
from schemas.control import Tenant
from schemas.currencies import Currency, decimals
from schemas.envelope import account_key

DAY = 86_400_000


class Region(msgspec.Struct, frozen=True):
    """Where customers live."""

    country: str
    state: str | None
    city: str
    time_zone: str
    language: str


REGIONS = (
    Region("US", "HI", "Honolulu", "Pacific/Honolulu", "en"),
    Region("US", "CA", "Los Angeles", "America/Los_Angeles", "en"),
    Region("US", "IL", "Chicago", "America/Chicago", "en"),
    Region("US", "NY", "Buffalo", "America/New_York", "en"),
    Region("US", "MA", "Boston", "America/New_York", "en"),
    Region("BR", "SP", "Campinas", "America/Sao_Paulo", "pt"),
    Region("GB", "ENG", "Leeds", "Europe/London", "en"),
    Region("DE", "BE", "Berlin", "Europe/Berlin", "de"),
    Region("DE", "BY", "Augsburg", "Europe/Berlin", "de"),
    Region("SE", None, "Uppsala", "Europe/Stockholm", "sv"),
    Region("ZA", None, "Durban", "Africa/Johannesburg", "en"),
    Region("AE", None, "Dubai", "Asia/Dubai", "en"),
    Region("IN", "KA", "Mysuru", "Asia/Kolkata", "en"),
    Region("SG", None, "Singapore", "Asia/Singapore", "en"),
    Region("JP", "13", "Tokyo", "Asia/Tokyo", "ja"),
    Region("AU", "NSW", "Newcastle", "Australia/Sydney", "en"),
    Region("NZ", None, "Dunedin", "Pacific/Auckland", "en"),
)
"""All around the clock, so that at any moment some customers may be contacted and some are asleep."""


class Business(msgspec.Struct, frozen=True):
    """What the simulator has to know of a tenant."""

    tenant_id: str
    currencies: tuple[Currency, ...]
    step_days: tuple[int, ...]
    """When its strategy acts, in days past due: some invoices are dated so that a step is due today."""


ACME = Business("acme", ("USD",), (-3, 1, 5, 12, 20, 30, 45))
NORDLICHT = Business("nordlicht", ("EUR", "GBP"), (-7, 3, 14, 21, 30, 40))
BUSINESSES = (ACME, NORDLICHT)
"""As in config/tenants, for tests and benchmarks; a live simulation asks for those that are published."""


def business_of(tenant: Tenant) -> Business:
    """What the simulator has to know of a published tenant."""
    steps = tuple(sorted({step.at_days for step in tenant.strategy.steps}))
    return Business(tenant.tenant_id, tenant.currencies, steps or (0,))


class Invoice(msgspec.Struct, gc=False):
    """An unpaid invoice as its customer knows it."""

    invoice_id: str
    left: int
    due_at: Instant
    disputed: bool = False


class Payment(msgspec.Struct, gc=False):
    """A payment that may still go back."""

    payment_id: str
    amount: int


class Account(msgspec.Struct):
    """One customer's account with one business."""

    business: Business
    customer: Customer
    key: bytes
    region: Region
    currency: Currency
    email: str
    phone: str | None
    post: str | None
    sms_consent: bool
    zone_known: bool
    open: dict[str, Invoice] = {}
    disputes: dict[str, str] = {}
    """Dispute -> its invoice."""
    last_payment: Payment | None = None
    held: bool = False
    silent: set[str] = set()
    """Channels that the customer has opted out of."""

    def amount(self, random: Random) -> int:
        """What an invoice of this account may be over, in minor units: 20 to 5,000 major units, mostly near 130."""
        major = min(max(random.lognormvariate(4.9, 0.9), 20.0), 5000.0)
        factor: int = 10 ** decimals(self.currency)
        return round(major * 100) * factor // 100


def account_at(seed: int, number: int, businesses: Sequence[Business]) -> Account:
    """The account of that number; it depends on the seed and the businesses alone, not on what was asked before."""
    random = Random(f"{seed}:{number}")
    business = businesses[number % len(businesses)]
    account_id = f"C{number:07d}"
    customer = customer_of(random, business.tenant_id, account_id, habit_of(random))
    region = random.choice(REGIONS)
    return Account(
        business=business,
        customer=customer,
        key=account_key(business.tenant_id, account_id),
        region=region,
        currency=random.choice(business.currencies),
        email=f"customer-{number}@{business.tenant_id}.example",
        # +999 is no country: the numbers are well formed and reach nobody.
        phone=f"+999{number:010d}" if random.random() < 0.8 else None,
        post=f"{number} Example Street, {region.city}" if random.random() < 0.9 else None,
        sms_consent=random.random() < 0.75,
        zone_known=random.random() < 0.97,
    )
