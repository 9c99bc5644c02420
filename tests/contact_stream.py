"""Made-up decisions, contacts, answers, money and scores of two tenants, and what plain Python makes of them.

Nothing of it is likely, only possible: every type that the views look at, with fields missing, answers before what they
answer, and events told twice.
"""

import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from models.calendar import utc
from models.clock import Instant
from schemas import contacts, facts, interactions
from schemas.actions import Candidate, NextBestAction
from schemas.envelope import Event, account_key
from schemas.postings import LedgerPosted
from schemas.scores import PropensityScored

DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000
FOURTEEN_DAYS = dt.timedelta(days=14)
TENANTS = ("acme", "nordlicht")
CHANNELS = ("sms", "email", "call", "letter", "voicemail")
RULES = ("RF-1", "tenant:contact_hours", "unknown_city", "DC-1")
OUTCOMES = ("conversation", "third_party", "wrong_party", "voicemail", "no_answer", "not_connected")
CURRENCIES = ("EUR", "USD")
TOPICS = {
    NextBestAction: "next-best-actions",
    contacts.ContactRequested: "contact-requests",
    LedgerPosted: "ledger-postings",
    PropensityScored: "propensity-scores",
}
OF_CUSTOMERS = facts.__name__

encode = msgspec.json.Encoder().encode
Kind = TypeVar("Kind", bound=Event)


def topic_of(event: Event) -> str:
    """Where an event travels."""
    kind = type(event)
    if kind.__module__ == OF_CUSTOMERS:
        return "customer-events"
    return TOPICS.get(kind, "interaction-events")


