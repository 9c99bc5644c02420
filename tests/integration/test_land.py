"""The land worker from topic to table, and tables landed again, on servers of their own."""

import json
import secrets
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka import OFFSET_END, TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from connectors.clickhouse.aggregates import fed_by
from connectors.clickhouse.blocks import Place
from connectors.clickhouse.check import check
from connectors.clickhouse.client import connect
from connectors.clickhouse.ownership import Ownership, rebuild_of
from connectors.clickhouse.refill import Refill
from connectors.clickhouse.server import Server
from connectors.clickhouse.shadow import Shadow
from connectors.clickhouse.sink import Sink
from connectors.clickhouse.tables import landed_topics, tables
from connectors.kafka import clients, topics
from connectors.kafka.counts import count_messages
from models.clock import WallClock
from recoup.cli.land import land as command
from recoup.settings import Settings
from recoup.stack.stack import Stack
from schemas import registry
from schemas.errors import BadInput, LostLease, SinkUnavailable
from streams.land.agent import GROUP
from streams.land.rebuild import Rebuild
from tests.chaos.fleet import Fleet, Worker
from tests.conftest import running_stack
from tests.integration.test_clickhouse_sink import Warehouse, block

pytestmark = pytest.mark.timeout(240)

TOPIC = "payment-events"


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Servers whose topics nobody else writes to."""
    yield from running_stack(tmp_path_factory.mktemp("land"))


@pytest.fixture(scope="module")
def warehouse(own_stack: Stack) -> Iterator[Warehouse]:
    found = Settings(home=own_stack.home)
    topics.apply(found.kafka)
    warehouse = Warehouse(found.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"}))
    yield warehouse
    warehouse.close()


class Landing:
    """An empty database, and workers that land every topic in it.

    The group's offsets are where the tests before have left them; a database that has never seen a row does not trust
    them. Topics hold nothing but what was sent since, save the compacted ones.
    """

    def __init__(self, stack: Stack, warehouse: Warehouse, logs: Path, *, forget: bool = True) -> None:
        found = Settings(home=stack.home)
        self.settings = found.model_copy(update={"clickhouse": warehouse.settings})
        self.server = warehouse.server
        if forget:
            warehouse.empty()
            forget_all(self.settings)
        self.fleet = Fleet(self.settings, logs, {"RECOUP_CLICKHOUSE__DATABASE": warehouse.settings.database})

    def send(self, topic: str, count: int = 1, **fields: Any) -> None:
        """Good messages over all partitions; `value` and `partition` may say otherwise."""
        producer = clients.producer(self.settings.kafka)
        for number in range(count):
            producer.produce(topic, **(message(topic, number) | fields))
        assert producer.flush(20) == 0

    def rows(self) -> dict[str, int]:
        """Rows of each topic; fails when one message is two rows."""
        found: Counter[str] = Counter()
        client = connect(self.settings.clickhouse)
        for table in tables():
            sql = f"SELECT _topic, count(), uniqExact(_partition, _offset) FROM {table} GROUP BY 1"  # noqa: S608
            for topic, rows, distinct in client.query(sql).result_rows:
                assert rows == distinct, f"{topic} has {rows - distinct} rows twice"
                found[topic] += rows
        return found

    def messages(self) -> dict[str, int]:
        """Messages of each topic that has some."""
        counted = count_messages(self.settings.kafka, landed_topics())
        return {topic: sum(counts.values()) for topic, counts in counted.items() if any(counts.values())}

    def until_all_has_landed(self) -> None:
        wanted = self.messages()
        self.fleet.until(lambda: self.rows() == wanted, f"not every message has landed: {wanted}")

    def ask(self, sql: str) -> Any:
        return connect(self.settings.clickhouse).query(sql).result_rows

    def assert_aggregates_are_right(self, table: str) -> None:
        """What is counted of a table's rows is what the table says."""
        aggregates = fed_by(self.server, table)
        assert aggregates
        for aggregate in aggregates:
            assert check(self.server, aggregate).differing == (), aggregate.name

    def rebuild(self, table: str) -> Rebuild:
        return Rebuild(self.settings, table, WallClock())


@pytest.fixture
def landing(own_stack: Stack, warehouse: Warehouse, tmp_path: Path) -> Iterator[Landing]:
    landing = Landing(own_stack, warehouse, tmp_path)
    yield landing
    landing.fleet.stop()


