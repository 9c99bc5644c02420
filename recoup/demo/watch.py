"""Reads what each party of the demo counts for itself: workers, ledger, topics, tables."""

import asyncio
from collections.abc import Mapping

from connectors.clickhouse.aggregates import refreshed
from connectors.clickhouse.client import connect as connect_clickhouse
from connectors.clickhouse.counts import count_rows, someone_contacted
from connectors.clickhouse.refreshes import refresh
from connectors.clickhouse.server import Server
from connectors.kafka.counts import count_messages
from connectors.redis.client import connect_async
from connectors.redis.ledger import Ledger
from recoup.demo.figures import Figures, Scraper
from recoup.settings import Settings
from schemas.registry import SOURCE_TOPICS, topic_named
from streams.decide.agent import JOB as DECIDE

WORK_OUT_SECONDS = 60.0
OF_LANDING = ("recoup_rows_landed", "recoup_event_to_row")


class Watch:
    """Reads what each party counts: workers, ledger, topics, tables."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.scraper = Scraper(settings.home)
        self.loop = asyncio.Runner()
        self.ledger = Ledger(connect_async(settings.redis), settings.redis.prefix, DECIDE)
        self.clickhouse = connect_clickhouse(settings.clickhouse)
        self.partitions = range(topic_named(SOURCE_TOPICS[0]).partitions)
        self.topics = tuple(count_rows(self.clickhouse, settings.clickhouse.database))
        self._landed_before = Figures()

    def leave_out_landed(self) -> None:
        """What has landed by now is the past, and none of what is measured."""
        before = self.scraper.figures().samples
        self._landed_before = Figures({key: value for key, value in before.items() if key[0].startswith(OF_LANDING)})

    def figures(self) -> Figures:
        """What the workers measure."""
        return self.scraper.figures().since(self._landed_before)

    def counters(self) -> dict[str, int]:
        """What the ledger counts: `applied`, `dropped:<reason>`, `dead_lettered:<reason>`."""
        return self.loop.run(self.ledger.counters(self.partitions))

    def messages(self, topics: tuple[str, ...]) -> dict[str, int]:
        """What each topic holds."""
        counted = count_messages(self.settings.kafka, topics)
        return {topic: sum(partitions.values()) for topic, partitions in counted.items()}

    def rows(self) -> dict[str, tuple[int, int]]:
        """What each topic has in its table: rows, different places."""
        return count_rows(self.clickhouse, self.settings.clickhouse.database)

    def has_landed(self, messages: Mapping[str, int]) -> bool:
        """Whether there are as many rows of each topic, or more."""
        rows = self.rows()
        return all(rows[topic][0] >= count for topic, count in messages.items())

    def work_out(self) -> None:
        """Work out now what views show and the server works out from time to time.

        Raises:
            NotReady: it failed.
        """
        server = Server(self.settings.clickhouse, deadline=WORK_OUT_SECONDS)
        for one in refreshed(server).values():
            refresh(server, one)

    def example(self) -> tuple[str, str] | None:
        """Somebody who was contacted."""
        return someone_contacted(self.clickhouse, self.settings.clickhouse.database)

    def close(self) -> None:
        """Let the connections go."""
        self.loop.run(self.ledger.client.aclose())  # type: ignore[attr-defined]
        self.loop.close()
        self.clickhouse.close()
