"""The registry is whole: every topic and type of the design, each with a Struct, a consumer and sound settings."""

from pathlib import Path

import msgspec
import pytest
import yaml
from msgspec import inspect

from schemas import registry
from schemas.decode import TopicDecoder
from schemas.envelope import MAX_MONEY, MAX_SUM, Control, Event, type_of
from schemas.errors import BadInput
from schemas.registry import ACCOUNT_TOPICS, SOURCE_TOPICS, Topic, topic_named, topics

DESIGN = {
    "payment-events": """
        invoice.issued invoice.adjusted invoice.voided invoice.written_off payment.scheduled payment.pending
        payment.received payment.failed payment.reversed plan.offered plan.accepted plan.instalment_due plan.broken
        plan.completed settlement.offered settlement.accepted account.balance_asserted replay.marker""",
    "crm-events": """
        account.updated party.linked debt.placed debt.recalled debt.sold debt.charged_off contact_point.updated
        contact_point.checked contact_preference.changed consent.changed dispute.opened dispute.resolved hold.placed
        hold.released hardship.declared hardship.ended vulnerability.reported breathing_space.started
        breathing_space.ended representation.changed cease_requested bankruptcy.filed bankruptcy.ended
        deceased.reported fraud.reported erasure.requested replay.marker""",
    "interaction-events": """
        contact.sent contact.delivered contact.bounced contact.failed contact.opened contact.clicked call.completed
        reply.received reply.read promise.made promise.cancelled opt_out.received complaint.received replay.marker""",
    "ledger-postings": "ledger.posted",
    "propensity-scores": "propensity.scored",
    "next-best-actions": "next_best_action.chosen",
    "contact-requests": "contact.requested",
    "customer-events": """
        invoice.overdue account.cured promise.kept promise.broken account.escalated account.credit_hold_advised
        model.drifted""",
    "agent-metrics": "agent.metrics",
    "audit-logs": "audit.recorded",
    "tenants": "tenant.changed",
    "templates": "template.registered",
    "model-releases": "model.released",
    "policy-releases": "policy.released",
}
ALL = list(topics().values())
TYPES = [(topic, name) for topic in ALL for name in topic.types]
each_topic = pytest.mark.parametrize("topic", ALL, ids=[topic.name for topic in ALL])
each_type = pytest.mark.parametrize(("topic", "name"), TYPES, ids=[f"{topic.name}/{name}" for topic, name in TYPES])


def test_every_topic_and_type_of_the_design_is_registered() -> None:
    assert {topic.name: set(topic.types) for topic in ALL} == {
        name: set(types.split()) for name, types in DESIGN.items()
    }


def test_all_links_of_the_audit_log_stand_in_one_order() -> None:
    """A chain's links have several keys, one for each tenant; in two partitions they would look reordered."""
    assert topic_named("audit-logs").partitions == 1


def test_a_chain_records_the_partition_of_its_number_in_every_topic() -> None:
    recorded = ("next-best-actions", "contact-requests", "interaction-events", "customer-events")
    assert {topic_named(name).partitions for name in recorded} == {topic_named(SOURCE_TOPICS[0]).partitions}


@each_type
def test_the_struct_of_a_type_carries_its_name(topic: Topic, name: str) -> None:
    struct = topic.types[name].struct
    assert type_of(struct) == name
    assert (struct.__doc__ or "").strip()


@each_topic
def test_a_topic_has_producers_consumers_and_a_file_of_its_name(topic: Topic) -> None:
    assert topic.producers
    assert "land" in topic.consumers, "every topic has its table"
    assert (registry.TOPICS_DIR / f"{topic.name}.yaml").exists()


@each_topic
def test_every_field_of_the_key_is_in_every_type(topic: Topic) -> None:
    for spec in topic.types.values():
        assert set(topic.key.split("|")) <= set(spec.struct.__struct_fields__)


def test_account_topics_share_key_and_partitions() -> None:
    account_topics = [topics()[name] for name in ACCOUNT_TOPICS]
    assert {(topic.key, topic.partitions) for topic in account_topics} == {("tenant_id|account_id", 8)}
    assert all(topic.cleanup == "delete" for topic in account_topics)
    assert all(topic.partitions <= 2 for topic in ALL if topic.name not in ACCOUNT_TOPICS)


def test_what_is_read_from_outside_has_dead_letters() -> None:
    assert {topic.name for topic in ALL if topic.dead_letters} == {*SOURCE_TOPICS, "contact-requests"}