def message(topic: str, number: int) -> dict[str, Any]:
    said: dict[str, Any] = {
        "event_id": f"e{number}",
        "tenant_id": "t",
        "account_id": f"a{number % 50}",
        "occurred_at": f"2026-03-01T12:00:{number % 60:02d}Z",
        "source": "test",
    }
    if topic == TOPIC:
        said |= {"type": "payment.received", "payment_id": f"p{number}", "amount_minor": 5, "currency": "EUR"}
    else:
        said |= {"type": "audit.recorded", "action": "send", "actor": "x", "subject": "s", "sequence": number}
        said |= {"previous": "", "hash": f"h{number}"}
    return {"value": json.dumps(said).encode(), "key": f"t|a{number % 50}".encode()}


def test_every_message_of_every_topic_is_one_row(landing: Landing) -> None:
    landing.send(TOPIC, 3_000)
    landing.send("crm-events", 20, value=b"\xff\x00 not ours")
    landing.send("audit-logs", 50)
    landing.send("tenants", 1, key=b"gone", value=None)
    landing.send(f"{TOPIC}.dlq", 5, headers=[("reason", b"not_json")])
    abandoned = clients.transactional_producer(landing.settings.kafka, secrets.token_hex(4), 10_000)
    abandoned.init_transactions(20)
    abandoned.begin_transaction()
    abandoned.produce(TOPIC, b"never happened", b"t|a1")
    abandoned.flush(20)
    abandoned.abort_transaction(20)
    landing.fleet.worker("land")
    landing.until_all_has_landed()
    assert landing.ask("SELECT count() FROM payment_events WHERE NOT valid") == [(0,)]
    assert landing.ask("SELECT DISTINCT valid, hex(payload) FROM crm_events") == [
        (False, b"\xff\x00 not ours".hex().upper())
    ]
    assert landing.ask("SELECT reason, count() FROM dead_letters GROUP BY 1") == [("not_json", 5)]
    assert landing.ask("SELECT _key, refusal FROM tenants") == [("gone", "empty_value")]
    # Far fewer parts than messages, and than partitions times seconds.
    assert landing.ask("SELECT uniqExact(_block) < 20 FROM payment_events") == [(1,)]


def test_a_worker_that_is_stopped_lands_what_it_has_read_and_leaves_at_once(landing: Landing) -> None:
    landing.send(TOPIC, 100)
    for which in ("BLOCK_SECONDS", "OWN_BLOCK_SECONDS"):
        landing.fleet.env[f"RECOUP_STREAMS__LAND__{which}"] = "3600"
    worker = landing.fleet.worker("land")
    landing.fleet.until(
        lambda: reads(worker, "recoup_rows_waiting") == sum(landing.messages().values()), "nothing is read"
    )
    assert landing.rows() == {}
    assert worker.stop() == 0
    assert landing.rows() == landing.messages()
    assert members(landing.settings) == []  # nobody has to wait for its session to time out


def test_workers_that_come_and_go_land_everything_once(landing: Landing) -> None:
    first = landing.fleet.worker("land", slot=0)
    landing.fleet.until(lambda: first.is_ready, "the worker did not start")
    landing.send(TOPIC, 2_000)
    second = landing.fleet.worker("land", slot=1)
    landing.send(TOPIC, 2_000)
    landing.fleet.until(lambda: 0 < second.units < units(landing), "the partitions were not shared")
    landing.send(TOPIC, 2_000)
    first.kill()
    landing.send(TOPIC, 2_000)
    landing.until_all_has_landed()


def test_what_the_group_has_landed_elsewhere_is_landed_here_though_its_first_owner_was_gone_before(
    landing: Landing, own_stack: Stack, tmp_path: Path
) -> None:
    worker = landing.fleet.worker("land")
    landing.send(TOPIC, 500)
    landing.until_all_has_landed()
    assert worker.stop() == 0
    other = Warehouse(landing.settings.clickhouse.model_copy(update={"database": f"t{secrets.token_hex(4)}"}))
    try:
        Ownership(other.server).claim([Place(TOPIC, number) for number in range(8)], "one that lands nothing")
        here = Landing(own_stack, other, tmp_path / "here", forget=False)
        here.fleet.worker("land")
        here.until_all_has_landed()
        assert here.rows()[TOPIC] == 500
        here.fleet.stop()
    finally:
        other.close()


