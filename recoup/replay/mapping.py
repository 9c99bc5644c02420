"""Says which columns of a ledger mean what; a mapping that cannot work is refused before a row is read."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from models.calendar import zone
from recoup.yaml_file import convert, read_yaml
from schemas.control import TenantId
from schemas.envelope import Currency
from schemas.errors import BadInput

Column = Annotated[str, Meta(min_length=1)]
ISO = "iso"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section of the file; each value is the name of a column."""


class AccountColumns(_Part, frozen=True):
    """Who owes."""

    id: Column
    name: Column | None = None
    segment: Column | None = None
    language: Column | None = None
    country: Column | None = None
    state: Column | None = None
    city: Column | None = None
    zip: Column | None = None
    time_zone: Column | None = None
    email: Column | None = None
    phone: Column | None = None
    address: Column | None = None
    """Postal."""


class InvoiceColumns(_Part, frozen=True):
    """What is owed; a row without an amount or a date of its own is wrong."""

    id: Column
    amount: Column
    issued_at: Column
    due_at: Column
    currency: Column | None = None
    """Instead of the mapping's one currency."""
    known_at: Column | None = None
    """When it was entered, where that was later than its date; a replay goes by the date, training by this."""
    delivery: Column | None = None
    """How it reached the customer, `electronic` or `paper`; say in `values` what else stands there means."""


class PaymentColumns(_Part, frozen=True):
    """What was paid; a row whose `paid_at` is empty was not."""

    paid_at: Column
    amount: Column | None = None
    """Without it a payment is that of the whole invoice."""
    id: Column | None = None
    """For ledgers with several payments to an invoice, a row for each."""
    known_at: Column | None = None
    """When it was posted, where that was later than its date."""


class DisputeColumns(_Part, frozen=True):
    """Which invoices were disputed: from the invoice's date to its payment, unless columns say when."""

    when: dict[str, tuple[str, ...]]
    """Column -> the values that say so; every column named must agree."""
    opened_at: Column | None = None
    resolved_at: Column | None = None
    known_at: Column | None = None
    """When the dispute was entered. Without this and `opened_at` training takes it to have come out with the payment."""


class FeatureColumn(_Part, frozen=True):
    """A column of the ledger's own to learn from; no live event carries it."""

    column: Column
    kind: Literal["number", "category", "date", "flag"] | None = None
    """None = guessed from its cells."""
    known_at: Literal["issue", "later"] = "issue"
    """What is only known later foretells nothing, and training refuses it."""


class BalanceColumns(_Part, frozen=True):
    """What an account owes altogether, for ledgers that know no invoices; negative = credit."""

    amount: Column
    as_of: Column
    due_at: Column | None = None


class Mapping(_Part, frozen=True):
    """A whole mapping file."""

    tenant_id: TenantId
    currency: Currency
    dates: Annotated[str, Meta(min_length=1)]
    """As Python's strptime, or `iso`."""
    account: AccountColumns
    invoice: InvoiceColumns | None = None
    payment: PaymentColumns | None = None
    dispute: DisputeColumns | None = None
    balance: BalanceColumns | None = None
    time_zone: str | None = None
    """IANA, of the ledger's dates; by default the tenant's."""
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    decimal: Annotated[str, Meta(pattern="^[.,]$")] = "."
    thousands: Annotated[str, Meta(pattern="^[., '\u00a0]?$")] = ""
    encoding: str = "utf-8"
    features: dict[Column, FeatureColumn] = {}
    """Name -> a column of the ledger's own, for training."""
    values: dict[str, dict[str, str]] = {}
    """Column -> what its values mean, such as {countryCode: {"391": US}}."""
    assume_reachable: bool = True
    """A ledger that names no address says nothing about reminders: take each account to have one of each kind."""

    @property
    def names_addresses(self) -> bool:
        """Whether any column holds a way to reach the customer."""
        return any((self.account.email, self.account.phone, self.account.address))

    @property
    def days_only(self) -> bool:
        """Whether the ledger's dates are days, without a time."""
        return self.dates != ISO and not any(code in self.dates for code in ("%H", "%I", "%c", "%X", "%s"))

    def columns(self) -> dict[str, str]:
        """Every column that is named, with the field that names it."""
        named: dict[str, str] = {}
        for section in ("account", "invoice", "payment", "dispute", "balance"):
            part = getattr(self, section)
            if part is None:
                continue
            for field in msgspec.structs.fields(part):
                value = getattr(part, field.name)
                for column in value if isinstance(value, dict) else (value,) if value else ():
                    named.setdefault(column, f"{section}.{field.name}")
        for name, feature in self.features.items():
            named.setdefault(feature.column, f"features.{name}")
        return named


