"""What a run of the world comes to, customer by customer, so that it can be told for any segment."""

import numpy as np
from numpy.typing import NDArray

from recoup.simulator.world.population import Population

CHANNELS = ("email", "sms", "call", "voicemail", "letter")
COUNTED = ("complaints", "opt_outs", "disputes", "promises", "promises_kept", "plans", "to_person", "cures")

Sums = NDArray[np.float64]


class Tally:
    """Sums by customer; money in US cents."""

    def __init__(self, population: Population, days: int) -> None:
        size = population.size
        self.days = days
        self.received = np.zeros(size)
        """Net of what went back."""
        self.late_cents = np.zeros(size)
        """What was received, times the days past due on which it came; before the due date counts 0."""
        self.became_due = np.zeros(size)
        """What was asked for and came due up to the end of the run."""
        self.overdue_cents = np.zeros(size)
        """What was overdue, summed over the days of the run."""
        self.cost = np.zeros(size)
        self.contacts = {channel: np.zeros(size) for channel in CHANNELS}
        self.counted = {name: np.zeros(size) for name in COUNTED}
        self.received_by_day = np.zeros(days)
        self.contacts_by_day = np.zeros(days)
        self.overdue_by_day = np.zeros(days)
        self.actions: dict[str, int] = {}
        """Decisions by action."""
        self.denied: dict[str, int] = {}
        """Contacts that were due and denied, by rule."""
        self.steps = 0
        """Accounts that were scored and decided on."""

    def count(self, name: str, customer: int) -> None:
        self.counted[name][customer] += 1
