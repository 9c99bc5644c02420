"""What must hold after any disturbance, read from the servers themselves."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping

import msgspec

from connectors.clickhouse.aggregates import aggregates
from connectors.clickhouse.check import check
from connectors.clickhouse.client import connect as connect_clickhouse
from connectors.clickhouse.server import Server
from connectors.kafka import clients, reading
from connectors.redis.client import connect_async
from connectors.redis.ledger import Ledger
from models.account.ledger import balances
from models.account.state import decode
from recoup.settings import Settings
from schemas.postings import LedgerPosted
from schemas.registry import ACCOUNT_TOPICS, SOURCE_TOPICS, dead_letter_topic, topics
from streams.decide.agent import GROUP, JOB
from streams.decide.rebuild import committed_batches, rebuild

PARTITIONS = 8
NOTHING = b"\xc0"  # nil in msgpack


def ends(settings: Settings, wanted: tuple[str, ...] = SOURCE_TOPICS) -> dict[tuple[str, int], int]:
    """Where each partition ends."""
    consumer = clients.consumer(settings.kafka, "test-ends")
    try:
        return {
            (p.topic, p.partition): consumer.get_watermark_offsets(p, timeout=10)[1]
            for p in reading.partitions_of(settings.kafka, wanted)
        }
    finally:
        consumer.close()


def decide_has_caught_up(settings: Settings) -> bool:
    """Whether decide has committed everything that its source topics hold."""
    committed = committed_batches(settings.kafka, GROUP)
    return all(
        partition in committed and committed[partition][2].get(topic, 0) >= end
        for (topic, partition), end in ends(settings).items()
        if end > 0
    )


def messages(settings: Settings, wanted: list[str]) -> Counter[str]:
    """Committed messages of each topic."""
    partitions = reading.partitions_of(settings.kafka, wanted)
    return Counter(message.topic() for message in reading.read_to_end(settings.kafka, partitions))


def counters(settings: Settings) -> dict[str, int]:
    """Decide's own count of what became of each message."""

    async def read() -> dict[str, int]:
        client = connect_async(settings.redis)
        try:
            return await Ledger(client, settings.redis.prefix, JOB).counters(range(PARTITIONS))
        finally:
            await client.aclose()  # type: ignore[attr-defined]

    return asyncio.run(read())


def assert_each_event_counted_once(settings: Settings) -> None:
    """Produced = applied + dropped + dead-lettered, and the dead letters are there."""
    produced = sum(messages(settings, list(SOURCE_TOPICS)).values())
    counted = counters(settings)
    assert produced == sum(counted.values()), (produced, counted)
    refused = sum(times for name, times in counted.items() if name.startswith("dead_lettered"))
    assert refused == sum(messages(settings, [dead_letter_topic(t) for t in SOURCE_TOPICS]).values())


def states(settings: Settings) -> dict[int, dict[str, bytes]]:
    """What Redis holds of each account, by partition."""

    async def read() -> dict[int, dict[str, bytes]]:
        client = connect_async(settings.redis)
        ledger = Ledger(client, settings.redis.prefix, JOB)
        try:
            return {partition: await ledger.states(partition) for partition in range(PARTITIONS)}
        finally:
            await client.aclose()  # type: ignore[attr-defined]

    return asyncio.run(read())


def assert_states_are_what_the_topics_say(settings: Settings) -> int:
    """Every state equals, byte for byte, the one that an undisturbed fold of the topics gives.

    Returns:
        How many accounts were compared.
    """
    held = states(settings)
    compared = 0
    for rebuilt in rebuild(settings.kafka, GROUP):
        found = held[rebuilt.partition]
        different = [a for a in found.keys() | rebuilt.states.keys() if found.get(a) != rebuilt.states.get(a)]
        assert not different, (
            f"partition {rebuilt.partition}: {len(different)} of {len(found)} accounts differ, first {different[0]}:\n"
            f"stored  {msgspec.msgpack.decode(found.get(different[0], NOTHING))}\n"
            f"rebuilt {msgspec.msgpack.decode(rebuilt.states.get(different[0], NOTHING))}"
        )
        compared += len(found)
    return compared


class Books(msgspec.Struct):
    """What is open of each invoice and what lies on account, by account: only what is not nothing."""

    open: dict[tuple[str, str], int]
    """Account and invoice -> minor units."""
    on_account: dict[tuple[str, str], int]
    """Account and currency -> minor units."""


def books_of_states(settings: Settings) -> Books:
    """As Redis has them."""
    books = Books({}, {})
    for account, blob in ((a, b) for held in states(settings).values() for a, b in held.items()):
        payments = decode(blob).facts.payments
        credit = Counter({currency: -owed for currency, owed in balances(payments).items()})
        for name, invoice in payments.invoices.items():
            if invoice.known:
                books.open[account, name] = invoice.rest
                credit[invoice.currency] += invoice.rest
        books.on_account |= {(account, currency): minor for currency, minor in credit.items() if minor}
    return books


