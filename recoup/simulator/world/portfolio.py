"""Whose customers a population has: what each tenant asks of them, and how their accounts and invoices are numbered."""

import msgspec


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """The customers of one tenant."""

    share: float
    """Of the accounts."""
    countries: tuple[str, ...]
    amount: tuple[float, float]
    """Mean and standard deviation of the logarithm of an invoice, in major units."""
    again: float
    """That another invoice follows 30 days after the last one."""


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """The customers of all tenants. Days are those of the run."""

    markets: dict[str, Market]
    """By tenant."""
    first_number: int = 0
    """The number of the first customer: accounts, addresses and telephone numbers are named by it."""
    invoices: int = 5
    """That a customer may have, the one of the month before included."""
    first_due: tuple[int, int] = (-12, 24)
    """The days between which the first invoice is due."""
    paid_until: int = 60
    """Days before the run within which no paid invoice of the year before is due."""
    new_after: int = 10_000
    """Whose first invoice is due later is a new customer, with nothing paid before."""
    within_the_hour: bool = False
    """Each customer has a moment of their own within the hour; else all that happens does so on the full hour."""


COMPARED = Portfolio(
    markets={
        "brightwater": Market(share=0.40, countries=("US",), amount=(5.0, 0.6), again=0.85),
        "harbor": Market(share=0.25, countries=("US",), amount=(6.3, 0.8), again=0.0),
        "northgate": Market(share=0.20, countries=("GB",), amount=(5.4, 0.5), again=0.85),
        "fernwerk": Market(share=0.15, countries=("DE", "GB"), amount=(6.9, 0.9), again=0.55),
    }
)
"""What policies are compared on. Median invoices of 148, 545, 221 and 992."""