def test_a_view_that_a_kill_cut_short_is_completed_by_the_next_owner(landing: Landing) -> None:
    client = connect(landing.settings.clickhouse)
    client.command("CREATE TABLE faults (n UInt8) ENGINE = MergeTree ORDER BY n")
    client.command(
        "CREATE TABLE seen (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 10000"
    )
    client.command(
        "CREATE MATERIALIZED VIEW seen_view TO seen AS SELECT _offset AS n FROM payment_events"
        " WHERE throwIf((SELECT count() FROM faults) > 0, 'a fault') = 0"
    )
    worker = landing.fleet.worker("land")
    landing.send(TOPIC, 100)
    landing.until_all_has_landed()
    client.command("INSERT INTO faults SETTINGS async_insert = 0 VALUES (1)")
    before = landing.rows()[TOPIC]
    landing.send(TOPIC, 100)
    # The block is in the table, its insert has failed in the view, and the worker tries again.
    landing.fleet.until(lambda: landing.rows()[TOPIC] == before + 100, "the block did not reach the table")
    worker.kill()
    assert landing.ask("SELECT count() FROM seen") == [(before,)]
    client.command("TRUNCATE TABLE faults")
    landing.fleet.until(
        lambda: landing.ask("SELECT count() FROM seen") == [(before + 100,)], "the view was not completed"
    )
    landing.send(TOPIC, 10)
    landing.until_all_has_landed()
    assert landing.ask("SELECT count() FROM seen") == [(before + 110,)]


def test_a_worker_that_a_slow_server_has_held_up_goes_on(landing: Landing) -> None:
    client = connect(landing.settings.clickhouse)
    client.command("CREATE TABLE slow (n UInt8) ENGINE = MergeTree ORDER BY n")
    client.command("CREATE MATERIALIZED VIEW slow_view TO slow AS SELECT sleep(2) AS n FROM payment_events LIMIT 1")
    for name, value in (("BATCH_SIZE", 50), ("BLOCK_ROWS", 50), ("WAITING_ROWS", 1)):
        landing.fleet.env[f"RECOUP_STREAMS__LAND__{name}"] = str(value)
    landing.send(TOPIC, 1_000)
    worker = landing.fleet.worker("land")
    # By now the source has waited for the job, and paused its partitions.
    landing.fleet.until(
        lambda: landing.ask("SELECT uniqExact(_block) > 2 FROM payment_events") == [(1,)], "nothing has landed"
    )
    client.command("DROP VIEW slow_view")
    landing.until_all_has_landed()
    assert worker.exits == []


def test_a_server_that_stays_away_ends_the_worker_with_a_reason(landing: Landing, tmp_path: Path) -> None:
    away = Fleet(landing.settings, tmp_path / "away", {"RECOUP_CLICKHOUSE__URL": "http://127.0.0.1:1"})
    away.env["RECOUP_STREAMS__SINK_DEADLINE_SECONDS"] = "0.5"
    worker = away.worker("land", slot=7)
    try:
        away.until(lambda: bool(worker.exits), "the worker did not end")
        assert worker.exits[0] == 1
        assert "failed for 0.5 s" in worker.log.read_text()
    finally:
        away.stop()


# -- counting ----------------------------------------------------------------------------------------------------------


def test_only_messages_count_not_the_offsets_that_transactions_take(landing: Landing) -> None:
    topic = f"counted-{secrets.token_hex(4)}"
    create(landing.settings, topic)
    for outcome in ("commit", "abort", "commit"):
        producer = clients.transactional_producer(landing.settings.kafka, topic, 10_000)
        producer.init_transactions(20)
        producer.begin_transaction()
        for partition in (0, 0, 1):
            producer.produce(topic, b"x", partition=partition)
        producer.flush(20)
        getattr(producer, f"{outcome}_transaction")(20)
    assert count_messages(landing.settings.kafka, [topic, "no-such-topic"]) == {topic: {0: 4, 1: 2, 2: 0}}


def test_what_retention_has_removed_does_not_count(landing: Landing) -> None:
    topic = f"counted-{secrets.token_hex(4)}"
    create(landing.settings, topic)
    producer = clients.producer(landing.settings.kafka)
    for _ in range(10):
        producer.produce(topic, b"x", partition=0)
    producer.flush(20)
    forget(landing.settings, topic, 0, before=7)
    assert count_messages(landing.settings.kafka, [topic])[topic][0] == 3


