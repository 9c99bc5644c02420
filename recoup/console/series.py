"""The last five minutes of a figure, as the sixty points that a small picture has room for."""

from collections import deque

WINDOW_SECONDS = 300.0
POINTS = 60


class Series:
    """Values with the time that each was seen at, seconds on any clock that goes forward."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()

    def add(self, now: float, value: float | None) -> None:
        """Remember a value; None is a moment at which nobody knew."""
        if value is not None:
            self._seen.append((now, value))
        while self._seen and self._seen[0][0] <= now - WINDOW_SECONDS:
            self._seen.popleft()

    def points(self, now: float) -> list[float | None]:
        """The means of sixty spans of five seconds, oldest first; None where nothing was seen.

        Spans begin at fixed times, so that a picture moves on by whole points.
        """
        span = WINDOW_SECONDS / POINTS
        last = int(now // span)
        sums: dict[int, tuple[float, int]] = {}
        for at, value in self._seen:
            place = POINTS - 1 - (last - int(at // span))
            before, count = sums.get(place, (0.0, 0))
            sums[place] = before + value, count + 1
        return [round(sums[place][0] / sums[place][1], 2) if place in sums else None for place in range(POINTS)]