def test_a_setting_is_kept_until_it_is_replaced() -> None:
    for topic in ALL:
        settings = all(issubclass(spec.struct, Control) for spec in topic.types.values())
        assert (topic.cleanup == "compact" and topic.retention_ms == registry.FOREVER) is settings


@each_type
def test_money_is_a_bounded_integer_named_minor_beside_a_currency(topic: Topic, name: str) -> None:
    """The decoder names faults of money by the field's name, so the names must be right."""
    for path, kind in _fields(topic.types[name].struct):
        bounded = isinstance(kind, inspect.IntType) and kind.le in (MAX_MONEY, MAX_SUM)
        assert bounded is path.endswith("_minor"), path
    fields = dict(_fields(topic.types[name].struct))
    if "amount_minor" in fields:
        assert "currency" in fields


@each_type
def test_every_time_has_an_offset(topic: Topic, name: str) -> None:
    for path, kind in _fields(topic.types[name].struct):
        if isinstance(kind, inspect.DateTimeType):
            assert kind.tz is True, path


@each_type
def test_what_a_producer_sends_is_bounded(topic: Topic, name: str) -> None:
    if topic.name in SOURCE_TOPICS:
        for path, kind in _fields(topic.types[name].struct):
            assert not isinstance(kind, inspect.StrType) or kind.max_length or kind.pattern, path


def test_structs_are_frozen_and_leave_defaults_out() -> None:
    for topic, name in TYPES:
        config = topic.types[name].struct.__struct_config__
        assert config.frozen
        assert config.omit_defaults
        assert not config.gc
        assert not config.forbid_unknown_fields, "a producer may be newer than its consumers"


def test_an_unknown_topic_is_named_with_those_that_there_are() -> None:
    with pytest.raises(BadInput, match="payment-events"):
        topic_named("payments")


def test_the_dead_letters_of_a_topic_decode_as_the_topic() -> None:
    assert TopicDecoder("crm-events.dlq").topic is topics()["crm-events"]


GOOD_TYPE = {"version": 1, "compatibility": "backward", "struct": "InvoiceIssued"}
GOOD_FILE = {
    "topic": "x",
    "what": "Something.",
    "owner": "somebody",
    "key": "tenant_id",
    "partitions": 1,
    "retention": "1d",
    "producers": ["a"],
    "consumers": ["b"],
    "types": {"a.b": GOOD_TYPE},
}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("topic: [", "expected"),
        ("topic: x", "missing required field `what`"),
        (yaml.dump(GOOD_FILE | {"partitions": 0}), "partitions"),
        (yaml.dump(GOOD_FILE | {"retention": "1 week"}), "retention"),
        (yaml.dump(GOOD_FILE | {"colour": "red"}), "colour"),
        (yaml.dump(GOOD_FILE | {"types": {}}), "types"),
        (yaml.dump(GOOD_FILE | {"types": {"a.b": GOOD_TYPE | {"struct": "Nonesuch"}}}), "Nonesuch"),
    ],
)
def test_a_wrong_topic_file_is_named_with_its_fault(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    monkeypatch.setattr(registry, "TOPICS_DIR", tmp_path)
    with pytest.raises(BadInput, match=r"schemas/topics/bad\.yaml") as error:
        registry.topics.__wrapped__()
    assert says in str(error.value)


def _fields(struct: type[msgspec.Struct], path: str = "") -> list[tuple[str, inspect.Type]]:
    """Every field and every nested one, without what wraps its type."""
    found: list[tuple[str, inspect.Type]] = []
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        found += _kinds(field.type, f"{path}{field.name}")
    return found


def _kinds(kind: inspect.Type, path: str) -> list[tuple[str, inspect.Type]]:
    match kind:
        case inspect.Metadata():
            return _kinds(kind.type, path)
        case inspect.UnionType():
            return [pair for one in kind.types if not isinstance(one, inspect.NoneType) for pair in _kinds(one, path)]
        case inspect.VarTupleType():
            return _kinds(kind.item_type, path)
        case inspect.StructType():
            return _fields(kind.cls, f"{path}.")
        case _:
            return [(path, kind)]


def test_the_walk_over_fields_reaches_nested_ones() -> None:
    paths = dict(_fields(topics()["payment-events"].types["payment.received"].struct))
    assert "allocations.amount_minor" in paths
    assert issubclass(topics()["payment-events"].types["payment.received"].struct, Event)
