"""One account through time, as the decide job would lead it."""

from typing import Any

from models.actions.choice import Conditions
from models.calendar import DAY, instant
from models.clock import Instant
from models.core import NO_CONDITIONS, Mode, Outcome, Work, step
from schemas.actions import NextBestAction
from schemas.control import Tenant
from schemas.decode import TopicDecoder
from schemas.strategies import ActionStrategy
from tests.unit.models.events import day, tenant

KEY = "acme|a1"
NINE = 14 / 24
"""Nine in the morning in New York, in winter."""


class Life:
    """One account through time: events come, reviews fire, decisions are kept."""

    def __init__(
        self,
        of: Tenant | None = None,
        mode: Mode = "live",
        strategy: ActionStrategy | None = None,
        conditions: Conditions = NO_CONDITIONS,
        key: str = KEY,
    ) -> None:
        self.tenants = {"acme": of or tenant()}
        self.strategies = {} if strategy is None else {"acme": strategy}
        self.conditions = conditions
        self.key = key
        self.mode = mode
        self.blob: bytes | None = None
        self.review: Instant | None = None
        self.decisions: list[NextBestAction] = []
        self.messages: list[tuple[str, Any]] = []

    def take(self, at: float, *events: Any) -> Outcome:
        """What happens when these events arrive at an instant."""
        return self._step(instant(day(at)), list(events))

    def live_until(self, at: float) -> None:
        """Let every review fire that comes due until then."""
        for _ in range(1_000):
            if self.review is None or self.review > instant(day(at)):
                return
            self._step(self.review, [])
        raise AssertionError("reviews do not end")

    def _step(self, now: Instant, events: list[Any]) -> Outcome:
        numbered_events = [(event, place) for place, event in enumerate(events)]
        account_id = self.key.partition("|")[2]
        work = Work(self.key, "acme", account_id, self.blob, numbered_events, now)
        outcome = step([work], self.tenants, self.mode, strategies=self.strategies, conditions=self.conditions)
        self.blob = outcome.states[0][1] or None
        self.review = outcome.reviews[0][1]
        assert self.review is None or self.review > now, "a review lies in the future"
        for topic, key, value in outcome.messages[0]:
            assert key == self.key.encode()
            message = TopicDecoder(topic)(value, key, day(10_000))
            assert not hasattr(message, "reason") or type(message).__name__ != "Refusal", message
            self.messages.append((topic, message))
            if isinstance(message, NextBestAction):
                self.decisions.append(message)
        return outcome

    def said(self, kind: str) -> list[Any]:
        return [message for _, message in self.messages if type(message).__name__ == kind]

    @property
    def taken(self) -> list[tuple[str, float]]:
        """The steps that were taken, each with the day since the beginning."""
        return [
            (decision.step, round((instant(decision.occurred_at) - instant(day(0))) / DAY, 3))
            for decision in self.decisions
            if decision.step is not None and decision.action != "wait"
        ]
