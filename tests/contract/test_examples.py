"""Every example is taken, or refused for the reason that it names; Struct and JSON Schema agree about it."""

import json
from functools import cache

import jsonschema
import msgspec
import pytest

from schemas.decode import REASONS, Refusal, TopicDecoder
from schemas.envelope import Event, type_of
from schemas.json_schema import DIALECT, json_schema
from schemas.registry import topics
from tests.contract.examples import LATEST, Example, invalid, key_of, valid

FOUND_LATER = {"unknown_tenant", "currency_mismatch", "replay_in_live_stack"}
FOUND_BEFORE = {"wrong_signature", "replayed_callback", "unreadable_callback", "unknown_contact"}
"""By who takes callbacks and makes events of them."""


def named(examples: list[Example]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("example", examples, ids=[example.name for example in examples])


@cache
def decoder(topic: str) -> TopicDecoder:
    return TopicDecoder(topic)


@cache
def validator(topic: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema(topics()[topic]))


@named(valid())
def test_a_valid_example_decodes_to_its_type(example: Example) -> None:
    event = decoder(example.topic)(example.value, example.key, LATEST)
    assert isinstance(event, Event), event
    assert type_of(event) == example.parsed["type"]


@named(valid())
def test_a_valid_example_is_valid_for_the_json_schema(example: Example) -> None:
    validator(example.topic).validate(example.parsed)


@named(valid())
def test_what_we_encode_is_valid_for_the_json_schema_and_decodes_to_the_same(example: Example) -> None:
    event = decoder(example.topic)(example.value, example.key, LATEST)
    encoded = msgspec.json.encode(event)
    validator(example.topic).validate(json.loads(encoded))
    assert decoder(example.topic)(encoded, example.key, LATEST) == event


@named(invalid())
def test_an_invalid_example_is_refused_for_its_reason(example: Example) -> None:
    refusal = decoder(example.topic)(example.value, example.key, LATEST, example.headers)
    assert isinstance(refusal, Refusal), refusal
    assert (refusal.reason, refusal.field) == (example.reason, example.field)


@named([example for example in invalid() if isinstance(example.parsed, dict) and example.reason != "oversize"])
def test_the_json_schema_refuses_what_the_struct_refuses(example: Example) -> None:
    assert validator(example.topic).is_valid(example.parsed) is not example.schema_refuses


@named([example for example in invalid() if isinstance(example.parsed, dict)])
def test_a_refusal_quotes_no_value(example: Example) -> None:
    refusal = decoder(example.topic)(example.value, example.key, LATEST, example.headers)
    assert isinstance(refusal, Refusal)
    for value in example.parsed.values():
        if isinstance(value, str) and len(value) > 3 and value != example.parsed.get("type"):
            assert value not in refusal.detail


@pytest.mark.parametrize("topic", topics())
def test_the_json_schema_is_a_schema(topic: str) -> None:
    schema = json_schema(topics()[topic])
    assert schema["$schema"] == DIALECT
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(("topic", "name"), [(topic.name, name) for topic in topics().values() for name in topic.types])
def test_every_type_has_a_valid_example(topic: str, name: str) -> None:
    assert any(example.topic == topic and example.parsed["type"] == name for example in valid())


@pytest.mark.parametrize("topic", topics())
def test_every_topic_has_an_invalid_example(topic: str) -> None:
    assert any(example.topic == topic for example in invalid())


def test_every_reason_of_the_decoder_has_an_example() -> None:
    assert {example.reason for example in invalid()} == set(REASONS) - FOUND_LATER - FOUND_BEFORE


@named(valid())
def test_every_required_field_is_missed(example: Example) -> None:
    definition = json_schema(topics()[example.topic])["$defs"][
        topics()[example.topic].types[example.parsed["type"]].struct.__name__
    ]
    for name in definition["required"]:
        cut = {field: value for field, value in example.parsed.items() if field != name}
        refusal = decoder(example.topic)(json.dumps(cut).encode(), key_of(example.topic, cut), LATEST)
        assert isinstance(refusal, Refusal)
        assert (refusal.reason, refusal.field) == ("missing_field", name)
        assert not validator(example.topic).is_valid(cut)


@named(valid())
def test_a_field_of_a_wrong_json_type_is_refused_by_both(example: Example) -> None:
    """Each field in turn holds an object that no field allows, not even those that are maps."""
    for name in example.parsed.keys() - {"till", "context"}:
        wrong = example.parsed | {name: {"never": ["allowed"]}}
        refusal = decoder(example.topic)(json.dumps(wrong).encode(), example.key, LATEST)
        assert isinstance(refusal, Refusal)
        assert refusal.reason == "wrong_field", name
        assert not validator(example.topic).is_valid(wrong)
