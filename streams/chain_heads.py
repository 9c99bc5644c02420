"""Where the audit chains end in the log, for a Redis that has forgotten it: a chain goes on and never begins twice."""

import msgspec

from connectors.kafka import reading
from connectors.kafka.settings import KafkaSettings
from connectors.redis.ledger import AUDIT_LOGS
from models.audit import START, Head, decode


def audit_heads(kafka: KafkaSettings) -> dict[str, Head]:
    """Chain -> its last link in the log.

    Raises:
        NotReady: the broker stopped answering.
    """
    heads: dict[str, Head] = {}
    for message in reading.read_to_end(kafka, reading.partitions_of(kafka, [AUDIT_LOGS])):
        try:
            entry = decode(message.value() or b"")
        except msgspec.MsgspecError:
            continue  # `recoup audit verify` names it
        if entry.sequence > heads.get(entry.chain, START).sequence:
            heads[entry.chain] = Head(entry.sequence, entry.hash)
    return heads
