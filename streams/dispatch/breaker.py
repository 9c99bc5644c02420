"""Keeps a provider that fails from being asked over and over: open after failures, then one probe, then closed again."""

from collections import deque
from typing import Literal

from models.clock import Clock, Instant
from streams.settings import BreakerSettings

State = Literal["closed", "open", "half_open"]


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
        self._probing = False
        self._answers: deque[bool] = deque(maxlen=settings.window)

    @property
    def state(self) -> State:
        if self.opened_at is None:
            return "closed"
        return "half_open" if self.clock.now() >= self.reopens_at else "open"

    def allows(self) -> bool:
        """Whether the provider may be asked now. Half open it allows one probe; say what became of it."""
        state = self.state
        if state == "closed":
            return True
        if state == "open" or self._probing:
            return False
        self._probing = True
        return True

    def waits(self) -> int:
        """Milliseconds until it is worth asking again."""
        if self.opened_at is None:
            return 0
        return max(self.reopens_at - self.clock.now(), self.settings.probe_ms if self._probing else 0)

    def unused(self) -> None:
        """What was allowed was not asked after all."""
        self._probing = False

    def succeeded(self) -> None:
        """The provider has answered."""
        self.failures_in_a_row = 0
        self._answers.append(True)
        if self.opened_at is not None:
            self._answers.clear()
        self.opened_at, self._openings, self._probing = None, 0, False

    def failed(self, retry_after_ms: int = 0) -> None:
        """The provider has not answered, or takes nothing now.

        Args:
            retry_after_ms: what the provider itself has asked for.
        """
        self.failures_in_a_row += 1
        self._answers.append(False)
        was_probe, self._probing = self._probing, False
        if self.opened_at is not None:
            if was_probe:
                self._open(retry_after_ms)
            return
        answers = self._answers
        many = len(answers) == answers.maxlen and answers.count(False) >= self.settings.share * len(answers)
        if many or retry_after_ms or self.failures_in_a_row >= self.settings.failures:
            self._open(retry_after_ms)

    def _open(self, retry_after_ms: int) -> None:
        """Each opening without a success in between lasts twice as long, up to a limit."""
        now = self.clock.now()
        least = min(self.settings.open_ms * 2**self._openings, self.settings.most_open_ms)
        self._openings = min(self._openings + 1, 30)
        self.opened_at = now
        self.reopens_at = now + max(least, retry_after_ms)
