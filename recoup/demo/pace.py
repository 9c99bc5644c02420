"""How fast events are handled, and how far behind, from two counts that are looked at now and then."""

from collections import deque

WINDOW_SECONDS = 3.0
KEPT = 600


class Pace:
    """The recent past of two counts: what was produced and what was handled."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque(maxlen=KEPT)

    def look(self, now: float, produced: int, handled: int) -> None:
        """Remember the counts of this moment (seconds on any clock that goes forward)."""
        self._seen.append((now, produced, handled))

    def per_second(self) -> float:
        """Handled in each of the last seconds."""
        if not self._seen:
            return 0.0
        now, _, handled = self._seen[-1]
        before = next((seen for seen in reversed(self._seen) if now - seen[0] >= WINDOW_SECONDS), self._seen[0])
        return (handled - before[2]) / (now - before[0]) if now > before[0] else 0.0

    def lag_seconds(self) -> float:
        """How long ago as much had been produced as is handled now."""
        if not self._seen:
            return 0.0
        now, produced, handled = self._seen[-1]
        if handled >= produced:
            return 0.0
        earlier: tuple[float, int] | None = None
        for at, made, _ in self._seen:
            if made >= handled:
                return now - _between(earlier, (at, made), handled)
            earlier = at, made
        return 0.0


def _between(earlier: tuple[float, int] | None, later: tuple[float, int], count: int) -> float:
    """When a count was reached that lies between two looks."""
    if earlier is None or later[1] == earlier[1]:
        return later[0]
    return earlier[0] + (later[0] - earlier[0]) * (count - earlier[1]) / (later[1] - earlier[1])
