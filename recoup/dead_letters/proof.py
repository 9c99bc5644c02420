"""Tells before a message is sent again whether the pipeline would refuse it again."""

import asyncio
from collections.abc import Mapping
from typing import Any, Self

from connectors.redis.client import connect_async
from connectors.redis.ledger import Ledger
from models.account.outcome import Drop
from models.account.state import Facts, open_stored
from models.calendar import utc
from models.clock import Clock
from recoup.settings import Settings
from schemas.control import Tenant
from schemas.decode import Refusal, TopicDecoder
from schemas.envelope import Event, account_key
from schemas.registry import SOURCE_TOPICS, topic_named
from streams.decide.agent import JOB


class Prover:
    """Asks the contract, the tenants and the account's state. Use as a context manager."""

    def __init__(self, settings: Settings, tenants: Mapping[str, Tenant], clock: Clock) -> None:
        self._tenants = tenants
        self._clock = clock
        self._tolerance = settings.streams.decide.future_tolerance_seconds * 1000
        self._decoders: dict[str, TopicDecoder] = {}
        self._loop = asyncio.Runner()
        self._ledger = Ledger(connect_async(settings.redis), settings.redis.prefix, JOB)
        self._partitions = range(topic_named(SOURCE_TOPICS[0]).partitions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._ledger.client.aclose())  # type: ignore[attr-defined]
        self._loop.close()

    def __call__(self, topic: str, key: bytes | None, value: bytes | None, headers: Any = ()) -> Refusal | Drop | None:
        """Why it would be refused again, or dropped; None = it would be taken."""
        if topic not in self._decoders:
            self._decoders[topic] = TopicDecoder(topic)
        answer = self._decoders[topic](value, key, utc(self._clock.now() + self._tolerance), headers)
        if isinstance(answer, Refusal) or topic not in SOURCE_TOPICS:
            return answer if isinstance(answer, Refusal) else None
        if answer.tenant_id not in self._tenants:
            return Refusal("unknown_tenant", "publish the tenant with `recoup tenants apply`", "tenant_id")
        return self._folded(answer)

    def _folded(self, event: Event) -> Refusal | Drop | None:
        """What the account's state says to it as it stands now."""
        key = account_key(event.tenant_id, event.account_id)
        read = self._ledger.read((partition, [key]) for partition in self._partitions)
        blob = next((found for (found,) in self._loop.run(read) if found is not None), None)
        answer = Facts(open_stored(blob)).apply(event)
        return answer if isinstance(answer, Refusal | Drop) else None
