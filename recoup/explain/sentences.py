"""One message as one sentence, without the customer's personal data unless that is asked for."""

from collections.abc import Callable
from typing import Any

from schemas.currencies import decimals

Fields = dict[str, Any]

PERSONAL = ("address", "text", "name", "wording", "evidence", "variables", "city", "zip")
"""Fields that are left out, because they may say who the customer is or what they said."""

_ENVELOPE = ("type", "event_id", "tenant_id", "account_id", "occurred_at", "source", "schema_version", "history")


def money(minor: int | None, currency: str | None) -> str:
    """Minor units as people write them: 1,234.50 USD."""
    if minor is None:
        return "an unknown amount"
    digits = decimals(currency or "USD")
    sign = "-" if minor < 0 else ""
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{sign}{whole:,}{f'.{rest:0{digits}d}' if digits else ''} {currency or ''}".rstrip()


def without_personal(fields: Fields) -> Fields:
    """The fields that do not say who the customer is or what they said."""
    return {name: value for name, value in fields.items() if name not in PERSONAL}


def sentence(fields: Fields) -> str:
    """What happened, in words; a type that nobody has words for is told by its fields."""
    say = _SENTENCES.get(str(fields.get("type")))
    said = say(fields) if say else _plain(fields)
    return f"{said} (history)" if fields.get("history") else said


def _amount(fields: Fields) -> str:
    return money(fields.get("amount_minor"), fields.get("currency"))


def _day(text: str | None) -> str:
    return (text or "an unknown day")[:10]


def _invoice(fields: Fields) -> str:
    return f"invoice {fields['invoice_id']}" if fields.get("invoice_id") else "the debt"


def _paid(fields: Fields) -> str:
    parts = [
        f"{money(part['amount_minor'], fields.get('currency'))} of invoice {part['invoice_id']}"
        for part in fields.get("allocations", ())
    ]
    return f"paid {_amount(fields)}" + (f": {', '.join(parts)}" if parts else ", on what is due first")


def _posted(fields: Fields) -> str:
    """What is open now that was not, and the other way round; then what went on account."""
    currency = fields.get("currency")
    parts = [
        f"{money(line['amount_minor'], currency)} open of invoice {line['invoice_id']}"
        + (", which closes it" if line.get("opened") == -1 else "")
        for line in fields.get("lines", ())
    ]
    if on_account := fields.get("on_account_minor"):
        parts.append(f"{money(on_account, currency)} on account")
    if recovered := fields.get("recovered_minor"):
        parts.append(f"{money(recovered, currency)} on invoices that were written off")
    return f"booked: {'; '.join(parts)}"


def _foretold(fields: Fields) -> str:
    """What the probability is of, how much it is, and how sure."""
    about = f"invoice {fields['invoice_id']}" if fields.get("invoice_id") else "an invoice to come"
    when = "by its due date" if fields.get("target") == "paid_by_due" else f"within {fields['horizon_days']} days"
    band = f", {str(fields['band']).replace('_', ' ')}" if fields.get("band") else ""
    unsure = fields.get("uncertainty")
    give = "" if unsure is None else f", give or take {unsure:.3f}"
    return f"{about} is paid {when} with probability {fields['probability']:.3f}{band}{give}"


def _days_to_pay(fields: Fields) -> str:
    """When the money comes; the baseline knows only how late this customer mostly is."""
    expected, low, high = (fields.get(name) for name in ("expected_days", "days_low", "days_high"))
    if expected is None:
        return ""
    if low is None or high is None:
        return f"; {expected:.0f} days late as a rule"
    return f"; in {expected:.0f} days, {low:.0f} to {high:.0f} for eight of ten"


def _by(fields: Fields) -> str:
    """Who says so, and what moved it most."""
    challenger = " as challenger, which decides nothing" if fields.get("role") == "challenger" else ""
    reasons = ", ".join(fields.get("reasons", ()))
    return f"{fields['model']}{challenger}{f': {reasons}' if reasons else ''}"


