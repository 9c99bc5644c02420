"""What the registry asks of the cluster, and what is done about each difference."""

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import Wanted, _creation, _differences, plan, wanted
from schemas.errors import NotReady
from schemas.registry import ACCOUNT_TOPICS, topics

FIXED = Wanted("payment-events", 8, {"cleanup.policy": "delete", "retention.ms": "86400000"}, fixed=True)
FREE = Wanted("audit-logs", 2, {"cleanup.policy": "delete", "retention.ms": "86400000"}, fixed=False)
BY_NAME = {topic.name: topic for topic in wanted()}


def test_every_topic_is_wanted_and_every_dead_letter_topic() -> None:
    refused = {f"{topic.name}.dlq" for topic in topics().values() if topic.dead_letters}
    assert set(BY_NAME) == {*topics(), *refused}


def test_only_account_topics_have_a_fixed_number_of_partitions() -> None:
    assert {topic.name for topic in wanted() if topic.fixed} == set(ACCOUNT_TOPICS)
    assert {topic.partitions for topic in wanted() if topic.fixed} == {8}


def test_a_dead_letter_topic_has_room_for_its_source_and_the_headers() -> None:
    source = int(BY_NAME["crm-events"].config["max.message.bytes"])
    assert int(BY_NAME["crm-events.dlq"].config["max.message.bytes"]) == source + 64 * 1024


def test_no_producers_clock_decides_what_is_deleted() -> None:
    assert {topic.config["message.timestamp.type"] for topic in wanted()} == {"LogAppendTime"}


def test_a_missing_topic_is_created() -> None:
    assert str(_creation(BY_NAME["payment-events"])) == "+ payment-events (8 partitions, 30d)"
    assert str(_creation(BY_NAME["tenants"])) == "+ tenants (1 partition, compacted)"


def test_equal_topics_differ_in_nothing() -> None:
    assert list(_differences(FIXED, 8, FIXED.config | {"segment.bytes": "1"})) == []


def test_a_setting_that_drifted_is_altered_and_no_other() -> None:
    (change,) = _differences(FIXED, 8, FIXED.config | {"retention.ms": "3600000"})
    assert (change.kind, change.config) == ("alter", {"retention.ms": "86400000"})
    assert str(change) == "~ payment-events retention.ms 3600000 -> 86400000"


@pytest.mark.parametrize("partitions", [4, 16])
def test_the_partitions_of_an_account_topic_are_never_changed(partitions: int) -> None:
    (change,) = _differences(FIXED, partitions, FIXED.config)
    assert change.kind == "refuse"
    assert f"has {partitions} partitions, the registry says 8" in change.says


def test_another_topic_grows_and_never_shrinks() -> None:
    (grown,) = _differences(FREE, 1, FREE.config)
    assert (grown.kind, grown.partitions, str(grown)) == ("grow", 2, "~ audit-logs 1 -> 2 partitions")
    (refused,) = _differences(FREE, 3, FREE.config)
    assert refused.kind == "refuse"


def test_without_an_address_it_says_how_to_get_one() -> None:
    with pytest.raises(NotReady, match="recoup up"):
        plan(KafkaSettings())
