"""A story on a terminal."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from recoup.explain.decision import Decision, Valued
from recoup.explain.sentences import PERSONAL, money
from recoup.explain.standing import Claim, Standing
from recoup.explain.story import Chapter, Story

TOPIC_NAMES = {
    "payment-events": ("payment", "cyan"),
    "crm-events": ("customer", "cyan"),
    "interaction-events": ("contact", "cyan"),
    "ledger-postings": ("books", "cyan"),
    "propensity-scores": ("score", "magenta"),
    "next-best-actions": ("decision", "bold green"),
    "contact-requests": ("request", "green"),
    "customer-events": ("told", "yellow"),
}


ASKED = {
    "unread": "a reply waits for a person to read it",
    "disputed": "a reply disputes what is owed, and no dispute was opened or resolved since",
    "hardship": "a reply speaks of hardship, and none was declared or ended since",
    "paid": "a reply says that the money is on its way, which is believed for some days",
    "promised": "a reply promises to pay and names no day",
}


def render(story: Story) -> RenderableType:
    """The whole story."""
    zone = ZoneInfo(story.time_zone)
    parts: list[RenderableType] = [Text(f"{story.tenant_id} {story.account_id}", style="bold")]
    parts += _standing(story.standing, zone)
    parts.append(
        Text(f"\nTimes are of {story.time_zone}." + (" Older chapters are left out (--limit)." if story.cut else ""))
    )
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for chapter in story.timeline:
        name, style = TOPIC_NAMES.get(chapter.topic, ("refused", "red"))
        table.add_row(f"{chapter.at.astimezone(zone):%Y-%m-%d %H:%M}", Text(name, style=style), _words(chapter, zone))
    parts.append(table)
    return Group(*parts)


def _words(chapter: Chapter, zone: ZoneInfo) -> Text:
    if chapter.decision is None:
        said = [f"{name} {chapter.fields[name]}" for name in PERSONAL if chapter.fields.get(name)]
        return Text(f"{chapter.says} [{', '.join(said)}]" if said else chapter.says)
    lines = list(_decision(chapter.decision, zone))
    return Text("\n").join([Text(lines[0], style="bold"), *(Text(line) for line in lines[1:])])


def _decision(decision: Decision, zone: ZoneInfo) -> Iterator[str]:
    about = f", for invoice {', '.join(decision.invoices)}" if decision.invoices else ""
    yield f"no. {decision.number}: {decision.action}{about}"
    cause = "something happened" if decision.trigger == "event" else "its review was due"
    yield f"because {cause}: {'; '.join(reason.replace('_', ' ') for reason in decision.reasons) or 'no reason was given'}"
    yield f"by {decision.policy}, {decision.model} {decision.score:.3f}, arm {decision.arm}"
    if decision.valued is not None:
        yield from _weighed(decision, decision.valued)
    elif len(decision.looked_at) > 1:
        looked = "; ".join(
            f"{one['action']} (value {one['value']:,.2f}, {'chosen' if one['probability'] == 1 else 'not chosen'})"
            for one in decision.looked_at
        )
        yield f"out of: {looked}"
    for denied in decision.denied:
        until = f"until {_local(denied.until, zone)}" if denied.until else "no passing of time helps"
        yield f"denied: {denied.action}, {until}"
        for rule, says in denied.rules.items():
            yield f"    {rule}: {says}"
    if decision.review_at:
        yield f"to be looked at again {_local(decision.review_at, zone)}"


def _weighed(decision: Decision, valued: Valued) -> Iterator[str]:
    """Every action that was looked at, with all that its value is made of."""
    group = f", segment {valued.segment}" if valued.segment else ""
    stake = money(valued.at_stake_minor, valued.currency)
    yield f"at stake {stake}{group}; pays without us with probability {valued.pay_wait:.3f}"
    if valued.experiment:
        yield f"experiment {valued.experiment} holds {valued.hold_out:.0%} of the accounts out"
    for one in decision.looked_at:
        drawn = f"chosen with probability {one['probability']:.3f}" if one["allowed"] else "not allowed"
        yield f"    {one['action']}: worth {_major(one['value'], valued.currency)}, {drawn}"
        if "gain" in one:
            parts = [f"gain {_major(one['gain'], valued.currency)}"]
            parts += [f"{name} {_major(one[name], valued.currency)}" for name in ("cost", "friction", "scarcity")]
            left = f", {one['left']} contacts left" if "left" in one else ""
            sure = f"pays with {one['pay_action']:.3f}, surely {one['lift_low']:+.3f}"
            yield f"        {parts[0]} less {', '.join(parts[1:])}; {sure}{left}"


def _major(minor: float, currency: str) -> str:
    return money(round(minor), currency)


def _standing(standing: Standing | None, zone: ZoneInfo) -> Iterator[RenderableType]:
    if standing is None:
        yield Text("Redis holds no state of it.", style="yellow")
        return
    owed = ", ".join(money(minor, currency) for currency, minor in standing.balances_minor.items())
    yield Text(f"owes {owed}" if owed else "owes nothing")
    for invoice in standing.invoices:
        late = f", {invoice.days_past_due} days past due" if invoice.days_past_due else ""
        notes = (" disputed" if invoice.disputed else "") + (
            f" steps taken: {', '.join(invoice.steps_taken)}" if invoice.steps_taken else ""
        )
        yield Text(
            f"  invoice {invoice.invoice_id}: {money(invoice.open_minor, invoice.currency)} of"
            f" {money(invoice.amount_minor, invoice.currency)} open, due {_local(invoice.due_at, zone)[:10]}{late}{notes}"
        )
    for what, values in (
        ("paid before they were issued", standing.waiting_payments),
        ("promises", standing.promises),
        ("opted out of", standing.opted_out_of),
        ("stands against a contact", standing.flags),
    ):
        if values:
            yield Text(f"  {what}: {', '.join(values)}")
    if standing.promises_kept or standing.promises_broken:
        yield Text(f"  promises kept: {standing.promises_kept}, broken: {standing.promises_broken}")
    for asked in standing.replies:
        yield Text(f"  {ASKED[asked.what]} (came {_local(asked.since, zone)})", style="yellow")
    for claim in standing.claims:
        yield _claim(claim, zone)
    if standing.mismatches:
        yield Text(f"  balances asserted that differed from ours, so far: {standing.mismatches}", style="yellow")
    if standing.holds:
        yield Text(f"  {standing.holds} holds stand")
    yield Text(f"  can be reached by: {', '.join(standing.channels) or 'nothing that is known'}")
    next_look = f"next look {_local(standing.review_at, zone)}" if standing.review_at else "no look is planned"
    yield Text(f"  {standing.decisions} decisions so far, the last to {standing.last_action or 'nothing'}; {next_look}")


def _claim(claim: Claim, zone: ZoneInfo) -> Text:
    said = (
        f"  the billing system said {money(claim.asserted_minor, claim.currency)} is owed at {_local(claim.at, zone)}:"
    )
    if not claim.difference_minor:
        return Text(f"{said} as we did")
    more = "more" if claim.difference_minor > 0 else "less"
    return Text(f"{said} {money(abs(claim.difference_minor), claim.currency)} {more} than we did", style="yellow")


def _local(moment: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M}"
