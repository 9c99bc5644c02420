"""How many messages each partition holds, by reading it: offsets are taken by transaction markers too, and freed again."""

from collections import Counter
from collections.abc import Sequence

from connectors.kafka.reading import partitions_of, read_to_end
from connectors.kafka.settings import KafkaSettings


def count_messages(settings: KafkaSettings, topics: Sequence[str]) -> dict[str, dict[int, int]]:
    """Topic -> partition -> its committed messages, up to the end as it is when it is reached.

    A topic that does not exist is left out. Nothing is decoded; about 1.5 s of one core for a million messages.

    Raises:
        NotReady: the broker stopped answering.
    """
    partitions = partitions_of(settings, topics)
    counts: dict[str, dict[int, int]] = {}
    for partition in partitions:
        counts.setdefault(partition.topic, {})[partition.partition] = 0
    seen = Counter((message.topic(), message.partition()) for message in read_to_end(settings, partitions))
    for (topic, number), count in seen.items():
        counts[topic][number] = count
    return counts
