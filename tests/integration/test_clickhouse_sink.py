"""The sink on the real endpoint: once, whatever is repeated, late, cut short or done by two at once."""

import io
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import Message

from connectors.clickhouse.aggregates import fed_by
from connectors.clickhouse.blocks import Block, Place, Span
from connectors.clickhouse.client import connect
from connectors.clickhouse.migrate import migrate
from connectors.clickhouse.ownership import Claim, Owner, Ownership
from connectors.clickhouse.rows import RowReader
from connectors.clickhouse.server import Server
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.sink import Sink
from connectors.clickhouse.statements import Name
from connectors.clickhouse.tables import BLOCK, OWN, table_of, tables
from recoup.settings import Settings
from schemas.errors import LostLease, SinkUnavailable

TOPIC = "payment-events"
JANUARY, FEBRUARY = 1_767_225_600_000, 1_769_904_000_000
PLACE = Place(TOPIC, 3)


DEADLINE = 20.0


class Warehouse:
    """A database with all tables. To make them takes longer than most tests: so tests share it, and empty it."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        self.settings = settings
        migrate(settings)
        self.client = connect(settings)
        self.server = Server(settings, deadline=DEADLINE)
        self.ownership = Ownership(self.server)
        self.sink = Sink(self.server)
        self._made = {name for name, *_ in self._tables()}

    def empty(self) -> None:
        """As it was when it was made, but for what was altered: no row, no token of a block, no table of a test's own."""
        self.server.deadline = DEADLINE
        for name, is_view, rows in self._tables():
            if name not in self._made:
                self.client.command(f"DROP TABLE {name} SYNC")
            elif rows and not is_view and name != "migrations":
                self.client.command(f"TRUNCATE TABLE {name} SYNC")
        # What the group has committed was not committed for what is a new database.
        self.client.command("CREATE TABLE owners_anew AS owners")
        self.client.command("EXCHANGE TABLES owners_anew AND owners")
        self.client.command("DROP TABLE owners_anew SYNC")

    def close(self) -> None:
        """Drop it."""
        self.client.command(f"DROP DATABASE {self.settings.database}")
        self.server.close()

    def _tables(self) -> list[tuple[str, bool, int]]:
        """Name, whether it is a view, rows; views first, since they write into the others."""
        found = self.client.query(
            "SELECT name, engine LIKE '%View' AS view, ifNull(total_rows, 0) FROM system.tables"
            " WHERE database = currentDatabase() ORDER BY view DESC, name"
        ).result_rows
        return [(name, bool(view), int(rows)) for name, view, rows in found]

    @contextmanager
    def remembering(self, table: str, blocks: int) -> Iterator[None]:
        """A table that remembers the tokens of so few blocks."""
        window = "SELECT extract(engine_full, 'non_replicated_deduplication_window = (\\d+)') FROM system.tables"
        usual = self.ask(f"{window} WHERE database = currentDatabase() AND name = '{table}'")
        change = f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window"
        self.client.command(f"{change} = {blocks}")
        try:
            yield
        finally:
            self.client.command(f"{change} = {usual}")

    @contextmanager
    def without_views(self, table: str) -> Iterator[None]:
        """None of the views that count a table's rows."""
        views = [view.name for aggregate in fed_by(self.server, table) for view in aggregate.views]
        for view in views:
            self.client.command(f"DETACH TABLE {view}")
        try:
            yield
        finally:
            for view in views:
                self.client.command(f"ATTACH TABLE {view}")

    def ask(self, sql: str) -> Any:
        rows = self.client.query(sql).result_rows
        return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else rows

    def claim(self, *places: Place, worker: str = "w") -> dict[Place, Claim]:
        return self.ownership.claim(places or (PLACE,), worker)

    def owner(self, *places: Place) -> Owner:
        return next(iter(self.claim(*places).values())).owner

    def view(self) -> Callable[[], int]:
        """A materialized view that counts rows, and fails while anything is in `faults`; returns how to read it."""
        self.client.command("CREATE TABLE faults (n UInt8) ENGINE = MergeTree ORDER BY n")
        self.client.command(
            "CREATE TABLE totals (type String, n UInt64) ENGINE = SummingMergeTree ORDER BY type"
            " SETTINGS non_replicated_deduplication_window = 10000"
        )
        self.client.command(
            "CREATE MATERIALIZED VIEW totals_view TO totals AS SELECT type, count() AS n FROM payment_events"
            " WHERE throwIf((SELECT count() FROM faults) > 0, 'a fault') = 0 GROUP BY type"
        )
        return lambda: int(self.ask("SELECT sum(n) FROM totals"))

    def break_views(self) -> None:
        self.client.command("INSERT INTO faults SETTINGS async_insert = 0 VALUES (1)")

    def mend_views(self) -> None:
        self.client.command("TRUNCATE TABLE faults")


