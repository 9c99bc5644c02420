"""The providers of each channel in the order in which they are asked, each with its breaker, its places and its limits."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from connectors.channels.channel import Channel
from connectors.redis.attempts import Limit
from models.clock import Clock
from schemas.envelope import Channel as Kind
from streams.dispatch.breaker import Breaker
from streams.settings import DispatchSettings

EVERY_TENANT = "*"


class Provider:
    """One provider as this worker uses it, whatever channels it serves."""

    def __init__(self, channel: Channel, clock: Clock, settings: DispatchSettings) -> None:
        self.channel = channel
        self.breaker = Breaker(clock, settings.breaker)
        self.places = asyncio.Semaphore(settings.sends_at_once)
        rate = settings.provider_rates.get(channel.name)
        self.limit = None if rate is None else limit(f"provider:{channel.name}", rate)

    @property
    def name(self) -> str:
        return self.channel.name


class Providers:
    """The fail-over list of every channel.

    Args:
        channels: by channel name (`email`, `sms` ...) the providers, the first is asked first. A provider that stands
            in several lists is one provider.
    """

    def __init__(self, channels: Mapping[Kind, Sequence[Channel]], clock: Clock, settings: DispatchSettings) -> None:
        made: dict[int, Provider] = {}
        self.of_channel: dict[Kind, list[Provider]] = {
            name: [made.setdefault(id(one), Provider(one, clock, settings)) for one in some]
            for name, some in channels.items()
        }
        self.settings = settings
        self._tenants: dict[str, Limit | None] = {}

    def of(self, channel: Kind) -> list[Provider]:
        """Whom to ask, in this order; empty = nobody serves the channel."""
        return self.of_channel.get(channel, [])

    def named(self, channel: Kind, name: str | None) -> Provider | None:
        """The provider of a channel that was asked before, if it still serves it."""
        return next((provider for provider in self.of(channel) if provider.name == name), None)

    def limits(self, provider: Provider, tenant_id: str) -> list[Limit]:
        """What must have room before a contact of this tenant goes to this provider."""
        found = (provider.limit, self._of_tenant(tenant_id))
        return [one for one in found if one is not None]

    def every(self) -> Iterable[Provider]:
        """Each provider once."""
        return {id(one): one for some in self.of_channel.values() for one in some}.values()

    def _of_tenant(self, tenant_id: str) -> Limit | None:
        if tenant_id not in self._tenants:
            rates = self.settings.tenant_rates
            rate = rates.get(tenant_id, rates.get(EVERY_TENANT))
            self._tenants[tenant_id] = None if rate is None else limit(f"tenant:{tenant_id}", rate)
        return self._tenants[tenant_id]


def limit(name: str, per_second: float) -> Limit:
    """A rate whose burst is what a second brings, and one at least."""
    return Limit(name, per_second, max(1.0, per_second))