class Stream:
    """Everything that happened, in no order that could be relied on."""

    def __init__(self, seed: int, now: Instant, accounts: int = 8, decisions: int = 9) -> None:
        self.random = random.Random(seed)
        self.start = (now // DAY - 60) * DAY
        self.number = 0
        self.events: list[Event] = []
        for tenant in TENANTS:
            for account in range(accounts):
                self._live(tenant, f"{tenant}-{account}", decisions)

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The different events of a type: one that was told twice is one."""
        return list({event.event_id: event for event in self.events if isinstance(event, kind)}.values())

    def messages(self) -> Iterator[tuple[str, bytes, bytes]]:
        """Topic, key, value; events of source topics sometimes twice."""
        for event in self.events:
            message = topic_of(event), account_key(event.tenant_id, event.account_id), encode(event)
            yield message
            if message[0] == "interaction-events" and self.random.random() < 0.2:
                yield message

    # -- what happens --------------------------------------------------------------------------------------------------

    def _live(self, tenant: str, account: str, decisions: int) -> None:
        draw = self.random
        for number in range(decisions):
            at = self.start + draw.randrange(50 * DAY)
            self._decide(tenant, account, number + 1, at)
        for _ in range(3):
            at = self.start + draw.randrange(55 * DAY)
            self._contact(tenant, account, at, f"ext-{self._next()}", draw.choice(CHANNELS), None)
            self._call(tenant, account, at + HOUR, None, direction=draw.choice(("outbound", "inbound")))
        for _ in range(4):
            self._answer(tenant, account, self.start + draw.randrange(55 * DAY))

    def _decide(self, tenant: str, account: str, number: int, at: Instant) -> None:
        draw, decision = self.random, f"{account}-d{number}"
        candidates = [Candidate(action="wait", value=0.0, probability=0.5, allowed=True)]
        lefts = {channel: draw.choice((None, 0, 1, 2, 5)) for channel in CHANNELS}
        for channel in draw.sample(CHANNELS, draw.randrange(1, 5)):
            for template in ("first", "second"):
                denied = tuple(draw.sample(RULES, draw.randrange(3)))
                candidates.append(
                    Candidate(
                        action="contact",
                        channel=channel,  # type: ignore[arg-type]
                        template=template,
                        value=draw.random(),
                        probability=0.1,
                        allowed=not denied,
                        denied_by=denied,
                        cost=round(draw.uniform(0.1, 400), 2),
                        left=lefts[channel],
                    )
                )
        chosen = draw.choice(candidates)
        contact = decision + ":contact" if chosen.channel else None
        confirms = contact is not None and chosen.channel == "sms" and draw.random() < 0.3
        purpose = "opt_out_confirmation" if confirms else "collection"
        self._add(
            NextBestAction,
            tenant,
            account,
            at,
            decision_id=decision,
            decision_no=number,
            trigger="event",
            action=chosen.action,
            policy=draw.choice(("nba:a@1", "nba:b@2")),
            model="m1",
            arm=draw.choice(("policy", "explore", "hold_out")),
            score=round(draw.random(), 6),
            channel=chosen.channel,
            template=chosen.template,
            actions=tuple(candidates),
            contact_id=contact,
            purpose=purpose if contact else None,
            segment=draw.choice(("", "early", "late")),
            currency=draw.choice((None, *CURRENCIES)),
            at_stake_minor=draw.randrange(100_000),
        )
        if contact and chosen.channel:
            self._request(tenant, account, at, decision, contact, chosen, purpose)
            if confirms and draw.random() < 0.5:  # it was told by an event of its own
                self._add(
                    interactions.OptOutReceived,
                    tenant,
                    account,
                    at - draw.choice((5 * MINUTE, 3 * HOUR)),
                    channel="sms",
                )

    def _request(
        self, tenant: str, account: str, at: Instant, decision: str, contact: str, chosen: Candidate, purpose: Any
    ) -> None:
        draw = self.random
        self._add(
            contacts.ContactRequested,
            tenant,
            account,
            at,
            decision_id=decision,
            contact_id=contact,
            channel=chosen.channel,
            address="x",
            template=chosen.template,
            not_before=utc(at),
            expires_at=utc(at + DAY),
            idempotency_key=contact,
            purpose=purpose,
        )
        if draw.random() < 0.85:
            self._contact(tenant, account, at + draw.randrange(HOUR), contact, str(chosen.channel), decision, purpose)
        elif draw.random() < 0.7:
            self._report(
                interactions.ContactFailed, tenant, account, at, contact, str(chosen.channel), decision, code="held"
            )

    def _contact(
        self,
        tenant: str,
        account: str,
        at: Instant,
        contact: str,
        channel: str,
        decision: str | None,
        purpose: str = "collection",
    ) -> None:
        """A contact leaves, and what comes of it; what is heard first may be anything."""
        draw = self.random
        self._report(
            interactions.ContactSent,
            tenant,
            account,
            at,
            contact,
            channel,
            decision,
            purpose=purpose,
            template=draw.choice((None, "first")),
            handover=draw.choice(("accepted", "accepted", "unknown")),
        )
        for kind in (interactions.ContactDelivered, interactions.ContactOpened, interactions.ContactClicked):
            for _ in range(draw.choice((0, 1, 1, 2))):
                self._report(kind, tenant, account, at + draw.randrange(DAY), contact, channel, decision)
        if draw.random() < 0.1:
            self._report(interactions.ContactBounced, tenant, account, at + 10, contact, channel, decision)
        if channel in ("call", "voicemail"):
            for _ in range(draw.choice((0, 1, 2))):
                self._call(tenant, account, at + draw.randrange(1, HOUR), contact, purpose=purpose)
        if draw.random() < 0.3:
            self._say(tenant, account, at + draw.randrange(DAY), draw.choice((None, contact)), channel)
        for _ in range(draw.choice((0, 0, 1, 2))):
            self._post(tenant, account, at + draw.randrange(10 * DAY), contact, channel)

    def _call(self, tenant: str, account: str, at: Instant, contact: str | None, **more: Any) -> None:
        draw = self.random
        seconds = draw.choice((None, float(draw.randrange(1_000))))
        agent = draw.choice((None, "anna", "ben"))
        outcome = draw.choice(OUTCOMES)
        self._add(
            interactions.CallCompleted, tenant, account, at, outcome=outcome, contact_id=contact, agent=agent,
            handle_seconds=seconds, **more,
        )  # fmt: skip

    def _say(self, tenant: str, account: str, at: Instant, contact: str | None, channel: str) -> None:
        reply = self._add(
            interactions.ReplyReceived, tenant, account, at, channel=channel, text="yes", contact_id=contact
        )
        if self.random.random() < 0.3:  # a promise was read in it, and is judged under its id
            self._judge(tenant, account, at, reply.event_id)

    def _post(self, tenant: str, account: str, at: Instant, contact: str | None, channel: str | None) -> None:
        draw = self.random
        amount = draw.choice((1, 1, 1, -1)) * draw.randrange(1, 50_000)
        self._add(
            LedgerPosted,
            tenant,
            account,
            at,
            cause="payment.received",
            caused_by=f"pay-{self._next()}",
            currency=draw.choice(CURRENCIES),
            booked_on=utc(at).date(),
            cash_minor=draw.choice((0, amount, amount)),
            contact_id=contact,
            contact_channel=channel,
        )

    def _answer(self, tenant: str, account: str, at: Instant) -> None:
        draw, kind = self.random, self.random.randrange(5)
        if kind == 0:
            complaint = draw.choice((None, f"c-{self._next()}"))
            for _ in range(draw.choice((1, 2) if complaint else (1,))):  # told by two systems
                channel = draw.choice((None, "sms", "call"))
                self._add(interactions.ComplaintReceived, tenant, account, at, complaint_id=complaint, channel=channel)
        elif kind == 1:
            self._add(interactions.OptOutReceived, tenant, account, at, channel=draw.choice(("sms", "email", "all")))
        elif kind == 2:
            intent = draw.choice(("opt_out", "question"))
            self._add(
                interactions.ReplyRead, tenant, account, at, reply_id="r", channel="email", intent=intent, reader="x"
            )
        else:
            self._promise(tenant, account, at)

    def _promise(self, tenant: str, account: str, at: Instant) -> None:
        draw, promise = self.random, f"p-{self._next()}"
        amount, currency, due = draw.randrange(1, 90_000), draw.choice(CURRENCIES), utc(at + 5 * DAY).date()
        self._add(
            interactions.PromiseMade, tenant, account, at, promise_id=promise, amount_minor=amount, currency=currency,
            due_on=due, channel=draw.choice((None, "call")),
        )  # fmt: skip
        if draw.random() < 0.2:
            self._add(interactions.PromiseCancelled, tenant, account, at + DAY, promise_id=promise)
        elif draw.random() < 0.8:
            self._judge(tenant, account, at, promise, amount, currency)

    def _judge(
        self, tenant: str, account: str, at: Instant, promise: str, amount: int = 500, currency: str = "EUR"
    ) -> None:
        kind = self.random.choice((facts.PromiseKept, facts.PromiseBroken))
        due = utc(at + 5 * DAY).date()
        self._add(
            kind, tenant, account, at + 6 * DAY, promise_id=promise, amount_minor=amount, currency=currency, due_on=due
        )

    def _report(
        self,
        kind: type[Any],
        tenant: str,
        account: str,
        at: Instant,
        contact: str,
        channel: str,
        decision: str | None,
        **more: Any,
    ) -> None:
        self._add(kind, tenant, account, at, contact_id=contact, channel=channel, decision_id=decision, **more)

    def _add(self, kind: Callable[..., Any], tenant: str, account: str, at: Instant, **fields: Any) -> Any:
        event = kind(
            event_id=f"e{self._next()}",
            tenant_id=tenant,
            account_id=account,
            occurred_at=utc(at),
            source="test",
            **fields,
        )
        self.events.append(event)
        return event

    def _next(self) -> int:
        self.number += 1
        return self.number


# -- what plain Python makes of it -------------------------------------------------------------------------------------


def first(times: Iterable[dt.datetime]) -> dt.datetime | None:
    """The earliest of some times, or None."""
    return min(times, default=None)


class Judged:
    """The stream, contact by contact and answer by answer."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.decided = {d.contact_id: d for d in stream.of(NextBestAction) if d.contact_id}
        self.requested = {r.contact_id: r for r in stream.of(contacts.ContactRequested)}
        self.reports: defaultdict[str, list[Any]] = defaultdict(list)
        for event in stream.events:
            if isinstance(event, interactions.Contact):
                self.reports[event.contact_id].append(event)
            elif isinstance(event, interactions.CallCompleted) and event.direction == "outbound":
                self.reports[event.contact_id or event.event_id].append(event)
            elif isinstance(event, interactions.ReplyReceived) and event.contact_id:
                self.reports[event.contact_id].append(event)
        self.cash: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for posting in stream.of(LedgerPosted):
            if posting.contact_id:
                self.cash[posting.contact_id][posting.currency] += posting.cash_minor
        self.contacts = {
            name: self._contact(name)
            for name in self.decided.keys() | self.requested.keys() | self.reports.keys() | self.cash.keys()
        }
        self.answers = sorted(self._answers(), key=lambda answer: (answer["kind"], answer["id"]))
        for contact in self.contacts.values():
            self._finish(contact)

    def _contact(self, name: str) -> dict[str, Any]:
        decision, request, reports = self.decided.get(name), self.requested.get(name), self.reports[name]

        def times(*kinds: type[Event]) -> Iterator[dt.datetime]:
            return (report.occurred_at for report in reports if isinstance(report, kinds))

        calls = [report for report in reports if isinstance(report, interactions.CallCompleted)]
        sent = [report for report in reports if isinstance(report, interactions.ContactSent)]
        last = max(
            calls,
            key=lambda c: (c.occurred_at, c.outcome, c.agent or "", (c.handle_seconds is None, c.handle_seconds or 0)),
            default=None,
        )
        said = [event for event in (decision, request, *reports) if event is not None]
        return {
            "tenant_id": (said[0].tenant_id if said else None),
            "account_id": (said[0].account_id if said else None),
            "contact_id": name,
            "decision_id": max(
                (event.decision_id or "" for event in said if hasattr(event, "decision_id")), default=""
            ),
            "channel": max(
                "call" if isinstance(event, interactions.CallCompleted) else event.channel or "" for event in said
            ),
            "template": max((getattr(event, "template", None) or "" for event in said), default=""),
            "purpose": max((getattr(event, "purpose", None) or "" for event in said), default=""),
            "policy": decision.policy if decision else "",
            "arm": decision.arm if decision else "",
            "segment": decision.segment if decision else "",
            "currency": (decision.currency if decision else None) or "",
            "decided_at": decision.occurred_at if decision else None,
            "requested_at": request.occurred_at if request else None,
            "sent_at": first(times(interactions.ContactSent, interactions.CallCompleted)),
            "delivered_at": first(times(interactions.ContactDelivered)),
            "opened_at": first(times(interactions.ContactOpened)),
            "clicked_at": first(times(interactions.ContactClicked)),
            "replied_at": first(times(interactions.ReplyReceived)),
            "bounced": any(isinstance(report, interactions.ContactBounced) for report in reports),
            "failed": any(isinstance(report, interactions.ContactFailed) for report in reports),
            "handover": max((report.handover for report in sent), default=""),
            "call_outcome": last.outcome if last else "",
            "agent": (last.agent if last else None) or "",
            "handle_seconds": last.handle_seconds if last else None,
            "cost_minor": self._cost(decision),
        }

    def _cost(self, decision: NextBestAction | None) -> float:
        if decision is None:
            return 0.0
        its = (decision.action, decision.channel, decision.template)
        return max((c.cost for c in decision.actions if (c.action, c.channel, c.template) == its), default=0.0)

    def touched(self, tenant: str, account: str, at: dt.datetime) -> dict[str, Any] | None:
        """The last contact about a debt within 14 days."""
        before = [
            contact
            for contact in self.contacts.values()
            if (contact["tenant_id"], contact["account_id"]) == (tenant, account)
            and contact["sent_at"] is not None
            and at - FOURTEEN_DAYS <= contact["sent_at"] <= at
            and not contact["bounced"]
            and not contact["failed"]
            and contact["purpose"] in ("collection", "validation_notice")
            and contact["call_outcome"] not in ("not_connected", "wrong_party")
        ]
        return max(before, key=lambda contact: (contact["sent_at"], contact["contact_id"]), default=None)

    def _answers(self) -> Iterator[dict[str, Any]]:
        yield from self._promises()
        complaints: defaultdict[Any, list[Any]] = defaultdict(list)
        for complaint in self.stream.of(interactions.ComplaintReceived):
            complaints[complaint.complaint_id or complaint.event_id].append(complaint)
        for name, told in complaints.items():
            yield self._answer(
                "complaint", name, told[0], min(c.occurred_at for c in told), max(c.channel or "" for c in told)
            )
        own = [*self.stream.of(interactions.OptOutReceived)]
        own += [read for read in self.stream.of(interactions.ReplyRead) if read.intent == "opt_out"]  # type: ignore[misc]
        for opt_out in own:
            yield self._answer("opt_out", opt_out.event_id, opt_out, opt_out.occurred_at, opt_out.channel)
        for name, decision in self.decided.items():
            if decision.purpose == "opt_out_confirmation" and not any(
                event.account_id == decision.account_id
                and dt.timedelta() <= decision.occurred_at - event.occurred_at <= dt.timedelta(hours=1)
                for event in own
            ):
                yield self._answer("opt_out", str(name), decision, decision.occurred_at, decision.channel or "")
        for reply in self.stream.of(interactions.ReplyReceived):
            yield self._answer("reply", reply.event_id, reply, reply.occurred_at, reply.channel)
        for call in self.stream.of(interactions.CallCompleted):
            if call.direction == "inbound":
                yield self._answer("inbound_call", call.event_id, call, call.occurred_at, "call") | {
                    "agent": call.agent or "", "outcome": call.outcome, "handle_seconds": call.handle_seconds
                }  # fmt: skip

    def _promises(self) -> Iterator[dict[str, Any]]:
        verdicts: list[Any] = [*self.stream.of(facts.PromiseKept), *self.stream.of(facts.PromiseBroken)]
        judged = {verdict.promise_id: verdict for verdict in verdicts}
        cancelled = {event.promise_id for event in self.stream.of(interactions.PromiseCancelled)}
        made: dict[str, Any] = {event.promise_id: event for event in self.stream.of(interactions.PromiseMade)}
        read: dict[str, Any] = {
            event.event_id: event for event in self.stream.of(interactions.ReplyReceived) if event.event_id in judged
        }
        for name, event in (made | read).items():
            verdict = judged.get(name)
            about = made[name] if name in made else judged[name]
            yield self._answer(
                "promise", name, event, event.occurred_at, (event.channel or "") if name in made else ""
            ) | {
                "currency": about.currency,
                "amount_minor": about.amount_minor,
                "due_on": about.due_on,
                "kept": None if verdict is None else isinstance(verdict, facts.PromiseKept),
                "cancelled": name in cancelled,
            }

    def _answer(self, kind: str, name: str, event: Event, at: dt.datetime, channel: str) -> dict[str, Any]:
        touch = self.touched(event.tenant_id, event.account_id, at)
        of_decision = event if isinstance(event, NextBestAction) else None
        return {
            "tenant_id": event.tenant_id,
            "day": at.date(),
            "kind": kind,
            "account_id": event.account_id,
            "id": name,
            "at": at,
            "channel": channel,
            "contact_id": touch["contact_id"] if touch else "",
            "contact_channel": touch["channel"] if touch else "",
            "currency": (of_decision.currency or "") if of_decision else "",
            "amount_minor": None,
            "due_on": None,
            "kept": None,
            "cancelled": False,
            "agent": "",
            "outcome": "",
            "handle_seconds": None,
        }

    def _finish(self, contact: dict[str, Any]) -> None:
        name = contact["contact_id"]
        its = [answer for answer in self.answers if answer["contact_id"] == name]
        promises = sorted((a for a in its if a["kind"] == "promise"), key=lambda a: (a["at"], a["id"]))
        cash = {currency: amount for currency, amount in self.cash[name].items() if amount}
        promised: Counter[str] = Counter()
        for promise in promises:
            promised[promise["currency"]] += promise["amount_minor"]
        contact["currency"] = contact["currency"] or min(cash, default="") or min(promised, default="")
        known = ("sent_at", "decided_at", "requested_at", "delivered_at", "opened_at", "clicked_at", "replied_at")
        contact |= {
            "day": next((contact[time].date() for time in known if contact[time] is not None), dt.date(1970, 1, 1)),
            "collected_minor": cash.get(contact["currency"], 0),
            "promise_id": promises[0]["id"] if promises else "",
            "promise_kept": promises[0]["kept"] if promises else None,
            "promises": len(promises),
            "promises_kept": sum(promise["kept"] is True for promise in promises),
            "promised_minor": promised[contact["currency"]],
            "complaints": sum(answer["kind"] == "complaint" for answer in its),
            "opt_outs": sum(answer["kind"] == "opt_out" for answer in its),
        }
