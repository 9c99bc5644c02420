"""Where a new owner of a partition goes on."""

import pytest
from confluent_kafka import TopicPartition

from connectors.clickhouse.blocks import Place
from connectors.clickhouse.ownership import Claim, Mark, Owner
from schemas.errors import NotReady
from streams import metrics
from streams.land.take_over import NOTHING, of_database, start


def claim(mark: int | None, *, first: bool = False) -> Claim:
    landed = None if mark is None else Mark(offset=mark, block=f"tenants:0:0-{mark}", block_at=0)
    return Claim(Place("tenants", 0), Owner(1, "w"), first=first, mark=landed)


@pytest.mark.parametrize(
    ("mark", "claimed", "committed", "kept", "starts"),
    [
        (None, "never", NOTHING, 0, 0),  # a new partition
        (None, "never", NOTHING, 40, 40),  # of which retention has taken some before we were there
        (None, "before", 70, 0, 70),  # a retention time has emptied the table
        (99, "before", 100, 0, 100),
        (99, "before", 50, 0, 100),  # killed between insert and commit
        (99, "before", NOTHING, 0, 100),  # Kafka has forgotten the group
        (99, "before", 120, 0, 120),  # a retention time has removed the last rows
        (99, "never", NOTHING, 0, 100),  # rows, but nobody in `owners`
    ],
)
def test_it_goes_on_after_the_last_row(mark: int | None, claimed: str, committed: int, kept: int, starts: int) -> None:
    assert start(claim(mark, first=claimed == "never"), committed, kept, end=1_000) == starts


@pytest.mark.parametrize(
    ("said", "claimed", "starts"),
    [
        ("database/1", "before", 70),
        ("database/1", "never", 70),
        ("database/2", "never", NOTHING),
        ("database/2", "before", NOTHING),  # claimed here by one that was gone before anything landed
        (None, "before", 70),  # of a version that did not say for which database
        ("", "never", NOTHING),
    ],
)
def test_what_was_committed_for_another_database_does_not_count(said: str | None, claimed: str, starts: int) -> None:
    committed = TopicPartition("tenants", 0, 70, said) if said is not None else TopicPartition("tenants", 0, 70)
    found = of_database(committed, claim(None, first=claimed == "never"), "database/1")
    assert found == starts


def test_what_retention_removed_before_it_landed_is_counted() -> None:
    before = lost()
    assert start(claim(99), 100, kept_from=130, end=1_000) == 130
    assert lost() == before + 30


def test_what_a_new_database_is_too_young_for_is_not_lost() -> None:
    before = lost()
    assert start(claim(None), NOTHING, kept_from=40, end=1_000) == 40
    assert lost() == before
    assert start(claim(None, first=True), 10, kept_from=40, end=1_000) == 40
    assert lost() == before + 30


def test_a_table_that_is_ahead_of_its_topic_is_refused() -> None:
    with pytest.raises(NotReady, match=r"tenants\[0\].*offset 99 and the topic ends at 50"):
        start(claim(99), NOTHING, 0, end=50)


def test_a_partition_that_has_landed_whole_is_not_ahead() -> None:
    assert start(claim(99), 100, 0, end=100) == 100


def lost() -> float:
    value: float = metrics.ROWS_LOST.labels("tenants")._value.get()
    return value