def _contact(what: str) -> Callable[[Fields], str]:
    return lambda fields: f"{fields.get('channel', 'contact')} {what}"


def _plain(fields: Fields) -> str:
    known = {name: value for name, value in without_personal(fields).items() if name not in _ENVELOPE}
    said = ", ".join(f"{name} {value}" for name, value in known.items() if isinstance(value, str | int | float | bool))
    return str(fields.get("type", "?")).replace("_", " ").replace(".", " ") + (f": {said}" if said else "")


_SENTENCES: dict[str, Callable[[Fields], str]] = {
    "invoice.issued": lambda f: f"invoice {f['invoice_id']} over {_amount(f)}, due {_day(f.get('due_at'))}",
    "invoice.adjusted": lambda f: f"invoice {f['invoice_id']} changed by {_amount(f)}",
    "invoice.voided": lambda f: f"invoice {f['invoice_id']} voided",
    "invoice.written_off": lambda f: f"invoice {f['invoice_id']} written off",
    "payment.received": _paid,
    "payment.failed": lambda f: f"payment of {_amount(f)} failed: {f.get('code', '')}",
    "payment.reversed": lambda f: f"{_amount(f)} went back ({f.get('kind', '')}) of payment {f['payment_id']}",
    "payment.scheduled": lambda f: f"payment of {_amount(f)} ordered for {_day(f.get('expected_at'))}",
    "payment.pending": lambda f: f"payment of {_amount(f)} on its way",
    "contact_point.updated": lambda f: f"{f['channel']} contact point {'removed' if f.get('removed') else 'known'}",
    "consent.changed": lambda f: f"consent to {f['channel']} {f['state']}",
    "dispute.opened": lambda f: f"{_invoice(f)} disputed",
    "dispute.resolved": lambda f: f"dispute of {_invoice(f)} {f.get('outcome', 'resolved')}",
    "promise.made": lambda f: f"promised {_amount(f)} by {_day(f.get('due_on'))}",
    "contact.sent": lambda f: (
        f"{f['channel']} {f.get('template', '')} sent"
        + (", the provider did not answer" if f.get("handover") == "unknown" else "")
    ),
    "contact.delivered": _contact("delivered"),
    "contact.opened": _contact("opened"),
    "contact.clicked": _contact("clicked"),
    "contact.bounced": _contact("bounced"),
    "contact.failed": lambda f: f"{f['channel']} was not sent: {f.get('code', 'unknown')}",
    "call.completed": lambda f: f"call, {f.get('direction', 'outbound')}: {str(f['outcome']).replace('_', ' ')}",
    "reply.received": lambda f: f"the customer replied by {f['channel']}",
    "reply.read": lambda f: f"{f['reader']} read the {f['channel']} reply: {str(f['intent']).replace('_', ' ')}",
    "opt_out.received": lambda f: f"the customer opted out of {f['channel']}",
    "ledger.posted": _posted,
    "propensity.scored": lambda f: f"{_foretold(f)}{_days_to_pay(f)} ({_by(f)})",
    "next_best_action.chosen": lambda f: (
        f"decided: {str(f['action']).replace('_', ' ')}"
        + (f" by {f['channel']} ({f.get('template', '')})" if f.get("channel") and f["action"] == "contact" else "")
    ),
    "contact.requested": lambda f: (
        f"{f['channel']} {f['template']} may leave until {f['expires_at'][:16].replace('T', ' ')}Z"
    ),
    "invoice.overdue": lambda f: (
        f"told: invoice {f['invoice_id']} is {f['days_past_due']} days overdue,"
        f" {money(f.get('open_minor'), f.get('currency'))} open"
    ),
    "account.cured": lambda _: "told: nothing is overdue any more",
    "account.escalated": lambda f: f"told: handed to a person ({f.get('reason', '')})",
}
