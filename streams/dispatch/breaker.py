"""Keeps a provider that fails from being asked over and over: open after failures, then one probe, then closed again."""

from collections import deque
from typing import Literal

import msgspec

from models.clock import Clock, Instant
from streams.settings import BreakerSettings

State = Literal["closed", "open", "half_open"]


class Permit(msgspec.Struct, eq=False):
    """The right to ask once. Whoever holds a probe's alone says what the probe has shown."""


class Breaker:
    """The circuit breaker of one provider in one worker.

    It opens after so many failures in a row, or when too large a share of the last answers were failures. Failures are
    answers that do not come and refusals of everything; a refusal of one contact is a sign of health.
    """

    def __init__(self, clock: Clock, settings: BreakerSettings) -> None:
        self.clock = clock
        self.settings = settings
        self.failures_in_a_row = 0
        self.opened_at: Instant | None = None
        self.reopens_at: Instant = 0
        """When the next probe may be made, while it is open."""
        self._openings = 0
        self._probe: Permit | None = None
        """The probe that is under way."""
        self._answers: deque[bool] = deque(maxlen=settings.window)

    @property
    def state(self) -> State:
        if self.opened_at is None:
            return "closed"
        return "half_open" if self.clock.now() >= self.reopens_at else "open"

    def allows(self) -> Permit | None:
        """The right to ask the provider now; say what became of it. Half open it gives it to one, as a probe."""
        state = self.state
        if state == "closed":
            return Permit()
        if state == "open" or self._probe is not None:
            return None
        self._probe = Permit()
        return self._probe

    def waits(self) -> int:
        """Milliseconds until it is worth asking again."""
        if self.opened_at is None:
            return 0
        return max(self.reopens_at - self.clock.now(), self.settings.probe_ms if self._probe is not None else 0)

    def unused(self, permit: Permit) -> None:
        """Nobody was asked with it after all; no more than that after what became of it was said."""
        if permit is self._probe:
            self._probe = None

    def succeeded(self, permit: Permit) -> None:
        """The provider has answered."""
        was_probe = self._ends_probe(permit)
        if self.opened_at is not None and not was_probe:
            return  # asked before it opened: that says nothing about now
        self.failures_in_a_row = 0
        self._answers.append(True)
        if was_probe:
            self._answers.clear()
        self.opened_at, self._openings = None, 0

    def failed(self, permit: Permit, retry_after_ms: int = 0) -> None:
        """The provider has not answered, or takes nothing now.

        Args:
            retry_after_ms: what the provider itself has asked for.
        """
        was_probe = self._ends_probe(permit)
        self.failures_in_a_row += 1
        self._answers.append(False)
        if self.opened_at is not None:
            if was_probe:
                self._open(retry_after_ms)
            return
        answers = self._answers
        many = len(answers) == answers.maxlen and answers.count(False) >= self.settings.share * len(answers)
        if many or retry_after_ms or self.failures_in_a_row >= self.settings.failures:
            self._open(retry_after_ms)

    def _ends_probe(self, permit: Permit) -> bool:
        """Whether it is the probe's; then that is over."""
        was_probe = permit is self._probe
        self.unused(permit)
        return was_probe

    def _open(self, retry_after_ms: int) -> None:
        """Each opening without a success in between lasts twice as long, up to a limit."""
        now = self.clock.now()
        least = min(self.settings.open_ms * 2**self._openings, self.settings.most_open_ms)
        self._openings = min(self._openings + 1, 30)
        self.opened_at = now
        self.reopens_at = now + max(least, retry_after_ms)