@pytest.fixture(scope="module")
def shared(settings: Settings) -> Iterator[Warehouse]:
    shared = Warehouse(settings.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"}))
    yield shared
    shared.close()


@pytest.fixture
def warehouse(shared: Warehouse) -> Warehouse:
    shared.empty()
    return shared


def messages(first: int, count: int, partition: int = 3, topic: str = TOPIC) -> list[Any]:
    return [
        Message(
            topic=topic,
            partition=partition,
            offset=offset,
            key=f"t|a{offset % 5}".encode(),
            value=json.dumps(
                {
                    "type": "payment.received",
                    "event_id": f"e{offset}",
                    "tenant_id": "t",
                    "account_id": f"a{offset % 5}",
                    "occurred_at": "2026-03-01T12:00:00.123Z",
                    "source": "test",
                    "payment_id": f"p{offset}",
                    "amount_minor": 100 + offset,
                    "currency": "EUR",
                }
            ).encode(),
            timestamp=(1, JANUARY),
        )
        for offset in range(first, first + count)
    ]


def block(first: int, count: int, partition: int = 3, at: int = JANUARY) -> Block:
    rows = RowReader(TOPIC)(messages(first, count, partition))
    return Block(
        topic=TOPIC, spans=(Span(partition, first, first + count - 1),), at=at, body=rows.body, count=rows.count
    )


def test_a_block_is_one_part_with_every_row(warehouse: Warehouse) -> None:
    warehouse.sink.insert(warehouse.owner(), block(0, 20_000))
    assert warehouse.ask("SELECT count(), uniqExact(_offset), sum(amount_minor) FROM payment_events") == [
        (20_000, 20_000, sum(100 + offset for offset in range(20_000)))
    ]
    parts = (
        "SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'payment_events'"
    )
    assert warehouse.ask(parts) == 1


def test_a_row_says_what_the_message_said_and_where_it_stood(warehouse: Warehouse) -> None:
    warehouse.sink.insert(warehouse.owner(), block(7, 1))
    row = warehouse.client.query("SELECT * FROM payment_events").first_item or {}
    assert (row["type"], row["payment_id"], row["amount_minor"], row["currency"]) == (
        "payment.received",
        "p7",
        107,
        "EUR",
    )
    assert row["occurred_at"].isoformat() == "2026-03-01T12:00:00.123000"
    assert (row["_topic"], row["_partition"], row["_offset"], row["_key"]) == (TOPIC, 3, 7, "t|a2")
    assert (row["_block"], row["valid"], row["refusal"]) == ("payment-events:3:7-7", True, "")
    assert json.loads(row["payload"])["payment_id"] == "p7"
    assert row["due_at"] is None


def test_undecodable_messages_are_rows_with_their_bytes(warehouse: Warehouse) -> None:
    bad: list[Any] = [
        Message(topic=TOPIC, partition=3, offset=offset, key=None, value=value, timestamp=(1, JANUARY))
        for offset, value in enumerate([b"\xff\xfe\x00", b"{", None])
    ]
    rows = RowReader(TOPIC)([*bad, *messages(3, 1)])
    whole = Block(topic=TOPIC, spans=(Span(3, 0, 3),), at=JANUARY, body=rows.body, count=rows.count)
    warehouse.sink.insert(warehouse.owner(), whole)
    assert warehouse.ask(
        "SELECT _offset, valid, refusal, hex(payload) FROM payment_events WHERE _offset < 3 ORDER BY 1"
    ) == [
        (0, False, "not_utf8", "FFFE00"),
        (1, False, "not_json", "7B"),
        (2, False, "empty_value", ""),
    ]
    assert warehouse.ask("SELECT count() FROM payment_events WHERE valid") == 1
    # What does not say when it occurred is dated by its arrival.
    assert (
        warehouse.ask("SELECT uniqExact(occurred_at) FROM payment_events WHERE NOT valid AND occurred_at = _arrived_at")
        == 1
    )


def test_a_block_that_is_sent_again_lands_once_in_the_table_and_in_its_views(warehouse: Warehouse) -> None:
    in_view = warehouse.view()
    owner = warehouse.owner()
    for _ in range(3):
        warehouse.sink.insert(owner, block(0, 500))
    warehouse.sink.insert(owner, block(500, 500))
    assert warehouse.ask("SELECT count() FROM payment_events") == 1_000
    assert in_view() == 1_000


def test_a_block_read_again_from_the_start_lands_once_though_its_bytes_differ(warehouse: Warehouse) -> None:
    """A newer version may fill columns that an older one did not: the token is what counts."""
    in_view = warehouse.view()
    owner = warehouse.owner()
    warehouse.sink.insert(owner, block(0, 100))
    other = RowReader(TOPIC)(list(reversed(messages(0, 100))))
    warehouse.sink.insert(owner, Block(TOPIC, (Span(3, 0, 99),), JANUARY, other.body, other.count))
    assert (warehouse.ask("SELECT count() FROM payment_events"), in_view()) == (100, 100)


def test_a_former_owner_is_refused(warehouse: Warehouse) -> None:
    former = warehouse.owner()
    warehouse.sink.insert(former, block(0, 10))
    present = warehouse.owner()
    with pytest.raises(LostLease, match="another worker owns it"):
        warehouse.sink.insert(former, block(10, 10))
    assert warehouse.ask("SELECT count() FROM payment_events") == 10
    warehouse.sink.insert(present, block(10, 10))
    assert warehouse.ask("SELECT count() FROM payment_events") == 20


def test_a_former_owner_of_one_partition_is_refused_a_block_of_several(warehouse: Warehouse) -> None:
    places = [Place(TOPIC, 0), Place(TOPIC, 1)]
    former = warehouse.owner(*places)
    warehouse.claim(places[1])
    rows = RowReader(TOPIC)(messages(0, 5, partition=0) + messages(0, 5, partition=1))
    both = Block(TOPIC, (Span(0, 0, 4), Span(1, 0, 4)), JANUARY, rows.body, rows.count)
    with pytest.raises(LostLease):
        warehouse.sink.insert(former, both)
    assert warehouse.ask("SELECT count() FROM payment_events") == 0
    warehouse.sink.insert(former, block(0, 5, partition=0))


def test_the_mark_is_the_last_row_and_its_block(warehouse: Warehouse) -> None:
    owner = warehouse.owner()
    assert warehouse.claim()[PLACE].mark is None
    owner = warehouse.owner()
    warehouse.sink.insert(owner, block(0, 10))
    warehouse.sink.insert(owner, block(10, 5, at=FEBRUARY))
    mark = warehouse.claim()[PLACE].mark
    assert mark is not None
    assert (mark.offset, mark.block, mark.block_at) == (14, "payment-events:3:10-14", FEBRUARY)
    assert warehouse.sink.rows_of(TOPIC, mark) == 5


def test_the_mark_is_read_from_its_projection(warehouse: Warehouse) -> None:
    warehouse.sink.insert(warehouse.owner(), block(0, 10))
    plan = warehouse.ask(
        "EXPLAIN SELECT _topic, _partition, max(_offset), argMax(_block, _offset), argMax(_block_at, _offset)"
        " FROM payment_events WHERE _topic IN ('payment-events') GROUP BY _topic, _partition"
    )
    assert any("ReadFromMergeTree (mark)" in line for (line,) in plan)


def test_the_first_owner_knows_that_nobody_was_there_before(warehouse: Warehouse) -> None:
    other = Place(TOPIC, 4)
    assert warehouse.claim()[PLACE].first
    claims = warehouse.claim(PLACE, other)
    assert (claims[PLACE].first, claims[other].first) == (False, True)


def test_of_many_who_claim_at_once_one_owns_the_partition(warehouse: Warehouse) -> None:
    owners: list[Owner] = []
    barrier = threading.Barrier(4)

    def claim() -> None:
        barrier.wait(60)
        owners.append(warehouse.owner())

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    landed, refused = 0, 0
    for number, owner in enumerate(owners):
        try:
            warehouse.sink.insert(owner, block(number * 10, 10))
            landed += 1
        except LostLease:
            refused += 1
    assert (landed, refused) == (1, 3)
    assert warehouse.ask("SELECT count() FROM payment_events") == 10


def test_a_view_cut_short_is_completed_by_sending_the_block_again(warehouse: Warehouse) -> None:
    in_view = warehouse.view()
    owner = warehouse.owner()
    warehouse.break_views()
    warehouse.server.deadline = 0.3
    with pytest.raises(SinkUnavailable):
        warehouse.sink.insert(owner, block(0, 100))
    warehouse.server.deadline = DEADLINE
    # The worst that a kill can leave: the table has the block, the view does not.
    assert (warehouse.ask("SELECT count() FROM payment_events"), in_view()) == (100, 0)
    warehouse.mend_views()
    claim = warehouse.claim()[PLACE]
    assert claim.mark is not None
    assert warehouse.sink.may_send_again(TOPIC, claim.mark)
    warehouse.sink.insert(claim.owner, block(0, 100), fenced=[PLACE])
    assert (warehouse.ask("SELECT count() FROM payment_events"), in_view()) == (100, 100)


def test_without_a_view_there_is_nothing_to_complete(warehouse: Warehouse) -> None:
    with warehouse.without_views("payment_events"):
        warehouse.sink.insert(warehouse.owner(), block(0, 10))
        mark = warehouse.claim()[PLACE].mark
        assert mark is not None
        assert not warehouse.sink.may_send_again(TOPIC, mark)
    assert warehouse.sink.may_send_again(TOPIC, mark)


def test_a_block_that_the_server_may_have_forgotten_is_not_sent_again(warehouse: Warehouse) -> None:
    warehouse.view()
    with warehouse.remembering("payment_events", blocks=8):
        owner = warehouse.owner()
        warehouse.sink.insert(owner, block(0, 1))
        mark = warehouse.claim()[PLACE].mark
        assert mark is not None
        assert warehouse.sink.may_send_again(TOPIC, mark)
        owner = warehouse.owner(Place(TOPIC, 4))
        for number in range(3):
            warehouse.sink.insert(owner, block(number, 1, partition=4))
        assert not warehouse.sink.may_send_again(TOPIC, mark)


def test_a_block_that_a_target_of_several_tables_may_have_forgotten_is_not_sent_again(warehouse: Warehouse) -> None:
    with warehouse.remembering("pipeline_minutes_states", blocks=8):
        warehouse.sink.insert(warehouse.owner(), block(0, 1))
        mark = warehouse.claim()[PLACE].mark
        assert mark is not None
        assert warehouse.sink.may_send_again(TOPIC, mark)
        elsewhere = Place("crm-events", 0)
        owner = warehouse.owner(elsewhere)
        for number in range(3):
            rows = RowReader(elsewhere.topic)(messages(number, 1, 0, elsewhere.topic))
            span = Span(0, number, number)
            warehouse.sink.insert(owner, Block(elsewhere.topic, (span,), JANUARY, rows.body, rows.count))
        assert not warehouse.sink.may_send_again(TOPIC, mark)


def test_a_new_owner_waits_for_an_insert_that_is_on_its_way(warehouse: Warehouse) -> None:
    """The insert passed the fence before the new owner was written down; its rows must be in the mark."""
    former = warehouse.owner()
    warehouse.client.command(
        "CREATE TABLE slow (n UInt8) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100"
    )
    warehouse.client.command(
        "CREATE MATERIALIZED VIEW slow_view TO slow AS SELECT toUInt8(sleepEachRow(1)) AS n FROM payment_events"
    )
    slow = threading.Thread(target=warehouse.sink.insert, args=(former, block(0, 2)))
    slow.start()
    beginning = f"INSERT INTO `{warehouse.settings.database}`"

    def running() -> int:
        return len(warehouse.server.query("running_inserts", beginning=beginning))

    until(lambda: running() > 0)
    claim = warehouse.claim()[PLACE]
    assert running() == 0
    assert claim.mark is not None
    assert claim.mark.offset == 1
    slow.join(30)


def test_a_server_that_is_away_is_waited_for_and_then_named(settings: Settings) -> None:
    nobody = settings.clickhouse.model_copy(update={"url": "http://127.0.0.1:1"})
    began = time.monotonic()
    with pytest.raises(SinkUnavailable, match=r"failed for 0\.5 s"):
        Ownership(Server(nobody, deadline=0.5)).claim([PLACE], "w")
    assert time.monotonic() - began < 30


def test_a_table_that_was_not_migrated_names_the_command(settings: Settings) -> None:
    empty = settings.clickhouse.model_copy(update={"database": "default"})
    with pytest.raises(SinkUnavailable, match="recoup migrate"):
        Ownership(Server(empty, deadline=0.5)).claim([PLACE], "w")


def test_no_failure_quotes_a_customer(warehouse: Warehouse) -> None:
    warehouse.client.command("CREATE TABLE older AS payment_events")
    warehouse.client.command("ALTER TABLE older DROP COLUMN payment_id")
    server = Server(warehouse.settings, deadline=0.2, table_names=lambda _: "older")
    with pytest.raises(SinkUnavailable) as failed:
        Sink(server).insert(warehouse.owner(), block(0, 3))
    assert "p1" not in str(failed.value).replace("http", "")
    assert "recoup migrate" in str(failed.value)


@pytest.mark.parametrize("name", list(tables()))
def test_every_column_that_is_filled_is_in_the_table_with_its_type(warehouse: Warehouse, name: str) -> None:
    table = tables()[name]
    found: dict[str, str] = dict(
        warehouse.client.query(
            "SELECT name, type FROM system.columns WHERE database = {d:String} AND table = {t:String}",
            parameters={"d": warehouse.settings.database, "t": name},
        ).result_rows  # type: ignore[arg-type]
    )
    for column in table.columns:
        assert found[column.name] in column.kind.columns
    filled = {name for name, _ in table.filled} | set(BLOCK)
    stored = warehouse.server.query("stored_columns", name_of_database=warehouse.settings.database, name=name)
    assert filled | set(table.computed) == {column for (column,) in stored}
    assert {fill for own in OWN for fill, _ in own.fills} <= filled


@pytest.mark.parametrize("topic", [table.topics[0] for table in tables().values()])
def test_every_table_takes_its_rows(warehouse: Warehouse, topic: str) -> None:
    place = Place(topic, 0)
    odd: Any = Message(topic=topic, partition=0, offset=0, key=b"k", value=b"{}", timestamp=(1, JANUARY))
    rows = RowReader(topic)([odd])
    warehouse.sink.insert(warehouse.owner(place), Block(topic, (Span(0, 0, 0),), JANUARY, rows.body, rows.count))
    assert warehouse.server.query("rows_of_partitions", table=Name(table_of(topic).name), topic=topic) == [(0, 1)]


def test_what_is_sent_is_one_record_batch() -> None:
    with pa.ipc.open_stream(io.BytesIO(block(0, 20_000).body)) as stream:
        assert len(list(stream)) == 1


def until(holds: Callable[[], bool], deadline: float = 30.0) -> None:
    end = time.monotonic() + deadline
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