def books_of_postings(settings: Settings) -> Books:
    """As the messages add up to."""
    invoices: Counter[tuple[str, str]] = Counter()
    credit: Counter[tuple[str, str]] = Counter()
    read = msgspec.json.Decoder(LedgerPosted).decode
    seen: set[tuple[str, str]] = set()
    for message in reading.read_to_end(settings.kafka, reading.partitions_of(settings.kafka, ["ledger-postings"])):
        account, posting = message.key().decode(), read(message.value())
        assert (account, posting.event_id) not in seen, f"{account}: {posting.event_id} was published twice"
        seen.add((account, posting.event_id))
        credit[account, posting.currency] += posting.on_account_minor
        for line in posting.lines:
            invoices[account, line.invoice_id] += line.amount_minor
    return Books(_not_nothing(invoices), _not_nothing(credit))


def books_of_rows(settings: Settings) -> Books:
    """As the rows add up to in ClickHouse."""
    client = connect_clickhouse(settings.clickhouse)
    invoices = client.query(
        "SELECT _key, line.invoice_id AS invoice, sum(line.amount_minor) FROM ledger_postings"
        " ARRAY JOIN lines AS line WHERE valid GROUP BY _key, invoice"
    ).result_rows
    credit = client.query(
        "SELECT _key, currency, sum(on_account_minor) FROM ledger_postings WHERE valid GROUP BY _key, currency"
    ).result_rows
    return Books(
        _not_nothing({(account, name): int(minor) for account, name, minor in invoices}),
        _not_nothing({(account, currency): int(minor) for account, currency, minor in credit}),
    )


def _not_nothing(sums: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {name: minor for name, minor in sums.items() if minor}


def assert_postings_are_the_books(settings: Settings, *, landed: bool = False) -> int:
    """What is open and on account is the same in the states and as the sum of all postings.

    Args:
        landed: compare the rows as well.

    Returns:
        How many invoices are open.
    """
    wanted = books_of_states(settings)
    for told in (books_of_postings, *((books_of_rows,) if landed else ())):
        found = told(settings)
        for part in ("open", "on_account"):
            ours, theirs = getattr(found, part), getattr(wanted, part)
            wrong = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
            assert not wrong, (
                f"{told.__name__}, {part}: {len(wrong)} of {len(theirs)} differ, first {wrong[0]}:"
                f" {ours.get(wrong[0])} instead of {theirs.get(wrong[0])}"
            )
    return len(wanted.open)


class Numbered(msgspec.Struct):
    decision_id: str
    decision_no: int


def assert_decisions_are_whole(settings: Settings) -> int:
    """No decision id has two contents or is published twice, and no account's numbers have a gap.

    Returns:
        How many decisions there are.
    """
    contents: dict[str, bytes] = {}
    numbers: defaultdict[bytes, list[int]] = defaultdict(list)
    decode = msgspec.json.Decoder(Numbered).decode
    partitions = reading.partitions_of(settings.kafka, ["next-best-actions"])
    for message in reading.read_to_end(settings.kafka, partitions):
        decision = decode(message.value())
        assert decision.decision_id not in contents, f"decision {decision.decision_id} was published twice"
        contents[decision.decision_id] = message.value()
        numbers[message.key()].append(decision.decision_no)
    for account, seen in numbers.items():
        assert seen == list(range(1, len(seen) + 1)), f"{account!r}: {seen}"
    return len(contents)


def landed(settings: Settings) -> dict[str, tuple[int, int]]:
    """Topic -> (rows, distinct places) in ClickHouse."""
    tables = {topic.replace("-", "_") for topic in topics()} | {"dead_letters"}
    asked = " UNION ALL ".join(
        f"SELECT _topic, count(), uniqExact(_partition, _offset) FROM {table} GROUP BY _topic"  # noqa: S608
        for table in sorted(tables)
    )
    rows = connect_clickhouse(settings.clickhouse).query(asked).result_rows
    return {topic: (count, distinct) for topic, count, distinct in rows}


def messages_to_land(settings: Settings) -> Counter[str]:
    """Messages of the account topics and their dead letters; to be counted when nobody writes any more."""
    return messages(settings, [*ACCOUNT_TOPICS, *(dead_letter_topic(topic) for topic in SOURCE_TOPICS)])


def everything_has_landed(settings: Settings, held: Counter[str]) -> bool:
    """Whether every message is a row, none twice.

    Raises:
        AssertionError: there are more rows than messages, which no waiting can mend.
    """
    rows = landed(settings)
    for topic, (count, distinct) in rows.items():
        assert count == distinct, f"{topic}: {count} rows of {distinct} messages"
        if topic in held:
            assert count <= held[topic], f"{topic}: {count} rows of {held[topic]} messages"
    return all(rows.get(topic, (0, 0))[0] == held[topic] for topic in held)


def assert_aggregates_are_what_the_tables_say(settings: Settings) -> int:
    """Every aggregate that is filled as rows land equals what its views make of its tables, to the cent and to the row.

    Returns:
        How many rows they have.
    """
    server = Server(settings.clickhouse, deadline=60)
    try:
        verdicts = [check(server, aggregate) for aggregate in aggregates(server).values()]
    finally:
        server.close()
    differing = {verdict.aggregate: verdict.differing for verdict in verdicts if verdict.differing}
    assert not differing, differing
    return sum(verdict.rows for verdict in verdicts)
