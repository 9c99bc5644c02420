"""What the workers' `/metrics` say, added up over all of them, also over those that were started anew."""

import http.client
import json
import re
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

_SAMPLE = re.compile(r"^(?P<name>recoup_\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

ANSWER_SECONDS = 2.0

Labels = tuple[tuple[str, str], ...]
Samples = dict[tuple[str, Labels], float]


def parse(text: str) -> Samples:
    """The samples of Prometheus' text format whose names begin with `recoup_`."""
    found: Samples = {}
    for sample in _SAMPLE.finditer(text):
        labels = tuple(sorted(_LABEL.findall(sample["labels"] or "")))
        found[sample["name"], labels] = float(sample["value"])
    return found


class Figures:
    """Sums of samples."""

    def __init__(self, samples: Samples | None = None) -> None:
        self.samples: defaultdict[tuple[str, Labels], float] = defaultdict(float, samples or {})

    def add(self, samples: Samples) -> None:
        """Count the samples of one more worker."""
        for key, value in samples.items():
            self.samples[key] += value

    def since(self, before: "Figures") -> "Figures":
        """What was counted after another moment; a worker that has started since counts whole."""
        return Figures({key: value - before.samples.get(key, 0.0) for key, value in self.samples.items()})

    def total(self, name: str, **labels: str) -> int:
        """The sum of a counter over everything that has these labels."""
        wanted = set(labels.items())
        return round(sum(value for (known, has), value in self.samples.items() if known == name and wanted <= set(has)))

    def by(self, name: str, label: str, **labels: str) -> dict[str, int]:
        """A counter by the values of one label, largest first; zeros are left out."""
        wanted = set(labels.items())
        sums: defaultdict[str, float] = defaultdict(float)
        for (known, has), value in self.samples.items():
            if known == name and wanted <= set(has):
                sums[dict(has).get(label, "")] += value
        return {key: round(value) for key, value in sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])) if value}

    def quantile(self, name: str, share: float, topics: Collection[str] | None = None) -> float | None:
        """A quantile of a histogram in its unit, interpolated inside its bucket; None while it is empty.

        `topics`: only observations about these.
        """
        sums: defaultdict[float, float] = defaultdict(float)
        for (known, has), value in self.samples.items():
            labels = dict(has)
            if known == name + "_bucket" and (topics is None or labels.get("topic") in topics):
                sums[float(labels["le"])] += value
        bounds = sorted(sums)
        if not bounds or not sums[bounds[-1]]:
            return None
        wanted = share * sums[bounds[-1]]
        below, counted = 0.0, 0.0
        for bound in bounds:
            if sums[bound] >= wanted:
                if bound == float("inf"):
                    return below
                inside = sums[bound] - counted
                return below + (bound - below) * ((wanted - counted) / inside if inside else 1.0)
            below, counted = bound, sums[bound]
        return below


class Scraper:
    """Asks the workers of one home. What a worker said last still counts when it is gone."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._said: dict[int, Samples] = {}
        """By pid."""

    def figures(self) -> Figures:
        """The sums as of now; a worker that does not answer counts with what it said last."""
        for path in (self.home / "run").glob("worker-*.json"):
            try:
                where = json.loads(path.read_text())
                self._said[int(where["pid"])] = parse(_get(str(where["web"])))
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                continue
        figures = Figures()
        for samples in self._said.values():
            figures.add(samples)
        return figures


def _get(web: str) -> str:
    address = urlsplit(web)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise http.client.HTTPException(f"{answer.status} from /metrics")
        return answer.read().decode()
    finally:
        connection.close()