def read_mapping(path: Path) -> Mapping:
    """The mapping of a file.

    Raises:
        BadInput: what is wrong, and where.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise BadInput(
            f"{path}: expected tenant_id, currency, dates, account and invoice; see config/mappings/ for one."
        )
    mapping = convert(_as_text(content, str(path)), Mapping, str(path))
    for field, what in _contradictions(mapping):
        raise BadInput(f"{path}: `{field}`: {what}.")
    return mapping


def _as_text(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Values to compare with cells, as text: YAML makes numbers, dates and truth values of what looks like them."""
    content = dict(content)
    dispute = content.get("dispute")
    if isinstance(dispute, dict) and isinstance(dispute.get("when"), dict):
        when = {
            str(column): tuple(
                _text(value, f"dispute.when.{column}", name) for value in (said if isinstance(said, list) else [said])
            )
            for column, said in dispute["when"].items()
        }
        content["dispute"] = dispute | {"when": when}
    if isinstance(content.get("values"), dict):
        content["values"] = {
            str(column): {
                _text(old, f"values.{column}", name): _text(new, f"values.{column}.{old}", name)
                for old, new in said.items()
            }
            if isinstance(said, dict)
            else said
            for column, said in content["values"].items()
        }
    return content


def _text(value: Any, field: str, name: str) -> str:
    if isinstance(value, bool) or value is None:
        raise BadInput(f"{name}: `{field}`: YAML reads this as {value}, not as text; put it in quotes.")
    return str(value)


def _contradictions(mapping: Mapping) -> list[tuple[str, str]]:
    found = []
    if (mapping.invoice is None) == (mapping.balance is None):
        found.append(("invoice", "name the columns of `invoice`, or of `balance` for a ledger without invoices"))
    if mapping.invoice is None and (mapping.payment or mapping.dispute):
        found.append(("payment" if mapping.payment else "dispute", "needs `invoice`"))
    if mapping.payment and mapping.payment.id and not mapping.payment.amount:
        found.append(("payment.amount", "is needed where `payment.id` tells several payments of an invoice apart"))
    if mapping.dispute and not mapping.dispute.when:
        found.append(("dispute.when", "name a column and the values that say that an invoice is disputed"))
    if mapping.thousands == mapping.decimal:
        found.append(("thousands", "is the same as `decimal`"))
    if mapping.time_zone is not None and zone(mapping.time_zone) is None:
        found.append(("time_zone", "is no IANA time zone, such as America/New_York"))
    if not _reads_dates(mapping.dates):
        found.append(("dates", 'does not read a year, a month and a day; an example is "%m/%d/%Y"'))
    try:
        "".encode(mapping.encoding)
    except LookupError:
        found.append(("encoding", "is no encoding that Python knows, such as utf-8 or cp1252"))
    return found


def _reads_dates(form: str) -> bool:
    if form == ISO:
        return True
    day = dt.datetime(2013, 11, 30, tzinfo=dt.UTC)
    try:
        return dt.datetime.strptime(day.strftime(form), form).date() == day.date()  # noqa: DTZ007 - a day is asked for
    except ValueError:
        return False
