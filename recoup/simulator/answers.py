"""How customers react to the contacts that Recoup sends: each contact moves its customer by the customer's own odds."""

import heapq
from collections.abc import Callable
from random import Random
from typing import Any

from models.clock import Instant
from recoup.simulator.customers import ANSWERS
from recoup.simulator.deeds import INTERACTIONS, Sent
from recoup.simulator.portfolio import Account
from recoup.simulator.trade import Trade
from schemas import interactions

Act = Callable[[Instant], list[Sent]]

WRITTEN = ("email", "sms", "letter")
BOUNCES = 0.02
OPENS = 0.5
CLICKS = 0.3
CALL_ENDS: tuple[Any, ...] = ("conversation", "voicemail", "no_answer", "not_connected", "wrong_party")
CALL_SHARES = (0.35, 0.25, 0.30, 0.08, 0.02)


class Answers:
    """What is still to come of the contacts heard so far, in business days.

    What a contact leads to depends on the seed and the contact's id alone, not on the order of hearing.
    """

    def __init__(self, trade: Trade) -> None:
        self.trade = trade
        self.heard = 0
        self.answered = dict.fromkeys(ANSWERS, 0)
        self._due: list[tuple[float, int, Act]] = []
        self._numbered = 0

    def hear(self, contact: interactions.ContactSent) -> None:
        """A contact has reached one of our customers; contacts of others are ignored."""
        account = self.trade.by_key.get(f"{contact.tenant_id}|{contact.account_id}".encode())
        if account is None:
            return
        self.heard += 1
        random = Random(f"{self.trade.seed}:{contact.contact_id}")
        if not self._arrives(account, contact, random):
            return
        customer = account.customer
        if random.random() >= customer.answers.get(contact.channel, 0.0):
            return
        answer = random.choices(ANSWERS, list(customer.answer_shares.values()))[0]
        self.answered[answer] += 1
        self._after(random.expovariate(1 / customer.answer_days), self._act(answer, account, contact))

    def due(self, now: Instant) -> list[Sent]:
        """What customers do now."""
        sent: list[Sent] = []
        while self._due and self._due[0][0] <= self.trade.day:
            sent += heapq.heappop(self._due)[2](now)
        return sent

    def _after(self, days: float, act: Act) -> None:
        self._numbered += 1
        heapq.heappush(self._due, (self.trade.day + days, self._numbered, act))

    def _arrives(self, account: Account, contact: interactions.ContactSent, random: Random) -> bool:
        """What the channel reports; false = the customer never noticed."""
        about = {"contact_id": contact.contact_id, "channel": contact.channel, "decision_id": contact.decision_id}
        if contact.channel in WRITTEN:
            if random.random() < BOUNCES:
                self._report(0.05, account, interactions.ContactBounced, about | {"code": "mailbox_full"})
                return False
            self._report(0.05, account, interactions.ContactDelivered, about)
            if contact.channel == "email" and random.random() < OPENS:
                self._report(0.3, account, interactions.ContactOpened, about)
                if random.random() < CLICKS:
                    self._report(0.31, account, interactions.ContactClicked, about | {"link": "pay"})
            return True
        end = random.choices(CALL_ENDS, CALL_SHARES)[0]
        call = {
            "contact_id": contact.contact_id,
            "decision_id": contact.decision_id,
            "outcome": end,
            "address": contact.address,
            "agent": f"agent-{random.randint(1, 12)}",
            "handle_seconds": round(random.uniform(5, 400), 1) if end == "conversation" else None,
        }
        self._report(0.05, account, interactions.CallCompleted, call)
        return end in ("conversation", "voicemail")

    def _report(self, days: float, account: Account, kind: Any, fields: dict[str, Any]) -> None:
        def report(now: Instant) -> list[Sent]:
            return [(INTERACTIONS, account, kind(**self.trade.deeds.envelope(account, now), **fields))]

        self._after(days, report)

    def _act(self, answer: str, account: Account, contact: interactions.ContactSent) -> Act:
        deeds = self.trade.deeds

        def pay_all(now: Instant) -> list[Sent]:
            payable = [invoice for invoice in account.open.values() if not invoice.disputed]
            return [event for invoice in payable for event in deeds.pay(account, invoice, now)]

        def promise(now: Instant) -> list[Sent]:
            made, days = deeds.promise(account, now, contact.channel)
            if made and deeds.random.random() < account.customer.keeps:
                self._after(days, pay_all)
            return made

        def say(now: Instant) -> list[Sent]:
            if answer == "opts_out":
                return [deeds.opt_out(account, now, contact.channel)]
            if answer == "complains":
                return [deeds.complain(account, now, contact.channel)]
            said = [deeds.reply(account, now, contact.channel, contact.contact_id)]
            undisputed = [invoice for invoice in account.open.values() if not invoice.disputed]
            if undisputed and deeds.random.random() < account.customer.disputes:
                said.append(deeds.dispute(account, undisputed[0], now))
            return said

        return {"pays": pay_all, "promises": promise}.get(answer, say)