# -- landing again -----------------------------------------------------------------------------------------------------


def test_a_table_is_landed_again_and_keeps_what_its_topic_has_lost(landing: Landing) -> None:
    worker = landing.fleet.worker("land")
    landing.send("audit-logs", 100)
    landing.until_all_has_landed()
    held = landing.rows()["audit-logs"]
    connect(landing.settings.clickhouse).command(
        "ALTER TABLE audit_logs UPDATE actor = 'wrong' WHERE 1 SETTINGS mutations_sync = 1"
    )
    forget(landing.settings, "audit-logs", 0, before=end_of(landing.settings, "audit-logs") - 40)
    report = landing.rebuild("audit_logs").run()
    assert (report.rows_before, report.rows, report.landed, report.kept) == (held, held, 40, held - 40)
    assert landing.ask("SELECT actor, count() FROM audit_logs GROUP BY 1 ORDER BY 2") == [
        ("x", 40),
        ("wrong", held - 40),
    ]
    assert landing.ask("SHOW TABLES LIKE '%rebuilt%'") == []
    # The worker was refused, was started again and goes on in the new table.
    landing.send("audit-logs", 30)
    landing.fleet.until(lambda: landing.rows()["audit-logs"] == held + 30, "nothing more has landed")
    assert set(worker.exits) <= {1}
    landing.assert_aggregates_are_right("audit_logs")


def test_a_table_is_landed_again_while_messages_flow_in(landing: Landing) -> None:
    landing.fleet.worker("land")
    landing.send(TOPIC, 4_000)
    landing.fleet.until(lambda: landing.rows().get(TOPIC, 0) > 0, "nothing has landed")
    seen: list[str] = []

    def more(text: str) -> None:
        seen.append(text)
        landing.send(TOPIC, 500)
        for worker in landing.fleet.workers:
            worker.look_after()

    Rebuild(landing.settings, "payment_events", WallClock(), tell=more).run()
    landing.send(TOPIC, 500)
    assert seen
    landing.until_all_has_landed()
    # A worker that is killed now leaves its last blocks to be sent again: views know them, rebuilt or not.
    for worker in landing.fleet.workers:
        worker.kill()
    landing.send(TOPIC, 10)
    landing.until_all_has_landed()
    landing.assert_aggregates_are_right("payment_events")


def test_rows_of_a_compacted_topic_are_kept(landing: Landing) -> None:
    owner = Ownership(landing.server).claim([Place(TOPIC, 3)], "w")[Place(TOPIC, 3)].owner
    sink = Sink(landing.server)
    sink.insert(owner, block(0, 10))
    shadow = Shadow(landing.server, "payment_events")
    shadow.create()
    rebuilt = Server(landing.settings.clickhouse, deadline=20, table_names=lambda _: shadow.name.name)
    Sink(rebuilt).insert(owner, block(5, 3))
    shadow.copy_missing(Place(TOPIC, 3), last=8)
    assert shadow.rows(TOPIC) == ({3: 10}, {3: 9})


def test_a_rebuild_cut_short_before_its_aggregates_are_filled_keeps_workers_away(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: Refill) -> None:
        raise KeyboardInterrupt

    landing.send(TOPIC, 10)
    monkeypatch.setattr(Refill, "run", die)
    with pytest.raises(KeyboardInterrupt):
        landing.rebuild("payment_events").run()
    monkeypatch.undo()
    server = Server(landing.settings.clickhouse, deadline=0.3)
    with pytest.raises(SinkUnavailable, match="run `recoup aggregates rebuild "):
        Ownership(server).claim([Place(TOPIC, 3)], "w")
    for aggregate in fed_by(landing.server, "payment_events"):
        Refill(landing.server, aggregate).run()
    assert Ownership(server).claim([Place(TOPIC, 3)], "w")
    landing.assert_aggregates_are_right("payment_events")


def test_nothing_is_lost_to_a_rebuild_that_would_lack_rows(landing: Landing) -> None:
    """Rows beyond the topic's end: the topic was made again, or this is another Kafka."""
    place = Place(TOPIC, 3)
    sink = Sink(landing.server)
    beyond = end_of(landing.settings, TOPIC, 3) + 1_000_000
    sink.insert(Ownership(landing.server).claim([place], "w")[place].owner, block(beyond, 10))
    with pytest.raises(Exception, match="Nothing was changed"):
        landing.rebuild("payment_events").run()
    assert landing.rows() == {TOPIC: 10}
    # Nobody is kept from claiming.
    assert Ownership(landing.server).claim([place], "w")


