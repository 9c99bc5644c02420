"""What live decisions rest on besides the account: how fresh each tenant's payments are, and what is left of its caps.

A replay rests on neither: its feeds are as old as its time, and it asks for nothing that staff would have to do.
"""

from collections.abc import Callable, Iterable, Mapping

from connectors.redis.caps import Cap, Caps
from connectors.redis.feeds import Feeds
from models.actions.choice import Conditions
from models.actions.in_force import ALL_TENANTS, Strategies
from models.calendar import SECOND, Zone, zone
from models.clock import Instant
from schemas.control import Tenant
from schemas.strategies import ActionStrategy
from streams.decide.intake import Intake

AGAIN = 5 * SECOND
"""Other workers' feeds are asked about so often."""


class Surroundings:
    """Asks Redis before a batch is decided, and tells it after.

    Args:
        tenants: by id, as the worker holds them.
        strategies: those in force; asked once a batch.
        partitions: of the account topics; a batch may use its partitions' share of a cap.
    """

    def __init__(
        self,
        feeds: Feeds,
        caps: Caps,
        tenants: Mapping[str, Tenant],
        strategies: Callable[[], Strategies],
        partitions: int,
    ) -> None:
        self.feeds = feeds
        self.caps = caps
        self.tenants = tenants
        self.strategies = strategies
        self.partitions = partitions
        self._seen: dict[str, Instant] = {}
        self._known: dict[str, Instant] = {}
        self._asked: Instant | None = None
        self._aside: dict[Cap, int] = {}

    async def before(self, intakes: Iterable[Intake], due: Iterable[Iterable[bytes]], now: Instant) -> Conditions:
        """The conditions of a batch; what it may use of the caps is set aside."""
        intakes = list(intakes)
        for intake in intakes:
            for tenant in intake.fed:
                self._seen[tenant] = now
        strategies = self.strategies()
        if not any(strategy.caps or strategy.freshness_hours for strategy in strategies.values()):
            return Conditions()
        await self._ask(now)
        keys = [key for intake in intakes for key in intake.accounts] + [key for some in due for key in some]
        concerned = {key.partition(b"|")[0].decode() for key in keys}
        caps = [cap for tenant_id in sorted(concerned) for cap in self._caps_of(tenant_id, strategies, now)]
        self._aside = await self.caps.set_aside(caps, len(intakes) / self.partitions) if caps else {}
        left = {(cap.tenant_id, cap.channel): contacts for cap, contacts in self._aside.items()}
        return Conditions(feeds=self._known | self._seen, caps=left)

    async def after(self, left: Mapping[tuple[str, str], int]) -> None:
        """Give back what the batch has not used."""
        if self._aside:
            unused = {cap: left.get((cap.tenant_id, cap.channel), 0) for cap in self._aside}
            self._aside = {}
            await self.caps.give_back(unused)

    async def _ask(self, now: Instant) -> None:
        if self._asked is None or now >= self._asked + AGAIN:
            self._known = await self.feeds.see(self._seen)
            self._asked = now

    def _caps_of(self, tenant_id: str, strategies: Strategies, now: Instant) -> list[Cap]:
        strategy: ActionStrategy | None = strategies.get(tenant_id) or strategies.get(ALL_TENANTS)
        tenant = self.tenants.get(tenant_id)
        if strategy is None or tenant is None or not strategy.caps:
            return []
        day = (zone(tenant.time_zone) or Zone("UTC")).day(now)
        return [Cap(tenant_id, channel, day, most) for channel, most in strategy.caps.items()]
