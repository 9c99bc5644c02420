"""Who may land which partition: a new owner finds nothing of a former one on its way, and knows where to go on."""

import re
import uuid
import zlib
from collections.abc import Iterable, Sequence

import msgspec

from connectors.clickhouse.blocks import Place, parse
from connectors.clickhouse.server import Server
from connectors.clickhouse.statements import Sql, literal
from models.clock import Instant

_TOKEN = re.compile(r"insert_deduplication_token = '([^']+)'")
NOBODY = ""


class Owner(msgspec.Struct, frozen=True):
    """Who may land: of all that were ever written down for a partition, the greatest."""

    epoch: int
    name: str


class Mark(msgspec.Struct, frozen=True):
    """How far a partition has landed: the greatest offset in its table, and the block that it came in."""

    offset: int
    block: str
    block_at: Instant


class Claim(msgspec.Struct, frozen=True):
    """The right to land a partition, until somebody else claims it."""

    place: Place
    owner: Owner
    first: bool
    """Nobody has ever claimed it here: whatever Kafka says was committed, it was landed elsewhere or never."""
    mark: Mark | None


class Ownership:
    """The `owners` table, and what it means for inserts."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def claim(self, places: Sequence[Place], worker: str, *, switching: bool = False) -> dict[Place, Claim]:
        """Become the owner of partitions.

        When this returns, inserts of whoever owned them before are refused, and none of them is running any more. While
        a table is being switched for a rebuilt one, only who is `switching` it can claim its partitions.

        Raises:
            SinkUnavailable: ClickHouse does not answer, an insert of a former owner or a switch does not end.
        """
        if not places:
            return {}
        known = self.server.until_deadline(lambda: self._owners(places))
        while True:
            if not switching:
                self._until_switched(places)
            owner = self.own(places, worker)
            # Asked after we have written ourselves down: a switch that begins later claims above us.
            if switching or not self.server.until_deadline(lambda: self._switched_by(places)):
                break
        self.server.wait_until(
            lambda: not self._runs(places),
            "An insert of a former owner does not end; system.processes shows it, KILL QUERY ends it.",
        )
        marks = self.server.until_deadline(lambda: self.marks(places))
        return {place: Claim(place, owner, first=place not in known, mark=marks.get(place)) for place in places}

    def own(self, places: Sequence[Place], worker: str) -> Owner:
        """Write ourselves down with a greater epoch than everybody else's, and see that nobody was faster."""
        name = f"{worker}/{uuid.uuid4().hex[:12]}"
        return self.server.until_deadline(lambda: self._write_down(places, name))

    def marks(self, places: Iterable[Place]) -> dict[Place, Mark]:
        """How far each partition has landed; one that has no rows is left out."""
        wanted = set(places)
        topics: dict[str, set[str]] = {}
        for place in wanted:
            topics.setdefault(self.server.table(place.topic).name, set()).add(place.topic)
        found: dict[Place, Mark] = {}
        for of_table in topics.values():
            found |= {place: mark for place, mark in self.marks_of(of_table).items() if place in wanted}
        return found

    def marks_of(self, topics: Iterable[str]) -> dict[Place, Mark]:
        """How far every partition of one table's topics has landed."""
        names = tuple(sorted(topics))
        rows = self.server.query("marks", table=self.server.table(names[0]), topics=names)
        return {Place(topic, partition): Mark(*mark) for topic, partition, *mark in rows}

    def owners_of(self, places: Sequence[Place]) -> dict[Place, Owner]:
        """Who may land each partition; one that nobody has ever claimed is left out."""
        return self.server.until_deadline(lambda: self._owners(places)) if places else {}

    def identity(self) -> str:
        """What tells this database from every other, also from an earlier one of its name: which table `owners` is."""
        ((identity,),) = self.server.until_deadline(
            lambda: self.server.query("identity", name_of_database=self.server.settings.database)
        )
        return str(identity)

    # -- switching a table ---------------------------------------------------------------------------------------------

    def begin_switch(self, table: str, command: str, *, part: str = "") -> tuple[Place, Owner]:
        """Let nobody else claim a table's partitions until the switch ends; returns what ends it.

        Args:
            command: what a person runs when it was cut short.
            part: what is switched of the table, so that two at once do not end each other's.
        """
        place = switch_of(table, part)
        return place, self.own([place], command)

    def end_switch(self, switch: tuple[Place, Owner]) -> None:
        """Let everybody claim again, unless somebody else has begun the same one meanwhile."""
        place, owner = switch

        def end() -> None:
            if self._owners([place]).get(place) == owner:
                self._write_down([place], NOBODY)

        self.server.until_deadline(end)

    def _until_switched(self, places: Sequence[Place]) -> None:
        """Wait for the end of a switch: who is written down above the one that switches has it refused."""
        if by := self.server.until_deadline(lambda: self._switched_by(places)):
            self.server.wait_until(
                lambda: not self._switched_by(places),
                f"A table is being switched for a rebuilt one, or that was cut short: run `{by[0]}` again.",
            )

    def _switched_by(self, places: Sequence[Place]) -> list[str]:
        """The commands whose switches keep others from claiming."""
        topics = tuple(sorted({switch_of(self.server.table(place.topic).name).topic for place in places}))
        rows = self.server.query("owners", topics=topics)
        return sorted({name.rpartition("/")[0] for _, _, (_, name) in rows if name != NOBODY})

    # -- the table -----------------------------------------------------------------------------------------------------

    def _owners(self, places: Sequence[Place]) -> dict[Place, Owner]:
        wanted = set(places)
        rows = self.server.query("owners", topics=tuple(sorted({place.topic for place in places})))
        return {place: Owner(*top) for topic, p, top in rows if (place := Place(topic, p)) in wanted}

    def _write_down(self, places: Sequence[Place], name: str) -> Owner:
        while True:
            owner = Owner(1 + max((known.epoch for known in self._owners(places).values()), default=0), name)
            rows = ", ".join(literal((place.topic, place.partition, owner.epoch, name)) for place in places)
            self.server.command("claim", {"rows": Sql(rows)})
            winners = self._owners(places)
            if all(winners[place] == owner for place in places):
                return owner

    def _runs(self, places: Sequence[Place]) -> bool:
        """Whether an insert into these partitions is running: it may have passed the fence before we were written down.

        One that begins after that sees us and fails.
        """
        wanted = set(places)
        beginnings = {f"INSERT INTO {self.server.database}.{self.server.table(p.topic)} " for p in places}
        return any(
            Place(topic, span.partition) in wanted
            for beginning in beginnings
            for (text,) in self.server.query("running_inserts", beginning=beginning)
            for token in _TOKEN.findall(text)
            for topic, spans in [parse(token)]
            for span in spans
        )


def switch_of(table: str, part: str = "") -> Place:
    """What stands in `owners` for the right to switch a table, or an aggregate on it."""
    return Place(f"switch of {table}", zlib.crc32(part.encode()))


def rebuild_of(table: str) -> Place:
    """What stands in `owners` for the right to fill the rebuilt table, or the rebuilt target of an aggregate."""
    return Place(f"rebuild of {table}", 0)