def test_of_two_rebuilds_the_earlier_one_is_refused(landing: Landing) -> None:
    landing.send(TOPIC, 10)
    second: list[Any] = []

    def start_another(_: str) -> None:
        if not second:
            second.append(Ownership(landing.server).own([rebuild_of("payment_events")], "another"))
            landing.send(TOPIC, 10)

    with pytest.raises(LostLease):
        Rebuild(landing.settings, "payment_events", WallClock(), tell=start_another).run()
    assert landing.rows() == {}


def test_while_tables_change_places_nobody_else_can_claim(landing: Landing) -> None:
    ownership, place = Ownership(landing.server), Place(TOPIC, 0)
    switch = ownership.begin_switch("payment_events", "recoup land rebuild payment_events")
    landing.server.deadline = 0.3
    with pytest.raises(Exception, match="run `recoup land rebuild payment_events` again"):
        ownership.claim([place], "w")
    landing.server.deadline = 20
    assert ownership.claim([place], "rebuild", switching=True)
    ownership.end_switch(switch)
    assert ownership.claim([place], "w")


def test_a_table_that_is_none_is_named(landing: Landing) -> None:
    with pytest.raises(BadInput, match="There is no table 'payments'"):
        landing.rebuild("payments")


def test_the_command_says_what_retention_has_removed_and_asks(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOUP_HOME", str(landing.settings.home))
    monkeypatch.setenv("RECOUP_CLICKHOUSE__DATABASE", landing.settings.clickhouse.database)
    landing.send("audit-logs", 5)
    forget(landing.settings, "audit-logs", 0, before=1)
    refused = CliRunner().invoke(command, ["rebuild", "audit_logs"], input="n\n")
    assert refused.exit_code == 1
    assert "audit-logs[0]: retention has removed the messages before offset" in refused.output
    done = CliRunner().invoke(command, ["rebuild", "audit_logs", "--yes", "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    report = json.loads(done.output.splitlines()[-1])
    assert report["table"] == "audit_logs"
    assert report["rows"] == report["landed"] == landing.rows()["audit-logs"]


def reads(worker: Worker, metric: str) -> float:
    """A metric of a worker; 0 while it does not answer."""
    running = worker.fleet.settings.home / "run" / f"worker-{worker.job}-{worker.slot}.json"
    try:
        web = json.loads(running.read_text())["web"]
        with urllib.request.urlopen(f"{web}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
    except (OSError, ValueError):
        return 0
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric))


def members(settings: Settings) -> list[str]:
    client = clients.admin(settings.kafka)  # dropped, it takes its requests with it
    described = client.describe_consumer_groups([GROUP])[GROUP].result(10)
    return [member.member_id for member in described.members]


def units(landing: Landing) -> int:
    known = clients.admin(landing.settings.kafka).list_topics(timeout=15).topics
    return sum(len(known[topic].partitions) for topic in landed_topics())


def create(settings: Settings, topic: str) -> None:
    client = clients.admin(settings.kafka)
    client.create_topics([NewTopic(topic, 3, 1)])[topic].result()


def forget(settings: Settings, topic: str, partition: int, before: int) -> None:
    """Do to a topic what retention does."""
    client = clients.admin(settings.kafka)
    asked = TopicPartition(topic, partition, before)
    client.delete_records([asked])[asked].result()


def forget_all(settings: Settings) -> None:
    """Do it to every message of every topic that is not compacted."""
    counted = count_messages(settings.kafka, [topic for topic in landed_topics() if not is_compacted(topic)])
    asked = [TopicPartition(t, p, OFFSET_END) for t, counts in counted.items() for p, held in counts.items() if held]
    client = clients.admin(settings.kafka)  # dropped, it takes its requests with it
    for done in client.delete_records(asked).values() if asked else ():
        done.result(30)


def is_compacted(topic: str) -> bool:
    known = registry.topics().get(topic)
    return known is not None and known.cleanup == "compact"


def end_of(settings: Settings, topic: str, partition: int = 0) -> int:
    consumer = clients.consumer(settings.kafka, "test-end")
    try:
        return int(consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1])
    finally:
        consumer.close()
